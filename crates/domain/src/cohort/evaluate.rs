//! Whether a cohort holds: Kleene's three-valued logic over one patient. The reference for whatever evaluates faster.
//!
//! A cohort is asked of a thing: at the top of each series of the patient, in a group of each record of the group's entity. A
//! criterion about what the thing is or hangs on tests that one record. A criterion about what hangs beside or below it holds when
//! one such record passes. Where there is no record, or the value is not recorded, it neither holds nor fails.

use super::{
    Cohort, Criterion, Entity, Facts, Field, Group, Moment, Order, Patient, Test, Timing, Value,
    canonical, code::covers_canonical,
};

/// The rows of facts that are in the cohort. Rows of one patient stand together.
#[must_use]
pub fn matching<'a>(cohort: &Cohort, facts: &'a [Facts]) -> Vec<&'a Facts> {
    let mut found = Vec::new();
    for rows in facts.chunk_by(|one, other| one.patient == other.patient) {
        let patient = Patient::from_facts(rows);
        let holds = |(row, _): &(usize, &Facts)| cohort.holds(&patient, *row) == Some(true);
        found.extend(
            rows.iter()
                .enumerate()
                .filter(holds)
                .map(|(_, facts)| facts),
        );
    }
    found
}

impl Cohort {
    /// Whether the cohort holds of one series of the patient (see [`Patient::rows`]); `None` where a value that decides is not
    /// recorded.
    #[must_use]
    pub fn holds(&self, patient: &Patient<'_>, row: usize) -> Option<bool> {
        self.holds_at(patient, patient.row(row))
    }

    /// Whether the cohort holds of a patient of whom there is but this row.
    #[must_use]
    pub fn matches(&self, facts: &Facts) -> Option<bool> {
        self.holds(&Patient::from_facts(std::slice::from_ref(facts)), 0)
    }

    fn holds_at(&self, patient: &Patient<'_>, at: usize) -> Option<bool> {
        match self {
            Self::And(parts) => all(parts.iter().map(|part| part.holds_at(patient, at))),
            Self::Or(parts) => any(parts.iter().map(|part| part.holds_at(patient, at))),
            Self::Not(part) => part.holds_at(patient, at).map(|holds| !holds),
            Self::Is(criterion) => criterion.holds_at(patient, at),
            Self::One(group) => some(group.candidates(patient, at).map(|(_, holds)| holds)),
            Self::Timed(timing) => timing.holds_at(patient, at),
        }
    }
}

/// Kleene's `or`: one that holds decides, one that is unknown leaves it so.
fn any(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for part in parts {
        match part {
            Some(true) => return Some(true),
            Some(false) => {}
            None => result = None,
        }
    }
    result
}

/// Kleene's `and`.
fn all(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    any(parts.map(|part| part.map(|holds| !holds))).map(|holds| !holds)
}

/// `any`, but of none at all nothing is known.
fn some(parts: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut parts = parts.peekable();
    parts.peek()?;
    any(parts)
}

impl Criterion {
    fn holds_at(&self, patient: &Patient<'_>, at: usize) -> Option<bool> {
        let values = values(patient, at, self.field);
        match self.test {
            Test::Recorded => Some(values.into_iter().any(|value| value.is_some())),
            _ => some(
                values
                    .into_iter()
                    .map(|value| value.map(|value| self.test.admits(self.field, value))),
            ),
        }
    }
}

impl Test {
    /// Whether a recorded value passes.
    #[must_use]
    pub fn admits(&self, field: Field, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Recorded, _) => true,
            (Self::OneOf(words), Value::Word(word)) => {
                let word = canonical(field, word);
                words.iter().any(|wanted| canonical(field, wanted) == word)
            }
            (Self::Under(codes), Value::Word(word)) => {
                let word = canonical(field, word);
                let over = |code: &String| covers_canonical(field, &canonical(field, code), &word);
                codes.iter().any(over)
            }
            (Self::Range(range), Value::Number(number)) => range.holds(number),
            (Self::OneOf(_) | Self::Under(_), Value::Number(_))
            | (Self::Range(_), Value::Word(_)) => false,
        }
    }
}

/// The values of a field as seen from a thing, one for each record that has a say.
fn values<'a>(patient: &Patient<'a>, at: usize, field: Field) -> Vec<Option<Value<'a>>> {
    let things = match patient.above(at, field.entity()) {
        Some(own) => vec![own],
        None => reachable(patient, at, field.entity()).collect(),
    };
    things
        .into_iter()
        .map(|at| patient.thing(at).value(field))
        .collect()
}

/// Records of an entity that share the nearest thing on which both they and the asked one hang.
fn reachable(patient: &Patient<'_>, at: usize, entity: Entity) -> impl Iterator<Item = usize> {
    let common = common(patient.thing(at).entity, entity);
    let under = patient.above(at, common).unwrap_or(super::patient::SELF);
    patient.below(under, entity)
}

/// The nearest entity on which both hang, or are.
fn common(one: Entity, other: Entity) -> Entity {
    let mut at = one;
    while !hangs_on(other, at) {
        at = at.parent().unwrap_or(Entity::Patient);
    }
    at
}

fn hangs_on(entity: Entity, on: Entity) -> bool {
    entity == on || entity.parent().is_some_and(|parent| hangs_on(parent, on))
}

impl Group {
    /// The records that may be meant, and whether each is. What the asked thing is or hangs on is looked for in the whole patient:
    /// "another series of theirs".
    fn candidates(
        &self,
        patient: &Patient<'_>,
        at: usize,
    ) -> impl Iterator<Item = (usize, Option<bool>)> {
        let found: Vec<_> = match patient.above(at, self.entity) {
            Some(_) => patient.below(super::patient::SELF, self.entity).collect(),
            None => reachable(patient, at, self.entity).collect(),
        };
        found
            .into_iter()
            .map(move |at| (at, self.such_that.holds_at(patient, at)))
    }
}

impl Moment {
    /// The days that may be meant: whether the record is the one, and its day where that is recorded.
    fn days(&self, patient: &Patient<'_>, at: usize) -> Vec<(Option<bool>, Option<f64>)> {
        let day = |value: Option<Value<'_>>| match value {
            Some(Value::Number(day)) => Some(day),
            _ => None,
        };
        match &self.of {
            None => values(patient, at, self.date)
                .into_iter()
                .map(|value| (Some(true), day(value)))
                .collect(),
            Some(group) => group
                .candidates(patient, at)
                .map(|(at, holds)| {
                    (
                        holds,
                        day(values(patient, at, self.date).into_iter().flatten().next()),
                    )
                })
                .collect(),
        }
    }
}

impl Timing {
    fn holds_at(&self, patient: &Patient<'_>, at: usize) -> Option<bool> {
        let (first, second) = (self.first.days(patient, at), self.second.days(patient, at));
        let pairs = first
            .iter()
            .flat_map(|one| second.iter().map(move |other| (*one, *other)));
        some(pairs.map(|((is_first, first), (is_second, second))| {
            let apart = first
                .zip(second)
                .map(|(first, second)| self.fits(second - first));
            all([is_first, is_second, apart].into_iter())
        }))
    }

    /// `later` is by how many days the second moment comes after the first.
    fn fits(&self, later: f64) -> bool {
        match self.order {
            Order::Before => later >= 0.0 && self.days.holds(later),
            Order::After => later <= 0.0 && self.days.holds(-later),
            Order::Of => self.days.holds(later.abs()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cohort, Facts, Patient};
    use crate::model::{CodeSystem, Coded, Entity, Field, Record, Recorded, Value};

    fn check(text: &str, expect: Option<bool>) {
        let facts = Facts {
            patient: "P-1".into(),
            modality: Some("CT".into()),
            series: Some("1.2".into()),
            study: Some("1".into()),
            slice_thickness_mm: Some(1.25),
            sex: Some("F".into()),
            ..Facts::default()
        };
        let cohort: Cohort = text.parse().unwrap();
        assert_eq!(cohort.matches(&facts), expect, "{text}");
    }

    #[test]
    fn logic_is_three_valued() {
        check("modality = ct", Some(true));
        check("modality = CT and slice_thickness <= 2 mm", Some(true));
        check("slice_thickness < 1.25", Some(false));
        check("age >= 40", None);
        check("not age >= 40", None);
        check("age >= 40 and modality = MR", Some(false));
        check("age >= 40 or modality = CT", Some(true));
        check("age >= 40 and modality = CT", None);
        check("sex recorded and not modality in {MR, PT}", Some(true));
        check("not age recorded", Some(true));
        check("diagnosis = C34", None);
        check("not treatment(treatment_kind = surgery)", None);
        check("", Some(true));
    }

    fn record(entity: Entity, key: &str, parent: Option<&str>, values: &[(&str, &str)]) -> Record {
        let mut record = Record::new(entity, "P-1", key);
        record.parent = parent.map(str::to_owned);
        for (name, text) in values {
            let field = Field::parse(name).unwrap();
            let value = match field.kind() {
                super::super::FieldKind::Code { .. } => {
                    Value::Code(Coded::new(CodeSystem::Arno, text))
                }
                super::super::FieldKind::Words => Value::Words((*text).to_owned()),
                super::super::FieldKind::Number { .. } => Value::Number(text.parse().unwrap()),
                super::super::FieldKind::Days => Value::Days(text.parse().unwrap()),
                super::super::FieldKind::Flag => Value::Flag(*text == "yes"),
            };
            record.values.push(Recorded {
                field,
                value: Some(value),
                source: None,
            });
        }
        record
    }

    /// A thick CT and an MR in one study, a thin PET of a year later; two tumours, of which the right one is staged; surgery.
    fn patient() -> Vec<Record> {
        vec![
            record(Entity::Patient, "P-1", None, &[("sex", "F")]),
            record(
                Entity::Study,
                "1",
                None,
                &[("study_date", "10"), ("age", "60")],
            ),
            record(Entity::Study, "2", None, &[("study_date", "375")]),
            record(
                Entity::Series,
                "1.1",
                Some("1"),
                &[("modality", "CT"), ("slice_thickness", "5")],
            ),
            record(
                Entity::Series,
                "1.2",
                Some("1"),
                &[("modality", "MR"), ("contrast", "yes")],
            ),
            record(
                Entity::Series,
                "2.1",
                Some("2"),
                &[("modality", "PT"), ("slice_thickness", "1")],
            ),
            record(
                Entity::Diagnosis,
                "left",
                None,
                &[("diagnosis", "C34.1"), ("laterality", "left")],
            ),
            record(
                Entity::Diagnosis,
                "right",
                None,
                &[("diagnosis", "C50.9"), ("laterality", "right")],
            ),
            record(
                Entity::Stage,
                "s",
                Some("right"),
                &[("stage_group", "IIIA")],
            ),
            record(
                Entity::Treatment,
                "t",
                None,
                &[("treatment_kind", "surgery"), ("treatment_start", "40")],
            ),
            record(
                Entity::Outcome,
                "o",
                None,
                &[("last_contact", "800"), ("overall_survival_days", "800")],
            ),
        ]
    }

    /// For CT, MR and PET in this order: yes, no or unknown.
    fn rows(text: &str, expect: &str) {
        let cohort: Cohort = text.parse().unwrap();
        cohort.check().unwrap();
        let records = patient();
        let patient = Patient::from_records(&records);
        let found: String = (0..patient.rows())
            .map(|row| match cohort.holds(&patient, row) {
                Some(true) => 'y',
                Some(false) => 'n',
                None => '?',
            })
            .collect();
        assert_eq!(found, expect, "{text}");
    }

    #[test]
    fn criteria_are_about_one_series_and_what_it_hangs_on() {
        rows("modality = CT", "ynn");
        rows("modality = CT and slice_thickness < 2", "nnn");
        rows("sex = F and age = 60", "yy?");
    }

    #[test]
    fn of_what_hangs_beside_one_record_is_enough() {
        rows("diagnosis under C34", "yyy");
        rows("diagnosis under C34 and laterality = right", "yyy");
        rows("stage in III", "yyy");
        rows("margins = positive", "???");
    }

    #[test]
    fn a_group_is_about_one_record() {
        rows(
            "diagnosis(diagnosis under C34 and laterality = right)",
            "nnn",
        );
        rows("diagnosis(diagnosis under C50 and stage in III)", "yyy");
        rows("diagnosis(diagnosis under C34 and stage in III)", "???");
        rows("series(slice_thickness < 2)", "yyy");
        rows("series(modality = CT) and modality = MR", "nyn");
        rows("series(modality = CT and slice_thickness < 2)", "nnn");
        rows(
            "study(series(modality = CT) and series(modality = MR))",
            "yyy",
        );
        rows(
            "study(series(modality = CT) and series(modality = PT))",
            "nnn",
        );
        rows("not series(modality = US)", "yyy");
    }

    #[test]
    fn things_happen_before_and_after_each_other() {
        rows("study_date within 90 d before treatment_start", "yyn");
        rows(
            "study_date after treatment(treatment_kind = surgery)",
            "nny",
        );
        rows(
            "series(modality = CT) within 30 d before treatment(treatment_kind = surgery)",
            "yyy",
        );
        rows(
            "series(modality = CT) within 29 d before treatment(treatment_kind = surgery)",
            "nnn",
        );
        rows("last_contact >= 2 a after treatment_start", "yyy");
        rows("last_contact >= 3 a after treatment_start", "nnn");
        rows("last_contact > 2 a after diagnosis_date", "???");
        rows(
            "study_date of study(age = 60) within 30 d of treatment_start",
            "yyy",
        );
        rows("study_date in 30..60 d before treatment_start", "yyn");
        rows("treatment_start within 0 d of treatment_start", "yyy");
        rows("treatment_start before treatment_start", "nnn");
        rows("followed >= 2 a", "yyy");
    }
}
