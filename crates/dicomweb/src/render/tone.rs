//! Samples to shades: every value that a sample can have is looked up once, then each pixel is one step (PS3.3 C.11.2.1).

use arno_dicom::Frame;

use super::{Look, Lut};
use crate::rendered::{Shape, Window};

/// Shades of a grey frame.
pub(super) fn grey(frame: &Frame, look: &Look, asked: Option<Window>) -> Vec<u8> {
    match (frame.float, frame.bytes_per_sample) {
        (false, 1) => by_table(frame, look, asked, |bytes| u32::from(bytes[0]), 1 << 8),
        (false, 2) => {
            let index = |bytes: &[u8]| u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
            by_table(frame, look, asked, index, 1 << 16)
        }
        _ => one_by_one(frame, look, asked),
    }
}

/// Shades of an RGB frame: 8 bits as they are, wider samples by their upper bits. Windows are for grey values.
pub(super) fn colour(frame: &Frame, look: &Look) -> Vec<u8> {
    let width = usize::from(frame.bytes_per_sample.max(1));
    if width == 1 {
        return frame.bytes.clone();
    }
    // Colour of a palette has 16 bits whatever the index has.
    let shift = u32::from(look.bits_stored.clamp(9, 16)) - 8;
    let narrow = |bytes: &[u8]| match bytes {
        [low, high] => u8::try_from(u16::from_le_bytes([*low, *high]) >> shift).unwrap_or(u8::MAX),
        wider => wider.last().copied().unwrap_or_default(),
    };
    frame.bytes.chunks_exact(width).map(narrow).collect()
}

fn by_table(
    frame: &Frame,
    look: &Look,
    asked: Option<Window>,
    index: impl Fn(&[u8]) -> u32,
    size: u32,
) -> Vec<u8> {
    let value_at = |index: u32| {
        let sample = match (frame.signed, index >= size / 2) {
            (true, true) => f64::from(index) - f64::from(size),
            _ => f64::from(index),
        };
        modality_value(look, sample)
    };
    let samples = frame
        .bytes
        .chunks_exact(usize::from(frame.bytes_per_sample));
    let curve = Curve::of(look, asked, || {
        extremes(samples.clone().map(|bytes| value_at(index(bytes))))
    });
    let shades: Vec<u8> = (0..size)
        .map(|index| curve.shade(value_at(index)))
        .collect();
    samples.map(|bytes| shades[index(bytes) as usize]).collect()
}

/// Samples of 4 and 8 bytes, whole or IEEE 754.
fn one_by_one(frame: &Frame, look: &Look, asked: Option<Window>) -> Vec<u8> {
    let sample = |bytes: &[u8]| modality_value(look, wide_sample(bytes, frame));
    let samples = frame
        .bytes
        .chunks_exact(usize::from(frame.bytes_per_sample.max(1)));
    let curve = Curve::of(look, asked, || extremes(samples.clone().map(sample)));
    samples.map(|bytes| curve.shade(sample(bytes))).collect()
}

#[allow(
    clippy::cast_precision_loss,
    reason = "a shade has 8 bits, a double 53"
)]
fn wide_sample(bytes: &[u8], frame: &Frame) -> f64 {
    match (bytes, frame.float, frame.signed) {
        (&[a, b, c, d], true, _) => f64::from(f32::from_le_bytes([a, b, c, d])),
        (&[a, b, c, d], false, true) => f64::from(i32::from_le_bytes([a, b, c, d])),
        (&[a, b, c, d], false, false) => f64::from(u32::from_le_bytes([a, b, c, d])),
        (&[a, b, c, d, e, f, g, h], float, signed) => {
            let bytes = [a, b, c, d, e, f, g, h];
            match (float, signed) {
                (true, _) => f64::from_le_bytes(bytes),
                (false, true) => i64::from_le_bytes(bytes) as f64,
                (false, false) => u64::from_le_bytes(bytes) as f64,
            }
        }
        _ => 0.0,
    }
}

fn modality_value(look: &Look, sample: f64) -> f64 {
    match &look.modality_lut {
        Some(lut) => f64::from(lut.entry(sample)),
        None => sample * look.slope + look.intercept,
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let finite = values.filter(|value| value.is_finite());
    finite.fold(
        (f64::INFINITY, f64::NEG_INFINITY),
        |(least, most), value| (least.min(value), most.max(value)),
    )
}

/// From modality values to shades.
struct Curve<'a> {
    kind: Kind<'a>,
    inverted: bool,
}

enum Kind<'a> {
    Window(Window),
    Lut(&'a Lut),
}

impl<'a> Curve<'a> {
    fn of(look: &'a Look, asked: Option<Window>, extremes: impl FnOnce() -> (f64, f64)) -> Self {
        let kind = match (asked.or(look.window), &look.voi_lut) {
            (Some(window), _) => Kind::Window(window),
            (None, Some(lut)) => Kind::Lut(lut),
            (None, None) => Kind::Window(whole_range(extremes())),
        };
        Self {
            kind,
            inverted: look.inverted,
        }
    }

    fn shade(&self, value: f64) -> u8 {
        let part = match &self.kind {
            Kind::Window(window) => part(window, value),
            Kind::Lut(lut) => {
                let most = (1_u32 << lut.bits) - 1;
                f64::from(lut.entry(value)) / f64::from(most)
            }
        };
        let part = if self.inverted { 1.0 - part } else { part };
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=255; no number is zero"
        )]
        let shade = (part.clamp(0.0, 1.0) * 255.0).round() as u8;
        shade
    }
}

/// From the least to the greatest value; one value alone is grey.
fn whole_range((least, most): (f64, f64)) -> Window {
    let (least, most) = if least <= most {
        (least, most)
    } else {
        (0.0, 0.0)
    };
    Window {
        center: least / 2.0 + most / 2.0,
        width: (most - least).max(f64::MIN_POSITIVE),
        shape: Shape::LinearExact,
    }
}

/// The formulas of PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2, from 0 to 1 and beyond.
fn part(window: &Window, value: f64) -> f64 {
    let Window {
        center,
        width,
        shape,
    } = *window;
    match shape {
        Shape::Linear if width <= 1.0 => {
            if value <= center - 0.5 {
                0.0
            } else {
                1.0
            }
        }
        Shape::Linear => (value - (center - 0.5)) / (width - 1.0) + 0.5,
        Shape::LinearExact => (value - center) / width + 0.5,
        Shape::Sigmoid => 1.0 / (1.0 + (-4.0 * (value - center) / width).exp()),
    }
}
