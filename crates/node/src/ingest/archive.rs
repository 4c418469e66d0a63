//! Zip files: what PACS exports and uploads come in. Entries are listed from the directory of the archive and read one by one
//! when it is their turn; an archive in an archive is not opened.
//!
//! An archive can claim far more than it has. Its directory, its entries and what they inflate to are bounded, in all and
//! against its own size, before anything is inflated; no name in it becomes a path.

use std::{
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use zip::{ZipArchive, result::ZipError};

use super::{refusal::Refusal, walk::MAX_FILES};

/// Bytes that are read to find out what is in an archive: about 150,000 entries with their names.
const MAX_DIRECTORY_BYTES: u64 = 16 << 20;
/// What an archive may inflate to, as a multiple of its own size. Blank images shrink a thousandfold; a whole study does not.
const MAX_RATIO: u64 = 200;
/// What any archive may inflate to, whatever its size: a few blank images.
const FREE_BYTES: u64 = 256 << 20;
/// Largest listing (DICOMDIR) that is read: 100,000 records of 500 bytes.
const MAX_LISTING_BYTES: u64 = 50 << 20;

/// How every zip file with an entry begins (APPNOTE.TXT 4.3.7).
const MAGIC: &[u8; 4] = b"PK\x03\x04";

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Its place in the archive.
    pub(super) index: usize,
    /// Its name, as the archive has it.
    pub(super) name: String,
    /// Bytes that it claims to inflate to.
    pub(super) size: u64,
    /// Why it is not read.
    pub(super) refusal: Option<Refusal>,
}

/// An archive whose directory was read.
pub(super) struct Archive(ZipArchive<Bounded>);

/// A file of which only so much is read until `left` is raised: what a directory claims is not believed.
struct Bounded {
    file: BufReader<File>,
    left: Arc<AtomicU64>,
}

impl Read for Bounded {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.file.read(buffer)?;
        let less = |left: u64| left.checked_sub(count as u64);
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .map_err(|_| io::ErrorKind::QuotaExceeded)?;
        Ok(count)
    }
}

impl Seek for Bounded {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Whether a file is one, by its first bytes.
pub(super) fn is_archive(path: &Path) -> bool {
    let mut first = [0; MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut first));
    read.is_ok() && first == *MAGIC
}

impl Archive {
    /// Reads the directory of an archive.
    pub(super) fn open(path: &Path) -> Result<Self, Refusal> {
        let file = File::open(path).map_err(|error| Refusal::unreadable(&error))?;
        let length = file.metadata().map_or(0, |metadata| metadata.len());
        let left = Arc::new(AtomicU64::new(MAX_DIRECTORY_BYTES));
        let bounded = Bounded {
            file: BufReader::new(file),
            left: left.clone(),
        };
        let archive = ZipArchive::new(bounded).map_err(|error| refused(&error))?;
        // Entries are bounded by what they claim, and that by the archive's size.
        left.store(u64::MAX, Ordering::Relaxed);
        let claimed = (0..archive.len()).try_fold(0_u64, |sum, index| {
            let entry = archive.by_index_data(index).ok()?;
            sum.checked_add(entry.size())
        });
        let limit = length.saturating_mul(MAX_RATIO).max(FREE_BYTES);
        if archive.len() > MAX_FILES || claimed.is_none_or(|claimed| claimed > limit) {
            return Err(Refusal::archive(
                "it claims to hold far more than an archive of its size does",
            ));
        }
        Ok(Self(archive))
    }

    /// Its files, in the order of its directory.
    pub(super) fn entries(&self) -> Vec<Entry> {
        (0..self.0.len())
            .filter_map(|index| self.entry(index))
            .collect()
    }

    fn entry(&self, index: usize) -> Option<Entry> {
        let entry = self.0.by_index_data(index).ok()?;
        let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
        let refusal = if entry.encrypted() {
            Some(Refusal::archive("it is encrypted"))
        } else {
            let is_archive = name.to_ascii_lowercase().ends_with(".zip");
            is_archive.then(|| Refusal::archive("an archive in an archive is not opened"))
        };
        entry.is_file().then(|| Entry {
            index,
            size: entry.size(),
            name,
            refusal,
        })
    }

    /// The bytes of an entry; never more than it claims.
    pub(super) fn read(&mut self, index: usize, limit: u64) -> Result<Vec<u8>, Refusal> {
        let mut entry = self.0.by_index(index).map_err(|error| refused(&error))?;
        let claimed = entry.size();
        if claimed > limit {
            return Err(Refusal::file_too_large(claimed, limit));
        }
        let mut bytes = Vec::new();
        let read = entry.by_ref().take(claimed + 1).read_to_end(&mut bytes);
        match read {
            Ok(_) if bytes.len() as u64 == claimed => Ok(bytes),
            _ => Err(Refusal::archive(
                "what it holds is damaged: make the archive anew",
            )),
        }
    }

    /// The bytes of a listing.
    pub(super) fn read_listing(&mut self, index: usize) -> Option<Vec<u8>> {
        self.read(index, MAX_LISTING_BYTES).ok()
    }
}

/// The bytes of a listing on a disk.
pub(super) fn read_listing(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).ok()?;
    file.take(MAX_LISTING_BYTES + 1)
        .read_to_end(&mut bytes)
        .ok()?;
    (bytes.len() as u64 <= MAX_LISTING_BYTES).then_some(bytes)
}

/// The cause as the library knows it may quote a name; only its kind is told.
fn refused(error: &ZipError) -> Refusal {
    match error {
        ZipError::Io(error) if error.kind() == io::ErrorKind::QuotaExceeded => {
            Refusal::archive("it has more entries than an archive is read with")
        }
        ZipError::Io(error) => Refusal::unreadable(error),
        ZipError::UnsupportedArchive(_) => {
            Refusal::archive("it is encrypted, or packed in another way than zip's usual one")
        }
        _ => Refusal::archive("its directory is damaged: make the archive anew"),
    }
}
