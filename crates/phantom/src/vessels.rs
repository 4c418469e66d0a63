//! Blood vessels of the lungs: two random trees that grow from the hila, the same from slice to slice.

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

/// Branches that leave each hilum.
const STEMS: usize = 14;
/// Generations of branching: 14 × 2⁷ twigs a side are about what a 1.4 mm pixel can show.
const GENERATIONS: u32 = 7;
/// Radius of a stem in mm, and the share of it that each next generation keeps.
const STEM_RADIUS_MM: f32 = 4.6;
const TAPER: f32 = 0.75;
/// Length of a stem as a fraction of half the field of view, and the share that each next generation keeps.
const STEM_LENGTH: f32 = 0.16;
const SHORTENING: f32 = 0.93;
/// How far a branch turns from its parent, as the length of a random vector added to its unit direction.
const TURN: f32 = 0.62;

/// A straight piece of vessel, in mm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vessel {
    from: [f32; 3],
    to: [f32; 3],
    pub(crate) radius_mm: f32,
}

/// Where and how large the trees are, in mm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lungs {
    /// Half the field of view.
    pub(crate) unit_mm: f32,
    /// z of the hila.
    pub(crate) hilum_z_mm: f32,
}

/// Grows the vessels of both lungs.
pub(crate) fn grow(rng: &mut ChaCha8Rng, lungs: Lungs) -> Vec<Vessel> {
    let mut vessels = Vec::new();
    for side in [-1.0, 1.0] {
        for stem in 0..STEMS {
            let hilum = [
                side * 0.22 * lungs.unit_mm,
                0.06 * lungs.unit_mm,
                lungs.hilum_z_mm,
            ];
            // Stems fan out from straight down to straight up, to the side and a little to front or back.
            let rise = (stem as f32 + 0.5) / STEMS as f32 * 2.0 - 1.0;
            let direction = unit([
                side * (1.1 - rise.abs()),
                rng.random_range(-0.8..0.8),
                rise * 1.3,
            ]);
            let radius_mm = STEM_RADIUS_MM * rng.random_range(0.7..1.1);
            let start = Vessel {
                from: hilum,
                to: hilum,
                radius_mm,
            };
            branch(
                rng,
                start,
                direction,
                STEM_LENGTH * lungs.unit_mm,
                GENERATIONS,
                &mut vessels,
            );
        }
    }
    vessels
}

fn branch(
    rng: &mut ChaCha8Rng,
    parent: Vessel,
    along: [f32; 3],
    length: f32,
    left: u32,
    out: &mut Vec<Vessel>,
) {
    let length = length * rng.random_range(0.7..1.3);
    let to = std::array::from_fn(|i| parent.to[i] + along[i] * length);
    let vessel = Vessel {
        from: parent.to,
        to,
        radius_mm: parent.radius_mm,
    };
    out.push(vessel);
    if left == 0 {
        return;
    }
    for _ in 0..2 {
        let turn: [f32; 3] = std::array::from_fn(|_| rng.random_range(-TURN..TURN));
        let next = unit(std::array::from_fn(|i| along[i] + turn[i]));
        let thinner = Vessel {
            radius_mm: vessel.radius_mm * TAPER,
            ..vessel
        };
        branch(rng, thinner, next, length * SHORTENING, left - 1, out);
    }
}

fn unit(v: [f32; 3]) -> [f32; 3] {
    let length = v.iter().map(|c| c * c).sum::<f32>().sqrt().max(1e-6);
    v.map(|c| c / length)
}

impl Vessel {
    /// The ends of what a slice at `z` with half thickness `half_mm` shows of the vessel, if anything.
    pub(crate) fn cut(&self, z: f32, half_mm: f32) -> Option<[[f32; 2]; 2]> {
        let reach = self.radius_mm.max(half_mm);
        let rise = self.to[2] - self.from[2];
        let (low, high) = if rise.abs() < 1e-3 {
            ((self.from[2] - z).abs() <= reach).then_some((0.0, 1.0))?
        } else {
            let (a, b) = (
                (z - reach - self.from[2]) / rise,
                (z + reach - self.from[2]) / rise,
            );
            (a.min(b).max(0.0), a.max(b).min(1.0))
        };
        let at =
            |part: f32| [0, 1].map(|i: usize| self.from[i] + part * (self.to[i] - self.from[i]));
        (low < high).then(|| [at(low), at(high)])
    }
}

#[cfg(test)]
mod tests {
    use super::Vessel;

    #[test]
    fn a_slice_shows_the_part_of_a_vessel_in_it() {
        let check = |to: [f32; 3], z: f32, expect: Option<[[f32; 2]; 2]>| {
            let vessel = Vessel {
                from: [0.0; 3],
                to,
                radius_mm: 1.0,
            };
            assert_eq!(vessel.cut(z, 0.5), expect, "{to:?} at {z}");
        };
        check([10.0, 0.0, 10.0], 5.0, Some([[4.0, 0.0], [6.0, 0.0]]));
        check([10.0, 0.0, 10.0], 0.0, Some([[0.0, 0.0], [1.0, 0.0]]));
        check([10.0, 0.0, 10.0], 12.0, None);
        check([10.0, 0.0, 0.0], 0.5, Some([[0.0, 0.0], [10.0, 0.0]]));
        check([10.0, 0.0, 0.0], 1.5, None);
    }
}
