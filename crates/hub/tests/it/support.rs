//! A hub in a temporary folder, people who sign in to it, and waiting for a state instead of sleeping.

use std::time::Duration;

use arno_client::{ApiClient, ClientError};
use arno_domain::{Clock, SecretKey, invitation::Invitation};
use arno_hub::{Hub, HubConfig, HubError, NewAccount, RunningHub, Waits};
use arno_protocol::{
    catalogue::{AuditLog, IssuedInvitation, NewInvitation},
    session::{Role, Session, SignIn},
};
use arno_store::{Database, hub::MIGRATIONS};
use tempfile::TempDir;
use tokio::sync::watch;

const PASSWORD: &str = "correct horse battery";

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct TestHub {
    pub(crate) committee: SecretKey,
    folder: TempDir,
    running: Option<RunningHub>,
    /// Where nodes call now.
    pub(crate) address: watch::Sender<String>,
}

impl TestHub {
    pub(crate) async fn start() -> Self {
        let (folder, committee) = (TempDir::new().unwrap(), SecretKey::from_seed(&[9; 32]));
        arno_hub::init(folder.path(), "Test federation", Some(committee.public()))
            .await
            .unwrap();
        for (name, role) in accounts() {
            let account = NewAccount {
                name: name.into(),
                display_name: name.into(),
                role,
                password: PASSWORD.into(),
                sealed_key: None,
            };
            arno_hub::put_account(folder.path(), account, &Clock::system())
                .await
                .unwrap();
        }
        let mut hub = Self {
            committee,
            folder,
            running: None,
            address: watch::Sender::new(String::new()),
        };
        hub.open().await;
        hub
    }

    async fn open(&mut self) {
        let seconds = chrono::Duration::seconds;
        // A search waits for a node that is never there, and a node that died is soon absent; the other two are over when all
        // have answered, so they are as long as a slow machine may need.
        let waits = Waits {
            search: seconds(6),
            round: seconds(30),
            absent: chrono::Duration::milliseconds(300),
            restart: seconds(30),
            patience: seconds(30),
        };
        let config = HubConfig {
            http_port: 0,
            federation_port: 0,
            waits,
            ..HubConfig::new(self.folder.path().into())
        };
        let running = Hub::start(config, Clock::system()).await.unwrap();
        self.address.send_replace(running.federation_url.clone());
        self.running = Some(running);
    }

    /// Stops the hub and starts another on the same folder.
    pub(crate) async fn restart(&mut self) {
        self.running.take().unwrap().shutdown().await;
        self.open().await;
    }

    pub(crate) fn http_url(&self) -> &str {
        &self.running.as_ref().unwrap().http_url
    }

    pub(crate) fn nobody(&self) -> ApiClient {
        ApiClient::new(self.http_url(), None).unwrap()
    }

    pub(crate) async fn token(&self, account: &str) -> String {
        let sign_in = SignIn {
            account: account.into(),
            password: PASSWORD.into(),
        };
        let session: Session = self.nobody().post("/v1/session", &sign_in).await.unwrap();
        session.token.unwrap()
    }

    pub(crate) async fn person(&self, account: &str) -> ApiClient {
        ApiClient::new(self.http_url(), Some(self.token(account).await)).unwrap()
    }

    pub(crate) async fn invitation(&self) -> Invitation {
        let new = NewInvitation {
            note: "a hospital".into(),
        };
        let issued: IssuedInvitation = self
            .person("operator")
            .await
            .post("/v1/invitations", &new)
            .await
            .unwrap();
        issued.invitation.parse().unwrap()
    }

    /// `action: outcome` of all audit entries, oldest first; the chain must hold.
    pub(crate) async fn audit(&self) -> Vec<String> {
        let log: AuditLog = self
            .person("operator")
            .await
            .get("/v1/audit?limit=1000")
            .await
            .unwrap();
        assert_eq!(log.first_break, None);
        log.entries
            .iter()
            .rev()
            .map(|entry| format!("{}: {}", entry.action, entry.outcome.as_str()))
            .collect()
    }

    /// Tries to start another hub on the same folder.
    pub(crate) async fn start_another(&self) -> Result<(), HubError> {
        let config = HubConfig {
            http_port: 0,
            federation_port: 0,
            ..HubConfig::new(self.folder.path().into())
        };
        Hub::start(config, Clock::system()).await.map(|_| ())
    }

    /// The hub's database, to look at what it keeps.
    pub(crate) async fn database(&self) -> Database {
        Database::open(&self.folder.path().join("hub.sqlite"), MIGRATIONS)
            .await
            .unwrap()
    }

    /// All bytes of the database and its write-ahead log.
    pub(crate) fn database_bytes(&self) -> Vec<u8> {
        let read = |name: &str| std::fs::read(self.folder.path().join(name)).unwrap_or_default();
        [read("hub.sqlite"), read("hub.sqlite-wal")].concat()
    }
}

/// The account's name and role.
pub(crate) fn accounts() -> [(&'static str, Role); 4] {
    [
        ("researcher", Role::DataUser),
        ("other-researcher", Role::DataUser),
        ("committee", Role::Committee),
        ("operator", Role::Operator),
    ]
}

/// Asks again and again until there is an answer.
pub(crate) async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut ask: impl FnMut() -> F,
) -> T {
    let mut tick = tokio::time::interval(Duration::from_millis(15));
    let asking = async {
        loop {
            tick.tick().await;
            if let Some(answer) = ask().await {
                return answer;
            }
        }
    };
    tokio::time::timeout(PATIENCE, asking)
        .await
        .unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// The problem's code.
pub(crate) fn code<T: std::fmt::Debug>(result: Result<T, ClientError>) -> String {
    let error = result.expect_err("a problem was expected");
    error
        .code()
        .unwrap_or_else(|| panic!("not a problem: {error:?}"))
        .to_owned()
}
