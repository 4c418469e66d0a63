//! `arno status`: the federation at a glance.

use arno_protocol::{
    analyses::{Analysis, AnalysisStatus},
    catalogue::{CatalogueEntry, Federation},
    requests::{AccessRequest, RequestState},
};

use crate::{
    Shared,
    output::{self, Grid, grouped},
    profile,
};

pub(crate) async fn run(shared: &Shared) -> anyhow::Result<()> {
    let (client, profile) = profile::client(shared)?;
    let federation: Federation = client.get("/v1/federation").await?;
    let datasets: Vec<CatalogueEntry> = client.get("/v1/datasets").await?;
    let requests: Vec<AccessRequest> = client.get("/v1/requests").await?;
    let analyses: Vec<Analysis> = client.get("/v1/analyses").await?;
    if shared.json {
        let status = serde_json::json!({
            "federation": federation, "datasets": datasets, "requests": requests, "analyses": analyses,
        });
        return output::json(&status);
    }
    println!(
        "{} at {}, signed in as {}\n",
        federation.name, profile.hub, profile.account
    );
    println!("{}", sites(&federation));
    section("Datasets", &dataset_grid(&datasets), datasets.is_empty());
    section("Requests", &request_grid(&requests), requests.is_empty());
    section("Analyses", &analysis_grid(&analyses), analyses.is_empty());
    Ok(())
}

fn section(title: &str, grid: &Grid, empty: bool) {
    if !empty {
        println!("\n{title}\n{grid}");
    }
}

fn sites(federation: &Federation) -> Grid {
    let mut grid = Grid::new(&["site", "town", "state", "instances", "version"], &[3]);
    for node in &federation.nodes {
        let state = if node.online { "online" } else { "offline" };
        grid.row([
            node.name.clone(),
            format!("{}, {}", node.city, node.country),
            state.into(),
            grouped(node.instances),
            node.software.clone(),
        ]);
    }
    grid
}

fn dataset_grid(datasets: &[CatalogueEntry]) -> Grid {
    let mut grid = Grid::new(
        &["dataset", "title", "site", "patients", "series", "readings"],
        &[3, 4, 5],
    );
    for entry in datasets {
        let record = &entry.record;
        grid.row([
            record.id.to_string(),
            format!("{} v{}", record.title, record.version),
            entry.site.clone(),
            grouped(record.patients),
            grouped(record.series),
            grouped(record.readings),
        ]);
    }
    grid
}

fn request_grid(requests: &[AccessRequest]) -> Grid {
    let mut grid = Grid::new(&["request", "title", "by", "state"], &[]);
    for request in requests {
        let state = match &request.state {
            RequestState::InReview => "in review".to_owned(),
            RequestState::Granted { permit, .. } => format!("granted: {permit}"),
            RequestState::Refused { reason, .. } => format!("refused: {reason}"),
            RequestState::Revoked { reason, .. } => format!("revoked: {reason}"),
        };
        grid.row([
            request.id.to_string(),
            request.asked.title.clone(),
            request.submitted_by.clone(),
            state,
        ]);
    }
    grid
}

fn analysis_grid(analyses: &[Analysis]) -> Grid {
    let mut grid = Grid::new(&["analysis", "title", "state", "rounds"], &[3]);
    for analysis in analyses {
        let state = match &analysis.status {
            AnalysisStatus::Running => "running".to_owned(),
            AnalysisStatus::Finished => "finished".to_owned(),
            AnalysisStatus::Refused => "refused".to_owned(),
            AnalysisStatus::Failed { reason } => format!("failed: {reason}"),
        };
        grid.row([
            analysis.id.to_string(),
            analysis.title.clone(),
            state,
            analysis.rounds.len().to_string(),
        ]);
    }
    grid
}
