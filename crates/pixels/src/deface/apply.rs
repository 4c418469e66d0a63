//! A slice without the part of it that is face.

use arno_codecs::Decoder;
use arno_dicom::frames::PixelFormat;
use arno_dicom::{FrameLayout, Instance, PixelElement};
use dicom_core::value::PrimitiveValue;
use dicom_core::{DataElement, VR};
use dicom_dictionary_std::tags;

use super::WhyNot;
use super::coarse::{place, rescale};
use super::cut::Cut;
use super::space::{Axes, dot, minus, scaled};
use crate::blacken::{GONE, native};

/// Air, in Hounsfield units.
const AIR_HU: f64 = -1000.0;

/// A slice whose part of the face is air.
#[derive(Debug, Clone)]
pub struct Defaced {
    /// The instance: in Explicit VR Little Endian where its frame was compressed or big endian, else as it was.
    pub instance: Instance,
    /// Pixels that were overwritten, air in front of the face among them.
    pub pixels: u64,
}

/// Overwrites what of a single-frame CT or MR slice the cut takes: with air in CT, with zero in MR. What is not overwritten stays
/// to the bit.
///
/// # Errors
/// [`WhyNot`]: then nothing was overwritten.
pub fn deface(instance: &Instance, cut: &Cut, decoder: &dyn Decoder) -> Result<Defaced, WhyNot> {
    let geometry = place(&instance.header)?;
    let mut native = native(instance, decoder).map_err(|_| WhyNot::NotDecodable)?;
    let layout = FrameLayout::of(&native).map_err(|_| WhyNot::Pixels)?;
    let format = &layout.format;
    let width = match (
        format.bits_allocated,
        layout.count,
        format.samples_per_pixel,
    ) {
        (8, 1, 1) => 1,
        (16, 1, 1) => 2,
        _ => return Err(WhyNot::Pixels),
    };
    let fill = fill(&native, format).to_le_bytes();
    let pixels = native.pixels.take().ok_or(WhyNot::Pixels)?;
    let mut bytes = pixels.encoded.to_vec();
    let value = bytes.get_mut(pixels.value_offset..).ok_or(WhyNot::Pixels)?;

    let axes = Axes::new(cut.back, cut.up);
    let inward = |vector| [axes.back, axes.up, axes.left].map(|axis| dot(vector, axis));
    let [a, b, c, d, e, f] = geometry.orientation;
    let [between_rows, between_columns] = geometry.spacing_mm;
    let start = inward(minus(geometry.position_mm, cut.nasion_mm));
    let right = inward(scaled([a, b, c], between_columns));
    let down = inward(scaled([d, e, f], between_rows));
    let columns = usize::from(format.columns);
    let mut overwritten = 0;
    for row in 0..usize::from(format.rows) {
        for column in 0..columns {
            let at = |i: usize| start[i] + right[i] * column as f64 + down[i] * row as f64;
            if cut.takes_at(at(0), at(1), at(2)) {
                let first = (row * columns + column) * width;
                let pixel = value.get_mut(first..first + width).ok_or(WhyNot::Pixels)?;
                pixel.copy_from_slice(&fill[..width]);
                overwritten += 1;
            }
        }
    }
    native.pixels = Some(PixelElement {
        encoded: bytes.into(),
        ..pixels
    });
    if overwritten > 0 {
        for tag in GONE {
            native.header.remove_element(tag);
        }
        mark_as_derived(&mut native);
    }
    Ok(Defaced {
        instance: native,
        pixels: overwritten,
    })
}

/// The stored value of air, within what the stored bits can say.
fn fill(instance: &Instance, format: &PixelFormat) -> i32 {
    let modality = instance.header.get(tags::MODALITY);
    let is_ct = modality
        .and_then(|one| one.to_str().ok())
        .is_some_and(|one| one.trim() == "CT");
    let [slope, intercept] = rescale(&instance.header);
    let air = match is_ct {
        true => (AIR_HU - intercept) / slope,
        false => 0.0,
    };
    let (least, most) = match format.signed {
        true => (
            -(1_i64 << (format.bits_stored - 1)),
            (1_i64 << (format.bits_stored - 1)) - 1,
        ),
        false => (0, (1_i64 << format.bits_stored) - 1),
    };
    air.round().clamp(least as f64, most as f64) as i32
}

/// Image Type (0008,0008), first value: pixels are no longer the scanner's (PS3.3 C.7.6.1.1.2).
fn mark_as_derived(instance: &mut Instance) {
    let Some(types) = instance.header.get(tags::IMAGE_TYPE) else {
        return;
    };
    let Ok(types) = types.to_multi_str() else {
        return;
    };
    // Values set by a program may still be joined.
    let types = types.join("\\");
    let others = types.split('\\').skip(1).map(str::to_owned);
    let types: Vec<String> = std::iter::once("DERIVED".to_owned())
        .chain(others)
        .collect();
    instance.header.put(DataElement::new(
        tags::IMAGE_TYPE,
        VR::CS,
        PrimitiveValue::Strs(types.into()),
    ));
}
