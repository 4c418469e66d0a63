//! Counts of everything in an index, for an index of datasets that a permit opens: no caps, and no value left out. Exact; without a
//! permit nothing of it leaves as it is.

use arno_domain::{cohort::Cohort, disclosure::ExactCounts, model::Field};
use arno_engine::{CellValue, Cells};

use super::{ModelIndex, panel::Bars};

/// A facet that is counted exactly.
pub(crate) struct ExactBars {
    /// The field.
    pub(crate) field: Field,
    /// Patients by value, every recorded value in order.
    pub(crate) bars: Bars,
    /// Conditions about the field itself, without which it was counted.
    pub(crate) lifted: Vec<String>,
}

impl ModelIndex {
    /// Whether a field is recorded of anybody.
    pub(crate) fn records_of_anybody(&self, field: Field) -> bool {
        self.index.recorded(self.shape.column(field)) > 0
    }

    /// Counts what is in a cohort that was checked.
    pub(crate) fn count_all(&self, cohort: &Cohort) -> ExactCounts {
        let counts = self.index.counts(self.conditions(cohort).whole());
        ExactCounts {
            patients: counts.patients,
            studies: counts.studies,
            series: counts.series,
        }
    }

    /// The patients of a cohort by the values of each field, without the cohort's conditions about that field alone.
    pub(crate) fn all_bars(&self, cohort: &Cohort, fields: &[Field]) -> Vec<ExactBars> {
        let conditions = self.conditions(cohort);
        let bars = |field: &Field| {
            let lifted = cohort.lifted(*field);
            let selection = conditions.without(&lifted.left_out);
            let column = self.shape.column(*field);
            let cells = self.index.facet(&selection, column, &Cells::Values);
            let word = |value| match value {
                CellValue::Word(word) => Some(str::to_owned(word)),
                CellValue::NotRecorded | CellValue::Number(_) | CellValue::Step { .. } => None,
            };
            let bars = cells
                .iter()
                .filter_map(|cell| Some((word(cell.value)?, cell.counts.patients)));
            let mut bars: Bars = bars.collect();
            bars.sort();
            ExactBars {
                field: *field,
                bars,
                lifted: lifted.left_out.iter().map(ToString::to_string).collect(),
            }
        };
        fields.iter().map(bars).collect()
    }
}
