//! From a request to a permit and back: only what the committee signed counts.

use arno_domain::{
    DatasetId, PermitId, SecretKey, Signed,
    permit::{Operation, Revocation},
};
use arno_protocol::{
    federation::{AnswerBody, QuestionBody},
    requests::{AccessRequest, Decision, NewRequest, NewRevocation, RequestState},
};
use chrono::Utc;

use crate::{
    fake_node::FakeNode,
    learning_node::publish_dataset,
    support::{TestHub, code},
};

fn new_request(datasets: Vec<DatasetId>) -> NewRequest {
    NewRequest {
        title: "A model".into(),
        purpose: "Tell malignant from benign".into(),
        datasets,
        operations: vec![Operation::Train, Operation::Evaluate, Operation::Train],
        days: 30,
        least_count: None,
    }
}

#[tokio::test]
async fn the_committee_signs_exactly_what_was_proposed() {
    let hub = TestHub::start().await;
    let (one, two) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let datasets = vec![publish_dataset(&one).await, publish_dataset(&two).await];
    let (researcher, committee) = (
        hub.person("researcher").await,
        hub.person("committee").await,
    );
    let single = researcher
        .post::<_, AccessRequest>("/v1/requests", &new_request(vec![datasets[0]]))
        .await;
    assert_eq!(code(single), "too_few_sites");
    let unknown = researcher
        .post::<_, AccessRequest>("/v1/requests", &new_request(vec![DatasetId::new()]))
        .await;
    assert_eq!(code(unknown), "not_found");
    let request: AccessRequest = researcher
        .post("/v1/requests", &new_request(datasets))
        .await
        .unwrap();
    let proposed = &request.proposed_permit;
    assert_eq!(
        (
            proposed.min_sites,
            proposed.operations.len(),
            proposed.datasets.len()
        ),
        (2, 2, 2)
    );
    let other = hub.person("other-researcher").await;
    let path = format!("/v1/requests/{}", request.id);
    assert_eq!(code(other.get::<AccessRequest>(&path).await), "not_found");

    let path = format!("{path}/decision");
    let decide = async |permit| {
        committee
            .post::<_, AccessRequest>(&path, &Decision::Grant { permit })
            .await
    };
    let stranger = SecretKey::from_seed(&[66; 32]);
    assert_eq!(
        code(decide(Signed::new(proposed, &stranger)).await),
        "permit_not_signed"
    );
    let mut wider = proposed.clone();
    wider.valid_until += chrono::Duration::days(1);
    assert_eq!(
        code(decide(Signed::new(&wider, &hub.committee)).await),
        "other_permit"
    );
    let granted = decide(Signed::new(proposed, &hub.committee)).await.unwrap();
    assert!(matches!(granted.state, RequestState::Granted { permit, .. } if permit == proposed.id));
    assert_eq!(
        code(decide(Signed::new(proposed, &hub.committee)).await),
        "already_decided"
    );

    revoke(&hub, proposed.id, &[&one, &two]).await;
    let audit = hub.audit().await;
    for entry in [
        "access requested: done",
        "permit granted: done",
        "permit revoked: done",
    ] {
        assert!(audit.contains(&entry.to_owned()), "{entry}");
    }
}

pub(crate) async fn revoke(hub: &TestHub, permit: PermitId, nodes: &[&FakeNode]) {
    let committee = hub.person("committee").await;
    let revocation = Revocation {
        permit,
        reason: "The study ended".into(),
        revoked_at: Utc::now(),
    };
    let path = format!("/v1/permits/{permit}/revocation");
    let send = async |key: &SecretKey| {
        let body = NewRevocation {
            revocation: Signed::new(&revocation, key),
        };
        committee.post::<_, AccessRequest>(&path, &body).await
    };
    assert_eq!(
        code(send(&SecretKey::from_seed(&[66; 32])).await),
        "revocation_not_signed"
    );
    let revoked = send(&hub.committee).await.unwrap();
    assert!(matches!(revoked.state, RequestState::Revoked { .. }));
    assert_eq!(code(send(&hub.committee).await), "not_granted");
    for node in nodes {
        let question = node.poll(1000).await.unwrap().remove(0);
        let QuestionBody::Revoke(signed) = &question.body else {
            panic!("{question:?}")
        };
        assert_eq!(
            signed.verify(&hub.committee.public()).unwrap(),
            revocation,
            "the node checks it itself"
        );
        node.answer(&question, AnswerBody::Accepted).await.unwrap();
    }
}

#[tokio::test]
async fn a_refusal_has_a_reason() {
    let hub = TestHub::start().await;
    let (one, two) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let datasets = vec![publish_dataset(&one).await, publish_dataset(&two).await];
    let (researcher, committee) = (
        hub.person("researcher").await,
        hub.person("committee").await,
    );
    let request: AccessRequest = researcher
        .post("/v1/requests", &new_request(datasets))
        .await
        .unwrap();
    let path = format!("/v1/requests/{}/decision", request.id);
    let refuse = async |reason: &str| {
        let decision = Decision::Refuse {
            reason: reason.into(),
        };
        committee.post::<_, AccessRequest>(&path, &decision).await
    };
    assert_eq!(code(refuse(" ").await), "bad_text");
    let refused = refuse("No ethics vote").await.unwrap();
    assert!(matches!(refused.state, RequestState::Refused { .. }));
    let seen: Vec<AccessRequest> = researcher.get("/v1/requests").await.unwrap();
    assert!(
        matches!(&seen[0].state, RequestState::Refused { reason, .. } if reason == "No ethics vote")
    );
}
