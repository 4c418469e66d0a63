//! Where the face is: planes in the patient's coordinates that hang on the root of the nose.
//!
//! The same for every slice, whatever its direction, so that one that comes later is cut alike, and small enough to keep. What
//! lies in front of all planes goes, air too: noise outlines a face. Lengths are for adults and children alike; each is
//! derived where it stands, and [decision 0019](../../../../docs/decisions/0019-removing-a-face.md) says what they cost.

use serde::{Deserialize, Serialize};

use super::space::{Axes, V3, dot, minus};

/// How far behind the root of the nose all goes: corneas lie 5 to 15 mm behind it, the chin and the lips at most 20. What is kept
/// behind the plane begins with the back of the eyeballs and the molars.
const DEPTH_MM: f64 = 35.0;
/// How far below the root of the nose: a long chin is 130 mm below it, a chest begins at 170.
const BELOW_MM: f64 = 145.0;
/// Where the upper plane passes the root of the nose: above brows, whose bone is 10 mm thick there.
const BROW_MM: f64 = 16.0;
/// How much it falls backwards: the floor of the brain's front lies above it.
const BROW_FALL: f64 = 0.55;
/// Nothing above goes, however far in front.
const BROW_MOST_MM: f64 = 30.0;
/// Where ears are, behind and above the root of the nose.
const EARS_BEHIND_MM: std::ops::RangeInclusive<f64> = 65.0..=130.0;
const EARS_ABOVE_MM: std::ops::RangeInclusive<f64> = -55.0..=25.0;

/// Where a face was found, and so what goes of every slice of its series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    /// The root of the nose.
    pub(super) nasion_mm: V3,
    /// Unit vectors of the head, from it.
    pub(super) back: V3,
    pub(super) up: V3,
    /// How far to the right and to the left ears begin; nothing where the skull could not be measured.
    pub(super) ears_mm: Option<[f64; 2]>,
}

/// Its numbers are finite: no other comes of a head, and JSON has no other.
impl Eq for Cut {}

impl Cut {
    pub(super) fn new(nasion_mm: V3, axes: Axes) -> Self {
        Self {
            nasion_mm,
            back: axes.back,
            up: axes.up,
            ears_mm: None,
        }
    }

    /// Whether ears go as well.
    #[must_use]
    pub fn takes_ears(&self) -> bool {
        self.ears_mm.is_some()
    }

    /// Whether what is at this point of the patient goes.
    #[must_use]
    pub fn takes(&self, point_mm: V3) -> bool {
        let offset = minus(point_mm, self.nasion_mm);
        let left = Axes::new(self.back, self.up).left;
        self.takes_at(
            dot(offset, self.back),
            dot(offset, self.up),
            dot(offset, left),
        )
    }

    /// The same by how far behind, above and to the left of the root of the nose.
    pub(super) fn takes_at(&self, behind: f64, above: f64, left: f64) -> bool {
        let brow = (BROW_MM - BROW_FALL * behind).min(BROW_MOST_MM);
        let is_face = behind < DEPTH_MM && above > -BELOW_MM && above < brow;
        is_face || self.is_ear(behind, above, left)
    }

    fn is_ear(&self, behind: f64, above: f64, left: f64) -> bool {
        let Some([right_mm, left_mm]) = self.ears_mm else {
            return false;
        };
        EARS_BEHIND_MM.contains(&behind)
            && EARS_ABOVE_MM.contains(&above)
            && (left > left_mm || -left > right_mm)
    }
}
