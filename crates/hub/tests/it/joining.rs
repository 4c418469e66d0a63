//! Joining, and who is not listened to.

use arno_domain::{Document as _, MessageId, NodeId, SecretKey, Signed, dataset::DatasetRecord};
use arno_hub::HubError;
use arno_protocol::{
    catalogue::{CatalogueEntry, Federation},
    federation::{Delivery, Message, NodeCard, Poll, Publish, Receipt},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::{DateTime, Duration, Utc};

use crate::{
    fake_node::FakeNode,
    support::{TestHub, code, until},
};

const POLL: Poll = Poll {
    wait_ms: 0,
    software: String::new(),
    instances: 0,
};

#[tokio::test]
async fn an_invitation_is_used_once() {
    let hub = TestHub::start().await;
    let invitation = hub.invitation().await;
    let (first, second) = (
        FakeNode::new(&hub, 1, &invitation),
        FakeNode::new(&hub, 2, &invitation),
    );
    let membership = first.join(&invitation.code).await.unwrap();
    assert_eq!(membership.federation, "Test federation");
    assert_eq!(
        first.join(&invitation.code).await.unwrap(),
        membership,
        "a lost answer is asked for again"
    );
    assert_eq!(
        code(second.join(&invitation.code).await),
        "invitation_refused"
    );
    assert_eq!(code(second.join("guessed").await), "invitation_refused");
    let federation: Federation = hub.nobody().get("/v1/federation").await.unwrap();
    assert_eq!(
        federation
            .nodes
            .iter()
            .map(|node| node.node)
            .collect::<Vec<_>>(),
        [first.id]
    );
    assert_eq!(
        (federation.root_key, federation.committee_key),
        (invitation.root_key, hub.committee.public())
    );
    let audit = hub.audit().await;
    assert!(
        audit.contains(&"node joined: done".into())
            && audit.contains(&"message refused: refused".into())
    );
    let code = invitation.code.as_bytes();
    assert!(
        !hub.database_bytes()
            .windows(code.len())
            .any(|window| window == code),
        "only its digest is kept"
    );
}

#[tokio::test]
async fn one_hub_serves_a_folder() {
    let hub = TestHub::start().await;
    assert!(matches!(
        hub.start_another().await,
        Err(HubError::Running(_))
    ));
}

#[tokio::test]
async fn a_member_cannot_be_replaced() {
    let hub = TestHub::start().await;
    let member = FakeNode::joined(&hub, 1).await;
    let invitation = hub.invitation().await;
    let thief = FakeNode {
        id: member.id,
        ..FakeNode::new(&hub, 2, &invitation)
    };
    assert_eq!(code(thief.join(&invitation.code).await), "already_member");
    let twin = FakeNode {
        id: NodeId::new(),
        ..member.clone()
    };
    assert_eq!(code(twin.join(&invitation.code).await), "already_member");
    // Neither used the invitation up.
    FakeNode::new(&hub, 3, &invitation)
        .join(&invitation.code)
        .await
        .unwrap();
}

/// The node's card with another value in one field, signed by the node: what a program other than ours could send.
fn changed_card(node: &FakeNode, field: &str, value: serde_json::Value) -> Signed<NodeCard> {
    let mut card = Signed::new(&node.card(), &node.key);
    let mut document: serde_json::Value = serde_json::from_str(&card.document).unwrap();
    document[field] = value;
    card.document = document.to_string();
    let signed = format!("{}\n{}", NodeCard::KIND, card.document);
    card.signature = URL_SAFE_NO_PAD.encode(node.key.sign(signed.as_bytes()));
    card
}

#[tokio::test]
async fn a_card_that_does_not_fit_is_refused() {
    let hub = TestHub::start().await;
    let invitation = hub.invitation().await;
    let node = FakeNode::new(&hub, 1, &invitation);
    let check = async |field: &str, value: serde_json::Value| {
        let card = changed_card(&node, field, value.clone());
        let joined = node.join_as(&invitation.code, card).await;
        assert_eq!(code(joined), "bad_card", "{field}: {value}");
    };
    check("country", "Austria".into()).await;
    check("country", "at".into()).await;
    check("latitude", 90.5.into()).await;
    check("longitude", (-180.5).into()).await;
    check("agreement_key", "no key".into()).await;
    // With these two of low order every secret agrees on zero, so that the hub could unmask.
    check("agreement_key", "00".repeat(32).into()).await;
    let order_8 = "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800";
    check("agreement_key", order_8.into()).await;
    // The invitation is still good for a card that fits.
    let card = changed_card(&node, "country", "AT".into());
    node.join_as(&invitation.code, card).await.unwrap();
}

async fn check(
    node: &FakeNode,
    key: &SecretKey,
    change: impl Fn(&mut Message<Poll>),
    expect: &str,
) {
    let mut message = Message::new(node.id, None, Utc::now(), POLL);
    change(&mut message);
    let sent = node
        .send::<Poll, Delivery>("/federation/v1/poll", &Signed::new(&message, key))
        .await;
    assert_eq!(code(sent), expect);
}

#[tokio::test]
async fn strangers_and_stale_messages_are_refused() {
    let hub = TestHub::start().await;
    let (node, other) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let shift = |message: &mut Message<Poll>, seconds: i64| {
        message.issued_at += Duration::seconds(seconds);
        message.expires_at += Duration::seconds(seconds);
    };
    check(&node, &SecretKey::from_seed(&[77; 32]), |_| {}, "stranger").await;
    check(&node, &other.key, |_| {}, "not_you").await;
    check(&node, &node.key, |message| shift(message, -121), "expired").await;
    check(&node, &node.key, |message| shift(message, 3_600), "not_yet").await;
    check(
        &node,
        &node.key,
        |message| message.expires_at += Duration::seconds(1),
        "too_long",
    )
    .await;
    check(&node, &node.key, |message| shift(message, -60), "resend").await;

    let message = node.message(POLL);
    node.send::<Poll, Delivery>("/federation/v1/poll", &message)
        .await
        .unwrap();
    assert_eq!(
        code(
            node.send::<Poll, Delivery>("/federation/v1/poll", &message)
                .await
        ),
        "replayed"
    );
    let mut forged = node.message(POLL);
    forged.document = forged.document.replace("\"wait_ms\":0", "\"wait_ms\":1");
    assert_eq!(
        code(
            node.send::<Poll, Delivery>("/federation/v1/poll", &forged)
                .await
        ),
        "bad_signature"
    );
    let refused = hub
        .audit()
        .await
        .into_iter()
        .filter(|entry| entry == "message refused: refused")
        .count();
    assert_eq!(refused, 7, "one entry for each kind; resend is no offence");
}

#[tokio::test]
async fn a_broken_line_shows_at_once() {
    let hub = TestHub::start().await;
    let node = FakeNode::joined(&hub, 1).await;
    let online = |expect: bool| {
        let nobody = hub.nobody();
        async move {
            let federation: Federation = nobody.get("/v1/federation").await.unwrap();
            let status = &federation.nodes[0];
            (status.online == expect).then_some((status.last_seen, status.instances))
        }
    };
    let job = node.serve(Box::new(|_| None));
    let (last_seen, instances): (Option<DateTime<Utc>>, u64) =
        until("the node online", || online(true)).await;
    assert!(last_seen.is_some() && instances == 7);
    job.abort();
    until("the node offline", || online(false)).await;
}

fn record(node: &FakeNode) -> DatasetRecord {
    DatasetRecord {
        id: arno_domain::DatasetId::new(),
        node: node.id,
        version: 1,
        title: "Lung CT".into(),
        description: "Phantoms".into(),
        cohort: "modality = CT".into(),
        licence: "CC BY 3.0".into(),
        synthetic_images: true,
        published_at: Utc::now(),
        patients: 20,
        studies: 21,
        series: 22,
        instances: 23,
        size_bytes: 24,
        readings: 25,
        breakdowns: [(
            "modality".into(),
            [(
                "CT".into(),
                arno_domain::disclosure::ProtectedCount::About(20),
            )]
            .into(),
        )]
        .into(),
        manifest_sha256: "ab".repeat(32),
        quality: None,
    }
}

#[tokio::test]
async fn only_the_node_itself_publishes_its_datasets() {
    let hub = TestHub::start().await;
    let (node, other) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let publish = async |sender: &FakeNode, record: &Signed<DatasetRecord>| {
        let message = sender.message(Publish {
            record: record.clone(),
        });
        sender
            .send::<Publish, Receipt>("/federation/v1/datasets", &message)
            .await
    };
    let first = record(&node);
    let signed = Signed::new(&first, &node.key);
    publish(&node, &signed).await.unwrap();
    publish(&node, &signed).await.unwrap();
    assert_eq!(code(publish(&other, &signed).await), "not_your_dataset");
    let foreign = Signed::new(&record(&other), &node.key);
    assert_eq!(code(publish(&node, &foreign).await), "not_your_dataset");
    let same_version = Signed::new(&record(&node), &node.key);
    assert_eq!(code(publish(&node, &same_version).await), "other_dataset");

    let second = DatasetRecord {
        version: 2,
        patients: 30,
        ..record(&node)
    };
    publish(&node, &Signed::new(&second, &node.key))
        .await
        .unwrap();
    let nobody = hub.nobody();
    let listed: Vec<CatalogueEntry> = nobody.get("/v1/datasets").await.unwrap();
    assert_eq!(
        listed.iter().map(|entry| &entry.record).collect::<Vec<_>>(),
        [&second],
        "the newest version"
    );
    let old: CatalogueEntry = nobody
        .get(&format!("/v1/datasets/{}", first.id))
        .await
        .unwrap();
    assert_eq!(
        old.signed.verify(&node.key.public()).unwrap(),
        first,
        "anybody can check it again"
    );
    let federation: Federation = nobody.get("/v1/federation").await.unwrap();
    assert_eq!(
        (federation.totals.datasets, federation.totals.patients),
        (1, 30)
    );
    let fields: Vec<serde_json::Value> = nobody.get("/v1/fields").await.unwrap();
    let modality = fields.iter().find(|info| info["field"] == "modality");
    assert_eq!(
        modality.unwrap()["examples"][0],
        "CT",
        "what is recorded comes first"
    );
}

#[tokio::test]
async fn message_ids_of_two_nodes_do_not_meet() {
    let hub = TestHub::start().await;
    let (node, other) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let id = MessageId::new();
    for node in [&node, &other] {
        let mut message = Message::new(node.id, None, Utc::now(), POLL);
        message.id = id;
        node.send::<Poll, Delivery>("/federation/v1/poll", &Signed::new(&message, &node.key))
            .await
            .unwrap();
    }
}
