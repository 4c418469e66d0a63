//! What headers say of how series were acquired and of what annotates them, as values of the common data model. Found out when
//! instances come in and kept beside their series, so that no search opens an image; series from before are described from the metadata
//! that lie beside each instance, not from images.

use std::collections::{BTreeMap, btree_map::Entry};

use arno_dicom::{Acquisition, Annotation, Header, json};
use arno_domain::model::{CodeSystem, Coded, Field, FieldKind, Value};
use arno_store::{
    StoreError,
    node::{
        DescribedInstance, NewAcquisition, NewAnnotation, NewContent, NewValue, Redescribed,
        SeriesBefore,
    },
};

use crate::{Node, NodeError};

/// Raised when more is looked for in headers: then all series are described again.
const VERSION: i64 = 1;
/// Series that are described in one turn.
const PAGE: u32 = 16;
/// Longest metadata that are read: those of 20,000 frames.
const MAX_METADATA_BYTES: u64 = 32 << 20;

/// How the series of a batch were acquired.
#[derive(Debug, Default)]
pub(super) struct Acquisitions(BTreeMap<String, Known>);

/// What is known of one series.
#[derive(Debug)]
enum Known {
    /// All of it, and whether that is more than is kept.
    Whole {
        acquisition: Box<Acquisition>,
        is_new: bool,
    },
    /// It came before this program looked, and waits to be described.
    Waits,
}

impl Acquisitions {
    /// Adds what a header says. `before` is the series as it was before the batch.
    pub(super) fn add(
        &mut self,
        series_uid: &str,
        said: &Acquisition,
        before: Option<&SeriesBefore>,
    ) {
        let known = match self.0.entry(series_uid.to_owned()) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Known::of(before)),
        };
        if let Known::Whole {
            acquisition,
            is_new,
        } = known
        {
            *is_new |= acquisition.add(said);
        }
    }

    /// Rows of those of which there is something new.
    pub(super) fn new_rows(self) -> Vec<NewAcquisition> {
        let rows = self.0.into_iter().filter_map(|(uid, known)| match known {
            Known::Whole {
                acquisition,
                is_new: true,
            } => new_acquisition(uid, &acquisition).ok(),
            Known::Whole { .. } | Known::Waits => None,
        });
        rows.collect()
    }
}

impl Known {
    fn of(before: Option<&SeriesBefore>) -> Self {
        let whole = |acquisition, is_new| Self::Whole {
            acquisition: Box::new(acquisition),
            is_new,
        };
        match before.map(|before| &before.acquisition) {
            None => whole(Acquisition::default(), true),
            Some((VERSION, Some(json))) => {
                serde_json::from_str(json).map_or(Self::Waits, |known| whole(known, false))
            }
            Some(_) => Self::Waits,
        }
    }
}

fn new_acquisition(
    series_uid: String,
    acquisition: &Acquisition,
) -> Result<NewAcquisition, StoreError> {
    let json = serde_json::to_string(acquisition);
    Ok(NewAcquisition {
        series_uid,
        version: VERSION,
        acquisition_json: json.map_err(|_| StoreError::Corrupt {
            what: "acquisition",
        })?,
        values: acquired(acquisition),
    })
}

/// Fields that the series' own columns do not have already.
fn acquired(said: &Acquisition) -> Vec<NewValue> {
    let words = |name, words: &Option<String>| known(name, Value::Words(words.clone()?));
    let term = |name, term: &Option<String>| {
        let term = term.as_ref().filter(|term| is_code(term))?;
        known(name, Value::Code(Coded::new(CodeSystem::Dicom, term)))
    };
    let number = |name, number: Option<f64>| known(name, Value::Number(number?));
    let values = [
        words("model", &said.model),
        words("sop_class", &said.sop_class),
        term("image_laterality", &said.laterality),
        term("view_position", &said.view_position),
        number("slice_spacing", said.slice_spacing_mm),
        number("pixel_spacing", said.pixel_spacing_mm),
        number("rows", said.rows.map(f64::from)),
        number("columns", said.columns.map(f64::from)),
        number("kvp", said.kvp),
        number("tube_current", said.tube_current_ma),
        words("kernel", &said.kernel),
        said.contrast
            .and_then(|flag| known("contrast", Value::Flag(flag))),
        words("contrast_agent", &said.contrast_agent),
        number("field_strength", said.field_strength_t),
        number("echo_time", said.echo_time_ms),
        number("repetition_time", said.repetition_time_ms),
        number("inversion_time", said.inversion_time_ms),
        number("flip_angle", said.flip_angle_deg),
        number("b_value", said.b_value),
        number("dce_phase", said.phase().map(f64::from)),
        words("tracer", &said.tracer),
        number("injected_activity", said.injected_activity_mbq),
    ];
    values.into_iter().flatten().collect()
}

/// What an instance annotates, as values.
pub(super) fn new_annotation(annotation: &Annotation) -> NewAnnotation {
    let term = |name, term: &str| known(name, Value::Code(Coded::new(CodeSystem::Dicom, term)));
    let values = [
        term("annotation_kind", annotation.kind.as_str()),
        annotation
            .segments
            .and_then(|count| known("segments", Value::Number(f64::from(count)))),
        structure(annotation),
        annotation
            .maker
            .as_ref()
            .and_then(|maker| term("annotation_maker", maker)),
        annotation
            .algorithm
            .as_ref()
            .and_then(|name| known("annotation_algorithm", Value::Words(name.clone()))),
    ];
    NewAnnotation {
        series_uid: annotation.series_uid.clone(),
        values: values.into_iter().flatten().collect(),
    }
}

/// A code of a scheme that the field knows, else the words alone: SNOMED RT's codes, for one, stay words.
fn structure(annotation: &Annotation) -> Option<NewValue> {
    let field = Field::parse("annotated_structure").ok()?;
    let code = annotation.structure.as_ref()?;
    let system = match code.scheme.as_str() {
        "SCT" => Some(CodeSystem::Snomed),
        "RADLEX" => Some(CodeSystem::RadLex),
        "NCIt" => Some(CodeSystem::Ncit),
        _ => None,
    };
    let has = |system: &CodeSystem| matches!(field.kind(), FieldKind::Code { systems } if systems.contains(system));
    let system = system.filter(has).filter(|_| is_code(&code.code));
    let content = match system {
        Some(system) => NewContent::Known(Value::Code(Coded::new(system, &code.code))),
        None => NewContent::Uncoded,
    };
    let source = code.meaning.clone();
    let says_nothing = source.is_none() && content == NewContent::Uncoded;
    (!says_nothing).then_some(NewValue {
        field,
        content,
        source,
    })
}

/// Rows write codes with `|` between their parts.
fn is_code(term: &str) -> bool {
    !term.contains('|') && !term.chars().any(char::is_control)
}

fn known(name: &str, value: Value) -> Option<NewValue> {
    Some(NewValue {
        field: Field::parse(name).ok()?,
        content: NewContent::Known(value),
        source: None,
    })
}

impl Node {
    /// Describes all series that came before this program looked for as much; how many there were. A series that cannot be read
    /// stays as it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn describe_due(&self) -> Result<u64, NodeError> {
        let (mut described, mut after) = (0, String::new());
        loop {
            let due = self
                .store()
                .series_to_describe(VERSION, &after, PAGE)
                .await?;
            let Some(last) = due.last() else {
                return Ok(described);
            };
            after.clone_from(last);
            // Nothing comes in between the reading of a series and what is kept of it.
            let _turn = self.turn().await?;
            let mut page = Vec::with_capacity(due.len());
            for series_uid in due {
                page.extend(self.redescribe(series_uid).await?);
            }
            described += page.len() as u64;
            self.store().put_redescribed(&page).await?;
        }
    }

    async fn redescribe(&self, series_uid: String) -> Result<Option<Redescribed>, NodeError> {
        let instances = self.store().described_instances(&series_uid).await?;
        let node = self.clone();
        let read = move || match node.describe(series_uid, &instances) {
            Ok(described) => Some(described),
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, "a series cannot be described");
                None
            }
        };
        Ok(tokio::task::spawn_blocking(read).await?)
    }

    fn describe(
        &self,
        series_uid: String,
        instances: &[DescribedInstance],
    ) -> Result<Redescribed, StoreError> {
        let (mut acquisition, mut annotations) = (Acquisition::default(), Vec::new());
        for instance in instances {
            let Some(header) = self.kept_header(instance)? else {
                continue;
            };
            acquisition.add(&Acquisition::of(&header));
            let annotation = Annotation::of(&header);
            let annotation = annotation.as_ref().map(new_annotation);
            annotations.extend(annotation.map(|found| (instance.instance_uid.clone(), found)));
        }
        Ok(Redescribed {
            acquisition: new_acquisition(series_uid, &acquisition)?,
            annotations,
        })
    }

    /// The header that the metadata beside an instance describe; `None` where there are none.
    fn kept_header(&self, instance: &DescribedInstance) -> Result<Option<Header>, StoreError> {
        const CORRUPT: StoreError = StoreError::Corrupt { what: "metadata" };
        let range = instance.location.metadata_range();
        if range.length == 0 || range.length > MAX_METADATA_BYTES {
            return Ok(None);
        }
        let metadata = self.packs().read(&range)?;
        let attributes = serde_json::from_slice(&metadata).map_err(|_| CORRUPT)?;
        json::to_header(&attributes).map(Some).map_err(|_| CORRUPT)
    }
}
