//! Series packs: one append-only file per series; an instance, its metadata or a frame is one range read.
//!
//! Where a pack ends is what the index says, never the file's length: bytes behind it are left over from a crash and
//! cut off when the pack is next written. The form of records is in [`record`], why it is so in
//! `docs/decisions/0011-series-packs.md`.

mod cached;
mod record;
mod scan;
mod writer;

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use arno_domain::hex;
use sha2::{Digest as _, Sha256};

pub use record::{Form, RECORD_HEADER_BYTES, Record};
pub use scan::{PackScan, Scanned};
pub use writer::{PackEnds, PackWriter};

use self::record::{HEADER, Header, Kind};
use crate::StoreError;

/// Longest legal UID (PS3.5 section 9.1).
const MAX_UID_CHARS: usize = 64;
/// Bytes that [`Packs::verify`] reads at a time.
const VERIFY_CHUNK_BYTES: usize = 1 << 18;
/// How the name of a pack ends.
const EXTENSION: &str = ".pack";
/// How the name of a pack ends while compaction writes it.
const PARTIAL: &str = ".part";
/// A file that is written to see whether one can be; no name of a pack.
const PROBE: &str = "00/probe.part";

/// The folder of all packs.
#[derive(Debug, Clone)]
pub struct Packs {
    root: PathBuf,
}

/// Where an instance and its metadata are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackLocation {
    /// The pack, relative to the folder of all packs.
    pub pack: String,
    /// Where its record starts.
    pub offset: u64,
    /// Bytes of the instance.
    pub length: u64,
    /// Bytes of its metadata, which follow the instance.
    pub metadata_length: u64,
    /// SHA-256 of the bytes of the instance, hexadecimal.
    pub sha256: String,
}

/// A part of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackRange {
    /// The pack, relative to the folder of all packs.
    pub pack: String,
    /// First byte in the pack.
    pub offset: u64,
    /// Bytes.
    pub length: u64,
}

impl PackLocation {
    /// The bytes of the instance.
    #[must_use]
    pub fn range(&self) -> PackRange {
        self.part(RECORD_HEADER_BYTES, self.length)
    }

    /// The bytes of its metadata.
    #[must_use]
    pub fn metadata_range(&self) -> PackRange {
        self.part(
            RECORD_HEADER_BYTES.saturating_add(self.length),
            self.metadata_length,
        )
    }

    /// The whole record.
    #[must_use]
    pub fn record_range(&self) -> PackRange {
        self.part(0, self.end().saturating_sub(self.offset))
    }

    /// Where the next record of the pack starts.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset
            .saturating_add(RECORD_HEADER_BYTES)
            .saturating_add(self.length)
            .saturating_add(self.metadata_length)
    }

    fn part(&self, skip: u64, length: u64) -> PackRange {
        PackRange {
            pack: self.pack.clone(),
            offset: self.offset.saturating_add(skip),
            length,
        }
    }
}

impl Packs {
    /// The packs below a folder, which is made when it is not there.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        fs::create_dir_all(root)?;
        Ok(Self {
            root: root.to_owned(),
        })
    }

    /// The first pack of a series: 256 folders by digest, so that none holds too many files.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the text is no UID, because it becomes a file name.
    pub fn pack_of(series_uid: &str) -> Result<String, StoreError> {
        Self::generation_of(series_uid, 1)
    }

    /// The pack of a series after so many compactions. A name is never used again, so that a reader who asked the index
    /// before finds the bytes that it was told of, or none.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the text is no UID.
    pub fn generation_of(series_uid: &str, generation: u32) -> Result<String, StoreError> {
        let legal = !series_uid.is_empty()
            && series_uid.len() <= MAX_UID_CHARS
            && series_uid
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !legal {
            return Err(StoreError::Corrupt { what: "series UID" });
        }
        let folder = &hex::encode(&Sha256::digest(series_uid))[..2];
        Ok(match generation {
            0 | 1 => format!("{folder}/{series_uid}{EXTENSION}"),
            later => format!("{folder}/{series_uid}-{later}{EXTENSION}"),
        })
    }

    /// The pack that follows this one of the same series.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the text names no pack.
    pub fn next_generation(pack: &str) -> Result<String, StoreError> {
        let (series_uid, generation) =
            series_and_generation(pack).ok_or(StoreError::Corrupt { what: "pack name" })?;
        Self::generation_of(&series_uid, generation.saturating_add(1))
    }

    /// The series of a pack; `None` when the name is none of a pack.
    #[must_use]
    pub fn series_of(pack: &str) -> Option<String> {
        series_and_generation(pack).map(|(series_uid, _)| series_uid)
    }

    /// Whether a pack was set aside because the index did not know it when its series was written to.
    #[must_use]
    pub fn is_set_aside(pack: &str) -> bool {
        series_and_generation(pack).is_some_and(|(_, generation)| generation == 0)
    }

    /// Begins to write one batch. `room` is how many bytes of instances may be added, where the data holder set a limit.
    #[must_use]
    pub fn writer(&self, room: Option<u64>) -> PackWriter {
        PackWriter::new(self.root.clone(), room)
    }

    /// Takes back what was appended to packs and is not going to be indexed, so that trying again and again fills no disk. What
    /// cannot be cut off stays, as after a crash.
    pub fn cut_back(&self, ends: &PackEnds) {
        for (pack, end) in ends {
            let path = self.root.join(pack);
            let _ = match end {
                0 => fs::remove_file(path),
                end => OpenOptions::new()
                    .write(true)
                    .open(path)
                    .and_then(|file| file.set_len(*end)),
            };
        }
    }

    /// Whether bytes can be made durable among the packs at all; what fails for a single pack is that pack's matter.
    ///
    /// # Errors
    /// When they cannot.
    pub fn probe(&self) -> Result<(), StoreError> {
        let path = self.root.join(PROBE);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(PROBE.as_bytes())?;
            file.sync_all()
        });
        let removed = fs::remove_file(&path);
        written?;
        Ok(removed?)
    }

    /// Reads a part of a pack in one go.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the pack is gone: it was deleted or compacted since the index was asked, which is to be
    /// asked once more. [`StoreError::Corrupt`] when it is shorter.
    pub fn read(&self, range: &PackRange) -> Result<Vec<u8>, StoreError> {
        let (mut file, length) = self.file_with(range)?;
        file.seek(SeekFrom::Start(range.offset))?;
        let mut bytes = Vec::with_capacity(length);
        file.take(range.length).read_to_end(&mut bytes)?;
        match bytes.len() == length {
            true => Ok(bytes),
            false => Err(StoreError::Corrupt { what: "pack" }),
        }
    }

    /// A pack that is long enough for a range, and the range's length.
    fn file_with(&self, range: &PackRange) -> Result<(File, usize), StoreError> {
        let damaged = || StoreError::Corrupt { what: "pack" };
        let file = self.file(&range.pack)?;
        // The length comes from the index, but is checked against the file before memory is taken.
        if file.metadata()?.len() < range.offset.saturating_add(range.length) {
            return Err(damaged());
        }
        Ok((file, usize::try_from(range.length).map_err(|_| damaged())?))
    }

    /// Opens a pack for reading many ranges.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is gone.
    pub fn file(&self, pack: &str) -> Result<File, StoreError> {
        File::open(self.root.join(pack)).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => StoreError::NotFound { what: "pack" },
            _ => error.into(),
        })
    }

    /// Whether record header, instance and metadata are what the index says.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they are not.
    pub fn verify(&self, location: &PackLocation) -> Result<(), StoreError> {
        let damaged = || StoreError::Corrupt { what: "pack" };
        let mut file = self.file(&location.pack)?;
        file.seek(SeekFrom::Start(location.offset))?;
        let mut bytes = [0; HEADER];
        file.read_exact(&mut bytes).map_err(|_| damaged())?;
        let header = Header::parse(&bytes).ok_or_else(damaged)?;
        let is_meant = header.kind == Kind::Instance
            && header.length == location.length
            && header.metadata_length == location.metadata_length
            && hex::encode(&header.sha256) == location.sha256;
        let holds = is_meant
            && digest_of(&mut (&file).take(header.length))? == header.sha256
            && digest_of(&mut (&file).take(header.metadata_length))? == header.metadata_sha256;
        if holds { Ok(()) } else { Err(damaged()) }
    }

    /// Makes a new pack of whole records of another, in their order. It has its name only once it is durable.
    ///
    /// # Errors
    /// When the disk is full or fails; then there is no such pack.
    pub fn copy_records(&self, into: &str, records: &[PackRange]) -> Result<(), StoreError> {
        let path = self.root.join(into);
        let partial = self.root.join(format!("{into}{PARTIAL}"));
        let mut file = File::create(&partial)?;
        for record in records {
            let mut from = self.file(&record.pack)?;
            from.seek(SeekFrom::Start(record.offset))?;
            if io::copy(&mut from.take(record.length), &mut file)? != record.length {
                return Err(StoreError::Corrupt { what: "pack" });
            }
        }
        file.sync_all()?;
        fs::rename(&partial, &path)?;
        self.sync_folder(into)
    }

    /// Deletes a pack, whole or half made, and makes that durable. One that is not there is no error.
    ///
    /// # Errors
    /// When it cannot be deleted.
    pub fn remove(&self, pack: &str) -> Result<(), StoreError> {
        for name in [pack.to_owned(), format!("{pack}{PARTIAL}")] {
            match fs::remove_file(self.root.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
        self.sync_folder(pack)
    }

    fn sync_folder(&self, pack: &str) -> Result<(), StoreError> {
        let path = self.root.join(pack);
        match path.parent().map(File::open) {
            Some(Ok(folder)) => Ok(folder.sync_all()?),
            _ => Ok(()),
        }
    }
}

/// The series of a pack and how often it was compacted, plus one; `None` when the name is none of ours.
pub(super) fn series_and_generation(pack: &str) -> Option<(String, u32)> {
    let name = pack.rsplit('/').next()?.strip_suffix(EXTENSION)?;
    let (series_uid, generation) = match name.split_once('-') {
        Some((series_uid, generation)) => (series_uid, generation.parse().ok()?),
        None => (name, 1),
    };
    let is_uid = Packs::pack_of(series_uid).is_ok();
    is_uid.then(|| (series_uid.to_owned(), generation))
}

fn is_pack_name(name: &str) -> bool {
    series_and_generation(name).is_some()
}

fn digest_of(reader: &mut impl io::Read) -> Result<[u8; 32], io::Error> {
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; VERIFY_CHUNK_BYTES]);
    loop {
        let count = reader.read(&mut chunk)?;
        if count == 0 {
            return Ok(hasher.finalize().into());
        }
        hasher.update(&chunk[..count]);
    }
}

#[cfg(test)]
mod tests;
