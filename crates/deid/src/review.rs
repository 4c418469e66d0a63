//! Instances whose pixels may show who the patient is: not for a program to pass (PS3.15 E.3.1, E.3.2).
//!
//! Judged by the header alone and on the safe side. Pixels are not looked at here.

use std::fmt;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;

use crate::face::{FaceSign, shows_face};
use crate::proof::{FaceProof, PixelProof};
use crate::recipe::{Faces, Recipe};
use crate::values::texts;

/// Why a person has to look at an instance before it may be used. Names no value of the data set but codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReviewReason {
    /// (0028,0301) says YES.
    BurnedInAnnotation,
    /// A modality in which machines or people write into the image.
    Modality(&'static str),
    /// A screen shot or other copy of what was displayed, by its SOP class.
    SecondaryCapture,
    /// A document (PDF, CDA, …) with the image as its carrier.
    EncapsulatedDocument,
    /// Photographs and video show people.
    PhotographOrVideo,
    /// A recording of a voice.
    Audio,
    /// By its image type a screen shot, a report or a protocol page.
    ScreenImage,
    /// A derived image that is no slice: it has no position in the patient.
    DerivedWithoutPosition,
    /// Overlay bits are stored inside the pixels.
    OverlayInPixels,
    /// More names than an instance can mean.
    TooManyNames,
    /// Its series may show a face.
    Face(FaceSign),
}

/// Modalities (PS3.3 C.7.3.1.1.1) whose images carry text: ultrasound, captures, photographs, endoscopy, documents.
const RISKY_MODALITIES: [&str; 8] = ["US", "IVUS", "SC", "OT", "XC", "ES", "GM", "DOC"];

/// SOP classes (PS3.4 B.5) by what is risky about them. A family is given by its common root.
const RISKY_CLASSES: [(&str, ReviewReason); 9] = [
    ("1.2.840.10008.5.1.4.1.1.7", ReviewReason::SecondaryCapture),
    (
        "1.2.840.10008.5.1.4.1.1.104",
        ReviewReason::EncapsulatedDocument,
    ),
    (
        "1.2.840.10008.5.1.4.1.1.77.1.1",
        ReviewReason::PhotographOrVideo,
    ),
    (
        "1.2.840.10008.5.1.4.1.1.77.1.2.1",
        ReviewReason::PhotographOrVideo,
    ),
    (
        "1.2.840.10008.5.1.4.1.1.77.1.4",
        ReviewReason::PhotographOrVideo,
    ),
    ("1.2.840.10008.5.1.4.1.1.9.4", ReviewReason::Audio),
    ("1.2.840.10008.5.1.4.1.1.6", ReviewReason::Modality("US")),
    ("1.2.840.10008.5.1.4.1.1.3", ReviewReason::Modality("US")),
    (
        "1.2.840.10008.5.1.4.1.1.77.1.5.4",
        ReviewReason::Modality("OPT"),
    ),
];

/// Words in ImageType (0008,0008) of pages that look like images: dose reports, protocols, screen saves, and the
/// paper label of a microscope slide.
const SCREEN_WORDS: [&str; 8] = [
    "SCREEN",
    "CAPTURE",
    "REPORT",
    "PROTOCOL",
    "DOSE_INFO",
    "TEXT",
    "LABEL",
    "OVERVIEW",
];

impl ReviewReason {
    /// A stable word for programs.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::BurnedInAnnotation => "burned_in_annotation",
            Self::Modality(_) => "modality",
            Self::SecondaryCapture => "secondary_capture",
            Self::EncapsulatedDocument => "document",
            Self::PhotographOrVideo => "photograph_or_video",
            Self::Audio => "audio",
            Self::ScreenImage => "screen_image",
            Self::DerivedWithoutPosition => "no_position",
            Self::OverlayInPixels => "overlay_in_pixels",
            Self::TooManyNames => "too_many_names",
            Self::Face(_) => "face",
        }
    }

    /// Whether looking at the pixels settles it. A document or a voice is not in the pixels.
    #[must_use]
    pub fn is_about_pixels(self) -> bool {
        !matches!(
            self,
            Self::EncapsulatedDocument | Self::Audio | Self::TooManyNames
        )
    }
}

/// Why a person must look at the instance before it may be used under `recipe`, if one must.
#[must_use]
pub fn reason_to_review(header: &InMemDicomObject, recipe: &Recipe) -> Option<ReviewReason> {
    review(header, PixelProof::none(), recipe)
}

/// The same after somebody looked: what is only about pixels is settled by a proof of them.
pub(crate) fn review(
    header: &InMemDicomObject,
    proof: PixelProof,
    recipe: &Recipe,
) -> Option<ReviewReason> {
    sop_class(header)
        .filter(|why| !why.is_about_pixels())
        .or_else(|| risk_of(header).filter(|_| !proof.is_text_dealt_with()))
        .or_else(|| face(header, recipe).filter(|_| proof.faces == FaceProof::NotLookedFor))
}

/// Nothing here removes a face: where the recipe asks for it, whoever did brings the proof, and without one it is held, too.
fn face(header: &InMemDicomObject, recipe: &Recipe) -> Option<ReviewReason> {
    match recipe.pixels().faces {
        Faces::Keep => None,
        Faces::Review | Faces::Deface => shows_face(header).map(ReviewReason::Face),
    }
}

/// Why pixels of this header may show text or people, judged by the header alone.
#[must_use]
pub fn risk_of(header: &InMemDicomObject) -> Option<ReviewReason> {
    burned_in(header)
        .or_else(|| sop_class(header))
        .or_else(|| modality(header))
        .or_else(|| image_type(header))
        .or_else(|| overlay_in_pixels(header))
}

/// Whether text is all that can be risky about these pixels, so that a program that finds text can settle it. Photographs
/// show people, and bits above the samples are in no picture that a program looks at.
#[must_use]
pub fn is_text_alone(header: &InMemDicomObject) -> bool {
    let shows_people = modality(header) == Some(ReviewReason::Modality("XC"));
    let is_other = sop_class(header)
        .is_some_and(|why| why == ReviewReason::PhotographOrVideo || !why.is_about_pixels());
    !shows_people && !is_other && overlay_in_pixels(header).is_none()
}

/// Whether pixels are worth the seconds that looking for text takes, where somebody can look: risky kinds, and those in which
/// people set marks though the header does not say so. Slices of a volume are not.
#[must_use]
pub fn is_worth_a_look(header: &InMemDicomObject) -> bool {
    /// Radiographs of all kinds, from which plates and consoles write names.
    const RADIOGRAPHS: [&str; 7] = ["CR", "DX", "MG", "RF", "XA", "IO", "PX"];
    let is_radiograph = values(header, tags::MODALITY).iter().any(|modality| {
        RADIOGRAPHS
            .iter()
            .any(|code| modality.eq_ignore_ascii_case(code))
    });
    let is_localizer = values(header, tags::IMAGE_TYPE)
        .iter()
        .any(|value| value.eq_ignore_ascii_case("LOCALIZER"));
    is_text_alone(header) && (is_radiograph || is_localizer || risk_of(header).is_some())
}

fn burned_in(header: &InMemDicomObject) -> Option<ReviewReason> {
    let says_yes = values(header, tags::BURNED_IN_ANNOTATION)
        .iter()
        .any(|value| value.eq_ignore_ascii_case("YES"));
    says_yes.then_some(ReviewReason::BurnedInAnnotation)
}

fn sop_class(header: &InMemDicomObject) -> Option<ReviewReason> {
    let classes = values(header, tags::SOP_CLASS_UID);
    let is_in = |class: &str, root: &str| {
        class
            .strip_prefix(root)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    let risky = RISKY_CLASSES
        .iter()
        .find(|(root, _)| classes.iter().any(|class| is_in(class, root)));
    risky.map(|(_, reason)| *reason)
}

fn modality(header: &InMemDicomObject) -> Option<ReviewReason> {
    let modalities = values(header, tags::MODALITY);
    let risky = RISKY_MODALITIES
        .into_iter()
        .find(|risky| modalities.iter().any(|m| m.eq_ignore_ascii_case(risky)));
    risky.map(ReviewReason::Modality)
}

/// DERIVED\SECONDARY alone says little: all attenuation-corrected PET and every reformatted CT is. What is positioned in
/// the patient is a slice; a page of text is not.
fn image_type(header: &InMemDicomObject) -> Option<ReviewReason> {
    let types: Vec<String> = values(header, tags::IMAGE_TYPE)
        .iter()
        .map(|value| value.to_ascii_uppercase())
        .collect();
    let is_original = types.first().is_some_and(|value| value == "ORIGINAL");
    if types
        .iter()
        .any(|value| SCREEN_WORDS.iter().any(|word| value.contains(word)))
    {
        return Some(ReviewReason::ScreenImage);
    }
    let is_secondary = types.get(1).is_some_and(|value| value == "SECONDARY");
    let is_positioned = header.get(tags::IMAGE_POSITION_PATIENT).is_some()
        || header
            .get(tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
            .is_some();
    (!is_original && is_secondary && !is_positioned).then_some(ReviewReason::DerivedWithoutPosition)
}

/// Overlay groups without Overlay Data (60xx,3000) keep their bits above the stored bits of the pixels (PS3.3 C.9.2).
fn overlay_in_pixels(header: &InMemDicomObject) -> Option<ReviewReason> {
    has_overlay_in_pixels(header).then_some(ReviewReason::OverlayInPixels)
}

/// Whether the pixels hold more than a picture of them shows: the bits of an overlay.
#[must_use]
pub fn has_overlay_in_pixels(header: &InMemDicomObject) -> bool {
    const OVERLAY_DATA: u16 = 0x3000;
    const OVERLAY_BIT_POSITION: u16 = 0x0102;
    let overlays = header
        .tags()
        .filter(|tag| (0x6000..=0x60FF).contains(&tag.group()) && tag.group() % 2 == 0);
    let mut in_pixels = overlays.filter(|tag| tag.element() == OVERLAY_BIT_POSITION);
    in_pixels.any(|tag| header.get(Tag(tag.group(), OVERLAY_DATA)).is_none())
}

fn values(header: &InMemDicomObject, tag: Tag) -> Vec<String> {
    let element = header.get(tag);
    element
        .and_then(|element| texts(element.value().primitive()?, element.vr()))
        .unwrap_or_default()
}

impl fmt::Display for ReviewReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BurnedInAnnotation => {
                f.write_str("the header says that text is burned into the pixels")
            }
            Self::Modality(code) => write!(f, "images of modality {code} often show text"),
            Self::SecondaryCapture => f.write_str("secondary captures often show text"),
            Self::EncapsulatedDocument => f.write_str("it carries a document"),
            Self::PhotographOrVideo => f.write_str("photographs and video can show people"),
            Self::Audio => f.write_str("it carries sound"),
            Self::ScreenImage => f.write_str("by its image type it is a screen shot or a report"),
            Self::DerivedWithoutPosition => f.write_str(
                "a derived image without a position in the patient can be a page of text",
            ),
            Self::OverlayInPixels => f.write_str("an overlay is stored inside the pixels"),
            Self::Face(FaceSign::Named) => {
                f.write_str("by what its header names, its series can show a face")
            }
            Self::Face(FaceSign::HeadSized) => f.write_str(
                "nothing names a part of the body, and its field of view is that of a head, so that its series can show a face",
            ),
            Self::TooManyNames => f.write_str("it names more people than an instance can mean"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ReviewReason, is_text_alone, is_worth_a_look, reason_to_review, review};
    use crate::face::FaceSign;
    use crate::proof::{FaceProof, PixelProof, TextProof};
    use crate::recipe::{Faces, Recipe};
    use dicom_core::{DataElement, Tag, VR};
    use dicom_dictionary_std::tags;
    use dicom_object::InMemDicomObject;

    fn check(elements: &[(Tag, VR, &str)], expect: Option<ReviewReason>) {
        let elements = elements
            .iter()
            .map(|(tag, vr, text)| DataElement::new(*tag, *vr, *text));
        let header = InMemDicomObject::from_element_iter(elements);
        assert_eq!(reason_to_review(&header, Recipe::embedded()), expect);
    }

    #[test]
    fn a_proof_settles_what_is_about_pixels_and_nothing_else() {
        let seen = PixelProof {
            text: TextProof::Removed,
            ..PixelProof::none()
        };
        let review = |class: &str| {
            let class = DataElement::new(tags::SOP_CLASS_UID, VR::UI, class);
            let header = InMemDicomObject::from_element_iter([class]);
            review(&header, seen, Recipe::embedded())
        };
        assert_eq!(review("1.2.840.10008.5.1.4.1.1.7"), None);
        assert_eq!(
            review("1.2.840.10008.5.1.4.1.1.104.1"),
            Some(ReviewReason::EncapsulatedDocument)
        );
    }

    #[test]
    fn a_face_is_held_as_the_recipe_says_until_somebody_looked() {
        let header = InMemDicomObject::from_element_iter([
            DataElement::new(tags::MODALITY, VR::CS, "CT"),
            DataElement::new(tags::BODY_PART_EXAMINED, VR::CS, "HEAD"),
        ]);
        let held = Some(ReviewReason::Face(FaceSign::Named));
        let recipe = |faces| Recipe::embedded().with_faces(faces);
        assert_eq!(reason_to_review(&header, Recipe::embedded()), held);
        assert_eq!(reason_to_review(&header, &recipe(Faces::Deface)), held);
        assert_eq!(reason_to_review(&header, &recipe(Faces::Keep)), None);
        let seen = |faces| PixelProof {
            text: TextProof::SeenByPerson,
            faces,
        };
        let review = |faces| review(&header, seen(faces), Recipe::embedded());
        assert_eq!(review(FaceProof::NotLookedFor), held);
        assert_eq!(review(FaceProof::KeptByPerson), None);
    }

    #[test]
    fn a_program_that_finds_text_settles_text_alone() {
        let check = |elements: &[(Tag, VR, &str)], expect: bool| {
            let elements = elements
                .iter()
                .map(|(tag, vr, text)| DataElement::new(*tag, *vr, *text));
            let header = InMemDicomObject::from_element_iter(elements);
            assert_eq!(is_text_alone(&header), expect, "{header:?}");
        };
        let class = |class| (tags::SOP_CLASS_UID, VR::UI, class);
        check(&[class("1.2.840.10008.5.1.4.1.1.7")], true);
        check(&[class("1.2.840.10008.5.1.4.1.1.6.1")], true);
        check(&[class("1.2.840.10008.5.1.4.1.1.77.1.4")], false);
        check(&[class("1.2.840.10008.5.1.4.1.1.104.1")], false);
        check(&[(tags::MODALITY, VR::CS, "XC")], false);
        check(&[(tags::MODALITY, VR::CS, "US")], true);
        check(&[(Tag(0x6002, 0x0102), VR::US, "12")], false);
    }

    #[test]
    fn radiographs_and_localizers_are_worth_a_look_and_slices_are_not() {
        let check = |modality: &str, image_type: &str, expect: bool| {
            let header = InMemDicomObject::from_element_iter([
                DataElement::new(tags::MODALITY, VR::CS, modality),
                DataElement::new(tags::IMAGE_TYPE, VR::CS, image_type),
            ]);
            assert_eq!(is_worth_a_look(&header), expect, "{modality} {image_type}");
        };
        check("CT", "ORIGINAL\\PRIMARY\\AXIAL", false);
        check("CT", "ORIGINAL\\PRIMARY\\LOCALIZER", true);
        check("dx", "ORIGINAL\\PRIMARY", true);
        check("US", "ORIGINAL\\PRIMARY", true);
        check("XC", "ORIGINAL\\PRIMARY", false);
    }

    #[test]
    fn slices_pass() {
        check(&[], None);
        check(
            &[
                (tags::MODALITY, VR::CS, "CT"),
                (tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\AXIAL"),
            ],
            None,
        );
        check(
            &[
                (tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.66.4"),
                (tags::MODALITY, VR::CS, "SEG"),
            ],
            None,
        );
        check(
            &[
                (tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY"),
                (tags::IMAGE_POSITION_PATIENT, VR::DS, "0\\0\\0"),
            ],
            None,
        );
        check(&[(tags::BURNED_IN_ANNOTATION, VR::CS, "NO")], None);
        check(
            &[
                (Tag(0x6000, 0x0102), VR::US, "0"),
                (Tag(0x6000, 0x3000), VR::OW, ""),
            ],
            None,
        );
    }

    #[test]
    fn what_may_show_text_needs_a_person() {
        check(
            &[(tags::BURNED_IN_ANNOTATION, VR::CS, "yes ")],
            Some(ReviewReason::BurnedInAnnotation),
        );
        check(
            &[(tags::MODALITY, VR::CS, "US")],
            Some(ReviewReason::Modality("US")),
        );
        let classes = [
            ("1.2.840.10008.5.1.4.1.1.7", ReviewReason::SecondaryCapture),
            (
                "1.2.840.10008.5.1.4.1.1.7.2",
                ReviewReason::SecondaryCapture,
            ),
            (
                "1.2.840.10008.5.1.4.1.1.104.1\0",
                ReviewReason::EncapsulatedDocument,
            ),
            (
                "1.2.840.10008.5.1.4.1.1.77.1.4.1",
                ReviewReason::PhotographOrVideo,
            ),
        ];
        for (class, reason) in classes {
            check(
                &[
                    (tags::SOP_CLASS_UID, VR::UI, class),
                    (tags::MODALITY, VR::CS, "CT"),
                ],
                Some(reason),
            );
        }
        check(
            &[(tags::IMAGE_TYPE, VR::CS, "ORIGINAL\\PRIMARY\\LABEL\\NONE")],
            Some(ReviewReason::ScreenImage),
        );
        check(
            &[(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY\\SCREEN SAVE")],
            Some(ReviewReason::ScreenImage),
        );
        check(
            &[(tags::IMAGE_TYPE, VR::CS, "DERIVED\\SECONDARY\\MPR")],
            Some(ReviewReason::DerivedWithoutPosition),
        );
        check(
            &[(Tag(0x6002, 0x0102), VR::US, "12")],
            Some(ReviewReason::OverlayInPixels),
        );
    }
}
