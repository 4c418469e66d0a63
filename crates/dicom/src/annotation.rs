//! What a segmentation, a structure set or a structured report annotates, and who or what made it (PS3.3 A.51, A.19, A.35), from its header
//! alone. Reports of dose, logs of procedures and selections of key objects are no annotations.

use dicom_dictionary_std::{tags, uids};
use serde::{Deserialize, Serialize};

use crate::attributes::{items, text};
use crate::instance::Header;

/// The form of an annotation, named as its modality is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum AnnotationKind {
    /// A segmentation.
    Seg,
    /// A structure set of radiotherapy.
    RtStruct,
    /// A structured report.
    Sr,
}

impl AnnotationKind {
    /// The defined term.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seg => "SEG",
            Self::RtStruct => "RTSTRUCT",
            Self::Sr => "SR",
        }
    }
}

/// A code of any scheme with its words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemedCode {
    /// Coding Scheme Designator (0008,0102), such as `SCT`.
    pub scheme: String,
    /// Code Value (0008,0100).
    pub code: String,
    /// Code Meaning (0008,0104).
    pub meaning: Option<String>,
}

/// What is known of one annotation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Its form.
    pub kind: AnnotationKind,
    /// Series Instance UID of what it was drawn over; of several, the first.
    pub series_uid: Option<String>,
    /// How many segments or regions it holds; none for a report.
    pub segments: Option<u32>,
    /// What its first segment or region shows.
    pub structure: Option<SchemedCode>,
    /// `MANUAL`, `SEMIAUTOMATIC` or `AUTOMATIC`, by its first segment or region that says so.
    pub maker: Option<String>,
    /// Segment Algorithm Name (0062,0009) of the first segment that has one.
    pub algorithm: Option<String>,
}

impl Annotation {
    /// What a header annotates, if it is an annotation.
    #[must_use]
    pub fn of(header: &Header) -> Option<Self> {
        match kind(header)? {
            AnnotationKind::Seg => Some(segmentation(header)),
            AnnotationKind::RtStruct => Some(structure_set(header)),
            AnnotationKind::Sr => Some(report(header)),
        }
    }
}

fn kind(header: &Header) -> Option<AnnotationKind> {
    Some(match text(header, tags::SOP_CLASS_UID)?.as_str() {
        uids::SEGMENTATION_STORAGE
        | uids::SURFACE_SEGMENTATION_STORAGE
        | uids::LABEL_MAP_SEGMENTATION_STORAGE => AnnotationKind::Seg,
        uids::RT_STRUCTURE_SET_STORAGE => AnnotationKind::RtStruct,
        uids::BASIC_TEXT_SR_STORAGE
        | uids::ENHANCED_SR_STORAGE
        | uids::COMPREHENSIVE_SR_STORAGE
        | uids::COMPREHENSIVE3_DSR_STORAGE
        | uids::MAMMOGRAPHY_CADSR_STORAGE
        | uids::CHEST_CADSR_STORAGE
        | uids::COLON_CADSR_STORAGE => AnnotationKind::Sr,
        _ => return None,
    })
}

fn segmentation(header: &Header) -> Annotation {
    let segments = items(header, tags::SEGMENT_SEQUENCE);
    let first = |tag| segments.iter().find_map(|segment| text(segment, tag));
    let structure = segments.first().and_then(|segment| {
        code(items(segment, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE).first()?)
    });
    Annotation {
        kind: AnnotationKind::Seg,
        series_uid: referenced_series(header),
        segments: count(segments),
        structure,
        maker: first(tags::SEGMENT_ALGORITHM_TYPE).filter(|maker| is_maker(maker)),
        algorithm: first(tags::SEGMENT_ALGORITHM_NAME),
    }
}

fn structure_set(header: &Header) -> Annotation {
    let regions = items(header, tags::STRUCTURE_SET_ROI_SEQUENCE);
    let observed = items(header, tags::RTROI_OBSERVATIONS_SEQUENCE);
    let structure = observed.iter().find_map(|observed| {
        code(items(observed, tags::RTROI_IDENTIFICATION_CODE_SEQUENCE).first()?)
    });
    let frames = items(header, tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE).iter();
    let studies = frames.flat_map(|frame| items(frame, tags::RT_REFERENCED_STUDY_SEQUENCE));
    let mut series = studies.flat_map(|study| items(study, tags::RT_REFERENCED_SERIES_SEQUENCE));
    let mut makers = regions
        .iter()
        .filter_map(|region| text(region, tags::ROI_GENERATION_ALGORITHM));
    Annotation {
        kind: AnnotationKind::RtStruct,
        series_uid: series.find_map(|series| text(series, tags::SERIES_INSTANCE_UID)),
        segments: count(regions),
        structure,
        maker: makers.find(|maker| is_maker(maker)),
        algorithm: None,
    }
}

fn report(header: &Header) -> Annotation {
    let studies = items(header, tags::CURRENT_REQUESTED_PROCEDURE_EVIDENCE_SEQUENCE);
    Annotation {
        kind: AnnotationKind::Sr,
        series_uid: studies.iter().find_map(referenced_series),
        segments: None,
        structure: None,
        maker: None,
        algorithm: None,
    }
}

fn referenced_series(header: &Header) -> Option<String> {
    let mut series = items(header, tags::REFERENCED_SERIES_SEQUENCE).iter();
    series.find_map(|series| text(series, tags::SERIES_INSTANCE_UID))
}

fn count(items: &[Header]) -> Option<u32> {
    u32::try_from(items.len()).ok()
}

fn is_maker(maker: &str) -> bool {
    matches!(maker, "MANUAL" | "SEMIAUTOMATIC" | "AUTOMATIC")
}

fn code(item: &Header) -> Option<SchemedCode> {
    Some(SchemedCode {
        scheme: text(item, tags::CODING_SCHEME_DESIGNATOR)?,
        code: text(item, tags::CODE_VALUE)?,
        meaning: text(item, tags::CODE_MEANING),
    })
}
