//! What the viewer lays over a series: where its slices lie in the patient, and the segmentations of its study on them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/series/{uid}/placements`: where the frames of a series lie.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesPlacement {
    /// Frame of Reference UID, mapped: series of the same one can be compared by position.
    pub frame_of_reference: Option<String>,
    /// Frames that say where they lie, in viewing order.
    pub frames: Vec<FramePlacement>,
}

/// The plane of one frame in the patient coordinate system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FramePlacement {
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// From 1.
    pub frame: u32,
    /// Centre of the first pixel in millimetres.
    pub position_mm: [f64; 3],
    /// Unit vectors along a row and along a column.
    pub orientation: [f64; 6],
    /// Millimetres between rows and between columns.
    pub spacing_mm: [f64; 2],
}

/// `GET /v1/series/{uid}/segmentations`: one segmentation that lies on the series. Its frames come by the route of
/// frames, with the UIDs given here.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesSegmentation {
    /// Series Instance UID of the segmentation, mapped.
    pub series_uid: String,
    /// Its SOP Instance UID, mapped.
    pub instance_uid: String,
    /// Its Series Description, cleaned.
    pub description: String,
    /// Why it cannot be shown; then everything below is empty.
    pub problem: Option<String>,
    /// What the samples mean.
    pub kind: SegmentationKind,
    /// The sample that stands for all of a segment, where `kind` is `fractional`.
    pub maximum: u16,
    /// Pixel rows of a frame.
    pub rows: u32,
    /// Pixel columns of a frame.
    pub columns: u32,
    /// The segments.
    pub segments: Vec<SegmentInfo>,
    /// From pixels of the segmentation to pixels of the slice, `[a, b, c, d, e, f]`: column `a·column + b·row + e`, row
    /// `c·column + d·row + f`; the centre of a first pixel is (0, 0).
    pub grids: Vec<[f64; 6]>,
    /// Slices of the series that `frames` point at.
    pub slices: Vec<SliceRef>,
    /// Frames that lie on a slice of the series.
    pub frames: Vec<SegmentationFrame>,
    /// Frames that lie on none.
    pub elsewhere: u32,
}

/// What the samples of a segmentation mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SegmentationKind {
    /// 1 is inside.
    Binary,
    /// A share.
    Fractional,
    /// The segment's number.
    LabelMap,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentInfo {
    /// Its number.
    pub number: u16,
    /// Its label, else the meaning of its code; may be empty.
    pub label: String,
    /// Its recommended colour in sRGB.
    pub color: Option<[u8; 3]>,
}

/// A slice of a series.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SliceRef {
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// From 1.
    pub frame: u32,
}

/// One frame of a segmentation on a slice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SegmentationFrame {
    /// From 1.
    pub frame: u32,
    /// The segment's number; none in a label map.
    pub segment: Option<u16>,
    /// Which of `slices`.
    pub slice: u32,
    /// Which of `grids`; none where a place is unknown: then pixels are those of the slice.
    pub grid: Option<u32>,
}
