//! From one cell to what it says, or why it says nothing.

use arno_domain::model::{Coded, FieldKind, Value, convert};
use chrono::NaiveDate;

use super::{DraftContent, Said};
use crate::{
    mapping::{FieldPlan, Plan, Reading},
    table::{Bits, Cell},
};

/// Longest code of any system.
const MAX_CODE_CHARS: usize = 64;
/// Longest words that are kept of a cell.
const MAX_WORDS_CHARS: usize = 1000;
/// Days that a life can be away from a diagnosis.
const MAX_DAYS: f64 = 60_000.0;

/// What spreadsheets write where a formula has no value (ECMA-376 part 1, 18.17.3).
const SHEET_ERRORS: [&str; 7] = [
    "#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A",
];

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Understood {
    /// Nothing is recorded.
    Missing,
    /// This.
    Said(Said),
    /// Nothing that can be used: what is wrong and what to do.
    Bad(String),
}

/// Reads a cell as the plan says.
pub(super) fn understand(plan: &Plan, field: &FieldPlan, cell: &Cell) -> Understood {
    let text = cell.to_text();
    if *cell == Cell::Empty || plan.missing.iter().any(|missing| **missing == *text) {
        return Understood::Missing;
    }
    if SHEET_ERRORS.contains(&&*text) {
        let what =
            "an error of the spreadsheet stands here: mend its formula, or name it in file.missing";
        return Understood::Bad(what.into());
    }
    let content = match &field.reading {
        Reading::Listed(codes) => {
            let coded = codes.get(&text.to_lowercase());
            return Understood::Said(Said {
                content: coded.map_or(DraftContent::Uncoded, |coded| {
                    DraftContent::Known(Value::Code(coded.clone()))
                }),
                source: Some(clip(&text)),
            });
        }
        Reading::AsCode(system) if is_code(&text) => {
            Ok(known(Value::Code(Coded::new(*system, &text))))
        }
        Reading::AsCode(_) => Err(format!(
            "no code: a code has at most {MAX_CODE_CHARS} letters, none of them |"
        )),
        Reading::Words => Ok(known(Value::Words(clip(&text)))),
        Reading::Flag => match cell {
            Cell::Flag(flag) => Ok(known(Value::Flag(*flag))),
            _ => crate::mapping::flag(&text)
                .map(known)
                .ok_or_else(|| "neither yes nor no".to_owned()),
        },
        Reading::Number(unit) => return number(plan, field, unit, cell, &text),
        Reading::Days => plain(plan, cell, &text)
            .filter(|days| days.fract() == 0.0 && days.abs() <= MAX_DAYS)
            .map(|days| known(Value::Days(days as i64)))
            .ok_or_else(|| "no whole number of days within a life".to_owned()),
        Reading::Date => date(plan, cell, &text).map(DraftContent::Date),
    };
    match content {
        Ok(content) => Understood::Said(Said {
            content,
            source: None,
        }),
        Err(what) => Understood::Bad(what),
    }
}

fn known(value: Value) -> DraftContent {
    DraftContent::Known(value)
}

fn is_code(text: &str) -> bool {
    text.chars().count() <= MAX_CODE_CHARS
        && !text
            .chars()
            .any(|letter| letter == '|' || letter.is_control())
}

fn clip(text: &str) -> String {
    text.chars().take(MAX_WORDS_CHARS).collect()
}

/// A number without a unit behind it.
fn plain(plan: &Plan, cell: &Cell, text: &str) -> Option<f64> {
    if let Cell::Number(Bits(number)) = cell {
        return Some(*number).filter(|number| number.is_finite());
    }
    let text = match plan.decimal {
        '.' => text.to_owned(),
        // A point could part thousands or be a slip of the pen.
        _ if text.contains('.') => return None,
        sign => text.replace(sign, "."),
    };
    let is_number = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse()
        .ok()
        .filter(|number: &f64| is_number && number.is_finite())
}

/// A number in the field's unit; "1.5 cm" and "061Y" bring their own unit, and then the source is kept.
fn number(plan: &Plan, field: &FieldPlan, unit: &str, cell: &Cell, text: &str) -> Understood {
    let FieldKind::Number { unit: wanted } = field.field.kind() else {
        return Understood::Bad("no number is wanted here".into());
    };
    let (number, from, is_own) = match plain(plan, cell, text) {
        Some(number) => (number, unit, false),
        None => {
            let end =
                text.find(|letter: char| letter.is_alphabetic() || matches!(letter, '%' | '['));
            let (digits, suffix) = text.split_at(end.unwrap_or(text.len()));
            let number = plain(plan, &Cell::text(digits), digits.trim());
            match number {
                Some(number) if !suffix.is_empty() => (number, unit_of(suffix), true),
                _ => {
                    let sign = plan.decimal;
                    return Understood::Bad(format!("no number with {sign:?} as decimal sign"));
                }
            }
        }
    };
    match convert(number, from, wanted) {
        Ok(converted) => Understood::Said(Said {
            content: known(Value::Number(converted)),
            source: (is_own || from != wanted).then(|| clip(text)),
        }),
        Err(_) => Understood::Bad(format!(
            "a unit that is not turned into {wanted:?}: are units mixed in this column?"
        )),
    }
}

/// Ages of DICOM (PS3.5, VR AS) have units of their own.
fn unit_of(suffix: &str) -> &str {
    match suffix.trim() {
        "Y" | "y" => "a",
        "M" => "mo",
        "W" => "wk",
        "D" => "d",
        other => other,
    }
}

fn date(plan: &Plan, cell: &Cell, text: &str) -> Result<NaiveDate, String> {
    if let Cell::Date(date) = cell {
        return Ok(*date);
    }
    let mut read: Vec<_> = plan
        .dates
        .iter()
        .filter_map(|style| style.parse(text))
        .collect();
    read.dedup();
    match read.as_slice() {
        [date] => Ok(*date),
        [] => Err("no date in the styles that the mapping names (file.dates)".into()),
        _ => Err("two dates, by the styles that the mapping names: leave only the right one in file.dates".into()),
    }
}
