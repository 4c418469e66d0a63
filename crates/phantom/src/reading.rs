//! The committed readings as lines of `<site>.annotations.jsonl`, the file format of [`arno_learning::reading`].

use arno_learning::reading::{Ratings, Reading};

use crate::data::{self, ReadingRecord, SeriesRecord};
use crate::error::PhantomError;
use crate::site::SiteSpec;

/// The nine scores in the order of the committed file.
fn ratings(scores: [u8; 9]) -> Ratings {
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
    ] = scores;
    Ratings {
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

/// A reading under the given patient id.
pub(crate) fn reading(patient_id: &str, series: &SeriesRecord, record: &ReadingRecord) -> Reading {
    Reading {
        patient_id: patient_id.to_owned(),
        study_uid: series.study.clone(),
        series_uid: series.series.clone(),
        nodule: record.nodule.to_string(),
        reader: record.reader,
        split: series.split,
        ratings: ratings(record.ratings),
        pixel_spacing_mm: series.pixel_spacing_mm,
        slice_spacing_mm: series.slice_spacing_mm,
        contours: record.contours(),
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
            .map(|record| reading(&series.patient, &series, record));
        readings.collect::<Vec<_>>()
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arno_learning::reading::{Reading, Split};

    use super::raw_readings;
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
            assert_eq!(Reading::parse(&line).unwrap(), reading);
        }
    }
}
