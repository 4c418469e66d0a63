//! Rows of CSV: put together by column, written as RFC 4180 says. An empty cell is no value.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::tables::{Column, Table};

/// A row of a table. Columns that are not set are empty.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) table: Table,
    cells: Vec<String>,
}

impl Row {
    pub(super) fn new(table: Table) -> Self {
        let cells = vec![String::new(); table.columns().len()];
        Self { table, cells }
    }

    pub(super) fn set(mut self, column: Column, value: impl ToString) -> Self {
        self.put(column, value.to_string());
        self
    }

    pub(super) fn set_if(self, column: Column, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.set(column, value),
            None => self,
        }
    }

    pub(super) fn date(self, column: Column, date: NaiveDate) -> Self {
        self.set(column, date.format("%Y-%m-%d"))
    }

    fn put(&mut self, column: Column, value: String) {
        let columns = self.table.columns().iter();
        let own = columns
            .zip(&mut self.cells)
            .find(|(name, _)| **name == column);
        if let Some((_, cell)) = own {
            *cell = value;
        }
    }

    /// The row as a line.
    pub(super) fn line(&self) -> String {
        line(self.cells.iter().map(String::as_str))
    }
}

/// The header of a table.
pub(super) fn header(table: Table) -> String {
    line(table.columns().iter().copied())
}

fn line<'a>(cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for (at, cell) in cells.enumerate() {
        if at > 0 {
            line.push(',');
        }
        if cell.contains(['"', ',', '\n', '\r']) || cell.trim() != cell {
            // Writing to a string does not fail.
            let _ = write!(line, "\"{}\"", cell.replace('"', "\"\""));
        } else {
            line.push_str(cell);
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::{Row, Table, line};

    #[test]
    fn cells_are_quoted_where_they_must() {
        let check = |cells: &[&str], expect: &str| {
            assert_eq!(line(cells.iter().copied()), format!("{expect}\n"));
        };
        check(&["a", "", "b"], "a,,b");
        check(
            &["a,b", "say \"x\"", " y"],
            "\"a,b\",\"say \"\"x\"\"\",\" y\"",
        );
        check(&["two\nlines"], "\"two\nlines\"");
    }

    #[test]
    fn a_row_has_all_columns_of_its_table() {
        let row = Row::new(Table::EpisodeEvent)
            .set("event_id", 7)
            .set_if("episode_id", Some(3))
            .set_if("episode_event_field_concept_id", None::<i64>);
        assert_eq!(row.line(), "3,7,\n");
    }
}
