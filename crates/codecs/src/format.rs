//! What goes into a decoder and what comes out. Nothing here decodes.

/// Decoded bytes of one frame: a 16-bit mosaic of 8192 × 16384. Whole-slide tiles and projections are far smaller.
pub const MAX_FRAME_BYTES: u64 = 256 << 20;

/// A family of compressions; which member of it a frame is, its own bytes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// ITU-T T.81: sequential and progressive DCT of 8 bits, sequential DCT of 12, lossless of 2 to 16.
    Jpeg,
    /// ITU-T T.87, lossless and near-lossless.
    JpegLs,
    /// ITU-T T.800, and T.814 (high throughput).
    Jpeg2000,
    /// PS3.5 annex G.
    Rle,
}

impl Codec {
    /// The codec of a transfer syntax (PS3.6 table A-1); `None` for native ones, video, and what is not decoded.
    #[must_use]
    pub fn of(transfer_syntax: &str) -> Option<Self> {
        match transfer_syntax.strip_prefix("1.2.840.10008.1.2.")? {
            // Retired ones are in archives: progressive (.53, .55), lossless with any predictor (.57).
            "4.50" | "4.51" | "4.53" | "4.55" | "4.57" | "4.70" => Some(Self::Jpeg),
            "4.80" | "4.81" => Some(Self::JpegLs),
            // .92 and .93 are part 2, whose first extension, transforms over many components, few files use.
            "4.90" | "4.91" | "4.92" | "4.93" | "4.201" | "4.202" | "4.203" => Some(Self::Jpeg2000),
            "5" => Some(Self::Rle),
            _ => None,
        }
    }
}

/// What three samples a pixel mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colour {
    /// Red, green, blue.
    Rgb,
    /// Luminance and two differences, full range.
    Ybr,
    /// One sample, a palette's index, or something else.
    Other,
}

/// What the header says of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameFormat {
    /// Height in pixels.
    pub rows: u16,
    /// Width in pixels.
    pub columns: u16,
    /// 1 to 4.
    pub samples_per_pixel: u8,
    /// 1 to 64.
    pub bits_allocated: u8,
    /// What Photometric Interpretation says; the frame may know better.
    pub colour: Colour,
}

impl FrameFormat {
    /// Bytes that a decoded sample takes: 1, 2, 4 or 8.
    #[must_use]
    pub fn bytes_per_sample(&self) -> u8 {
        self.bits_allocated.div_ceil(8).next_power_of_two()
    }

    /// Rows times columns times samples.
    pub(crate) fn sample_count(&self) -> u64 {
        u64::from(self.rows) * u64::from(self.columns) * u64::from(self.samples_per_pixel)
    }

    /// Bytes of the decoded frame.
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        self.sample_count() * u64::from(self.bytes_per_sample())
    }

    /// Refuses a frame that says of itself that it has another size: memory was granted for this one.
    pub(crate) fn expect_size(
        &self,
        rows: u32,
        columns: u32,
        samples: usize,
    ) -> Result<(), DecodeError> {
        let same = rows == u32::from(self.rows)
            && columns == u32::from(self.columns)
            && samples == usize::from(self.samples_per_pixel);
        if same {
            Ok(())
        } else {
            Err(DecodeError::Damaged)
        }
    }

    /// Writes interleaved samples as wide as the header allocates; the low bits where they are wider.
    pub(crate) fn write<T: Into<i64>>(&self, samples: impl Iterator<Item = T>) -> Samples {
        let width = usize::from(self.bytes_per_sample());
        let capacity = usize::try_from(self.decoded_bytes()).unwrap_or_default();
        let mut bytes = Vec::with_capacity(capacity);
        for sample in samples {
            bytes.extend_from_slice(&sample.into().to_le_bytes()[..width]);
        }
        Samples {
            bytes,
            layout: Layout::Interleaved,
            colour: self.colour,
        }
    }
}

/// How decoded samples follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// All samples of a pixel together.
    Interleaved,
    /// All pixels of a sample together.
    Planar,
    /// Eight single-bit samples a byte, the lowest bit first.
    PackedBits,
}

/// A decoded frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Samples {
    /// Little endian, as wide as [`FrameFormat::bytes_per_sample`].
    pub bytes: Vec<u8>,
    /// Their order.
    pub layout: Layout,
    /// What they mean, as far as the frame knows.
    pub colour: Colour,
}

/// Why a frame was not decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Show the frame elsewhere: this part of its format is not decoded here.
    #[error("the frame uses {0}, which is not decoded")]
    Unsupported(&'static str),
    /// The bytes are broken, or say another size than the header.
    #[error("the encoded frame is damaged")]
    Damaged,
    /// Beyond [`MAX_FRAME_BYTES`], or encoded beyond what a cage takes.
    #[error("a frame has more than {limit} bytes")]
    TooLarge {
        /// The limit in bytes.
        limit: u64,
    },
    /// The child that decoded the frame died of it.
    #[error("the decoder ended before the frame was decoded; the frame may be hostile")]
    Crashed,
    /// The child took too long and was ended.
    #[error("the frame took longer than {limit_ms} ms to decode")]
    TimedOut {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// All children were at work for long; try again.
    #[error("all decoders are busy; try again in a while")]
    Busy,
    /// No child could be started; the reason is the system's.
    #[error("the decoder cannot be started: {0}")]
    NotStarted(String),
}
