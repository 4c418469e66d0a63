//! The steps of the demo as a data user, a committee and data managers take them, through the public interfaces.

use std::{collections::BTreeMap, time::Instant};

use anyhow::Context as _;
use arno_client::ApiClient;
use arno_domain::audit::Outcome;
use arno_protocol::{
    analyses::{Analysis, AnalysisStatus, NewAnalysis, RoundKind, SiteState},
    catalogue::{AuditLog, CatalogueEntry},
    node::{DeidentificationPreview, OutlineRegion, Overview, SeriesDetail, SeriesPage},
    search::{CriterionStatus, SiteAnswer},
};

use super::{
    DemoArgs, Input,
    federation::{RESEARCHER, Running, Site},
    report::{PagesReport, Report, SearchReport, SiteReport, TrainingReport},
    setup, yardstick,
};
use crate::{search, train};

/// Asks about images, patients and readings at once.
const PHANTOM_COHORT: &str = "malignancy >= 3 and readers >= 2";
/// Of what a site has of fewer than five patients it says nothing, so the four with real images are not asked about.
const REAL_COHORT: &str = "malignancy >= 4 and readers >= 2";

/// Takes all steps and reports what happened.
///
/// # Errors
/// When a program does not answer as it should; a step that did not do its work is in [`Report::failures`].
pub async fn drive(
    args: &DemoArgs,
    running: &Running,
    started: Instant,
    quiet: bool,
) -> anyhow::Result<Report> {
    let mut report = Report {
        input: input_name(&running.input).into(),
        ..Report::default()
    };
    let researcher = running.hub_as(RESEARCHER).await?;
    for site in &running.sites {
        report
            .sites
            .push(arrivals(running, site, args.check).await?);
    }
    report.instances_received = report.sites.iter().map(|site| site.received).sum();
    report.quarantined = report.sites.iter().map(|site| site.quarantined).sum();
    report.datasets = researcher
        .get::<Vec<CatalogueEntry>>("/v1/datasets")
        .await?
        .len() as u64;
    ask(&mut report, running, &researcher).await?;
    report.refused_without_permit = try_without_permit(running, &researcher).await?;
    learn(args, &mut report, running, &researcher, quiet).await?;
    report.pages = pages(running).await?;
    report.judge();
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

fn input_name(input: &Input) -> &'static str {
    match input {
        Input::Phantoms => "phantoms",
        Input::Real(_) => "real series",
    }
}

async fn arrivals(running: &Running, site: &Site, again: bool) -> anyhow::Result<SiteReport> {
    let manager = running.node_as_manager(site).await?;
    let second_run_changed_nothing = if again {
        let run = setup::ingest_again(&manager, &site.landing).await?;
        Some(run.stored == 0 && run.quarantined == 0 && run.readings == 0)
    } else {
        None
    };
    let overview: Overview = manager.get("/v1/overview").await?;
    let holdings = overview.holdings;
    Ok(SiteReport {
        name: site.spec.name.into(),
        url: site.url.clone(),
        received: holdings.received,
        kept: holdings.instances,
        quarantined: holdings.quarantined,
        patients: holdings.patients,
        series: holdings.series,
        readings: holdings.readings,
        second_run_changed_nothing,
    })
}

async fn ask(report: &mut Report, running: &Running, researcher: &ApiClient) -> anyhow::Result<()> {
    let cohort = match running.input {
        Input::Phantoms => PHANTOM_COHORT,
        Input::Real(_) => REAL_COHORT,
    };
    let state = search::search(researcher, search::asked(cohort, &[])).await?;
    report.cohort.clone_from(&state.text);
    report.total = search::total(&state.total);
    for site in state.sites {
        let SiteAnswer::Counted(found) = site.answer else {
            continue;
        };
        let criteria = found.criteria.into_iter().map(|criterion| {
            let status = match criterion.status {
                CriterionStatus::Applied => "applied".to_owned(),
                CriterionStatus::Expanded(codes) => format!("applied, {codes} codes"),
                CriterionStatus::Unsupported => "unsupported".to_owned(),
            };
            (criterion.criterion, status)
        });
        let hidden = || "not counted".to_owned();
        let found = SearchReport {
            patients: found.counts.map_or_else(hidden, |counts| {
                search::within(counts.patients, counts.margins.patients)
            }),
            criteria: criteria.collect::<BTreeMap<_, _>>(),
        };
        report.search.insert(site.name, found);
    }
    Ok(())
}

/// Whether every site refused, and has the refusal in its own audit log.
async fn try_without_permit(running: &Running, researcher: &ApiClient) -> anyhow::Result<bool> {
    let asked = NewAnalysis {
        title: "Without a permit".into(),
        permit: None,
        pace_ms: 0,
    };
    let analysis = train::train(researcher, &asked, true).await?;
    let refused = analysis
        .sites
        .iter()
        .filter(|site| matches!(site.state, SiteState::Refused { .. }))
        .count();
    let mut logged = 0;
    for site in &running.sites {
        let manager = running.node_as_manager(site).await?;
        let log: AuditLog = manager.get("/v1/audit").await?;
        let about = analysis.id.to_string();
        let found = log.entries.iter().any(|entry| {
            entry.outcome == Outcome::Refused
                && (entry.subject.contains(&about) || entry.detail.contains(&about))
        });
        logged += usize::from(found && log.first_break.is_none());
    }
    let sites = running.sites.len();
    Ok(analysis.status == AnalysisStatus::Refused && refused == sites && logged == sites)
}

/// Permit, training, yardstick.
async fn learn(
    args: &DemoArgs,
    report: &mut Report,
    running: &Running,
    researcher: &ApiClient,
    quiet: bool,
) -> anyhow::Result<()> {
    let permit = running.grant_permit(researcher).await?;
    report.permit = permit.to_string();
    let title = "Malignancy from the shape of outlines".to_owned();
    let asked = NewAnalysis {
        title,
        permit: Some(permit),
        pace_ms: args.pace,
    };
    let begun = Instant::now();
    let analysis = train::train(researcher, &asked, quiet).await?;
    let seconds = begun.elapsed().as_secs_f64();
    train::outcome(&analysis)?;
    let landings: Vec<_> = running
        .sites
        .iter()
        .map(|site| site.landing.clone())
        .collect();
    let compared = analysis.clone();
    let yardstick =
        tokio::task::spawn_blocking(move || yardstick::pooled(&landings, &compared)).await??;
    let path = format!("/v1/analyses/{}/yardstick", analysis.id);
    let analysis: Analysis = researcher.put(&path, &yardstick).await?;
    report.training = training_report(&analysis, seconds)?;
    Ok(())
}

fn training_report(analysis: &Analysis, seconds: f64) -> anyhow::Result<TrainingReport> {
    let yardstick = analysis
        .yardstick
        .as_ref()
        .context("the hub lost the yardstick")?;
    let federated = analysis
        .models
        .iter()
        .find(|model| model.node.is_none())
        .context("no federated model")?;
    let alone = analysis.models.iter().filter(|model| model.node.is_some());
    Ok(TrainingReport {
        rounds: analysis.rounds.len(),
        newton_rounds: analysis
            .rounds
            .iter()
            .filter(|round| round.kind == RoundKind::Newton)
            .count(),
        site_auc: alone.map(|model| (model.name.clone(), model.auc)).collect(),
        federated_auc: federated.auc,
        pooled_auc: yardstick.auc,
        max_coefficient_difference: yardstick.max_coefficient_difference,
        test_nodules: federated.positives + federated.negatives,
        seconds,
    })
}

/// What a browser asks for: every program's page, and at each node one series with its frame, outlines, before and after.
async fn pages(running: &Running) -> anyhow::Result<PagesReport> {
    let mut report = PagesReport::default();
    let urls = std::iter::once(&running.hub_url).chain(running.sites.iter().map(|site| &site.url));
    for url in urls {
        let page = ApiClient::new(url, None)?.bytes("/").await?;
        report.served += usize::from(
            page.windows(9)
                .any(|window| window.eq_ignore_ascii_case(b"<!doctype")),
        );
    }
    for site in &running.sites {
        let manager = running.node_as_manager(site).await?;
        let page: SeriesPage = manager.get("/v1/series?limit=200").await?;
        let row = page
            .rows
            .iter()
            .find(|row| row.outlined && row.modality != "RTSTRUCT");
        let series = format!(
            "/v1/series/{}",
            row.context("a site has no series with outlines")?
                .series_uid
        );
        let detail: SeriesDetail = manager.get(&series).await?;
        let instance = detail
            .instances
            .get(detail.instances.len() / 2)
            .context("a series has no instance")?;
        let frame = manager
            .bytes(&format!(
                "{series}/instances/{}/frames/1",
                instance.instance_uid
            ))
            .await?;
        let outlines: Vec<OutlineRegion> = manager.get(&format!("{series}/outlines")).await?;
        let preview: DeidentificationPreview =
            manager.get(&format!("{series}/deidentification")).await?;
        report.frame_bytes.push(frame.len() as u64);
        report.outlines.push(outlines.len() as u64);
        report.changed_elements.push(
            preview
                .elements
                .iter()
                .filter(|element| element.action != "kept")
                .count() as u64,
        );
    }
    Ok(report)
}
