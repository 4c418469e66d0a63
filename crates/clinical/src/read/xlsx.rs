//! Workbooks (ECMA-376, SpreadsheetML): one sheet, its first row the header. A formula counts as the value that was last computed.

use std::io::{Cursor, Read as _};

use chrono::{Duration, NaiveDate};
use zip::ZipArchive;

use super::{
    Malformed, ReadOptions,
    xml::{Event, Xml, attribute},
};
use crate::{
    Problem,
    table::{Cell, Column, MAX_CELL_BYTES, MAX_COLUMNS, MAX_ROWS, Table},
};

/// Largest part of a workbook, unpacked.
const MAX_PART_BYTES: u64 = 512 << 20;
/// How many times larger than packed a part may be, beyond the first bytes: sheets of numbers come to 20, a part made to grow to 1,000.
const MAX_RATIO: u64 = 100;
const MIN_PART_BYTES: u64 = 16 << 20;
/// Most cells that are kept, empty ones included, at four bytes each.
const MAX_CELLS: usize = 50_000_000;
/// Merged areas and formulas without value that are named.
const MAX_NAMED: usize = 1000;
/// Formats of numbers that are dates (ECMA-376 part 1, 18.8.30).
const DATE_FORMATS: std::ops::RangeInclusive<u32> = 14..=22;

pub(super) fn read(bytes: &[u8], options: &ReadOptions) -> Result<Table, Malformed> {
    let mut workbook = Workbook::open(bytes)?;
    let sheets = workbook.sheets()?;
    let wanted = options.sheet.as_deref();
    let found = sheets
        .iter()
        .find(|(name, _)| wanted.is_none_or(|wanted| wanted == name));
    let Some((name, target)) = found else {
        let names: Vec<_> = sheets.iter().map(|(name, _)| name.as_str()).collect();
        return Err(format!("no sheet of that name; it has: {}", names.join(", ")).into());
    };
    let mut told = vec![format!("sheet {name}")];
    if wanted.is_none() && sheets.len() > 1 {
        told.push(format!("the first of {} sheets", sheets.len()));
    }
    let strings = workbook.strings()?;
    let dates = workbook.date_styles()?;
    let text = workbook
        .part(&format!("xl/{target}"))?
        .ok_or("its sheet is missing")?;
    let sheet = Sheet {
        strings,
        dates,
        origin: workbook.origin,
    };
    let mut table = Table {
        told,
        ..Table::default()
    };
    let problems = sheet.fill(&text, &mut table)?;
    match problems.is_empty() {
        true => Ok(table),
        false => Err(Malformed::Rows(problems)),
    }
}

struct Workbook<'a> {
    zip: ZipArchive<Cursor<&'a [u8]>>,
    /// The day before day 1 of its dates.
    origin: NaiveDate,
}

impl<'a> Workbook<'a> {
    fn open(bytes: &'a [u8]) -> Result<Self, String> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(|_| "it is no workbook")?;
        let origin = NaiveDate::from_ymd_opt(1899, 12, 30).unwrap_or_default();
        Ok(Self { zip, origin })
    }

    fn part(&mut self, name: &str) -> Result<Option<String>, String> {
        let Ok(part) = self.zip.by_name(name) else {
            return Ok(None);
        };
        let mut text = String::new();
        let most = part.compressed_size().saturating_mul(MAX_RATIO);
        let most = most.clamp(MIN_PART_BYTES, MAX_PART_BYTES);
        let read = part.take(most + 1).read_to_string(&mut text);
        read.map_err(|_| format!("its part {name} cannot be unpacked, or is not UTF-8"))?;
        if text.len() as u64 > most {
            return Err(format!(
                "its part {name} grows beyond {most} bytes when it is unpacked: save the sheet as CSV"
            ));
        }
        Ok(Some(text))
    }

    /// Names of sheets and the parts that hold them, in order.
    fn sheets(&mut self) -> Result<Vec<(String, String)>, String> {
        let relations = self
            .part("xl/_rels/workbook.xml.rels")?
            .ok_or("it is no workbook")?;
        let mut targets = Vec::new();
        each(&relations, "Relationship", |attributes| {
            targets.extend(attribute(attributes, "Id").zip(attribute(attributes, "Target")));
        })?;
        let workbook = self.part("xl/workbook.xml")?.ok_or("it is no workbook")?;
        let mut sheets = Vec::new();
        each(&workbook, "sheet", |attributes| {
            let id = attribute(attributes, "id");
            let target = targets.iter().find(|(known, _)| Some(known) == id.as_ref());
            let path = target.map(|(_, path)| path.trim_start_matches("/xl/").to_owned());
            sheets.extend(attribute(attributes, "name").zip(path));
        })?;
        let mut is_1904 = false;
        each(&workbook, "workbookPr", |attributes| {
            let date = attribute(attributes, "date1904");
            is_1904 |= date.is_some_and(|date| date == "1" || date == "true");
        })?;
        if is_1904 {
            self.origin = NaiveDate::from_ymd_opt(1904, 1, 1).unwrap_or_default();
        }
        Ok(sheets)
    }

    fn strings(&mut self) -> Result<Vec<Cell>, String> {
        let Some(text) = self.part("xl/sharedStrings.xml")? else {
            return Ok(Vec::new());
        };
        let (mut strings, mut one, mut is_text) = (Vec::new(), String::new(), false);
        let mut xml = Xml::new(&text);
        while let Some(event) = xml.next()? {
            match event {
                Event::Open { name: "si", .. } => one.clear(),
                Event::Open { name, is_empty, .. } => is_text = name == "t" && !is_empty,
                Event::Text(text) if is_text => one.push_str(&text),
                Event::Close("si") => strings.push(Cell::text(&one)),
                Event::Close(_) => is_text = false,
                Event::Text(_) => {}
            }
        }
        Ok(strings)
    }

    /// For each style of cells, whether it shows a date.
    fn date_styles(&mut self) -> Result<Vec<bool>, String> {
        let Some(text) = self.part("xl/styles.xml")? else {
            return Ok(Vec::new());
        };
        let mut custom = Vec::new();
        each(&text, "numFmt", |attributes| {
            let code = attribute(attributes, "formatCode").unwrap_or_default();
            if shows_date(&code) {
                custom.extend(attribute(attributes, "numFmtId"));
            }
        })?;
        let (mut styles, mut is_cells) = (Vec::new(), false);
        let mut xml = Xml::new(&text);
        while let Some(event) = xml.next()? {
            match event {
                Event::Open {
                    name: "cellXfs", ..
                } => is_cells = true,
                Event::Close("cellXfs") => is_cells = false,
                Event::Open {
                    name: "xf",
                    attributes,
                    ..
                } if is_cells => {
                    let id = attribute(attributes, "numFmtId").unwrap_or_default();
                    let is_known = id.parse().is_ok_and(|id| DATE_FORMATS.contains(&id));
                    styles.push(is_known || custom.contains(&id));
                }
                _ => {}
            }
        }
        Ok(styles)
    }
}

/// A format with a year or a day in it, outside of quoted text and colours.
fn shows_date(code: &str) -> bool {
    let mut hidden = None;
    code.chars().any(|letter| match (hidden, letter) {
        (None, '"') => {
            hidden = Some('"');
            false
        }
        (None, '[') => {
            hidden = Some(']');
            false
        }
        (Some(end), letter) => {
            if letter == end {
                hidden = None;
            }
            false
        }
        (None, letter) => matches!(letter.to_ascii_lowercase(), 'y' | 'd'),
    })
}

fn each(text: &str, wanted: &str, mut with: impl FnMut(&str)) -> Result<(), String> {
    let mut xml = Xml::new(text);
    while let Some(event) = xml.next()? {
        if let Event::Open {
            name, attributes, ..
        } = event
            && name == wanted
        {
            with(attributes);
        }
    }
    Ok(())
}

struct Sheet {
    strings: Vec<Cell>,
    dates: Vec<bool>,
    origin: NaiveDate,
}

/// A cell that is being read.
#[derive(Default)]
struct Open {
    column: usize,
    kind: String,
    style: Option<usize>,
    text: String,
    is_formula: bool,
    /// Whether there is a value, be it empty text.
    has_value: bool,
}

impl Sheet {
    /// Fills the table; gives what cannot be used of the sheet.
    fn fill(&self, text: &str, table: &mut Table) -> Result<Vec<Problem>, String> {
        let mut problems = Vec::new();
        let (mut row, mut rows, mut number) = (Vec::new(), 0_usize, 0_u64);
        let (mut open, mut is_value) = (Open::default(), false);
        let mut xml = Xml::new(text);
        while let Some(event) = xml.next()? {
            match event {
                Event::Open {
                    name: "row",
                    attributes,
                    ..
                } => {
                    row.clear();
                    let stated = attribute(attributes, "r").and_then(|text| text.parse().ok());
                    number = stated.unwrap_or(number + 1);
                }
                Event::Open {
                    name: "mergeCell",
                    attributes,
                    ..
                } => problems.extend(merged(attributes, table)),
                Event::Open {
                    name: "c",
                    attributes,
                    ..
                } => open = opened(attributes, row.len())?,
                Event::Open { name: "f", .. } => open.is_formula = true,
                Event::Open { name, is_empty, .. } => {
                    is_value = matches!(name, "v" | "t") && !is_empty;
                    open.has_value |= name == "v";
                }
                Event::Text(text) if is_value => open.text.push_str(&text),
                Event::Close("c") => {
                    if open.is_formula && !open.has_value {
                        let name = table.columns.get(open.column);
                        let name = name.map_or("", |column| &column.name);
                        let what = "a formula that was never computed: open the file in a spreadsheet and save it, or save it as CSV";
                        problems.push(Problem::cell(number, name, what));
                    }
                    row.resize(open.column.max(row.len()), Cell::Empty);
                    row.push(self.cell(&open)?);
                }
                Event::Close("row") if table.columns.is_empty() => {
                    let names = row.iter().map(|cell| Column::new(&cell.to_text()));
                    table.columns = names.collect();
                }
                Event::Close("row") => {
                    if append(table, &row, rows, number) {
                        rows += 1;
                    }
                    if rows > MAX_ROWS || rows.saturating_mul(table.columns.len()) > MAX_CELLS {
                        return Err(format!("more than {MAX_ROWS} rows or {MAX_CELLS} cells"));
                    }
                }
                Event::Close(_) => is_value = false,
                Event::Text(_) => {}
            }
            if problems.len() >= MAX_NAMED {
                break;
            }
        }
        if table.columns.is_empty() {
            return Err("its sheet is empty".into());
        }
        Ok(problems)
    }

    fn cell(&self, open: &Open) -> Result<Cell, String> {
        let text = open.text.as_str();
        if text.len() > MAX_CELL_BYTES {
            return Err(format!("a cell of more than {MAX_CELL_BYTES} bytes"));
        }
        Ok(match open.kind.as_str() {
            "s" => {
                let string = text
                    .parse::<usize>()
                    .ok()
                    .and_then(|at| self.strings.get(at));
                string.ok_or("a cell points at no text")?.clone()
            }
            "b" => Cell::Flag(text == "1"),
            "str" | "inlineStr" | "d" | "e" => Cell::text(text),
            _ => match text.parse::<f64>() {
                Ok(number) if self.is_date(open.style) => self.date(number),
                Ok(number) => Cell::number(number),
                Err(_) => Cell::text(text),
            },
        })
    }

    fn is_date(&self, style: Option<usize>) -> bool {
        style
            .and_then(|style| self.dates.get(style))
            .copied()
            .unwrap_or(false)
    }

    fn date(&self, serial: f64) -> Cell {
        // A float turns into the nearest whole number that there is.
        let days = Duration::try_days(serial.floor() as i64);
        let date = days.and_then(|days| self.origin.checked_add_signed(days));
        date.map_or(Cell::Empty, Cell::Date)
    }
}

fn opened(attributes: &str, next: usize) -> Result<Open, String> {
    let column = match attribute(attributes, "r") {
        Some(reference) => column_of(&reference).ok_or("a cell has no place")?,
        None => next,
    };
    if column >= MAX_COLUMNS || column < next {
        return Err(format!(
            "more than {MAX_COLUMNS} columns, or cells out of order"
        ));
    }
    Ok(Open {
        column,
        kind: attribute(attributes, "t").unwrap_or_default(),
        style: attribute(attributes, "s").and_then(|style| style.parse().ok()),
        text: String::new(),
        is_formula: false,
        has_value: false,
    })
}

/// `C7` is in column 2.
fn column_of(reference: &str) -> Option<usize> {
    let letters = reference.bytes().take_while(u8::is_ascii_uppercase);
    let number = letters.take(4).fold(0, |number, letter| {
        number * 26 + usize::from(letter - b'A') + 1
    });
    number.checked_sub(1)
}

/// Rows without any value are none; cells beyond the header are left out, for they have no name. Whether it was a row.
fn append(table: &mut Table, row: &[Cell], at: usize, number: u64) -> bool {
    if row.iter().all(|cell| *cell == Cell::Empty) {
        return false;
    }
    table.next_is(at, number);
    for (at, column) in table.columns.iter_mut().enumerate() {
        column.push(row.get(at).cloned().unwrap_or(Cell::Empty));
    }
    true
}

/// Cells that are one to the eye: all but the first of them are empty, and would be taken for "not recorded".
fn merged(attributes: &str, table: &Table) -> Option<Problem> {
    let area = attribute(attributes, "ref")?;
    let (first, last) = area.split_once(':')?;
    let row = |reference: &str| {
        let digits = reference.trim_start_matches(|letter: char| letter.is_ascii_uppercase());
        digits.parse::<u64>().ok()
    };
    let (from, to) = (row(first)?, row(last)?);
    let name = column_of(first).and_then(|at| table.columns.get(at));
    let name = name.map_or(first, |column| &column.name);
    let what = format!(
        "cells are merged from here to row {to}, and only the first has a value: unmerge them and fill each"
    );
    Some(Problem::cell(from, name, what))
}
