//! The files of a folder, in order of their names. Links are not followed: they can lead out of the folder, or in circles.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

/// Folders in folders; deeper is a loop of mounts or an attack.
const MAX_DEPTH: usize = 64;

/// A file below the folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Its path below the folder.
    pub(crate) name: PathBuf,
    /// Its length.
    pub(crate) size_bytes: u64,
    /// When it was last written, in milliseconds since 1970, to know it again.
    pub(crate) modified_ms: u64,
}

/// All files below `root`, or the file that it is.
pub(crate) fn list(root: &Path) -> anyhow::Result<Vec<Found>> {
    let mut found = Vec::new();
    let meta = fs::metadata(root).with_context(|| format!("{} cannot be read", root.display()))?;
    if meta.is_file() {
        found.push(of(PathBuf::new(), &meta));
        return Ok(found);
    }
    folder(root, Path::new(""), 0, &mut found)
        .with_context(|| format!("{} cannot be looked through", root.display()))?;
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn folder(root: &Path, below: &Path, depth: usize, found: &mut Vec<Found>) -> io::Result<()> {
    if depth > MAX_DEPTH {
        return Err(io::Error::other("folders are nested too deep"));
    }
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let (kind, name) = (entry.file_type()?, below.join(entry.file_name()));
        if kind.is_dir() {
            folder(root, &name, depth + 1, found)?;
        } else if kind.is_file() {
            found.push(of(name, &entry.metadata()?));
        }
    }
    Ok(())
}

fn of(name: PathBuf, meta: &fs::Metadata) -> Found {
    let modified = meta.modified().ok();
    let since = modified.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    Found {
        name,
        size_bytes: meta.len(),
        modified_ms: since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0)),
    }
}
