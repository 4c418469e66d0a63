//! `arno login`: signs in to a hub and keeps the session for later commands.

use anyhow::Context as _;
use arno_client::ApiClient;
use arno_protocol::session::{Session, SignIn};

use crate::{
    Shared, output,
    profile::{DEFAULT, Profile},
};

#[derive(Debug, clap::Args)]
pub(crate) struct LoginArgs {
    /// Address of the hub, such as http://localhost:8080
    hub: String,
    /// The account's name
    #[arg(long)]
    account: String,
    /// The password; asked for when it is not given here
    #[arg(
        long,
        env = "ARNO_PASSWORD",
        hide_env_values = true,
        value_name = "PASSWORD"
    )]
    password: Option<String>,
}

pub(crate) async fn run(shared: &Shared, args: LoginArgs) -> anyhow::Result<()> {
    let password = match args.password {
        Some(password) => password,
        None => rpassword::prompt_password("Password: ")
            .context("cannot ask for the password; set ARNO_PASSWORD")?,
    };
    let (profile, session) = sign_in(&args.hub, &args.account, &password).await?;
    let name = shared.profile.as_deref().unwrap_or(DEFAULT);
    let path = profile.save(name)?;
    if shared.json {
        return output::json(
            &serde_json::json!({ "account": session.account, "role": session.role, "profile": name }),
        );
    }
    println!(
        "Signed in as {} ({}); kept in {}.",
        session.display_name,
        session.role.as_str(),
        path.display()
    );
    Ok(())
}

/// Signs in without keeping anything.
pub(crate) async fn sign_in(
    hub: &str,
    account: &str,
    password: &str,
) -> anyhow::Result<(Profile, Session)> {
    let client = ApiClient::new(hub, None)?;
    let sign_in = SignIn {
        account: account.to_owned(),
        password: password.to_owned(),
    };
    let session: Session = client.post("/v1/session", &sign_in).await?;
    let token = session.token.clone().context("the hub gave no session")?;
    Ok((
        Profile {
            hub: client.base_url().to_owned(),
            account: session.account.clone(),
            token,
        },
        session,
    ))
}
