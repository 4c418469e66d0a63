//! Rows of `measurement` and `observation`: a question, an answer, and what it is said of.

use arno_domain::model::{CodeSystem, Coded, Entity, Field, FieldKind, Value, convert};

use super::{Teller, named, thing, value};
use crate::{
    DraftContent, DraftKey, DraftValue, Problem,
    omop::{
        concepts::{NO, YES},
        context::{Concept, date, whole},
        questions::{Asked, of_code, of_modifier},
        tables::{Column, Table},
    },
};

/// Names of the columns that differ between the two tables.
pub(super) struct Columns {
    id: Column,
    /// The source's concept comes first.
    question: [Column; 2],
    source: Column,
    date: Column,
    event: Column,
    event_field: Column,
    text: Option<Column>,
}

pub(super) const MEASUREMENT: Columns = Columns {
    id: "measurement_id",
    question: ["measurement_source_concept_id", "measurement_concept_id"],
    source: "measurement_source_value",
    date: "measurement_date",
    event: "measurement_event_id",
    event_field: "meas_event_field_concept_id",
    text: None,
};
pub(super) const OBSERVATION: Columns = Columns {
    id: "observation_id",
    question: ["observation_source_concept_id", "observation_concept_id"],
    source: "observation_source_value",
    date: "observation_date",
    event: "observation_event_id",
    event_field: "obs_event_field_concept_id",
    text: Some("value_as_string"),
};

/// What a row asks.
enum Question {
    /// For a field.
    Field(Field, Option<&'static str>),
    /// For a stage that the question itself says.
    Stage(Asked, Coded),
    /// What was measured, by its code.
    Measured(Measured, Coded),
    /// For nothing that the model has.
    Nothing(String),
}

/// The fields of a row that says what was measured.
#[derive(Clone, Copy)]
struct Measured {
    what: &'static str,
    number: &'static str,
    unit: &'static str,
    result: Option<&'static str>,
    entity: Entity,
}

const BIOMARKER: Measured = Measured {
    what: "biomarker",
    number: "biomarker_value",
    unit: "biomarker_unit",
    result: Some("biomarker_result"),
    entity: Entity::Biomarker,
};
const IN_IMAGES: Measured = Measured {
    what: "measurement",
    number: "measurement_value",
    unit: "measurement_unit",
    result: None,
    entity: Entity::Measurement,
};

impl Teller<'_> {
    pub(super) fn answer(&mut self, columns: &Columns) -> Result<(), Problem> {
        let (entity, kind, values) = match self.question(columns) {
            Question::Nothing(what) => {
                self.said.left_out = Some(what);
                return Ok(());
            }
            Question::Field(field, kind) => {
                let said = self.value(columns, field)?;
                (field.entity(), kind, vec![said])
            }
            Question::Stage(asked, coded) => {
                let said = value(asked.field, DraftContent::Known(Value::Code(coded)), None);
                (Entity::Stage, asked.kind, vec![said])
            }
            Question::Measured(measured, coded) => {
                (measured.entity, None, self.measured(&measured, coded)?)
            }
        };
        if values.iter().all(Option::is_none) {
            return Ok(());
        }
        self.place(columns, entity, kind, values)
    }

    fn question(&self, columns: &Columns) -> Question {
        let table = self.rows.table.as_str();
        if self.context.is_ours {
            return self.own_question(columns);
        }
        let mut unknown = None;
        for column in columns.question {
            if let Some(field) = self.id(column).ok().and_then(|id| self.context.field(id)) {
                return Question::Field(field, None);
            }
            match self.concept(column) {
                Some(Concept::Code(coded)) => {
                    if let Some(asked) = of_code(coded)
                        && let Ok(field) = Field::parse(asked.field)
                    {
                        return Question::Field(field, asked.kind);
                    }
                    if matches!(coded.system, CodeSystem::Loinc | CodeSystem::Ncit)
                        && self.rows.table == Table::Measurement
                    {
                        return Question::Measured(BIOMARKER, coded.clone());
                    }
                    unknown.get_or_insert(format!("{table} {}:{}", coded.system, coded.code));
                }
                Some(Concept::Other { vocabulary, code }) => {
                    if let Some((asked, coded)) = of_modifier(code) {
                        return Question::Stage(asked, coded);
                    }
                    unknown.get_or_insert(format!("{table} {vocabulary}:{code}"));
                }
                _ => {}
            }
        }
        let concept = self.id(columns.question[1]).unwrap_or_default();
        Question::Nothing(unknown.unwrap_or_else(|| {
            format!("{table} of concept {concept}, which no vocabulary here names")
        }))
    }

    /// Our own rows name the field.
    fn own_question(&self, columns: &Columns) -> Question {
        let name = self.cell(columns.source).unwrap_or_default();
        let concept = self.concept(columns.question[0]);
        match (name, concept) {
            ("biomarker", Some(Concept::Code(coded))) => {
                Question::Measured(BIOMARKER, coded.clone())
            }
            ("measurement", Some(Concept::Code(coded))) => {
                Question::Measured(IN_IMAGES, coded.clone())
            }
            (name, _) => match Field::parse(name) {
                Ok(field) => Question::Field(field, None),
                Err(_) => Question::Nothing(self.rows.table.as_str().to_owned()),
            },
        }
    }

    fn measured(
        &mut self,
        measured: &Measured,
        coded: Coded,
    ) -> Result<Vec<Option<DraftValue>>, Problem> {
        let number = self.number("value_as_number")?;
        let unit = self.unit();
        let result = measured
            .result
            .and_then(|result| self.code(result, &["value_as_concept_id"], None));
        Ok(vec![
            value(measured.what, DraftContent::Known(Value::Code(coded)), None),
            number.and_then(|number| {
                value(
                    measured.number,
                    DraftContent::Known(Value::Number(number)),
                    None,
                )
            }),
            unit.and_then(|unit| {
                value(measured.unit, DraftContent::Known(Value::Words(unit)), None)
            }),
            result,
        ])
    }

    fn number(&self, column: Column) -> Result<Option<f64>, Problem> {
        let Some(cell) = self.cell(column) else {
            return Ok(None);
        };
        let number = cell
            .trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite());
        number.map(Some).ok_or_else(|| {
            self.rows
                .at(self.line, column, "no number with a point as decimal sign")
        })
    }

    /// UCUM's, of the concept or as the source writes it.
    fn unit(&self) -> Option<String> {
        match self.concept("unit_concept_id") {
            Some(Concept::Unit(unit)) => Some(unit.clone()),
            _ => self.cell("unit_source_value").map(str::to_owned),
        }
    }

    fn value(&mut self, columns: &Columns, field: Field) -> Result<Option<DraftValue>, Problem> {
        let name = field.as_str();
        let source = self.cell("value_source_value").map(str::to_owned);
        let own = source.filter(|_| self.context.is_ours);
        let content = match field.kind() {
            FieldKind::Code { .. } => {
                return Ok(self.code(name, &["value_as_concept_id"], Some("value_source_value")));
            }
            FieldKind::Number { unit } => self.number_in(name, unit)?.map(Value::Number),
            FieldKind::Days => self
                .number("value_as_number")?
                .map(|days| Value::Days(days as i64)),
            FieldKind::Flag => self.flag().map(Value::Flag),
            FieldKind::Words => self.words(columns).map(Value::Words),
        };
        Ok(match content {
            Some(content) => value(name, DraftContent::Known(content), own),
            None => own.and_then(|source| value(name, DraftContent::Uncoded, Some(source))),
        })
    }

    /// A number in the field's unit. One that has no unit may be of any, and is left out.
    fn number_in(&mut self, name: &str, wanted: &str) -> Result<Option<f64>, Problem> {
        let Some(number) = self.number("value_as_number")? else {
            return Ok(None);
        };
        let Some(unit) = self.unit().or_else(|| wanted.is_empty().then(String::new)) else {
            let table = self.rows.table.as_str();
            self.said.left_out = Some(format!("{table} of {name} without a unit"));
            return Ok(None);
        };
        convert(number, &unit, wanted).map(Some).map_err(|_| {
            let what = format!("a unit that is not turned into {wanted:?}");
            self.rows.at(self.line, "unit_source_value", what)
        })
    }

    fn flag(&self) -> Option<bool> {
        match self.id("value_as_concept_id") {
            Ok(YES) => Some(true),
            Ok(NO) => Some(false),
            _ => None,
        }
    }

    /// Words that were too long for their column stand in a concept.
    fn words(&self, columns: &Columns) -> Option<String> {
        match self.concept("value_as_concept_id") {
            Some(Concept::Words(words)) => Some(words.clone()),
            _ => columns
                .text
                .and_then(|column| self.cell(column))
                .map(str::to_owned),
        }
    }

    /// Puts values where they belong: into what the row points at, beside another row, below what it points at, or into a record of their own.
    fn place(
        &mut self,
        columns: &Columns,
        entity: Entity,
        kind: Option<&'static str>,
        mut values: Vec<Option<DraftValue>>,
    ) -> Result<(), Problem> {
        let own = named(self.rows.table, self.id(columns.id)?);
        let at = self.points_at(columns)?;
        let (key, parent) = match (entity, at) {
            (Entity::Patient | Entity::Outcome, _) => (DraftKey::Patient, None),
            (_, At::Row(key)) => (key, None),
            (_, At::Thing(known, key)) if known == entity => (key, None),
            (_, At::Thing(known, key)) if entity.parent() == Some(known) => (own, Some(key)),
            (_, At::Thing(..) | At::Nothing) => (own, None),
        };
        let key = match entity {
            Entity::Stage if !self.context.is_ours => self.stage(columns, kind, parent.as_ref())?,
            _ => key,
        };
        if let Some(kind) = kind {
            let coded = Coded::new(CodeSystem::Arno, kind);
            values.push(value(
                "stage_kind",
                DraftContent::Known(Value::Code(coded)),
                None,
            ));
        }
        let when = match entity {
            Entity::Stage => Some("stage_date"),
            Entity::Pathology => Some("pathology_date"),
            Entity::Biomarker => Some("biomarker_date"),
            Entity::Measurement => Some("measurement_date"),
            _ => None,
        };
        if let Some(when) = when {
            values.push(self.date(when, columns.date)?);
        }
        self.draft(entity, key, parent, values);
        Ok(())
    }

    /// What others measure of one stage at one time is one stage.
    fn stage(
        &self,
        columns: &Columns,
        kind: Option<&str>,
        parent: Option<&DraftKey>,
    ) -> Result<DraftKey, Problem> {
        let when = date(self.rows, self.line, columns.date)?;
        let when = when.map(|date| date.to_string()).unwrap_or_default();
        let of = match parent {
            Some(DraftKey::Named(name)) => name,
            _ => "",
        };
        Ok(DraftKey::Named(
            format!("stage/{of}/{when}/{}", kind.unwrap_or_default()).into(),
        ))
    }

    fn points_at(&self, columns: &Columns) -> Result<At, Problem> {
        let (Some(_), Ok(field)) = (self.cell(columns.event), self.id(columns.event_field)) else {
            return Ok(self.feature(columns));
        };
        let event = whole(self.rows, self.line, columns.event)?;
        Ok(match self.context.key(field) {
            Some(table @ (Table::Measurement | Table::Observation)) => At::Row(named(table, event)),
            Some(table) => match thing(self.context, table, event) {
                Some((entity, key)) => At::Thing(entity, key),
                None => At::Nothing,
            },
            None => At::Nothing,
        })
    }

    /// Rows of others do not point at images; features of images point at them.
    fn feature(&self, columns: &Columns) -> At {
        let id = self.id(columns.id).unwrap_or_default();
        let image = self.context.features.get(&(self.rows.table, id));
        let series = image.and_then(|image| self.context.series.get(image));
        series.map_or(At::Nothing, |series| {
            At::Thing(Entity::Series, DraftKey::Uid(series.clone()))
        })
    }
}

/// What a row points at.
enum At {
    Nothing,
    /// A row that begins a record.
    Row(DraftKey),
    Thing(Entity, DraftKey),
}
