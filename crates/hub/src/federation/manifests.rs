//! A node says what it can be asked about. The manifest is verified with the node's key and kept as it was signed; the newest counts.

use arno_domain::{Signed, audit::Outcome};
use arno_httpkit::ApiError;
use arno_protocol::federation::{Declare, Message, Receipt};
use axum::{Json, body::Body, extract::State};

use super::{MAX_RECORD_BYTES, receive, refuse};
use crate::{Hub, hub::act};

pub(super) async fn declare(
    State(hub): State<Hub>,
    body: Body,
) -> Result<Json<Signed<Message<Receipt>>>, ApiError> {
    let (member, message) = receive::<Declare>(&hub, body, MAX_RECORD_BYTES).await?;
    let node = member.card.node;
    let signed = &message.body.manifest;
    let manifest = match signed.verify(&member.card.signing_key) {
        Ok(manifest) if manifest.node == node => manifest,
        Ok(_) | Err(_) => {
            let detail = "A node declares only what it signed itself.";
            return refuse(&hub, node, ApiError::forbidden("not_your_manifest", detail)).await;
        }
    };
    if !manifest.is_well_formed() {
        let detail = "The manifest names a field twice, too many values, or long ones.";
        return Err(ApiError::bad_request("bad_manifest", detail));
    }
    let detail = format!("{} fields", manifest.fields.len());
    let done = act(node, "manifest declared", node, Outcome::Done, detail);
    hub.manifests.keep(&hub, signed, manifest, done).await?;
    Ok(Json(hub.reply(&message, Receipt {})))
}
