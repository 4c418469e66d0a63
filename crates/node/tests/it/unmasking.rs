//! Unmasking: a total comes to light once, of those who contributed, and of enough sites; nothing smaller does.

use arno_phantom::SITES;
use arno_protocol::{
    Base64,
    federation::{AnswerBody, QuestionBody, RoundTask},
};

use crate::support::{ask, federation::Federation, refusal};

#[tokio::test]
async fn a_total_is_unmasked_once_and_only_by_who_contributed() {
    let federation = Federation::new(&[SITES[1], SITES[2], SITES[1]]).await;
    let asked = federation.round(1, RoundTask::Moments);
    let context = federation.context(&asked);
    let contributions = federation.contributions(&asked, &[0, 1, 2]).await;
    let node = &federation.sites[0].0.node;
    let all = federation.unmask(&context, &contributions, 0);
    let first = ask(node, all.clone()).await;
    assert!(matches!(first, AnswerBody::Unmasking { .. }), "{first:?}");
    assert_eq!(ask(node, all.clone()).await, first);
    // The hub names other survivors: together with the first answer a single vector would come to light.
    let fewer = federation.unmask(&context, &contributions[..2], 0);
    assert_eq!(refusal(&ask(node, fewer).await), "unmasked_already");
    let QuestionBody::Unmask(mut elsewhere) = all else {
        panic!("no unmask question")
    };
    elsewhere.round = 2;
    assert_eq!(
        refusal(&ask(node, QuestionBody::Unmask(elsewhere.clone())).await),
        "not_contributed"
    );
    elsewhere.round = 1;
    elsewhere.request = Base64(b"[]".to_vec());
    assert_eq!(
        refusal(&ask(node, QuestionBody::Unmask(elsewhere)).await),
        "bad_unmask_request"
    );
}

#[tokio::test]
async fn a_total_of_fewer_sites_than_the_permit_wants_is_not_unmasked() {
    let mut federation = Federation::new(&[SITES[1], SITES[2], SITES[1]]).await;
    federation.permit.min_sites = 3;
    let asked = federation.round(1, RoundTask::Moments);
    let context = federation.context(&asked);
    let contributions = federation.contributions(&asked, &[0, 1, 2]).await;
    let two = federation.unmask(&context, &contributions[..2], 0);
    assert_eq!(
        refusal(&ask(&federation.sites[0].0.node, two).await),
        "too_few_sites"
    );
}
