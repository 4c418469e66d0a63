//! A volume in cells along the directions of a head, and the number above which a cell is part of a body.

use super::coarse::Kind;
use super::space::{Axes, V3, along, dot, minus};
use super::stack::Stack;

/// Cells of one grid: 32 MB of numbers, and half a metre each way at 2.5 mm.
const MOST_CELLS: usize = 8_000_000;
/// Between air at -1000 and skin, in Hounsfield units: foam and hair stay below.
const SKIN_HU: f32 = -300.0;

/// Which cell: from below, from the front, from the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) up: usize,
    pub(super) back: usize,
    pub(super) left: usize,
}

impl Size {
    pub(super) fn cells(self) -> usize {
        self.up * self.back * self.left
    }

    pub(super) fn section(self) -> usize {
        self.back * self.left
    }
}

/// Values in cells; not a number where the stack has none.
#[derive(Debug)]
pub(super) struct Grid {
    pub(super) axes: Axes,
    /// Centre of the cell that is the lowest, in front, on the right.
    pub(super) corner: V3,
    pub(super) cell_mm: f64,
    pub(super) size: Size,
    pub(super) values: Vec<f32>,
}

impl Grid {
    /// All of a stack below `reach_mm` from its top, in the patient's directions.
    pub(super) fn whole(stack: &Stack, cell_mm: f64, reach_mm: f64) -> Option<Self> {
        let corners = stack.corners();
        let ends = |of: usize| {
            let parts = || corners.iter().map(|corner| corner[of]);
            (
                parts().fold(f64::INFINITY, f64::min),
                parts().fold(f64::NEG_INFINITY, f64::max),
            )
        };
        let ((right, left), (front, back), (bottom, top)) = (ends(0), ends(1), ends(2));
        let bottom = bottom.max(top - reach_mm);
        let extent = [left - right, back - front, top - bottom];
        Self::sampled(
            stack,
            Axes::PATIENT,
            [right, front, bottom],
            extent,
            cell_mm,
        )
    }

    /// A box of a stack: from its corner on, so far towards left, back and top.
    pub(super) fn sampled(
        stack: &Stack,
        axes: Axes,
        corner: V3,
        extent_mm: V3,
        cell_mm: f64,
    ) -> Option<Self> {
        let [left, back, up] = extent_mm.map(|mm| (mm / cell_mm).floor() as usize + 1);
        let size = Size { up, back, left };
        if size.cells() > MOST_CELLS {
            return None;
        }
        let mut values = Vec::with_capacity(size.cells());
        for z in 0..up {
            for y in 0..back {
                for x in 0..left {
                    let point = point(axes, corner, cell_mm, [z, y, x]);
                    values.push(stack.sample(point).unwrap_or(f32::NAN));
                }
            }
        }
        Some(Self {
            axes,
            corner,
            cell_mm,
            size,
            values,
        })
    }

    pub(super) fn index(&self, z: usize, y: usize, x: usize) -> usize {
        (z * self.size.back + y) * self.size.left + x
    }

    /// Centre of a cell.
    pub(super) fn point(&self, z: usize, y: usize, x: usize) -> V3 {
        point(self.axes, self.corner, self.cell_mm, [z, y, x])
    }

    /// The cell of a point, if there is one.
    pub(super) fn cell_of(&self, point: V3) -> Option<usize> {
        let offset = minus(point, self.corner);
        let at = |axis, count: usize| {
            let at = (dot(offset, axis) / self.cell_mm).round();
            (at >= 0.0 && at < count as f64).then_some(at as usize)
        };
        let Axes { left, back, up } = self.axes;
        Some(self.index(
            at(up, self.size.up)?,
            at(back, self.size.back)?,
            at(left, self.size.left)?,
        ))
    }

    /// The number from which on a cell is part of a body: fixed for CT, for MR by Otsu's method.
    pub(super) fn threshold(&self, kind: Kind) -> Option<f32> {
        match kind {
            Kind::Ct => Some(SKIN_HU),
            Kind::Mr => mr_threshold(&self.values),
        }
    }
}

fn point(axes: Axes, corner: V3, cell_mm: f64, [z, y, x]: [usize; 3]) -> V3 {
    let [up, back, left] = [z, y, x].map(|at| at as f64 * cell_mm);
    let point = along(corner, axes.up, up);
    along(along(point, axes.back, back), axes.left, left)
}

/// Half of where Otsu's method parts dark from bright, the brightest counted as less bright: fat next to the coil would have
/// it between fat and the rest.
fn mr_threshold(values: &[f32]) -> Option<f32> {
    /// What is brighter than all but a few is bright, however bright it is.
    const BRIGHTEST: f64 = 0.995;
    const BRIGHT: f64 = 0.98;
    let known = values.iter().copied().filter(|value| value.is_finite());
    let mut known: Vec<f32> = known.collect();
    known.sort_by(f32::total_cmp);
    let most = share_of(&known, BRIGHTEST)?;
    let first = otsu(&known, most)?;
    let bright = known.partition_point(|value| *value <= first);
    let most = share_of(known.get(bright..)?, BRIGHT)?;
    Some(otsu(&known, most)? / 2.0)
}

fn share_of(sorted: &[f32], share: f64) -> Option<f32> {
    sorted.get((sorted.len() as f64 * share) as usize).copied()
}

/// Otsu's threshold of sorted numbers, of which none counts as more than `most`.
fn otsu(sorted: &[f32], most: f32) -> Option<f32> {
    const BINS: usize = 256;
    let least = *sorted.first()?;
    let span = most - least;
    if span.is_nan() || span <= 0.0 {
        return None;
    }
    let mut counts = [0_u64; BINS];
    for value in sorted {
        let bin = ((value.min(most) - least) / span * BINS as f32) as usize;
        *counts.get_mut(bin.min(BINS - 1))? += 1;
    }
    let all = sorted.len() as f64;
    let mean = |(bin, count): (usize, &u64)| bin as f64 * *count as f64;
    let total: f64 = counts.iter().enumerate().map(mean).sum::<f64>() / all;
    let (mut below, mut sum, mut best) = (0.0, 0.0, (0.0, 0));
    for (bin, count) in counts.iter().enumerate() {
        below += *count as f64 / all;
        sum += mean((bin, count)) / all;
        let apart = (total * below - sum).powi(2) / (below * (1.0 - below)).max(f64::EPSILON);
        if apart > best.0 {
            best = (apart, bin + 1);
        }
    }
    Some(least + span * best.1 as f32 / BINS as f32)
}
