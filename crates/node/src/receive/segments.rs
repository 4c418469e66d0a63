//! The journal's files: what was acknowledged and is not taken in yet. One record after the other, each with its length and
//! SHA-256, so that what a crash cut off is told from what is whole. Only bytes and files here; when to write is `journal`.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, IoSlice, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use crate::{NodeError, node::make_private_folder};

/// Magic (8), number of the segment (8, little endian), length (8, little endian), SHA-256 (32). The number tells what was
/// written from what stood in the file before: a settled segment is written over, which spares the disk its bookkeeping.
const HEADER_BYTES: usize = 56;
const MAGIC: &[u8; 8] = b"ARNOJNL1";
const SUFFIX: &str = "journal";
/// A segment in which something was damaged before records that are whole; a person may want it.
const DAMAGED: &str = "damaged";
/// Keeps a second program from replaying the journal of one that runs.
const LOCK: &str = "journal.lock";
/// Bytes that are searched at a time for the next record after damage.
const SEARCH_BYTES: usize = 1 << 20;

/// One instance with its digest.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) sha256: [u8; 32],
    pub(super) bytes: Bytes,
}

impl Record {
    pub(super) fn of(bytes: Bytes) -> Self {
        Self {
            sha256: Sha256::digest(&bytes).into(),
            bytes,
        }
    }

    fn header(&self, segment: u64) -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..8].copy_from_slice(MAGIC);
        header[8..16].copy_from_slice(&segment.to_le_bytes());
        header[16..24].copy_from_slice(&(self.bytes.len() as u64).to_le_bytes());
        header[24..].copy_from_slice(&self.sha256);
        header
    }
}

/// All segments of a node, and how many records of each are not settled.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    state: Mutex<State>,
    _lock: File,
}

#[derive(Debug, Default)]
struct State {
    open: BTreeMap<u64, Unsettled>,
    /// A settled segment that the next one is written over.
    spare: Option<u64>,
}

#[derive(Debug, Default)]
struct Unsettled {
    records: usize,
    /// Nothing is added any more.
    is_closed: bool,
}

impl Segments {
    /// Opens the folder; what it holds is given by [`Segments::left`].
    pub(super) fn open(folder: &Path) -> Result<Arc<Self>, NodeError> {
        make_private_folder(folder)?;
        let path = folder.join(LOCK);
        let unusable = |error| NodeError::file(&path, error);
        let lock = File::create(&path).map_err(unusable)?;
        lock.try_lock().map_err(|error| match error {
            fs::TryLockError::WouldBlock => NodeError::rule(
                "served_already",
                format!("another program serves the node in {}", folder.display()),
            ),
            fs::TryLockError::Error(error) => unusable(error),
        })?;
        Ok(Arc::new(Self {
            folder: folder.to_owned(),
            state: Mutex::default(),
            _lock: lock,
        }))
    }

    /// Numbers of the segments that an earlier run left, oldest first.
    pub(super) fn left(&self) -> Result<Vec<u64>, NodeError> {
        let unusable = |error| NodeError::file(&self.folder, error);
        let mut numbers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(unusable)? {
            let path = entry.map_err(unusable)?.path();
            let is_segment = path.extension().is_some_and(|suffix| suffix == SUFFIX);
            let number = path.file_stem().and_then(|stem| stem.to_str());
            numbers.extend(
                number
                    .filter(|_| is_segment)
                    .and_then(|number| u64::from_str_radix(number, 16).ok()),
            );
        }
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("{number:016x}.{SUFFIX}"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// So many records more wait to be settled.
    pub(super) fn add(&self, number: u64, records: usize) {
        self.state().open.entry(number).or_default().records += records;
    }

    /// One record was taken in.
    pub(super) fn settle(&self, number: u64) {
        self.change(number, |segment| {
            segment.records = segment.records.saturating_sub(1);
        });
    }

    /// Nothing is added to this segment any more.
    pub(super) fn close(&self, number: u64) {
        self.change(number, |segment| segment.is_closed = true);
    }

    /// Whether all that is in it was taken in.
    pub(super) fn is_settled(&self, number: u64) -> bool {
        let state = self.state();
        let segment = state.open.get(&number);
        segment.is_none_or(|segment| segment.records == 0)
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Unsettled)) {
        let mut state = self.state();
        let segment = state.open.entry(number).or_default();
        change(segment);
        if segment.is_closed && segment.records == 0 {
            state.open.remove(&number);
            if let Some(before) = state.spare.replace(number) {
                self.delete(before);
            }
        }
    }

    /// Deletes the settled segment that would be written over: identifying bytes do not lie about.
    pub(super) fn drop_spare(&self) {
        if let Some(spare) = self.state().spare.take() {
            self.delete(spare);
        }
    }

    fn delete(&self, number: u64) {
        if let Err(error) = fs::remove_file(self.path(number)) {
            tracing::warn!(%error, "a journal that was taken in cannot be deleted; it is read again at the next start");
        }
    }

    /// Keeps a damaged segment under another name.
    pub(super) fn set_aside(&self, number: u64) {
        let to = self.path(number).with_extension(DAMAGED);
        let moved = fs::copy(self.path(number), &to);
        tracing::error!(file = %to.display(), moved = moved.is_ok(),
            "a part of the journal is damaged: what is whole was taken in, the file is kept");
    }

    /// Begins a segment, over a settled one if there is one; its name is durable when this returns. After a failure no file of
    /// it is left: what stood in the settled one would lie about.
    pub(super) fn create(&self, number: u64) -> io::Result<Segment> {
        let created = self.create_over_spare(number);
        if created.is_err() {
            let _ = fs::remove_file(self.path(number));
        }
        created
    }

    fn create_over_spare(&self, number: u64) -> io::Result<Segment> {
        let path = self.path(number);
        let spare = self.state().spare.take();
        let mut options = OpenOptions::new();
        options.write(true);
        match spare {
            Some(spare) => fs::rename(self.path(spare), &path)?,
            None => {
                options.create_new(true);
            }
        }
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        File::open(&self.folder)?.sync_all()?;
        Ok(Segment {
            number,
            file,
            end: 0,
        })
    }

    /// Reads what an earlier run left in a segment.
    pub(super) fn read(&self, number: u64) -> io::Result<Replay> {
        let file = File::open(self.path(number))?;
        Ok(Replay {
            number,
            length: file.metadata()?.len(),
            file,
            at: 0,
            is_damaged: false,
            skipped: false,
        })
    }
}

/// The segment that is written to.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u64,
    pub(super) end: u64,
    file: File,
}

impl Segment {
    /// Appends records and makes them durable. After a failure nothing of them counts, and nothing more may be written here.
    pub(super) fn append<'a>(
        &mut self,
        records: impl Iterator<Item = &'a Record>,
    ) -> io::Result<()> {
        let before = self.end;
        let written = self.write(records);
        if written.is_err() {
            // Room for others; what stays is not acknowledged and told apart by its digest.
            let _ = self.file.set_len(before);
        }
        written
    }

    fn write<'a>(&mut self, records: impl Iterator<Item = &'a Record>) -> io::Result<()> {
        for record in records {
            let header = record.header(self.number);
            let mut parts = [IoSlice::new(&header), IoSlice::new(&record.bytes)];
            let mut parts = &mut parts[..];
            while !parts.is_empty() {
                match self.file.write_vectored(parts)? {
                    0 => return Err(io::ErrorKind::WriteZero.into()),
                    written => IoSlice::advance_slices(&mut parts, written),
                }
            }
            self.end += (HEADER_BYTES + record.bytes.len()) as u64;
        }
        self.file.sync_data()
    }
}

/// The whole records of a segment, in order.
#[derive(Debug)]
pub(super) struct Replay {
    number: u64,
    file: File,
    length: u64,
    at: u64,
    skipped: bool,
    is_damaged: bool,
}

impl Replay {
    /// Whether something that is not whole came before a record that is. A cut-off end is no damage: it was never acknowledged.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    /// The next record; nothing at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        while self.at < self.length {
            if let Some(record) = self.record()? {
                self.at += (HEADER_BYTES + record.bytes.len()) as u64;
                self.is_damaged |= self.skipped;
                return Ok(Some(record));
            }
            self.skipped = true;
            self.at = self.following()?.unwrap_or(self.length);
        }
        Ok(None)
    }

    /// The record here, if it is whole.
    fn record(&mut self) -> io::Result<Option<Record>> {
        let mut header = [0; HEADER_BYTES];
        self.file.seek(SeekFrom::Start(self.at))?;
        let left = self.length - self.at;
        if left < HEADER_BYTES as u64 {
            return Ok(None);
        }
        self.file.read_exact(&mut header)?;
        let number = |at: usize| -> u64 {
            u64::from_le_bytes(header[at..at + 8].try_into().unwrap_or_default())
        };
        let length = number(16);
        // A length is believed only as far as there are bytes.
        let is_ours = &header[..8] == MAGIC && number(8) == self.number;
        if !is_ours || length > left - HEADER_BYTES as u64 {
            return Ok(None);
        }
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact(&mut bytes)?;
        let record = Record::of(bytes.into());
        Ok((record.sha256 == header[24..]).then_some(record))
    }

    /// Where the next record may begin after what is not whole.
    fn following(&mut self) -> io::Result<Option<u64>> {
        let mut chunk = vec![0; SEARCH_BYTES];
        let mut from = self.at + 1;
        while from + (HEADER_BYTES as u64) <= self.length {
            self.file.seek(SeekFrom::Start(from))?;
            let count = read_up_to(&mut self.file, &mut chunk)?;
            let places = chunk[..count].windows(MAGIC.len());
            if let Some(found) = places.into_iter().position(|place| place == MAGIC) {
                return Ok(Some(from + found as u64));
            }
            // The magic may lie across two chunks.
            from += (count.saturating_sub(MAGIC.len() - 1).max(1)) as u64;
        }
        Ok(None)
    }
}

fn read_up_to(file: &mut File, chunk: &mut [u8]) -> io::Result<usize> {
    let mut count = 0;
    while count < chunk.len() {
        match file.read(&mut chunk[count..])? {
            0 => break,
            more => count += more,
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use bytes::Bytes;

    use super::{Record, Segments};

    /// Writes three records, changes the file, and reads it: bytes of what is whole, and whether damage was seen.
    fn check(change: impl FnOnce(&mut Vec<u8>), expect: &[&str], damaged: bool) {
        let folder = tempfile::tempdir().unwrap();
        let segments = Segments::open(folder.path()).unwrap();
        let records = ["first", "second", "third"].map(|text| Record::of(Bytes::from(text)));
        segments.create(7).unwrap().append(records.iter()).unwrap();
        assert_eq!(segments.left().unwrap(), [7]);
        let path = segments.path(7);
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
        let mut replay = segments.read(7).unwrap();
        let mut found = Vec::new();
        while let Some(record) = replay.next().unwrap() {
            found.push(String::from_utf8(record.bytes.to_vec()).unwrap());
        }
        assert_eq!(found, expect);
        assert_eq!(replay.is_damaged(), damaged);
    }

    #[test]
    fn a_cut_off_end_is_told_from_damage() {
        check(|_| {}, &["first", "second", "third"], false);
        check(
            |bytes| bytes.truncate(bytes.len() - 1),
            &["first", "second"],
            false,
        );
        check(|bytes| bytes.truncate(61), &["first"], false);
        check(|bytes| bytes.truncate(20), &[], false);
        check(Vec::clear, &[], false);
        check(
            |bytes| bytes.extend([0; 4096]),
            &["first", "second", "third"],
            false,
        );
        check(|bytes| bytes[58] ^= 1, &["second", "third"], true);
        check(|bytes| bytes[0] ^= 1, &["second", "third"], true);
        check(|bytes| bytes[22] = 0xFF, &["second", "third"], true);
        check(
            |bytes| *bytes.last_mut().unwrap() ^= 1,
            &["first", "second"],
            false,
        );
    }

    #[test]
    fn a_segment_goes_when_it_is_closed_and_settled() {
        let folder = tempfile::tempdir().unwrap();
        let segments = Segments::open(folder.path()).unwrap();
        segments.create(1).unwrap();
        segments.add(1, 2);
        segments.settle(1);
        segments.close(1);
        segments.drop_spare();
        assert!(segments.path(1).exists() && !segments.is_settled(1));
        segments.settle(1);
        segments.drop_spare();
        assert!(!segments.path(1).exists());
    }

    #[test]
    fn what_stood_in_a_file_before_is_not_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let segments = Segments::open(folder.path()).unwrap();
        let old = ["old 1", "old 2"].map(|text| Record::of(Bytes::from(text)));
        segments.create(1).unwrap().append(old.iter()).unwrap();
        segments.close(1);
        let new = [Record::of(Bytes::from("new 1"))];
        segments.create(2).unwrap().append(new.iter()).unwrap();
        assert_eq!(
            segments.left().unwrap(),
            [2],
            "the same file under a new name"
        );
        let mut replay = segments.read(2).unwrap();
        assert_eq!(replay.next().unwrap().unwrap().bytes, "new 1");
        assert!(replay.next().unwrap().is_none() && !replay.is_damaged());
    }

    #[test]
    fn two_programs_do_not_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Segments::open(folder.path()).unwrap();
        assert!(Segments::open(folder.path()).is_err());
    }
}
