//! What rules are asked of: one series, its instances by their rows, the attributes of one of them, and what else is known.

use serde::{Deserialize, Serialize};

use crate::attributes::Attributes;

/// Where an image lies in the patient (PS3.3 C.7.6.2).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Plane {
    /// Centre of the first pixel.
    pub position_mm: [f64; 3],
    /// Direction along a row, then along a column.
    pub orientation: [f64; 6],
    /// Distance between rows, then between columns.
    pub spacing_mm: [f64; 2],
}

impl Plane {
    /// The slice normal.
    #[must_use]
    pub fn normal(&self) -> [f64; 3] {
        let [a, b, c, d, e, f] = self.orientation;
        [b * f - c * e, c * d - a * f, a * e - b * d]
    }

    /// How far the first pixel lies along a direction.
    #[must_use]
    pub fn depth_along(&self, normal: [f64; 3]) -> f64 {
        self.position_mm
            .iter()
            .zip(normal)
            .map(|(position, direction)| position * direction)
            .sum()
    }
}

/// One instance, as its row says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct InstanceFacts {
    /// SOP Instance UID, mapped.
    pub uid: String,
    /// SOP Class UID.
    pub sop_class: String,
    /// Instance Number.
    pub number: Option<i64>,
    /// Where it lies; for multi-frame images the planes stand in [`SeriesFacts::frames`].
    pub plane: Option<Plane>,
    /// Pixel rows and columns; zeros where there are no pixels.
    pub matrix: [u32; 2],
    /// Frames that can be shown.
    pub frames: u32,
    /// Whether there are pixels.
    pub has_pixels: bool,
    /// Whether frames can be found in the pixels.
    pub is_readable: bool,
}

/// Frames whose planes are read.
const MAX_FRAMES: usize = 8192;

/// Planes of the frames of a multi-frame image (PS3.3 C.7.6.16.2.1, C.7.6.16.2.3, C.7.6.16.2.4).
#[must_use]
pub fn frame_planes(attributes: &Attributes) -> Vec<Plane> {
    const SHARED: &str = "52009229";
    const PER_FRAME: &str = "52009230";
    let shared = attributes.items(SHARED).into_iter().next();
    let frames = attributes.items(PER_FRAME).into_iter().take(MAX_FRAMES);
    let plane = |frame: Attributes| {
        let group = |tag: &str| {
            let own = frame.items(tag).into_iter().next();
            own.or_else(|| shared.as_ref()?.items(tag).into_iter().next())
        };
        Some(Plane {
            position_mm: group("00209113")?.vector("00200032")?,
            orientation: group("00209116")?.vector("00200037")?,
            spacing_mm: group("00289110")?.vector("00280030")?,
        })
    };
    frames.filter_map(plane).collect()
}

/// Series that a segmentation (PS3.3 C.12.4) or a structure set (PS3.3 C.8.8.5) points at, with the instances named there.
#[must_use]
pub fn referenced_series(attributes: &Attributes) -> Vec<(String, Vec<String>)> {
    const SERIES_UID: &str = "0020000E";
    const INSTANCE_UID: &str = "00081155";
    let below = |items: Vec<Attributes>, tag: &str| -> Vec<Attributes> {
        items.iter().flat_map(|item| item.items(tag)).collect()
    };
    let studies = below(attributes.items("30060010"), "30060012");
    let of_structures = below(studies, "30060014");
    let of_segmentation = attributes.items("00081115");
    let series = [(of_segmentation, "0008114A"), (of_structures, "30060016")];
    let mut found = Vec::new();
    for (items, images) in series {
        for item in items {
            let uids = item
                .items(images)
                .iter()
                .filter_map(|image| image.text(INSTANCE_UID))
                .collect();
            found.extend(item.text(SERIES_UID).map(|series| (series, uids)));
        }
    }
    found
}

/// Another series with the same or nearly the same pixels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Twin {
    /// The other series, mapped.
    pub series_uid: String,
    /// Instances whose pixels are the same byte by byte; zero when the series only look alike.
    pub same_instances: u64,
}

/// A series that a segmentation or structure set points at.
#[derive(Debug, Clone, PartialEq)]
pub struct ReferencedSeries {
    /// The series, mapped.
    pub series_uid: String,
    /// What is kept of it; `None` when it is not here.
    pub kept: Option<KeptSeries>,
}

/// What a segmentation is compared with.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KeptSeries {
    /// Its frame of reference.
    pub frame_of_reference: Option<String>,
    /// The plane of its first slice.
    pub plane: Option<Plane>,
    /// Its matrix.
    pub matrix: [u32; 2],
    /// Whether all instances that are pointed at are among its own.
    pub has_all_instances: bool,
}

/// A series with all that rules ask about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SeriesFacts {
    /// Its instances, in viewing order.
    pub instances: Vec<InstanceFacts>,
    /// Attributes of the instance in the middle.
    pub attributes: Attributes,
    /// Planes of the frames of that instance, when it is multi-frame.
    pub frames: Vec<Plane>,
    /// Other series with the same pixels.
    pub twins: Vec<Twin>,
    /// What it points at, when it is a segmentation or a structure set.
    pub references: Vec<ReferencedSeries>,
}

impl SeriesFacts {
    /// Modality, in capital letters.
    #[must_use]
    pub fn modality(&self) -> String {
        self.attributes.word("00080060").unwrap_or_default()
    }

    /// SOP class of the instance in the middle.
    #[must_use]
    pub fn sop_class(&self) -> &str {
        let middle = self.instances.get(self.instances.len() / 2);
        middle.map_or("", |instance| &instance.sop_class)
    }

    /// Whether its images are slices of a body: CT, MR and PET.
    #[must_use]
    pub fn is_cross_sectional(&self) -> bool {
        let is_image = self.instances.iter().any(|instance| instance.has_pixels);
        is_image && matches!(self.modality().as_str(), "CT" | "MR" | "PT")
    }
}
