//! Members of the federation: each node's own signed card, and when it was last heard.

use arno_domain::{NodeId, Signed};
use arno_protocol::federation::NodeCard;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{json_column, json_text, optional_parsed_column, parsed_column, time_text};
use crate::{Database, StoreError, WriteTx};

/// A node that was admitted.
#[derive(Debug, Clone)]
pub struct Member {
    /// What the node says of itself; verified when it joined.
    pub card: NodeCard,
    /// The same as the node signed it.
    pub signed_card: Signed<NodeCard>,
    /// Version of its program when last heard.
    pub software: String,
    /// Instances that it says it keeps.
    pub instances: u64,
    /// When it was admitted.
    pub joined_at: DateTime<Utc>,
    /// When it was last heard.
    pub last_seen: Option<DateTime<Utc>>,
}

/// What a node's polls tell, written now and then.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The node.
    pub node: NodeId,
    /// Version of its program.
    pub software: String,
    /// Instances that it says it keeps.
    pub instances: u64,
    /// When it was heard.
    pub at: DateTime<Utc>,
}

/// All members, in order of joining.
///
/// # Errors
/// When the database fails.
pub async fn members(database: &Database) -> Result<Vec<Member>, StoreError> {
    let sql = "-- members
        SELECT card, software, instances, joined_at, last_seen FROM member ORDER BY joined_at, node";
    let rows = sqlx::query(sql).fetch_all(database.pool()).await?;
    rows.iter().map(member_of).collect()
}

/// Admits a node.
///
/// # Errors
/// [`StoreError::Conflict`] when its id or one of its keys belongs to a member.
pub async fn create_member(
    tx: &mut WriteTx<'_>,
    card: &NodeCard,
    signed: &Signed<NodeCard>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- create_member
        INSERT INTO member (node, signing_key, agreement_key, card, software, instances, joined_at)
        VALUES ($1, $2, $3, $4, $5, 0, $6)";
    let agreement_key = arno_domain::hex::encode(card.agreement_key.as_bytes());
    let query = sqlx::query(sql)
        .bind(card.node.to_string())
        .bind(card.signing_key.to_string())
        .bind(agreement_key)
        .bind(json_text("node card", signed)?)
        .bind(card.software.clone())
        .bind(time_text(now));
    let done = query.execute(tx.connection()).await;
    done.map_err(|error| StoreError::from(error).about("node"))?;
    Ok(())
}

/// Notes that a node was heard.
///
/// # Errors
/// When the database fails.
pub async fn note_seen(tx: &mut WriteTx<'_>, seen: &Seen) -> Result<(), StoreError> {
    let sql = "-- note_seen
        UPDATE member SET software = $2, instances = $3, last_seen = $4 WHERE node = $1";
    sqlx::query(sql)
        .bind(seen.node.to_string())
        .bind(seen.software.clone())
        .bind(i64::try_from(seen.instances).unwrap_or(i64::MAX))
        .bind(time_text(seen.at))
        .execute(tx.connection())
        .await?;
    Ok(())
}

fn member_of(row: &AnyRow) -> Result<Member, StoreError> {
    let signed_card: Signed<NodeCard> = json_column(row, "card")?;
    let card = signed_card.unverified();
    let instances: i64 = row.try_get("instances")?;
    Ok(Member {
        card: card.map_err(|_| StoreError::Corrupt { what: "node card" })?,
        signed_card,
        software: row.try_get("software")?,
        instances: instances.unsigned_abs(),
        joined_at: parsed_column(row, "joined_at")?,
        last_seen: optional_parsed_column(row, "last_seen")?,
    })
}
