//! Questions to nodes and their answers. A question is asked once and answered once; its text never changes.

use arno_domain::{AnalysisId, NodeId, PermitId, QuestionId, SearchId};
use arno_protocol::federation::{AnswerBody, Question};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{json_column, json_text, parsed_column, time_text};
use crate::{Database, StoreError, WriteTx};

/// What a question belongs to. A node is asked once per subject.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A federated search.
    Search(SearchId),
    /// A masked part of the total of a search.
    TotalPart(SearchId),
    /// Help to unmask the total of a search.
    TotalUnmasking(SearchId),
    /// A masked contribution to a round.
    Contribution(AnalysisId, u32),
    /// Help to unmask a round.
    Unmasking(AnalysisId, u32),
    /// A site's own model.
    LocalModel(AnalysisId),
    /// A permit was revoked.
    Revocation(PermitId),
}

impl Subject {
    /// The columns `kind`, `subject` and `round`.
    fn columns(self) -> (&'static str, String, i64) {
        match self {
            Self::Search(id) => ("search", id.to_string(), 0),
            Self::TotalPart(id) => ("total_part", id.to_string(), 0),
            Self::TotalUnmasking(id) => ("total_unmasking", id.to_string(), 0),
            Self::Contribution(id, round) => ("contribution", id.to_string(), i64::from(round)),
            Self::Unmasking(id, round) => ("unmasking", id.to_string(), i64::from(round)),
            Self::LocalModel(id) => ("local_model", id.to_string(), 0),
            Self::Revocation(id) => ("revocation", id.to_string(), 0),
        }
    }

    fn of(row: &AnyRow) -> Result<Self, StoreError> {
        let kind: String = row.try_get("kind")?;
        let round: i64 = row.try_get("round")?;
        let round = u32::try_from(round).map_err(|_| StoreError::Corrupt { what: "round" })?;
        Ok(match kind.as_str() {
            "search" => Self::Search(parsed_column(row, "subject")?),
            "total_part" => Self::TotalPart(parsed_column(row, "subject")?),
            "total_unmasking" => Self::TotalUnmasking(parsed_column(row, "subject")?),
            "contribution" => Self::Contribution(parsed_column(row, "subject")?, round),
            "unmasking" => Self::Unmasking(parsed_column(row, "subject")?, round),
            "local_model" => Self::LocalModel(parsed_column(row, "subject")?),
            "revocation" => Self::Revocation(parsed_column(row, "subject")?),
            _ => return Err(StoreError::Corrupt { what: "question" }),
        })
    }
}

/// A question without its text: what is needed to take an answer.
#[derive(Debug, Clone)]
pub struct QuestionRow {
    /// Its id.
    pub id: QuestionId,
    /// Who was asked.
    pub node: NodeId,
    /// What it belongs to.
    pub subject: Subject,
    /// SHA-256 of the question's JSON.
    pub sha256: String,
}

/// How a node answered, without what it said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With what was asked for.
    Given,
    /// By refusing.
    Refused,
    /// By failing.
    Failed,
}

impl Outcome {
    /// Of an answer.
    #[must_use]
    pub fn of(answer: &AnswerBody) -> Self {
        match answer {
            AnswerBody::Refused { .. } => Self::Refused,
            AnswerBody::Failed { .. } => Self::Failed,
            AnswerBody::Counts(_)
            | AnswerBody::Exact(_)
            | AnswerBody::Contribution { .. }
            | AnswerBody::Unmasking { .. }
            | AnswerBody::LocalModel { .. }
            | AnswerBody::Accepted => Self::Given,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Given => "given",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// Where a question stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Who was asked.
    pub node: NodeId,
    /// When.
    pub asked_at: DateTime<Utc>,
    /// How the node answered; `None` while it has not.
    pub outcome: Option<Outcome>,
}

/// Asks a node.
///
/// # Errors
/// [`StoreError::Conflict`] when it was asked this before.
pub async fn create_question(
    tx: &mut WriteTx<'_>,
    node: NodeId,
    subject: Subject,
    question: &Question,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- create_question
        INSERT INTO question (id, node, kind, subject, round, body, sha256, asked_at, expires_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let (kind, subject, round) = subject.columns();
    let query = sqlx::query(sql)
        .bind(question.id.to_string())
        .bind(node.to_string())
        .bind(kind)
        .bind(subject)
        .bind(round)
        .bind(json_text("question", question)?)
        .bind(question.sha256())
        .bind(time_text(now))
        .bind(time_text(question.expires_at));
    let done = query.execute(tx.connection()).await;
    done.map_err(|error| StoreError::from(error).about("question"))?;
    Ok(())
}

/// Ids of the questions that a node has still to answer, oldest first.
///
/// # Errors
/// When the database fails.
pub async fn open_question_ids(
    database: &Database,
    node: NodeId,
    now: DateTime<Utc>,
) -> Result<Vec<QuestionId>, StoreError> {
    let sql = "-- open_question_ids
        SELECT id FROM question
        WHERE node = $1 AND closed = 0 AND answered_at IS NULL AND expires_at > $2 ORDER BY asked_at, id";
    let query = sqlx::query(sql).bind(node.to_string()).bind(time_text(now));
    query
        .fetch_all(database.pool())
        .await?
        .iter()
        .map(|row| parsed_column(row, "id"))
        .collect()
}

/// A question as it is sent, and the length of its JSON in bytes.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none with this id.
pub async fn question(
    database: &Database,
    id: QuestionId,
) -> Result<(Question, usize), StoreError> {
    let sql = "-- question
        SELECT body FROM question WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    let body: String = row
        .ok_or(StoreError::NotFound { what: "question" })?
        .try_get("body")?;
    let question =
        serde_json::from_str(&body).map_err(|_| StoreError::Corrupt { what: "question" })?;
    Ok((question, body.len()))
}

/// What is needed to take an answer.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none with this id.
pub async fn question_row(database: &Database, id: QuestionId) -> Result<QuestionRow, StoreError> {
    let sql = "-- question_row
        SELECT id, node, kind, subject, round, sha256 FROM question WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(database.pool())
        .await?;
    let row = row.ok_or(StoreError::NotFound { what: "question" })?;
    Ok(QuestionRow {
        id: parsed_column(&row, "id")?,
        node: parsed_column(&row, "node")?,
        subject: Subject::of(&row)?,
        sha256: row.try_get("sha256")?,
    })
}

/// Keeps the first answer; `false` when there is one already or none is awaited any more.
///
/// # Errors
/// When the database fails.
pub async fn answer_question(
    tx: &mut WriteTx<'_>,
    id: QuestionId,
    answer: &AnswerBody,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "-- answer_question
        UPDATE question SET answer = $2, answered_at = $3, outcome = $4
        WHERE id = $1 AND answered_at IS NULL AND closed = 0 AND expires_at > $3";
    let done = sqlx::query(sql)
        .bind(id.to_string())
        .bind(json_text("answer", answer)?)
        .bind(time_text(now))
        .bind(Outcome::of(answer).as_str())
        .execute(tx.connection())
        .await?;
    Ok(done.rows_affected() == 1)
}

/// Everybody who was asked about a subject, by node.
///
/// # Errors
/// When the database fails.
pub async fn asked(database: &Database, subject: Subject) -> Result<Vec<Asked>, StoreError> {
    let sql = "-- asked
        SELECT node, asked_at, outcome FROM question
        WHERE kind = $1 AND subject = $2 AND round = $3 ORDER BY node";
    let (kind, subject, round) = subject.columns();
    let query = sqlx::query(sql).bind(kind).bind(subject).bind(round);
    query
        .fetch_all(database.pool())
        .await?
        .iter()
        .map(asked_of)
        .collect()
}

/// The answers to a subject that are here, by node.
///
/// # Errors
/// When the database fails.
pub async fn answers(
    database: &Database,
    subject: Subject,
) -> Result<Vec<(NodeId, AnswerBody)>, StoreError> {
    let sql = "-- answers
        SELECT node, answer FROM question
        WHERE kind = $1 AND subject = $2 AND round = $3 AND answer IS NOT NULL ORDER BY node";
    let (kind, subject, round) = subject.columns();
    let query = sqlx::query(sql).bind(kind).bind(subject).bind(round);
    let answer = |row: &AnyRow| Ok((parsed_column(row, "node")?, json_column(row, "answer")?));
    query
        .fetch_all(database.pool())
        .await?
        .iter()
        .map(answer)
        .collect()
}

/// No answer is awaited any more; answers that came stay.
///
/// # Errors
/// When the database fails.
pub async fn close_questions(tx: &mut WriteTx<'_>, subject: Subject) -> Result<(), StoreError> {
    let sql = "-- close_questions
        UPDATE question SET closed = 1 WHERE kind = $1 AND subject = $2 AND round = $3";
    let (kind, subject, round) = subject.columns();
    sqlx::query(sql)
        .bind(kind)
        .bind(subject)
        .bind(round)
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Closes the questions and deletes the answers: masked contributions are kept no longer than their sum is not made.
///
/// # Errors
/// When the database fails.
pub async fn delete_answers(tx: &mut WriteTx<'_>, subject: Subject) -> Result<(), StoreError> {
    let sql = "-- delete_answers
        UPDATE question SET closed = 1, answer = NULL WHERE kind = $1 AND subject = $2 AND round = $3";
    let (kind, subject, round) = subject.columns();
    sqlx::query(sql)
        .bind(kind)
        .bind(subject)
        .bind(round)
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn asked_of(row: &AnyRow) -> Result<Asked, StoreError> {
    let outcome: Option<String> = row.try_get("outcome")?;
    let outcome = match outcome.as_deref() {
        None => None,
        Some("given") => Some(Outcome::Given),
        Some("refused") => Some(Outcome::Refused),
        Some("failed") => Some(Outcome::Failed),
        Some(_) => return Err(StoreError::Corrupt { what: "answer" }),
    };
    Ok(Asked {
        node: parsed_column(row, "node")?,
        asked_at: parsed_column(row, "asked_at")?,
        outcome,
    })
}
