//! The public API of a node: what came in, what became of it, and the viewer. Nothing here leaves the hospital.

pub mod disclosure;
pub mod quality;
pub mod review;
pub mod segmentations;

use arno_domain::{
    DatasetId, NodeId, PermitId, PublicKey, dataset::DatasetRecord, disclosure::DisclosurePolicy,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use self::{disclosure::DisclosureAlarm, quality::RiskFigure};

/// `GET /v1/overview`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Overview {
    /// The node's id.
    pub node: NodeId,
    /// The site's name.
    pub name: String,
    /// Its key.
    pub signing_key: PublicKey,
    /// The federation, once joined.
    pub membership: Option<MembershipState>,
    /// What it keeps.
    pub holdings: Holdings,
    /// The ingest that is under way.
    pub ingesting: Option<IngestProgress>,
    /// What keeps received instances from being taken in.
    #[serde(default)]
    pub receiving_trouble: Option<ReceivingTrouble>,
    /// How counts are protected.
    pub disclosure: DisclosurePolicy,
    /// A count of patients that a search is told is within this of the truth 95 times in a hundred.
    pub patients_margin: u64,
    /// Whose questions single out few patients, in the last period.
    pub disclosure_alarms: Vec<DisclosureAlarm>,
}

/// What was received and acknowledged is safe, and cannot be taken in now. The node tries again by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReceivingTrouble {
    /// Since when.
    pub since: DateTime<Utc>,
    /// The last failure.
    pub reason: String,
    /// Instances that are being tried.
    pub instances: u64,
}

/// The node's place in the federation.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MembershipState {
    /// The federation's name.
    pub federation: String,
    /// Where the hub is.
    pub hub_url: String,
    /// Whether the last call to the hub succeeded.
    pub connected: bool,
    /// When a call last succeeded.
    pub last_contact: Option<DateTime<Utc>>,
    /// What the last failure was.
    pub last_error: Option<String>,
}

/// What a node keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holdings {
    /// Files that were ever read.
    pub received: u64,
    /// Instances kept, de-identified.
    pub instances: u64,
    /// Files in quarantine.
    pub quarantined: u64,
    /// Those of them that wait for a person to look at their pixels.
    pub to_review: u64,
    /// Those of them that the text finder looks at first; none where none is set up.
    pub text_due: u64,
    /// Patients.
    pub patients: u64,
    /// Studies with images.
    pub studies: u64,
    /// Series with images.
    pub series: u64,
    /// Readings: outlines and ratings of one nodule by one reader.
    pub readings: u64,
    /// Size of the instances.
    pub size_bytes: u64,
}

/// `POST /v1/ingests`: a folder on the node's own machine, below the landing folder that its configuration names.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewIngest {
    /// The folder.
    pub folder: String,
}

/// How far an ingest is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct IngestProgress {
    /// Files found.
    pub files: u64,
    /// Files dealt with.
    pub done: u64,
}

/// One run over a folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct IngestRun {
    /// Rises by one.
    pub id: i64,
    /// The folder's own name (without its path).
    pub source: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it runs or when it was cut off.
    pub finished_at: Option<DateTime<Utc>>,
    /// Files found.
    pub files: u64,
    /// Instances newly kept.
    pub stored: u64,
    /// Files that were here already.
    pub unchanged: u64,
    /// Files put into quarantine.
    pub quarantined: u64,
    /// Readings newly kept.
    pub readings: u64,
}

/// One series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SeriesRow {
    /// Series Instance UID, mapped.
    pub series_uid: String,
    /// Study Instance UID, mapped.
    pub study_uid: String,
    /// Pseudonym.
    pub patient: String,
    /// Modality.
    pub modality: String,
    /// Series Description, cleaned.
    pub description: String,
    /// Manufacturer.
    pub manufacturer: String,
    /// Body Part Examined.
    pub body_part: String,
    /// Sex.
    pub sex: String,
    /// Age in years.
    pub age_years: Option<f64>,
    /// Slice Thickness in millimetres.
    pub slice_thickness_mm: Option<f64>,
    /// Instances.
    pub instances: u64,
    /// Size of the instances.
    pub size_bytes: u64,
    /// Whether outlines of this series are here.
    pub outlined: bool,
    /// When its newest instance came in.
    pub received_at: DateTime<Utc>,
}

/// `GET /v1/series`: a page of series.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SeriesPage {
    /// The rows, newest first.
    pub rows: Vec<SeriesRow>,
    /// Series in all.
    pub total: u64,
}

/// `GET /v1/series/{uid}`: what the viewer needs.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SeriesDetail {
    /// The series.
    pub row: SeriesRow,
    /// Its instances in viewing order (by position along the slice normal, else by number).
    pub instances: Vec<ViewInstance>,
}

/// One instance for the viewer; frames come from
/// `GET /v1/series/{series_uid}/instances/{instance_uid}/frames/{frame}` (from 1) as 8- or 16-bit little-endian samples.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ViewInstance {
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// Instance Number.
    pub number: Option<i64>,
    /// Position along the slice normal in millimetres.
    pub position_mm: Option<f64>,
    /// Pixel rows.
    pub rows: u32,
    /// Pixel columns.
    pub columns: u32,
    /// Frames.
    pub frames: u32,
    /// 8 or 16.
    pub bits_allocated: u16,
    /// Whether samples are signed.
    pub pixel_signed: bool,
    /// 1 or 3.
    pub samples_per_pixel: u16,
    /// Photometric Interpretation.
    pub photometric: String,
    /// Rescale Slope.
    pub rescale_slope: f64,
    /// Rescale Intercept.
    pub rescale_intercept: f64,
    /// Window Center.
    pub window_center: Option<f64>,
    /// Window Width.
    pub window_width: Option<f64>,
    /// Millimetres between rows and between columns.
    pub pixel_spacing_mm: Option<[f64; 2]>,
}

/// `GET /v1/series/{uid}/outlines`: regions of interest in pixel coordinates of their instances.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutlineRegion {
    /// Name of the region.
    pub name: String,
    /// Display colour.
    pub color: [u8; 3],
    /// Closed polygons.
    pub polygons: Vec<OutlinePolygon>,
}

/// One closed polygon on one instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct OutlinePolygon {
    /// SOP Instance UID, mapped.
    pub instance_uid: String,
    /// Column and row, in pixels; the centre of the first pixel is (0, 0).
    pub points: Vec<[f64; 2]>,
}

/// `GET /v1/series/{uid}/deidentification`: one instance of the series before and after, element by element.
/// The left side holds identifying values: it is shown to the data manager only, and kept as long as policy says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct DeidentificationPreview {
    /// Name of the recipe; empty in previews of earlier versions.
    #[serde(default)]
    pub recipe: String,
    /// Edition of the table.
    pub edition: String,
    /// Options of the profile.
    pub options: Vec<String>,
    /// Until when the left side is kept.
    pub kept_until: DateTime<Utc>,
    /// The elements.
    pub elements: Vec<PreviewElement>,
}

/// One element before and after.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewElement {
    /// Such as `(0008,1140)[1].(0008,1155)`.
    pub path: String,
    /// Its keyword.
    pub name: String,
    /// Value representation.
    pub vr: String,
    /// As it came; `None` when it was not there.
    pub before: Option<String>,
    /// As it is kept; `None` when it was removed.
    pub after: Option<String>,
    /// What was done: `kept`, `removed`, `emptied`, `replaced`, `uid mapped`, `date shifted`, `cleaned`, `added`.
    pub action: String,
    /// Why: the row of the table or the rule; empty where nothing was decided.
    pub rule: String,
    /// Where the rule comes from: `table`, `recipe`, `safe_private`, `stricter`; empty in previews of earlier versions.
    #[serde(default)]
    pub source: String,
    /// The option of the profile that changes the row, by code and name, and what it asks.
    #[serde(default)]
    pub option: Option<String>,
    /// What the recipe gives as its reason.
    #[serde(default)]
    pub reason: Option<String>,
}

/// A file in quarantine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quarantined {
    /// Rises by one.
    pub id: i64,
    /// The file's own name below the ingested folder; shown to the data manager only.
    pub name: String,
    /// Its size.
    pub size_bytes: u64,
    /// A stable word: `not_dicom`, `truncated`, `too_deep`, `needs_review` …
    pub code: String,
    /// What is wrong and what to do next. No value of the data set.
    pub reason: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Whether it waits for a person to look at it: it is in the review queue under the same number.
    pub waits: bool,
}

/// `POST /v1/datasets`: freeze a cohort and publish it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDataset {
    /// A title; the same title again makes the next version.
    pub title: String,
    /// What it is, in sentences.
    pub description: String,
    /// The cohort as text; empty for everything.
    pub cohort: String,
    /// Licence or terms of use.
    pub licence: String,
}

/// A dataset version at its node.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct LocalDataset {
    /// The record.
    pub record: DatasetRecord,
    /// Whether the hub has it.
    pub delivered: bool,
    /// How far its patients hide among each other; `None` for versions from before that was asked.
    pub risk: Option<RiskFigure>,
}

/// `GET /v1/permits`: a permit that the hub sent along, as this node verified it.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct SeenPermit {
    /// Its id.
    pub permit: PermitId,
    /// The data user.
    pub data_user: String,
    /// What for.
    pub purpose: String,
    /// Datasets of this node that it opens.
    pub datasets: Vec<DatasetId>,
    /// Until when.
    pub valid_until: DateTime<Utc>,
    /// Whether it was taken back.
    pub revoked: bool,
    /// Rounds and models answered under it.
    pub answers: u64,
}
