//! One slice being drawn: Hounsfield units on a square grid, shapes in millimetres with soft edges.
//!
//! Coordinates are mm from the centre of the field of view, x to the patient's left, y to the back (the axes of
//! PS3.3 C.7.6.2.1.1 for a head-first supine patient).

/// Edge of the drawn image in pixels: half of the 512 that were read, to keep the demo small.
pub(crate) const SIZE: usize = 256;

/// Values (Hounsfield units or coverage 0–1) of one slice, row by row.
pub(crate) type Plane = Vec<f32>;

/// The grid of one slice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Grid {
    /// Edge of a pixel in mm.
    pub(crate) pixel_mm: f32,
}

/// A closed shape.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// Ellipse with half axes along x and y.
    Ellipse { x: f32, y: f32, a: f32, b: f32 },
    /// An ellipse with fuller corners: ¾ ((x/a)² + (y/b)²) + ¼ ((x/a)⁴ + (y/b)⁴) = 1.
    Full { x: f32, y: f32, a: f32, b: f32 },
    /// Line from one point to another with round ends.
    Capsule {
        from: [f32; 2],
        to: [f32; 2],
        r: f32,
    },
}

impl Grid {
    /// A plane full of `value`.
    pub(crate) fn plane(value: f32) -> Plane {
        vec![value; SIZE * SIZE]
    }

    /// mm of the centre of pixel column or row `i`.
    pub(crate) fn mm(self, i: usize) -> f32 {
        (i as f32 + 0.5 - SIZE as f32 / 2.0) * self.pixel_mm
    }

    /// The pixel range that covers `from_mm..=to_mm` and a pixel of soft edge.
    pub(crate) fn range(self, from_mm: f32, to_mm: f32) -> std::ops::Range<usize> {
        let pixel = |mm: f32| mm / self.pixel_mm + SIZE as f32 / 2.0 - 0.5;
        let clamp = |i: f32| i.clamp(0.0, SIZE as f32) as usize;
        clamp((pixel(from_mm) - 1.0).floor())..clamp((pixel(to_mm) + 2.0).ceil())
    }

    /// Calls `visit(index, coverage)` for each pixel that the shape covers, coverage in 0–1.
    pub(crate) fn cover(self, shape: &Shape, mut visit: impl FnMut(usize, f32)) {
        let [left, top, right, bottom] = shape.bounds();
        let columns = self.range(left, right);
        for row in self.range(top, bottom) {
            let y = self.mm(row);
            for column in columns.clone() {
                let coverage = shape.coverage(self.mm(column), y, self.pixel_mm);
                if coverage > 0.0 {
                    visit(row * SIZE + column, coverage);
                }
            }
        }
    }

    /// Lays a shape of uniform `hu` over the plane.
    pub(crate) fn fill(self, plane: &mut Plane, shape: &Shape, hu: f32) {
        self.cover(shape, |i, coverage| plane[i] += coverage * (hu - plane[i]));
    }
}

impl Shape {
    fn bounds(&self) -> [f32; 4] {
        match *self {
            Self::Ellipse { x, y, a, b } | Self::Full { x, y, a, b } => {
                [x - a, y - b, x + a, y + b]
            }
            Self::Capsule { from, to, r } => [
                from[0].min(to[0]) - r,
                from[1].min(to[1]) - r,
                from[0].max(to[0]) + r,
                from[1].max(to[1]) + r,
            ],
        }
    }

    /// How much of a pixel at the point lies inside, 0–1: signed distance to the edge over the pixel size.
    pub(crate) fn coverage(&self, px: f32, py: f32, pixel_mm: f32) -> f32 {
        let inside_mm = match *self {
            Self::Ellipse { x, y, a, b } => {
                let (u, v) = ((px - x) / a, (py - y) / b);
                edge_distance(u * u + v * v, 2.0, a.min(b))
            }
            Self::Full { x, y, a, b } => {
                let (u, v) = ((px - x) / a, (py - y) / b);
                let (u2, v2) = (u * u, v * v);
                edge_distance((3.0 * (u2 + v2) + u2 * u2 + v2 * v2) / 4.0, 2.5, a.min(b))
            }
            Self::Capsule { from, to, r } => r - segment_distance([px, py], from, to),
        };
        (inside_mm / pixel_mm + 0.5).clamp(0.0, 1.0)
    }
}

/// Distance into the shape `q = 1` where q grows with the `power` of the radius; exact for a circle, near enough else.
fn edge_distance(q: f32, power: f32, radius: f32) -> f32 {
    (1.0 - q) * radius / power
}

fn segment_distance(p: [f32; 2], from: [f32; 2], to: [f32; 2]) -> f32 {
    let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
    let length2 = dx * dx + dy * dy;
    let along = if length2 > 0.0 {
        ((p[0] - from[0]) * dx + (p[1] - from[1]) * dy) / length2
    } else {
        0.0
    };
    let along = along.clamp(0.0, 1.0);
    (p[0] - from[0] - along * dx).hypot(p[1] - from[1] - along * dy)
}

#[cfg(test)]
mod tests {
    use super::{Grid, SIZE, Shape};

    #[test]
    fn shapes_have_their_area() {
        let check = |shape: Shape, expect_mm2: f32| {
            let grid = Grid { pixel_mm: 1.4 };
            let mut pixels = 0.0;
            grid.cover(&shape, |_, coverage| pixels += coverage);
            let area = pixels * 1.4 * 1.4;
            assert!(
                (area / expect_mm2 - 1.0).abs() < 0.03,
                "{shape:?}: {area} mm²"
            );
        };
        check(
            Shape::Ellipse {
                x: 3.0,
                y: -8.0,
                a: 40.0,
                b: 40.0,
            },
            5026.5,
        );
        check(
            Shape::Ellipse {
                x: 0.0,
                y: 0.0,
                a: 60.0,
                b: 30.0,
            },
            5654.9,
        );
        check(
            Shape::Full {
                x: 0.0,
                y: 0.0,
                a: 50.0,
                b: 50.0,
            },
            8307.6,
        );
        check(
            Shape::Capsule {
                from: [0.0, 0.0],
                to: [30.0, 40.0],
                r: 5.0,
            },
            578.5,
        );
    }

    #[test]
    fn a_shape_beyond_the_image_is_cut() {
        let grid = Grid { pixel_mm: 1.0 };
        let mut plane = Grid::plane(0.0);
        grid.fill(
            &mut plane,
            &Shape::Ellipse {
                x: 128.0,
                y: 0.0,
                a: 500.0,
                b: 500.0,
            },
            7.0,
        );
        assert_eq!(plane[SIZE * SIZE / 2], 7.0);
        grid.fill(
            &mut plane,
            &Shape::Ellipse {
                x: 9000.0,
                y: 0.0,
                a: 5.0,
                b: 5.0,
            },
            9.0,
        );
        assert!(plane.iter().all(|hu| *hu <= 7.0));
    }
}
