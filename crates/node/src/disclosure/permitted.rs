//! A search that is counted exactly under a permit: within the permit's datasets of this node, without noise, free of the budget.
//!
//! The permit decides, which this node verifies by itself, and after it the node's own settings. Where either says no there is a refusal
//! and no count at all, also none with noise: that would be another question. Each answer is in the ledger of exact counts. Not here:
//! what is in the datasets (`crate::index`).

use std::collections::BTreeSet;

use arno_domain::{
    cohort::{Facet, Field},
    disclosure::{ExactCounting, PermittedCell, PermittedCount, PermittedCounts, PermittedFacet},
    permit::Operation,
};
use arno_protocol::{
    federation::{AnswerBody, CountQuestion},
    search::ExactSite,
};
use arno_store::node::NewExactCount;

use super::check_data_user;
use crate::{
    Node, Pinned,
    analyses::{Decision, Refused, Stop, Verdict, Wanted},
    facets::MAX_FACETS,
    index::{ExactBars, ModelIndex},
    search::{CountedExactly, count_exactly},
};

/// A count is seen site by site.
const ONE_SITE: usize = 1;

impl Node {
    /// Counts what matches within the datasets that the permit opens here.
    pub(crate) async fn answer_count(
        &self,
        pinned: &Pinned,
        question: &CountQuestion,
    ) -> Result<Decision, Stop> {
        check_data_user(&question.data_user)?;
        let fields = words_of(&question.facets)?;
        let wanted = Wanted {
            data_user: &question.data_user,
            operation: Operation::Count,
            sites: ONE_SITE,
        };
        let active = self
            .activate(pinned, question.permit.as_ref(), wanted)
            .await?;
        let policy = self.config().site.disclosure.under_permit;
        if policy.counts == ExactCounting::Forbid {
            let reason = "this site's settings allow no exact counts, whatever a permit says";
            return Err(Refused::new("exact_counts_forbidden", reason).into());
        }
        let known = self.permitted_datasets(&active).await?;
        let mut counted = self.count_in(&known, (question, fields)).await?;
        self.tell_expanded(&question.cohort, &mut counted.criteria)
            .await;
        let least = policy.least(active.permit().least_count);
        let facets = counted.facets.into_iter();
        let facets = facets.map(|bars| facet(bars, least));
        let body = AnswerBody::Exact(ExactSite {
            permit: active.permit().id,
            datasets: active.datasets_among(&known),
            counts: counted.exact.map(|exact| PermittedCounts::of(exact, least)),
            criteria: counted.criteria,
            facets: facets.collect(),
        });
        let entry = NewExactCount {
            data_user: question.data_user.clone(),
            cohort: question.cohort.to_string(),
            facets: names(&question.facets),
        };
        Ok(Verdict::Counted(body, Box::new((active.permit().clone(), entry))).into())
    }

    async fn count_in(
        &self,
        datasets: &[String],
        (question, fields): (&CountQuestion, Vec<Field>),
    ) -> Result<CountedExactly, Stop> {
        let cohort = question.cohort.clone();
        let ask = move |index: &ModelIndex| count_exactly((&cohort, &fields), index);
        let counted = self.ask_datasets(datasets, ask).await?;
        Ok(counted.map_err(|error| Refused::new("bad_cohort", error.to_string()))?)
    }
}

/// Every value is listed: nobody is to be hidden by leaving one out.
fn facet(exact: ExactBars, least: u32) -> PermittedFacet {
    let cell = |(value, patients)| PermittedCell {
        value,
        patients: PermittedCount::of(patients, least),
    };
    PermittedFacet {
        field: exact.field.as_str().to_owned(),
        cells: exact.bars.into_iter().map(cell).collect(),
        lifted: exact.lifted,
    }
}

/// The fields of a panel, each once: those with codes or words.
fn words_of(facets: &[Facet]) -> Result<Vec<Field>, Refused> {
    let distinct: BTreeSet<_> = facets.iter().collect();
    let word = |facet: &Facet| match facet {
        Facet::Words(field) => Some(*field),
        Facet::Steps(_) | Facet::Survival(_) => None,
    };
    let fields: Option<Vec<Field>> = facets.iter().map(word).collect();
    match fields {
        Some(fields) if distinct.len() == fields.len() && fields.len() <= MAX_FACETS => Ok(fields),
        _ => {
            let reason = format!(
                "a panel of exact counts has up to {MAX_FACETS} facets, each once, of fields with codes or words"
            );
            Err(Refused::new("bad_facets", reason))
        }
    }
}

fn names(facets: &[Facet]) -> String {
    let names: Vec<_> = facets.iter().map(|facet| facet.as_str()).collect();
    names.join(", ")
}
