//! A cage for decoding: warm child processes that hold no secrets, open nothing, and may die of a frame.
//!
//! The parent talks to a child over its standard input and output, one frame at a time, and ends it when a frame takes
//! too long. A child caps itself before it reads the first byte ([`child_main`]). Children are started when a frame
//! needs one, end by themselves when idle, and when the parent ends. Not here: which program to start.

mod child;
mod fences;
mod wire;
mod worker;

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

pub use child::{answer_each, child_main, serve};
pub use fences::Fences;
pub use worker::{Child, Failure};

use crate::{Codec, DecodeError, Decoder, FrameFormat, MAX_FRAME_BYTES, Samples};

/// Longest that a child waits for work; after it, an idle node has no children.
const IDLE: Duration = Duration::from_secs(180);

/// A child that has waited nearly that long is not asked any more: it may be about to leave.
const TRUSTED_IDLE: Duration = Duration::from_secs(150);

/// Encoded bytes of a frame: noise that was compressed takes a little more than its samples.
const MAX_ENCODED_BYTES: usize = 300 << 20;

/// What children may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Children at a time.
    pub workers: usize,
    /// For one frame: the largest takes a few seconds on a slow machine.
    pub frame_time: Duration,
    /// Longest that a frame waits for a free child.
    pub queue_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(1, |cores| cores.get().min(2)),
            frame_time: Duration::from_secs(20),
            queue_time: Duration::from_secs(60),
        }
    }
}

/// The children of one parent.
#[derive(Debug)]
pub struct Cage {
    program: PathBuf,
    arguments: Vec<OsString>,
    limits: Limits,
    pool: Mutex<Pool>,
    freed: Condvar,
    fences: OnceLock<Fences>,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<(Child, Instant)>,
    busy: usize,
}

impl Cage {
    /// A cage whose children are this program with these arguments, which must lead to [`child_main`]. Nothing is
    /// started yet.
    #[must_use]
    pub fn new(program: PathBuf, arguments: Vec<OsString>, limits: Limits) -> Self {
        Self {
            program,
            arguments,
            limits,
            pool: Mutex::default(),
            freed: Condvar::new(),
            fences: OnceLock::new(),
        }
    }

    /// What holds the children, once the first has started.
    #[must_use]
    pub fn fences(&self) -> Option<Fences> {
        self.fences.get().copied()
    }

    /// Children that wait for work.
    #[must_use]
    pub fn idle(&self) -> usize {
        self.pool().idle.len()
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        // Counters and a list stay sound whatever happened to a thread that held them.
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Result<Child, DecodeError> {
        let full = |pool: &mut Pool| pool.busy >= self.limits.workers.max(1);
        let waited = self
            .freed
            .wait_timeout_while(self.pool(), self.limits.queue_time, full);
        let (mut pool, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(DecodeError::Busy);
        }
        pool.busy += 1;
        pool.idle
            .retain(|(_, since)| since.elapsed() < TRUSTED_IDLE);
        let mut idle = std::mem::take(&mut pool.idle);
        let found = idle.pop();
        pool.idle = idle;
        drop(pool);
        match found {
            Some((worker, _)) => Ok(worker),
            None => self.start().inspect_err(|_| self.give_back(None)),
        }
    }

    fn start(&self) -> Result<Child, DecodeError> {
        let deadline = Instant::now() + self.limits.frame_time;
        let (worker, fences) = Child::start(&self.program, &self.arguments, deadline)?;
        self.fences.get_or_init(|| fences);
        Ok(worker)
    }

    fn give_back(&self, worker: Option<Child>) {
        let mut pool = self.pool();
        pool.busy -= 1;
        pool.idle
            .extend(worker.map(|worker| (worker, Instant::now())));
        drop(pool);
        self.freed.notify_one();
    }

    fn failure(&self, failure: Failure) -> DecodeError {
        match failure {
            Failure::Ended => DecodeError::Crashed,
            Failure::TimedOut => DecodeError::TimedOut {
                limit_ms: u64::try_from(self.limits.frame_time.as_millis()).unwrap_or(u64::MAX),
            },
        }
    }
}

impl Decoder for Cage {
    fn decode(
        &self,
        codec: Codec,
        format: &FrameFormat,
        bytes: &[u8],
    ) -> Result<Samples, DecodeError> {
        let limit = MAX_FRAME_BYTES;
        if format.decoded_bytes() > limit || bytes.len() > MAX_ENCODED_BYTES {
            return Err(DecodeError::TooLarge { limit });
        }
        let mut worker = self.take()?;
        let deadline = Instant::now() + self.limits.frame_time;
        let head = wire::request(codec, format, bytes.len());
        let most = wire::longest_answer(format);
        match worker.exchange([&head, bytes], most, deadline) {
            Ok(answer) => {
                let samples = wire::samples(format, answer);
                // A child that says what cannot be is as lost as one that died.
                let keep = !matches!(samples, Err(DecodeError::Crashed));
                self.give_back(keep.then_some(worker));
                samples
            }
            Err(failure) => {
                drop(worker);
                self.give_back(None);
                Err(self.failure(failure))
            }
        }
    }
}
