//! Bounded walk over an encoded data set before any of it becomes an object (PS3.5 section 7).
//!
//! The walk is iterative, allocates only its list of entries (32 bytes for at least 8 bytes of input)
//! and holds every declared length against what its parent has left. What it accepts, the `header` module turns
//! into elements by these very offsets: there is no second parser that could read the same bytes otherwise.
//!
//! Not here: file meta information (`meta`), values, pixel bytes (only where they lie).

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use crate::element::{
    ElementHeader, HeaderError, ITEM, ITEM_END, SEQUENCE_END, SHORT_HEADER, UNDEFINED,
    dictionary_vr, is_pixel_data, read_header,
};
use crate::error::{Limited, Problem, ReadError};
use crate::syntax::{Encoding, is_multi_valued_text};

/// Sequences inside sequences. Real structured reports reach about 15; recursion over 32 levels is harmless.
pub const MAX_DEPTH: usize = 32;
/// Elements and items of one header. A whole-slide segmentation with 10,000 frames has about 300,000.
pub const MAX_ELEMENTS: usize = 500_000;
/// Items of one header. Each takes up to 1.4 KB as a map of its own, whatever its bytes say, so this bounds a
/// header of a few megabytes to about 250 MB; the segmentation above has about 70,000.
pub const MAX_ITEMS: usize = 150_000;
/// Bytes of one value other than pixel data: encapsulated documents and point annotations get this far.
pub const MAX_VALUE_BYTES: usize = 64 << 20;
/// Bytes of all that comes before pixel data.
pub const MAX_HEADER_BYTES: usize = 128 << 20;
/// Values in multi-valued text, 1.3 million contour points. Each is a string of its own: 240 MB at most for short ones.
pub const MAX_TEXT_VALUES: usize = 4_000_000;

/// What the walk found.
#[derive(Debug)]
pub(crate) struct Scan {
    pub(crate) entries: Vec<Entry>,
    pub(crate) pixels: Option<PixelSpan>,
}

/// One step of the data set, in file order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// An element with a value at `start..start + length`.
    Value {
        tag: Tag,
        vr: VR,
        big: bool,
        start: usize,
        length: u32,
    },
    /// A sequence; [`Entry::Item`]s follow until [`Entry::End`].
    Sequence { tag: Tag },
    /// An item; its elements follow until [`Entry::End`].
    Item,
    /// Encapsulated pixel data inside an item (an icon), first fragment item at `start`.
    Fragments { tag: Tag, big: bool, start: usize },
    /// End of the innermost open sequence or item.
    End,
}

/// Where the pixel data element lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PixelSpan {
    pub(crate) start: usize,
    pub(crate) value: usize,
    pub(crate) end: usize,
    pub(crate) encapsulated: bool,
}

/// Walks the data set that starts at `start` of `bytes` and ends with them or after its pixel data.
pub(crate) fn scan(bytes: &[u8], start: usize, encoding: Encoding) -> Result<Scan, ReadError> {
    let mut walk = Walk {
        bytes,
        start,
        at: start,
        open: Vec::new(),
        entries: Vec::new(),
        signed: false,
        texts: 0,
        elements: 0,
        items: 0,
        encoding,
    };
    let pixels = walk.run()?;
    Ok(Scan {
        entries: walk.entries,
        pixels,
    })
}

/// An open sequence or item.
#[derive(Debug, Clone, Copy)]
struct Frame {
    tag: Tag,
    is_item: bool,
    /// First byte that no longer belongs to it; the parent's where the length is undefined.
    end: usize,
    defined: bool,
    encoding: Encoding,
    /// Where to go back to if this is no sequence after all.
    guess: Option<Guess>,
}

/// A value marked `UN` that the dictionary says is a sequence.
#[derive(Debug, Clone, Copy)]
struct Guess {
    /// First byte of the value.
    value: usize,
    /// Entries before it.
    entries: usize,
}

struct Walk<'a> {
    bytes: &'a [u8],
    start: usize,
    at: usize,
    open: Vec<Frame>,
    entries: Vec<Entry>,
    /// Pixel Representation of the top level, for VRs that depend on it.
    signed: bool,
    texts: usize,
    elements: usize,
    items: usize,
    encoding: Encoding,
}

impl Walk<'_> {
    fn run(&mut self) -> Result<Option<PixelSpan>, ReadError> {
        loop {
            self.close_finished();
            let step = match self.open.last() {
                None if self.is_only_padding() => return Ok(None),
                Some(frame) if !frame.is_item => self.step_item(*frame).map(|()| None),
                _ => self.step_element(),
            };
            match step {
                Ok(None) => {}
                Ok(pixels) => return Ok(pixels),
                Err(error) => self.give_up_guess(error)?,
            }
        }
    }

    /// Takes the innermost guessed sequence that an error lies in for the unknown bytes that it was marked as. Bytes are
    /// walked at most once more for each level of nesting; limits stay what they are.
    fn give_up_guess(&mut self, error: ReadError) -> Result<(), ReadError> {
        let is_encoding = matches!(
            error,
            ReadError::Malformed { .. } | ReadError::Truncated { .. }
        );
        let guessed = self.open.iter().rposition(|frame| frame.guess.is_some());
        let Some((level, guess)) = guessed
            .filter(|_| is_encoding)
            .and_then(|level| Some((level, self.open[level].guess?)))
        else {
            return Err(error);
        };
        let Frame { tag, end, .. } = self.open[level];
        let (start, big) = (guess.value, false);
        let length = u32::try_from(end - start).map_err(|_| error)?;
        self.open.truncate(level);
        self.entries.truncate(guess.entries);
        self.push(
            tag,
            Entry::Value {
                tag,
                vr: VR::UN,
                big,
                start,
                length,
            },
        )?;
        self.at = end;
        Ok(())
    }

    fn close_finished(&mut self) {
        while self
            .open
            .last()
            .is_some_and(|frame| frame.defined && frame.end == self.at)
        {
            self.open.pop();
            self.entries.push(Entry::End);
        }
    }

    /// Whether nothing but zeros is left: some writers pad files to a block size. Decided on the first
    /// eight bytes unless those are zero, which no element header is, so that the walk stays linear.
    fn is_only_padding(&self) -> bool {
        let rest = &self.bytes[self.at..];
        rest.iter().take(SHORT_HEADER).all(|byte| *byte == 0) && rest.iter().all(|byte| *byte == 0)
    }

    /// End of what may be read here, and how binary numbers are encoded.
    fn context(&self) -> (usize, Encoding) {
        self.open
            .last()
            .map_or((self.bytes.len(), self.encoding), |frame| {
                (frame.end, frame.encoding)
            })
    }

    fn step_item(&mut self, sequence: Frame) -> Result<(), ReadError> {
        let header = self.header(sequence.end, sequence.encoding)?;
        match header.tag {
            ITEM => self.open_frame(header, sequence.tag, true, sequence.encoding, Entry::Item),
            SEQUENCE_END if !sequence.defined => self.close(header),
            ITEM_END | SEQUENCE_END => Err(self.malformed(header.tag, Problem::StrayDelimiter)),
            _ => Err(self.malformed(header.tag, Problem::NotAnItem)),
        }
    }

    fn step_element(&mut self) -> Result<Option<PixelSpan>, ReadError> {
        let (end, encoding) = self.context();
        let header = self.header(end, encoding)?;
        let tag = header.tag;
        match tag {
            ITEM_END if self.open.last().is_some_and(|item| !item.defined) => self.close(header)?,
            Tag(0xFFFE, _) => return Err(self.malformed(tag, Problem::StrayDelimiter)),
            Tag(0x0000 | 0x0002, _) => return Err(self.malformed(tag, Problem::ForeignGroup)),
            _ if is_pixel_data(tag) && self.open.is_empty() => {
                return self.pixel_span(header, encoding).map(Some);
            }
            // Group lengths are retired (PS3.5 section 7.2) and wrong as soon as anything changes.
            Tag(_, 0x0000) if header.length != UNDEFINED => self.at = self.value_end(header)?,
            _ => self.element(header, encoding)?,
        }
        self.check_header_bytes(tag)?;
        Ok(None)
    }

    fn element(&mut self, header: ElementHeader, encoding: Encoding) -> Result<(), ReadError> {
        let tag = header.tag;
        let (vr, inner) = self.resolve(header, encoding);
        match (vr, header.length) {
            (VR::SQ, _) => {
                let guess =
                    (header.vr == Some(VR::UN) && header.length != UNDEFINED).then_some(Guess {
                        value: self.at + header.size,
                        entries: self.entries.len(),
                    });
                self.open_frame(header, tag, false, inner, Entry::Sequence { tag })?;
                if let Some(frame) = self.open.last_mut() {
                    frame.guess = guess;
                }
                Ok(())
            }
            // PS3.5 section 6.2.2: a sequence whose VR the writer did not know, implicit VR inside.
            (VR::UN, UNDEFINED) => self.open_frame(
                header,
                tag,
                false,
                Encoding::ImplicitLittle,
                Entry::Sequence { tag },
            ),
            (VR::OB | VR::OW, UNDEFINED) if is_pixel_data(tag) && inner.is_explicit() => {
                self.fragments(header, inner)
            }
            (_, UNDEFINED) => Err(self.malformed(tag, Problem::UndefinedLength)),
            _ => self.value(header, vr, inner),
        }
    }

    /// The VR to read a value with, and the encoding of what is inside. Implicit ones come from the
    /// dictionary; so do known attributes that a gateway marked `UN`, whose bytes are then implicit little
    /// endian (PS3.5 section 6.2.2): a name hidden in such a sequence must be seen as what it is.
    fn resolve(&self, header: ElementHeader, encoding: Encoding) -> (VR, Encoding) {
        let known = || dictionary_vr(header.tag, self.signed);
        match header.vr {
            None => (known().unwrap_or(VR::UN), encoding),
            Some(VR::UN) if !encoding.is_big() => {
                (known().unwrap_or(VR::UN), Encoding::ImplicitLittle)
            }
            Some(vr) => (vr, encoding),
        }
    }

    fn value(
        &mut self,
        header: ElementHeader,
        vr: VR,
        encoding: Encoding,
    ) -> Result<(), ReadError> {
        let (tag, length) = (header.tag, header.length);
        let end = self.value_end(header)?;
        let start = self.at + header.size;
        if end - start > MAX_VALUE_BYTES {
            return Err(self.too_large(tag, Limited::ValueBytes, MAX_VALUE_BYTES));
        }
        self.note(tag, vr, &self.bytes[start..end], encoding)?;
        self.push(
            tag,
            Entry::Value {
                tag,
                vr,
                big: encoding.is_big(),
                start,
                length,
            },
        )?;
        self.at = end;
        Ok(())
    }

    /// Remembers what later elements or limits depend on.
    fn note(
        &mut self,
        tag: Tag,
        vr: VR,
        value: &[u8],
        encoding: Encoding,
    ) -> Result<(), ReadError> {
        if tag == tags::PIXEL_REPRESENTATION && self.open.is_empty() {
            self.signed = value
                .first_chunk()
                .is_some_and(|unit| encoding.u16(*unit) == 1);
        }
        if is_multi_valued_text(vr) {
            self.texts += value.iter().filter(|byte| **byte == b'\\').count();
        }
        if self.texts > MAX_TEXT_VALUES {
            return Err(self.too_large(tag, Limited::TextValues, MAX_TEXT_VALUES));
        }
        Ok(())
    }

    fn fragments(&mut self, header: ElementHeader, encoding: Encoding) -> Result<(), ReadError> {
        let start = self.at + header.size;
        let (bound, _) = self.context();
        let tag = header.tag;
        self.push(
            tag,
            Entry::Fragments {
                tag,
                big: encoding.is_big(),
                start,
            },
        )?;
        self.at = start;
        self.at = self.skip_fragments(tag, bound, encoding)?;
        Ok(())
    }

    fn pixel_span(
        &mut self,
        header: ElementHeader,
        encoding: Encoding,
    ) -> Result<PixelSpan, ReadError> {
        let start = self.at;
        let value = start + header.size;
        let encapsulated = header.length == UNDEFINED;
        let end = if encapsulated {
            self.at = value;
            self.skip_fragments(header.tag, self.bytes.len(), encoding)?
        } else {
            self.value_end(header)?
        };
        Ok(PixelSpan {
            start,
            value,
            end,
            encapsulated,
        })
    }

    /// Passes the fragment items from `at` on; returns the first byte after the delimiter (PS3.5 A.4).
    fn skip_fragments(
        &mut self,
        tag: Tag,
        bound: usize,
        encoding: Encoding,
    ) -> Result<usize, ReadError> {
        loop {
            let header = self.header(bound, encoding)?;
            match (header.tag, header.length) {
                (SEQUENCE_END, _) => return Ok(self.at + header.size),
                (ITEM, UNDEFINED) => return Err(self.malformed(tag, Problem::UndefinedLength)),
                (ITEM, _) => self.at = self.end_within(header, bound)?,
                _ => return Err(self.malformed(tag, Problem::NotAnItem)),
            }
        }
    }

    fn open_frame(
        &mut self,
        header: ElementHeader,
        tag: Tag,
        is_item: bool,
        encoding: Encoding,
        entry: Entry,
    ) -> Result<(), ReadError> {
        let defined = header.length != UNDEFINED;
        let end = if defined {
            self.value_end(header)?
        } else {
            self.context().0
        };
        // Sequences and items alternate, so each level has two frames.
        if self.open.len() >= 2 * MAX_DEPTH {
            return Err(ReadError::TooDeep {
                offset: self.at as u64,
                tag,
                limit: MAX_DEPTH,
            });
        }
        self.push(tag, entry)?;
        self.at += header.size;
        self.open.push(Frame {
            tag,
            is_item,
            end,
            defined,
            encoding,
            guess: None,
        });
        Ok(())
    }

    /// Closes the innermost frame at its delimiter.
    fn close(&mut self, delimiter: ElementHeader) -> Result<(), ReadError> {
        self.open.pop();
        self.at += delimiter.size;
        self.entries.push(Entry::End);
        Ok(())
    }

    fn push(&mut self, tag: Tag, entry: Entry) -> Result<(), ReadError> {
        if self.elements == MAX_ELEMENTS {
            return Err(self.too_large(tag, Limited::Elements, MAX_ELEMENTS));
        }
        self.elements += 1;
        if entry == Entry::Item {
            self.items += 1;
        }
        if self.items > MAX_ITEMS {
            return Err(self.too_large(tag, Limited::Items, MAX_ITEMS));
        }
        self.entries.push(entry);
        Ok(())
    }

    fn header(&self, bound: usize, encoding: Encoding) -> Result<ElementHeader, ReadError> {
        let rest = &self.bytes[self.at..bound];
        read_header(rest, encoding).map_err(|error| match error {
            HeaderError::NoVr { tag } => self.malformed(tag, Problem::NoVr),
            HeaderError::Short { tag, needed } => self.does_not_fit(tag, self.at, needed as u64),
        })
    }

    fn value_end(&self, header: ElementHeader) -> Result<usize, ReadError> {
        self.end_within(header, self.context().0)
    }

    fn end_within(&self, header: ElementHeader, bound: usize) -> Result<usize, ReadError> {
        let start = self.at + header.size;
        match start.checked_add(header.length as usize) {
            Some(end) if end <= bound => Ok(end),
            _ => Err(self.does_not_fit(header.tag, start, u64::from(header.length))),
        }
    }

    /// The file ends too early, or only the parent does. `from` is where the missing bytes should start.
    fn does_not_fit(&self, tag: Tag, from: usize, declared: u64) -> ReadError {
        let available = (self.bytes.len() - from) as u64;
        if declared <= available {
            return self.malformed(tag, Problem::OverrunsParent);
        }
        ReadError::Truncated {
            offset: self.at as u64,
            tag,
            declared,
            available,
        }
    }

    fn malformed(&self, tag: Tag, problem: Problem) -> ReadError {
        ReadError::Malformed {
            offset: self.at as u64,
            tag,
            problem,
        }
    }

    fn too_large(&self, tag: Tag, what: Limited, limit: usize) -> ReadError {
        ReadError::TooLarge {
            offset: self.at as u64,
            tag,
            what,
            limit: limit as u64,
        }
    }

    fn check_header_bytes(&self, tag: Tag) -> Result<(), ReadError> {
        if self.at - self.start > MAX_HEADER_BYTES {
            return Err(self.too_large(tag, Limited::HeaderBytes, MAX_HEADER_BYTES));
        }
        Ok(())
    }
}
