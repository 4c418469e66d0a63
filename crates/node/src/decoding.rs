//! Where the node decodes frames: in caged children of its own program, since the frames are strangers' bytes.
//!
//! What children may do is `arno_codecs::cage`'s; what a frame's samples mean is `arno-dicom`'s.

use std::{path::PathBuf, process::ExitCode, sync::Once};

use arno_codecs::{
    Codec, DecodeError, Decoder, FrameFormat, InProcess, Samples,
    cage::{Cage, Limits, child_main},
};
use arno_dicom::{Frame, FrameError, FrameLayout};

use crate::Node;

/// The hidden first argument of a program that is to be a child.
const CODEC_WORKER: &str = "codec-worker";

/// Where compressed frames are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CodecPlace {
    /// In children of this program, whose `main` must begin with [`codec_worker`]. What serves strangers' frames must.
    Child,
    /// In the node's own process: for tests, whose program is not a node's.
    #[default]
    InProcess,
}

/// If this program was started to be a decoding child: is one, and gives its exit code. Comes first in `main`, before
/// any thread, runtime or log.
#[must_use]
pub fn codec_worker() -> Option<ExitCode> {
    let is_worker = std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == CODEC_WORKER);
    is_worker.then(child_main)
}

/// Decoders in children of this program, whose `main` must begin with [`codec_worker`]; nothing is started before a frame
/// needs it.
#[must_use]
pub fn caged_decoder() -> Cage {
    Cage::new(own_program(), vec![CODEC_WORKER.into()], Limits::default())
}

/// The decoders of a node; nothing is started before a frame needs it.
#[derive(Debug)]
pub(crate) struct Codecs {
    cage: Option<Cage>,
    told: Once,
}

impl Codecs {
    pub(crate) fn new(place: CodecPlace) -> Self {
        Self {
            cage: (place == CodecPlace::Child).then(caged_decoder),
            told: Once::new(),
        }
    }

    /// Says once what this system's kernel does not offer.
    fn tell_fences(&self, cage: &Cage) {
        let Some(fences) = cage.fences() else {
            return;
        };
        self.told.call_once(|| {
            if fences.complete() {
                tracing::info!("frames are decoded in a child without files or network");
            } else {
                tracing::warn!(
                    limits = fences.limits,
                    landlock = fences.landlock,
                    seccomp = fences.seccomp,
                    "frames are decoded in a child, but this system lacks some of what holds it"
                );
            }
        });
    }
}

impl Decoder for Codecs {
    fn decode(
        &self,
        codec: Codec,
        format: &FrameFormat,
        bytes: &[u8],
    ) -> Result<Samples, DecodeError> {
        let Some(cage) = &self.cage else {
            return InProcess.decode(codec, format, bytes);
        };
        let samples = cage.decode(codec, format, bytes);
        self.tell_fences(cage);
        if let Err(
            error @ (DecodeError::Crashed
            | DecodeError::TimedOut { .. }
            | DecodeError::NotStarted(_)),
        ) = &samples
        {
            tracing::warn!(%error, "a frame was not decoded");
        }
        samples
    }
}

/// This very program, also after an update has replaced its file.
fn own_program() -> PathBuf {
    let running = PathBuf::from("/proc/self/exe");
    if cfg!(target_os = "linux") && running.exists() {
        return running;
    }
    // Without a path of its own the first frame says that the decoder cannot be started.
    std::env::current_exe().unwrap_or_default()
}

impl Node {
    /// Decodes one frame, counted from zero, from the bytes of its range. Blocks: for `spawn_blocking`.
    pub(crate) fn decode_frame(
        &self,
        layout: &FrameLayout,
        index: u32,
        bytes: &[u8],
    ) -> Result<Frame, FrameError> {
        layout.decode(index, bytes, self.codecs())
    }
}
