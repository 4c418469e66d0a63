//! How a head lies, by its sections below the top: which are ovals, longer from front to back than wide.

use super::WhyNot;
use super::grid::Grid;
use super::mask::Mask;
use super::space::{Axes, V3, along};

/// Smaller sections are noise, or hair.
const LEAST_SECTION_MM2: f64 = 400.0;
/// Sections that are ovals: from here to there below the top, above ears and noses.
const OVALS_MM: std::ops::Range<f64> = 20.0..80.0;
/// Ovals needed.
const LEAST_OVALS: usize = 8;
/// Of the largest section, what a topmost one may have above which nothing is seen: 15 mm of a head are missing then. A neck has
/// more, so that a head that stands on its top is not taken for one.
const MOST_TOP_SHARE: f64 = 0.3;
/// Widths and lengths of the largest oval, from small children on.
const WIDTH_MM: std::ops::RangeInclusive<f64> = 95.0..=230.0;
const LENGTH_MM: std::ops::RangeInclusive<f64> = 110.0..=260.0;

/// Where the top of a head is, and which way it lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Lie {
    /// On the line through the middle of the sections.
    pub(super) top_mm: V3,
    pub(super) axes: Axes,
}

impl Lie {
    /// Turned to a side.
    pub(super) fn turned_degrees(&self) -> f64 {
        self.axes.back[0].atan2(self.axes.back[1]).to_degrees()
    }

    /// Leaning to a side.
    pub(super) fn leans_degrees(&self) -> f64 {
        self.axes.up[0].atan2(self.axes.up[2]).to_degrees()
    }
}

/// Area, middle and spread of a section, in cells.
struct Section {
    cells: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
    width: f64,
    length: f64,
}

impl Section {
    fn of(grid: &Grid, section: &[bool]) -> Self {
        let wide = grid.size.left;
        let all: Vec<(f64, f64)> = (0..section.len())
            .filter(|at| section[*at])
            .map(|at| ((at % wide) as f64, (at / wide) as f64))
            .collect();
        let cells = (all.len() as f64).max(1.0);
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| all.iter().map(of).sum::<f64>() / cells;
        let extent = |of: &dyn Fn(&(f64, f64)) -> f64| {
            let most = all.iter().map(of).fold(f64::NEG_INFINITY, f64::max);
            most - all.iter().map(of).fold(f64::INFINITY, f64::min)
        };
        let (x, y) = (mean(&|one| one.0), mean(&|one| one.1));
        Self {
            cells: all.len() as f64,
            x,
            y,
            xx: mean(&|one| (one.0 - x).powi(2)),
            yy: mean(&|one| (one.1 - y).powi(2)),
            xy: mean(&|one| (one.0 - x) * (one.1 - y)),
            width: extent(&|one| one.0),
            length: extent(&|one| one.1),
        }
    }

    /// The angle from the back towards the left in which it is longest.
    fn turned(&self) -> f64 {
        0.5 * (2.0 * self.xy).atan2(self.yy - self.xx)
    }
}

/// Finds the top of the head and its directions, but for how it nods.
pub(super) fn lie(grid: &Grid, mask: &Mask) -> Result<Lie, WhyNot> {
    let cell = grid.cell_mm;
    let sections: Vec<Section> = (0..grid.size.up)
        .map(|z| Section::of(grid, mask.section(z)))
        .collect();
    let is_section = |section: &Section| section.cells * cell * cell >= LEAST_SECTION_MM2;
    let top = sections
        .iter()
        .rposition(is_section)
        .ok_or(WhyNot::NoHead)?;
    let below = |mm: f64| top.saturating_sub((mm / cell).round() as usize);
    let ovals = below(OVALS_MM.end)..below(OVALS_MM.start);
    let largest = sections[ovals.clone()].iter().map(|one| one.cells);
    let largest = largest.fold(0.0, f64::max);
    if is_cut_off(grid, top) && sections[top].cells > MOST_TOP_SHARE * largest {
        return Err(WhyNot::CutOff);
    }
    let widest =
        |of: fn(&Section) -> f64| sections[ovals.clone()].iter().map(of).fold(0.0, f64::max) * cell;
    let (width, length) = (widest(|one| one.width), widest(|one| one.length));
    if ovals.len() < LEAST_OVALS || !WIDTH_MM.contains(&width) || !LENGTH_MM.contains(&length) {
        return Err(WhyNot::NoHead);
    }
    let of = |value: &dyn Fn(&Section) -> f64| -> Vec<f64> {
        sections[ovals.clone()].iter().map(value).collect()
    };
    let turned = median(of(&|one| one.turned()));
    let (x, y) = (of(&|one| one.x), of(&|one| one.y));
    let axes = Axes::new([turned.sin(), turned.cos(), 0.0], [slope(&x), 0.0, 1.0]);
    let middle = (ovals.start + ovals.end) as f64 / 2.0;
    let middle = along(grid.corner, grid.axes.up, middle * cell);
    let middle = along(middle, grid.axes.left, median(x) * cell);
    let middle = along(middle, grid.axes.back, median(y) * cell);
    let above = (top as f64 - (ovals.start + ovals.end) as f64 / 2.0) * cell;
    Ok(Lie {
        top_mm: along(middle, axes.up, above),
        axes,
    })
}

/// Whether nothing is known of what is above the top section.
fn is_cut_off(grid: &Grid, top: usize) -> bool {
    let cells = grid.size.section();
    let above = grid.values.get((top + 1) * cells..(top + 2) * cells);
    above.is_none_or(|above| above.iter().all(|value| value.is_nan()))
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Of the line that fits best through values at 0, 1, 2 …
fn slope(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / values.len().max(1) as f64;
    let (mut above, mut below) = (0.0, 0.0);
    for (at, value) in values.iter().enumerate() {
        let at = at as f64 - middle;
        above += at * (value - mean);
        below += at * at;
    }
    above / below.max(f64::EPSILON)
}
