//! The patient's own values, collected from the whole data set, to find them again in text that would stay.
//!
//! A last net behind the table and the vocabulary, not the first: it knows only what this instance says.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use dicom_core::value::{PrimitiveValue, Value};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::options::ProfileOption;
use crate::recipe::{Dates, Recipe};
use crate::values::texts;
use crate::vocabulary::Vocabulary;

/// Values to search for, in lower case.
#[derive(Debug, Default)]
pub(crate) struct Identifiers {
    /// Found anywhere in a text. Their length in bytes comes first, so that a short text is compared with few.
    parts: BTreeSet<(usize, String)>,
    /// Too short for that ("ORIGINAL" holds "gina"): found only as a whole word.
    words: BTreeSet<String>,
    /// Digits of numbers that are written with blanks, points or dashes as one likes: telephones, ids, dates.
    digits: BTreeSet<String>,
    /// Days of the header that do not stay as they are.
    days: BTreeSet<NaiveDate>,
    /// UIDs of the instance, where they do not stay. Searched for in bytes and in other UIDs: no text that stays can hold one.
    uids: BTreeSet<String>,
}

/// More identities than an instance has. Beyond it a hostile file could make the search slow, so it is refused.
const MAX_IDENTIFIERS: usize = 128;
/// Shorter names are too common as syllables of other words to mean a person.
const MIN_WORD_CHARS: usize = 3;
/// From here on a name is also found inside a longer word.
pub(crate) const MIN_PART_CHARS: usize = 5;
/// An ideographic name has two or three characters, none of which is in a technical word.
const MIN_WIDE_CHARS: usize = 2;
/// Fewer digits in a row recur by chance: versions, matrix sizes.
const MIN_DIGITS: usize = 6;
/// More days than an instance has. Days are dates of the study and of the person; beyond this many the rest is left to the
/// other nets, which let no date through in free text.
const MAX_DAYS: usize = 16;
/// Bytes that do not fill a number of the widest kind are not read.
const MOST_CUT_OFF: usize = 7;
/// Binary values are searched for text up to here; larger ones of a numeric VR are samples.
pub(crate) const MAX_SEARCHED_BYTES: usize = 1 << 20;

/// Words in name fields that name nobody.
const NOBODY: [&str; 16] = [
    "anon",
    "anonymised",
    "anonymized",
    "anonymous",
    "dr",
    "female",
    "male",
    "none",
    "patient",
    "phantom",
    "prof",
    "qc",
    "removed",
    "study",
    "test",
    "unknown",
];

/// Words of addresses that name no place, and vendors that institutions are named after in test images.
const NOWHERE: [&str; 34] = [
    "academic",
    "avenue",
    "canon",
    "cancer",
    "center",
    "centre",
    "centrum",
    "clinic",
    "department",
    "drive",
    "general",
    "health",
    "healthcare",
    "hospital",
    "imaging",
    "institute",
    "klinik",
    "klinikum",
    "lane",
    "medical",
    "medicine",
    "national",
    "philips",
    "platz",
    "radiology",
    "research",
    "road",
    "siemens",
    "street",
    "systems",
    "toshiba",
    "university",
    "varian",
    "western",
];

/// Other Patient IDs: retired, and still sent.
const OTHER_PATIENT_IDS: Tag = Tag(0x0010, 0x1000);

/// Attributes whose whole value identifies.
const WHOLE_VALUES: [Tag; 6] = [
    tags::PATIENT_ID,
    OTHER_PATIENT_IDS,
    tags::ACCESSION_NUMBER,
    tags::PATIENT_TELEPHONE_NUMBERS,
    tags::ADMISSION_ID,
    tags::SERVICE_EPISODE_ID,
];

/// Attributes whose UIDs are of this study and its parts.
const OWN_UIDS: [Tag; 4] = [
    tags::STUDY_INSTANCE_UID,
    tags::SERIES_INSTANCE_UID,
    tags::SOP_INSTANCE_UID,
    tags::FRAME_OF_REFERENCE_UID,
];
/// As many as are searched for: those of the instance, and some of what stands inside of it.
const MAX_UIDS: usize = 16;

/// The usual ways of writing a date with letters; those of digits alone are compared digit by digit.
const LETTER_FORMS: [&str; 4] = ["%d%b%Y", "%d%B%Y", "%b%d%Y", "%B%d%Y"];
/// The usual orders of the digits of a date.
const DIGIT_FORMS: [&str; 4] = ["%Y%m%d", "%d%m%Y", "%m%d%Y", "%Y%d%m"];

/// There are more names and numbers of people in the data set than an instance can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooMany;

impl Identifiers {
    /// All that may not be found in the result; the institution only if the recipe does not keep it anyway.
    pub(crate) fn collect(header: &InMemDicomObject, recipe: &Recipe) -> Result<Self, TooMany> {
        let mut found = Self::default();
        found.add_data_set(header, recipe)?;
        Ok(found)
    }

    /// Whether a text holds one of the values.
    pub(crate) fn are_in(&self, text: &str) -> bool {
        if text.is_empty() {
            return false;
        }
        let text = text.to_lowercase();
        self.parts_to(text.len()).any(|part| text.contains(part))
            || text
                .split(|c: char| !c.is_alphabetic())
                .any(|word| self.words.contains(word))
            || self.number_is_in(&text)
    }

    /// Whether a text in lower case holds one of the numbers or days, however its digits are set apart.
    fn number_is_in(&self, text: &str) -> bool {
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        if digits < MIN_DIGITS - 1 || self.digits.is_empty() {
            return false;
        }
        let closed_up: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
        self.digits
            .iter()
            .any(|number| closed_up.contains(number.as_str()))
    }

    /// Whether one of the values that are more than a word is in a text of which each word was searched already.
    pub(crate) fn span_words_of(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let mut phrases = self
            .parts_to(text.len())
            .filter(|part| part.contains(|c: char| !c.is_alphanumeric()));
        phrases.any(|part| text.contains(part))
    }

    fn parts_to(&self, bytes: usize) -> impl Iterator<Item = &str> {
        let short = self
            .parts
            .iter()
            .take_while(move |(length, _)| *length <= bytes);
        short.map(|(_, part)| part.as_str())
    }

    /// Whether a number written as text is one of the values, as a whole: digits recur in numbers by chance.
    pub(crate) fn equal(&self, number: &str) -> bool {
        self.parts_to(number.len()).any(|part| part == number)
    }

    /// Whether a UID that would stay is one of the instance, or has one of the values as a part: whoever names a class of things by
    /// it is mistaken.
    pub(crate) fn are_in_uid(&self, uid: &str) -> bool {
        let is_own = |own: &String| uid.starts_with(own.as_str());
        let is_value = |part: &str| self.parts.contains(&(part.len(), part.to_owned()));
        !self.uids.is_empty() && (self.uids.iter().any(is_own) || uid.split('.').any(is_value))
    }

    /// Whether bytes hold one of the values, in any letter case, or end within one: what is read as numbers is cut to whole ones.
    pub(crate) fn are_in_bytes(&self, bytes: &[u8]) -> bool {
        if bytes.len() < MIN_PART_CHARS {
            return false;
        }
        let lower = bytes.to_ascii_lowercase();
        let is_in = |value: &str| {
            memchr::memmem::find(&lower, value.as_bytes()).is_some()
                || ends_within(&lower, value.as_bytes())
        };
        let uids = self.uids.iter().map(String::as_str);
        self.parts_to(lower.len() + MOST_CUT_OFF)
            .chain(uids)
            .any(is_in)
    }

    fn add_data_set(&mut self, header: &InMemDicomObject, recipe: &Recipe) -> Result<(), TooMany> {
        for element in header.iter() {
            match element.value() {
                Value::Sequence(sequence) => {
                    for item in sequence.items() {
                        self.add_data_set(item, recipe)?;
                    }
                }
                Value::Primitive(value) => {
                    self.add_value(element.header().tag, element.vr(), value, recipe)
                }
                Value::PixelSequence(_) => {}
            }
            if self.is_too_many() {
                return Err(TooMany);
            }
        }
        Ok(())
    }

    fn add_value(&mut self, tag: Tag, vr: VR, value: &PrimitiveValue, recipe: &Recipe) {
        const PATIENT_GROUP: u16 = 0x0010;
        let add: fn(&mut Self, &str) = match (tag, vr) {
            (tags::PATIENT_BIRTH_DATE, _) => Self::add_birth_date,
            (tag, VR::PN) if tag.group() == PATIENT_GROUP => Self::add_patient_name,
            (_, VR::PN) => Self::add_staff_name,
            (_, VR::DA | VR::DT) if recipe.dates() != Dates::Kept => Self::add_day,
            (tags::INSTITUTION_NAME | tags::INSTITUTION_ADDRESS, _)
                if !recipe.has(ProfileOption::RetainInstitutionIdentity) =>
            {
                Self::add_place
            }
            (tags::PATIENT_ADDRESS, _) => Self::add_place,
            (tag, _) if WHOLE_VALUES.contains(&tag) => Self::add_whole,
            (tag, _) if OWN_UIDS.contains(&tag) && !recipe.has(ProfileOption::RetainUids) => {
                Self::add_uid
            }
            _ => return,
        };
        for text in texts(value, vr).unwrap_or_default().iter() {
            add(self, text);
        }
    }

    /// A "name" with digits is the code of a study ("BREAST_06"): its words are no names, the whole still identifies.
    fn add_patient_name(&mut self, name: &str) {
        for component in name.split(['^', '=']) {
            self.add_whole(component);
        }
        if name.contains(|c: char| c.is_ascii_digit()) {
            return self.add_staff_name(name);
        }
        for word in name.split(|c: char| !c.is_alphabetic()) {
            self.add_word(word);
        }
    }

    /// Staff fields often hold "CT", "SYSTEM" or "Lung": words of the vocabulary are no names there.
    fn add_staff_name(&mut self, name: &str) {
        for word in name.split(|c: char| !c.is_alphabetic()) {
            if !Vocabulary::embedded().has_word(word) {
                self.add_word(word);
            }
        }
    }

    /// An address or the name of an institution: the whole, and its words that are no usual ones.
    fn add_place(&mut self, text: &str) {
        self.add_whole(text);
        for word in text.split(|c: char| !c.is_alphabetic()) {
            let lower = word.to_lowercase();
            let is_usual =
                NOWHERE.contains(&lower.as_str()) || lower.chars().count() < MIN_PART_CHARS;
            if !is_usual && !Vocabulary::embedded().has_word(word) {
                self.add_word(word);
            }
        }
    }

    /// A day in every usual form. Its digits are searched for too, and those of a telephone or an id.
    fn add_day(&mut self, text: &str) {
        let digits = text.replace(['.', '-', '/'], "");
        let day = digits.get(..8).unwrap_or_default();
        let Ok(day) = NaiveDate::parse_from_str(day, "%Y%m%d") else {
            return;
        };
        if self.days.len() >= MAX_DAYS || !self.days.insert(day) {
            return;
        }
        for form in LETTER_FORMS.into_iter().chain(DIGIT_FORMS) {
            self.digits
                .insert(day.format(form).to_string().to_lowercase());
        }
    }

    fn add_birth_date(&mut self, text: &str) {
        self.add_day(text);
        let digits = text.replace('.', "");
        if digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit()) {
            self.insert(digits);
        }
    }

    fn add_word(&mut self, word: &str) {
        let word = word.to_lowercase();
        if self.is_too_many() || NOBODY.contains(&word.as_str()) {
            return;
        }
        if is_found_anywhere(&word) {
            self.insert(word);
        } else if word.chars().count() >= MIN_WORD_CHARS {
            self.words.insert(word);
        }
    }

    fn add_whole(&mut self, text: &str) {
        let text = text.trim().to_lowercase();
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if digits.len() >= MIN_DIGITS && self.digits.len() < MAX_IDENTIFIERS {
            self.digits.insert(digits);
        }
        if is_found_anywhere(&text) && !NOBODY.contains(&text.as_str()) && !self.is_too_many() {
            self.insert(text);
        }
    }

    fn add_uid(&mut self, uid: &str) {
        if uid.len() >= MIN_PART_CHARS && self.uids.len() < MAX_UIDS {
            self.uids.insert(uid.to_owned());
        }
    }

    fn insert(&mut self, part: String) {
        self.parts.insert((part.len(), part));
    }

    /// One more than allowed is kept, to know it; more are not, to save the memory.
    fn is_too_many(&self) -> bool {
        self.parts.len() + self.words.len() > MAX_IDENTIFIERS
    }
}

/// Whether bytes end in a value of which the last ones are missing.
fn ends_within(bytes: &[u8], value: &[u8]) -> bool {
    let shortest = value.len().saturating_sub(MOST_CUT_OFF).max(MIN_PART_CHARS);
    (shortest..value.len()).any(|length| value.get(..length).is_some_and(|it| bytes.ends_with(it)))
}

fn is_found_anywhere(text: &str) -> bool {
    let chars = text.chars().count();
    chars >= MIN_PART_CHARS || chars >= MIN_WIDE_CHARS && text.chars().all(|c| c >= '\u{3040}')
}

#[cfg(test)]
mod tests {
    use super::{Identifiers, TooMany};
    use crate::recipe::Recipe;
    use dicom_core::value::PrimitiveValue;
    use dicom_core::{DataElement, Tag, VR};
    use dicom_dictionary_std::tags;
    use dicom_object::InMemDicomObject;

    fn of(elements: &[(Tag, VR, &str)]) -> Identifiers {
        let elements = elements
            .iter()
            .map(|(tag, vr, text)| DataElement::new(*tag, *vr, *text));
        Identifiers::collect(
            &InMemDicomObject::from_element_iter(elements),
            &Recipe::default(),
        )
        .unwrap()
    }

    #[test]
    fn names_ids_and_birth_dates_are_found() {
        let identifiers = of(&[
            (
                tags::PATIENT_NAME,
                VR::PN,
                "Lindqvist^Gina Li^^Dr=山田^太郎",
            ),
            (tags::PATIENT_ID, VR::LO, "MRN-0042"),
            (tags::PATIENT_BIRTH_DATE, VR::DA, "19500203"),
            (tags::REFERRING_PHYSICIAN_NAME, VR::PN, "Okonkwo^Lung"),
        ]);
        let check =
            |text: &str, expect: bool| assert_eq!(identifiers.are_in(text), expect, "{text}");
        check("CT of LINDQVIST", true);
        check("xlindqvistx", true);
        check("for gina", true);
        check("ORIGINAL", false);
        check("Li", false);
        check("Dr", false);
        check("山田", true);
        check("id mrn-0042b", true);
        check("born 03.02.1950", true);
        check("1950-02-03", true);
        check("okonkwo", true);
        check("lung", false);
        check("", false);
        check("1.3 of 3.2.1950", false);
        check("3 Feb 1950", false);
        check("03 Feb 1950", true);
        check("02/03/1950", true);
        check("v1950 02 03", true);
        assert!(identifiers.equal("19500203") && !identifiers.equal("0.19500203"));
        assert!(identifiers.are_in_bytes(b"\0\0LindQvist\0") && !identifiers.are_in_bytes(b"\0\0"));
    }

    #[test]
    fn values_are_found_in_bytes_that_were_cut_and_in_uids_that_name_no_class() {
        let identifiers = of(&[
            (tags::SOP_INSTANCE_UID, VR::UI, "1.3.6.1.4.1.99999.1"),
            (tags::ACCESSION_NUMBER, VR::SH, "700000001"),
            (tags::PATIENT_NAME, VR::PN, "Lindqvist"),
        ]);
        let bytes = |bytes: &[u8], expect: bool| {
            assert_eq!(identifiers.are_in_bytes(bytes), expect, "{bytes:?}");
        };
        bytes(b"xxLINDQVIST", true);
        bytes(b"\x01LINDQVIS", true);
        bytes(b"\x01LIND", false);
        bytes(b"LINDQVISy", false);
        bytes(b"is 1.3.6.1.4.1.99999.1", true);
        let uid = |uid: &str, expect| assert_eq!(identifiers.are_in_uid(uid), expect, "{uid}");
        uid("1.3.6.1.4.1.99999.1.7", true);
        uid("700000001", true);
        uid("1.3.12.2.1107.5.9.1", false);
    }

    #[test]
    fn a_study_code_in_place_of_a_name_does_not_forbid_its_words() {
        let code = of(&[(tags::PATIENT_NAME, VR::PN, "SITEX_BREAST_06")]);
        assert!(
            !code.are_in("BREAST") && code.are_in("of sitex") && code.are_in("sitex_breast_06")
        );
        let person = of(&[(tags::PATIENT_NAME, VR::PN, "Breast^Ann")]);
        assert!(person.are_in("BREAST"));
    }

    #[test]
    fn a_flood_of_names_is_refused() {
        let names: Vec<String> = (0..2000)
            .map(|i| "abcde".repeat(2 + i % 50) + &"z".repeat(i))
            .collect();
        let names = DataElement::new(
            tags::OTHER_PATIENT_NAMES,
            VR::PN,
            PrimitiveValue::Strs(names.into()),
        );
        let header = InMemDicomObject::from_element_iter([names]);
        assert_eq!(
            Identifiers::collect(&header, &Recipe::default()).err(),
            Some(TooMany)
        );
    }
}
