//! Outlines for the viewer, in pixels of the slices as they are kept: contours of structure sets where there are any,
//! else those of readings.
//!
//! Readings have coordinates of the matrix that was read, which may be finer than the one that is kept by a whole
//! factor `f`: the centre of the first fine pixel lies at `0.5 / f - 0.5` of the coarse ones.

use std::collections::BTreeMap;

use arno_dicom::{Geometry, Outline, outlines::to_pixels};
use arno_learning::reading::{Contour, Reading};
use arno_protocol::node::{OutlinePolygon, OutlineRegion};
use arno_store::{StoreError, node::PlacedInstance};
use serde::de::DeserializeOwned;

use crate::{Node, NodeError};

/// How far a factor between matrices may be from a whole number: spacings are written with four or more digits.
const FACTOR_TOLERANCE: f64 = 0.01;
/// A contour lies on a slice when it is nearer than this; half the thinnest usual spacing.
const PLANE_TOLERANCE_MM: f64 = 0.5;

/// Colours of regions without one, told apart by people with any colour vision (Okabe and Ito 2008).
const COLORS: [[u8; 3]; 6] = [
    [230, 159, 0],
    [86, 180, 233],
    [0, 158, 115],
    [240, 228, 66],
    [213, 94, 0],
    [204, 121, 167],
];

/// A slice and where it lies.
struct Slice {
    instance_uid: String,
    geometry: Geometry,
}

impl Node {
    /// Regions on a series.
    ///
    /// # Errors
    /// When the series is not here or the store fails.
    pub async fn outlines(&self, series_uid: &str) -> Result<Vec<OutlineRegion>, NodeError> {
        self.store().series(series_uid).await?;
        let placed = self.store().placed_instances(series_uid).await?;
        let slices = placed.iter().map(slice).collect::<Result<Vec<_>, _>>()?;
        let outlines: Vec<Vec<Outline>> = parse_all(&self.store().outlines(series_uid).await?)?;
        let regions = structure_regions(&outlines.concat(), &slices);
        if !regions.is_empty() {
            return Ok(regions);
        }
        let readings: Vec<Reading> = parse_all(&self.store().series_readings(series_uid).await?)?;
        Ok(reading_regions(&readings, &slices))
    }
}

fn slice(placed: &PlacedInstance) -> Result<Slice, NodeError> {
    Ok(Slice {
        instance_uid: placed.instance_uid.clone(),
        geometry: parse(&placed.geometry_json)?,
    })
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, NodeError> {
    Ok(serde_json::from_str(text).map_err(|_| StoreError::Corrupt { what: "outline" })?)
}

fn parse_all<T: DeserializeOwned>(texts: &[String]) -> Result<Vec<T>, NodeError> {
    texts.iter().map(|text| parse(text)).collect()
}

fn structure_regions(outlines: &[Outline], slices: &[Slice]) -> Vec<OutlineRegion> {
    let mut regions: BTreeMap<(i32, &str), OutlineRegion> = BTreeMap::new();
    for outline in outlines {
        let Some(slice) = slice_of(outline, slices) else {
            continue;
        };
        let next = COLORS[regions.len() % COLORS.len()];
        let region = regions
            .entry((outline.roi_number, &outline.roi_name))
            .or_insert_with(|| OutlineRegion {
                name: outline.roi_name.clone(),
                color: outline.color_rgb.unwrap_or(next),
                polygons: Vec::new(),
            });
        let points = to_pixels(&outline.points_mm, &slice.geometry);
        region.polygons.push(OutlinePolygon {
            instance_uid: slice.instance_uid.clone(),
            points,
        });
    }
    regions.into_values().collect()
}

/// The slice that a contour names, else the one that it lies on: some structure sets name slices of an earlier copy.
fn slice_of<'a>(outline: &Outline, slices: &'a [Slice]) -> Option<&'a Slice> {
    let named = outline.referenced_instance_uid.as_ref();
    let named = named.and_then(|uid| slices.iter().find(|slice| slice.instance_uid == *uid));
    if named.is_some() {
        return named;
    }
    let first = *outline.points_mm.first()?;
    nearest(slices, |slice| slice.geometry.distance_mm(first).abs())
}

fn nearest(slices: &[Slice], distance_mm: impl Fn(&Slice) -> f64) -> Option<&Slice> {
    let nearest = slices
        .iter()
        .min_by(|left, right| distance_mm(left).total_cmp(&distance_mm(right)))?;
    (distance_mm(nearest) <= PLANE_TOLERANCE_MM).then_some(nearest)
}

fn reading_regions(readings: &[Reading], slices: &[Slice]) -> Vec<OutlineRegion> {
    let region = |(at, reading): (usize, &Reading)| OutlineRegion {
        name: format!("Nodule {}, reader {}", reading.nodule, reading.reader),
        color: COLORS[at % COLORS.len()],
        polygons: reading
            .contours
            .iter()
            .filter_map(|contour| polygon(contour, reading, slices))
            .collect(),
    };
    readings
        .iter()
        .enumerate()
        .map(region)
        .filter(|region| !region.polygons.is_empty())
        .collect()
}

fn polygon(contour: &Contour, reading: &Reading, slices: &[Slice]) -> Option<OutlinePolygon> {
    let slice = nearest(slices, |slice| {
        (slice.geometry.position_mm[2] - contour.z_mm).abs()
    })?;
    let factor = whole_factor(slice.geometry.spacing_mm[1] / reading.pixel_spacing_mm)?;
    let scale = |value: i32| (f64::from(value) + 0.5) / factor - 0.5;
    let points = contour
        .points
        .iter()
        .map(|[column, row]| [scale(*column), scale(*row)])
        .collect();
    Some(OutlinePolygon {
        instance_uid: slice.instance_uid.clone(),
        points,
    })
}

fn whole_factor(factor: f64) -> Option<f64> {
    let whole = factor.round();
    (whole >= 1.0 && (factor - whole).abs() <= FACTOR_TOLERANCE * whole).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::{Geometry, Outline, Slice, structure_regions, whole_factor};

    fn slices() -> Vec<Slice> {
        let slice = |at: usize| Slice {
            instance_uid: format!("1.{at}"),
            geometry: Geometry {
                position_mm: [-10.0, -20.0, at as f64 * 2.0],
                orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
                spacing_mm: [0.5, 2.0],
            },
        };
        (0..5).map(slice).collect()
    }

    fn outline(named: Option<&str>, z: f64) -> Outline {
        Outline {
            roi_number: 1,
            roi_name: "GTV".into(),
            color_rgb: None,
            referenced_series_uid: None,
            referenced_instance_uid: named.map(str::to_owned),
            points_mm: vec![[-10.0, -20.0, z], [-8.0, -20.0, z], [-10.0, -19.5, z]],
        }
    }

    #[test]
    fn contours_land_on_their_slice_in_pixels() {
        let check = |outline: Outline, expect: Option<&str>| {
            let regions = structure_regions(&[outline], &slices());
            let polygon = regions.first().map(|region| &region.polygons[0]);
            assert_eq!(polygon.map(|polygon| polygon.instance_uid.as_str()), expect);
            if let Some(polygon) = polygon {
                assert_eq!(polygon.points, [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]]);
            }
        };
        check(outline(Some("1.3"), 6.0), Some("1.3"));
        check(outline(Some("1.9"), 6.0), Some("1.3"));
        check(outline(Some("1.9"), 5.0), None);
        check(outline(None, 4.2), Some("1.2"));
        check(outline(None, 5.0), None);
    }

    #[test]
    fn only_whole_factors_are_scaled() {
        let check =
            |factor: f64, expect: Option<f64>| assert_eq!(whole_factor(factor), expect, "{factor}");
        check(1.0, Some(1.0));
        check(1.999, Some(2.0));
        check(1.5, None);
        check(0.5, None);
        check(f64::NAN, None);
        check(f64::INFINITY, None);
    }
}
