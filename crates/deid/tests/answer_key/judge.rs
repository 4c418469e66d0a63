//! Compares a result with the key, from its encoded bytes.

use std::collections::BTreeMap;
use std::fmt;

use arno_dicom::{Header, Instance};
use chrono::NaiveDate;
use dicom_core::value::PrimitiveValue;

use crate::key::{Key, Row};
use crate::make::{Kind, steps};
use crate::people::Person;

/// How many items of each sort the results meet.
#[derive(Debug, Default)]
pub(crate) struct Score {
    met: BTreeMap<&'static str, u64>,
    missed: BTreeMap<&'static str, u64>,
    failures: Vec<String>,
    /// By person and source UID: all that became of it.
    uids: BTreeMap<(String, String), Vec<String>>,
    /// By person: by how many days each date moved.
    days: BTreeMap<String, Vec<i64>>,
}

impl Score {
    fn item(&mut self, sort: &'static str, holds: bool, what: impl FnOnce() -> String) {
        let counts = match holds {
            true => &mut self.met,
            false => &mut self.missed,
        };
        *counts.entry(sort).or_default() += 1;
        if !holds {
            self.failures.push(format!("{sort}: {}", what()));
        }
    }

    pub(crate) fn items(&self) -> u64 {
        self.met.values().chain(self.missed.values()).sum()
    }

    pub(crate) fn share(&self) -> f64 {
        self.met.values().sum::<u64>() as f64 / self.items() as f64
    }

    pub(crate) fn failures(&self) -> String {
        self.failures.join("\n")
    }

    /// Every row of the key, every value that may be nowhere, the pixels and the marks of one instance.
    pub(crate) fn of_instance(
        &mut self,
        key: &Key,
        person: &Person,
        kind: Kind,
        before: &Instance,
        after: &Instance,
        bytes: &[u8],
    ) {
        for row in key.rows(kind.name) {
            self.of_row(row, person, kind, &after.header);
        }
        for secret in person.secrets() {
            let what = || {
                format!(
                    "{} of {}: a value is in the bytes",
                    kind.name, person.charset
                )
            };
            self.item("nowhere in the file", !holds(bytes, secret), what);
        }
        let pixels = |instance: &Instance| {
            let pixels = instance.pixels.as_ref()?;
            Some(pixels.encoded.slice(pixels.value_offset..))
        };
        self.item("pixels kept", pixels(before) == pixels(after), || {
            kind.name.into()
        });
        let marked = text_at(&after.header, "0012,0062").as_deref() == Some("YES")
            && text_at(&after.header, "0012,0064[1].0008,0100").as_deref() == Some("113100");
        self.item("marked", marked, || kind.name.into());
        let claims_pixels = codes(&after.header).iter().any(|code| code == "113101");
        self.item("marked", !claims_pixels, || {
            format!("{} claims 113101", kind.name)
        });
    }

    fn of_row(&mut self, row: &Row, person: &Person, kind: Kind, after: &Header) {
        let planted = person.filled(&row.planted, &kind.uids(person));
        let expected = row.expected.replace("{agekey}", person.age_key);
        let found = text_at(after, &row.path);
        let what = || {
            format!(
                "{} {} of {}: {expected}, found {found:?}",
                kind.name, row.path, person.charset
            )
        };
        let (verb, rest) = expected.split_once(' ').unwrap_or((&expected, ""));
        let text = found.as_deref().unwrap_or_default();
        match verb {
            "kept" => self.item("kept", found.as_deref() == Some(planted.as_str()), what),
            "is" => self.item("kept", text == rest, what),
            "gone" => self.item("removed", is_gone(text, &planted), what),
            "words" => self.item("text cleaned", words(text) == words(rest), what),
            "pseudonym" => self.item("removed", text.starts_with("P-") && text.len() == 18, what),
            "new" => {
                self.item("UID changed", is_new_uid(text, &planted), what);
                let person = format!("{} {}", person.charset, person.id);
                self.uids
                    .entry((person, planted))
                    .or_default()
                    .push(text.to_owned());
            }
            "shifted" => {
                let days = days_between(&planted, text);
                self.item("date shifted", days.is_some_and(|days| days != 0), what);
                let person = format!("{} {}", person.charset, person.id);
                self.days.entry(person).or_default().extend(days);
            }
            other => panic!("{other} is no expectation"),
        }
    }

    /// What holds between instances: one image of each UID, no image of two, one offset a person.
    pub(crate) fn of_links(&mut self) {
        let mut images: BTreeMap<String, (String, String)> = BTreeMap::new();
        for (source, results) in std::mem::take(&mut self.uids) {
            for result in &results {
                let same = *result == results[0];
                self.item("UID consistent", same, || "one UID became two".into());
            }
            let other = images.insert(results[0].clone(), source.clone());
            let is_own = other.is_none_or(|other| other.1 == source.1);
            self.item("UID consistent", is_own, || "two UIDs became one".into());
        }
        for days in std::mem::take(&mut self.days).into_values() {
            for day in &days {
                let whole = *day == days[0] && day % 7 == 0;
                self.item("interval kept", whole, || {
                    "two offsets of one person".into()
                });
            }
        }
    }
}

/// What is planted must be there before, or the key proves nothing.
pub(crate) fn is_planted(key: &Key, person: &Person, kind: Kind, read: &Instance) {
    for row in key.rows(kind.name).filter(|row| row.vr != "SQ") {
        let planted = person.filled(&row.planted, &kind.uids(person));
        let found = text_at(&read.header, &row.path);
        // Private texts come back as bytes in Implicit VR, in the hospital's character set.
        if steps(&row.path)
            .last()
            .is_some_and(|(tag, _)| tag.group() % 2 == 1)
        {
            assert!(found.is_some(), "{} is not planted", row.path);
            continue;
        }
        assert_eq!(
            found.as_deref(),
            Some(planted.as_str()),
            "{} of {} is not planted",
            row.path,
            person.charset
        );
    }
}

/// The text of an element, values joined by backslashes; nothing if it is not there.
pub(crate) fn text_at(header: &Header, path: &str) -> Option<String> {
    let steps = steps(path);
    let (last, into) = steps.split_last()?;
    let mut set = header;
    for (tag, item) in into {
        set = set.get(*tag)?.items()?.get((*item)?)?;
    }
    let element = set.get(last.0)?;
    let Some(value) = element.value().primitive() else {
        return Some("a sequence".to_owned());
    };
    let text = match value {
        PrimitiveValue::U8(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        value => value.to_multi_str().join("\\"),
    };
    Some(text.trim_matches([' ', '\0']).to_owned())
}

fn codes(header: &Header) -> Vec<String> {
    (1..20)
        .map_while(|item| text_at(header, &format!("0012,0064[{item}].0008,0100")))
        .collect()
}

/// No word of two letters or more, and no number, of what was planted is left.
fn is_gone(found: &str, planted: &str) -> bool {
    let found = words(found);
    let left = |word: &&str| word.chars().count() > 1 && found.contains(&word.to_string());
    !words(planted)
        .iter()
        .map(String::as_str)
        .any(|word| left(&word))
        && (planted.chars().count() < 2 || !found.concat().contains(planted))
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn is_new_uid(found: &str, planted: &str) -> bool {
    let number = found.strip_prefix("2.25.");
    let legal = number.is_some_and(|number| {
        number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0') && !number.is_empty()
    });
    legal && found.len() <= 64 && found != planted
}

fn days_between(before: &str, after: &str) -> Option<i64> {
    if before.len() != after.len() || before.get(8..) != after.get(8..) {
        return None;
    }
    let day = |text: &str| NaiveDate::parse_from_str(text.get(..8)?, "%Y%m%d").ok();
    Some((day(after)? - day(before)?).num_days())
}

/// In UTF-8 or Latin-1, letter case of ASCII ignored; results of other character sets are decoded and judged row by row.
fn holds(bytes: &[u8], value: &str) -> bool {
    let bytes = bytes.to_ascii_lowercase();
    let forms = [value.as_bytes().to_ascii_lowercase(), in_latin_1(value)];
    forms
        .iter()
        .filter(|form| form.len() > 2)
        .any(|form| bytes.windows(form.len()).any(|window| window == form))
}

/// Latin-1 by hand, so that the search does not go by the encoder that is tested.
fn in_latin_1(value: &str) -> Vec<u8> {
    let latin: Option<Vec<u8>> = value
        .chars()
        .map(|c| u8::try_from(u32::from(c)).ok())
        .collect();
    latin.unwrap_or_default().to_ascii_lowercase()
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let met: u64 = self.met.values().sum();
        writeln!(
            f,
            "answer key: {met} of {} items, {:.3} %",
            self.items(),
            100.0 * self.share()
        )?;
        let sorts: std::collections::BTreeSet<_> =
            self.met.keys().chain(self.missed.keys()).collect();
        for sort in sorts {
            let met = self.met.get(sort).unwrap_or(&0);
            let missed = self.missed.get(sort).unwrap_or(&0);
            writeln!(f, "  {sort:22} {met} of {}", met + missed)?;
        }
        Ok(())
    }
}
