//! Nine shape features of the outlines that one reader drew of one nodule.
//!
//! All are defined for a nodule in a single slice. Lengths and volumes enter as natural logarithms, since they spread over
//! orders of magnitude; ratios enter as they are. The nine were chosen for three reasons: each is common in the literature on nodules,
//! none can be computed from the others (so that the Hessian of the regression stays well-conditioned, unlike with volume, surface and
//! sphericity together), and they separate LIDC-IDRI's ratings well. They follow no standard: IBSI's features of a mesh
//! belong to radiomics, on segmentations.
//!
//! Convention: an outline is the polygon through its points; inclusion minus exclusion outlines make the area of a slice,
//! each slice stands for one slice spacing. Perimeter, surface and hull are those of the inclusion outlines.

use std::f64::consts::PI;

use crate::{
    geometry::{Moments, Point, convex_hull, perimeter},
    reading::{Contour, Reading},
};

/// Number of features.
pub const FEATURES: usize = 9;

/// The features' names, in the order of every vector of features.
pub const FEATURE_NAMES: [&str; FEATURES] = [
    "log_volume_mm3",
    "log_max_diameter_mm",
    "sphericity",
    "slice_area_variation",
    "roundness",
    "convexity",
    "solidity",
    "elongation",
    "height_ratio",
];

/// The nine features of a reading, all finite; `None` if no slice encloses an area (points in a line, or all hole).
///
/// 1. `log_volume_mm3`: ln of the sum of slice areas times the slice spacing.
/// 2. `log_max_diameter_mm`: ln of the largest distance between two points of the inclusion outlines, over all slices.
/// 3. `sphericity`: surface of the ball of the same volume over the surface, (36 π V²)^⅓ / S.
/// 4. `slice_area_variation`: standard deviation of the slice areas over their mean; 0 for one slice.
/// 5. `roundness`: 4 π A / P², mean over slices weighted by area; 1 for a disc.
/// 6. `convexity`: perimeter of the convex hull over the perimeter, mean weighted by area; 1 for a convex outline.
/// 7. `solidity`: area over the area of the convex hull, mean weighted by area.
/// 8. `elongation`: minor over major principal axis of the slice, mean weighted by area; 1 for a disc.
/// 9. `height_ratio`: number of slices times slice spacing over the largest diameter; small for a flat nodule.
pub fn features(reading: &Reading) -> Option<[f64; FEATURES]> {
    let slices = slices(reading);
    let area_mm2: f64 = slices.iter().map(|slice| slice.area_mm2).sum();
    let weighted = |of: fn(&Slice) -> f64| {
        slices
            .iter()
            .map(|slice| of(slice) * slice.area_mm2)
            .sum::<f64>()
            / area_mm2
    };
    let volume_mm3 = area_mm2 * reading.slice_spacing_mm;
    let diameter_mm = max_diameter(&slices, reading.pixel_spacing_mm);
    let features = [
        volume_mm3.ln(),
        diameter_mm.ln(),
        (36.0 * PI * volume_mm3 * volume_mm3).cbrt() / surface(&slices, reading.slice_spacing_mm),
        area_variation(&slices),
        weighted(|slice| 4.0 * PI * slice.area_mm2 / (slice.perimeter_mm * slice.perimeter_mm)),
        weighted(|slice| slice.hull_perimeter_mm / slice.perimeter_mm),
        weighted(|slice| slice.area_mm2 / slice.hull_area_mm2),
        weighted(|slice| slice.axes_ratio),
        slices.len() as f64 * reading.slice_spacing_mm / diameter_mm,
    ];
    // Without a slice there is 0 / 0 among them.
    features
        .iter()
        .all(|feature| feature.is_finite())
        .then_some(features)
}

/// What one slice contributes; its area is positive.
struct Slice {
    z_mm: f64,
    area_mm2: f64,
    perimeter_mm: f64,
    axes_ratio: f64,
    hull: Vec<Point>,
    hull_area_mm2: f64,
    hull_perimeter_mm: f64,
}

/// The slices that enclose an area, from the lowest position up.
fn slices(reading: &Reading) -> Vec<Slice> {
    let mut contours: Vec<&Contour> = reading.contours.iter().collect();
    contours.sort_by(|a, b| a.z_mm.total_cmp(&b.z_mm));
    let by_slice = contours.chunk_by(|a, b| a.z_mm == b.z_mm);
    by_slice
        .filter_map(|contours| slice(contours, reading.pixel_spacing_mm))
        .collect()
}

fn slice(contours: &[&Contour], pixel_mm: f64) -> Option<Slice> {
    let origin = *contours.first()?.points.first()?;
    let mut region = Moments::default();
    for contour in contours {
        region.add(
            &Moments::of(&contour.points, origin),
            if contour.inclusion { 1.0 } else { -1.0 },
        );
    }
    let included = || contours.iter().filter(|contour| contour.inclusion);
    let points: Vec<Point> = included()
        .flat_map(|contour| contour.points.iter().copied())
        .collect();
    let hull = convex_hull(&points);
    (region.area > 0.0).then(|| Slice {
        z_mm: contours[0].z_mm,
        area_mm2: region.area * pixel_mm * pixel_mm,
        perimeter_mm: included()
            .map(|contour| perimeter(&contour.points))
            .sum::<f64>()
            * pixel_mm,
        axes_ratio: region.axes_ratio(),
        hull_area_mm2: Moments::of(&hull, origin).area * pixel_mm * pixel_mm,
        hull_perimeter_mm: perimeter(&hull) * pixel_mm,
        hull,
    })
}

/// Two slabs of half a slice at the ends with their lids, and frusta between the middles of neighbouring slices, whose
/// slope follows from the radii of discs of the same area. A stack of discs would overstate a ball's surface by 28 %.
fn surface(slices: &[Slice], spacing_mm: f64) -> f64 {
    let frusta: f64 = slices
        .windows(2)
        .map(|pair| frustum(&pair[0], &pair[1], spacing_mm))
        .sum();
    let ends = slices.first().into_iter().chain(slices.last());
    frusta
        + ends
            .map(|end| end.area_mm2 + end.perimeter_mm * spacing_mm / 2.0)
            .sum::<f64>()
}

fn frustum(lower: &Slice, upper: &Slice, spacing_mm: f64) -> f64 {
    let radius = |slice: &Slice| (slice.area_mm2 / PI).sqrt();
    let slope_mm = spacing_mm.hypot(radius(lower) - radius(upper));
    f64::midpoint(lower.perimeter_mm, upper.perimeter_mm) * slope_mm
}

fn area_variation(slices: &[Slice]) -> f64 {
    let count = slices.len() as f64;
    let mean = slices.iter().map(|slice| slice.area_mm2).sum::<f64>() / count;
    let variance = slices
        .iter()
        .map(|slice| (slice.area_mm2 - mean).powi(2))
        .sum::<f64>()
        / count;
    variance.sqrt() / mean
}

/// The two farthest points are corners of the slices' hulls, which are few.
fn max_diameter(slices: &[Slice], pixel_mm: f64) -> f64 {
    let corners: Vec<[f64; 3]> = slices
        .iter()
        .flat_map(|slice| corners(slice, pixel_mm))
        .collect();
    let mut largest_squared: f64 = 0.0;
    for (at, a) in corners.iter().enumerate() {
        for b in &corners[at + 1..] {
            let squared = (0..3)
                .map(|axis| (a[axis] - b[axis]) * (a[axis] - b[axis]))
                .sum();
            largest_squared = largest_squared.max(squared);
        }
    }
    largest_squared.sqrt()
}

fn corners(slice: &Slice, pixel_mm: f64) -> impl Iterator<Item = [f64; 3]> {
    let in_mm = move |pixel: i32| f64::from(pixel) * pixel_mm;
    slice
        .hull
        .iter()
        .map(move |corner| [in_mm(corner[0]), in_mm(corner[1]), slice.z_mm])
}

#[cfg(test)]
pub(crate) mod tests;
