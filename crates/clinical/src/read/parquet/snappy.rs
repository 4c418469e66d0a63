//! Snappy's block format: literals, and copies of what was written before.

const CUT: &str = "a page that cannot be unpacked";

/// Unpacks a block of that size.
pub(super) fn unpack(packed: &[u8], size: usize) -> Result<Vec<u8>, String> {
    let (said, mut rest) = length(packed)?;
    if said != size {
        return Err("a page of another size than its header says".into());
    }
    let mut out = Vec::with_capacity(size);
    while let Some((tag, after)) = rest.split_first() {
        let tag = usize::from(*tag);
        let extra = match tag & 3 {
            0 => (tag >> 2).saturating_sub(59),
            1 => 1,
            2 => 2,
            _ => 4,
        };
        let (number, after) = after.split_at_checked(extra).ok_or(CUT)?;
        let number = number
            .iter()
            .rev()
            .fold(0_usize, |number, byte| number << 8 | usize::from(*byte));
        rest = match tag & 3 {
            0 => {
                let length = if extra == 0 { tag >> 2 } else { number };
                let (literal, after) = after.split_at_checked(length + 1).ok_or(CUT)?;
                out.extend_from_slice(literal);
                after
            }
            1 => {
                copy(&mut out, (tag >> 5) << 8 | number, (tag >> 2 & 7) + 4)?;
                after
            }
            _ => {
                copy(&mut out, number, (tag >> 2) + 1)?;
                after
            }
        };
        if out.len() > size {
            return Err(CUT.into());
        }
    }
    Ok(out)
}

/// A copy may reach into what it writes itself.
fn copy(out: &mut Vec<u8>, back: usize, length: usize) -> Result<(), String> {
    let start = out
        .len()
        .checked_sub(back)
        .filter(|_| back > 0)
        .ok_or(CUT)?;
    for at in start..start + length {
        out.push(out[at]);
    }
    Ok(())
}

fn length(bytes: &[u8]) -> Result<(usize, &[u8]), String> {
    let (mut value, mut rest) = (0_usize, bytes);
    for shift in (0..35).step_by(7) {
        let (byte, after) = rest.split_first().ok_or(CUT)?;
        rest = after;
        value |= usize::from(byte & 0x7F) << shift;
        if *byte < 0x80 {
            return Ok((value, rest));
        }
    }
    Err(CUT.into())
}

#[cfg(test)]
mod tests {
    use super::unpack;

    #[test]
    fn literals_and_copies_are_unpacked() {
        let check = |packed: &[u8], expect: &[u8]| {
            assert_eq!(unpack(packed, expect.len()).as_deref(), Ok(expect));
        };
        check(&[3, 2 << 2, b'a', b'b', b'c'], b"abc");
        check(
            &[9, 2 << 2, b'a', b'b', b'c', 5 << 2 | 2, 3, 0],
            b"abcabcabc",
        );
        check(&[5, 0, b'a', 1, 1], b"aaaaa");
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for packed in [
            &[][..],
            &[3],
            &[3, 2 << 2, b'a'],
            &[4, 1, 1],
            &[0xFF; 6],
            &[1, 4 << 2, 1, 2, 3, 4, 5],
        ] {
            assert!(unpack(packed, 5).is_err(), "{packed:?}");
        }
    }
}
