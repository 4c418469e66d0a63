//! From the Parquet file to the index of one node.

use std::{collections::BTreeMap, path::Path};

use anyhow::Context as _;
use arno_clinical::{
    Cell, Table,
    read::{ReadOptions, read},
    table::Column,
};
use arno_engine::{Branch, ColumnId, Index, Kind, Level, Presence, Schema, Value};

/// How many nodes the collections are dealt to.
pub(crate) const NODES: usize = 3;

/// Columns of series that hold words.
const WORDS: [&str; 10] = [
    "collection_id",
    "Modality",
    "BodyPartExamined",
    "Manufacturer",
    "ManufacturerModelName",
    "PatientSex",
    "PatientAge",
    "sop_class_name",
    "license_short_name",
    "transfer_syntax_name",
];
const INSTANCES: &str = "instanceCount";
const PATIENT: &str = "PatientID";
const STUDY: &str = "StudyInstanceUID";

/// A node's index.
pub(crate) struct Loaded {
    pub(crate) index: Index,
    pub(crate) collections: Vec<String>,
    pub(crate) columns: BTreeMap<&'static str, ColumnId>,
    /// Patients, studies, series.
    pub(crate) rows: [usize; 3],
}

pub(crate) fn load(path: &Path, node: usize) -> anyhow::Result<Loaded> {
    let names = WORDS.into_iter().chain([INSTANCES, PATIENT, STUDY]);
    let options = ReadOptions {
        columns: Some(names.map(str::to_owned).collect()),
        ..ReadOptions::default()
    };
    let table = read(path, &options)?;
    let column = |name: &str| {
        let position = table.position(name);
        let position =
            position.with_context(|| format!("{} has no column {name}", path.display()))?;
        Ok::<_, anyhow::Error>(&table.columns[position])
    };
    let collections = dealt(column("collection_id")?, node);
    let (mut schema, mut columns) = (Schema::new(), BTreeMap::new());
    let mut sources = Vec::new();
    for name in WORDS {
        let id = schema.column(Level::SERIES, Kind::Words)?;
        columns.insert(name, id);
        sources.push((id, column(name)?));
    }
    let id = schema.column(Level::SERIES, Kind::Numbers)?;
    columns.insert(INSTANCES, id);
    sources.push((id, column(INSTANCES)?));
    let rows = ordered(
        &table,
        &collections,
        [column("collection_id")?, column(PATIENT)?, column(STUDY)?],
    );
    let mut index = Index::new(schema);
    let (patient, study) = (column(PATIENT)?, column(STUDY)?);
    for of_patient in rows.chunk_by(|one, other| patient.rows[*one] == patient.rows[*other]) {
        let studies = of_patient.chunk_by(|one, other| study.rows[*one] == study.rows[*other]);
        let branch = Branch {
            level: Level::PATIENT,
            values: Vec::new(),
            below: studies.map(|rows| study_branch(rows, &sources)).collect(),
            presence: Presence::There,
        };
        index.append(&patient.cell(of_patient[0]).to_text(), &branch)?;
    }
    index.settle();
    Ok(Loaded {
        rows: [Level::PATIENT, Level::STUDY, Level::SERIES].map(|level| index.count(level)),
        index,
        collections,
        columns,
    })
}

fn study_branch<'a>(rows: &[usize], sources: &[(ColumnId, &'a Column)]) -> Branch<'a> {
    let series = |row: &usize| Branch {
        level: Level::SERIES,
        values: sources
            .iter()
            .filter_map(|(id, column)| Some((*id, value(column.cell(*row))?)))
            .collect(),
        below: Vec::new(),
        presence: Presence::There,
    };
    Branch {
        level: Level::STUDY,
        values: Vec::new(),
        below: rows.iter().map(series).collect(),
        presence: Presence::There,
    }
}

fn value(cell: &Cell) -> Option<Value<'_>> {
    match cell {
        Cell::Text(text) => Some(Value::Word(text)),
        Cell::Number(number) => Some(Value::Number(number.0)),
        Cell::Empty | Cell::Date(_) | Cell::Flag(_) => None,
    }
}

/// The node's rows, in the order of patients and studies.
fn ordered(
    table: &Table,
    collections: &[String],
    [collection, patient, study]: [&Column; 3],
) -> Vec<usize> {
    let kept: Vec<bool> = collection
        .distinct
        .iter()
        .map(|cell| collections.iter().any(|name| **name == *cell.to_text()))
        .collect();
    let ranks = |column: &Column| {
        let texts: Vec<_> = column.distinct.iter().map(Cell::to_text).collect();
        let mut order: Vec<_> = (0..texts.len()).collect();
        order.sort_by(|one, other| texts[*one].cmp(&texts[*other]));
        let mut ranks = vec![0_u32; texts.len()];
        (0..)
            .zip(order)
            .for_each(|(rank, place)| ranks[place] = rank);
        ranks
    };
    let (patients, studies) = (ranks(patient), ranks(study));
    let mut rows: Vec<_> = (0..table.len())
        .filter(|row| kept[collection.rows[*row] as usize])
        .collect();
    rows.sort_by_key(|row| {
        (
            patients[patient.rows[*row] as usize],
            studies[study.rows[*row] as usize],
        )
    });
    rows
}

/// The collections of a node.
fn dealt(column: &Column, node: usize) -> Vec<String> {
    let mut series = vec![0_usize; column.distinct.len()];
    column
        .rows
        .iter()
        .for_each(|place| series[*place as usize] += 1);
    let names = column
        .distinct
        .iter()
        .map(|cell| cell.to_text().to_string());
    let mut sizes: Vec<_> = series.into_iter().zip(names).collect();
    sizes.sort_by(|one, other| other.cmp(one));
    let mut nodes = [(); NODES].map(|()| (0, Vec::new()));
    for (size, name) in sizes {
        if let Some(node) = nodes.iter_mut().min_by_key(|(total, _)| *total) {
            node.0 += size;
            node.1.push(name);
        }
    }
    nodes[node - 1].1.clone()
}
