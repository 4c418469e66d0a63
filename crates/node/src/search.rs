//! A search at this node: protected counts, and for each criterion whether it was honoured.
//!
//! A criterion about something that this node records nowhere is unsupported, and then there are no counts at all:
//! any number would be a guess. See `arno_domain::disclosure` for what counts may say.

use std::collections::BTreeSet;

use arno_domain::{
    cohort::{self, Claim, Cohort, CohortError, Facts},
    disclosure::DisclosurePolicy,
};
use arno_protocol::search::{Counts, CriterionReport, CriterionStatus, SiteCounts};

/// Counts patients, studies and series that match.
///
/// # Errors
/// [`CohortError`] when the cohort is too large or tests a field in a way it cannot be tested.
pub fn search(
    cohort: &Cohort,
    facts: &[Facts],
    policy: DisclosurePolicy,
) -> Result<SiteCounts, CohortError> {
    cohort.check()?;
    let criteria: Vec<_> = cohort
        .claims()
        .into_iter()
        .map(|claim| report(claim, facts))
        .collect();
    let all_applied = criteria
        .iter()
        .all(|report| report.status == CriterionStatus::Applied);
    let counts = all_applied.then(|| count(&matching(cohort, facts), policy));
    Ok(SiteCounts { counts, criteria })
}

/// The rows that match.
pub(crate) fn matching<'a>(cohort: &Cohort, facts: &'a [Facts]) -> Vec<&'a Facts> {
    cohort::matching(cohort, facts)
}

fn report(claim: Claim, facts: &[Facts]) -> CriterionReport {
    let is_recorded = |field| facts.iter().any(|row| row.value(field).is_some());
    let status = if claim.fields.into_iter().all(is_recorded) {
        CriterionStatus::Applied
    } else {
        CriterionStatus::Unsupported
    };
    CriterionReport {
        criterion: claim.text,
        status,
    }
}

fn count(rows: &[&Facts], policy: DisclosurePolicy) -> Counts {
    let distinct = |of: fn(&Facts) -> Option<&String>| {
        policy.protect(
            rows.iter()
                .filter_map(|row| of(row))
                .collect::<BTreeSet<_>>()
                .len() as u64,
        )
    };
    Counts {
        patients: distinct(|row| Some(&row.patient)),
        studies: distinct(|row| row.series.as_ref().and(row.study.as_ref())),
        series: distinct(|row| row.series.as_ref()),
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        cohort::{Cohort, Facts},
        disclosure::{DisclosurePolicy, ProtectedCount},
    };
    use arno_protocol::search::CriterionStatus;

    use super::search;

    const EXACT: DisclosurePolicy = DisclosurePolicy {
        threshold: 1,
        round_to: 1,
    };

    /// Twelve patients with two CT series each in one study, the first four with an age, and one without images.
    fn facts() -> Vec<Facts> {
        let series = |patient: usize, series: usize| Facts {
            patient: format!("P-{patient}"),
            study: Some(format!("1.{patient}")),
            series: Some(format!("1.{patient}.{series}")),
            modality: Some(if series == 0 { "CT" } else { "PT" }.into()),
            age_years: (patient < 4).then_some(40.0 + patient as f64),
            ..Facts::default()
        };
        let mut facts: Vec<_> = (0..12)
            .flat_map(|patient| [series(patient, 0), series(patient, 1)])
            .collect();
        facts.push(Facts {
            patient: "P-none".into(),
            ..Facts::default()
        });
        facts
    }

    fn check(text: &str, expect: Option<[u64; 3]>) {
        let cohort: Cohort = text.parse().unwrap();
        let found = search(&cohort, &facts(), EXACT).unwrap();
        let expect = expect.map(|counts| counts.map(|count| EXACT.protect(count)));
        assert_eq!(
            found
                .counts
                .map(|counts| [counts.patients, counts.studies, counts.series]),
            expect,
            "{text}"
        );
    }

    #[test]
    fn things_are_counted_once() {
        check("", Some([13, 12, 24]));
        check("modality = CT", Some([12, 12, 12]));
        check("modality in {CT, PT}", Some([12, 12, 24]));
        check("modality = MR", Some([0, 0, 0]));
    }

    #[test]
    fn what_is_not_recorded_does_not_match_either_way() {
        check("age >= 42", Some([2, 2, 4]));
        check("not age >= 42", Some([2, 2, 4]));
    }

    #[test]
    fn an_unsupported_criterion_leaves_no_counts() {
        check("diagnosis = C34", None);
        check("modality = CT or sex = F", None);
        let found = search(
            &"modality = CT and sex = F".parse().unwrap(),
            &facts(),
            EXACT,
        )
        .unwrap();
        let statuses: Vec<_> = found.criteria.iter().map(|report| report.status).collect();
        assert_eq!(
            statuses,
            [CriterionStatus::Applied, CriterionStatus::Unsupported]
        );
    }

    #[test]
    fn small_counts_are_hidden() {
        let found = search(
            &"age >= 42".parse().unwrap(),
            &facts(),
            DisclosurePolicy::default(),
        )
        .unwrap();
        assert_eq!(found.counts.unwrap().patients, ProtectedCount::FewerThan(5));
    }
}
