//! The program that finds text, as children of this one: started when a picture needs one, ended when it takes too long.
//!
//! The only part of this crate that does anything: it talks to a child process over its pipes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use arno_codecs::DecodeError;
use arno_codecs::cage::{Child, Failure};

use crate::found::FoundText;
use crate::picture::Picture;
use crate::wire::{MAX_ANSWER_BYTES, answer_from_bytes, picture_to_bytes};

/// The program's name in its folder.
const PROGRAM: &str = "arno-textfinder";

/// The files of weights beside it, the detector's and the recogniser's: who records what a text finder did names their digests.
pub const WEIGHTS: [&str; 2] = ["PP-OCRv6_det_small.onnx", "PP-OCRv6_rec_small.onnx"];

/// For one picture: the largest takes ten seconds on a slow machine that has other work.
const PICTURE_TIME: Duration = Duration::from_secs(90);

/// A child that has waited nearly as long as it waits for work is not asked any more.
const TRUSTED_IDLE: Duration = Duration::from_secs(150);

/// A folder with the program and its weights, as `arno-textfinder install` makes it.
#[derive(Debug)]
pub struct TextFinder {
    folder: PathBuf,
    idle: Mutex<Vec<(Child, Instant)>>,
    is_closed: AtomicBool,
}

/// Why nobody looked at a picture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FinderError {
    /// The program does not start, or its weights are not what they should be.
    #[error("the text finder in {} does not start: run `arno-textfinder check` there", folder.display())]
    NotStarted {
        /// Where it was looked for.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: DecodeError,
    },
    /// It was closed: nobody waits for more.
    #[error("nobody looks for text any more")]
    Closed,
    /// The picture is too large, or took too long, or the program died of it.
    #[error("the text finder could not look at the picture")]
    NotLooked,
}

impl TextFinder {
    /// The text finder in a folder, tried: it starts and its weights are right.
    ///
    /// # Errors
    /// [`FinderError::NotStarted`].
    pub fn open(folder: &Path) -> Result<Self, FinderError> {
        let finder = Self {
            folder: folder.to_owned(),
            idle: Mutex::default(),
            is_closed: AtomicBool::new(false),
        };
        let child = finder.start()?;
        finder.give_back(child);
        Ok(finder)
    }

    /// Looks for text in the picture of one frame; a second time in another child, if the first one ended over it.
    ///
    /// # Errors
    /// [`FinderError`]; whatever it is, the next picture may be tried.
    pub fn find(&self, picture: &Picture, frame: u32) -> Result<Vec<FoundText>, FinderError> {
        let bytes = picture_to_bytes(picture).ok_or(FinderError::NotLooked)?;
        let found = match self.ask(&bytes, frame)? {
            // It may have ended of something else than this picture.
            Err(Failure::Ended) => self.ask(&bytes, frame)?,
            found => found,
        };
        found.map_err(|_| FinderError::NotLooked)
    }

    /// Looks at no further picture. One that is being looked at is finished.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::Relaxed);
    }

    fn ask(
        &self,
        picture: &[u8],
        frame: u32,
    ) -> Result<Result<Vec<FoundText>, Failure>, FinderError> {
        if self.is_closed.load(Ordering::Relaxed) {
            return Err(FinderError::Closed);
        }
        let length = (picture.len() as u64).to_le_bytes();
        let mut child = self.take()?;
        let deadline = Instant::now() + PICTURE_TIME;
        let answer = child.exchange([&length, picture], MAX_ANSWER_BYTES as u64, deadline);
        // A child that says what cannot be is dropped, which ends it.
        let found =
            answer.and_then(|answer| answer_from_bytes(&answer, frame).ok_or(Failure::Ended));
        if found.is_ok() {
            self.give_back(child);
        }
        Ok(found)
    }

    fn take(&self) -> Result<Child, FinderError> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < TRUSTED_IDLE);
        let found = idle.pop();
        drop(idle);
        found.map_or_else(|| self.start(), |(child, _)| Ok(child))
    }

    fn give_back(&self, child: Child) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((child, Instant::now()));
    }

    fn start(&self) -> Result<Child, FinderError> {
        let arguments = ["serve".into(), self.folder.clone().into_os_string()];
        let deadline = Instant::now() + PICTURE_TIME;
        let started = Child::start(&self.folder.join(PROGRAM), &arguments, deadline);
        started
            .map(|(child, _)| child)
            .map_err(|source| FinderError::NotStarted {
                folder: self.folder.clone(),
                source,
            })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::TextFinder;

    #[test]
    fn a_folder_without_the_program_is_named() {
        let error = TextFinder::open(Path::new("no-such-folder")).expect_err("not there");
        assert!(error.to_string().contains("no-such-folder"), "{error}");
    }
}
