//! What a line says: the line as the recogniser wants it, and characters out of its answer.
//!
//! The answer has, for each step from left to right, a share for every character and one for "nothing" (connectionist
//! temporal classification, Graves et al. 2006): the likeliest of each step, repeats taken together.

use anyhow::ensure;
use arno_pixels::{FoundText, Region};
use rten_tensor::prelude::{AsView as _, Layout as _};
use rten_tensor::{NdTensor, Tensor};

use crate::raster::Raster;

/// Height that the network wants.
const HEIGHT: usize = 48;

/// Widths are multiples of this.
const STRIDE: usize = 8;

/// Longest line, some 100 characters: longer ones are squeezed.
const MAX_WIDTH: usize = 1600;

/// The key of the alphabet among the metadata of the ONNX file: one character a line.
const KEY: &[u8] = b"\n\tcharacter\x12";

/// A line of the picture as the recogniser wants it.
pub(crate) fn line(raster: &Raster, region: Region) -> NdTensor<f32, 4> {
    let ratio = f64::from(region.width) / f64::from(region.height.max(1));
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive and clamped"
    )]
    let width = ((48.0 * ratio) as usize)
        .clamp(HEIGHT, MAX_WIDTH)
        .next_multiple_of(STRIDE);
    NdTensor::from_data([1, 3, HEIGHT, width], raster.part(region, width, HEIGHT))
}

/// The characters that the recogniser knows, by their number; 0 is nothing.
pub(crate) struct Alphabet(Vec<String>);

impl Alphabet {
    /// Takes the alphabet out of the file of the weights.
    pub(crate) fn of_onnx(bytes: &[u8]) -> Option<Self> {
        let at = bytes.windows(KEY.len()).rposition(|part| part == KEY)? + KEY.len();
        let (length, start) = varint(bytes, at)?;
        let text = std::str::from_utf8(bytes.get(start..start.checked_add(length)?)?).ok()?;
        let lines = text.trim_end_matches('\n').split('\n').map(str::to_owned);
        // Nothing comes first, a blank last.
        let all = std::iter::once(String::new())
            .chain(lines)
            .chain([" ".to_owned()]);
        Some(Self(all.collect()))
    }

    /// Reads the answer for one line.
    pub(crate) fn read(&self, shares: &Tensor<f32>, region: Region) -> anyhow::Result<FoundText> {
        let classes = *shares.shape().last().unwrap_or(&0);
        ensure!(
            classes == self.0.len(),
            "the recogniser knows {classes} characters and its alphabet has {}",
            self.0.len()
        );
        let shares = shares.to_vec();
        let (mut text, mut sum, mut count, mut last) = (String::new(), 0.0, 0.0_f32, 0);
        for step in shares.chunks_exact(classes) {
            let best = step.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            let (best, share) = best.map_or((0, 0.0), |(best, share)| (best, *share));
            if best != 0 && best != last {
                text.push_str(&self.0[best]);
                sum += share;
                count += 1.0;
            }
            last = best;
        }
        Ok(FoundText {
            region,
            text: text.trim().to_owned(),
            confidence: if count > 0.0 { sum / count } else { 0.0 },
        })
    }
}

/// A length as protocol buffers write it, and where it ends.
fn varint(bytes: &[u8], start: usize) -> Option<(usize, usize)> {
    let mut value = 0;
    for (index, byte) in bytes.get(start..)?.iter().take(5).enumerate() {
        value |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, start + index + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use arno_pixels::Region;
    use rten_tensor::Tensor;

    use super::Alphabet;

    fn alphabet() -> Alphabet {
        let file = b"weights\n\tcharacter\x12\x04A\nB\n\x1a";
        Alphabet::of_onnx(file).unwrap()
    }

    #[test]
    fn the_alphabet_is_in_the_file() {
        assert_eq!(alphabet().0, ["", "A", "B", " "]);
        assert!(Alphabet::of_onnx(b"weights").is_none());
        assert!(Alphabet::of_onnx(b"\n\tcharacter\x12\xFF\xFF\xFF\x7FA").is_none());
    }

    #[test]
    fn repeats_are_one_character_and_nothing_parts_two() {
        let steps = [1, 1, 0, 1, 2, 2, 3, 0];
        let mut shares = Vec::new();
        for step in steps {
            let mut row = [0.1; 4];
            row[step] = 0.7;
            shares.extend(row);
        }
        let shares = Tensor::from_data(&[1, 8, 4], shares);
        let found = alphabet()
            .read(&shares, Region::everywhere(0, 0, 1, 1))
            .unwrap();
        assert_eq!(found.text, "AAB");
        assert!((found.confidence - 0.7).abs() < 1e-6);
        let other = Tensor::from_data(&[1, 1, 2], vec![0.5, 0.5]);
        assert!(
            alphabet()
                .read(&other, Region::everywhere(0, 0, 1, 1))
                .is_err()
        );
    }
}
