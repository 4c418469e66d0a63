//! What an operator does with the hub's folder, while the hub runs or not: set it up, invite a site, add an account.

use std::path::Path;

use arno_domain::{Clock, PublicKey, audit::Outcome};
use arno_protocol::{
    catalogue::IssuedInvitation,
    session::{Role, SealedKey},
};
use arno_store::{Account, Database, hub::MIGRATIONS};

use crate::{
    HubError,
    hub::act,
    identity::{DATABASE, Identity},
    invitations,
    limits::MAX_TITLE_CHARS,
};

const NAME: &str = "federation_name";
const COMMITTEE_KEY: &str = "committee_key";
const ADDRESS: &str = "federation_url";

/// Shortest password that is accepted for an account (NIST SP 800-63B §3.1.1.2 asks for at least eight characters).
const MIN_PASSWORD_CHARS: usize = 8;

/// An account to be made or changed.
#[derive(Clone)]
pub struct NewAccount {
    /// The name to sign in with.
    pub name: String,
    /// The person's name.
    pub display_name: String,
    /// What the account may do.
    pub role: Role,
    /// Its password.
    pub password: String,
    /// For a committee member: the sealed signing key.
    pub sealed_key: Option<SealedKey>,
}

/// Makes the hub's keys and database, or adds what an earlier call left out. Answers the root key.
///
/// # Errors
/// [`HubError::Fixed`] when the hub has another name or committee key already.
pub async fn init(
    data: &Path,
    name: &str,
    committee: Option<PublicKey>,
) -> Result<PublicKey, HubError> {
    if name.trim().is_empty() || name.chars().count() > MAX_TITLE_CHARS {
        return Err(HubError::Invalid(format!(
            "a federation's name has 1 to {MAX_TITLE_CHARS} characters"
        )));
    }
    let identity = Identity::create(data)?;
    let database = open_database(data).await?;
    set_once(&database, NAME, name, "name").await?;
    if let Some(committee) = committee {
        set_once(
            &database,
            COMMITTEE_KEY,
            &committee.to_string(),
            "committee key",
        )
        .await?;
    }
    database.close().await;
    Ok(identity.public())
}

/// Issues a one-time invitation for a site.
///
/// # Errors
/// When the hub was not set up or never started.
pub async fn invite(data: &Path, note: &str, clock: &Clock) -> Result<IssuedInvitation, HubError> {
    let identity = Identity::open(data)?;
    let database = open_database(data).await?;
    let issued = invitations::issue(
        &database,
        &identity,
        ("operator's shell", note),
        clock.now(),
    )
    .await;
    database.close().await;
    issued
}

/// Makes an account, or changes the one of that name.
///
/// # Errors
/// When the name or the password is not acceptable.
pub async fn put_account(data: &Path, new: NewAccount, clock: &Clock) -> Result<(), HubError> {
    check_account(&new)?;
    Identity::open(data)?;
    let database = open_database(data).await?;
    let password = new.password;
    let hash = tokio::task::spawn_blocking(move || arno_httpkit::hash_password(&password)).await;
    let password_hash =
        hash.map_err(|_| HubError::Invalid("the password cannot be hashed".into()))?;
    let NewAccount {
        name,
        display_name,
        role,
        sealed_key,
        ..
    } = new;
    let account = Account {
        name,
        display_name,
        role,
        password_hash,
        sealed_key,
    };
    let mut tx = database.write().await?;
    tx.put_account(&account).await?;
    let done = act(
        "operator's shell",
        "account set",
        &account.name,
        Outcome::Done,
        account.role.as_str(),
    );
    tx.audit(clock.now(), done).await?;
    tx.commit().await?;
    database.close().await;
    Ok(())
}

fn check_account(new: &NewAccount) -> Result<(), HubError> {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_.@".contains(character);
    let invalid = |text: String| Err(HubError::Invalid(text));
    if new.name.is_empty() || new.name.len() > 64 || !new.name.chars().all(plain) {
        return invalid("an account's name has 1 to 64 letters, digits or any of - _ . @".into());
    }
    if new.display_name.chars().count() > MAX_TITLE_CHARS {
        return invalid(format!(
            "a person's name has at most {MAX_TITLE_CHARS} characters"
        ));
    }
    if new.password.chars().count() < MIN_PASSWORD_CHARS || new.password.len() > 256 {
        return invalid(format!(
            "a password has at least {MIN_PASSWORD_CHARS} characters and at most 256 bytes"
        ));
    }
    if new.role == Role::DataManager {
        return invalid("a data manager has an account at a node, not at the hub".into());
    }
    Ok(())
}

/// Opens the database of the hub in this folder.
pub(crate) async fn open_database(data: &Path) -> Result<Database, HubError> {
    Ok(Database::open(&data.join(DATABASE), MIGRATIONS).await?)
}

/// The federation's name and the committee's key.
pub(crate) async fn federation(
    database: &Database,
    data: &Path,
) -> Result<(String, PublicKey), HubError> {
    let name = database
        .setting(NAME)
        .await?
        .ok_or_else(|| HubError::NotInitialised(data.to_owned()))?;
    Ok((name, committee(database).await?))
}

/// The committee's key.
pub(crate) async fn committee(database: &Database) -> Result<PublicKey, HubError> {
    let key = database
        .setting(COMMITTEE_KEY)
        .await?
        .ok_or(HubError::NoCommitteeKey)?;
    key.parse().map_err(|_| HubError::NoCommitteeKey)
}

/// Where nodes reach the hub.
pub(crate) async fn address(database: &Database) -> Result<String, HubError> {
    database.setting(ADDRESS).await?.ok_or(HubError::NoAddress)
}

/// Notes where nodes reach the hub.
pub(crate) async fn set_address(database: &Database, url: &str) -> Result<(), HubError> {
    let mut tx = database.write().await?;
    tx.set_setting(ADDRESS, url).await?;
    Ok(tx.commit().await?)
}

async fn set_once(
    database: &Database,
    name: &str,
    value: &str,
    noun: &'static str,
) -> Result<(), HubError> {
    match database.setting(name).await? {
        Some(found) if found == value => return Ok(()),
        Some(_) => return Err(HubError::Fixed(noun)),
        None => {}
    }
    let mut tx = database.write().await?;
    tx.set_setting(name, value).await?;
    Ok(tx.commit().await?)
}
