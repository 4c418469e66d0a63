//! Text in pixels of what would wait for a person: looked at by the text finder, series by series, before anybody is asked.
//!
//! ```text
//! ingest → quarantine, due to be looked at → looking (one picture after the other) → judging (pure, a series at a time)
//!   → comes in as any other file (ingest), or goes on waiting with boxes proposed (review)
//! ```
//! What is due and what was seen lies in the store alone, so that a crash, a slow text finder or none at all costs nothing but
//! time. Not here: what counts as text (`arno-pixels`), finding it (`arno-textfinder`, a program of its own).

mod judging;
mod looking;
mod proposing;
mod stored;

use std::{fs::File, io::Read as _, path::Path, time::Duration};

use arno_domain::hex;
use arno_pixels::{TextFinder, WEIGHTS};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use looking::{Resting, TextTally};
pub(crate) use proposing::{found, proposed};

use crate::{Node, NodeError, standalone::Handling};

/// A series that got nothing for so long is taken to be complete: devices send its instances within seconds of each other.
pub(crate) const REST: Duration = Duration::from_secs(60);

/// What becomes of text that is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TextPolicy {
    /// It is proposed to a person as boxes, who looks at all that gives reason to; what was held for the look alone and shows
    /// none comes in.
    #[default]
    Review,
    /// It is proposed to a person as boxes; what shows none comes in.
    Propose,
    /// It is made black, and what is left comes in.
    Remove,
}

impl TextPolicy {
    /// As it stands in `node.toml`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Propose => "propose",
            Self::Remove => "remove",
        }
    }
}

/// A text finder that starts, with the digests of its weights for whoever asks later by what was looked.
#[derive(Debug)]
struct OpenFinder {
    finder: TextFinder,
    weights: Vec<String>,
}

impl OpenFinder {
    fn open(folder: &Path) -> Result<Self, NodeError> {
        let digest = |name| digest(&folder.join(name));
        Ok(Self {
            finder: TextFinder::open(folder)?,
            weights: WEIGHTS.into_iter().map(digest).collect::<Result<_, _>>()?,
        })
    }
}

fn digest(path: &Path) -> Result<String, NodeError> {
    /// Read at once.
    const CHUNK_BYTES: usize = 64 << 10;
    let unusable = |error| NodeError::file(path, error);
    let mut file = File::open(path).map_err(unusable)?;
    let (mut hasher, mut chunk) = (Sha256::new(), vec![0; CHUNK_BYTES]);
    loop {
        match file.read(&mut chunk).map_err(unusable)? {
            0 => return Ok(hex::encode(&hasher.finalize())),
            length => hasher.update(&chunk[..length]),
        }
    }
}

impl Node {
    /// The folder of the text finder, at a node that has one and whose objects are de-identified.
    pub(crate) fn text_finder(&self) -> Option<&Path> {
        match self.handling() {
            Handling::Deidentify => self.config().site.text_finder.as_deref(),
            Handling::Keep(_) => None,
        }
    }
}
