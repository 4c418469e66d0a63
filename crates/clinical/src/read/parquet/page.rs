//! Pages: their headers, their compression, and the values in them.

use std::{io::Read as _, sync::Arc};

use chrono::{Duration, NaiveDate};

use super::{
    levels::Hybrid,
    meta::{Codec, Physical, Schema},
    snappy,
    thrift::Thrift,
};
use crate::table::{Cell, Column};

/// Largest page, unpacked; writers make them of one megabyte, dictionaries of a few.
const MAX_PAGE_BYTES: usize = 256 << 20;
const CUT: &str = "a page is cut short";

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Dictionary,
    Data,
    Other,
}

/// A page, unpacked.
pub(super) struct Page {
    pub(super) kind: Kind,
    pub(super) values: usize,
    pub(super) body: Vec<u8>,
    encoding: i64,
    /// Bytes of definition levels in front, where the header says; else the body does.
    levels: Option<usize>,
}

impl Page {
    /// The page at the front, and what follows it.
    pub(super) fn read(bytes: &[u8], codec: Codec) -> Result<(Self, &[u8]), String> {
        let (header, rest) = Thrift::read(bytes)?;
        let (packed, after) = rest.split_at_checked(header.size(3)?).ok_or(CUT)?;
        let size = header.size(2)?;
        if size > MAX_PAGE_BYTES {
            return Err(format!("a page of more than {MAX_PAGE_BYTES} bytes"));
        }
        let page = match header.int(1) {
            Some(0) => Self::of(Kind::Data, header.field(5), unpack(packed, size, codec)?)?,
            Some(2) => Self::of(
                Kind::Dictionary,
                header.field(7),
                unpack(packed, size, codec)?,
            )?,
            Some(3) => Self::second(header.field(8), packed, size, codec)?,
            _ => Self {
                kind: Kind::Other,
                values: 0,
                body: Vec::new(),
                encoding: 0,
                levels: None,
            },
        };
        Ok((page, after))
    }

    fn of(kind: Kind, header: Option<&Thrift<'_>>, body: Vec<u8>) -> Result<Self, String> {
        let header = header.ok_or(CUT)?;
        Ok(Self {
            kind,
            values: header.size(1)?,
            body,
            encoding: header.int(2).unwrap_or_default(),
            levels: None,
        })
    }

    /// Pages of version 2 do not compress their levels.
    fn second(
        header: Option<&Thrift<'_>>,
        packed: &[u8],
        size: usize,
        codec: Codec,
    ) -> Result<Self, String> {
        let header = header.ok_or(CUT)?;
        if header.size(6)? > 0 {
            return Err("it repeats, which flat columns do not".into());
        }
        let levels = header.size(5)?;
        let (front, packed) = packed.split_at_checked(levels).ok_or(CUT)?;
        let is_packed = header.int(7).unwrap_or(1) == 1;
        let codec = if is_packed { codec } else { Codec::None };
        let rest = unpack(packed, size.checked_sub(levels).ok_or(CUT)?, codec)?;
        Ok(Self {
            kind: Kind::Data,
            values: header.size(1)?,
            body: [front, rest.as_slice()].concat(),
            encoding: header.int(4).unwrap_or_default(),
            levels: Some(levels),
        })
    }

    /// Appends the page's values to a column.
    pub(super) fn append(
        &self,
        schema: &Schema,
        dictionary: &[u32],
        column: &mut Column,
    ) -> Result<(), String> {
        if self.values > crate::table::MAX_ROWS {
            return Err("a page has more values than a table has rows".into());
        }
        let (present, body) = self.present(schema)?;
        let count = present.iter().filter(|is_there| **is_there).count();
        let places = match self.encoding {
            0 => {
                let cells = plain(body, count, schema)?;
                cells.into_iter().map(|cell| column.place(cell)).collect()
            }
            2 | 8 => {
                let (width, rest) = body.split_first().unwrap_or((&0, &[]));
                let places = Hybrid::new(rest, *width)?.take(count)?;
                let place = |at: u32| dictionary.get(at as usize).copied();
                places
                    .into_iter()
                    .map(place)
                    .collect::<Option<Vec<_>>>()
                    .ok_or(CUT)?
            }
            3 if schema.physical == Physical::Flag => {
                let flags = Hybrid::new(body.get(4..).ok_or(CUT)?, 1)?.take(count)?;
                flags
                    .into_iter()
                    .map(|flag| column.place(Cell::Flag(flag == 1)))
                    .collect()
            }
            _ => {
                return Err(
                    "encoded in a way that is not read here: write it with a dictionary".into(),
                );
            }
        };
        let empty = column.place(Cell::Empty);
        let mut places = places.into_iter();
        for is_there in present {
            let place = if is_there {
                places.next().ok_or(CUT)?
            } else {
                empty
            };
            column.rows.push(place);
        }
        Ok(())
    }

    /// Which values are there, and the bytes behind their levels.
    fn present(&self, schema: &Schema) -> Result<(Vec<bool>, &[u8]), String> {
        let body = self.body.as_slice();
        let (levels, rest) = match (schema.is_optional, self.levels) {
            (true, None) => {
                let (length, rest) = body.split_first_chunk::<4>().ok_or(CUT)?;
                rest.split_at_checked(u32::from_le_bytes(*length) as usize)
                    .ok_or(CUT)?
            }
            (_, levels) => body.split_at_checked(levels.unwrap_or(0)).ok_or(CUT)?,
        };
        if !schema.is_optional {
            return Ok((vec![true; self.values], rest));
        }
        let levels = Hybrid::new(levels, 1)?.take(self.values)?;
        Ok((levels.into_iter().map(|level| level == 1).collect(), rest))
    }
}

/// Values as they are, one behind the other.
pub(super) fn plain(bytes: &[u8], count: usize, schema: &Schema) -> Result<Vec<Cell>, String> {
    let mut rest = bytes;
    let mut cells = Vec::with_capacity(count.min(bytes.len()));
    for at in 0..count {
        cells.push(match schema.physical {
            Physical::Flag => Cell::Flag(bytes.get(at / 8).ok_or(CUT)? >> (at % 8) & 1 == 1),
            Physical::Text => {
                let length = u32::from_le_bytes(array(&mut rest)?) as usize;
                let (text, after) = rest.split_at_checked(length).ok_or(CUT)?;
                rest = after;
                let text =
                    std::str::from_utf8(text).map_err(|_| "it holds text that is not UTF-8")?;
                Cell::text(text)
            }
            Physical::Int32 => Cell::number(f64::from(i32::from_le_bytes(array(&mut rest)?))),
            Physical::Int64 => whole(i64::from_le_bytes(array(&mut rest)?)),
            Physical::Float => real(f64::from(f32::from_le_bytes(array(&mut rest)?))),
            Physical::Double => real(f64::from_le_bytes(array(&mut rest)?)),
            Physical::Date => date(i64::from(i32::from_le_bytes(array(&mut rest)?))),
            Physical::Timestamp(a_day) => {
                date(i64::from_le_bytes(array(&mut rest)?).div_euclid(a_day))
            }
        });
    }
    Ok(cells)
}

fn array<const N: usize>(rest: &mut &[u8]) -> Result<[u8; N], String> {
    let (array, after) = rest.split_first_chunk::<N>().ok_or(CUT)?;
    *rest = after;
    Ok(*array)
}

/// Numbers beyond 2^53 are ids, which a float would change.
fn whole(number: i64) -> Cell {
    if number.unsigned_abs() <= 1 << 53 {
        return Cell::number(number as f64);
    }
    Cell::Text(Arc::from(number.to_string()))
}

fn real(number: f64) -> Cell {
    if number.is_nan() {
        Cell::Empty
    } else {
        Cell::number(number)
    }
}

fn date(days: i64) -> Cell {
    let date =
        Duration::try_days(days).and_then(|days| NaiveDate::default().checked_add_signed(days));
    date.map_or(Cell::Empty, Cell::Date)
}

fn unpack(packed: &[u8], size: usize, codec: Codec) -> Result<Vec<u8>, String> {
    let bad = |_| "a page that cannot be unpacked".to_owned();
    let limit = size as u64 + 1;
    let mut body = Vec::new();
    match codec {
        Codec::None => body.extend_from_slice(packed),
        Codec::Snappy => body = snappy::unpack(packed, size)?,
        Codec::Gzip => {
            let reader = flate2::read::MultiGzDecoder::new(packed);
            reader.take(limit).read_to_end(&mut body).map_err(bad)?;
        }
        Codec::Zstd => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(packed);
            let decoder = decoder.map_err(|_| "a page that cannot be unpacked")?;
            decoder.take(limit).read_to_end(&mut body).map_err(bad)?;
        }
    }
    if body.len() != size {
        return Err("a page of another size than its header says".into());
    }
    Ok(body)
}
