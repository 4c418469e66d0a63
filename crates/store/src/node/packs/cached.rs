//! Reading what lies in the system's page cache already, which is a copy and no wait: a thread that has other things to do may
//! do it by itself. What would have to come from the disk is not read here (preadv2(2), `RWF_NOWAIT`).

#[cfg(target_os = "linux")]
use std::io::IoSliceMut;

#[cfg(target_os = "linux")]
use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::{PackRange, Packs};
use crate::StoreError;

impl Packs {
    /// A part of a pack, if all of it is in the page cache; where the system cannot tell, nothing is.
    ///
    /// # Errors
    /// As [`Packs::read`].
    #[cfg(target_os = "linux")]
    pub fn read_cached(&self, range: &PackRange) -> Result<Option<Vec<u8>>, StoreError> {
        let (file, length) = self.file_with(range)?;
        let (mut bytes, mut filled) = (vec![0; length], 0);
        while filled < length {
            let rest = &mut [IoSliceMut::new(&mut bytes[filled..])];
            let offset = range.offset + filled as u64;
            match preadv2(&file, rest, offset, ReadWriteFlags::NOWAIT) {
                Ok(0) => return Err(StoreError::Corrupt { what: "pack" }),
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                // Not in memory, or a file system that does not know the question: whoever may wait reads it.
                Err(_) => return Ok(None),
            }
        }
        Ok(Some(bytes))
    }

    /// Other systems have no such question.
    ///
    /// # Errors
    /// None.
    #[cfg(not(target_os = "linux"))]
    pub fn read_cached(&self, _: &PackRange) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(None)
    }
}
