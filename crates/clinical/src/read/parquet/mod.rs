//! Parquet: files of flat columns, as data frames and query engines write them (format 2.x: PLAIN and dictionary pages of version 1
//! and 2; uncompressed, Snappy, gzip or Zstandard). The common crate for it takes 139 CPU-seconds to build, a quarter of all of ours.
//!
//! Only the columns that are wanted are read. Nested columns, delta encodings and encrypted files are refused by name. Every length
//! comes from the file, so none is taken for true before it is compared with what is there.

mod levels;
mod meta;
mod page;
mod snappy;
mod thrift;

use super::{Malformed, ReadOptions};
use crate::table::{Column, MAX_COLUMNS, MAX_ROWS, Table};
use meta::{Chunk, Meta};

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Table, Malformed> {
    let meta = Meta::read(bytes)?;
    if meta.rows > MAX_ROWS || meta.columns.len() > MAX_COLUMNS {
        let what = format!("more than {MAX_ROWS} rows or {MAX_COLUMNS} columns");
        return Err(what.into());
    }
    let mut columns = Vec::new();
    for (at, schema) in meta.columns.iter().enumerate() {
        let mut column = Column::new(&schema.name);
        let wanted = options.columns.as_ref();
        let is_wanted = wanted.is_none_or(|wanted| wanted.contains(&column.name));
        if is_wanted {
            for chunk in &meta.chunks[at] {
                read_chunk(bytes, schema, chunk, &mut column)
                    .map_err(|what| Malformed::File(format!("column {}: {what}", schema.name)))?;
            }
            // What a file says of its rows takes no memory until there are values.
        }
        if is_wanted && column.rows.len() != meta.rows {
            return Err(format!(
                "column {} has another length than the file says",
                schema.name
            )
            .into());
        }
        columns.push(column);
    }
    let nested = meta
        .nested
        .iter()
        .map(|name| format!("nested column {name} left out"));
    Ok(Table {
        columns,
        told: nested.collect(),
        gaps: Vec::new(),
    })
}

fn read_chunk(
    bytes: &[u8],
    schema: &meta::Schema,
    chunk: &Chunk,
    column: &mut Column,
) -> Result<(), String> {
    let end = chunk
        .start
        .checked_add(chunk.size)
        .ok_or("its place is out of the file")?;
    let mut rest = bytes
        .get(chunk.start..end)
        .ok_or("its place is out of the file")?;
    let mut dictionary = Vec::new();
    let wanted = column.rows.len() + chunk.values;
    while column.rows.len() < wanted {
        let (page, after) = page::Page::read(rest, chunk.codec)?;
        rest = after;
        match page.kind {
            page::Kind::Dictionary => {
                let cells = page::plain(&page.body, page.values, schema)?;
                dictionary = cells.into_iter().map(|cell| column.place(cell)).collect();
            }
            page::Kind::Data => page.append(schema, &dictionary, column)?,
            page::Kind::Other => {}
        }
        if column.rows.len() > wanted {
            return Err("more values than the file says".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Malformed, ReadOptions, read};

    /// Files that strangers send are refused, not believed.
    #[test]
    fn what_is_no_parquet_is_refused() {
        let check = |bytes: &[u8]| match read(bytes, &ReadOptions::default()) {
            Err(Malformed::File(what)) => assert!(!what.is_empty()),
            _ => panic!("{bytes:?}"),
        };
        check(b"");
        check(b"PAR1");
        check(b"PAR1PAR1");
        check(b"PAR1\xff\xff\xff\xffPAR1");
        check(b"PAR1\x15\x02\x19\xfc\xff\xff\xff\xff\x0f\x00\x0c\x00\x00\x00PAR1");
        check(b"PARE\x00\x00\x00\x00PARE");
    }
}
