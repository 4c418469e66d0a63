//! An attacker who knows of every patient how it went, but of one, spends a whole budget on survival curves that hold this one: did
//! they die? A thousand trials at a running node; the best reading of the cells must be right no more than 60 times in a hundred. The
//! same attack on threshold and rounding alone is right each time: so the test can fail.
//!
//! The two worlds are two patients, alike but for how it ended, of whom a cohort has the one or the other.

use arno_domain::{
    SearchId,
    cohort::{Endpoint, Facet},
    disclosure::{DisclosurePolicy, Followed, Part, ProtectedCount},
};
use arno_node::{ClinicalFile, Node, understand};
use arno_protocol::federation::{AnswerBody, QuestionBody};

use crate::{
    attacking::{TRIALS, best_guess, coin, put_patient},
    support::{TestNode, ask, refusal},
};

/// Ages of the patients that are known.
const KNOWN: std::ops::RangeInclusive<u32> = 40..=50;
/// So many of them died in the interval of the target: one more is at the edge of a threshold of five.
const DIED: u32 = 4;
/// The target in the world in which they died, and in the one in which they did not.
const DEAD: u32 = 51;
const ALIVE: u32 = 52;
/// Days after which the target was last heard of, dead or alive, and the interval of it: from 1 to 1.5 years.
const DAYS: u32 = 400;
const INTERVAL: usize = 2;

/// Curves that a budget is good for here, and questions: so many that they cost next to nothing.
const CURVES: u32 = 3;
const QUESTIONS: u32 = 1_000;

const MAPPING: &str = r#"
source = "outcomes"
[patient]
column = "id"
once = true
[[record]]
entity = "outcome"
fields = [
  { field = "overall_survival_days", column = "days" },
  { field = "vital_status", column = "status", system = "arno" },
]
"#;

/// A node of thirteen patients whose secret is always the same.
async fn attacked() -> TestNode {
    let mut site = TestNode::with(|site| {
        site.disclosure.budget.curves = CURVES;
        site.disclosure.budget.questions = QUESTIONS;
        site.disclosure.budget.site_microrho = 1_000_000_000;
    })
    .await;
    let mut rows = String::from("id;days;status\n");
    for (number, age) in (1..).zip(*KNOWN.start()..=ALIVE) {
        put_patient(&site, number, age);
        let known_dead = age < KNOWN.start() + DIED;
        let (days, status) = match age {
            DEAD => (DAYS, "dead"),
            ALIVE => (DAYS, "alive"),
            _ if known_dead => (DAYS, "dead"),
            _ => (900, "alive"),
        };
        rows += &format!("N-{age};{days};{status}\n");
    }
    site.ingest().await;
    let path = site.folder.path().join("outcomes.csv");
    std::fs::write(&path, rows).unwrap();
    let understood = understand(&ClinicalFile {
        path,
        mapping: MAPPING.into(),
        only: None,
    });
    site.node.load_clinical(understood.unwrap()).await.unwrap();
    site.noise_from("5c").await;
    site
}

/// Overall survival of all known patients and the target; `other` only changes the words, so that each question is a new one.
fn question(data_user: &str, is_dead: bool, other: u32) -> QuestionBody {
    let (first, last) = (
        KNOWN.start(),
        f64::from(*KNOWN.end()) + f64::from(other) * 1e-5,
    );
    let target = if is_dead { DEAD } else { ALIVE };
    QuestionBody::Search {
        search: SearchId::new(),
        data_user: data_user.to_owned(),
        cohort: format!("age in {first}..{last} or age = {target}")
            .parse()
            .unwrap(),
        facets: vec![Facet::Survival(Endpoint::Overall)],
    }
}

async fn cells(node: &Node, question: QuestionBody) -> Followed {
    match ask(node, question).await {
        AnswerBody::Counts(found) => found.survival[0].followed.clone().unwrap(),
        other => panic!("within the budget: {other:?}"),
    }
}

/// How much a curve's cells speak for a death, by each way of reading them.
fn readings(cells: &Followed) -> [f64; 3] {
    let (events, censored) = (
        cells.events[INTERVAL] as f64,
        cells.censored[INTERVAL] as f64,
    );
    [events - censored, events, -censored]
}

#[tokio::test]
async fn how_it_went_with_one_patient_tells_little() {
    let site = attacked().await;
    let mut evidence = vec![Vec::new(); 3];
    for trial in 0..TRIALS {
        let (is_dead, data_user) = (coin(trial), format!("survival {trial}"));
        let mut sums = [0.0; 3];
        for at in 0..CURVES {
            let asked = question(&data_user, is_dead, trial * CURVES + at + 1);
            let found = readings(&cells(&site.node, asked).await);
            sums.iter_mut()
                .zip(found)
                .for_each(|(sum, one)| *sum += one);
        }
        for (of, sum) in evidence.iter_mut().zip(sums) {
            of.push((sum, is_dead));
        }
    }
    let share = evidence.into_iter().map(best_guess).fold(0.0, f64::max);
    println!("survival: right {share} of the times");
    assert!(share <= 0.60, "{share}");
    let more = ask(&site.node, question("survival 0", true, 0)).await;
    assert_eq!(
        refusal(&more),
        "budget_spent",
        "the budget is spent to the last"
    );
}

#[tokio::test]
async fn a_curve_is_said_again_for_nothing_and_is_the_same_beside_other_facets() {
    let site = attacked().await;
    let asked = || question("ann", true, 1);
    let AnswerBody::Counts(first) = ask(&site.node, asked()).await else {
        panic!("no counts")
    };
    let budget = site.node.config().site.disclosure.budget;
    let price = budget.price(Part::Site) + budget.price(Part::Survival);
    let spent = first.budget.unwrap();
    assert_eq!(spent.spent_microrho, price.0 / 1000);
    assert_eq!(
        spent.survival_microrho,
        budget.price(Part::Survival).0 / 1000
    );
    assert_eq!(
        ask(&site.node, asked()).await,
        AnswerBody::Counts(first.clone())
    );
    let mut with_age = asked();
    if let QuestionBody::Search { facets, .. } = &mut with_age {
        facets.insert(0, "age".parse().unwrap());
        facets.push(Facet::Survival(Endpoint::ProgressionFree));
    }
    let AnswerBody::Counts(again) = ask(&site.node, with_age).await else {
        panic!("no counts")
    };
    assert_eq!(again.survival[0], first.survival[0]);
    assert_eq!(
        again.survival[1].followed, None,
        "nothing is recorded of progression"
    );
    let price = price + budget.price(Part::Facets);
    assert_eq!(again.budget.unwrap().spent_microrho, price.0 / 1000);
    let steps: Vec<_> = again.facets[0]
        .cells
        .iter()
        .map(|cell| cell.value.as_str())
        .collect();
    assert_eq!(steps.first(), Some(&"..20"));
    assert_eq!(steps.len(), 9);
}

#[test]
fn the_same_attack_sees_through_threshold_and_rounding() {
    let policy = DisclosurePolicy::default();
    let events = |is_dead| policy.protect(u64::from(DIED) + u64::from(is_dead));
    assert_eq!(events(false), ProtectedCount::FewerThan(5));
    assert_eq!(events(true), ProtectedCount::About(5));
}
