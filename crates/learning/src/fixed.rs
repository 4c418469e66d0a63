//! Fixed-point numbers modulo 2^128, so that masked vectors add up exactly in any order.
//!
//! A value `v` becomes `round(v · 2^40)` in two's complement. Addition wraps: masks that are uniform modulo 2^128 hide the
//! value perfectly and cancel without rounding. Not a general number type: only encode, add, subtract, decode.

/// Bits after the binary point. 2^-40 is about 1e-12: sums over 128 nodes stay exact to 1e-10, well below the 1e-6 in
/// which federated and pooled coefficients must agree.
pub const FRACTION_BITS: u32 = 40;

/// Largest absolute value that may be encoded, 2^79: 128 of them still fit the ±2^87 that 128 bits with 40 fraction bits
/// hold, so that no sum over [`crate::secagg::MAX_PARTICIPANTS`] nodes wraps unseen.
pub const MAX_ABSOLUTE: f64 = (1u128 << 79) as f64;

/// Bytes of one encoded value on the wire, little endian.
pub const WORD_BYTES: usize = 16;

const SCALE: f64 = (1u64 << FRACTION_BITS) as f64;

/// Why a vector cannot be encoded or read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FixedError {
    /// The value at this place is not a number, infinite, or larger than [`MAX_ABSOLUTE`].
    #[error("value {index} is outside the range of fixed-point numbers")]
    OutOfRange {
        /// Place in the vector, from 0.
        index: usize,
    },
    /// The bytes are not a whole number of words.
    #[error("{bytes} bytes are not a whole number of {WORD_BYTES}-byte words")]
    Length {
        /// Number of bytes given.
        bytes: usize,
    },
}

/// Encodes each value as a fixed-point word.
pub fn encode(values: &[f64]) -> Result<Vec<u128>, FixedError> {
    let words = values.iter().enumerate();
    words
        .map(|(index, &value)| encode_one(value).ok_or(FixedError::OutOfRange { index }))
        .collect()
}

fn encode_one(value: f64) -> Option<u128> {
    let in_range = value.is_finite() && value.abs() <= MAX_ABSOLUTE;
    in_range.then(|| (value * SCALE).round() as i128 as u128)
}

/// Decodes words, each read as two's complement.
pub fn decode(words: &[u128]) -> Vec<f64> {
    words
        .iter()
        .map(|&word| word as i128 as f64 / SCALE)
        .collect()
}

/// Adds `other` to `sum`, word by word, modulo 2^128. Both must have the same length; callers check that.
pub fn add(sum: &mut [u128], other: &[u128]) {
    debug_assert_eq!(sum.len(), other.len());
    for (word, &term) in sum.iter_mut().zip(other) {
        *word = word.wrapping_add(term);
    }
}

/// The words as little-endian bytes, [`WORD_BYTES`] each.
pub fn to_bytes(words: &[u128]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Reads what [`to_bytes`] wrote.
pub fn from_bytes(bytes: &[u8]) -> Result<Vec<u128>, FixedError> {
    let (words, rest) = bytes.as_chunks::<WORD_BYTES>();
    if !rest.is_empty() {
        return Err(FixedError::Length { bytes: bytes.len() });
    }
    Ok(words
        .iter()
        .map(|word| u128::from_le_bytes(*word))
        .collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert, prop_assert_eq, proptest};

    use super::{FixedError, MAX_ABSOLUTE, add, decode, encode, from_bytes, to_bytes};

    #[test]
    fn values_out_of_range_are_refused() {
        let check = |value: f64, expect: bool| {
            let result = encode(&[0.0, value]);
            assert_eq!(result.is_ok(), expect, "{value}");
            if !expect {
                assert_eq!(result, Err(FixedError::OutOfRange { index: 1 }));
            }
        };
        check(0.0, true);
        check(-MAX_ABSOLUTE, true);
        check(MAX_ABSOLUTE, true);
        check(MAX_ABSOLUTE * 1.001, false);
        check(f64::NAN, false);
        check(f64::INFINITY, false);
        check(f64::NEG_INFINITY, false);
    }

    #[test]
    fn the_largest_values_of_all_participants_still_add_up() {
        let one = encode(&[-MAX_ABSOLUTE]).unwrap();
        let mut sum = vec![0u128];
        for _ in 0..crate::secagg::MAX_PARTICIPANTS {
            add(&mut sum, &one);
        }
        let expect = -MAX_ABSOLUTE * crate::secagg::MAX_PARTICIPANTS as f64;
        assert_eq!(decode(&sum), vec![expect]);
    }

    #[test]
    fn a_broken_word_is_refused() {
        assert_eq!(from_bytes(&[0; 17]), Err(FixedError::Length { bytes: 17 }));
    }

    proptest! {
        #[test]
        fn sums_are_the_sums_of_the_values(pairs in prop::collection::vec((-1e9..1e9f64, -1e9..1e9f64), 0..50)) {
            let (left, right): (Vec<f64>, Vec<f64>) = pairs.iter().copied().unzip();
            let mut sum = encode(&left).unwrap();
            add(&mut sum, &encode(&right).unwrap());
            for (value, (a, b)) in decode(&sum).iter().zip(&pairs) {
                // Two roundings of 2^-41 each, and the f64 sum's own rounding of 2^-23 · 1e-9.
                prop_assert!((value - (a + b)).abs() < 1e-6 * 1e-3, "{value} {a} {b}");
            }
        }

        #[test]
        fn bytes_round_trip(words in prop::collection::vec(any::<u128>(), 0..50)) {
            prop_assert_eq!(from_bytes(&to_bytes(&words)).unwrap(), words);
        }
    }
}
