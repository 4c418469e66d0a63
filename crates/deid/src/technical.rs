//! Text that Table E.1-1 leaves alone: names of equipment and methods, and codes of public coding schemes.
//!
//! Which attributes: `tables/technical_attributes.txt`. What is checked here is only the form of the value.

use std::collections::HashSet;
use std::sync::LazyLock;

use dicom_core::Tag;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
use dicom_dictionary_std::{StandardDataDictionary, tags};

const TECHNICAL_TXT: &str = include_str!("../tables/technical_attributes.txt");

/// Parsed once; immutable.
static TECHNICAL: LazyLock<HashSet<Tag>> = LazyLock::new(|| {
    let keywords = keywords().map(|keyword| {
        StandardDataDictionary
            .by_name(keyword)
            .map(DataDictionaryEntry::tag)
    });
    keywords.flatten().collect()
});

/// Coding schemes that a public body maintains (PS3.16 Table 8-1), so that a code cannot be made up for a person.
const PUBLIC_SCHEMES: [&str; 34] = [
    "99SDM",
    "ACR",
    "BARI",
    "BI",
    "C4",
    "C5",
    "DCM",
    "FMA",
    "I10",
    "I10P",
    "I11",
    "I9",
    "I9C",
    "IBSI",
    "ICDO3",
    "ITIS_TSN",
    "LN",
    "MA",
    "MDC",
    "MSH",
    "NCIt",
    "NCIT",
    "NEU",
    "NYUMCCG",
    "RADELEMENT",
    "RADLEX",
    "RXNORM",
    "SCT",
    "SDM",
    "SNM3",
    "SRT",
    "UBERON",
    "UCUM",
    "UMLS",
];

/// LO is at most this long; longer text is no name of a product.
const MAX_CHARS: usize = 64;
/// UIDs of instances have this many points or more, versions of software fewer.
const MIN_UID_POINTS: usize = 5;
/// As many digits in a row as a date has are no version number.
const MAX_DIGITS_IN_ROW: usize = 7;

/// Whether the attribute is one whose text describes equipment or method.
pub(crate) fn is_technical(tag: Tag) -> bool {
    TECHNICAL.contains(&tag)
}

/// Whether a text has the form of such a description: short, no address, no long number.
pub(crate) fn looks_technical(text: &str) -> bool {
    let longest = text
        .split(|c: char| !c.is_ascii_digit())
        .map(str::len)
        .max()
        .unwrap_or(0);
    let is_uid = text
        .split_whitespace()
        .any(|word| word.matches('.').count() >= MIN_UID_POINTS);
    !is_uid
        && text.chars().count() <= MAX_CHARS
        && !text.contains(['@', '^'])
        && longest <= MAX_DIGITS_IN_ROW
}

/// Whether a coding scheme designator (0008,0102) is public.
pub(crate) fn is_public_scheme(designator: &str) -> bool {
    PUBLIC_SCHEMES.contains(&designator)
}

/// Whether the attribute is the text of a code (PS3.3 Table 8.8-1).
pub(crate) fn is_code_text(tag: Tag) -> bool {
    matches!(
        tag,
        tags::CODE_VALUE | tags::LONG_CODE_VALUE | tags::URN_CODE_VALUE | tags::CODE_MEANING
    )
}

/// UI attributes that name a kind of thing, never a thing: kept even if a vendor made the UID.
pub(crate) fn names_a_class(tag: Tag) -> bool {
    matches!(
        tag,
        tags::SOP_CLASS_UID
            | tags::REFERENCED_SOP_CLASS_UID
            | tags::RELATED_GENERAL_SOP_CLASS_UID
            | tags::ORIGINAL_SPECIALIZED_SOP_CLASS_UID
            | tags::CODING_SCHEME_UID
            | tags::CONTEXT_UID
            | tags::MAPPING_RESOURCE_UID
    )
}

fn keywords() -> impl Iterator<Item = &'static str> {
    TECHNICAL_TXT
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::{keywords, looks_technical};
    use crate::table::Table;
    use crate::values::Class;
    use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry};
    use dicom_dictionary_std::StandardDataDictionary;

    #[test]
    fn every_technical_attribute_is_free_text_that_the_table_does_not_list() {
        for keyword in keywords() {
            let entry = StandardDataDictionary
                .by_name(keyword)
                .unwrap_or_else(|| panic!("{keyword}"));
            let vr = entry.vr().exact().unwrap();
            assert_eq!(Class::of(entry.tag(), vr), Class::FreeText, "{keyword}");
            assert!(
                Table::embedded().row(entry.tag()).is_none(),
                "{keyword} is listed"
            );
        }
    }

    #[test]
    fn product_names_look_technical_and_ids_do_not() {
        fn check(text: &str, expect: bool) {
            assert_eq!(looks_technical(text), expect, "{text}");
        }
        check("GE MEDICAL SYSTEMS", true);
        check("SOMATOM Definition AS+", true);
        check("07MW18.4", true);
        check("26.14", true);
        check("1.3.6.1.4.1.9", false);
        check("20240101", false);
        check("someone@hospital.org", false);
        check("Smith^John", false);
        check(&"x".repeat(65), false);
    }
}
