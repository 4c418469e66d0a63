//! A node joins with the one-time code of its invitation. Doing it twice with the same keys changes nothing.

use arno_domain::{Signed, audit::Outcome, country::check_country};
use arno_httpkit::ApiError;
use arno_protocol::federation::{Join, Membership, Message, NodeCard};
use arno_store::{
    StoreError,
    hub::{invitations::use_invitation, members::create_member},
};
use axum::{Json, body::Body, extract::State};

use super::{MAX_SMALL_BYTES, open, read, refuse};
use crate::{
    Hub,
    hub::act,
    invitations::code_sha256,
    limits::{MAX_TITLE_CHARS, check_text},
};

/// Members of one federation; an analysis adds up at most 128.
const MAX_MEMBERS: usize = 1_000;
/// A program's version.
pub(super) const MAX_SOFTWARE_CHARS: usize = 60;

pub(super) async fn join(
    State(hub): State<Hub>,
    body: Body,
) -> Result<Json<Signed<Message<Membership>>>, ApiError> {
    let signed: Signed<Message<Join>> = read(&hub, body, MAX_SMALL_BYTES).await?;
    let node = signed.unverified().map_err(|_| malformed())?.node;
    let message = open(&hub, &signed, &signed.signer, node).await?;
    let card = message
        .body
        .card
        .verify(&signed.signer)
        .map_err(|_| malformed())?;
    if card.node != node || card.signing_key != signed.signer {
        return Err(malformed());
    }
    check_card(&card)?;
    let joined_at = match hub.member(node).await {
        Some(member) if member.card.signing_key == card.signing_key => member.joined_at,
        Some(_) => {
            let error = ApiError::conflict("already_member", "Another node has this id already.");
            return refuse(&hub, node, error).await;
        }
        None => create(&hub, &message.body, &card).await?,
    };
    let membership = Membership {
        federation: hub.name.clone(),
        joined_at,
    };
    Ok(Json(hub.reply(&message, membership)))
}

async fn create(
    hub: &Hub,
    join: &Join,
    card: &NodeCard,
) -> Result<chrono::DateTime<chrono::Utc>, ApiError> {
    if hub.members().await.len() >= MAX_MEMBERS {
        return Err(ApiError::unavailable(
            "federation_full",
            format!("At most {MAX_MEMBERS} nodes can join."),
        ));
    }
    let now = hub.now();
    let mut tx = hub.database.write().await?;
    let Some(note) = use_invitation(&mut tx, &code_sha256(&join.code), card.node, now).await?
    else {
        drop(tx);
        let detail = "The invitation is used, over or unknown. Ask the operator for a new one.";
        return refuse(
            hub,
            card.signing_key,
            ApiError::forbidden("invitation_refused", detail),
        )
        .await;
    };
    // Dropped with the transaction, the invitation is not used up.
    create_member(&mut tx, card, &join.card, now)
        .await
        .map_err(|error| match error {
            StoreError::Conflict { .. } => {
                ApiError::conflict("already_member", "Another node has one of these keys.")
            }
            other => other.into(),
        })?;
    let detail = format!(
        "{} ({}), invited as: {note}",
        card.name,
        card.signing_key.fingerprint()
    );
    tx.audit(
        now,
        act(card.node, "node joined", card.node, Outcome::Done, detail),
    )
    .await?;
    tx.commit().await?;
    hub.reload_members().await?;
    Ok(now)
}

fn check_card(card: &NodeCard) -> Result<(), ApiError> {
    check_text("site's name", &card.name, MAX_TITLE_CHARS)?;
    check_text("town", &card.city, MAX_TITLE_CHARS)?;
    check_text("version of the program", &card.software, MAX_SOFTWARE_CHARS)?;
    let bad_card = |detail: String| Err(ApiError::bad_request("bad_card", detail));
    if let Err(error) = check_country(&card.country) {
        return bad_card(format!("The site's country does not fit: {error}."));
    }
    if card.latitude.abs() > 90.0 || card.longitude.abs() > 180.0 {
        return bad_card("Degrees north are -90 to 90, degrees east -180 to 180.".to_owned());
    }
    Ok(())
}

fn malformed() -> ApiError {
    ApiError::bad_request(
        "bad_card",
        "The node's card must be signed with the key that it names, name the sender, and hold two sound keys.",
    )
}
