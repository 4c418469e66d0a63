//! One radiologist's reading of one nodule, as a line of `<site>.annotations.jsonl`.
//!
//! This is a file format. `arno-learning` has its own reader of it, on purpose: what reads hostile files has its
//! limits there, what writes has none here.

use serde::{Deserialize, Serialize};

use crate::data::{self, ReadingRecord, SeriesRecord};
use crate::error::PhantomError;
use crate::site::SiteSpec;

/// What one reader wrote and drew of one nodule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// Patient ID (0010,0020): a hospital number in a site's input, the LIDC-IDRI id in [`raw_readings`].
    pub patient_id: String,
    /// Study Instance UID (0020,000D).
    pub study_uid: String,
    /// Series Instance UID (0020,000E) of the CT series.
    pub series_uid: String,
    /// Number of the nodule within its series, from `"1"`.
    pub nodule: String,
    /// Number of the reader within the nodule, 1–4. Not the same person from nodule to nodule.
    pub reader: u8,
    /// Whether the patient trains or tests.
    pub split: Split,
    /// The nine scores.
    pub ratings: Ratings,
    /// Edge of a pixel of the 512×512 image that was read, in mm.
    pub pixel_spacing_mm: f64,
    /// Median distance of neighbouring slices, in mm.
    pub slice_spacing_mm: f64,
    /// The outlines, ascending in z.
    pub contours: Vec<Contour>,
}

/// The use of a patient in training, fixed by a hash of the LIDC-IDRI patient id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// About 70 % of the patients.
    Train,
    /// About 30 % of the patients.
    Test,
}

/// The scores of LIDC-IDRI. All run from 1 to 5, but internal structure (1–4) and calcification (1–6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratings {
    /// 1 extremely subtle – 5 obvious.
    pub subtlety: u8,
    /// 1 soft tissue, 2 fluid, 3 fat, 4 air.
    pub internal_structure: u8,
    /// 1 popcorn, 2 laminated, 3 solid, 4 non-central, 5 central, 6 absent.
    pub calcification: u8,
    /// 1 linear – 5 round.
    pub sphericity: u8,
    /// 1 poorly defined – 5 sharp.
    pub margin: u8,
    /// 1 none – 5 marked.
    pub lobulation: u8,
    /// 1 none – 5 marked.
    pub spiculation: u8,
    /// 1 non-solid (ground glass) – 5 solid.
    pub texture: u8,
    /// 1 highly unlikely – 5 highly suspicious.
    pub malignancy: u8,
}

/// One outline on one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contour {
    /// z of the slice in the patient coordinate system, in mm.
    pub z_mm: f64,
    /// Whether the inside belongs to the nodule (else it is a hole in it).
    pub inclusion: bool,
    /// `[column, row]` of pixel centres in the 512×512 image, first pixel `[0, 0]`; the last point closes the outline.
    pub points: Vec<[i32; 2]>,
}

impl From<[u8; 9]> for Ratings {
    fn from(r: [u8; 9]) -> Self {
        let [
            subtlety,
            internal_structure,
            calcification,
            sphericity,
            margin,
            lobulation,
            spiculation,
            texture,
            malignancy,
        ] = r;
        Self {
            subtlety,
            internal_structure,
            calcification,
            sphericity,
            margin,
            lobulation,
            spiculation,
            texture,
            malignancy,
        }
    }
}

impl Reading {
    /// The reading under the given patient id.
    pub(crate) fn new(patient_id: &str, series: &SeriesRecord, record: &ReadingRecord) -> Self {
        Self {
            patient_id: patient_id.to_owned(),
            study_uid: series.study.clone(),
            series_uid: series.series.clone(),
            nodule: record.nodule.to_string(),
            reader: record.reader,
            split: series.split,
            ratings: record.ratings.into(),
            pixel_spacing_mm: series.pixel_spacing_mm,
            slice_spacing_mm: series.slice_spacing_mm,
            contours: record.contours(),
        }
    }
}

/// The readings of a site's patients as committed, under LIDC-IDRI patient ids: the yardstick for what the federation
/// computes from the same readings under other names.
///
/// # Errors
/// [`PhantomError::Data`] if the committed file is damaged.
pub fn raw_readings(
    site: &SiteSpec,
) -> Result<impl Iterator<Item = Reading> + use<>, PhantomError> {
    let patients = site.patients(data::series()?);
    Ok(patients.into_iter().flatten().flat_map(|series| {
        let readings = series
            .readings
            .iter()
            .map(|record| Reading::new(&series.patient, &series, record));
        readings.collect::<Vec<_>>()
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Split, raw_readings};
    use crate::site::SITES;

    /// (malignant, benign) nodules of training and of test patients, with at least three readers and a mean
    /// malignancy of at least 4 or at most 2.
    fn labelled(site: usize) -> [(usize, usize); 2] {
        let mut scores: BTreeMap<(String, String), (Split, Vec<u8>)> = BTreeMap::new();
        for r in raw_readings(&SITES[site]).unwrap() {
            scores
                .entry((r.series_uid, r.nodule))
                .or_insert((r.split, vec![]))
                .1
                .push(r.ratings.malignancy);
        }
        let mut counts = [(0, 0); 2];
        for (split, scores) in scores.values().filter(|(_, scores)| scores.len() >= 3) {
            let mean = scores.iter().map(|&s| f64::from(s)).sum::<f64>() / scores.len() as f64;
            let count = &mut counts[usize::from(*split == Split::Test)];
            count.0 += usize::from(mean >= 4.0);
            count.1 += usize::from(mean <= 2.0);
        }
        counts
    }

    #[test]
    fn the_label_counts_of_the_sites_are_known() {
        assert_eq!(labelled(0), [(113, 87), (39, 41)]);
        assert_eq!(labelled(1), [(21, 48), (14, 15)]);
        assert_eq!(labelled(2), [(26, 24), (10, 9)]);
    }

    #[test]
    fn a_reading_survives_its_file_format() {
        for reading in raw_readings(&SITES[2]).unwrap().take(50) {
            let line = serde_json::to_string(&reading).unwrap();
            assert_eq!(
                serde_json::from_str::<super::Reading>(&line).unwrap(),
                reading
            );
        }
    }
}
