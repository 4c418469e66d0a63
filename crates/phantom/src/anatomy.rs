//! The shapes of a schematic chest at one height, as fractions of half the field of view.
//!
//! The heights and widths follow where the outlines of LIDC-IDRI lie, so that real nodules fall into the drawn lungs.
//! It is a drawing that lets a viewer show something sensible, not an atlas: no measurement may be taken from it.

use crate::canvas::Shape;

/// Hounsfield units of what is drawn.
pub(crate) mod hu {
    pub(crate) const AIR: f32 = -1000.0;
    pub(crate) const LUNG: f32 = -868.0;
    pub(crate) const FAT: f32 = -104.0;
    pub(crate) const MEDIASTINAL_FAT: f32 = -70.0;
    pub(crate) const MUSCLE: f32 = 52.0;
    pub(crate) const SKIN: f32 = 10.0;
    pub(crate) const BLOOD: f32 = 44.0;
    pub(crate) const ENHANCED_BLOOD: f32 = 190.0;
    pub(crate) const LIVER: f32 = 62.0;
    pub(crate) const CORTICAL_BONE: f32 = 620.0;
    pub(crate) const SPONGY_BONE: f32 = 190.0;
    pub(crate) const CARTILAGE: f32 = 110.0;
    pub(crate) const DISC: f32 = 85.0;
    pub(crate) const CANAL: f32 = 25.0;
    pub(crate) const COUCH: f32 = -320.0;
    pub(crate) const AIRWAY: f32 = -965.0;
}

/// What the mediastinum and abdomen hold, in the order of drawing: shape and Hounsfield units.
pub(crate) type Organs = Vec<(Shape, f32)>;

/// Half axes and centre row of the chest cavity; (height, a, b, y).
const CAVITY: [(f32, [f32; 3]); 8] = [
    (0.00, [0.84, 0.56, 0.09]),
    (0.15, [0.87, 0.60, 0.08]),
    (0.30, [0.87, 0.66, 0.06]),
    (0.50, [0.83, 0.68, 0.06]),
    (0.65, [0.77, 0.63, 0.08]),
    (0.80, [0.66, 0.50, 0.13]),
    (0.92, [0.48, 0.34, 0.18]),
    (1.00, [0.28, 0.20, 0.21]),
];

/// Half axes and centre row of the body.
const BODY: [(f32, [f32; 3]); 4] = [
    (0.00, [0.96, 0.78, 0.09]),
    (0.70, [0.97, 0.83, 0.07]),
    (0.90, [1.04, 0.70, 0.12]),
    (1.00, [1.06, 0.56, 0.16]),
];

/// An ellipse between the rows of a table.
fn between(table: &[(f32, [f32; 3])], height: f32) -> [f32; 3] {
    let above = table
        .iter()
        .position(|(h, _)| *h >= height)
        .unwrap_or(table.len() - 1)
        .max(1);
    let ((low, from), (high, to)) = (table[above - 1], table[above]);
    let part = ((height - low) / (high - low)).clamp(0.0, 1.0);
    std::array::from_fn(|i| from[i] + part * (to[i] - from[i]))
}

/// The chest at one height: 0 where the scan begins below the lungs, 1 where it ends above them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Section {
    pub(crate) height: f32,
    /// Half the field of view in mm: what one unit of the fractions is.
    pub(crate) unit_mm: f32,
    /// Whether the real series was taken with contrast agent.
    pub(crate) contrast: bool,
}

impl Section {
    pub(crate) fn ellipse(&self, x: f32, y: f32, a: f32, b: f32) -> Shape {
        let mm = self.unit_mm;
        Shape::Ellipse {
            x: x * mm,
            y: y * mm,
            a: a * mm,
            b: b * mm,
        }
    }

    pub(crate) fn capsule(&self, from: [f32; 2], to: [f32; 2], r: f32) -> Shape {
        let mm = self.unit_mm;
        Shape::Capsule {
            from: from.map(|c| c * mm),
            to: to.map(|c| c * mm),
            r: r * mm,
        }
    }

    fn full(&self, x: f32, y: f32, a: f32, b: f32) -> Shape {
        let mm = self.unit_mm;
        Shape::Full {
            x: x * mm,
            y: y * mm,
            a: a * mm,
            b: b * mm,
        }
    }

    /// Outer edge of the body, made smaller all round by `inset`.
    pub(crate) fn body(&self, inset: f32) -> Shape {
        let [a, b, y] = between(&BODY, self.height);
        self.full(0.0, y, a - inset, b - inset)
    }

    /// Chest cavity, made larger all round by `wall`.
    pub(crate) fn cavity(&self, wall: f32) -> Shape {
        let [a, b, y] = between(&CAVITY, self.height);
        self.full(0.0, y, a + wall, b + wall)
    }

    /// A point on the ring of ribs: `angle` runs from 0 at the spine to π at the breastbone, `side` is ±1.
    pub(crate) fn on_rib_ring(&self, angle: f32, side: f32) -> [f32; 2] {
        const OUTSIDE: f32 = 0.045;
        let [a, b, y] = between(&CAVITY, self.height);
        let (u, v) = (angle.sin(), angle.cos());
        // Where the ray meets the full ellipse: the root of q r⁴ + 3 r² = 4, q = u⁴ + v⁴.
        let q = u.powi(4) + v.powi(4);
        let r = (((9.0 + 16.0 * q).sqrt() - 3.0) / (2.0 * q)).sqrt();
        [side * (a + OUTSIDE) * r * u, y + (b + OUTSIDE) * r * v]
    }

    /// The table under the patient.
    pub(crate) fn couch(&self) -> Shape {
        self.capsule([-0.72, 0.965], [0.72, 0.965], 0.018)
    }

    /// What lies between and below the lungs.
    pub(crate) fn organs(&self) -> Organs {
        let mut organs = self.mediastinum();
        organs.extend(self.abdomen());
        organs.extend(self.heart());
        organs.extend(self.great_vessels());
        organs.extend(self.airways());
        organs
    }

    fn blood(&self) -> f32 {
        if self.contrast {
            hu::ENHANCED_BLOOD
        } else {
            hu::BLOOD
        }
    }

    /// Fat between the lungs, narrow in front where they nearly meet, and the tissue before the spine.
    fn mediastinum(&self) -> Organs {
        let half_width = 0.15 + 0.06 * (1.0 - self.height);
        vec![
            (
                self.ellipse(0.01, -0.10, half_width, 0.52),
                hu::MEDIASTINAL_FAT,
            ),
            (self.full(0.0, 0.36, 0.135, 0.22), hu::MEDIASTINAL_FAT),
            (self.ellipse(0.0, 0.64, 0.20, 0.30), hu::MUSCLE),
            (self.ellipse(0.05, 0.27, 0.04, 0.035), hu::MUSCLE),
        ]
    }

    /// Liver under the right lung, spleen and stomach under the left: domes that shrink upwards.
    fn abdomen(&self) -> Organs {
        let dome = |top: f32, x: f32, y: f32, a: f32, b: f32, value: f32| {
            let part = 1.0 - (self.height / top).powi(2);
            (part > 0.0).then(|| (self.ellipse(x, y, a * part.sqrt(), b * part.sqrt()), value))
        };
        let liver = dome(0.25, -0.36, -0.06, 0.46, 0.46, hu::LIVER);
        let spleen = dome(0.17, 0.44, 0.02, 0.38, 0.40, hu::LIVER - 12.0);
        liver.into_iter().chain(spleen).collect()
    }

    fn heart(&self) -> Organs {
        // Widest at a third of the height, gone at a tenth and at six tenths.
        let part = 1.0 - ((self.height - 0.34) / 0.23).powi(2);
        if part <= 0.0 {
            return vec![];
        }
        let size = part.sqrt();
        let (x, y) = (0.10 - 0.25 * (self.height - 0.34), -0.22);
        let wall = |r: f32| {
            self.capsule(
                [x - 0.14 * size, y - 0.04],
                [x + 0.20 * size, y + 0.03],
                r * size,
            )
        };
        vec![
            (wall(0.255), hu::MEDIASTINAL_FAT),
            (wall(0.235), hu::MUSCLE),
            (
                self.ellipse(x + 0.18 * size, y + 0.02, 0.17 * size, 0.13 * size),
                self.blood(),
            ),
            (
                self.ellipse(x - 0.15 * size, y + 0.02, 0.13 * size, 0.17 * size),
                self.blood(),
            ),
            (
                self.ellipse(x + 0.02 * size, y - 0.13 * size, 0.20 * size, 0.08 * size),
                self.blood(),
            ),
        ]
    }

    fn great_vessels(&self) -> Organs {
        let blood = self.blood();
        let (aorta, up) = (
            self.ellipse(0.13, 0.33, 0.075, 0.075),
            self.ellipse(-0.05, -0.17, 0.095, 0.095),
        );
        let cava = self.ellipse(-0.17, -0.12, 0.055, 0.055);
        match self.height {
            h if h < 0.46 => vec![(aorta, blood)],
            h if h < 0.56 => vec![
                (self.capsule([0.05, -0.20], [0.18, 0.02], 0.075), blood),
                (self.capsule([-0.18, 0.03], [0.10, -0.04], 0.055), blood),
                (up, blood),
                (cava, blood),
                (aorta, blood),
            ],
            h if h < 0.66 => vec![(up, blood), (cava, blood), (aorta, blood)],
            h if h < 0.72 => vec![
                (self.capsule([-0.06, -0.17], [0.12, 0.27], 0.075), blood),
                (cava, blood),
            ],
            _ => vec![
                (self.ellipse(-0.09, -0.10, 0.045, 0.045), blood),
                (self.ellipse(0.03, -0.12, 0.03, 0.03), blood),
                (self.ellipse(0.11, -0.02, 0.035, 0.035), blood),
                (self.ellipse(-0.15, -0.14, 0.05, 0.05), blood),
            ],
        }
    }

    /// Windpipe, parting into two bronchi that run outwards and down.
    fn airways(&self) -> Organs {
        let tube = |x: f32, r: f32| {
            let y = 0.08;
            [
                (self.ellipse(x, y, r + 0.014, r + 0.014), hu::MUSCLE),
                (self.ellipse(x, y, r, r), hu::AIRWAY),
            ]
        };
        match self.height {
            h if h > 0.60 => tube(0.0, 0.055).to_vec(),
            h if h > 0.46 => {
                let apart = 0.05 + (0.60 - h) * 1.3;
                [tube(-apart, 0.042), tube(apart, 0.038)].concat()
            }
            _ => vec![],
        }
    }
}
