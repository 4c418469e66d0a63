//! Federated training: equal to pooled data, refused without a permit, and not stopped by a node or a hub that dies.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use arno_domain::{PermitId, Signed, permit::Operation};
use arno_learning::logistic::{Row, TOLERANCE, fit};
use arno_protocol::{
    analyses::{
        Analysis, AnalysisStatus, LogisticModel, NewAnalysis, RoundKind, SiteState, Yardstick,
    },
    catalogue,
    federation::{Question, QuestionBody},
    requests::{AccessRequest, Decision, NewRequest},
};

use arno_store::hub::questions::{self, Outcome, Subject};

use crate::{
    fake_node::FakeNode,
    learning_node::{Learner, publish_dataset, rows},
    support::{TestHub, code, until},
};

const ROWS: usize = 150;

struct Federation {
    hub: TestHub,
    nodes: Vec<FakeNode>,
    permit: PermitId,
}

impl Federation {
    /// Three members with a dataset each, and a permit for all of them.
    async fn start() -> Self {
        let hub = TestHub::start().await;
        let (mut nodes, mut datasets) = (Vec::new(), Vec::new());
        for seed in 1..=3 {
            let node = FakeNode::joined(&hub, seed).await;
            datasets.push(publish_dataset(&node).await);
            nodes.push(node);
        }
        let new = NewRequest {
            title: "A model".into(),
            purpose: "Tell malignant from benign".into(),
            datasets,
            operations: vec![Operation::Train, Operation::Evaluate],
            days: 1,
            least_count: None,
        };
        let request: AccessRequest = hub
            .person("researcher")
            .await
            .post("/v1/requests", &new)
            .await
            .unwrap();
        let permit = Signed::new(&request.proposed_permit, &hub.committee);
        let path = format!("/v1/requests/{}/decision", request.id);
        let committee = hub.person("committee").await;
        let _: AccessRequest = committee
            .post(&path, &Decision::Grant { permit })
            .await
            .unwrap();
        Self {
            hub,
            nodes,
            permit: request.proposed_permit.id,
        }
    }

    /// Node `index` answers as long as `alive` says so.
    fn serve(&self, index: usize, alive: impl FnMut(&Question) -> bool + Send + 'static) {
        let (node, committee) = (&self.nodes[index], self.hub.committee.public());
        let learner = Learner::new(node, committee, rows(node.key.seed()[0], ROWS));
        node.serve(learner.behaviour(alive));
    }

    /// All three answer, and are on the line.
    async fn serve_all(&self) {
        (0..3).for_each(|index| self.serve(index, |_| true));
        self.all_online().await;
    }

    async fn all_online(&self) {
        let nobody = &self.hub.nobody();
        until("all nodes on the line", || async move {
            let federation: catalogue::Federation = nobody.get("/v1/federation").await.unwrap();
            federation
                .nodes
                .iter()
                .all(|node| node.online)
                .then_some(())
        })
        .await;
    }

    async fn analyse(&self, permit: Option<PermitId>, pace_ms: u32) -> Analysis {
        let new = NewAnalysis {
            title: "Malignancy".into(),
            permit,
            pace_ms,
        };
        self.hub
            .person("researcher")
            .await
            .post("/v1/analyses", &new)
            .await
            .unwrap()
    }

    async fn get(&self, analysis: &Analysis) -> Analysis {
        let researcher = self.hub.person("researcher").await;
        researcher
            .get(&format!("/v1/analyses/{}", analysis.id))
            .await
            .unwrap()
    }

    async fn end(&self, analysis: &Analysis) -> Analysis {
        let researcher = &self.hub.person("researcher").await;
        let path = &format!("/v1/analyses/{}", analysis.id);
        until("the analysis to end", || async move {
            let analysis: Analysis = researcher.get(path).await.unwrap();
            (analysis.status != AnalysisStatus::Running).then_some(analysis)
        })
        .await
    }

    fn pooled(&self, indices: &[usize]) -> Vec<Row> {
        indices
            .iter()
            .flat_map(|index| rows(self.nodes[*index].key.seed()[0], ROWS))
            .collect()
    }
}

fn federation_model(analysis: &Analysis) -> &LogisticModel {
    &analysis
        .models
        .iter()
        .find(|model| model.node.is_none())
        .expect("a model")
        .model
}

fn assert_equal(found: &[f64], expect: &[f64]) {
    for (one, other) in found.iter().zip(expect) {
        assert!((one - other).abs() < 1e-6, "{found:?} {expect:?}");
    }
}

#[tokio::test]
async fn three_sites_learn_the_pooled_model() {
    let federation = Federation::start().await;
    federation.serve_all().await;
    let begun = federation.analyse(Some(federation.permit), 0).await;
    let done = federation.end(&begun).await;
    assert_eq!(done.status, AnalysisStatus::Finished);
    let pooled = fit(&federation.pooled(&[0, 1, 2])).unwrap();
    let model = federation_model(&done);
    assert_equal(&model.coefficients, &pooled.coefficients);
    assert_equal(&model.mean, &pooled.standardiser.mean);
    assert_equal(&model.sd, &pooled.standardiser.sd);

    assert_eq!(done.rounds[0].kind, RoundKind::Moments);
    assert_eq!(done.rounds.last().unwrap().kind, RoundKind::Evaluate);
    assert!(
        done.rounds
            .iter()
            .all(|round| round.contributed.len() == 3 && round.nodules == Some(450)),
        "{done:#?}"
    );
    let newton: Vec<_> = done
        .rounds
        .iter()
        .filter(|round| round.kind == RoundKind::Newton)
        .collect();
    assert_eq!(newton.len(), pooled.rounds as usize);
    assert!(newton.last().unwrap().max_step.unwrap() < TOLERANCE);
    assert_eq!(done.models.len(), 4, "the federation's and each site's own");
    let auc: Vec<f64> = done.models.iter().map(|model| model.auc).collect();
    assert!(
        auc.iter().all(|auc| (0.5..1.0).contains(auc))
            && auc[1..].iter().all(|site| *site <= auc[0] + 0.01)
    );
    assert!(
        done.sites
            .iter()
            .all(|site| site.state == SiteState::TakingPart)
    );
    assert!(
        federation
            .hub
            .audit()
            .await
            .contains(&"analysis ended: done".into())
    );
    put_yardstick(&federation, &done, &pooled.coefficients).await;
}

async fn put_yardstick(federation: &Federation, done: &Analysis, coefficients: &[f64]) {
    let mut model = federation_model(done).clone();
    model.coefficients = coefficients.to_vec();
    model.coefficients[0] += 0.25;
    let max_coefficient_difference = 0.0;
    let mut yardstick = Yardstick {
        source: "pooled".into(),
        model,
        auc: 0.9,
        roc: vec![[0.0, 0.0], [1.0, 1.0]],
        max_coefficient_difference,
    };
    let researcher = federation.hub.person("researcher").await;
    let path = format!("/v1/analyses/{}/yardstick", done.id);
    let put: Analysis = researcher.put(&path, &yardstick).await.unwrap();
    let difference = put.yardstick.unwrap().max_coefficient_difference;
    assert!(
        (difference - 0.25).abs() < 1e-6,
        "computed, not believed: {difference}"
    );
    yardstick.model.coefficients.pop();
    assert_eq!(
        code(researcher.put::<_, Analysis>(&path, &yardstick).await),
        "bad_yardstick"
    );
}

#[tokio::test]
async fn without_a_permit_every_node_refuses() {
    let federation = Federation::start().await;
    federation.serve_all().await;
    let begun = federation.analyse(None, 0).await;
    let done = federation.end(&begun).await;
    assert_eq!(done.status, AnalysisStatus::Refused);
    let refused = |state: &SiteState| matches!(state, SiteState::Refused { code, .. } if code == "permit_missing");
    // The analysis ends when too few are left; the last may not have spoken.
    assert!(
        done.sites
            .iter()
            .filter(|site| refused(&site.state))
            .count()
            >= 2,
        "{:?}",
        done.sites
    );
    assert!(done.models.is_empty());
    let audit = federation.hub.audit().await;
    assert!(
        audit.contains(&"round answered: refused".into())
            && audit.contains(&"analysis ended: refused".into())
    );
}

#[tokio::test]
async fn a_node_that_dies_is_left_out_and_the_run_finishes() {
    let federation = Federation::start().await;
    federation.serve(0, |_| true);
    federation.serve(1, |_| true);
    // Dies when it is asked for its third round, as by kill -9.
    federation.serve(
        2,
        |question| !matches!(&question.body, QuestionBody::Round(round) if round.round >= 3),
    );
    federation.all_online().await;
    let begun = federation.analyse(Some(federation.permit), 0).await;
    let done = federation.end(&begun).await;
    assert_eq!(done.status, AnalysisStatus::Finished, "{done:#?}");
    let dead = federation.nodes[2].id;
    let with_dead = done
        .rounds
        .iter()
        .filter(|round| round.contributed.contains(&dead))
        .count();
    assert_eq!(with_dead, 2);
    // The standardiser is still that of three sites, so the models are compared by what they predict.
    let pooled = fit(&federation.pooled(&[0, 1])).unwrap();
    let slopes = |coefficients: &[f64], sd: &[f64]| -> Vec<f64> {
        coefficients[1..]
            .iter()
            .zip(sd)
            .map(|(coefficient, sd)| coefficient / sd)
            .collect()
    };
    let model = federation_model(&done);
    let (found, expect) = (
        slopes(&model.coefficients, &model.sd),
        slopes(&pooled.coefficients, &pooled.standardiser.sd),
    );
    for (one, other) in found.iter().zip(&expect) {
        // The ridge weighs a little differently under another standardiser.
        assert!((one - other).abs() < 1e-3, "{found:?} {expect:?}");
    }
    let site = done.sites.iter().find(|site| site.node == dead).unwrap();
    assert_eq!(site.state, SiteState::Absent);
    assert_eq!(done.models.len(), 3);
}

#[tokio::test]
async fn a_node_that_comes_back_joins_again() {
    let federation = Federation::start().await;
    let dead = Arc::new(AtomicBool::new(false));
    federation.serve(0, |_| true);
    federation.serve(1, |_| true);
    let flag = dead.clone();
    federation.serve(2, move |question| {
        let dies = matches!(&question.body, QuestionBody::Round(round) if round.round == 2);
        flag.fetch_or(dies, Ordering::SeqCst);
        !dies
    });
    federation.all_online().await;
    // Long enough rounds that there are some left when the node is back.
    let begun = federation.analyse(Some(federation.permit), 1_000).await;
    until("the node to die", || async {
        dead.load(Ordering::SeqCst).then_some(())
    })
    .await;
    until("a round without it", || async {
        let analysis = federation.get(&begun).await;
        analysis
            .rounds
            .iter()
            .any(|round| round.contributed.len() == 2)
            .then_some(())
    })
    .await;
    federation.serve(2, |_| true);
    let done = federation.end(&begun).await;
    assert_eq!(done.status, AnalysisStatus::Finished);
    assert_eq!(
        done.rounds.last().unwrap().contributed.len(),
        3,
        "{done:#?}"
    );
    let pooled = fit(&federation.pooled(&[0, 1, 2])).unwrap();
    assert_equal(&federation_model(&done).coefficients, &pooled.coefficients);
}

#[tokio::test]
async fn a_restarted_hub_goes_on_where_it_was() {
    let mut federation = Federation::start().await;
    federation.serve_all().await;
    let begun = federation.analyse(Some(federation.permit), 50).await;
    for wanted in [3, 6] {
        until("some rounds", || async {
            let analysis = federation.get(&begun).await;
            (analysis.rounds.len() >= wanted).then_some(())
        })
        .await;
        federation.hub.restart().await;
    }
    let done = federation.end(&begun).await;
    assert_eq!(done.status, AnalysisStatus::Finished, "{done:#?}");
    let pooled = fit(&federation.pooled(&[0, 1, 2])).unwrap();
    assert_equal(&federation_model(&done).coefficients, &pooled.coefficients);
    assert!(
        done.rounds.iter().all(|round| round.contributed.len() == 3),
        "no round was lost: {done:#?}"
    );
    // Each node checks that no question changes and that no round is asked twice; a node that found otherwise would be
    // missing above. A majority unmasks, so the third may be spared that.
    for node in &federation.nodes {
        let (asked, rounds) = (node.asked.lock().unwrap().len(), done.rounds.len());
        assert!(
            (rounds + 1..=2 * rounds + 1).contains(&asked),
            "{asked} questions in {rounds} rounds"
        );
    }
}

#[tokio::test]
async fn what_was_masked_is_deleted_with_its_round() {
    let federation = Federation::start().await;
    federation.serve_all().await;
    let begun = federation.analyse(Some(federation.permit), 0).await;
    let done = federation.end(&begun).await;
    let database = federation.hub.database().await;
    for round in 1..=done.rounds.len() as u32 {
        for subject in [
            Subject::Contribution(begun.id, round),
            Subject::Unmasking(begun.id, round),
        ] {
            let asked = questions::asked(&database, subject).await.unwrap();
            let given = asked
                .iter()
                .filter(|asked| asked.outcome == Some(Outcome::Given))
                .count();
            assert!(asked.len() == 3 && given >= 2, "{asked:?}");
            assert!(
                questions::answers(&database, subject)
                    .await
                    .unwrap()
                    .is_empty(),
                "{subject:?}"
            );
        }
    }
}
