//! Lower-case hexadecimal, for digests and keys in text. Not for bulk data (base64 there).

use std::fmt::Write as _;

/// Encodes bytes as lower-case hexadecimal.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Decodes exactly 32 bytes; `None` for any other length or character.
#[must_use]
pub fn decode_32(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn digit(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{decode_32, encode};

    #[test]
    fn thirty_two_bytes_survive_the_round_trip() {
        let bytes = std::array::from_fn(|index| u8::try_from(index * 7).unwrap());
        assert_eq!(decode_32(&encode(&bytes)), Some(bytes));
    }

    #[test]
    fn anything_else_is_refused() {
        for text in ["", "00", &"g".repeat(64), &"A".repeat(64), &"é".repeat(32)] {
            assert_eq!(decode_32(text), None, "{text}");
        }
    }
}
