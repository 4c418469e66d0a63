//! Queries about what is kept, for QIDO-RS (PS3.18 section 10.6) and C-FIND (PS3.4 Annex C): the index narrows down,
//! `arno_dicom::query` matches, and no image is ever opened. Rows come in a fixed order, so that pages fit together.
//!
//! What the rows of the index do not keep is read from the metadata beside the image, of each instance, or of the first
//! instance of a study or series. Not here: the syntax of URLs and identifiers, and who may ask.

mod levels;
mod plan;
mod row;

use std::{collections::BTreeMap, ops::ControlFlow, sync::Arc};

use arno_dicom::query::{Level, Query, Returned};
use arno_store::node::{InstanceRow, KeptKey, Scope, SeriesOfStudy, StudyParts};

pub use self::row::Row;
use self::{
    levels::{instance_row, patient_row, series_row, study_row},
    plan::Plan,
};
use crate::{Node, NodeError};

/// Rows that one query looks at. At some 30 µs each, a query that matches nothing ends within three seconds of work.
pub const MAX_SCANNED_ROWS: usize = 100_000;
/// Metadata that one query reads in order to match, a hundred times as costly as a row.
pub const MAX_OPENED_TO_MATCH: usize = 5_000;
/// Rows that are fetched at a time: some milliseconds of work between two chances for others.
const CHUNK: u32 = 200;
/// Series that are fetched first where instances are asked for: a page of them rarely needs more.
const FIRST_SERIES: u32 = 16;

/// What a query found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// What the query wants to see of each row.
    pub rows: Vec<Row>,
    /// Whether these are all rows from the offset on: not beyond the query's limit, nor one of the two above.
    pub complete: bool,
}

fn of_instance(instance: &InstanceRow) -> Scope {
    Scope {
        instance_uid: Some(instance.kept.instance_uid.clone()),
        ..Scope::default()
    }
}

/// The answer while it grows.
struct Answer<'a> {
    query: &'a Query,
    to_skip: usize,
    scanned: usize,
    opened: usize,
    found: Found,
}

type Flow = Result<ControlFlow<()>, NodeError>;

impl Node {
    /// Finds rows of the query's level, of what was acknowledged before.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub async fn find(&self, query: &Query) -> Result<Found, NodeError> {
        self.catch_up().await;
        let plan = Plan::of(query);
        let mut answer = Answer {
            query,
            to_skip: query.offset,
            scanned: 0,
            opened: 0,
            found: Found {
                rows: Vec::new(),
                complete: true,
            },
        };
        match query.level {
            Level::Patient => self.find_patients(&plan, &mut answer).await?,
            Level::Study => self.find_studies(&plan, &mut answer).await?,
            Level::Series | Level::Instance => self.find_series(&plan, &mut answer).await?,
        }
        Ok(answer.found)
    }

    async fn find_patients(&self, plan: &Plan, answer: &mut Answer<'_>) -> Result<(), NodeError> {
        let (store, mut after) = (self.store(), Some(String::new()));
        while let Some(place) = after {
            let page = store.find_patients(&plan.filter, &place, CHUNK).await?;
            after = next_place(&page, CHUNK).cloned();
            let mut studies: BTreeMap<String, Vec<_>> = BTreeMap::new();
            for study in store.patient_studies(&page).await? {
                studies
                    .entry(study.patient.clone())
                    .or_default()
                    .push(study);
            }
            let uids: Vec<String> = studies
                .values()
                .flatten()
                .map(|study| study.study_uid.clone())
                .collect();
            let parts = store.study_parts(&uids).await?;
            for (_, mut studies) in studies {
                studies.sort_by(|one, other| one.study_uid.cmp(&other.study_uid));
                let row = patient_row(&studies, &parts)?;
                let first = studies.first().map(|study| study.study_uid.clone());
                let scope = Scope {
                    study_uid: first,
                    ..Scope::default()
                };
                if self.offer(plan, answer, row, &scope).await?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn find_studies(&self, plan: &Plan, answer: &mut Answer<'_>) -> Result<(), NodeError> {
        let mut after = Some(String::new());
        while let Some(place) = after {
            let page = self
                .store()
                .find_studies(&plan.filter, &place, CHUNK)
                .await?;
            after = next_place(&page, CHUNK).map(|study| study.study_uid.clone());
            let uids = page.iter().map(|study| study.study_uid.clone()).collect();
            let parts = self.study_parts(plan, uids).await?;
            for study in page {
                let row = study_row(&study.attributes_json, parts.get(&study.study_uid))?;
                let scope = Scope {
                    study_uid: Some(study.study_uid),
                    ..Scope::default()
                };
                if self.offer(plan, answer, row, &scope).await?.is_break() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn study_parts(
        &self,
        plan: &Plan,
        mut study_uids: Vec<String>,
    ) -> Result<BTreeMap<String, StudyParts>, NodeError> {
        if !plan.study_parts {
            return Ok(BTreeMap::new());
        }
        study_uids.dedup();
        let mut parts = self.store().study_parts(&study_uids).await?;
        if plan.sop_classes {
            self.store().add_sop_classes(&mut parts).await?;
        }
        Ok(parts)
    }

    /// Series, or the instances of each.
    async fn find_series(&self, plan: &Plan, answer: &mut Answer<'_>) -> Result<(), NodeError> {
        let mut chunk = match answer.query.level {
            Level::Instance => FIRST_SERIES,
            _ => CHUNK,
        };
        let mut after = Some((String::new(), String::new()));
        while let Some((study, series)) = after {
            let place = (study.as_str(), series.as_str());
            let page = self.store().find_series(&plan.filter, place, chunk).await?;
            let last = next_place(&page, chunk);
            after = last.map(|last| (last.study_uid.clone(), last.series_uid.clone()));
            chunk = CHUNK;
            let uids = page.iter().map(|series| series.study_uid.clone()).collect();
            let parts = self.study_parts(plan, uids).await?;
            let mut study: (String, Row) = (String::new(), Row::default());
            for series in page {
                if study.0 != series.study_uid {
                    let row = study_row(&series.study_json, parts.get(&series.study_uid))?;
                    study = (series.study_uid.clone(), row);
                }
                let row = series_row(&study.1, &series)?;
                if self
                    .offer_series(plan, answer, row, series)
                    .await?
                    .is_break()
                {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    async fn offer_series(
        &self,
        plan: &Plan,
        answer: &mut Answer<'_>,
        row: Row,
        series: SeriesOfStudy,
    ) -> Flow {
        if answer.query.level == Level::Instance {
            if !row.matches(&plan.above) {
                return Ok(answer.scan());
            }
            return self
                .find_instances(plan, answer, &row, &series.series_uid)
                .await;
        }
        let scope = Scope {
            series_uid: Some(series.series_uid),
            ..Scope::default()
        };
        self.offer(plan, answer, row, &scope).await
    }

    /// A row of a patient, study or series, and where the first instance of it is.
    async fn offer(
        &self,
        plan: &Plan,
        answer: &mut Answer<'_>,
        mut row: Row,
        scope: &Scope,
    ) -> Flow {
        if answer.scan().is_break() {
            return Ok(ControlFlow::Break(()));
        }
        if !row.matches(&plan.above) {
            return Ok(ControlFlow::Continue(()));
        }
        // Not all of an instance is an attribute of the level: "all" means what the row itself has.
        let plain = (answer.query.returned == Returned::All).then(|| row.clone());
        if plan.opens_to_match {
            if answer.open().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            row = self.with_first_metadata(row, scope).await?;
        }
        if !row.matches(&plan.own) || answer.passes_over() {
            return Ok(ControlFlow::Continue(()));
        }
        if answer.is_full() {
            return Ok(ControlFlow::Break(()));
        }
        if plan.opens_to_answer && !plan.opens_to_match {
            row = self.with_first_metadata(row, scope).await?;
        }
        let row = plain.as_ref().unwrap_or(&row);
        let selected = plan.picked.pick(row, answer.query);
        answer.found.rows.push(selected);
        Ok(ControlFlow::Continue(()))
    }

    /// Instances of a series whose keys above match. What is wanted of `above` is picked once for all of them.
    async fn find_instances(
        &self,
        plan: &Plan,
        answer: &mut Answer<'_>,
        above: &Row,
        series_uid: &str,
    ) -> Flow {
        let shared = plan.picked.pick(above, answer.query);
        let mut page = self.first_instances(plan, series_uid).await?;
        loop {
            for instance in page.rows.iter() {
                let offered = self.offer_instance(plan, answer, &shared, instance).await?;
                if offered.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
            let Some(after) = page.after else {
                return Ok(ControlFlow::Continue(()));
            };
            page = self.instances(plan, series_uid, Some(&after)).await?;
        }
    }

    /// All of them at once, where the series is in memory.
    async fn first_instances(&self, plan: &Plan, series_uid: &str) -> Result<Instances, NodeError> {
        if plan.filter.instance_uids.is_none()
            && let Some(series) = self.recent_series(series_uid).await?
        {
            let rows = series.rows();
            return Ok(Instances { rows, after: None });
        }
        self.instances(plan, series_uid, None).await
    }

    async fn instances(
        &self,
        plan: &Plan,
        series_uid: &str,
        after: Option<&KeptKey>,
    ) -> Result<Instances, NodeError> {
        let uids = plan.filter.instance_uids.as_deref();
        let found = self.store().find_instances(series_uid, uids, after, CHUNK);
        let rows = found.await?;
        Ok(Instances {
            after: next_place(&rows, CHUNK).map(|last| last.kept.key()),
            rows: Arc::new(rows),
        })
    }

    async fn offer_instance(
        &self,
        plan: &Plan,
        answer: &mut Answer<'_>,
        shared: &Row,
        instance: &InstanceRow,
    ) -> Flow {
        if answer.scan().is_break() {
            return Ok(ControlFlow::Break(()));
        }
        let is_matched = plan.own.keys.is_empty();
        if is_matched && answer.passes_over() {
            return Ok(ControlFlow::Continue(()));
        }
        let mut row = instance_row(instance, plan.wanted.as_ref())?;
        if plan.opens_to_match {
            if answer.open().is_break() {
                return Ok(ControlFlow::Break(()));
            }
            row = self
                .with_first_metadata(row, &of_instance(instance))
                .await?;
        }
        if !is_matched && (!row.matches(&plan.own) || answer.passes_over()) {
            return Ok(ControlFlow::Continue(()));
        }
        if answer.is_full() {
            return Ok(ControlFlow::Break(()));
        }
        if plan.opens_to_answer && !plan.opens_to_match {
            row = self
                .with_first_metadata(row, &of_instance(instance))
                .await?;
        }
        let mut selected = plan.picked.pick(&row, answer.query);
        selected.complete(shared);
        answer.found.rows.push(selected);
        Ok(ControlFlow::Continue(()))
    }
}

/// Some instances of a series, and after which one it goes on, if it does.
struct Instances {
    rows: Arc<Vec<InstanceRow>>,
    after: Option<KeptKey>,
}

/// The last of a page, if it is full: then there may be more.
fn next_place<T>(page: &[T], limit: u32) -> Option<&T> {
    page.last().filter(|_| page.len() >= limit as usize)
}

impl Answer<'_> {
    /// One more row is looked at; `Break` when it would be one too many.
    fn scan(&mut self) -> ControlFlow<()> {
        self.scanned += 1;
        self.bound(self.scanned <= MAX_SCANNED_ROWS)
    }

    /// One more record's metadata is read in order to match.
    fn open(&mut self) -> ControlFlow<()> {
        self.opened += 1;
        self.bound(self.opened <= MAX_OPENED_TO_MATCH)
    }

    fn bound(&mut self, is_within: bool) -> ControlFlow<()> {
        if is_within {
            return ControlFlow::Continue(());
        }
        self.found.complete = false;
        ControlFlow::Break(())
    }

    /// Whether a row that matches lies before the offset.
    fn passes_over(&mut self) -> bool {
        let passes = self.to_skip > 0;
        self.to_skip = self.to_skip.saturating_sub(1);
        passes
    }

    /// Whether a row that matches is beyond the limit.
    fn is_full(&mut self) -> bool {
        let is_full = self.found.rows.len() >= self.query.limit;
        self.found.complete &= !is_full;
        is_full
    }
}
