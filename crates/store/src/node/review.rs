//! What waits for a person: entries of quarantine with what a person is to know of them, and what was decided.
//!
//! An entry waits as long as it has a row here and is not settled. A decision is recorded before it is carried out, so that
//! a crash in between leaves an instance that waits still, never one that came in without an audit entry.

use arno_domain::audit::Act;
use arno_protocol::node::review::{
    FinderState, NewDecision, ReviewChoices, ReviewGroup, ReviewItem, ReviewQueue, TextState,
};
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{
    NewQuarantined, NewSource, NodeStore, SourceFate, commit::put_sources, json,
    quarantine::settle_quarantined, text, time, unsigned,
};
use crate::{StoreError, WriteTx};

/// Groups that are listed; the rest comes up as these are decided.
const LISTED: i64 = 1000;

/// What a person is to know of an instance that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReview {
    /// Series Instance UID under which it would be kept.
    pub series: String,
    /// Why it waits: a stable word.
    pub why: String,
    /// What can be decided.
    pub choices: ReviewChoices,
    /// Modality (0008,0060).
    pub modality: Option<String>,
    /// SOP Class UID.
    pub sop_class: String,
    /// Pixel rows.
    pub rows: u32,
    /// Pixel columns.
    pub columns: u32,
    /// Frames.
    pub frames: u32,
    /// Whether a text finder is to look at it, or what it said.
    pub text: TextState,
}

/// An instance that waits, with the way to its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldInstance {
    /// What is shown of it.
    pub item: ReviewItem,
    /// Series Instance UID under which it would be kept.
    pub series: String,
    /// Its name below the ingested folder.
    pub name: String,
    /// SHA-256 of its bytes, by which its copy is named.
    pub source_sha256: String,
}

/// A decision, by whom and about what.
#[derive(Debug)]
pub struct Decided<'a> {
    /// What was decided.
    pub decision: &'a NewDecision,
    /// By whom.
    pub actor: &'a str,
    /// The audit entry.
    pub act: Act,
}

/// What all queries here read: entries that wait.
const WAITING: &str =
    "FROM review r JOIN quarantine q ON q.id = r.quarantine WHERE q.settled_at IS NULL";

/// Those that can be decided together.
const ALIKE: &str =
    "r.series = $1 AND r.why = $2 AND r.rows = $3 AND r.columns = $4 AND r.text_found = $5";

impl NodeStore {
    /// All that waits, by series, size and reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_review(&self) -> Result<ReviewQueue, StoreError> {
        let sql = format!(
            "-- list_review
            SELECT MIN(r.quarantine) AS first, r.why AS why, MIN(q.reason) AS reason, MIN(r.modality) AS modality,
                r.rows AS rows, r.columns AS columns, COUNT(*) AS instances, MIN(q.at) AS since,
                CAST(SUM(r.frames) AS BIGINT) AS frames, MAX(r.text_due) AS text_due, r.text_found AS text_found
            {WAITING} GROUP BY r.series, r.why, r.rows, r.columns, r.text_found ORDER BY first LIMIT $1"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(LISTED);
        let rows = query.fetch_all(self.database.pool()).await?;
        let holdings = self.holdings().await?;
        Ok(ReviewQueue {
            waiting: holdings.to_review + holdings.text_due,
            finder: FinderState::Absent,
            groups: rows.iter().map(group_of).collect::<Result<_, _>>()?,
        })
    }

    /// One that waits.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when none of that number waits.
    pub async fn held_instance(&self, id: i64) -> Result<HeldInstance, StoreError> {
        let sql = format!(
            "-- held_instance
            SELECT r.*, q.name AS name, q.reason AS reason, q.at AS at, q.size_bytes AS size_bytes,
                q.source_sha256 AS source_sha256 {WAITING} AND r.quarantine = $1"
        );
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id);
        let row = query.fetch_one(self.database.pool()).await;
        let row = row.map_err(|error| StoreError::from(error).about("instance to review"))?;
        let mut held = held_of(&row)?;
        held.item.alike = self.count_alike(&held).await?;
        held.item.next = self.next_to_review(&held).await?;
        Ok(held)
    }

    /// Numbers of those that wait of the same series, size and reason, `held` first.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn alike(&self, held: &HeldInstance, limit: u32) -> Result<Vec<i64>, StoreError> {
        let sql = format!(
            "-- alike
            SELECT r.quarantine AS id {WAITING} AND {ALIKE}
            ORDER BY CASE WHEN r.quarantine = $6 THEN 0 ELSE 1 END, r.quarantine LIMIT $7"
        );
        let query = bind_alike(sqlx::query(sqlx::AssertSqlSafe(sql)), held);
        let query = query.bind(held.item.id).bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter().map(|row| Ok(row.try_get("id")?)).collect()
    }

    /// How many wait of the same series, size and reason.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_alike(&self, held: &HeldInstance) -> Result<u64, StoreError> {
        let sql = format!(
            "-- count_alike
            SELECT COUNT(*) AS alike {WAITING} AND {ALIKE}"
        );
        let query = bind_alike(sqlx::query(sqlx::AssertSqlSafe(sql)), held);
        let row = query.fetch_one(self.database.pool()).await?;
        Ok(unsigned(row.try_get("alike")?))
    }

    /// The next that waits after this one: one that is alike first, then of the same series, then in order, then from the beginning.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next_to_review(&self, held: &HeldInstance) -> Result<Option<i64>, StoreError> {
        let sql = format!(
            "-- next_to_review
            SELECT r.quarantine AS id {WAITING} AND r.quarantine <> $6
            ORDER BY CASE WHEN r.series <> $1 THEN 2 WHEN {ALIKE} THEN 0 ELSE 1 END,
                CASE WHEN r.quarantine > $6 THEN 0 ELSE 1 END, r.quarantine LIMIT 1"
        );
        let query = bind_alike(sqlx::query(sqlx::AssertSqlSafe(sql)), held).bind(held.item.id);
        let row = query.fetch_optional(self.database.pool()).await?;
        row.map(|row| Ok(row.try_get("id")?)).transpose()
    }

    /// Records a decision about those of `held` that still wait, before it is carried out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn decide_review(
        &self,
        held: &[HeldInstance],
        decided: Decided<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        put_decision(&mut tx, held, &decided, now).await?;
        tx.audit(now, decided.act).await?;
        tx.commit().await
    }

    /// Refuses them for good: they wait no longer, and the same bytes are refused when they come again. The copies are the caller's
    /// to delete.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn refuse_review(
        &self,
        held: &[HeldInstance],
        decided: Decided<'_>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        put_decision(&mut tx, held, &decided, now).await?;
        for one in held {
            settle_quarantined(&mut tx, &one.source_sha256, now).await?;
        }
        let source = |one: &HeldInstance| NewSource {
            sha256: one.source_sha256.clone(),
            fate: SourceFate::Refused,
        };
        let sources: Vec<NewSource> = held.iter().map(source).collect();
        put_sources(&mut tx, &sources, now).await?;
        tx.audit(now, decided.act).await?;
        tx.commit().await
    }

    /// Whether a person refused these bytes.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_refused(&self, sha256: &str) -> Result<bool, StoreError> {
        let sql = "-- is_refused
            SELECT COUNT(*) AS refused FROM source_file WHERE sha256 = $1 AND fate = 'refused'";
        let query = sqlx::query(sql).bind(sha256.to_owned());
        let row = query.fetch_one(self.database.pool()).await?;
        Ok(row.try_get::<i64, _>("refused")? > 0)
    }
}

type Query<'q> = sqlx::query::Query<'q, sqlx::Any, sqlx::any::AnyArguments>;

fn bind_alike<'q>(query: Query<'q>, held: &HeldInstance) -> Query<'q> {
    query
        .bind(held.series.clone())
        .bind(held.item.why.clone())
        .bind(i64::from(held.item.rows))
        .bind(i64::from(held.item.columns))
        .bind(i64::from(held.item.text == TextState::Found))
}

async fn put_decision(
    tx: &mut WriteTx<'_>,
    held: &[HeldInstance],
    decided: &Decided<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_decision
        UPDATE review SET decision_json = $1, decided_by = $2, decided_at = $3 WHERE quarantine = $4";
    let decision = json(decided.decision, "decision")?;
    for one in held {
        let update = sqlx::query(sql)
            .bind(decision.clone())
            .bind(decided.actor.to_owned())
            .bind(text(now))
            .bind(one.item.id);
        update.execute(tx.connection()).await?;
    }
    Ok(())
}

/// What a person is to know of the open entry of that source: as it is now, or nothing, when no person can help any longer.
pub(super) async fn put_review(
    tx: &mut WriteTx<'_>,
    new: &NewQuarantined,
) -> Result<(), StoreError> {
    let sql = "-- put_review
        DELETE FROM review WHERE quarantine IN
            (SELECT id FROM quarantine WHERE source_sha256 = $1 AND settled_at IS NULL)";
    let delete = sqlx::query(sql).bind(new.source_sha256.clone());
    delete.execute(tx.connection()).await?;
    let Some(review) = &new.waits else {
        return Ok(());
    };
    let sql = "-- put_review
        INSERT INTO review (quarantine, series, why, choices, modality, sop_class, rows, columns, frames, text_due,
            text_found)
        SELECT id, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM quarantine WHERE source_sha256 = $1 AND settled_at IS NULL";
    let is_due = review.text == TextState::Due;
    if is_due {
        super::text::forget_look(tx, &new.source_sha256).await?;
    }
    let insert = sqlx::query(sql)
        .bind(new.source_sha256.clone())
        .bind(review.series.clone())
        .bind(review.why.clone())
        .bind(choices_word(review.choices))
        .bind(review.modality.clone())
        .bind(review.sop_class.clone())
        .bind(i64::from(review.rows))
        .bind(i64::from(review.columns))
        .bind(i64::from(review.frames))
        .bind(i64::from(is_due))
        .bind(i64::from(review.text == TextState::Found));
    insert.execute(tx.connection()).await?;
    Ok(())
}

fn choices_word(choices: ReviewChoices) -> &'static str {
    match choices {
        ReviewChoices::All => "all",
        ReviewChoices::RefuseOnly => "refuse_only",
    }
}

fn choices_of(word: &str) -> Result<ReviewChoices, StoreError> {
    match word {
        "all" => Ok(ReviewChoices::All),
        "refuse_only" => Ok(ReviewChoices::RefuseOnly),
        _ => Err(StoreError::Corrupt { what: "review" }),
    }
}

fn group_of(row: &AnyRow) -> Result<ReviewGroup, StoreError> {
    let since: String = row.try_get("since")?;
    Ok(ReviewGroup {
        first: row.try_get("first")?,
        why: row.try_get("why")?,
        reason: row.try_get("reason")?,
        modality: row.try_get("modality")?,
        rows: small(row, "rows")?,
        columns: small(row, "columns")?,
        instances: unsigned(row.try_get("instances")?),
        frames: unsigned(row.try_get("frames")?),
        since: time(&since)?,
        text: text_state(row)?,
    })
}

fn text_state(row: &AnyRow) -> Result<TextState, StoreError> {
    let is = |name| Ok::<_, StoreError>(row.try_get::<i64, _>(name)? != 0);
    Ok(match (is("text_due")?, is("text_found")?) {
        (true, _) => TextState::Due,
        (false, true) => TextState::Found,
        (false, false) => TextState::Nothing,
    })
}

fn held_of(row: &AnyRow) -> Result<HeldInstance, StoreError> {
    let since: String = row.try_get("at")?;
    let choices: String = row.try_get("choices")?;
    Ok(HeldInstance {
        item: ReviewItem {
            id: row.try_get("quarantine")?,
            why: row.try_get("why")?,
            reason: row.try_get("reason")?,
            choices: choices_of(&choices)?,
            modality: row.try_get("modality")?,
            sop_class: row.try_get("sop_class")?,
            rows: small(row, "rows")?,
            columns: small(row, "columns")?,
            frames: small(row, "frames")?,
            size_bytes: unsigned(row.try_get("size_bytes")?),
            since: time(&since)?,
            alike: 0,
            next: None,
            proposed: Vec::new(),
            text: text_state(row)?,
        },
        series: row.try_get("series")?,
        name: row.try_get("name")?,
        source_sha256: row.try_get("source_sha256")?,
    })
}

fn small(row: &AnyRow, name: &str) -> Result<u32, StoreError> {
    u32::try_from(row.try_get::<i64, _>(name)?).map_err(|_| StoreError::Corrupt { what: "review" })
}
