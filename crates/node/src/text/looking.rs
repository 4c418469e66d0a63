//! The pass over what is due: each instance is looked at once, then its series is decided on as a whole.
//!
//! One picture at a time, in one child with one thread: ordinary images come in beside it. Only one program looks at a time.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    sync::Arc,
};

use arno_deid::{is_worth_a_look, risk_of};
use arno_dicom::Instance;
use arno_domain::audit::Outcome;
use arno_pixels::{FinderError, LookError, look};
use arno_store::node::{DueLook, TextFate, TextVerdict};
use bytes::Bytes;

use super::{
    OpenFinder,
    judging::{Judged, Member, Place, judge},
    stored::{Decision, Look},
};
use crate::{
    Fate, Node, NodeError,
    ingest::{SeenCopy, Taken},
};

/// Who the runs and audit entries name.
const ACTOR: &str = "text finder";

/// Which series are decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resting {
    /// Those that got nothing for a while: what sends them may not be done with the others.
    Rested,
    /// All: whoever asks knows that nothing more comes.
    All,
}

/// What a pass came to, in instances.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TextTally {
    /// That came in with text made black.
    pub blackened: u64,
    /// That came in as they are.
    pub clean: u64,
    /// That wait for a person.
    pub waiting: u64,
}

impl TextTally {
    fn add(&mut self, other: Self) {
        self.blackened += other.blackened;
        self.clean += other.clean;
        self.waiting += other.waiting;
    }
}

impl Node {
    /// Looks for text in what is due, and decides series by series; nothing if there is no text finder, or if another program
    /// looks right now.
    ///
    /// # Errors
    /// [`NodeError::TextFinder`] when it does not start, and others of the node. What is due stays so.
    pub async fn look_for_text(&self, which: Resting) -> Result<Option<TextTally>, NodeError> {
        let Some(folder) = self.text_finder() else {
            return Ok(None);
        };
        let Some(_turn) = self.text_turn()? else {
            return Ok(None);
        };
        let (mut tally, mut open) = (TextTally::default(), None);
        while let Some(series) = self.next_text_series(which).await? {
            let finder = match &open {
                Some(finder) => Arc::clone(finder),
                None => {
                    let folder = folder.to_owned();
                    let opening = move || OpenFinder::open(&folder);
                    let finder = Arc::new(tokio::task::spawn_blocking(opening).await??);
                    open.insert(finder).clone()
                }
            };
            // While it was looked at, more of it may have come.
            if self.look_at_series(&series, &finder).await? == 0 {
                tally.add(self.settle_series(&series, &finder.weights).await?);
            }
        }
        Ok(Some(tally))
    }

    async fn next_text_series(&self, which: Resting) -> Result<Option<String>, NodeError> {
        let rest = match which {
            Resting::Rested => self.config().text_rest,
            Resting::All => std::time::Duration::ZERO,
        };
        Ok(self.store().next_text_series(self.now() - rest).await?)
    }

    /// Looks at those of a series that nobody has looked at; how many.
    async fn look_at_series(
        &self,
        series: &str,
        finder: &Arc<OpenFinder>,
    ) -> Result<usize, NodeError> {
        let due = self.store().unlooked(series).await?;
        let guard = Stopping(Some(Arc::clone(finder)));
        for one in &due {
            let (node, finder, copy) = (self.clone(), Arc::clone(finder), one.clone());
            let looking = move || node.look_at(&copy, &finder);
            match tokio::task::spawn_blocking(looking).await?? {
                Some(look) => {
                    let (sha256, json) = (&one.source_sha256, look.to_json());
                    let put = self
                        .store()
                        .put_text_look(series, sha256, &json, self.now());
                    put.await?;
                }
                None => self.store().leave_to_person(one.id).await?,
            }
        }
        guard.done();
        Ok(due.len())
    }

    /// What is seen in one; nothing where a text finder has nothing to look at.
    fn look_at(&self, due: &DueLook, finder: &OpenFinder) -> Result<Option<Look>, NodeError> {
        let path = self.config().quarantine().join(&due.source_sha256);
        let instance = fs::read(&path).ok().map(Bytes::from).map(Instance::read);
        let Some(Ok(instance)) = instance else {
            let why = "its copy in quarantine cannot be read".to_owned();
            return Ok(Some(Look::Unseen(why)));
        };
        if !is_worth_a_look(&instance.header) {
            return Ok(None);
        }
        Ok(Some(match look(&instance, &finder.finder, self.codecs()) {
            Ok(looked) => Look::Seen(looked),
            // Not this instance's fault: it stays due.
            Err(LookError::Finder(
                error @ (FinderError::NotStarted { .. } | FinderError::Closed),
            )) => return Err(error.into()),
            Err(LookError::NotShown(_)) if risk_of(&instance.header).is_none() => Look::ByHeader,
            Err(error) => Look::Unseen(error.to_string()),
        }))
    }

    /// Decides on all of a series that is due, records it, and takes in what may come in. No person decides meanwhile.
    async fn settle_series(
        &self,
        series: &str,
        weights: &[String],
    ) -> Result<TextTally, NodeError> {
        let _turn = self.review_turn().lock().await;
        let looks = self.store().text_looks(series).await?;
        let mut members: Vec<Member> = looks.into_iter().map(Member::of).collect();
        // Places are named by those that are in.
        members.sort_by_key(|member| matches!(member.place, Place::Due(..)));
        let judged = judge(&members, self.config().site.text);
        if judged.is_empty() {
            return Ok(TextTally::default());
        }
        let tally = tally(&judged);
        let detail = format!(
            "{} with text made black, {} without text, {} wait for a person; weights sha256:{}",
            tally.blackened,
            tally.clean,
            tally.waiting,
            weights.join(", sha256:")
        );
        let subject = format!("series {series}");
        let act = self.act(ACTOR, "look for text", &subject, Outcome::Done, detail);
        let verdicts: Vec<TextVerdict> = judged.iter().map(text_verdict).collect();
        self.store().decide_text(&verdicts, act, self.now()).await?;
        let taken = self.take_in_looked_at(series, judged).await?;
        let not_in = taken
            .iter()
            .filter(|taken| matches!(taken.fate, Fate::Refused { .. }));
        tracing::info!(
            blackened = tally.blackened,
            clean = tally.clean,
            waiting = tally.waiting,
            not_in = not_in.count(),
            "a series was looked at for text"
        );
        Ok(tally)
    }

    async fn take_in_looked_at(
        &self,
        series: &str,
        judged: Vec<Judged>,
    ) -> Result<Vec<Taken>, NodeError> {
        let mut copies = Vec::new();
        for due in self.store().due_looks(series).await? {
            let of = |judged: &&Judged| judged.id == due.id;
            let seen = judged
                .iter()
                .find(of)
                .and_then(|judged| judged.seen.clone());
            copies.extend(seen.map(|seen| SeenCopy {
                name: due.name,
                source_sha256: due.source_sha256,
                size_bytes: due.size_bytes,
                seen,
            }));
        }
        match copies.is_empty() {
            true => Ok(Vec::new()),
            false => self.take_in_seen(copies, ACTOR).await,
        }
    }

    /// The right to look, if no other program does; freed when the file is closed, also by a crash.
    fn text_turn(&self) -> Result<Option<File>, NodeError> {
        let path = self.config().text_lock();
        let unusable = |error| NodeError::file(&path, error);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(unusable)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(unusable(error)),
        }
    }
}

/// Ends the look at a picture that nobody waits for any longer, when it is dropped before it is done.
struct Stopping(Option<Arc<OpenFinder>>);

impl Stopping {
    fn done(mut self) {
        self.0 = None;
    }
}

impl Drop for Stopping {
    fn drop(&mut self) {
        if let Some(open) = &self.0 {
            open.finder.close();
        }
    }
}

fn tally(judged: &[Judged]) -> TextTally {
    let mut tally = TextTally::default();
    for judged in judged {
        match (&judged.fate, &judged.decision) {
            (TextFate::Waits { .. }, _) => tally.waiting += 1,
            (TextFate::ComesIn, Decision::Clean) => tally.clean += 1,
            (TextFate::ComesIn, _) => tally.blackened += 1,
        }
    }
    tally
}

fn text_verdict(judged: &Judged) -> TextVerdict {
    TextVerdict {
        id: judged.id,
        source_sha256: judged.source_sha256.clone(),
        verdict_json: judged.decision.to_json(),
        fate: judged.fate.clone(),
    }
}
