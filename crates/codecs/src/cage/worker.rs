//! One child as its parent sees it: started, asked, ended. Everything is done before a deadline.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::path::Path;
use std::process::{self, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::fences::Fences;
use super::wire::LENGTH_BYTES;
use crate::DecodeError;

/// Read at once; pipes hold no more.
const CHUNK_BYTES: u64 = 64 << 10;

/// How an exchange failed; the child is of no use any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// It ended, or said what it must not.
    Ended,
    /// It took too long.
    TimedOut,
}

/// A child that waits for work, caged: it ends when this is dropped.
#[derive(Debug)]
pub struct Child {
    child: process::Child,
    stdin: ChildStdin,
    stdout: ChildStdout,
}

impl Child {
    /// Starts a child and waits until it has capped itself and said so ([`super::answer_each`]).
    ///
    /// # Errors
    /// [`DecodeError::NotStarted`].
    pub fn start(
        program: &Path,
        arguments: &[OsString],
        deadline: Instant,
    ) -> Result<(Self, Fences), DecodeError> {
        let refused = |error: &dyn std::fmt::Display| DecodeError::NotStarted(error.to_string());
        let mut child = Command::new(program)
            .args(arguments)
            // Secrets may stand in the environment.
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| refused(&error))?;
        let (Some(stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(refused(&"it has no pipes"));
        };
        let mut worker = Self {
            child,
            stdin,
            stdout,
        };
        for pipe in [worker.stdin.as_fd(), worker.stdout.as_fd()] {
            let flags = fcntl_getfl(pipe).map_err(|error| refused(&error))?;
            fcntl_setfl(pipe, flags | OFlags::NONBLOCK).map_err(|error| refused(&error))?;
        }
        let hello = worker.read(Fences::BYTES as u64, deadline);
        let hello = hello.map_err(|_| refused(&"it said nothing"))?;
        let fences = Fences::from_bytes(&hello).ok_or_else(|| refused(&"it said nonsense"))?;
        Ok((worker, fences))
    }

    /// Sends a request in parts, its length of eight bytes first, and reads the answer, at most `most` bytes of it.
    ///
    /// # Errors
    /// [`Failure`]: the child is of no use any more.
    pub fn exchange(
        &mut self,
        request: [&[u8]; 2],
        most: u64,
        deadline: Instant,
    ) -> Result<Vec<u8>, Failure> {
        for part in request {
            self.write(part, deadline)?;
        }
        let length = self.read(LENGTH_BYTES as u64, deadline)?;
        let length = length
            .first_chunk()
            .map(|length| u64::from_le_bytes(*length));
        let length = length
            .filter(|length| *length <= most)
            .ok_or(Failure::Ended)?;
        self.read(length, deadline)
    }

    fn write(&mut self, mut bytes: &[u8], deadline: Instant) -> Result<(), Failure> {
        while !bytes.is_empty() {
            match self.stdin.write(bytes) {
                Ok(0) => return Err(Failure::Ended),
                Ok(written) => bytes = &bytes[written..],
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.stdin, PollFlags::OUT, deadline)?;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Err(Failure::Ended),
            }
        }
        Ok(())
    }

    /// Exactly this many bytes; memory grows as they come.
    fn read(&mut self, length: u64, deadline: Instant) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < length {
            let missing = length - bytes.len() as u64;
            let chunk = missing.min(CHUNK_BYTES);
            let before = bytes.len();
            // What was read before an error stays in `bytes`.
            match self.stdout.by_ref().take(chunk).read_to_end(&mut bytes) {
                Ok(_) if bytes.len() == before => return Err(Failure::Ended),
                Ok(_) => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    wait(&self.stdout, PollFlags::IN, deadline)?;
                }
                Err(_) => return Err(Failure::Ended),
            }
        }
        Ok(bytes)
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // It may have ended by itself; without waiting, the system would keep its entry.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait(pipe: impl AsFd, event: PollFlags, deadline: Instant) -> Result<(), Failure> {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = Timespec::try_from(left).map_err(|_| Failure::TimedOut)?;
    match poll(&mut [PollFd::new(&pipe, event)], Some(&timeout)) {
        Ok(0) => Err(Failure::TimedOut),
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(_) => Err(Failure::Ended),
    }
}
