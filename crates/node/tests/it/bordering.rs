//! From how many patients a field counts as recorded is the node's secret: the same patients are enough at one node and too few at another.

use arno_domain::{SearchId, model::Field};
use arno_protocol::{
    federation::{AnswerBody, QuestionBody},
    search::CriterionStatus,
};

use crate::{attacking::put_patient, support::TestNode, support::ask};

/// Secrets, each of another node.
const SECRETS: [&str; 8] = ["01", "12", "23", "34", "45", "56", "67", "78"];

/// A node that holds so many patients of known age, whose borders lie seven patients above their least on average.
async fn site(patients: u32) -> TestNode {
    let site = TestNode::with(|site| site.disclosure.border_spread = 7).await;
    for number in 1..=patients {
        put_patient(&site, number, 40 + number);
    }
    site.ingest().await;
    site
}

/// Whether the node says that it records ages, under this secret. What it signs and what it answers are one.
async fn records_age(site: &mut TestNode, secret: &str) -> bool {
    site.noise_from(secret).await;
    let manifest = site.node.manifest().await.unwrap();
    let question = QuestionBody::Search {
        search: SearchId::new(),
        data_user: "ann".into(),
        cohort: "age > 0".parse().unwrap(),
        facets: vec!["age".parse().unwrap()],
    };
    let AnswerBody::Counts(found) = ask(&site.node, question).await else {
        panic!("an answer")
    };
    let is_recorded = manifest.field(Field::parse("age").unwrap()).is_some();
    let expect = match is_recorded {
        true => CriterionStatus::Applied,
        false => CriterionStatus::Unsupported,
    };
    assert_eq!(found.criteria[0].status, expect);
    assert_eq!(
        (found.counts.is_some(), found.facets.len()),
        (is_recorded, usize::from(is_recorded))
    );
    is_recorded
}

#[tokio::test]
async fn twelve_patients_are_enough_under_one_secret_and_too_few_under_another() {
    let mut site = site(12).await;
    let mut found = Vec::new();
    for secret in SECRETS {
        let is_recorded = records_age(&mut site, secret).await;
        assert_eq!(
            records_age(&mut site, secret).await,
            is_recorded,
            "{secret}"
        );
        found.push(is_recorded);
    }
    assert!(found.contains(&true) && found.contains(&false), "{found:?}");
}

#[tokio::test]
async fn four_patients_are_too_few_under_any_secret() {
    let mut site = site(4).await;
    for secret in SECRETS {
        assert!(!records_age(&mut site, secret).await, "{secret}");
    }
}
