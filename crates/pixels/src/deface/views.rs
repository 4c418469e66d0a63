//! A head from the front and from the side, as it is and as it would be without its face, for whoever decides about it.

use super::CoarseSlice;
use super::cut::Cut;
use super::grid::Grid;
use super::mask::Mask;
use super::space::{Axes, along};
use super::stack::Stack;
use crate::picture::Picture;

const CELL_MM: f64 = 2.0;
/// The box round the root of the nose that is shown: to both sides, ahead, in all from front to back, below, and in all from
/// bottom to top.
const ASIDE_MM: f64 = 104.0;
const AHEAD_MM: f64 = 56.0;
const DEEP_MM: f64 = 290.0;
const BELOW_MM: f64 = 156.0;
const HIGH_MM: f64 = 300.0;
/// Screen pixels of a cell.
const MAGNIFIED: usize = 2;

/// Looked at from where.
#[derive(Clone, Copy)]
enum Side {
    Front,
    Right,
}

/// One picture of four: from the front and from the right, above as it is, below without the face. Nothing where the slices
/// are no volume.
#[must_use]
pub fn face_views(slices: Vec<CoarseSlice>, cut: &Cut) -> Option<Picture> {
    let stack = Stack::of(slices).ok()?;
    let axes = Axes::new(cut.back, cut.up);
    let corner = along(cut.nasion_mm, axes.up, -BELOW_MM);
    let corner = along(along(corner, axes.back, -AHEAD_MM), axes.left, -ASIDE_MM);
    let extent = [2.0 * ASIDE_MM, DEEP_MM, HIGH_MM];
    let mut grid = Grid::sampled(&stack, axes, corner, extent, CELL_MM)?;
    let threshold = grid.threshold(stack.kind)?;
    let mut rows = surfaces(&grid, threshold);
    take_away(&mut grid, cut);
    rows.extend(surfaces(&grid, threshold));
    picture(&rows)
}

fn take_away(grid: &mut Grid, cut: &Cut) {
    for z in 0..grid.size.up {
        for y in 0..grid.size.back {
            for x in 0..grid.size.left {
                if cut.takes(grid.point(z, y, x)) {
                    let index = grid.index(z, y, x);
                    grid.values[index] = f32::NEG_INFINITY;
                }
            }
        }
    }
}

/// Lines of tones from the top down, both views beside each other.
fn surfaces(grid: &Grid, threshold: f32) -> Vec<Vec<u8>> {
    let mask = Mask::of(grid, threshold, 1, 1);
    let front = depths(grid, &mask, threshold, Side::Front);
    let right = depths(grid, &mask, threshold, Side::Right);
    let lines = shaded(&front).into_iter().zip(shaded(&right));
    lines
        .map(|(front, right)| [front, right].concat())
        .collect()
}

/// How many cells deep the surface lies, from the top down.
fn depths(grid: &Grid, mask: &Mask, threshold: f32, from: Side) -> Vec<Vec<Option<f64>>> {
    let (wide, deep) = match from {
        Side::Front => (grid.size.left, grid.size.back),
        Side::Right => (grid.size.back, grid.size.left),
    };
    let depth = |z: usize, across: usize| {
        let index = |into: usize| match from {
            Side::Front => grid.index(z, into, across),
            Side::Right => grid.index(z, across, into),
        };
        let first = (0..deep).find(|into| mask.cells[index(*into)])?;
        let here = grid.values[index(first)];
        let before = first
            .checked_sub(1)
            .map(|before| grid.values[index(before)]);
        let share = match before {
            Some(before) if before.is_finite() && before < threshold && threshold <= here => {
                (here - threshold) / (here - before)
            }
            _ => 0.0,
        };
        Some(first as f64 - f64::from(share))
    };
    let line = |z| (0..wide).map(|across| depth(z, across)).collect();
    (0..grid.size.up).rev().map(line).collect()
}

/// Lit from above where one looks from.
fn shaded(depths: &[Vec<Option<f64>>]) -> Vec<Vec<u8>> {
    let at = |line: usize, across: usize| depths.get(line)?.get(across).copied().flatten();
    let tone = |line: usize, across: usize| {
        let Some(here) = at(line, across) else {
            return 0;
        };
        let or_here = |depth: Option<f64>| depth.unwrap_or(here);
        let before = |place: usize| place.checked_sub(1);
        let left = or_here(before(across).and_then(|across| at(line, across)));
        let above = or_here(before(line).and_then(|line| at(line, across)));
        let aslant = (or_here(at(line, across + 1)) - left) / 2.0;
        let falls = (or_here(at(line + 1, across)) - above) / 2.0;
        let light = (1.0 - 0.4 * falls) / (1.0 + aslant * aslant + falls * falls).sqrt();
        (40.0 + 200.0 * light.clamp(0.0, 1.0)) as u8
    };
    let line = |line: usize| {
        (0..depths[line].len())
            .map(|across| tone(line, across))
            .collect()
    };
    (0..depths.len()).map(line).collect()
}

fn picture(lines: &[Vec<u8>]) -> Option<Picture> {
    let wide = lines.first()?.len() * MAGNIFIED;
    let mut bytes = Vec::with_capacity(wide * lines.len() * MAGNIFIED);
    for line in lines {
        let line: Vec<u8> = line
            .iter()
            .flat_map(|tone| std::iter::repeat_n(*tone, MAGNIFIED))
            .collect();
        (0..MAGNIFIED).for_each(|_| bytes.extend_from_slice(&line));
    }
    Some(Picture {
        rows: u16::try_from(lines.len() * MAGNIFIED).ok()?,
        columns: u16::try_from(wide).ok()?,
        bytes,
    })
}
