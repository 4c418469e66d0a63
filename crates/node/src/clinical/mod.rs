//! Clinical sources at this node: a file is read and checked by its mapping (`arno-clinical`), and loaded as a whole under the
//! pseudonyms of the images, or not at all. A later load of a source replaces what it said.
//!
//! Not here: what a cell means (`arno-clinical`), and rows (`arno-store`).

mod command;
mod count;
mod export;
mod pseudonyms;

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use arno_clinical::{
    Checked, Problem, SourceError, SourceMapping, draft, omop::OmopSource, source,
};
use arno_domain::{
    audit::Outcome,
    hex,
    model::{Entity, Images},
};
use arno_store::node::{Loaded, NewClinicalSource};
use sha2::{Digest as _, Sha256};

pub(crate) use command::run;
pub use command::{ClinicalCommand, Load};
pub use export::{ExportFormat, Exported};

use crate::{Node, NodeError, commands::ACTOR, standalone::Handling};

/// Bytes of a file that are digested at once.
const PIECE_BYTES: usize = 64 << 10;

/// A file or a folder, and what stands in it.
#[derive(Debug, Clone)]
pub struct ClinicalFile {
    /// The file.
    pub path: PathBuf,
    /// The text of its mapping.
    pub mapping: String,
    /// Only rows whose cell in a column is one of these.
    pub only: Option<draft::Only>,
}

/// A file that can be loaded as a whole, or all that keeps it from being loaded.
#[derive(Debug)]
pub struct Understood {
    /// Name of the source.
    pub source: String,
    /// Records, problems, and words without a code.
    pub checked: Checked,
    digest: String,
    issuer: Option<String>,
    images: Images,
}

/// Why a file was not even looked at row by row.
#[derive(Debug, thiserror::Error)]
pub enum ClinicalError {
    /// The mapping cannot be used, or the source is not what it should be.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It cannot be read.
    #[error("cannot read {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

impl ClinicalError {
    /// What to mend, place by place, where the error knows it.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        match self {
            Self::Source(error) => error.problems(),
            Self::Io { .. } => &[],
        }
    }
}

/// Reads a source and checks every row or entry. Blocks; a large file takes seconds.
///
/// # Errors
/// [`ClinicalError`] when there is nothing whose rows could be checked.
pub fn understand(file: &ClinicalFile) -> Result<Understood, ClinicalError> {
    let mapping = SourceMapping::parse(&file.mapping).map_err(SourceError::from)?;
    Ok(Understood {
        checked: source::check(&file.path, &mapping, file.only.as_ref())?,
        digest: digest(file)?,
        issuer: mapping.issuer().map(str::to_owned),
        images: mapping.images(),
        source: mapping.source().to_owned(),
    })
}

/// Of everything that decides what is loaded.
fn digest(file: &ClinicalFile) -> Result<String, ClinicalError> {
    let mut digest = Sha256::new();
    add_files(&mut digest, &file.path).map_err(|source| ClinicalError::Io {
        path: file.path.clone(),
        source,
    })?;
    let only = file.only.iter().flat_map(|only| {
        let values = only.values.iter().map(String::as_str);
        std::iter::once(only.column.as_str()).chain(values)
    });
    for part in std::iter::once(file.mapping.as_str()).chain(only) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    Ok(hex::encode(&digest.finalize()))
}

/// A file, or each file of a folder by name.
fn add_files(digest: &mut Sha256, path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return add_file(digest, path);
    }
    let entries = fs::read_dir(path)?;
    let mut paths: Vec<_> = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<_>>()?;
    paths.sort();
    for path in paths.iter().filter(|path| path.is_file()) {
        digest.update(path.file_name().unwrap_or_default().as_encoded_bytes());
        digest.update(fs::metadata(path)?.len().to_le_bytes());
        add_file(digest, path)?;
    }
    Ok(())
}

fn add_file(digest: &mut Sha256, path: &Path) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        match file.read(&mut piece)? {
            0 => return Ok(()),
            length => digest.update(&piece[..length]),
        }
    }
}

/// What was sound when it was checked is not any longer.
fn changed(problem: Problem) -> NodeError {
    let detail = format!(
        "{problem}: the source was changed while it was loaded, and nothing was; load it again"
    );
    NodeError::rule("clinical_changed", detail)
}

/// How much is here of one entity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct EntityCount {
    /// Records.
    pub records: u64,
    /// Values in them.
    pub values: u64,
}

impl Node {
    /// Loads what was understood, in place of what the source said before.
    ///
    /// # Errors
    /// [`NodeError::Rule`] when rows have problems, or when this node keeps objects as they come.
    pub async fn load_clinical(&self, understood: Understood) -> Result<Loaded, NodeError> {
        if matches!(self.handling(), Handling::Keep(_)) {
            let detail = "this node keeps images as they come (--recipe none), so clinical data would not join them under pseudonyms: make a node with a recipe";
            return Err(NodeError::rule("no_pseudonyms", detail));
        }
        let problems = understood.checked.problems.len();
        if problems > 0 {
            let detail = format!("{problems} problems: nothing was loaded");
            return Err(NodeError::rule("clinical_problems", detail));
        }
        let source = NewClinicalSource {
            name: understood.source.clone(),
            digest: understood.digest,
            images: understood.images,
        };
        let keyring = &self.keys().pseudonym;
        let issuer = understood.issuer.as_deref();
        let Checked {
            drafts,
            streamed,
            rows,
            ..
        } = understood.checked;
        let held = pseudonyms::records(drafts, issuer, keyring).map(Ok);
        let streamed = streamed.into_iter().flat_map(OmopSource::drafts);
        let streamed = pseudonyms::one_by_one(streamed, issuer, keyring);
        let records = held.chain(streamed.map(|record| record.map_err(changed)));
        let detail = format!("{rows} rows");
        let act = self.act(
            ACTOR,
            "clinical load",
            &understood.source,
            Outcome::Done,
            detail,
        );
        let store = self.store();
        store
            .put_clinical_source(&source, records, self.now(), act)
            .await
    }

    /// How many records and values there are of each entity, those of the images included.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_clinical(&self) -> Result<BTreeMap<Entity, EntityCount>, NodeError> {
        let mut counts = BTreeMap::<Entity, EntityCount>::new();
        let mut each = |record: arno_domain::model::Record| {
            let count = counts.entry(record.entity).or_default();
            count.records += 1;
            count.values += record.values.len() as u64;
        };
        self.store().clinical_records(&mut each).await?;
        Ok(counts)
    }
}
