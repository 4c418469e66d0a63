//! The list of frames in an address (PS3.18 section 10.4.1.1.6): `1,3,4`.

/// Frames of one request; a viewer asks for one or a few.
pub const MAX_FRAMES: usize = 1000;

/// A text that is no list of frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("frames are numbers from 1 between commas, at most {MAX_FRAMES}")]
pub struct FrameListError;

/// Frame numbers in the order in which they are asked for, counted from zero.
///
/// # Errors
/// [`FrameListError`].
pub fn parse(text: &str) -> Result<Vec<u32>, FrameListError> {
    let index = |number: &str| {
        let digits = number.bytes().all(|byte| byte.is_ascii_digit());
        let number: Option<u32> = digits.then(|| number.parse().ok()).flatten();
        number.and_then(|number| number.checked_sub(1))
    };
    let frames: Option<Vec<u32>> = text.split(',').take(MAX_FRAMES + 1).map(index).collect();
    frames
        .filter(|frames| frames.len() <= MAX_FRAMES)
        .ok_or(FrameListError)
}

#[cfg(test)]
mod tests {
    use super::{FrameListError, MAX_FRAMES, parse};

    #[test]
    fn frames_are_counted_from_one() {
        let check = |text: &str, expect: Option<&[u32]>| {
            let expect = expect.map(<[u32]>::to_vec).ok_or(FrameListError);
            assert_eq!(parse(text), expect, "{text}");
        };
        check("1", Some(&[0]));
        check("3,1,3", Some(&[2, 0, 2]));
        check("0", None);
        check("", None);
        check("1,", None);
        check("-1", None);
        check("+1", None);
        check("1 ", None);
        check("99999999999", None);
        check(&vec!["1"; MAX_FRAMES + 1].join(","), None);
    }
}
