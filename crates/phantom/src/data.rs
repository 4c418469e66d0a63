//! The committed data: `data/readings.jsonl.gz`, one line per CT series, in the form `data/SOURCE.md` describes.

use std::io::{BufRead, BufReader, Error, ErrorKind};

use flate2::read::GzDecoder;
use serde::Deserialize;

use crate::error::PhantomError;
use arno_learning::reading::{Contour, Split};

/// Made by `extract/extract.py`.
const READINGS: &[u8] = include_bytes!("../data/readings.jsonl.gz");

/// Freeman chain code: digit to (column step, row step); rows grow downwards.
const STEPS: [[i32; 2]; 8] = [
    [1, 0],
    [1, 1],
    [0, 1],
    [-1, 1],
    [-1, 0],
    [-1, -1],
    [0, -1],
    [1, -1],
];

/// One CT series of LIDC-IDRI with what its readers wrote and drew.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeriesRecord {
    /// LIDC-IDRI patient id. Never leaves this crate in a site's input.
    pub(crate) patient: String,
    pub(crate) study: String,
    pub(crate) series: String,
    pub(crate) split: Split,
    pub(crate) manufacturer: String,
    pub(crate) model: Option<String>,
    pub(crate) sex: Option<Sex>,
    /// Age at the study in years.
    pub(crate) age: Option<u16>,
    pub(crate) slice_thickness_mm: f64,
    pub(crate) pixel_spacing_mm: f64,
    pub(crate) slice_spacing_mm: f64,
    pub(crate) contrast: bool,
    /// Ascending z positions as runs of first position, step and count.
    slices: Vec<(f64, f64, u32)>,
    pub(crate) readings: Vec<ReadingRecord>,
}

/// Patient's Sex (0010,0040) as far as the data has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum Sex {
    /// Female.
    F,
    /// Male.
    M,
}

/// What one reader wrote and drew of one nodule.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReadingRecord {
    pub(crate) nodule: u32,
    pub(crate) reader: u8,
    pub(crate) ratings: [u8; 9],
    contours: Vec<(f64, u8, i32, i32, String)>,
}

impl SeriesRecord {
    /// z positions of the slices of the real series in mm, ascending, no two equal.
    pub(crate) fn slice_positions(&self) -> Vec<f64> {
        self.slices
            .iter()
            .flat_map(|&(first, step, count)| (0..count).map(move |i| first + step * f64::from(i)))
            .collect()
    }
}

impl ReadingRecord {
    /// z of each outline in mm, ascending.
    pub(crate) fn heights(&self) -> impl Iterator<Item = f64> {
        self.contours.iter().map(|contour| contour.0)
    }

    /// The outlines, ascending in z.
    pub(crate) fn contours(&self) -> Vec<Contour> {
        self.contours
            .iter()
            .map(|(z, inclusion, col, row, chain)| Contour {
                z_mm: *z,
                inclusion: *inclusion == 1,
                points: follow([*col, *row], chain),
            })
            .collect()
    }
}

/// The points of a chain code. A step that is no neighbour stands in it as `(dcol,drow)`.
fn follow(start: [i32; 2], chain: &str) -> Vec<[i32; 2]> {
    let mut points = vec![start];
    let mut at = start;
    let mut rest = chain;
    while let Some((step, tail)) = next_step(rest) {
        at = [at[0] + step[0], at[1] + step[1]];
        points.push(at);
        rest = tail;
    }
    points
}

fn next_step(chain: &str) -> Option<([i32; 2], &str)> {
    if let Some(inner) = chain.strip_prefix('(') {
        let (step, tail) = inner.split_once(')')?;
        let (col, row) = step.split_once(',')?;
        return Some(([col.parse().ok()?, row.parse().ok()?], tail));
    }
    let digit = chain.chars().next()?.to_digit(8)?;
    Some((STEPS[digit as usize], &chain[1..]))
}

/// All series, ordered by patient.
pub(crate) fn series() -> Result<Vec<SeriesRecord>, PhantomError> {
    BufReader::new(GzDecoder::new(READINGS))
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let damaged = |source| PhantomError::Data {
                line: index + 1,
                source,
            };
            let line = line.map_err(damaged)?;
            serde_json::from_str(&line).map_err(|e| damaged(Error::new(ErrorKind::InvalidData, e)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::{follow, series};

    #[test]
    fn chain_codes_are_followed() {
        let check = |chain: &str, expect: &[[i32; 2]]| {
            assert_eq!(follow([10, 20], chain), expect, "{chain}")
        };
        check("", &[[10, 20]]);
        check("0", &[[10, 20], [11, 20]]);
        check("26", &[[10, 20], [10, 21], [10, 20]]);
        check("7(-2,3)4", &[[10, 20], [11, 19], [9, 22], [8, 22]]);
        check("(0,0)", &[[10, 20], [10, 20]]);
    }

    #[test]
    fn the_data_is_complete() {
        let all = series().unwrap();
        assert_eq!(all.len(), 1018);
        assert_eq!(
            all.iter()
                .map(|s| &s.patient)
                .collect::<BTreeSet<_>>()
                .len(),
            1010
        );
        assert_eq!(all.iter().map(|s| s.readings.len()).sum::<usize>(), 6859);
        let contours = all
            .iter()
            .flat_map(|s| &s.readings)
            .map(|r| r.contours.len());
        assert_eq!(contours.sum::<usize>(), 41_406);
        let points = all
            .iter()
            .flat_map(|s| &s.readings)
            .flat_map(|r| r.contours())
            .map(|c| c.points.len());
        assert_eq!(points.sum::<usize>(), 1_718_862);
    }

    #[test]
    fn nodules_have_one_to_four_readers_numbered_in_order() {
        for series in series().unwrap() {
            let mut readers: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
            for reading in &series.readings {
                readers
                    .entry(reading.nodule)
                    .or_default()
                    .push(reading.reader);
                assert!(reading.ratings.iter().all(|r| (1..=6).contains(r)));
            }
            for (index, (nodule, readers)) in readers.iter().enumerate() {
                assert_eq!(*nodule as usize, index + 1);
                assert!(readers.len() <= 4);
                assert!(readers.iter().copied().eq(1..=readers.len() as u8));
            }
        }
    }

    #[test]
    fn every_outline_lies_on_a_slice_and_inside_the_image() {
        for series in series().unwrap() {
            let positions = series.slice_positions();
            assert!(positions.windows(2).all(|pair| pair[0] < pair[1]));
            for contour in series
                .readings
                .iter()
                .flat_map(super::ReadingRecord::contours)
            {
                assert!(
                    positions.iter().any(|z| (z - contour.z_mm).abs() < 0.01),
                    "{} {}",
                    series.series,
                    contour.z_mm
                );
                assert!(
                    contour
                        .points
                        .iter()
                        .flatten()
                        .all(|c| (0..512).contains(c))
                );
            }
        }
    }
}
