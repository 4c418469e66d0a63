//! Thrift's compact protocol, as far as Parquet's metadata use it: a tree of numbered fields.

/// Structures within structures; Parquet's own go five deep.
const MAX_DEPTH: usize = 16;

/// A value.
#[derive(Debug)]
pub(super) enum Thrift<'a> {
    Int(i64),
    Bytes(&'a [u8]),
    List(Vec<Thrift<'a>>),
    Struct(Vec<(i16, Thrift<'a>)>),
}

const CUT: &str = "its metadata are cut short";

impl<'a> Thrift<'a> {
    /// A structure at the front of the bytes, and what follows it.
    pub(super) fn read(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), String> {
        let mut reader = Reader { rest: bytes };
        let structure = reader.structure(0)?;
        Ok((structure, reader.rest))
    }

    /// The field of that number.
    pub(super) fn field(&self, number: i16) -> Option<&Thrift<'a>> {
        match self {
            Self::Struct(fields) => {
                let found = fields.iter().find(|(known, _)| *known == number);
                found.map(|(_, value)| value)
            }
            _ => None,
        }
    }

    /// A whole number.
    pub(super) fn int(&self, number: i16) -> Option<i64> {
        match self.field(number)? {
            Self::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// A number that counts or measures bytes.
    pub(super) fn size(&self, number: i16) -> Result<usize, String> {
        let size = self
            .int(number)
            .and_then(|value| usize::try_from(value).ok());
        size.ok_or_else(|| "its metadata lack a number".to_owned())
    }

    /// A list; none is an empty one.
    pub(super) fn list(&self, number: i16) -> &[Thrift<'a>] {
        match self.field(number) {
            Some(Self::List(values)) => values,
            _ => &[],
        }
    }

    /// Text.
    pub(super) fn text(&self, number: i16) -> Option<String> {
        match self.field(number)? {
            Self::Bytes(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            _ => None,
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn byte(&mut self) -> Result<u8, String> {
        let (first, rest) = self.rest.split_first().ok_or(CUT)?;
        self.rest = rest;
        Ok(*first)
    }

    fn bytes(&mut self, count: usize) -> Result<&'a [u8], String> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(CUT)?;
        self.rest = rest;
        Ok(bytes)
    }

    fn varint(&mut self) -> Result<u64, String> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7F) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("its metadata hold a number that has no end".into())
    }

    fn zigzag(&mut self) -> Result<i64, String> {
        let value = self.varint()?;
        // Half of a u64 fits.
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }

    fn structure(&mut self, depth: usize) -> Result<Thrift<'a>, String> {
        let (mut fields, mut number) = (Vec::new(), 0_i16);
        loop {
            let head = self.byte()?;
            if head == 0 {
                return Ok(Thrift::Struct(fields));
            }
            number = match head >> 4 {
                0 => i16::try_from(self.zigzag()?).map_err(|_| CUT)?,
                step => number.checked_add(i16::from(step)).ok_or(CUT)?,
            };
            let value = match head & 0x0F {
                1 => Thrift::Int(1),
                2 => Thrift::Int(0),
                kind => self.value(kind, depth)?,
            };
            fields.push((number, value));
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<Thrift<'a>, String> {
        if depth > MAX_DEPTH {
            return Err("its metadata nest too deeply".into());
        }
        Ok(match kind {
            1..=3 => Thrift::Int(i64::from(self.byte()?.cast_signed())),
            4..=6 => Thrift::Int(self.zigzag()?),
            7 => Thrift::Bytes(self.bytes(8)?),
            8 => {
                let length = usize::try_from(self.varint()?).map_err(|_| CUT)?;
                Thrift::Bytes(self.bytes(length)?)
            }
            9 | 10 => self.list(depth)?,
            12 => self.structure(depth + 1)?,
            _ => return Err("its metadata hold a kind of value that Parquet has not".into()),
        })
    }

    fn list(&mut self, depth: usize) -> Result<Thrift<'a>, String> {
        let head = self.byte()?;
        let count = match head >> 4 {
            15 => usize::try_from(self.varint()?).map_err(|_| CUT)?,
            count => usize::from(count),
        };
        // Every value takes a byte at least: a longer list is cut short.
        if count > self.rest.len() {
            return Err(CUT.into());
        }
        let values = (0..count).map(|_| self.value(head & 0x0F, depth + 1));
        Ok(Thrift::List(values.collect::<Result<_, _>>()?))
    }
}
