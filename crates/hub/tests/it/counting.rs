//! A search under a permit: whose it is, whom it goes to, and that exact counts and noise are never taken for each other.

use arno_domain::{
    DatasetId, PermitId, Signed,
    disclosure::{PermittedCounts, ProtectedCount},
    permit::{Operation, Permit},
};
use arno_protocol::{
    federation::{AnswerBody, QuestionBody},
    requests::{AccessRequest, Decision, NewRequest},
    search::{
        Counts, ExactSearch, ExactSite, ExactTotal, Margins, NewSearch, SearchState, SearchTotal,
        SiteAnswer, SiteCounts,
    },
};

use crate::{
    fake_node::FakeNode,
    learning_node::publish_dataset,
    support::{TestHub, code, until},
};

/// A permit to count in new datasets of these nodes, granted.
async fn to_count(hub: &TestHub, nodes: &[&FakeNode]) -> Permit {
    let mut datasets = Vec::new();
    for node in nodes {
        datasets.push(publish_dataset(node).await);
    }
    granted(hub, datasets, Operation::Count).await
}

async fn granted(hub: &TestHub, datasets: Vec<DatasetId>, operation: Operation) -> Permit {
    let new = NewRequest {
        title: "How many".into(),
        purpose: "Plan a study".into(),
        datasets,
        operations: vec![operation],
        days: 30,
        least_count: None,
    };
    let (researcher, committee) = (
        hub.person("researcher").await,
        hub.person("committee").await,
    );
    let request: AccessRequest = researcher.post("/v1/requests", &new).await.unwrap();
    let permit = Signed::new(&request.proposed_permit, &hub.committee);
    let path = format!("/v1/requests/{}/decision", request.id);
    let _: AccessRequest = committee
        .post(&path, &Decision::Grant { permit })
        .await
        .unwrap();
    request.proposed_permit
}

fn exact(permit: PermitId, patients: u64) -> AnswerBody {
    AnswerBody::Exact(ExactSite {
        permit,
        datasets: Vec::new(),
        counts: Some(PermittedCounts::Exactly {
            patients,
            studies: patients,
            series: 2 * patients,
        }),
        criteria: Vec::new(),
        facets: Vec::new(),
    })
}

fn noisy() -> AnswerBody {
    let count = ProtectedCount::About(20);
    AnswerBody::Counts(SiteCounts {
        counts: Some(Counts {
            patients: count,
            studies: count,
            series: count,
            margins: Margins::default(),
        }),
        criteria: Vec::new(),
        facets: Vec::new(),
        survival: Vec::new(),
        budget: None,
    })
}

fn asking(permit: PermitId) -> NewSearch {
    NewSearch::Exact(ExactSearch {
        text: "modality = CT".into(),
        permit,
        facets: Vec::new(),
    })
}

async fn done(hub: &TestHub, asked: &NewSearch) -> SearchState {
    let researcher = hub.person("researcher").await;
    let search: SearchState = researcher.post("/v1/searches", asked).await.unwrap();
    let (client, path) = (&researcher, &format!("/v1/searches/{}", search.id));
    until("the search to be complete", || async move {
        let state: SearchState = client.get(path).await.unwrap();
        state.complete.then_some(state)
    })
    .await
}

fn answer(state: &SearchState, node: &FakeNode) -> SiteAnswer {
    let site = state.sites.iter().find(|site| site.node == node.id);
    site.unwrap().answer.clone()
}

#[tokio::test]
async fn sites_of_the_permit_are_asked_and_their_sum_says_what_it_is_of() {
    let hub = TestHub::start().await;
    let mut nodes = Vec::new();
    for seed in 1..=4 {
        nodes.push(FakeNode::joined(&hub, seed).await);
    }
    let [one, two, three, other] = &nodes[..] else {
        panic!("four nodes")
    };
    let permit = to_count(&hub, &[one, two, three]).await;
    let id = permit.id;
    for (node, patients) in [(one, 17), (two, 3)] {
        node.serve(Box::new(move |question| {
            let QuestionBody::Count(count) = &question.body else {
                panic!("{question:?}")
            };
            assert_eq!(count.data_user, "researcher");
            let signed = count.permit.as_ref().unwrap();
            assert_eq!(signed.unverified().unwrap().id, id);
            Some(exact(id, patients))
        }));
    }
    three.serve(Box::new(|_| {
        Some(AnswerBody::Refused {
            code: "exact_counts_forbidden".into(),
            reason: "not here".into(),
        })
    }));
    other.serve(Box::new(|question| panic!("asked: {question:?}")));
    let state = done(&hub, &asking(id)).await;
    assert_eq!((state.permit, state.totals), (Some(id), None));
    let expect = ExactTotal {
        permit: id,
        sites: 2,
        hidden: 0,
        without: 2,
        patients: 20,
        studies: 20,
        series: 40,
    };
    assert_eq!(state.total, SearchTotal::Exact(expect));
    let refused = SiteAnswer::Refused {
        code: "exact_counts_forbidden".into(),
        reason: "not here".into(),
    };
    assert_eq!(answer(&state, three), refused);
    assert_eq!(answer(&state, other), SiteAnswer::NotAsked);
    let again = done(&hub, &asking(id)).await;
    assert_ne!(again.id, state.id, "under a permit it is asked anew");
    let audit = hub.audit().await;
    for entry in ["exact count: done", "search answered: refused"] {
        assert!(audit.contains(&entry.to_owned()), "{entry}");
    }
}

#[tokio::test]
async fn an_answer_of_the_other_kind_is_no_answer() {
    let hub = TestHub::start().await;
    let mut nodes = Vec::new();
    for seed in 1..=3 {
        nodes.push(FakeNode::joined(&hub, seed).await);
    }
    let of: Vec<_> = nodes.iter().collect();
    let permit = to_count(&hub, &of).await.id;
    let bodies = [noisy(), exact(PermitId::new(), 5), exact(permit, 1 << 41)];
    for (node, body) in nodes.iter().zip(bodies) {
        node.serve(Box::new(move |question| {
            Some(match &question.body {
                QuestionBody::Count(_) => body.clone(),
                // With noise: exact counts of the right permit are as wrong.
                _ => exact(permit, 5),
            })
        }));
    }
    let noise = NewSearch::Text("modality = CT".into());
    for asked in [asking(permit), noise] {
        let state = done(&hub, &asked).await;
        for node in &nodes {
            let found = answer(&state, node);
            assert!(matches!(found, SiteAnswer::Failed { .. }), "{found:?}");
        }
        assert!(matches!(state.total, SearchTotal::Missing { .. }));
    }
}

#[tokio::test]
async fn a_permit_that_does_not_fit_asks_nobody() {
    let hub = TestHub::start().await;
    let (one, two) = (
        FakeNode::joined(&hub, 1).await,
        FakeNode::joined(&hub, 2).await,
    );
    let datasets = vec![publish_dataset(&one).await, publish_dataset(&two).await];
    let to_count = granted(&hub, datasets[..1].to_vec(), Operation::Count).await;
    let to_train = granted(&hub, datasets, Operation::Train).await;
    let (to_count, to_train) = (to_count.id, to_train.id);
    let check = async |account: &str, permit: PermitId, expect: &str| {
        let client = hub.person(account).await;
        let found = client
            .post::<_, SearchState>("/v1/searches", &asking(permit))
            .await;
        assert_eq!(code(found), expect);
    };
    check("researcher", to_train, "permit_for_other_operation").await;
    check("researcher", PermitId::new(), "not_found").await;
    check("other-researcher", to_count, "not_found").await;
    check("committee", to_count, "not_found").await;
    assert_eq!(one.poll(0).await.unwrap(), []);
    crate::requesting::revoke(&hub, to_count, &[&one, &two]).await;
    check("researcher", to_count, "permit_revoked").await;
}
