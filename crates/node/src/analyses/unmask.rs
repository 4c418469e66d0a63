//! Help to take the masks off a round's total: once a round, only one that this node contributed to, only while its permit
//! holds, and only for as many survivors as the permit wants.

use arno_domain::hex;
use arno_learning::secagg::{RoundContext, UnmaskRequest, unmask};
use arno_protocol::{
    Base64,
    federation::{AnswerBody, UnmaskQuestion},
};
use arno_store::{StoreError, node::Contributed};

use super::{Refused, Stop, Verdict, participants::participant_id, round::CONTRIBUTE, round_name};
use crate::Node;

const UNMASK: &str = "unmask";

impl Node {
    /// Shares of the seeds that stand in the way of a total.
    pub(crate) async fn unmask(&self, question: &UnmaskQuestion) -> Result<Verdict, Stop> {
        let contributed = self
            .store()
            .contributed(question.analysis, question.round, CONTRIBUTE)
            .await?;
        let contributed = contributed.ok_or_else(|| {
            let reason = format!(
                "this node did not contribute to {}",
                round_name(question.analysis, question.round)
            );
            Refused::new("not_contributed", reason)
        })?;
        if self.store().is_revoked(contributed.permit).await? {
            return Err(Refused::new("permit_revoked", "the permit was revoked").into());
        }
        let request: UnmaskRequest = serde_json::from_slice(&question.request.0).map_err(|_| {
            Refused::new("bad_unmask_request", "the request to unmask is malformed")
        })?;
        let survivors = request.survivors.len();
        if survivors < contributed.least_sites as usize {
            let reason = format!(
                "the permit wants at least {} sites in a total, these are {survivors}",
                contributed.least_sites
            );
            return Err(Refused::new("too_few_sites", reason).into());
        }
        let context: RoundContext = serde_json::from_str(&contributed.context_json)
            .map_err(|_| StoreError::Corrupt { what: "round" })?;
        let (me, mask) = (participant_id(self.id()), self.keys().mask.clone());
        let digest = hex::encode(&request.digest());
        // Checked before it is remembered: a malformed request must not use up the one answer.
        let compute = move || unmask(&context, me, &mask, &request);
        let unmasking = tokio::task::spawn_blocking(compute).await?;
        let unmasking =
            unmasking.map_err(|error| Refused::new("bad_unmask_request", error.to_string()))?;
        let remembered = Contributed {
            phase: UNMASK,
            digest,
            context_json: String::new(),
            ..contributed
        };
        self.remember_once(remembered, "unmasked_already").await?;
        let payload = serde_json::to_vec(&unmasking)
            .map_err(|_| StoreError::Corrupt { what: "unmasking" })?;
        Ok(Verdict::Done(AnswerBody::Unmasking {
            payload: Base64(payload),
        }))
    }
}
