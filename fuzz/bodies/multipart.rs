//! What the body of a STOW-RS request goes through (PS3.18 section 10.5, RFC 2046 section 5.1.1): its media type, its
//! boundary and its parts, in whatever pieces it comes, written and read again. Shared by the fuzz target and by the
//! test that replays its corpus.
//!
//! Not here: what is in the parts.

use arno_dicomweb::media::MediaType;
use arno_dicomweb::multipart::{
    Boundary, Event, Limits, MultipartError, PartHeaders, Reader, Writer,
};
use bytes::Bytes;

/// Small, so that a short input can go beyond each.
const LIMITS: Limits = Limits {
    parts: 8,
    header_bytes: 256,
    part_bytes: 1024,
};

/// Takes the size of the pieces in the first byte, the media type up to a line feed, and the body.
pub(crate) fn multipart(bytes: &[u8]) {
    let Some((piece, rest)) = bytes.split_first() else {
        return;
    };
    let Some(at) = rest.iter().position(|byte| *byte == b'\n') else {
        return;
    };
    let (media_type, body) = (String::from_utf8_lossy(&rest[..at]), &rest[at + 1..]);
    let Some(boundary) = boundary(&media_type) else {
        return;
    };
    let whole = read(&boundary, body, body.len().max(1));
    let pieces = read(&boundary, body, usize::from(*piece) + 1);
    assert_eq!(
        whole, pieces,
        "the pieces in which a body comes must not matter"
    );
    if let Ok(parts) = whole {
        write_again(boundary, &parts);
    }
}

fn boundary(media_type: &str) -> Option<Boundary> {
    let media_type = MediaType::parse(media_type).ok()?;
    Boundary::parse(media_type.parameter("boundary")?).ok()
}

type Part = (PartHeaders, Vec<u8>);

fn read(boundary: &Boundary, body: &[u8], piece: usize) -> Result<Vec<Part>, MultipartError> {
    let (mut reader, mut parts) = (Reader::new(boundary, LIMITS), Vec::new());
    for piece in body.chunks(piece) {
        reader.feed(Bytes::copy_from_slice(piece));
        while let Some(event) = reader.next_event()? {
            take(&mut parts, event);
        }
    }
    reader.finish()?;
    Ok(parts)
}

fn take(parts: &mut Vec<Part>, event: Event) {
    match event {
        Event::Part(headers) => parts.push((headers, Vec::new())),
        Event::Body(bytes) => {
            assert!(!bytes.is_empty());
            parts
                .last_mut()
                .expect("a part began before its body")
                .1
                .extend_from_slice(&bytes);
        }
        Event::PartEnd | Event::End => {}
    }
}

fn write_again(boundary: Boundary, parts: &[Part]) {
    let mut writer = Writer::new(boundary.clone());
    let mut body = Vec::new();
    for (_, bytes) in parts {
        body.extend_from_slice(writer.open("application/dicom", None).as_bytes());
        body.extend_from_slice(bytes);
    }
    body.extend_from_slice(writer.close().as_bytes());
    if parts.is_empty() {
        return;
    }
    let again = read(&boundary, &body, body.len()).expect("a written body is readable");
    assert!(
        again
            .iter()
            .map(|part| &part.1)
            .eq(parts.iter().map(|part| &part.1))
    );
}
