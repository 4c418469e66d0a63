//! The node as one value: its settings, keys, store and packs, shared by pages, link and commands.

use std::{path::Path, sync::Arc};

use arno_deid::Recipe;
use arno_domain::{
    Clock, NodeId, PublicKey, Signed,
    audit::{Act, Outcome},
    disclosure::{Level, Part},
};
use arno_httpkit::{Auth, hash_password};
use arno_protocol::{
    federation::NodeCard,
    node::{IngestProgress, MembershipState, Overview, ReceivingTrouble},
    session::Role,
};
use arno_store::{
    Account,
    node::{NodeStore, Packs},
};
use axum::extract::FromRef;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tokio::sync::{Mutex, Notify, watch};

use crate::{
    Access, NodeError,
    analyses::CaseCache,
    config::{NodeConfig, SiteConfig},
    decoding::Codecs,
    index::{DatasetIndexes, SearchIndex},
    keys::Keys,
    manifest::LastManifest,
    quality::CheckTurn,
    receive::Backlog,
    recent::Recent,
    secret::Unlock,
    standalone::{Handling, settle_handling},
};

/// Shortest password of an account.
const MIN_PASSWORD_CHARS: usize = 8;

/// Threads that read and de-identify; more than this wait for the disk.
const MAX_INGEST_THREADS: usize = 8;

/// Longest text of a part of an audit entry; a cohort has at most 4096 bytes.
const MAX_AUDIT_CHARS: usize = 5000;

const MEMBERSHIP: &str = "membership";

/// A node. Clones are the same node.
#[derive(Clone)]
pub struct Node(Arc<Inner>);

struct Inner {
    config: NodeConfig,
    keys: Keys,
    clock: Clock,
    store: NodeStore,
    packs: Packs,
    handling: Handling,
    recipe: Recipe,
    auth: Auth,
    threads: rayon::ThreadPool,
    ingest_turn: Mutex<()>,
    review_turn: Mutex<()>,
    progress: watch::Sender<Option<IngestProgress>>,
    backlog: Arc<Backlog>,
    receiving_trouble: watch::Sender<Option<ReceivingTrouble>>,
    text_trouble: watch::Sender<Option<String>>,
    contact: watch::Sender<Contact>,
    to_deliver: Notify,
    cases: CaseCache,
    codecs: Codecs,
    check_turn: CheckTurn,
    recent: Recent,
    last_manifest: LastManifest,
    search_index: SearchIndex,
    dataset_indexes: DatasetIndexes,
}

/// The federation as it was pinned when the node joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pinned {
    /// The federation's name.
    pub federation: String,
    /// When the node joined.
    pub joined_at: DateTime<Utc>,
    /// Where the hub is.
    pub hub_url: String,
    /// Signs what the hub says.
    pub root_key: PublicKey,
    /// The only certificate trusted for TLS to the hub (DER, base64).
    pub root_certificate: String,
    /// Signs permits.
    pub committee_key: PublicKey,
}

/// How the last calls to the hub went.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contact {
    pub(crate) connected: bool,
    pub(crate) last_contact: Option<DateTime<Utc>>,
    pub(crate) last_error: Option<String>,
}

impl Node {
    /// Makes a node in a folder: settings, keys and an empty store.
    ///
    /// # Errors
    /// [`NodeError::InitialisedAlready`] when there is one; [`NodeError::Settings`] when the site's are no good.
    pub async fn init(data: &Path, site: &SiteConfig) -> Result<(), NodeError> {
        let path = NodeConfig::settings_file(data);
        if path.exists() {
            return Err(NodeError::InitialisedAlready(data.to_owned()));
        }
        site.check().map_err(|reason| NodeError::Settings {
            path: path.clone(),
            reason,
        })?;
        make_private_folder(data)?;
        Keys::create(data, &Unlock::from_environment())?;
        crate::keys::write_private(&path, site.to_toml().as_bytes())?;
        let node = Self::open(NodeConfig::load(data, 0)?, Clock::system()).await?;
        node.store().database().close().await;
        Ok(())
    }

    /// Opens the node in a folder.
    ///
    /// # Errors
    /// When there is none or its files cannot be used.
    pub async fn open(config: NodeConfig, clock: Clock) -> Result<Self, NodeError> {
        let mut keys = Keys::load(&config.data, &config.unlock)?;
        let store = NodeStore::open(&config.database())
            .await
            .map_err(|error| NodeError::from(error).below(&config.data))?;
        if keys.pseudonym.was_rotated() {
            keys.pseudonym = keys.pseudonym.knowing(store.pseudonyms().await?);
        }
        let is_joined = store.database().setting(MEMBERSHIP).await?.is_some();
        let handling = settle_handling(&config, &store, is_joined).await?;
        let auth = Auth::new(
            store.database().clone(),
            clock.clone(),
            &keys.node.to_string(),
        );
        let count = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MAX_INGEST_THREADS);
        let threads = rayon::ThreadPoolBuilder::new()
            .num_threads(count)
            .thread_name(|at| format!("ingest-{at}"));
        let threads = threads
            .build()
            .map_err(|error| NodeError::file(&config.data, std::io::Error::other(error)))?;
        let codecs = Codecs::new(config.codecs);
        let inner = Inner {
            packs: Packs::open(&config.packs())?,
            handling,
            recipe: config.site.faces.recipe(),
            config,
            keys,
            clock,
            store,
            auth,
            threads,
            ingest_turn: Mutex::new(()),
            review_turn: Mutex::new(()),
            progress: watch::Sender::new(None),
            backlog: Arc::default(),
            receiving_trouble: watch::Sender::new(None),
            text_trouble: watch::Sender::new(None),
            contact: watch::Sender::new(Contact::default()),
            to_deliver: Notify::new(),
            cases: CaseCache::default(),
            codecs,
            check_turn: CheckTurn::default(),
            recent: Recent::default(),
            last_manifest: LastManifest::default(),
            search_index: SearchIndex::default(),
            dataset_indexes: DatasetIndexes::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.0.keys.node
    }

    /// Its settings.
    #[must_use]
    pub fn config(&self) -> &NodeConfig {
        &self.0.config
    }

    /// Its rows.
    #[must_use]
    pub fn store(&self) -> &NodeStore {
        &self.0.store
    }

    /// How far the ingest that is under way is.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Option<IngestProgress>> {
        self.0.progress.subscribe()
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.0.keys
    }

    pub(crate) fn codecs(&self) -> &Codecs {
        &self.0.codecs
    }

    pub(crate) fn check_turn(&self) -> &CheckTurn {
        &self.0.check_turn
    }

    pub(crate) fn packs(&self) -> &Packs {
        &self.0.packs
    }

    pub(crate) fn search_index(&self) -> &SearchIndex {
        &self.0.search_index
    }

    pub(crate) fn dataset_indexes(&self) -> &DatasetIndexes {
        &self.0.dataset_indexes
    }

    pub(crate) fn recent(&self) -> &Recent {
        &self.0.recent
    }

    pub(crate) fn last_manifest(&self) -> &LastManifest {
        &self.0.last_manifest
    }

    /// What is done to what comes in, unless it is kept as it comes.
    pub(crate) fn recipe(&self) -> &Recipe {
        &self.0.recipe
    }

    pub(crate) fn handling(&self) -> &Handling {
        &self.0.handling
    }

    /// Who may use DICOMweb and DIMSE query and retrieve now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access(&self) -> Result<Access, NodeError> {
        let is_joined = self.membership().await?.is_some();
        Ok(Access::of(self.config().bind, is_joined))
    }

    pub(crate) fn threads(&self) -> &rayon::ThreadPool {
        &self.0.threads
    }

    pub(crate) fn ingest_turn(&self) -> &Mutex<()> {
        &self.0.ingest_turn
    }

    /// Decisions in review are carried out one after the other.
    pub(crate) fn review_turn(&self) -> &Mutex<()> {
        &self.0.review_turn
    }

    pub(crate) fn set_progress(&self, progress: Option<IngestProgress>) {
        self.0.progress.send_replace(progress);
    }

    /// What was acknowledged and is not taken in yet.
    pub(crate) fn backlog(&self) -> &Arc<Backlog> {
        &self.0.backlog
    }

    /// What keeps received instances from being taken in; nothing as long as all is well.
    pub(crate) fn receiving_trouble(&self) -> Option<ReceivingTrouble> {
        self.0.receiving_trouble.borrow().clone()
    }

    pub(crate) fn set_receiving_trouble(&self, trouble: Option<ReceivingTrouble>) {
        self.0.receiving_trouble.send_replace(trouble);
    }

    /// What keeps the text finder from looking; nothing as long as all is well.
    pub(crate) fn text_trouble(&self) -> Option<String> {
        self.0.text_trouble.borrow().clone()
    }

    pub(crate) fn set_text_trouble(&self, trouble: Option<String>) {
        self.0.text_trouble.send_replace(trouble);
    }

    pub(crate) fn contact(&self) -> &watch::Sender<Contact> {
        &self.0.contact
    }

    /// Wakes whoever delivers datasets to the hub.
    pub(crate) fn to_deliver(&self) -> &Notify {
        &self.0.to_deliver
    }

    pub(crate) fn case_cache(&self) -> &CaseCache {
        &self.0.cases
    }

    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// What the node says of itself, signed by itself.
    #[must_use]
    pub fn card(&self) -> Signed<NodeCard> {
        let (site, keys) = (&self.0.config.site, &self.0.keys);
        let card = NodeCard {
            node: keys.node,
            name: site.name.clone(),
            city: site.city.clone(),
            country: site.country.clone(),
            latitude: site.latitude,
            longitude: site.longitude,
            signing_key: keys.signing.public(),
            agreement_key: keys.agreement,
            software: env!("CARGO_PKG_VERSION").to_owned(),
        };
        Signed::new(&card, &keys.signing)
    }

    /// The federation, once joined.
    ///
    /// # Errors
    /// When the database fails or what was pinned is damaged.
    pub async fn membership(&self) -> Result<Option<Pinned>, NodeError> {
        let text = self.store().database().setting(MEMBERSHIP).await?;
        let damaged = |_| arno_store::StoreError::Corrupt { what: "membership" };
        Ok(text
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(damaged)?)
    }

    pub(crate) async fn pin(&self, pinned: &Pinned) -> Result<(), NodeError> {
        let text = serde_json::to_string(pinned)
            .map_err(|_| arno_store::StoreError::Corrupt { what: "membership" })?;
        let mut tx = self.store().database().write().await?;
        tx.set_setting(MEMBERSHIP, &text).await?;
        let fingerprint = format!("root key {}", pinned.root_key.fingerprint());
        tx.audit(
            self.now(),
            self.act(
                "arno",
                "join",
                &pinned.federation,
                Outcome::Done,
                fingerprint,
            ),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Makes the account of a data manager, or changes its password.
    ///
    /// # Errors
    /// When name or password are no good, or the database fails.
    pub async fn put_account(
        &self,
        name: &str,
        display_name: &str,
        password: &str,
    ) -> Result<(), NodeError> {
        if name.is_empty()
            || name.len() > 64
            || name.chars().any(|c| c.is_whitespace() || c.is_control())
        {
            return Err(NodeError::rule(
                "bad_account",
                "an account name has 1 to 64 characters without spaces",
            ));
        }
        if password.chars().count() < MIN_PASSWORD_CHARS {
            let detail = format!("a password has at least {MIN_PASSWORD_CHARS} characters");
            return Err(NodeError::rule("short_password", detail));
        }
        let password = password.to_owned();
        let account = Account {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            role: Role::DataManager,
            password_hash: tokio::task::spawn_blocking(move || hash_password(&password)).await?,
            sealed_key: None,
        };
        let mut tx = self.store().database().write().await?;
        tx.put_account(&account).await?;
        tx.audit(
            self.now(),
            self.act("arno", "account", name, Outcome::Done, String::new()),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// Looking at what was before de-identification is itself an act that is recorded.
    pub(crate) async fn note_preview(
        &self,
        series_uid: &str,
        actor: &str,
    ) -> Result<(), NodeError> {
        let mut tx = self.store().database().write().await?;
        tx.audit(
            self.now(),
            self.act(actor, "view preview", series_uid, Outcome::Done, ""),
        )
        .await?;
        Ok(tx.commit().await?)
    }

    /// What the overview page shows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overview(&self) -> Result<Overview, NodeError> {
        let contact = self.contact().borrow().clone();
        let membership = self.membership().await?.map(|pinned| MembershipState {
            federation: pinned.federation,
            hub_url: pinned.hub_url,
            connected: contact.connected,
            last_contact: contact.last_contact,
            last_error: contact.last_error,
        });
        let holdings = self.holdings().await?;
        let disclosure = self.config().site.disclosure;
        let patients_variance = disclosure.budget.variance(Part::Site, Level::Patients);
        let disclosure_alarms = self.disclosure_alarms().await?;
        Ok(Overview {
            node: self.id(),
            name: self.config().site.name.clone(),
            signing_key: self.keys().signing.public(),
            membership,
            holdings,
            ingesting: *self.progress().borrow(),
            receiving_trouble: self.receiving_trouble(),
            disclosure,
            patients_margin: disclosure.margin(patients_variance),
            disclosure_alarms,
        })
    }

    pub(crate) fn act(
        &self,
        actor: &str,
        action: &str,
        subject: &str,
        outcome: Outcome,
        detail: impl Into<String>,
    ) -> Act {
        // Parts of an entry come from the hub, which may be anybody: an entry stays readable.
        let clip = |text: &str| text.chars().take(MAX_AUDIT_CHARS).collect::<String>();
        Act {
            actor: clip(actor),
            action: action.to_owned(),
            subject: clip(subject),
            outcome,
            detail: clip(&detail.into()),
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Node({})", self.id())
    }
}

impl FromRef<Node> for Auth {
    fn from_ref(node: &Node) -> Self {
        node.0.auth.clone()
    }
}

/// The folder holds pseudonyms and, for a while, what was before them: nobody but its owner looks in.
pub(crate) fn make_private_folder(path: &Path) -> Result<(), NodeError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(path)
        .map_err(|error| NodeError::file(path, error))
}
