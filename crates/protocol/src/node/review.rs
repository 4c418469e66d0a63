//! Instances that wait for a person to look at their pixels, and what the person decides. For the data manager alone: what is
//! shown is as it came.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `GET /v1/review`: all that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewQueue {
    /// How many instances wait.
    pub waiting: u64,
    /// Whether a text finder looks at them first.
    pub finder: FinderState,
    /// Those that can be decided together, the longest waiting first; at most a thousand.
    pub groups: Vec<ReviewGroup>,
}

/// Waiting instances of one series, of one size, held for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewGroup {
    /// The one that waits longest.
    pub first: i64,
    /// Why they wait: a stable word.
    pub why: String,
    /// Why in words; no value of a data set.
    pub reason: String,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// Pixel rows of each.
    pub rows: u32,
    /// Pixel columns of each.
    pub columns: u32,
    /// How many.
    pub instances: u64,
    /// Frames of all.
    pub frames: u64,
    /// Since when.
    pub since: DateTime<Utc>,
    /// What a text finder said of them.
    pub text: TextState,
}

/// Whether a text finder looks at what waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum FinderState {
    /// None is set up.
    Absent,
    /// One is.
    Working {
        /// How many instances it has not looked at yet.
        due: u64,
    },
    /// One is, and does not work: what waits for it goes on waiting.
    Failing {
        /// How many instances it has not looked at yet.
        due: u64,
        /// What is wrong and what to do.
        reason: String,
    },
}

/// What a text finder said of an instance that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TextState {
    /// Nothing yet: one would look at it.
    Due,
    /// It found text, or where this kind of device writes.
    Found,
    /// It found none, could not look, or there is nothing that it could see.
    Nothing,
}

/// `GET /v1/review/{id}`: one that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewItem {
    /// Its number, which is that of its entry in quarantine.
    pub id: i64,
    /// Why it waits: a stable word.
    pub why: String,
    /// Why in words; no value of a data set.
    pub reason: String,
    /// What can be decided.
    pub choices: ReviewChoices,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// SOP Class UID.
    pub sop_class: String,
    /// Pixel rows; 0 without pixels.
    pub rows: u32,
    /// Pixel columns.
    pub columns: u32,
    /// How many frames can be looked at.
    pub frames: u32,
    /// Size of the file.
    pub size_bytes: u64,
    /// Since when it waits.
    pub since: DateTime<Utc>,
    /// How many of its series, size and reason wait, this one included.
    pub alike: u64,
    /// The next one that waits, of the same series first.
    pub next: Option<i64>,
    /// Where text was found, and where this kind of device writes who the patient is; a person looks whether that is all.
    pub proposed: Vec<ReviewBox>,
    /// What a text finder said of it.
    pub text: TextState,
}

/// What can be decided of an instance that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewChoices {
    /// To let it in, to let it in with boxes over parts of it, or to refuse it.
    All,
    /// To refuse it: no picture shows all that it holds.
    RefuseOnly,
}

/// `POST /v1/review/{id}/decision`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewDecision {
    /// What it is about.
    pub scope: ReviewScope,
    /// What is decided.
    pub verdict: Verdict,
}

/// How far a decision reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReviewScope {
    /// This instance.
    One,
    /// All that wait of its series, size and reason.
    Alike,
}

/// What a person decides who looked at the pixels.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Verdict {
    /// It may come in as it is.
    Accept,
    /// It may come in with what the boxes cover made black.
    Blacken {
        /// At least one.
        boxes: Vec<ReviewBox>,
    },
    /// All of its series may come in without the face, which is cut off every slice alike.
    Deface,
    /// It stays out for good.
    Refuse,
}

/// A rectangle of pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReviewBox {
    /// Leftmost column, from 0.
    pub x: u32,
    /// Uppermost row, from 0.
    pub y: u32,
    /// Columns, at least 1.
    pub width: u32,
    /// Rows, at least 1.
    pub height: u32,
    /// The only frame that it is on, from 1; on all of them when absent.
    #[serde(default)]
    pub frame: Option<u32>,
}

/// What came of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ReviewOutcome {
    /// Instances that came in.
    pub kept: u64,
    /// Instances that were refused.
    pub refused: u64,
    /// Instances that were to come in and could not, with the reason.
    pub not_kept: Vec<NotKept>,
    /// How many that the decision was to reach still wait: send it again.
    pub left: u64,
    /// The next one that waits.
    pub next: Option<i64>,
}

/// An instance that was to come in and could not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct NotKept {
    /// Its number.
    pub id: i64,
    /// A stable word.
    pub code: String,
    /// Why, and what to do next; no value of a data set.
    pub reason: String,
}
