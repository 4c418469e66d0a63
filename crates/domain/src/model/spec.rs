//! One row of the table: a field with its kind, its meaning and its counterparts elsewhere.

use super::{CodeSystem, Entity};

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A code of one of these systems; the first is the one that mapping files mean unless they say otherwise.
    Code {
        /// The systems.
        systems: &'static [CodeSystem],
    },
    /// Words.
    Words,
    /// A number in a unit (UCUM), empty for a plain number.
    Number {
        /// The unit.
        unit: &'static str,
    },
    /// Days from the patient's baseline.
    Days,
    /// Yes or no.
    Flag,
}

/// A field of the common data model. Counterparts that are empty are not known to exist.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldSpec {
    /// What it belongs to.
    pub entity: Entity,
    /// Its name in cohorts, mapping files and rows.
    pub name: &'static str,
    /// What it holds.
    pub kind: FieldKind,
    /// What it means.
    pub meaning: &'static str,
    /// DICOM attribute.
    pub dicom: &'static str,
    /// FHIR R4 path; mCODE profiles where there are any.
    pub fhir: &'static str,
    /// OMOP CDM 5.4 table and column, with the imaging extension.
    pub omop: &'static str,
    /// Term by which EUCAIM's hyper-ontology and explorer know it.
    pub eucaim: &'static str,
}

impl FieldSpec {
    pub(super) const fn new(
        entity: Entity,
        name: &'static str,
        kind: FieldKind,
        meaning: &'static str,
    ) -> Self {
        Self {
            entity,
            name,
            kind,
            meaning,
            dicom: "",
            fhir: "",
            omop: "",
            eucaim: "",
        }
    }

    pub(super) const fn dicom(mut self, attribute: &'static str) -> Self {
        self.dicom = attribute;
        self
    }

    pub(super) const fn fhir(mut self, path: &'static str) -> Self {
        self.fhir = path;
        self
    }

    pub(super) const fn omop(mut self, column: &'static str) -> Self {
        self.omop = column;
        self
    }

    pub(super) const fn eucaim(mut self, term: &'static str) -> Self {
        self.eucaim = term;
        self
    }
}

/// A field of codes.
pub(super) const fn code(systems: &'static [CodeSystem]) -> FieldKind {
    FieldKind::Code { systems }
}

/// A field of numbers.
pub(super) const fn number(unit: &'static str) -> FieldKind {
    FieldKind::Number { unit }
}
