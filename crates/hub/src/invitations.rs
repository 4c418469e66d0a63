//! One-time invitations: issuing them. Using one up is part of joining.

use arno_domain::{InvitationId, audit::Outcome, hex, invitation::Invitation};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    catalogue::{IssuedInvitation, NewInvitation},
    session::Role,
};
use arno_store::{Database, hub::invitations::create_invitation as store_invitation};
use axum::{Json, extract::State};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use chrono::{DateTime, Duration, Utc};
use sha2::{Digest as _, Sha256};

use crate::{
    Hub, HubError,
    hub::act,
    identity::{Identity, random},
    limits::{MAX_TITLE_CHARS, check_text},
    setup,
};

/// Long enough to plan a visit to the machine room, short enough to be forgotten safely.
const LIFETIME: Duration = Duration::days(7);

/// Issues an invitation, which is shown once.
#[utoipa::path(post, path = "/v1/invitations", tag = "federation", request_body = NewInvitation,
    responses((status = 200, body = IssuedInvitation), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn create_invitation(
    State(hub): State<Hub>,
    who: SignedIn,
    ApiJson(new): ApiJson<NewInvitation>,
) -> ApiResult<IssuedInvitation> {
    who.require(&[Role::Operator])?;
    check_text("note", &new.note, MAX_TITLE_CHARS)?;
    let issued = issue(
        &hub.database,
        &hub.identity,
        (&who.account, &new.note),
        hub.now(),
    )
    .await;
    issued.map(Json).map_err(|error| match error {
        HubError::Store(error) => error.into(),
        other => ApiError::internal("invitation_failed", other.to_string()),
    })
}

/// Makes an invitation by somebody for somebody (`(issued_by, note)`).
pub(crate) async fn issue(
    database: &Database,
    identity: &Identity,
    (issued_by, note): (&str, &str),
    now: DateTime<Utc>,
) -> Result<IssuedInvitation, HubError> {
    let code = URL_SAFE_NO_PAD.encode(random()?);
    let new = arno_store::hub::invitations::NewInvitation {
        id: InvitationId::new(),
        code_sha256: code_sha256(&code),
        note: note.to_owned(),
        issued_by: issued_by.to_owned(),
        issued_at: now,
        expires_at: now + LIFETIME,
    };
    let invitation = Invitation {
        hub_url: setup::address(database).await?,
        code,
        root_key: identity.public(),
        root_certificate: STANDARD.encode(&identity.certificate_der),
        committee_key: setup::committee(database).await?,
    };
    let mut tx = database.write().await?;
    store_invitation(&mut tx, &new).await?;
    tx.audit(
        now,
        act(issued_by, "invitation issued", new.id, Outcome::Done, note),
    )
    .await?;
    tx.commit().await?;
    Ok(IssuedInvitation {
        invitation: invitation.to_string(),
        expires_at: new.expires_at,
    })
}

/// How a code is kept.
pub(crate) fn code_sha256(code: &str) -> String {
    hex::encode(&Sha256::digest(code))
}
