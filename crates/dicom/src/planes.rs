//! Where each frame of an instance lies in the patient: the image plane of a single-frame image (PS3.3 C.7.6.2), or the
//! plane functional groups of a multi-frame one (PS3.3 C.7.6.16.2.1, C.7.6.16.2.3, C.7.6.16.2.4).
//!
//! Not here: tiles of whole slides, and grids that are given as offsets (RT Dose).

use dicom_dictionary_std::tags;

use crate::attributes::{items, text, vector};
use crate::instance::Header;
use crate::outlines::Geometry;

/// Frames whose places are read: the most that a scan lets through, so that nothing is cut off.
pub const MAX_PLACED_FRAMES: usize = 65_536;

/// The plane of each frame, in order; one of a header without functional groups.
#[must_use]
pub fn planes(header: &Header) -> Vec<Option<Geometry>> {
    let groups = FunctionalGroups::of(header);
    if groups.frames.is_empty() {
        return vec![plane_in(header, header, header)];
    }
    let frames = groups.frames.iter().take(MAX_PLACED_FRAMES);
    frames.map(|frame| groups.plane(frame)).collect()
}

/// Frame of Reference UID (0020,0052).
#[must_use]
pub fn frame_of_reference(header: &Header) -> Option<String> {
    text(header, tags::FRAME_OF_REFERENCE_UID)
}

/// The functional groups of a multi-frame instance: those that all frames share, and those of each frame.
#[derive(Debug, Clone, Copy)]
pub struct FunctionalGroups<'a> {
    shared: Option<&'a Header>,
    /// One item a frame, in order; empty where there are none.
    pub frames: &'a [Header],
}

impl<'a> FunctionalGroups<'a> {
    /// Those of a header, which may have none.
    #[must_use]
    pub fn of(header: &'a Header) -> Self {
        Self {
            shared: items(header, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE).first(),
            frames: items(header, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE),
        }
    }

    /// The first item of a group: the frame's own, else the one of all frames.
    #[must_use]
    pub fn group(&self, frame: &'a Header, tag: dicom_core::Tag) -> Option<&'a Header> {
        let own = items(frame, tag).first();
        own.or_else(|| items(self.shared?, tag).first())
    }

    pub(crate) fn plane(&self, frame: &'a Header) -> Option<Geometry> {
        plane_in(
            self.group(frame, tags::PLANE_POSITION_SEQUENCE)?,
            self.group(frame, tags::PLANE_ORIENTATION_SEQUENCE)?,
            self.group(frame, tags::PIXEL_MEASURES_SEQUENCE)?,
        )
    }
}

fn plane_in(position: &Header, orientation: &Header, measures: &Header) -> Option<Geometry> {
    let geometry = Geometry {
        position_mm: vector(position, tags::IMAGE_POSITION_PATIENT)?,
        orientation: vector(orientation, tags::IMAGE_ORIENTATION_PATIENT)?,
        spacing_mm: vector(measures, tags::PIXEL_SPACING)?,
    };
    let has_size = geometry.spacing_mm.iter().all(|spacing| *spacing > 0.0);
    (has_size && geometry.is_orthonormal()).then_some(geometry)
}
