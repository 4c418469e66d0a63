//! `arno train`: a federated training, followed round by round.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use arno_domain::PermitId;
use arno_protocol::{
    analyses::{Analysis, AnalysisStatus, NewAnalysis, SiteState},
    requests::{AccessRequest, RequestState},
};

use crate::{
    Shared,
    output::{self, Grid, Refusal},
    profile,
};

const ASK_AGAIN: Duration = Duration::from_millis(60);
/// A training of an hour is not what this command waits for.
const LONGEST: Duration = Duration::from_secs(3600);

#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// The permit; by default the newest that was granted to you
    #[arg(long, conflicts_with = "without_permit")]
    permit: Option<PermitId>,
    /// Ask without a permit, to see the sites refuse
    #[arg(long)]
    without_permit: bool,
    /// A title
    #[arg(long, default_value = "Malignancy from the shape of outlines")]
    title: String,
    /// Least time of a round in milliseconds, to watch it on the page
    #[arg(long, default_value_t = 0, value_name = "MS")]
    pace: u32,
}

pub(crate) async fn run(shared: &Shared, args: TrainArgs) -> anyhow::Result<()> {
    let (client, profile) = profile::client(shared)?;
    let permit = match (args.without_permit, args.permit) {
        (true, _) => None,
        (false, Some(permit)) => Some(permit),
        (false, None) => Some(newest_permit(&client, &profile.account).await?),
    };
    let asked = NewAnalysis {
        title: args.title,
        permit,
        pace_ms: args.pace,
    };
    let analysis = train(&client, &asked, shared.json).await?;
    if shared.json {
        output::json(&analysis)?;
    } else {
        println!("{}", report(&analysis));
        println!(
            "\nAs a page: {}/analyses/{}",
            client.base_url(),
            analysis.id
        );
    }
    outcome(&analysis)
}

async fn newest_permit(client: &ApiClient, account: &str) -> anyhow::Result<PermitId> {
    let requests: Vec<AccessRequest> = client.get("/v1/requests").await?;
    let granted = requests
        .iter()
        .filter(|request| request.submitted_by == account)
        .filter_map(|request| match &request.state {
            RequestState::Granted { permit, .. } => Some(*permit),
            RequestState::InReview
            | RequestState::Refused { .. }
            | RequestState::Revoked { .. } => None,
        });
    granted
        .max()
        .context("you have no permit; ask for one with: arno request --purpose '...'")
}

/// Starts a training and follows it to its end, with a bar that counts rounds.
pub(crate) async fn train(
    client: &ApiClient,
    asked: &NewAnalysis,
    quiet: bool,
) -> anyhow::Result<Analysis> {
    let mut analysis: Analysis = client.post("/v1/analyses", asked).await?;
    let bar = output::bar(quiet, 0, "rounds");
    let started = Instant::now();
    while analysis.status == AnalysisStatus::Running {
        if started.elapsed() > LONGEST {
            bail!("still running after an hour; look at it with: arno status");
        }
        let rounds = analysis.rounds.len() as u64;
        bar.set_length(rounds.max(1));
        bar.set_position(rounds);
        tokio::time::sleep(ASK_AGAIN).await;
        analysis = client
            .get(&format!("/v1/analyses/{}", analysis.id))
            .await
            .context("while following the rounds")?;
    }
    bar.finish_and_clear();
    Ok(analysis)
}

/// Success, or why not.
pub(crate) fn outcome(analysis: &Analysis) -> anyhow::Result<()> {
    match &analysis.status {
        AnalysisStatus::Finished => Ok(()),
        AnalysisStatus::Running => bail!("still running"),
        AnalysisStatus::Failed { reason } => bail!("the training failed: {reason}"),
        AnalysisStatus::Refused => {
            let text = "the sites refused; ask for access with: arno request --purpose '...'";
            Err(Refusal(text.into()).into())
        }
    }
}

/// What a person wants to know of a training.
pub(crate) fn report(analysis: &Analysis) -> String {
    let mut lines = Vec::new();
    for site in &analysis.sites {
        if let SiteState::Refused { reason, .. } = &site.state {
            lines.push(format!("{} refused: {reason}", site.name));
        }
        if site.state == SiteState::Absent {
            lines.push(format!("{} did not answer and was left out", site.name));
        }
    }
    if !analysis.models.is_empty() {
        let mut grid = Grid::new(&["model", "auc", "test nodules"], &[1, 2]);
        for model in &analysis.models {
            let alone = if model.node.is_some() { " alone" } else { "" };
            let name = format!("{}{alone}", model.name);
            grid.row([
                name,
                format!("{:.4}", model.auc),
                (model.positives + model.negatives).to_string(),
            ]);
        }
        if let Some(yardstick) = &analysis.yardstick {
            grid.row([
                "Pooled data (yardstick)".into(),
                format!("{:.4}", yardstick.auc),
                String::new(),
            ]);
        }
        lines.push(grid.to_string());
        lines.push(format!("{} rounds", analysis.rounds.len()));
    }
    lines.join("\n")
}
