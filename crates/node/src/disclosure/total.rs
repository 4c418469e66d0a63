//! The node's part in a total over sites: exact counts and a share of the noise, under masks that only cancel in the sum.
//!
//! Noise is added once: any majority of the shares has the variance of one whole noise, so the error of a total does not grow with
//! the sites (`DisclosurePolicy::share_of_total`). One drawing of a share is opened in one total only: in two totals of different
//! sites it would stand alone in their difference. Not here: masking and unmasking (`arno_learning::secagg`).

use arno_domain::{
    SearchId,
    disclosure::{Asked, Drawing, ExactCounts, Level, Part, parts_of, share_variance},
    hex,
};
use arno_learning::secagg::{RoundContext, UnmaskRequest, contribute, unmask};
use arno_protocol::{
    Base64,
    federation::{AnswerBody, TotalQuestion},
};
use arno_store::{
    StoreError,
    node::{Complete, TotalPart},
};
use sha2::{Digest as _, Sha256};

use super::{Priced, Released, check_data_user, form_of, write};
use crate::{
    Node,
    analyses::{Decision, Refused, Stop, Verdict, participant_id},
};

/// Fewest sites of a total: of two, each learns the other's count with half the noise.
pub(crate) const LEAST_SITES: usize = 3;

impl Node {
    /// A masked, noisy part of the total of a search.
    pub(crate) async fn contribute_total(
        &self,
        question: &TotalQuestion,
    ) -> Result<Decision, Stop> {
        check_data_user(&question.data_user)?;
        let participants = self.participants(&question.participants).await?;
        check_sites(participants.len())?;
        let (data_version, counted) = self.count(&question.cohort, &[]).await?;
        let exact = counted.exact.ok_or_else(|| {
            Refused::new("unsupported", "this site cannot evaluate every criterion")
        })?;
        let context = RoundContext::new(
            *question.search.as_bytes(),
            TotalQuestion::ROUND,
            TotalQuestion::sha256(&question.cohort),
            participants,
        )
        .map_err(|error| Refused::new("bad_participants", error.to_string()))?;
        let sites = sites_of(&context);
        let form = form_of_total(&[&question.cohort.digest(), &sites, &data_version.to_string()]);
        let draw = self.store().next_draw(&form).await?;
        let part = TotalPart {
            search: question.search,
            context_json: serde_json::to_string(&context)
                .map_err(|_| StoreError::Corrupt { what: "total" })?,
            form,
            draw,
        };
        self.remember_part(&part).await?;
        let values = self.values((question, &context), &sites, (data_version, draw), &exact);
        self.masked(
            question,
            (context, part),
            (data_version, exact.patients),
            values,
        )
        .await
    }

    /// A node has one part in the total of a search. The same part again is the same bytes; another one is refused.
    async fn remember_part(&self, part: &TotalPart) -> Result<(), Stop> {
        if self.store().put_total_part(part).await? {
            return Ok(());
        }
        let reason = "this node has another part in the total of this search";
        Err(Refused::new("contributed_already", reason).into())
    }

    /// Three noisy counts, and how much variance this site's noise adds to each.
    fn values(
        &self,
        (question, context): (&TotalQuestion, &RoundContext),
        sites: &str,
        (data_version, draw): (u64, u64),
        exact: &ExactCounts,
    ) -> Vec<f64> {
        let policy = self.config().site.disclosure;
        let least = least_of(context);
        let form = question.cohort.digest();
        let asked = Asked {
            form: &form,
            data_version,
        };
        let drawing = Drawing { sites, draw, least };
        let counts = policy.share_of_total(exact, &self.keys().noise, asked, drawing);
        let variance =
            |level| share_variance(policy.budget.variance(Part::Total, level), least) as f64;
        let variances = Level::ALL.map(variance);
        counts
            .into_iter()
            .map(|count| count as f64)
            .chain(variances)
            .collect()
    }

    async fn masked(
        &self,
        question: &TotalQuestion,
        (context, part): (RoundContext, TotalPart),
        (data_version, patients): (u64, u64),
        values: Vec<f64>,
    ) -> Result<Decision, Stop> {
        let priced = Priced {
            part: Part::Total,
            form: form_of_total(&[&part.form, &part.draw.to_string()]),
            data_version,
            data_user: &question.data_user,
            cohort: question.cohort.to_string(),
            parts: parts_of(&question.cohort),
            patients,
            said_json: write(&values)?,
        };
        let entry = self.price(priced).await?;
        let (me, mask) = (participant_id(self.id()), self.keys().mask.clone());
        let compute = move || contribute(&context, me, &mask, &values);
        let contribution = tokio::task::spawn_blocking(compute)
            .await?
            .map_err(|error| Refused::new("cannot_mask", error.to_string()))?;
        let payload = Base64(write(&contribution)?.into_bytes());
        Ok(Decision::Release(Box::new(Released {
            body: AnswerBody::Contribution { payload },
            entries: vec![entry],
        })))
    }

    /// Shares of the seeds that stand in the way of the total of a search: once for each drawing of this node's noise.
    pub(crate) async fn unmask_total(
        &self,
        search: SearchId,
        request: &Base64,
    ) -> Result<Verdict, Stop> {
        let part = self.store().total_part(search).await?.ok_or_else(|| {
            Refused::new(
                "not_contributed",
                "this node has no part in the total of this search",
            )
        })?;
        let request: UnmaskRequest = serde_json::from_slice(&request.0).map_err(|_| {
            Refused::new("bad_unmask_request", "the request to unmask is malformed")
        })?;
        let context: RoundContext = serde_json::from_str(&part.context_json)
            .map_err(|_| StoreError::Corrupt { what: "total" })?;
        let survivors = request.survivors.len();
        check_sites(survivors)?;
        if survivors < least_of(&context) {
            let reason = "too few sites contributed for the noise to be whole";
            return Err(Refused::new("too_few_sites", reason).into());
        }
        let complete = match survivors == context.participants().len() {
            true => Complete::Yes,
            false => Complete::No,
        };
        let (me, mask) = (participant_id(self.id()), self.keys().mask.clone());
        let digest = hex::encode(&request.digest());
        // Checked before the drawing is opened: a malformed request must not use it up.
        let compute = move || unmask(&context, me, &mask, &request);
        let unmasking = tokio::task::spawn_blocking(compute)
            .await?
            .map_err(|error| Refused::new("bad_unmask_request", error.to_string()))?;
        if !self.store().open_draw(&part, &digest, complete).await? {
            let reason = "this drawing of the noise is in a total of other sites; search again";
            return Err(Refused::new("unmasked_already", reason).into());
        }
        Ok(Verdict::Done(AnswerBody::Unmasking {
            payload: Base64(write(&unmasking)?.into_bytes()),
        }))
    }
}

fn check_sites(sites: usize) -> Result<(), Refused> {
    if sites < LEAST_SITES {
        let reason = format!("a total has at least {LEAST_SITES} sites, these are {sites}");
        return Err(Refused::new("too_few_sites", reason));
    }
    Ok(())
}

/// So many shares make a whole noise: a majority, as it takes to unmask a total.
fn least_of(context: &RoundContext) -> usize {
    context
        .threshold()
        .max(LEAST_SITES.min(context.participants().len()))
}

/// Digest of who takes part, with which keys.
fn sites_of(context: &RoundContext) -> String {
    let mut hash = Sha256::new();
    for participant in context.participants() {
        hash.update(participant.node.0);
        hash.update(participant.agreement_public);
    }
    hex::encode(&hash.finalize())
}

/// Digest of what is said in a total, from texts of digits and letters.
fn form_of_total(parts: &[&str]) -> String {
    form_of(&format!("arno total 1 {}", parts.join(" ")))
}
