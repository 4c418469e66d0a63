//! Publishing: a cohort is frozen to its series and readings, described by what is in them, signed and kept; the link
//! delivers it. Nobody fills in a sheet.

use std::collections::{BTreeMap, BTreeSet};

use arno_domain::{
    DatasetId, Signed,
    audit::Outcome,
    cohort::{Cohort, Facts},
    dataset::DatasetRecord,
    disclosure::{DisclosurePolicy, ProtectedCount},
    hex,
};
use arno_protocol::node::{LocalDataset, NewDataset, quality::RiskReport};
use arno_store::node::{Contents, NewDatasetVersion};
use sha2::{Digest as _, Sha256};

use crate::{
    Node, NodeError,
    quality::certify,
    risk::{BelowLimit, risk_report},
};

/// Longest title and licence.
const MAX_LINE_CHARS: usize = 200;
/// Longest description.
const MAX_DESCRIPTION_CHARS: usize = 4000;
/// Years in one group of the age breakdown.
const AGE_GROUP_YEARS: u32 = 10;

impl Node {
    /// Freezes a cohort to a new dataset version in the name of `actor`.
    ///
    /// # Errors
    /// [`NodeError::Rule`] when a text is no good or nothing matches.
    pub async fn create_dataset(
        &self,
        new: &NewDataset,
        actor: &str,
    ) -> Result<LocalDataset, NodeError> {
        self.require_deidentified()?;
        let cohort = checked(new)?;
        let selected = self.select(&cohort).await?;
        let rows: Vec<&Facts> = selected.iter().collect();
        if rows.is_empty() {
            let detail = format!("no patient matches `{cohort}`: a dataset cannot be empty");
            return Err(NodeError::rule("empty_dataset", detail));
        }
        let (series, patients) = (
            distinct(&rows, |row| row.series.as_ref()),
            distinct(&rows, |row| Some(&row.patient)),
        );
        let contents = self.store().dataset_contents(&series, &patients).await?;
        let version = self.store().dataset_version(&new.title).await? + 1;
        let mut record = self.record(new, &cohort, version, &rows, &contents);
        let dates = self.store().study_dates(&series).await?;
        let risk = risk_report(&rows, &dates, self.config().site.risk);
        self.keep_risk_policy(&risk)?;
        let certified = certify(self, &record, &series).await?;
        record.quality = Some(certified.summary);
        let signed = Signed::new(&record, &self.keys().signing);
        let act = self.act(
            actor,
            "publish",
            &record.id.to_string(),
            Outcome::Done,
            format!(
                "version {version} of {}; k = {}, {} of {} patients unique",
                new.title, risk.figure.k, risk.figure.unique, risk.patients
            ),
        );
        let frozen = NewDatasetVersion {
            record: record.clone(),
            signed,
            series,
            readings: contents.readings,
            without_series: without_series(&rows),
            certificate: certified.signed,
            risk: risk.clone(),
        };
        self.store()
            .create_dataset(&frozen, act, self.now())
            .await?;
        self.to_deliver().notify_one();
        Ok(LocalDataset {
            record,
            delivered: false,
            risk: Some(risk.figure),
        })
    }

    fn record(
        &self,
        new: &NewDataset,
        cohort: &Cohort,
        version: u32,
        rows: &[&Facts],
        contents: &Contents,
    ) -> DatasetRecord {
        let count = |of: fn(&Facts) -> Option<&String>| distinct(rows, of).len() as u64;
        DatasetRecord {
            id: DatasetId::new(),
            node: self.id(),
            version,
            title: new.title.clone(),
            description: new.description.clone(),
            cohort: cohort.to_string(),
            licence: new.licence.clone(),
            synthetic_images: contents.synthetic,
            published_at: self.now(),
            patients: count(|row| Some(&row.patient)),
            studies: count(|row| row.series.as_ref().and(row.study.as_ref())),
            series: count(|row| row.series.as_ref()),
            instances: contents.instance_sha256.len() as u64,
            size_bytes: contents.size_bytes,
            readings: contents.readings.len() as u64,
            breakdowns: breakdowns(rows, self.config().site.disclosure),
            manifest_sha256: manifest(contents),
            quality: None,
        }
    }

    /// What the data holder wants done about a dataset whose patients hide too little.
    fn keep_risk_policy(&self, risk: &RiskReport) -> Result<(), NodeError> {
        let policy = self.config().site.risk;
        if risk.figure.within_limit || policy.below == BelowLimit::Warn {
            return Ok(());
        }
        let drives = risk
            .columns
            .first()
            .filter(|column| column.advice.is_some());
        let drives = drives.map_or_else(String::new, |column| {
            format!("; {} drives it most", column.column)
        });
        let detail = format!(
            "the smallest group of patients that look the same has {}, and the settings ask for {} (least_k); \
             {} of {} patients are unique{drives}: choose a wider cohort, or change [risk] in the settings",
            risk.figure.k, policy.least_k, risk.figure.unique, risk.patients
        );
        Err(NodeError::rule("risk_above_limit", detail))
    }
}

fn checked(new: &NewDataset) -> Result<Cohort, NodeError> {
    let texts = [
        ("title", &new.title, 1, MAX_LINE_CHARS),
        ("licence", &new.licence, 1, MAX_LINE_CHARS),
        ("description", &new.description, 0, MAX_DESCRIPTION_CHARS),
    ];
    for (field, text, least, most) in texts {
        let chars = text.chars().count();
        if chars < least || chars > most {
            return Err(NodeError::rule(
                "bad_text",
                format!("{field} must have {least} to {most} characters"),
            ));
        }
    }
    let cohort: Cohort = new
        .cohort
        .parse()
        .map_err(|error| NodeError::rule("bad_cohort", format!("cohort: {error}")))?;
    cohort
        .check()
        .map_err(|error| NodeError::rule("bad_cohort", format!("cohort: {error}")))?;
    Ok(cohort)
}

/// Patients of whom no series is among the rows.
fn without_series(rows: &[&Facts]) -> Vec<String> {
    let with: BTreeSet<_> = rows
        .iter()
        .filter(|row| row.series.is_some())
        .map(|row| &row.patient)
        .collect();
    let patients = distinct(rows, |row| Some(&row.patient)).into_iter();
    patients.filter(|patient| !with.contains(patient)).collect()
}

fn distinct(rows: &[&Facts], of: fn(&Facts) -> Option<&String>) -> Vec<String> {
    rows.iter()
        .filter_map(|row| of(row))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .cloned()
        .collect()
}

/// SHA-256 over the sorted digests of all instances and readings, one a line.
fn manifest(contents: &Contents) -> String {
    let digests: BTreeSet<&String> = contents
        .instance_sha256
        .iter()
        .chain(&contents.readings)
        .collect();
    let mut hasher = Sha256::new();
    for digest in digests {
        hasher.update(digest);
        hasher.update(b"\n");
    }
    hex::encode(&hasher.finalize())
}

/// Reads the value of one field.
type ValueOf = fn(&Facts) -> Option<String>;

/// Patients by value of each field that is recorded.
fn breakdowns(
    rows: &[&Facts],
    policy: DisclosurePolicy,
) -> BTreeMap<String, BTreeMap<String, ProtectedCount>> {
    let fields: [(&str, ValueOf); 5] = [
        ("modality", |row| row.modality.clone()),
        ("sex", |row| row.sex.clone()),
        ("manufacturer", |row| row.manufacturer.clone()),
        ("body_part", |row| row.body_part.clone()),
        ("age", |row| row.age_years.map(age_group)),
    ];
    let breakdown = |of: ValueOf| {
        let mut patients: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for row in rows {
            if let Some(value) = of(row) {
                patients.entry(value).or_default().insert(&row.patient);
            }
        }
        patients
            .into_iter()
            .map(|(value, patients)| (value, policy.protect(patients.len() as u64)))
            .collect()
    };
    let all = fields
        .into_iter()
        .map(|(field, of)| (field.to_owned(), breakdown(of)));
    all.filter(|(_, counts): &(_, BTreeMap<_, _>)| !counts.is_empty())
        .collect()
}

/// Such as `60–69`. Ages are whole years between 0 and 130.
fn age_group(years: f64) -> String {
    let first = years as u32 / AGE_GROUP_YEARS * AGE_GROUP_YEARS;
    format!("{first:02}–{:02}", first + AGE_GROUP_YEARS - 1)
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        cohort::Facts,
        disclosure::{DisclosurePolicy, ProtectedCount},
    };
    use arno_store::node::Contents;

    use super::{age_group, breakdowns, manifest};

    #[test]
    fn ages_are_grouped_by_decade() {
        let check = |years: f64, expect: &str| assert_eq!(age_group(years), expect);
        check(0.0, "00–09");
        check(59.0, "50–59");
        check(60.0, "60–69");
    }

    #[test]
    fn breakdowns_count_patients_and_hide_small_counts() {
        let row = |patient: usize, sex: &str| Facts {
            patient: format!("P-{}", patient / 2),
            sex: Some(sex.into()),
            ..Facts::default()
        };
        let facts: Vec<_> = (0..14)
            .map(|at| row(at, "F"))
            .chain([row(14, "M")])
            .collect();
        let found = breakdowns(
            &facts.iter().collect::<Vec<_>>(),
            DisclosurePolicy {
                threshold: 5,
                round_to: 1,
                ..DisclosurePolicy::default()
            },
        );
        assert_eq!(found.len(), 1, "only what is recorded");
        assert_eq!(found["sex"]["F"], ProtectedCount::About(7));
        assert_eq!(found["sex"]["M"], ProtectedCount::FewerThan(5));
    }

    #[test]
    fn a_manifest_does_not_depend_on_order() {
        let of = |instances: &[&str], readings: &[&str]| {
            let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
            manifest(&Contents {
                instance_sha256: texts(instances),
                readings: texts(readings),
                ..Contents::default()
            })
        };
        assert_eq!(of(&["a", "b"], &["c"]), of(&["b", "a"], &["c"]));
        assert_ne!(of(&["a", "b"], &["c"]), of(&["a"], &["c"]));
    }
}
