//! Rows of the hub: members, invitations, questions, searches, datasets, access requests, analyses.
//!
//! One file per area, one function per statement or short transaction. No patient row and no image has a place here.

pub mod analyses;
pub mod datasets;
pub mod invitations;
pub mod members;
pub mod questions;
pub mod requests;
pub mod searches;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sqlx::{Row as _, any::AnyRow};

use crate::{Migration, StoreError};

/// The hub's schema.
pub const MIGRATIONS: &[Migration] = &[
    Migration {
        version: 10,
        sql: SCHEMA,
    },
    Migration {
        version: 11,
        sql: SEARCH_TOTALS,
    },
    Migration {
        version: 12,
        sql: SEARCH_PERMITS,
    },
];

/// The permit of a search that counts exactly.
const SEARCH_PERMITS: &str = "
ALTER TABLE search ADD COLUMN permit TEXT;
";

/// Totals over sites, one a search.
const SEARCH_TOTALS: &str = "
CREATE TABLE search_total (
    search TEXT NOT NULL PRIMARY KEY REFERENCES search (id),
    total TEXT NOT NULL
);
";

/// A node is asked once per kind, subject and round: the constraint `question_once` keeps a restarted hub from asking
/// the same thing with another content.
const SCHEMA: &str = "
CREATE TABLE member (
    node TEXT NOT NULL PRIMARY KEY,
    signing_key TEXT NOT NULL UNIQUE,
    agreement_key TEXT NOT NULL UNIQUE,
    card TEXT NOT NULL,
    software TEXT NOT NULL,
    instances BIGINT NOT NULL,
    joined_at TEXT NOT NULL,
    last_seen TEXT
);
CREATE TABLE invitation (
    code_sha256 TEXT NOT NULL PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    note TEXT NOT NULL,
    issued_by TEXT NOT NULL,
    issued_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    used_by TEXT
);
CREATE TABLE dataset (
    id TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL REFERENCES member (node),
    title TEXT NOT NULL,
    version BIGINT NOT NULL,
    signed TEXT NOT NULL,
    received_at TEXT NOT NULL,
    CONSTRAINT dataset_version UNIQUE (node, title, version)
);
CREATE TABLE question (
    id TEXT NOT NULL PRIMARY KEY,
    node TEXT NOT NULL REFERENCES member (node),
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    round BIGINT NOT NULL,
    body TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    closed SMALLINT NOT NULL DEFAULT 0,
    answered_at TEXT,
    outcome TEXT,
    answer TEXT,
    CONSTRAINT question_once UNIQUE (kind, subject, round, node)
);
CREATE INDEX question_open ON question (node, closed, answered_at);
CREATE TABLE search (
    id TEXT NOT NULL PRIMARY KEY,
    asked_by TEXT NOT NULL,
    asked_at TEXT NOT NULL,
    expires_at TEXT NOT NULL,
    text TEXT NOT NULL,
    cohort TEXT NOT NULL,
    digest TEXT NOT NULL
);
CREATE INDEX search_asked ON search (asked_by, asked_at);
CREATE TABLE access_request (
    id TEXT NOT NULL PRIMARY KEY,
    submitted_by TEXT NOT NULL,
    submitted_at TEXT NOT NULL,
    asked TEXT NOT NULL,
    proposed_permit TEXT NOT NULL,
    permit TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    signed_permit TEXT
);
CREATE TABLE analysis (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    started_by TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    permit TEXT,
    pace_ms BIGINT NOT NULL,
    running SMALLINT NOT NULL,
    status TEXT NOT NULL,
    models TEXT NOT NULL,
    yardstick TEXT
);
CREATE TABLE analysis_site (
    analysis TEXT NOT NULL REFERENCES analysis (id),
    node TEXT NOT NULL REFERENCES member (node),
    refusal TEXT,
    PRIMARY KEY (analysis, node)
);
CREATE TABLE analysis_round (
    analysis TEXT NOT NULL REFERENCES analysis (id),
    round BIGINT NOT NULL,
    task TEXT NOT NULL,
    participants TEXT NOT NULL,
    started_at TEXT NOT NULL,
    phase TEXT NOT NULL,
    PRIMARY KEY (analysis, round)
);
";

/// Times are compared as text, so all have the same width.
fn time_text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Micros, true)
}

fn json_text<T: Serialize>(what: &'static str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt { what })
}

fn json_column<T: DeserializeOwned>(row: &AnyRow, column: &'static str) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    serde_json::from_str(&text).map_err(|_| StoreError::Corrupt { what: column })
}

fn optional_json_column<T: DeserializeOwned>(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.try_get(column)?;
    let value = text.map(|text| serde_json::from_str(&text)).transpose();
    value.map_err(|_| StoreError::Corrupt { what: column })
}

/// A column whose text parses as an id or a time.
fn parsed_column<T: std::str::FromStr>(
    row: &AnyRow,
    column: &'static str,
) -> Result<T, StoreError> {
    let text: String = row.try_get(column)?;
    text.parse()
        .map_err(|_| StoreError::Corrupt { what: column })
}

fn optional_parsed_column<T: std::str::FromStr>(
    row: &AnyRow,
    column: &'static str,
) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.try_get(column)?;
    let value = text.map(|text| text.parse()).transpose();
    value.map_err(|_| StoreError::Corrupt { what: column })
}
