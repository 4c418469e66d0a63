//! Wildcard matching (PS3.4 C.2.2.2.4): `*` is any text, also none, `?` any one character. Time is bounded by the product
//! of the two lengths, whatever the pattern.

/// Longest pattern that is tried; a longer one matches nothing. Values that can be searched are shorter.
pub const MAX_PATTERN_CHARS: usize = 1024;

/// Whether text is a pattern.
pub(super) fn has_wildcards(key: &str) -> bool {
    key.contains(['*', '?'])
}

/// Matches the whole value. On a mismatch only the last `*` has to be looked at again: an earlier one that took more
/// could not help.
pub(super) fn wildcard_matches(pattern: &str, value: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().take(MAX_PATTERN_CHARS + 1).collect();
    let value: Vec<char> = value.chars().collect();
    if pattern.len() > MAX_PATTERN_CHARS {
        return false;
    }
    let (mut at, mut star, mut taken) = (0, None, 0);
    let mut i = 0;
    while i < value.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some(at);
                taken = i;
                at += 1;
            }
            Some(&c) if c == '?' || c == value[i] => {
                at += 1;
                i += 1;
            }
            _ => {
                let Some(star) = star else { return false };
                taken += 1;
                i = taken;
                at = star + 1;
            }
        }
    }
    pattern[at..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::{ProptestConfig, prop_assert_eq, proptest};

    use super::wildcard_matches;

    /// The definition, taken literally.
    fn oracle(pattern: &[char], value: &[char]) -> bool {
        match (pattern, value) {
            ([], []) => true,
            (['*', rest @ ..], _) => (0..=value.len()).any(|n| oracle(rest, &value[n..])),
            (['?', rest @ ..], [_, others @ ..]) => oracle(rest, others),
            ([c, rest @ ..], [d, others @ ..]) => c == d && oracle(rest, others),
            _ => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn patterns_mean_what_their_definition_says(
            pattern in "[ab*?é]{0,7}",
            value in "[abé]{0,8}",
        ) {
            let chars = |text: &str| text.chars().collect::<Vec<_>>();
            prop_assert_eq!(
                wildcard_matches(&pattern, &value),
                oracle(&chars(&pattern), &chars(&value))
            );
        }
    }

    #[test]
    fn hostile_patterns_end_soon() {
        let value = "a".repeat(10_000);
        let started = Instant::now();
        for pattern in [
            "*".repeat(1000) + "b",
            "*a".repeat(500) + "b",
            "a*".repeat(500) + "*b",
            "?*".repeat(500) + "b",
            "*".to_owned() + &"a".repeat(1000) + "b",
        ] {
            assert!(!wildcard_matches(&pattern, &value));
        }
        assert!(!wildcard_matches(&"*".repeat(5000), &value), "too long");
        assert!(started.elapsed() < Duration::from_secs(5));
    }
}
