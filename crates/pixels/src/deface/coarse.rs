//! Slices in small: what finding a face needs of a series, in a few megabytes.
//!
//! Pixels are averaged into cells of about two millimetres; of CT in Hounsfield units, of MR as stored.

use arno_codecs::Decoder;
use arno_dicom::{Frame, FrameLayout, Header, Instance};
use dicom_dictionary_std::tags;

use super::WhyNot;
use super::frames::{PlacedFrame, SliceBudget, placed};
use super::space::{V3, along, scaled};

/// Side of a cell: a nose has ten of them, and noise is averaged over some pixels.
const CELL_MM: f64 = 2.0;

/// To a side of a slice: half a metre of 2 mm each.
const MOST_CELLS: usize = 256;

/// What the numbers mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Hounsfield units.
    Ct,
    /// No unit.
    Mr,
}

/// A slice in small, with its place in the patient.
#[derive(Debug, Clone)]
pub struct CoarseSlice {
    pub(super) kind: Kind,
    /// Instance Number, to choose one of several at a place.
    pub(super) number: i64,
    /// Centre of the first cell.
    pub(super) origin: V3,
    /// From one cell to the next of its row.
    pub(super) along_row: V3,
    /// From one cell to the next of its column.
    pub(super) along_column: V3,
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
}

impl CoarseSlice {
    /// The slices of a CT or MR instance, one a frame; compressed ones are decoded with this decoder.
    ///
    /// # Errors
    /// [`WhyNot`]: then its series waits for a person.
    pub fn of(
        instance: &Instance,
        decoder: &dyn Decoder,
        budget: &SliceBudget,
    ) -> Result<Vec<Self>, WhyNot> {
        let header = &instance.header;
        let kind = kind(header)?;
        let layout = FrameLayout::of(instance).map_err(|_| WhyNot::Pixels)?;
        let format = &layout.format;
        let is_plain = format.samples_per_pixel == 1
            && format.photometric == "MONOCHROME2"
            && !format.float
            && matches!(format.bits_allocated, 8 | 16);
        if !is_plain {
            return Err(WhyNot::Pixels);
        }
        let frames = placed(header, layout.count)?;
        budget.spend(frames.len())?;
        let number = header.get(tags::INSTANCE_NUMBER);
        let number = number.and_then(|one| one.to_int().ok()).unwrap_or(0);
        let slice = |(at, placed): (u32, PlacedFrame)| {
            let frame = decoded(instance, &layout, at, decoder)?;
            Ok(Self {
                number,
                ..Self::averaged(kind, &placed, &frame)
            })
        };
        (0..).zip(frames).map(slice).collect()
    }

    /// Whole cells only: pixels left over at the far edges are less than a cell.
    fn averaged(kind: Kind, placed: &PlacedFrame, frame: &Frame) -> Self {
        let geometry = &placed.geometry;
        let [slope, intercept] = match kind {
            Kind::Ct => placed.rescale,
            Kind::Mr => [1.0, 0.0],
        };
        let [between_rows, between_columns] = geometry.spacing_mm;
        let high = pixels_per_cell(between_rows, frame.rows);
        let wide = pixels_per_cell(between_columns, frame.columns);
        let (rows, columns) = (
            usize::from(frame.rows) / high,
            usize::from(frame.columns) / wide,
        );
        let [a, b, c, d, e, f] = geometry.orientation;
        let (pixel_right, pixel_down) = (
            scaled([a, b, c], between_columns),
            scaled([d, e, f], between_rows),
        );
        let middle = |pixels: usize| (pixels as f64 - 1.0) / 2.0;
        let origin = along(geometry.position_mm, pixel_right, middle(wide));
        let mut values = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            for column in 0..columns {
                let pixels = (row * high..(row + 1) * high)
                    .flat_map(|y| (column * wide..(column + 1) * wide).map(move |x| (y, x)));
                let sum: f64 = pixels.map(|(y, x)| sample(frame, y, x)).sum();
                let mean = sum / (high * wide) as f64;
                values.push((mean * slope + intercept) as f32);
            }
        }
        Self {
            kind,
            number: 0,
            origin: along(origin, pixel_down, middle(high)),
            along_row: scaled(pixel_right, wide as f64),
            along_column: scaled(pixel_down, high as f64),
            rows,
            columns,
            values,
        }
    }
}

fn decoded(
    instance: &Instance,
    layout: &FrameLayout,
    at: u32,
    decoder: &dyn Decoder,
) -> Result<Frame, WhyNot> {
    let range = layout.range(at).map_err(|_| WhyNot::Pixels)?;
    let value = instance.pixels.as_ref().ok_or(WhyNot::Pixels)?.value();
    let within = |at: u64| usize::try_from(at).map_err(|_| WhyNot::Pixels);
    let bytes = value.get(within(range.start)?..within(range.end)?);
    let frame = layout.decode(at, bytes.ok_or(WhyNot::Pixels)?, decoder);
    frame.map_err(|_| WhyNot::NotDecodable)
}

fn pixels_per_cell(spacing_mm: f64, pixels: u16) -> usize {
    let least = usize::from(pixels).div_ceil(MOST_CELLS);
    ((CELL_MM / spacing_mm).round() as usize).max(least).max(1)
}

/// A sample as it is stored; zero where there is none, which a decoded frame does not have.
fn sample(frame: &Frame, row: usize, column: usize) -> f64 {
    let width = usize::from(frame.bytes_per_sample);
    let at = (row * usize::from(frame.columns) + column) * width;
    match (frame.bytes.get(at..at + width), frame.signed) {
        (Some([one]), false) => f64::from(*one),
        (Some([one]), true) => f64::from(one.cast_signed()),
        (Some([low, high]), false) => f64::from(u16::from_le_bytes([*low, *high])),
        (Some([low, high]), true) => f64::from(i16::from_le_bytes([*low, *high])),
        _ => 0.0,
    }
}

fn kind(header: &Header) -> Result<Kind, WhyNot> {
    let modality = header.get(tags::MODALITY);
    let modality = modality.and_then(|element| element.to_str().ok());
    match modality.as_deref().map(str::trim) {
        Some("CT") => Ok(Kind::Ct),
        Some("MR") => Ok(Kind::Mr),
        _ => Err(WhyNot::Modality),
    }
}
