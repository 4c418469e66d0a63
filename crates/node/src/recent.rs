//! Series that were asked for a moment ago, with the rows of all of their instances: whoever asks for one instance asks for its
//! neighbours next, and an index that is asked once for all of them answers hundreds of requests. What serves instances looks here
//! first: DICOMweb, queries of both protocols, C-GET and C-MOVE, the viewer.
//!
//! What this program changes shows at once: whoever changes instances has the turn (`ingest`), and with its end all
//! of this is forgotten. What another program changes (`arno-node ingest`) shows within a second. Bytes are not kept here: the
//! system's page cache does that.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use arno_store::{
    StoreError,
    node::{FrameSource, InstanceRow, KeptInstance},
};
use chrono::{DateTime, Duration, Utc};

use crate::Node;

/// For so long a row is believed without asking the index.
const MAX_AGE: Duration = Duration::seconds(1);
/// Larger series are asked for page by page: reading all of it would take longer than what was asked for.
const MAX_INSTANCES: u32 = 1000;
/// All of it together. A row of a CT has about two kilobytes.
const MAX_BYTES: usize = 16 << 20;
/// What a row takes beside its longest texts.
const ROW_BYTES: usize = 1024;

/// The series of one node that are in memory.
#[derive(Debug, Default)]
pub(crate) struct Recent(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// How often everything was forgotten.
    forgotten: u64,
    series: HashMap<String, Held>,
    /// By SOP Instance UID, the series that it is in.
    series_of: HashMap<String, String>,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    since: DateTime<Utc>,
    /// Nothing for a series that is too large.
    series: Option<Arc<RecentSeries>>,
}

impl Held {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        (self.since..self.since + MAX_AGE).contains(&now)
    }
}

/// The instances of a series, in order.
#[derive(Debug)]
pub(crate) struct RecentSeries {
    rows: Arc<Vec<InstanceRow>>,
    places: HashMap<String, usize>,
}

impl RecentSeries {
    fn of(rows: Vec<InstanceRow>) -> Self {
        let uid = |(place, row): (usize, &InstanceRow)| (row.kept.instance_uid.clone(), place);
        Self {
            places: rows.iter().enumerate().map(uid).collect(),
            rows: Arc::new(rows),
        }
    }

    /// All of its instances; none when there is no such series.
    pub(crate) fn rows(&self) -> Arc<Vec<InstanceRow>> {
        self.rows.clone()
    }

    /// One of its instances.
    pub(crate) fn instance(&self, instance_uid: &str) -> Option<Arc<KeptInstance>> {
        let place = self.places.get(instance_uid)?;
        Some(self.rows[*place].kept.clone())
    }

    fn bytes(&self) -> usize {
        let text = |row: &InstanceRow| {
            let layout = row.kept.layout_json.as_ref().map_or(0, String::len);
            ROW_BYTES + layout + row.attributes_json.len()
        };
        self.rows.iter().map(text).sum()
    }
}

impl Recent {
    /// Forgets everything: something has changed.
    pub(crate) fn forget(&self) {
        let mut state = self.state();
        state.forgotten += 1;
        state.clear();
    }

    /// What is held of a series, or how often everything was forgotten before it is asked for.
    fn get(&self, series_uid: &str, now: DateTime<Utc>) -> Result<Option<Arc<RecentSeries>>, u64> {
        let state = self.state();
        let held = state.series.get(series_uid);
        match held.filter(|held| held.is_fresh(now)) {
            Some(held) => Ok(held.series.clone()),
            None => Err(state.forgotten),
        }
    }

    /// Holds a series that was read after everything had been forgotten so often; unless that has happened again.
    fn put(&self, series_uid: &str, held: Held, forgotten: u64) {
        let mut state = self.state();
        if state.forgotten != forgotten {
            return;
        }
        if state
            .series
            .values()
            .any(|other| !other.is_fresh(held.since))
        {
            state.clear();
        }
        let bytes = held.series.as_ref().map_or(0, |series| series.bytes()) + ROW_BYTES;
        if state.bytes + bytes > MAX_BYTES {
            state.clear();
        }
        state.bytes += bytes;
        for uid in held.series.iter().flat_map(|series| series.places.keys()) {
            state.series_of.insert(uid.clone(), series_uid.to_owned());
        }
        state.series.insert(series_uid.to_owned(), held);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn clear(&mut self) {
        self.series.clear();
        self.series_of.clear();
        self.bytes = 0;
    }
}

impl Node {
    /// A series with all of its instances; nothing where it is so large that the index is to be asked page by page.
    pub(crate) async fn recent_series(
        &self,
        series_uid: &str,
    ) -> Result<Option<Arc<RecentSeries>>, StoreError> {
        let since = self.now();
        let forgotten = match self.recent().get(series_uid, since) {
            Ok(series) => return Ok(series),
            Err(forgotten) => forgotten,
        };
        let found = self
            .store()
            .find_instances(series_uid, None, None, MAX_INSTANCES + 1);
        let rows = found.await?;
        let is_small = rows.len() <= MAX_INSTANCES as usize;
        let series = is_small.then(|| Arc::new(RecentSeries::of(rows)));
        let held = Held {
            since,
            series: series.clone(),
        };
        self.recent().put(series_uid, held, forgotten);
        Ok(series)
    }

    /// Where the frames of an instance are.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is not here or has no frames that can be shown.
    pub(crate) async fn frame_source(
        &self,
        series_uid: &str,
        instance_uid: &str,
    ) -> Result<FrameSource, StoreError> {
        let Some(series) = self.recent_series(series_uid).await? else {
            return self.store().frame_source(series_uid, instance_uid).await;
        };
        let kept = series.instance(instance_uid);
        let source = kept.and_then(|kept| {
            Some(FrameSource {
                location: kept.location.clone(),
                pixel_offset: kept.pixel_offset?,
                layout_json: kept.layout_json.clone()?,
            })
        });
        source.ok_or(StoreError::NotFound { what: "frame" })
    }

    /// An instance by its UID alone, if its series was asked for a moment ago.
    pub(crate) fn recent_instance(&self, instance_uid: &str) -> Option<Arc<KeptInstance>> {
        let now = self.now();
        let state = self.recent().state();
        let held = state.series.get(state.series_of.get(instance_uid)?)?;
        let series = held.series.as_ref().filter(|_| held.is_fresh(now))?;
        series.instance(instance_uid)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, Duration, Utc};

    use super::{Held, MAX_AGE, MAX_BYTES, ROW_BYTES, Recent, RecentSeries};

    const START: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

    fn hold(recent: &Recent, series_uid: &str, since: DateTime<Utc>, forgotten: u64) {
        let series = Some(Arc::new(RecentSeries::of(Vec::new())));
        recent.put(series_uid, Held { since, series }, forgotten);
    }

    fn is_held(recent: &Recent, series_uid: &str, now: DateTime<Utc>) -> bool {
        recent.get(series_uid, now).is_ok()
    }

    #[test]
    fn a_series_is_believed_for_a_while() {
        let recent = Recent::default();
        hold(&recent, "1.2", START, 0);
        assert!(is_held(&recent, "1.2", START));
        assert!(!is_held(&recent, "1.2", START + MAX_AGE));
        assert!(!is_held(&recent, "1.2", START - Duration::seconds(9)));
        assert!(!is_held(&recent, "1.3", START));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_held_after_it() {
        let recent = Recent::default();
        hold(&recent, "1.2", START, 0);
        recent.forget();
        assert_eq!(recent.get("1.2", START).unwrap_err(), 1);
        hold(&recent, "1.2", START, 0);
        assert!(!is_held(&recent, "1.2", START));
        hold(&recent, "1.2", START, 1);
        assert!(is_held(&recent, "1.2", START));
    }

    #[test]
    fn memory_is_bounded() {
        let recent = Recent::default();
        for number in 0..2 * MAX_BYTES / ROW_BYTES {
            hold(&recent, &number.to_string(), START, 0);
        }
        let state = recent.state();
        assert!(!state.series.is_empty() && state.bytes <= MAX_BYTES);
        assert!(state.series.len() <= MAX_BYTES / ROW_BYTES);
    }
}
