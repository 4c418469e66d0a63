//! One Parquet file of flat optional columns: PLAIN values in one gzip page a column and group of rows (format 2.9, `parquet.thrift`).
//! Every reader knows these; dictionaries and statistics are left out, because files of this size do not need them.

use std::io::Write as _;

use flate2::{Compression, write::GzEncoder};

use super::thrift::{Struct, varint};
use crate::export::{ExportError, ExportFile};

const MAGIC: &[u8] = b"PAR1";
/// Rows of a group; with the widest entity, the series, a group takes some 10 MB of memory.
const GROUP_ROWS: usize = 1 << 14;
/// Enumerations of the format.
const OPTIONAL: i32 = 1;
const UTF8: i32 = 0;
const DATA_PAGE: i32 = 0;
const PLAIN: i32 = 0;
const RLE: i32 = 3;
const GZIP: i32 = 2;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Flag,
    Int64,
    Double,
    Text,
}

impl Kind {
    fn physical(self) -> i32 {
        match self {
            Self::Flag => 0,
            Self::Int64 => 2,
            Self::Double => 5,
            Self::Text => 6,
        }
    }
}

/// A value for a column of its kind.
#[derive(Debug, Clone, Copy)]
pub(super) enum Plain<'a> {
    Null,
    Flag(bool),
    Int64(i64),
    Double(f64),
    Text(&'a str),
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct ParquetFile {
    file: ExportFile,
    columns: Vec<Column>,
    /// Bytes written so far.
    end: usize,
    rows: usize,
    groups: Vec<Struct>,
}

/// The values of a column that wait for their page.
#[derive(Debug)]
struct Column {
    name: String,
    kind: Kind,
    /// For each row, whether there is a value.
    present: Vec<bool>,
    flags: Vec<bool>,
    bytes: Vec<u8>,
}

impl ParquetFile {
    pub(super) fn begin(
        mut file: ExportFile,
        columns: Vec<(String, Kind)>,
    ) -> Result<Self, ExportError> {
        file.put(MAGIC)?;
        let columns = columns.into_iter().map(|(name, kind)| Column {
            name,
            kind,
            present: Vec::new(),
            flags: Vec::new(),
            bytes: Vec::new(),
        });
        Ok(Self {
            file,
            columns: columns.collect(),
            end: MAGIC.len(),
            rows: 0,
            groups: Vec::new(),
        })
    }

    /// Appends a row: one value a column.
    pub(super) fn row(&mut self, values: &[Plain<'_>]) -> Result<(), ExportError> {
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value)?;
        }
        self.rows += 1;
        if self.rows.is_multiple_of(GROUP_ROWS) {
            self.group()?;
        }
        Ok(())
    }

    pub(super) fn finish(&mut self) -> Result<(), ExportError> {
        self.group()?;
        let mut schema = vec![
            Struct::default()
                .text(4, "schema")
                .int32(5, small(self.columns.len())?),
        ];
        schema.extend(self.columns.iter().map(Column::schema));
        let meta = Struct::default()
            .int32(1, 1)
            .structures(2, schema)
            .int64(3, self.rows)
            .structures(4, std::mem::take(&mut self.groups))
            .text(6, "arno")
            .end();
        self.file.put(&meta)?;
        let length = u32::try_from(meta.len()).map_err(|_| ExportError::TooLarge("metadata"))?;
        self.file.put(&length.to_le_bytes())?;
        self.file.put(MAGIC)?;
        self.file.finish()
    }

    /// Writes the rows that wait.
    fn group(&mut self) -> Result<(), ExportError> {
        let rows = self
            .columns
            .first()
            .map_or(0, |column| column.present.len());
        if rows == 0 {
            return Ok(());
        }
        let (mut chunks, mut total) = (Vec::with_capacity(self.columns.len()), 0);
        for column in &mut self.columns {
            let plain = column.take_page();
            let packed = gzip(&plain);
            let header = page_header(rows, plain.len(), packed.len())?;
            let (start, length) = (self.end, header.len() + packed.len());
            self.file.put(&header)?;
            self.file.put(&packed)?;
            self.end += length;
            total += header.len() + plain.len();
            chunks.push(column.chunk(rows, start, header.len() + plain.len(), length));
        }
        let group = Struct::default()
            .structures(1, chunks)
            .int64(2, total)
            .int64(3, rows);
        self.groups.push(group);
        Ok(())
    }
}

impl Column {
    fn push(&mut self, value: Plain<'_>) -> Result<(), ExportError> {
        self.present.push(!matches!(value, Plain::Null));
        match value {
            Plain::Null => {}
            Plain::Flag(flag) => self.flags.push(flag),
            Plain::Int64(number) => self.bytes.extend(number.to_le_bytes()),
            Plain::Double(number) => self.bytes.extend(number.to_le_bytes()),
            Plain::Text(text) => {
                let length =
                    u32::try_from(text.len()).map_err(|_| ExportError::TooLarge("a text"))?;
                self.bytes.extend(length.to_le_bytes());
                self.bytes.extend_from_slice(text.as_bytes());
            }
        }
        Ok(())
    }

    /// Definition levels and values, and the column is empty again.
    fn take_page(&mut self) -> Vec<u8> {
        let levels = levels(&std::mem::take(&mut self.present));
        // A group has too few rows for its levels to reach 2^32 bytes.
        let mut page = u32::try_from(levels.len())
            .unwrap_or(u32::MAX)
            .to_le_bytes()
            .to_vec();
        page.extend(levels);
        page.append(&mut self.bytes);
        for eight in std::mem::take(&mut self.flags).chunks(8) {
            let bits = eight.iter().enumerate();
            page.push(bits.fold(0, |byte, (at, flag)| byte | u8::from(*flag) << at));
        }
        page
    }

    fn schema(&self) -> Struct {
        let element = Struct::default()
            .int32(1, self.kind.physical())
            .int32(3, OPTIONAL)
            .text(4, &self.name);
        match self.kind {
            Kind::Text => element
                .int32(6, UTF8)
                .structure(10, Struct::default().structure(1, Struct::default())),
            Kind::Flag | Kind::Int64 | Kind::Double => element,
        }
    }

    fn chunk(&self, rows: usize, start: usize, plain: usize, packed: usize) -> Struct {
        let meta = Struct::default()
            .int32(1, self.kind.physical())
            .int32s(2, &[PLAIN, RLE])
            .texts(3, &[&self.name])
            .int32(4, GZIP)
            .int64(5, rows)
            .int64(6, plain)
            .int64(7, packed)
            .int64(9, start);
        Struct::default().int64(2, start).structure(3, meta)
    }
}

/// Whether there is a value, as runs of one level (the format's RLE, one bit wide).
fn levels(present: &[bool]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for run in present.chunk_by(|one, other| one == other) {
        varint(&mut bytes, (run.len() as u64) << 1);
        bytes.push(u8::from(run[0]));
    }
    bytes
}

fn page_header(rows: usize, plain: usize, packed: usize) -> Result<Vec<u8>, ExportError> {
    let data = Struct::default()
        .int32(1, small(rows)?)
        .int32(2, PLAIN)
        .int32(3, RLE)
        .int32(4, RLE);
    let header = Struct::default()
        .int32(1, DATA_PAGE)
        .int32(2, small(plain)?)
        .int32(3, small(packed)?)
        .structure(5, data);
    Ok(header.end())
}

fn small(size: usize) -> Result<i32, ExportError> {
    i32::try_from(size).map_err(|_| ExportError::TooLarge("a column"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}
