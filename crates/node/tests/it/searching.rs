//! A search is counted over what the node holds, charged, drowned in noise, and written down.

use std::collections::BTreeSet;

use arno_domain::{
    Clock, SearchId,
    cohort::Cohort,
    disclosure::{Level, Part, ProtectedCount},
};
use arno_node::{Node, NodeConfig};
use arno_phantom::SITES;
use arno_protocol::{
    federation::{AnswerBody, QuestionBody},
    search::{Counts, SiteCounts},
};
use arno_store::{StoreError, node::Scope};

use crate::support::{TestNode, ask, clinic, dicom, federation::Federation, refusal};

fn asked(data_user: &str, cohort: Cohort) -> QuestionBody {
    QuestionBody::Search {
        search: SearchId::new(),
        data_user: data_user.into(),
        cohort,
        facets: Vec::new(),
    }
}

async fn search_as(node: &Node, data_user: &str, text: &str) -> AnswerBody {
    ask(node, asked(data_user, text.parse().unwrap())).await
}

async fn found(node: &Node, data_user: &str, text: &str) -> SiteCounts {
    match search_as(node, data_user, text).await {
        AnswerBody::Counts(found) => found,
        other => panic!("no counts: {other:?}"),
    }
}

fn figures(counts: Counts) -> [(u64, u64); 3] {
    let of = |count, margin| match count {
        ProtectedCount::About(count) => (count, margin),
        ProtectedCount::FewerThan(limit) => (u64::from(limit), margin),
    };
    [
        of(counts.patients, counts.margins.patients),
        of(counts.studies, counts.margins.studies),
        of(counts.series, counts.margins.series),
    ]
}

#[tokio::test]
async fn a_search_is_counted_protected_and_written_down() {
    let mut federation = Federation::new(&SITES[2..]).await;
    federation.sites[0].0.noise_from("5c").await;
    let node = &federation.sites[0].0.node;
    let facts = node.store().facts().await.unwrap();
    for text in [
        "",
        "malignancy >= 4",
        "readers = 4",
        "not malignancy >= 2",
        "malignancy >= 4.9 and readers <= 1",
    ] {
        let counts = found(node, "researcher", text).await.counts.unwrap();
        let cohort: Cohort = text.parse().unwrap();
        let patients: BTreeSet<_> = facts
            .iter()
            .filter(|row| cohort.matches(row) == Some(true))
            .map(|row| &row.patient)
            .collect();
        let (said, margin) = figures(counts)[0];
        // Four spreads of the noise and the rounding. A random secret would miss it once in twenty thousand times.
        let far = 2 * margin + 10;
        assert!(
            said.abs_diff(patients.len() as u64) <= far,
            "{text}: {said}"
        );
        assert_eq!(federation.last_act(0).await.2, cohort.to_string());
    }
    let unsupported = found(node, "researcher", "modality = CT").await;
    assert_eq!(
        unsupported.counts, None,
        "no modality is recorded without images"
    );
    let many = Cohort::And(vec!["sex = F".parse().unwrap(); 65]);
    assert_eq!(
        refusal(&ask(node, asked("researcher", many)).await),
        "bad_cohort"
    );
    let nobody = asked("", Cohort::everybody());
    assert_eq!(refusal(&ask(node, nobody).await), "bad_data_user");
}

#[tokio::test]
async fn the_same_question_has_the_same_answer_whoever_asks_and_however_it_is_written() {
    let mut site = TestNode::new().await;
    clinic(&site);
    site.ingest().await;
    // Under three random secrets in a hundred all counts of both questions below are hidden, and so alike.
    site.noise_from("5c").await;
    let node = &site.node;
    let first = found(node, "ann", "modality = CT and sex = F").await;
    let price = first.budget.unwrap().spent_microrho;
    assert!(price > 0);
    for text in ["modality = CT and sex = F", "sex = F and modality = CT"] {
        let again = found(node, "ann", text).await;
        assert_eq!(again.counts, first.counts);
        assert_eq!(again.budget, first.budget, "nothing is paid twice");
    }
    let other = found(node, "bob", "sex = F and modality = CT").await;
    assert_eq!(other.counts, first.counts);
    assert_eq!(other.budget.unwrap().spent_microrho, price, "each pays");
    let next = found(node, "ann", "modality = CT and sex = M").await;
    assert_ne!(next.counts, first.counts, "other noise");
    assert_eq!(next.budget.unwrap().spent_microrho, 2 * price);
    let since = node.store().data_version().await.unwrap();

    for slice in dicom::series(dicom::NOVAK, 3, 1, 2) {
        site.put(&format!("later/{}.dcm", slice.number), slice.file());
    }
    site.ingest().await;
    assert!(node.store().data_version().await.unwrap() > since);
    let later = found(node, "ann", "modality = CT and sex = F").await;
    assert_eq!(
        later.budget.unwrap().spent_microrho,
        3 * price,
        "of other data it is another answer"
    );
}

#[tokio::test]
async fn a_spent_budget_says_when_it_is_there_again_and_what_was_said_stays() {
    let mut site = TestNode::with(|site| {
        site.disclosure.budget.questions = 1;
        // Room at the site for three answers.
        let price = site.disclosure.budget.price(Part::Site).0;
        site.disclosure.budget.site_microrho = 3 * price / 1000;
    })
    .await;
    clinic(&site);
    site.ingest().await;
    for text in ["sex = F", "sex = M"] {
        found(&site.node, "ann", text).await;
    }
    let refused = search_as(&site.node, "ann", "modality = CT").await;
    let AnswerBody::Refused { code, reason } = &refused else {
        panic!("not refused: {refused:?}")
    };
    assert_eq!(code, "budget_spent");
    assert!(
        reason.contains("can be asked from 2026-03-08 08:00 UTC"),
        "{reason}"
    );
    let said = found(&site.node, "ann", "sex = F").await;

    found(&site.node, "bob", "modality = CT").await;
    assert_eq!(
        refusal(&search_as(&site.node, "invented", "age >= 1").await),
        "site_budget_spent",
        "data users that a hub invents share what the site has"
    );
    site.restarted(|_| {}).await;
    assert_eq!(
        found(&site.node, "ann", "sex = F").await.counts,
        said.counts,
        "a restart draws no new noise"
    );
    assert_eq!(
        refusal(&search_as(&site.node, "ann", "modality = CT").await),
        "budget_spent",
        "nor is anything forgotten"
    );
}

#[tokio::test]
async fn zero_looks_like_few() {
    let site = TestNode::with(|site| site.disclosure.budget.questions = 100_000).await;
    clinic(&site);
    site.ingest().await;
    let budget = site.node.config().site.disclosure.budget;
    let mut hidden = [0; 2];
    for at in 0..60 {
        for (group, text) in ["modality = MR", "modality = CT"].iter().enumerate() {
            let text = format!("{text} and age >= 0.{at:02}1");
            let counts = found(&site.node, "ann", &text).await.counts.unwrap();
            hidden[group] += u32::from(counts.patients == ProtectedCount::FewerThan(5));
        }
    }
    // With a spread of thousands, half of either are below the threshold; six spreads of a binomial are 23.
    assert!(budget.variance(Part::Site, Level::Patients) > 1_000_000);
    assert!(hidden[0].abs_diff(hidden[1]) < 33, "{hidden:?}");
}

#[tokio::test]
async fn a_panel_of_facets_is_one_question_with_many_cells() {
    let federation = Federation::new(&SITES[2..]).await;
    let node = &federation.sites[0].0.node;
    let panel = async |fields: &[&str]| {
        let body = QuestionBody::Search {
            search: SearchId::new(),
            data_user: "researcher".into(),
            cohort: "malignancy >= 3".parse().unwrap(),
            facets: fields.iter().map(|name| name.parse().unwrap()).collect(),
        };
        ask(node, body).await
    };
    let AnswerBody::Counts(first) = panel(&["sex", "modality"]).await else {
        panic!("no counts")
    };
    let budget = node.config().site.disclosure.budget;
    let price = budget.price(Part::Site).0 + budget.price(Part::Facets).0;
    assert_eq!(first.budget.unwrap().spent_microrho, price / 1000);
    let fields: Vec<_> = first
        .facets
        .iter()
        .map(|facet| facet.field.as_str())
        .collect();
    assert_eq!(fields, ["sex", "modality"]);
    assert_eq!(
        panel(&["sex", "modality"]).await,
        AnswerBody::Counts(first),
        "again it costs nothing and says the same"
    );
    assert_eq!(refusal(&panel(&["sex", "sex"]).await), "bad_facets");
}

#[tokio::test]
async fn what_comes_in_and_goes_shows_in_the_next_search() {
    let site = TestNode::new().await;
    let is_counted = async || {
        let found = found(&site.node, "ann", "modality = CT").await;
        found.counts.is_some()
    };
    assert!(!is_counted().await, "nothing is recorded of any modality");
    clinic(&site);
    site.ingest().await;
    assert!(is_counted().await, "what this program took in");

    let mut whole = Vec::new();
    let store = site.node.store();
    let each = |patient: &str, records| {
        whole.push((patient.to_owned(), records));
        Ok::<_, StoreError>(())
    };
    store.each_patient(each).await.unwrap();
    let patients: Vec<_> = whole.iter().map(|(patient, _)| patient.clone()).collect();
    assert!(patients.len() > 1);
    assert_eq!(store.records_of(&patients).await.unwrap(), whole);

    for row in site.series().await.rows {
        let scope = Scope {
            series_uid: Some(row.series_uid),
            ..Scope::default()
        };
        site.node.delete(&scope, "test").await.unwrap();
    }
    assert!(!is_counted().await, "what this program deleted");
    let again = NodeConfig::load(&site.data(), 0).unwrap();
    let other = Node::open(again, Clock::system()).await.unwrap();
    let taken = other.ingest(&site.landing(), "test").await;
    taken.unwrap();
    assert!(is_counted().await, "what another program took in");
}
