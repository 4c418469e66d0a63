//! From a patient as cohorts see them to the branch that the index keeps.

use arno_domain::{
    cohort::{Patient, Value},
    model::{Entity, Field},
};
use arno_engine::{Branch, Kind, Level, Presence, Value as Kept};

use super::shape::{Shape, kind_of};

/// The patient's own thing comes first.
const SELF: usize = 0;

/// Everything about a patient. What does not say what it hangs on hangs on a placeholder.
pub(super) fn branch<'a>(shape: &Shape, patient: &Patient<'a>) -> Branch<'a> {
    let things: Vec<_> = patient.things().collect();
    let mut below = vec![Vec::new(); things.len()];
    let mut loose = Vec::new();
    for (at, (entity, parent, _)) in things.iter().enumerate().skip(1) {
        let on = entity.parent().unwrap_or(Entity::Patient);
        if things[*parent].0 == on {
            below[*parent].push(at);
        } else {
            loose.push((on, at));
        }
    }
    let mut rows: Vec<Option<Branch<'a>>> = things
        .iter()
        .map(|(entity, _, values)| Some(row(shape, *entity, values)))
        .collect();
    // What hangs on a thing is of another entity, which comes after it in no fixed order: from the deepest up.
    let mut order: Vec<_> = (0..things.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(depth(things[*at].0)));
    for at in order {
        let hanging = below[at].iter().filter_map(|below| rows[*below].take());
        let hanging: Vec<_> = hanging.collect();
        if let Some(row) = &mut rows[at] {
            row.below = hanging;
        }
    }
    let loose: Vec<_> = loose
        .into_iter()
        .filter_map(|(on, at)| Some((on, rows[at].take()?)))
        .collect();
    let mut patient = rows[SELF].take().unwrap_or_else(|| nobody(Level::PATIENT));
    patient.below.extend(placeholders(shape, loose));
    patient
}

/// Values of another kind than their field has are left out: nothing can be asked of them.
fn row<'a>(shape: &Shape, entity: Entity, values: &[(Field, Value<'a>)]) -> Branch<'a> {
    let values = values.iter().filter_map(|(field, value)| {
        let value = match (kind_of(*field), *value) {
            (Kind::Words, Value::Word(word)) => Kept::Word(word),
            (Kind::Numbers, Value::Number(number)) => Kept::Number(number),
            (Kind::Words, Value::Number(_)) | (Kind::Numbers, Value::Word(_)) => return None,
        };
        (field.entity() == entity).then_some((shape.column(*field), value))
    });
    Branch {
        values: values.collect(),
        ..nobody(shape.level(entity))
    }
}

fn nobody<'a>(level: Level) -> Branch<'a> {
    Branch {
        level,
        values: Vec::new(),
        below: Vec::new(),
        presence: Presence::There,
    }
}

fn depth(entity: Entity) -> usize {
    std::iter::successors(Some(entity), |entity| entity.parent()).count()
}

/// One placeholder for each entity that something should hang on, itself on the placeholder of what that hangs on.
fn placeholders<'a>(shape: &Shape, loose: Vec<(Entity, Branch<'a>)>) -> Vec<Branch<'a>> {
    let mut placeholders: Vec<(Entity, Branch<'a>)> = Vec::new();
    for (on, row) in loose {
        match placeholders.iter_mut().find(|(entity, _)| *entity == on) {
            Some((_, placeholder)) => placeholder.below.push(row),
            None => placeholders.push((
                on,
                Branch {
                    below: vec![row],
                    presence: Presence::Placeholder,
                    ..nobody(shape.level(on))
                },
            )),
        }
    }
    let placed = placeholders.into_iter().map(|(entity, mut placeholder)| {
        let mut above = entity.parent();
        while let Some(entity) = above.filter(|entity| *entity != Entity::Patient) {
            placeholder = Branch {
                below: vec![placeholder],
                presence: Presence::Placeholder,
                ..nobody(shape.level(entity))
            };
            above = entity.parent();
        }
        placeholder
    });
    placed.collect()
}
