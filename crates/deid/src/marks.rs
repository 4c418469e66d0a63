//! The attributes that say that and how an instance was de-identified (PS3.3 C.7.1.1, C.12.1; PS3.15 E.1.1 step 6).

use dicom_core::value::{C, DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::recipe::{BASIC_PROFILE, Dates, Recipe};
use crate::report::{Action, Change};

const METHOD: &str = "Arno: DICOM PS3.15 Annex E";
const RULE: &str = "PS3.15 E.1.1: mark of de-identification";

const MARKS: [(Tag, &str, VR); 4] = [
    (
        tags::PATIENT_IDENTITY_REMOVED,
        "PatientIdentityRemoved",
        VR::CS,
    ),
    (
        tags::DEIDENTIFICATION_METHOD,
        "DeidentificationMethod",
        VR::LO,
    ),
    (
        tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
        "DeidentificationMethodCodeSequence",
        VR::SQ,
    ),
    (
        tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
        "LongitudinalTemporalInformationModified",
        VR::CS,
    ),
];

/// Takes the marks of an earlier de-identification away, so that the walk does not report them as changed text.
pub(crate) fn take_old_marks(header: &mut InMemDicomObject) {
    for (tag, ..) in MARKS {
        header.remove_element(tag);
    }
}

/// Codes of the profile and its options, the profile first.
pub(crate) fn method_codes(recipe: &Recipe) -> Vec<(&'static str, &'static str)> {
    std::iter::once(BASIC_PROFILE)
        .chain(recipe.options().map(|option| option.code()))
        .collect()
}

/// Puts the marks of this de-identification.
pub(crate) fn put_marks(header: &mut InMemDicomObject, recipe: &Recipe) -> Vec<Change> {
    let temporal = match recipe.dates() {
        Dates::Dropped => "REMOVED",
        Dates::Shifted => "MODIFIED",
        Dates::Kept => "UNMODIFIED",
    };
    header.put(text(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES"));
    header.put(text(tags::DEIDENTIFICATION_METHOD, VR::LO, METHOD));
    header.put(text(
        tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
        VR::CS,
        temporal,
    ));
    let codes: C<InMemDicomObject> = method_codes(recipe).into_iter().map(code_item).collect();
    let codes = DataSetSequence::new(codes, Length::UNDEFINED);
    header.put(DataElement::new(
        tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
        VR::SQ,
        codes,
    ));
    MARKS
        .map(|(tag, name, vr)| added(tag, name, vr, Action::Marked, RULE))
        .into()
}

/// The account of an element that was not in the source.
pub(crate) fn added(tag: Tag, name: &str, vr: VR, action: Action, rule: &str) -> Change {
    Change {
        path: tag.to_string(),
        tag: u32::from(tag.group()) << 16 | u32::from(tag.element()),
        name: name.to_owned(),
        vr: vr.to_string().to_owned(),
        action,
        rule: rule.to_owned(),
    }
}

fn code_item((value, meaning): (&str, &str)) -> InMemDicomObject {
    InMemDicomObject::from_element_iter([
        text(tags::CODE_VALUE, VR::SH, value),
        text(tags::CODING_SCHEME_DESIGNATOR, VR::SH, "DCM"),
        text(tags::CODE_MEANING, VR::LO, meaning),
    ])
}

fn text(tag: Tag, vr: VR, text: &str) -> InMemElement {
    DataElement::new(tag, vr, PrimitiveValue::from(text))
}
