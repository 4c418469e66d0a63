//! Series packs: one append-only file per series, a frame is one range read.
//!
//! A record is 48 bytes of header (magic, length, SHA-256) and the Part 10 bytes. Where a pack ends is what the index
//! says, never the file's length: bytes behind the last indexed record are left over from a crash and overwritten.
//! Bytes are durable before [`PackWriter::sync`] returns; only then may an index row point at them.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use arno_domain::hex;
use sha2::{Digest as _, Sha256};

use crate::StoreError;

/// Magic (8), length (8, little endian), SHA-256 (32).
pub const RECORD_HEADER_BYTES: u64 = 48;

const MAGIC: &[u8; 8] = b"ARNOPCK1";

/// Longest legal UID (PS3.5 section 9.1).
const MAX_UID_CHARS: usize = 64;

/// Bytes that [`Packs::verify`] reads at a time.
const VERIFY_CHUNK_BYTES: usize = 1 << 20;

/// The folder of all packs.
#[derive(Debug, Clone)]
pub struct Packs {
    root: PathBuf,
}

/// Where the bytes of one instance are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackLocation {
    /// The pack, relative to the folder of all packs.
    pub pack: String,
    /// Where its record starts.
    pub offset: u64,
    /// Bytes of the instance, without the record's header.
    pub length: u64,
    /// SHA-256 of the bytes, hexadecimal.
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
    /// The instance's bytes as a range.
    #[must_use]
    pub fn range(&self) -> PackRange {
        PackRange {
            pack: self.pack.clone(),
            offset: self.offset + RECORD_HEADER_BYTES,
            length: self.length,
        }
    }

    /// Where the next record of the pack starts.
    #[must_use]
    pub fn end(&self) -> u64 {
        self.offset + RECORD_HEADER_BYTES + self.length
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

    /// The pack of a series: 256 folders by digest, so that none holds too many files.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when the text is no UID, because it becomes a file name.
    pub fn pack_of(series_uid: &str) -> Result<String, StoreError> {
        let legal = !series_uid.is_empty()
            && series_uid.len() <= MAX_UID_CHARS
            && series_uid
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
        if !legal {
            return Err(StoreError::Corrupt { what: "series UID" });
        }
        let digest = hex::encode(&Sha256::digest(series_uid));
        Ok(format!("{}/{series_uid}.pack", &digest[..2]))
    }

    /// Begins to write one batch. `room` is how many bytes may be added, where the data holder set a limit.
    #[must_use]
    pub fn writer(&self, room: Option<u64>) -> PackWriter {
        PackWriter {
            root: self.root.clone(),
            open: BTreeMap::new(),
            new_folders: Vec::new(),
            room,
        }
    }

    /// Reads a part of a pack in one go.
    ///
    /// # Errors
    /// When the file is not there or is shorter.
    pub fn read(&self, range: &PackRange) -> Result<Vec<u8>, StoreError> {
        let mut file = File::open(self.root.join(&range.pack))?;
        // The length comes from the index, but is checked against the file before memory is taken.
        if file.metadata()?.len() < range.offset.saturating_add(range.length) {
            return Err(StoreError::Corrupt { what: "pack" });
        }
        file.seek(SeekFrom::Start(range.offset))?;
        let length =
            usize::try_from(range.length).map_err(|_| StoreError::Corrupt { what: "pack" })?;
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Whether record header and bytes are what the index says.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] when they are not.
    pub fn verify(&self, location: &PackLocation) -> Result<(), StoreError> {
        let damaged = || StoreError::Corrupt { what: "pack" };
        let mut file = File::open(self.root.join(&location.pack))?;
        file.seek(SeekFrom::Start(location.offset))?;
        let mut header = [0; RECORD_HEADER_BYTES as usize];
        file.read_exact(&mut header).map_err(|_| damaged())?;
        let digest = digest_of(&mut file.take(location.length))?;
        if header != record_header(location.length, &digest)
            || hex::encode(&digest) != location.sha256
        {
            return Err(damaged());
        }
        Ok(())
    }
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

fn record_header(length: u64, digest: &[u8; 32]) -> [u8; RECORD_HEADER_BYTES as usize] {
    let mut header = [0; RECORD_HEADER_BYTES as usize];
    header[..8].copy_from_slice(MAGIC);
    header[8..16].copy_from_slice(&length.to_le_bytes());
    header[16..].copy_from_slice(digest);
    header
}

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
    end: u64,
}

impl PackWriter {
    /// Appends the bytes of one instance. `indexed_end` is where the last indexed record of the pack ends; it is asked for when
    /// the pack is first touched.
    ///
    /// # Errors
    /// [`StoreError::Full`] when the disk or the data holder's limit has no room.
    pub fn append(
        &mut self,
        pack: &str,
        indexed_end: u64,
        bytes: &[u8],
    ) -> Result<PackLocation, StoreError> {
        let length = bytes.len() as u64;
        if let Some(room) = &mut self.room {
            *room = room.checked_sub(length).ok_or(StoreError::Full)?;
        }
        if !self.open.contains_key(pack) {
            let opened = self.open_at(pack, indexed_end)?;
            self.open.insert(pack.to_owned(), opened);
        }
        let open = self
            .open
            .get_mut(pack)
            .ok_or(StoreError::Corrupt { what: "pack" })?;
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        open.file.write_all(&record_header(length, &digest))?;
        open.file.write_all(bytes)?;
        let location = PackLocation {
            pack: pack.to_owned(),
            offset: open.end,
            length,
            sha256: hex::encode(&digest),
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
        if !path.exists() {
            self.new_folders.push(folder);
        }
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(&path)?;
        if file.metadata()?.len() < end {
            return Err(StoreError::Corrupt { what: "pack" });
        }
        file.set_len(end)?;
        file.seek(SeekFrom::Start(end))?;
        Ok(OpenPack { file, end })
    }

    /// Makes all appended bytes, and the names of new packs, durable.
    ///
    /// # Errors
    /// When the disk is full or fails; then nothing of the batch may be indexed.
    pub fn sync(mut self) -> Result<(), StoreError> {
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
}

#[cfg(test)]
mod tests {
    use super::{PackRange, Packs};
    use crate::StoreError;

    const PACK: &str = "00/1.2.3.pack";

    fn packs() -> (tempfile::TempDir, Packs) {
        let folder = tempfile::tempdir().unwrap();
        let packs = Packs::open(folder.path()).unwrap();
        (folder, packs)
    }

    #[test]
    fn what_was_appended_is_read_back_and_verified() {
        let (_folder, packs) = packs();
        let mut writer = packs.writer(None);
        let first = writer.append(PACK, 0, b"first").unwrap();
        let second = writer.append(PACK, 0, b"second").unwrap();
        writer.sync().unwrap();
        assert_eq!(packs.read(&first.range()).unwrap(), b"first");
        assert_eq!(packs.read(&second.range()).unwrap(), b"second");
        packs.verify(&second).unwrap();
        assert_eq!(second.offset, first.end());
    }

    #[test]
    fn what_a_crash_left_behind_is_overwritten() {
        let (folder, packs) = packs();
        let mut writer = packs.writer(None);
        let kept = writer.append(PACK, 0, b"kept").unwrap();
        writer.append(PACK, 0, b"never indexed").unwrap();
        writer.sync().unwrap();
        let mut writer = packs.writer(None);
        let next = writer.append(PACK, kept.end(), b"next").unwrap();
        writer.sync().unwrap();
        assert_eq!(next.offset, kept.end());
        packs.verify(&kept).unwrap();
        packs.verify(&next).unwrap();
        assert_eq!(
            std::fs::metadata(folder.path().join(PACK)).unwrap().len(),
            next.end()
        );
    }

    #[test]
    fn a_changed_byte_and_a_short_pack_show() {
        let (folder, packs) = packs();
        let mut writer = packs.writer(None);
        let location = writer.append(PACK, 0, b"bytes").unwrap();
        writer.sync().unwrap();
        let path = folder.path().join(PACK);
        let mut bytes = std::fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(
            packs.verify(&location),
            Err(StoreError::Corrupt { .. })
        ));
        bytes.truncate(50);
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(
            packs.read(&location.range()),
            Err(StoreError::Corrupt { .. })
        ));
        let beyond = PackRange {
            pack: PACK.into(),
            offset: u64::MAX,
            length: 2,
        };
        assert!(packs.read(&beyond).is_err());
    }

    #[test]
    fn a_limit_is_kept() {
        let (_folder, packs) = packs();
        let mut writer = packs.writer(Some(8));
        writer.append(PACK, 0, b"12345").unwrap();
        assert!(matches!(
            writer.append(PACK, 0, b"6789"),
            Err(StoreError::Full)
        ));
    }

    #[test]
    fn only_a_uid_names_a_pack() {
        let check =
            |uid: &str, expect: bool| assert_eq!(Packs::pack_of(uid).is_ok(), expect, "{uid}");
        check("2.25.17", true);
        check("", false);
        check("..", false);
        check("1.2/../3", false);
        check("1..2", false);
        check(&"1".repeat(65), false);
    }
}
