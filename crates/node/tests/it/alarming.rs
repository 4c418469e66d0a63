//! Questions that single out few patients alarm the data manager once, and nobody else notices.

use arno_domain::SearchId;
use arno_node::Node;
use arno_protocol::federation::{AnswerBody, QuestionBody};

use crate::support::{TestNode, ask, clinic};

async fn search(node: &Node, data_user: &str, cohort: &str) {
    let body = QuestionBody::Search {
        search: SearchId::new(),
        data_user: data_user.into(),
        cohort: cohort.parse().unwrap(),
        facets: Vec::new(),
    };
    let answer = ask(node, body).await;
    assert!(matches!(answer, AnswerBody::Counts(_)), "{answer:?}");
}

async fn alarms_in_the_log(node: &Node) -> Vec<String> {
    let log = node.store().database().audit_log(200).await.unwrap();
    assert_eq!(log.first_break, None);
    let alarms = log
        .entries
        .into_iter()
        .filter(|entry| entry.action == "disclosure alarm");
    alarms.map(|entry| entry.detail).collect()
}

#[tokio::test]
async fn somebody_who_isolates_patients_alarms_the_data_manager_once() {
    let site = TestNode::new().await;
    clinic(&site);
    site.ingest().await;
    for at in 0..4 {
        search(&site.node, "eve", &format!("age >= {}", 60 + at)).await;
        search(&site.node, "eve", &format!("age >= {}", 60 + at)).await;
    }
    search(&site.node, "ann", "modality = MR").await;
    let overview = site.node.overview().await.unwrap();
    assert!(
        overview.disclosure_alarms.is_empty(),
        "a few clicks are none"
    );
    for at in 4..7 {
        search(&site.node, "eve", &format!("age >= {}", 60 + at)).await;
    }
    let alarms = site.node.overview().await.unwrap().disclosure_alarms;
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].data_user.as_deref(), Some("eve"));
    assert_eq!(alarms[0].suspicious, 5);
    assert_eq!(
        alarms_in_the_log(&site.node).await,
        ["5 questions of this data user single out few patients"]
    );
}

#[tokio::test]
async fn whoever_asks_under_many_names_alarms_the_data_manager_too() {
    let site = TestNode::new().await;
    clinic(&site);
    site.ingest().await;
    for at in 0..20 {
        search(
            &site.node,
            &format!("name {at}"),
            &format!("age >= {}", 50 + at),
        )
        .await;
    }
    let alarms = site.node.overview().await.unwrap().disclosure_alarms;
    assert_eq!(alarms.len(), 1);
    assert_eq!(alarms[0].data_user, None);
    let state = site.node.disclosure_state().await.unwrap();
    assert_eq!(state.questions.len(), 20);
    assert!(
        state
            .questions
            .iter()
            .all(|question| question.suspicion.as_deref() == Some("isolates"))
    );
}
