//! A region of a picture in another size (PS3.18 section 8.3.5.1.3): averages where it shrinks, between neighbours
//! where it grows, mirrored where a length is negative. The shape is kept: the picture fits into the viewport.

use std::ops::Range;

use super::Picture;
use crate::rendered::Viewport;

/// The picture, cut and fitted; nothing if the region does not touch it.
pub(super) fn fit(picture: &Picture, viewport: &Viewport) -> Option<Picture> {
    let region = viewport.region;
    let across = Span::of(region.x, region.width, picture.width)?;
    let down = Span::of(region.y, region.height, picture.height)?;
    let scale =
        (f64::from(viewport.width) / across.length).min(f64::from(viewport.height) / down.length);
    let columns = across.taps(edge(across.length * scale, viewport.width), picture.width);
    let rows = down.taps(edge(down.length * scale, viewport.height), picture.height);
    let narrow = horizontally(picture, &columns, &rows);
    Some(vertically(&narrow, &columns, &rows, picture.channels))
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "positive, and clamped to the viewport"
)]
fn edge(length: f64, most: u32) -> u32 {
    (length.round() as u32).clamp(1, most)
}

/// Part of an axis.
struct Span {
    start: f64,
    length: f64,
    mirrored: bool,
}

/// The pixels that one new pixel is made of, with their weights.
struct Tap {
    pixels: Range<usize>,
    weights: Vec<f32>,
}

impl Span {
    fn of(start: f64, length: Option<f64>, edge: u32) -> Option<Self> {
        let rest = f64::from(edge) - start;
        let asked = length.unwrap_or(rest);
        let length = asked.abs().min(rest);
        (rest > 0.0 && length > 0.0).then_some(Self {
            start,
            length,
            mirrored: asked < 0.0,
        })
    }

    fn taps(&self, count: u32, edge: u32) -> Vec<Tap> {
        let step = self.length / f64::from(count);
        // A tent as wide as the step, but never narrower than the way to the next pixel.
        let reach = step.max(1.0);
        let tap = |at: u32| {
            let at = if self.mirrored { count - 1 - at } else { at };
            Tap::around(self.start + (f64::from(at) + 0.5) * step - 0.5, reach, edge)
        };
        (0..count).map(tap).collect()
    }
}

impl Tap {
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "places within the picture; weights from 0 to 1"
    )]
    fn around(center: f64, reach: f64, edge: u32) -> Self {
        let last = f64::from(edge) - 1.0;
        let first = (center - reach).ceil().clamp(0.0, last) as usize;
        let end = (center + reach).floor().clamp(0.0, last) as usize + 1;
        let pixels = first..end.max(first + 1);
        #[allow(clippy::cast_precision_loss, reason = "edges have 16 bits")]
        let weight = |pixel: usize| (1.0 - (pixel as f64 - center).abs() / reach).max(0.0) as f32;
        let mut weights: Vec<f32> = pixels.clone().map(weight).collect();
        let sum: f32 = weights.iter().sum();
        if sum > 0.0 {
            weights.iter_mut().for_each(|weight| *weight /= sum);
        } else {
            weights.iter_mut().take(1).for_each(|weight| *weight = 1.0);
        }
        Self { pixels, weights }
    }
}

/// The rows that are needed, each in its new width.
fn horizontally(picture: &Picture, columns: &[Tap], rows: &[Tap]) -> Narrow {
    let first = rows
        .iter()
        .map(|tap| tap.pixels.start)
        .min()
        .unwrap_or_default();
    let end = rows
        .iter()
        .map(|tap| tap.pixels.end)
        .max()
        .unwrap_or_default();
    let channels = picture.channels as usize;
    let stride = picture.width as usize * channels;
    let mut values = Vec::with_capacity((end - first) * columns.len() * channels);
    for row in picture.bytes.chunks_exact(stride).take(end).skip(first) {
        for tap in columns {
            for channel in 0..channels {
                let sample = |pixel: usize| f32::from(row[pixel * channels + channel]);
                let weighted = tap.pixels.clone().zip(&tap.weights);
                values.push(
                    weighted
                        .map(|(pixel, weight)| sample(pixel) * weight)
                        .sum::<f32>(),
                );
            }
        }
    }
    Narrow { first, values }
}

/// Rows from `first` on in their new width.
struct Narrow {
    first: usize,
    values: Vec<f32>,
}

fn vertically(narrow: &Narrow, columns: &[Tap], rows: &[Tap], channels: u32) -> Picture {
    let stride = columns.len() * channels as usize;
    let mut bytes = Vec::with_capacity(stride * rows.len());
    let mut line = vec![0_f32; stride];
    for tap in rows {
        line.fill(0.0);
        for (row, weight) in tap.pixels.clone().zip(&tap.weights) {
            let start = (row - narrow.first) * stride;
            let values = &narrow.values[start..start + stride];
            for (sum, value) in line.iter_mut().zip(values) {
                *sum += value * weight;
            }
        }
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=255"
        )]
        bytes.extend(
            line.iter()
                .map(|value| value.round().clamp(0.0, 255.0) as u8),
        );
    }
    let edge = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Picture {
        width: edge(columns.len()),
        height: edge(rows.len()),
        channels,
        bytes,
    }
}
