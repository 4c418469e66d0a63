//! Bits of a JPEG-LS scan: after a byte of ones, the next has only seven bits of data (ITU-T T.87 A.1).

/// Bits, first bit first. After the data come zeros, which [`Bits::is_over`] tells.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
    window: u64,
    held: u32,
    /// Bits in the window that are not of the data.
    invented: u32,
}

impl<'a> Bits<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            window: 0,
            held: 0,
            invented: 0,
        }
    }

    fn fill(&mut self) {
        while self.held <= 56 {
            let after_ones = self.at > 0 && self.bytes.get(self.at - 1) == Some(&0xFF);
            let (byte, bits) = match self.bytes.get(self.at..) {
                Some([]) | None => (0, 0),
                Some([0xFF, next, ..]) if *next >= 0x80 => (0, 0),
                Some([byte, ..]) if after_ones => (*byte, 7),
                Some([byte, ..]) => (*byte, 8),
            };
            if bits == 0 {
                self.invented += 8;
                self.held += 8;
                continue;
            }
            self.at += 1;
            self.held += bits;
            self.window |= u64::from(byte) << (64 - self.held);
        }
    }

    /// The next bits as a number; at most 32.
    pub(super) fn read(&mut self, count: u32) -> u32 {
        if count == 0 {
            return 0;
        }
        if self.held < count {
            self.fill();
        }
        let bits = (self.window >> (64 - count)) as u32;
        self.window <<= count;
        self.held -= count;
        bits
    }

    /// Zeros before the next one, which is passed too; `None` beyond `limit`.
    pub(super) fn zeros(&mut self, limit: u32) -> Option<u32> {
        let mut zeros = 0;
        loop {
            if self.held == 0 {
                self.fill();
            }
            let run = self.window.leading_zeros().min(self.held);
            zeros += run;
            if zeros > limit {
                return None;
            }
            if run < self.held {
                self.window = self.window << run << 1;
                self.held -= run + 1;
                return Some(zeros);
            }
            (self.window, self.held) = (0, 0);
        }
    }

    /// Whether more was read than was there.
    pub(super) fn is_over(&self) -> bool {
        self.invented > self.held
    }

    /// Bytes taken; the next marker is not before the last of them.
    pub(super) fn taken(&self) -> usize {
        // What the window still holds may be part of what follows only after a marker, where filling stops.
        self.at
    }
}
