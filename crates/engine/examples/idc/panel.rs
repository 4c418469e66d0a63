//! The panel: ten facets, three of them with a filter of their own.

use arno_engine::{CellValue, Cells, Counts, Facet, Panel, Plan, Question, Test};
use serde_json::{Map, Value, json};

use crate::load::Loaded;

/// The filters: each belongs to the facet of its column.
const FILTERS: [(&str, &[&str]); 3] = [
    ("Modality", &["CT", "MR"]),
    ("Manufacturer", &["SIEMENS", "GE MEDICAL SYSTEMS"]),
    ("license_short_name", &["CC BY 4.0", "CC BY 3.0"]),
];
/// The ten facets.
pub(crate) const FACETS: [&str; 10] = [
    "collection_id",
    "Modality",
    "BodyPartExamined",
    "Manufacturer",
    "ManufacturerModelName",
    "PatientSex",
    "PatientAge",
    "sop_class_name",
    "license_short_name",
    "instanceCount",
];
/// Limits of the groups of `instanceCount`.
pub(crate) const INSTANCES: [f64; 5] = [2.0, 10.0, 50.0, 100.0, 500.0];

/// Each filter as a question, with the facet that it belongs to.
pub(crate) fn filters(loaded: &Loaded) -> [(&'static str, Question); 3] {
    FILTERS.map(|(name, words)| {
        let words = words.iter().map(|word| (*word).to_owned()).collect();
        let plan = Plan::Is(loaded.columns[name], Test::OneOf(words));
        (name, Question::from(plan))
    })
}

/// Asks everything, with studies and series.
pub(crate) fn ask(loaded: &Loaded) -> Panel<'_> {
    let filters = filters(loaded);
    let facets = FACETS.map(|name| Facet {
        column: loaded.columns[name],
        cells: match name {
            "instanceCount" => Cells::Steps(INSTANCES.to_vec()),
            _ => Cells::Values,
        },
        own: filters
            .iter()
            .find(|(of, _)| *of == name)
            .map(|(_, question)| question),
    });
    loaded.index.panel(&Plan::everything().into(), &facets)
}

/// The answer, with the question, for others to compare with.
pub(crate) fn answer(loaded: &Loaded) -> Value {
    let panel = ask(loaded);
    let facets = FACETS.iter().zip(&panel.facets).map(|(name, cells)| {
        let cells = cells.iter().filter(|cell| cell.counts.series > 0);
        let cells: Map<_, _> = cells
            .map(|cell| (key(cell.value), counts(cell.counts)))
            .collect();
        ((*name).to_owned(), Value::Object(cells))
    });
    json!({
        "filters": FILTERS.iter().map(|(name, words)| ((*name).to_owned(), json!(words))).collect::<Map<_, _>>(),
        "steps": INSTANCES,
        "counts": counts(panel.counts),
        "facets": facets.collect::<Map<_, _>>(),
    })
}

fn counts(counts: Counts) -> Value {
    json!([counts.patients, counts.studies, counts.series])
}

fn key(value: CellValue<'_>) -> String {
    match value {
        CellValue::NotRecorded => String::new(),
        CellValue::Word(word) => word.to_owned(),
        CellValue::Number(number) => number.to_string(),
        CellValue::Step { from, .. } => from.map_or("below".to_owned(), |from| from.to_string()),
    }
}
