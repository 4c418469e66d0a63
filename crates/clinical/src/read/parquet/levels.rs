//! Parquet's mix of run lengths and packed bits, in which levels and places in a dictionary are written.

const CUT: &str = "a page is cut short";

/// Small numbers of one width.
pub(super) struct Hybrid<'a> {
    rest: &'a [u8],
    width: usize,
}

impl<'a> Hybrid<'a> {
    /// Numbers of `width` bits.
    pub(super) fn new(bytes: &'a [u8], width: u8) -> Result<Self, String> {
        if width > 32 {
            return Err("numbers of more than 32 bits".into());
        }
        Ok(Self {
            rest: bytes,
            width: usize::from(width),
        })
    }

    /// The first `count` numbers.
    pub(super) fn take(mut self, count: usize) -> Result<Vec<u32>, String> {
        let mut numbers = Vec::with_capacity(count);
        while numbers.len() < count {
            let head = self.varint()?;
            let run = usize::try_from(head >> 1).map_err(|_| CUT)?;
            let wanted = count - numbers.len();
            if head & 1 == 0 {
                let number = self.whole_bytes()?;
                if run == 0 {
                    return Err("a run of no length".into());
                }
                numbers.extend(std::iter::repeat_n(number, run.min(wanted)));
            } else {
                self.packed(run, wanted, &mut numbers)?;
            }
        }
        Ok(numbers)
    }

    /// Groups of eight numbers, bit behind bit.
    fn packed(
        &mut self,
        groups: usize,
        wanted: usize,
        numbers: &mut Vec<u32>,
    ) -> Result<(), String> {
        let length = groups.checked_mul(self.width).ok_or(CUT)?;
        // The last group may be cut where no value is missing.
        let (bytes, rest) = self.rest.split_at(length.min(self.rest.len()));
        self.rest = rest;
        let count = groups.saturating_mul(8).min(wanted);
        if count == 0 || bytes.len() * 8 < count * self.width {
            return Err(CUT.into());
        }
        let mask = (1_u64 << self.width) - 1;
        let (mut buffer, mut bits, mut bytes) = (0_u64, 0, bytes.iter());
        for _ in 0..count {
            while bits < self.width {
                buffer |= u64::from(*bytes.next().ok_or(CUT)?) << bits;
                bits += 8;
            }
            // The mask leaves at most 32 bits.
            numbers.push((buffer & mask) as u32);
            buffer >>= self.width;
            bits -= self.width;
        }
        Ok(())
    }

    fn whole_bytes(&mut self) -> Result<u32, String> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(self.width.div_ceil(8))
            .ok_or(CUT)?;
        self.rest = rest;
        let number = bytes.iter().rev();
        Ok(number.fold(0, |number, byte| number << 8 | u32::from(*byte)))
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(CUT)?;
            self.rest = rest;
            value |= u64::from(byte & 0x7F) << shift;
            if *byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CUT.into())
    }
}

#[cfg(test)]
mod tests {
    use super::Hybrid;

    /// The example of the format's own description: 0 to 7 in three bits.
    #[test]
    fn runs_and_packed_bits_are_read() {
        let check = |bytes: &[u8], width, count, expect: &[u32]| {
            let numbers = Hybrid::new(bytes, width).unwrap().take(count).unwrap();
            assert_eq!(numbers, expect);
        };
        check(&[0x03, 0x88, 0xC6, 0xFA], 3, 8, &[0, 1, 2, 3, 4, 5, 6, 7]);
        check(&[0x06, 0x05, 0x04, 0x01], 3, 5, &[5, 5, 5, 1, 1]);
        check(&[0x04, 0x01, 0x02], 12, 2, &[0x201, 0x201]);
    }

    #[test]
    fn what_is_cut_short_is_refused() {
        let check =
            |bytes: &[u8], width| assert!(Hybrid::new(bytes, width).unwrap().take(8).is_err());
        check(&[], 3);
        check(&[0x03, 0x88], 3);
        check(&[0x00, 0x01], 3);
        check(&[0xFF; 20], 3);
    }
}
