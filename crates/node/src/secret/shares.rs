//! The secret in trust: split into shares of which some give it back (Shamir, from `arno_learning`), each a line that can be
//! printed and typed. Fewer shares than needed say nothing of the secret.
//!
//! A line names its split, its place and how many are needed, and ends in a checksum against typing errors. Whether shares give
//! back what was split, and not something else, a digest of the secret tells that each line carries in part.

use arno_domain::hex;
use arno_learning::shamir;
use sha2::{Digest as _, Sha256};

use super::{
    SecretError,
    sealed::{MAX_VERSIONS, Versions, random},
};

/// Most shares of one split.
pub(super) const MAX_SHARES: usize = 20;
/// How a line begins.
const MARK: &str = "arno-share-1";
/// Bytes of the digest by which a secret is recognised; as many bits as make a false one improbable and guessing pointless.
const CHECK_BYTES: usize = 4;
/// Digits in one group, for people who read them aloud.
const GROUP: usize = 8;

/// Splits every version of a secret: for each of `count` people the lines to keep, any `needed` of which give it back.
pub(super) fn split(
    versions: &Versions,
    needed: usize,
    count: usize,
) -> Result<Vec<Vec<String>>, SecretError> {
    if !(2..=MAX_SHARES).contains(&count) || !(2..=count).contains(&needed) {
        return Err(SecretError::BadSplit);
    }
    let mut people = vec![Vec::new(); count];
    let all = versions.all();
    for (at, secret) in all.iter().enumerate() {
        let (polynomial, set) = (random::<32>()?, random::<4>()?);
        let shares = shamir::split(secret, &polynomial, needed, count);
        for (place, share) in shares.iter().enumerate() {
            let text = format!(
                "{MARK} {} {}/{} {needed}-of-{count} {} {} {}",
                hex::encode(&set),
                at + 1,
                all.len(),
                place + 1,
                recognised(secret, &set),
                grouped(share)
            );
            let sum = checksum(&text);
            people[place].push(format!("{text} {sum}"));
        }
    }
    Ok(people)
}

/// One line, read.
#[derive(Debug)]
struct Line {
    number: usize,
    split: Split,
    place: usize,
    share: [u8; 32],
}

/// What all lines of one version of one split have in common.
#[derive(Debug, PartialEq, Eq)]
struct Split {
    set: String,
    version: usize,
    versions: usize,
    needed: usize,
    recognised: String,
}

/// The secret that these lines give back, in any order. Empty lines are passed over.
pub(super) fn combine(text: &str) -> Result<Versions, SecretError> {
    let mut lines = Vec::new();
    for (at, text) in text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
    {
        let line = at + 1;
        lines.push(parse(line, text).ok_or(SecretError::BadShare { line })?);
    }
    let versions = lines.first().map_or(1, |line| line.split.versions);
    let of = |version| {
        let chosen: Vec<&Line> = lines
            .iter()
            .filter(|line| line.split.version == version)
            .collect();
        combine_version(&chosen)
    };
    Versions::of((1..=versions).map(of).collect::<Result<_, _>>()?)
}

fn combine_version(lines: &[&Line]) -> Result<[u8; 32], SecretError> {
    let Some(first) = lines.first() else {
        return Err(SecretError::TooFewShares {
            given: 0,
            needed: 2,
        });
    };
    let needed = first.split.needed;
    for (at, line) in lines.iter().enumerate() {
        if line.split != first.split {
            return Err(SecretError::OtherSplit { line: line.number });
        }
        if lines[..at].iter().any(|other| other.place == line.place) {
            return Err(SecretError::SameShare { line: line.number });
        }
    }
    if lines.len() < needed {
        return Err(SecretError::TooFewShares {
            given: lines.len(),
            needed,
        });
    }
    let lines = &lines[..needed];
    let places: Vec<usize> = lines.iter().map(|line| line.place).collect();
    let shares: Vec<[u8; 32]> = lines.iter().map(|line| line.share).collect();
    let secret = shamir::combine(&shamir::weights(&places), &shares);
    let set = hex_bytes(&first.split.set).ok_or(SecretError::FalseShares)?;
    match recognised(&secret, &set) == first.split.recognised {
        true => Ok(secret),
        false => Err(SecretError::FalseShares),
    }
}

fn parse(number: usize, line: &str) -> Option<Line> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let (sum, words) = words.split_last()?;
    let [MARK, set, version, split, place, recognised, share @ ..] = words else {
        return None;
    };
    if checksum(&words.join(" ")) != *sum {
        return None;
    }
    let numbers = |text: &str, between: &str| -> Option<(usize, usize)> {
        let (first, second) = text.split_once(between)?;
        Some((first.parse().ok()?, second.parse().ok()?))
    };
    let (needed, count) = numbers(split, "-of-")?;
    let (version, versions) = numbers(version, "/")?;
    let place: usize = place.parse().ok()?;
    let is_possible = (2..=MAX_SHARES).contains(&count)
        && (2..=count).contains(&needed)
        && (1..=count).contains(&place)
        && (1..=MAX_VERSIONS).contains(&versions)
        && (1..=versions).contains(&version);
    is_possible.then_some(Line {
        number,
        split: Split {
            set: (*set).to_owned(),
            version,
            versions,
            needed,
            recognised: (*recognised).to_owned(),
        },
        place: place - 1,
        share: hex::decode_32(&share.concat())?,
    })
}

fn hex_bytes(text: &str) -> Option<[u8; 4]> {
    u32::from_str_radix(text, 16).ok().map(u32::to_be_bytes)
}

/// A few bytes of a digest of the secret and the split.
fn recognised(secret: &[u8; 32], set: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(b"arno/share-check/1\n");
    hasher.update(set);
    hasher.update(secret);
    hex::encode(&hasher.finalize()[..CHECK_BYTES])
}

fn grouped(share: &[u8; 32]) -> String {
    let text = hex::encode(share);
    let groups: Vec<&str> = (0..text.len() / GROUP)
        .map(|at| &text[at * GROUP..(at + 1) * GROUP])
        .collect();
    groups.join(" ")
}

fn checksum(text: &str) -> String {
    hex::encode(&Sha256::digest(text.as_bytes())[..2])
}

#[cfg(test)]
mod tests {
    use super::{Versions, combine, split};
    use crate::secret::SecretError;

    fn versions() -> Versions {
        Versions::of(vec![[0xA7; 32], [0x15; 32]]).unwrap()
    }

    fn give(people: &[&Vec<String>]) -> Result<Versions, SecretError> {
        let lines: Vec<String> = people
            .iter()
            .flat_map(|lines| lines.iter().cloned())
            .collect();
        combine(&lines.join("\n\n"))
    }

    #[test]
    fn any_three_of_five_give_the_secret_back_and_two_do_not() {
        let people = split(&versions(), 3, 5).unwrap();
        for (a, b, c) in [(0, 1, 2), (4, 2, 0), (1, 3, 4)] {
            assert_eq!(
                give(&[&people[a], &people[b], &people[c]]).unwrap(),
                versions()
            );
        }
        let few = give(&[&people[0], &people[1]]);
        assert!(matches!(
            few,
            Err(SecretError::TooFewShares {
                given: 2,
                needed: 3
            })
        ));
        assert!(
            people
                .iter()
                .flatten()
                .all(|line| !line.contains("a7a7a7a7"))
        );
    }

    #[test]
    fn what_is_wrong_with_a_line_is_said() {
        let one = Versions::of(vec![[0xA7; 32]]).unwrap();
        let (people, others) = (split(&one, 2, 3).unwrap(), split(&one, 2, 3).unwrap());
        let last = if people[1][0].ends_with('0') {
            '1'
        } else {
            '0'
        };
        let cut = &people[1][0][..people[1][0].len() - 1];
        let check = |second: Vec<String>, expect: fn(&SecretError) -> bool| {
            let error = give(&[&people[0], &second]).unwrap_err();
            assert!(expect(&error), "{error}");
        };
        check(vec![format!("{cut}{last}")], |error| {
            matches!(error, SecretError::BadShare { line: 3 })
        });
        check(others[1].clone(), |error| {
            matches!(error, SecretError::OtherSplit { line: 3 })
        });
        check(people[0].clone(), |error| {
            matches!(error, SecretError::SameShare { line: 3 })
        });
        assert!(matches!(
            give(&[]),
            Err(SecretError::TooFewShares { given: 0, .. })
        ));
        assert!(matches!(split(&one, 1, 3), Err(SecretError::BadSplit)));
        assert!(matches!(split(&one, 4, 3), Err(SecretError::BadSplit)));
    }
}
