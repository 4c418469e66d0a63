//! The fragments of one frame as they lie in a file (PS3.5 A.4), joined to the compressed stream that a client reads.

use bytes::Bytes;

/// Bytes of an item's tag and length.
const ITEM_HEADER: usize = 8;

/// The tag of an item, little endian.
const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];

/// The stream of a frame out of its items; one fragment, the usual case, is not copied. Stops at the first thing that
/// is no whole item.
#[must_use]
pub fn payload(items: &Bytes) -> Bytes {
    let (first, end) = match fragment(items, 0) {
        Some(found) => found,
        None => return Bytes::new(),
    };
    let Some(mut next) = fragment(items, end) else {
        return first;
    };
    let mut joined = first.to_vec();
    loop {
        joined.extend_from_slice(&next.0);
        match fragment(items, next.1) {
            Some(found) => next = found,
            None => return joined.into(),
        }
    }
}

/// The fragment whose item starts at a place, and where it ends.
fn fragment(items: &Bytes, at: usize) -> Option<(Bytes, usize)> {
    let header: &[u8; ITEM_HEADER] = items.get(at..)?.first_chunk()?;
    let [a, b, c, d, length @ ..] = *header;
    let start = at + ITEM_HEADER;
    let end = start.checked_add(usize::try_from(u32::from_le_bytes(length)).ok()?)?;
    let is_item = [a, b, c, d] == ITEM && end <= items.len();
    is_item.then(|| (items.slice(start..end), end))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::payload;

    const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];

    fn item(value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        [&ITEM, &length, value].concat()
    }

    #[test]
    fn fragments_are_joined_and_garbage_ends_them() {
        let check = |items: Vec<u8>, expect: &[u8]| {
            assert_eq!(payload(&Bytes::from(items)), expect);
        };
        check(item(b"ab"), b"ab");
        check([item(b"ab"), item(b"cd"), item(b"")].concat(), b"abcd");
        check([item(b"ab"), b"garbage".to_vec()].concat(), b"ab");
        check(Vec::new(), b"");
        check([&ITEM[..], &[255, 255, 255, 255, 1]].concat(), b"");
    }
}
