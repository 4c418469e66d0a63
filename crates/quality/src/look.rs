//! How an image looks, in 256 bits: cells of a grid, each darker than its right neighbour or not. It survives another
//! window, rescaling and lossy compression; two looks that differ in few bits are of images that look alike.

use std::fmt;

/// Rows of cells; columns are one more, since neighbours are compared.
const GRID: usize = 16;
/// Samples of a cell along each side.
const CELL_SAMPLES: usize = 4;
/// Looks with fewer set or unset bits are of images that show nearly nothing.
const LEAST_BITS: u32 = 24;
/// Most bits in which the looks of two versions of one image differ.
pub const NEAR_BITS: u32 = 7;
/// Parts of a look. Of eight parts at least one is the same when at most seven bits differ: so near looks are found by index.
pub const BANDS: usize = 8;

/// Words of pixel data that make a print. Each costs a cache miss (0.3 µs), and a false print only a comparison.
const PRINT_WORDS: usize = 64;
const WORD_BYTES: usize = 8;

/// A print of encoded pixel data, by which data that may be the same are found: of words spread over all of it, and of its
/// length. It costs next to nothing and proves nothing. Data whose words are all alike, such as blank images, have none.
#[must_use]
pub fn pixel_print(value: &[u8]) -> Option<String> {
    let (words, _) = value.as_chunks::<WORD_BYTES>();
    let step = words.len().div_ceil(PRINT_WORDS).max(1);
    let mut chosen = words.iter().step_by(step);
    let first = chosen.next()?;
    let (mut print, mut differs) = (mixed(value.len() as u64, *first), false);
    for word in chosen {
        differs |= word != first;
        print = mixed(print, *word);
    }
    differs.then(|| format!("{print:016x}"))
}

/// One step of a multiplicative hash (the constant is 2^64 by the golden ratio, odd).
fn mixed(print: u64, word: [u8; WORD_BYTES]) -> u64 {
    let product = (print ^ u64::from_le_bytes(word)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    product ^ (product >> 29)
}

/// The look of an image.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Look([u32; BANDS]);

/// Decoded samples of one frame, row by row.
#[derive(Debug, Clone, Copy)]
pub struct Samples<'a> {
    /// Little-endian samples.
    pub bytes: &'a [u8],
    /// Rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Bytes of a sample: 1 or 2.
    pub bytes_per_sample: usize,
    /// Whether samples are two's complement.
    pub signed: bool,
    /// Samples of a pixel; the first is looked at.
    pub samples_per_pixel: usize,
}

impl Samples<'_> {
    fn at(&self, row: usize, column: usize) -> i64 {
        let pixel = row * self.columns + column;
        let start = pixel * self.samples_per_pixel * self.bytes_per_sample;
        match (
            self.bytes.get(start..start + self.bytes_per_sample),
            self.signed,
        ) {
            (Some(&[low]), _) => i64::from(low),
            (Some(&[low, high]), false) => i64::from(u16::from_le_bytes([low, high])),
            (Some(&[low, high]), true) => i64::from(i16::from_le_bytes([low, high])),
            _ => 0,
        }
    }

    fn cell(&self, row: usize, column: usize) -> i64 {
        let along = |cell: usize, cells: usize, sample: usize, length: usize| {
            (cell * CELL_SAMPLES + sample) * length / (cells * CELL_SAMPLES)
        };
        let mut sum = 0;
        for down in 0..CELL_SAMPLES {
            for right in 0..CELL_SAMPLES {
                sum += self.at(
                    along(row, GRID, down, self.rows),
                    along(column, GRID + 1, right, self.columns),
                );
            }
        }
        sum
    }
}

impl Look {
    /// The look of a frame; none of one that is too small or shows nearly nothing.
    #[must_use]
    pub fn of(samples: &Samples<'_>) -> Option<Self> {
        let least = GRID * CELL_SAMPLES;
        let is_usable = samples.rows >= least
            && samples.columns >= least + CELL_SAMPLES
            && matches!(samples.bytes_per_sample, 1 | 2);
        if !is_usable {
            return None;
        }
        let mut bands = [0_u32; BANDS];
        for row in 0..GRID {
            let cells: [i64; GRID + 1] = std::array::from_fn(|column| samples.cell(row, column));
            for column in 0..GRID {
                let bit = row * GRID + column;
                bands[bit / 32] |= u32::from(cells[column] < cells[column + 1]) << (bit % 32);
            }
        }
        let set: u32 = bands.iter().map(|band| band.count_ones()).sum();
        (LEAST_BITS..=(GRID * GRID) as u32 - LEAST_BITS)
            .contains(&set)
            .then_some(Self(bands))
    }

    /// In how many bits two looks differ.
    #[must_use]
    pub fn distance(&self, other: &Self) -> u32 {
        let pairs = self.0.iter().zip(other.0);
        pairs.map(|(one, other)| (one ^ other).count_ones()).sum()
    }

    /// Its parts.
    #[must_use]
    pub fn bands(&self) -> [u32; BANDS] {
        self.0
    }

    /// From its text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut bands = [0; BANDS];
        if text.len() != BANDS * 8 || !text.is_ascii() {
            return None;
        }
        for (at, band) in bands.iter_mut().enumerate() {
            *band = u32::from_str_radix(&text[at * 8..(at + 1) * 8], 16).ok()?;
        }
        Some(Self(bands))
    }
}

impl fmt::Display for Look {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|band| write!(formatter, "{band:08x}"))
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Look({self})")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{ProptestConfig, any, proptest};

    use super::{BANDS, Look, NEAR_BITS, Samples, pixel_print};

    const SIDE: usize = 128;

    /// A picture of a few soft waves.
    fn picture(seed: u32) -> Vec<u16> {
        let wave = |at: usize, turns: u32| (at as f64 * f64::from(turns) / 40.0).sin();
        let pixel = |at: usize| {
            let (row, column) = (at / SIDE, at % SIDE);
            let value =
                wave(row, 1 + seed % 5) + wave(column, 2 + seed % 7) + wave(row + column, 3);
            (value * 300.0 + 1200.0) as u16
        };
        (0..SIDE * SIDE).map(pixel).collect()
    }

    fn look(pixels: &[u16]) -> Option<Look> {
        let bytes: Vec<u8> = pixels
            .iter()
            .flat_map(|pixel| pixel.to_le_bytes())
            .collect();
        Look::of(&Samples {
            bytes: &bytes,
            rows: SIDE,
            columns: SIDE,
            bytes_per_sample: 2,
            signed: false,
            samples_per_pixel: 1,
        })
    }

    #[test]
    fn another_scale_and_coarse_steps_look_alike_and_other_pictures_do_not() {
        let first = picture(1);
        let of = |change: fn(u16) -> u16| {
            look(&first.iter().map(|pixel| change(*pixel)).collect::<Vec<_>>()).unwrap()
        };
        let same = of(|pixel| pixel);
        assert!(same.distance(&of(|pixel| pixel * 2 + 100)) <= NEAR_BITS);
        assert!(same.distance(&of(|pixel| pixel / 4 * 4)) <= NEAR_BITS);
        assert!(same.distance(&look(&picture(3)).unwrap()) > 5 * NEAR_BITS);
    }

    #[test]
    fn prints_tell_data_apart_and_blank_data_have_none() {
        let data: Vec<u8> = picture(1)
            .iter()
            .flat_map(|pixel| pixel.to_le_bytes())
            .collect();
        let mut other = data.clone();
        other[8 * 64..8 * 65].fill(0xFF);
        assert_eq!(pixel_print(&data), pixel_print(&data.clone()));
        assert_ne!(pixel_print(&data), pixel_print(&other));
        assert_ne!(pixel_print(&data), pixel_print(&data[8..]));
        assert_eq!(pixel_print(&vec![0; 4096]), None);
        assert_eq!(pixel_print(&[1, 2, 3]), None);
    }

    #[test]
    fn what_shows_nothing_looks_like_nothing() {
        assert_eq!(look(&vec![7; SIDE * SIDE]), None);
        assert!(
            look(&picture(1)[..SIDE]).is_none(),
            "rows that are missing are black"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn near_looks_share_a_band(parts in any::<[u32; BANDS]>(), flips in any::<[u8; NEAR_BITS as usize]>()) {
            let mut other = parts;
            for flip in flips {
                other[usize::from(flip) / 32] ^= 1 << (flip % 32);
            }
            assert!(Look(parts).distance(&Look(other)) <= NEAR_BITS);
            assert!(parts.iter().zip(other).any(|(one, other)| *one == other));
            assert_eq!(Look::parse(&Look(parts).to_string()), Some(Look(parts)));
        }
    }
}
