//! A first draft of the mapping of a folder of OMOP's tables, for a person to read: what is there, what has no code, what has no place.
//! Counts only; no value of a row is told.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use arno_domain::model::{Field, FieldKind};

use super::{
    context::each,
    import::{OmopMapping, OmopSettings, PatientColumn, check},
    read::file_of,
    tables::Table,
};
use crate::{Checked, suggest::quoted};

/// Things without a place that are listed.
const MAX_LISTED: usize = 20;

/// Whether a folder holds OMOP's tables.
#[must_use]
pub fn is_omop(folder: &Path) -> bool {
    folder.is_dir() && file_of(folder, Table::Person.as_str()).is_some()
}

/// The draft.
#[must_use]
pub fn suggest(folder: &Path, source: &str) -> String {
    let patient = patient_column(folder);
    let mapping = OmopMapping {
        source: source.to_owned(),
        omop: OmopSettings {
            patient,
            ..OmopSettings::default()
        },
    };
    // A mapping that names no systems cannot be wrong.
    let checked = check(folder, &mapping).unwrap_or_default();
    text(folder, source, patient, &checked)
}

/// The hospital's own id, where every person has one.
fn patient_column(folder: &Path) -> PatientColumn {
    let mut is_named = true;
    each(folder, Table::Person, &mut Vec::new(), |rows, line| {
        is_named &= rows.cell(line, "person_source_value").is_some();
        Ok(())
    });
    match is_named {
        true => PatientColumn::PersonSourceValue,
        false => PatientColumn::PersonId,
    }
}

/// Writing to a string does not fail.
fn text(folder: &Path, source: &str, patient: PatientColumn, checked: &Checked) -> String {
    let tables = Table::ALL
        .iter()
        .filter(|table| file_of(folder, table.as_str()).is_some());
    let tables: Vec<_> = tables.map(|table| table.as_str()).collect();
    let has_vocabulary = tables.contains(&Table::Concept.as_str());
    let mut text = format!(
        "# A draft: read every line.\n# Tables: {}.\n# {} rows, {} records, {} problems.\nsource = {}\n\n[omop]\n",
        tables.join(", "),
        checked.rows,
        checked.records(),
        checked.problems.len(),
        quoted(source)
    );
    let _ = writeln!(
        text,
        "patient = {}    # the patient id of the images must stand in this column",
        quoted(patient.as_str())
    );
    if !has_vocabulary {
        text.push_str("# vocabulary = \"athena\"    # no CONCEPT.csv is here: name the folder of one, or say below what source values are\n");
    }
    let mut uncoded: BTreeMap<Field, u64> = BTreeMap::new();
    for one in &checked.uncoded {
        *uncoded.entry(one.field).or_default() += one.count;
    }
    if !uncoded.is_empty() {
        text.push_str("\n[omop.systems]\n");
    }
    for (field, count) in uncoded {
        let FieldKind::Code { systems } = field.kind() else {
            continue;
        };
        let systems: Vec<_> = systems.iter().map(|system| system.as_str()).collect();
        let _ = writeln!(
            text,
            "# {field} = {}    # {count} source values without a concept; one of {}",
            quoted(systems.first().unwrap_or(&"")),
            systems.join(", ")
        );
    }
    for left in checked.left_out.iter().take(MAX_LISTED) {
        let _ = writeln!(
            text,
            "# left out {} times: {}",
            left.count,
            left.what.escape_debug()
        );
    }
    text
}
