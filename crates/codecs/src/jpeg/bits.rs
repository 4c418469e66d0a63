//! Bits of entropy-coded JPEG data and Huffman codes in them (ITU-T T.81 annexes C and F.2.2).

use crate::DecodeError;

/// Codes up to this long are found in one step; longer ones are rare.
const QUICK_BITS: u32 = 9;

/// Longest code (T.81 annex C).
const MAX_CODE_BITS: u32 = 16;

/// Bits of a scan, first bit first, without stuffed bytes. After the data come zeros, which [`Bits::check`] refuses.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    window: u64,
    held: u32,
    /// Bits in the window that are not of the data.
    invented: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8], at: usize) -> Self {
        Self {
            bytes,
            at,
            window: 0,
            held: 0,
            invented: 0,
        }
    }

    fn fill(&mut self) {
        while self.held <= 56 {
            let byte = match (self.bytes.get(self.at), self.bytes.get(self.at + 1)) {
                (Some(0xFF), Some(0)) => {
                    self.at += 2;
                    0xFF
                }
                (Some(0xFF), _) | (None, _) => {
                    self.invented += 8;
                    0
                }
                (Some(byte), _) => {
                    self.at += 1;
                    *byte
                }
            };
            self.window |= u64::from(byte) << (56 - self.held);
            self.held += 8;
        }
    }

    fn peek(&mut self, count: u32) -> u32 {
        if self.held < count {
            self.fill();
        }
        (self.window >> 32) as u32 >> (32 - count)
    }

    fn skip(&mut self, count: u32) {
        self.window <<= count;
        self.held -= count;
    }

    /// The next bits as a number; at most 16.
    pub(super) fn read(&mut self, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        let bits = self.peek(count);
        self.skip(count);
        bits
    }

    /// A signed number of `size` bits (T.81 F.2.2.1, RECEIVE and EXTEND).
    pub(super) fn signed(&mut self, size: u32) -> i32 {
        let bits = self.read(size).cast_signed();
        if size > 0 && bits < 1 << (size - 1) {
            bits - (1 << size) + 1
        } else {
            bits
        }
    }

    /// Whether everything that was read was there.
    pub(super) fn check(&self) -> Result<(), DecodeError> {
        if self.invented > self.held {
            Err(DecodeError::Damaged)
        } else {
            Ok(())
        }
    }

    /// Passes a restart marker (T.81 F.2.2.5); the bits before it are padding.
    pub(super) fn restart(&mut self) -> Result<(), DecodeError> {
        self.check()?;
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let marker = rest
            .windows(2)
            .position(|pair| pair[0] == 0xFF && !matches!(pair[1], 0 | 0xFF))
            .ok_or(DecodeError::Damaged)?;
        if !(0xD0..=0xD7).contains(&rest[marker + 1]) {
            return Err(DecodeError::Damaged);
        }
        *self = Self::new(self.bytes, self.at + marker + 2);
        Ok(())
    }
}

/// A Huffman table.
#[derive(Debug, Clone)]
pub(super) struct Huffman {
    /// Length and value by the next [`QUICK_BITS`] bits; length 0 for longer codes.
    quick: Vec<(u8, u8)>,
    /// By length from 1: the first code, the first place in `values`, and how many there are.
    lengths: [(u32, u32, u32); MAX_CODE_BITS as usize],
    values: Vec<u8>,
}

impl Huffman {
    /// From the number of codes of each length and their values; `None` if there are more codes than fit.
    pub(super) fn new(counts: &[u8; 16], values: &[u8]) -> Option<Self> {
        let mut quick = vec![(0, 0); 1 << QUICK_BITS];
        let mut lengths = [(0, 0, 0); MAX_CODE_BITS as usize];
        let (mut code, mut place) = (0_u32, 0_u32);
        for (length, count) in (1_u8..).zip(counts) {
            let (bits, count) = (u32::from(length), u32::from(*count));
            lengths[usize::from(length) - 1] = (code, place, count);
            if code + count > 1 << bits {
                return None;
            }
            if bits <= QUICK_BITS {
                let spread = 1_usize << (QUICK_BITS - bits);
                let codes = values.get(place as usize..(place + count) as usize)?;
                let start = (code as usize) * spread;
                for (value, places) in codes.iter().zip(quick[start..].chunks_mut(spread)) {
                    places.fill((length, *value));
                }
            }
            code = (code + count) << 1;
            place += count;
        }
        Some(Self {
            quick,
            lengths,
            values: values.to_vec(),
        })
    }

    /// The value of the next code.
    pub(super) fn next(&self, bits: &mut Bits) -> Result<u8, DecodeError> {
        let ahead = bits.peek(MAX_CODE_BITS);
        let (length, value) = self.quick[(ahead >> (MAX_CODE_BITS - QUICK_BITS)) as usize];
        if length > 0 {
            bits.skip(length.into());
            return Ok(value);
        }
        for length in QUICK_BITS + 1..=MAX_CODE_BITS {
            let (first, place, count) = self.lengths[length as usize - 1];
            let above = (ahead >> (MAX_CODE_BITS - length)).wrapping_sub(first);
            if above < count {
                bits.skip(length);
                let value = self.values.get((place + above) as usize);
                return value.copied().ok_or(DecodeError::Damaged);
            }
        }
        Err(DecodeError::Damaged)
    }
}
