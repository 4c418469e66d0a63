//! Appending to packs. Bytes are durable before [`PackWriter::sync`] returns; only then may an index row point at them.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, IoSlice, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use arno_domain::hex;

use super::{
    PackLocation,
    record::{HEADER, Header, Record},
};
use crate::StoreError;

/// Packs of one series that are set aside: one for each crash in its first batch.
const MAX_SET_ASIDE: usize = 64;

/// Appends one batch to packs and makes it durable.
#[derive(Debug)]
pub struct PackWriter {
    root: PathBuf,
    open: BTreeMap<String, OpenPack>,
    new_folders: Vec<PathBuf>,
    room: Option<u64>,
}

#[derive(Debug)]
struct OpenPack {
    file: File,
    /// Where it ended before.
    begin: u64,
    end: u64,
}

/// Where packs ended before a batch was appended to them, by pack. What lies behind is nothing until the batch is indexed.
pub type PackEnds = BTreeMap<String, u64>;

impl PackWriter {
    pub(super) fn new(root: PathBuf, room: Option<u64>) -> Self {
        Self {
            root,
            open: BTreeMap::new(),
            new_folders: Vec::new(),
            room,
        }
    }

    /// Appends an instance. `indexed_end` is where the index says that the pack ends; it is asked for when the pack is
    /// first touched, and what lies behind it is cut off.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the disk or the data holder's limit has no room.
    pub fn append(
        &mut self,
        pack: &str,
        indexed_end: u64,
        record: &Record<'_>,
    ) -> Result<PackLocation, StoreError> {
        if let Some(room) = &mut self.room {
            let length = record.instance.len() as u64;
            *room = room.checked_sub(length).ok_or(StoreError::Full)?;
        }
        let header = Header::of(record);
        self.put(pack, indexed_end, &header, record.instance, record.metadata)
    }

    /// Appends the end of an instance, so that whoever reads the pack alone does not bring it back.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn append_deletion(
        &mut self,
        pack: &str,
        indexed_end: u64,
        instance_uid: &str,
    ) -> Result<PackLocation, StoreError> {
        let header = Header::deleted(instance_uid);
        self.put(pack, indexed_end, &header, &[], instance_uid.as_bytes())
    }

    fn put(
        &mut self,
        pack: &str,
        indexed_end: u64,
        header: &Header,
        instance: &[u8],
        metadata: &[u8],
    ) -> Result<PackLocation, StoreError> {
        if !self.open.contains_key(pack) {
            let opened = self.open_at(pack, indexed_end)?;
            self.open.insert(pack.to_owned(), opened);
        }
        let open = self
            .open
            .get_mut(pack)
            .ok_or(StoreError::Corrupt { what: "pack" })?;
        write_all(&mut open.file, [&header.write(), instance, metadata])?;
        let location = PackLocation {
            pack: pack.to_owned(),
            offset: open.end,
            length: header.length,
            metadata_length: header.metadata_length,
            sha256: hex::encode(&header.sha256),
        };
        open.end = location.end();
        Ok(location)
    }

    fn open_at(&mut self, pack: &str, end: u64) -> Result<OpenPack, StoreError> {
        let path = self.root.join(pack);
        let folder = path.parent().unwrap_or(&self.root).to_owned();
        if !folder.exists() {
            fs::create_dir_all(&folder)?;
            self.new_folders.push(self.root.clone());
        }
        if end == 0 && begins_with_a_record(&path)? {
            set_aside(&path)?;
        }
        if !path.exists() {
            self.new_folders.push(folder);
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)?;
        let length = file.metadata()?.len();
        if length < end {
            return Err(StoreError::Corrupt { what: "pack" });
        }
        // A file keeps its size where a crash left nothing: cutting it off would be one more change to make durable.
        if length > end {
            file.set_len(end)?;
        }
        file.seek(SeekFrom::Start(end))?;
        Ok(OpenPack {
            file,
            begin: end,
            end,
        })
    }

    /// Makes all appended bytes, and the names of new packs, durable.
    ///
    /// # Errors
    /// When the disk is full or fails; then nothing of the batch may be indexed.
    pub fn sync(&mut self) -> Result<(), StoreError> {
        for open in self.open.values() {
            open.file.sync_data()?;
        }
        self.new_folders.sort();
        self.new_folders.dedup();
        for folder in &self.new_folders {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Where the packs that were appended to ended before.
    #[must_use]
    pub fn begins(&self) -> PackEnds {
        let begin = |(pack, open): (&String, &OpenPack)| (pack.clone(), open.begin);
        self.open.iter().map(begin).collect()
    }
}

/// Whether there are bytes that an instance may be read from.
fn begins_with_a_record(path: &Path) -> Result<bool, StoreError> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        file => file?,
    };
    let mut header = [0; HEADER];
    match file.read_exact(&mut header) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => {
            read?;
            Ok(Header::parse(&header).is_some())
        }
    }
}

/// A crash in the first batch of a series leaves such a pack, and so does the loss of the index. Since the two look the same, it
/// is kept under a name of its own, from which a repair can bring it back; compaction deletes it once nobody needs it.
fn set_aside(path: &Path) -> Result<(), StoreError> {
    let stem = path.with_extension("");
    let names = (1..MAX_SET_ASIDE).map(|zeros| {
        let mut name = stem.clone().into_os_string();
        name.push(format!("-{}{}", "0".repeat(zeros), super::EXTENSION));
        PathBuf::from(name)
    });
    let mut unused = names.filter(|name| !name.exists());
    let name = unused.next().ok_or(StoreError::Conflict {
        what: "pack that was set aside: run `arno-node compact`; it",
    })?;
    Ok(fs::rename(path, name)?)
}

/// One call to the system for header, instance and metadata, as long as it takes all of them.
fn write_all(file: &mut File, parts: [&[u8]; 3]) -> Result<(), StoreError> {
    let slices = parts.map(IoSlice::new);
    let mut written = file.write_vectored(&slices)?;
    for part in parts {
        let done = written.min(part.len());
        written -= done;
        file.write_all(&part[done..])?;
    }
    Ok(())
}
