//! The files below a folder, sorted, within limits. Links are not followed: a link could lead out of the folder.

use std::{
    fs,
    path::{Path, PathBuf},
};

use arno_domain::hex;
use arno_protocol::node::Quarantined;
use sha2::{Digest as _, Sha256};

use crate::NodeError;

/// Files in one run: an archive of a large hospital comes in several.
pub(super) const MAX_FILES: usize = 2_000_000;
/// Folders within folders; exports of a PACS nest patient, study and series.
pub(super) const MAX_DEPTH: usize = 32;
/// Characters that are shown of a name.
const MAX_NAME_CHARS: usize = 255;

/// Readings come in files that end so; everything else is tried as DICOM.
const READINGS_SUFFIX: &str = ".annotations.jsonl";

/// Something below the folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Where it is.
    pub(super) path: PathBuf,
    /// Its name below the folder, for people.
    pub(super) name: String,
    /// Its size.
    pub(super) size: u64,
    /// What it is taken for.
    pub(super) kind: FoundKind,
}

/// What something below the folder is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FoundKind {
    /// Perhaps a DICOM instance.
    Instance,
    /// Readings; read last, so that the series that they belong to are known.
    Readings,
    /// A folder that cannot be looked into, or is nested too deep.
    ClosedFolder,
}

impl Found {
    /// A file in quarantine, to be read again under its first name.
    pub(super) fn quarantined(path: PathBuf, entry: &Quarantined) -> Self {
        Self {
            path,
            name: entry.name.clone(),
            size: entry.size_bytes,
            kind: kind_of(&entry.name),
        }
    }

    /// Stands for bytes that cannot be read.
    pub(super) fn path_digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"arno unread source 1\n");
        hasher.update(self.path.as_os_str().as_encoded_bytes());
        hex::encode(&hasher.finalize())
    }
}

/// All files below a folder: first what may be DICOM, then readings, each sorted by path.
pub(super) fn walk(folder: &Path) -> Result<Vec<Found>, NodeError> {
    let refused = |reason| NodeError::Folder {
        path: folder.to_owned(),
        reason,
    };
    let entries = fs::read_dir(folder).map_err(|_| refused("not a folder that can be read"))?;
    drop(entries);
    let (mut found, mut open) = (Vec::new(), vec![(folder.to_owned(), 0)]);
    while let Some((next, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            found.push(closed(folder, next));
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => {
                    open.push((entry.path(), depth + 1))
                }
                Ok(kind) if kind.is_dir() => found.push(closed(folder, entry.path())),
                Ok(kind) if kind.is_file() => found.push(file(folder, &entry)),
                _ => {}
            }
            if found.len() > MAX_FILES {
                return Err(refused(
                    "more files than one run takes: ingest its subfolders one by one",
                ));
            }
        }
    }
    found.sort_by(|left, right| (left.kind, &left.path).cmp(&(right.kind, &right.path)));
    Ok(found)
}

fn file(folder: &Path, entry: &fs::DirEntry) -> Found {
    let path = entry.path();
    let name = name_below(folder, &path);
    Found {
        size: entry.metadata().map_or(0, |metadata| metadata.len()),
        path,
        kind: kind_of(&name),
        name,
    }
}

fn kind_of(name: &str) -> FoundKind {
    if name.ends_with(READINGS_SUFFIX) {
        FoundKind::Readings
    } else {
        FoundKind::Instance
    }
}

fn closed(folder: &Path, path: PathBuf) -> Found {
    Found {
        name: name_below(folder, &path),
        path,
        size: 0,
        kind: FoundKind::ClosedFolder,
    }
}

/// A name for people: no control characters, and not longer than a line.
fn name_below(folder: &Path, path: &Path) -> String {
    let below = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
    let mut name: Vec<char> = below
        .chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect();
    if name.len() > MAX_NAME_CHARS {
        name.drain(..name.len() - MAX_NAME_CHARS + 1);
        name.insert(0, '…');
    }
    name.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{FoundKind, walk};

    #[test]
    fn files_are_sorted_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["b/c/2", "b/1", "z", "a.annotations.jsonl"] {
            std::fs::write(root.join(name), "x").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink(root, root.join("b/loop")).unwrap();
        let names: Vec<_> = walk(root)
            .unwrap()
            .into_iter()
            .map(|found| (found.name, found.kind))
            .collect();
        let expect = [
            ("b/1", FoundKind::Instance),
            ("b/c/2", FoundKind::Instance),
            ("z", FoundKind::Instance),
            ("a.annotations.jsonl", FoundKind::Readings),
        ];
        assert_eq!(names, expect.map(|(name, kind)| (name.to_owned(), kind)));
    }

    #[test]
    fn what_is_no_folder_is_said() {
        let folder = tempfile::tempdir().unwrap();
        assert!(
            walk(&folder.path().join("none"))
                .unwrap_err()
                .to_string()
                .contains("not a folder")
        );
    }
}
