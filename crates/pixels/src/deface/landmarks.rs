//! The root of the nose, and how a head lies, from nothing but the outline of the head.
//!
//! 1. On cells of 4 mm: the top of the head, which way it is turned and leans, by the shape of its sections.
//! 2. On cells of 2 mm along those directions: the outline of the middle, seen from the side. From the top down, the first bay
//!    between two points that stick out is the root of the nose, if what sticks out below it is a nose.
//! 3. Where the back of the head bends away from it says how far the head nods.
//!
//! Every measure has bounds; what is outside of them is refused, not guessed.

use super::WhyNot;
use super::cut::Cut;
use super::grid::Grid;
use super::mask::Mask;
use super::profile::{Bay, Profile, bays};
use super::sections::{Lie, lie};
use super::space::{Axes, V3, along, dot, minus};
use super::stack::Stack;

const COARSE_MM: f64 = 4.0;
const FINE_MM: f64 = 2.0;
/// Below the top of the pictures: a head, and air above it.
const REACH_MM: f64 = 420.0;
/// The box round a head, from the line that goes through its middle: to both sides, to front and back, and below its top.
const ASIDE_MM: f64 = 110.0;
const FORE_MM: f64 = 150.0;
const BELOW_TOP_MM: f64 = 250.0;
const ABOVE_TOP_MM: f64 = 10.0;
/// How far the root of the nose is below the top of the head; adults have 100 to 140.
const NASION_BELOW_TOP_MM: std::ops::RangeInclusive<f64> = 70.0..=158.0;
/// How deep the bay is.
const BAY_DEPTH_MM: std::ops::RangeInclusive<f64> = 2.5..=26.0;
/// From the brow to the tip of the nose.
const BAY_LENGTH_MM: std::ops::RangeInclusive<f64> = 16.0..=110.0;
/// The nose goes on so far below its root.
const NOSE_LENGTH_MM: f64 = 10.0;
/// Where cheeks are, beside the nose, and how far it sticks out from between them.
const CHEEK_MM: f64 = 24.0;
const NOSE_STICKS_OUT_MM: f64 = 7.0;
/// From the root of the nose to the farthest point of the back of the head.
const HEAD_LENGTH_MM: std::ops::RangeInclusive<f64> = 130.0..=235.0;
/// The steepest line from the root of the nose to the back of the head where a head lies straight: it was 30 to 50 degrees in the
/// heads that this was tried on, since heads differ in shape.
const STRAIGHT_DEGREES: f64 = 38.0;
/// Of what is steeper or flatter, so much is a nod; the rest is the shape of this head.
const NOD_SHARE: f64 = 0.7;
const MOST_NOD_DEGREES: f64 = 30.0;
const MOST_TURN_DEGREES: f64 = 25.0;
/// How much of a face there is to remove, at least.
const LEAST_FACE_ML: f64 = 40.0;

/// Where the face of a stack is.
pub(super) fn find_cut(stack: &Stack) -> Result<Cut, WhyNot> {
    let coarse = Grid::whole(stack, COARSE_MM, REACH_MM).ok_or(WhyNot::TooLarge)?;
    let threshold = coarse.threshold(stack.kind).ok_or(WhyNot::NoHead)?;
    let mask = Mask::of(&coarse, threshold, 2, 1);
    let lie = lie(&coarse, &mask)?;
    if lie.turned_degrees().abs() > MOST_TURN_DEGREES
        || lie.leans_degrees().abs() > MOST_TURN_DEGREES
    {
        return Err(WhyNot::Tilted);
    }
    let grid = head_box(stack, &lie).ok_or(WhyNot::TooLarge)?;
    let mask = Mask::of(&grid, threshold, 3, 2);
    let profile = Profile::of(&grid, &mask, threshold, 0.0);
    let nasion = nasion(&grid, &mask, &profile, threshold)?;
    let axes = nodded(&grid, &mask, nasion)?;
    let cut = Cut {
        ears_mm: ears(&grid, &mask, axes, nasion),
        ..Cut::new(nasion, axes)
    };
    match face_ml(&grid, &mask, &cut) >= LEAST_FACE_ML {
        true => Ok(cut),
        false => Err(WhyNot::NoFace),
    }
}

fn head_box(stack: &Stack, lie: &Lie) -> Option<Grid> {
    let Axes { left, back, up } = lie.axes;
    let corner = along(lie.top_mm, up, -BELOW_TOP_MM);
    let corner = along(along(corner, back, -FORE_MM), left, -ASIDE_MM);
    let extent = [2.0 * ASIDE_MM, 2.0 * FORE_MM, BELOW_TOP_MM + ABOVE_TOP_MM];
    Grid::sampled(stack, lie.axes, corner, extent, FINE_MM)
}

/// The deepest point of the first bay that can be the root of a nose.
fn nasion(grid: &Grid, mask: &Mask, profile: &Profile, threshold: f32) -> Result<V3, WhyNot> {
    let cheeks = [-CHEEK_MM, CHEEK_MM].map(|aside| Profile::of(grid, mask, threshold, aside));
    let top = BELOW_TOP_MM;
    let is_nose = |bay: &Bay| {
        let below_top = top - bay.up_mm;
        let sticks_out = profile.levels(bay.end_up_mm, bay.up_mm).filter_map(|z| {
            let [right, left] = [cheeks[0].front(z)?, cheeks[1].front(z)?];
            Some(profile.front(z)? - (right + left) / 2.0)
        });
        NASION_BELOW_TOP_MM.contains(&below_top)
            && BAY_DEPTH_MM.contains(&bay.depth_mm)
            && BAY_LENGTH_MM.contains(&(bay.start_up_mm - bay.end_up_mm))
            && bay.up_mm - bay.end_up_mm >= NOSE_LENGTH_MM
            && sticks_out.fold(0.0, f64::max) >= NOSE_STICKS_OUT_MM
    };
    let bay = bays(profile, top - 40.0).into_iter().find(is_nose);
    let bay = bay.ok_or(WhyNot::NoFace)?;
    if profile.is_cut_off_in_front(bay.up_mm - 5.0, bay.up_mm + 30.0) {
        return Err(WhyNot::CutOff);
    }
    Ok(profile.point(grid, bay.up_mm, bay.front_mm))
}

/// The directions of the head, nodded as the back of the head says.
fn nodded(grid: &Grid, mask: &Mask, nasion: V3) -> Result<Axes, WhyNot> {
    let (length, angle) = back_of_head(grid, mask, nasion).ok_or(WhyNot::NoHead)?;
    let nods = angle - STRAIGHT_DEGREES;
    if !HEAD_LENGTH_MM.contains(&length) {
        return Err(WhyNot::Implausible);
    }
    match nods.abs() > MOST_NOD_DEGREES {
        true => Err(WhyNot::Tilted),
        false => Ok(grid.axes.nodded((NOD_SHARE * nods).to_radians())),
    }
}

/// From the root of the nose to the farthest point of the head, in millimetres, and the steepest line to a point that is nearly
/// as far, in degrees.
fn back_of_head(grid: &Grid, mask: &Mask, nasion: V3) -> Option<(f64, f64)> {
    /// Lines from the root of the nose: lower ones end in the neck, steeper ones in the forehead.
    const DEGREES: std::ops::RangeInclusive<f64> = -20.0..=80.0;
    const NEARLY: f64 = 0.9;
    let x = grid.size.left / 2;
    let cells = (0..grid.size.up).flat_map(|z| (0..grid.size.back).map(move |y| (z, y)));
    let lines = cells.filter(|(z, y)| mask.cells[grid.index(*z, *y, x)]);
    let lines = lines.map(|(z, y)| {
        let offset = minus(grid.point(z, y, x), nasion);
        let (behind, above) = (dot(offset, grid.axes.back), dot(offset, grid.axes.up));
        (behind.hypot(above), above.atan2(behind).to_degrees())
    });
    let lines: Vec<(f64, f64)> = lines.filter(|line| DEGREES.contains(&line.1)).collect();
    let length = lines.iter().map(|line| line.0).max_by(f64::total_cmp)?;
    let far = lines.iter().filter(|line| line.0 >= NEARLY * length);
    Some((length, far.map(|line| line.1).max_by(f64::total_cmp)?))
}

/// Half of the width of the skull above the ears, to the right and to the left: below it, only ears are wider.
fn ears(grid: &Grid, mask: &Mask, axes: Axes, nasion: V3) -> Option<[f64; 2]> {
    /// Of skulls; a headrest beside the head is farther out.
    const HALF_WIDTH_MM: std::ops::RangeInclusive<f64> = 55.0..=88.0;
    let width = |side: f64| {
        let mut widths = Vec::new();
        for behind in [75.0, 85.0, 95.0, 105.0, 115.0] {
            for above in [32.0, 36.0, 40.0] {
                let middle = along(along(nasion, axes.back, behind), axes.up, above);
                let is_head = |mm: &f64| {
                    let cell = grid.cell_of(along(middle, axes.left, side * mm));
                    cell.is_some_and(|cell| mask.cells[cell])
                };
                let outwards = (30..110).map(f64::from);
                widths.extend(outwards.take_while(is_head).last());
            }
        }
        widths.sort_by(f64::total_cmp);
        let width = *widths.get(widths.len() / 2)?;
        HALF_WIDTH_MM.contains(&width).then_some(width)
    };
    Some([width(-1.0)?, width(1.0)?])
}

/// How much of the head the cut takes.
fn face_ml(grid: &Grid, mask: &Mask, cut: &Cut) -> f64 {
    let axes = Axes::new(cut.back, cut.up);
    let mut cells = 0_u32;
    for z in 0..grid.size.up {
        for y in 0..grid.size.back {
            for x in 0..grid.size.left {
                if mask.cells[grid.index(z, y, x)] {
                    let offset = minus(grid.point(z, y, x), cut.nasion_mm);
                    let (behind, above) = (dot(offset, axes.back), dot(offset, axes.up));
                    cells += u32::from(cut.takes_at(behind, above, 0.0));
                }
            }
        }
    }
    f64::from(cells) * grid.cell_mm.powi(3) / 1000.0
}
