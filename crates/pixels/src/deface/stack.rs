//! The slices of a series as one volume, in whatever direction they were taken.
//!
//! Whatever is not one even stack is refused: a missing slice, a second direction, uneven steps. Steps may lean (a tilted
//! gantry), since each slice says where it lies.

use super::WhyNot;
use super::coarse::{CoarseSlice, Kind};
use super::space::{V3, along, cross, dot, length, minus, scaled, unit};

/// Fewer are no volume.
const LEAST_SLICES: usize = 12;
/// Slices that are looked at: a head in steps of 0.4 mm has 600, a whole body in steps of 2 mm a thousand. Whoever makes them
/// small looks at this first: so many of the largest are 393 MB.
pub const MOST_SLICES: usize = 1500;
/// Thicker steps show no nose.
const WIDEST_STEP_MM: f64 = 7.5;
/// How far a step may be from the usual one, as a share of it: positions are rounded, and tables move unevenly.
const STEP_TOLERANCE: f64 = 0.1;
/// How far a slice may lie beside the line of the others.
const ASIDE_MM: f64 = 1.0;
/// How much steps may lean.
const LEAST_COSINE: f64 = 0.85;

/// An even stack of slices in small.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) kind: Kind,
    slices: Vec<CoarseSlice>,
    origin: V3,
    /// Rows of the inverse: from millimetres to slice, row and column.
    inverse: [V3; 3],
}

impl Stack {
    /// One volume of all slices; of several at one place, the first counts.
    pub(super) fn of(mut slices: Vec<CoarseSlice>) -> Result<Self, WhyNot> {
        if slices.len() > MOST_SLICES {
            return Err(WhyNot::TooLarge);
        }
        let first = slices.first().ok_or(WhyNot::TooFew)?;
        if !slices.iter().all(|slice| is_alike(slice, first)) {
            return Err(WhyNot::Mixed);
        }
        let normal = unit(cross(first.along_row, first.along_column));
        let place = |slice: &CoarseSlice| dot(slice.origin, normal);
        slices.sort_by(|a, b| {
            let by_place = place(a).total_cmp(&place(b));
            by_place.then(a.number.cmp(&b.number))
        });
        let usual = usual_step(&slices, place)?;
        slices.dedup_by(|b, a| place(b) - place(a) < usual / 4.0);
        even(slices, usual, normal)
    }

    /// The value at a point, between the cells round it; nothing outside of the stack.
    pub(super) fn sample(&self, point: V3) -> Option<f32> {
        let offset = minus(point, self.origin);
        let at = self.inverse.map(|row| dot(row, offset));
        let first = self.slices.first()?;
        let size = [self.slices.len(), first.rows, first.columns];
        let (k, r, c) = (
            between(at[0], size[0])?,
            between(at[1], size[1])?,
            between(at[2], size[2])?,
        );
        let mut sum = 0.0;
        for (slice, share) in k {
            let values = &self.slices.get(slice)?.values;
            for (row, high) in r {
                for (column, wide) in c {
                    sum += share * high * wide * values.get(row * size[2] + column)?;
                }
            }
        }
        Some(sum)
    }

    /// The eight corners.
    pub(super) fn corners(&self) -> Vec<V3> {
        let ends = self.slices.first().into_iter().chain(self.slices.last());
        ends.flat_map(|slice| {
            let (right, down) = (
                scaled(slice.along_row, slice.columns as f64 - 1.0),
                scaled(slice.along_column, slice.rows as f64 - 1.0),
            );
            let lower = along(slice.origin, down, 1.0);
            [
                slice.origin,
                along(slice.origin, right, 1.0),
                lower,
                along(lower, right, 1.0),
            ]
        })
        .collect()
    }
}

/// The two cells round a place and their shares; half a cell beyond the last still counts as it.
fn between(at: f64, count: usize) -> Option<[(usize, f32); 2]> {
    let last = count as f64 - 1.0;
    if !(-0.5..=last + 0.5).contains(&at) {
        return None;
    }
    let at = at.clamp(0.0, last);
    let low = at.floor();
    let share = (at - low) as f32;
    let low = low as usize;
    Some([(low, 1.0 - share), ((low + 1).min(count - 1), share)])
}

fn is_alike(slice: &CoarseSlice, first: &CoarseSlice) -> bool {
    /// Over three hundred millimetres, a third of one.
    const TOLERANCE: f64 = 1e-3;
    let near = |a: V3, b: V3| length(minus(a, b)) < TOLERANCE * length(b);
    slice.kind == first.kind
        && (slice.rows, slice.columns) == (first.rows, first.columns)
        && near(slice.along_row, first.along_row)
        && near(slice.along_column, first.along_column)
}

/// The median of the steps between places: repeats of a place are none.
fn usual_step(slices: &[CoarseSlice], place: impl Fn(&CoarseSlice) -> f64) -> Result<f64, WhyNot> {
    /// Nearer than slices of any scanner are: the same place again.
    const SAME_MM: f64 = 0.05;
    let steps = slices.windows(2).filter_map(|pair| match pair {
        [a, b] => Some(place(b) - place(a)).filter(|step| *step > SAME_MM),
        _ => None,
    });
    let mut steps: Vec<f64> = steps.collect();
    steps.sort_by(f64::total_cmp);
    if steps.len() + 1 < LEAST_SLICES {
        return Err(WhyNot::TooFew);
    }
    let usual = steps.get(steps.len() / 2).copied().ok_or(WhyNot::TooFew)?;
    match usual > WIDEST_STEP_MM {
        true => Err(WhyNot::TooFew),
        false => Ok(usual),
    }
}

/// The stack, if each slice lies where the first and the last say.
fn even(slices: Vec<CoarseSlice>, usual: f64, normal: V3) -> Result<Stack, WhyNot> {
    let (Some(first), Some(last)) = (slices.first(), slices.last()) else {
        return Err(WhyNot::TooFew);
    };
    let steps = slices.len() as f64 - 1.0;
    let step = scaled(minus(last.origin, first.origin), 1.0 / steps);
    let is_upright = dot(unit(step), normal) >= LEAST_COSINE;
    if (dot(step, normal) - usual).abs() > STEP_TOLERANCE * usual || !is_upright {
        return Err(WhyNot::Uneven);
    }
    let is_in_line = |(at, slice): (usize, &CoarseSlice)| {
        let aside = minus(slice.origin, along(first.origin, step, at as f64));
        length(aside) <= ASIDE_MM.max(STEP_TOLERANCE * usual)
    };
    if !slices.iter().enumerate().all(is_in_line) {
        return Err(WhyNot::Uneven);
    }
    let inverse = inverse([step, first.along_column, first.along_row]);
    Ok(Stack {
        kind: first.kind,
        origin: first.origin,
        inverse: inverse.ok_or(WhyNot::Uneven)?,
        slices,
    })
}

/// Rows that give back the factors of three directions.
fn inverse([a, b, c]: [V3; 3]) -> Option<[V3; 3]> {
    let volume = dot(a, cross(b, c));
    (volume.abs() > f64::EPSILON)
        .then(|| [cross(b, c), cross(c, a), cross(a, b)].map(|row| scaled(row, 1.0 / volume)))
}
