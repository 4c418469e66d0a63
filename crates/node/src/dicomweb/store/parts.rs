//! One part of a request, as far as it came.

use arno_dicomweb::{accept::DICOM, media::MediaType, multipart::PartHeaders};
use bytes::Bytes;

/// A part. What comes is copied at once: holding on to pieces of what was read from the network would keep the connection from
/// reading into the same memory again.
pub(super) struct Part {
    is_instance: bool,
    bytes: Vec<u8>,
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
        }
    }

    /// Adds what came; of a part that is no instance, nothing is kept.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        if self.is_instance {
            self.bytes.extend_from_slice(bytes);
        }
    }

    /// Bytes that are held.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The bytes of an instance; nothing for a part that is none.
    pub(super) fn into_instance(self) -> Option<Bytes> {
        self.is_instance.then(|| self.bytes.into())
    }
}

#[cfg(test)]
mod tests {
    use arno_dicomweb::multipart::{Boundary, Event, Limits, Reader};
    use bytes::Bytes;

    use super::Part;

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
        assert_eq!(part.into_instance().as_deref(), expect, "{header}");
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
