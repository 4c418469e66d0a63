//! Encoded DICOM for tests, byte by byte and independent of the code under test (PS3.5 section 7.1).
#![allow(dead_code, reason = "each test binary uses its own part")]

/// Encoding of element headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    Implicit,
    Explicit,
    Big,
}

pub(crate) const CODINGS: [Coding; 3] = [Coding::Implicit, Coding::Explicit, Coding::Big];
pub(crate) const UNDEFINED: u32 = u32::MAX;

impl Coding {
    pub(crate) fn uid(self) -> &'static str {
        match self {
            Self::Implicit => "1.2.840.10008.1.2",
            Self::Explicit => "1.2.840.10008.1.2.1",
            Self::Big => "1.2.840.10008.1.2.2",
        }
    }

    pub(crate) fn u16(self, number: u16) -> [u8; 2] {
        if self == Self::Big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    pub(crate) fn u32(self, number: u32) -> [u8; 4] {
        if self == Self::Big {
            number.to_be_bytes()
        } else {
            number.to_le_bytes()
        }
    }

    /// An element header with any length, true or not.
    pub(crate) fn header(self, (group, element): (u16, u16), vr: &str, length: u32) -> Vec<u8> {
        let mut out = [self.u16(group), self.u16(element)].concat();
        let long = matches!(vr, "OB" | "OW" | "OF" | "SQ" | "UN" | "UT" | "UC" | "UR");
        match (self, long) {
            (Self::Implicit, _) => {}
            (_, true) => out.extend_from_slice(&[vr.as_bytes(), &[0, 0]].concat()),
            (_, false) => {
                out.extend_from_slice(vr.as_bytes());
                out.extend_from_slice(&self.u16(u16::try_from(length).expect("short VR")));
                return out;
            }
        }
        out.extend_from_slice(&self.u32(length));
        out
    }

    pub(crate) fn element(self, tag: (u16, u16), vr: &str, value: &[u8]) -> Vec<u8> {
        [self.header(tag, vr, length_of(value)), value.to_vec()].concat()
    }

    /// A text element, padded to even length.
    pub(crate) fn text(self, tag: (u16, u16), vr: &str, text: &str) -> Vec<u8> {
        let mut value = text.as_bytes().to_vec();
        if value.len() % 2 == 1 {
            value.push(if vr == "UI" { 0 } else { b' ' });
        }
        self.element(tag, vr, &value)
    }

    pub(crate) fn number(self, tag: (u16, u16), number: u16) -> Vec<u8> {
        self.element(tag, "US", &self.u16(number))
    }

    fn marker(self, element: u16, length: u32) -> Vec<u8> {
        [&self.u16(0xFFFE)[..], &self.u16(element), &self.u32(length)].concat()
    }

    pub(crate) fn item(self, content: &[u8]) -> Vec<u8> {
        [self.marker(0xE000, length_of(content)), content.to_vec()].concat()
    }

    pub(crate) fn open_item(self, content: &[u8]) -> Vec<u8> {
        [
            self.marker(0xE000, UNDEFINED),
            content.to_vec(),
            self.marker(0xE00D, 0),
        ]
        .concat()
    }

    pub(crate) fn sequence(self, tag: (u16, u16), items: &[u8]) -> Vec<u8> {
        self.element(tag, "SQ", items)
    }

    pub(crate) fn open_sequence(self, tag: (u16, u16), vr: &str, items: &[u8]) -> Vec<u8> {
        [
            self.header(tag, vr, UNDEFINED),
            items.to_vec(),
            self.sequence_end(),
        ]
        .concat()
    }

    pub(crate) fn sequence_end(self) -> Vec<u8> {
        self.marker(0xE0DD, 0)
    }

    /// Encapsulated pixel data from a whole offset table and fragments.
    pub(crate) fn fragments(self, table: &[u32], fragments: &[&[u8]]) -> Vec<u8> {
        let table: Vec<u8> = table.iter().flat_map(|offset| self.u32(*offset)).collect();
        let items: Vec<u8> = fragments
            .iter()
            .flat_map(|fragment| self.item(fragment))
            .collect();
        self.open_sequence((0x7FE0, 0x0010), "OB", &[self.item(&table), items].concat())
    }

    /// Identifiers, a patient and a description of 4 × 3 pixels of 16 bits, in order of tag.
    pub(crate) fn image_header(self) -> Vec<u8> {
        [
            self.text((0x0008, 0x0016), "UI", "1.2.840.10008.5.1.4.1.1.2"),
            self.text((0x0008, 0x0018), "UI", "1.2.3.4.5"),
            self.text((0x0008, 0x0020), "DA", "20240229"),
            self.text((0x0008, 0x0060), "CS", "CT"),
            self.text((0x0010, 0x0010), "PN", "Doe^Jane"),
            self.text((0x0010, 0x0020), "LO", "HOSP-77"),
            self.text((0x0020, 0x000D), "UI", "1.2.3"),
            self.text((0x0020, 0x000E), "UI", "1.2.3.4"),
            self.number((0x0028, 0x0002), 1),
            self.text((0x0028, 0x0004), "CS", "MONOCHROME2"),
            self.number((0x0028, 0x0010), 3),
            self.number((0x0028, 0x0011), 4),
            self.number((0x0028, 0x0100), 16),
            self.number((0x0028, 0x0101), 12),
            self.number((0x0028, 0x0102), 11),
            self.number((0x0028, 0x0103), 0),
        ]
        .concat()
    }

    /// The pixels 0..12 of [`Coding::image_header`].
    pub(crate) fn pixels(self) -> Vec<u8> {
        let value: Vec<u8> = (0..12).flat_map(|sample| self.u16(sample)).collect();
        self.element((0x7FE0, 0x0010), "OW", &value)
    }

    /// A whole small image.
    pub(crate) fn image(self) -> Vec<u8> {
        self.file(&[self.image_header(), self.pixels()].concat())
    }

    /// A Part 10 file round a data set.
    pub(crate) fn file(self, data_set: &[u8]) -> Vec<u8> {
        file(self.uid(), data_set)
    }
}

fn length_of(value: &[u8]) -> u32 {
    u32::try_from(value.len()).expect("test values are small")
}

/// A Part 10 file in any transfer syntax.
pub(crate) fn file(transfer_syntax: &str, data_set: &[u8]) -> Vec<u8> {
    let syntax = Coding::Explicit.text((0x0002, 0x0010), "UI", transfer_syntax);
    let length =
        Coding::Explicit.element((0x0002, 0x0000), "UL", &length_of(&syntax).to_le_bytes());
    [&[0; 128], &b"DICM"[..], &length, &syntax, data_set].concat()
}
