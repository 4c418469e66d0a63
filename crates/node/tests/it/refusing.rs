//! Rounds that a node refuses, and writes down: without a permit or with one that does not fit, with participants that are
//! not what they should be, and after a revocation.

use arno_domain::{
    AgreementKey, DatasetId, SecretKey, Signed,
    audit::Outcome,
    permit::{Permit, Revocation},
};
use arno_phantom::SITES;
use arno_protocol::{
    analyses::LogisticModel,
    federation::{AnswerBody, NodeCard, QuestionBody, RoundQuestion, RoundTask},
};

use crate::support::{ask, committee, federation::Federation, refusal, signed, start};

#[tokio::test]
async fn what_does_not_fit_is_refused_and_written_down() {
    let federation = Federation::new(&SITES[1..]).await;
    let check = async |change: &dyn Fn(&mut RoundQuestion), expect: &str| {
        let mut asked = federation.round(1, RoundTask::Moments);
        change(&mut asked);
        assert_eq!(
            refusal(&ask(&federation.sites[0].0.node, QuestionBody::Round(asked)).await),
            expect
        );
        let (action, outcome, detail) = federation.last_act(0).await;
        assert_eq!((action.as_str(), outcome), ("round", Outcome::Refused));
        assert!(detail.contains(expect), "{detail}");
    };
    let permit_with = |change: &dyn Fn(&mut Permit)| {
        let mut permit = federation.permit.clone();
        change(&mut permit);
        signed(&permit)
    };
    check(&|asked| asked.permit = None, "permit_missing").await;
    let hub = SecretKey::from_seed(&[8; 32]);
    check(
        &|asked| asked.permit = Some(Signed::new(&federation.permit, &hub)),
        "permit_not_signed",
    )
    .await;
    check(
        &|asked| asked.data_user = "stranger".into(),
        "permit_of_other_user",
    )
    .await;
    check(
        &|asked| asked.permit = permit_with(&|permit| permit.operations.clear()),
        "permit_for_other_operation",
    )
    .await;
    check(
        &|asked| asked.permit = permit_with(&|permit| permit.valid_until = start()),
        "permit_not_in_force",
    )
    .await;
    check(
        &|asked| asked.permit = permit_with(&|permit| permit.datasets.clear()),
        "permit_for_other_dataset",
    )
    .await;
    let unknown = |permit: &mut Permit| {
        permit
            .datasets
            .iter_mut()
            .for_each(|entry| entry.dataset = DatasetId::new());
    };
    check(
        &|asked| asked.permit = permit_with(&unknown),
        "dataset_unknown",
    )
    .await;
    check(&|asked| asked.participants.truncate(1), "too_few_sites").await;
    check(&|asked| asked.participants.reverse(), "bad_participants").await;
    check(
        &|asked| asked.participants[1] = asked.participants[0].clone(),
        "bad_participants",
    )
    .await;
    let forged = |card: &Signed<NodeCard>| {
        let mut card = card.unverified().unwrap();
        card.agreement_key = AgreementKey::of_secret(&[9; 32]);
        Signed::new(&card, &hub)
    };
    check(
        &|asked| asked.participants[1] = forged(&asked.participants[1]),
        "bad_participants",
    )
    .await;
    check(
        &|asked| asked.participants[0] = forged(&asked.participants[0]),
        "bad_participants",
    )
    .await;
    let bad = LogisticModel {
        mean: vec![0.0; 9],
        sd: vec![0.0; 9],
        coefficients: vec![0.0; 10],
    };
    check(
        &|asked| asked.task = RoundTask::Newton(bad.clone()),
        "bad_model",
    )
    .await;
}

#[tokio::test]
async fn a_swapped_key_is_noticed() {
    let federation = Federation::new(&SITES[1..]).await;
    federation.sum(1, RoundTask::Moments, &[0, 1]).await;
    let mut asked = federation.round(2, RoundTask::Moments);
    // The hub makes a key of its own for the other node and signs its card with a key of its own.
    let mut card = asked.participants[1].unverified().unwrap();
    let hub = SecretKey::from_seed(&[8; 32]);
    card.signing_key = hub.public();
    card.agreement_key = AgreementKey::of_secret(&[9; 32]);
    asked.participants[1] = Signed::new(&card, &hub);
    assert_eq!(
        refusal(&ask(&federation.sites[0].0.node, QuestionBody::Round(asked)).await),
        "changed_keys"
    );
}

#[tokio::test]
async fn a_revoked_permit_opens_nothing_any_more() {
    let federation = Federation::new(&SITES[1..]).await;
    let revocation = Revocation {
        permit: federation.permit.id,
        reason: "over".into(),
        revoked_at: start(),
    };
    let node = &federation.sites[0].0.node;
    let hub = SecretKey::from_seed(&[8; 32]);
    let forged = QuestionBody::Revoke(Signed::new(&revocation, &hub));
    assert_eq!(refusal(&ask(node, forged).await), "revocation_not_signed");
    let asked = federation.round(1, RoundTask::Moments);
    let context = federation.context(&asked);
    let contributions = federation.contributions(&asked, &[0, 1]).await;
    let revoke = QuestionBody::Revoke(Signed::new(&revocation, &committee()));
    assert_eq!(ask(node, revoke.clone()).await, AnswerBody::Accepted);
    assert_eq!(
        ask(node, revoke).await,
        AnswerBody::Accepted,
        "twice does no harm"
    );
    let unmask = federation.unmask(&context, &contributions, 0);
    assert_eq!(refusal(&ask(node, unmask).await), "permit_revoked");
    let next = QuestionBody::Round(federation.round(2, RoundTask::Moments));
    assert_eq!(refusal(&ask(node, next).await), "permit_revoked");
    assert!(node.store().list_permits(node.id()).await.unwrap()[0].revoked);
}
