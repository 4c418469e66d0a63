//! The outline of a head seen from the side, and the bays in its front.

use super::grid::Grid;
use super::mask::Mask;
use super::space::{V3, along};

/// To both sides of a line: a nose's root is wider.
const BAND_MM: f64 = 6.0;

/// The front of the head at each level along one line, in millimetres from the front of the grid.
#[derive(Debug)]
pub(super) struct Profile {
    cell_mm: f64,
    /// Where the line is, from the right of the grid.
    pub(super) middle_mm: f64,
    /// How far forward the head reaches: larger is farther to the front.
    fronts: Vec<Option<f64>>,
    /// Levels at which nothing is known in front of the head.
    cut_off: Vec<bool>,
}

/// A bay in the front between two levels at which the head sticks out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bay {
    pub(super) start_up_mm: f64,
    pub(super) end_up_mm: f64,
    /// Its deepest point.
    pub(super) up_mm: f64,
    pub(super) front_mm: f64,
    /// How deep that is behind the line between its ends.
    pub(super) depth_mm: f64,
}

impl Profile {
    /// Along a line so far to the left of the middle of the grid.
    pub(super) fn of(grid: &Grid, mask: &Mask, threshold: f32, aside_mm: f64) -> Self {
        let middle_mm = (grid.size.left as f64 - 1.0) / 2.0 * grid.cell_mm + aside_mm;
        let column = |mm: f64| ((mm / grid.cell_mm).round() as usize).min(grid.size.left - 1);
        let columns = column(middle_mm - BAND_MM)..=column(middle_mm + BAND_MM);
        let mut profile = Self {
            cell_mm: grid.cell_mm,
            middle_mm,
            fronts: Vec::new(),
            cut_off: Vec::new(),
        };
        for z in 0..grid.size.up {
            let lines = columns
                .clone()
                .filter_map(|x| line(grid, mask, threshold, z, x));
            let lines: Vec<Line> = lines.collect();
            let is_seen = lines.len() * 2 > columns.clone().count();
            let front = is_seen.then(|| median(lines.iter().map(|line| line.front_mm)));
            profile.fronts.push(front);
            let cut_off = lines.iter().filter(|line| line.is_cut_off).count();
            profile.cut_off.push(cut_off * 2 > lines.len());
        }
        profile
    }

    /// How far to the front the head reaches at a level, as a number that grows forwards.
    pub(super) fn front(&self, level: usize) -> Option<f64> {
        self.fronts.get(level).copied().flatten()
    }

    /// Levels between two heights above the bottom.
    pub(super) fn levels(&self, from_mm: f64, to_mm: f64) -> std::ops::RangeInclusive<usize> {
        let level = |mm: f64| (mm / self.cell_mm).round().max(0.0) as usize;
        level(from_mm)..=level(to_mm).min(self.fronts.len().saturating_sub(1))
    }

    pub(super) fn is_cut_off_in_front(&self, from_mm: f64, to_mm: f64) -> bool {
        let levels = self.levels(from_mm, to_mm);
        self.cut_off[levels].iter().any(|is_cut_off| *is_cut_off)
    }

    /// The point in the patient of a height and a front.
    pub(super) fn point(&self, grid: &Grid, up_mm: f64, front_mm: f64) -> V3 {
        let point = along(grid.corner, grid.axes.up, up_mm);
        let point = along(point, grid.axes.back, -front_mm);
        along(point, grid.axes.left, self.middle_mm)
    }
}

struct Line {
    front_mm: f64,
    is_cut_off: bool,
}

/// The first cell of the head along a line from front to back, its front between two cells as values say.
fn line(grid: &Grid, mask: &Mask, threshold: f32, z: usize, x: usize) -> Option<Line> {
    let is_head = |y: &usize| mask.cells[grid.index(z, *y, x)];
    let first = (0..grid.size.back).find(is_head)?;
    let value = |y: usize| grid.values[grid.index(z, y, x)];
    let before = first.checked_sub(1).map_or(f32::NAN, value);
    let here = value(first);
    let share = match before < threshold && threshold <= here {
        true => f64::from((here - threshold) / (here - before)),
        false => 0.0,
    };
    Some(Line {
        front_mm: (share - first as f64) * grid.cell_mm,
        is_cut_off: before.is_nan(),
    })
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Bays of the front below a height, from the top down: between the corners of its hull.
pub(super) fn bays(profile: &Profile, below_mm: f64) -> Vec<Bay> {
    let levels = profile.fronts.iter().enumerate().rev();
    let points = levels.filter_map(|(level, front)| {
        let up = level as f64 * profile.cell_mm;
        Some((up, (*front)?)).filter(|_| up <= below_mm)
    });
    let points: Vec<(f64, f64)> = points.collect();
    let corners = hull(&points);
    corners
        .windows(2)
        .filter_map(|pair| deepest(&points, *pair.first()?, *pair.last()?))
        .collect()
}

/// Corners of the hull towards the front of points that go down.
fn hull(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut corners: Vec<(f64, f64)> = Vec::new();
    for point in points {
        while let [.., a, b] = corners.as_slice() {
            let turn = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
            if turn > 0.0 {
                break;
            }
            corners.pop();
        }
        corners.push(*point);
    }
    corners
}

fn deepest(points: &[(f64, f64)], start: (f64, f64), end: (f64, f64)) -> Option<Bay> {
    let slope = (end.1 - start.1) / (end.0 - start.0);
    let depth =
        |point: &(f64, f64)| (start.1 + slope * (point.0 - start.0) - point.1) / slope.hypot(1.0);
    let within = points
        .iter()
        .filter(|point| point.0 < start.0 && point.0 > end.0);
    let deepest = within.max_by(|a, b| depth(a).total_cmp(&depth(b)))?;
    Some(Bay {
        start_up_mm: start.0,
        end_up_mm: end.0,
        up_mm: deepest.0,
        front_mm: deepest.1,
        depth_mm: depth(deepest),
    })
}

#[cfg(test)]
mod tests {
    use super::{deepest, hull};

    #[test]
    fn a_bay_lies_between_what_sticks_out() {
        let face = [
            (10.0, 1.0),
            (8.0, 3.0),
            (6.0, 1.0),
            (4.0, 2.0),
            (2.0, 5.0),
            (0.0, 0.0),
        ];
        assert_eq!(hull(&face), [face[0], face[1], face[4], face[5]]);
        let bay = deepest(&face, face[1], face[4]).unwrap();
        assert_eq!((bay.up_mm, bay.front_mm), (6.0, 1.0));
        assert!((bay.depth_mm - 8.0 / 10_f64.sqrt()).abs() < 1e-9, "{bay:?}");
    }
}
