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
    let fences = fences::put_up();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let done = output
        .write_all(&fences.to_bytes())
        .and_then(|()| output.flush())
        .and_then(|()| {
            while let Some((codec, format, bytes)) = next_request(&mut input)? {
                fences::allow_cpu_time();
                let (head, samples) = wire::answer(decode(codec, &format, &bytes));
                drop(bytes);
                output.write_all(&head)?;
                output.write_all(&samples)?;
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
fn next_request(
    input: &mut std::io::StdinLock,
) -> std::io::Result<Option<(Codec, FrameFormat, Vec<u8>)>> {
    let idle = Timespec::try_from(IDLE).map_err(std::io::Error::other)?;
    if poll(&mut [PollFd::new(&*input, PollFlags::IN)], Some(&idle))? == 0 {
        return Ok(None);
    }
    let mut length = [0; LENGTH_BYTES];
    match input.read_exact(&mut length) {
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    let invalid = || std::io::Error::from(std::io::ErrorKind::InvalidData);
    let encoded = usize::try_from(u64::from_le_bytes(length))
        .ok()
        .and_then(|length| length.checked_sub(REQUEST_BYTES))
        .filter(|encoded| *encoded <= MAX_ENCODED_BYTES)
        .ok_or_else(invalid)?;
    let mut fields = [0; REQUEST_BYTES];
    input.read_exact(&mut fields)?;
    let (codec, format) = wire::requested(&fields).ok_or_else(invalid)?;
    let mut bytes = vec![0; encoded];
    input.read_exact(&mut bytes)?;
    Ok(Some((codec, format, bytes)))
}
