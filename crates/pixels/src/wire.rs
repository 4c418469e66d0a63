//! What is said to a program that finds text, and what it answers: fields of fixed width, little endian. Neither side
//! believes the other's lengths. The lengths of whole messages are the channel's (`arno_codecs::cage`).
//!
//! ```text
//! picture   rows u16, columns u16, channels u8 (1 or 3), then the bytes
//! answer    0, then for each text: x u16, y u16, width u16, height u16, confidence u8 (in 1/255), length u8, UTF-8
//!           1 and no more: the picture could not be looked at
//! ```

use crate::found::FoundText;
use crate::picture::Picture;
use crate::region::{Frames, Region};

/// Pixels of a picture that is looked at: a large radiograph has 16 million.
pub const MAX_PICTURE_PIXELS: usize = 40_000_000;

/// Bytes of a picture, as it is sent.
pub const MAX_PICTURE_BYTES: usize = HEAD_BYTES + 3 * MAX_PICTURE_PIXELS;

/// Texts in one picture: a page of small print has some hundred lines.
pub const MAX_TEXTS: usize = 2000;

/// Bytes of an answer.
pub const MAX_ANSWER_BYTES: usize = 1 + MAX_TEXTS * (TEXT_BYTES + u8::MAX as usize);

const HEAD_BYTES: usize = 5;
const TEXT_BYTES: usize = 10;
const LOOKED: u8 = 0;
const REFUSED: u8 = 1;

/// A picture as it is sent, without its length; nothing if it is too large or none.
#[must_use]
pub fn picture_to_bytes(picture: &Picture) -> Option<Vec<u8>> {
    let channels = u8::try_from(picture.channels()?).ok()?;
    if picture.bytes.len() > 3 * MAX_PICTURE_PIXELS {
        return None;
    }
    let mut bytes = Vec::with_capacity(HEAD_BYTES + picture.bytes.len());
    bytes.extend_from_slice(&picture.rows.to_le_bytes());
    bytes.extend_from_slice(&picture.columns.to_le_bytes());
    bytes.push(channels);
    bytes.extend_from_slice(&picture.bytes);
    Some(bytes)
}

/// A picture as it was sent.
#[must_use]
pub fn picture_from_bytes(bytes: &[u8]) -> Option<Picture> {
    let ([r0, r1, c0, c1, channels], bytes) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let picture = Picture {
        rows: u16::from_le_bytes([*r0, *r1]),
        columns: u16::from_le_bytes([*c0, *c1]),
        bytes: bytes.to_vec(),
    };
    let is_sound = picture.channels() == Some(usize::from(*channels));
    let pixels = usize::from(picture.rows) * usize::from(picture.columns);
    (is_sound && pixels <= MAX_PICTURE_PIXELS).then_some(picture)
}

/// What was found, or that nobody could look.
#[must_use]
pub fn answer_to_bytes(found: Option<&[FoundText]>) -> Vec<u8> {
    let Some(found) = found else {
        return vec![REFUSED];
    };
    let mut bytes = vec![LOOKED];
    for found in found.iter().take(MAX_TEXTS) {
        let Region {
            x,
            y,
            width,
            height,
            ..
        } = found.region;
        for number in [x, y, width, height] {
            bytes.extend_from_slice(&u16::try_from(number).unwrap_or(u16::MAX).to_le_bytes());
        }
        let text = shortened(&found.text);
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "clamped to 0..=255"
        )]
        bytes.push((found.confidence * 255.0).round().clamp(0.0, 255.0) as u8);
        bytes.push(u8::try_from(text.len()).unwrap_or(0));
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

/// An answer about one frame; nothing if nobody could look, or for what no sound program says.
#[must_use]
pub fn answer_from_bytes(bytes: &[u8], frame: u32) -> Option<Vec<FoundText>> {
    let (LOOKED, mut rest) = bytes.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let mut found = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_first_chunk::<TEXT_BYTES>()?;
        let number = |at: usize| u32::from(u16::from_le_bytes([head[at], head[at + 1]]));
        let text = tail.get(..usize::from(head[9]))?;
        found.push(FoundText {
            region: Region {
                frames: Frames::One(frame),
                x: number(0),
                y: number(2),
                width: number(4),
                height: number(6),
            },
            text: std::str::from_utf8(text).ok()?.to_owned(),
            confidence: f32::from(head[8]) / 255.0,
        });
        rest = &tail[usize::from(head[9])..];
    }
    (found.len() <= MAX_TEXTS).then_some(found)
}

/// At most 255 bytes of whole characters.
fn shortened(text: &str) -> &str {
    let mut end = text.len().min(usize::from(u8::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{answer_from_bytes, answer_to_bytes, picture_from_bytes, picture_to_bytes};
    use crate::{FoundText, Frames, Picture, Region};

    #[test]
    fn what_is_said_is_understood() {
        let picture = Picture {
            rows: 2,
            columns: 3,
            bytes: (0..18).collect(),
        };
        let bytes = picture_to_bytes(&picture).unwrap();
        assert_eq!(picture_from_bytes(&bytes), Some(picture));
        let found = [("Müller, Ä", 1.0), (&"é".repeat(200), 0.0), ("", 0.2)];
        let found = found.map(|(text, confidence)| FoundText {
            region: Region {
                frames: Frames::One(7),
                ..Region::everywhere(1, 2, 300, 4)
            },
            text: text.to_owned(),
            confidence,
        });
        let understood = answer_from_bytes(&answer_to_bytes(Some(&found)), 7).unwrap();
        assert_eq!(understood[0].text, "Müller, Ä");
        assert_eq!(understood[0].region, found[0].region);
        assert_eq!(understood[1].text, "é".repeat(127));
        assert!((understood[2].confidence - 0.2).abs() < 1e-6);
        assert_eq!(answer_from_bytes(&answer_to_bytes(None), 7), None);
    }

    proptest! {
        #[test]
        fn nonsense_is_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = answer_from_bytes(&bytes, 0);
            let _ = picture_from_bytes(&bytes);
        }
    }
}
