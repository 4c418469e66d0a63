//! Analyses: what was asked, each round with its total, and the models that came of it.

use arno_domain::{AnalysisId, NodeId, PermitId};
use arno_protocol::{
    analyses::{AnalysisStatus, EvaluatedModel, Yardstick},
    federation::RoundTask,
};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, any::AnyRow};

use super::{
    json_column, json_text, optional_json_column, optional_parsed_column, parsed_column, time_text,
};
use crate::{Database, StoreError, WriteTx};

/// An analysis without its rounds.
#[derive(Debug, Clone)]
pub struct AnalysisRow {
    /// Its id.
    pub id: AnalysisId,
    /// A title.
    pub title: String,
    /// The data user's account.
    pub started_by: String,
    /// When.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// The permit.
    pub permit: Option<PermitId>,
    /// Least time a round takes.
    pub pace_ms: u32,
    /// How far it is.
    pub status: AnalysisStatus,
    /// The models, once evaluated.
    pub models: Vec<EvaluatedModel>,
    /// The pooled data as a yardstick.
    pub yardstick: Option<Yardstick>,
}

/// Why a site does not take part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteRefusal {
    /// A stable word.
    pub code: String,
    /// Why.
    pub reason: String,
}

/// A site of an analysis.
#[derive(Debug, Clone)]
pub struct SiteRow {
    /// The node.
    pub node: NodeId,
    /// Set once the node refused.
    pub refusal: Option<SiteRefusal>,
}

/// A round.
#[derive(Debug, Clone, PartialEq)]
pub struct RoundRow {
    /// From 1.
    pub round: u32,
    /// What is computed.
    pub task: RoundTask,
    /// Who was asked, sorted.
    pub participants: Vec<NodeId>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How far it is.
    pub phase: RoundPhase,
}

/// How far a round is, with exactly what is known then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RoundPhase {
    /// Contributions are awaited.
    Contributing,
    /// The survivors are asked to unmask the sum.
    Unmasking {
        /// Who contributed, sorted.
        survivors: Vec<NodeId>,
        /// When they were asked.
        asked_at: DateTime<Utc>,
    },
    /// The sum is known.
    Totalled {
        /// Whose contributions are in it, sorted.
        survivors: Vec<NodeId>,
        /// The sum.
        total: Vec<f64>,
        /// When.
        at: DateTime<Utc>,
    },
    /// No sum came of it.
    Abandoned {
        /// Why.
        reason: String,
        /// When.
        at: DateTime<Utc>,
    },
}

/// Keeps an analysis and its sites.
///
/// # Errors
/// When the database fails.
pub async fn create_analysis(
    tx: &mut WriteTx<'_>,
    analysis: &AnalysisRow,
    sites: &[NodeId],
) -> Result<(), StoreError> {
    let sql = "-- create_analysis
        INSERT INTO analysis (id, title, started_by, started_at, permit, pace_ms, running, status, models)
        VALUES ($1, $2, $3, $4, $5, $6, 1, $7, $8)";
    sqlx::query(sql)
        .bind(analysis.id.to_string())
        .bind(analysis.title.clone())
        .bind(analysis.started_by.clone())
        .bind(time_text(analysis.started_at))
        .bind(analysis.permit.map(|permit| permit.to_string()))
        .bind(i64::from(analysis.pace_ms))
        .bind(json_text("status", &analysis.status)?)
        .bind(json_text("models", &analysis.models)?)
        .execute(tx.connection())
        .await?;
    for node in sites {
        let sql = "-- create_analysis
            INSERT INTO analysis_site (analysis, node) VALUES ($1, $2)";
        let query = sqlx::query(sql)
            .bind(analysis.id.to_string())
            .bind(node.to_string());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

/// One analysis.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none with this id.
pub async fn analysis(database: &Database, id: AnalysisId) -> Result<AnalysisRow, StoreError> {
    let sql = "-- analysis
        SELECT * FROM analysis WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    analysis_of(&row.ok_or(StoreError::NotFound { what: "analysis" })?)
}

/// The newest analyses, newest first; of one account, or of all.
///
/// # Errors
/// When the database fails.
pub async fn analyses(
    database: &Database,
    started_by: Option<&str>,
    limit: u32,
) -> Result<Vec<AnalysisRow>, StoreError> {
    let sql = "-- analyses
        SELECT * FROM analysis WHERE $1 = '' OR started_by = $1 ORDER BY started_at DESC, id DESC LIMIT $2";
    let query = sqlx::query(sql)
        .bind(started_by.unwrap_or_default().to_owned())
        .bind(i64::from(limit));
    query
        .fetch_all(database.pool())
        .await?
        .iter()
        .map(analysis_of)
        .collect()
}

/// Ids of the analyses that have not ended, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn running_analyses(database: &Database) -> Result<Vec<AnalysisId>, StoreError> {
    let sql = "-- running_analyses
        SELECT id FROM analysis WHERE running = 1 ORDER BY started_at, id";
    let rows = sqlx::query(sql).fetch_all(database.pool()).await?;
    rows.iter().map(|row| parsed_column(row, "id")).collect()
}

/// Ends an analysis.
///
/// # Errors
/// [`StoreError::NotFound`] when it does not run.
pub async fn finish_analysis(
    tx: &mut WriteTx<'_>,
    id: AnalysisId,
    status: &AnalysisStatus,
    models: &[EvaluatedModel],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- finish_analysis
        UPDATE analysis SET running = 0, status = $2, models = $3, finished_at = $4 WHERE id = $1 AND running = 1";
    let done = sqlx::query(sql)
        .bind(id.to_string())
        .bind(json_text("status", status)?)
        .bind(json_text("models", &models)?)
        .bind(time_text(now))
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 1 {
        Ok(())
    } else {
        Err(StoreError::NotFound {
            what: "running analysis",
        })
    }
}

/// Keeps the yardstick, in place of an earlier one.
///
/// # Errors
/// When the database fails.
pub async fn put_yardstick(
    tx: &mut WriteTx<'_>,
    id: AnalysisId,
    yardstick: &Yardstick,
) -> Result<(), StoreError> {
    let sql = "-- put_yardstick
        UPDATE analysis SET yardstick = $2 WHERE id = $1";
    let query = sqlx::query(sql)
        .bind(id.to_string())
        .bind(json_text("yardstick", yardstick)?);
    query.execute(tx.connection()).await?;
    Ok(())
}

/// The sites of an analysis, by node.
///
/// # Errors
/// When the database fails.
pub async fn analysis_sites(
    database: &Database,
    id: AnalysisId,
) -> Result<Vec<SiteRow>, StoreError> {
    let sql = "-- analysis_sites
        SELECT node, refusal FROM analysis_site WHERE analysis = $1 ORDER BY node";
    let rows = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_all(database.pool())
        .await?;
    let site = |row: &AnyRow| {
        Ok(SiteRow {
            node: parsed_column(row, "node")?,
            refusal: optional_json_column(row, "refusal")?,
        })
    };
    rows.iter().map(site).collect()
}

/// Notes that a site refused; the first reason stays.
///
/// # Errors
/// When the database fails.
pub async fn refuse_site(
    tx: &mut WriteTx<'_>,
    id: AnalysisId,
    node: NodeId,
    refusal: &SiteRefusal,
) -> Result<(), StoreError> {
    let sql = "-- refuse_site
        UPDATE analysis_site SET refusal = $3 WHERE analysis = $1 AND node = $2 AND refusal IS NULL";
    sqlx::query(sql)
        .bind(id.to_string())
        .bind(node.to_string())
        .bind(json_text("refusal", refusal)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Begins a round.
///
/// # Errors
/// [`StoreError::Conflict`] when there is one of this number.
pub async fn create_round(
    tx: &mut WriteTx<'_>,
    id: AnalysisId,
    round: &RoundRow,
) -> Result<(), StoreError> {
    let sql = "-- create_round
        INSERT INTO analysis_round (analysis, round, task, participants, started_at, phase)
        VALUES ($1, $2, $3, $4, $5, $6)";
    let query = sqlx::query(sql)
        .bind(id.to_string())
        .bind(i64::from(round.round))
        .bind(json_text("task", &round.task)?)
        .bind(json_text("participants", &round.participants)?)
        .bind(time_text(round.started_at))
        .bind(json_text("phase", &round.phase)?);
    let done = query.execute(tx.connection()).await;
    done.map_err(|error| StoreError::from(error).about("round"))?;
    Ok(())
}

/// Moves a round on.
///
/// # Errors
/// When the database fails.
pub async fn put_round_phase(
    tx: &mut WriteTx<'_>,
    id: AnalysisId,
    round: u32,
    phase: &RoundPhase,
) -> Result<(), StoreError> {
    let sql = "-- put_round_phase
        UPDATE analysis_round SET phase = $3 WHERE analysis = $1 AND round = $2";
    sqlx::query(sql)
        .bind(id.to_string())
        .bind(i64::from(round))
        .bind(json_text("phase", phase)?)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// The rounds of an analysis, in order.
///
/// # Errors
/// When the database fails.
pub async fn rounds(database: &Database, id: AnalysisId) -> Result<Vec<RoundRow>, StoreError> {
    let sql = "-- rounds
        SELECT round, task, participants, started_at, phase FROM analysis_round
        WHERE analysis = $1 ORDER BY round";
    let rows = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_all(database.pool())
        .await?;
    rows.iter().map(round_of).collect()
}

/// One round.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none of this number.
pub async fn round(
    database: &Database,
    id: AnalysisId,
    number: u32,
) -> Result<RoundRow, StoreError> {
    let sql = "-- round
        SELECT round, task, participants, started_at, phase FROM analysis_round
        WHERE analysis = $1 AND round = $2";
    let query = sqlx::query(sql)
        .bind(id.to_string())
        .bind(i64::from(number));
    let row = query.fetch_optional(database.pool()).await?;
    round_of(&row.ok_or(StoreError::NotFound { what: "round" })?)
}

fn round_of(row: &AnyRow) -> Result<RoundRow, StoreError> {
    let round: i64 = row.try_get("round")?;
    Ok(RoundRow {
        round: u32::try_from(round).map_err(|_| StoreError::Corrupt { what: "round" })?,
        task: json_column(row, "task")?,
        participants: json_column(row, "participants")?,
        started_at: parsed_column(row, "started_at")?,
        phase: json_column(row, "phase")?,
    })
}

fn analysis_of(row: &AnyRow) -> Result<AnalysisRow, StoreError> {
    let pace_ms: i64 = row.try_get("pace_ms")?;
    Ok(AnalysisRow {
        id: parsed_column(row, "id")?,
        title: row.try_get("title")?,
        started_by: row.try_get("started_by")?,
        started_at: parsed_column(row, "started_at")?,
        finished_at: optional_parsed_column(row, "finished_at")?,
        permit: optional_parsed_column(row, "permit")?,
        pace_ms: u32::try_from(pace_ms).map_err(|_| StoreError::Corrupt { what: "pace" })?,
        status: json_column(row, "status")?,
        models: json_column(row, "models")?,
        yardstick: optional_json_column(row, "yardstick")?,
    })
}
