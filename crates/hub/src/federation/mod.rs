//! The listener that nodes call: five endpoints, each taking one signed message and answering with one.
//!
//! Everything that arrives is hostile until its signature was verified with the key that the node joined with:
//! bodies are bounded before they are read, strangers are refused before anything of theirs is parsed, and what is
//! expired, from the future or seen before is refused. Refusals go to the audit log, at a bounded rate.

mod answers;
mod datasets;
mod join;
mod manifests;
mod poll;

use std::{sync::Arc, time::Duration};

use arno_domain::{NodeId, PublicKey, Signed, audit::Outcome};
use arno_httpkit::ApiError;
use arno_protocol::federation::{Body, MAX_MESSAGE_BYTES, Message};
use arno_store::hub::members::Member;
use axum::{Router, extract::DefaultBodyLimit, routing::post};

use crate::{
    Hub,
    hub::act,
    replay::{Stale, Stamp},
};

/// Joins and polls hold a card or less.
const MAX_SMALL_BYTES: usize = 64 * 1024;
/// A dataset record with its breakdowns.
const MAX_RECORD_BYTES: usize = 1024 * 1024;
/// A body that is not here after this is not waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);

/// The router of the federation listener.
pub(crate) fn router(hub: &Hub) -> Router {
    Router::new()
        .route("/federation/v1/join", post(join::join))
        .route("/federation/v1/poll", post(poll::poll))
        .route("/federation/v1/answers", post(answers::answer))
        .route("/federation/v1/datasets", post(datasets::publish))
        .route("/federation/v1/manifest", post(manifests::declare))
        // Bodies are bounded where they are read, each endpoint with its own limit.
        .layer(DefaultBodyLimit::disable())
        .with_state(hub.clone())
}

/// A member's message: read, verified, and seen for the first time.
async fn receive<B: Body>(
    hub: &Hub,
    body: axum::body::Body,
    limit: usize,
) -> Result<(Arc<Member>, Message<B>), ApiError> {
    let signed: Signed<Message<B>> = read(hub, body, limit).await?;
    let Some(member) = hub.member_of_key(&signed.signer).await else {
        let detail = "This key belongs to no member of the federation. Join first.";
        return refuse(hub, &signed.signer, ApiError::forbidden("stranger", detail)).await;
    };
    let message = open(hub, &signed, &member.card.signing_key, member.card.node).await?;
    match hub.replay.admit(stamp(&message), hub.now()) {
        Ok(()) => Ok((member, message)),
        Err(reason) => refuse_stale(hub, &message, reason).await,
    }
}

/// Verifies a message with the key and the node that it must be from, and its times. Does not remember it, so that
/// a stranger who wants to join cannot fill the memory.
async fn open<B: Body>(
    hub: &Hub,
    signed: &Signed<Message<B>>,
    key: &PublicKey,
    node: NodeId,
) -> Result<Message<B>, ApiError> {
    let message = match signed.verify(key) {
        Ok(message) => message,
        Err(error) => {
            return refuse(
                hub,
                key,
                ApiError::forbidden("bad_signature", error.to_string()),
            )
            .await;
        }
    };
    if message.node != node {
        let error = ApiError::forbidden(
            "not_you",
            "The message names another node than the one whose key signed it.",
        );
        return refuse(hub, node, error).await;
    }
    match hub.replay.check_times(stamp(&message), hub.now()) {
        Ok(()) => Ok(message),
        Err(reason) => refuse_stale(hub, &message, reason).await,
    }
}

fn stamp<B>(message: &Message<B>) -> Stamp {
    let Message {
        id,
        node,
        issued_at,
        expires_at,
        ..
    } = *message;
    Stamp {
        id,
        node,
        issued_at,
        expires_at,
    }
}

async fn refuse_stale<B, T>(hub: &Hub, message: &Message<B>, reason: Stale) -> Result<T, ApiError> {
    match reason {
        // Nothing is wrong: the node signs anew and goes on.
        Stale::Resend => Err(stale(reason)),
        _ => refuse(hub, message.node, stale(reason)).await,
    }
}

fn stale(reason: Stale) -> ApiError {
    match reason {
        Stale::Expired => ApiError::forbidden(
            "expired",
            "The message is over. Is this machine's clock right?",
        ),
        Stale::NotYet => ApiError::forbidden(
            "not_yet",
            "The message is from the future. Is this machine's clock right?",
        ),
        Stale::TooLong => {
            ApiError::forbidden("too_long", "A message is valid for at most two minutes.")
        }
        Stale::Resend => ApiError::conflict(
            "resend",
            "The hub was restarted. Sign a new message and send it at once.",
        ),
        Stale::Replayed => ApiError::forbidden("replayed", "This message came before."),
        Stale::TooMany => {
            ApiError::unavailable("too_many_messages", "This node sends too many messages.")
        }
    }
}

/// Records a refusal, unless one of its kind was recorded just now.
async fn refuse<T>(hub: &Hub, who: impl ToString, error: ApiError) -> Result<T, ApiError> {
    let now = hub.now();
    if let Some(left_out) = hub.refusals.record(error.code(), now) {
        let detail = match left_out {
            0 => error.to_string(),
            more => format!("{error} ({more} more since the last entry)"),
        };
        let mut tx = hub.database.write().await?;
        tx.audit(
            now,
            act(
                who,
                "message refused",
                error.code(),
                Outcome::Refused,
                detail,
            ),
        )
        .await?;
        tx.commit().await?;
    }
    Err(error)
}

/// Reads a bounded body in bounded time.
async fn read<B: Body>(
    hub: &Hub,
    body: axum::body::Body,
    limit: usize,
) -> Result<Signed<Message<B>>, ApiError> {
    let stopping = |_| ApiError::unavailable("stopping", "The hub is stopping.");
    let _turn = hub.readers.acquire().await.map_err(stopping)?;
    let bytes = tokio::time::timeout(
        BODY_TIMEOUT,
        axum::body::to_bytes(body, limit.min(MAX_MESSAGE_BYTES)),
    )
    .await;
    let too_large = || {
        ApiError::bad_request(
            "too_large",
            format!("Send at most {limit} bytes, without a pause."),
        )
    };
    let bytes = bytes.map_err(|_| too_large())?.map_err(|_| too_large())?;
    serde_json::from_slice(&bytes)
        .map_err(|_| ApiError::bad_request("not_a_message", "Send a signed message as JSON."))
}
