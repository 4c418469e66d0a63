//! Lossless JPEG with Huffman codes: process 14, every predictor, 2 to 16 bits (ITU-T T.81 annex H; PS3.5 A.4.1).

use super::bits::{Bits, Huffman};
use super::segments::{Scan, Segments};
use crate::{DecodeError, FrameFormat, Samples};

/// The difference category without further bits (T.81 table H.2).
const WRAPPED: u8 = 16;

/// Decodes all scans of a frame whose size was checked.
pub(super) fn decode(format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let mut segments = Segments::new(bytes);
    let count = usize::try_from(format.sample_count()).map_err(|_| DecodeError::Damaged)?;
    let mut samples = vec![0_u16; count];
    let mut seen = vec![false; usize::from(format.samples_per_pixel)];
    while let Some(scan) = segments.next_scan()? {
        decode_scan(format, &segments, &scan, bytes, &mut samples)?;
        for scanned in &scan.components {
            *seen
                .get_mut(scanned.component)
                .ok_or(DecodeError::Damaged)? = true;
        }
        if seen.iter().all(|seen| *seen) {
            return Ok(format.write(samples.into_iter()));
        }
    }
    Err(DecodeError::Damaged)
}

/// What one scan needs for each sample.
struct Rules<'a> {
    tables: Vec<(usize, &'a Huffman)>,
    selection: u8,
    shift: u8,
    /// The prediction where there is no neighbour (T.81 H.1.2.1).
    start: i32,
    /// Samples of a pixel and of a row.
    pixel: usize,
    row: usize,
}

fn decode_scan(
    format: &FrameFormat,
    segments: &Segments,
    scan: &Scan,
    bytes: &[u8],
    samples: &mut [u16],
) -> Result<(), DecodeError> {
    let rules = rules(format, segments, scan)?;
    let mut bits = Bits::new(bytes, scan.data_at);
    let rows = usize::from(format.rows);
    let rows_of_interval = match segments.restart_interval {
        0 => rows,
        interval if interval % usize::from(format.columns) == 0 => {
            interval / usize::from(format.columns)
        }
        // T.81 H.1.1 wants whole rows.
        _ => return Err(DecodeError::Unsupported("a restart inside a row")),
    };
    for row in 0..rows {
        let is_first = row % rows_of_interval == 0;
        if is_first && row > 0 {
            bits.restart()?;
        }
        decode_row(&rules, &mut bits, samples, row * rules.row, is_first)?;
        bits.check()?;
    }
    Ok(())
}

fn rules<'a>(
    format: &FrameFormat,
    segments: &'a Segments,
    scan: &Scan,
) -> Result<Rules<'a>, DecodeError> {
    let frame = segments.frame.as_ref().ok_or(DecodeError::Damaged)?;
    if frame
        .components
        .iter()
        .any(|c| (c.across, c.down) != (1, 1))
    {
        return Err(DecodeError::Unsupported(
            "lossless JPEG with fewer colour samples",
        ));
    }
    let table = |at: usize| segments.dc.get(at)?.as_ref();
    let tables: Option<Vec<_>> = scan
        .components
        .iter()
        .map(|scanned| Some((scanned.component, table(scanned.dc)?)))
        .collect();
    let sound = (1..=7).contains(&scan.selection) && scan.point_transform < frame.precision;
    let pixel = usize::from(format.samples_per_pixel);
    sound.then_some(()).ok_or(DecodeError::Damaged)?;
    Ok(Rules {
        tables: tables.ok_or(DecodeError::Damaged)?,
        selection: scan.selection,
        shift: scan.point_transform,
        start: 1 << (frame.precision - scan.point_transform - 1),
        pixel,
        row: pixel * usize::from(format.columns),
    })
}

/// Decodes the row that starts at `at`; the first of an interval has no row above.
fn decode_row(
    rules: &Rules,
    bits: &mut Bits,
    samples: &mut [u16],
    at: usize,
    is_first: bool,
) -> Result<(), DecodeError> {
    for pixel in (at..at + rules.row).step_by(rules.pixel) {
        for (component, table) in &rules.tables {
            let place = pixel + component;
            let known = |back: usize| i32::from(samples[place - back] >> rules.shift);
            let prediction = match (is_first, pixel == at) {
                (true, true) => rules.start,
                (true, false) => known(rules.pixel),
                (false, true) => known(rules.row),
                (false, false) => predict(
                    rules.selection,
                    known(rules.pixel),
                    known(rules.row),
                    known(rules.row + rules.pixel),
                ),
            };
            let difference = match table.next(bits)? {
                WRAPPED => 1 << 15,
                size @ 0..WRAPPED => bits.signed(size.into()),
                _ => return Err(DecodeError::Damaged),
            };
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "T.81 H.1.2.1 counts modulo 65536"
            )]
            let value = (prediction + difference) as u16;
            samples[place] = value << rules.shift;
        }
    }
    Ok(())
}

/// T.81 table H.1: from the neighbours to the left, above, and above left.
fn predict(selection: u8, left: i32, above: i32, corner: i32) -> i32 {
    match selection {
        1 => left,
        2 => above,
        3 => corner,
        4 => left + above - corner,
        5 => left + ((above - corner) >> 1),
        6 => above + ((left - corner) >> 1),
        _ => (left + above) >> 1,
    }
}
