//! Delimited text (RFC 4180): encoding and delimiter are found out and told, rows of another width are problems.
//!
//! A file is UTF-8 if all of it is; UTF-16 if it says so by its mark; else Windows-1252, unless parts of it are UTF-8 with letters
//! beyond ASCII: then it was put together from two encodings, and the rows that are not UTF-8 are named.

use super::{Malformed, ReadOptions};
use crate::{
    Problem,
    table::{Cell, Column, MAX_CELL_BYTES, MAX_COLUMNS, MAX_ROWS, Table},
};

const DELIMITERS: [char; 4] = [',', ';', '\t', '|'];
/// Rows that are looked at to find the delimiter.
const SNIFFED_ROWS: usize = 20;
/// Rows of another encoding or width that are named; the rest is counted.
const MAX_NAMED_ROWS: usize = 1000;

/// Windows-1252 where it differs from Latin-1, from 0x80; what it leaves open stays as Latin-1 has it.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Table, Malformed> {
    let (text, encoding) = decode(bytes)?;
    let delimiter = options.delimiter.unwrap_or_else(|| sniff(&text));
    let told = match delimiter {
        '\t' => "delimiter tab".to_owned(),
        other => format!("delimiter {other}"),
    };
    let mut rows = Rows::new(&text, delimiter);
    let header = rows.next().ok_or("the file is empty")?;
    if header.len() > MAX_COLUMNS {
        return Err(format!("more than {MAX_COLUMNS} columns").into());
    }
    let mut table = Table {
        columns: header.iter().map(|name| Column::new(name)).collect(),
        told: vec![format!("encoding {encoding}"), told.clone()],
        gaps: Vec::new(),
    };
    let (mut problems, mut at) = (Vec::new(), 0);
    while let Some(row) = rows.next() {
        if at >= MAX_ROWS {
            return Err(format!("more than {MAX_ROWS} rows").into());
        }
        let number = rows.row;
        table.next_is(at, number);
        at += 1;
        let columns = &mut table.columns;
        if row.iter().any(|cell| cell.contains('\0')) {
            let what = "a NUL, which no text has: is it UTF-16 without its mark, or cut off? save it as UTF-8";
            problems.push(Problem::row(number, what));
        }
        if rows.is_open {
            problems.push(Problem::row(
                number,
                "a quote is opened here and never closed",
            ));
            break;
        }
        if row.len() != columns.len() {
            let what = format!(
                "{} cells, but the header has {}: is {told} right, and is every quote closed?",
                row.len(),
                columns.len()
            );
            problems.push(Problem::row(number, what));
        }
        for (column, cell) in columns.iter_mut().zip(&row) {
            if cell.len() > MAX_CELL_BYTES {
                let what = format!("longer than {MAX_CELL_BYTES} bytes: is a quote left open?");
                problems.push(Problem::cell(number, &column.name, what));
            }
            column.push(Cell::text(cell));
        }
        if problems.len() >= MAX_NAMED_ROWS {
            break;
        }
    }
    if !problems.is_empty() {
        return Err(Malformed::Rows(problems));
    }
    Ok(table)
}

fn decode(bytes: &[u8]) -> Result<(String, &'static str), Malformed> {
    if let Some(rest) = bytes.strip_prefix(&[0xEF, 0xBB, 0xBF]) {
        return decode(rest);
    }
    let wide = |pairs: &[u8], word: fn([u8; 2]) -> u16| {
        if pairs.len() % 2 == 1 {
            return Err(Malformed::from(
                "UTF-16 that ends within a letter: was the file cut off?",
            ));
        }
        let words = pairs.chunks_exact(2).map(|pair| word([pair[0], pair[1]]));
        char::decode_utf16(words)
            .collect::<Result<String, _>>()
            .map_err(|_| Malformed::from("begins as UTF-16 and is not: save it as UTF-8"))
    };
    if let Some(rest) = bytes.strip_prefix(&[0xFF, 0xFE]) {
        return Ok((wide(rest, u16::from_le_bytes)?, "utf-16"));
    }
    if let Some(rest) = bytes.strip_prefix(&[0xFE, 0xFF]) {
        return Ok((wide(rest, u16::from_be_bytes)?, "utf-16"));
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok((text.to_owned(), "utf-8"));
    }
    let mixed = mixed_rows(bytes);
    if !mixed.is_empty() {
        return Err(Malformed::Rows(mixed));
    }
    let letter = |byte: &u8| match *byte {
        byte @ 0x80..=0x9F => WINDOWS_1252[usize::from(byte - 0x80)],
        byte => char::from(byte),
    };
    Ok((bytes.iter().map(letter).collect(), "windows-1252"))
}

/// Rows that are not UTF-8 in a file that elsewhere has letters in UTF-8.
fn mixed_rows(bytes: &[u8]) -> Vec<Problem> {
    let lines = || bytes.split(|byte| *byte == b'\n').zip(1_u64..);
    let has_letters =
        lines().any(|(line, _)| !line.is_ascii() && std::str::from_utf8(line).is_ok());
    if !has_letters {
        return Vec::new();
    }
    let not_utf8 = lines().filter(|(line, _)| std::str::from_utf8(line).is_err());
    let what = "not UTF-8, while other rows are: two encodings are mixed; save the file as UTF-8";
    let problems = not_utf8.map(|(_, line)| Problem::row(line, what));
    problems.take(MAX_NAMED_ROWS).collect()
}

/// The delimiter that cuts the first rows into the same number of cells, and the most of them.
fn sniff(text: &str) -> char {
    let cells = |delimiter: char| {
        let mut widths = Rows::new(text, delimiter)
            .take(SNIFFED_ROWS)
            .map(|row| row.len());
        let first = widths.next().unwrap_or_default();
        let same = widths.filter(|width| *width == first).count();
        (if first > 1 { same + 1 } else { 0 }, first)
    };
    // Of two that do as well the first one wins.
    let best = DELIMITERS.into_iter().rev().max_by_key(|one| cells(*one));
    best.unwrap_or(',')
}

/// Rows of text, cell by cell. Blank lines are no rows.
struct Rows<'a> {
    rest: std::iter::Peekable<std::str::Chars<'a>>,
    delimiter: char,
    /// Whether the text ended within quotes.
    is_open: bool,
    /// The row that was read last, as a spreadsheet counts.
    row: u64,
}

impl<'a> Rows<'a> {
    fn new(text: &'a str, delimiter: char) -> Self {
        Self {
            rest: text.chars().peekable(),
            delimiter,
            is_open: false,
            row: 0,
        }
    }

    /// The rest of a quoted cell; two quotes are one.
    fn quoted(&mut self, cell: &mut String) {
        loop {
            match self.rest.next() {
                Some('"') if self.rest.peek() == Some(&'"') => {
                    self.rest.next();
                    cell.push('"');
                }
                Some('"') => return,
                Some(letter) => cell.push(letter),
                None => {
                    self.is_open = true;
                    return;
                }
            }
        }
    }
}

impl Iterator for Rows<'_> {
    type Item = Vec<String>;

    fn next(&mut self) -> Option<Vec<String>> {
        while let Some(letter) = self.rest.next_if(|letter| matches!(letter, '\r' | '\n')) {
            self.row += u64::from(letter == '\n' || self.rest.peek() != Some(&'\n'));
        }
        self.rest.peek()?;
        self.row += 1;
        let (mut row, mut cell) = (Vec::new(), String::new());
        loop {
            match self.rest.next() {
                Some('"') if cell.is_empty() => self.quoted(&mut cell),
                Some('\r') if self.rest.peek() == Some(&'\n') => {}
                Some('\n' | '\r') | None => break,
                Some(letter) if letter == self.delimiter => row.push(std::mem::take(&mut cell)),
                Some(letter) => cell.push(letter),
            }
        }
        row.push(cell);
        Some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::{Malformed, ReadOptions, read};

    fn check(bytes: &[u8], told: &[&str], rows: usize, last: &str) {
        let Ok(table) = read(bytes, &ReadOptions::default()) else {
            panic!("{told:?}");
        };
        assert_eq!(table.told, told);
        assert_eq!(table.len(), rows);
        let column = table.columns.last().unwrap();
        assert_eq!(&*column.cell(rows - 1).to_text(), last);
    }

    fn problems(bytes: &[u8]) -> Vec<String> {
        match read(bytes, &ReadOptions::default()) {
            Err(Malformed::Rows(problems)) => problems.iter().map(ToString::to_string).collect(),
            Err(Malformed::File(what)) => vec![what],
            Ok(_) => Vec::new(),
        }
    }

    #[test]
    fn delimiter_and_encoding_are_found_out() {
        check(
            b"id,name\n1,a\n2,\"b, \"\"c\"\"\"\n",
            &["encoding utf-8", "delimiter ,"],
            2,
            "b, \"c\"",
        );
        check(
            b"id;size\r\n1;2,5\r\n\r\n2;3,5",
            &["encoding utf-8", "delimiter ;"],
            2,
            "3,5",
        );
        check(
            b"id\tname\n1\tx",
            &["encoding utf-8", "delimiter tab"],
            1,
            "x",
        );
        check(
            b"id;name\n1;M\xFCller\x80",
            &["encoding windows-1252", "delimiter ;"],
            1,
            "Müller€",
        );
        check(
            "\u{feff}id;name\n1;Müller".as_bytes(),
            &["encoding utf-8", "delimiter ;"],
            1,
            "Müller",
        );
        let wide: Vec<u8> = "\u{feff}id,n\n1,ü"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        check(&wide, &["encoding utf-16", "delimiter ,"], 1, "ü");
    }

    #[test]
    fn what_is_malformed_is_named_by_row() {
        let check = |bytes: &[u8], expect: &[&str]| {
            let found = problems(bytes);
            assert_eq!(found.len(), expect.len(), "{found:?}");
            for (found, expect) in found.iter().zip(expect) {
                assert!(found.contains(expect), "{found}");
            }
        };
        check(
            b"id,name\n1,a\n2\n3,b,c\n",
            &["row 3, 1 cells", "row 4, 3 cells"],
        );
        check(b"id,name\n1,\"a\n2,b\n", &["never closed"]);
        check(
            b"id;name\n1;M\xC3\xBCller\n2;M\xFCller\n",
            &["row 3, not UTF-8"],
        );
        check(b"", &["empty"]);
    }
}
