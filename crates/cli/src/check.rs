//! `arno check`: reads every file of a folder as a node would, and says what is sound and what is not. Changes nothing.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use arno_deid::{Recipe, reason_to_review};
use arno_dicom::Instance;
use rayon::prelude::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::Serialize;

use crate::{
    Shared,
    deid::{Looked, in_pool, look, walk},
    output::{self, Grid, LeftOut, grouped},
};

/// Files that are named on the screen; `--json` has them all.
const MAX_PRINTED: usize = 20;

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    /// Folder (or one file) to read; links are not followed
    input: PathBuf,
}

/// What a folder holds.
#[derive(Debug, Default, Serialize)]
struct Checked {
    sound: u64,
    not_dicom: Vec<PathBuf>,
    not_sound: Vec<NotSound>,
    /// Of the sound ones, those that wait for a person before they are de-identified, by reason.
    needs_review: BTreeMap<String, u64>,
}

#[derive(Debug, Serialize)]
struct NotSound {
    file: PathBuf,
    code: &'static str,
    reason: String,
}

pub(crate) fn run(shared: &Shared, args: &CheckArgs) -> anyhow::Result<()> {
    let files = walk::list(&args.input)?;
    let bar = output::bar(shared.json, files.len() as u64, "files");
    let looked: Vec<_> = in_pool(None, || {
        let one = |found: &walk::Found| {
            let looked = look(&args.input, found);
            bar.inc(1);
            (found.name.clone(), looked)
        };
        files.par_iter().map(one).collect()
    })?;
    bar.finish_and_clear();
    let checked = Checked::of(looked);
    match shared.json {
        true => output::json(&checked)?,
        false => println!("{checked}"),
    }
    match checked.not_sound.len() {
        0 => Ok(()),
        bad => Err(LeftOut(format!("{bad} files are not sound")).into()),
    }
}

/// Why an instance waits for a person, if it does.
pub(crate) fn review_of(instance: &Instance) -> Option<String> {
    reason_to_review(&instance.header, Recipe::embedded()).map(|why| why.to_string())
}

impl Checked {
    fn of(looked: Vec<(PathBuf, Looked)>) -> Self {
        let mut checked = Self::default();
        for (file, looked) in looked {
            match looked {
                Looked::Sound { review } => {
                    checked.sound += 1;
                    if let Some(why) = review {
                        *checked.needs_review.entry(why).or_default() += 1;
                    }
                }
                Looked::NotDicom => checked.not_dicom.push(file),
                Looked::NotSound { code, reason } => {
                    checked.not_sound.push(NotSound { file, code, reason });
                }
            }
        }
        checked
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut grid = Grid::new(&["files", ""], &[1]);
        for (name, count) in [
            ("sound", self.sound),
            ("not sound", self.not_sound.len() as u64),
            ("not DICOM", self.not_dicom.len() as u64),
        ] {
            grid.row([name.to_owned(), grouped(count)]);
        }
        for (why, count) in &self.needs_review {
            grid.row([format!("for a person: {why}"), grouped(*count)]);
        }
        write!(formatter, "{grid}")?;
        for NotSound { file, code, reason } in self.not_sound.iter().take(MAX_PRINTED) {
            write!(
                formatter,
                "\n  not sound  {} ({code}): {reason}",
                file.display()
            )?;
        }
        match self.not_sound.len().checked_sub(MAX_PRINTED) {
            Some(more @ 1..) => write!(formatter, "\n  and {more} more"),
            _ => Ok(()),
        }
    }
}
