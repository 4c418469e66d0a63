//! From the bytes of a kept instance back to all rows that say something of it, as on its way in. Nothing is de-identified
//! or written here: the bytes are read from a pack.

use std::panic::{AssertUnwindSafe, catch_unwind};

use arno_dicom::Instance;
use arno_store::node::{IngestBatch, NewPatient, NewSource, PackLocation, SourceFate};
use bytes::Bytes;

use super::{
    kept::pixel_offset,
    prepare::Facts,
    rows::{new_instance, new_outlines, new_series, new_study},
};

/// Adds the rows of an instance; `None`, and nothing added, when the bytes are none that this program would keep.
pub(crate) fn add_rows(
    batch: &mut IngestBatch,
    bytes: &Bytes,
    location: PackLocation,
    source_sha256: String,
) -> Option<()> {
    let read = AssertUnwindSafe(|| {
        let instance = Instance::read(bytes.clone()).ok()?;
        let facts = Facts::of(&instance).ok()?;
        Some((pixel_offset(&instance, bytes), instance, facts))
    });
    let (pixel_offset, instance, facts) = catch_unwind(read).ok()??;
    let summary = &facts.summary;
    let patient = NewPatient {
        pseudonym: summary.patient_id.clone().unwrap_or_default(),
        sex: summary.sex.clone(),
    };
    let (study, series) = (
        new_study(&instance, summary),
        new_series(&instance, summary),
    );
    let source = NewSource {
        sha256: source_sha256.clone(),
        fate: SourceFate::Stored,
    };
    let outlines = new_outlines(&facts);
    let row = new_instance(facts, pixel_offset, source_sha256, location).ok()?;
    push_once(&mut batch.patients, patient, |row| row.pseudonym.clone());
    push_once(&mut batch.studies, study, |row| row.study_uid.clone());
    push_once(&mut batch.series, series, |row| row.series_uid.clone());
    batch.outlines.extend(outlines);
    batch.sources.push(source);
    batch.instances.push(row);
    Some(())
}

/// A batch is of one series, so that there are few to compare with.
fn push_once<T>(rows: &mut Vec<T>, row: T, key: impl Fn(&T) -> String) {
    if !rows.iter().any(|known| key(known) == key(&row)) {
        rows.push(row);
    }
}
