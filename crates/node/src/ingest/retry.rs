//! A file in quarantine, tried again: after an update, or once what it contradicts is gone.

use arno_domain::audit::Outcome;

use super::{
    folder::read_one,
    taking::{Counting, TakingIn},
    walk::Found,
};
use crate::{Node, NodeError, ingest::item::Fate};

impl Node {
    /// Tries a file in quarantine again; whether it was taken in.
    ///
    /// # Errors
    /// When there is no such entry, or its bytes were not kept.
    pub async fn retry_quarantined(&self, id: i64, actor: &str) -> Result<bool, NodeError> {
        let (entry, copy) = self.store().quarantined(id).await?;
        if !copy.copied {
            let detail =
                "its bytes were not kept: put it right at its source and ingest the folder again";
            return Err(NodeError::rule("no_copy", detail));
        }
        let found =
            Found::quarantined(self.config().quarantine().join(&copy.source_sha256), &entry);
        let run = self
            .store()
            .create_ingest_run("quarantine", 1, self.now())
            .await?;
        let mut taking = TakingIn::of(self, run, actor, Counting::Before);
        let item = tokio::task::spawn_blocking(move || read_one(&found, None)).await?;
        let item = item.settling(Some(copy.source_sha256));
        let taken = taking.take_new(vec![item]).await?;
        let is_in = taken
            .iter()
            .all(|taken| !matches!(taken.fate, Fate::Refused { .. }));
        let outcome = if is_in {
            Outcome::Done
        } else {
            Outcome::Refused
        };
        let act = self.act(actor, "retry", &format!("quarantine {id}"), outcome, "");
        self.store().finish_ingest_run(run, act, self.now()).await?;
        Ok(is_in)
    }
}
