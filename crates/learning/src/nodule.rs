//! From readings to cases: all readings of one nodule become one row, its label the readers' mean opinion.

use std::{borrow::Borrow, collections::BTreeMap};

use crate::{
    logistic::Row,
    reading::{Reading, Split},
    shape::{FEATURES, features},
};

/// Fewest readers whose mean counts as a label.
pub const MIN_READERS: usize = 3;

/// Mean malignancy from which a nodule counts as malignant: it rounds to 4 ("moderately suspicious") or 5.
pub const MALIGNANT_FROM: f64 = 3.5;

/// Mean malignancy up to which a nodule counts as benign: it rounds to 2 ("moderately unlikely") or 1, half down.
pub const BENIGN_UP_TO: f64 = 2.5;

/// A nodule: the mean over its readers.
#[derive(Debug, Clone, PartialEq)]
pub struct Nodule {
    /// Patient ID, as in the readings.
    pub patient: String,
    /// Series Instance UID.
    pub series: String,
    /// Name of the nodule within the series.
    pub nodule: String,
    /// Training or test data.
    pub split: Split,
    /// Mean of each feature over the readers, in the order of [`crate::shape::FEATURE_NAMES`].
    pub features: [f64; FEATURES],
    /// Mean rating of malignancy, 1 to 5.
    pub malignancy_mean: f64,
    /// Readers whose outlines enclose an area.
    pub readers: usize,
}

impl Nodule {
    /// Malignant, benign, or undecided.
    pub fn label(&self) -> Option<bool> {
        label(self.malignancy_mean, self.readers)
    }

    /// The case for a model, if the label is decided.
    pub fn row(&self) -> Option<Row> {
        self.label().map(|positive| Row {
            features: self.features,
            positive,
        })
    }
}

/// Malignant (true) or benign (false) by the mean of at least [`MIN_READERS`]; `None` if too few, or undecided between
/// [`BENIGN_UP_TO`] and [`MALIGNANT_FROM`].
pub fn label(malignancy_mean: f64, readers: usize) -> Option<bool> {
    match malignancy_mean {
        _ if readers < MIN_READERS => None,
        mean if mean >= MALIGNANT_FROM => Some(true),
        mean if mean <= BENIGN_UP_TO => Some(false),
        _ => None,
    }
}

/// The nodules of these readings, by patient, series and name. A reading that comes twice (same reader) counts once, the
/// later one; a nodule without a usable outline is left out.
pub fn nodules<R: Borrow<Reading>>(readings: impl IntoIterator<Item = R>) -> Vec<Nodule> {
    let mut groups: BTreeMap<[String; 3], BTreeMap<u8, Part>> = BTreeMap::new();
    for reading in readings {
        let reading = reading.borrow();
        let Some(part) = Part::of(reading) else {
            continue;
        };
        let key = [&reading.patient_id, &reading.series_uid, &reading.nodule].map(String::clone);
        groups.entry(key).or_default().insert(reading.reader, part);
    }
    let mut nodules: Vec<_> = groups
        .into_iter()
        .map(|(key, parts)| mean(key, parts.values()))
        .collect();
    keep_patients_whole(&mut nodules);
    nodules
}

/// The rows of the labelled nodules of one part of the data.
pub fn rows(nodules: &[Nodule], split: Split) -> Vec<Row> {
    nodules
        .iter()
        .filter(|nodule| nodule.split == split)
        .filter_map(Nodule::row)
        .collect()
}

/// What is kept of a reading: outlines are large and many.
struct Part {
    split: Split,
    features: [f64; FEATURES],
    malignancy: u8,
}

impl Part {
    fn of(reading: &Reading) -> Option<Self> {
        let (split, malignancy) = (reading.split, reading.ratings.malignancy);
        features(reading).map(|features| Self {
            split,
            features,
            malignancy,
        })
    }
}

fn mean<'a>(
    [patient, series, nodule]: [String; 3],
    parts: impl ExactSizeIterator<Item = &'a Part>,
) -> Nodule {
    let readers = parts.len();
    let (mut split, mut features, mut malignancy) = (Split::Train, [0.0; FEATURES], 0);
    for part in parts {
        split = split.max(part.split);
        malignancy += u32::from(part.malignancy);
        for (sum, feature) in features.iter_mut().zip(part.features) {
            *sum += feature;
        }
    }
    let features = features.map(|sum| sum / readers as f64);
    let malignancy_mean = f64::from(malignancy) / readers as f64;
    Nodule {
        patient,
        series,
        nodule,
        split,
        features,
        malignancy_mean,
        readers,
    }
}

/// A patient with test data is a test patient altogether: otherwise the model would be judged on somebody it has seen.
fn keep_patients_whole(nodules: &mut [Nodule]) {
    for patient in nodules.chunk_by_mut(|a, b| a.patient == b.patient) {
        let split = patient.iter().map(|nodule| nodule.split).max();
        patient
            .iter_mut()
            .for_each(|nodule| nodule.split = split.unwrap_or(nodule.split));
    }
}

#[cfg(test)]
mod tests {
    use super::{label, nodules, rows};
    use crate::{
        reading::{Contour, Reading, Split},
        shape::tests::reading,
    };

    fn read(nodule: &str, reader: u8, malignancy: u8, size: i32) -> Reading {
        let points = vec![[0, 0], [size, 0], [size, size], [0, size]];
        let mut reading = reading(
            1.0,
            1.0,
            vec![Contour {
                z_mm: 0.0,
                inclusion: true,
                points,
            }],
        );
        reading.nodule = nodule.into();
        reading.reader = reader;
        reading.ratings.malignancy = malignancy;
        reading
    }

    #[test]
    fn labels_need_three_readers_and_a_clear_mean() {
        let check = |mean: f64, readers: usize, expect: Option<bool>| {
            assert_eq!(label(mean, readers), expect)
        };
        check(5.0, 2, None);
        check(5.0, 3, Some(true));
        check(3.5, 4, Some(true));
        check(3.49, 4, None);
        check(2.51, 4, None);
        check(2.5, 4, Some(false));
        check(1.0, 0, None);
        check(f64::NAN, 4, None);
    }

    #[test]
    fn readings_of_a_nodule_become_their_mean() {
        let readings = [
            read("a", 1, 4, 2),
            read("a", 2, 5, 4),
            read("a", 3, 5, 8),
            read("b", 1, 1, 3),
        ];
        let found = nodules(&readings);
        assert_eq!(found.len(), 2);
        assert_eq!((found[0].readers, found[1].readers), (3, 1));
        assert!((found[0].malignancy_mean - 14.0 / 3.0).abs() < 1e-12);
        // ln of the volumes 4, 16 and 64: their mean is that of 16.
        assert!((found[0].features[0] - 16f64.ln()).abs() < 1e-12);
        assert_eq!((found[0].label(), found[1].label()), (Some(true), None));
        assert_eq!(rows(&found, Split::Train).len(), 1);
    }

    #[test]
    fn a_repeated_reading_counts_once() {
        let once = [read("a", 1, 4, 2), read("a", 2, 5, 4)];
        let twice = [
            read("a", 2, 5, 4),
            once[0].clone(),
            once[1].clone(),
            once[0].clone(),
        ];
        assert_eq!(nodules(&twice), nodules(once));
    }

    #[test]
    fn a_patient_is_in_one_part_only() {
        let mut readings = [read("a", 1, 4, 2), read("b", 1, 5, 4), read("c", 1, 5, 4)];
        readings[1].split = Split::Test;
        readings[2].patient_id = "P2".into();
        let splits: Vec<_> = nodules(&readings)
            .iter()
            .map(|nodule| nodule.split)
            .collect();
        assert_eq!(splits, [Split::Test, Split::Test, Split::Train]);
    }

    #[test]
    fn an_empty_outline_is_left_out() {
        assert_eq!(nodules([read("a", 1, 4, 0)]), []);
    }
}
