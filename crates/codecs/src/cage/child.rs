//! The child of a cage: caps itself, then decodes what it is sent until its input ends or nothing comes for long.

use std::io::{Read, Write};
use std::process::ExitCode;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::wire::{self, LENGTH_BYTES, REQUEST_BYTES};
use super::{IDLE, MAX_ENCODED_BYTES, fences};
use crate::{Codec, DecodeError, FrameFormat, Samples, decode};

/// What a program does when it was started as a child of [`super::Cage`]. It must have started no thread before: a
/// fence holds only the thread that put it up.
#[must_use]
pub fn child_main() -> ExitCode {
    serve(decode)
}

/// The same with another decoder, for tests.
pub fn serve(
    decode: impl Fn(Codec, &FrameFormat, &[u8]) -> Result<Samples, DecodeError>,
) -> ExitCode {
    answer_each(REQUEST_BYTES + MAX_ENCODED_BYTES, |message| {
        let (fields, bytes) = message.split_first_chunk::<REQUEST_BYTES>()?;
        let (codec, format) = wire::requested(fields)?;
        Some(wire::answer(decode(codec, &format, bytes)))
    })
}

/// What any child does: caps itself, then answers messages of at most `most` bytes. An answer comes in two parts, the
/// first of which opens with the length of all that follows it, in eight bytes; none ends the child.
pub fn answer_each(
    most: usize,
    mut answer: impl FnMut(&[u8]) -> Option<(Vec<u8>, Vec<u8>)>,
) -> ExitCode {
    let fences = fences::put_up();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let done = output
        .write_all(&fences.to_bytes())
        .and_then(|()| output.flush())
        .and_then(|()| {
            while let Some(message) = next_message(&mut input, most)? {
                fences::allow_cpu_time();
                let (head, rest) = answer(&message).ok_or_else(invalid)?;
                drop(message);
                output.write_all(&head)?;
                output.write_all(&rest)?;
                output.flush()?;
            }
            Ok(())
        });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

/// `None` when the parent ended or has had no work for long.
fn next_message(input: &mut std::io::StdinLock, most: usize) -> std::io::Result<Option<Vec<u8>>> {
    let idle = Timespec::try_from(IDLE).map_err(std::io::Error::other)?;
    if poll(&mut [PollFd::new(&*input, PollFlags::IN)], Some(&idle))? == 0 {
        return Ok(None);
    }
    let mut length = [0; LENGTH_BYTES];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let length = usize::try_from(u64::from_le_bytes(length));
    let length = length.ok().filter(|length| *length <= most);
    let mut message = vec![0; length.ok_or_else(invalid)?];
    input.read_exact(&mut message)?;
    Ok(Some(message))
}

fn invalid() -> std::io::Error {
    std::io::ErrorKind::InvalidData.into()
}
