//! `arno request`: asks for access to datasets, or shows how requests stand.

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use arno_domain::{DatasetId, permit::Operation};
use arno_protocol::{
    catalogue::CatalogueEntry,
    requests::{AccessRequest, NewRequest, RequestState},
};

use crate::{Shared, output, profile};

/// The way to exact counts, from the question to the numbers.
const EXACT_COUNTS: &str = "Exact counts in four lines:
  arno request --operation count --purpose 'Plan a study'    prints the request's id
  arno decide <REQUEST> --grant                              by the access committee; prints the permit
  arno status                                                shows the data user what was decided
  arno search --permit <PERMIT> 'modality = CT'              true numbers, within the permit's datasets";

#[derive(Debug, clap::Args)]
#[command(after_help = EXACT_COUNTS)]
pub(crate) struct RequestArgs {
    /// A title for the committee
    #[arg(long)]
    title: Option<String>,
    /// What the results are for
    #[arg(long)]
    purpose: String,
    /// A dataset id (may be given again); by default the newest version of every dataset, with readings where more than counts is asked for
    #[arg(long = "dataset", value_name = "DATASET")]
    datasets: Vec<DatasetId>,
    /// What is to be done (may be given again); by default statistics, train and evaluate
    #[arg(long = "operation", value_name = "OPERATION")]
    operations: Vec<Wanted>,
    /// With `--operation count`: hide exact counts of fewer patients than this
    #[arg(long, value_name = "PATIENTS")]
    least_count: Option<u32>,
    /// For how many days
    #[arg(long, default_value_t = 90)]
    days: u32,
}

/// An operation as it is written.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Wanted {
    /// Exact counts of cohorts within the datasets, site by site
    Count,
    /// Sums over patients
    Statistics,
    /// Rounds of federated training
    Train,
    /// A model measured against hidden labels
    Evaluate,
}

impl From<Wanted> for Operation {
    fn from(wanted: Wanted) -> Self {
        match wanted {
            Wanted::Count => Self::Count,
            Wanted::Statistics => Self::Statistics,
            Wanted::Train => Self::Train,
            Wanted::Evaluate => Self::Evaluate,
        }
    }
}

pub(crate) async fn run(shared: &Shared, args: RequestArgs) -> anyhow::Result<()> {
    let (client, _) = profile::client(shared)?;
    let mut operations: Vec<Operation> = args.operations.into_iter().map(Into::into).collect();
    if operations.is_empty() {
        operations = for_a_model();
    }
    let needs_readings = operations.iter().any(|wanted| *wanted != Operation::Count);
    let datasets = match (args.datasets.is_empty(), needs_readings) {
        (false, _) => args.datasets,
        (true, true) => datasets_with_readings(&client).await?,
        (true, false) => newest_datasets(&client, |_| true).await?,
    };
    let counts_only = !needs_readings;
    let new = NewRequest {
        title: args.title.unwrap_or_else(|| title(counts_only)),
        purpose: args.purpose,
        datasets,
        operations,
        days: args.days,
        least_count: args.least_count,
    };
    let request: AccessRequest = client.post("/v1/requests", &new).await?;
    if shared.json {
        return output::json(&request);
    }
    println!(
        "Submitted {} for {} datasets.",
        request.id,
        request.asked.datasets.len()
    );
    if matches!(request.state, RequestState::InReview) {
        let then = match counts_only {
            true => "arno search --permit <permit> '<cohort>'",
            false => "arno train --permit <permit>",
        };
        println!("The access committee decides; then: {then}");
    }
    Ok(())
}

fn title(counts_only: bool) -> String {
    match counts_only {
        true => "Exact counts".to_owned(),
        false => "Federated malignancy model".to_owned(),
    }
}

/// What a model needs.
fn for_a_model() -> Vec<Operation> {
    vec![Operation::Statistics, Operation::Train, Operation::Evaluate]
}

/// Submits a request for statistics, training and evaluation.
pub(crate) async fn submit(
    client: &ApiClient,
    title: String,
    purpose: String,
    datasets: Vec<DatasetId>,
    days: u32,
) -> anyhow::Result<AccessRequest> {
    let new = NewRequest {
        title,
        purpose,
        datasets,
        operations: for_a_model(),
        days,
        least_count: None,
    };
    Ok(client.post("/v1/requests", &new).await?)
}

/// The newest version of every dataset that holds readings.
pub(crate) async fn datasets_with_readings(client: &ApiClient) -> anyhow::Result<Vec<DatasetId>> {
    newest_datasets(client, |entry| entry.record.readings > 0)
        .await
        .context("no dataset with readings is in the catalogue")
}

/// The newest version of every dataset of a kind.
async fn newest_datasets(
    client: &ApiClient,
    is_wanted: fn(&CatalogueEntry) -> bool,
) -> anyhow::Result<Vec<DatasetId>> {
    let mut entries: Vec<CatalogueEntry> = client.get("/v1/datasets").await?;
    entries.retain(is_wanted);
    entries.sort_by(|one, other| {
        let key = |entry: &CatalogueEntry| {
            (
                entry.record.node,
                entry.record.title.clone(),
                entry.record.version,
            )
        };
        key(other).cmp(&key(one))
    });
    entries.dedup_by(|next, kept| {
        next.record.node == kept.record.node && next.record.title == kept.record.title
    });
    if entries.is_empty() {
        bail!("the catalogue has no dataset of the kind; see: arno status");
    }
    Ok(entries.into_iter().map(|entry| entry.record.id).collect())
}
