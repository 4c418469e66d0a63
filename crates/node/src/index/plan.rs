//! From a cohort to what the index is asked. The rules are those of `arno_domain::cohort`, whose evaluation of one patient is what a test
//! compares this with.

use std::collections::BTreeSet;

use arno_domain::{
    cohort::{Cohort, Criterion, Group, Moment, Order, Range, Test, Timing, canonical, covers},
    model::Entity,
};
use arno_engine::{
    Apart, Index, Moment as Moments, Plan, Question, Range as Limits, Test as Asked,
};

use super::shape::Shape;

/// A cohort as a question to the index.
pub(super) fn question(shape: &Shape, index: &Index, cohort: &Cohort) -> Question {
    let of = |asked| {
        Planner {
            shape,
            index,
            asked,
        }
        .plan(cohort)
    };
    Question {
        of_series: of(Entity::Series),
        of_studies: of(Entity::Study),
        of_patients: of(Entity::Patient),
    }
}

struct Planner<'a> {
    shape: &'a Shape,
    index: &'a Index,
    /// What the cohort is asked of.
    asked: Entity,
}

impl Planner<'_> {
    fn plan(&self, cohort: &Cohort) -> Plan {
        let all = |parts: &[Cohort]| parts.iter().map(|part| self.plan(part)).collect();
        match cohort {
            Cohort::And(parts) => Plan::And(all(parts)),
            Cohort::Or(parts) => Plan::Or(all(parts)),
            Cohort::Not(part) => Plan::Not(Box::new(self.plan(part))),
            Cohort::Is(criterion) => self.criterion(criterion),
            Cohort::One(group) => Plan::Exists {
                level: self.shape.level(group.entity),
                of: self.shape.level(self.scope(group.entity)),
                plan: Box::new(self.inside(group)),
            },
            Cohort::Timed(timing) => self.timing(timing),
        }
    }

    fn criterion(&self, criterion: &Criterion) -> Plan {
        let column = self.shape.column(criterion.field);
        let passing = |passes: &dyn Fn(&str) -> bool| {
            let words = self.index.words(column).filter(|word| passes(word));
            Asked::OneOf(words.map(str::to_owned).collect())
        };
        let field = criterion.field;
        let test = match &criterion.test {
            Test::Recorded => Asked::Recorded,
            Test::Range(range) => Asked::Range(limits(range)),
            Test::OneOf(words) => {
                let wanted: BTreeSet<_> = words.iter().map(|word| canonical(field, word)).collect();
                passing(&|word| wanted.contains(&canonical(field, word)))
            }
            Test::Under(codes) => {
                passing(&|word| codes.iter().any(|code| covers(field, code, word)))
            }
        };
        Plan::Is(column, test)
    }

    /// What is asked of one record of a group.
    fn inside(&self, group: &Group) -> Plan {
        let inside = Planner {
            asked: group.entity,
            ..*self
        };
        inside.plan(&group.such_that)
    }

    /// Whose records of an entity are meant: those of the nearest thing that both hang on; of what the asked thing is or hangs on, all
    /// of the patient.
    fn scope(&self, entity: Entity) -> Entity {
        if hangs_on(self.asked, entity) {
            Entity::Patient
        } else {
            common(self.asked, entity)
        }
    }

    fn timing(&self, timing: &Timing) -> Plan {
        Plan::Apart(Box::new(Apart {
            first: self.moment(&timing.first),
            second: self.moment(&timing.second),
            days: days(timing.order, &timing.days),
        }))
    }

    fn moment(&self, moment: &Moment) -> Moments {
        let (entity, of, plan) = match &moment.of {
            Some(group) => (group.entity, self.scope(group.entity), self.inside(group)),
            None => {
                let entity = moment.date.entity();
                (entity, common(self.asked, entity), Plan::everything())
            }
        };
        Moments {
            day: self.shape.column(moment.date),
            level: self.shape.level(entity),
            of: self.shape.level(of),
            plan,
        }
    }
}

fn limits(range: &Range) -> Limits {
    Limits {
        min: range.min,
        above: range.above,
        max: range.max,
        below: range.below,
    }
}

/// Days from the first moment to the second.
fn days(order: Order, range: &Range) -> Vec<Limits> {
    let later = Limits {
        min: Some(range.min.map_or(0.0, |min| min.max(0.0))),
        ..limits(range)
    };
    let earlier = Limits {
        min: later.max.map(|max| -max),
        above: later.below.map(|below| -below),
        max: later.min.map(|min| -min),
        below: later.above.map(|above| -above),
    };
    match order {
        Order::Before => vec![later],
        Order::After => vec![earlier],
        Order::Of => vec![later, earlier],
    }
}

/// The nearest entity that both hang on, or are.
fn common(one: Entity, other: Entity) -> Entity {
    let mut above = std::iter::successors(Some(one), |entity| entity.parent());
    above
        .find(|entity| hangs_on(other, *entity))
        .unwrap_or(Entity::Patient)
}

fn hangs_on(entity: Entity, on: Entity) -> bool {
    std::iter::successors(Some(entity), |entity| entity.parent()).any(|entity| entity == on)
}
