//! Segmentations (PS3.3 A.51, C.8.20; label maps of Supplement 243): which segments there are, and for each frame the
//! segment that it shows and the slice that it belongs to.
//!
//! Not here: pixels of frames ([`crate::frames`]), surfaces, and tiles of whole slides.

use dicom_dictionary_std::{tags, uids};

use crate::attributes::{items, text, vector, whole};
use crate::instance::Header;
use crate::outlines::Geometry;
use crate::planes::{FunctionalGroups, frame_of_reference};

/// Segments of one instance. Whole-body models have a little over a hundred, brain atlases a few hundred.
pub const MAX_SEGMENTS: usize = 2048;
/// Frames of one instance: 200 segments on 300 slices, each with a frame of its own.
pub const MAX_SEGMENT_FRAMES: usize = 60_000;

/// Why a header gives no table of segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SegmentError {
    /// It is of another kind.
    #[error("no segmentation: it has no Segmentation Type of BINARY, FRACTIONAL or LABELMAP")]
    NotSegmentation,
    /// More segments than [`MAX_SEGMENTS`].
    #[error("{found} segments, at most {MAX_SEGMENTS} are shown: split the segmentation")]
    TooManySegments {
        /// How many there are.
        found: usize,
    },
    /// More frames than [`MAX_SEGMENT_FRAMES`].
    #[error("{found} frames, at most {MAX_SEGMENT_FRAMES} are shown: split the segmentation")]
    TooManyFrames {
        /// How many there are.
        found: usize,
    },
}

/// What the samples of a frame mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentationKind {
    /// One segment a frame: 1 inside.
    Binary,
    /// One segment a frame: a share of this value.
    Fractional {
        /// Maximum Fractional Value (0062,000E).
        maximum: u16,
    },
    /// All segments in one frame: the sample is the segment's number.
    LabelMap,
}

/// The table of one segmentation.
#[derive(Debug, Clone, PartialEq)]
pub struct Segmentation {
    /// What samples mean.
    pub kind: SegmentationKind,
    /// Frame of Reference UID.
    pub frame_of_reference: Option<String>,
    /// In order of the file.
    pub segments: Vec<Segment>,
    /// In order; the first is frame 1.
    pub frames: Vec<SegmentFrame>,
}

/// One segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// Segment Number (0062,0004).
    pub number: u16,
    /// Segment Label (0062,0005), empty if absent.
    pub label: String,
    /// Meaning of the property type's code, such as `Liver`; empty if absent.
    pub property: String,
    /// Recommended Display CIELab Value (0062,000D) in sRGB.
    pub color_rgb: Option<[u8; 3]>,
}

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SegmentFrame {
    /// Referenced Segment Number (0062,000B); none in a label map.
    pub segment: Option<u16>,
    /// The only image that it was derived from, if it names just one.
    pub source: Option<SourceFrame>,
    /// Where it lies.
    pub geometry: Option<Geometry>,
}

/// A frame of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFrame {
    /// SOP Instance UID.
    pub instance_uid: String,
    /// From 1.
    pub frame: u32,
}

/// Reads the table of a segmentation.
///
/// # Errors
/// [`SegmentError`] when it is none, or beyond a limit.
pub fn segmentation(header: &Header) -> Result<Segmentation, SegmentError> {
    let kind = kind_of(header).ok_or(SegmentError::NotSegmentation)?;
    let segments = items(header, tags::SEGMENT_SEQUENCE);
    if segments.len() > MAX_SEGMENTS {
        let found = segments.len();
        return Err(SegmentError::TooManySegments { found });
    }
    let groups = FunctionalGroups::of(header);
    if groups.frames.len() > MAX_SEGMENT_FRAMES {
        let found = groups.frames.len();
        return Err(SegmentError::TooManyFrames { found });
    }
    let frames = groups.frames.iter();
    Ok(Segmentation {
        kind,
        frame_of_reference: frame_of_reference(header),
        segments: segments.iter().filter_map(segment).collect(),
        frames: frames
            .map(|frame| segment_frame(&groups, frame, kind))
            .collect(),
    })
}

fn kind_of(header: &Header) -> Option<SegmentationKind> {
    let class = text(header, tags::SOP_CLASS_UID);
    if class.as_deref() == Some(uids::LABEL_MAP_SEGMENTATION_STORAGE) {
        return Some(SegmentationKind::LabelMap);
    }
    match text(header, tags::SEGMENTATION_TYPE)?.as_str() {
        "BINARY" => Some(SegmentationKind::Binary),
        "LABELMAP" => Some(SegmentationKind::LabelMap),
        "FRACTIONAL" => {
            // 255 is what an 8-bit sample can say when the file does not.
            let maximum = whole(header, tags::MAXIMUM_FRACTIONAL_VALUE).unwrap_or(255);
            Some(SegmentationKind::Fractional { maximum })
        }
        _ => None,
    }
}

fn segment(item: &Header) -> Option<Segment> {
    let property = items(item, tags::SEGMENTED_PROPERTY_TYPE_CODE_SEQUENCE).first();
    Some(Segment {
        number: whole(item, tags::SEGMENT_NUMBER)?,
        label: text(item, tags::SEGMENT_LABEL).unwrap_or_default(),
        property: property
            .and_then(|code| text(code, tags::CODE_MEANING))
            .unwrap_or_default(),
        color_rgb: vector(item, tags::RECOMMENDED_DISPLAY_CIE_LAB_VALUE).map(rgb_of_lab),
    })
}

fn segment_frame<'a>(
    groups: &FunctionalGroups<'a>,
    frame: &'a Header,
    kind: SegmentationKind,
) -> SegmentFrame {
    let identification = groups.group(frame, tags::SEGMENT_IDENTIFICATION_SEQUENCE);
    let number = identification.and_then(|item| whole(item, tags::REFERENCED_SEGMENT_NUMBER));
    SegmentFrame {
        segment: number.filter(|_| kind != SegmentationKind::LabelMap),
        source: source(groups, frame),
        geometry: groups.plane(frame),
    }
}

fn source<'a>(groups: &FunctionalGroups<'a>, frame: &'a Header) -> Option<SourceFrame> {
    let derivation = groups.group(frame, tags::DERIVATION_IMAGE_SEQUENCE)?;
    let [source] = items(derivation, tags::SOURCE_IMAGE_SEQUENCE) else {
        // Of several sources none is the slice: the plane must say.
        return None;
    };
    Some(SourceFrame {
        instance_uid: text(source, tags::REFERENCED_SOP_INSTANCE_UID)?,
        frame: whole(source, tags::REFERENCED_FRAME_NUMBER).unwrap_or(1),
    })
}

/// CIELab as DICOM scales it (PS3.3 C.10.7.1.1: L* from 0 to 100, a* and b* from -128 to 127, each over 16 bits; the
/// white is D50, as in ICC profiles) to sRGB (IEC 61966-2-1).
#[must_use]
pub fn rgb_of_lab([l, a, b]: [f64; 3]) -> [u8; 3] {
    let scaled = |value: f64| value.clamp(0.0, 65_535.0) / 65_535.0;
    let y = (scaled(l) * 100.0 + 16.0) / 116.0;
    let (x, z) = (
        y + (scaled(a) * 255.0 - 128.0) / 500.0,
        y - (scaled(b) * 255.0 - 128.0) / 200.0,
    );
    // The D50 white, and the linear primaries adapted to it by Bradford's method.
    let (x, y, z) = (0.9642 * unbend(x), unbend(y), 0.8251 * unbend(z));
    [
        3.133_856 * x - 1.616_867 * y - 0.490_615 * z,
        -0.978_768 * x + 1.916_142 * y + 0.033_454 * z,
        0.071_945 * x - 0.228_991 * y + 1.405_243 * z,
    ]
    .map(gamma)
}

fn unbend(value: f64) -> f64 {
    const KNEE: f64 = 6.0 / 29.0;
    if value > KNEE {
        value.powi(3)
    } else {
        3.0 * KNEE * KNEE * (value - 4.0 / 29.0)
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to 0..=255 first"
)]
fn gamma(linear: f64) -> u8 {
    let bent = if linear <= 0.003_130_8 {
        12.92 * linear
    } else {
        1.055 * linear.powf(1.0 / 2.4) - 0.055
    };
    (bent * 255.0).round().clamp(0.0, 255.0) as u8
}

#[cfg(test)]
mod tests {
    use super::rgb_of_lab;

    #[test]
    fn colours_become_srgb() {
        let check = |lab: [f64; 3], expect: [u8; 3]| {
            // DICOM's scale.
            let [l, a, b] = lab;
            let scaled = [l / 100.0, (a + 128.0) / 255.0, (b + 128.0) / 255.0];
            let found = rgb_of_lab(scaled.map(|share| share * 65_535.0));
            let near = found.iter().zip(expect).all(|(f, e)| f.abs_diff(e) <= 2);
            assert!(near, "{lab:?} became {found:?}, not {expect:?}");
        };
        check([0.0, 0.0, 0.0], [0, 0, 0]);
        check([100.0, 0.0, 0.0], [255, 255, 255]);
        check([53.59, 0.0, 0.0], [128, 128, 128]);
        // The primaries of sRGB in Lab with a D50 white.
        check([54.29, 80.80, 69.89], [255, 0, 0]);
        check([87.82, -79.27, 80.99], [0, 255, 0]);
        check([29.57, 68.29, -112.03], [0, 0, 255]);
    }
}
