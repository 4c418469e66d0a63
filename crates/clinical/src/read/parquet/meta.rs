//! What a file says of itself: columns, and where their chunks lie.

use super::thrift::Thrift;

const MAGIC: &[u8; 4] = b"PAR1";

/// What a column holds, physically and logically.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    Flag,
    Int32,
    Int64,
    Float,
    Double,
    Text,
    /// Days since 1970, in 32 bits.
    Date,
    /// Parts of a second since 1970; how many there are in a day.
    Timestamp(i64),
}

/// A flat column.
#[derive(Debug)]
pub(super) struct Schema {
    pub(super) name: String,
    pub(super) physical: Physical,
    pub(super) is_optional: bool,
}

/// A part of a column.
#[derive(Debug)]
pub(super) struct Chunk {
    pub(super) codec: Codec,
    pub(super) values: usize,
    pub(super) start: usize,
    pub(super) size: usize,
}

/// How pages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    None,
    Snappy,
    Gzip,
    Zstd,
}

/// What a file says of itself.
#[derive(Debug)]
pub(super) struct Meta {
    pub(super) rows: usize,
    pub(super) columns: Vec<Schema>,
    /// For each column, its chunks in order.
    pub(super) chunks: Vec<Vec<Chunk>>,
    /// Columns that are not flat.
    pub(super) nested: Vec<String>,
}

impl Meta {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, String> {
        let footer = footer(bytes).ok_or("it does not end as a Parquet file does")?;
        let (meta, _) = Thrift::read(footer)?;
        let (columns, nested) = schema(meta.list(2))?;
        let mut chunks: Vec<Vec<Chunk>> = columns.iter().map(|_| Vec::new()).collect();
        for group in meta.list(4) {
            for chunk in group.list(1) {
                let inner = chunk.field(3).ok_or("a column's metadata lie elsewhere")?;
                let path = inner.list(3);
                let [Thrift::Bytes(name)] = path else {
                    continue;
                };
                let position = columns
                    .iter()
                    .position(|column| column.name.as_bytes() == *name);
                if let Some(position) = position {
                    chunks[position].push(chunk_of(inner)?);
                }
            }
        }
        Ok(Self {
            rows: meta.size(3)?,
            columns,
            chunks,
            nested,
        })
    }
}

fn footer(bytes: &[u8]) -> Option<&[u8]> {
    let rest = bytes.strip_prefix(MAGIC)?.strip_suffix(MAGIC)?;
    let (rest, length) = rest.split_last_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    rest.get(rest.len().checked_sub(length)?..)
}

/// Columns below the root; what has children is left out with all that is below it.
fn schema(elements: &[Thrift<'_>]) -> Result<(Vec<Schema>, Vec<String>), String> {
    let (mut columns, mut nested) = (Vec::new(), Vec::new());
    let mut skipped = 0_i64;
    for element in elements.iter().skip(1) {
        let children = element.int(5).unwrap_or(0);
        if skipped > 0 {
            skipped += children - 1;
            continue;
        }
        let name = element.text(4).unwrap_or_default();
        match (physical(element), element.int(3)) {
            _ if children > 0 => {
                skipped = children;
                nested.push(name);
            }
            (Some(physical), Some(repetition @ 0..=1)) => columns.push(Schema {
                name,
                physical,
                is_optional: repetition == 1,
            }),
            _ => nested.push(name),
        }
    }
    if columns.is_empty() {
        return Err("it has no flat column".into());
    }
    Ok((columns, nested))
}

fn physical(element: &Thrift<'_>) -> Option<Physical> {
    const MILLISECONDS_A_DAY: i64 = 86_400_000;
    Some(match (element.int(1)?, element.int(6)) {
        (0, _) => Physical::Flag,
        (1, Some(6)) => Physical::Date,
        (1, _) => Physical::Int32,
        (2, Some(9)) => Physical::Timestamp(MILLISECONDS_A_DAY),
        (2, Some(10)) => Physical::Timestamp(MILLISECONDS_A_DAY * 1000),
        (2, _) => Physical::Int64,
        (4, _) => Physical::Float,
        (5, _) => Physical::Double,
        (6, _) => Physical::Text,
        _ => return None,
    })
}

fn chunk_of(inner: &Thrift<'_>) -> Result<Chunk, String> {
    let codec = match inner.int(4) {
        Some(0) => Codec::None,
        Some(1) => Codec::Snappy,
        Some(2) => Codec::Gzip,
        Some(6) => Codec::Zstd,
        _ => {
            return Err(
                "compressed in a way that is not read here: write it with Zstandard".into(),
            );
        }
    };
    let data = inner.size(9)?;
    let dictionary = inner.size(11).ok().filter(|start| *start > 0);
    Ok(Chunk {
        codec,
        values: inner.size(5)?,
        start: dictionary.map_or(data, |start| start.min(data)),
        size: inner.size(7)?,
    })
}
