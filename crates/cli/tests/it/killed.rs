//! Processes that are killed (SIGKILL) while a training runs: it goes on, and what comes back takes part again.

use std::path::PathBuf;

use crate::support::until;
use arno_cli::demo::{DemoArgs, Folder, Mode, Program, Running, start};
use arno_client::ApiClient;
use arno_protocol::{
    analyses::{Analysis, AnalysisStatus, NewAnalysis, Round, SiteState},
    catalogue::Federation,
    node::SeenPermit,
};

/// Slow enough that a test can kill between rounds.
const PACE_MS: u32 = 400;

async fn federation() -> (tempfile::TempDir, Running, ApiClient) {
    let base = tempfile::tempdir().unwrap();
    let mut args = DemoArgs::phantoms_in(base.path().join("demo"));
    args.imaged_patients = 1;
    let folder = Folder::open(&args.dir, false, true).unwrap();
    let mode = Mode::Processes(PathBuf::from(env!("CARGO_BIN_EXE_arno")));
    let running = start(&args, &folder, &mode, true).await.unwrap();
    let researcher = running.hub_as("researcher").await.unwrap();
    (base, running, researcher)
}

async fn begin(running: &Running, researcher: &ApiClient) -> Analysis {
    let permit = Some(running.grant_permit(researcher).await.unwrap());
    let asked = NewAnalysis {
        title: "Watched".into(),
        permit,
        pace_ms: PACE_MS,
    };
    researcher.post("/v1/analyses", &asked).await.unwrap()
}

async fn look(researcher: &ApiClient, analysis: &Analysis) -> Option<Analysis> {
    researcher
        .get(&format!("/v1/analyses/{}", analysis.id))
        .await
        .ok()
}

async fn rounds_done(researcher: &ApiClient, analysis: &Analysis, count: usize) -> Analysis {
    until("rounds", async || {
        let now = look(researcher, analysis).await?;
        let done = now
            .rounds
            .iter()
            .filter(|round| round.duration_ms.is_some())
            .count();
        (done >= count).then_some(now)
    })
    .await
}

async fn finished(researcher: &ApiClient, analysis: &Analysis) -> Analysis {
    until("the end of the training", async || {
        look(researcher, analysis)
            .await
            .filter(|now| now.status != AnalysisStatus::Running)
    })
    .await
}

async fn kill(program: &mut Program) {
    let Program::Process(process) = program else {
        panic!("this test runs processes")
    };
    process.kill().await.unwrap();
}

fn contributed(round: &Round) -> usize {
    round.contributed.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_node_is_left_out_and_comes_back() {
    let (_base, mut running, researcher) = federation().await;
    let analysis = begin(&running, &researcher).await;
    rounds_done(&researcher, &analysis, 3).await;
    kill(&mut running.sites[2].program).await;
    let left = until("a round of two", async || {
        let now = look(&researcher, &analysis).await?;
        now.rounds
            .iter()
            .any(|round| round.duration_ms.is_some() && contributed(round) == 2)
            .then_some(now)
    })
    .await;
    let absent = left
        .sites
        .iter()
        .filter(|site| site.state == SiteState::Absent)
        .count();
    assert_eq!(absent, 1, "the page shows who is missing");

    running.sites[2].program = running.places.start_node(2).await.unwrap();
    until("three nodes online", async || {
        let federation: Federation = researcher.get("/v1/federation").await.ok()?;
        federation
            .nodes
            .iter()
            .all(|node| node.online)
            .then_some(())
    })
    .await;
    let end = finished(&researcher, &analysis).await;
    assert_eq!(end.status, AnalysisStatus::Finished);
    assert!(end.rounds.iter().any(|round| contributed(round) == 2));

    let again = begin(&running, &researcher).await;
    let end = finished(&researcher, &again).await;
    assert_eq!(end.status, AnalysisStatus::Finished);
    assert!(
        end.rounds.iter().all(|round| contributed(round) == 3),
        "whoever came back takes part"
    );
    running.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_hub_goes_on_and_asks_nothing_twice() {
    let (_base, mut running, researcher) = federation().await;
    let analysis = begin(&running, &researcher).await;
    rounds_done(&researcher, &analysis, 4).await;
    kill(&mut running.hub).await;
    running.hub = running.places.start_hub().await.unwrap();
    let end = finished(&researcher, &analysis).await;
    assert_eq!(end.status, AnalysisStatus::Finished);
    let numbers: Vec<_> = end.rounds.iter().map(|round| round.round).collect();
    assert_eq!(
        numbers,
        (1..=u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>(),
        "each round once"
    );
    assert!(
        end.rounds.iter().all(|round| contributed(round) == 3),
        "every node answered every round"
    );

    // Each node answered every round, and its own model once: a doubled answer would show here.
    for site in &running.sites {
        let manager = running.node_as_manager(site).await.unwrap();
        let permits: Vec<SeenPermit> = manager.get("/v1/permits").await.unwrap();
        let answers = permits.iter().map(|permit| permit.answers).max().unwrap();
        assert_eq!(answers, end.rounds.len() as u64 + 1, "{}", site.spec.name);
    }
    running.stop().await;
}
