//! One part of a request, as far as it came.

use arno_dicomweb::{accept::DICOM, media::MediaType, multipart::PartHeaders};
use bytes::Bytes;

/// A part.
pub(super) struct Part {
    is_instance: bool,
    slices: Vec<Bytes>,
    length: usize,
}

impl Part {
    /// A part that begins with these headers. A part that does not say what it is, is what the whole is.
    pub(super) fn new(headers: &PartHeaders) -> Self {
        let is_instance = headers
            .get("content-type")
            .is_none_or(|kind| MediaType::parse(kind).is_ok_and(|kind| kind.essence == DICOM));
        Self {
            is_instance,
            slices: Vec::new(),
            length: 0,
        }
    }

    /// Adds what came; of a part that is no instance, nothing is kept.
    pub(super) fn push(&mut self, bytes: Bytes) {
        if self.is_instance {
            self.length += bytes.len();
            self.slices.push(bytes);
        }
    }

    /// Bytes that are held.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The bytes of an instance; nothing for a part that is none.
    pub(super) fn into_instance(mut self) -> Option<Bytes> {
        match (self.is_instance, self.slices.len()) {
            (false, _) => None,
            // The slice may be a small piece of what was read from the network, all of which it would hold.
            (true, _) => {
                let mut whole = Vec::with_capacity(self.length);
                for slice in self.slices.drain(..) {
                    whole.extend_from_slice(&slice);
                }
                Some(whole.into())
            }
        }
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
        let mut part = Part::new(&headers);
        part.push(Bytes::from_static(b"ab"));
        part.push(Bytes::from_static(b"c"));
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
