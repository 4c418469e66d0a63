//! The incremental reader: fed what comes over the network, it gives headers and slices of bodies, and keeps nothing
//! but one part's headers (RFC 2046 section 5.1.1).
//!
//! Time is linear in what comes, however it is cut: the delimiter has one carriage return, its first byte, so a delimiter
//! that is cut in two can only begin at the last one of a piece.

use bytes::{Buf as _, Bytes};
use memchr::memmem::Finder;

use super::{Boundary, PartHeaders};

/// What a reader bears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Parts of one body.
    pub parts: u32,
    /// Bytes of the headers of one part, and of the text before the first part and after the last.
    pub header_bytes: usize,
    /// Bytes of one part.
    pub part_bytes: u64,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A part begins.
    Part(PartHeaders),
    /// More bytes of it, never none.
    Body(Bytes),
    /// The part is complete.
    PartEnd,
    /// The last part was complete.
    End,
}

/// Why a body is not understood. Parts are counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MultipartError {
    /// No part where there must be one.
    #[error("more than {limit} bytes stand outside of any part: the boundary may be another one")]
    Outside {
        /// The limit in bytes.
        limit: usize,
    },
    /// A boundary with something else behind it than a line end or two hyphens.
    #[error("the line of the boundary before part {part} has more than the boundary")]
    Delimiter {
        /// The part that should begin.
        part: u32,
    },
    /// Headers beyond the limit.
    #[error("the headers of part {part} have more than {limit} bytes")]
    HeadersTooLong {
        /// The part.
        part: u32,
        /// The limit in bytes.
        limit: usize,
    },
    /// Headers that are none.
    #[error("the headers of part {part} are not lines of name and value that end in CRLF")]
    BadHeaders {
        /// The part.
        part: u32,
    },
    /// Too many parts.
    #[error("there are more than {limit} parts: send them in several requests")]
    TooManyParts {
        /// The limit.
        limit: u32,
    },
    /// A part beyond the limit.
    #[error("part {part} has more than {limit} bytes")]
    PartTooLarge {
        /// The part.
        part: u32,
        /// The limit in bytes.
        limit: u64,
    },
    /// The body ends before the closing boundary.
    #[error("the body ends in part {part}, before the closing boundary: send it again")]
    CutOff {
        /// The part.
        part: u32,
    },
}

/// Bytes that are moved aside at a time while headers are looked for: most headers fit, and little is moved twice.
const HEADER_STEP: usize = 256;

/// What ends the headers.
const EMPTY_LINE: &[u8] = b"\r\n\r\n";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Preamble,
    /// Behind the text of a boundary.
    Line,
    /// In the headers of a part, beginning with the line end before them.
    Headers,
    Body,
    /// Behind the closing boundary.
    Epilogue,
}

/// Reads one body.
#[derive(Debug)]
pub struct Reader {
    delimiter: Vec<u8>,
    finder: Finder<'static>,
    limits: Limits,
    state: State,
    chunk: Bytes,
    /// Bytes of the delimiter that were seen at the end of what came.
    held: usize,
    /// How many of those do not belong to the body if it is no delimiter after all.
    outside: usize,
    /// Line of a boundary, or headers, as far as they came.
    carry: Vec<u8>,
    parts: u32,
    /// Bytes of this part, or outside of any.
    bytes: u64,
}

impl Reader {
    /// A reader of a body with this boundary.
    #[must_use]
    pub fn new(boundary: &Boundary, limits: Limits) -> Self {
        let delimiter = boundary.delimiter();
        Self {
            finder: Finder::new(&delimiter).into_owned(),
            delimiter,
            limits,
            state: State::Preamble,
            chunk: Bytes::new(),
            // The first boundary may stand at the very beginning: as if a line end had come before it.
            held: LINE_END,
            outside: LINE_END,
            carry: Vec::new(),
            parts: 0,
            bytes: 0,
        }
    }

    /// Takes the next piece. Everything of the piece before must have been asked for with [`Reader::next_event`].
    pub fn feed(&mut self, chunk: Bytes) {
        if self.chunk.is_empty() {
            self.chunk = chunk;
        } else {
            self.chunk = [&self.chunk[..], &chunk].concat().into();
        }
    }

    /// What comes next; `None` when more must be fed.
    ///
    /// # Errors
    /// [`MultipartError`]; nothing sensible comes after one.
    pub fn next_event(&mut self) -> Result<Option<Event>, MultipartError> {
        while !self.chunk.is_empty() {
            let event = match self.state {
                State::Preamble => self.preamble()?,
                State::Line => self.line()?,
                State::Headers => self.headers()?,
                State::Body => self.body()?,
                State::Epilogue => self.epilogue()?,
            };
            if event.is_some() {
                return Ok(event);
            }
        }
        Ok(None)
    }

    /// Says whether the closing boundary came.
    ///
    /// # Errors
    /// [`MultipartError::CutOff`].
    pub fn finish(&self) -> Result<(), MultipartError> {
        match self.state {
            State::Epilogue => Ok(()),
            _ => Err(MultipartError::CutOff { part: self.parts }),
        }
    }

    fn preamble(&mut self) -> Result<Option<Event>, MultipartError> {
        match self.scan() {
            Scanned::Text(text) => self.count_outside(text.len()),
            Scanned::Delimiter => {
                self.begin_line();
                Ok(None)
            }
            Scanned::Nothing => Ok(None),
        }
    }

    fn epilogue(&mut self) -> Result<Option<Event>, MultipartError> {
        let length = self.chunk.len();
        self.chunk.clear();
        self.count_outside(length)
    }

    fn count_outside(&mut self, length: usize) -> Result<Option<Event>, MultipartError> {
        self.bytes += length as u64;
        let limit = self.limits.header_bytes;
        if self.bytes > limit as u64 {
            return Err(MultipartError::Outside { limit });
        }
        Ok(None)
    }

    fn begin_line(&mut self) {
        self.state = State::Line;
        self.carry.clear();
    }

    /// Blanks and a line end, or two hyphens for the last boundary.
    fn line(&mut self) -> Result<Option<Event>, MultipartError> {
        let part = self.parts + 1;
        let byte = self.chunk.get_u8();
        match (self.carry.as_slice(), byte) {
            ([], b' ' | b'\t') => self.bytes += 1,
            ([], b'\r' | b'-') => self.carry.push(byte),
            ([b'\r'], b'\n') => {
                self.carry.push(byte);
                self.state = State::Headers;
            }
            ([b'-'], b'-') => {
                (self.state, self.bytes) = (State::Epilogue, 0);
                return Ok(Some(Event::End));
            }
            _ => return Err(MultipartError::Delimiter { part }),
        }
        if self.bytes > self.limits.header_bytes as u64 {
            return Err(MultipartError::Delimiter { part });
        }
        Ok(None)
    }

    fn headers(&mut self) -> Result<Option<Event>, MultipartError> {
        let (part, limit) = (self.parts + 1, self.limits.header_bytes);
        let before = self.carry.len();
        let step = self.chunk.len().min(HEADER_STEP);
        self.carry.extend_from_slice(&self.chunk[..step]);
        let from = before.saturating_sub(EMPTY_LINE.len() - 1);
        let Some(at) = memchr::memmem::find(&self.carry[from..], EMPTY_LINE) else {
            self.chunk.advance(step);
            // The last bytes may begin the empty line, which is no header.
            if self.carry.len() >= limit + EMPTY_LINE.len() {
                return Err(MultipartError::HeadersTooLong { part, limit });
            }
            return Ok(None);
        };
        let end = from + at;
        self.chunk.advance(end + EMPTY_LINE.len() - before);
        self.begin_part(end)
    }

    fn begin_part(&mut self, end: usize) -> Result<Option<Event>, MultipartError> {
        let (part, limit) = (self.parts + 1, self.limits.header_bytes);
        if end > limit {
            return Err(MultipartError::HeadersTooLong { part, limit });
        }
        if self.parts == self.limits.parts {
            return Err(MultipartError::TooManyParts {
                limit: self.limits.parts,
            });
        }
        let headers = PartHeaders::parse(&self.carry[..end]);
        let headers = headers.ok_or(MultipartError::BadHeaders { part })?;
        // A part without a body: the line end of the empty line may be the delimiter's (RFC 2046, "body-part").
        (self.held, self.outside) = (LINE_END, LINE_END);
        (self.state, self.parts, self.bytes) = (State::Body, part, 0);
        Ok(Some(Event::Part(headers)))
    }

    fn body(&mut self) -> Result<Option<Event>, MultipartError> {
        match self.scan() {
            Scanned::Text(text) => {
                self.bytes += text.len() as u64;
                let (part, limit) = (self.parts, self.limits.part_bytes);
                if self.bytes > limit {
                    return Err(MultipartError::PartTooLarge { part, limit });
                }
                Ok(Some(Event::Body(text)))
            }
            Scanned::Delimiter => {
                self.bytes = 0;
                self.begin_line();
                Ok(Some(Event::PartEnd))
            }
            Scanned::Nothing => Ok(None),
        }
    }

    /// Text up to a delimiter, or up to what may be the beginning of one.
    fn scan(&mut self) -> Scanned {
        if self.held > 0 {
            return self.go_on_with_held();
        }
        if let Some(at) = self.finder.find(&self.chunk) {
            let text = self.chunk.split_to(at);
            if !text.is_empty() {
                return Scanned::Text(text);
            }
            self.chunk.advance(self.delimiter.len());
            return Scanned::Delimiter;
        }
        self.held = self.begun_at_end();
        let text = self.chunk.split_to(self.chunk.len() - self.held);
        self.chunk.clear();
        match text.is_empty() {
            true => Scanned::Nothing,
            false => Scanned::Text(text),
        }
    }

    /// How many of the last bytes are the first of the delimiter.
    fn begun_at_end(&self) -> usize {
        let tail = self.chunk.len().saturating_sub(self.delimiter.len() - 1);
        let last = memchr::memrchr(b'\r', &self.chunk[tail..]);
        let begun = last.map(|at| &self.chunk[tail + at..]);
        begun
            .filter(|begun| self.delimiter.starts_with(begun))
            .map_or(0, <[u8]>::len)
    }

    fn go_on_with_held(&mut self) -> Scanned {
        let wanted = &self.delimiter[self.held..];
        let same = wanted
            .iter()
            .zip(&self.chunk[..])
            .take_while(|(a, b)| a == b)
            .count();
        if same == wanted.len() {
            self.chunk.advance(same);
            (self.held, self.outside) = (0, 0);
            return Scanned::Delimiter;
        }
        if same == self.chunk.len() {
            self.held += same;
            self.chunk.clear();
            return Scanned::Nothing;
        }
        let text = Bytes::copy_from_slice(&self.delimiter[self.outside..self.held]);
        (self.held, self.outside) = (0, 0);
        match text.is_empty() {
            true => Scanned::Nothing,
            false => Scanned::Text(text),
        }
    }
}

/// Bytes of a line end.
const LINE_END: usize = 2;

enum Scanned {
    Text(Bytes),
    Delimiter,
    Nothing,
}
