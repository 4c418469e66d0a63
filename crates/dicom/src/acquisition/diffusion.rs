//! Diffusion weighting: the standard's attribute, of a header or of each frame; where there is none, the private elements that PS3.15 table
//! E.3.10-1 knows to be safe, as far as de-identification has left them.

use dicom_dictionary_std::tags;

use super::private_number;
use crate::attributes::{items, number, text};
use crate::instance::Header;
use crate::planes::MAX_PLACED_FRAMES;

/// Group, private creator and element of Siemens, GE and Philips.
const PRIVATE: [(u16, &str, u16); 3] = [
    (0x0019, "SIEMENS MR HEADER", 0x0c),
    (0x0043, "GEMS_PARM_01", 0x39),
    (0x2001, "Philips Imaging DD 001", 0x03),
];
/// GE adds this to weightings of some sequences.
const GE_OFFSET: f64 = 1e9;
/// No scanner weights more; above, it is no weighting.
const MAX_B_VALUE: f64 = 100_000.0;

/// The largest weighting of a header, in seconds a square millimetre.
pub(super) fn largest_b_value(header: &Header) -> Option<f64> {
    let shared = items(header, tags::SHARED_FUNCTIONAL_GROUPS_SEQUENCE);
    let frames = items(header, tags::PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE);
    let groups = shared.iter().chain(frames.iter().take(MAX_PLACED_FRAMES));
    let of_group = |group| {
        let diffusion = items(group, tags::MR_DIFFUSION_SEQUENCE).first()?;
        number(diffusion, tags::DIFFUSION_B_VALUE)
    };
    let standard = groups
        .filter_map(of_group)
        .chain(number(header, tags::DIFFUSION_B_VALUE));
    let largest = standard.filter(is_possible).reduce(f64::max);
    largest.or_else(|| is_mr(header).then(|| private(header))?)
}

fn is_mr(header: &Header) -> bool {
    text(header, tags::MODALITY).as_deref() == Some("MR")
}

fn private(header: &Header) -> Option<f64> {
    let found = PRIVATE.iter().filter_map(|(group, creator, element)| {
        private_number(header, *group, creator, *element).map(|value| value % GE_OFFSET)
    });
    found.filter(is_possible).reduce(f64::max)
}

fn is_possible(value: &f64) -> bool {
    (0.0..=MAX_B_VALUE).contains(value)
}
