//! Draws the slices of one series: chest, vessels, bones, the real nodules, and noise.

use std::f32::consts::PI;

use rand::RngExt;

use crate::anatomy::{Section, hu};
use crate::canvas::{Grid, Plane, SIZE};
use crate::data::SeriesRecord;
use crate::nodule::{Nodule, nodules};
use crate::stable;
use crate::vessels::{Lungs, Vessel, grow};
use crate::window::Window;

/// Stored value = Hounsfield units − intercept (Rescale Intercept (0028,1052)), in 12 bits.
pub(crate) const INTERCEPT: f32 = -1024.0;
pub(crate) const STORED_MAX: f32 = 4095.0;
/// Standard deviation of the noise in Hounsfield units.
const NOISE_HU: f32 = 17.0;
/// What a scan of the lungs covers at least and at most, in mm; shorter ones are taken to show their middle, longer
/// ones to go on below.
const LUNG_SCAN_MM: std::ops::RangeInclusive<f32> = 200.0..=390.0;
/// Distance from rib to rib and height that a rib loses on its way to the breastbone, in mm.
const RIB_STEP_MM: f32 = 24.0;
const RIB_DROP_MM: f32 = 120.0;
/// Distance from vertebra to vertebra and thickness of the disc between, in mm.
const VERTEBRA_MM: f32 = 25.0;
const DISC_MM: f32 = 5.0;

/// One series ready to be drawn slice by slice.
#[derive(Debug, Clone)]
pub(crate) struct Thorax {
    grid: Grid,
    unit_mm: f32,
    contrast: bool,
    bottom_mm: f32,
    length_mm: f32,
    half_slice_mm: f32,
    vessels: Vec<Vessel>,
    nodules: Vec<Nodule>,
    noise: Vec<f32>,
    positions: Vec<f64>,
}

impl Thorax {
    /// Prepares the chest in which the nodules of the window lie.
    pub(crate) fn new(seed: u64, series: &SeriesRecord, window: &Window) -> Self {
        let mut rng = stable::rng(seed, &["thorax", &series.series]);
        let unit_mm = (series.pixel_spacing_mm * 256.0) as f32;
        let (bottom_mm, length_mm) = lung_scan(&series.slice_positions());
        let lungs = Lungs {
            unit_mm,
            hilum_z_mm: bottom_mm + 0.5 * length_mm,
        };
        Self {
            grid: Grid {
                pixel_mm: (series.pixel_spacing_mm * 2.0) as f32,
            },
            unit_mm,
            contrast: series.contrast,
            bottom_mm,
            length_mm,
            half_slice_mm: (series.slice_thickness_mm / 2.0) as f32,
            vessels: grow(&mut rng, lungs),
            nodules: nodules(series, window),
            noise: noise(&mut rng),
            positions: window.positions.clone(),
        }
    }

    /// The stored values of one slice: unsigned, 16 bits allocated, little endian, row by row.
    pub(crate) fn slice(&self, index: usize) -> Vec<u8> {
        let z = self.positions[index] as f32;
        let section = Section {
            height: ((z - self.bottom_mm) / self.length_mm).clamp(0.0, 1.0),
            unit_mm: self.unit_mm,
            contrast: self.contrast,
        };
        let mut plane = Grid::plane(hu::AIR);
        self.draw_body(&section, &mut plane);
        let air = self.draw_lungs(&section, z, &mut plane);
        self.draw_vessels(z, &air, &mut plane);
        self.draw_spine(&section, z, &mut plane);
        self.draw_ribs(&section, z, &mut plane);
        self.nodules
            .iter()
            .for_each(|nodule| nodule.paint(self.grid, index, &mut plane));
        self.store(index, &plane)
    }

    fn draw_body(&self, section: &Section, plane: &mut Plane) {
        self.grid.fill(plane, &section.couch(), hu::COUCH);
        self.grid.fill(plane, &section.body(0.0), hu::SKIN);
        self.grid.fill(plane, &section.body(0.015), hu::FAT);
        self.grid.fill(plane, &section.cavity(0.085), hu::MUSCLE);
        if section.height > 0.60 {
            for side in [-1.0, 1.0] {
                self.grid.fill(
                    plane,
                    &section.ellipse(side * 0.68, 0.34, 0.19, 0.30),
                    hu::MUSCLE,
                );
                let blade = section.capsule([side * 0.62, 0.58], [side * 0.79, 0.30], 0.020);
                self.grid.fill(plane, &blade, hu::CORTICAL_BONE);
            }
        }
    }

    /// Draws the lungs and what lies between them; returns how much of each pixel is lung.
    fn draw_lungs(&self, section: &Section, z: f32, plane: &mut Plane) -> Plane {
        let mut air = Grid::plane(0.0);
        self.grid.fill(&mut air, &section.cavity(0.0), 1.0);
        let organs = section.organs();
        for (shape, _) in &organs {
            self.grid
                .cover(shape, |i, coverage| air[i] *= 1.0 - coverage);
        }
        // Organs end at the wall, whatever their shape.
        let (inner, pixel_mm) = (section.body(0.05), self.grid.pixel_mm);
        let inside =
            |i: usize| inner.coverage(self.grid.mm(i % SIZE), self.grid.mm(i / SIZE), pixel_mm);
        for (shape, value) in &organs {
            self.grid.cover(shape, |i, coverage| {
                plane[i] += coverage * inside(i) * (value - plane[i])
            });
        }
        for nodule in &self.nodules {
            nodule.pocket(self.grid, z, |i, coverage| {
                air[i] = air[i].max(coverage * inside(i));
            });
        }
        for (i, air) in air.iter().enumerate().filter(|(_, air)| **air > 0.0) {
            // Blood settles: the back of the lung is a little denser than the front.
            let settled = 45.0 * self.grid.mm(i / SIZE) / self.unit_mm;
            plane[i] += air * (hu::LUNG + settled - plane[i]);
        }
        air
    }

    fn draw_vessels(&self, z: f32, air: &Plane, plane: &mut Plane) {
        for vessel in &self.vessels {
            let Some([from, to]) = vessel.cut(z, self.half_slice_mm) else {
                continue;
            };
            let shape = crate::canvas::Shape::Capsule {
                from,
                to,
                r: vessel.radius_mm,
            };
            self.grid.cover(&shape, |i, coverage| {
                plane[i] += coverage * air[i] * (hu::BLOOD - plane[i])
            });
        }
    }

    fn draw_spine(&self, section: &Section, z: f32, plane: &mut Plane) {
        let disc = (z - self.bottom_mm).rem_euclid(VERTEBRA_MM) < DISC_MM;
        let (rim, core) = if disc {
            (hu::DISC, hu::DISC)
        } else {
            (hu::CORTICAL_BONE, hu::SPONGY_BONE)
        };
        self.grid
            .fill(plane, &section.ellipse(0.0, 0.42, 0.112, 0.092), rim);
        self.grid
            .fill(plane, &section.ellipse(0.0, 0.42, 0.098, 0.078), core);
        for side in [-1.0, 1.0] {
            let bones = [
                [[0.085, 0.50], [0.05, 0.63]],
                [[0.05, 0.63], [0.0, 0.68]],
                [[0.09, 0.55], [0.21, 0.60]],
            ];
            for [from, to] in bones.map(|bone| bone.map(|[x, y]| [side * x, y])) {
                self.grid
                    .fill(plane, &section.capsule(from, to, 0.025), hu::CORTICAL_BONE);
            }
        }
        self.grid.fill(
            plane,
            &section.capsule([0.0, 0.66], [0.0, 0.76], 0.025),
            hu::SPONGY_BONE * 2.0,
        );
        self.grid
            .fill(plane, &section.ellipse(0.0, 0.56, 0.058, 0.05), hu::CANAL);
    }

    /// Ribs run from the spine to the breastbone and downwards, so that each slice cuts several, obliquely.
    fn draw_ribs(&self, section: &Section, z: f32, plane: &mut Plane) {
        const HALF_ANGLE: f32 = 0.13;
        const BONY_UP_TO: f32 = 2.2;
        let phase = (z - self.bottom_mm).rem_euclid(RIB_STEP_MM) / RIB_DROP_MM * PI;
        let step = RIB_STEP_MM / RIB_DROP_MM * PI;
        for (side, number) in [(-1.0, 0), (1.0, 0)]
            .into_iter()
            .flat_map(|(s, _)| (0..5).map(move |n| (s, n)))
        {
            let angle = number as f32 * step + step - phase;
            if !(0.28..2.75).contains(&angle) {
                continue;
            }
            let ends =
                [angle - HALF_ANGLE, angle + HALF_ANGLE].map(|a| section.on_rib_ring(a, side));
            let (rim, core) = match angle < BONY_UP_TO {
                true => (hu::CORTICAL_BONE, hu::SPONGY_BONE),
                false => (hu::CARTILAGE, hu::CARTILAGE),
            };
            self.grid
                .fill(plane, &section.capsule(ends[0], ends[1], 0.027), rim);
            self.grid
                .fill(plane, &section.capsule(ends[0], ends[1], 0.014), core);
        }
        let [x, y] = section.on_rib_ring(PI, 0.0);
        self.grid.fill(
            plane,
            &section.capsule([x - 0.09, y], [x + 0.09, y], 0.035),
            hu::CORTICAL_BONE * 0.6,
        );
        self.grid.fill(
            plane,
            &section.capsule([x - 0.09, y], [x + 0.09, y], 0.020),
            hu::SPONGY_BONE,
        );
    }

    /// Adds noise, the tile shifted from slice to slice, and converts to stored values.
    fn store(&self, index: usize, plane: &Plane) -> Vec<u8> {
        // Odd, so that no shift comes back within a stack.
        let shift = index * 7919;
        let mut bytes = Vec::with_capacity(plane.len() * 2);
        for (i, hu) in plane.iter().enumerate() {
            let noisy = hu + self.noise[(i + shift) % self.noise.len()];
            let stored = (noisy - INTERCEPT).round().clamp(0.0, STORED_MAX) as u16;
            bytes.extend_from_slice(&stored.to_le_bytes());
        }
        bytes
    }
}

/// Lowest position and length of the part of a scan that shows lungs.
fn lung_scan(positions: &[f64]) -> (f32, f32) {
    let (low, high) = (
        positions.first().copied().unwrap_or(0.0),
        positions.last().copied().unwrap_or(0.0),
    );
    let scanned = (high - low) as f32;
    let length = scanned.clamp(*LUNG_SCAN_MM.start(), *LUNG_SCAN_MM.end());
    let bottom = if scanned > length {
        high as f32 - length
    } else {
        (low + high) as f32 / 2.0 - length / 2.0
    };
    (bottom, length)
}

/// Noise of the size of an image: sums of four even numbers are near enough to normal; neighbours are mixed, as
/// reconstruction does.
fn noise(rng: &mut rand_chacha::ChaCha8Rng) -> Vec<f32> {
    let normal: Vec<f32> = (0..SIZE * SIZE)
        .map(|_| rng.random::<[u8; 4]>().map(f32::from).iter().sum::<f32>() / 148.0 - 3.45)
        .collect();
    let at = |i: usize| normal[i % normal.len()];
    (0..normal.len())
        .map(|i| NOISE_HU * (0.8 * at(i) + 0.45 * at(i + 1) + 0.4 * at(i + SIZE)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Thorax, lung_scan};
    use crate::canvas::SIZE;
    use crate::data;
    use crate::window::Window;

    #[test]
    fn scans_of_any_length_show_lungs() {
        let check =
            |from: f64, to: f64, expect: (f32, f32)| assert_eq!(lung_scan(&[from, to]), expect);
        check(-300.0, 0.0, (-300.0, 300.0));
        check(-60.0, -40.0, (-150.0, 200.0));
        check(-690.0, 0.0, (-390.0, 390.0));
    }

    /// Inside the outline it is denser than in the air of the lung, on the middle slice of the stack's nodule.
    #[test]
    fn a_solid_nodule_stands_out_where_it_was_drawn() {
        let all = data::series().unwrap();
        let mut seen = 0;
        for series in all
            .iter()
            .filter(|s| s.readings.iter().any(|r| r.ratings[7] == 5))
            .take(40)
        {
            let Some(window) = Window::choose(series) else {
                continue;
            };
            let thorax = Thorax::new(1, series, &window);
            let inside = |r: &&data::ReadingRecord| {
                r.ratings[7] == 5 && r.heights().all(|z| window.slice_at(z).is_some())
            };
            let Some(reading) = series.readings.iter().find(inside) else {
                continue;
            };
            let contours = reading.contours();
            let widest = contours.iter().max_by_key(|c| c.points.len()).unwrap();
            let bytes = thorax.slice(window.slice_at(widest.z_mm).unwrap());
            assert_eq!(bytes.len(), SIZE * SIZE * 2);
            let mean = |axis: usize| {
                widest
                    .points
                    .iter()
                    .map(|p| p[axis] as usize)
                    .sum::<usize>()
                    / widest.points.len()
                    / 2
            };
            let at = 2 * (mean(1) * SIZE + mean(0));
            let hu = i32::from(u16::from_le_bytes([bytes[at], bytes[at + 1]])) - 1024;
            seen += usize::from(hu > -400);
        }
        // Bent outlines do not hold their own centre; a few readers stood alone.
        assert!(seen >= 20, "{seen}");
    }
}
