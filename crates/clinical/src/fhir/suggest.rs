//! A first draft of a mapping for FHIR: which systems patients' identifiers have, and which of the hospital's own codes a person could
//! give a meaning.

use std::{collections::BTreeMap, fmt::Write as _, path::Path};

use super::{FhirMapping, entries, reader::Reader, resolve::resolve};
use crate::{Uncoded, read::ReadError, suggest::quoted};

/// Codes that are listed, the most frequent first.
const MAX_LISTED: usize = 60;

/// The text of a mapping file, with comments.
///
/// # Errors
/// [`ReadError`] when a file cannot be read at all.
pub fn suggest(path: &Path, source: &str) -> Result<String, ReadError> {
    let mapping = FhirMapping::default();
    let mut reader = Reader::new(&mapping);
    entries::read(path, &mut reader)?;
    let all = reader.finish();
    let systems = all.systems.clone();
    let checked = resolve(all);
    let mut text = format!(
        "# Drafted from {} entries: read every line before you use it.\n\nsource = {}\n\n[fhir]\n",
        checked.rows,
        quoted(source)
    );
    identifiers(&mut text, &systems);
    let observations = checked.left_out.iter().filter_map(|one| {
        let token = one.what.strip_prefix("Observation ")?;
        token.contains('|').then_some((token, one.count))
    });
    let observations: Vec<_> = observations.take(MAX_LISTED).collect();
    if !observations.is_empty() {
        text.push_str("\n# Observations that fill no field: give those that matter one of docs/model.md.\n[fhir.observations]\n");
        for (token, count) in observations {
            let _ = writeln!(text, "# {} = \"\"  # {count} times", quoted(token));
        }
    }
    codes(&mut text, &checked.uncoded);
    Ok(text)
}

fn identifiers(text: &mut String, systems: &BTreeMap<String, u64>) {
    text.push_str("# The identifier that stands in Patient ID (0010,0020) of the images. Patients have those of:\n");
    for (system, count) in systems {
        let _ = writeln!(text, "#   {} ({count} patients)", quoted(system));
    }
    let most = systems.iter().max_by_key(|(_, count)| **count);
    if let Some((system, _)) = most.filter(|(system, _)| !system.is_empty()) {
        let _ = writeln!(text, "identifier_system = {}", quoted(system));
    }
}

/// Lists of codes that have no meaning yet, by field.
fn codes(text: &mut String, uncoded: &[Uncoded]) {
    let mut fields: BTreeMap<&str, Vec<&Uncoded>> = BTreeMap::new();
    for one in uncoded.iter().filter(|one| !one.value.is_empty()) {
        fields.entry(one.field.as_str()).or_default().push(one);
    }
    for (field, uncoded) in fields {
        let _ = write!(
            text,
            "\n# Codes of {field} that are not known: say what they are.\n[codes.{field}]\nsystem = {}\n[codes.{field}.map]\n",
            quoted(first_system(uncoded[0]))
        );
        for one in uncoded.iter().take(MAX_LISTED) {
            let _ = writeln!(
                text,
                "# {} = \"\"  # {} times",
                quoted(&one.value),
                one.count
            );
        }
    }
}

fn first_system(one: &Uncoded) -> &'static str {
    match one.field.kind() {
        arno_domain::model::FieldKind::Code { systems } => {
            systems.first().map_or("arno", |system| system.as_str())
        }
        _ => "arno",
    }
}
