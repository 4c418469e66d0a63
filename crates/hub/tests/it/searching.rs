//! A federated search: who answers what, who is late, and what a second answer does.

use arno_domain::disclosure::ProtectedCount;
use arno_protocol::{
    federation::{Answer, AnswerBody, QuestionBody, Receipt},
    search::{
        Counts, CriterionReport, CriterionStatus, Margins, NewSearch, SearchState, SearchTotals,
        SiteAnswer, SiteCounts,
    },
};

use crate::{
    fake_node::{Behaviour, FakeNode},
    support::{TestHub, code, until},
};

fn counts(patients: u64) -> AnswerBody {
    let count = ProtectedCount::About(patients);
    let report = CriterionReport {
        criterion: "modality = CT".into(),
        status: CriterionStatus::Applied,
    };
    AnswerBody::Counts(SiteCounts {
        counts: Some(Counts {
            patients: count,
            studies: count,
            series: count,
            margins: Margins::default(),
        }),
        criteria: vec![report],
        facets: Vec::new(),
        survival: Vec::new(),
        budget: None,
    })
}

fn counting(patients: u64) -> Behaviour {
    Box::new(move |question| {
        assert!(
            matches!(&question.body, QuestionBody::Search { data_user, .. } if data_user == "researcher")
        );
        Some(counts(patients))
    })
}

#[tokio::test]
async fn each_site_says_its_own() {
    let hub = TestHub::start().await;
    let (one, two, off) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
        FakeNode::joined(&hub, 3).await,
    );
    one.serve(counting(20));
    let refusal = || AnswerBody::Refused {
        code: "busy".into(),
        reason: "not today".into(),
    };
    two.serve(Box::new(move |_| Some(refusal())));
    let researcher = hub.person("researcher").await;
    let asked = NewSearch::Text("modality = CT".into());
    let search: SearchState = researcher.post("/v1/searches", &asked).await.unwrap();
    assert_eq!(
        (search.complete, search.sites.len(), search.text.as_str()),
        (false, 3, "modality = CT")
    );
    let again: SearchState = researcher.post("/v1/searches", &asked).await.unwrap();
    assert_eq!(
        again.id, search.id,
        "the same question within a minute is the same search"
    );

    let path = format!("/v1/searches/{}", search.id);
    let (client, path) = (&researcher, path.as_str());
    let done = until("the search to be complete", || async move {
        let state: SearchState = client.get(path).await.unwrap();
        state.complete.then_some(state)
    })
    .await;
    let answer = |node: &FakeNode| {
        done.sites
            .iter()
            .find(|site| site.node == node.id)
            .unwrap()
            .answer
            .clone()
    };
    assert!(matches!(answer(&one), SiteAnswer::Counted(_)));
    assert_eq!(
        answer(&two),
        SiteAnswer::Refused {
            code: "busy".into(),
            reason: "not today".into()
        }
    );
    assert_eq!(answer(&off), SiteAnswer::Late);
    let totals = SearchTotals {
        patients_low: 20,
        patients_high: 20,
        series_low: 20,
        series_high: 20,
    };
    assert_eq!(done.totals, Some(totals));
    let other = hub.person("other-researcher").await;
    assert_eq!(code(other.get::<SearchState>(path).await), "not_found");
    let audit = hub.audit().await;
    assert!(
        audit.contains(&"search: done".into())
            && audit.contains(&"search answered: refused".into())
    );
}

#[tokio::test]
async fn the_first_answer_stays_and_answers_cannot_be_moved() {
    let hub = TestHub::start().await;
    let (node, other) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let researcher = hub.person("researcher").await;
    let search: SearchState = researcher
        .post("/v1/searches", &NewSearch::Text("modality = CT".into()))
        .await
        .unwrap();
    let question = node.poll(1000).await.unwrap().remove(0);
    assert_eq!(
        code(other.answer(&question, counts(99)).await),
        "no_such_question"
    );
    let moved = Answer {
        question: question.id,
        question_sha256: "0".repeat(64),
        body: counts(99),
    };
    let moved = node
        .send::<Answer, Receipt>("/federation/v1/answers", &node.message(moved))
        .await;
    assert_eq!(code(moved), "other_question");
    node.answer(&question, counts(20)).await.unwrap();
    node.answer(&question, counts(99)).await.unwrap();
    let state: SearchState = researcher
        .get(&format!("/v1/searches/{}", search.id))
        .await
        .unwrap();
    assert_eq!(state.totals.unwrap().patients_low, 20);
    assert_eq!(
        node.poll(0).await.unwrap(),
        [],
        "what is answered is not asked again"
    );
}

#[tokio::test]
async fn what_is_lost_on_the_way_is_handed_out_again() {
    let hub = TestHub::start().await;
    let node = FakeNode::joined(&hub, 1).await;
    let researcher = hub.person("researcher").await;
    let _: SearchState = researcher
        .post("/v1/searches", &NewSearch::Text("sex = F".into()))
        .await
        .unwrap();
    let first = node.poll(0).await.unwrap();
    let again = node.poll(0).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(first.len(), 1);
}

#[tokio::test]
async fn absurd_counts_are_a_failure_of_the_site() {
    let hub = TestHub::start().await;
    let node = FakeNode::joined(&hub, 1).await;
    node.serve(Box::new(|_| Some(counts(u64::MAX))));
    let researcher = hub.person("researcher").await;
    let search: SearchState = researcher
        .post("/v1/searches", &NewSearch::Text(String::new()))
        .await
        .unwrap();
    let (client, path) = (&researcher, &format!("/v1/searches/{}", search.id));
    let done = until("the answer", || async move {
        let state: SearchState = client.get(path).await.unwrap();
        state.complete.then_some(state)
    })
    .await;
    assert!(
        matches!(done.sites[0].answer, SiteAnswer::Failed { .. }),
        "{done:?}"
    );
}
