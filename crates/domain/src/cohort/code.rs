//! Codes as they are compared, and which lie under which.
//!
//! Licensed terminologies are not kept, so that a hierarchy is what the codes themselves say: ICD-10 and ICD-O-3 topography by
//! category and dot (C34.1 under C34, and under the block C30-C39), morphology by its digits (8140/3 under 814), stages and categories
//! by what is appended (IIIA under III, T2a under T2), ATC by its prefix. SNOMED CT, LOINC, NCIt and RadLex codes say nothing of what
//! lies under them: there, under a code is the code alone.

use super::{Field, FieldKind};
use crate::model::CodeSystem;

/// How codes of a field tell what they lie under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hierarchy {
    /// ICD-10, ICD-O-3 topography.
    Topography,
    /// ICD-O-3 morphology.
    Morphology,
    /// Stage groups in Roman numbers.
    Stage,
    /// A letter or digit appended to a category.
    Appended,
    /// ATC.
    Prefix,
}

fn hierarchy(field: Field) -> Option<Hierarchy> {
    let FieldKind::Code { systems } = field.kind() else {
        return None;
    };
    let has = |system| systems.contains(&system);
    match field.as_str() {
        "morphology" => Some(Hierarchy::Morphology),
        "stage_group" => Some(Hierarchy::Stage),
        "bi_rads" | "lung_rads" => Some(Hierarchy::Appended),
        _ if has(CodeSystem::Icd10) || has(CodeSystem::IcdO3) => Some(Hierarchy::Topography),
        _ if has(CodeSystem::Tnm) => Some(Hierarchy::Appended),
        _ if has(CodeSystem::Atc) => Some(Hierarchy::Prefix),
        _ => None,
    }
}

/// Whether `under` says more of a field than `=`.
#[must_use]
pub fn has_hierarchy(field: Field) -> bool {
    hierarchy(field).is_some()
}

/// The code or word in the one way of writing in which it is compared: capital letters, ICD's dot in its place (C341 is C34.1), no
/// `STAGE ` before a stage.
#[must_use]
pub fn canonical(field: Field, word: &str) -> String {
    let mut code = word.trim().to_ascii_uppercase();
    match hierarchy(field) {
        Some(Hierarchy::Topography) if lacks_dot(&code) => code.insert(CATEGORY_CHARS, '.'),
        Some(Hierarchy::Stage) => {
            if let Some(rest) = code.strip_prefix("STAGE ") {
                code = rest.trim().to_owned();
            }
        }
        _ => {}
    }
    code
}

/// A category of ICD is a letter and two digits.
const CATEGORY_CHARS: usize = 3;

fn is_category(text: &str) -> bool {
    let [letter, tens, ones] = text.as_bytes() else {
        return false;
    };
    letter.is_ascii_uppercase() && tens.is_ascii_digit() && ones.is_ascii_alphanumeric()
}

fn lacks_dot(code: &str) -> bool {
    code.is_ascii()
        && code.len() > CATEGORY_CHARS
        && is_category(&code[..CATEGORY_CHARS])
        && code[CATEGORY_CHARS..]
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a recorded value is the code or lies under it. Neither need be [`canonical`].
#[must_use]
pub fn covers(field: Field, code: &str, value: &str) -> bool {
    let (code, value) = (canonical(field, code), canonical(field, value));
    covers_canonical(field, &code, &value)
}

/// [`covers`] of codes that are canonical already.
pub(super) fn covers_canonical(field: Field, code: &str, value: &str) -> bool {
    if code == value {
        return true;
    }
    let Some(hierarchy) = hierarchy(field) else {
        return false;
    };
    if let (Hierarchy::Topography, Some((first, last))) = (hierarchy, block(code)) {
        let category = value.get(..CATEGORY_CHARS).unwrap_or_default();
        return is_category(category) && (first..=last).contains(&category);
    }
    let Some(rest) = value.strip_prefix(code) else {
        return false;
    };
    let next = rest.bytes().next().unwrap_or_default();
    let last = code.bytes().last().unwrap_or_default();
    // T1 and T10 are two numbers.
    let goes_on = last.is_ascii_digit() && next.is_ascii_digit();
    match hierarchy {
        Hierarchy::Topography => match code.contains('.') {
            true => next.is_ascii_alphanumeric(),
            false => is_category(code) && next == b'.',
        },
        Hierarchy::Morphology => !code.contains('/') && (next == b'/' || next.is_ascii_digit()),
        Hierarchy::Stage => !matches!(next, b'I' | b'V' | b'X') && !goes_on,
        Hierarchy::Appended => !goes_on,
        Hierarchy::Prefix => code.starts_with(|first: char| first.is_ascii_uppercase()),
    }
}

/// `C30-C39` as its ends.
fn block(code: &str) -> Option<(&str, &str)> {
    let (first, last) = code.split_once('-')?;
    (is_category(first) && is_category(last) && first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::{Field, canonical, covers, has_hierarchy};

    fn check(field: &str, code: &str, under: &[&str], beside: &[&str]) {
        let field = Field::parse(field).unwrap();
        for value in under {
            assert!(covers(field, code, value), "{value} under {code}");
        }
        for value in beside {
            assert!(!covers(field, code, value), "{value} beside {code}");
        }
    }

    #[test]
    fn codes_lie_under_codes() {
        check(
            "diagnosis",
            "C34",
            &["C34", "c34.1", "C341", "C34.10"],
            &["C3", "C35", "C33.9", "254637007"],
        );
        check(
            "diagnosis",
            "C34.1",
            &["C34.1", "C34.10"],
            &["C34", "C34.2"],
        );
        check(
            "diagnosis",
            "C30-C39",
            &["C34.1", "C39", "C30.0"],
            &["C40", "C29.9", "X"],
        );
        check("diagnosis", "C3", &["C3"], &["C34", "C34.1"]);
        check("diagnosis", "254637007", &["254637007"], &["2546370071"]);
        check("morphology", "8140", &["8140/3", "8140"], &["8141/3"]);
        check("morphology", "814", &["8140/3", "8149"], &["8150/3"]);
        check("morphology", "8140/3", &["8140/3"], &["8140/31"]);
        check(
            "stage_group",
            "III",
            &["IIIA", "iiic", "Stage IIIB", "IIIA1"],
            &["II", "IV", "IIB"],
        );
        check(
            "stage_group",
            "I",
            &["IA", "IA3", "IB"],
            &["II", "III", "IV", "IX"],
        );
        check(
            "t_category",
            "T1",
            &["T1a", "T1mi", "T1"],
            &["T2", "Tis", "T10"],
        );
        check("m_category", "M1", &["M1b"], &["M0"]);
        check("bi_rads", "4", &["4A", "4c"], &["5", "44"]);
        check("treatment", "L01", &["L01XA02"], &["L02AB"]);
        check("modality", "C", &["c"], &["CT"]);
    }

    #[test]
    fn one_way_of_writing() {
        let check = |field: &str, word: &str, expect: &str| {
            assert_eq!(canonical(Field::parse(field).unwrap(), word), expect);
        };
        check("diagnosis", " c341 ", "C34.1");
        check("diagnosis", "C34.1", "C34.1");
        check("diagnosis", "C34", "C34");
        check("stage_group", "Stage IIIa", "IIIA");
        check("modality", "ct", "CT");
        assert!(!has_hierarchy(Field::parse("modality").unwrap()));
        assert!(!has_hierarchy(Field::parse("slice_thickness").unwrap()));
    }
}
