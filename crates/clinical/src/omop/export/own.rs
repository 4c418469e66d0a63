//! The row that a record has of its own, where it has one.

use arno_domain::model::{CodeSystem, Entity, Field, Record, Value};

use super::{
    Main, OmopExport, Person,
    values::{Question, Values, asked},
};
use crate::{
    export::ExportError,
    omop::{
        NO_DATE,
        concepts::{Concepts, EHR, FEMALE, MALE, NONE, OTHER},
        place::ValueTable,
        row::Row,
        tables::{MAX_SOURCE_CHARS, Table},
    },
};

/// Fills the columns of sex.
pub(super) fn sex(row: Row, patient: Option<&Record>, concepts: &mut Concepts) -> Row {
    let mut values = patient.map(Values::of);
    let found = values
        .as_mut()
        .and_then(|values| values.code_and_text("sex", concepts));
    let seen = values.as_ref().and_then(|values| values.seen_code("sex"));
    let gender = match seen.map(|code| code.code.as_str()) {
        Some("M" | "248153007") => MALE,
        Some("F" | "248152002") => FEMALE,
        Some("O") => OTHER,
        _ => NONE,
    };
    let row = row.set("gender_concept_id", gender);
    match found {
        Some((concept, text)) => row
            .set("gender_source_concept_id", concept)
            .set("gender_source_value", text),
        None => row,
    }
}

/// Writes the record's own row, if it has one.
pub(super) fn row<'a>(
    export: &mut OmopExport,
    person: &mut Person<'a>,
    values: &mut Values<'a>,
    parent: Option<Main>,
) -> Result<Option<Main>, ExportError> {
    let made = match values.record.entity {
        Entity::Patient => {
            // Its row is the person's.
            values.code_and_text("sex", &mut export.concepts);
            None
        }
        Entity::Diagnosis => Some(diagnosis(export, person, values)),
        Entity::Study => Some(study(export, person, values)),
        Entity::Series => parent
            .filter(|study| study.table == Table::ProcedureOccurrence)
            .and_then(|study| series(export, person, values, study)),
        Entity::Annotation => parent
            .filter(|series| series.table == Table::ImageOccurrence)
            .map(|series| annotation(export, person, values, series)),
        Entity::Biomarker => measured(export, person, values, parent, &BIOMARKER),
        Entity::Measurement => measured(export, person, values, parent, &MEASUREMENT),
        Entity::Treatment => Some(treatment(export, person, values)),
        Entity::Event => Some(event(export, person, values)),
        Entity::Outcome => {
            death(export, person, values)?;
            None
        }
        Entity::Stage | Entity::Pathology => None,
    };
    let Some((row, main)) = made else {
        return Ok(None);
    };
    export.put(&row)?;
    Ok(Some(main))
}

fn diagnosis(export: &mut OmopExport, person: &Person<'_>, values: &mut Values<'_>) -> (Row, Main) {
    let date = values.date("diagnosis_date").unwrap_or(NO_DATE);
    let main = Main {
        table: Table::ConditionOccurrence,
        id: export.next(Table::ConditionOccurrence),
        date,
    };
    let code = values.code_and_text("diagnosis", &mut export.concepts);
    let row = Row::new(main.table)
        .set("condition_occurrence_id", main.id)
        .set("person_id", person.id)
        .set("condition_concept_id", NONE)
        .date("condition_start_date", date)
        .set("condition_type_concept_id", EHR)
        .set_if(
            "condition_source_concept_id",
            code.as_ref().map(|code| code.0),
        )
        .set_if("condition_source_value", code.map(|code| code.1));
    (row, main)
}

/// The UID stands in the procedure, for studies without series.
fn study(export: &mut OmopExport, person: &Person<'_>, values: &mut Values<'_>) -> (Row, Main) {
    let date = values.date("study_date").unwrap_or(NO_DATE);
    let main = Main {
        table: Table::ProcedureOccurrence,
        id: export.next(Table::ProcedureOccurrence),
        date,
    };
    let uid = &values.record.key;
    let fits = uid.len() <= MAX_SOURCE_CHARS;
    export.cut += u64::from(!fits);
    let row = Row::new(main.table)
        .set("procedure_occurrence_id", main.id)
        .set("person_id", person.id)
        .set("procedure_concept_id", NONE)
        .date("procedure_date", date)
        .set("procedure_type_concept_id", EHR)
        .set(
            "procedure_source_concept_id",
            export.concepts.ours(Entity::Study.as_str()),
        )
        .set_if("procedure_source_value", fits.then_some(uid));
    (row, main)
}

fn series(
    export: &mut OmopExport,
    person: &Person<'_>,
    values: &mut Values<'_>,
    study: Main,
) -> Option<(Row, Main)> {
    let study_uid = values.record.parent.clone()?;
    let main = Main {
        table: Table::ImageOccurrence,
        id: export.next(Table::ImageOccurrence),
        date: study.date,
    };
    let modality = values.code("modality", &mut export.concepts);
    let row = Row::new(main.table)
        .set("image_occurrence_id", main.id)
        .set("person_id", person.id)
        .set("procedure_occurrence_id", study.id)
        .set_if(
            "anatomic_site_concept_id",
            values.code("body_part", &mut export.concepts),
        )
        .date("image_occurrence_date", study.date)
        .set("image_study_uid", study_uid)
        .set("image_series_uid", &values.record.key)
        .set("modality_concept_id", modality.unwrap_or(NONE));
    Some((row, main))
}

fn annotation(
    export: &mut OmopExport,
    person: &Person<'_>,
    values: &mut Values<'_>,
    series: Main,
) -> (Row, Main) {
    /// Wide enough in every dialect of the extension's DDL.
    const MAX_SYSTEM_CHARS: usize = 250;
    let main = Main {
        table: Table::ImageFeature,
        id: export.next(Table::ImageFeature),
        date: series.date,
    };
    let kind = values.code("annotation_kind", &mut export.concepts);
    let row = Row::new(main.table)
        .set("image_feature_id", main.id)
        .set("person_id", person.id)
        .set("image_occurrence_id", series.id)
        .set("image_feature_concept_id", kind.unwrap_or(NONE))
        .set("image_feature_type_concept_id", EHR)
        .set_if(
            "anatomic_site_concept_id",
            values.code("annotated_structure", &mut export.concepts),
        )
        .set_if(
            "alg_system",
            values.words("annotation_algorithm", MAX_SYSTEM_CHARS),
        );
    (row, main)
}

/// The fields that one row of `measurement` takes: what was measured, number, unit, and what it means.
struct Measured {
    what: &'static str,
    number: &'static str,
    unit: &'static str,
    result: Option<&'static str>,
    date: &'static str,
}

const BIOMARKER: Measured = Measured {
    what: "biomarker",
    number: "biomarker_value",
    unit: "biomarker_unit",
    result: Some("biomarker_result"),
    date: "biomarker_date",
};
const MEASUREMENT: Measured = Measured {
    what: "measurement",
    number: "measurement_value",
    unit: "measurement_unit",
    result: None,
    date: "measurement_date",
};

/// A record that says what was measured has a row of its own; one with named results only has not.
fn measured(
    export: &mut OmopExport,
    person: &Person<'_>,
    values: &mut Values<'_>,
    parent: Option<Main>,
    fields: &Measured,
) -> Option<(Row, Main)> {
    let concept = values.code(fields.what, &mut export.concepts)?;
    let question = Question {
        name: fields.what,
        concept,
        at: parent,
        date: values.date(fields.date).unwrap_or(NO_DATE),
    };
    let (row, main) = asked(export, person, ValueTable::Measurement, &question);
    let result = fields
        .result
        .and_then(|result| values.code(result, &mut export.concepts));
    let row = row
        .set_if("value_as_number", values.number(fields.number))
        .set_if(
            "unit_source_value",
            values.words(fields.unit, MAX_SOURCE_CHARS),
        )
        .set_if("value_as_concept_id", result);
    Some((row, main))
}

fn treatment(export: &mut OmopExport, person: &Person<'_>, values: &mut Values<'_>) -> (Row, Main) {
    let (start, end) = (values.date("treatment_start"), values.date("treatment_end"));
    let date = start.unwrap_or(NO_DATE);
    let is_drug = is_drug(values);
    let table = match is_drug {
        true => Table::DrugExposure,
        false => Table::ProcedureOccurrence,
    };
    let main = Main {
        table,
        id: export.next(table),
        date,
    };
    let code = values.code_and_text("treatment", &mut export.concepts);
    let (concept, text) = (code.as_ref().map(|code| code.0), code.map(|code| code.1));
    let row = Row::new(table).set("person_id", person.id);
    let row = match is_drug {
        true => row
            .set("drug_exposure_id", main.id)
            .set("drug_concept_id", NONE)
            .date("drug_exposure_start_date", date)
            .date("drug_exposure_end_date", end.unwrap_or(NO_DATE))
            .set("drug_type_concept_id", EHR)
            .set_if("drug_source_concept_id", concept)
            .set_if("drug_source_value", text),
        false => row
            .set("procedure_occurrence_id", main.id)
            .set("procedure_concept_id", NONE)
            .date("procedure_date", date)
            .set_if("procedure_end_date", end)
            .set("procedure_type_concept_id", EHR)
            .set_if("procedure_source_concept_id", concept)
            .set_if("procedure_source_value", text),
    };
    (row, main)
}

fn is_drug(values: &Values<'_>) -> bool {
    let is_atc = values
        .seen_code("treatment")
        .is_some_and(|code| code.system == CodeSystem::Atc);
    let kind = values
        .seen_code("treatment_kind")
        .map(|code| code.code.as_str());
    is_atc
        || matches!(
            kind,
            Some("chemotherapy" | "hormone" | "targeted" | "immunotherapy")
        )
}

fn event(export: &mut OmopExport, person: &Person<'_>, values: &mut Values<'_>) -> (Row, Main) {
    let main = Main {
        table: Table::Episode,
        id: export.next(Table::Episode),
        date: values.date("event_date").unwrap_or(NO_DATE),
    };
    let row = Row::new(main.table)
        .set("episode_id", main.id)
        .set("person_id", person.id)
        .set("episode_concept_id", NONE)
        .date("episode_start_date", main.date)
        .set("episode_object_concept_id", NONE)
        .set("episode_type_concept_id", EHR)
        .set_if(
            "episode_source_value",
            values.words("event_note", MAX_SOURCE_CHARS),
        )
        .set_if(
            "episode_source_concept_id",
            values.code("event_kind", &mut export.concepts),
        );
    (row, main)
}

/// What an event hangs together with; every record of the person has its row by now. Records without a row of their own cannot be
/// pointed at.
pub(super) fn links(
    export: &mut OmopExport,
    person: &Person<'_>,
    record: &Record,
) -> Result<(), ExportError> {
    let Some(episode) = person.mains.get(&(record.entity, record.key.as_str())) else {
        return Ok(());
    };
    for link in &record.links {
        let other = person.mains.get(&(link.entity, link.key.as_str()));
        let Some(other) = other.filter(|other| other.table.is_own()).copied() else {
            export.unlinked += 1;
            continue;
        };
        let row = Row::new(Table::EpisodeEvent)
            .set("episode_id", episode.id)
            .set("event_id", other.id)
            .set(
                "episode_event_field_concept_id",
                export.concepts.key_of(other.table),
            );
        export.put(&row)?;
    }
    Ok(())
}

fn death(
    export: &mut OmopExport,
    person: &mut Person<'_>,
    values: &mut Values<'_>,
) -> Result<(), ExportError> {
    let is_dead = values
        .seen_code("vital_status")
        .is_some_and(|code| code.code == "dead");
    let date = values.date("death_date");
    let cause = values.code_and_text("cause_of_death", &mut export.concepts);
    if let Some(last) = last_contact(values.record) {
        person.seen(last);
    }
    if !is_dead && date.is_none() && cause.is_none() {
        return Ok(());
    }
    person.seen(date.unwrap_or(NO_DATE));
    let row = Row::new(Table::Death)
        .set("person_id", person.id)
        .date("death_date", date.unwrap_or(NO_DATE))
        .set("death_type_concept_id", EHR)
        .set_if(
            "cause_source_concept_id",
            cause.as_ref().map(|cause| cause.0),
        )
        .set_if("cause_source_value", cause.map(|cause| cause.1));
    export.put(&row)
}

fn last_contact(record: &Record) -> Option<chrono::NaiveDate> {
    match record.value(Field::parse("last_contact").ok()?)? {
        Value::Days(days) => crate::export::date_of(*days),
        _ => None,
    }
}
