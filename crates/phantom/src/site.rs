//! The three fictional hospitals of the demo. Each has the patients of one group of CT manufacturers, so that the
//! sites differ as real ones do.

use crate::data::SeriesRecord;

/// One fictional hospital.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SiteSpec {
    /// Short name for folders, files and addresses: lower-case ASCII letters.
    pub key: &'static str,
    /// Name of the hospital (invented).
    pub name: &'static str,
    /// City (real).
    pub city: &'static str,
    /// Country, ISO 3166-1 alpha-2.
    pub country: &'static str,
    /// Degrees north of the city.
    pub latitude: f64,
    /// Degrees east of the city.
    pub longitude: f64,
    /// Values of Manufacturer (0008,0070) whose patients are at this site.
    pub manufacturers: &'static [&'static str],
}

/// The sites of the demo. Every manufacturer in the committed data belongs to exactly one of them.
pub const SITES: [SiteSpec; 3] = [
    SiteSpec {
        key: "aurora",
        name: "Klinikum Aurora",
        city: "Graz",
        country: "AT",
        latitude: 47.07,
        longitude: 15.44,
        manufacturers: &["GE MEDICAL SYSTEMS"],
    },
    SiteSpec {
        key: "borealis",
        name: "Nemocnice Borealis",
        city: "Brno",
        country: "CZ",
        latitude: 49.2,
        longitude: 16.61,
        manufacturers: &["SIEMENS"],
    },
    SiteSpec {
        key: "celeste",
        name: "Hospital Celeste",
        city: "Valencia",
        country: "ES",
        latitude: 39.47,
        longitude: -0.38,
        manufacturers: &["Philips", "TOSHIBA"],
    },
];

impl SiteSpec {
    /// The series of this site, grouped by patient. A patient belongs to the site of their first series, also with
    /// later series from another scanner (four of 1,010): a patient is never at two sites.
    pub(crate) fn patients(&self, series: Vec<SeriesRecord>) -> Vec<Vec<SeriesRecord>> {
        let mut patients: Vec<Vec<SeriesRecord>> = Vec::new();
        for record in series {
            match patients.last_mut() {
                Some(group) if group[0].patient == record.patient => group.push(record),
                _ => patients.push(vec![record]),
            }
        }
        patients.retain(|group| self.manufacturers.contains(&group[0].manufacturer.as_str()));
        patients
    }
}

#[cfg(test)]
mod tests {
    use super::SITES;
    use crate::data;

    #[test]
    fn every_patient_is_at_exactly_one_site() {
        let per_site = SITES.map(|site| site.patients(data::series().unwrap()));
        let counts = per_site.each_ref().map(Vec::len);
        assert_eq!(counts.iter().sum::<usize>(), 1010);
        assert_eq!(per_site.iter().flatten().map(Vec::len).sum::<usize>(), 1018);
        assert_eq!(counts, [669, 201, 140]);
    }
}
