//! Records as Parquet: one file an entity, one row a thing, for data frames and query engines.
//!
//! Columns are `patient`, `key`, `parent` and `links` (`entity:key`, parted by spaces), then each field of the entity under its name. Beside a code stand
//! its `…_system` and `…_version`, and beside every field stands `…_source`, what the source wrote where that was something else.
//! Days are whole numbers from the patient's baseline.

mod file;
mod thrift;

use arno_domain::model::{Entity, Field, FieldKind, Record, Recorded, Value};

use super::{ExportError, Exporter, Folder};
use file::{Kind, ParquetFile, Plain};

/// An export of one Parquet file an entity.
#[derive(Debug)]
pub struct ParquetExport {
    /// In the order of [`Entity::ALL`].
    files: Vec<ParquetFile>,
}

impl ParquetExport {
    /// Begins all files.
    ///
    /// # Errors
    /// When one cannot be made.
    pub fn begin(folder: &Folder) -> Result<Self, ExportError> {
        let file = |entity: Entity| {
            let name = format!("{}.parquet", entity.as_str());
            ParquetFile::begin(folder.create(&name)?, columns(entity))
        };
        let files = Entity::ALL.into_iter().map(file);
        Ok(Self {
            files: files.collect::<Result<_, _>>()?,
        })
    }
}

impl Exporter for ParquetExport {
    fn patient(&mut self, _: &str, records: &[Record]) -> Result<(), ExportError> {
        for record in records {
            let files = Entity::ALL.into_iter().zip(&mut self.files);
            let own = files
                .into_iter()
                .find(|(entity, _)| *entity == record.entity);
            if let Some((_, file)) = own {
                put(file, record)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), ExportError> {
        self.files.iter_mut().try_for_each(ParquetFile::finish)
    }
}

/// Columns of an entity that are no fields.
const KEYS: [&str; 4] = ["patient", "key", "parent", "links"];

fn columns(entity: Entity) -> Vec<(String, Kind)> {
    let mut columns: Vec<_> = KEYS.map(|name| (name.to_owned(), Kind::Text)).into();
    for field in fields(entity) {
        let name = field.as_str();
        let besides = |what: &str| (format!("{name}_{what}"), Kind::Text);
        columns.push((name.to_owned(), kind(field)));
        if matches!(field.kind(), FieldKind::Code { .. }) {
            columns.extend([besides("code_system"), besides("code_version")]);
        }
        columns.push(besides("as_written"));
    }
    columns
}

fn fields(entity: Entity) -> impl Iterator<Item = Field> {
    Field::all().filter(move |field| field.entity() == entity)
}

fn kind(field: Field) -> Kind {
    match field.kind() {
        FieldKind::Code { .. } | FieldKind::Words => Kind::Text,
        FieldKind::Number { .. } => Kind::Double,
        FieldKind::Days => Kind::Int64,
        FieldKind::Flag => Kind::Flag,
    }
}

fn put(file: &mut ParquetFile, record: &Record) -> Result<(), ExportError> {
    let links = record.links.iter();
    let links: Vec<_> = links
        .map(|link| format!("{}:{}", link.entity.as_str(), link.key))
        .collect();
    let links = links.join(" ");
    let mut row = vec![
        Plain::Text(&record.patient),
        Plain::Text(&record.key),
        text(record.parent.as_deref()),
        text(Some(links.as_str()).filter(|links| !links.is_empty())),
    ];
    for field in fields(record.entity) {
        let recorded = record
            .values
            .iter()
            .find(|recorded| recorded.field == field);
        push(&mut row, field, recorded);
    }
    file.row(&row)
}

fn push<'a>(row: &mut Vec<Plain<'a>>, field: Field, recorded: Option<&'a Recorded>) {
    let value = recorded.and_then(|recorded| recorded.value.as_ref());
    let mut besides = [Plain::Null, Plain::Null];
    row.push(match value {
        None => Plain::Null,
        Some(Value::Code(coded)) => {
            besides = [
                Plain::Text(coded.system.as_str()),
                text(coded.version.as_deref()),
            ];
            Plain::Text(&coded.code)
        }
        Some(Value::Words(words)) => Plain::Text(words),
        Some(Value::Number(number)) => Plain::Double(*number),
        Some(Value::Days(days)) => Plain::Int64(*days),
        Some(Value::Flag(flag)) => Plain::Flag(*flag),
    });
    if matches!(field.kind(), FieldKind::Code { .. }) {
        row.extend(besides);
    }
    row.push(text(
        recorded.and_then(|recorded| recorded.source.as_deref()),
    ));
}

fn text(text: Option<&str>) -> Plain<'_> {
    text.map_or(Plain::Null, Plain::Text)
}

#[cfg(test)]
mod tests {
    use arno_domain::model::{CodeSystem, Coded, Entity, Field, Record, Recorded, Value};

    use super::{Exporter as _, Folder, ParquetExport};
    use crate::{
        read::{ReadOptions, read},
        table::Cell,
    };

    fn record(key: usize) -> Record {
        let recorded = |name: &str, value, source: Option<&str>| Recorded {
            field: Field::parse(name).unwrap(),
            value,
            source: source.map(str::to_owned),
        };
        let coded = Coded::new(CodeSystem::Icd10, "C34.1");
        Record {
            values: vec![
                recorded("diagnosis", Some(Value::Code(coded)), Some("lung, ünd")),
                recorded("diagnosis_date", Some(Value::Days(-3)), None),
                recorded(
                    "primary_tumour",
                    Some(Value::Flag(key.is_multiple_of(3))),
                    None,
                ),
                recorded(
                    "age_at_diagnosis",
                    Some(Value::Number(0.1 + key as f64)),
                    None,
                ),
                recorded("laterality", None, Some("links")),
            ],
            ..Record::new(Entity::Diagnosis, "p", &key.to_string())
        }
    }

    #[test]
    fn no_two_columns_have_one_name() {
        for entity in Entity::ALL {
            let columns = super::columns(entity);
            let names: std::collections::BTreeSet<_> =
                columns.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), columns.len(), "{entity:?}");
        }
    }

    /// Enough rows for several groups; a file of others' making is read in `tests/strangers`.
    #[test]
    fn what_is_written_is_read() {
        let room = tempfile::tempdir().unwrap();
        let place = room.path().join("out");
        let folder = Folder::begin(&place).unwrap();
        let mut export = ParquetExport::begin(&folder).unwrap();
        const ROWS: usize = 40_000;
        let records: Vec<_> = (0..ROWS).map(record).collect();
        export.patient("p", &records).unwrap();
        export.finish().unwrap();
        folder.finish().unwrap();

        let table = read(&place.join("diagnosis.parquet"), &ReadOptions::default()).unwrap();
        assert_eq!(table.len(), ROWS);
        let cell = |column: &str, row: usize| {
            let at = table.position(column).unwrap();
            table.columns[at].cell(row).clone()
        };
        for row in [0, 1, 16_384, ROWS - 1] {
            assert_eq!(cell("key", row), Cell::text(&row.to_string()));
            assert_eq!(cell("diagnosis", row), Cell::text("C34.1"));
            assert_eq!(cell("diagnosis_code_system", row), Cell::text("icd10"));
            assert_eq!(cell("diagnosis_as_written", row), Cell::text("lung, ünd"));
            assert_eq!(cell("diagnosis_code_version", row), Cell::Empty);
            assert_eq!(cell("diagnosis_date", row), Cell::number(-3.0));
            assert_eq!(
                cell("primary_tumour", row),
                Cell::Flag(row.is_multiple_of(3))
            );
            assert_eq!(
                cell("age_at_diagnosis", row),
                Cell::number(0.1 + row as f64)
            );
            assert_eq!(cell("laterality", row), Cell::Empty);
            assert_eq!(cell("laterality_as_written", row), Cell::text("links"));
        }
        let nobody = read(&place.join("event.parquet"), &ReadOptions::default()).unwrap();
        assert!(nobody.is_empty() && nobody.position("event_kind").is_some());
    }
}
