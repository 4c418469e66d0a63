//! A node publishes a dataset version. The record is verified with the node's key and kept as it was signed.

use arno_domain::{Signed, audit::Outcome, dataset::DatasetRecord, hex};
use arno_httpkit::ApiError;
use arno_protocol::federation::{Message, Publish, Receipt};
use arno_store::{StoreError, hub::datasets};
use axum::{Json, body::Body, extract::State};

use super::{MAX_RECORD_BYTES, receive, refuse};
use crate::{
    Hub,
    hub::act,
    limits::{MAX_TEXT_CHARS, MAX_TITLE_CHARS, check_text},
};

/// Dataset versions of one node.
const MAX_VERSIONS: i64 = 1_000;
/// Fields of a record's breakdowns.
const MAX_FIELDS: usize = 32;
/// Values of one breakdown.
const MAX_VALUES: usize = 256;

pub(super) async fn publish(
    State(hub): State<Hub>,
    body: Body,
) -> Result<Json<Signed<Message<Receipt>>>, ApiError> {
    let (member, message) = receive::<Publish>(&hub, body, MAX_RECORD_BYTES).await?;
    let signed = &message.body.record;
    let record = match signed.verify(&member.card.signing_key) {
        Ok(record) if record.node == member.card.node => record,
        Ok(_) | Err(_) => {
            let error = ApiError::forbidden(
                "not_your_dataset",
                "A node publishes only what it signed itself.",
            );
            return refuse(&hub, member.card.node, error).await;
        }
    };
    check_record(&record)?;
    create_dataset(&hub, &record, signed).await?;
    Ok(Json(hub.reply(&message, Receipt {})))
}

async fn create_dataset(
    hub: &Hub,
    record: &DatasetRecord,
    signed: &Signed<DatasetRecord>,
) -> Result<(), ApiError> {
    let now = hub.now();
    let mut tx = hub.database.write().await?;
    if datasets::count_datasets(&mut tx, record.node).await? >= MAX_VERSIONS {
        let detail =
            format!("A node has at most {MAX_VERSIONS} dataset versions in the catalogue.");
        return Err(ApiError::conflict("too_many_datasets", detail));
    }
    if datasets::create_dataset(&mut tx, record, signed, now).await? {
        let detail = format!("{} version {}", record.title, record.version);
        tx.audit(
            now,
            act(
                record.node,
                "dataset published",
                record.id,
                Outcome::Done,
                detail,
            ),
        )
        .await?;
        return Ok(tx.commit().await?);
    }
    drop(tx);
    match datasets::dataset(&hub.database, record.id).await {
        Ok(stored) if stored.signed == *signed => Ok(()),
        Ok(_) | Err(StoreError::NotFound { .. }) => {
            let detail = "The catalogue has another record of this id, or of this title and version, from this node.";
            Err(ApiError::conflict("other_dataset", detail))
        }
        Err(error) => Err(error.into()),
    }
}

fn check_record(record: &DatasetRecord) -> Result<(), ApiError> {
    check_text("title", &record.title, MAX_TITLE_CHARS)?;
    check_text("licence", &record.licence, MAX_TITLE_CHARS)?;
    let bounded = |text: &str, max: usize| text.chars().count() <= max;
    let values = || record.breakdowns.values().flat_map(|values| values.keys());
    let fits = bounded(&record.description, MAX_TEXT_CHARS)
        && bounded(&record.cohort, MAX_TEXT_CHARS)
        && record.breakdowns.len() <= MAX_FIELDS
        && record
            .breakdowns
            .values()
            .all(|values| values.len() <= MAX_VALUES)
        && record
            .breakdowns
            .keys()
            .chain(values())
            .all(|text| bounded(text, MAX_TITLE_CHARS))
        && hex::decode_32(&record.manifest_sha256).is_some();
    let detail =
        "The record is out of bounds: long texts, long breakdowns, or no SHA-256 of the manifest.";
    if fits {
        Ok(())
    } else {
        Err(ApiError::bad_request("bad_record", detail))
    }
}
