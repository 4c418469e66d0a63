//! A node that was upgraded before its hub: what it says is taken, with what the hub knows of it.

use arno_domain::{Signed, cohort::Field, disclosure::ProtectedCount};
use arno_protocol::{
    federation::{Answer, Body, Declare, Receipt},
    search::{FieldInfo, NewSearch, Panel, SearchState, SiteAnswer},
};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    fake_node::FakeNode,
    support::{TestHub, until},
};

/// An answer as another version writes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct OtherAnswer(Value);

impl Body for OtherAnswer {
    const KIND: &'static str = Answer::KIND;
}

/// A manifest as another version writes it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct OtherManifest(Value);

impl arno_domain::Document for OtherManifest {
    const KIND: &'static str = <arno_domain::manifest::Manifest as arno_domain::Document>::KIND;
}

#[tokio::test]
async fn a_panel_of_a_newer_node_is_shown() {
    let hub = TestHub::start().await;
    let node = FakeNode::joined(&hub, 1).await;
    let researcher = hub.person("researcher").await;
    let panel = NewSearch::Panel(Panel {
        text: String::new(),
        facets: vec!["sex".parse().unwrap()],
    });
    let search: SearchState = researcher.post("/v1/searches", &panel).await.unwrap();
    let question = node.poll(20_000).await.unwrap().remove(0);
    let about = |patients: u64| json!({ "about": patients });
    let answer = OtherAnswer(json!({
        "question": question.id,
        "question_sha256": question.sha256(),
        "took_ms": 3,
        "body": { "counts": {
            "counts": { "patients": about(40), "studies": about(40), "series": about(90), "slides": about(7) },
            "criteria": [],
            "facets": [{
                "field": "sex", "margin": 90, "drawn": "twice",
                "cells": [{ "value": "F", "patients": about(25), "label": "female" }],
            }],
        } },
    }));
    let message = node.message(answer);
    node.send::<OtherAnswer, Receipt>("/federation/v1/answers", &message)
        .await
        .unwrap();
    let (client, path) = (&researcher, format!("/v1/searches/{}", search.id));
    let path = path.as_str();
    let done = until("the search to be complete", || async move {
        let state: SearchState = client.get(path).await.unwrap();
        state.complete.then_some(state)
    })
    .await;
    let SiteAnswer::Counted(counted) = &done.sites[0].answer else {
        panic!("counted: {:?}", done.sites[0].answer)
    };
    assert_eq!(counted.counts.unwrap().patients, ProtectedCount::About(40));
    let cell = &counted.facets[0].cells[0];
    assert_eq!(
        (cell.value.as_str(), cell.patients),
        ("F", ProtectedCount::About(25))
    );
}

#[tokio::test]
async fn a_manifest_of_a_newer_node_counts_for_the_fields_that_are_known() {
    let hub = TestHub::start().await;
    let node = FakeNode::joined(&hub, 1).await;
    let field =
        |name: &str| json!({ "field": name, "coverage": "most", "values": [], "unit": "1" });
    let manifest = OtherManifest(json!({
        "node": node.id,
        "issued_at": Utc::now(),
        "model": 9,
        "fields": [field("sex"), field("telepathy")],
    }));
    let signed = Signed::new(&manifest, &node.key);
    // The same text under the type that this version knows.
    let manifest = serde_json::from_value(serde_json::to_value(signed).unwrap()).unwrap();
    let message = node.message(Declare { manifest });
    node.send::<Declare, Receipt>("/federation/v1/manifest", &message)
        .await
        .unwrap();
    let researcher = hub.person("researcher").await;
    let fields: Vec<FieldInfo> = researcher.get("/v1/fields").await.unwrap();
    let at_node: Vec<_> = fields
        .iter()
        .filter(|known| !known.sites.is_empty())
        .collect();
    assert_eq!(at_node.len(), 1);
    assert_eq!(at_node[0].field, Field::parse("sex").unwrap());
}
