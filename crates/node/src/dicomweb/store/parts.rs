//! One part of a request, as far as it came.

use arno_dicomweb::{accept::DICOM, media::MediaType, multipart::PartHeaders};
use arno_domain::hex;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

/// A part. What comes is copied and digested at once: holding on to pieces of what was read from the network would keep the
/// connection from reading into the same memory again, and bytes that the processor has at hand are digested in half the time.
pub(super) struct Part {
    is_instance: bool,
    bytes: Vec<u8>,
    digest: Sha256,
}

/// The bytes of an instance and their SHA-256, hexadecimal.
pub(super) struct Whole {
    pub(super) bytes: Bytes,
    pub(super) sha256: String,
}

impl Part {
    /// A part that begins with these headers and may be about as long as the one before. A part that does not say what it is, is
    /// what the whole is.
    pub(super) fn new(headers: &PartHeaders, before: usize) -> Self {
        let is_instance = headers
            .get("content-type")
            .is_none_or(|kind| MediaType::parse(kind).is_ok_and(|kind| kind.essence == DICOM));
        let room = if is_instance { before } else { 0 };
        Self {
            is_instance,
            bytes: Vec::with_capacity(room),
            digest: Sha256::new(),
        }
    }

    /// Adds what came; of a part that is no instance, nothing is kept.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_instance {
            self.bytes.extend_from_slice(bytes);
            self.digest.update(bytes);
        }
    }

    /// Bytes that are held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// An instance; nothing for a part that is none.
    pub(super) fn into_instance(self) -> Option<Whole> {
        self.is_instance.then(|| Whole {
            bytes: self.bytes.into(),
            sha256: hex::encode(&self.digest.finalize()),
        })
    }
}

#[cfg(test)]
mod tests {
    use arno_dicomweb::multipart::{Boundary, Event, Limits, Reader};
    use bytes::Bytes;

    use super::Part;

    /// Of `abc` (FIPS 180-2, appendix B.1).
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn check(header: &str, expect: Option<&[u8]>) {
        let limits = Limits {
            parts: 1,
            header_bytes: 100,
            part_bytes: 100,
        };
        let mut reader = Reader::new(&Boundary::parse("b").unwrap(), limits);
        reader.feed(Bytes::from(format!("--b\r\n{header}\r\n\r\n")));
        let Some(Event::Part(headers)) = reader.next_event().unwrap() else {
            panic!("no part");
        };
        let mut part = Part::new(&headers, 2);
        part.push(b"ab");
        part.push(b"c");
        let whole = part.into_instance();
        let digest = whole.as_ref().map(|whole| whole.sha256.clone());
        assert_eq!(whole.as_ref().map(|whole| &whole.bytes[..]), expect);
        assert_eq!(digest.as_deref(), expect.map(|_| SHA256), "{header}");
    }

    #[test]
    fn only_instances_are_kept() {
        check("Content-Type: application/dicom", Some(b"abc"));
        check(
            "Content-Type: Application/DICOM; transfer-syntax=1.2",
            Some(b"abc"),
        );
        check("Content-ID: 1", Some(b"abc"));
        check("Content-Type: application/dicom+json", None);
        check("Content-Type: image/jpeg", None);
        check("Content-Type: nonsense", None);
    }
}
