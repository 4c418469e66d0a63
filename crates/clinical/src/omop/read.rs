//! One table's file, row by row: comma or tab, UTF-8. Nothing but the row at hand is in memory.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
};

use super::tables::Table;
use crate::Problem;

/// Longest row; the longest text of the tables is `sig` of a prescription.
const MAX_ROW_BYTES: u64 = 1 << 20;

/// The file of a table.
#[derive(Debug)]
pub(super) struct Rows {
    pub(super) table: Table,
    name: String,
    reader: BufReader<File>,
    delimiter: u8,
    columns: Vec<String>,
    /// The last row's number as a spreadsheet counts: the header is row 1.
    number: u64,
}

/// A row with its number.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) number: u64,
    /// In the order of the file's columns; empty where a row is short.
    cells: Vec<String>,
}

/// The file of a table in a folder, whatever the case of its name.
pub(super) fn file_of(folder: &Path, table: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    let mut files: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    files.into_iter().find(|path| {
        let is = |part: Option<&std::ffi::OsStr>, wanted: &str| {
            part.is_some_and(|part| part.eq_ignore_ascii_case(wanted))
        };
        let is_text = is(path.extension(), "csv") || is(path.extension(), "tsv");
        is(path.file_stem(), table) && is_text
    })
}

impl Rows {
    /// Opens a table's file and reads its header.
    pub(super) fn open(table: Table, path: &Path) -> Result<Self, Problem> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.into_owned();
        let cannot = |error: std::io::Error| {
            Problem::file(format!("cannot be read: {error}")).in_file(&name)
        };
        let mut rows = Self {
            table,
            reader: BufReader::new(File::open(path).map_err(cannot)?),
            name,
            delimiter: b',',
            columns: Vec::new(),
            number: 0,
        };
        let header = rows.record()?.unwrap_or_default();
        if header.contains('\t') && !header.contains(',') {
            rows.delimiter = b'\t';
        }
        let names = split(header.trim_start_matches('\u{feff}'), rows.delimiter);
        rows.columns = names
            .iter()
            .map(|name| name.trim().to_ascii_lowercase())
            .collect();
        rows.number = 1;
        Ok(rows)
    }

    /// Whether the file has a column.
    pub(super) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name == column)
    }

    /// The columns whose names end so, by their places.
    pub(super) fn ending(&self, end: &str) -> Vec<usize> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter(|(_, name)| name.ends_with(end))
            .map(|(at, _)| at)
            .collect()
    }

    /// The next row.
    pub(super) fn next(&mut self) -> Result<Option<Line>, Problem> {
        loop {
            let Some(record) = self.record()? else {
                return Ok(None);
            };
            self.number += 1;
            if record.trim().is_empty() {
                continue;
            }
            let mut cells = split(&record, self.delimiter);
            if cells.len() > self.columns.len() {
                let what = format!(
                    "{} cells, but the header has {}: is every quote closed?",
                    cells.len(),
                    self.columns.len()
                );
                return Err(self.problem(what));
            }
            cells.resize(self.columns.len(), String::new());
            return Ok(Some(Line {
                number: self.number,
                cells,
            }));
        }
    }

    /// The cell of a column, if there is anything in it.
    pub(super) fn cell<'a>(&self, line: &'a Line, column: &str) -> Option<&'a str> {
        let at = self.columns.iter().position(|name| name == column)?;
        line.cell(at)
    }

    /// A problem of a cell.
    pub(super) fn at(&self, line: &Line, column: &str, what: impl Into<String>) -> Problem {
        Problem::cell(line.number, column, what).in_file(&self.name)
    }

    fn problem(&self, what: impl Into<String>) -> Problem {
        Problem::row(self.number, what).in_file(&self.name)
    }

    /// Lines up to the one that closes all quotes; `None` at the end.
    fn record(&mut self) -> Result<Option<String>, Problem> {
        let mut bytes = Vec::new();
        loop {
            let left = MAX_ROW_BYTES.saturating_sub(bytes.len() as u64);
            let read = self
                .reader
                .by_ref()
                .take(left)
                .read_until(b'\n', &mut bytes);
            let read = read.map_err(|error| self.problem(format!("cannot be read: {error}")))?;
            let quotes = bytes.iter().filter(|byte| **byte == b'"').count();
            if self.delimiter == b'\t' || quotes.is_multiple_of(2) || read == 0 {
                break;
            }
        }
        if bytes.is_empty() {
            return Ok(None);
        }
        if bytes.len() as u64 >= MAX_ROW_BYTES {
            self.number += 1;
            return Err(self.problem(format!(
                "longer than {MAX_ROW_BYTES} bytes: is a quote left open?"
            )));
        }
        while bytes
            .last()
            .is_some_and(|byte| matches!(byte, b'\n' | b'\r'))
        {
            bytes.pop();
        }
        String::from_utf8(bytes).map(Some).map_err(|_| {
            self.number += 1;
            self.problem("not UTF-8: write the tables in UTF-8")
        })
    }
}

impl Line {
    pub(super) fn cell(&self, at: usize) -> Option<&str> {
        let cell = self.cells.get(at)?;
        (!cell.is_empty()).then_some(cell)
    }
}

/// Cells of a record. In files with tabs, as OHDSI gives its vocabularies away, quotes are letters.
fn split(record: &str, delimiter: u8) -> Vec<String> {
    if delimiter == b'\t' {
        return record.split('\t').map(str::to_owned).collect();
    }
    let (mut cells, mut cell) = (Vec::new(), String::new());
    let (mut is_quoted, mut letters) = (false, record.chars().peekable());
    while let Some(letter) = letters.next() {
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if is_quoted || cell.is_empty() => is_quoted = !is_quoted,
            ',' if !is_quoted => cells.push(std::mem::take(&mut cell)),
            letter => cell.push(letter),
        }
    }
    cells.push(cell);
    cells
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn cells_are_split() {
        let check = |record: &str, delimiter: u8, expect: &[&str]| {
            assert_eq!(split(record, delimiter), expect, "{record}");
        };
        check("a,,b", b',', &["a", "", "b"]);
        check(
            "\"a,b\",\"say \"\"x\"\"\",\" y\"",
            b',',
            &["a,b", "say \"x\"", " y"],
        );
        check("a\t\"b\tc", b'\t', &["a", "\"b", "c"]);
        check("5\" nail,x", b',', &["5\" nail", "x"]);
    }
}
