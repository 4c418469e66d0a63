//! Values of a record: those that its own row takes, and a row of `measurement` or `observation` for each that is left.

use arno_domain::model::{Coded, Field, FieldKind, Record, Recorded, Value};
use chrono::NaiveDate;

use super::{Main, OmopExport, Person};
use crate::{
    export::{ExportError, date_of},
    omop::{
        concepts::{Concepts, EHR, NO, NONE, YES},
        place::{Place, ValueTable, place, spare},
        row::Row,
        tables::{Column, MAX_NAME_CHARS, MAX_SOURCE_CHARS, MAX_STRING_CHARS, Table},
    },
};

/// The values of a record, and which of them stand in its own row already.
pub(super) struct Values<'a> {
    pub(super) record: &'a Record,
    used: Vec<Field>,
}

/// What stands in the two columns of a code: the concept, and the source's text.
pub(super) type CodeAndText = (i64, String);

impl<'a> Values<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        Self {
            record,
            used: Vec::new(),
        }
    }

    fn find(&self, name: &str) -> Option<&'a Recorded> {
        let values = self.record.values.iter();
        values
            .into_iter()
            .find(|recorded| recorded.field.as_str() == name)
    }

    /// A value beside which there is no text that would be lost.
    fn plain(&self, name: &str) -> Option<(Field, &'a Value)> {
        let recorded = self
            .find(name)
            .filter(|recorded| recorded.source.is_none())?;
        Some((recorded.field, recorded.value.as_ref()?))
    }

    fn take<T>(&mut self, field: Field, value: Option<T>) -> Option<T> {
        if value.is_some() {
            self.used.push(field);
        }
        value
    }

    /// A code for a column that has none for the source's text.
    pub(super) fn code(&mut self, name: &str, concepts: &mut Concepts) -> Option<i64> {
        match self.plain(name)? {
            (field, Value::Code(coded)) => {
                let concept = concepts.of(coded);
                self.take(field, concept)
            }
            _ => None,
        }
    }

    /// A code, or words without one, for a column with one for the source's text.
    pub(super) fn code_and_text(
        &mut self,
        name: &str,
        concepts: &mut Concepts,
    ) -> Option<CodeAndText> {
        let recorded = self.find(name)?;
        let text = recorded.source.as_deref();
        let found = match (&recorded.value, text) {
            (Some(Value::Code(coded)), text) => {
                let text = text.unwrap_or(&coded.code);
                fits(text)
                    .then(|| concepts.of(coded))
                    .flatten()
                    .map(|concept| (concept, text.to_owned()))
            }
            (None, Some(text)) => fits(text).then(|| (NONE, text.to_owned())),
            _ => None,
        };
        self.take(recorded.field, found)
    }

    pub(super) fn date(&mut self, name: &str) -> Option<NaiveDate> {
        match self.plain(name)? {
            (field, Value::Days(days)) => self.take(field, date_of(*days)),
            _ => None,
        }
    }

    /// The date of all rows of a record without a row of its own.
    pub(super) fn date_of_rows(&mut self) -> Option<NaiveDate> {
        let dates = [
            "stage_date",
            "pathology_date",
            "biomarker_date",
            "measurement_date",
        ];
        // A record whose only value is its date needs a row to stand in.
        if self.left().count() < 2 {
            return None;
        }
        dates.into_iter().find_map(|name| self.date(name))
    }

    pub(super) fn words(&mut self, name: &str, most: usize) -> Option<&'a str> {
        match self.plain(name)? {
            (field, Value::Words(words)) if words.chars().count() <= most => {
                self.take(field, Some(words.as_str()))
            }
            _ => None,
        }
    }

    pub(super) fn number(&mut self, name: &str) -> Option<f64> {
        match self.plain(name)? {
            (field, Value::Number(number)) => self.take(field, Some(*number)),
            _ => None,
        }
    }

    /// The code of a field without taking it.
    pub(super) fn seen_code(&self, name: &str) -> Option<&'a Coded> {
        match self.find(name)?.value.as_ref()? {
            Value::Code(coded) => Some(coded),
            _ => None,
        }
    }

    /// Values that have no place in the record's own row.
    pub(super) fn left(&self) -> impl Iterator<Item = &'a Recorded> + use<'a> {
        let used = self.used.clone();
        let says = |recorded: &Recorded| recorded.value.is_some() || recorded.source.is_some();
        let values = self.record.values.iter();
        values.filter(move |recorded| says(recorded) && !used.contains(&recorded.field))
    }
}

fn fits(text: &str) -> bool {
    !text.is_empty() && text.chars().count() <= MAX_SOURCE_CHARS
}

/// Names of the columns that differ between the two tables.
struct Columns {
    id: Column,
    concept: Column,
    date: Column,
    kind: Column,
    source: Column,
    source_concept: Column,
    event: Column,
    event_field: Column,
}

const MEASUREMENT: Columns = Columns {
    id: "measurement_id",
    concept: "measurement_concept_id",
    date: "measurement_date",
    kind: "measurement_type_concept_id",
    source: "measurement_source_value",
    source_concept: "measurement_source_concept_id",
    event: "measurement_event_id",
    event_field: "meas_event_field_concept_id",
};
const OBSERVATION: Columns = Columns {
    id: "observation_id",
    concept: "observation_concept_id",
    date: "observation_date",
    kind: "observation_type_concept_id",
    source: "observation_source_value",
    source_concept: "observation_source_concept_id",
    event: "observation_event_id",
    event_field: "obs_event_field_concept_id",
};

/// What a row is about: its question's name and concept, what it points at, and when it was.
pub(super) struct Question<'a> {
    pub(super) name: &'a str,
    pub(super) concept: i64,
    pub(super) at: Option<Main>,
    pub(super) date: NaiveDate,
}

/// A row of one of the two tables, but for its values.
pub(super) fn asked(
    export: &mut OmopExport,
    person: &Person<'_>,
    table: ValueTable,
    question: &Question<'_>,
) -> (Row, Main) {
    let columns = match table {
        ValueTable::Measurement => MEASUREMENT,
        ValueTable::Observation => OBSERVATION,
    };
    let main = Main {
        table: table.table(),
        id: export.next(table.table()),
        date: question.date,
    };
    let field = question.at.map(|at| export.concepts.key_of(at.table));
    let row = Row::new(table.table())
        .set(columns.id, main.id)
        .set("person_id", person.id)
        .set(columns.concept, NONE)
        .date(columns.date, question.date)
        .set(columns.kind, EHR)
        .set(columns.source, question.name)
        .set(columns.source_concept, question.concept)
        .set_if(columns.event, question.at.map(|at| at.id))
        .set_if(columns.event_field, field);
    (row, main)
}

/// Writes a row for one value. What is known of a series of images is a feature of it besides.
pub(super) fn value_row(
    export: &mut OmopExport,
    person: &Person<'_>,
    recorded: &Recorded,
    at: Option<Main>,
    date: NaiveDate,
) -> Result<Main, ExportError> {
    let table = match place(recorded.field) {
        Place::Row(table) => table,
        Place::Own => spare(recorded.field),
    };
    let name = recorded.field.as_str();
    let question = Question {
        name,
        concept: export.concepts.ours(name),
        at,
        date,
    };
    let (row, main) = asked(export, person, table, &question);
    let row = with_value(export, row, recorded);
    export.put(&row)?;
    if let Some(at) = at.filter(|at| at.table == Table::ImageOccurrence) {
        feature(export, person, at, main, question.concept)?;
    }
    Ok(main)
}

fn with_value(export: &mut OmopExport, row: Row, recorded: &Recorded) -> Row {
    let unit = match recorded.field.kind() {
        FieldKind::Number { unit } => Some(unit).filter(|unit| !unit.is_empty()),
        FieldKind::Days => Some("d"),
        FieldKind::Code { .. } | FieldKind::Words | FieldKind::Flag => None,
    };
    let row = match &recorded.value {
        None => row.set("value_as_concept_id", NONE),
        Some(Value::Number(number)) => row
            .set("value_as_number", number)
            .set_if("unit_source_value", unit),
        Some(Value::Days(days)) => row
            .set("value_as_number", days)
            .set_if("unit_source_value", unit),
        Some(Value::Flag(flag)) => row.set("value_as_concept_id", if *flag { YES } else { NO }),
        Some(Value::Code(coded)) => match export.concepts.of(coded) {
            Some(concept) => row.set("value_as_concept_id", concept),
            None => {
                export.cut += 1;
                row.set("value_as_concept_id", NONE)
            }
        },
        Some(Value::Words(words)) => with_words(export, row, words),
    };
    let source = recorded
        .source
        .as_deref()
        .map(|source| cut(export, source, MAX_SOURCE_CHARS));
    row.set_if("value_source_value", source)
}

fn with_words(export: &mut OmopExport, row: Row, words: &str) -> Row {
    if words.chars().count() <= MAX_STRING_CHARS {
        return row.set("value_as_string", words);
    }
    let concept = export.concepts.of_words(words);
    cut(export, words, MAX_NAME_CHARS);
    let begin: String = words.chars().take(MAX_STRING_CHARS).collect();
    row.set("value_as_string", begin)
        .set("value_as_concept_id", concept)
}

fn cut(export: &mut OmopExport, text: &str, most: usize) -> String {
    export.cut += u64::from(text.chars().count() > most);
    text.chars().take(most).collect()
}

fn feature(
    export: &mut OmopExport,
    person: &Person<'_>,
    series: Main,
    value: Main,
    concept: i64,
) -> Result<(), ExportError> {
    let row = Row::new(Table::ImageFeature)
        .set("image_feature_id", export.next(Table::ImageFeature))
        .set("person_id", person.id)
        .set("image_occurrence_id", series.id)
        .set(
            "image_feature_event_field_concept_id",
            export.concepts.key_of(value.table),
        )
        .set("image_feature_event_id", value.id)
        .set("image_feature_concept_id", concept)
        .set("image_feature_type_concept_id", EHR);
    export.put(&row)
}
