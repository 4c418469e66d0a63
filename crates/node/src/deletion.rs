//! Deleting what is kept: a study, a series or an instance, by its mapped UIDs.
//!
//! | what | 1, durable | 2, one transaction | 3 |
//! |---|---|---|---|
//! | whole series | | rows go, packs are noted as to remove | the files go |
//! | an instance of a larger series | its end is appended to the pack | its row goes, the pack ends later | compaction, some day |
//!
//! Stopped before 2, nothing was deleted: what 1 appended lies behind the end of the pack, where the next batch cuts it off.
//! Stopped after 2, it was deleted, and housekeeping does the rest. Only who loses the index between 2 and 3 sees a series again.

use arno_domain::audit::{Act, Outcome};
use arno_store::{
    StoreError,
    node::{Deleted, Deletion, PackLocation, Scope, SeriesInScope},
};

use crate::{Node, NodeError};

impl Node {
    /// Deletes what is in a scope, and was acknowledged before, in the name of `actor`. The same files can be taken in again.
    ///
    /// # Errors
    /// `NotFound` when there is nothing; a rule `in_dataset` when it is part of a published dataset; then nothing was changed.
    pub async fn delete(&self, scope: &Scope, actor: &str) -> Result<Deleted, NodeError> {
        if *scope == Scope::default() {
            let detail = "deleting needs a study, a series or an instance";
            return Err(NodeError::rule("nothing_named", detail));
        }
        self.catch_up().await;
        let _turn = self.turn().await?;
        let series = self.store().series_in_scope(scope).await?;
        refuse(&series)?;
        let deletion = self.deletion_of(scope, &series).await?;
        let deleted = self
            .store()
            .delete_instances(&deletion, self.deletion_act(scope, actor), self.now())
            .await
            .map_err(refused)?;
        self.remove_packs().await?;
        Ok(deleted)
    }

    async fn deletion_of(
        &self,
        scope: &Scope,
        series: &[SeriesInScope],
    ) -> Result<Deletion, NodeError> {
        if let (Some(instance_uid), [one]) = (&scope.instance_uid, series)
            && one.instances > 1
        {
            return Ok(Deletion::Instance {
                instance_uid: instance_uid.clone(),
                deletion: self.append_deletion(one, instance_uid).await?,
            });
        }
        let uids = series.iter().map(|series| series.series_uid.clone());
        Ok(Deletion::Series(uids.collect()))
    }

    async fn append_deletion(
        &self,
        series: &SeriesInScope,
        instance_uid: &str,
    ) -> Result<PackLocation, NodeError> {
        let place = series
            .pack
            .clone()
            .ok_or(StoreError::NotFound { what: "pack" })?;
        let (packs, uid) = (self.packs().clone(), instance_uid.to_owned());
        let write = move || {
            let mut writer = packs.writer(None);
            let location = writer.append_deletion(&place.pack, place.end, &uid)?;
            writer.sync()?;
            Ok::<_, StoreError>(location)
        };
        Ok(tokio::task::spawn_blocking(write).await??)
    }

    /// Deletes the packs that nobody needs. The caller has the turn: a pack that is being made is among them.
    pub(crate) async fn remove_packs(&self) -> Result<(), NodeError> {
        for pack in self.store().packs_to_remove().await? {
            let (packs, name) = (self.packs().clone(), pack.clone());
            tokio::task::spawn_blocking(move || packs.remove(&name)).await??;
            self.store().set_pack_removed(&pack).await?;
        }
        Ok(())
    }

    fn deletion_act(&self, scope: &Scope, actor: &str) -> Act {
        let named = [
            ("instance", &scope.instance_uid),
            ("series", &scope.series_uid),
            ("study", &scope.study_uid),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(level, uid)| uid.as_ref().map(|uid| format!("{level} {uid}")));
        let subject = named.next().unwrap_or_default();
        self.act(actor, "delete", &subject, Outcome::Done, "")
    }
}

fn refuse(series: &[SeriesInScope]) -> Result<(), NodeError> {
    if series.is_empty() {
        return Err(StoreError::NotFound { what: "instance" }.into());
    }
    match series.iter().find_map(|series| series.dataset.as_ref()) {
        Some(title) => Err(in_dataset(&format!("the published dataset {title}"))),
        None => Ok(()),
    }
}

/// A dataset may have been published since the caller looked.
fn refused(error: StoreError) -> NodeError {
    match error {
        StoreError::Conflict { what } if what != "pack" => in_dataset(&format!("a {what}")),
        other => other.into(),
    }
}

fn in_dataset(which: &str) -> NodeError {
    let detail = format!(
        "it is part of {which}, whose record names every instance by its digest: what is published stays"
    );
    NodeError::rule("in_dataset", detail)
}
