//! Counting for a manifest: records in, in any order, and at the end who has what.

use std::collections::{BTreeMap, HashMap, HashSet};

use chrono::{DateTime, Utc};

use super::{Coverage, FieldCoverage, LISTED_FROM, MAX_LISTED, Manifest, is_listable};
use crate::{
    NodeId,
    model::{Field, FieldKind, Record, Value},
};

/// A field with more values than this names none: they are names, descriptions or dirt, not a list.
const MAX_DISTINCT: usize = 512;

/// Who has which fields and values. Patients are numbers in the order in which they came.
#[derive(Debug, Default)]
pub struct ManifestCount {
    patients: HashMap<String, u32>,
    with: BTreeMap<Field, HashSet<u32>>,
    values: BTreeMap<Field, Values>,
}

/// Patients by value, while there are not too many.
#[derive(Debug)]
enum Values {
    Counted(HashMap<String, HashSet<u32>>),
    TooMany,
}

impl ManifestCount {
    /// Counts one record.
    pub fn add(&mut self, record: &Record) {
        let next = u32::try_from(self.patients.len()).unwrap_or(u32::MAX);
        let patient = match self.patients.get(&record.patient) {
            Some(known) => *known,
            None => *self.patients.entry(record.patient.clone()).or_insert(next),
        };
        for recorded in &record.values {
            if let Some(value) = &recorded.value {
                self.with.entry(recorded.field).or_default().insert(patient);
                self.add_value(recorded.field, value, patient);
            }
        }
    }

    fn add_value(&mut self, field: Field, value: &Value, patient: u32) {
        let word = match value {
            Value::Code(coded) => &coded.code,
            Value::Words(words) => words,
            // Yes and no are known to everybody, numbers and days name no value.
            Value::Number(_) | Value::Days(_) | Value::Flag(_) => return,
        };
        let values = self
            .values
            .entry(field)
            .or_insert_with(|| Values::Counted(HashMap::new()));
        if let Values::Counted(counted) = values {
            match counted.get_mut(word) {
                Some(patients) => _ = patients.insert(patient),
                None => _ = counted.insert(word.clone(), HashSet::from([patient])),
            }
            if counted.len() > MAX_DISTINCT {
                *values = Values::TooMany;
            }
        }
    }

    /// What a node may say of it.
    #[must_use]
    pub fn manifest(&self, node: NodeId, now: DateTime<Utc>) -> Manifest {
        let of = |(field, with): (&Field, &HashSet<u32>)| {
            Some(FieldCoverage {
                field: *field,
                coverage: Coverage::of(with.len(), self.patients.len())?,
                values: self.listed(*field),
            })
        };
        Manifest {
            node,
            issued_at: now,
            fields: self.with.iter().filter_map(of).collect(),
        }
    }

    /// The values that most patients have, sorted by name: the order tells nothing more.
    fn listed(&self, field: Field) -> Vec<String> {
        let Some(Values::Counted(counted)) = self.values.get(&field) else {
            return match field.kind() {
                FieldKind::Flag => vec!["no".to_owned(), "yes".to_owned()],
                _ => Vec::new(),
            };
        };
        let mut many: Vec<_> = counted
            .iter()
            .filter(|(value, patients)| patients.len() >= LISTED_FROM && is_listable(value))
            .map(|(value, patients)| (std::cmp::Reverse(patients.len()), value))
            .collect();
        many.sort();
        let mut values: Vec<_> = many
            .into_iter()
            .take(MAX_LISTED)
            .map(|(_, value)| value.clone())
            .collect();
        values.sort();
        values
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::{Coverage, Field, ManifestCount};
    use crate::{
        NodeId,
        cohort::Cohort,
        model::{CodeSystem, Coded, Entity, Record, Recorded, Value},
    };

    fn record(patient: usize, name: &str, value: Value) -> Record {
        let field = Field::parse(name).unwrap();
        let mut record = Record::new(field.entity(), &format!("P-{patient}"), "1");
        record.values.push(Recorded {
            field,
            value: Some(value),
            source: None,
        });
        record
    }

    fn code(code: &str) -> Value {
        Value::Code(Coded::new(CodeSystem::IcdO3, code))
    }

    /// A hundred patients: 60 with a lung cancer in two places, 19 with one of the breast, 5 with a PSA.
    fn manifest() -> super::Manifest {
        let mut count = ManifestCount::default();
        for patient in 0..100 {
            count.add(&Record::new(Entity::Patient, &format!("P-{patient}"), "p"));
            match patient {
                0..30 => count.add(&record(patient, "diagnosis", code("C34.1"))),
                30..60 => count.add(&record(patient, "diagnosis", code("C34.3"))),
                60..79 => count.add(&record(patient, "diagnosis", code("C50.9"))),
                79..84 => count.add(&record(patient, "psa", Value::Number(4.0))),
                _ => {}
            }
        }
        count.manifest(NodeId::new(), DateTime::UNIX_EPOCH)
    }

    #[test]
    fn what_few_have_is_not_named() {
        let manifest = manifest();
        assert!(manifest.is_well_formed());
        let diagnosis = manifest.field(Field::parse("diagnosis").unwrap()).unwrap();
        assert_eq!(diagnosis.coverage, Coverage::Most);
        assert_eq!(diagnosis.values, ["C34.1", "C34.3"]);
        let psa = manifest.field(Field::parse("psa").unwrap()).unwrap();
        assert_eq!((psa.coverage, psa.values.len()), (Coverage::Few, 0));
        assert_eq!(manifest.field(Field::parse("sex").unwrap()), None);
    }

    #[test]
    fn what_lies_under_a_code_is_counted_in_what_is_named() {
        let check = |text: &str, expect: Option<u32>| {
            let cohort: Cohort = text.parse().unwrap();
            let claims = cohort.claims();
            let criterion = claims[0].criterion.as_ref().unwrap();
            assert_eq!(manifest().expanded(criterion), expect, "{text}");
        };
        check("diagnosis under C34", Some(2));
        check("diagnosis under {C34.1, C50}", Some(1));
        check("diagnosis under C61", Some(0));
        check("diagnosis = C34.1", None);
        check("age > 3", None);
    }
}
