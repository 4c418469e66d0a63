//! The index's levels and columns: those of the common data model.

use std::collections::{HashMap, hash_map::Entry};

use arno_domain::model::{Entity, Field, FieldKind};
use arno_engine::{ColumnId, Kind, Level, Schema, SchemaError};

/// Which level an entity is, and which column a field.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) schema: Schema,
    levels: HashMap<Entity, Level>,
    /// In the order of the model's table.
    columns: Vec<ColumnId>,
}

impl Shape {
    /// # Errors
    /// Never while the model has fewer entities than a byte and fewer fields than two bytes count.
    pub(super) fn of_model() -> Result<Self, SchemaError> {
        let mut schema = Schema::new();
        let mut levels = HashMap::from([
            (Entity::Patient, Level::PATIENT),
            (Entity::Study, Level::STUDY),
            (Entity::Series, Level::SERIES),
        ]);
        for entity in Entity::ALL {
            let parent = entity.parent().and_then(|parent| levels.get(&parent));
            let parent = parent.copied().unwrap_or(Level::PATIENT);
            if let Entry::Vacant(unknown) = levels.entry(entity) {
                unknown.insert(schema.level(parent)?);
            }
        }
        let mut columns = Vec::new();
        for field in Field::all() {
            let level = levels.get(&field.entity()).copied();
            let level = level.unwrap_or(Level::PATIENT);
            columns.push(schema.column(level, kind_of(field))?);
        }
        Ok(Self {
            schema,
            levels,
            columns,
        })
    }

    /// Every entity has a level.
    pub(super) fn level(&self, entity: Entity) -> Level {
        self.levels.get(&entity).copied().unwrap_or(Level::PATIENT)
    }

    pub(super) fn column(&self, field: Field) -> ColumnId {
        self.columns[field.index()]
    }
}

/// What values of a field are to the index.
pub(super) fn kind_of(field: Field) -> Kind {
    match field.kind() {
        FieldKind::Code { .. } | FieldKind::Words | FieldKind::Flag => Kind::Words,
        FieldKind::Number { .. } | FieldKind::Days => Kind::Numbers,
    }
}
