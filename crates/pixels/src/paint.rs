//! Black into native little endian pixel bytes (PS3.5 section 8, PS3.3 C.7.6.3.1.3).

use arno_dicom::frames::PixelFormat;

use crate::black::Black;
use crate::region::Region;

/// Native frames of one instance, open for painting.
pub(crate) struct Canvas<'a> {
    pub(crate) value: &'a mut [u8],
    pub(crate) format: &'a PixelFormat,
    pub(crate) black: Black,
}

/// How the samples of neighbouring pixels lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Samples {
    /// Single bits, the first in the lowest.
    Bits,
    /// Whole bytes, all samples of a pixel together.
    Interleaved,
    /// Whole bytes, plane by plane.
    Planar,
    /// Two pixels share their colour: Y₁ Y₂ C_B C_R.
    Paired,
}

impl Samples {
    /// How they lie in this format, if it is one that can be painted.
    pub(crate) fn of(format: &PixelFormat) -> Option<Self> {
        let is_paired = format.samples_per_pixel == 3 && format.photometric.ends_with("_422");
        match (format.bits_allocated, is_paired, format.planar) {
            (1, false, _) if format.samples_per_pixel == 1 => Some(Self::Bits),
            (8, true, false) => Some(Self::Paired),
            (8 | 16 | 32 | 64, false, true) if format.samples_per_pixel > 1 => Some(Self::Planar),
            (8 | 16 | 32 | 64, false, _) => Some(Self::Interleaved),
            _ => None,
        }
    }
}

impl Canvas<'_> {
    /// Paints one region, clipped before, into one frame. Nothing if a pixel is not there.
    #[must_use]
    pub(crate) fn paint(&mut self, samples: Samples, frame: u32, region: Region) -> Option<()> {
        for y in region.y..region.y + region.height {
            for x in region.x..region.x + region.width {
                let pixel = y as usize * usize::from(self.format.columns) + x as usize;
                match samples {
                    Samples::Bits => self.bit(frame, pixel)?,
                    Samples::Interleaved => self.together(frame, pixel)?,
                    Samples::Planar => self.apart(frame, pixel)?,
                    Samples::Paired => self.pair(frame, pixel)?,
                }
            }
        }
        Some(())
    }

    fn pixels(&self) -> usize {
        usize::from(self.format.rows) * usize::from(self.format.columns)
    }

    /// Frames of single bits share bytes.
    fn bit(&mut self, frame: u32, pixel: usize) -> Option<()> {
        let bit = frame as usize * self.pixels() + pixel;
        let byte = self.value.get_mut(bit / 8)?;
        let mask = 1 << (bit % 8);
        match self.black.samples[0] {
            0 => *byte &= !mask,
            _ => *byte |= mask,
        }
        Some(())
    }

    fn together(&mut self, frame: u32, pixel: usize) -> Option<()> {
        let samples = usize::from(self.format.samples_per_pixel);
        let first = (frame as usize * self.pixels() + pixel) * samples;
        (0..samples).try_for_each(|sample| self.put(first + sample, sample))
    }

    fn apart(&mut self, frame: u32, pixel: usize) -> Option<()> {
        let (samples, pixels) = (usize::from(self.format.samples_per_pixel), self.pixels());
        let plane = |sample| (frame as usize * samples + sample) * pixels;
        (0..samples).try_for_each(|sample| self.put(plane(sample) + pixel, sample))
    }

    /// The neighbour loses its colour too: it has none of its own.
    fn pair(&mut self, frame: u32, pixel: usize) -> Option<()> {
        let start = frame as usize * self.pixels() * 2 + pixel / 2 * 4;
        let [y, cb, cr] = self.black.samples;
        for (at, sample) in [(pixel % 2, y), (2, cb), (3, cr)] {
            *self.value.get_mut(start + at)? = *sample.to_le_bytes().first()?;
        }
        Some(())
    }

    /// Writes sample number `at` of the value.
    fn put(&mut self, at: usize, sample: usize) -> Option<()> {
        let width = usize::from(self.format.bits_allocated / 8);
        let start = at.checked_mul(width)?;
        let place = self.value.get_mut(start..start.checked_add(width)?)?;
        let bytes = self.black.samples.get(sample)?.to_le_bytes();
        place.copy_from_slice(bytes.get(..width)?);
        Some(())
    }
}
