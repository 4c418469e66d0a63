//! Batches of a request on their way into the node, and the answer that says what became of each instance.

use arno_dicom::{Claimed, Instance};
use arno_dicomweb::stow::{FailedInstance, Outcome, StoredInstance, reason};
use axum::{http::StatusCode, response::Response};
use bytes::Bytes;

use super::{
    super::{
        answers::WebError,
        asked::{Asked, instance_url},
        caller::Caller,
    },
    MAX_BATCH_BYTES, MAX_BATCH_PARTS, Part, actor, data_set,
    parts::Whole,
};
use crate::{
    Node, NodeError,
    ingest::{Fate, Received, Taken, TakingIn},
};

/// Instances of one request as they are taken in.
pub(super) struct Taking {
    node: Node,
    caller: Caller,
    root: String,
    /// The study that the address names, as the client knows it.
    study: Option<String>,
    run: Option<TakingIn>,
    batch: Vec<Received>,
    batch_bytes: usize,
    outcome: Outcome,
    counted: Counted,
}

#[derive(Default, Clone, Copy)]
struct Counted {
    parts: usize,
    foreign: usize,
    without_room: usize,
}

impl Taking {
    pub(super) fn new(node: Node, caller: Caller, asked: &Asked) -> Self {
        Self {
            node,
            caller,
            root: asked.root(),
            study: asked.scope.study_uid.clone(),
            run: None,
            batch: Vec::new(),
            batch_bytes: 0,
            outcome: Outcome::default(),
            counted: Counted::default(),
        }
    }

    /// Adds a part, and takes the batch in when it is full.
    pub(super) async fn add(&mut self, part: Part) -> Result<(), WebError> {
        self.counted.parts += 1;
        let Some(Whole { bytes, sha256 }) = part.into_instance() else {
            self.counted.foreign += 1;
            self.fail(None, reason::NOT_UNDERSTOOD);
            return Ok(());
        };
        if let Some(claimed) = self.of_other_study(&bytes).await? {
            self.fail(sop_of(claimed), reason::MISMATCH);
            return Ok(());
        }
        let is_full =
            self.batch.len() == MAX_BATCH_PARTS || self.batch_bytes + bytes.len() > MAX_BATCH_BYTES;
        if is_full {
            self.flush().await?;
        }
        self.batch_bytes += bytes.len();
        self.batch.push(Received {
            name: format!("part {} of a request", self.counted.parts),
            bytes,
            sha256,
        });
        Ok(())
    }

    /// What an instance claims, if that is another study than the address names.
    async fn of_other_study(&self, bytes: &Bytes) -> Result<Option<Claimed>, WebError> {
        let Some(study) = &self.study else {
            return Ok(None);
        };
        let claimed = claimed(bytes.clone()).await?;
        Ok(claimed.filter(|claimed| claimed.study.as_ref() != Some(study)))
    }

    /// Takes in what waits.
    pub(super) async fn flush(&mut self) -> Result<(), WebError> {
        if self.batch.is_empty() {
            return Ok(());
        }
        let batch = std::mem::take(&mut self.batch);
        self.batch_bytes = 0;
        match self.take(batch.clone()).await {
            Ok(taken) => taken.into_iter().for_each(|taken| self.note(taken)),
            Err(NodeError::Full(_)) => {
                for Received { bytes, .. } in batch {
                    self.counted.without_room += 1;
                    let sop = claimed(bytes).await?.and_then(sop_of);
                    self.fail(sop, reason::RESOURCES);
                }
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    async fn take(&mut self, batch: Vec<Received>) -> Result<Vec<Taken>, NodeError> {
        let mut run = match self.run.take() {
            Some(run) => run,
            None => {
                let actor = actor(&self.caller);
                self.node.begin_taking_in("DICOMweb", &actor).await?
            }
        };
        let taken = run.take_received(batch).await;
        self.run = Some(run);
        taken
    }

    fn note(&mut self, taken: Taken) {
        let sop = taken.sop_class.zip(taken.sop_instance);
        match (taken.fate, sop) {
            (Fate::Stored | Fate::Known, Some((sop_class, sop_instance))) => {
                let url = taken.kept.map(|kept| {
                    instance_url(&self.root, &kept.study, &kept.series, &kept.instance)
                });
                let is_as_sent = self.node.is_identifiable();
                self.outcome.stored.push(StoredInstance {
                    sop_class,
                    sop_instance,
                    retrieve_url: url,
                    warning: (!is_as_sent).then_some(reason::COERCED),
                });
            }
            (Fate::Refused { code, .. }, sop) => self.fail(sop, reason_of(code)),
            // It is kept, but what it is was not read: its sender must not take it for stored.
            (Fate::Stored | Fate::Known, None) => self.fail(None, reason::PROCESSING),
        }
    }

    fn fail(&mut self, sop: Option<(String, String)>, reason: u16) {
        self.outcome.failed.push(FailedInstance { sop, reason });
    }

    /// Takes in the rest and ends the run, whatever came before.
    pub(super) async fn finish(mut self) -> Result<Finished, WebError> {
        let flushed = self.flush().await;
        if let Some(run) = self.run.take() {
            run.finish().await?;
        }
        flushed?;
        self.outcome.study_url = self.study_url();
        Ok(Finished {
            outcome: self.outcome,
            counted: self.counted,
        })
    }

    /// Where the study is, if all that is stored is of one.
    fn study_url(&self) -> Option<String> {
        let study = |stored: &StoredInstance| {
            let url = stored.retrieve_url.as_ref()?;
            url.split_once("/series/")
                .map(|(study, _)| study.to_owned())
        };
        let first = study(self.outcome.stored.first()?)?;
        let same = |stored: &StoredInstance| study(stored).as_ref() == Some(&first);
        self.outcome.stored.iter().all(same).then_some(first)
    }
}

/// A request that was taken in.
pub(super) struct Finished {
    outcome: Outcome,
    counted: Counted,
}

impl Finished {
    /// Instances that are kept.
    pub(super) fn stored(&self) -> usize {
        self.outcome.stored.len()
    }

    /// The data set, or one problem where that is all there is to say.
    pub(super) fn response(self) -> Response {
        use axum::response::IntoResponse as _;
        let Counted {
            parts,
            foreign,
            without_room,
        } = self.counted;
        if parts == 0 {
            let error = WebError::bad_request("no_parts", "There is no part in the body.");
            return error.into_response();
        }
        if foreign == parts {
            let detail = "No part is application/dicom.";
            return WebError::unsupported(detail).into_response();
        }
        if without_room > 0 && self.outcome.stored.is_empty() {
            let detail =
                "There is no room for instances now; nothing was stored. Try again when there is.";
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return WebError::refused(status, "disk_full", detail).into_response();
        }
        data_set(self.outcome.status(), self.outcome.to_json())
    }
}

/// What an instance says that it is; nothing of what is no DICOM.
async fn claimed(bytes: Bytes) -> Result<Option<Claimed>, NodeError> {
    let read = move || {
        let instance = Instance::read(bytes).ok()?;
        Some(Claimed::of(&instance.header))
    };
    Ok(tokio::task::spawn_blocking(read).await?)
}

fn sop_of(claimed: Claimed) -> Option<(String, String)> {
    claimed.sop_class.zip(claimed.sop_instance)
}

/// The reason of PS3.18 for a code of ours.
fn reason_of(code: &str) -> u16 {
    match code {
        "not_dicom" | "truncated" | "too_deep" | "malformed" | "missing_identifier"
        | "illegal_uid" | "pixel_length" | "pixel_description" => reason::NOT_UNDERSTOOD,
        "too_large" | "file_too_large" => reason::RESOURCES,
        "unsupported_transfer_syntax" => reason::TRANSFER_SYNTAX,
        "duplicate_instance" => reason::DUPLICATE,
        "inconsistent_identifiers" => reason::MISMATCH,
        _ => reason::PROCESSING,
    }
}

#[cfg(test)]
mod tests {
    use super::{reason, reason_of};

    #[test]
    fn reasons_are_those_of_the_standard() {
        let check = |code: &str, expect| assert_eq!(reason_of(code), expect, "{code}");
        check("not_dicom", reason::NOT_UNDERSTOOD);
        check("duplicate_instance", reason::DUPLICATE);
        check("inconsistent_identifiers", reason::MISMATCH);
        check("unsupported_transfer_syntax", reason::TRANSFER_SYNTAX);
        check("needs_review", reason::PROCESSING);
        check("defect", reason::PROCESSING);
    }
}
