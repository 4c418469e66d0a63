//! `arno decide`: the access committee's decision. The permit is signed here, with a key that no server can open.

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use arno_domain::{RequestId, SecretKey, Signed};
use arno_protocol::{
    requests::{AccessRequest, Decision, RequestState},
    session::Session,
};

use crate::{Shared, output, profile, sealed_key};

#[derive(Debug, clap::Args)]
pub(crate) struct DecideArgs {
    /// The request
    request: RequestId,
    /// Say yes: sign the permit
    #[arg(long, conflicts_with = "refuse", required_unless_present = "refuse")]
    grant: bool,
    /// Say no, and why
    #[arg(long, value_name = "REASON")]
    refuse: Option<String>,
    /// Passphrase of the signing key; asked for when it is not given here
    #[arg(long, env = "ARNO_PASSPHRASE", hide_env_values = true)]
    passphrase: Option<String>,
}

pub(crate) async fn run(shared: &Shared, args: DecideArgs) -> anyhow::Result<()> {
    let (client, _) = profile::client(shared)?;
    let request = match args.refuse {
        Some(reason) => decide(&client, args.request, &Decision::Refuse { reason }).await?,
        None => {
            let session: Session = client.get("/v1/session").await?;
            let sealed = session
                .sealed_key
                .context("this account has no signing key; sign in as the committee")?;
            let key = sealed_key::open(
                &sealed,
                &sealed_key::passphrase(args.passphrase.as_deref())?,
            )?;
            grant(&client, args.request, &key).await?
        }
    };
    if shared.json {
        return output::json(&request);
    }
    match &request.state {
        RequestState::Granted { permit, .. } => println!("Granted: {permit}"),
        RequestState::Refused { reason, .. } => println!("Refused: {reason}"),
        RequestState::InReview | RequestState::Revoked { .. } => {
            bail!("the hub did not take the decision")
        }
    }
    Ok(())
}

/// Signs the permit that the request proposes.
pub(crate) async fn grant(
    client: &ApiClient,
    request: RequestId,
    key: &SecretKey,
) -> anyhow::Result<AccessRequest> {
    let proposed: AccessRequest = client.get(&format!("/v1/requests/{request}")).await?;
    let permit = Signed::new(&proposed.proposed_permit, key);
    decide(client, request, &Decision::Grant { permit }).await
}

async fn decide(
    client: &ApiClient,
    request: RequestId,
    decision: &Decision,
) -> anyhow::Result<AccessRequest> {
    Ok(client
        .post(&format!("/v1/requests/{request}/decision"), decision)
        .await?)
}
