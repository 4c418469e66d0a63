//! Records of the same entity and key are one thing: what they say together, of a field the first value.

use std::collections::HashMap;

use arno_domain::model::{Entity, Record};

/// Each thing of one patient once, in the order of [`Entity::ALL`] and then as they came.
#[must_use]
pub fn merged(records: Vec<Record>) -> Vec<Record> {
    let mut things: Vec<Record> = Vec::with_capacity(records.len());
    let mut places: HashMap<(Entity, String), usize> = HashMap::new();
    for record in records {
        let place = (record.entity, record.key.clone());
        let at = *places.entry(place).or_insert(things.len());
        match things.get_mut(at) {
            Some(known) => add(known, record),
            None => things.push(record),
        }
    }
    things.sort_by_key(|thing| thing.entity);
    things
}

fn add(known: &mut Record, more: Record) {
    known.parent = known.parent.take().or(more.parent);
    for link in more.links {
        if !known.links.contains(&link) {
            known.links.push(link);
        }
    }
    for value in more.values {
        let same = known
            .values
            .iter_mut()
            .find(|same| same.field == value.field);
        match same {
            None => known.values.push(value),
            // A later source that has a code says more than words without one.
            Some(same) if same.value.is_none() && value.value.is_some() => *same = value,
            Some(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::model::{Entity, Field, Record, Recorded, Value};

    use super::merged;

    fn number(name: &str, value: f64) -> Recorded {
        Recorded {
            field: Field::parse(name).unwrap(),
            value: Some(Value::Number(value)),
            source: None,
        }
    }

    #[test]
    fn the_first_value_counts_and_parents_come_first() {
        let record = |entity, key: &str, values: Vec<Recorded>| Record {
            values,
            ..Record::new(entity, "p", key)
        };
        let things = merged(vec![
            record(Entity::Series, "s", vec![number("kvp", 120.0)]),
            record(Entity::Study, "t", vec![]),
            record(
                Entity::Series,
                "s",
                vec![number("kvp", 80.0), number("rows", 512.0)],
            ),
        ]);
        let expect = vec![
            record(Entity::Study, "t", vec![]),
            record(
                Entity::Series,
                "s",
                vec![number("kvp", 120.0), number("rows", 512.0)],
            ),
        ];
        assert_eq!(things, expect);
    }
}
