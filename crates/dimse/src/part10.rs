//! A received instance as a Part 10 file (PS3.10 section 7): preamble and a fresh group 0002 before the data set, which
//! stays as it came.

use arno_dicom::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};
use bytes::Bytes;

use crate::scp::StoreRequest;

const PREAMBLE: usize = 128;
/// Group, element, VR and a 16-bit length.
const SHORT_ELEMENT: usize = 8;

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

/// The whole file. Copies the data set; [`part10_header`] does not.
#[must_use]
pub fn part10(request: &StoreRequest) -> Bytes {
    let mut bytes = part10_header(request);
    bytes.reserve_exact(request.data_set.len());
    bytes.extend_from_slice(&request.data_set);
    Bytes::from(bytes)
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
