//! The attributes that say that and how an instance was de-identified (PS3.3 C.7.1.1, C.12.1; PS3.15 E.1.1 step 6).

use std::collections::BTreeSet;

use dicom_core::value::{C, DataSetSequence, PrimitiveValue};
use dicom_core::{DataElement, Length, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dicom_object::mem::InMemElement;

use crate::options::{BASIC_PROFILE, ProfileOption};
use crate::proof::{FaceProof, PixelProof, TextProof};
use crate::recipe::{Dates, Recipe};
use crate::report::{Action, Change, Why};
use crate::table::Table;

const METHOD: &str = "Arno: DICOM PS3.15 Annex E, Table E.1-1";
const RULE: &str = "PS3.15 E.1.1: mark of de-identification";
const PIXEL_RULE: &str = "PS3.15 E.3.1, E.3.2: what was found when the pixels were looked at";

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

/// Codes of what was done, the profile first. The two options about pixels are named only with a proof of them. An option
/// that the recipe narrows is named still: it says what may be in the data, and (0012,0063) says that it is less.
pub(crate) fn method_codes(
    recipe: &Recipe,
    proof: PixelProof,
) -> Vec<(&'static str, &'static str)> {
    let is_done = |option: &ProfileOption| match option {
        ProfileOption::CleanPixelData => proof.is_text_dealt_with(),
        ProfileOption::CleanRecognizableVisualFeatures => proof.are_faces_dealt_with(),
        _ => true,
    };
    // The policy for faces asks for it, whether or not the options name it.
    let faces = (proof.faces == FaceProof::Removed)
        .then_some(ProfileOption::CleanRecognizableVisualFeatures);
    let options: BTreeSet<_> = recipe.options().filter(is_done).chain(faces).collect();
    std::iter::once(BASIC_PROFILE)
        .chain(options.into_iter().map(ProfileOption::code))
        .collect()
}

/// What codes cannot say, in values of (0012,0063) of at most 64 characters.
fn method_texts(recipe: &Recipe, proof: PixelProof) -> Vec<String> {
    let mut texts = vec![
        METHOD.to_owned(),
        format!("Table: {}", Table::embedded().edition()),
        format!("Recipe: {}", recipe.name()),
    ];
    let narrowed = recipe.narrowed().into_iter();
    texts.extend(narrowed.map(|option| format!("{} in part", option.code().0)));
    let widened = recipe.widened();
    if widened > 0 {
        texts.push(format!("Attributes kept beyond the options: {widened}"));
    }
    texts.push(proof.in_words().to_owned());
    texts.extend(proof.faces_in_words().map(str::to_owned));
    texts
}

/// Puts the marks of this de-identification.
pub(crate) fn put_marks(
    header: &mut InMemDicomObject,
    recipe: &Recipe,
    proof: PixelProof,
) -> Vec<Change> {
    let temporal = match recipe.dates() {
        Dates::Dropped => "REMOVED",
        Dates::Shifted => "MODIFIED",
        Dates::Kept => "UNMODIFIED",
    };
    header.put(text(tags::PATIENT_IDENTITY_REMOVED, VR::CS, "YES"));
    header.put(DataElement::new(
        tags::DEIDENTIFICATION_METHOD,
        VR::LO,
        PrimitiveValue::Strs(method_texts(recipe, proof).into()),
    ));
    header.put(text(
        tags::LONGITUDINAL_TEMPORAL_INFORMATION_MODIFIED,
        VR::CS,
        temporal,
    ));
    let codes: C<InMemDicomObject> = method_codes(recipe, proof)
        .into_iter()
        .map(code_item)
        .collect();
    let codes = DataSetSequence::new(codes, Length::UNDEFINED);
    header.put(DataElement::new(
        tags::DEIDENTIFICATION_METHOD_CODE_SEQUENCE,
        VR::SQ,
        codes,
    ));
    let mut changes =
        Vec::from(MARKS.map(|(tag, name, vr)| added(tag, name, vr, Action::Marked, RULE)));
    changes.extend(put_pixel_marks(header, proof));
    changes
}

/// (0028,0301) and (0028,0302) say only what somebody looked for; what the source says stays otherwise.
fn put_pixel_marks(header: &mut InMemDicomObject, proof: PixelProof) -> Vec<Change> {
    let text_says = match proof.text {
        TextProof::NoneFound | TextProof::Removed => Some("NO"),
        TextProof::NotLookedFor | TextProof::SeenByPerson => None,
    };
    let faces_say = match proof.faces {
        FaceProof::NoneShown | FaceProof::Removed => Some("NO"),
        FaceProof::KeptByPerson => Some("YES"),
        FaceProof::NotLookedFor => None,
    };
    let marks = [
        (text_says, tags::BURNED_IN_ANNOTATION, "BurnedInAnnotation"),
        (
            faces_say,
            tags::RECOGNIZABLE_VISUAL_FEATURES,
            "RecognizableVisualFeatures",
        ),
    ];
    let put = marks
        .into_iter()
        .filter_map(|(says, tag, name)| Some((says?, tag, name)));
    put.map(|(says, tag, name)| {
        header.put(text(tag, VR::CS, says));
        added(tag, name, VR::CS, Action::Marked, PIXEL_RULE)
    })
    .collect()
}

/// The account of an element that was not in the source.
pub(crate) fn added(tag: Tag, name: &str, vr: VR, action: Action, rule: &str) -> Change {
    Change {
        path: tag.to_string(),
        tag: u32::from(tag.group()) << 16 | u32::from(tag.element()),
        name: name.to_owned(),
        vr: vr.to_string().to_owned(),
        action,
        why: Why::said(rule),
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

#[cfg(test)]
mod tests {
    use super::{method_codes, method_texts, put_marks};
    use crate::proof::{FaceProof, PixelProof};
    use crate::recipe::Recipe;
    use dicom_dictionary_std::tags;
    use dicom_object::InMemDicomObject;

    /// Whether 113102 is given, what (0028,0302) says, and what is said in words.
    fn check(faces: FaceProof, is_cleaned: bool, says: Option<&str>, words: Option<&str>) {
        let proof = PixelProof {
            faces,
            ..PixelProof::none()
        };
        let recipe = Recipe::embedded();
        let codes = method_codes(recipe, proof);
        assert_eq!(
            codes.iter().any(|(code, _)| *code == "113102"),
            is_cleaned,
            "{faces:?}"
        );
        let texts = method_texts(recipe, proof);
        let about_faces = texts.iter().find(|text| text.starts_with("Faces"));
        assert_eq!(about_faces.map(String::as_str), words);
        assert!(texts.iter().all(|text| text.len() <= 64), "{texts:?}");
        let mut header = InMemDicomObject::new_empty();
        put_marks(&mut header, recipe, proof);
        let mark = header.get(tags::RECOGNIZABLE_VISUAL_FEATURES);
        let mark = mark.map(|element| element.to_str().unwrap().into_owned());
        assert_eq!(mark.as_deref(), says);
    }

    #[test]
    fn what_was_done_about_a_face_is_marked() {
        check(FaceProof::NotLookedFor, false, None, None);
        let removed = "Faces: removed by planes at the root of the nose";
        check(FaceProof::Removed, true, Some("NO"), Some(removed));
        let kept = "Faces: seen by a person, and kept";
        check(FaceProof::KeptByPerson, false, Some("YES"), Some(kept));
    }
}
