//! Exact counts: what the right permit opens, within its datasets alone; and that nothing is said where anything about it is wrong.

use std::collections::BTreeSet;

use arno_domain::{
    DatasetId, NodeId, SearchId, SecretKey, Signed,
    audit::Outcome,
    cohort::{Cohort, matching},
    disclosure::{ExactCounting, PermittedCount, PermittedCounts, UnderPermit},
    permit::{Operation, Permit, Revocation},
};
use arno_phantom::SITES;
use arno_protocol::{
    federation::{AnswerBody, CountQuestion, QuestionBody},
    node::LocalDataset,
    search::ExactSite,
};
use chrono::Duration;

use crate::support::{
    TestNode, ask, committee, dicom, federation, hospital, permit, refusal, signed, start,
};

fn counting(permit: Option<Signed<Permit>>, text: &str) -> CountQuestion {
    CountQuestion {
        search: SearchId::new(),
        data_user: "researcher".into(),
        cohort: text.parse().unwrap(),
        facets: Vec::new(),
        permit,
    }
}

async fn asked(site: &TestNode, question: CountQuestion) -> ExactSite {
    match ask(&site.node, QuestionBody::Count(question)).await {
        AnswerBody::Exact(found) => found,
        other => panic!("no exact counts: {other:?}"),
    }
}

async fn found(site: &TestNode, permit: &Permit, text: &str) -> ExactSite {
    asked(site, counting(signed(permit), text)).await
}

fn exactly(patients: u64, studies: u64, series: u64) -> Option<PermittedCounts> {
    Some(PermittedCounts::Exactly {
        patients,
        studies,
        series,
    })
}

fn to_count(datasets: &[&LocalDataset]) -> Permit {
    permit(datasets, &[Operation::Count])
}

async fn last_act(site: &TestNode) -> (String, Outcome, String) {
    let log = site.node.store().database().audit_log(1).await.unwrap();
    assert_eq!(log.first_break, None);
    let entry = &log.entries[0];
    (entry.action.clone(), entry.outcome, entry.detail.clone())
}

#[tokio::test]
async fn a_permit_opens_exact_counts_within_its_datasets() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let (women, men) = (site.publish("sex = F").await, site.publish("sex = M").await);
    let of_women = to_count(&[&women]);
    let record = &women.record;
    let all = exactly(record.patients, record.studies, record.series);
    assert_eq!((record.patients, record.studies), (1, 1));

    let everybody = found(&site, &of_women, "").await;
    assert_eq!(everybody.counts, all);
    assert_eq!(
        (everybody.permit, everybody.datasets),
        (of_women.id, vec![record.id])
    );
    let ct = found(&site, &of_women, "modality = CT").await;
    assert_eq!(ct.counts, exactly(1, 1, 2));
    let other = found(&site, &of_women, "sex = M").await;
    assert_eq!(other.counts, exactly(0, 0, 0), "nobody is nobody");
    let both = to_count(&[&women, &men, &women]);
    let counts = found(&site, &both, "modality = CT").await.counts;
    assert_eq!(counts, exactly(2, 2, 3));
    let not_here = found(&site, &both, "diagnosis = C34").await;
    assert_eq!(not_here.counts, None, "any count would be a guess");

    for slice in dicom::series(dicom::MEIER, 1, 9, 2) {
        site.put(&format!("later/{}.dcm", slice.number), slice.file());
    }
    site.ingest().await;
    let later = found(&site, &of_women, "").await;
    assert_eq!(
        later.counts, all,
        "a series that came later is in no version"
    );
}

#[tokio::test]
async fn what_is_said_is_written_down_and_costs_nothing() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let permit = to_count(&[&site.publish("").await]);
    found(&site, &permit, "modality = CT").await;
    let (action, outcome, detail) = last_act(&site).await;
    assert_eq!((action.as_str(), outcome), ("exact count", Outcome::Done));
    assert_eq!(detail, format!("under {}: modality = CT", permit.id));
    let ledger = site.node.store().exact_counts(10).await.unwrap();
    assert_eq!(ledger.len(), 1);
    assert_eq!(
        (
            ledger[0].permit,
            ledger[0].data_user.as_str(),
            ledger[0].cohort.as_str()
        ),
        (permit.id, "researcher", "modality = CT")
    );
    let seen = site
        .node
        .store()
        .list_permits(site.node.id())
        .await
        .unwrap();
    assert_eq!((seen[0].permit, seen[0].answers), (permit.id, 1));
    let since = start() - Duration::days(7);
    let spent = site.node.store().spent_by_all(since).await.unwrap();
    assert_eq!(spent.0, 0, "nothing of any budget");
    assert!(site.node.store().ledger(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn counts_are_those_of_the_reference_evaluator() {
    let (site, dataset) = federation::site(&SITES[2]).await;
    let few = site.publish("malignancy >= 4").await;
    let facts = site.node.store().facts().await.unwrap();
    let (all, few) = (to_count(&[&dataset]), to_count(&[&few]));
    for text in [
        "",
        "malignancy >= 4",
        "readers = 4",
        "not malignancy >= 2",
        "malignancy >= 4.9 and readers <= 1",
    ] {
        let cohort: Cohort = text.parse().unwrap();
        let patients = |within: &str| {
            let within: Cohort = within.parse().unwrap();
            let rows: Vec<_> = matching(&within, &facts).into_iter().cloned().collect();
            let rows = matching(&cohort, &rows);
            let patients: BTreeSet<_> = rows.iter().map(|row| row.patient.clone()).collect();
            patients.len() as u64
        };
        let counts = found(&site, &all, text).await.counts;
        assert_eq!(counts, exactly(patients(""), 0, 0), "{text}");
        let counts = found(&site, &few, text).await.counts;
        let expect = patients("malignancy >= 4");
        assert_eq!(counts, exactly(expect, 0, 0), "{text}");
    }
}

#[tokio::test]
async fn few_are_hidden_where_the_site_or_the_permit_says_so() {
    let mut site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let dataset = site.publish("").await;
    let mut permit = to_count(&[&dataset]);
    permit.least_count = Some(2);
    let panel = |permit: &Permit, text: &str| CountQuestion {
        facets: ["sex", "modality"]
            .map(|name| name.parse().unwrap())
            .to_vec(),
        ..counting(signed(permit), text)
    };
    let cells = |found: &ExactSite, at: usize| -> Vec<(String, PermittedCount)> {
        let cells = found.facets[at].cells.iter();
        cells
            .map(|cell| (cell.value.clone(), cell.patients))
            .collect()
    };
    let sexes = |women, men| vec![("F".to_owned(), women), ("M".to_owned(), men)];
    let hidden = asked(&site, panel(&permit, "sex = F")).await;
    assert_eq!(hidden.counts, Some(PermittedCounts::FewerThan(2)));
    let few = PermittedCount::FewerThan(2);
    assert_eq!(cells(&hidden, 0), sexes(few, few));
    let two = asked(&site, panel(&permit, "modality = CT")).await;
    assert_eq!(two.counts, exactly(2, 2, 3));
    assert_eq!(
        cells(&two, 1)[0],
        ("CT".to_owned(), PermittedCount::Exactly(2))
    );

    permit.least_count = None;
    let open = asked(&site, panel(&permit, "sex = F")).await;
    let one = PermittedCount::Exactly(1);
    assert_eq!(cells(&open, 0), sexes(one, one), "every value, exactly");
    assert_eq!(open.facets[0].lifted, ["sex = F"], "without its own filter");
    site.restarted(|site| site.disclosure.under_permit.threshold = 3)
        .await;
    let closed = asked(&site, panel(&permit, "modality = CT")).await;
    assert_eq!(closed.counts, Some(PermittedCounts::FewerThan(3)));
}

#[tokio::test]
async fn nothing_is_said_where_anything_is_wrong() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let right = to_count(&[&site.publish("").await]);
    let check = async |question: CountQuestion, expect: &str| {
        let answer = ask(&site.node, QuestionBody::Count(question)).await;
        assert_eq!(refusal(&answer), expect);
        let (action, outcome, detail) = last_act(&site).await;
        assert_eq!(
            (action.as_str(), outcome),
            ("exact count", Outcome::Refused)
        );
        assert!(detail.contains(expect), "{detail}");
        assert!(site.node.store().exact_counts(1).await.unwrap().is_empty());
        assert!(site.node.store().ledger(1).await.unwrap().is_empty());
    };
    let with = |change: &dyn Fn(&mut Permit)| {
        let mut permit = right.clone();
        change(&mut permit);
        counting(signed(&permit), "")
    };
    check(counting(None, ""), "permit_missing").await;
    let hub = SecretKey::from_seed(&[8; 32]);
    let forged = counting(Some(Signed::new(&right, &hub)), "");
    check(forged, "permit_not_signed").await;
    let for_another = CountQuestion {
        data_user: "somebody".into(),
        ..counting(signed(&right), "")
    };
    check(for_another, "permit_of_other_user").await;
    check(
        with(&|permit| permit.valid_until = start()),
        "permit_not_in_force",
    )
    .await;
    check(
        with(&|permit| permit.valid_from = start() + Duration::seconds(1)),
        "permit_not_in_force",
    )
    .await;
    for operations in [vec![], vec![Operation::Train, Operation::Statistics]] {
        check(
            with(&|permit| permit.operations.clone_from(&operations)),
            "permit_for_other_operation",
        )
        .await;
    }
    check(
        with(&|permit| permit.datasets[0].node = NodeId::new()),
        "permit_for_other_dataset",
    )
    .await;
    check(
        with(&|permit| permit.datasets[0].dataset = DatasetId::new()),
        "dataset_unknown",
    )
    .await;
    let mut many = counting(signed(&right), "");
    many.cohort = Cohort::And(vec!["sex = F".parse().unwrap(); 65]);
    check(many, "bad_cohort").await;

    let revocation = Revocation {
        permit: right.id,
        reason: "The study ended".into(),
        revoked_at: start(),
    };
    let revocation = Signed::new(&revocation, &committee());
    ask(&site.node, QuestionBody::Revoke(revocation)).await;
    check(counting(signed(&right), ""), "permit_revoked").await;
}

#[tokio::test]
async fn a_site_may_forbid_exact_counts_whatever_a_permit_says() {
    let site = TestNode::with(|site| {
        site.disclosure.under_permit = UnderPermit {
            counts: ExactCounting::Forbid,
            threshold: 0,
        };
    })
    .await;
    hospital(&site);
    site.ingest().await;
    let permit = to_count(&[&site.publish("").await]);
    let question = QuestionBody::Count(counting(signed(&permit), ""));
    let answer = ask(&site.node, question).await;
    assert_eq!(refusal(&answer), "exact_counts_forbidden");
}
