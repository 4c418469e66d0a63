//! The link with a real hub in the same process: joining, publishing, searching, training; a hub that restarts is found
//! again, and nothing needs a person.

use arno_client::{ApiClient, ClientError};
use arno_domain::{
    Clock, Signed,
    permit::{Operation, Revocation},
};
use arno_httpkit::unused_port;
use arno_hub::{Hub, HubConfig, NewAccount, RunningHub};
use arno_node::{Node, NodeConfig, NodeError, RunningNode, SiteConfig};
use arno_phantom::{InputOptions, SITES, write_site_input};
use arno_protocol::{
    analyses::{Analysis, AnalysisStatus, NewAnalysis},
    catalogue::{CatalogueEntry, Federation},
    node::NewDataset,
    requests::{AccessRequest, Decision, NewRequest, NewRevocation, RequestState},
    search::{ExactSearch, ExactTotal, NewSearch, SearchState, SearchTotal, SiteAnswer},
    session::{Role, Session, SignIn},
};
use chrono::Utc;
use serde::{Serialize, de::DeserializeOwned};
use tempfile::TempDir;

use crate::support::committee;

const PASSWORD: &str = "correct horse";

/// A federation in one process.
struct Running {
    folder: TempDir,
    hub: RunningHub,
    nodes: Vec<RunningNode>,
}

impl Running {
    /// A hub and one node for each of the last two sites, with their readings published.
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let hub_data = folder.path().join("hub");
        arno_hub::init(&hub_data, "Test federation", Some(committee().public()))
            .await
            .unwrap();
        for (name, role) in [
            ("researcher", Role::DataUser),
            ("committee", Role::Committee),
        ] {
            let account = NewAccount {
                name: name.into(),
                display_name: name.into(),
                role,
                password: PASSWORD.into(),
                sealed_key: None,
            };
            arno_hub::put_account(&hub_data, account, &Clock::system())
                .await
                .unwrap();
        }
        let hub = start_hub(&folder, unused_port(), unused_port()).await;
        let mut running = Self {
            folder,
            hub,
            nodes: Vec::new(),
        };
        for spec in &SITES[1..] {
            running.add_node(spec).await;
        }
        running
    }

    async fn add_node(&mut self, spec: &arno_phantom::SiteSpec) {
        let (data, input) = (
            self.folder.path().join(spec.key),
            self.folder.path().join(format!("{}-input", spec.key)),
        );
        let mut site = SiteConfig::new(
            spec.name,
            spec.city,
            spec.country,
            spec.latitude,
            spec.longitude,
        );
        site.disclosure.border_spread = 0;
        Node::init(&data, &site).await.unwrap();
        let running = Node::start(NodeConfig::load(&data, 0).unwrap(), Clock::system())
            .await
            .unwrap();
        let options = InputOptions {
            images: false,
            ..InputOptions::default()
        };
        write_site_input(spec, &input, &options, &|_| ()).unwrap();
        running.node().ingest(&input, "test").await.unwrap();
        let invited =
            arno_hub::invite(&self.folder.path().join("hub"), spec.name, &Clock::system())
                .await
                .unwrap();
        let invitation = invited.invitation.parse().unwrap();
        assert_eq!(
            running.node().join(&invitation).await.unwrap().federation,
            "Test federation"
        );
        assert!(matches!(
            running.node().join(&invitation).await,
            Err(NodeError::JoinedAlready(_))
        ));
        let new = NewDataset {
            title: format!("Nodules of {}", spec.name),
            description: String::new(),
            cohort: String::new(),
            licence: "CC BY 3.0".into(),
        };
        running.node().create_dataset(&new, "test").await.unwrap();
        self.nodes.push(running);
    }

    async fn client(&self, account: &str) -> ApiClient {
        let sign_in = SignIn {
            account: account.into(),
            password: PASSWORD.into(),
        };
        let session: Session = ApiClient::new(&self.hub.http_url, None)
            .unwrap()
            .post("/v1/session", &sign_in)
            .await
            .unwrap();
        ApiClient::new(&self.hub.http_url, session.token).unwrap()
    }
}

/// Ports are kept over a restart, as an operator would.
async fn start_hub(folder: &TempDir, http_port: u16, federation_port: u16) -> RunningHub {
    let config = HubConfig {
        http_port,
        federation_port,
        ..HubConfig::new(folder.path().join("hub"))
    };
    Hub::start(config, Clock::system()).await.unwrap()
}

/// Asks until the answer is as wanted.
async fn until<T: DeserializeOwned + std::fmt::Debug>(
    client: &ApiClient,
    path: &str,
    wanted: impl Fn(&T) -> bool,
) -> T {
    let limit = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    loop {
        let found: T = client.get(path).await.unwrap();
        if wanted(&found) {
            return found;
        }
        assert!(tokio::time::Instant::now() < limit, "{path}: {found:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

async fn post<B: Serialize + Sync, T: DeserializeOwned>(
    client: &ApiClient,
    path: &str,
    body: &B,
) -> T {
    client.post(path, body).await.unwrap()
}

fn port_of(url: &str) -> u16 {
    url.rsplit_once(':').unwrap().1.parse().unwrap()
}

async fn permitted(
    running: &Running,
    datasets: &[CatalogueEntry],
    operations: &[Operation],
) -> AccessRequest {
    let new = NewRequest {
        title: "Nodules".into(),
        purpose: "a model".into(),
        datasets: datasets.iter().map(|entry| entry.record.id).collect(),
        operations: operations.to_vec(),
        days: 30,
        least_count: None,
    };
    let request: AccessRequest =
        post(&running.client("researcher").await, "/v1/requests", &new).await;
    let permit = Signed::new(&request.proposed_permit, &committee());
    let path = format!("/v1/requests/{}/decision", request.id);
    post(
        &running.client("committee").await,
        &path,
        &Decision::Grant { permit },
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permit_to_count_opens_exact_counts_at_its_sites_alone() {
    let running = Running::new().await;
    let researcher = running.client("researcher").await;
    let catalogue: Vec<CatalogueEntry> = until(&researcher, "/v1/datasets", |entries: &Vec<_>| {
        entries.len() == 2
    })
    .await;
    let request = permitted(&running, &catalogue[..1], &[Operation::Count]).await;
    let RequestState::Granted { permit, .. } = request.state else {
        panic!("not granted: {request:?}")
    };
    let asked = NewSearch::Exact(ExactSearch {
        text: String::new(),
        permit,
        facets: Vec::new(),
    });
    let search: SearchState = post(&researcher, "/v1/searches", &asked).await;
    let path = format!("/v1/searches/{}", search.id);
    let found: SearchState =
        until(&researcher, &path, |search: &SearchState| search.complete).await;
    let record = &catalogue[0].record;
    let expect = ExactTotal {
        permit,
        sites: 1,
        hidden: 0,
        without: 1,
        patients: record.patients,
        studies: record.studies,
        series: record.series,
    };
    assert_eq!(found.total, SearchTotal::Exact(expect), "{found:?}");
    for site in &found.sites {
        match site.node == record.node {
            true => assert!(matches!(site.answer, SiteAnswer::Exact(_)), "{site:?}"),
            false => assert_eq!(site.answer, SiteAnswer::NotAsked),
        }
    }

    let revocation = Revocation {
        permit,
        reason: "The study ended".into(),
        revoked_at: Utc::now(),
    };
    let body = NewRevocation {
        revocation: Signed::new(&revocation, &committee()),
    };
    let path = format!("/v1/permits/{permit}/revocation");
    let _: AccessRequest = post(&running.client("committee").await, &path, &body).await;
    let refused = researcher
        .post::<_, SearchState>("/v1/searches", &asked)
        .await;
    assert!(
        matches!(&refused, Err(ClientError::Problem(problem)) if problem.code == "permit_revoked"),
        "{refused:?}"
    );
    for node in running.nodes {
        node.shutdown().await;
    }
    running.hub.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_join_publish_answer_and_train_and_find_a_hub_again() {
    let mut running = Running::new().await;
    let researcher = running.client("researcher").await;
    let catalogue: Vec<CatalogueEntry> = until(&researcher, "/v1/datasets", |entries: &Vec<_>| {
        entries.len() == 2
    })
    .await;
    until(&researcher, "/v1/federation", |federation: &Federation| {
        federation.nodes.iter().all(|node| node.online)
    })
    .await;

    let search: SearchState = post(
        &researcher,
        "/v1/searches",
        &NewSearch::Text("malignancy >= 4".into()),
    )
    .await;
    let path = format!("/v1/searches/{}", search.id);
    let answered: SearchState =
        until(&researcher, &path, |search: &SearchState| search.complete).await;
    assert!(
        answered
            .sites
            .iter()
            .all(|site| matches!(site.answer, SiteAnswer::Counted(_))),
        "{answered:?}"
    );

    let unpermitted = NewAnalysis {
        title: "Without".into(),
        permit: None,
        pace_ms: 0,
    };
    let analysis: Analysis = post(&researcher, "/v1/analyses", &unpermitted).await;
    let path = format!("/v1/analyses/{}", analysis.id);
    until(&researcher, &path, |analysis: &Analysis| {
        analysis.status == AnalysisStatus::Refused
    })
    .await;

    let request = permitted(
        &running,
        &catalogue,
        &[Operation::Train, Operation::Evaluate],
    )
    .await;
    let RequestState::Granted { permit, .. } = request.state else {
        panic!("not granted: {request:?}")
    };
    let analysis = NewAnalysis {
        title: "With".into(),
        permit: Some(permit),
        pace_ms: 0,
    };
    let analysis: Analysis = post(&researcher, "/v1/analyses", &analysis).await;
    let path = format!("/v1/analyses/{}", analysis.id);

    // The hub goes away in the middle and comes back where it was.
    until(&researcher, &path, |analysis: &Analysis| {
        analysis.rounds.len() >= 3
    })
    .await;
    let ports = (
        port_of(&running.hub.http_url),
        port_of(&running.hub.federation_url),
    );
    running.hub.shutdown().await;
    running.hub = start_hub(&running.folder, ports.0, ports.1).await;
    assert_eq!(
        (
            port_of(&running.hub.http_url),
            port_of(&running.hub.federation_url)
        ),
        ports
    );
    let finished: Analysis = until(&researcher, &path, |analysis: &Analysis| {
        analysis.status != AnalysisStatus::Running
    })
    .await;
    assert_eq!(finished.status, AnalysisStatus::Finished, "{finished:?}");
    let federation = finished
        .models
        .iter()
        .find(|model| model.node.is_none())
        .unwrap();
    assert!(federation.auc > 0.9, "{}", federation.auc);

    for node in running.nodes {
        let overview = node.node().overview().await.unwrap();
        assert!(overview.membership.unwrap().connected);
        assert!(
            node.node()
                .store()
                .list_datasets()
                .await
                .unwrap()
                .iter()
                .all(|dataset| dataset.delivered)
        );
        let log = node.node().store().database().audit_log(500).await.unwrap();
        assert_eq!(log.first_break, None);
        let refused = log
            .entries
            .iter()
            .filter(|entry| entry.detail.contains("permit_missing"))
            .count();
        assert_eq!(refused, 1, "the refusal is in the log");
        node.shutdown().await;
    }
}
