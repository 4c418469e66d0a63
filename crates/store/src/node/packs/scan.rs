//! A pack read without any index: record by record from its begin, and forward to the next header where bytes are damaged.
//!
//! What is found is what lies in the file; which of it counts is the caller's to say, and whether the bytes of an instance hold is
//! what [`Packs::verify`] tells.

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use arno_domain::hex;

use super::{
    PackLocation, Packs, digest_of,
    record::{HEADER, Header, Kind, RECORD_HEADER_BYTES},
};
use crate::StoreError;

/// Longest text in the place of metadata of a deleted instance: a UID.
const MAX_DELETED_BYTES: u64 = 64;
/// Bytes that are searched at a time for the next header.
const SEARCH_BYTES: usize = 1 << 20;
/// What every header begins with.
const MAGIC: &[u8] = b"ARNO";

/// One thing in a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scanned {
    /// An instance whose header holds.
    Instance {
        /// Where it is.
        location: PackLocation,
        /// SHA-256 of the file that it came in, hexadecimal.
        source_sha256: String,
    },
    /// The instance with that UID ended here.
    Deleted {
        /// SOP Instance UID.
        instance_uid: String,
        /// Where the record ends.
        end: u64,
    },
    /// Bytes that are no record; after a crash, the end of the file.
    Unreadable {
        /// Where they start.
        offset: u64,
        /// How many there are.
        length: u64,
    },
}

/// Reads a pack from its begin.
#[derive(Debug)]
pub struct PackScan {
    pack: String,
    file: File,
    length: u64,
    at: u64,
}

impl Packs {
    /// All packs that are files, in order of their names; of a series, the older generation first.
    ///
    /// # Errors
    /// When a folder cannot be read.
    pub fn list(&self) -> Result<Vec<String>, StoreError> {
        let mut packs = Vec::new();
        for folder in entries(&self.root)? {
            for name in entries(&self.root.join(&folder))? {
                packs.extend(super::is_pack_name(&name).then(|| format!("{folder}/{name}")));
            }
        }
        packs.sort_by_cached_key(|pack| super::series_and_generation(pack));
        Ok(packs)
    }

    /// Begins to read a pack.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn scan(&self, pack: &str) -> Result<PackScan, StoreError> {
        let file = self.file(pack)?;
        Ok(PackScan {
            pack: pack.to_owned(),
            length: file.metadata()?.len(),
            file,
            at: 0,
        })
    }
}

impl PackScan {
    /// The next thing in the pack.
    ///
    /// # Errors
    /// When the file cannot be read; damage is no error.
    pub fn step(&mut self) -> Result<Option<Scanned>, StoreError> {
        if self.at >= self.length {
            return Ok(None);
        }
        let offset = self.at;
        if let Some(header) = self.header_at(offset)?
            && let Some(found) = self.record(offset, &header)?
        {
            self.at = offset + header.record_bytes().unwrap_or(RECORD_HEADER_BYTES);
            return Ok(Some(found));
        }
        self.at = self.next_header(offset + 1)?;
        Ok(Some(Scanned::Unreadable {
            offset,
            length: self.at - offset,
        }))
    }

    /// A header that holds and whose record ends within the file.
    fn header_at(&mut self, offset: u64) -> Result<Option<Header>, StoreError> {
        if self.length - offset < RECORD_HEADER_BYTES {
            return Ok(None);
        }
        let mut bytes = [0; HEADER];
        self.file.seek(SeekFrom::Start(offset))?;
        self.file.read_exact(&mut bytes)?;
        let fits = |header: &Header| {
            let end = header
                .record_bytes()
                .and_then(|bytes| bytes.checked_add(offset));
            end.is_some_and(|end| end <= self.length)
        };
        Ok(Header::parse(&bytes).filter(fits))
    }

    fn record(&mut self, offset: u64, header: &Header) -> Result<Option<Scanned>, StoreError> {
        let location = PackLocation {
            pack: self.pack.clone(),
            offset,
            length: header.length,
            metadata_length: header.metadata_length,
            sha256: hex::encode(&header.sha256),
        };
        match header.kind {
            Kind::Deleted => self.deleted(&location, header),
            Kind::Instance => Ok(Some(Scanned::Instance {
                location,
                source_sha256: hex::encode(&header.source_sha256),
            })),
        }
    }

    fn deleted(
        &mut self,
        location: &PackLocation,
        header: &Header,
    ) -> Result<Option<Scanned>, StoreError> {
        if header.metadata_length > MAX_DELETED_BYTES || header.length > 0 {
            return Ok(None);
        }
        let mut uid = Vec::new();
        self.file
            .seek(SeekFrom::Start(location.metadata_range().offset))?;
        (&self.file)
            .take(header.metadata_length)
            .read_to_end(&mut uid)?;
        let holds = digest_of(&mut uid.as_slice())? == header.metadata_sha256;
        let instance_uid = String::from_utf8(uid).ok().filter(|_| holds);
        Ok(instance_uid.map(|instance_uid| Scanned::Deleted {
            instance_uid,
            end: location.end(),
        }))
    }

    /// Where the next header starts; the end of the file when there is none.
    fn next_header(&mut self, from: u64) -> Result<u64, StoreError> {
        let mut at = from;
        while at < self.length {
            let mut chunk = Vec::new();
            self.file.seek(SeekFrom::Start(at))?;
            (&self.file)
                .take(SEARCH_BYTES as u64)
                .read_to_end(&mut chunk)?;
            let places = chunk.windows(MAGIC.len()).enumerate();
            for (place, _) in places.filter(|(_, bytes)| *bytes == MAGIC) {
                let offset = at + place as u64;
                if self.header_at(offset)?.is_some() {
                    return Ok(offset);
                }
            }
            // The magic may lie across the border of two chunks.
            let step = chunk.len().saturating_sub(MAGIC.len() - 1).max(1);
            at += step as u64;
        }
        Ok(self.length)
    }
}

fn entries(folder: &Path) -> Result<Vec<String>, StoreError> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    fs::read_dir(folder)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect()
}
