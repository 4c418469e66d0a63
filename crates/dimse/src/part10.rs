//! A received instance as a Part 10 file (PS3.10 section 7): preamble and a fresh group 0002 before the data set, which
//! stays as it came.

use std::{fmt, ops::Deref};

use arno_dicom::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};
use bytes::{Bytes, BytesMut};

use crate::scp::StoreRequest;

const PREAMBLE: usize = 128;
/// Group, element, VR and a 16-bit length.
const SHORT_ELEMENT: usize = 8;

/// Left before a received data set, so that it becomes a file where it lies: more than a header takes with values of any length.
pub(crate) const ROOM_BEFORE: usize = 640;

/// A data set behind `ROOM_BEFORE` bytes that may be written over.
#[derive(Clone)]
pub struct DataSetWithRoom(Bytes);

impl DataSetWithRoom {
    pub(crate) fn of(room_and_data_set: Bytes) -> Self {
        Self(room_and_data_set)
    }

    /// The data set alone.
    #[must_use]
    pub fn bytes(&self) -> Bytes {
        self.0.slice(ROOM_BEFORE..)
    }
}

impl Deref for DataSetWithRoom {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0[ROOM_BEFORE..]
    }
}

/// Does not show what it holds.
impl fmt::Debug for DataSetWithRoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// What goes before the data set: preamble, prefix and file meta information, about 400 bytes.
#[must_use]
pub fn part10_header(request: &StoreRequest) -> Vec<u8> {
    let mut meta = Vec::new();
    // File Meta Information Version, the one OB here: VR, two reserved bytes, 32-bit length.
    meta.extend(*b"\x02\x00\x01\x00OB\x00\x00\x02\x00\x00\x00\x00\x01");
    write_text(
        &mut meta,
        0x0002,
        *b"UI",
        request.affected_sop_class.as_str(),
    );
    write_text(
        &mut meta,
        0x0003,
        *b"UI",
        request.affected_sop_instance.as_str(),
    );
    write_text(&mut meta, 0x0010, *b"UI", request.transfer_syntax.as_str());
    write_text(&mut meta, 0x0012, *b"UI", IMPLEMENTATION_CLASS_UID);
    write_text(&mut meta, 0x0013, *b"SH", IMPLEMENTATION_VERSION_NAME);
    write_text(&mut meta, 0x0016, *b"AE", request.calling_ae.as_str());
    let length = u32::try_from(meta.len()).expect("six values of at most 64 bytes");
    let mut bytes = vec![0; PREAMBLE];
    bytes.extend(*b"DICM\x02\x00\x00\x00UL\x04\x00");
    bytes.extend(length.to_le_bytes());
    bytes.append(&mut meta);
    bytes
}

/// The whole file, made where the data set lies; copied if somebody else holds on to it.
#[must_use]
pub fn part10(request: StoreRequest) -> Bytes {
    let header = part10_header(&request);
    let start = ROOM_BEFORE - header.len();
    let mut file = match request.data_set.0.try_into_mut() {
        Ok(file) => file,
        Err(shared) => BytesMut::from(&shared[..]),
    };
    file[start..ROOM_BEFORE].copy_from_slice(&header);
    file.freeze().slice(start..)
}

fn write_text(out: &mut Vec<u8>, element: u16, vr: [u8; 2], text: &str) {
    let padded = text.len() + text.len() % 2;
    let length = u16::try_from(padded).expect("UIDs and titles have at most 64 characters");
    out.reserve(SHORT_ELEMENT + padded);
    out.extend([2, 0]);
    out.extend(element.to_le_bytes());
    out.extend(vr);
    out.extend(length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    if padded > text.len() {
        out.push(if vr == *b"UI" { 0 } else { b' ' });
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::{DataSetWithRoom, ROOM_BEFORE, part10};
    use crate::scp::StoreRequest;

    #[test]
    fn the_longest_header_fits_into_the_room() {
        let uid = || format!("1.{}", "2".repeat(62)).parse().unwrap();
        let mut received = vec![0; ROOM_BEFORE];
        received.extend(b"data set");
        let file = part10(StoreRequest {
            calling_ae: "SIXTEEN LETTERS!".parse().unwrap(),
            affected_sop_class: uid(),
            affected_sop_instance: uid(),
            transfer_syntax: uid(),
            data_set: DataSetWithRoom::of(Bytes::from(received)),
        });
        assert_eq!(file[..128], [0; 128]);
        assert!(file[128..].starts_with(b"DICM"));
        assert!(file.ends_with(b"data set"));
    }
}
