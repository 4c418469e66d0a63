//! The marker segments of a JPEG-LS frame (ITU-T T.87 annex C).

use super::model::Parameters;
use crate::DecodeError;

/// The frame header, SOF55 (T.87 C.2.2).
#[derive(Debug)]
pub(super) struct Frame {
    pub(super) precision: u8,
    pub(super) rows: u16,
    pub(super) columns: u16,
    pub(super) ids: Vec<u8>,
}

/// The order of components in a scan (T.87 C.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interleave {
    None,
    Line,
    Sample,
}

/// A scan header and where its data starts.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) components: usize,
    /// Place of its first component in the frame.
    pub(super) first: usize,
    pub(super) interleave: Interleave,
    pub(super) parameters: Parameters,
    pub(super) data_at: usize,
}

/// Preset coding parameters (T.87 C.2.4.1.1); zero stands for the default.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Preset {
    pub(super) max_value: u16,
    pub(super) thresholds: [u16; 3],
    pub(super) reset: u16,
}

/// Walks the segments.
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    pub(super) at: usize,
    pub(super) frame: Option<Frame>,
    preset: Preset,
}

impl<'a> Segments<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            frame: None,
            preset: Preset::default(),
        }
    }

    /// The next scan.
    pub(super) fn next_scan(&mut self) -> Result<Scan, DecodeError> {
        loop {
            let (marker, body) = self.segment().ok_or(DecodeError::Damaged)?;
            match marker {
                0xF7 if self.frame.is_none() => {
                    self.frame = Some(frame(body).ok_or(DecodeError::Damaged)?);
                }
                0xF7 => return Err(DecodeError::Damaged),
                0xF8 => self.presets(body)?,
                0xDA => return self.scan(body),
                0xDD => return Err(DecodeError::Unsupported("restarts in JPEG-LS")),
                0xE8 if body.starts_with(b"mrfx") && body.get(4) != Some(&0) => {
                    return Err(DecodeError::Unsupported("an HP colour transform"));
                }
                0xC0..=0xCF => return Err(DecodeError::Damaged),
                _ => {}
            }
        }
    }

    /// The next segment with parameters.
    fn segment(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let marker_at = rest.iter().position(|byte| *byte == 0xFF)? + 1;
            let marker = *rest.get(marker_at)?;
            self.at += marker_at;
            match marker {
                0xFF => {}
                0x00..=0x7F | 0xD0..=0xD8 => self.at += 1,
                0xD9 => return None,
                _ => {
                    let length = usize::from(u16_at(rest, marker_at + 1)?);
                    let body = rest.get(marker_at + 3..marker_at + 1 + length)?;
                    self.at += 1 + length;
                    return Some((marker, body));
                }
            }
        }
    }

    /// LSE (T.87 C.2.4.1): thresholds, but neither mapping tables nor sizes beyond 16 bits, which DICOM has not.
    fn presets(&mut self, body: &[u8]) -> Result<(), DecodeError> {
        if body.first() != Some(&1) {
            return Err(DecodeError::Unsupported("mapping tables of JPEG-LS"));
        }
        let number = |at: usize| u16_at(body, at).ok_or(DecodeError::Damaged);
        self.preset = Preset {
            max_value: number(1)?,
            thresholds: [number(3)?, number(5)?, number(7)?],
            reset: number(9)?,
        };
        Ok(())
    }

    fn scan(&self, body: &[u8]) -> Result<Scan, DecodeError> {
        let frame = self.frame.as_ref().ok_or(DecodeError::Damaged)?;
        let count = usize::from(*body.first().ok_or(DecodeError::Damaged)?);
        let parameters = body.get(1 + 2 * count..).unwrap_or_default();
        let (&[near, order, transform, ..], Some(id)) = (parameters, body.get(1)) else {
            return Err(DecodeError::Damaged);
        };
        if transform & 15 != 0 {
            return Err(DecodeError::Unsupported("a point transform of JPEG-LS"));
        }
        let interleave = match order {
            0 => Interleave::None,
            1 => Interleave::Line,
            2 => Interleave::Sample,
            _ => return Err(DecodeError::Damaged),
        };
        let first = frame.ids.iter().position(|known| known == id);
        let sound = Parameters::new(frame.precision, near, &self.preset);
        Ok(Scan {
            components: count,
            first: first.ok_or(DecodeError::Damaged)?,
            interleave,
            parameters: sound.ok_or(DecodeError::Damaged)?,
            data_at: self.at,
        })
    }
}

fn frame(body: &[u8]) -> Option<Frame> {
    let count = usize::from(*body.get(5)?);
    let described = body.get(6..6 + 3 * count)?;
    // Other sampling factors would make components of different sizes.
    let alike = described.chunks(3).all(|three| three[1] == 0x11);
    alike.then_some(Frame {
        precision: *body.first()?,
        rows: u16_at(body, 1)?,
        columns: u16_at(body, 3)?,
        ids: described.chunks(3).map(|three| three[0]).collect(),
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|unit| u16::from_be_bytes(*unit))
}
