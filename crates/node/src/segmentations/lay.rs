//! Frames of a segmentation onto slices of a series: by the image that a frame names, else by its plane.

use std::collections::HashMap;

use arno_dicom::{
    Geometry,
    outlines::to_pixels,
    segments::{Segment, SegmentFrame, Segmentation, SegmentationKind as Kind},
};
use arno_protocol::node::{
    SeriesRow, ViewInstance,
    segmentations::{
        SegmentInfo, SegmentationFrame, SegmentationKind, SeriesSegmentation, SliceRef,
    },
};

use super::{PlacedSlice, Table};

/// How far a frame may lie from its slice where there is only one slice to compare with; half a usual thick slice.
const LONE_TOLERANCE_MM: f64 = 2.5;
/// Planes whose normals differ by more than about a degree are not the same slice.
const PARALLEL: f64 = 0.9998;
/// Distances that differ by less are those of the same plane.
const SAME_PLANE_MM: f64 = 1e-3;
/// Steps of a pixel to which grids are rounded, so that noise in decimals does not make one for each frame; over a
/// slice of 2000 pixels the error stays below a fiftieth of one.
const GRID_STEPS: f64 = 1e5;
/// The number of what is no segment; label maps may describe it as one.
const BACKGROUND: u16 = 0;
/// What de-identification leaves of a label that it does not know.
const REMOVED_LABEL: &str = "REMOVED";

/// Frames that were found a slice.
#[derive(Debug, Default)]
pub(super) struct Laid {
    frames: Vec<SegmentationFrame>,
    slices: Vec<SliceRef>,
    grids: Vec<[f64; 6]>,
    elsewhere: u32,
}

/// Lays all frames; `same_frame` says whether planes of both mean the same place in the same patient.
pub(super) fn lay(table: &Table, same_frame: bool, slices: &[PlacedSlice]) -> Laid {
    let Ok(table) = table else {
        return Laid::default();
    };
    let stack = Stack::of(slices);
    let mut used: HashMap<usize, u32> = HashMap::new();
    let mut laid = Laid::default();
    for (frame, number) in table.frames.iter().zip(1..) {
        let Some(at) = stack.slice_of(frame, same_frame) else {
            laid.elsewhere += 1;
            continue;
        };
        let slice = *used
            .entry(at)
            .or_insert_with(|| laid.add_slice(&slices[at]));
        let grid = grid(frame.geometry.as_ref(), slices[at].geometry.as_ref());
        let grid = grid.map(|grid| laid.grid(grid));
        laid.frames.push(SegmentationFrame {
            frame: number,
            segment: frame.segment,
            slice,
            grid,
        });
    }
    laid
}

impl Laid {
    fn add_slice(&mut self, slice: &PlacedSlice) -> u32 {
        self.slices.push(SliceRef {
            instance_uid: slice.instance_uid.clone(),
            frame: slice.frame,
        });
        index(self.slices.len() - 1)
    }

    fn grid(&mut self, grid: [f64; 6]) -> u32 {
        // Nearly always the last one: all frames of a segmentation have the same matrix.
        let known = self.grids.iter().rposition(|known| *known == grid);
        index(known.unwrap_or_else(|| {
            self.grids.push(grid);
            self.grids.len() - 1
        }))
    }
}

fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// The slices by name and by position.
struct Stack<'a> {
    slices: &'a [PlacedSlice],
    by_name: HashMap<(&'a str, u32), usize>,
    /// Distance along the normal of the first placed slice, ascending.
    by_distance: Vec<(f64, usize)>,
    first: Option<&'a Geometry>,
    tolerance_mm: f64,
}

impl<'a> Stack<'a> {
    fn of(slices: &'a [PlacedSlice]) -> Self {
        let first = slices.iter().find_map(|slice| slice.geometry.as_ref());
        let distance = |slice: &PlacedSlice| {
            let (first, own) = (first?, slice.geometry.as_ref()?);
            is_parallel(first, own).then(|| first.distance_mm(own.position_mm))
        };
        let mut by_distance: Vec<(f64, usize)> = slices
            .iter()
            .enumerate()
            .filter_map(|(at, slice)| Some((distance(slice)?, at)))
            .collect();
        by_distance.sort_by(|left, right| left.0.total_cmp(&right.0));
        let gaps = by_distance.windows(2).map(|pair| pair[1].0 - pair[0].0);
        // Slices in the same place (phases, echoes) say nothing of the distance of slices.
        let gap = gaps
            .filter(|gap| *gap > SAME_PLANE_MM)
            .fold(f64::INFINITY, f64::min);
        Self {
            slices,
            by_name: slices
                .iter()
                .enumerate()
                .map(|(at, slice)| ((slice.instance_uid.as_str(), slice.frame), at))
                .collect(),
            by_distance,
            first,
            tolerance_mm: if gap.is_finite() {
                gap / 2.0
            } else {
                LONE_TOLERANCE_MM
            },
        }
    }

    fn slice_of(&self, frame: &SegmentFrame, same_frame: bool) -> Option<usize> {
        let named = frame.source.as_ref();
        let named = named.and_then(|source| {
            let name = (source.instance_uid.as_str(), source.frame);
            self.by_name.get(&name).copied()
        });
        named.or_else(|| same_frame.then(|| self.nearest(frame.geometry.as_ref()?))?)
    }

    fn nearest(&self, plane: &Geometry) -> Option<usize> {
        let first = self.first.filter(|first| is_parallel(first, plane))?;
        let wanted = first.distance_mm(plane.position_mm);
        let after = self
            .by_distance
            .partition_point(|(distance, _)| *distance < wanted);
        let beside = self.by_distance[after.saturating_sub(1)..].iter().take(2);
        let (distance, at) = beside
            .min_by(|left, right| (left.0 - wanted).abs().total_cmp(&(right.0 - wanted).abs()))?;
        let is_near = (distance - wanted).abs() <= self.tolerance_mm + SAME_PLANE_MM;
        (is_near && *at < self.slices.len()).then_some(*at)
    }
}

fn is_parallel(one: &Geometry, other: &Geometry) -> bool {
    let normal = |geometry: &Geometry| {
        let [a, b, c, d, e, f] = geometry.orientation;
        [b * f - c * e, c * d - a * f, a * e - b * d]
    };
    let (one, other) = (normal(one), normal(other));
    let dot: f64 = one.iter().zip(other).map(|(a, b)| a * b).sum();
    dot.abs() >= PARALLEL
}

/// From pixels of the frame to pixels of the slice.
fn grid(frame: Option<&Geometry>, slice: Option<&Geometry>) -> Option<[f64; 6]> {
    let (frame, slice) = (frame?, slice?);
    let [row_mm, column_mm] = frame.spacing_mm;
    let [a, b, c, d, e, f] = frame.orientation;
    let [x, y, z] = frame.position_mm;
    let corners = [
        [x, y, z],
        [x + a * column_mm, y + b * column_mm, z + c * column_mm],
        [x + d * row_mm, y + e * row_mm, z + f * row_mm],
    ];
    let pixels = to_pixels(&corners, slice);
    let [[e, f], [right_column, right_row], [down_column, down_row]] = pixels.try_into().ok()?;
    let grid = [
        right_column - e,
        down_column - e,
        right_row - f,
        down_row - f,
        e,
        f,
    ];
    Some(grid.map(|value| (value * GRID_STEPS).round() / GRID_STEPS))
}

/// The answer about one instance; nothing when it can be read and lies elsewhere.
pub(super) fn describe(
    laid: Laid,
    table: &Table,
    series: &SeriesRow,
    view: &ViewInstance,
) -> Option<SeriesSegmentation> {
    if table.is_ok() && laid.frames.is_empty() {
        return None;
    }
    let (kind, maximum) = table
        .as_ref()
        .map_or((SegmentationKind::Binary, 1), kind_of);
    let segments = table.as_ref().map_or(&[][..], |table| &table.segments);
    Some(SeriesSegmentation {
        series_uid: series.series_uid.clone(),
        instance_uid: view.instance_uid.clone(),
        description: series.description.clone(),
        problem: table.as_ref().err().cloned(),
        kind,
        maximum,
        rows: view.rows,
        columns: view.columns,
        segments: segments
            .iter()
            .filter(|segment| segment.number != BACKGROUND)
            .map(segment_info)
            .collect(),
        grids: laid.grids,
        slices: laid.slices,
        frames: laid.frames,
        elsewhere: laid.elsewhere,
    })
}

fn kind_of(table: &Segmentation) -> (SegmentationKind, u16) {
    match table.kind {
        Kind::Binary => (SegmentationKind::Binary, 1),
        Kind::Fractional { maximum } => (SegmentationKind::Fractional, maximum.max(1)),
        Kind::LabelMap => (SegmentationKind::LabelMap, 1),
    }
}

/// A label that says nothing gives way to the meaning of the segment's code, which is no free text.
fn segment_info(segment: &Segment) -> SegmentInfo {
    let says_nothing = segment.label.is_empty() || segment.label == REMOVED_LABEL;
    let label = match (says_nothing, segment.property.as_str()) {
        (false, _) => segment.label.clone(),
        (true, "") => String::new(),
        (true, property) => format!("{property} ({})", segment.number),
    };
    SegmentInfo {
        number: segment.number,
        label,
        color: segment.color_rgb,
    }
}

#[cfg(test)]
pub(super) mod tests {
    use arno_dicom::Geometry;
    use arno_dicom::segments::{SegmentFrame, Segmentation, SegmentationKind as Kind, SourceFrame};

    use super::{PlacedSlice, grid, lay};

    fn plane(z: f64, spacing: f64) -> Geometry {
        Geometry {
            position_mm: [10.0, 20.0, z],
            orientation: [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            spacing_mm: [spacing, spacing],
        }
    }

    fn frame(source: Option<&str>, geometry: Option<Geometry>) -> SegmentFrame {
        let source = source.map(|uid| SourceFrame {
            instance_uid: uid.to_owned(),
            frame: 1,
        });
        SegmentFrame {
            segment: Some(1),
            source,
            geometry,
        }
    }

    pub(in crate::segmentations) fn table_of(frames: usize) -> Segmentation {
        Segmentation {
            kind: Kind::Binary,
            frame_of_reference: None,
            segments: Vec::new(),
            frames: vec![frame(None, None); frames],
        }
    }

    fn slices() -> Vec<PlacedSlice> {
        let slice = |at: u32| PlacedSlice {
            instance_uid: format!("1.{at}"),
            frame: 1,
            geometry: Some(plane(f64::from(at) * 3.0, 1.0)),
        };
        (0..5).map(slice).collect()
    }

    #[test]
    fn a_frame_lies_on_the_slice_that_it_names_or_else_the_nearest() {
        let check = |frame: SegmentFrame, same: bool, expect: Option<&str>| {
            let table = Ok(Segmentation {
                frames: vec![frame.clone()],
                ..table_of(0)
            });
            let laid = lay(&table, same, &slices());
            let found = laid.slices.first().map(|slice| slice.instance_uid.as_str());
            assert_eq!(found, expect, "{frame:?}");
            assert_eq!(laid.elsewhere, u32::from(expect.is_none()));
        };
        check(frame(Some("1.3"), None), false, Some("1.3"));
        check(frame(Some("1.3"), Some(plane(0.0, 1.0))), true, Some("1.3"));
        check(frame(Some("9.9"), Some(plane(6.4, 1.0))), true, Some("1.2"));
        check(frame(None, Some(plane(-1.4, 1.0))), true, Some("1.0"));
        check(frame(None, Some(plane(13.6, 1.0))), true, None);
        check(frame(None, Some(plane(6.0, 1.0))), false, None);
        check(frame(None, None), true, None);
        let tilted = Geometry {
            orientation: [1.0, 0.0, 0.0, 0.0, 0.0, 1.0],
            ..plane(6.0, 1.0)
        };
        check(frame(None, Some(tilted)), true, None);
    }

    #[test]
    fn a_coarser_or_turned_matrix_is_mapped() {
        let slice = plane(0.0, 1.0);
        let check = |of: Geometry, expect: [f64; 6]| {
            assert_eq!(grid(Some(&of), Some(&slice)), Some(expect));
        };
        check(slice, [1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        check(plane(0.0, 2.0), [2.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        let flipped = Geometry {
            position_mm: [10.0, 23.0, 0.0],
            orientation: [1.0, 0.0, 0.0, 0.0, -1.0, 0.0],
            ..slice
        };
        check(flipped, [1.0, 0.0, 0.0, -1.0, 0.0, 3.0]);
        assert_eq!(grid(None, Some(&slice)), None);
    }
}
