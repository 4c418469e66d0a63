//! Reading big endian fields out of a PDU, each checked against what is there. Knows where it stands, so that an error
//! can name the position in the PDU.

use bytes::Bytes;

/// A field reaches past the end of what holds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Short {
    pub(crate) at: usize,
}

/// A window into a PDU's variable field. Slices share its memory.
#[derive(Debug, Clone)]
pub(crate) struct Cursor {
    bytes: Bytes,
    at: usize,
}

impl Cursor {
    /// `at` is the position of the first byte in the whole PDU.
    pub(crate) fn new(bytes: Bytes, at: usize) -> Self {
        Self { bytes, at }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<Bytes, Short> {
        if length > self.bytes.len() {
            return Err(Short { at: self.at });
        }
        self.at += length;
        Ok(self.bytes.split_to(length))
    }

    pub(crate) fn window(&mut self, length: usize) -> Result<Self, Short> {
        let at = self.at;
        Ok(Self::new(self.take(length)?, at))
    }

    pub(crate) fn rest(self) -> Bytes {
        self.bytes
    }

    pub(crate) fn u8(&mut self) -> Result<u8, Short> {
        Ok(self.array::<1>()?[0])
    }

    pub(crate) fn u16(&mut self) -> Result<u16, Short> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    pub(crate) fn u32(&mut self) -> Result<u32, Short> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Short> {
        let at = self.at;
        let bytes = self.take(N)?;
        bytes.as_ref().try_into().map_err(|_| Short { at })
    }
}
