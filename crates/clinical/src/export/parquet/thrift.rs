//! Thrift's compact protocol, as far as Parquet's metadata need it: structures of numbered fields, written front to back.

/// Types in field headers and lists.
const INT32: u8 = 5;
const INT64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;
/// Numbers up to this fit into the header of a field or list.
const SHORT: usize = 15;

/// A structure that is being written.
#[derive(Debug, Default)]
pub(super) struct Struct {
    bytes: Vec<u8>,
    last: u8,
}

impl Struct {
    /// Fields come in order of their numbers, which are all below 16.
    fn header(&mut self, number: u8, kind: u8) {
        self.bytes.push((number - self.last) << 4 | kind);
        self.last = number;
    }

    pub(super) fn int32(mut self, number: u8, value: i32) -> Self {
        self.header(number, INT32);
        zigzag(&mut self.bytes, i64::from(value));
        self
    }

    pub(super) fn int64(mut self, number: u8, value: usize) -> Self {
        self.header(number, INT64);
        // Sizes of files stay below 2^63.
        zigzag(&mut self.bytes, i64::try_from(value).unwrap_or(i64::MAX));
        self
    }

    pub(super) fn text(mut self, number: u8, text: &str) -> Self {
        self.header(number, BINARY);
        varint(&mut self.bytes, text.len() as u64);
        self.bytes.extend_from_slice(text.as_bytes());
        self
    }

    pub(super) fn structure(mut self, number: u8, inner: Self) -> Self {
        self.header(number, STRUCT);
        self.bytes.extend(inner.end());
        self
    }

    pub(super) fn structures(mut self, number: u8, inner: Vec<Self>) -> Self {
        self.list(number, STRUCT, inner.len());
        for inner in inner {
            self.bytes.extend(inner.end());
        }
        self
    }

    pub(super) fn int32s(mut self, number: u8, values: &[i32]) -> Self {
        self.list(number, INT32, values.len());
        for value in values {
            zigzag(&mut self.bytes, i64::from(*value));
        }
        self
    }

    pub(super) fn texts(mut self, number: u8, texts: &[&str]) -> Self {
        self.list(number, BINARY, texts.len());
        for text in texts {
            varint(&mut self.bytes, text.len() as u64);
            self.bytes.extend_from_slice(text.as_bytes());
        }
        self
    }

    fn list(&mut self, number: u8, kind: u8, length: usize) {
        self.header(number, LIST);
        match u8::try_from(length) {
            Ok(short) if length < SHORT => self.bytes.push(short << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                varint(&mut self.bytes, length as u64);
            }
        }
    }

    /// The structure's bytes.
    pub(super) fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

pub(super) fn varint(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
}

fn zigzag(bytes: &mut Vec<u8>, value: i64) {
    varint(bytes, (value << 1 ^ value >> 63).cast_unsigned());
}
