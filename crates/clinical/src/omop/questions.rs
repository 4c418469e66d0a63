//! What measurements and observations of others are about, by the codes that registries and laboratories use: which field of the model, and
//! for stages whether they are clinical or pathological. What stands in no row here is a biomarker where its code is of LOINC or the NCI
//! Thesaurus, and is left out and counted otherwise.

use arno_domain::model::{CodeSystem, Coded};

use crate::fhir::codes::observation;

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Asked {
    /// The field.
    pub(super) field: &'static str,
    /// `clinical` or `pathological`, of a stage.
    pub(super) kind: Option<&'static str>,
}

const CLINICAL: Option<&str> = Some("clinical");
const PATHOLOGICAL: Option<&str> = Some("pathological");
const AFTER_THERAPY: Option<&str> = Some("after_therapy");

/// The field that a code asks for: the same that profiles of FHIR name.
pub(super) fn of_code(coded: &Coded) -> Option<Asked> {
    let known = observation(coded.system, &coded.code)?;
    Some(Asked {
        field: known.field,
        kind: Some(known.kind).filter(|kind| !kind.is_empty()),
    })
}

/// A stage as OHDSI's vocabulary of cancer modifiers names it, all in one code: `c-8th_AJCC/UICC-Stage-2A`, `p-AJCC/UICC-T2a`.
pub(super) fn of_modifier(code: &str) -> Option<(Asked, Coded)> {
    let (before, value) = code.split_once("AJCC/UICC-")?;
    let (kind, edition) = match before.split_once('-') {
        Some(("c", rest)) => (CLINICAL, rest),
        Some(("p", rest)) => (PATHOLOGICAL, rest),
        Some(("yc" | "yp", rest)) => (AFTER_THERAPY, rest),
        Some(_) => return None,
        None => (None, before),
    };
    let edition = edition.trim_end_matches('_').trim_end_matches("th");
    let is_edition = edition.is_empty() || edition.bytes().all(|byte| byte.is_ascii_digit());
    let (field, value) = match value.strip_prefix("Stage-") {
        Some(stage) => ("stage_group", roman(stage)?),
        None => match value.as_bytes().first()? {
            b'T' => ("t_category", value.to_owned()),
            b'N' => ("n_category", value.to_owned()),
            b'M' => ("m_category", value.to_owned()),
            _ => return None,
        },
    };
    let coded = Coded {
        version: (!edition.is_empty()).then(|| edition.to_owned()),
        ..Coded::new(CodeSystem::Tnm, &value)
    };
    is_edition.then_some((Asked { field, kind }, coded))
}

/// `2A` is IIA, as the model writes groups.
fn roman(stage: &str) -> Option<String> {
    let (number, rest) = stage.split_at_checked(1)?;
    let number = match number {
        "0" => "0",
        "1" => "I",
        "2" => "II",
        "3" => "III",
        "4" => "IV",
        _ => return None,
    };
    Some(format!("{number}{rest}"))
}

#[cfg(test)]
mod tests {
    use super::of_modifier;

    #[test]
    fn modifiers_are_taken_apart() {
        let check = |code: &str, expect: Option<(&str, Option<&str>, &str, Option<&str>)>| {
            let found = of_modifier(code);
            let found = found.as_ref().map(|(asked, coded)| {
                (
                    asked.field,
                    asked.kind,
                    coded.code.as_str(),
                    coded.version.as_deref(),
                )
            });
            assert_eq!(found, expect, "{code}");
        };
        let stage = ("stage_group", Some("clinical"), "IIA", Some("8"));
        check("c-8th_AJCC/UICC-Stage-2A", Some(stage));
        check(
            "p-AJCC/UICC-T2a",
            Some(("t_category", Some("pathological"), "T2a", None)),
        );
        check(
            "7th_AJCC/UICC-N1",
            Some(("n_category", None, "N1", Some("7"))),
        );
        check("x-AJCC/UICC-T1", None);
        check("AJCC/UICC-Stage-9", None);
        check("Grade-1", None);
    }
}
