//! A whole federation in one process: a node for each site with its readings published, a permit for all, and the rounds
//! as a hub asks them.

use arno_domain::{
    AnalysisId, Signed,
    audit::Outcome,
    permit::{Operation, Permit},
};
use arno_learning::{
    logistic::Row,
    nodule::{self, nodules},
    reading::{Reading, Split},
    secagg::{
        Contribution, Participant, ParticipantId, RoundContext, UnmaskRequest, Unmasking, aggregate,
    },
};
use arno_phantom::{InputOptions, SiteSpec, raw_readings, write_site_input};
use arno_protocol::{
    Base64,
    federation::{AnswerBody, NodeCard, QuestionBody, RoundQuestion, RoundTask, UnmaskQuestion},
    node::LocalDataset,
};

use super::{TestNode, ask, permit, signed};

/// A node with the readings of one site, published.
pub(crate) async fn site(spec: &SiteSpec) -> (TestNode, LocalDataset) {
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
pub(crate) struct Federation {
    pub(crate) sites: Vec<(TestNode, LocalDataset)>,
    pub(crate) permit: Permit,
    pub(crate) analysis: AnalysisId,
}

impl Federation {
    pub(crate) async fn new(specs: &[SiteSpec]) -> Self {
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

    pub(crate) fn cards(&self) -> Vec<Signed<NodeCard>> {
        self.sites
            .iter()
            .map(|(site, _)| site.node.card())
            .collect()
    }

    pub(crate) fn round(&self, round: u32, task: RoundTask) -> RoundQuestion {
        RoundQuestion {
            analysis: self.analysis,
            round,
            data_user: "researcher".into(),
            permit: signed(&self.permit),
            participants: self.cards(),
            task,
        }
    }

    pub(crate) fn context(&self, question: &RoundQuestion) -> RoundContext {
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
    pub(crate) async fn sum(
        &self,
        round: u32,
        task: RoundTask,
        contributing: &[usize],
    ) -> Vec<f64> {
        let question = self.round(round, task);
        let context = self.context(&question);
        let contributions = self.contributions(&question, contributing).await;
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

    /// What these sites contribute to a round.
    pub(crate) async fn contributions(
        &self,
        asked: &RoundQuestion,
        of: &[usize],
    ) -> Vec<Contribution> {
        let mut contributions = Vec::new();
        for at in of {
            let node = &self.sites[*at].0.node;
            match ask(node, QuestionBody::Round(asked.clone())).await {
                AnswerBody::Contribution { payload } => {
                    contributions.push(serde_json::from_slice(&payload.0).unwrap())
                }
                other => panic!("{other:?}"),
            }
        }
        contributions
    }

    /// The question to unmask these contributions, to one site.
    pub(crate) fn unmask(
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

    /// Action, outcome and detail of a site's newest audit entry; its log must hold.
    pub(crate) async fn last_act(&self, site: usize) -> (String, Outcome, String) {
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
pub(crate) fn pooled(specs: &[SiteSpec], split: Split) -> Vec<Row> {
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
