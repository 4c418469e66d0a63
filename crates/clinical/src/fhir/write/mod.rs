//! Records as FHIR R4 resources: NDJSON by type as Bulk Data has it, or one bundle. Where mCODE has a profile for what a record says it is
//! followed and named; a field that FHIR has no place for stands in an extension `urn:arno:field:…`, or is an observation whose code is the
//! field, so that everything can be read back (see the module above) and nothing is lost.
//!
//! There are no dates: a moment is an offset in days from the patient's baseline (extension cqf-relativeDateTime).

mod content;
mod course;
mod imaging;
mod people;

mod observations;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use arno_domain::model::{Entity, Field, Record, Recorded, Value as Known};
use serde_json::{Map, Value, json};

use self::content::{field_extension, relative};
use super::codes::{MCODE, RECORD};
use crate::export::{ExportError, ExportFile, Exporter, Folder};

/// Where the addresses of a bundle's entries lie: nowhere, by RFC 2606.
const BASE: &str = "https://arno.invalid/fhir";
/// The types that are written.
const TYPES: [&str; 7] = [
    "Patient",
    "Condition",
    "Observation",
    "Procedure",
    "MedicationRequest",
    "ImagingStudy",
    "Basic",
];
/// Longest id of a resource (FHIR R4, 2.24.0.1).
const MAX_ID_CHARS: usize = 64;

/// How resources are put into files.
#[derive(Debug)]
enum Form {
    /// One file a type, one resource a line.
    Lines(BTreeMap<&'static str, ExportFile>),
    /// One bundle of type collection.
    Bundle(Box<ExportFile>),
}

/// Writes records as resources.
#[derive(Debug)]
pub struct FhirExport {
    form: Form,
    entries: u64,
}

impl FhirExport {
    /// Begins files of NDJSON, one a type of resources.
    ///
    /// # Errors
    /// When a file cannot be made.
    pub fn lines(folder: &Folder) -> Result<Self, ExportError> {
        let file = |kind: &'static str| Ok((kind, folder.create(&format!("{kind}.ndjson"))?));
        let files = TYPES
            .into_iter()
            .map(file)
            .collect::<Result<_, ExportError>>()?;
        let form = Form::Lines(files);
        Ok(Self { form, entries: 0 })
    }

    /// Begins a bundle, `bundle.json`.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub fn bundle(folder: &Folder) -> Result<Self, ExportError> {
        let mut file = folder.create("bundle.json")?;
        file.put(br#"{"resourceType":"Bundle","type":"collection","entry":["#)?;
        let form = Form::Bundle(Box::new(file));
        Ok(Self { form, entries: 0 })
    }

    fn write(&mut self, resource: &Resource) -> Result<(), ExportError> {
        let json = Value::Object(resource.json.clone());
        match &mut self.form {
            Form::Lines(files) => {
                let Some(file) = files.get_mut(resource.kind) else {
                    return Err(ExportError::TooLarge("a type of resource"));
                };
                file.put(json.to_string().as_bytes())?;
                file.put(b"\n")?;
            }
            Form::Bundle(file) => {
                let full_url = format!("{BASE}/{}/{}", resource.kind, resource.id);
                let entry = json!({"fullUrl": full_url, "resource": json});
                let comma: &[u8] = if self.entries == 0 { b"\n" } else { b",\n" };
                file.put(comma)?;
                file.put(entry.to_string().as_bytes())?;
            }
        }
        self.entries += 1;
        Ok(())
    }
}

impl Exporter for FhirExport {
    fn patient(&mut self, patient: &str, records: &[Record]) -> Result<(), ExportError> {
        for resource in resources(patient, records) {
            self.write(&resource)?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        match &mut self.form {
            Form::Lines(files) => files.values_mut().try_for_each(ExportFile::finish),
            Form::Bundle(file) => {
                file.put(b"\n]}\n")?;
                file.finish()
            }
        }
    }
}

/// All resources of a patient.
fn resources(patient: &str, records: &[Record]) -> Vec<Resource> {
    let whole = Whole { patient, records };
    let mut resources = vec![people::patient(&whole)];
    for record in records {
        match record.entity {
            Entity::Patient | Entity::Series => {}
            Entity::Diagnosis => resources.push(people::condition(&whole, record)),
            Entity::Stage | Entity::Pathology | Entity::Biomarker | Entity::Measurement => {
                observations::observations(&whole, record, &mut resources);
            }
            Entity::Treatment => resources.push(course::treatment(&whole, record)),
            Entity::Study | Entity::Annotation | Entity::Outcome | Entity::Event => {}
        }
    }
    imaging::studies(&whole, &mut resources);
    let rest = records.iter().filter(|record| match record.entity {
        Entity::Annotation | Entity::Outcome | Entity::Event => true,
        Entity::Series => record.parent.is_none(),
        _ => false,
    });
    resources.extend(rest.map(|record| course::basic(&whole, record)));
    resources
}

/// A patient with all of their records.
struct Whole<'a> {
    patient: &'a str,
    records: &'a [Record],
}

impl Whole<'_> {
    fn of(&self, entity: Entity) -> impl Iterator<Item = &Record> {
        self.records
            .iter()
            .filter(move |record| record.entity == entity)
    }

    fn subject(&self) -> Value {
        json!({"reference": format!("Patient/{}", id(self.patient, ""))})
    }

    /// What the patient's days are counted from: the diagnosis of day 0, or else the patient.
    fn baseline(&self) -> (String, &'static str) {
        let is_first = |record: &&Record| {
            let mut values = record.values.iter();
            values.any(|recorded| {
                recorded.field.as_str() == "diagnosis_date"
                    && recorded.value == Some(Known::Days(0))
            })
        };
        match self.of(Entity::Diagnosis).find(is_first) {
            Some(record) => (
                format!("Condition/{}", id(&record.key, "")),
                "Condition.onset",
            ),
            None => (format!("Patient/{}", id(self.patient, "")), "Patient"),
        }
    }

    /// A moment in place of a date.
    fn when(&self, days: i64) -> Value {
        relative(days, self.baseline())
    }
}

/// A resource that is being put together.
struct Resource {
    kind: &'static str,
    id: String,
    json: Map<String, Value>,
}

impl Resource {
    fn new(kind: &'static str, key: &str, suffix: &str) -> Self {
        let id = id(key, suffix);
        let mut resource = Self {
            kind,
            id: id.clone(),
            json: Map::new(),
        };
        resource.set("resourceType", json!(kind));
        resource.set("id", json!(id));
        resource.push("identifier", json!({"system": RECORD, "value": key}));
        resource
    }

    fn set(&mut self, key: &str, value: Value) {
        self.json.insert(key.to_owned(), value);
    }

    fn push(&mut self, key: &str, value: Value) {
        let list = self.json.entry(key).or_insert_with(|| json!([]));
        if let Value::Array(list) = list {
            list.push(value);
        }
    }

    fn profile(&mut self, name: &str) {
        self.set("meta", json!({"profile": [format!("{MCODE}{name}")]}));
    }

    /// A field that FHIR has no place for.
    fn leave(&mut self, whole: &Whole<'_>, recorded: &Recorded) {
        self.push("extension", field_extension(whole, recorded));
    }
}

/// Which values of a record were written.
struct Values<'a>(Vec<&'a Recorded>);

impl<'a> Values<'a> {
    fn new(record: &'a Record) -> Self {
        Self(record.values.iter().collect())
    }

    /// Takes the value of a field, if the test lets it.
    fn take(&mut self, name: &str, is_fit: impl Fn(&Recorded) -> bool) -> Option<&'a Recorded> {
        let mut values = self.0.iter();
        let at = values.position(|one| one.field.as_str() == name && is_fit(one))?;
        Some(self.0.remove(at))
    }

    /// Takes days.
    fn days(&mut self, name: &str) -> Option<i64> {
        match self
            .take(name, |one| matches!(one.value, Some(Known::Days(_))))?
            .value
        {
            Some(Known::Days(days)) => Some(days),
            _ => None,
        }
    }

    /// Takes words that stand for themselves.
    fn words(&mut self, name: &str) -> Option<&'a str> {
        let is_plain =
            |one: &Recorded| one.source.is_none() && matches!(one.value, Some(Known::Words(_)));
        match &self.take(name, is_plain)?.value {
            Some(Known::Words(words)) => Some(words),
            _ => None,
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|one| one.field.as_str() == name)
    }
}

/// An id out of a key: the key where it is one, else the key with what an id cannot hold replaced, and a digest.
fn id(key: &str, suffix: &str) -> String {
    let whole = match suffix {
        "" => key.to_owned(),
        suffix => format!("{key}-{}", suffix.replace('_', "-")),
    };
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '.';
    if (1..=MAX_ID_CHARS).contains(&whole.len()) && whole.chars().all(is_legal) {
        return whole;
    }
    // FNV-1a: ids must differ, not hide anything.
    let digest = whole
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |digest, byte| {
            (digest ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
    let start: String = whole
        .chars()
        .filter(|letter| is_legal(*letter))
        .take(40)
        .collect();
    format!("{start}-{digest:016x}")
}

/// The field of that name; names in this module are those of the model, which a test makes sure of.
fn named(name: &str) -> Option<Field> {
    Field::parse(name).ok()
}
