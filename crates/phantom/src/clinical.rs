//! Invented outcomes of a site's patients, as a table that a registry would export: what the demo's survival curves are drawn of. No
//! outcome is known of any patient of LIDC-IDRI. Ages are those of the demo's people, who have the public record's where it has one.
//!
//! The hazard of death rises with the mean malignancy of the most suspicious nodule, so that the demo's cohorts differ; follow-up ends
//! evenly between one and eleven years. Patients are those with a reading, under the numbers of the readings.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use rand::RngExt;

use crate::data::{self, SeriesRecord};
use crate::error::PhantomError;
use crate::identity::{Identity, hospital_numbers};
use crate::site::SiteSpec;
use crate::stable;

/// Days of a year.
const YEAR_DAYS: f64 = 365.25;
/// Deaths a year of patients whose nodule was rated in the middle (3), and by how much a point more multiplies them.
const HAZARD_IN_THE_MIDDLE: f64 = 0.11;
const HAZARD_BY_POINT: f64 = 1.75;
/// Years after which a site stops to follow.
const FOLLOWED_YEARS: std::ops::Range<f64> = 1.0..11.0;
/// Events of progression come at so many times the rate of death.
const PROGRESSION_BY_DEATH: f64 = 1.6;

/// The columns of the table; the file and the source that it is loaded as are called invented too.
const HEADER: &str = "hospital_number,age_at_diagnosis,invented_os_days,invented_vital_status,\
invented_pfs_days,invented_progression";

/// Writes the table of a site; gives the number of its rows. The same site and seed give the same bytes, and the same numbers as
/// [`crate::write_site_input`].
///
/// # Errors
/// [`PhantomError`] when the file cannot be written.
pub fn write_site_outcomes(site: &SiteSpec, path: &Path, seed: u64) -> Result<usize, PhantomError> {
    let patients = site.patients(data::series()?);
    let numbers = hospital_numbers(site, seed, patients.len());
    let mut rows: Vec<_> = numbers
        .iter()
        .zip(&patients)
        .filter_map(|(number, patient)| row(site, seed, number, patient))
        .collect();
    // By hospital number: the order of the original ids must not show.
    rows.sort();
    let write = || {
        let mut file = BufWriter::new(fs::File::create(path)?);
        writeln!(file, "{HEADER}")?;
        rows.iter().try_for_each(|row| writeln!(file, "{row}"))?;
        file.flush()
    };
    write().map_err(|source| PhantomError::Write {
        path: path.to_owned(),
        source,
    })?;
    Ok(rows.len())
}

/// None for patients without a reading: nothing of them reaches the site.
fn row(site: &SiteSpec, seed: u64, number: &str, patient: &[SeriesRecord]) -> Option<String> {
    let malignancy = malignancy(patient)?;
    let age = Identity::invent(site, seed, number, patient.first()?).age_years;
    let rng = &mut stable::rng(seed, &["outcome", site.key, number]);
    let hazard = HAZARD_IN_THE_MIDDLE * HAZARD_BY_POINT.powf(malignancy - 3.0);
    let mut years = |hazard: f64| -(1.0 - rng.random::<f64>()).ln() / hazard;
    let (dies, progresses) = (years(hazard), years(hazard * PROGRESSION_BY_DEATH));
    let leaves = rng.random_range(FOLLOWED_YEARS);
    let days = |years: f64| (years * YEAR_DAYS).floor();
    // Death is an event of progression-free survival too.
    let (followed, free) = (dies.min(leaves), progresses.min(dies).min(leaves));
    let status = if dies <= leaves { "dead" } else { "alive" };
    let progression = if free < leaves { "yes" } else { "no" };
    let (followed, free) = (days(followed), days(free));
    Some(format!(
        "{number},{age},{followed},{status},{free},{progression}"
    ))
}

/// Mean malignancy of the nodule that its readers rated highest.
fn malignancy(patient: &[SeriesRecord]) -> Option<f64> {
    /// Place of malignancy among a reading's scores.
    const MALIGNANCY: usize = 8;
    let nodules = patient.iter().flat_map(|series| {
        let of = |nodule| {
            let scores: Vec<_> = series
                .readings
                .iter()
                .filter(|reading| reading.nodule == nodule)
                .map(|reading| f64::from(reading.ratings[MALIGNANCY]))
                .collect();
            scores.iter().sum::<f64>() / scores.len() as f64
        };
        series
            .readings
            .iter()
            .map(move |reading| of(reading.nodule))
    });
    nodules.reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::write_site_outcomes;
    use crate::site::SITES;

    #[test]
    fn every_patient_with_a_reading_has_an_invented_outcome() {
        let folder = tempfile::tempdir().unwrap();
        let (mut patients, mut dead) = (0, 0);
        for site in &SITES {
            let path = folder.path().join(site.key);
            let rows = write_site_outcomes(site, &path, 7).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text.lines().count(), rows + 1);
            for row in text.lines().skip(1) {
                let cells: Vec<_> = row.split(',').collect();
                let [_, _, followed, status, free, progression] = cells[..] else {
                    panic!("six columns")
                };
                let days = |cell: &str| cell.parse::<u32>().unwrap();
                assert!(days(free) <= days(followed) && days(followed) <= 11 * 366);
                dead += usize::from(status == "dead");
                assert!(status == "alive" || progression == "yes");
            }
            patients += rows;
            write_site_outcomes(site, &path, 7).unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        // As many as LIDC-IDRI has patients with a nodule that was rated; about half of them die.
        assert_eq!(patients, 875);
        assert!((300..600).contains(&dead), "{dead}");
    }
}
