//! One file on its way through: read, check, de-identify, write under its new identifiers.
//!
//! What a file says about itself is believed only after `arno-dicom` has walked it; no value of it gets into a reason.

use std::{
    fs, io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Mutex,
};

use arno_deid::{Change, DeidError, Deidentified, PixelProof, Recipe, Secret, deidentify_seen};
use arno_dicom::{Instance, ReadError, check, directory, summarise};
use bytes::Bytes;

use super::{
    LookedAt,
    done::{self, DoneList},
    walk::Found,
};

/// Largest file that is read. The largest single DICOM objects (tomosynthesis, whole-slide levels) stay below it.
const MAX_FILE_BYTES: u64 = 2 << 30;

/// What became of a file.
#[derive(Debug)]
pub(super) enum Fate {
    /// De-identified and written; what was done to its header, and what is known of its pixels.
    Written(Vec<Change>, PixelProof),
    /// An earlier run wrote it.
    DoneBefore,
    /// The same bytes as another file, which is written.
    Duplicate,
    /// Not DICOM: nothing to de-identify, and not passed on.
    NotDicom,
    /// Left out: a stable word, and why.
    LeftOut(&'static str, String),
}

/// What a file is worked on with.
pub(super) struct Job<'a> {
    pub(super) input: &'a Path,
    pub(super) output: &'a Path,
    pub(super) recipe: &'a Recipe,
    pub(super) secret: &'a Secret,
    /// What was found in pixels.
    pub(super) looked: &'a LookedAt,
    pub(super) done: &'a Mutex<DoneList>,
}

impl Job<'_> {
    /// Works on a file. A defect of this program that a file brings to light leaves out that file alone.
    pub(super) fn run(&self, found: &Found) -> Fate {
        let work = AssertUnwindSafe(|| self.work(found).unwrap_or_else(|fate| fate));
        catch_unwind(work).unwrap_or_else(|_| {
            let reason = "this file brought a defect of Arno to light: please report it with this version's number";
            Fate::LeftOut("defect", reason.to_owned())
        })
    }

    fn work(&self, found: &Found) -> Result<Fate, Fate> {
        let bytes = read(&source(self.input, &found.name), found.size_bytes)?;
        let instance = instance(bytes)?;
        let (instance, proof) = match &self.looked.texts {
            Some(texts) => texts.settle(found, instance)?,
            None => (instance, PixelProof::none()),
        };
        let (instance, faces) = match &self.looked.faces {
            Some(faces) => faces.settle(found, instance)?,
            None => (instance, proof.faces),
        };
        let proof = PixelProof { faces, ..proof };
        let (instance, report) =
            deidentify_seen(instance, self.recipe, self.secret, proof).map_err(of_deid_error)?;
        let result = place_of(instance.as_ref())?;
        let owner = done::locked(self.done).claim(&result, &found.name);
        if let Some(owner) = owner {
            return Err(self.second(&owner, &found.name));
        }
        write(&self.output.join(&result), &instance).map_err(|error| unwritable(&error))?;
        done::locked(self.done)
            .add(found, result)
            .map_err(|error| unwritable(&error))?;
        Ok(Fate::Written(report.changes, proof))
    }

    /// Another file claims the same instance: the same bytes, or a contradiction at the source.
    fn second(&self, first: &Path, second: &Path) -> Fate {
        let read = |name| fs::read(source(self.input, name)).ok();
        if read(first) == read(second) {
            return Fate::Duplicate;
        }
        let reason =
            "another file has the same SOP Instance UID and other content: find out which is right";
        Fate::LeftOut("duplicate_instance", reason.to_owned())
    }
}

/// One file alone has no name below itself.
pub(super) fn source(input: &Path, name: &Path) -> PathBuf {
    match name.as_os_str().is_empty() {
        true => input.to_owned(),
        false => input.join(name),
    }
}

/// Reads and checks an instance; a medium's directory is none.
pub(super) fn instance(bytes: Bytes) -> Result<Instance, Fate> {
    let instance = Instance::read(bytes).map_err(of_read_error)?;
    if directory::referenced_files(&instance.header).is_some() {
        let reason = "the directory of a medium: it names people, and files that are named anew";
        return Err(Fate::LeftOut("directory", reason.to_owned()));
    }
    check(&instance).map_err(|error| Fate::LeftOut("not_sound", error.to_string()))?;
    Ok(instance)
}

/// Reads a file into memory, within the limit.
pub(super) fn read(path: &Path, size_bytes: u64) -> Result<Bytes, Fate> {
    if size_bytes > MAX_FILE_BYTES {
        let reason =
            format!("it has {size_bytes} bytes; files up to {MAX_FILE_BYTES} bytes are read");
        return Err(Fate::LeftOut("file_too_large", reason));
    }
    let bytes = fs::read(path).map_err(|error| {
        Fate::LeftOut("unreadable", format!("it cannot be read: {}", error.kind()))
    })?;
    Ok(bytes.into())
}

fn of_read_error(error: ReadError) -> Fate {
    match error {
        ReadError::NotDicom(_) => Fate::NotDicom,
        error => Fate::LeftOut("malformed", error.to_string()),
    }
}

fn of_deid_error(error: DeidError) -> Fate {
    let code = match error {
        DeidError::NeedsReview { .. } => "needs_review",
        _ => "no_identity",
    };
    Fate::LeftOut(code, error.to_string())
}

/// Where a result goes: by its new identifiers, never by the name of its source, which may name a person.
fn place_of(instance: &Instance) -> Result<PathBuf, Fate> {
    let summary =
        summarise(instance).map_err(|error| Fate::LeftOut("not_sound", error.to_string()))?;
    let patient = summary.patient_id.unwrap_or_default();
    let place = [&patient, &summary.study_uid, &summary.series_uid].map(|part| plain(part));
    let file = format!("{}.dcm", plain(&summary.instance_uid));
    Ok(place.iter().collect::<PathBuf>().join(file))
}

/// Only what is legal in a pseudonym or a UID, so that no value leads elsewhere.
fn plain(part: &str) -> String {
    let legal = part
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
    let name: String = legal.collect();
    match name.trim_matches('.') {
        "" => "unnamed".to_owned(),
        name => name.to_owned(),
    }
}

/// Whole or not at all: under another name first. Only de-identified instances can be given to it.
fn write(path: &Path, instance: &Deidentified<Instance>) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let partial = path.with_extension("part");
    instance
        .as_ref()
        .write_to(&mut fs::File::create(&partial)?)?;
    fs::rename(&partial, path)
}

fn unwritable(error: &io::Error) -> Fate {
    let reason = format!("its result cannot be written: {}", error.kind());
    Fate::LeftOut("unwritable", reason)
}
