//! Pictures in, boxes and strings out, in a cage: what looks at a picture has no files and no network.

use std::process::ExitCode;

use arno_codecs::cage::answer_each;
use arno_pixels::wire::{MAX_PICTURE_BYTES, answer_to_bytes, picture_from_bytes};

use crate::model::{Engine, Models};

/// Answers until the input ends. All runs on this thread: fences hold only the thread that put them up.
pub(crate) fn serve(models: &Models) -> ExitCode {
    // Otherwise the engine's loops would start threads of their own.
    let on_this_thread = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .use_current_thread()
        .build_global();
    if on_this_thread.is_err() {
        return ExitCode::FAILURE;
    }
    let mut engine: Option<Engine<'_>> = None;
    answer_each(MAX_PICTURE_BYTES, |message| {
        let picture = picture_from_bytes(message)?;
        // Made behind the fences, where no thread starts.
        let engine = engine.get_or_insert_with(|| models.engine(1));
        let answer = answer_to_bytes(engine.find(&picture).ok().as_deref());
        Some(((answer.len() as u64).to_le_bytes().to_vec(), answer))
    })
}
