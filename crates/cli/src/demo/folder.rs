//! The demo's folder: made fresh, kept or taken up again; nothing that is not a demo is ever emptied.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

/// Stands in every demo folder.
const MARK: &str = "arno-demo.txt";
const MARK_TEXT: &str =
    "This folder belongs to `arno demo`, which may delete it. Keep nothing else in it.\n";

/// Where a demo lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    keep: bool,
    /// Whether an earlier demo is taken up again.
    pub(crate) resumed: bool,
}

impl Folder {
    /// Opens the folder: emptied unless it is kept, or when it is to be fresh.
    ///
    /// # Errors
    /// When it is not a demo's, or cannot be used.
    pub fn open(path: &Path, keep: bool, fresh: bool) -> anyhow::Result<Self> {
        let marked = path.join(MARK).is_file();
        if path.exists() && !marked && !is_empty(path)? {
            bail!(
                "{} is not a demo folder; name another one with --dir",
                path.display()
            );
        }
        let resumed = marked && keep && !fresh;
        if marked && !resumed {
            fs::remove_dir_all(path).with_context(|| format!("cannot empty {}", path.display()))?;
        }
        fs::create_dir_all(path)
            .with_context(|| format!("cannot make the folder {}", path.display()))?;
        fs::write(path.join(MARK), MARK_TEXT)
            .with_context(|| format!("cannot write to {}", path.display()))?;
        Ok(Self {
            path: path.canonicalize()?,
            keep,
            resumed,
        })
    }

    /// The folder itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The hub's own folder.
    pub(crate) fn hub(&self) -> PathBuf {
        self.path.join("hub")
    }

    /// The own folder of a site's node.
    pub(crate) fn node(&self, key: &str) -> PathBuf {
        self.path.join(key)
    }

    /// Where a site's images arrive.
    pub(crate) fn landing(&self, key: &str) -> PathBuf {
        landing(&self.path, key)
    }

    /// Removes the folder unless it is kept.
    ///
    /// # Errors
    /// When it cannot be removed.
    pub fn close(self) -> anyhow::Result<()> {
        if self.keep {
            return Ok(());
        }
        fs::remove_dir_all(&self.path)
            .with_context(|| format!("cannot remove {}", self.path.display()))
    }
}

/// Where a site's images arrive in the demo's folder. Beside the node's own folder, which `init` must find empty.
pub(crate) fn landing(folder: &Path, key: &str) -> PathBuf {
    folder.join("landing").join(key)
}

fn is_empty(path: &Path) -> anyhow::Result<bool> {
    let mut entries =
        fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(entries.next().is_none())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Folder;

    #[test]
    fn a_kept_folder_is_taken_up_and_a_fresh_one_is_empty() {
        let base = tempfile::tempdir().unwrap();
        let path = base.path().join("demo");
        let file = path.join("hub.db");
        assert!(!Folder::open(&path, true, false).unwrap().resumed);
        fs::write(&file, "rows").unwrap();
        assert!(Folder::open(&path, true, false).unwrap().resumed);
        assert!(file.exists());
        assert!(!Folder::open(&path, true, true).unwrap().resumed);
        assert!(!file.exists());
        Folder::open(&path, false, false).unwrap().close().unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_folder_that_is_no_demo_is_left_alone() {
        let base = tempfile::tempdir().unwrap();
        fs::write(base.path().join("thesis.txt"), "years").unwrap();
        let error = Folder::open(base.path(), false, true)
            .unwrap_err()
            .to_string();
        assert!(error.contains("not a demo folder"), "{error}");
        assert!(base.path().join("thesis.txt").exists());
    }
}
