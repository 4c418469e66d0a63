//! Slices without the part of them that is face.

use arno_codecs::Decoder;
use arno_dicom::frames::PixelFormat;
use arno_dicom::{FrameLayout, Instance, PixelElement};
use dicom_dictionary_std::tags;

use super::WhyNot;
use super::cut::Cut;
use super::derived::mark_as_derived;
use super::frames::{PlacedFrame, placed};
use super::space::{Axes, dot, minus, scaled};
use crate::blacken::{GONE, native};

/// Air, in Hounsfield units.
const AIR_HU: f64 = -1000.0;

/// An instance whose part of the face is air.
#[derive(Debug, Clone)]
pub struct Defaced {
    /// The instance: in Explicit VR Little Endian where its frames were compressed or big endian, else as it was.
    pub instance: Instance,
    /// Pixels that were overwritten, air in front of the face among them.
    pub pixels: u64,
}

/// Overwrites what of a CT or MR instance the cut takes, frame by frame: with air in CT, with zero in MR. What is not overwritten
/// stays to the bit.
///
/// # Errors
/// [`WhyNot`]: then nothing was overwritten.
pub fn deface(instance: &Instance, cut: &Cut, decoder: &dyn Decoder) -> Result<Defaced, WhyNot> {
    let mut native = native(instance, decoder).map_err(|_| WhyNot::NotDecodable)?;
    let layout = FrameLayout::of(&native).map_err(|_| WhyNot::Pixels)?;
    let format = &layout.format;
    if format.samples_per_pixel != 1 || !matches!(format.bits_allocated, 8 | 16) {
        return Err(WhyNot::Pixels);
    }
    let frames = placed(&native.header, layout.count)?;
    let is_ct = is_ct(&native);
    let pixels = native.pixels.take().ok_or(WhyNot::Pixels)?;
    let mut bytes = pixels.encoded.to_vec();
    let value = bytes.get_mut(pixels.value_offset..).ok_or(WhyNot::Pixels)?;
    let mut overwritten = Vec::with_capacity(frames.len());
    for (at, placed) in (0..).zip(&frames) {
        let range = layout.range(at).map_err(|_| WhyNot::Pixels)?;
        let within = |at: u64| usize::try_from(at).map_err(|_| WhyNot::Pixels);
        let frame = value.get_mut(within(range.start)?..within(range.end)?);
        let air = if is_ct { air(placed.rescale) } else { 0.0 };
        let fill = fill(air, format).to_le_bytes();
        overwritten.push(overwrite(
            frame.ok_or(WhyNot::Pixels)?,
            format,
            placed,
            cut,
            fill,
        )?);
    }
    native.pixels = Some(PixelElement {
        encoded: bytes.into(),
        ..pixels
    });
    let pixels: u64 = overwritten.iter().sum();
    if pixels > 0 {
        for tag in GONE {
            native.header.remove_element(tag);
        }
        let is_changed: Vec<bool> = overwritten.iter().map(|pixels| *pixels > 0).collect();
        mark_as_derived(&mut native.header, &is_changed);
    }
    Ok(Defaced {
        instance: native,
        pixels,
    })
}

/// Overwrites what of one frame the cut takes, and says how many pixels that were.
fn overwrite(
    frame: &mut [u8],
    format: &PixelFormat,
    placed: &PlacedFrame,
    cut: &Cut,
    fill: [u8; 4],
) -> Result<u64, WhyNot> {
    let width = usize::from(format.bits_allocated / 8);
    let axes = Axes::new(cut.back, cut.up);
    let inward = |vector| [axes.back, axes.up, axes.left].map(|axis| dot(vector, axis));
    let [a, b, c, d, e, f] = placed.geometry.orientation;
    let [between_rows, between_columns] = placed.geometry.spacing_mm;
    let start = inward(minus(placed.geometry.position_mm, cut.nasion_mm));
    let right = inward(scaled([a, b, c], between_columns));
    let down = inward(scaled([d, e, f], between_rows));
    let columns = usize::from(format.columns);
    let mut overwritten = 0;
    for row in 0..usize::from(format.rows) {
        for column in 0..columns {
            let at = |i: usize| start[i] + right[i] * column as f64 + down[i] * row as f64;
            if cut.takes_at(at(0), at(1), at(2)) {
                let first = (row * columns + column) * width;
                let pixel = frame.get_mut(first..first + width).ok_or(WhyNot::Pixels)?;
                pixel.copy_from_slice(&fill[..width]);
                overwritten += 1;
            }
        }
    }
    Ok(overwritten)
}

fn is_ct(instance: &Instance) -> bool {
    let modality = instance.header.get(tags::MODALITY);
    modality
        .and_then(|one| one.to_str().ok())
        .is_some_and(|one| one.trim() == "CT")
}

/// Air as it would be stored.
fn air([slope, intercept]: [f64; 2]) -> f64 {
    (AIR_HU - intercept) / slope
}

/// A stored value, within what the stored bits can say.
fn fill(value: f64, format: &PixelFormat) -> i32 {
    let (least, most) = match format.signed {
        true => (
            -(1_i64 << (format.bits_stored - 1)),
            (1_i64 << (format.bits_stored - 1)) - 1,
        ),
        false => (0, (1_i64 << format.bits_stored) - 1),
    };
    value.round().clamp(least as f64, most as f64) as i32
}
