//! What was done, for people and programs. Holds names of source files and never a value of a header.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use arno_deid::{Action, Change, FaceProof, Recipe, Table, TextProof};
use serde::Serialize;

use super::{file::Fate, walk::Found};
use crate::output::{Grid, grouped};

/// Files that are named on the screen; the report has them all.
const MAX_PRINTED: usize = 20;

/// What became of all files.
#[derive(Debug, Default)]
pub(super) struct Tally {
    written: u64,
    text_removed: u64,
    faces_removed: u64,
    done_before: u64,
    duplicates: Vec<PathBuf>,
    not_dicom: Vec<PathBuf>,
    left_out: Vec<LeftOutFile>,
    changes: BTreeMap<(String, Action), u64>,
}

/// A file that was not passed on.
#[derive(Debug, Serialize)]
struct LeftOutFile {
    file: PathBuf,
    code: &'static str,
    reason: String,
}

/// The report of one run.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    version: &'static str,
    recipe: String,
    /// Options of PS3.15 that the recipe asks for, by name. Those about pixels are carried out only where pixels are looked at.
    options: Vec<&'static str>,
    table: String,
    written: u64,
    /// Of these, how many had text in their pixels that is black now.
    text_removed: u64,
    /// Of these, how many are slices of a series whose face was removed.
    faces_removed: u64,
    done_before: u64,
    duplicates: Vec<PathBuf>,
    not_dicom: Vec<PathBuf>,
    left_out: Vec<LeftOutFile>,
    /// How often each attribute was changed in this run, and how.
    changes: Vec<Changed>,
}

#[derive(Debug, Serialize)]
struct Changed {
    attribute: String,
    action: Action,
    times: u64,
}

impl Tally {
    pub(super) fn add(&mut self, found: &Found, fate: Fate) {
        let file = found.name.clone();
        match fate {
            Fate::Written(changes, proof) => {
                self.written += 1;
                self.text_removed += u64::from(proof.text == TextProof::Removed);
                self.faces_removed += u64::from(proof.faces == FaceProof::Removed);
                changes.into_iter().for_each(|change| self.count(change));
            }
            Fate::DoneBefore => self.done_before += 1,
            Fate::Duplicate => self.duplicates.push(file),
            Fate::NotDicom => self.not_dicom.push(file),
            Fate::LeftOut(code, reason) => self.left_out.push(LeftOutFile { file, code, reason }),
        }
    }

    fn count(&mut self, change: Change) {
        *self
            .changes
            .entry((change.name, change.action))
            .or_default() += 1;
    }

    pub(super) fn merged(mut self, other: Self) -> Self {
        self.written += other.written;
        self.text_removed += other.text_removed;
        self.faces_removed += other.faces_removed;
        self.done_before += other.done_before;
        self.duplicates.extend(other.duplicates);
        self.not_dicom.extend(other.not_dicom);
        self.left_out.extend(other.left_out);
        for (change, times) in other.changes {
            *self.changes.entry(change).or_default() += times;
        }
        self
    }
}

impl Report {
    pub(super) fn new(recipe: &Recipe, mut tally: Tally) -> Self {
        tally.left_out.sort_by(|a, b| a.file.cmp(&b.file));
        tally.not_dicom.sort();
        tally.duplicates.sort();
        let changes = tally.changes.into_iter();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            recipe: recipe.name().to_owned(),
            options: recipe.options().map(|option| option.name()).collect(),
            table: Table::embedded().edition().to_owned(),
            written: tally.written,
            text_removed: tally.text_removed,
            faces_removed: tally.faces_removed,
            done_before: tally.done_before,
            duplicates: tally.duplicates,
            not_dicom: tally.not_dicom,
            left_out: tally.left_out,
            changes: changes
                .map(|((attribute, action), times)| Changed {
                    attribute,
                    action,
                    times,
                })
                .collect(),
        }
    }

    pub(super) fn left_out(&self) -> usize {
        self.left_out.len()
    }

    /// Writes it twice: as JSON, and as text with every file and every attribute.
    pub(super) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let json = with_ending(path, "json");
        fs::write(&json, serde_json::to_vec_pretty(self)?)
            .with_context(|| format!("{} cannot be written", json.display()))?;
        let text = text_file(path);
        fs::write(&text, self.in_full())
            .with_context(|| format!("{} cannot be written", text.display()))
    }

    fn in_full(&self) -> String {
        let mut text = format!(
            "De-identification by Arno {}, recipe {}, PS3.15 Table E.1-1 of {}\nOptions: {}\n\n\
             This report names source files: it stays with whoever holds the source.\n\n{}\n\n",
            self.version,
            self.recipe,
            self.table,
            self.options.join(", "),
            self.counts()
        );
        let mut changes = Grid::new(&["attribute", "what was done", "times"], &[2]);
        for changed in &self.changes {
            changes.row([
                changed.attribute.clone(),
                format!("{:?}", changed.action),
                grouped(changed.times),
            ]);
        }
        text.push_str(&changes.to_string());
        text.push_str("\n\n");
        text.push_str(&self.named(usize::MAX).join("\n"));
        text.push('\n');
        text
    }

    fn counts(&self) -> Grid {
        let mut grid = Grid::new(&["files", ""], &[1]);
        for (name, count) in [
            ("de-identified", self.written),
            ("with text made black in their pixels", self.text_removed),
            ("of series whose face was removed", self.faces_removed),
            ("done in an earlier run", self.done_before),
            ("the same as another", self.duplicates.len() as u64),
            ("not DICOM, left out", self.not_dicom.len() as u64),
            ("left out", self.left_out.len() as u64),
        ] {
            grid.row([name.to_owned(), grouped(count)]);
        }
        grid
    }

    /// Files that were not passed on, one a line.
    fn named(&self, most: usize) -> Vec<String> {
        let left_out = self.left_out.iter().map(|file| {
            let LeftOutFile { file, code, reason } = file;
            format!("  left out   {} ({code}): {reason}", file.display())
        });
        let list = |word: &'static str, files: &[PathBuf]| {
            let lines = files
                .iter()
                .map(move |file| format!("  {word} {}", file.display()));
            lines.collect::<Vec<_>>()
        };
        let all = left_out
            .chain(list("not DICOM ", &self.not_dicom))
            .chain(list("duplicate ", &self.duplicates));
        all.take(most).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.counts())?;
        for line in self.named(MAX_PRINTED) {
            write!(formatter, "\n{line}")?;
        }
        let named = self.left_out.len() + self.not_dicom.len() + self.duplicates.len();
        match named.checked_sub(MAX_PRINTED) {
            Some(more @ 1..) => write!(formatter, "\n  and {more} more"),
            _ => Ok(()),
        }
    }
}

/// The report for people.
pub(super) fn text_file(path: &Path) -> PathBuf {
    with_ending(path, "txt")
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{ending}"));
    path.with_file_name(name)
}
