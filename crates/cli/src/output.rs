//! What people and programs read: tables, JSON, progress, failures with a next step.

use std::{fmt, process::ExitCode, time::Duration};

use arno_client::ClientError;
use comfy_table::{Cell, CellAlignment, Table, presets::NOTHING};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// Exit code of a refusal, so that a script can tell it from a failure.
const REFUSED: u8 = 3;

/// Exit code when all was done but some files were left out.
const LEFT_OUT: u8 = 4;

/// Everything was done that could be, and some files were left out.
#[derive(Debug)]
pub(crate) struct LeftOut(pub(crate) String);

impl fmt::Display for LeftOut {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for LeftOut {}

/// A rule of the federation said no.
#[derive(Debug)]
pub(crate) struct Refusal(pub(crate) String);

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Refusal {}

/// Prints why it failed and what to do, on standard error, and gives the exit code.
pub(crate) fn failure(json: bool, error: &anyhow::Error) -> ExitCode {
    let client = error.downcast_ref::<ClientError>();
    let refused = error.is::<Refusal>() || client.is_some_and(is_refusal);
    if json {
        let code = client.and_then(ClientError::code);
        eprintln!(
            "{}",
            serde_json::json!({ "error": format!("{error:#}"), "code": code, "refused": refused })
        );
    } else {
        eprintln!("error: {error:#}");
    }
    if let (false, Some(ClientError::Problem(problem))) = (json, client)
        && problem.status == 401
    {
        eprintln!("  next: arno login <address of the hub>");
    }
    ExitCode::from(match error.is::<LeftOut>() {
        true => LEFT_OUT,
        false if refused => REFUSED,
        false => 1,
    })
}

fn is_refusal(error: &ClientError) -> bool {
    matches!(error, ClientError::Problem(problem) if problem.status == 403)
}

/// Prints a value as indented JSON.
pub(crate) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    println!("{}", serde_json::to_string_pretty(value)?);
    Ok(())
}

/// A borderless table; columns named in `numbers` are aligned to the right.
pub(crate) struct Grid {
    table: Table,
    numbers: Vec<usize>,
}

impl Grid {
    pub(crate) fn new(header: &[&str], numbers: &[usize]) -> Self {
        let mut table = Table::new();
        table.load_style(NOTHING);
        let mut grid = Self {
            table,
            numbers: numbers.to_vec(),
        };
        let header = grid.cells(header.iter().map(|name| name.to_uppercase()));
        grid.table.set_header(header);
        grid
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = self.cells(cells.into_iter());
        self.table.add_row(cells);
    }

    fn cells(&self, texts: impl Iterator<Item = String>) -> Vec<Cell> {
        let alignment = |index| match self.numbers.contains(&index) {
            true => CellAlignment::Right,
            false => CellAlignment::Left,
        };
        texts
            .enumerate()
            .map(|(index, text)| Cell::new(text).set_alignment(alignment(index)))
            .collect()
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.table.to_string();
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.strip_prefix(' ').unwrap_or(line).trim_end())
            .collect();
        formatter.write_str(&lines.join("\n"))
    }
}

/// A bar on standard error, hidden when nobody looks or `quiet`.
pub(crate) fn bar(quiet: bool, total: u64, what: &str) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  {msg:24} {bar:30} {pos}/{len} {elapsed}");
    let bar = ProgressBar::new(total).with_message(what.to_owned());
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// A number with thin groups of three, as in `1 018`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Grid, grouped};

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1018, "1 018"),
            (41_406_000, "41 406 000"),
        ] {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn columns_line_up() {
        let mut grid = Grid::new(&["site", "patients"], &[1]);
        grid.row(["Aurora".into(), "20".into()]);
        assert_eq!(grid.to_string(), "SITE    PATIENTS\nAurora        20");
    }
}
