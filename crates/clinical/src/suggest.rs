//! A first draft of a mapping: columns are compared with the model by name and by what stands in them. It is a draft: every line says
//! how sure it is, and a person reads it before it is used.

use std::fmt::Write as _;

use arno_domain::model::{Entity, Field, FieldKind};

use crate::{
    Table,
    draft::dates::DateStyle,
    table::{Cell, Column},
};

/// Other names by which columns of tables go.
const SYNONYMS: [(&str, &str); 44] = [
    ("gender", "sex"),
    ("geschlecht", "sex"),
    ("patientsex", "sex"),
    ("sexe", "sex"),
    ("patientage", "age"),
    ("age_at_initial_pathologic_diagnosis", "age_at_diagnosis"),
    ("age_at_dx", "age_at_diagnosis"),
    ("diagnosis_age", "age_at_diagnosis"),
    ("icd10", "diagnosis"),
    ("icd_10", "diagnosis"),
    ("icd_code", "diagnosis"),
    ("icdo3", "diagnosis"),
    ("topography", "diagnosis"),
    ("site", "diagnosis"),
    ("histology_code", "morphology"),
    ("dx_date", "diagnosis_date"),
    ("date_of_diagnosis", "diagnosis_date"),
    ("diagnosedatum", "diagnosis_date"),
    ("initial_pathologic_dx_year", "diagnosis_year"),
    ("stage", "stage_group"),
    ("ajcc_pathologic_tumor_stage", "stage_group"),
    ("ajcc_stage", "stage_group"),
    ("uicc", "stage_group"),
    ("t", "t_category"),
    ("n", "n_category"),
    ("m", "m_category"),
    ("ct", "t_category"),
    ("pt", "t_category"),
    ("histological_grade", "grade"),
    ("grading", "grade"),
    ("histological_type", "histology"),
    ("margin_status", "margins"),
    ("tumor_size", "tumour_size"),
    ("er", "er_status"),
    ("pr", "pr_status"),
    ("her2", "her2_status"),
    ("ki_67", "ki67"),
    ("os_time", "overall_survival_days"),
    ("pfi_time", "progression_free_days"),
    ("vitalstatus", "vital_status"),
    ("bodypartexamined", "body_part"),
    ("bodypart", "body_part"),
    ("manufacturermodelname", "model"),
    ("studydate", "study_date"),
];
/// Names of columns that hold the patient's id.
const PATIENT_NAMES: [&str; 8] = [
    "patientid",
    "patient_id",
    "patient",
    "subject_id",
    "bcr_patient_barcode",
    "pid",
    "mrn",
    "case_id",
];
/// Words that stand for nothing in many tables.
const MISSING: [&str; 10] = [
    "#N/A",
    "NA",
    "N/A",
    "n/a",
    "NULL",
    "null",
    "[Not Available]",
    "[Not Applicable]",
    "[Unknown]",
    "unknown",
];
/// Distinct words up to which a list of codes is drafted.
const MAX_LISTED: usize = 60;
/// Cells that are looked at in a column.
const LOOKED_AT: usize = 1000;

/// The text of a mapping file, with comments.
#[must_use]
pub fn suggest(table: &Table, source: &str) -> String {
    let patient = patient_column(table);
    let name = patient.map_or("?", |at| table.columns[at].name.as_str());
    let once = patient.is_some_and(|at| table.columns[at].distinct.len() == table.len());
    let mut text = format!(
        "# Drafted from the columns: read every line before you use it.\n# {}\n\nsource = {}\n\n",
        table.told.join(", "),
        quoted(source)
    );
    let _ = write!(
        text,
        "[file]\nmissing = [{}]\ndates = [{}]\n\n[patient]\n# {}\ncolumn = {}\nonce = {once}\n",
        missing(table).map(quoted).collect::<Vec<_>>().join(", "),
        styles(table)
            .into_iter()
            .map(quoted)
            .collect::<Vec<_>>()
            .join(", "),
        if patient.is_some() {
            "by its name"
        } else {
            "no column looks like an id: name it"
        },
        quoted(name)
    );
    let guesses: Vec<_> = table
        .columns
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != patient)
        .filter_map(|(_, column)| Some((column, guess(column)?)))
        .collect();
    for entity in Entity::ALL {
        record(&mut text, table, entity, &guesses);
    }
    lists(&mut text, &guesses);
    let known: Vec<_> = guesses
        .iter()
        .map(|(column, _)| column.name.as_str())
        .collect();
    let rest = table
        .columns
        .iter()
        .enumerate()
        .filter(|(at, column)| Some(*at) != patient && !known.contains(&column.name.as_str()));
    text.push_str("\n# Columns without a counterpart:\n");
    for (_, column) in rest {
        let _ = writeln!(text, "#   {}: {}", column.name, holds(column));
    }
    text
}

/// A field that a column may hold, and how sure that is.
struct Guess {
    field: Field,
    confidence: f64,
}

fn guess(column: &Column) -> Option<Guess> {
    let name = plain(&column.name);
    let synonym = SYNONYMS
        .iter()
        .find(|(other, _)| *other == name)
        .map(|(_, field)| *field);
    let squeezed = name.replace('_', "");
    let (field, by_name) = match (Field::parse(&name), synonym) {
        (Ok(field), _) => (field, 1.0),
        (_, Some(field)) => (Field::parse(field).ok()?, 0.9),
        _ => {
            let same = |field: &Field| field.as_str().replace('_', "") == squeezed;
            (Field::all().find(same)?, 0.8)
        }
    };
    let fits = fits(column, field.kind());
    (fits > 0.2).then_some(Guess {
        field,
        confidence: by_name * fits,
    })
}

/// Which part of a column's distinct cells can be what the field holds.
fn fits(column: &Column, kind: FieldKind) -> f64 {
    let cells: Vec<_> = column
        .distinct
        .iter()
        .take(LOOKED_AT)
        .filter(|cell| **cell != Cell::Empty && !MISSING.contains(&&*cell.to_text()))
        .collect();
    let good = cells.iter().filter(|cell| match kind {
        FieldKind::Number { .. } => {
            let text = cell.to_text().replace(',', ".");
            text.trim_end_matches(|letter: char| letter.is_alphabetic() || letter == ' ')
                .parse::<f64>()
                .is_ok()
        }
        FieldKind::Days => {
            let text = cell.to_text();
            matches!(cell, Cell::Date(_))
                || STYLES.iter().any(|(_, style)| style.parse(&text).is_some())
        }
        FieldKind::Flag => crate::mapping::flag(&cell.to_text()).is_some(),
        FieldKind::Code { .. } | FieldKind::Words => true,
    });
    if cells.is_empty() {
        0.5
    } else {
        good.count() as f64 / cells.len() as f64
    }
}

const STYLES: [(&str, DateStyle); 4] = [
    ("iso", DateStyle::Iso),
    ("compact", DateStyle::Compact),
    ("dmy", DateStyle::Dmy),
    ("mdy", DateStyle::Mdy),
];

/// Styles in which some column's texts are all dates.
fn styles(table: &Table) -> Vec<&'static str> {
    let all = |style: DateStyle| {
        table.columns.iter().any(|column| {
            let texts: Vec<_> = column
                .distinct
                .iter()
                .take(LOOKED_AT)
                .filter_map(|cell| match cell {
                    Cell::Text(text) if !MISSING.contains(&&**text) => Some(text),
                    _ => None,
                })
                .collect();
            !texts.is_empty() && texts.iter().all(|text| style.parse(text).is_some())
        })
    };
    STYLES
        .iter()
        .filter(|(_, style)| all(*style))
        .map(|(name, _)| *name)
        .collect()
}

fn missing(table: &Table) -> impl Iterator<Item = &'static str> {
    MISSING.into_iter().filter(|word| {
        let is_word = |cell: &Cell| matches!(cell, Cell::Text(text) if **text == **word);
        table
            .columns
            .iter()
            .any(|column| column.distinct.iter().take(LOOKED_AT).any(is_word))
    })
}

fn patient_column(table: &Table) -> Option<usize> {
    let names = PATIENT_NAMES.iter();
    names
        .filter_map(|name| {
            table
                .columns
                .iter()
                .position(|column| plain(&column.name) == *name)
        })
        .next()
}

fn record(text: &mut String, table: &Table, entity: Entity, guesses: &[(&Column, Guess)]) {
    let own: Vec<_> = guesses
        .iter()
        .filter(|(_, guess)| guess.field.entity() == entity)
        .collect();
    if own.is_empty() {
        return;
    }
    let _ = write!(text, "\n[[record]]\nentity = {}\n", quoted(entity.as_str()));
    let column = |wanted: &str| {
        table
            .columns
            .iter()
            .find(|column| plain(&column.name) == wanted)
    };
    let (key, parent) = match entity {
        Entity::Study => (column("studyinstanceuid"), None),
        Entity::Series => (column("seriesinstanceuid"), column("studyinstanceuid")),
        _ => (None, None),
    };
    if let Some(key) = key {
        let _ = writeln!(text, "key = [{}]", quoted(&key.name));
    }
    if let Some(parent) = parent {
        let _ = writeln!(text, "parent = {}", quoted(&parent.name));
    }
    text.push_str("fields = [\n");
    for (column, guess) in own {
        let list =
            is_listed(column, guess).then(|| format!(", codes = {}", quoted(&plain(&column.name))));
        let _ = writeln!(
            text,
            "  # {:.0} % sure; {}\n  {{ field = {}, column = {}{} }},",
            guess.confidence * 100.0,
            holds(column),
            quoted(guess.field.as_str()),
            quoted(&column.name),
            list.unwrap_or_default()
        );
    }
    text.push_str("]\n");
}

/// Few distinct words of a coded field want a list; many may be codes already.
fn is_listed(column: &Column, guess: &Guess) -> bool {
    matches!(guess.field.kind(), FieldKind::Code { .. })
        && column.distinct.len() <= MAX_LISTED
        && !matches!(guess.field.as_str(), "modality" | "body_part")
}

fn lists(text: &mut String, guesses: &[(&Column, Guess)]) {
    for (column, guess) in guesses
        .iter()
        .filter(|(column, guess)| is_listed(column, guess))
    {
        let FieldKind::Code { systems } = guess.field.kind() else {
            continue;
        };
        let system = systems.first().map_or("arno", |system| system.as_str());
        let _ = write!(
            text,
            "\n# {}\n# What the source writes = the code. A word without a code is kept and reported.\n[codes.{}]\nsystem = {}\n[codes.{}.map]\n",
            guess.field.spec().meaning,
            plain(&column.name),
            quoted(system),
            plain(&column.name)
        );
        for cell in &column.distinct {
            let word = cell.to_text();
            if !word.is_empty() && !MISSING.contains(&&*word) {
                let _ = writeln!(text, "# {} = {}", quoted(&word), quoted(&word));
            }
        }
    }
}

fn holds(column: &Column) -> String {
    let kind = match column.distinct.iter().find(|cell| **cell != Cell::Empty) {
        None => "nothing",
        Some(Cell::Number(_)) => "numbers",
        Some(Cell::Date(_)) => "dates",
        Some(Cell::Flag(_)) => "yes or no",
        Some(_) => "words",
    };
    format!("{} distinct {kind}", column.distinct.len())
}

/// A column's name in small letters, with `_` for whatever is no letter or digit.
fn plain(name: &str) -> String {
    let letters = name.chars().map(|letter| {
        if letter.is_alphanumeric() {
            letter.to_ascii_lowercase()
        } else {
            '_'
        }
    });
    letters.collect::<String>().trim_matches('_').to_owned()
}

/// A string of TOML.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => {
                out.push('\\');
                out.push(letter);
            }
            letter if letter.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(letter));
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
    out
}
