//! The tables of a node. Portable SQL: ids and times are TEXT, truth is SMALLINT, structures are JSON text.
//!
//! An instance row exists only after the bytes that it points to are durable (see `packs`).

use crate::Migration;

/// The node's own schema, after the shared one.
pub const MIGRATIONS: [Migration; 14] = [
    Migration {
        version: 10,
        sql: FIRST,
    },
    Migration {
        version: 11,
        sql: QUERIES_AND_PACKS,
    },
    Migration {
        version: 19,
        sql: QUALITY,
    },
    Migration {
        version: 20,
        sql: LINKS,
    },
    Migration {
        version: 21,
        sql: CLINICAL,
    },
    Migration {
        version: 22,
        sql: REVIEW,
    },
    Migration {
        version: 24,
        sql: DISCLOSURE,
    },
    Migration {
        version: 25,
        sql: TOTALS,
    },
    Migration {
        version: 26,
        sql: TEXT_LOOKS,
    },
    Migration {
        version: 27,
        sql: FACES,
    },
    Migration {
        version: 29,
        sql: ACQUISITION,
    },
    Migration {
        version: 31,
        sql: IMAGES_ELSEWHERE,
    },
    Migration {
        version: 32,
        sql: DATASET_PATIENTS,
    },
    Migration {
        version: 33,
        sql: EXACT_COUNTS,
    },
];

/// Patients of a dataset version of whom it has no series. Of versions from before, those of whom it has readings.
const DATASET_PATIENTS: &str = "
CREATE TABLE dataset_patient (
    dataset TEXT NOT NULL REFERENCES dataset (id),
    patient TEXT NOT NULL,
    PRIMARY KEY (dataset, patient)
);
INSERT INTO dataset_patient (dataset, patient)
    SELECT DISTINCT d.dataset, r.patient FROM dataset_reading d JOIN reading r ON r.id = d.reading
    WHERE NOT EXISTS (
        SELECT 1 FROM dataset_series m JOIN series s ON s.series_uid = m.series_uid
        JOIN study t ON t.study_uid = s.study_uid WHERE m.dataset = d.dataset AND t.patient = r.patient
    );
";

/// What was counted exactly under permits: beside the ledger of what costs something, since it costs nothing.
const EXACT_COUNTS: &str = "
CREATE TABLE exact_count (
    question TEXT NOT NULL PRIMARY KEY,
    permit TEXT NOT NULL,
    data_user TEXT NOT NULL,
    cohort TEXT NOT NULL,
    facets TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX exact_count_at ON exact_count (at);
";

/// Sources of studies and series whose images are not kept here and are searched all the same.
const IMAGES_ELSEWHERE: &str = "
ALTER TABLE clinical_source ADD COLUMN images TEXT NOT NULL DEFAULT 'held';
";

/// Where the face of a series is, or why it is not removed by a program. `waiting` instances need not be worked on again.
const FACES: &str = "
CREATE TABLE face (
    series TEXT NOT NULL PRIMARY KEY,
    cut_json TEXT,
    why_not TEXT,
    waiting BIGINT NOT NULL,
    found_at TEXT NOT NULL
);
";

/// Whom pseudonyms stand for, sealed; empty unless the data holder wants it kept.
const LINKS: &str = "
CREATE TABLE patient_link (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    sealed TEXT NOT NULL
);
";

/// What of quarantine waits for a person, and what the person decided. `series` is the UID under which it would be kept.
const REVIEW: &str = "
CREATE TABLE review (
    quarantine BIGINT NOT NULL PRIMARY KEY REFERENCES quarantine (id),
    series TEXT NOT NULL,
    why TEXT NOT NULL,
    choices TEXT NOT NULL,
    modality TEXT,
    sop_class TEXT NOT NULL,
    rows BIGINT NOT NULL,
    columns BIGINT NOT NULL,
    frames BIGINT NOT NULL,
    decision_json TEXT,
    decided_by TEXT,
    decided_at TEXT
);
CREATE INDEX review_by_series ON review (series, quarantine);
";

/// What was seen in pixels of what waits, by whom and what is still to be looked at. What waited before is looked at too.
const TEXT_LOOKS: &str = "
ALTER TABLE review ADD COLUMN text_due SMALLINT NOT NULL DEFAULT 1;
ALTER TABLE review ADD COLUMN text_found SMALLINT NOT NULL DEFAULT 0;
UPDATE review SET text_due = 0 WHERE quarantine IN (SELECT id FROM quarantine WHERE settled_at IS NOT NULL);
CREATE INDEX review_by_text ON review (text_due, series);
CREATE TABLE text_look (
    source_sha256 TEXT NOT NULL PRIMARY KEY,
    series TEXT NOT NULL,
    look_json TEXT NOT NULL,
    verdict_json TEXT,
    looked_at TEXT NOT NULL
);
CREATE INDEX text_look_by_series ON text_look (series);
CREATE INDEX text_look_by_time ON text_look (looked_at);
";

/// What rules found in each series, and which series wait to be asked. Instances from before have no print: they are not found
/// as exact duplicates until they come in again.
const QUALITY: &str = "
ALTER TABLE instance ADD COLUMN pixel_print TEXT;
CREATE INDEX instance_by_pixel_print ON instance (pixel_print);
CREATE TABLE quality_due (
    series_uid TEXT NOT NULL PRIMARY KEY
);
INSERT INTO quality_due (series_uid) SELECT series_uid FROM series;
CREATE TABLE series_quality (
    series_uid TEXT NOT NULL PRIMARY KEY,
    checked_at TEXT NOT NULL,
    kind TEXT NOT NULL,
    look TEXT,
    report_json TEXT NOT NULL
);
CREATE INDEX series_quality_by_kind ON series_quality (kind);
CREATE TABLE finding (
    series_uid TEXT NOT NULL,
    rule TEXT NOT NULL,
    instances BIGINT NOT NULL,
    detail TEXT NOT NULL,
    examples_json TEXT NOT NULL,
    PRIMARY KEY (series_uid, rule)
);
CREATE INDEX finding_by_rule ON finding (rule, series_uid);
CREATE TABLE series_look (
    band BIGINT NOT NULL,
    value BIGINT NOT NULL,
    series_uid TEXT NOT NULL,
    PRIMARY KEY (band, value, series_uid)
);
CREATE INDEX series_look_by_series ON series_look (series_uid);
ALTER TABLE dataset ADD COLUMN certificate_json TEXT;
ALTER TABLE dataset ADD COLUMN risk_json TEXT;
";

/// What queries are answered from without opening an image, and what the index knows of packs: where each ends, how much of it
/// is of use to nobody any longer, and which files are to go.
const QUERIES_AND_PACKS: &str = "
ALTER TABLE study ADD COLUMN study_date TEXT;
ALTER TABLE study ADD COLUMN attributes_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE series ADD COLUMN attributes_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE instance ADD COLUMN attributes_json TEXT NOT NULL DEFAULT '{}';
ALTER TABLE instance ADD COLUMN metadata_length BIGINT NOT NULL DEFAULT 0;
CREATE INDEX study_by_date ON study (study_date);
DROP INDEX series_by_study;
CREATE INDEX series_by_study ON series (study_uid, series_uid);
CREATE INDEX series_by_modality ON series (modality);
DROP INDEX instance_by_pack;
DROP INDEX instance_by_series;
CREATE INDEX instance_by_series ON instance
    (series_uid, (COALESCE(position_mm, -1.0e300)), (COALESCE(number, -9007199254740992)), instance_uid);
CREATE INDEX dataset_series_by_series ON dataset_series (series_uid);
CREATE TABLE pack (
    pack TEXT NOT NULL PRIMARY KEY,
    series_uid TEXT NOT NULL UNIQUE,
    end_offset BIGINT NOT NULL,
    dead_bytes BIGINT NOT NULL
);
CREATE INDEX pack_by_dead_bytes ON pack (dead_bytes);
CREATE TABLE pack_to_remove (
    pack TEXT NOT NULL PRIMARY KEY
);
";

/// What clinical sources say, one row a record, numbered as they came.
const CLINICAL: &str = "
CREATE TABLE clinical_source (
    source TEXT NOT NULL PRIMARY KEY,
    digest TEXT NOT NULL,
    loaded_at TEXT NOT NULL,
    records BIGINT NOT NULL
);
CREATE TABLE clinical_record (
    source TEXT NOT NULL REFERENCES clinical_source (source),
    number BIGINT NOT NULL,
    entity TEXT NOT NULL,
    record_key TEXT NOT NULL,
    patient TEXT NOT NULL,
    parent TEXT,
    first_date TEXT,
    has_days SMALLINT NOT NULL,
    links_json TEXT,
    values_json TEXT NOT NULL,
    PRIMARY KEY (source, number)
);
CREATE INDEX clinical_record_by_patient ON clinical_record (patient);
";

/// What the headers of a series say of how it was acquired, as the reader's own text and as values of the model; and what an instance
/// annotates. Series from before have version 0 and are described from their kept metadata.
const ACQUISITION: &str = "
ALTER TABLE series ADD COLUMN acquisition_version BIGINT NOT NULL DEFAULT 0;
ALTER TABLE series ADD COLUMN acquisition_json TEXT;
ALTER TABLE series ADD COLUMN values_json TEXT;
CREATE INDEX series_by_acquisition ON series (acquisition_version, series_uid);
ALTER TABLE instance ADD COLUMN annotates TEXT;
ALTER TABLE instance ADD COLUMN annotation_json TEXT;
CREATE INDEX instance_annotating ON instance (instance_uid) WHERE annotation_json IS NOT NULL;
";

/// A drawing is the noise of one total, a part is a node's contribution to the total of one search.
const TOTALS: &str = "
CREATE TABLE disclosure_draw (
    form TEXT NOT NULL,
    draw BIGINT NOT NULL,
    survivors TEXT NOT NULL,
    used_up SMALLINT NOT NULL,
    PRIMARY KEY (form, draw)
);
CREATE TABLE disclosure_total_part (
    search TEXT NOT NULL PRIMARY KEY,
    context_json TEXT NOT NULL,
    form TEXT NOT NULL,
    draw BIGINT NOT NULL
);
";

/// The disclosure ledger. A release is what was said once about one version of the data, a charge is one data user's share in it.
const DISCLOSURE: &str = "
CREATE TABLE data_version (
    version BIGINT NOT NULL
);
INSERT INTO data_version (version) VALUES (1);
CREATE TABLE disclosure_release (
    form TEXT NOT NULL,
    data_version BIGINT NOT NULL,
    kind TEXT NOT NULL,
    cohort TEXT NOT NULL,
    parts_json TEXT NOT NULL,
    patients BIGINT NOT NULL,
    said_json TEXT NOT NULL,
    nano_rho BIGINT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (form, data_version)
);
CREATE INDEX disclosure_release_by_time ON disclosure_release (at, nano_rho);
CREATE INDEX disclosure_release_by_patients ON disclosure_release (patients, at);
CREATE TABLE disclosure_charge (
    data_user TEXT NOT NULL,
    form TEXT NOT NULL,
    data_version BIGINT NOT NULL,
    nano_rho BIGINT NOT NULL,
    suspicion TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY (data_user, form, data_version)
);
CREATE INDEX disclosure_charge_by_user ON disclosure_charge (data_user, at);
CREATE INDEX disclosure_charge_by_time ON disclosure_charge (at);
CREATE TABLE disclosure_alarm (
    data_user TEXT NOT NULL,
    suspicious BIGINT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX disclosure_alarm_by_time ON disclosure_alarm (at);
";

const FIRST: &str = "
CREATE TABLE patient (
    pseudonym TEXT NOT NULL PRIMARY KEY,
    sex TEXT
);
CREATE TABLE study (
    study_uid TEXT NOT NULL PRIMARY KEY,
    patient TEXT NOT NULL REFERENCES patient (pseudonym),
    age_years DOUBLE PRECISION
);
CREATE INDEX study_by_patient ON study (patient);
CREATE TABLE series (
    series_uid TEXT NOT NULL PRIMARY KEY,
    study_uid TEXT NOT NULL REFERENCES study (study_uid),
    modality TEXT,
    description TEXT,
    manufacturer TEXT,
    body_part TEXT,
    slice_thickness_mm DOUBLE PRECISION,
    synthetic SMALLINT NOT NULL,
    received_at TEXT NOT NULL
);
CREATE INDEX series_by_study ON series (study_uid);
CREATE INDEX series_by_time ON series (received_at, series_uid);
CREATE TABLE instance (
    instance_uid TEXT NOT NULL PRIMARY KEY,
    series_uid TEXT NOT NULL REFERENCES series (series_uid),
    sop_class TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    source_sha256 TEXT NOT NULL,
    pack TEXT NOT NULL,
    pack_offset BIGINT NOT NULL,
    length BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    pixel_offset BIGINT,
    position_mm DOUBLE PRECISION,
    number BIGINT,
    columns BIGINT NOT NULL,
    view_json TEXT NOT NULL,
    layout_json TEXT,
    geometry_json TEXT
);
CREATE INDEX instance_by_series ON instance (series_uid);
CREATE INDEX instance_by_pack ON instance (pack, pack_offset);
CREATE TABLE outline (
    structure_uid TEXT NOT NULL,
    series_uid TEXT NOT NULL,
    study_uid TEXT NOT NULL,
    outlines_json TEXT NOT NULL,
    PRIMARY KEY (structure_uid, series_uid)
);
CREATE INDEX outline_by_series ON outline (series_uid, study_uid);
CREATE TABLE reading (
    id TEXT NOT NULL PRIMARY KEY,
    patient TEXT NOT NULL REFERENCES patient (pseudonym),
    study_uid TEXT NOT NULL,
    series_uid TEXT NOT NULL,
    nodule TEXT NOT NULL,
    reader TEXT NOT NULL,
    split TEXT NOT NULL,
    malignancy BIGINT NOT NULL,
    reading_json TEXT NOT NULL,
    UNIQUE (series_uid, nodule, reader)
);
CREATE INDEX reading_by_patient ON reading (patient);
CREATE TABLE source_file (
    sha256 TEXT NOT NULL PRIMARY KEY,
    fate TEXT NOT NULL,
    first_seen TEXT NOT NULL
);
CREATE TABLE quarantine (
    id BIGINT NOT NULL PRIMARY KEY,
    source_sha256 TEXT NOT NULL,
    name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    code TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL,
    copied SMALLINT NOT NULL,
    settled_at TEXT
);
CREATE INDEX quarantine_by_source ON quarantine (source_sha256);
CREATE TABLE ingest_run (
    id BIGINT NOT NULL PRIMARY KEY,
    source TEXT NOT NULL,
    started_at TEXT NOT NULL,
    finished_at TEXT,
    files BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    unchanged BIGINT NOT NULL,
    quarantined BIGINT NOT NULL,
    readings BIGINT NOT NULL
);
CREATE TABLE preview (
    series_uid TEXT NOT NULL PRIMARY KEY,
    preview_json TEXT NOT NULL,
    kept_until TEXT NOT NULL
);
CREATE TABLE dataset (
    id TEXT NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    version BIGINT NOT NULL,
    signed_json TEXT NOT NULL,
    delivered SMALLINT NOT NULL,
    UNIQUE (title, version)
);
CREATE TABLE dataset_series (
    dataset TEXT NOT NULL REFERENCES dataset (id),
    series_uid TEXT NOT NULL,
    PRIMARY KEY (dataset, series_uid)
);
CREATE TABLE dataset_reading (
    dataset TEXT NOT NULL REFERENCES dataset (id),
    reading TEXT NOT NULL,
    PRIMARY KEY (dataset, reading)
);
CREATE TABLE outbox (
    question TEXT NOT NULL PRIMARY KEY,
    question_sha256 TEXT NOT NULL,
    answer_json TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE TABLE contribution (
    analysis TEXT NOT NULL,
    round BIGINT NOT NULL,
    phase TEXT NOT NULL,
    digest TEXT NOT NULL,
    context_json TEXT NOT NULL,
    permit TEXT NOT NULL,
    least_sites BIGINT NOT NULL,
    PRIMARY KEY (analysis, round, phase)
);
CREATE TABLE known_node (
    node TEXT NOT NULL PRIMARY KEY,
    signing_key TEXT NOT NULL,
    agreement_key TEXT NOT NULL,
    first_seen TEXT NOT NULL
);
CREATE TABLE permit_seen (
    permit TEXT NOT NULL PRIMARY KEY,
    permit_json TEXT NOT NULL,
    first_seen TEXT NOT NULL,
    answers BIGINT NOT NULL
);
CREATE TABLE revoked_permit (
    permit TEXT NOT NULL PRIMARY KEY,
    reason TEXT NOT NULL,
    revoked_at TEXT NOT NULL
);
";
