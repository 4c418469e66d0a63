//! The disclosure ledger: what was said about the node's data, to whom, and what it cost. Nothing is said before its cost
//! stands here: both are one transaction.
//!
//! What was said once about one version of the data is said again for nothing, word for word. Not here: prices, noise and budgets
//! (`arno_domain::disclosure`).

mod charge;
mod exact;
mod report;
mod total;

use std::collections::BTreeSet;

use arno_domain::{
    QuestionId,
    audit::Act,
    disclosure::{NanoRho, PastQuestion, Suspicion},
};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

pub use exact::{ExactEntry, NewExactCount};
pub use report::{Alarm, LedgerEntry, Spender};
pub use total::{Complete, TotalPart};

use super::{NodeStore, StoredAnswer, from_json, signed, text, unsigned};
use crate::{StoreError, WriteTx};
use charge::{Charge, charge, raise_alarm};
pub(super) use exact::put_exact_count;

/// Past questions that a new one is compared with, of those that match nearly as many patients.
const MAX_COMPARED: i64 = 100;

/// What is about to be said, and its cost.
#[derive(Debug, Clone)]
pub struct NewRelease {
    /// Digest of what exactly is said: the question's normal form, or that with the sites of a total.
    pub form: String,
    /// Version of the data that it is said of.
    pub data_version: u64,
    /// `site` for counts of the node's own, `total` for its part of a total.
    pub kind: &'static str,
    /// Who asks.
    pub data_user: String,
    /// The cohort as text.
    pub cohort: String,
    /// What the overlap alarm compares.
    pub question: PastQuestion,
    /// What is said, as JSON.
    pub said_json: String,
    /// What it costs.
    pub price: NanoRho,
    /// Why the data manager should look at it.
    pub suspicion: Option<Suspicion>,
}

/// What may be spent, and since when spending counts.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// By one data user.
    pub data_user: NanoRho,
    /// By all together.
    pub site: NanoRho,
    /// What was spent before is there again.
    pub since: DateTime<Utc>,
}

/// What was said of one version of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// What, as JSON.
    pub json: String,
    /// Patients that matched, exactly. Never leaves the node.
    pub patients: u64,
}

/// Suspicious questions of a period at which the data manager is alarmed.
#[derive(Debug, Clone, Copy)]
pub struct AlarmAt {
    /// Of one data user.
    pub data_user: usize,
    /// Of all together: whoever asks under many names.
    pub site: usize,
}

/// What came of saying something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Released {
    /// Said: the stored answer.
    Said(StoredAnswer),
    /// The same was said meanwhile; look again.
    Again,
    /// It costs more than is left.
    Spent(Spent),
}

/// A budget that does not hold the price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Whose.
    pub whose: Whose,
    /// Spent since the period's beginning.
    pub spent: NanoRho,
    /// When that was spent which must be there again first: one period later the question can be asked. `None` when the budget
    /// is smaller than the price.
    pub frees: Option<DateTime<Utc>>,
}

/// Whose budget it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// The data user's.
    DataUser,
    /// The site's, for all data users together.
    Site,
}

impl NodeStore {
    /// Version of everything that a search can see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn data_version(&self) -> Result<u64, StoreError> {
        let sql = "-- data_version
            SELECT version FROM data_version";
        let row = sqlx::query(sql).fetch_one(self.database.pool()).await?;
        Ok(unsigned(row.try_get("version")?))
    }

    /// What was said before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn said(&self, form: &str, data_version: u64) -> Result<Option<Said>, StoreError> {
        let sql = "-- said
            SELECT said_json, patients FROM disclosure_release WHERE form = $1 AND data_version = $2";
        let row = sqlx::query(sql)
            .bind(form.to_owned())
            .bind(signed(data_version))
            .fetch_optional(self.database.pool())
            .await?;
        let said = |row: AnyRow| {
            Ok(Said {
                json: row.try_get("said_json")?,
                patients: unsigned(row.try_get("patients")?),
            })
        };
        row.map(said).transpose()
    }

    /// What a data user spent since a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spent_by(
        &self,
        data_user: &str,
        since: DateTime<Utc>,
    ) -> Result<NanoRho, StoreError> {
        let sql = "-- spent_by
            SELECT CAST(COALESCE(SUM(nano_rho), 0) AS BIGINT) AS spent FROM disclosure_charge
            WHERE data_user = $1 AND at > $2";
        let row = sqlx::query(sql)
            .bind(data_user.to_owned())
            .bind(text(since))
            .fetch_one(self.database.pool())
            .await?;
        Ok(NanoRho(unsigned(row.try_get("spent")?)))
    }

    /// What all data users together spent since a time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn spent_by_all(&self, since: DateTime<Utc>) -> Result<NanoRho, StoreError> {
        let sql = "-- spent_by_all
            SELECT CAST(COALESCE(SUM(nano_rho), 0) AS BIGINT) AS spent FROM disclosure_release WHERE at > $1";
        let row = sqlx::query(sql)
            .bind(text(since))
            .fetch_one(self.database.pool())
            .await?;
        Ok(NanoRho(unsigned(row.try_get("spent")?)))
    }

    /// Whether a data user paid for this before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_paid(
        &self,
        (data_user, form, data_version): (&str, &str, u64),
    ) -> Result<bool, StoreError> {
        let sql = "-- has_paid
            SELECT form FROM disclosure_charge WHERE data_user = $1 AND form = $2 AND data_version = $3";
        let row = sqlx::query(sql)
            .bind(data_user.to_owned())
            .bind(form.to_owned())
            .bind(signed(data_version))
            .fetch_optional(self.database.pool())
            .await?;
        Ok(row.is_some())
    }

    /// What was asked of the site since a time and matched fewer than `few` patients more or less, newest first, whoever asked:
    /// names are the hub's.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn past_questions(
        &self,
        since: DateTime<Utc>,
        (patients, few): (u64, u32),
    ) -> Result<Vec<PastQuestion>, StoreError> {
        let sql = "-- past_questions
            SELECT parts_json, patients FROM disclosure_release
            WHERE at > $1 AND kind = 'site' AND patients > $2 AND patients < $3 AND patients <> $4
            ORDER BY at DESC LIMIT $5";
        let rows = sqlx::query(sql)
            .bind(text(since))
            .bind(signed(patients) - i64::from(few))
            .bind(signed(patients.saturating_add(u64::from(few))))
            .bind(signed(patients))
            .bind(MAX_COMPARED)
            .fetch_all(self.database.pool())
            .await?;
        let past = |row: &AnyRow| {
            let parts: BTreeSet<String> =
                from_json(&row.try_get::<String, _>("parts_json")?, "question")?;
            Ok(PastQuestion {
                parts,
                patients: unsigned(row.try_get("patients")?),
            })
        };
        rows.iter().map(past).collect()
    }

    /// Says something, in one or more parts: costs, answer and audit entry at once, or nothing of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_release(
        &self,
        (question, answer): (QuestionId, StoredAnswer),
        (parts, limits): (&[NewRelease], Limits),
        (act, alarm_at): (Act, AlarmAt),
        now: DateTime<Utc>,
    ) -> Result<Released, StoreError> {
        let mut tx = self.database.write().await?;
        for part in parts {
            match charge(&mut tx, part, limits, now).await? {
                Charge::New => {
                    raise_alarm(&mut tx, part, (limits.since, now), (alarm_at, &act)).await?;
                }
                Charge::Paid => {}
                Charge::Again => return Ok(Released::Again),
                Charge::Spent(spent) => return Ok(Released::Spent(spent)),
            }
        }
        let sql = "-- put_release
            INSERT INTO outbox (question, question_sha256, answer_json, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (question) DO NOTHING";
        let insert = sqlx::query(sql)
            .bind(question.to_string())
            .bind(answer.question_sha256.clone())
            .bind(answer.answer_json.clone())
            .bind(text(now));
        if insert.execute(tx.connection()).await?.rows_affected() == 0 {
            // The same question was answered meanwhile: that answer stays, and nothing is paid for this one.
            drop(tx);
            let stored = self.answer(question).await?;
            return stored
                .map(Released::Said)
                .ok_or(StoreError::NotFound { what: "answer" });
        }
        tx.audit(now, act).await?;
        tx.commit().await?;
        Ok(Released::Said(answer))
    }
}

impl WriteTx<'_> {
    /// What a search can see has changed: the next answer to each question is a new one, with its own noise and cost. To be
    /// called in the transaction of every such change. Where it is forgotten, old answers go on being given: stale, but not a leak.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn raise_data_version(&mut self) -> Result<(), StoreError> {
        let sql = "-- raise_data_version
            UPDATE data_version SET version = version + 1";
        sqlx::query(sql).execute(self.connection()).await?;
        Ok(())
    }
}
