//! The files of the repository: what git keeps or would keep, and without git what a checkout holds.

use std::{fs, path::Path, process::Command};

use anyhow::Context as _;

/// Folders that are made, not kept; needed only where git cannot say so.
const MADE: [&str; 5] = [".git", "target", "node_modules", "demo-data", "__pycache__"];

/// Where new files are sources; the first means files of the root itself.
const SOURCES: [&str; 7] = [
    ":(glob)*", ".ci", "crates", "docs", "openapi", "web", "xtask",
];

/// What is larger is not read: no text that people write.
const MAX_TEXT_BYTES: u64 = 4 << 20;

/// All files.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

/// One file.
#[derive(Debug, Default)]
pub(crate) struct File {
    /// From the root, with `/`.
    pub(crate) path: String,
    pub(crate) size_bytes: u64,
    /// Empty for what is not UTF-8 or too large.
    pub(crate) text: String,
}

impl Tree {
    /// Reads all of them: a few megabytes.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        let mut paths = match listed_by_git(root) {
            Some(paths) => paths,
            None => walk(root, "")?,
        };
        paths.sort();
        // A file that was deleted but not yet committed is still listed.
        let paths = paths.into_iter().filter(|path| root.join(path).is_file());
        let files = paths
            .map(|path| File::read(root, path))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { files })
    }

    /// The file at this path.
    pub(crate) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Whether there is a file or a folder at this path.
    pub(crate) fn has(&self, path: &str) -> bool {
        let folder = format!("{path}/");
        path.is_empty()
            || self
                .files
                .iter()
                .any(|file| file.path == path || file.path.starts_with(&folder))
    }

    /// Files whose name ends so.
    pub(crate) fn with_extension<'a>(
        &'a self,
        extension: &'a str,
    ) -> impl Iterator<Item = &'a File> {
        self.files
            .iter()
            .filter(move |file| file.extension() == extension)
    }

    /// A tree of texts.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let file = |(path, text): &(&str, &str)| File {
            path: (*path).to_owned(),
            size_bytes: text.len() as u64,
            text: (*text).to_owned(),
        };
        Self {
            files: files.iter().map(file).collect(),
        }
    }
}

impl File {
    fn read(root: &Path, path: String) -> anyhow::Result<Self> {
        let full = root.join(&path);
        let unreadable = || format!("cannot read {path}");
        let size_bytes = fs::metadata(&full).with_context(unreadable)?.len();
        let bytes = match size_bytes {
            0..=MAX_TEXT_BYTES => fs::read(&full).with_context(unreadable)?,
            _ => Vec::new(),
        };
        let text = String::from_utf8(bytes).unwrap_or_default();
        Ok(Self {
            path,
            size_bytes,
            text,
        })
    }

    /// What follows the last dot of its name.
    pub(crate) fn extension(&self) -> &str {
        self.path
            .rsplit_once('.')
            .map_or("", |(_, extension)| extension)
    }

    /// Its lines, from 1.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.text.lines())
    }

    /// Written by people: not a lock file, a build, or somebody else's table.
    pub(crate) fn is_written_here(&self) -> bool {
        let made = ["Cargo.lock", "package-lock.json"]
            .iter()
            .any(|name| self.path.ends_with(name));
        !made
            && !self.path.starts_with("web/dist/")
            && !self.path.starts_with("crates/deid/tables/")
    }
}

/// Kept by git, or new among the sources, so that a breach shows before the commit. What else lies about in a checkout,
/// such as somebody's images, is not ours. Nothing where git does not answer.
fn listed_by_git(root: &Path) -> Option<Vec<String>> {
    if !root.join(".git").exists() {
        return None;
    }
    let mut paths = git_ls_files(root, &["--cached"])?;
    paths.extend(git_ls_files(
        root,
        &[
            ["--others", "--exclude-standard", "--"].as_slice(),
            &SOURCES,
        ]
        .concat(),
    )?);
    Some(paths)
}

fn git_ls_files(root: &Path, options: &[&str]) -> Option<Vec<String>> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z"]).args(options).current_dir(root);
    let output = git.output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    Some(
        text.split('\0')
            .filter(|path| !path.is_empty())
            .map(str::to_owned)
            .collect(),
    )
}

fn walk(root: &Path, folder: &str) -> anyhow::Result<Vec<String>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = if folder.is_empty() {
            name.clone()
        } else {
            format!("{folder}/{name}")
        };
        let kind = entry.file_type()?;
        if kind.is_dir() && !MADE.contains(&name.as_str()) {
            paths.extend(walk(root, &path)?);
        } else if kind.is_file() {
            paths.push(path);
        }
    }
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::{Tree, listed_by_git, walk};

    #[test]
    fn the_sources_are_found_with_and_without_git() {
        let root = crate::root().unwrap();
        let here = "xtask/src/tidy/files.rs".to_owned();
        assert!(walk(&root, "").unwrap().contains(&here));
        assert!(listed_by_git(&root).is_none_or(|paths| paths.contains(&here)));
        assert!(!Tree::read(&root).unwrap().has("target"));
    }
}
