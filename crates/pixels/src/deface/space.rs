//! Vectors in the patient's coordinates (PS3.3 C.7.6.2.1.1): millimetres towards left, back and top.

/// A point, or a direction.
pub(super) type V3 = [f64; 3];

pub(super) fn dot([a, b, c]: V3, [x, y, z]: V3) -> f64 {
    a * x + b * y + c * z
}

pub(super) fn minus([a, b, c]: V3, [x, y, z]: V3) -> V3 {
    [a - x, b - y, c - z]
}

/// `start + direction × length`.
pub(super) fn along(start: V3, direction: V3, length: f64) -> V3 {
    [0, 1, 2].map(|i| start[i] + direction[i] * length)
}

pub(super) fn scaled(v: V3, by: f64) -> V3 {
    v.map(|part| part * by)
}

pub(super) fn cross([a, b, c]: V3, [x, y, z]: V3) -> V3 {
    [b * z - c * y, c * x - a * z, a * y - b * x]
}

pub(super) fn length(v: V3) -> f64 {
    dot(v, v).sqrt()
}

pub(super) fn unit(v: V3) -> V3 {
    scaled(v, 1.0 / length(v))
}

/// Directions of a head: right angles to each other, each of length 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axes {
    pub(super) left: V3,
    pub(super) back: V3,
    pub(super) up: V3,
}

impl Axes {
    /// Those of the patient's coordinates.
    pub(super) const PATIENT: Self = Self {
        left: [1.0, 0.0, 0.0],
        back: [0.0, 1.0, 0.0],
        up: [0.0, 0.0, 1.0],
    };

    /// With `up` as it is, and `back` as near to the one given as a right angle allows.
    pub(super) fn new(back: V3, up: V3) -> Self {
        let up = unit(up);
        let back = unit(along(back, up, -dot(back, up)));
        Self {
            left: cross(back, up),
            back,
            up,
        }
    }

    /// Nodded: what is at the back comes up by `angle` in radians.
    pub(super) fn nodded(self, angle: f64) -> Self {
        let (sin, cos) = angle.sin_cos();
        let back = along(scaled(self.back, cos), self.up, sin);
        let up = along(scaled(self.up, cos), self.back, -sin);
        Self::new(back, up)
    }
}

#[cfg(test)]
mod tests {
    use super::{Axes, dot};

    #[test]
    fn a_nod_turns_the_back_of_the_head_up_and_the_top_to_the_front() {
        let turned = Axes::PATIENT.nodded(0.2);
        assert!(turned.back[2] > 0.19 && turned.up[1] < -0.19);
        assert!((dot(turned.left, Axes::PATIENT.left) - 1.0).abs() < 1e-12);
        assert!(dot(turned.back, turned.up).abs() < 1e-12);
    }
}
