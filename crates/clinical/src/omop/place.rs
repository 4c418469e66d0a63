//! Where each field of the model stands in OMOP's tables: the model's own table says it, and the documentation is written from the same
//! words. Here it is taken apart, and a test holds it to what is written.

use arno_domain::model::{Entity, Field, FieldKind};

use super::tables::Table;

/// Where a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a column of the record's own row.
    Own,
    /// In a row of its own.
    Row(ValueTable),
}

/// A table of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueTable {
    Measurement,
    Observation,
}

impl ValueTable {
    pub(super) fn table(self) -> Table {
        match self {
            Self::Measurement => Table::Measurement,
            Self::Observation => Table::Observation,
        }
    }
}

/// Where a field's values stand.
pub(super) fn place(field: Field) -> Place {
    match field.spec().omop {
        text if is_own(field, text) => Place::Own,
        text if text.starts_with("measurement.") => Place::Row(ValueTable::Measurement),
        _ => Place::Row(ValueTable::Observation),
    }
}

/// Where a value stands for which there is no room in the record's own row.
pub(super) fn spare(field: Field) -> ValueTable {
    let is_measured = matches!(
        field.entity(),
        Entity::Stage
            | Entity::Pathology
            | Entity::Biomarker
            | Entity::Series
            | Entity::Annotation
            | Entity::Measurement
    );
    match field.kind() {
        FieldKind::Words | FieldKind::Flag => ValueTable::Observation,
        _ if is_measured => ValueTable::Measurement,
        _ => ValueTable::Observation,
    }
}

/// All but `measurement.value_…` and `observation.value_…`; and what one row of `measurement` says with the code that it is about.
fn is_own(field: Field, text: &str) -> bool {
    let is_value = text.starts_with("measurement.value_") || text.starts_with("observation.value_");
    let is_of_row = matches!(
        field.as_str(),
        "biomarker_value" | "biomarker_result" | "measurement_value"
    );
    !is_value || is_of_row
}

#[cfg(test)]
mod tests {
    use arno_domain::model::{Field, FieldKind};

    use super::{Place, ValueTable, place};
    use crate::omop::tables::Table;

    #[test]
    fn every_field_has_a_place_that_is_there() {
        for field in Field::all() {
            let text = field.spec().omop;
            for column in text.split(", ") {
                let (table, column) = column.split_once('.').unwrap_or_default();
                let table = Table::ALL.into_iter().find(|known| known.as_str() == table);
                let has = table.is_some_and(|table| table.columns().contains(&column));
                assert!(has, "{field:?} stands at {text:?}");
            }
            let Place::Row(table) = place(field) else {
                continue;
            };
            let column = match (field.kind(), table) {
                (FieldKind::Words, ValueTable::Observation) => "value_as_string",
                (FieldKind::Code { .. } | FieldKind::Flag, _) => "value_as_concept_id",
                (FieldKind::Number { .. } | FieldKind::Days, _) => "value_as_number",
                (FieldKind::Words, ValueTable::Measurement) => "no column for words",
            };
            assert_eq!(
                text,
                format!("{}.{column}", table.table().as_str()),
                "{field:?}"
            );
        }
    }
}
