//! A search is counted over what the node holds, protected, and written down.

use std::collections::BTreeSet;

use arno_domain::{SearchId, cohort::Cohort, disclosure::ProtectedCount};
use arno_phantom::SITES;
use arno_protocol::federation::{AnswerBody, QuestionBody};

use crate::support::{ask, federation::Federation, refusal};

#[tokio::test]
async fn a_search_is_counted_protected_and_written_down() {
    let federation = Federation::new(&SITES[2..]).await;
    let node = &federation.sites[0].0.node;
    let search = async |text: &str| {
        let cohort: Cohort = text.parse().unwrap();
        let body = QuestionBody::Search {
            search: SearchId::new(),
            data_user: "researcher".into(),
            cohort,
        };
        ask(node, body).await
    };
    let facts = node.store().facts().await.unwrap();
    for text in [
        "",
        "malignancy >= 4",
        "readers = 4",
        "not malignancy >= 2",
        "malignancy >= 4.9 and readers <= 1",
    ] {
        let AnswerBody::Counts(found) = search(text).await else {
            panic!("no counts")
        };
        let cohort: Cohort = text.parse().unwrap();
        let patients: BTreeSet<_> = facts
            .iter()
            .filter(|row| cohort.matches(row) == Some(true))
            .map(|row| &row.patient)
            .collect();
        let expect = node.config().site.disclosure.protect(patients.len() as u64);
        assert_eq!(found.counts.unwrap().patients, expect, "{text}");
        assert_eq!(
            found.counts.unwrap().series,
            ProtectedCount::FewerThan(5),
            "there are no images"
        );
        assert_eq!(federation.last_act(0).await.2, cohort.to_string());
    }
    let AnswerBody::Counts(found) = search("modality = CT").await else {
        panic!("no counts")
    };
    assert_eq!(found.counts, None, "no modality is recorded without images");
    let many = Cohort::And(vec!["sex = F".parse().unwrap(); 65]);
    let body = QuestionBody::Search {
        search: SearchId::new(),
        data_user: "researcher".into(),
        cohort: many,
    };
    assert_eq!(refusal(&ask(node, body).await), "bad_cohort");
}
