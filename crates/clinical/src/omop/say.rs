//! What one row says, as drafts; or what is wrong with it. Nothing is remembered from row to row: what belongs to one record has one key,
//! and the store adds it up.

mod answers;

use std::sync::Arc;

use arno_domain::model::{CodeSystem, Coded, Entity, Field, FieldKind, Value};
use chrono::NaiveDate;

use super::{
    NO_DATE,
    concepts::{FEMALE, MALE, OTHER},
    context::{Concept, Context, date, uid, whole},
    import::Systems,
    read::{Line, Rows},
    tables::{Column, Table},
};
use crate::{
    Draft, DraftContent, DraftKey, DraftValue, Problem, draft::Said as Content, export::FIRST_DAY,
};

/// What a row comes to.
#[derive(Debug, Default)]
pub(super) struct Said {
    pub(super) drafts: Vec<Draft>,
    pub(super) problem: Option<Problem>,
    /// Field, column and words.
    pub(super) uncoded: Vec<(Field, Column, String)>,
    pub(super) left_out: Option<String>,
}

/// One row, and what it refers to.
struct Teller<'a> {
    context: &'a Context,
    systems: &'a Systems,
    rows: &'a Rows,
    line: &'a Line,
    patient: Arc<str>,
    said: Said,
}

/// What a row says.
pub(super) fn say(context: &Context, systems: &Systems, rows: &Rows, line: &Line) -> Said {
    let patient = match patient(context, rows, line) {
        Ok(patient) => patient,
        Err(problem) => {
            return Said {
                problem: Some(problem),
                ..Said::default()
            };
        }
    };
    let mut teller = Teller {
        context,
        systems,
        rows,
        line,
        patient,
        said: Said::default(),
    };
    if let Err(problem) = teller.row() {
        teller.said.problem = Some(problem);
    }
    teller.said
}

/// What a row of `episode_event` says: what an event belongs to. Rows of measurements and observations are no things of their own.
pub(super) fn link(context: &Context, rows: &Rows, line: &Line) -> Result<Option<Draft>, Problem> {
    let episode = whole(rows, line, "episode_id")?;
    let person = context
        .episodes
        .get(&episode)
        .and_then(|person| context.people.get(person));
    let Some(person) = person else {
        return Err(rows.at(line, "episode_id", "no such episode in episode.csv"));
    };
    let event = whole(rows, line, "event_id")?;
    let key = whole(rows, line, "episode_event_field_concept_id")?;
    let other = context
        .key(key)
        .and_then(|table| thing(context, table, event));
    Ok(other.map(|other| Draft {
        entity: Entity::Event,
        patient: person.patient.clone(),
        key: named(Table::Episode, episode),
        parent: None,
        links: vec![other],
        values: Vec::new(),
    }))
}

fn patient(context: &Context, rows: &Rows, line: &Line) -> Result<Arc<str>, Problem> {
    let person = whole(rows, line, "person_id")?;
    let known = context.people.get(&person);
    known
        .map(|known| known.patient.clone())
        .ok_or_else(|| rows.at(line, "person_id", "no such person in person.csv"))
}

/// What a row of a table is about, where it is a thing of its own.
fn thing(context: &Context, table: Table, id: i64) -> Option<(Entity, DraftKey)> {
    let uid = |uid: &Arc<str>| DraftKey::Uid(uid.clone());
    Some(match table {
        Table::ConditionOccurrence => (Entity::Diagnosis, named(table, id)),
        Table::ProcedureOccurrence => match context.studies.get(&id) {
            Some(study) => (Entity::Study, uid(study)),
            None => (Entity::Treatment, named(table, id)),
        },
        Table::DrugExposure => (Entity::Treatment, named(table, id)),
        Table::ImageOccurrence => (Entity::Series, uid(context.series.get(&id)?)),
        Table::ImageFeature => (Entity::Annotation, named(table, id)),
        Table::Episode => (Entity::Event, named(table, id)),
        _ => return None,
    })
}

fn named(table: Table, id: i64) -> DraftKey {
    DraftKey::Named(format!("{}/{id}", table.as_str()).into())
}

impl Teller<'_> {
    fn row(&mut self) -> Result<(), Problem> {
        match self.rows.table {
            Table::Person => self.person(),
            Table::ConditionOccurrence => self.diagnosis(),
            Table::ProcedureOccurrence => self.procedure(),
            Table::DrugExposure => self.medicine(),
            Table::ImageOccurrence => self.images(),
            Table::ImageFeature => self.annotation(),
            Table::Specimen => self.specimen(),
            Table::Measurement => self.answer(&answers::MEASUREMENT),
            Table::Observation => self.answer(&answers::OBSERVATION),
            Table::Episode => self.event(),
            Table::Death => self.death(),
            Table::ObservationPeriod => self.period(),
            _ => Ok(()),
        }
    }

    fn draft(
        &mut self,
        entity: Entity,
        key: DraftKey,
        parent: Option<DraftKey>,
        values: Vec<Option<DraftValue>>,
    ) {
        self.said.drafts.push(Draft {
            entity,
            patient: self.patient.clone(),
            key,
            parent,
            links: Vec::new(),
            values: values.into_iter().flatten().collect(),
        });
    }

    fn id(&self, column: Column) -> Result<i64, Problem> {
        whole(self.rows, self.line, column)
    }

    fn cell(&self, column: Column) -> Option<&str> {
        self.rows.cell(self.line, column)
    }

    fn concept(&self, column: Column) -> Option<&Concept> {
        self.context.concepts.get(&self.id(column).ok()?)
    }

    /// A date; the invented one of our own files is days from the baseline.
    fn date(&self, field: &str, column: Column) -> Result<Option<DraftValue>, Problem> {
        let found = date(self.rows, self.line, column)?.filter(|date| *date != NO_DATE);
        Ok(found.and_then(|date| self.known_date(field, date)))
    }

    fn known_date(&self, field: &str, date: NaiveDate) -> Option<DraftValue> {
        let content = match self.context.is_ours {
            true => DraftContent::Known(Value::Days((date - FIRST_DAY).num_days())),
            false => DraftContent::Date(date),
        };
        value(field, content, None)
    }

    /// A code: of the first of these concepts that the field has a system for, else of the source's text, else none.
    fn code(
        &mut self,
        name: &str,
        concepts: &[Column],
        text: Option<Column>,
    ) -> Option<DraftValue> {
        let field = Field::parse(name).ok()?;
        let source = text.and_then(|column| self.cell(column)).map(str::to_owned);
        let found = concepts.iter().find_map(|column| {
            self.concept(column)
                .and_then(|concept| self.coded(field, concept))
        });
        if let Some((coded, word)) = found {
            let differs = source.filter(|source| *source != coded.code && *source != word);
            return value(name, DraftContent::Known(Value::Code(coded)), differs);
        }
        let source = source?;
        if let Some(system) = self.systems.get(&field) {
            return value(
                name,
                DraftContent::Known(Value::Code(Coded::new(*system, &source))),
                None,
            );
        }
        self.said
            .uncoded
            .push((field, text.unwrap_or(""), source.clone()));
        value(name, DraftContent::Uncoded, Some(source))
    }

    /// The code that a concept is for a field, and how the concept itself is written.
    fn coded(&self, field: Field, concept: &Concept) -> Option<(Coded, String)> {
        let FieldKind::Code { systems } = field.kind() else {
            return None;
        };
        let coded = match concept {
            Concept::Code(coded) => coded.clone(),
            Concept::Ours(name) => Coded::new(CodeSystem::Arno, name),
            _ => return None,
        };
        let word = crate::fhir::codes::word(field.as_str(), coded.system.uri(), &coded.code);
        let has_word = !self.context.is_ours && systems.contains(&CodeSystem::Arno);
        if let Some(word) = word.filter(|_| has_word) {
            return Some((Coded::new(CodeSystem::Arno, word), coded.code));
        }
        let code = coded.code.clone();
        systems.contains(&coded.system).then_some((coded, code))
    }

    fn person(&mut self) -> Result<(), Problem> {
        let standard = match self.id("gender_concept_id") {
            Ok(MALE) => Some("M"),
            Ok(FEMALE) => Some("F"),
            Ok(OTHER) => Some("O"),
            _ => None,
        };
        let known = self.concept("gender_source_concept_id").is_some();
        let sex = match standard {
            Some(sex) if !known => {
                let coded = Coded::new(CodeSystem::Dicom, sex);
                value("sex", DraftContent::Known(Value::Code(coded)), None)
            }
            _ => self.code(
                "sex",
                &["gender_source_concept_id"],
                Some("gender_source_value"),
            ),
        };
        self.draft(Entity::Patient, DraftKey::Patient, None, vec![sex]);
        Ok(())
    }

    fn diagnosis(&mut self) -> Result<(), Problem> {
        let key = named(self.rows.table, self.id("condition_occurrence_id")?);
        let when = self.date("diagnosis_date", "condition_start_date")?;
        let what = self.code(
            "diagnosis",
            &["condition_source_concept_id", "condition_concept_id"],
            Some("condition_source_value"),
        );
        let age = self.age(date(self.rows, self.line, "condition_start_date")?);
        self.draft(Entity::Diagnosis, key, None, vec![what, when, age]);
        Ok(())
    }

    /// Whole years from birth, which others' files say and ours do not.
    fn age(&self, at: Option<NaiveDate>) -> Option<DraftValue> {
        let person = self.context.people.get(&self.id("person_id").ok()?)?;
        let years = at?
            .years_since(person.born?)
            .filter(|_| !self.context.is_ours)?;
        value(
            "age_at_diagnosis",
            DraftContent::Known(Value::Number(f64::from(years))),
            None,
        )
    }

    fn procedure(&mut self) -> Result<(), Problem> {
        let id = self.id("procedure_occurrence_id")?;
        if let Some(study) = self.context.studies.get(&id).cloned() {
            let when = self.date("study_date", "procedure_date")?;
            self.draft(Entity::Study, DraftKey::Uid(study), None, vec![when]);
            return Ok(());
        }
        if self.concept("procedure_source_concept_id") == Some(&Concept::Ours("study".into())) {
            return Ok(());
        }
        let values = vec![
            self.code(
                "treatment",
                &["procedure_source_concept_id", "procedure_concept_id"],
                Some("procedure_source_value"),
            ),
            self.date("treatment_start", "procedure_date")?,
            self.date("treatment_end", "procedure_end_date")?,
        ];
        self.draft(Entity::Treatment, named(self.rows.table, id), None, values);
        Ok(())
    }

    fn medicine(&mut self) -> Result<(), Problem> {
        let key = named(self.rows.table, self.id("drug_exposure_id")?);
        let values = vec![
            self.code(
                "treatment",
                &["drug_source_concept_id", "drug_concept_id"],
                Some("drug_source_value"),
            ),
            self.date("treatment_start", "drug_exposure_start_date")?,
            self.date("treatment_end", "drug_exposure_end_date")?,
        ];
        self.draft(Entity::Treatment, key, None, values);
        Ok(())
    }

    fn images(&mut self) -> Result<(), Problem> {
        let study = DraftKey::Uid(uid(self.rows, self.line, "image_study_uid")?);
        let series = DraftKey::Uid(uid(self.rows, self.line, "image_series_uid")?);
        let when = self.date("study_date", "image_occurrence_date")?;
        self.draft(Entity::Study, study.clone(), None, vec![when]);
        let values = vec![
            self.code("modality", &["modality_concept_id"], None),
            self.code("body_part", &["anatomic_site_concept_id"], None),
        ];
        self.draft(Entity::Series, series, Some(study), values);
        Ok(())
    }

    /// A feature that points at a row says nothing but that; one that is no annotation is left out.
    fn annotation(&mut self) -> Result<(), Problem> {
        let key = named(self.rows.table, self.id("image_feature_id")?);
        if self.cell("image_feature_event_id").is_some() {
            return Ok(());
        }
        let image = self.id("image_occurrence_id")?;
        let Some(series) = self.context.series.get(&image).cloned() else {
            let what = "no such row in image_occurrence.csv";
            return Err(self.rows.at(self.line, "image_occurrence_id", what));
        };
        let kind = self.code("annotation_kind", &["image_feature_concept_id"], None);
        if kind.is_none() && !self.context.is_ours {
            self.said.left_out = Some("image_feature that is no annotation".into());
            return Ok(());
        }
        let algorithm = self.cell("alg_system").map(str::to_owned);
        let values = vec![
            kind,
            self.code("annotated_structure", &["anatomic_site_concept_id"], None),
            algorithm.and_then(|name| {
                value(
                    "annotation_algorithm",
                    DraftContent::Known(Value::Words(name)),
                    None,
                )
            }),
        ];
        self.draft(Entity::Annotation, key, Some(DraftKey::Uid(series)), values);
        Ok(())
    }

    fn specimen(&mut self) -> Result<(), Problem> {
        let key = named(self.rows.table, self.id("specimen_id")?);
        let when = self.date("pathology_date", "specimen_date")?;
        self.draft(Entity::Pathology, key, None, vec![when]);
        Ok(())
    }

    fn event(&mut self) -> Result<(), Problem> {
        let key = named(self.rows.table, self.id("episode_id")?);
        let note = self.cell("episode_source_value").map(str::to_owned);
        let values = vec![
            self.code(
                "event_kind",
                &["episode_source_concept_id", "episode_concept_id"],
                None,
            ),
            self.date("event_date", "episode_start_date")?,
            note.and_then(|note| {
                value("event_note", DraftContent::Known(Value::Words(note)), None)
            }),
        ];
        self.draft(Entity::Event, key, None, values);
        Ok(())
    }

    fn death(&mut self) -> Result<(), Problem> {
        let dead = Coded::new(CodeSystem::Arno, "dead");
        let dead = value("vital_status", DraftContent::Known(Value::Code(dead)), None);
        let values = vec![
            // Our own files say it in a row of its own.
            dead.filter(|_| !self.context.is_ours),
            self.date("death_date", "death_date")?,
            self.code(
                "cause_of_death",
                &["cause_source_concept_id", "cause_concept_id"],
                Some("cause_source_value"),
            ),
        ];
        self.draft(Entity::Outcome, DraftKey::Patient, None, values);
        Ok(())
    }

    fn period(&mut self) -> Result<(), Problem> {
        if !self.context.is_ours {
            let last = self.date("last_contact", "observation_period_end_date")?;
            self.draft(Entity::Outcome, DraftKey::Patient, None, vec![last]);
        }
        Ok(())
    }
}

fn value(name: &str, content: DraftContent, source: Option<String>) -> Option<DraftValue> {
    Some(DraftValue {
        field: Field::parse(name).ok()?,
        said: Arc::new(Content { content, source }),
    })
}
