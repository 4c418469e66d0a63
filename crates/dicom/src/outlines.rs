//! Outlines of an RT Structure Set (PS3.3 C.8.8.5 and C.8.8.6): closed planar contours in patient millimetres, and
//! where they fall on a slice. How many there may be is bounded by [`crate::scan`].

use std::collections::HashMap;

use dicom_dictionary_std::tags;
use serde::{Deserialize, Serialize};

use crate::attributes::{items, numbers, text, vector, whole};
use crate::instance::Header;
use crate::summary::Summary;

/// One closed contour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Outline {
    /// ROI Number (3006,0022).
    pub roi_number: i32,
    /// ROI Name (3006,0026), empty if absent.
    pub roi_name: String,
    /// ROI Display Color (3006,002A).
    pub color_rgb: Option<[u8; 3]>,
    /// Series Instance UID of the images that it was drawn on.
    pub referenced_series_uid: Option<String>,
    /// SOP Instance UID of the image that it was drawn on. Some files name one that is not in the series.
    pub referenced_instance_uid: Option<String>,
    /// Corners in the patient coordinate system, at least three; the last joins the first.
    pub points_mm: Vec<[f64; 3]>,
}

/// Reads all closed planar contours; none if the header is no structure set. Contours with malformed numbers or fewer
/// than three points are left out.
#[must_use]
pub fn outlines(header: &Header) -> Vec<Outline> {
    let (names, references) = (roi_names(header), References::of(header));
    let rois = items(header, tags::ROI_CONTOUR_SEQUENCE).iter();
    rois.flat_map(|roi| roi_outlines(roi, &names, &references))
        .collect()
}

/// The series that a structure set refers to (PS3.3 C.8.8.5), and which of their images.
#[derive(Default)]
struct References {
    series: Vec<String>,
    series_of_image: HashMap<String, String>,
}

impl References {
    fn of(header: &Header) -> Self {
        let mut references = Self::default();
        let frames = items(header, tags::REFERENCED_FRAME_OF_REFERENCE_SEQUENCE).iter();
        let studies = frames.flat_map(|frame| items(frame, tags::RT_REFERENCED_STUDY_SEQUENCE));
        for series in studies.flat_map(|study| items(study, tags::RT_REFERENCED_SERIES_SEQUENCE)) {
            let Some(uid) = text(series, tags::SERIES_INSTANCE_UID) else {
                continue;
            };
            for image in items(series, tags::CONTOUR_IMAGE_SEQUENCE) {
                if let Some(image) = text(image, tags::REFERENCED_SOP_INSTANCE_UID) {
                    references.series_of_image.insert(image, uid.clone());
                }
            }
            references.series.push(uid);
        }
        references
    }

    /// The series of an image, or the only series there is.
    fn series(&self, image: Option<&String>) -> Option<String> {
        let named = image.and_then(|image| self.series_of_image.get(image));
        let only = || self.series.first().filter(|_| self.series.len() == 1);
        named.or_else(only).cloned()
    }
}

fn roi_names(header: &Header) -> HashMap<i32, String> {
    let rois = items(header, tags::STRUCTURE_SET_ROI_SEQUENCE).iter();
    rois.filter_map(|roi| Some((whole(roi, tags::ROI_NUMBER)?, text(roi, tags::ROI_NAME)?)))
        .collect()
}

fn roi_outlines(
    roi: &Header,
    names: &HashMap<i32, String>,
    references: &References,
) -> Vec<Outline> {
    let Some(roi_number) = whole(roi, tags::REFERENCED_ROI_NUMBER) else {
        return Vec::new();
    };
    let color_rgb = vector(roi, tags::ROI_DISPLAY_COLOR).and_then(color);
    let contours = items(roi, tags::CONTOUR_SEQUENCE)
        .iter()
        .filter(|contour| is_closed_planar(contour));
    let outline = |contour: &Header| {
        let referenced_instance_uid = referenced_instance(contour);
        Some(Outline {
            roi_number,
            roi_name: names.get(&roi_number).cloned().unwrap_or_default(),
            color_rgb,
            referenced_series_uid: references.series(referenced_instance_uid.as_ref()),
            referenced_instance_uid,
            points_mm: points(contour)?,
        })
    };
    contours.filter_map(outline).collect()
}

fn is_closed_planar(contour: &Header) -> bool {
    let kind = text(contour, tags::CONTOUR_GEOMETRIC_TYPE);
    matches!(kind.as_deref(), Some("CLOSED_PLANAR" | "CLOSEDPLANAR_XOR"))
}

fn referenced_instance(contour: &Header) -> Option<String> {
    let image = items(contour, tags::CONTOUR_IMAGE_SEQUENCE).first()?;
    text(image, tags::REFERENCED_SOP_INSTANCE_UID)
}

fn points(contour: &Header) -> Option<Vec<[f64; 3]>> {
    let numbers = numbers(contour, tags::CONTOUR_DATA)?;
    let (points, rest) = numbers.as_chunks::<3>();
    (points.len() >= 3 && rest.is_empty()).then(|| points.to_vec())
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be within 0..=255"
)]
fn color(values: [f64; 3]) -> Option<[u8; 3]> {
    values
        .iter()
        .all(|value| (0.0..=255.0).contains(value))
        .then(|| values.map(|value| value as u8))
}

impl Outline {
    /// Whether every corner lies within `tolerance_mm` of the slice plane. References to images go stale when a series
    /// is resampled or re-exported, so viewers need this: half the distance of slices is a good tolerance.
    #[must_use]
    pub fn lies_on(&self, slice: &Geometry, tolerance_mm: f64) -> bool {
        self.points_mm
            .iter()
            .all(|point| slice.distance_mm(*point).abs() <= tolerance_mm)
    }
}

/// Where the pixels of a slice lie in the patient (PS3.3 C.7.6.2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Geometry {
    /// Centre of the first pixel, in mm.
    pub position_mm: [f64; 3],
    /// Unit vectors along a row (towards higher columns) and along a column (towards higher rows).
    pub orientation: [f64; 6],
    /// Distance between rows, then between columns, in mm.
    pub spacing_mm: [f64; 2],
}

impl Geometry {
    /// The geometry of an image; `None` if part of it is unknown or its directions are not unit vectors at right angles.
    #[must_use]
    pub fn of(summary: &Summary) -> Option<Self> {
        let geometry = Self {
            position_mm: summary.image_position_mm?,
            orientation: summary.image_orientation?,
            spacing_mm: summary.pixel_spacing_mm?,
        };
        geometry.is_orthonormal().then_some(geometry)
    }

    fn directions(&self) -> ([f64; 3], [f64; 3]) {
        let [a, b, c, d, e, f] = self.orientation;
        ([a, b, c], [d, e, f])
    }

    pub(crate) fn is_orthonormal(&self) -> bool {
        /// Decimal strings of 16 characters and tilted gantries leave errors of this size.
        const TOLERANCE: f64 = 1e-3;
        let (row, column) = self.directions();
        let errors = [
            dot(row, row) - 1.0,
            dot(column, column) - 1.0,
            dot(row, column),
        ];
        errors.iter().all(|error| error.abs() < TOLERANCE)
    }

    /// Distance of a point from the slice plane in mm, positive towards the cross product of its directions.
    #[must_use]
    pub fn distance_mm(&self, point_mm: [f64; 3]) -> f64 {
        let ([a, b, c], [d, e, f]) = self.directions();
        let normal = [b * f - c * e, c * d - a * f, a * e - b * d];
        dot(minus(point_mm, self.position_mm), normal)
    }
}

/// Projects points onto a slice: `[column, row]`, where `[0, 0]` is the centre of the first pixel.
#[must_use]
pub fn to_pixels(points_mm: &[[f64; 3]], geometry: &Geometry) -> Vec<[f64; 2]> {
    let (along_row, along_column) = geometry.directions();
    let [row_spacing, column_spacing] = geometry.spacing_mm;
    let project = |point: &[f64; 3]| {
        let offset = minus(*point, geometry.position_mm);
        [
            dot(offset, along_row) / column_spacing,
            dot(offset, along_column) / row_spacing,
        ]
    };
    points_mm.iter().map(project).collect()
}

fn dot([a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> f64 {
    a * x + b * y + c * z
}

fn minus([a, b, c]: [f64; 3], [x, y, z]: [f64; 3]) -> [f64; 3] {
    [a - x, b - y, c - z]
}
