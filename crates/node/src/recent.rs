//! Series that were asked for a moment ago, with the rows of all of their instances: whoever asks for one instance asks for its
//! neighbours next, and an index that is asked once for all of them answers hundreds of requests. What serves instances looks here
//! first: DICOMweb, queries of both protocols, C-GET and C-MOVE, the viewer.
//!
//! What this program changes shows at once: whoever changes instances has the turn (`ingest`), and with its end all
//! of this is forgotten. What another program changes (`arno-node ingest`) shows within a second: so often the version of the
//! data is looked at, and what was read at another one is forgotten. Bytes are not kept here: the system's page cache does that.

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

/// For so long the data is taken to have the version that it had.
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
    /// The version of the data, and when it was looked at. All that is held was read at this version or after it.
    seen: Option<(u64, DateTime<Utc>)>,
    /// Nothing for a series that is too large.
    series: HashMap<String, Option<Arc<RecentSeries>>>,
    /// By SOP Instance UID, the series that it is in.
    series_of: HashMap<String, String>,
    bytes: usize,
}

/// What is known of a series.
#[derive(Debug)]
enum Known {
    /// It is held; nothing where it is too large for that.
    Held(Option<Arc<RecentSeries>>),
    /// It is not, after everything was forgotten so often.
    NotHeld(u64),
    /// Whether what is held still holds is to be asked first, after everything was forgotten so often.
    Stale(u64),
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
        self.state().forget();
    }

    fn get(&self, series_uid: &str, now: DateTime<Utc>) -> Known {
        let state = self.state();
        match state.series.get(series_uid) {
            _ if !state.is_fresh(now) => Known::Stale(state.forgotten),
            Some(series) => Known::Held(series.clone()),
            None => Known::NotHeld(state.forgotten),
        }
    }

    /// Notes the version that the data had after everything had been forgotten so often.
    fn see(&self, version: u64, now: DateTime<Utc>, forgotten: u64) {
        let mut state = self.state();
        if state.forgotten != forgotten {
            return;
        }
        if state.seen.is_none_or(|(seen, _)| seen != version) {
            state.forget();
        }
        state.seen = Some((version, now));
    }

    /// Holds a series that was read after everything had been forgotten so often; unless that has happened again.
    fn put(&self, series_uid: &str, series: Option<Arc<RecentSeries>>, forgotten: u64) {
        let mut state = self.state();
        if state.forgotten != forgotten {
            return;
        }
        let bytes = series.as_ref().map_or(0, |series| series.bytes()) + ROW_BYTES;
        if state.bytes + bytes > MAX_BYTES {
            state.clear();
        }
        state.bytes += bytes;
        for uid in series.iter().flat_map(|series| series.places.keys()) {
            state.series_of.insert(uid.clone(), series_uid.to_owned());
        }
        state.series.insert(series_uid.to_owned(), series);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.seen
            .is_some_and(|(_, since)| (since..since + MAX_AGE).contains(&now))
    }

    fn forget(&mut self) {
        self.forgotten += 1;
        self.seen = None;
        self.clear();
    }

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
        let forgotten = match self.known_series(series_uid).await? {
            Known::Held(series) => return Ok(series),
            Known::NotHeld(forgotten) | Known::Stale(forgotten) => forgotten,
        };
        let found = self
            .store()
            .find_instances(series_uid, None, None, MAX_INSTANCES + 1);
        let rows = found.await?;
        let is_small = rows.len() <= MAX_INSTANCES as usize;
        let series = is_small.then(|| Arc::new(RecentSeries::of(rows)));
        self.recent().put(series_uid, series.clone(), forgotten);
        Ok(series)
    }

    /// What is known of a series, once the version of the data was looked at where that is due.
    async fn known_series(&self, series_uid: &str) -> Result<Known, StoreError> {
        let now = self.now();
        let known = self.recent().get(series_uid, now);
        let Known::Stale(forgotten) = known else {
            return Ok(known);
        };
        let version = self.store().data_version().await?;
        self.recent().see(version, now, forgotten);
        Ok(self.recent().get(series_uid, now))
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
        let series = state.series.get(state.series_of.get(instance_uid)?)?;
        let series = series.as_ref().filter(|_| state.is_fresh(now))?;
        series.instance(instance_uid)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chrono::{DateTime, Duration, Utc};

    use super::{Known, MAX_AGE, MAX_BYTES, ROW_BYTES, Recent, RecentSeries};

    const START: DateTime<Utc> = DateTime::<Utc>::UNIX_EPOCH;

    /// How often everything was forgotten before a series that is not held is asked for.
    fn forgotten(recent: &Recent) -> u64 {
        match recent.get("1.2.999", START) {
            Known::Held(_) => panic!("held"),
            Known::NotHeld(forgotten) | Known::Stale(forgotten) => forgotten,
        }
    }

    fn see(recent: &Recent, version: u64, now: DateTime<Utc>) {
        recent.see(version, now, forgotten(recent));
    }

    fn hold(recent: &Recent, series_uid: &str, forgotten: u64) {
        let series = Some(Arc::new(RecentSeries::of(Vec::new())));
        recent.put(series_uid, series, forgotten);
    }

    fn is_held(recent: &Recent, series_uid: &str, now: DateTime<Utc>) -> bool {
        matches!(recent.get(series_uid, now), Known::Held(_))
    }

    #[test]
    fn a_series_is_believed_until_the_version_is_due() {
        let recent = Recent::default();
        see(&recent, 7, START);
        hold(&recent, "1.2", forgotten(&recent));
        assert!(is_held(&recent, "1.2", START));
        assert!(!is_held(&recent, "1.2", START + MAX_AGE));
        assert!(!is_held(&recent, "1.2", START - Duration::seconds(9)));
        assert!(!is_held(&recent, "1.3", START));
    }

    #[test]
    fn it_is_held_on_at_the_same_version_and_forgotten_at_another() {
        let recent = Recent::default();
        see(&recent, 7, START);
        hold(&recent, "1.2", forgotten(&recent));
        see(&recent, 7, START + MAX_AGE);
        assert!(is_held(&recent, "1.2", START + MAX_AGE));
        see(&recent, 8, START + MAX_AGE * 2);
        assert!(!is_held(&recent, "1.2", START + MAX_AGE * 2));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_held_after_it() {
        let recent = Recent::default();
        see(&recent, 7, START);
        let before = forgotten(&recent);
        recent.forget();
        recent.see(7, START, before);
        assert!(matches!(recent.get("1.2", START), Known::Stale(_)));
        see(&recent, 8, START);
        hold(&recent, "1.2", before);
        assert!(!is_held(&recent, "1.2", START));
        hold(&recent, "1.2", forgotten(&recent));
        assert!(is_held(&recent, "1.2", START));
    }

    #[test]
    fn memory_is_bounded() {
        let recent = Recent::default();
        see(&recent, 7, START);
        let before = forgotten(&recent);
        for number in 0..2 * MAX_BYTES / ROW_BYTES {
            hold(&recent, &number.to_string(), before);
        }
        let state = recent.state();
        assert!(!state.series.is_empty() && state.bytes <= MAX_BYTES);
        assert!(state.series.len() <= MAX_BYTES / ROW_BYTES);
    }
}
