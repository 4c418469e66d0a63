//! Whether an instance may belong to a series that shows a face (PS3.15 E.3.2): a head in CT, MR or PET, from which a face
//! can be computed, whatever the slices look like one by one.
//!
//! Judged by the header of one instance, on the safe side: instances come in before their series is complete, so that the number
//! of slices is not known. What nothing speaks for is let through: a body part that is not named, in a field of view that is
//! not the size of a head. Not here: pixels, and removing a face.

use dicom_core::Tag;
use dicom_core::value::Value;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::values::texts;

/// What speaks for a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FaceSign {
    /// The header names the head, the neck or the whole body.
    Named,
    /// Nothing names a part of the body, and the field of view is the size of a head.
    HeadSized,
}

/// Modalities whose slices add up to a surface.
const MODALITIES: [&str; 3] = ["CT", "MR", "PT"];

/// Where the part of the body is named.
const SITES: [Tag; 1] = [tags::BODY_PART_EXAMINED];

/// Where people and protocols name it.
const DESCRIPTIONS: [Tag; 5] = [
    tags::STUDY_DESCRIPTION,
    tags::SERIES_DESCRIPTION,
    tags::PROTOCOL_NAME,
    tags::REQUESTED_PROCEDURE_DESCRIPTION,
    tags::PERFORMED_PROCEDURE_STEP_DESCRIPTION,
];

/// Words of the head, wherever they stand; a word that begins so counts.
const HEAD: [&str; 30] = [
    "BRAIN",
    "CEREBR",
    "CRANI",
    "CRANE",
    "CRÂNE",
    "CRÁNEO",
    "CERVEAU",
    "CERVELLO",
    "ENCEFAL",
    "ENCÉPHAL",
    "FACIAL",
    "GEHIRN",
    "GESICHT",
    "GLIOM",
    "HEADNECK",
    "HYPOPHYS",
    "KIEFER",
    "KOPF",
    "MANDIB",
    "MASTOID",
    "MAXILL",
    "NASOPH",
    "ORBIT",
    "OROPH",
    "PAROT",
    "PITUIT",
    "SCHAEDEL",
    "SCHÄDEL",
    "SKULL",
    "VISAGE",
];

/// The same as whole words: they begin others.
const HEAD_EXACT: [&str; 22] = [
    "CABEZA", "CCT", "DENTAL", "EYE", "EYES", "FACE", "HEAD", "HOOFD", "IAC", "IAM", "MPRAGE",
    "NASAL", "NEURO", "NNH", "NOSE", "PNS", "SELLA", "SINUSES", "TESTA", "TETE", "TÊTE", "TMJ",
];

/// Words of what may include a face: they count where no other part of the body is named for the study.
const NEAR: [&str; 22] = [
    "CAROTI",
    "CERVICAL",
    "COLLO",
    "COU",
    "CSPINE",
    "CUELLO",
    "FLAIR",
    "GANZK",
    "HALS",
    "HNSCC",
    "HWS",
    "LARYN",
    "NECK",
    "PHARYN",
    "SINUS",
    "STROKE",
    "TONGUE",
    "TOTALBODY",
    "VERTEX",
    "WB",
    "WHOLE",
    "ZUNGE",
];

/// Words of other parts of the body.
const ELSEWHERE: [&str; 47] = [
    "ABD", "ANKLE", "AORT", "BECKEN", "BLADDER", "BREAST", "BWS", "CAP", "CARDI", "CHEST", "COLO",
    "CORONA", "ELBOW", "EXTREM", "FEMUR", "FOOT", "HAND", "HEART", "HEPA", "HIP", "KIDNEY", "KNEE",
    "KNIE", "LEBER", "LEG", "LIVER", "LSPINE", "LUMBAR", "LUNG", "LWS", "MAMM", "NIERE", "OVAR",
    "PANCREA", "PANKREA", "PEL", "PROSTAT", "RECT", "RENAL", "SCHULTER", "SHOULDER", "SPLEEN",
    "THIGH", "THORA", "TSPINE", "UTER", "WRIST",
];

/// A field of view below this shows no face: the smallest adult face is higher and, from ear to ear, wider.
const SMALLEST_FACE_MM: f64 = 100.0;
/// Fields of view in which heads are taken; a trunk does not fit.
const HEAD_SIZED_MM: std::ops::RangeInclusive<f64> = 120.0..=300.0;

/// What speaks for the instance's series showing a face, if anything does.
#[must_use]
pub fn shows_face(header: &InMemDicomObject) -> Option<FaceSign> {
    let modality = words(header, &[tags::MODALITY]);
    if !modality
        .iter()
        .any(|word| MODALITIES.contains(&word.as_str()))
    {
        return None;
    }
    let extent = extent_mm(header);
    if extent.is_some_and(|extent| extent.iter().all(|mm| *mm < SMALLEST_FACE_MM)) {
        return None;
    }
    let mut site = words(header, &SITES);
    site.extend(region_words(header));
    let described = words(header, &DESCRIPTIONS);
    match named(&site, &described) {
        Named::Head => Some(FaceSign::Named),
        Named::Elsewhere => None,
        Named::Nowhere => extent
            .is_some_and(|extent| extent.iter().all(|mm| HEAD_SIZED_MM.contains(mm)))
            .then_some(FaceSign::HeadSized),
    }
}

enum Named {
    Head,
    Elsewhere,
    Nowhere,
}

/// A word of the head counts anywhere, since headers are copied from other protocols; one that is near it only where the
/// part of the body is not said to be another.
fn named(site: &[String], described: &[String]) -> Named {
    let any = |words: &[String], is: fn(&str) -> bool| words.iter().any(|word| is(word));
    if any(site, is_head) || any(site, is_near) || any(described, is_head) {
        return Named::Head;
    }
    if any(site, is_elsewhere) {
        return Named::Elsewhere;
    }
    if any(described, is_near) {
        return Named::Head;
    }
    match any(described, is_elsewhere) {
        true => Named::Elsewhere,
        false => Named::Nowhere,
    }
}

fn is_head(word: &str) -> bool {
    HEAD_EXACT.contains(&word) || begins_with(word, &HEAD)
}

fn is_near(word: &str) -> bool {
    begins_with(word, &NEAR)
}

fn is_elsewhere(word: &str) -> bool {
    begins_with(word, &ELSEWHERE)
}

fn begins_with(word: &str, beginnings: &[&str]) -> bool {
    beginnings
        .iter()
        .any(|beginning| word.starts_with(beginning))
}

/// The words of these elements in capital letters.
fn words(header: &InMemDicomObject, of: &[Tag]) -> Vec<String> {
    let values = of.iter().filter_map(|tag| {
        let element = header.get(*tag)?;
        texts(element.value().primitive()?, element.vr())
    });
    let texts = values.flatten().map(|text| text.to_uppercase());
    texts
        .flat_map(|text| {
            let words = text.split(|char: char| !char.is_alphanumeric());
            words.map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|word| !word.is_empty())
        .collect()
}

/// The meaning of the code in Anatomic Region Sequence (0008,2218).
fn region_words(header: &InMemDicomObject) -> Vec<String> {
    let region = first_item(header, tags::ANATOMIC_REGION_SEQUENCE);
    region.map_or_else(Vec::new, |item| words(item, &[tags::CODE_MEANING]))
}

/// Height and width of the field of view; of an enhanced object, by what its frames share.
fn extent_mm(header: &InMemDicomObject) -> Option<[f64; 2]> {
    let spacing = numbers(header, tags::PIXEL_SPACING).or_else(|| {
        let shared = first_item(header, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE)?;
        let measures = first_item(shared, tags::PIXEL_MEASURES_SEQUENCE)?;
        numbers(measures, tags::PIXEL_SPACING)
    })?;
    let [between_rows, between_columns] = spacing.first_chunk().copied()?;
    let (rows, columns) = (
        *numbers(header, tags::ROWS)?.first()?,
        *numbers(header, tags::COLUMNS)?.first()?,
    );
    Some([rows * between_rows, columns * between_columns])
}

fn numbers(header: &InMemDicomObject, tag: Tag) -> Option<Vec<f64>> {
    let element = header.get(tag)?;
    match texts(element.value().primitive()?, element.vr()) {
        Some(texts) => texts.iter().map(|text| text.trim().parse().ok()).collect(),
        None => element.to_multi_float64().ok(),
    }
}

fn first_item(header: &InMemDicomObject, tag: Tag) -> Option<&InMemDicomObject> {
    match header.get(tag)?.value() {
        Value::Sequence(sequence) => sequence.items().first(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{FaceSign, shows_face};
    use dicom_core::{DataElement, PrimitiveValue, VR};
    use dicom_dictionary_std::tags;
    use dicom_object::InMemDicomObject;

    /// Modality, part of the body, description, and the field of view of 100 by 100 pixels in millimetres.
    fn check(
        modality: &str,
        part: &str,
        description: &str,
        field_mm: f64,
        expect: Option<FaceSign>,
    ) {
        let text = |tag, vr, text: &str| DataElement::new(tag, vr, PrimitiveValue::from(text));
        let side = PrimitiveValue::from(100_u16);
        let spacing = format!("{}\\{}", field_mm / 100.0, field_mm / 100.0);
        let header = InMemDicomObject::from_element_iter([
            text(tags::MODALITY, VR::CS, modality),
            text(tags::BODY_PART_EXAMINED, VR::CS, part),
            text(tags::SERIES_DESCRIPTION, VR::LO, description),
            text(tags::PIXEL_SPACING, VR::DS, &spacing),
            DataElement::new(tags::ROWS, VR::US, side.clone()),
            DataElement::new(tags::COLUMNS, VR::US, side),
        ]);
        assert_eq!(
            shows_face(&header),
            expect,
            "{modality} {part} {description} {field_mm}"
        );
    }

    #[test]
    fn heads_are_recognised_by_what_names_them() {
        let named = Some(FaceSign::Named);
        check("CT", "HEAD", "", 230.0, named);
        check("MR", "BRAIN", "t1_mprage_sag", 256.0, named);
        check("PT", "", "PET Hirn/Kopf", 300.0, named);
        check("CT", "NECK", "", 250.0, named);
        check("CT", "WHOLEBODY", "", 700.0, named);
        check("MR", "", "Schädel nativ", 240.0, named);
        check("MR", "", "Ganzkörper", 500.0, named);
        check("CT", "CHEST", "Head/Chest routine", 400.0, named);
        check("CT", "HEADNECK", "", 250.0, named);
        check("CT", "", "NECK/CHEST", 400.0, named);
        check("MR", "", "T2 FLAIR", 220.0, named);
    }

    #[test]
    fn other_parts_and_other_modalities_pass() {
        check("CT", "CHEST", "Thorax nativ", 350.0, None);
        check("CT", "CHEST", "small field of view", 180.0, None);
        check("PT", "EXTREMITY", "MGH_WBS_2D", 190.0, None);
        check("MR", "PELVIS", "cervical cancer staging", 200.0, None);
        check("MR", "", "SHOULDER", 200.0, None);
        check("CT", "", "CT CH/ABD/PEL", 408.0, None);
        check("US", "HEAD", "", 200.0, None);
        check("SEG", "BRAIN", "", 200.0, None);
        check("CT", "", "", 420.0, None);
    }

    #[test]
    fn a_head_that_nobody_names_is_recognised_by_its_size() {
        check("CT", "", "5/5mm Plain", 245.0, Some(FaceSign::HeadSized));
        check("MR", "", "", 240.0, Some(FaceSign::HeadSized));
        check("CT", "", "", 85.0, None);
    }

    #[test]
    fn what_is_smaller_than_a_face_shows_none() {
        check("CT", "HEAD", "temporal bone", 90.0, None);
        check("MR", "", "Brain", 22.0, None);
    }
}
