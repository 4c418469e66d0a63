//! What a query wants to see of a row (PS3.18 section 10.6.3.3, PS3.4 C.4.1.1.3.2).

use std::collections::BTreeSet;

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde_json::{Map, Value, json};

use super::{Level, Query, Returned, default_attributes};
use crate::element::dictionary_vr;
use crate::json::{Attributes, name_of};

pub(super) fn select(query: &Query, row: &Attributes) -> Attributes {
    match &query.returned {
        Returned::All => row.clone(),
        Returned::Default => default(query, row),
        Returned::Also(paths) => {
            let mut selected = default(query, row);
            for path in paths {
                copy(row, path, &mut selected);
            }
            selected
        }
        Returned::Only(paths) => {
            let mut selected = Attributes::new();
            for path in paths {
                copy(row, path, &mut selected);
                if let Some(tag) = path.first() {
                    selected.entry(name_of(*tag)).or_insert_with(|| empty(*tag));
                }
            }
            selected
        }
    }
}

/// The attributes of the default and the keys.
fn default(query: &Query, row: &Attributes) -> Attributes {
    let mut selected = Attributes::new();
    for tag in default_tags(query) {
        copy(row, &[tag], &mut selected);
    }
    for key in &query.keys {
        copy(row, &key.path, &mut selected);
    }
    selected
}

/// The attributes of the level, and those of the levels above whose identifier the query does not name.
fn default_tags(query: &Query) -> impl Iterator<Item = Tag> {
    let levels = [
        (Level::Study, tags::STUDY_INSTANCE_UID),
        (Level::Series, tags::SERIES_INSTANCE_UID),
        (Level::Instance, tags::SOP_INSTANCE_UID),
    ];
    let is_wanted = |(level, uid): &(Level, Tag)| {
        let is_settled = query.keys.iter().any(|key| key.path == [*uid]);
        *level == query.level || *level < query.level && !is_settled
    };
    let above = levels.into_iter().filter(is_wanted);
    let patient = (query.level == Level::Patient).then_some(Level::Patient);
    let levels: Vec<Level> = above.map(|(level, _)| level).chain(patient).collect();
    levels
        .into_iter()
        .flat_map(|level| default_attributes(level).iter().copied())
}

/// What is wanted, where that is whole attributes: no parts of sequences, and not just all that there are.
pub(super) fn whole_tags(query: &Query) -> Option<BTreeSet<Tag>> {
    let keys = query.keys.iter().map(|key| &key.path);
    let paths: Vec<&Vec<Tag>> = match &query.returned {
        Returned::All => return None,
        Returned::Default => keys.collect(),
        Returned::Also(paths) => keys.chain(paths).collect(),
        Returned::Only(paths) => paths.iter().collect(),
    };
    if paths.iter().any(|path| path.len() > 1) {
        return None;
    }
    let named = paths.into_iter().flatten().copied();
    Some(match &query.returned {
        Returned::Only(_) => named.collect(),
        _ => named.chain(default_tags(query)).collect(),
    })
}

/// Copies the attribute at a path, with just this part of the items on the way.
fn copy(row: &Attributes, path: &[Tag], selected: &mut Attributes) {
    let [tag, rest @ ..] = path else { return };
    let name = name_of(*tag);
    let Some(attribute) = row.get(&name) else {
        return;
    };
    // Nothing lies within what is no sequence, whatever a path says.
    if !rest.is_empty() && attribute.get("vr").and_then(Value::as_str) != Some("SQ") {
        return;
    }
    let items = attribute.get("Value").and_then(Value::as_array);
    let (false, Some(items)) = (rest.is_empty(), items) else {
        selected.insert(name, attribute.clone());
        return;
    };
    let slot = selected.entry(name).or_insert_with(
        || json!({"vr": "SQ", "Value": vec![Value::Object(Map::new()); items.len()]}),
    );
    let Some(kept) = slot.get_mut("Value").and_then(Value::as_array_mut) else {
        return;
    };
    for (item, kept) in items.iter().zip(kept) {
        if let (Some(item), Some(kept)) = (item.as_object(), kept.as_object_mut()) {
            copy(item, rest, kept);
        }
    }
}

/// A key that the row has nothing for.
pub(super) fn empty(tag: Tag) -> Value {
    let vr = dictionary_vr(tag, false).map_or("UN", |vr| vr.to_string());
    json!({ "vr": vr })
}
