//! A search at this node: exact counts, and for each criterion whether it was honoured. Nothing of it leaves as it is.
//!
//! A criterion about something that this node does not record, or of so few patients that it does not say so, is unsupported, and then
//! there are no counts at all: any number would be a guess. What may be said of the counts: [`crate::disclosure`].

use arno_domain::{
    cohort::{Claim, Cohort, CohortError, Facet, Field},
    disclosure::{DisclosureBudget, ExactCounts, ExactFacet, ExactSurvival},
};
use arno_protocol::search::{CriterionReport, CriterionStatus};

use crate::{
    facets::{facets, survival},
    index::{ExactBars, ModelIndex},
};

/// What was counted; never leaves the node as it is.
pub(crate) struct Counted {
    /// The counts; `None` when a criterion is unsupported.
    pub(crate) exact: Option<ExactCounts>,
    /// One entry a criterion, in order of appearance.
    pub(crate) criteria: Vec<CriterionReport>,
    /// The panel that was asked for; empty with `exact`.
    pub(crate) facets: Vec<ExactFacet>,
    /// The curves that were asked for; empty with `exact`.
    pub(crate) survival: Vec<ExactSurvival>,
}

/// Counts patients, studies and series that match, each patient with at most as many as the budget's caps say.
///
/// # Errors
/// [`CohortError`] when the cohort is too large or tests a field in a way it cannot be tested.
pub(crate) fn search(
    (cohort, asked): (&Cohort, &[Facet]),
    index: &ModelIndex,
    budget: &DisclosureBudget,
) -> Result<Counted, CohortError> {
    cohort.check()?;
    let criteria = reports(cohort, |field| index.records(field));
    if !are_applied(&criteria) {
        return Ok(Counted {
            exact: None,
            criteria,
            facets: Vec::new(),
            survival: Vec::new(),
        });
    }
    let conditions = index.conditions(cohort);
    Ok(Counted {
        exact: Some(conditions.count(budget)),
        criteria,
        facets: facets((cohort, asked), &conditions, budget),
        survival: survival(asked, &conditions),
    })
}

/// What was counted exactly within datasets; may leave the node under a permit alone.
pub(crate) struct CountedExactly {
    /// The counts; `None` when a criterion is unsupported.
    pub(crate) exact: Option<ExactCounts>,
    /// One entry a criterion, in order of appearance.
    pub(crate) criteria: Vec<CriterionReport>,
    /// The panel that was asked for; empty with `exact`.
    pub(crate) facets: Vec<ExactBars>,
}

/// Counts everything that matches in an index of datasets. What is recorded of anybody is recorded.
///
/// # Errors
/// [`CohortError`] when the cohort is too large or tests a field in a way it cannot be tested.
pub(crate) fn count_exactly(
    (cohort, fields): (&Cohort, &[Field]),
    index: &ModelIndex,
) -> Result<CountedExactly, CohortError> {
    cohort.check()?;
    let criteria = reports(cohort, |field| index.records_of_anybody(field));
    if !are_applied(&criteria) {
        return Ok(CountedExactly {
            exact: None,
            criteria,
            facets: Vec::new(),
        });
    }
    Ok(CountedExactly {
        exact: Some(index.count_all(cohort)),
        criteria,
        facets: index.all_bars(cohort, fields),
    })
}

/// How each criterion can be honoured, in order of appearance, where these fields are recorded.
pub(crate) fn reports(
    cohort: &Cohort,
    is_recorded: impl Fn(Field) -> bool,
) -> Vec<CriterionReport> {
    let report = |claim: Claim| CriterionReport {
        status: match claim.fields.into_iter().all(&is_recorded) {
            true => CriterionStatus::Applied,
            false => CriterionStatus::Unsupported,
        },
        criterion: claim.text,
    };
    cohort.claims().into_iter().map(report).collect()
}

fn are_applied(criteria: &[CriterionReport]) -> bool {
    criteria
        .iter()
        .all(|report| report.status == CriterionStatus::Applied)
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        cohort::Facts,
        disclosure::{DisclosureBudget, ExactCounts},
    };
    use arno_protocol::search::CriterionStatus;

    use super::{Counted, search};
    use crate::index::ModelIndex;

    fn counted(text: &str, budget: &DisclosureBudget) -> Counted {
        let index = ModelIndex::of_facts(&facts());
        search((&text.parse().unwrap(), &[]), &index, budget).unwrap()
    }

    /// Twelve patients with two CT series each in one study, the first five with an age, and one without images.
    fn facts() -> Vec<Facts> {
        let series = |patient: usize, series: usize| Facts {
            patient: format!("P-{patient}"),
            study: Some(format!("1.{patient}")),
            series: Some(format!("1.{patient}.{series}")),
            modality: Some(if series == 0 { "CT" } else { "PT" }.into()),
            age_years: (patient < 5).then_some(40.0 + patient as f64),
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
        let expect = expect.map(|[patients, studies, series]| ExactCounts {
            patients,
            studies,
            series,
        });
        let found = counted(text, &DisclosureBudget::default());
        assert_eq!(found.exact, expect, "{text}");
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
        check("age >= 42", Some([3, 3, 6]));
        check("not age >= 42", Some([2, 2, 4]));
    }

    #[test]
    fn an_unsupported_criterion_leaves_no_counts() {
        check("diagnosis = C34", None);
        check("modality = CT or sex = F", None);
        let found = counted("modality = CT and sex = F", &DisclosureBudget::default());
        let statuses: Vec<_> = found.criteria.iter().map(|report| report.status).collect();
        assert_eq!(
            statuses,
            [CriterionStatus::Applied, CriterionStatus::Unsupported]
        );
    }

    #[test]
    fn what_fewer_than_five_have_is_not_supported() {
        let mut facts = facts();
        facts[0].sex = Some("F".into());
        let statuses = |facts: &[Facts]| {
            let index = ModelIndex::of_facts(facts);
            let asked = (&"sex = F".parse().unwrap(), &[][..]);
            let counted = search(asked, &index, &DisclosureBudget::default()).unwrap();
            (counted.criteria[0].status, counted.exact.is_some())
        };
        assert_eq!(statuses(&facts), (CriterionStatus::Unsupported, false));
        for patient in 1..4 {
            facts[2 * patient].sex = Some("M".into());
        }
        assert_eq!(statuses(&facts), (CriterionStatus::Unsupported, false));
        facts[8].sex = Some("M".into());
        assert_eq!(statuses(&facts), (CriterionStatus::Applied, true));
    }

    #[test]
    fn a_patient_counts_with_no_more_than_the_cap() {
        let budget = DisclosureBudget {
            series_per_patient: 1,
            ..DisclosureBudget::default()
        };
        let exact = counted("modality in {CT, PT}", &budget).exact.unwrap();
        assert_eq!([exact.patients, exact.studies, exact.series], [12, 12, 12]);
    }
}
