//! A nodule as its readers drew it, filled in at its real place and size.

use std::collections::BTreeMap;

use crate::anatomy::hu;
use crate::canvas::{Grid, Plane, SIZE};
use crate::data::{ReadingRecord, SeriesRecord};
use crate::window::Window;
use arno_learning::reading::Contour;

/// Edge of the image that was read, in pixels.
pub(crate) const READ_SIZE: f64 = 512.0;
/// Lines per pixel on which an outline is filled.
const LINES: usize = 4;
/// Air that surrounds a nodule at least, in mm, so that it can be seen where the drawn lung does not reach.
const POCKET_MM: f32 = 2.5;
/// Where this share of the readers drew the nodule, it begins; where `SURE_FROM` did, it is full.
const SEEN_FROM: f32 = 0.25;
const SURE_FROM: f32 = 0.75;

/// A closed outline in mm from the centre of the field of view.
type Outline = Vec<[f32; 2]>;

/// A nodule within the slices of a window.
#[derive(Debug, Clone)]
pub(crate) struct Nodule {
    readers: usize,
    hu: f32,
    /// By slice, then by reader: outlines, and whether they add or take away.
    drawn: BTreeMap<usize, Vec<Vec<(Outline, bool)>>>,
    /// Least and greatest x, y, z in mm.
    low: [f32; 3],
    high: [f32; 3],
}

/// mm from the centre of the field of view of a pixel centre of the image that was read.
pub(crate) fn read_mm(pixel: i32, pixel_spacing_mm: f64) -> f64 {
    (f64::from(pixel) + 0.5 - READ_SIZE / 2.0) * pixel_spacing_mm
}

/// The nodules of the series that appear in the window.
pub(crate) fn nodules(series: &SeriesRecord, window: &Window) -> Vec<Nodule> {
    let mut groups: BTreeMap<u32, Vec<&ReadingRecord>> = BTreeMap::new();
    for reading in &series.readings {
        groups.entry(reading.nodule).or_default().push(reading);
    }
    groups
        .values()
        .map(|readings| Nodule::new(readings, series.pixel_spacing_mm, window))
        .collect()
}

impl Nodule {
    fn new(readings: &[&ReadingRecord], pixel_spacing_mm: f64, window: &Window) -> Self {
        let (mut low, mut high) = ([f32::MAX; 3], [f32::MIN; 3]);
        let mut drawn: BTreeMap<usize, Vec<Vec<(Outline, bool)>>> = BTreeMap::new();
        for (reader, reading) in readings.iter().enumerate() {
            for contour in reading.contours() {
                let outline = outline(&contour, pixel_spacing_mm);
                for [x, y] in &outline {
                    let point = [*x, *y, contour.z_mm as f32];
                    low = std::array::from_fn(|i| low[i].min(point[i]));
                    high = std::array::from_fn(|i| high[i].max(point[i]));
                }
                if let Some(slice) = window.slice_at(contour.z_mm) {
                    let by_reader = drawn
                        .entry(slice)
                        .or_insert_with(|| vec![vec![]; readings.len()]);
                    by_reader[reader].push((outline, contour.inclusion));
                }
            }
        }
        Self {
            readers: readings.len(),
            hu: attenuation(readings),
            drawn,
            low,
            high,
        }
    }

    /// Calls `visit(index, coverage)` for the pixels of the air round the nodule at height `z`.
    pub(crate) fn pocket(&self, grid: Grid, z: f32, visit: impl FnMut(usize, f32)) {
        let centre: [f32; 3] = std::array::from_fn(|i| (self.low[i] + self.high[i]) / 2.0);
        let radius: [f32; 3] =
            std::array::from_fn(|i| (self.high[i] - self.low[i]) / 2.0 + POCKET_MM);
        let part = 1.0 - ((z - centre[2]) / radius[2]).powi(2);
        if part > 0.0 {
            let size = part.sqrt();
            let shape = crate::canvas::Shape::Ellipse {
                x: centre[0],
                y: centre[1],
                a: radius[0] * size,
                b: radius[1] * size,
            };
            grid.cover(&shape, visit);
        }
    }

    /// Paints the nodule on one slice of the window.
    pub(crate) fn paint(&self, grid: Grid, slice: usize, plane: &mut Plane) {
        let Some(by_reader) = self.drawn.get(&slice) else {
            return;
        };
        let mut seen: BTreeMap<usize, f32> = BTreeMap::new();
        for outlines in by_reader {
            let mut one: BTreeMap<usize, f32> = BTreeMap::new();
            for (outline, inclusion) in outlines {
                let sign = if *inclusion { 1.0 } else { -1.0 };
                fill(grid, outline, |i, coverage| {
                    *one.entry(i).or_default() += sign * coverage
                });
            }
            for (i, coverage) in one {
                *seen.entry(i).or_default() += coverage.clamp(0.0, 1.0) / self.readers as f32;
            }
        }
        for (i, share) in seen {
            let alpha = ((share - SEEN_FROM) / (SURE_FROM - SEEN_FROM)).clamp(0.0, 1.0);
            plane[i] += alpha * (self.hu - plane[i]);
        }
    }
}

fn outline(contour: &Contour, pixel_spacing_mm: f64) -> Outline {
    contour
        .points
        .iter()
        .map(|point| point.map(|c| read_mm(c, pixel_spacing_mm) as f32))
        .collect()
}

/// Hounsfield units from what the readers scored: ground glass is faint, calcium bright, the rest soft tissue.
fn attenuation(readings: &[&ReadingRecord]) -> f32 {
    const CALCIFICATION: usize = 2;
    const CALCIFICATION_ABSENT: u8 = 6;
    const TEXTURE: usize = 7;
    const TEXTURE_SOLID: f32 = 5.0;
    const SOFT_TISSUE: f32 = 38.0;
    const CALCIFIED: f32 = 320.0;
    /// Loss for each point of texture below solid.
    const PER_POINT: f32 = 135.0;
    let calcified = readings
        .iter()
        .filter(|r| r.ratings[CALCIFICATION] != CALCIFICATION_ABSENT)
        .count();
    if calcified * 2 > readings.len() {
        return CALCIFIED;
    }
    let texture = readings
        .iter()
        .map(|r| f32::from(r.ratings[TEXTURE]))
        .sum::<f32>()
        / readings.len() as f32;
    (SOFT_TISSUE - PER_POINT * (TEXTURE_SOLID - texture)).max(hu::LUNG + 200.0)
}

/// Calls `visit(index, coverage)` for the pixels inside a closed outline (even-odd rule).
fn fill(grid: Grid, outline: &[[f32; 2]], mut visit: impl FnMut(usize, f32)) {
    let (low, high) = outline.iter().fold((f32::MAX, f32::MIN), |(low, high), p| {
        (low.min(p[1]), high.max(p[1]))
    });
    for row in grid.range(low, high) {
        for line in 0..LINES {
            let y = grid.mm(row) + ((line as f32 + 0.5) / LINES as f32 - 0.5) * grid.pixel_mm;
            for pair in crossings(outline, y).chunks_exact(2) {
                for column in grid.range(pair[0], pair[1]) {
                    let left = grid.mm(column) - grid.pixel_mm / 2.0;
                    let width = pair[1].min(left + grid.pixel_mm) - pair[0].max(left);
                    if width > 0.0 {
                        visit(row * SIZE + column, width / grid.pixel_mm / LINES as f32);
                    }
                }
            }
        }
    }
}

/// Where a row line crosses the closed outline, ascending; always an even number.
fn crossings(outline: &[[f32; 2]], y: f32) -> Vec<f32> {
    let next = outline.iter().skip(1).chain(outline.first());
    let mut xs: Vec<f32> = outline
        .iter()
        .zip(next)
        .filter(|(a, b)| (a[1] <= y) != (b[1] <= y))
        .map(|(a, b)| a[0] + (y - a[1]) / (b[1] - a[1]) * (b[0] - a[0]))
        .collect();
    xs.sort_by(f32::total_cmp);
    xs
}

#[cfg(test)]
mod tests {
    use super::{fill, read_mm};
    use crate::canvas::Grid;

    #[test]
    fn an_outline_is_filled_with_its_area() {
        let check = |outline: &[[f32; 2]], expect_mm2: f32| {
            let grid = Grid { pixel_mm: 1.0 };
            let mut area = 0.0;
            fill(grid, outline, |_, coverage| area += coverage);
            assert!(
                (area - expect_mm2).abs() < 0.02 * expect_mm2 + 0.01,
                "{outline:?}: {area}"
            );
        };
        check(
            &[[0.0, 0.0], [10.0, 0.0], [10.0, 4.0], [0.0, 4.0], [0.0, 0.0]],
            40.0,
        );
        check(&[[0.3, 0.0], [20.3, 0.0], [0.3, 30.0]], 300.0);
        check(&[[3.0, 3.0], [3.0, 3.0]], 0.0);
    }

    #[test]
    fn pixels_that_were_read_lie_round_the_centre() {
        assert_eq!(read_mm(255, 0.7), -0.35);
        assert_eq!(read_mm(0, 1.0) + read_mm(511, 1.0), 0.0);
    }
}
