//! What the node said to the federation, and what it must remember so as not to say more: answers, contributions,
//! keys of other nodes, permits and revocations.

use arno_domain::{
    AnalysisId, NodeId, PermitId, QuestionId,
    audit::Act,
    permit::{Permit, Revocation},
};
use arno_protocol::node::SeenPermit;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{
    NewExactCount, NodeStore, disclosure::put_exact_count, from_json, json, text, unsigned,
};
use crate::{StoreError, WriteTx};

/// An answer as it was stored before it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// SHA-256 of the question.
    pub question_sha256: String,
    /// The answer's body as JSON.
    pub answer_json: String,
}

/// A contribution to a round, or help to unmask one. A node makes each once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contributed {
    /// The analysis.
    pub analysis: AnalysisId,
    /// The round.
    pub round: u32,
    /// `contribute` or `unmask`.
    pub phase: &'static str,
    /// What exactly was asked, hexadecimal.
    pub digest: String,
    /// The round's context as JSON of `arno-learning`.
    pub context_json: String,
    /// The permit that it was made under.
    pub permit: PermitId,
    /// Fewest sites that the permit wants in a total.
    pub least_sites: u32,
}

/// Keys of another node, as they were first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownNode {
    /// The node.
    pub node: NodeId,
    /// Its signing key, hexadecimal.
    pub signing_key: String,
    /// Its agreement key, hexadecimal.
    pub agreement_key: String,
}

/// What an answer is said under.
#[derive(Debug, Clone)]
pub enum Under {
    /// No permit.
    Nothing,
    /// A permit.
    Permit(Box<Permit>),
    /// A permit to count exactly, and what the ledger of such counts says of it.
    Count(Box<(Permit, NewExactCount)>),
}

impl NodeStore {
    /// The answer to a question, if there is one already.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answer(&self, question: QuestionId) -> Result<Option<StoredAnswer>, StoreError> {
        let sql = "-- answer
            SELECT question_sha256, answer_json FROM outbox WHERE question = $1";
        let row = sqlx::query(sql)
            .bind(question.to_string())
            .fetch_optional(self.database.pool())
            .await?;
        row.as_ref().map(answer_of).transpose()
    }

    /// Keeps an answer, records the act and counts it under its permit. When the question has an answer already, that
    /// one stays and is given back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_answer(
        &self,
        question: QuestionId,
        new: StoredAnswer,
        (act, under): (Act, &Under),
        now: DateTime<Utc>,
    ) -> Result<StoredAnswer, StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- put_answer
            INSERT INTO outbox (question, question_sha256, answer_json, at) VALUES ($1, $2, $3, $4)
            ON CONFLICT (question) DO NOTHING";
        let insert = sqlx::query(sql)
            .bind(question.to_string())
            .bind(new.question_sha256.clone())
            .bind(new.answer_json.clone())
            .bind(text(now));
        let inserted = insert.execute(tx.connection()).await?.rows_affected() > 0;
        if inserted {
            match under {
                Under::Nothing => {}
                Under::Permit(permit) => put_seen_permit(&mut tx, permit, now).await?,
                Under::Count(counted) => {
                    let (permit, count) = counted.as_ref();
                    put_seen_permit(&mut tx, permit, now).await?;
                    put_exact_count(&mut tx, question, (permit.id, count), now).await?;
                }
            }
            tx.audit(now, act).await?;
            tx.commit().await?;
            return Ok(new);
        }
        drop(tx);
        self.answer(question)
            .await?
            .ok_or(StoreError::NotFound { what: "answer" })
    }

    /// What was contributed to a phase of a round.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn contributed(
        &self,
        analysis: AnalysisId,
        round: u32,
        phase: &'static str,
    ) -> Result<Option<Contributed>, StoreError> {
        let sql = "-- contributed
            SELECT digest, context_json, permit, least_sites FROM contribution
            WHERE analysis = $1 AND round = $2 AND phase = $3";
        let query = sqlx::query(sql)
            .bind(analysis.to_string())
            .bind(i64::from(round))
            .bind(phase);
        let row = query.fetch_optional(self.database.pool()).await?;
        let contributed = |row: AnyRow| {
            let (permit, least_sites): (String, i64) =
                (row.try_get("permit")?, row.try_get("least_sites")?);
            Ok(Contributed {
                analysis,
                round,
                phase,
                digest: row.try_get("digest")?,
                context_json: row.try_get("context_json")?,
                permit: permit
                    .parse()
                    .map_err(|_| StoreError::Corrupt { what: "permit id" })?,
                least_sites: u32::try_from(least_sites).unwrap_or(u32::MAX),
            })
        };
        row.map(contributed).transpose()
    }

    /// Remembers a contribution before it is made.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the node contributed to this phase already.
    pub async fn insert_contribution(&self, new: &Contributed) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- insert_contribution
            INSERT INTO contribution (analysis, round, phase, digest, context_json, permit, least_sites)
            VALUES ($1, $2, $3, $4, $5, $6, $7)";
        sqlx::query(sql)
            .bind(new.analysis.to_string())
            .bind(i64::from(new.round))
            .bind(new.phase)
            .bind(new.digest.clone())
            .bind(new.context_json.clone())
            .bind(new.permit.to_string())
            .bind(i64::from(new.least_sites))
            .execute(tx.connection())
            .await
            .map_err(|error| StoreError::from(error).about("contribution"))?;
        tx.commit().await
    }

    /// Pins the keys of nodes that are new and gives back the first whose keys are not those that were pinned.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pin_nodes(
        &self,
        nodes: &[KnownNode],
        now: DateTime<Utc>,
    ) -> Result<Option<NodeId>, StoreError> {
        let mut tx = self.database.write().await?;
        for node in nodes {
            if !pin_node(&mut tx, node, now).await? {
                return Ok(Some(node.node));
            }
        }
        tx.commit().await?;
        Ok(None)
    }

    /// Permits that were used here, newest first. `node` picks the datasets that are shown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_permits(&self, node: NodeId) -> Result<Vec<SeenPermit>, StoreError> {
        let sql = "-- list_permits
            SELECT s.permit_json AS permit_json, s.answers AS answers, r.permit AS revoked
            FROM permit_seen s LEFT JOIN revoked_permit r ON r.permit = s.permit ORDER BY s.first_seen DESC";
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        rows.iter().map(|row| seen_of(row, node)).collect()
    }

    /// Whether a permit was taken back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_revoked(&self, permit: PermitId) -> Result<bool, StoreError> {
        let select =
            sqlx::query("-- is_revoked\nSELECT permit FROM revoked_permit WHERE permit = $1");
        Ok(select
            .bind(permit.to_string())
            .fetch_optional(self.database.pool())
            .await?
            .is_some())
    }

    /// Takes a permit back for good.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn insert_revocation(&self, revocation: &Revocation) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        let sql = "-- insert_revocation
            INSERT INTO revoked_permit (permit, reason, revoked_at) VALUES ($1, $2, $3)
            ON CONFLICT (permit) DO NOTHING";
        sqlx::query(sql)
            .bind(revocation.permit.to_string())
            .bind(revocation.reason.clone())
            .bind(text(revocation.revoked_at))
            .execute(tx.connection())
            .await?;
        tx.commit().await
    }
}

/// Remembers a permit and counts one answer under it.
async fn put_seen_permit(
    tx: &mut WriteTx<'_>,
    permit: &Permit,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_seen_permit
        INSERT INTO permit_seen (permit, permit_json, first_seen, answers) VALUES ($1, $2, $3, 1)
        ON CONFLICT (permit) DO UPDATE SET answers = permit_seen.answers + 1";
    sqlx::query(sql)
        .bind(permit.id.to_string())
        .bind(json(permit, "permit")?)
        .bind(text(now))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Whether the node's keys are those that were pinned, which they are when it is new.
async fn pin_node(
    tx: &mut WriteTx<'_>,
    node: &KnownNode,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let sql = "-- pin_node
        INSERT INTO known_node (node, signing_key, agreement_key, first_seen) VALUES ($1, $2, $3, $4)
        ON CONFLICT (node) DO NOTHING";
    sqlx::query(sql)
        .bind(node.node.to_string())
        .bind(node.signing_key.clone())
        .bind(node.agreement_key.clone())
        .bind(text(now))
        .execute(tx.connection())
        .await?;
    let select = sqlx::query(
        "-- pin_node\nSELECT signing_key, agreement_key FROM known_node WHERE node = $1",
    );
    let row = select
        .bind(node.node.to_string())
        .fetch_one(tx.connection())
        .await?;
    let pinned: (String, String) = (row.try_get("signing_key")?, row.try_get("agreement_key")?);
    Ok(pinned == (node.signing_key.clone(), node.agreement_key.clone()))
}

fn answer_of(row: &AnyRow) -> Result<StoredAnswer, StoreError> {
    Ok(StoredAnswer {
        question_sha256: row.try_get("question_sha256")?,
        answer_json: row.try_get("answer_json")?,
    })
}

fn seen_of(row: &AnyRow, node: NodeId) -> Result<SeenPermit, StoreError> {
    let permit: Permit = from_json(&row.try_get::<String, _>("permit_json")?, "permit")?;
    let here = permit.datasets.iter().filter(|entry| entry.node == node);
    Ok(SeenPermit {
        permit: permit.id,
        datasets: here.map(|entry| entry.dataset).collect(),
        data_user: permit.data_user,
        purpose: permit.purpose,
        valid_until: permit.valid_until,
        revoked: row.try_get::<Option<String>, _>("revoked")?.is_some(),
        answers: unsigned(row.try_get("answers")?),
    })
}
