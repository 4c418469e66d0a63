//! Sequential DCT with Huffman codes, 8 or 12 bits (ITU-T T.81 annex F, processes 1, 2 and 4; PS3.5 A.4.1).

use std::f32::consts::FRAC_1_SQRT_2;

use super::bits::{Bits, Huffman};
use super::segments::{Component, Frame, Scan, Segments};
use crate::{DecodeError, FrameFormat, Samples};

/// Samples along a block.
const SIDE: usize = 8;

/// Where the n-th coefficient of the file stands in its block (T.81 figure A.6).
const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A component's samples, up to whole units of the frame.
struct Plane {
    component: Component,
    samples: Vec<u16>,
    /// Blocks that the component has, and that its rows hold.
    blocks: (usize, usize),
    blocks_across: usize,
}

/// Decodes all scans of a frame whose size was checked.
pub(super) fn decode(format: &FrameFormat, bytes: &[u8]) -> Result<Samples, DecodeError> {
    let frame = Segments::frame_of(bytes)?;
    let mut segments = Segments::new(bytes);
    let most = most(&frame);
    let mut planes: Vec<Plane> = frame
        .components
        .iter()
        .map(|c| plane(&frame, *c, most))
        .collect();
    let mut seen = vec![false; planes.len()];
    let idct = Idct::new();
    while let Some(scan) = segments.next_scan()? {
        let mut work = ScanWork::new(&frame, &segments, &scan, bytes, &idct)?;
        work.decode(&mut planes)?;
        for scanned in &scan.components {
            seen[scanned.component] = true;
        }
        if seen.iter().all(|seen| *seen) {
            return Ok(join(format, &planes, most));
        }
    }
    Err(DecodeError::Damaged)
}

/// Largest sampling factors: across, down.
fn most(frame: &Frame) -> (usize, usize) {
    let max = |factor: fn(&Component) -> u8| frame.components.iter().map(factor).max().unwrap_or(1);
    (max(|c| c.across).into(), max(|c| c.down).into())
}

fn plane(frame: &Frame, component: Component, most: (usize, usize)) -> Plane {
    let (across, down) = (usize::from(component.across), usize::from(component.down));
    let blocks = |pixels: u16, factor: usize, most: usize| {
        (usize::from(pixels) * factor).div_ceil(most).div_ceil(SIDE)
    };
    let units = |pixels: u16, most: usize| usize::from(pixels).div_ceil(most * SIDE);
    let blocks_across = units(frame.columns, most.0) * across;
    let blocks_down = units(frame.rows, most.1) * down;
    Plane {
        component,
        samples: vec![0; blocks_across * blocks_down * SIDE * SIDE],
        blocks: (
            blocks(frame.columns, across, most.0),
            blocks(frame.rows, down, most.1),
        ),
        blocks_across,
    }
}

/// Interleaves the planes, smaller ones after stretching.
fn join(format: &FrameFormat, planes: &[Plane], most: (usize, usize)) -> Samples {
    let size = (usize::from(format.columns), usize::from(format.rows));
    let full: Vec<Vec<u16>> = planes
        .iter()
        .map(|plane| stretched(plane, most, size))
        .collect();
    let samples = (0..size.0 * size.1).flat_map(|at| full.iter().map(move |plane| plane[at]));
    format.write(samples)
}

/// The plane at the size of the frame: between samples, which stand in the middle of the pixels that share them
/// (T.81 A.1.1), lies their weighted mean.
fn stretched(plane: &Plane, most: (usize, usize), (columns, rows): (usize, usize)) -> Vec<u16> {
    let (across, down) = (plane.component.across.into(), plane.component.down.into());
    let width = plane.blocks_across * SIDE;
    let horizontal = places(columns, across, most.0);
    let vertical = places(rows, down, most.1);
    let mut out = Vec::with_capacity(columns * rows);
    for (row, next_row, below) in &vertical {
        let [upper, lower] = [row, next_row].map(|row| &plane.samples[row * width..][..width]);
        for (column, next, right) in &horizontal {
            let mix = |line: &[u16]| {
                u64::from(line[*column]) * (WEIGHT - right) + u64::from(line[*next]) * right
            };
            let sum = mix(upper) * (WEIGHT - below) + mix(lower) * below;
            #[allow(
                clippy::cast_possible_truncation,
                reason = "a mean of 16-bit samples has 16 bits"
            )]
            out.push(((sum + WEIGHT * WEIGHT / 2) / (WEIGHT * WEIGHT)) as u16);
        }
    }
    out
}

/// Weights are 96ths: exact for samples that 1, 2, 3 or 4 pixels share.
const WEIGHT: u64 = 96;

/// For each pixel of a line the two samples next to it and the weight of the second.
fn places(pixels: usize, factor: usize, most: usize) -> Vec<(usize, usize, u64)> {
    let samples = (pixels * factor).div_ceil(most);
    let place = |pixel: usize| {
        // The middle of the pixel, less half a sample, in (2 × most)ths of a sample.
        let middle = ((2 * pixel + 1) * factor).saturating_sub(most);
        let (first, rest) = (middle / (2 * most), middle % (2 * most));
        let weight = u64::try_from(rest).unwrap_or(0) * WEIGHT;
        let first = first.min(samples - 1);
        (
            first,
            (first + 1).min(samples - 1),
            weight / (2 * most) as u64,
        )
    };
    (0..pixels).map(place).collect()
}

/// The tables of one component in a scan.
struct Tables<'a> {
    component: usize,
    dc: &'a Huffman,
    ac: &'a Huffman,
    quantisation: &'a [u16; 64],
    last_dc: i32,
}

struct ScanWork<'a> {
    tables: Vec<Tables<'a>>,
    bits: Bits<'a>,
    idct: &'a Idct,
    restart_interval: usize,
    precision: u8,
}

impl<'a> ScanWork<'a> {
    fn new(
        frame: &Frame,
        segments: &'a Segments,
        scan: &Scan,
        bytes: &'a [u8],
        idct: &'a Idct,
    ) -> Result<Self, DecodeError> {
        let tables = scan.components.iter().map(|scanned| {
            let component = frame.components.get(scanned.component)?;
            Some(Tables {
                component: scanned.component,
                dc: segments.dc.get(scanned.dc)?.as_ref()?,
                ac: segments.ac.get(scanned.ac)?.as_ref()?,
                quantisation: segments
                    .quantisation
                    .get(component.quantisation)?
                    .as_ref()?,
                last_dc: 0,
            })
        });
        Ok(Self {
            tables: tables.collect::<Option<_>>().ok_or(DecodeError::Damaged)?,
            bits: Bits::new(bytes, scan.data_at),
            idct,
            restart_interval: segments.restart_interval,
            precision: frame.precision,
        })
    }

    /// One component comes block by block, several unit by unit (T.81 A.2).
    fn decode(&mut self, planes: &mut [Plane]) -> Result<(), DecodeError> {
        let (across, down, single) = match self.tables.as_slice() {
            [only] => {
                let (across, down) = planes[only.component].blocks;
                (across, down, true)
            }
            _ => {
                let plane = &planes[self.tables[0].component];
                let blocks_down = plane.samples.len() / (SIDE * SIDE) / plane.blocks_across;
                let unit = |blocks: usize, factor: u8| blocks / usize::from(factor);
                let across = unit(plane.blocks_across, plane.component.across);
                (across, unit(blocks_down, plane.component.down), false)
            }
        };
        for unit in 0..across * down {
            if self.restart_interval > 0 && unit > 0 && unit % self.restart_interval == 0 {
                self.bits.restart()?;
                self.tables.iter_mut().for_each(|table| table.last_dc = 0);
            }
            for index in 0..self.tables.len() {
                let plane = &mut planes[self.tables[index].component];
                self.unit(index, plane, (unit % across, unit / across), single)?;
            }
            self.bits.check()?;
        }
        Ok(())
    }

    fn unit(
        &mut self,
        index: usize,
        plane: &mut Plane,
        (x, y): (usize, usize),
        single: bool,
    ) -> Result<(), DecodeError> {
        let (across, down) = match single {
            true => (1, 1),
            false => (plane.component.across.into(), plane.component.down.into()),
        };
        for block in 0..across * down {
            let coefficients = self.coefficients(index)?;
            let samples = self.idct.samples(&coefficients, self.precision);
            let (column, row) = (x * across + block % across, y * down + block / across);
            let width = plane.blocks_across * SIDE;
            let start = row * SIDE * width + column * SIDE;
            for (line, values) in samples.chunks(SIDE).enumerate() {
                plane.samples[start + line * width..][..SIDE].copy_from_slice(values);
            }
        }
        Ok(())
    }

    /// The coefficients of the next block, each multiplied by its step (T.81 F.2.2).
    fn coefficients(&mut self, index: usize) -> Result<[f32; 64], DecodeError> {
        let bits = &mut self.bits;
        let table = &mut self.tables[index];
        let mut block = [0.0; 64];
        let size = table.dc.next(bits)?;
        if size > 15 {
            return Err(DecodeError::Damaged);
        }
        table.last_dc = table.last_dc.wrapping_add(bits.signed(size.into()));
        block[0] = step(table.last_dc, table.quantisation[0]);
        let mut at = 1;
        while at < 64 {
            let code = table.ac.next(bits)?;
            match (code >> 4, code & 15) {
                (15, 0) => at += 16,
                (_, 0) => break,
                (zeros, size) => {
                    at += usize::from(zeros);
                    let place = *ZIGZAG.get(at).ok_or(DecodeError::Damaged)?;
                    block[usize::from(place)] =
                        step(bits.signed(size.into()), table.quantisation[at]);
                    at += 1;
                }
            }
        }
        Ok(block)
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "coefficients of 12-bit samples have 16 bits (T.81 F.1.2), steps 16: the loss is below a count"
)]
fn step(coefficient: i32, quantisation: u16) -> f32 {
    coefficient as f32 * f32::from(quantisation)
}

/// The inverse transform of T.81 A.3.3, once along each axis.
struct Idct {
    /// Weight of frequency `u` at place `x`: `[x][u]`.
    weights: [[f32; SIDE]; SIDE],
}

impl Idct {
    fn new() -> Self {
        let mut weights = [[0.0; SIDE]; SIDE];
        for (x, row) in (0_u8..).zip(&mut weights) {
            for (u, weight) in (0_u8..).zip(row) {
                let scale = if u == 0 { FRAC_1_SQRT_2 } else { 1.0 };
                let angle = f32::from((2 * x + 1) * u) * std::f32::consts::PI / 16.0;
                *weight = scale * angle.cos() / 2.0;
            }
        }
        Self { weights }
    }

    fn samples(&self, block: &[f32; 64], precision: u8) -> [u16; 64] {
        let half = self.along_rows(block);
        let full = self.along_rows(&half);
        let middle = f32::from(1_u16 << (precision - 1));
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to the range of the precision"
        )]
        full.map(|value| (value + middle).round().clamp(0.0, middle * 2.0 - 1.0) as u16)
    }

    /// Transforms each row and turns the block, so that a second call does the columns and turns it back.
    fn along_rows(&self, block: &[f32; 64]) -> [f32; 64] {
        let mut turned = [0.0; 64];
        for (y, row) in block.chunks(SIDE).enumerate() {
            for (x, weights) in self.weights.iter().enumerate() {
                turned[x * SIDE + y] = row.iter().zip(weights).map(|(c, w)| c * w).sum();
            }
        }
        turned
    }
}
