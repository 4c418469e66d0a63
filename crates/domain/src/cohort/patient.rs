//! One patient as cohorts see them: things (records that were added up) and what each hangs on.

use std::collections::HashMap;

use super::{Entity, Facts, Field, Value};
use crate::model::{self, Record};

/// The patient's own thing is always there and always first.
pub(super) const SELF: usize = 0;

/// One thing: what all records of one entity and key say together.
#[derive(Debug)]
pub(super) struct Thing<'a> {
    pub(super) entity: Entity,
    /// The thing that it hangs on; the patient hangs on itself.
    pub(super) parent: usize,
    /// UID or pseudonym; empty where facts have none.
    key: &'a str,
    values: Vec<(Field, Value<'a>)>,
}

impl<'a> Thing<'a> {
    fn new(entity: Entity, parent: usize, key: &'a str) -> Self {
        Self {
            entity,
            parent,
            key,
            values: Vec::new(),
        }
    }

    pub(super) fn value(&self, field: Field) -> Option<Value<'a>> {
        let known = self.values.iter().find(|(of, _)| *of == field);
        known.map(|(_, value)| *value)
    }

    /// Of a field the first value counts.
    fn add(&mut self, field: Field, value: Value<'a>) {
        if self.value(field).is_none() {
            self.values.push((field, value));
        }
    }
}

/// Everything that is known of one patient.
#[derive(Debug)]
pub struct Patient<'a> {
    things: Vec<Thing<'a>>,
    /// What a cohort is asked of: each series, each study without one, or the patient who has neither.
    asked: Vec<usize>,
}

impl<'a> Patient<'a> {
    /// From records, all of one patient, in any order.
    #[must_use]
    pub fn from_records(records: impl IntoIterator<Item = &'a Record>) -> Self {
        let mut things = vec![Thing::new(Entity::Patient, SELF, "")];
        let mut parents: Vec<Option<&str>> = vec![None];
        let mut known: HashMap<(Entity, &str), usize> = HashMap::new();
        for record in records {
            let at = match record.entity {
                Entity::Patient => SELF,
                entity => *known.entry((entity, &record.key)).or_insert_with(|| {
                    things.push(Thing::new(entity, SELF, &record.key));
                    parents.push(None);
                    things.len() - 1
                }),
            };
            if at == SELF {
                things[SELF].key = &record.patient;
            }
            parents[at] = parents[at].or(record.parent.as_deref());
            for recorded in &record.values {
                if let Some(value) = recorded.value.as_ref().and_then(seen) {
                    things[at].add(recorded.field, value);
                }
            }
        }
        hang(&mut things, &parents, &known);
        Self::of(things)
    }

    /// From rows of facts, all of one patient.
    #[must_use]
    pub fn from_facts(rows: &'a [Facts]) -> Self {
        let name = rows.first().map_or("", |row| &row.patient);
        let mut things = vec![Thing::new(Entity::Patient, SELF, name)];
        let mut asked = Vec::with_capacity(rows.len());
        let mut studies: HashMap<&str, usize> = HashMap::new();
        let mut besides: HashMap<Entity, usize> = HashMap::new();
        for row in rows {
            let study = row.study.as_deref().map_or(SELF, |uid| {
                *studies
                    .entry(uid)
                    .or_insert_with(|| push(&mut things, (Entity::Study, uid), SELF))
            });
            let series = match &row.series {
                Some(uid) => push(&mut things, (Entity::Series, uid), study),
                None => study,
            };
            asked.push(series);
            for field in Facts::fields() {
                let Some(value) = row.value(field) else {
                    continue;
                };
                let at = match field.entity() {
                    Entity::Patient => SELF,
                    Entity::Study => study,
                    Entity::Series => series,
                    other => *besides
                        .entry(other)
                        .or_insert_with(|| push(&mut things, (other, ""), SELF)),
                };
                if things[at].entity == field.entity() {
                    things[at].add(field, value);
                }
            }
        }
        Self { things, asked }
    }

    fn of(things: Vec<Thing<'a>>) -> Self {
        let with_series = |at: usize| {
            let hangs = |thing: &Thing<'_>| thing.entity == Entity::Series && thing.parent == at;
            things.iter().any(hangs)
        };
        let is_asked = |at: &usize| match things[*at].entity {
            Entity::Series => true,
            Entity::Study => !with_series(*at),
            _ => false,
        };
        let mut asked: Vec<_> = (0..things.len()).filter(is_asked).collect();
        if asked.is_empty() {
            asked.push(SELF);
        }
        Self { things, asked }
    }

    /// All things, the patient first, for what keeps patients in another form: of each its entity, which of these it hangs on, and
    /// its values.
    pub fn things(&self) -> impl Iterator<Item = (Entity, usize, &[(Field, Value<'a>)])> {
        let things = self.things.iter();
        things.map(|thing| (thing.entity, thing.parent, thing.values.as_slice()))
    }

    /// How many times a cohort is asked of this patient: once for each series, at least once. Of rows of facts, once a row.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.asked.len()
    }

    /// What each time it is asked of, in order: a series or a study by its UID, or the patient.
    pub fn asked(&self) -> impl Iterator<Item = (Entity, &'a str)> {
        let things = self.asked.iter().map(|at| &self.things[*at]);
        things.map(|thing| (thing.entity, thing.key))
    }

    pub(super) fn row(&self, row: usize) -> usize {
        self.asked[row]
    }

    pub(super) fn thing(&self, at: usize) -> &Thing<'a> {
        &self.things[at]
    }

    /// What of this entity the thing is or hangs on.
    pub(super) fn above(&self, at: usize, entity: Entity) -> Option<usize> {
        let mut at = at;
        while self.things[at].entity != entity {
            if at == SELF {
                return None;
            }
            at = self.things[at].parent;
        }
        Some(at)
    }

    /// All things of an entity that hang on `under`, or are it.
    pub(super) fn below(&self, under: usize, entity: Entity) -> impl Iterator<Item = usize> {
        let scope = self.things[under].entity;
        (0..self.things.len()).filter(move |at| {
            self.things[*at].entity == entity && self.above(*at, scope) == Some(under)
        })
    }
}

fn push<'a>(things: &mut Vec<Thing<'a>>, (entity, key): (Entity, &'a str), parent: usize) -> usize {
    things.push(Thing::new(entity, parent, key));
    things.len() - 1
}

/// Finds what each thing hangs on: what its records name, else the patient's only one of the kind, else the patient.
fn hang(
    things: &mut [Thing<'_>],
    parents: &[Option<&str>],
    known: &HashMap<(Entity, &str), usize>,
) {
    let mut only: HashMap<Entity, Option<usize>> = HashMap::new();
    for (at, thing) in things.iter().enumerate() {
        only.entry(thing.entity)
            .and_modify(|only| *only = None)
            .or_insert(Some(at));
    }
    for at in 1..things.len() {
        let Some(entity) = things[at].entity.parent() else {
            continue;
        };
        let named = parents[at].and_then(|key| known.get(&(entity, key)));
        let alone = only.get(&entity).copied().flatten();
        things[at].parent = named.copied().or(alone).unwrap_or(SELF);
    }
}

fn seen(value: &model::Value) -> Option<Value<'_>> {
    match value {
        model::Value::Code(coded) => Some(Value::Word(&coded.code)),
        model::Value::Words(words) => Some(Value::Word(words)),
        model::Value::Number(number) => (!number.is_nan()).then_some(Value::Number(*number)),
        // Days of a life are far below 2^53.
        model::Value::Days(days) => Some(Value::Number(*days as f64)),
        model::Value::Flag(flag) => Some(Value::Word(if *flag { "yes" } else { "no" })),
    }
}
