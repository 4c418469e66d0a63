//! A hub that runs: what its handlers share, its two listeners, and its background jobs.

use std::{sync::Arc, time::Duration};

use arno_domain::{Clock, NodeId, PublicKey, audit::Act, audit::Outcome};
use arno_httpkit::Auth;
use arno_protocol::federation::{Body, Message};
use arno_store::{
    Database, StoreError,
    hub::members::{self, Member},
};
use axum::extract::FromRef;
use chrono::{DateTime, SubsecRound as _, Utc};
use tokio::{
    sync::{RwLock, Semaphore, watch},
    task::JoinSet,
};

use crate::{
    HubConfig, HubError, analyses, api, federation,
    identity::{self, Identity},
    manifests::Manifests,
    presence::Presence,
    refusals::Refusals,
    replay::ReplayWindow,
    setup,
};

/// How often what polls told is written: more often would only wear the disk.
const SEEN_PERIOD: Duration = Duration::from_secs(5);

/// Bodies of messages that are read at a time; each is at most 8 MiB.
const MAX_READERS: usize = 24;

/// What all handlers and jobs of a hub share. Cheap to clone.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

/// What is behind a [`Hub`]; its fields are for this crate only.
pub struct Shared {
    pub(crate) config: HubConfig,
    pub(crate) database: Database,
    pub(crate) clock: Clock,
    pub(crate) identity: Identity,
    pub(crate) name: String,
    pub(crate) committee: PublicKey,
    pub(crate) presence: Arc<Presence>,
    pub(crate) manifests: Manifests,
    pub(crate) replay: ReplayWindow,
    pub(crate) refusals: Refusals,
    pub(crate) readers: Semaphore,
    pub(crate) drivers: std::sync::Mutex<JoinSet<()>>,
    pub(crate) stopping: watch::Receiver<bool>,
    members: RwLock<Vec<Arc<Member>>>,
    auth: Auth,
}

impl std::ops::Deref for Hub {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl FromRef<Hub> for Auth {
    fn from_ref(hub: &Hub) -> Self {
        hub.auth.clone()
    }
}

/// A hub whose listeners are open. Call [`RunningHub::shutdown`] to stop it; dropped, it stops on its own.
pub struct RunningHub {
    /// Where the pages and the public API are, `http://localhost:<port>`.
    pub http_url: String,
    /// Where nodes call, `https://<name>:<port>`.
    pub federation_url: String,
    stop: watch::Sender<bool>,
    jobs: JoinSet<()>,
    hub: Hub,
    /// Keeps other processes off the folder.
    _lock: std::fs::File,
}

impl Hub {
    /// Opens keys and database, resumes running analyses, and listens on both ports.
    ///
    /// # Errors
    /// When the folder holds no hub, or a file, port or key cannot be used.
    pub async fn start(config: HubConfig, clock: Clock) -> Result<RunningHub, HubError> {
        let bind = config.bind;
        let listen = |port| async move {
            let listener = arno_httpkit::bind_next(bind, port).await;
            listener.map_err(HubError::io(format!("port {port} of {bind}")))
        };
        let (stop, stopping) = watch::channel(false);
        // The keys first: a folder without them is no hub, and gets no lock file either.
        let identity = Identity::open(&config.data)?;
        let lock = identity::lock(&config.data)?;
        let hub = Self::open(config, clock, identity, stopping).await?;
        let (http, http_port) = listen(hub.config.http_port).await?;
        let (nodes, federation_port) = listen(hub.config.federation_port).await?;
        let host = hub
            .config
            .public_names
            .first()
            .map_or("localhost", String::as_str);
        let federation_url = format!("https://{host}:{federation_port}");
        setup::set_address(&hub.database, &federation_url).await?;

        let tls = hub.identity.tls(&hub.config.public_names, bind)?;
        let mut jobs = JoinSet::new();
        jobs.spawn(arno_httpkit::serve(http, api::router(&hub), hub.stopped()));
        jobs.spawn(arno_httpkit::serve_tls(
            nodes,
            tls,
            federation::router(&hub),
            hub.stopped(),
        ));
        jobs.spawn(write_seen(hub.clone()));
        analyses::resume(&hub).await?;
        tracing::info!(http_port, federation_port, "the hub is ready");
        Ok(RunningHub {
            http_url: format!("http://localhost:{http_port}"),
            federation_url,
            stop,
            jobs,
            hub,
            _lock: lock,
        })
    }

    async fn open(
        config: HubConfig,
        clock: Clock,
        identity: Identity,
        stopping: watch::Receiver<bool>,
    ) -> Result<Self, HubError> {
        let database = setup::open_database(&config.data).await?;
        let (name, committee) = setup::federation(&database, &config.data).await?;
        let members: Vec<_> = members::members(&database)
            .await?
            .into_iter()
            .map(Arc::new)
            .collect();
        let nodes = members.iter().map(|member| member.card.node);
        let manifests = Manifests::load(&database, nodes).await?;
        let now = clock.now();
        let auth = Auth::new(
            database.clone(),
            clock.clone(),
            &format!("hub {}", identity.public()),
        );
        Ok(Self(Arc::new(Shared {
            presence: Arc::new(Presence::new(now, &config.waits)),
            replay: ReplayWindow::new(now),
            refusals: Refusals::default(),
            readers: Semaphore::new(MAX_READERS),
            drivers: std::sync::Mutex::default(),
            manifests,
            members: RwLock::new(members),
            auth,
            config,
            database,
            clock,
            identity,
            name,
            committee,
            stopping,
        })))
    }

    /// The time now, in whole microseconds: as it is stored, so that it is the same when it is read again.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.clock.now().trunc_subsecs(6)
    }

    /// Resolves when the hub is to stop.
    pub(crate) fn stopped(&self) -> impl Future<Output = ()> + Send + 'static {
        let mut stopping = self.stopping.clone();
        async move {
            // An error says that the running hub was dropped: stop as well.
            let _ = stopping.wait_for(|stop| *stop).await;
        }
    }

    /// All members, in order of joining.
    pub(crate) async fn members(&self) -> Vec<Arc<Member>> {
        self.members.read().await.clone()
    }

    /// A member by its id.
    pub(crate) async fn member(&self, node: NodeId) -> Option<Arc<Member>> {
        self.members
            .read()
            .await
            .iter()
            .find(|member| member.card.node == node)
            .cloned()
    }

    /// A member by its signing key.
    pub(crate) async fn member_of_key(&self, key: &PublicKey) -> Option<Arc<Member>> {
        self.members
            .read()
            .await
            .iter()
            .find(|member| member.card.signing_key == *key)
            .cloned()
    }

    /// Reads the members again after one joined.
    pub(crate) async fn reload_members(&self) -> Result<(), StoreError> {
        // The lock first: of two reloads, the later must not be overwritten by the earlier.
        let mut members = self.members.write().await;
        *members = members::members(&self.database)
            .await?
            .into_iter()
            .map(Arc::new)
            .collect();
        Ok(())
    }

    /// A message to a node, signed with the root key.
    pub(crate) fn reply<B: Body, R: Body>(
        &self,
        to: &Message<B>,
        body: R,
    ) -> arno_domain::Signed<Message<R>> {
        arno_domain::Signed::new(
            &Message::new(to.node, Some(to.id), self.now(), body),
            &self.identity.root,
        )
    }
}

/// An act for the audit log.
pub(crate) fn act(
    actor: impl ToString,
    action: &str,
    subject: impl ToString,
    outcome: Outcome,
    detail: impl Into<String>,
) -> Act {
    let (actor, subject) = (actor.to_string(), subject.to_string());
    Act {
        actor,
        action: action.to_owned(),
        subject,
        outcome,
        detail: detail.into(),
    }
}

async fn write_seen(hub: Hub) {
    let stopped = hub.stopped();
    tokio::pin!(stopped);
    loop {
        let stop = tokio::select! {
            () = tokio::time::sleep(SEEN_PERIOD) => false,
            () = &mut stopped => true,
        };
        if let Err(error) = write_seen_once(&hub).await {
            tracing::warn!(%error, "cannot note when nodes were last seen");
        }
        if stop {
            return;
        }
    }
}

async fn write_seen_once(hub: &Hub) -> Result<(), StoreError> {
    let unwritten = hub.presence.take_unwritten();
    if unwritten.is_empty() {
        return Ok(());
    }
    let mut tx = hub.database.write().await?;
    for seen in &unwritten {
        members::note_seen(&mut tx, seen).await?;
    }
    tx.commit().await
}

impl RunningHub {
    /// Stops: answers that are under way finish, analyses go on at the next start.
    pub async fn shutdown(mut self) {
        let _ = self.stop.send(true);
        self.take_drivers().shutdown().await;
        while self.jobs.join_next().await.is_some() {}
        self.hub.database.close().await;
    }

    fn take_drivers(&self) -> JoinSet<()> {
        let mut drivers = self
            .hub
            .drivers
            .lock()
            .expect("nothing panics while it holds this lock");
        std::mem::take(&mut *drivers)
    }
}

impl Drop for RunningHub {
    fn drop(&mut self) {
        let _ = self.stop.send(true);
        // The drivers hold the hub, and the hub holds them: break the circle.
        drop(self.take_drivers());
    }
}
