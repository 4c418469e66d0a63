//! Three nodes and the questions of a hub, in one process: with a permit they train one model out of masked sums; without,
//! or with anything that does not fit, they refuse and write it down.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use arno_domain::{
    AnalysisId, SearchId, SecretKey, Signed,
    audit::Outcome,
    cohort::Cohort,
    disclosure::ProtectedCount,
    permit::{Operation, Permit, Revocation},
};
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{self, Moments, NewtonSums, Progress, Row, Solver},
    nodule::{self, nodules},
    reading::{Reading, Split},
    secagg::{
        Contribution, Participant, ParticipantId, RoundContext, UnmaskRequest, Unmasking, aggregate,
    },
};
use arno_phantom::{InputOptions, SITES, SiteSpec, raw_readings, write_site_input};
use arno_protocol::{
    Base64,
    analyses::LogisticModel,
    federation::{AnswerBody, NodeCard, QuestionBody, RoundQuestion, RoundTask, UnmaskQuestion},
    node::LocalDataset,
};
use support::{TestNode, ask, permit, pinned, question, refusal, signed, start};

/// A node with the readings of one site, published.
async fn site(spec: &SiteSpec) -> (TestNode, LocalDataset) {
    let site = TestNode::new().await;
    let options = InputOptions {
        images: false,
        ..InputOptions::default()
    };
    write_site_input(spec, &site.landing(), &options, &|_| ()).unwrap();
    site.ingest().await;
    let dataset = site.publish("").await;
    (site, dataset)
}

/// The three nodes in order of their ids, with a permit for all.
struct Federation {
    sites: Vec<(TestNode, LocalDataset)>,
    permit: Permit,
    analysis: AnalysisId,
}

impl Federation {
    async fn new(specs: &[SiteSpec]) -> Self {
        let mut sites = Vec::new();
        for spec in specs {
            sites.push(site(spec).await);
        }
        sites.sort_by_key(|(site, _)| site.node.id());
        let datasets: Vec<_> = sites.iter().map(|(_, dataset)| dataset).collect();
        let permit = permit(&datasets, &[Operation::Train, Operation::Evaluate]);
        Self {
            sites,
            permit,
            analysis: AnalysisId::new(),
        }
    }

    fn cards(&self) -> Vec<Signed<NodeCard>> {
        self.sites
            .iter()
            .map(|(site, _)| site.node.card())
            .collect()
    }

    fn round(&self, round: u32, task: RoundTask) -> RoundQuestion {
        RoundQuestion {
            analysis: self.analysis,
            round,
            data_user: "researcher".into(),
            permit: signed(&self.permit),
            participants: self.cards(),
            task,
        }
    }

    fn context(&self, question: &RoundQuestion) -> RoundContext {
        let participants = question
            .participants
            .iter()
            .map(|card| card.unverified().unwrap())
            .map(|card| Participant {
                node: ParticipantId(*card.node.as_bytes()),
                agreement_public: *card.agreement_key.as_bytes(),
            });
        let task = question.task.sha256();
        RoundContext::new(
            *self.analysis.as_bytes(),
            question.round,
            task,
            participants.collect(),
        )
        .unwrap()
    }

    /// A whole round as the hub does it, with these sites alone contributing.
    async fn sum(&self, round: u32, task: RoundTask, contributing: &[usize]) -> Vec<f64> {
        let question = self.round(round, task);
        let context = self.context(&question);
        let mut contributions: Vec<Contribution> = Vec::new();
        for at in contributing {
            match ask(
                &self.sites[*at].0.node,
                QuestionBody::Round(question.clone()),
            )
            .await
            {
                AnswerBody::Contribution { payload } => {
                    contributions.push(serde_json::from_slice(&payload.0).unwrap())
                }
                other => panic!("{other:?}"),
            }
        }
        let mut unmaskings: Vec<Unmasking> = Vec::new();
        for at in contributing {
            match ask(
                &self.sites[*at].0.node,
                self.unmask(&context, &contributions, *at),
            )
            .await
            {
                AnswerBody::Unmasking { payload } => {
                    unmaskings.push(serde_json::from_slice(&payload.0).unwrap())
                }
                other => panic!("{other:?}"),
            }
        }
        aggregate(&context, &contributions, &unmaskings).unwrap()
    }

    fn unmask(
        &self,
        context: &RoundContext,
        contributions: &[Contribution],
        to: usize,
    ) -> QuestionBody {
        let me = ParticipantId(*self.sites[to].0.node.id().as_bytes());
        let request = UnmaskRequest::new(context, contributions, me).unwrap();
        let request = Base64(serde_json::to_vec(&request).unwrap());
        QuestionBody::Unmask(UnmaskQuestion {
            analysis: self.analysis,
            round: context.round(),
            request,
        })
    }

    async fn last_act(&self, site: usize) -> (String, Outcome, String) {
        let log = self.sites[site]
            .0
            .node
            .store()
            .database()
            .audit_log(1)
            .await
            .unwrap();
        assert_eq!(log.first_break, None);
        let entry = &log.entries[0];
        (entry.action.clone(), entry.outcome, entry.detail.clone())
    }
}

/// The same readings in one place, as they came.
fn pooled(specs: &[SiteSpec], split: Split) -> Vec<Row> {
    let rows = |spec: &SiteSpec| {
        let readings = raw_readings(spec).unwrap();
        let texts = readings.map(|reading| serde_json::to_string(&reading).unwrap());
        nodule::rows(
            &nodules(texts.map(|text| Reading::parse(&text).unwrap())),
            split,
        )
    };
    specs.iter().flat_map(rows).collect()
}

fn model(standardiser: &logistic::Standardiser, coefficients: &[f64]) -> LogisticModel {
    LogisticModel {
        mean: standardiser.mean.to_vec(),
        sd: standardiser.sd.to_vec(),
        coefficients: coefficients.to_vec(),
    }
}

#[tokio::test]
async fn masked_rounds_give_the_model_of_the_pooled_data() {
    let federation = Federation::new(&SITES[1..]).await;
    let both = [0, 1];
    let moments = Moments::from_vec(&federation.sum(1, RoundTask::Moments, &both).await).unwrap();
    let standardiser = moments.standardiser().unwrap();
    let (mut solver, mut round) = (Solver::new(), 2);
    let coefficients = loop {
        let task = RoundTask::Newton(model(&standardiser, solver.coefficients()));
        let sums = NewtonSums::from_vec(&federation.sum(round, task, &both).await).unwrap();
        round += 1;
        if let Progress::Converged { coefficients, .. } = solver.advance(&sums).unwrap() {
            break coefficients;
        }
    };
    let fit = logistic::fit(&pooled(&SITES[1..], Split::Train)).unwrap();
    for (federated, pooled) in coefficients.iter().zip(fit.coefficients) {
        assert!(
            (federated - pooled).abs() < 1e-6,
            "{coefficients:?} {:?}",
            fit.coefficients
        );
    }
    let task = RoundTask::Evaluate(vec![model(&standardiser, &coefficients)]);
    let histogram = ScoreHistogram::from_vec(&federation.sum(round, task, &both).await).unwrap();
    assert_eq!(
        histogram.positives() + histogram.negatives(),
        pooled(&SITES[1..], Split::Test).len() as u64
    );
    assert!(histogram.auc().unwrap() > 0.9, "{:?}", histogram.auc());

    let (action, outcome, detail) = federation.last_act(0).await;
    assert_eq!(
        (action.as_str(), outcome),
        ("unmask", Outcome::Done),
        "{detail}"
    );
    let seen = federation.sites[0]
        .0
        .node
        .store()
        .list_permits(federation.sites[0].0.node.id())
        .await
        .unwrap();
    assert_eq!(
        (seen.len(), seen[0].answers, seen[0].revoked),
        (1, u64::from(round), false)
    );
    assert_eq!(
        seen[0].datasets,
        [federation.sites[0].1.record.id],
        "only those of this node"
    );
}

#[tokio::test]
async fn a_node_that_drops_out_does_not_spoil_the_sum() {
    let specs = [SITES[1], SITES[2], SITES[1]];
    let federation = Federation::new(&specs).await;
    let all = Moments::from_vec(&federation.sum(1, RoundTask::Moments, &[0, 1, 2]).await).unwrap();
    let two = Moments::from_vec(&federation.sum(2, RoundTask::Moments, &[0, 2]).await).unwrap();
    assert!(two.rows > 0 && two.rows < all.rows);
    // The one that was gone takes part in the next round again.
    assert_eq!(
        Moments::from_vec(&federation.sum(3, RoundTask::Moments, &[0, 1, 2]).await).unwrap(),
        all
    );
}

#[tokio::test]
async fn a_node_says_the_same_again_and_nothing_else_for_the_same_round() {
    let mut federation = Federation::new(&SITES[1..]).await;
    let asked = question(QuestionBody::Round(federation.round(1, RoundTask::Moments)));
    let node = federation.sites[0].0.node.clone();
    let first = node.answer(&pinned(), &asked).await.unwrap();
    assert_eq!(
        node.answer(&pinned(), &asked).await.unwrap(),
        first,
        "the stored answer"
    );
    // A restart between the contribution and its answer: computed again, to the byte.
    federation.sites[0].0.restarted(|_| {}).await;
    let again = ask(&federation.sites[0].0.node, asked.body.clone()).await;
    assert_eq!(again, first.body);
    // Another task under the same number.
    let other = RoundTask::Evaluate(vec![LogisticModel {
        mean: vec![0.0; 9],
        sd: vec![1.0; 9],
        coefficients: vec![0.0; 10],
    }]);
    let refused = ask(
        &federation.sites[0].0.node,
        QuestionBody::Round(federation.round(1, other)),
    )
    .await;
    assert_eq!(refusal(&refused), "contributed_already");
    assert_eq!(federation.last_act(0).await.1, Outcome::Refused);
}

#[tokio::test]
async fn a_total_is_unmasked_once_and_only_by_who_contributed() {
    let federation = Federation::new(&[SITES[1], SITES[2], SITES[1]]).await;
    let asked = federation.round(1, RoundTask::Moments);
    let context = federation.context(&asked);
    let mut contributions = Vec::new();
    for (site, _) in &federation.sites {
        let AnswerBody::Contribution { payload } =
            ask(&site.node, QuestionBody::Round(asked.clone())).await
        else {
            panic!("no contribution")
        };
        contributions.push(serde_json::from_slice::<Contribution>(&payload.0).unwrap());
    }
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
    let mut contributions = Vec::new();
    for (site, _) in &federation.sites {
        let AnswerBody::Contribution { payload } =
            ask(&site.node, QuestionBody::Round(asked.clone())).await
        else {
            panic!("no contribution")
        };
        contributions.push(serde_json::from_slice::<Contribution>(&payload.0).unwrap());
    }
    let two = federation.unmask(&context, &contributions[..2], 0);
    assert_eq!(
        refusal(&ask(&federation.sites[0].0.node, two).await),
        "too_few_sites"
    );
}

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
            .for_each(|entry| entry.dataset = arno_domain::DatasetId::new());
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
        card.agreement_key = arno_domain::AgreementKey::of_secret(&[9; 32]);
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
    card.agreement_key = arno_domain::AgreementKey::of_secret(&[9; 32]);
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
    let mut contributions = Vec::new();
    for (site, _) in &federation.sites {
        let AnswerBody::Contribution { payload } =
            ask(&site.node, QuestionBody::Round(asked.clone())).await
        else {
            panic!("no contribution")
        };
        contributions.push(serde_json::from_slice::<Contribution>(&payload.0).unwrap());
    }
    let revoke = QuestionBody::Revoke(Signed::new(&revocation, &support::committee()));
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

#[tokio::test]
async fn a_sites_own_model_is_that_of_its_own_training_cases() {
    let federation = Federation::new(&SITES[1..]).await;
    for (site, dataset) in &federation.sites {
        let body = QuestionBody::LocalModel {
            analysis: federation.analysis,
            data_user: "researcher".into(),
            permit: signed(&federation.permit),
            sites: 2,
        };
        let AnswerBody::LocalModel { model } = ask(&site.node, body).await else {
            panic!("no model")
        };
        let spec = SITES[1..]
            .iter()
            .find(|spec| raw_readings(spec).unwrap().count() as u64 == dataset.record.readings);
        let fit = logistic::fit(&pooled(&[*spec.unwrap()], Split::Train)).unwrap();
        let pairs = model.coefficients.iter().zip(fit.coefficients);
        assert!(
            pairs
                .clone()
                .all(|(found, expect)| (found - expect).abs() < 1e-6),
            "{model:?} {fit:?}"
        );
    }
}

#[tokio::test]
async fn too_few_cases_make_no_model() {
    let (site, _) = site(&SITES[2]).await;
    // A dataset of the patients without malignant nodules has one class only.
    let dataset = site.publish("malignancy <= 3").await;
    let body = QuestionBody::LocalModel {
        analysis: AnalysisId::new(),
        data_user: "researcher".into(),
        permit: signed(&permit(&[&dataset], &[Operation::Train])),
        sites: 2,
    };
    assert_eq!(refusal(&ask(&site.node, body).await), "too_few_cases");
}

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
        let patients: std::collections::BTreeSet<_> = facts
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

#[tokio::test]
async fn a_record_is_signed_computed_and_versioned() {
    let (site, first) = site(&SITES[2]).await;
    let node = &site.node;
    let holdings = node.store().holdings().await.unwrap();
    assert_eq!(
        (
            first.record.version,
            first.record.patients,
            first.record.readings
        ),
        (1, holdings.patients, holdings.readings)
    );
    assert_eq!(
        (
            first.record.studies,
            first.record.instances,
            first.record.synthetic_images
        ),
        (0, 0, false)
    );
    let second = site.publish("malignancy >= 4").await;
    assert_eq!(second.record.version, 2);
    assert!(
        second.record.patients < first.record.patients
            && second.record.manifest_sha256 != first.record.manifest_sha256
    );
    let undelivered = node.store().undelivered_datasets().await.unwrap();
    let key = node.card().unverified().unwrap().signing_key;
    let records: Vec<_> = undelivered
        .iter()
        .map(|dataset| dataset.signed.verify(&key).unwrap())
        .collect();
    assert_eq!(records, [first.record, second.record]);
    let json = serde_json::to_string(&undelivered[0].signed).unwrap();
    assert!(!json.contains("P-"), "no pseudonym leaves");
}
