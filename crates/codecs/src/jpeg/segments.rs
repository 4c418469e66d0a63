//! The marker segments of a JPEG (ITU-T T.81 annex B): frame, tables, scans. Entropy-coded data is left to others.

use super::bits::Huffman;
use crate::DecodeError;

/// Most tables of a kind, and most components of a scan (T.81 tables B.4, B.5 and B.3).
const MAX_TABLES: usize = 4;

/// How a frame is coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Process {
    Sequential,
    Progressive,
    Lossless,
    /// Arithmetic coding or hierarchical frames.
    Other,
}

/// A component of the frame (T.81 B.2.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Component {
    pub(super) id: u8,
    /// Samples across and down for each unit of the frame, 1 to 4.
    pub(super) across: u8,
    pub(super) down: u8,
    pub(super) quantisation: usize,
}

/// The frame header, and whether JFIF announced it.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    pub(super) process: Process,
    pub(super) precision: u8,
    pub(super) rows: u16,
    pub(super) columns: u16,
    pub(super) components: Vec<Component>,
    pub(super) is_jfif: bool,
}

/// One component of a scan: its place in the frame and its Huffman tables.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scanned {
    pub(super) component: usize,
    pub(super) dc: usize,
    pub(super) ac: usize,
}

/// A scan header (T.81 B.2.3) and where its data starts.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) components: Vec<Scanned>,
    /// The predictor of a lossless scan.
    pub(super) selection: u8,
    pub(super) point_transform: u8,
    pub(super) data_at: usize,
}

/// Walks the segments and keeps the tables that are in force.
#[derive(Default)]
pub(super) struct Segments<'a> {
    bytes: &'a [u8],
    at: usize,
    is_jfif: bool,
    pub(super) frame: Option<Frame>,
    pub(super) dc: [Option<Huffman>; MAX_TABLES],
    pub(super) ac: [Option<Huffman>; MAX_TABLES],
    pub(super) quantisation: [Option<[u16; 64]>; MAX_TABLES],
    pub(super) restart_interval: usize,
}

impl<'a> Segments<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            ..Self::default()
        }
    }

    /// The frame header alone.
    pub(super) fn frame_of(bytes: &[u8]) -> Result<Frame, DecodeError> {
        let mut segments = Segments::new(bytes);
        while segments.frame.is_none() {
            let (marker, body) = segments.segment().ok_or(DecodeError::Damaged)?;
            match marker {
                0xC0..=0xCF | 0xE0 => segments.apply(marker, body).ok_or(DecodeError::Damaged)?,
                0xDA => return Err(DecodeError::Damaged),
                _ => {}
            }
        }
        segments.frame.ok_or(DecodeError::Damaged)
    }

    /// The next scan; `None` at the end of the image or of the bytes.
    pub(super) fn next_scan(&mut self) -> Result<Option<Scan>, DecodeError> {
        while let Some((marker, body)) = self.segment() {
            if marker == 0xDA {
                return self.scan(body).map(Some).ok_or(DecodeError::Damaged);
            }
            self.apply(marker, body).ok_or(DecodeError::Damaged)?;
        }
        Ok(None)
    }

    /// The next segment with parameters. Entropy-coded data, fill bytes and markers that stand alone are passed over.
    fn segment(&mut self) -> Option<(u8, &'a [u8])> {
        loop {
            let rest = self.bytes.get(self.at..)?;
            let marker_at = rest.iter().position(|byte| *byte == 0xFF)? + 1;
            let marker = *rest.get(marker_at)?;
            self.at += marker_at;
            match marker {
                0xFF => {}
                0x00 | 0x01 | 0xD0..=0xD8 => self.at += 1,
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

    fn apply(&mut self, marker: u8, body: &[u8]) -> Option<()> {
        match marker {
            0xC4 => self.huffman_tables(body)?,
            0xC8 | 0xCC => {}
            0xC0..=0xCF => {
                // A second frame would be hierarchical coding.
                if self.frame.is_some() {
                    return None;
                }
                self.frame = Some(frame(marker, body, self.is_jfif)?);
            }
            0xDB => self.quantisation_tables(body)?,
            0xDD => self.restart_interval = usize::from(u16_at(body, 0)?),
            0xE0 => self.is_jfif |= body.starts_with(b"JFIF"),
            _ => {}
        }
        Some(())
    }

    fn huffman_tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let (counts, rest) = rest.split_first_chunk::<16>()?;
            let total = counts.iter().map(|count| usize::from(*count)).sum();
            let (values, rest) = rest.split_at_checked(total)?;
            let tables = if kind >> 4 == 0 {
                &mut self.dc
            } else {
                &mut self.ac
            };
            *tables.get_mut(usize::from(kind & 15))? = Some(Huffman::new(counts, values)?);
            body = rest;
        }
        Some(())
    }

    fn quantisation_tables(&mut self, mut body: &[u8]) -> Option<()> {
        while let Some((kind, rest)) = body.split_first() {
            let width = if kind >> 4 == 0 { 1 } else { 2 };
            let (values, rest) = rest.split_at_checked(64 * width)?;
            let mut table = [0; 64];
            for (value, place) in values.chunks(width).zip(&mut table) {
                *place = value
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u16::from(*byte));
            }
            *self.quantisation.get_mut(usize::from(kind & 15))? = Some(table);
            body = rest;
        }
        Some(())
    }

    fn scan(&self, body: &[u8]) -> Option<Scan> {
        let (count, rest) = body.split_first()?;
        let count = usize::from(*count);
        let (selectors, parameters) = rest.split_at_checked(2 * count)?;
        if !(1..=MAX_TABLES).contains(&count) {
            return None;
        }
        let frame = self.frame.as_ref()?;
        let scanned = |pair: &[u8]| {
            let component = frame.components.iter().position(|c| c.id == pair[0])?;
            let tables = [usize::from(pair[1] >> 4), usize::from(pair[1] & 15)];
            tables
                .iter()
                .all(|table| *table < MAX_TABLES)
                .then_some(Scanned {
                    component,
                    dc: tables[0],
                    ac: tables[1],
                })
        };
        Some(Scan {
            components: selectors.chunks(2).map(scanned).collect::<Option<_>>()?,
            selection: *parameters.first()?,
            point_transform: parameters.get(2)? & 15,
            data_at: self.at,
        })
    }
}

fn frame(marker: u8, body: &[u8], is_jfif: bool) -> Option<Frame> {
    let process = match marker {
        0xC0 | 0xC1 => Process::Sequential,
        0xC2 => Process::Progressive,
        0xC3 => Process::Lossless,
        _ => Process::Other,
    };
    let count = usize::from(*body.get(5)?);
    let described = body.get(6..6 + 3 * count)?;
    let component = |three: &[u8]| {
        let (across, down) = (three[1] >> 4, three[1] & 15);
        let legal = (1..=4).contains(&across) && (1..=4).contains(&down);
        legal.then_some(Component {
            id: three[0],
            across,
            down,
            quantisation: usize::from(three[2]),
        })
    };
    Some(Frame {
        process,
        precision: *body.first()?,
        rows: u16_at(body, 1)?,
        columns: u16_at(body, 3)?,
        components: described.chunks(3).map(component).collect::<Option<_>>()?,
        is_jfif,
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes
        .get(at..)?
        .first_chunk()
        .map(|unit| u16::from_be_bytes(*unit))
}
