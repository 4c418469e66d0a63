//! A fake node that really learns: rows of its own, masked contributions, its own check of the permit.

use std::collections::HashMap;

use arno_domain::{
    AnalysisId, DatasetId, PublicKey, Signed,
    dataset::DatasetRecord,
    permit::{Operation, Use, activate},
};
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{Moments, NewtonSums, Row, Standardiser, fit, log_odds},
    secagg::{
        NodeSecret, Participant, ParticipantId, RoundContext, UnmaskRequest, contribute, unmask,
    },
    shape::FEATURES,
};
use arno_protocol::{
    Base64,
    analyses::LogisticModel,
    federation::{AnswerBody, Publish, Question, QuestionBody, Receipt, RoundQuestion, RoundTask},
};
use chrono::Utc;

use crate::fake_node::{Behaviour, FakeNode};

/// Publishes a small dataset.
pub(crate) async fn publish_dataset(node: &FakeNode) -> DatasetId {
    let record = DatasetRecord {
        id: DatasetId::new(),
        node: node.id,
        version: 1,
        title: "Lung nodules".into(),
        description: String::new(),
        cohort: String::new(),
        licence: "CC BY 3.0".into(),
        synthetic_images: true,
        published_at: Utc::now(),
        patients: 150,
        studies: 150,
        series: 150,
        instances: 150,
        size_bytes: 1,
        readings: 150,
        breakdowns: std::collections::BTreeMap::new(),
        manifest_sha256: "cd".repeat(32),
        quality: None,
    };
    let publish = Publish {
        record: Signed::new(&record, &node.key),
    };
    let message = node.message(publish);
    node.send::<Publish, Receipt>("/federation/v1/datasets", &message)
        .await
        .unwrap();
    record.id
}

/// Rows of a site, unlike those of another site, from a linear congruential generator (Knuth's MMIX).
pub(crate) fn rows(site: u8, count: usize) -> Vec<Row> {
    let mut state = u64::from(site) + 1;
    let mut uniform = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let shift = f64::from(site) * 0.3;
    (0..count)
        .map(|_| {
            let features: [f64; FEATURES] =
                std::array::from_fn(|at| uniform() * (at + 1) as f64 + shift);
            let score = 3.0 * (features[0] - shift - 0.5) - (features[1] - shift - 1.0);
            Row {
                features,
                positive: uniform() < 1.0 / (1.0 + (-score).exp()),
            }
        })
        .collect()
}

/// One hospital's side of an analysis.
pub(crate) struct Learner {
    node: FakeNode,
    secret: NodeSecret,
    committee: PublicKey,
    rows: Vec<Row>,
    contexts: HashMap<(AnalysisId, u32), RoundContext>,
}

impl Learner {
    pub(crate) fn new(node: &FakeNode, committee: PublicKey, rows: Vec<Row>) -> Self {
        let secret = NodeSecret::new(node.agreement_secret, [node.agreement_secret[0] + 1; 32]);
        Self {
            node: node.clone(),
            secret,
            committee,
            rows,
            contexts: HashMap::new(),
        }
    }

    /// Answers until it is switched off: `alive` is asked before each question.
    pub(crate) fn behaviour(
        mut self,
        mut alive: impl FnMut(&Question) -> bool + Send + 'static,
    ) -> Behaviour {
        Box::new(move |question| alive(question).then(|| self.answer(question)))
    }

    fn answer(&mut self, question: &Question) -> AnswerBody {
        match &question.body {
            QuestionBody::Round(round) => self.round(round),
            QuestionBody::Unmask(asked) => {
                let request: UnmaskRequest = serde_json::from_slice(&asked.request.0).unwrap();
                let context = &self.contexts[&(asked.analysis, asked.round)];
                let unmasking = unmask(context, self.me(), &self.secret, &request).unwrap();
                AnswerBody::Unmasking {
                    payload: Base64(serde_json::to_vec(&unmasking).unwrap()),
                }
            }
            QuestionBody::LocalModel { .. } => {
                let own = fit(&self.rows).unwrap();
                let Standardiser { mean, sd } = own.standardiser;
                let model = LogisticModel {
                    mean: mean.into(),
                    sd: sd.into(),
                    coefficients: own.coefficients.into(),
                };
                AnswerBody::LocalModel { model }
            }
            QuestionBody::Search { .. }
            | QuestionBody::Count(_)
            | QuestionBody::Total(_)
            | QuestionBody::UnmaskTotal { .. }
            | QuestionBody::Revoke(_) => AnswerBody::Accepted,
        }
    }

    fn me(&self) -> ParticipantId {
        ParticipantId(*self.node.id.as_bytes())
    }

    fn round(&mut self, asked: &RoundQuestion) -> AnswerBody {
        let wanted = Use {
            data_user: &asked.data_user,
            operation: Operation::Train,
            node: self.node.id,
            sites: asked.participants.len() as u32,
            at: Utc::now(),
        };
        if let Err(refusal) = activate(asked.permit.as_ref(), &self.committee, wanted, |_| false) {
            return AnswerBody::Refused {
                code: refusal.code().into(),
                reason: refusal.to_string(),
            };
        }
        let participants = asked.participants.iter().map(|signed| {
            let card = signed.verify(&signed.signer).unwrap();
            assert_eq!(card.signing_key, signed.signer);
            Participant {
                node: ParticipantId(*card.node.as_bytes()),
                agreement_public: *card.agreement_key.as_bytes(),
            }
        });
        let (id, task) = (*asked.analysis.as_bytes(), asked.task.sha256());
        let context = RoundContext::new(id, asked.round, task, participants.collect()).unwrap();
        let known = self
            .contexts
            .insert((asked.analysis, asked.round), context.clone());
        assert!(known.is_none(), "a node is asked once per round");
        let contribution =
            contribute(&context, self.me(), &self.secret, &self.values(&asked.task)).unwrap();
        AnswerBody::Contribution {
            payload: Base64(serde_json::to_vec(&contribution).unwrap()),
        }
    }

    fn values(&self, task: &RoundTask) -> Vec<f64> {
        let parts = |model: &LogisticModel| {
            let of = |values: &[f64]| -> [f64; FEATURES] { values.try_into().unwrap() };
            let standardiser = Standardiser {
                mean: of(&model.mean),
                sd: of(&model.sd),
            };
            (
                standardiser,
                <[f64; FEATURES + 1]>::try_from(model.coefficients.as_slice()).unwrap(),
            )
        };
        match task {
            RoundTask::Moments => Moments::of(&self.rows).to_vec(),
            RoundTask::Newton(model) => {
                let (standardiser, coefficients) = parts(model);
                NewtonSums::of(&self.rows, &standardiser, &coefficients).to_vec()
            }
            RoundTask::Evaluate(models) => {
                let histogram = |model: &LogisticModel| {
                    let (standardiser, coefficients) = parts(model);
                    let score = |row: &Row| {
                        (
                            log_odds(&row.features, &standardiser, &coefficients),
                            row.positive,
                        )
                    };
                    ScoreHistogram::of(self.rows.iter().map(score)).to_vec()
                };
                models.iter().flat_map(histogram).collect()
            }
        }
    }
}
