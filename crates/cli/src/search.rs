//! `arno search`: how many patients match a cohort, per site, and which criteria each site honoured.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use arno_domain::{
    PermitId,
    cohort::{Cohort, Endpoint, Facet, Suggestion, complete},
    disclosure::{PermittedCounts, ProtectedCount},
};
use arno_protocol::search::{
    CriterionReport, CriterionStatus, ExactSearch, ExactSite, NewSearch, Panel, SearchState,
    SearchTotal, SiteAnswer, SiteCounts,
};

use crate::{
    Shared,
    output::{self, Grid},
    plots::plots,
    profile,
};

/// The hub gives up on a site after ten seconds.
const LONGEST: Duration = Duration::from_secs(30);
const ASK_AGAIN: Duration = Duration::from_millis(40);

#[derive(Debug, clap::Args)]
pub(crate) struct SearchArgs {
    /// The cohort, such as 'modality = CT and slice_thickness <= 2 mm and age in 40..75'; empty for everybody
    #[arg(default_value = "")]
    cohort: String,

    /// Count the patients by this besides: a field of words, a number that has steps (such as age), or an endpoint; may be given
    /// again. Each costs a share of your budget at each site, and the same again costs nothing
    #[arg(long, value_name = "FACET")]
    facet: Vec<Facet>,

    /// Draw overall survival; short for --facet overall_survival
    #[arg(long)]
    survival: bool,

    /// Count exactly, within the datasets of this permit; it must allow to count (`arno request --help` says how one gets it). Facets of words
    /// are then exact too, and cost nothing
    #[arg(long, value_name = "PERMIT")]
    permit: Option<PermitId>,

    /// Print what may come at the end of the cohort instead of asking it; shells call this on Tab
    #[arg(long, hide = true)]
    complete: bool,
}

pub(crate) async fn run(shared: &Shared, args: SearchArgs) -> anyhow::Result<()> {
    if args.complete {
        print!("{}", completions(&args.cohort));
        return Ok(());
    }
    explain_errors(&args.cohort)?;
    let (client, _) = profile::client(shared)?;
    let facets = args.facets();
    let new = match args.permit {
        None => asked(&args.cohort, &facets),
        Some(permit) => NewSearch::Exact(ExactSearch {
            text: args.cohort.clone(),
            permit,
            facets: facets.clone(),
        }),
    };
    let state = search(&client, new).await?;
    if shared.json {
        return output::json(&state);
    }
    println!("{}", table(&state));
    let counted = state.sites.iter().any(|site| has_counts(&site.answer));
    match (counted, state.totals) {
        (true, Some(totals)) => println!(
            "\n{}\nThe sites' own counts together: {} patients",
            total(&state.total),
            range(totals.patients_low, totals.patients_high)
        ),
        (true, None) => {
            print!("{}", facet_tables(&state));
            println!("\n{}", total(&state.total));
        }
        (false, _) => println!("\nNo site could count this."),
    }
    if state.permit.is_none() {
        print!("{}", plots(&state, &facets));
    }
    Ok(())
}

impl SearchArgs {
    /// Each once, in the order given.
    fn facets(&self) -> Vec<Facet> {
        let survival = self.survival.then_some(Facet::Survival(Endpoint::Overall));
        let mut facets: Vec<Facet> = Vec::new();
        for facet in self.facet.iter().copied().chain(survival) {
            if !facets.contains(&facet) {
                facets.push(facet);
            }
        }
        facets
    }
}

/// What the hub is asked.
pub(crate) fn asked(text: &str, facets: &[Facet]) -> NewSearch {
    let text = text.to_owned();
    match facets.is_empty() {
        true => NewSearch::Text(text),
        false => NewSearch::Panel(Panel {
            text,
            facets: facets.to_vec(),
        }),
    }
}

/// The text with each thing that may come, and what that means, one a line.
fn completions(text: &str) -> String {
    let end = text.chars().count();
    let found = complete(text, end, &|_| Vec::new());
    let done: String = text.chars().take(found.from).collect();
    let line = |one: &Suggestion| format!("{done}{}\t{}\n", one.text, one.note);
    found.suggestions.iter().map(line).collect()
}

/// Finds a mistake before anything is sent, and points at it.
fn explain_errors(text: &str) -> anyhow::Result<()> {
    match text.parse::<Cohort>() {
        Ok(cohort) => Ok(cohort.check()?),
        Err(error) => {
            let meant = error.suggestion.as_ref();
            let meant = meant.map_or_else(String::new, |meant| format!("; did you mean {meant}?"));
            bail!("{}{meant}\n\n{}", error.message, error.caret(text))
        }
    }
}

/// Asks and waits until every site has answered or is late.
pub(crate) async fn search(client: &ApiClient, asked: NewSearch) -> anyhow::Result<SearchState> {
    let mut state: SearchState = client.post("/v1/searches", &asked).await?;
    let started = Instant::now();
    while !state.complete {
        if started.elapsed() > LONGEST {
            bail!(
                "the hub still waits for a site; look again later at search {}",
                state.id
            );
        }
        tokio::time::sleep(ASK_AGAIN).await;
        state = client
            .get(&format!("/v1/searches/{}", state.id))
            .await
            .context("while waiting for the sites")?;
    }
    Ok(state)
}

/// One row a site.
pub(crate) fn table(state: &SearchState) -> Grid {
    let mut grid = Grid::new(
        &["site", "patients", "studies", "series", "criteria"],
        &[1, 2, 3],
    );
    for site in &state.sites {
        let [patients, studies, series, criteria] = cells(&site.answer);
        grid.row([site.name.clone(), patients, studies, series, criteria]);
    }
    grid
}

fn cells(answer: &SiteAnswer) -> [String; 4] {
    let none = |why: String| ["-".to_owned(), "-".to_owned(), "-".to_owned(), why];
    match answer {
        SiteAnswer::Waiting => none("waiting".into()),
        SiteAnswer::Late => none("no answer in time".into()),
        SiteAnswer::NotAsked => none("not asked: the permit names no dataset of this site".into()),
        SiteAnswer::Refused { code, reason } => none(format!("refused ({code}): {reason}")),
        SiteAnswer::Failed { reason } => none(format!("failed: {reason}")),
        SiteAnswer::Counted(found) => match found.counts {
            None => none(criteria(&found.criteria)),
            Some(counts) => [
                within(counts.patients, counts.margins.patients),
                within(counts.studies, counts.margins.studies),
                within(counts.series, counts.margins.series),
                criteria(&found.criteria),
            ],
        },
        SiteAnswer::Exact(found) => exact_cells(found),
    }
}

fn exact_cells(found: &ExactSite) -> [String; 4] {
    let of = match found.datasets.len() {
        1 => "1 dataset".to_owned(),
        count => format!("{count} datasets"),
    };
    let [patients, studies, series] = match found.counts {
        None => ["-".to_owned(), "-".to_owned(), "-".to_owned()],
        Some(PermittedCounts::FewerThan(limit)) => {
            [format!("< {limit}"), "-".to_owned(), "-".to_owned()]
        }
        Some(PermittedCounts::Exactly {
            patients,
            studies,
            series,
        }) => [patients, studies, series].map(|count| count.to_string()),
    };
    let note = format!("exact in {of}; {}", criteria(&found.criteria));
    [patients, studies, series, note]
}

/// One table a site that counted by value.
fn facet_tables(state: &SearchState) -> String {
    let mut text = String::new();
    for site in &state.sites {
        let SiteAnswer::Exact(found) = &site.answer else {
            continue;
        };
        for facet in &found.facets {
            let mut grid = Grid::new(&[facet.field.as_str(), "patients"], &[1]);
            for cell in &facet.cells {
                grid.row([cell.value.clone(), cell.patients.to_string()]);
            }
            text.push_str(&format!("\n{}, exactly:\n{grid}\n", site.name));
        }
    }
    text
}

/// A count and how far it is from the truth 95 times in a hundred.
pub(crate) fn within(count: ProtectedCount, margin: u64) -> String {
    match margin {
        0 => count.to_string(),
        margin => format!("{count} ± {margin}"),
    }
}

fn has_counts(answer: &SiteAnswer) -> bool {
    matches!(
        answer,
        SiteAnswer::Counted(SiteCounts {
            counts: Some(_),
            ..
        }) | SiteAnswer::Exact(ExactSite {
            counts: Some(_),
            ..
        })
    )
}

fn criteria(reports: &[CriterionReport]) -> String {
    let unsupported: Vec<_> = reports
        .iter()
        .filter(|report| report.status == CriterionStatus::Unsupported)
        .map(|report| report.criterion.as_str())
        .collect();
    let expanded = reports.iter().filter_map(|report| match report.status {
        CriterionStatus::Expanded(codes) => Some(format!("; {}: {codes} codes", report.criterion)),
        CriterionStatus::Applied | CriterionStatus::Unsupported => None,
    });
    if unsupported.is_empty() {
        format!("all applied{}", expanded.collect::<String>())
    } else {
        format!("not recorded here: {}", unsupported.join(", "))
    }
}

/// What the sites come to together, and what it is made of; or why there is nothing.
pub(crate) fn total(total: &SearchTotal) -> String {
    match total {
        SearchTotal::Waiting => "The total over the sites is not there yet.".to_owned(),
        SearchTotal::Missing { reason } => format!("No total over the sites: {reason}"),
        SearchTotal::Exact(found) => format!(
            "Exactly, under {}: {} patients, {} studies, {} series, added up from {} sites{}{}",
            found.permit,
            found.patients,
            found.studies,
            found.series,
            found.sites,
            besides(found.hidden, "hide a small count"),
            besides(found.without, "gave no exact count"),
        ),
        SearchTotal::Counted(found) => format!(
            "All {} sites, added up under masks: {} patients, {} studies, {} series",
            found.sites,
            within(
                ProtectedCount::About(found.patients),
                found.margins.patients
            ),
            within(ProtectedCount::About(found.studies), found.margins.studies),
            within(ProtectedCount::About(found.series), found.margins.series),
        ),
    }
}

fn besides(sites: u32, what: &str) -> String {
    match sites {
        0 => String::new(),
        sites => format!("; not in it: {sites} that {what}"),
    }
}

fn range(low: u64, high: u64) -> String {
    if low == high {
        format!("~ {low}")
    } else {
        format!("{low} to {high}")
    }
}

#[cfg(test)]
mod tests {
    use super::completions;

    #[test]
    fn what_may_come_is_printed_as_the_whole_text() {
        let found = completions("modality = CT and slice_th");
        let (text, note) = found.trim_end().split_once('\t').unwrap();
        assert_eq!(text, "modality = CT and slice_thickness");
        assert!(note.contains("thickness"), "{note}");
        assert_eq!(completions("nonsense = "), "");
    }
}
