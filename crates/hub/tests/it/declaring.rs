//! What nodes can be asked about: manifests are taken from their node alone, kept, and help to write cohorts.

use arno_domain::{
    Signed,
    cohort::Field,
    manifest::{Coverage, FieldCoverage, Manifest},
};
use arno_protocol::{
    federation::{Declare, QuestionBody, Receipt},
    search::{
        CohortReading, FieldInfo, NewSearch, Panel, ReadCohort, SavedCohort, SearchState, Written,
    },
};
use chrono::{DateTime, Utc};

use crate::{
    fake_node::FakeNode,
    support::{TestHub, code},
};

fn manifest(node: &FakeNode, values: &[&str], issued_at: DateTime<Utc>) -> Manifest {
    Manifest {
        node: node.id,
        issued_at,
        fields: vec![FieldCoverage {
            field: Field::parse("manufacturer").unwrap(),
            coverage: Coverage::Most,
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        }],
    }
}

#[tokio::test]
async fn a_manifest_comes_from_its_node_and_helps_to_write() {
    let mut hub = TestHub::start().await;
    let (node, other) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let declare = async |sender: &FakeNode, manifest: &Manifest| {
        let manifest = Signed::new(manifest, &node.key);
        let message = sender.message(Declare { manifest });
        sender
            .send::<Declare, Receipt>("/federation/v1/manifest", &message)
            .await
    };
    let now = Utc::now();
    let first = manifest(&node, &["Philips"], now);
    declare(&node, &first).await.unwrap();
    assert_eq!(code(declare(&other, &first).await), "not_your_manifest");
    let foreign = manifest(&other, &[], now);
    assert_eq!(code(declare(&node, &foreign).await), "not_your_manifest");
    let mut twice = manifest(&node, &[], now + chrono::Duration::seconds(1));
    twice.fields.push(twice.fields[0].clone());
    assert_eq!(code(declare(&node, &twice).await), "bad_manifest");
    let newer = manifest(&node, &["Siemens"], now + chrono::Duration::seconds(2));
    declare(&node, &newer).await.unwrap();
    declare(&node, &first).await.unwrap();

    hub.restart().await;
    let fields: Vec<FieldInfo> = hub.nobody().get("/v1/fields").await.unwrap();
    let maker = fields
        .iter()
        .find(|info| info.field.as_str() == "manufacturer")
        .unwrap();
    assert_eq!(maker.sites.len(), 1);
    assert_eq!(maker.sites[0].coverage, Coverage::Most);
    assert_eq!(
        maker.examples,
        ["Siemens"],
        "the newest, after a restart too"
    );

    let researcher = hub.person("researcher").await;
    let text = "modality = CT and manufacturer = s";
    let asked = ReadCohort {
        text: text.to_owned(),
        cursor: Some(34),
    };
    let written: Written = researcher
        .post("/v1/cohorts/reading", &asked)
        .await
        .unwrap();
    let completion = written.completion.unwrap();
    assert_eq!((completion.from, completion.suggestions.len()), (33, 1));
    assert_eq!(completion.suggestions[0].text, "Siemens");
    let CohortReading::Read(saved) = written.reading else {
        panic!("not read");
    };
    assert_eq!(saved.normal, "manufacturer = S and modality = CT");
}

#[tokio::test]
async fn a_cohort_that_was_asked_has_a_link() {
    let hub = TestHub::start().await;
    let researcher = hub.person("researcher").await;
    let asked = NewSearch::Text("sex = F and modality = CT".into());
    let state: SearchState = researcher.post("/v1/searches", &asked).await.unwrap();
    let committee = hub.person("committee").await;
    let path = format!("/v1/cohorts/{}", state.digest);
    let saved: SavedCohort = committee.get(&path).await.unwrap();
    assert_eq!((saved.digest, saved.text), (state.digest, state.text));
    let other = format!("/v1/cohorts/{}", "ab".repeat(32));
    assert_eq!(
        code(committee.get::<SavedCohort>(&other).await),
        "not_found"
    );
}

#[tokio::test]
async fn a_panel_of_facets_is_asked_of_every_site_with_the_cohort() {
    let hub = TestHub::start().await;
    let node = FakeNode::joined(&hub, 1).await;
    let researcher = hub.person("researcher").await;
    let panel = |names: &[&str]| {
        NewSearch::Panel(Panel {
            text: "modality = CT".into(),
            facets: names.iter().map(|name| name.parse().unwrap()).collect(),
        })
    };
    let plain = NewSearch::Text("modality = CT".into());
    let first: SearchState = researcher.post("/v1/searches", &plain).await.unwrap();
    let asked = panel(&["sex", "modality", "sex"]);
    let second: SearchState = researcher.post("/v1/searches", &asked).await.unwrap();
    assert_ne!(first.id, second.id, "one without facets does not answer it");
    let questions = node.poll(0).await.unwrap();
    let asked = questions
        .iter()
        .filter_map(|question| match &question.body {
            QuestionBody::Search { search, facets, .. } if *search == second.id => Some(facets),
            _ => None,
        });
    let names: Vec<_> = asked.flatten().map(|field| field.as_str()).collect();
    assert_eq!(names, ["sex", "modality"]);
    let none = researcher
        .post::<_, SearchState>("/v1/searches", &panel(&[]))
        .await;
    assert_eq!(code(none), "bad_facets");
}
