//! The table as a page: `docs/model.md` is exactly this text.

use std::fmt::Write as _;

use super::{CodeSystem, Entity, Field, FieldKind, FieldSpec};

const OPENING: &str = "# The common data model

Written from the table in `crates/domain/src/model` by `UPDATE_SNAPSHOTS=1 cargo test -p arno-domain`; a test compares the two.

Every record is of one entity and hangs on a patient. Codes are kept as system, code and version, and what the source wrote
stands beside them; numbers are in the field's unit ([UCUM](https://ucum.org)), at full precision; dates leave a node only as
days from a baseline of the patient's own. Labels of licensed terminologies are not kept. Where a counterpart elsewhere is empty we
know of none. The DICOM column says from which attributes a node fills the field when it takes images in, in functional groups and sequences
too; what a header leaves empty is not recorded, and nothing is guessed from descriptions. The OMOP column is where an export writes the field
and an import finds it.
";

/// The whole page, in Markdown.
#[must_use]
pub fn document() -> String {
    let mut page = String::from(OPENING);
    for entity in Entity::ALL {
        let on = entity.parent().map_or(String::new(), |parent| {
            format!(" Hangs on a {}.", parent.as_str())
        });
        // Writing to a string does not fail.
        let _ = write!(
            page,
            "\n## {}\n\n{}{on}\n\n| field | holds | meaning | DICOM | FHIR R4, mCODE | OMOP 5.4 | EUCAIM |\n|---|---|---|---|---|---|---|\n",
            entity.as_str(),
            entity.meaning()
        );
        for field in Field::all().filter(|field| field.entity() == entity) {
            page.push_str(&row(field.spec()));
        }
    }
    page.push_str("\n## Code systems\n\n| name | address |\n|---|---|\n");
    for system in CodeSystem::ALL {
        let _ = writeln!(page, "| `{system}` | `{}` |", system.uri());
    }
    page
}

fn row(spec: &FieldSpec) -> String {
    format!(
        "| `{}` | {} | {} | {} | {} | {} | {} |\n",
        spec.name,
        holds(spec.kind),
        spec.meaning,
        spec.dicom,
        spec.fhir,
        spec.omop,
        spec.eucaim
    )
}

fn holds(kind: FieldKind) -> String {
    match kind {
        FieldKind::Code { systems } => {
            let names: Vec<_> = systems.iter().map(|system| system.as_str()).collect();
            format!("code: {}", names.join(", "))
        }
        FieldKind::Words => "words".into(),
        FieldKind::Number { unit: "" } => "number".into(),
        FieldKind::Number { unit } => format!("number in {unit}"),
        FieldKind::Days => "days".into(),
        FieldKind::Flag => "yes or no".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::document;

    /// A page that is written from the table does not go stale.
    #[test]
    fn the_page_is_the_table() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/model.md");
        if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
            std::fs::write(path, document()).unwrap();
        }
        let kept = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            kept == document(),
            "docs/model.md is stale: run UPDATE_SNAPSHOTS=1 cargo test -p arno-domain"
        );
    }
}
