//! What is done, so that the same command goes on where it was: one JSON line a file, beside the output folder.
//!
//! A line is written after its instance is in place, so one that a crash lost costs the work of one file and nothing else.
//! It names source files and where their results lie: it links the two and stays with whoever holds the source.

use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
};

use anyhow::{Context as _, bail};
use arno_deid::{Recipe, Secret};
use arno_domain::hex;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{beside, walk::Found};

/// A text whose pseudonym tells secrets apart without giving anything away.
const FINGERPRINT_OF: &str = "fingerprint of the secret";

/// The files that are done, and which result each made.
#[derive(Debug)]
pub(super) struct DoneList {
    output: PathBuf,
    file: File,
    done: HashMap<PathBuf, Line>,
    /// Which source made which result.
    results: HashMap<PathBuf, PathBuf>,
}

/// The first line: what all results were made with.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    recipe: String,
    secret: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    source: Found,
    result: PathBuf,
}

impl DoneList {
    /// Opens the list of an output folder, or begins it.
    pub(super) fn open(
        output: &Path,
        recipe: &Recipe,
        secret: &Secret,
    ) -> anyhow::Result<Mutex<Self>> {
        let path = beside(output, "done.jsonl");
        let head = Head {
            recipe: hex::encode(&Sha256::digest(format!("{recipe:?}"))),
            secret: secret.pseudonym(FINGERPRINT_OF, None).to_string(),
        };
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(error).context(format!("{} cannot be read", path.display())),
        };
        let mut lines = text.lines();
        let begun = lines.next().map(serde_json::from_str::<Head>);
        if begun.is_some_and(|begun| begun.ok().as_ref() != Some(&head)) {
            bail!(
                "{} was begun with another recipe or another secret: results of both would not fit together; \
                 name another output folder",
                output.display()
            );
        }
        let mut file = OpenOptions::new().create(true).append(true).open(&path)?;
        if text.is_empty() {
            writeln!(file, "{}", serde_json::to_string(&head)?)?;
        } else if !text.ends_with('\n') {
            // The last line was cut off by a crash: it is no line, and the next one begins anew.
            writeln!(file)?;
        }
        let mut list = Self {
            output: output.to_owned(),
            file,
            done: HashMap::new(),
            results: HashMap::new(),
        };
        for line in lines.filter_map(|line| serde_json::from_str::<Line>(line).ok()) {
            list.know(line);
        }
        Ok(Mutex::new(list))
    }

    /// Whether this very file is done and its result is still there.
    pub(super) fn has(&self, found: &Found) -> bool {
        self.done
            .get(&found.name)
            .is_some_and(|line| line.source == *found && self.output.join(&line.result).is_file())
    }

    /// Claims a result for a source. Another source that has it already is returned.
    pub(super) fn claim(&mut self, result: &Path, source: &Path) -> Option<PathBuf> {
        let owner = self
            .results
            .entry(result.to_owned())
            .or_insert_with(|| source.to_owned());
        (owner != source).then(|| owner.clone())
    }

    /// Notes a file as done.
    pub(super) fn add(&mut self, source: &Found, result: PathBuf) -> std::io::Result<()> {
        let line = Line {
            source: source.clone(),
            result,
        };
        let text = serde_json::to_string(&line).map_err(std::io::Error::other)?;
        writeln!(self.file, "{text}")?;
        self.know(line);
        Ok(())
    }

    fn know(&mut self, line: Line) {
        self.results
            .insert(line.result.clone(), line.source.name.clone());
        self.done.insert(line.source.name.clone(), line);
    }
}

/// The list; a thread that panicked while it held the lock left nothing half done in it.
pub(super) fn locked(done: &Mutex<DoneList>) -> MutexGuard<'_, DoneList> {
    done.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use arno_deid::{Recipe, Secret};

    use super::{DoneList, locked};
    use crate::deid::walk::Found;

    fn found(name: &str) -> Found {
        Found {
            name: PathBuf::from(name),
            size_bytes: 7,
            modified_ms: 9,
        }
    }

    #[test]
    fn what_is_done_is_known_after_a_crash_and_changed_files_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        fs::create_dir(&output).unwrap();
        fs::write(output.join("a.dcm"), "result").unwrap();
        let open =
            |secret: u8| DoneList::open(&output, Recipe::embedded(), &Secret::new([secret; 32]));
        let list = open(1).unwrap();
        locked(&list).add(&found("a"), "a.dcm".into()).unwrap();
        locked(&list).add(&found("b"), "gone.dcm".into()).unwrap();
        drop(list);
        let path = folder.path().join("out.done.jsonl");
        let cut = fs::read_to_string(&path).unwrap() + "{\"source\":{\"na";
        fs::write(&path, cut).unwrap();

        let list = open(1).unwrap();
        let mut list = locked(&list);
        let changed = Found {
            size_bytes: 8,
            ..found("a")
        };
        assert!(list.has(&found("a")));
        assert!(!list.has(&changed) && !list.has(&found("b")) && !list.has(&found("c")));
        assert_eq!(list.claim("a.dcm".as_ref(), "a".as_ref()), None);
        let owner = list.claim("a.dcm".as_ref(), "z".as_ref());
        assert_eq!(owner, Some(PathBuf::from("a")));
        drop(list);
        assert!(open(2).is_err(), "another secret does not fit");
    }
}
