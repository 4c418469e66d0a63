//! The federation's members and the catalogue of datasets. For everybody; nothing here is about a single patient.

use std::{collections::BTreeSet, sync::Arc};

use arno_domain::{
    DatasetId,
    cohort::{Field, FieldKind, Stepped, has_hierarchy, words_of},
    manifest::Manifest,
};
use arno_httpkit::{ApiError, ApiResult};
use arno_protocol::{
    Problem,
    catalogue::{CatalogueEntry, CatalogueTotals, Federation, NodeStatus},
    search::{FieldAtSite, FieldInfo},
};
use arno_store::hub::{
    datasets::{self, StoredDataset},
    members::Member,
};
use axum::{
    Json,
    extract::{Path, State},
};

use crate::{Hub, presence::Standing};

/// Dataset versions of one answer; more than a federation has today.
const MAX_DATASETS: u32 = 1_000;
/// Example values of a field.
const MAX_EXAMPLES: usize = 20;

/// The federation, its members and the catalogue's totals.
#[utoipa::path(get, path = "/v1/federation", tag = "catalogue", responses((status = 200, body = Federation)))]
pub(crate) async fn get_federation(State(hub): State<Hub>) -> ApiResult<Federation> {
    let datasets = datasets::newest_datasets(&hub.database, MAX_DATASETS).await?;
    let members = hub.members().await;
    Ok(Json(Federation {
        name: hub.name.clone(),
        root_key: hub.identity.public(),
        committee_key: hub.committee,
        nodes: members
            .iter()
            .map(|member| node_status(&hub, member))
            .collect(),
        totals: totals(&datasets),
    }))
}

/// The newest version of every dataset.
#[utoipa::path(get, path = "/v1/datasets", tag = "catalogue", responses((status = 200, body = Vec<CatalogueEntry>)))]
pub(crate) async fn list_datasets(State(hub): State<Hub>) -> ApiResult<Vec<CatalogueEntry>> {
    let mut entries = Vec::new();
    for dataset in datasets::newest_datasets(&hub.database, MAX_DATASETS).await? {
        entries.push(entry(&hub, dataset).await);
    }
    Ok(Json(entries))
}

/// One dataset version, also an older one.
#[utoipa::path(get, path = "/v1/datasets/{id}", tag = "catalogue", params(("id" = DatasetId, Path)),
    responses((status = 200, body = CatalogueEntry), (status = 404, body = Problem)))]
pub(crate) async fn get_dataset(
    State(hub): State<Hub>,
    Path(id): Path<String>,
) -> ApiResult<CatalogueEntry> {
    let dataset = datasets::dataset(&hub.database, parse_id(&id, "dataset")?).await?;
    Ok(Json(entry(&hub, dataset).await))
}

/// The fields that a cohort can ask about.
#[utoipa::path(get, path = "/v1/fields", tag = "catalogue", responses((status = 200, body = Vec<FieldInfo>)))]
pub(crate) async fn list_fields(State(hub): State<Hub>) -> ApiResult<Vec<FieldInfo>> {
    let datasets = datasets::newest_datasets(&hub.database, MAX_DATASETS).await?;
    Ok(Json(
        Field::all()
            .map(|field| field_info(&hub, field, &datasets))
            .collect(),
    ))
}

/// An id of the path; one that is none is a thing that does not exist.
pub(crate) fn parse_id<T: std::str::FromStr>(
    text: &str,
    what: &'static str,
) -> Result<T, ApiError> {
    text.parse()
        .map_err(|_| ApiError::not_found("not_found", format!("There is no such {what}.")))
}

fn node_status(hub: &Hub, member: &Member) -> NodeStatus {
    let card = &member.card;
    let seen = hub.presence.seen(card.node);
    let fresh = seen.as_ref();
    NodeStatus {
        node: card.node,
        name: card.name.clone(),
        city: card.city.clone(),
        country: card.country.clone(),
        latitude: card.latitude,
        longitude: card.longitude,
        online: hub.presence.standing(card.node, hub.now()) == Standing::Online,
        last_seen: fresh.map(|seen| seen.at).or(member.last_seen),
        joined_at: member.joined_at,
        software: fresh.map_or_else(|| member.software.clone(), |seen| seen.software.clone()),
        instances: fresh.map_or(member.instances, |seen| seen.instances),
    }
}

async fn entry(hub: &Hub, dataset: StoredDataset) -> CatalogueEntry {
    let node = dataset.record.node;
    let site = hub
        .member(node)
        .await
        .map(|member| member.card.name.clone())
        .unwrap_or_default();
    let online = hub.presence.standing(node, hub.now()) == Standing::Online;
    CatalogueEntry {
        record: dataset.record,
        site,
        online,
        signed: dataset.signed,
    }
}

fn totals(datasets: &[StoredDataset]) -> CatalogueTotals {
    datasets
        .iter()
        .fold(CatalogueTotals::default(), |mut totals, dataset| {
            let record = &dataset.record;
            totals.datasets += 1;
            // Saturating: the numbers are a node's own statement.
            totals.patients = totals.patients.saturating_add(record.patients);
            totals.studies = totals.studies.saturating_add(record.studies);
            totals.series = totals.series.saturating_add(record.series);
            totals.instances = totals.instances.saturating_add(record.instances);
            totals.readings = totals.readings.saturating_add(record.readings);
            totals
        })
}

fn field_info(hub: &Hub, field: Field, datasets: &[StoredDataset]) -> FieldInfo {
    let manifests = hub.manifests.all();
    let unit = match field.kind() {
        FieldKind::Number { unit } => unit,
        FieldKind::Days => "d",
        FieldKind::Code { .. } | FieldKind::Words | FieldKind::Flag => "",
    };
    let is_numeric = matches!(field.kind(), FieldKind::Number { .. } | FieldKind::Days);
    FieldInfo {
        field,
        entity: field.entity(),
        numeric: is_numeric,
        unit: unit.to_owned(),
        hierarchy: has_hierarchy(field),
        meaning: field.spec().meaning.to_owned(),
        steps: Stepped::of(field).map_or_else(Vec::new, |stepped| stepped.limits().to_vec()),
        examples: if is_numeric {
            Vec::new()
        } else {
            examples(field, &manifests, datasets)
        },
        sites: manifests
            .iter()
            .filter_map(|manifest| {
                Some(FieldAtSite {
                    node: manifest.node,
                    coverage: manifest.field(field)?.coverage,
                })
            })
            .collect(),
    }
}

/// Values that sites name, those that stand in the catalogue, and then those that anybody knows.
fn examples(field: Field, manifests: &[Arc<Manifest>], datasets: &[StoredDataset]) -> Vec<String> {
    let breakdowns = datasets
        .iter()
        .filter_map(|dataset| dataset.record.breakdowns.get(field.as_str()));
    let listed = manifests
        .iter()
        .filter_map(|manifest| manifest.field(field));
    let recorded: BTreeSet<_> = listed
        .flat_map(|known| &known.values)
        .chain(breakdowns.flat_map(|values| values.keys()))
        .collect();
    let mut examples: Vec<String> = recorded.into_iter().cloned().collect();
    for word in words_of(field) {
        if !examples.iter().any(|known| known == word) {
            examples.push((*word).to_owned());
        }
    }
    examples.truncate(MAX_EXAMPLES);
    examples
}
