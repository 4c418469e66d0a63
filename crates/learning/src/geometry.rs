//! Plane geometry of outlines whose points are pixel centres: area, perimeter, second moments, convex hull.
//!
//! Lengths are in pixels. An outline is a polygon through its points, closed from the last to the first; the direction of
//! drawing does not matter. Outlines that cross themselves give some finite figure, not necessarily a meaningful one.

/// A pixel: column and row.
pub(crate) type Point = [i32; 2];

/// Area, first and second moments of a region (`∫ 1`, `∫ x`, `∫ y`, `∫ x²`, `∫ y²`, `∫ xy`), relative to an origin.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Moments {
    pub(crate) area: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

impl Moments {
    /// Of the polygon, by Green's theorem over its edges, about `origin` (a point near by, so that little cancels).
    pub(crate) fn of(polygon: &[Point], origin: Point) -> Self {
        let mut sum = Self::default();
        for (from, to) in edges(polygon) {
            sum.add_edge(relative(from, origin), relative(to, origin));
        }
        // Clockwise outlines have all moments with the other sign.
        if sum.area < 0.0 {
            sum.scaled(-1.0)
        } else {
            sum
        }
    }

    fn add_edge(&mut self, [x, y]: [f64; 2], [u, v]: [f64; 2]) {
        let cross = x * v - u * y;
        self.area += cross / 2.0;
        self.x += (x + u) * cross / 6.0;
        self.y += (y + v) * cross / 6.0;
        self.xx += (x * x + x * u + u * u) * cross / 12.0;
        self.yy += (y * y + y * v + v * v) * cross / 12.0;
        self.xy += (x * v + 2.0 * x * y + 2.0 * u * v + u * y) * cross / 24.0;
    }

    /// Adds `factor` times another region's moments: 1 for a part, -1 for a hole.
    pub(crate) fn add(&mut self, other: &Self, factor: f64) {
        let other = other.scaled(factor);
        self.area += other.area;
        self.x += other.x;
        self.y += other.y;
        self.xx += other.xx;
        self.yy += other.yy;
        self.xy += other.xy;
    }

    fn scaled(&self, by: f64) -> Self {
        let Self {
            area,
            x,
            y,
            xx,
            yy,
            xy,
        } = *self;
        Self {
            area: area * by,
            x: x * by,
            y: y * by,
            xx: xx * by,
            yy: yy * by,
            xy: xy * by,
        }
    }

    /// Length of the minor axis over that of the major axis of the ellipse with the same second moments; 1 for a disc.
    pub(crate) fn axes_ratio(&self) -> f64 {
        let (mean_x, mean_y) = (self.x / self.area, self.y / self.area);
        let xx = self.xx / self.area - mean_x * mean_x;
        let yy = self.yy / self.area - mean_y * mean_y;
        let xy = self.xy / self.area - mean_x * mean_y;
        let (middle, spread) = ((xx + yy) / 2.0, ((xx - yy) / 2.0).hypot(xy));
        ((middle - spread).max(0.0) / (middle + spread)).sqrt()
    }
}

/// Length of the closed outline.
pub(crate) fn perimeter(polygon: &[Point]) -> f64 {
    edges(polygon).map(|(from, to)| distance(from, to)).sum()
}

/// Corners of the convex hull, anticlockwise (A. M. Andrew's monotone chain, Information Processing Letters 9(5), 1979).
/// Exact, since all is whole numbers.
pub(crate) fn convex_hull(points: &[Point]) -> Vec<Point> {
    let mut sorted = points.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    if sorted.len() < 3 {
        return sorted;
    }
    let mut hull = half_hull(sorted.iter());
    hull.extend(half_hull(sorted.iter().rev()));
    hull
}

/// One side of the hull, without its last corner, with which the other side starts.
fn half_hull<'a>(points: impl Iterator<Item = &'a Point>) -> Vec<Point> {
    let mut side: Vec<Point> = Vec::new();
    for point in points {
        while let [.., before, last] = side[..] {
            if turn(before, last, *point) > 0 {
                break;
            }
            side.pop();
        }
        side.push(*point);
    }
    side.pop();
    side
}

/// Positive for a left turn. Coordinates are within ±65,535, so that 64 bits hold the products.
fn turn(a: Point, b: Point, c: Point) -> i64 {
    let difference = |p: Point, axis: usize| i64::from(p[axis]) - i64::from(a[axis]);
    difference(b, 0) * difference(c, 1) - difference(b, 1) * difference(c, 0)
}

fn edges(polygon: &[Point]) -> impl Iterator<Item = (Point, Point)> {
    let next = polygon.iter().cycle().skip(1);
    polygon.iter().copied().zip(next.copied())
}

fn relative(point: Point, origin: Point) -> [f64; 2] {
    [0, 1].map(|axis| f64::from(point[axis]) - f64::from(origin[axis]))
}

fn distance(a: Point, b: Point) -> f64 {
    let [x, y] = relative(a, b);
    x.hypot(y)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, prop, prop_assert, proptest};

    use super::{Moments, Point, convex_hull, perimeter};

    const RECTANGLE: [Point; 4] = [[10, 20], [40, 20], [40, 30], [10, 30]];

    #[test]
    fn figures_of_a_rectangle() {
        let check = |polygon: &[Point]| {
            let moments = Moments::of(polygon, polygon[0]);
            assert_eq!((moments.area, perimeter(polygon)), (300.0, 80.0));
            assert!((moments.axes_ratio() - 1.0 / 3.0).abs() < 1e-12);
        };
        check(&RECTANGLE);
        let reversed: Vec<_> = RECTANGLE.into_iter().rev().collect();
        check(&reversed);
        let closed: Vec<_> = RECTANGLE.into_iter().chain([RECTANGLE[0]]).collect();
        check(&closed);
        let far: Vec<_> = RECTANGLE
            .iter()
            .map(|[x, y]| [x + 60_000, y - 60_000])
            .collect();
        check(&far);
    }

    #[test]
    fn a_hole_is_taken_off() {
        let mut moments = Moments::of(&RECTANGLE, [0, 0]);
        moments.add(
            &Moments::of(&[[20, 22], [20, 28], [30, 28], [30, 22]], [0, 0]),
            -1.0,
        );
        assert_eq!(moments.area, 240.0);
        // 300 · 10²/12 − 60 · 6²/12 over 300 · 30²/12 − 60 · (10²/12) about the common centre x̄ = 25 of both (the hole's is 25).
        let minor: f64 = 300.0 * 100.0 / 12.0 - 60.0 * 36.0 / 12.0;
        let major = 300.0 * 900.0 / 12.0 - 60.0 * 100.0 / 12.0;
        assert!((moments.axes_ratio() - (minor / major).sqrt()).abs() < 1e-12);
    }

    #[test]
    fn points_in_a_line_enclose_nothing() {
        for polygon in [
            &[[5, 5]][..],
            &[[5, 5], [9, 9]],
            &[[0, 0], [2, 2], [4, 4]],
            &[[1, 1], [1, 1]],
        ] {
            assert_eq!(Moments::of(polygon, polygon[0]).area, 0.0);
            let hull = convex_hull(polygon);
            assert_eq!(Moments::of(&hull, polygon[0]).area, 0.0);
        }
    }

    proptest! {
        #[test]
        fn the_hull_holds_every_point(
            points in prop::collection::vec((-50..50i32, -50..50i32).prop_map(|(x, y)| [x, y]), 1..60),
        ) {
            let hull = convex_hull(&points);
            prop_assert!(hull.iter().all(|corner| points.contains(corner)));
            let corners = hull.len();
            for point in points.iter().filter(|_| corners > 2) {
                let outside = (0..corners).any(|at| super::turn(hull[at], hull[(at + 1) % corners], *point) < 0);
                prop_assert!(!outside);
            }
        }
    }
}
