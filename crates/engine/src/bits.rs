//! One bit for each row.

use std::ops::Range;

const WIDTH: usize = 64;

/// Bits of rows; those beyond the last row are always zero.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    pub(crate) fn none(len: usize) -> Self {
        Self {
            words: vec![0; len.div_ceil(WIDTH)],
            len,
        }
    }

    pub(crate) fn all(len: usize) -> Self {
        let mut bits = Self {
            words: vec![u64::MAX; len.div_ceil(WIDTH)],
            len,
        };
        bits.clear_beyond();
        bits
    }

    /// From words made elsewhere, 64 rows each.
    pub(crate) fn from_words(words: Vec<u64>, len: usize) -> Self {
        let mut bits = Self { words, len };
        bits.words.resize(len.div_ceil(WIDTH), 0);
        bits.clear_beyond();
        bits
    }

    fn clear_beyond(&mut self) {
        if let (Some(last), 1..) = (self.words.last_mut(), self.len % WIDTH) {
            *last &= (1 << (self.len % WIDTH)) - 1;
        }
    }

    pub(crate) fn set(&mut self, row: usize) {
        self.words[row / WIDTH] |= 1 << (row % WIDTH);
    }

    pub(crate) fn clear(&mut self, row: usize) {
        self.words[row / WIDTH] &= !(1 << (row % WIDTH));
    }

    pub(crate) fn set_range(&mut self, rows: Range<usize>) {
        for (word, mask) in words_of(rows) {
            self.words[word] |= mask;
        }
    }

    pub(crate) fn get(&self, row: usize) -> bool {
        self.words[row / WIDTH] >> (row % WIDTH) & 1 == 1
    }

    pub(crate) fn any_in(&self, rows: Range<usize>) -> bool {
        words_of(rows).any(|(word, mask)| self.words[word] & mask != 0)
    }

    pub(crate) fn all_in(&self, rows: Range<usize>) -> bool {
        words_of(rows).all(|(word, mask)| self.words[word] & mask == mask)
    }

    pub(crate) fn count_in(&self, rows: Range<usize>) -> u32 {
        let ones = words_of(rows).map(|(word, mask)| (self.words[word] & mask).count_ones());
        ones.sum()
    }

    pub(crate) fn count(&self) -> u64 {
        let ones = self.words.iter().map(|word| u64::from(word.count_ones()));
        ones.sum()
    }

    pub(crate) fn not(&self) -> Self {
        let words = self.words.iter().map(|word| !word);
        Self::from_words(words.collect(), self.len)
    }

    pub(crate) fn and(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= other;
        }
    }

    pub(crate) fn or(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word |= other;
        }
    }

    /// Visits the rows whose bit is set, in order.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize)) {
        for (at, word) in self.words.iter().enumerate() {
            let mut rest = *word;
            while rest != 0 {
                visit(at * WIDTH + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
    }

    /// The same for the rows of a range, until one answers no.
    pub(crate) fn until_in(&self, rows: Range<usize>, mut visit: impl FnMut(usize) -> bool) {
        for (word, mask) in words_of(rows) {
            let mut rest = self.words[word] & mask;
            while rest != 0 {
                if !visit(word * WIDTH + rest.trailing_zeros() as usize) {
                    return;
                }
                rest &= rest - 1;
            }
        }
    }

    /// What the rows of a range come to whose bit is set, one added after the other.
    pub(crate) fn fold_in<T>(
        &self,
        rows: Range<usize>,
        mut all: T,
        add: impl Fn(T, usize) -> T,
    ) -> T {
        for (word, mask) in words_of(rows) {
            let mut rest = self.words[word] & mask;
            while rest != 0 {
                all = add(all, word * WIDTH + rest.trailing_zeros() as usize);
                rest &= rest - 1;
            }
        }
        all
    }

    /// Rows whose bit is set, in order.
    pub(crate) fn ones(&self) -> impl Iterator<Item = usize> + '_ {
        let words = self.words.iter().enumerate();
        words.flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = rest.trailing_zeros() as usize;
                // With no bit left this is `0 & MAX`, and the loop has ended.
                rest &= rest.wrapping_sub(1);
                (bit < WIDTH).then_some(at * WIDTH + bit)
            })
        })
    }
}

/// The words of a range, with the bits of each that are meant.
fn words_of(rows: Range<usize>) -> impl Iterator<Item = (usize, u64)> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        if start >= rows.end {
            return None;
        }
        let (word, first) = (start / WIDTH, start % WIDTH);
        let end = rows.end.min((word + 1) * WIDTH);
        let mask = u64::MAX >> (WIDTH - (end - start)) << first;
        start = end;
        Some((word, mask))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::Bits;

    proptest! {
        #[test]
        fn bits_are_as_a_list_of_flags(flags: Vec<bool>, others: Vec<bool>, from in 0_usize..200, to in 0_usize..200, fill in any::<bool>()) {
            let len = flags.len().min(others.len());
            let (flags, others) = (&flags[..len], &others[..len]);
            let (from, to) = (from.min(len), to.min(len));
            let of = |flags: &[bool]| {
                let mut bits = Bits::none(len);
                flags.iter().enumerate().filter(|(_, flag)| **flag).for_each(|(row, _)| bits.set(row));
                bits
            };
            let bits = of(flags);
            prop_assert_eq!(bits.ones().collect::<Vec<_>>(), (0..len).filter(|row| flags[*row]).collect::<Vec<_>>());
            prop_assert_eq!(bits.count(), flags.iter().filter(|flag| **flag).count() as u64);
            prop_assert!((0..len).all(|row| bits.get(row) == flags[row]));
            if from <= to {
                let part = &flags[from..to];
                prop_assert_eq!(bits.any_in(from..to), part.contains(&true));
                prop_assert_eq!(bits.all_in(from..to), !part.contains(&false));
                prop_assert_eq!(bits.count_in(from..to) as usize, part.iter().filter(|flag| **flag).count());
                let listed = bits.fold_in(from..to, Vec::new(), |rows, row| [rows, vec![row]].concat());
                prop_assert_eq!(listed, (from..to).filter(|row| flags[*row]).collect::<Vec<_>>());
                let mut filled = if fill { Bits::all(len) } else { bits.clone() };
                filled.set_range(from..to);
                prop_assert!((0..len).all(|row| filled.get(row) == (fill || flags[row] || (from..to).contains(&row))));
            }
            let both = |join: fn(&mut Bits, &Bits)| {
                let mut bits = bits.clone();
                join(&mut bits, &of(others));
                bits.ones().collect::<Vec<_>>()
            };
            prop_assert_eq!(both(Bits::and), (0..len).filter(|row| flags[*row] && others[*row]).collect::<Vec<_>>());
            prop_assert_eq!(both(Bits::or), (0..len).filter(|row| flags[*row] || others[*row]).collect::<Vec<_>>());
            prop_assert_eq!(Bits::all(len).count(), len as u64);
            prop_assert_eq!(bits.not().ones().collect::<Vec<_>>(), (0..len).filter(|row| !flags[*row]).collect::<Vec<_>>());
        }
    }
}
