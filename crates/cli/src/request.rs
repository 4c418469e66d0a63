//! `arno request`: asks for access to datasets, or shows how requests stand.

use anyhow::bail;
use arno_client::ApiClient;
use arno_domain::{DatasetId, permit::Operation};
use arno_protocol::{
    catalogue::CatalogueEntry,
    requests::{AccessRequest, NewRequest, RequestState},
};

use crate::{Shared, output, profile};

#[derive(Debug, clap::Args)]
pub(crate) struct RequestArgs {
    /// A title for the committee
    #[arg(long, default_value = "Federated malignancy model")]
    title: String,
    /// What the results are for
    #[arg(long)]
    purpose: String,
    /// A dataset id (may be given again); by default the newest version of every dataset with readings
    #[arg(long = "dataset", value_name = "DATASET")]
    datasets: Vec<DatasetId>,
    /// For how many days
    #[arg(long, default_value_t = 90)]
    days: u32,
}

pub(crate) async fn run(shared: &Shared, args: RequestArgs) -> anyhow::Result<()> {
    let (client, _) = profile::client(shared)?;
    let datasets = if args.datasets.is_empty() {
        datasets_with_readings(&client).await?
    } else {
        args.datasets
    };
    let request = submit(&client, args.title, args.purpose, datasets, args.days).await?;
    if shared.json {
        return output::json(&request);
    }
    println!(
        "Submitted {} for {} datasets.",
        request.id,
        request.asked.datasets.len()
    );
    if matches!(request.state, RequestState::InReview) {
        println!("The access committee decides; then: arno train --permit <permit>");
    }
    Ok(())
}

/// Submits a request for statistics, training and evaluation.
pub(crate) async fn submit(
    client: &ApiClient,
    title: String,
    purpose: String,
    datasets: Vec<DatasetId>,
    days: u32,
) -> anyhow::Result<AccessRequest> {
    let operations = vec![Operation::Statistics, Operation::Train, Operation::Evaluate];
    Ok(client
        .post(
            "/v1/requests",
            &NewRequest {
                title,
                purpose,
                datasets,
                operations,
                days,
            },
        )
        .await?)
}

/// The newest version of every dataset that holds readings.
pub(crate) async fn datasets_with_readings(client: &ApiClient) -> anyhow::Result<Vec<DatasetId>> {
    let mut entries: Vec<CatalogueEntry> = client.get("/v1/datasets").await?;
    entries.retain(|entry| entry.record.readings > 0);
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
        bail!("no dataset with readings is in the catalogue; see: arno status");
    }
    Ok(entries.into_iter().map(|entry| entry.record.id).collect())
}
