//! The form of a record in a pack, so that a pack can be read without any index.
//!
//! ```text
//!   0   8  "ARNOPCK2": an instance · "ARNODEL1": the end of one
//!   8   8  bytes of the instance, little endian
//!  16   8  bytes of its metadata, little endian
//!  24  32  SHA-256 of the instance
//!  56  32  SHA-256 of the metadata
//!  88  32  SHA-256 of the file that the instance came in
//! 120  32  SHA-256 of the 120 bytes before: whether this is a header at all
//! 152      the instance (PS3.10), then its metadata (PS3.18 Annex F)
//! ```
//! The end of an instance has its SOP Instance UID in the place of metadata, and no bytes of an instance. Where frames lie is not
//! written: it follows from the instance, of which the index keeps it so that no query opens an image.

use sha2::{Digest as _, Sha256};

/// Bytes before an instance.
pub const RECORD_HEADER_BYTES: u64 = HEADER as u64;

pub(super) const HEADER: usize = 152;
const CHECKED: usize = 120;
const INSTANCE: &[u8; 8] = b"ARNOPCK2";
const DELETED: &[u8; 8] = b"ARNODEL1";

/// An instance as it is appended.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// The Part 10 file.
    pub instance: &'a [u8],
    /// All attributes of its header as DICOM JSON.
    pub metadata: &'a [u8],
    /// SHA-256 of the file that it came in.
    pub source_sha256: [u8; 32],
    /// Whether the instance is that very file.
    pub form: Form,
}

/// How an instance is to the file that it came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Encoded anew.
    Encoded,
    /// The same bytes: their digest is known.
    AsItCame,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Instance,
    Deleted,
}

/// The header of a record that holds by its own checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) length: u64,
    pub(super) metadata_length: u64,
    pub(super) sha256: [u8; 32],
    pub(super) metadata_sha256: [u8; 32],
    pub(super) source_sha256: [u8; 32],
}

impl Header {
    pub(super) fn of(record: &Record<'_>) -> Self {
        Self {
            kind: Kind::Instance,
            length: record.instance.len() as u64,
            metadata_length: record.metadata.len() as u64,
            sha256: match record.form {
                Form::Encoded => Sha256::digest(record.instance).into(),
                Form::AsItCame => record.source_sha256,
            },
            metadata_sha256: Sha256::digest(record.metadata).into(),
            source_sha256: record.source_sha256,
        }
    }

    /// The end of an instance.
    pub(super) fn deleted(instance_uid: &str) -> Self {
        Self {
            kind: Kind::Deleted,
            ..Self::of(&Record {
                instance: &[],
                metadata: instance_uid.as_bytes(),
                source_sha256: [0; 32],
                form: Form::Encoded,
            })
        }
    }

    pub(super) fn write(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..8].copy_from_slice(match self.kind {
            Kind::Instance => INSTANCE,
            Kind::Deleted => DELETED,
        });
        bytes[8..16].copy_from_slice(&self.length.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.metadata_length.to_le_bytes());
        bytes[24..56].copy_from_slice(&self.sha256);
        bytes[56..88].copy_from_slice(&self.metadata_sha256);
        bytes[88..CHECKED].copy_from_slice(&self.source_sha256);
        let check = Sha256::digest(&bytes[..CHECKED]);
        bytes[CHECKED..].copy_from_slice(&check);
        bytes
    }

    /// The header, when these bytes are one.
    pub(super) fn parse(bytes: &[u8; HEADER]) -> Option<Self> {
        let check: [u8; 32] = Sha256::digest(&bytes[..CHECKED]).into();
        let kind = match bytes.first_chunk()? {
            INSTANCE => Kind::Instance,
            DELETED => Kind::Deleted,
            _ => return None,
        };
        (check == part(bytes, CHECKED)?).then_some(Self {
            kind,
            length: u64::from_le_bytes(part(bytes, 8)?),
            metadata_length: u64::from_le_bytes(part(bytes, 16)?),
            sha256: part(bytes, 24)?,
            metadata_sha256: part(bytes, 56)?,
            source_sha256: part(bytes, 88)?,
        })
    }

    /// Bytes of the whole record.
    pub(super) fn record_bytes(&self) -> Option<u64> {
        RECORD_HEADER_BYTES
            .checked_add(self.length)?
            .checked_add(self.metadata_length)
    }
}

fn part<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk().copied()
}

#[cfg(test)]
mod tests {
    use super::{Form, Header, Record};

    #[test]
    fn a_header_is_read_back_and_one_changed_bit_shows() {
        let instance = Header::of(&Record {
            instance: b"instance",
            metadata: b"{}",
            source_sha256: [7; 32],
            form: Form::Encoded,
        });
        for header in [instance, Header::deleted("1.2.3")] {
            let bytes = header.write();
            assert_eq!(Header::parse(&bytes), Some(header));
            for at in 0..bytes.len() {
                let mut changed = bytes;
                changed[at] ^= 1;
                assert_eq!(Header::parse(&changed), None, "byte {at}");
            }
        }
    }
}
