//! What a query means for the index: which keys it settles, which narrow it down, and what has to be read for the rest.
//!
//! Everything here errs on the side of too much: a row that the index lets through is matched again, but for identifiers
//! that it settles exactly.

use std::collections::BTreeSet;

use arno_dicom::{
    json::name_of,
    query::{Key, Level, Query, Returned, default_attributes, level_has},
};
use arno_store::node::RowFilter;

use super::row::{Name, Picked, as_name};

/// UIDs in one key that the index is asked for. More are matched row by row, since a statement takes a bounded number of values.
const MAX_LISTED: usize = 1000;

pub(super) const PATIENT_ID: &str = "00100020";
pub(super) const STUDY_DATE: &str = "00080020";
pub(super) const MODALITY: &str = "00080060";
pub(super) const MODALITIES_IN_STUDY: &str = "00080061";
pub(super) const SOP_CLASSES_IN_STUDY: &str = "00080062";
pub(super) const STUDY_UID: &str = "0020000D";
pub(super) const SERIES_UID: &str = "0020000E";
pub(super) const INSTANCE_UID: &str = "00080018";

/// What is computed and lies in no file, by the level that it belongs to.
const COMPUTED: [(&str, Level); 11] = [
    ("00201200", Level::Patient),
    ("00201202", Level::Patient),
    ("00201204", Level::Patient),
    (MODALITIES_IN_STUDY, Level::Study),
    (SOP_CLASSES_IN_STUDY, Level::Study),
    ("00201206", Level::Study),
    ("00201208", Level::Study),
    ("00201209", Level::Series),
    ("00080056", Level::Instance),
    ("00083002", Level::Instance),
    // The address is the caller's to add.
    ("00081190", Level::Instance),
];

/// A query as the index sees it.
pub(super) struct Plan {
    pub(super) filter: RowFilter,
    /// Keys about patient, study and series that the index does not settle.
    pub(super) above: Query,
    /// Keys about the level itself, and whatever no row has, that the index does not settle.
    pub(super) own: Query,
    /// Whether rows of series and instances need what is computed of their study.
    pub(super) study_parts: bool,
    /// Whether SOP classes of studies are asked for.
    pub(super) sop_classes: bool,
    /// What of an instance's row is looked at; all of it where that is not known.
    pub(super) wanted: Option<BTreeSet<Name>>,
    /// What of a row goes into the answer.
    pub(super) picked: Picked,
    /// Whether a key asks for what only the metadata has.
    pub(super) opens_to_match: bool,
    /// Whether an answer has what only the metadata has.
    pub(super) opens_to_answer: bool,
}

impl Plan {
    pub(super) fn of(query: &Query) -> Self {
        let keys: Vec<&Key> = query
            .keys
            .iter()
            .filter(|key| !key.path.is_empty() && !is_universal(&key.value))
            .collect();
        let filter = filter_of(query.level, &keys);
        let residual = keys.into_iter().filter(|key| !is_settled(key, &filter));
        let (above, own): (Vec<&Key>, Vec<&Key>) =
            residual.partition(|key| home(&name(key)).is_some_and(|home| home < query.level));
        let names: BTreeSet<String> = mentioned(query).collect();
        // What belongs to a level below is no part of a row, unless a key asks for it by value.
        let reads = |name: &String| home(name).is_none_or(|home| home > query.level);
        let no_row_has = |name: &String| home(name).is_none();
        let is_of_study = |name: &str| COMPUTED.contains(&(name, Level::Study));
        Self {
            opens_to_match: own.iter().any(|key| reads(&name(key))),
            opens_to_answer: names.iter().any(no_row_has)
                || query.returned == Returned::All && query.level == Level::Instance,
            wanted: wanted(query, &names),
            picked: Picked::of(query),
            sop_classes: names.contains(SOP_CLASSES_IN_STUDY),
            study_parts: query.level == Level::Study
                || filter.study_uids.is_none()
                || query.returned == Returned::All
                || names.iter().any(|name| is_of_study(name)),
            above: with_keys(query, above),
            own: with_keys(query, own),
            filter,
        }
    }
}

/// The attributes of an answer and of the keys.
fn wanted(query: &Query, names: &BTreeSet<String>) -> Option<BTreeSet<Name>> {
    if query.returned == Returned::All {
        return None;
    }
    let default = default_attributes(Level::Instance).iter();
    let default = default.filter_map(|tag| as_name(&name_of(*tag)));
    let named = names.iter().filter_map(|name| as_name(name));
    Some(default.chain(named).collect())
}

/// Attributes that keys and wanted fields begin with.
fn mentioned(query: &Query) -> impl Iterator<Item = String> {
    let wanted = match &query.returned {
        Returned::Also(paths) | Returned::Only(paths) => paths.as_slice(),
        Returned::Default | Returned::All => &[],
    };
    let keys = query.keys.iter().map(|key| &key.path);
    keys.chain(wanted)
        .filter_map(|path| path.first())
        .map(|tag| name_of(*tag))
}

fn with_keys(query: &Query, keys: Vec<&Key>) -> Query {
    Query {
        keys: keys.into_iter().cloned().collect(),
        ..query.clone()
    }
}

pub(super) fn name(key: &Key) -> String {
    key.path
        .first()
        .map(|tag| name_of(*tag))
        .unwrap_or_default()
}

/// No value, or nothing but `*` (PS3.4 C.2.2.2.3).
fn is_universal(value: &str) -> bool {
    value
        .trim_matches([' ', '\0'])
        .bytes()
        .all(|byte| byte == b'*')
}

/// The level whose row has that attribute, if one has: the innermost, where several do.
fn home(name: &str) -> Option<Level> {
    if let Some((_, level)) = COMPUTED.iter().find(|(computed, _)| *computed == name) {
        return Some(*level);
    }
    let mut levels = [Level::Instance, Level::Series, Level::Study, Level::Patient].into_iter();
    levels.find(|level| level_has(*level, name))
}

fn filter_of(level: Level, keys: &[&Key]) -> RowFilter {
    let listed = |wanted: &str| {
        keys.iter()
            .find(|key| name(key) == wanted)
            .and_then(|key| list(key))
    };
    let modality = match level {
        Level::Patient => None,
        Level::Study => listed(MODALITIES_IN_STUDY),
        Level::Series | Level::Instance => listed(MODALITY),
    };
    RowFilter {
        patients: listed(PATIENT_ID),
        study_uids: listed(STUDY_UID),
        study_dates: (level > Level::Patient)
            .then(|| keys.iter().find(|key| name(key) == STUDY_DATE))
            .flatten()
            .and_then(|key| dates(&key.value)),
        modalities: modality,
        series_uids: listed(SERIES_UID).filter(|_| level >= Level::Series),
        instance_uids: listed(INSTANCE_UID).filter(|_| level == Level::Instance),
    }
}

/// Alternatives without wildcards; empty ones and `""` mean something else and are left to matching.
fn list(key: &Key) -> Option<Vec<String>> {
    if key.path.len() != 1 {
        return None;
    }
    let value = key.value.trim_matches([' ', '\0']);
    let values: Vec<String> = value
        .split('\\')
        .map(|one| one.trim_matches([' ', '\0']).to_owned())
        .take(MAX_LISTED + 1)
        .collect();
    let is_plain = |one: &String| !one.is_empty() && !one.contains(['*', '?', '"']);
    (values.len() <= MAX_LISTED && values.iter().all(is_plain)).then_some(values)
}

/// Whether the index's answer is exact: identifiers that are compared as they are.
fn is_settled(key: &Key, filter: &RowFilter) -> bool {
    if key.path.len() != 1 {
        return false;
    }
    match name(key).as_str() {
        STUDY_UID => filter.study_uids.is_some(),
        SERIES_UID => filter.series_uids.is_some(),
        INSTANCE_UID => filter.instance_uids.is_some(),
        _ => false,
    }
}

/// First and last day of a date or range; `None` where only matching can tell.
fn dates(value: &str) -> Option<(String, String)> {
    let value = value.trim_matches([' ', '\0']);
    if value.contains('\\') {
        return None;
    }
    let (first, last) = match value.split_once('-') {
        Some((first, last)) => (first.trim(), last.trim()),
        None => (value, value),
    };
    Some((day(first, '0')?, day(last, '9')?))
}

/// Eight digits, filled up where the key leaves them open.
fn day(text: &str, fill: char) -> Option<String> {
    let mut digits: String = text.chars().filter(|c| *c != '.').collect();
    if digits.len() > 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    while digits.len() < 8 {
        digits.push(fill);
    }
    Some(digits)
}

#[cfg(test)]
mod tests {
    use arno_dicom::query::{Key, Level, Query, Returned, parse_path};

    use super::{Plan, dates};

    fn plan(level: Level, keys: &[(&str, &str)], also: &[&str]) -> Plan {
        let path = |text: &str| parse_path(text).unwrap();
        Plan::of(&Query {
            level,
            keys: keys
                .iter()
                .map(|(name, value)| Key {
                    path: path(name),
                    value: (*value).to_owned(),
                })
                .collect(),
            fuzzy: false,
            returned: Returned::Also(also.iter().map(|text| path(text)).collect()),
            limit: 10,
            offset: 0,
        })
    }

    #[test]
    fn identifiers_are_settled_and_the_rest_is_matched() {
        let plan = plan(
            Level::Instance,
            &[
                ("StudyInstanceUID", "1.2\\1.3"),
                ("SeriesInstanceUID", "*"),
                ("PatientID", "PSN*"),
                ("Modality", "CT"),
                ("InstanceNumber", "7"),
            ],
            &[],
        );
        assert_eq!(plan.filter.study_uids.unwrap(), ["1.2", "1.3"]);
        assert_eq!(plan.filter.series_uids, None);
        assert_eq!(plan.filter.patients, None);
        assert_eq!(plan.filter.modalities.unwrap(), ["CT"]);
        assert_eq!((plan.above.keys.len(), plan.own.keys.len()), (2, 1));
        assert!(!plan.opens_to_match && !plan.opens_to_answer && !plan.study_parts);
    }

    #[test]
    fn what_no_row_has_is_read_from_metadata() {
        let by_key = plan(Level::Instance, &[("KVP", "120")], &[]);
        assert!(by_key.opens_to_match && by_key.opens_to_answer);
        let by_field = plan(Level::Instance, &[], &["KVP"]);
        assert!(!by_field.opens_to_match && by_field.opens_to_answer);
        let computed = plan(
            Level::Study,
            &[("ModalitiesInStudy", "CT")],
            &["SOPClassesInStudy"],
        );
        assert!(!computed.opens_to_answer && computed.sop_classes);
        assert_eq!(computed.filter.modalities.unwrap(), ["CT"]);
    }

    #[test]
    fn dates_become_whole_days() {
        let check = |text: &str, expect: Option<(&str, &str)>| {
            let expect = expect.map(|(first, last)| (first.to_owned(), last.to_owned()));
            assert_eq!(dates(text), expect, "{text}");
        };
        check("20200131", Some(("20200131", "20200131")));
        check("20200131-", Some(("20200131", "99999999")));
        check("-2020", Some(("00000000", "20209999")));
        check("2020.01.31 - 2020.02.01", Some(("20200131", "20200201")));
        check("20200131\\20200201", None);
        check("yesterday", None);
    }
}
