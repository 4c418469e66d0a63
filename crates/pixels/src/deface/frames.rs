//! The frames of an instance: where each lies, and what its numbers mean; of multi-frame ones by their functional groups
//! (PS3.3 C.7.6.16.2).
//!
//! Not here: what is done with the pixels.

use std::sync::atomic::{AtomicUsize, Ordering};

use arno_dicom::planes::{FunctionalGroups, planes};
use arno_dicom::{Geometry, Header};
use dicom_core::Tag;
use dicom_dictionary_std::tags;

use super::WhyNot;
use super::stack::MOST_SLICES;

/// One frame in the patient.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlacedFrame {
    pub(super) geometry: Geometry,
    /// Slope and intercept.
    pub(super) rescale: [f64; 2],
}

/// All frames of an instance that has so many, in order. Each must say where it lies.
pub(super) fn placed(header: &Header, count: u32) -> Result<Vec<PlacedFrame>, WhyNot> {
    let groups = FunctionalGroups::of(header);
    let planes = planes(header);
    if u32::try_from(planes.len()) != Ok(count) {
        return Err(WhyNot::NoPlace);
    }
    let frame = |(at, plane): (usize, &Option<Geometry>)| {
        let own = groups.frames.get(at);
        let transformation =
            own.and_then(|own| groups.group(own, tags::PIXEL_VALUE_TRANSFORMATION_SEQUENCE));
        Some(PlacedFrame {
            geometry: (*plane)?,
            rescale: rescale(transformation.unwrap_or(header)),
        })
    };
    let frames: Option<Vec<PlacedFrame>> = planes.iter().enumerate().map(frame).collect();
    frames.ok_or(WhyNot::NoPlace)
}

/// Slope and intercept (PS3.3 C.7.6.16.2.9, C.8.2.1).
fn rescale(header: &Header) -> [f64; 2] {
    let number = |tag: Tag| header.get(tag).and_then(|one| one.to_float64().ok());
    let slope = number(tags::RESCALE_SLOPE).filter(|slope| slope.is_finite() && *slope != 0.0);
    let intercept = number(tags::RESCALE_INTERCEPT).filter(|one| one.is_finite());
    [slope.unwrap_or(1.0), intercept.unwrap_or(0.0)]
}

/// How many slices of a series may still be looked at, by however many threads: an instance can have thousands of frames.
#[derive(Debug)]
pub struct SliceBudget {
    left: AtomicUsize,
}

impl Default for SliceBudget {
    fn default() -> Self {
        Self {
            left: AtomicUsize::new(MOST_SLICES),
        }
    }
}

impl SliceBudget {
    pub(super) fn spend(&self, slices: usize) -> Result<(), WhyNot> {
        let spent = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| {
                left.checked_sub(slices)
            });
        spent.map(|_| ()).map_err(|_| WhyNot::TooLarge)
    }
}
