//! The total of a search: parts under masks whose sum has the noise of one, opened once and never for few.

use arno_domain::{
    SearchId, Signed,
    cohort::Cohort,
    disclosure::{Level, Part},
};
use arno_learning::secagg::{
    Contribution, Participant, ParticipantId, RoundContext, UnmaskRequest, Unmasking, aggregate,
};
use arno_node::Node;
use arno_protocol::{
    Base64,
    federation::{AnswerBody, NodeCard, QuestionBody, TotalQuestion},
};

use crate::support::{TestNode, ask, clinic, refusal};

/// Three sites with the same six patients each, in order of their ids.
async fn sites() -> Vec<TestNode> {
    let mut sites = Vec::new();
    for _ in 0..3 {
        let site = TestNode::new().await;
        clinic(&site);
        site.ingest().await;
        sites.push(site);
    }
    sites.sort_by_key(|site| site.node.id());
    sites
}

fn question(search: SearchId, cohort: &str, sites: &[&Node]) -> TotalQuestion {
    TotalQuestion {
        search,
        data_user: "researcher".into(),
        cohort: cohort.parse().unwrap(),
        participants: sites.iter().map(|node| node.card()).collect(),
    }
}

fn context(question: &TotalQuestion) -> RoundContext {
    let participant = |card: &Signed<NodeCard>| {
        let card = card.unverified().unwrap();
        Participant {
            node: ParticipantId(*card.node.as_bytes()),
            agreement_public: *card.agreement_key.as_bytes(),
        }
    };
    RoundContext::new(
        *question.search.as_bytes(),
        TotalQuestion::ROUND,
        TotalQuestion::sha256(&question.cohort),
        question.participants.iter().map(participant).collect(),
    )
    .unwrap()
}

async fn part(node: &Node, question: &TotalQuestion) -> Contribution {
    match ask(node, QuestionBody::Total(question.clone())).await {
        AnswerBody::Contribution { payload } => serde_json::from_slice(&payload.0).unwrap(),
        other => panic!("no part: {other:?}"),
    }
}

fn unmask(question: &TotalQuestion, parts: &[Contribution], to: &Node) -> QuestionBody {
    let me = ParticipantId(*to.id().as_bytes());
    let request = UnmaskRequest::new(&context(question), parts, me).unwrap();
    QuestionBody::UnmaskTotal {
        search: question.search,
        request: Base64(serde_json::to_vec(&request).unwrap()),
    }
}

async fn sum(nodes: &[&Node], question: &TotalQuestion) -> Vec<f64> {
    let (mut parts, mut unmaskings) = (Vec::new(), Vec::<Unmasking>::new());
    for node in nodes {
        parts.push(part(node, question).await);
    }
    for node in nodes {
        match ask(node, unmask(question, &parts, node)).await {
            AnswerBody::Unmasking { payload } => {
                unmaskings.push(serde_json::from_slice(&payload.0).unwrap());
            }
            other => panic!("not unmasked: {other:?}"),
        }
    }
    aggregate(&context(question), &parts, &unmaskings).unwrap()
}

#[tokio::test]
async fn parts_add_up_to_a_total_with_the_noise_of_one_site() {
    let sites = sites().await;
    let nodes: Vec<_> = sites.iter().map(|site| &site.node).collect();
    let asked = question(SearchId::new(), "modality = CT", &nodes);
    let total = sum(&nodes, &asked).await;
    assert_eq!(total.len(), TotalQuestion::LEN);
    let budget = nodes[0].config().site.disclosure.budget;
    for (at, level) in Level::ALL.into_iter().enumerate() {
        let whole = budget.variance(Part::Total, level) as f64;
        let variance = total[at + 3];
        assert!(
            (whole..=whole + 3.0).contains(&variance),
            "{variance} of {whole}"
        );
        // Six spreads: missed once in a thousand million times. Three sites of six patients, six studies, seven series.
        assert!(total[at].abs() < 6.0 * variance.sqrt() + 21.0, "{total:?}");
    }

    let again = question(SearchId::new(), "modality = CT", &nodes);
    assert_eq!(
        sum(&nodes, &again).await,
        total,
        "the same question of the same sites has the same total"
    );
    let state = nodes[0].disclosure_state().await.unwrap();
    assert_eq!(state.questions.len(), 1, "and is paid once");
    assert_eq!(state.questions[0].kind, "total");
}

#[tokio::test]
async fn a_part_is_given_once_and_a_drawing_is_opened_for_one_set_of_sites() {
    let sites = sites().await;
    let nodes: Vec<_> = sites.iter().map(|site| &site.node).collect();
    let few = question(SearchId::new(), "modality = CT", &nodes[..2]);
    let refused = ask(nodes[0], QuestionBody::Total(few)).await;
    assert_eq!(refusal(&refused), "too_few_sites");
    let unsupported = question(SearchId::new(), "malignancy >= 3", &nodes);
    let refused = ask(nodes[0], QuestionBody::Total(unsupported)).await;
    assert_eq!(refusal(&refused), "unsupported");

    let asked = question(SearchId::new(), "modality = CT", &nodes);
    let mut parts = Vec::new();
    for node in &nodes {
        parts.push(part(node, &asked).await);
    }
    let other = TotalQuestion {
        cohort: Cohort::everybody(),
        ..asked.clone()
    };
    let refused = ask(nodes[0], QuestionBody::Total(other)).await;
    assert_eq!(refusal(&refused), "contributed_already");
    let two = unmask(&asked, &parts[..2], nodes[0]);
    assert_eq!(refusal(&ask(nodes[0], two).await), "too_few_sites");
    let unknown = QuestionBody::UnmaskTotal {
        search: SearchId::new(),
        request: Base64(Vec::new()),
    };
    assert_eq!(refusal(&ask(nodes[0], unknown).await), "not_contributed");
}
