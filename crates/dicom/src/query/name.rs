//! Names of people (PS3.4 C.2.2.2.1.1): without regard to case and accents, each of the three component groups by itself,
//! and empty components at the end or not.
//!
//! Fuzzy matching (PS3.18 section 8.3.4.2 leaves to the server what it is) means here: every word of the key begins
//! some word of the name, in any order, in one component group. `jo do` finds `Doe^John`, `muller` finds `Müller^Eva`;
//! it does not know what sounds alike.

use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::wildcard::wildcard_matches;

const GROUPS: [&str; 3] = ["Alphabetic", "Ideographic", "Phonetic"];
/// Family, given, middle, prefix, suffix (PS3.5 section 6.2.1).
const COMPONENTS: usize = 5;

/// Whether a name is that of the key. A key of one group may be any group of the name; one of several groups
/// (`Yamada^Tarou=山田^太郎`) must match each.
pub(super) fn name_matches(value: &Value, key: &str) -> bool {
    if !key.contains('=') {
        let key = folded(key);
        return groups(value).any(|(_, group)| group_matches(&folded(group), &key));
    }
    key.split('=')
        .zip(GROUPS)
        .filter(|(key, _)| !key.is_empty())
        .all(|(key, wanted)| {
            groups(value)
                .any(|(name, group)| name == wanted && group_matches(&folded(group), &folded(key)))
        })
}

/// Whether every word of the key begins a word of the name.
pub(super) fn fuzzy_name_matches(value: &Value, key: &str) -> bool {
    let key = folded(&key.replace(['*', '?'], " "));
    groups(value).any(|(_, group)| {
        let name = folded(group);
        words(&key).all(|wanted| words(&name).any(|word| word.starts_with(wanted)))
    })
}

fn groups(value: &Value) -> impl Iterator<Item = (&'static str, &str)> {
    GROUPS
        .into_iter()
        .filter_map(|name| Some((name, value.get(name)?.as_str()?)))
}

/// `Doe^*` means `Doe` too, whose given name is empty: so a name is tried short and with all its components.
fn group_matches(name: &str, key: &str) -> bool {
    let name = name.trim_end_matches(['^', ' ']);
    let key = key.trim_end_matches(['^', ' ']);
    let missing = COMPONENTS.saturating_sub(name.split('^').count());
    wildcard_matches(key, name) || wildcard_matches(key, &(name.to_owned() + &"^".repeat(missing)))
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', '^', '=', ',', '-', '.'])
        .filter(|word| !word.is_empty())
}

/// Lower case, accents dropped, compatible forms (half and full width) made one.
fn folded(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    text.nfkd()
        .filter(|c| !is_combining_mark(*c))
        .flat_map(char::to_lowercase)
        .flat_map(|c| match c {
            'ß' => ['s', 's'],
            'æ' => ['a', 'e'],
            'œ' => ['o', 'e'],
            'ø' => ['o', '\0'],
            'ł' => ['l', '\0'],
            'đ' => ['d', '\0'],
            'ı' => ['i', '\0'],
            other => [other, '\0'],
        })
        .filter(|c| *c != '\0')
        .collect()
}
