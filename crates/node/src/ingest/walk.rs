//! The files below a folder, sorted, within limits. Links are not followed: a link could lead out of the folder. What is in a
//! zip file is listed with it; a DICOMDIR is a listing, which tells what is missing, and no instance.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use arno_dicom::{Instance, directory::referenced_files};
use arno_domain::hex;
use arno_protocol::node::Quarantined;
use sha2::{Digest as _, Sha256};

use super::{
    archive::{self, Archive, Entry},
    refusal::Refusal,
};
use crate::NodeError;

/// Files in one run: an archive of a large hospital comes in several.
pub(super) const MAX_FILES: usize = 2_000_000;
/// Folders within folders; exports of a PACS nest patient, study and series.
pub(super) const MAX_DEPTH: usize = 32;
/// Characters that are shown of a name.
const MAX_NAME_CHARS: usize = 255;

/// Readings come in files that end so; everything else is tried as DICOM.
const READINGS_SUFFIX: &str = ".annotations.jsonl";
/// Archives are told by their name first: an instance may begin with any bytes.
const ZIP_SUFFIX: &str = ".zip";
/// The name of every listing (PS3.10 section 8.6), in small letters.
const LISTING: &str = "dicomdir";

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
    /// Its place in the archive that `path` is.
    pub(super) entry: Option<usize>,
    /// Why it is not read at all.
    pub(super) refusal: Option<Refusal>,
}

/// What something below the folder is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum FoundKind {
    /// Perhaps a DICOM instance.
    Instance,
    /// Readings; read last, so that the series that they belong to are known.
    Readings,
}

impl Found {
    /// A file in quarantine, to be read again under its first name.
    pub(super) fn quarantined(path: PathBuf, entry: &Quarantined) -> Self {
        Self {
            path,
            name: entry.name.clone(),
            size: entry.size_bytes,
            kind: kind_of(&entry.name),
            entry: None,
            refusal: None,
        }
    }

    /// Stands for bytes that cannot be read.
    pub(super) fn path_digest(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"arno unread source 1\n");
        hasher.update(self.path.as_os_str().as_encoded_bytes());
        if let Some(entry) = self.entry {
            hasher.update(format!("\nentry {entry}"));
        }
        hex::encode(&hasher.finalize())
    }
}

/// All files below a folder, or the one that is named and what it holds or lists: first what may be DICOM, then readings, each
/// sorted by path.
pub(super) fn walk(folder: &Path) -> Result<Vec<Found>, NodeError> {
    let mut found = if folder.is_file() {
        one_file(folder)
    } else {
        all_files(folder)?
    };
    found.sort_by(|left, right| {
        (left.kind, &left.path, left.entry).cmp(&(right.kind, &right.path, right.entry))
    });
    found.dedup_by(|left, right| left.path == right.path && left.entry == right.entry);
    Ok(found)
}

fn all_files(folder: &Path) -> Result<Vec<Found>, NodeError> {
    let refused = |reason| NodeError::Folder {
        path: folder.to_owned(),
        reason,
    };
    let entries = fs::read_dir(folder).map_err(|_| refused("not a folder that can be read"))?;
    drop(entries);
    let (mut found, mut open) = (Vec::new(), vec![(folder.to_owned(), 0)]);
    while let Some((next, depth)) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else {
            found.push(refusing(folder, next, Refusal::closed_folder()));
            continue;
        };
        for entry in entries.flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && depth < MAX_DEPTH => {
                    open.push((entry.path(), depth + 1))
                }
                Ok(kind) if kind.is_dir() => {
                    found.push(refusing(folder, entry.path(), Refusal::closed_folder()))
                }
                Ok(kind) if kind.is_file() => found.extend(in_file(folder, entry.path())),
                _ => {}
            }
            if found.len() > MAX_FILES {
                return Err(refused(
                    "more files than one run takes: ingest its subfolders one by one",
                ));
            }
        }
    }
    Ok(found)
}

/// A file that is named itself: of a DICOMDIR, what it lists.
fn one_file(path: &Path) -> Vec<Found> {
    let folder = path.parent().unwrap_or(path);
    match listed(path) {
        Some(listed) => {
            let found = |id: Vec<String>| match on_disk(folder, &id) {
                Some(path) => plain(folder, path),
                None => refusing(
                    folder,
                    id.iter()
                        .fold(folder.to_owned(), |path, name| path.join(name)),
                    Refusal::missing(),
                ),
            };
            listed.into_iter().map(found).collect()
        }
        None => in_file(folder, path.to_owned()),
    }
}

/// What a file stands for: itself, what an archive holds, or what a listing misses.
fn in_file(folder: &Path, path: PathBuf) -> Vec<Found> {
    let has_name = |suffix: &str| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.to_ascii_lowercase().ends_with(suffix)
    };
    if has_name(ZIP_SUFFIX) && archive::is_archive(&path) {
        return in_archive(folder, path);
    }
    if let Some(listed) = has_name(LISTING).then(|| listed(&path)).flatten() {
        let beside = path.parent().unwrap_or(folder);
        let missing = listed
            .into_iter()
            .filter(|id| on_disk(beside, id).is_none());
        let missing = missing.map(|id| {
            let path = id
                .iter()
                .fold(beside.to_owned(), |path, name| path.join(name));
            refusing(folder, path, Refusal::missing())
        });
        return missing.collect();
    }
    vec![plain(folder, path)]
}

/// The files that a DICOMDIR lists, if it is one.
fn listed(path: &Path) -> Option<Vec<Vec<String>>> {
    let name = path.file_name()?.to_string_lossy();
    let bytes = name
        .eq_ignore_ascii_case(LISTING)
        .then(|| archive::read_listing(path))??;
    files_of_listing(bytes)
}

fn files_of_listing(bytes: Vec<u8>) -> Option<Vec<Vec<String>>> {
    let read = std::panic::AssertUnwindSafe(|| Instance::read(bytes.into()).ok());
    let instance = std::panic::catch_unwind(read).ok()??;
    referenced_files(&instance.header)
}

/// Media are written in capitals, and often copied in small letters.
fn on_disk(folder: &Path, id: &[String]) -> Option<PathBuf> {
    let joined = |change: fn(&str) -> String| {
        id.iter()
            .fold(folder.to_owned(), |path, name| path.join(change(name)))
    };
    [joined(str::to_owned), joined(str::to_ascii_lowercase)]
        .into_iter()
        .find(|path| path.is_file())
}

fn in_archive(folder: &Path, path: PathBuf) -> Vec<Found> {
    let mut archive = match Archive::open(&path) {
        Ok(archive) => archive,
        Err(refusal) => return vec![refusing(folder, path, refusal)],
    };
    let entries = archive.entries();
    let mut missing = Vec::new();
    let mut found = Vec::with_capacity(entries.len());
    for entry in &entries {
        let (below, name) = entry.name.rsplit_once('/').unwrap_or(("", &entry.name));
        let listing = name.eq_ignore_ascii_case(LISTING) && entry.refusal.is_none();
        let listed = listing
            .then(|| files_of_listing(archive.read_listing(entry.index)?))
            .flatten();
        match listed {
            Some(listed) => missing.extend(missing_entries(&entries, below, listed)),
            None => found.push(Found {
                name: shown(&format!("{}/{}", name_below(folder, &path), entry.name)),
                size: entry.size,
                kind: kind_of(&entry.name),
                entry: Some(entry.index),
                refusal: entry.refusal.clone(),
                path: path.clone(),
            }),
        }
    }
    let at = entries.iter().map(|entry| entry.index).max().unwrap_or(0) + 1;
    found.extend(missing.into_iter().enumerate().map(|(nth, name)| Found {
        name: shown(&format!("{}/{name}", name_below(folder, &path))),
        path: path.clone(),
        size: 0,
        kind: FoundKind::Instance,
        entry: Some(at + nth),
        refusal: Some(Refusal::missing()),
    }));
    found
}

/// Names that a listing in an archive has, and the archive has not.
fn missing_entries(entries: &[Entry], below: &str, listed: Vec<Vec<String>>) -> Vec<String> {
    let there: BTreeSet<String> = entries
        .iter()
        .map(|entry| entry.name.to_ascii_lowercase())
        .collect();
    let name = |id: Vec<String>| match below {
        "" => id.join("/"),
        below => format!("{below}/{}", id.join("/")),
    };
    let names = listed.into_iter().map(name);
    names
        .filter(|name| !there.contains(&name.to_ascii_lowercase()))
        .collect()
}

fn plain(folder: &Path, path: PathBuf) -> Found {
    let name = name_below(folder, &path);
    Found {
        size: path.metadata().map_or(0, |metadata| metadata.len()),
        path,
        kind: kind_of(&name),
        name,
        entry: None,
        refusal: None,
    }
}

fn kind_of(name: &str) -> FoundKind {
    if name.ends_with(READINGS_SUFFIX) {
        FoundKind::Readings
    } else {
        FoundKind::Instance
    }
}

fn refusing(folder: &Path, path: PathBuf, refusal: Refusal) -> Found {
    Found {
        name: name_below(folder, &path),
        path,
        size: 0,
        kind: FoundKind::Instance,
        entry: None,
        refusal: Some(refusal),
    }
}

fn name_below(folder: &Path, path: &Path) -> String {
    shown(&path.strip_prefix(folder).unwrap_or(path).to_string_lossy())
}

/// A name for people: no control characters, and not longer than a line.
fn shown(name: &str) -> String {
    let mut name: Vec<char> = name
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
