//! The machine as tables: a state, and the step that must follow.

use arno_domain::NodeId;
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{LogOdds, Moments, NewtonSums, Row, Standardiser},
    shape::FEATURES,
};
use arno_protocol::{analyses::LogisticModel, federation::RoundTask};
use arno_store::hub::{
    analyses::{RoundPhase, RoundRow},
    questions::{Asked, Outcome},
};
use chrono::{DateTime, Duration, Utc};

use super::{
    learned::{Model, Stage, learn},
    machine::{Site, State, Step, next_step},
};
use crate::presence::Standing;

const GIVEN: Option<Outcome> = Some(Outcome::Given);
const FAILED: Option<Outcome> = Some(Outcome::Failed);

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + Duration::seconds(seconds)
}

fn nodes(count: usize) -> Vec<NodeId> {
    let mut nodes: Vec<_> = (0..count).map(|_| NodeId::new()).collect();
    nodes.sort();
    nodes
}

/// Three sites on the line, nothing asked yet, ten seconds a phase.
fn idle(nodes: &[NodeId]) -> State {
    let site = |node: &NodeId| Site {
        node: *node,
        refused: false,
        standing: Standing::Online,
    };
    State {
        now: at(100),
        least_sites: 2,
        pace: Duration::zero(),
        phase_timeout: Duration::seconds(10),
        patience_until: at(1000),
        sites: nodes.iter().map(site).collect(),
        rounds: Vec::new(),
        asked: Vec::new(),
        local_asked: Vec::new(),
        local_models: Vec::new(),
    }
}

fn round(number: u32, task: RoundTask, participants: &[NodeId], phase: RoundPhase) -> RoundRow {
    RoundRow {
        round: number,
        task,
        participants: participants.to_vec(),
        started_at: at(95),
        phase,
    }
}

fn asked(nodes: &[NodeId], outcomes: &[Option<Outcome>]) -> Vec<Asked> {
    let pairs = nodes.iter().zip(outcomes);
    pairs
        .map(|(node, outcome)| Asked {
            node: *node,
            asked_at: at(95),
            outcome: *outcome,
        })
        .collect()
}

fn abandoned() -> RoundPhase {
    RoundPhase::Abandoned {
        reason: "nobody came".into(),
        at: at(96),
    }
}

fn totalled(survivors: &[NodeId], total: Vec<f64>) -> RoundPhase {
    RoundPhase::Totalled {
        survivors: survivors.to_vec(),
        total,
        at: at(96),
    }
}

#[test]
fn a_round_begins_with_whoever_is_on_the_line() {
    let three = nodes(3);
    let check = |standings: [Standing; 3], expect: Step| {
        let mut state = idle(&three);
        for (site, standing) in state.sites.iter_mut().zip(standings) {
            site.standing = standing;
        }
        assert_eq!(next_step(&state), expect, "{standings:?}");
    };
    let ask = |participants: &[NodeId]| Step::Ask {
        round: 1,
        task: RoundTask::Moments,
        participants: participants.to_vec(),
    };
    let (online, offline, awaited) = (
        Standing::Online,
        Standing::Offline,
        Standing::Awaited(at(102)),
    );
    check([online; 3], ask(&three));
    check([online, online, offline], ask(&three[..2]));
    check([online, online, awaited], Step::Wait { until: at(102) });
    check([online, offline, offline], Step::Wait { until: at(1000) });
}

#[test]
fn a_refusal_is_final_once_all_were_heard() {
    let three = nodes(3);
    let mut state = idle(&three);
    (state.sites[0].refused, state.sites[1].refused) = (true, true);
    state.rounds = vec![round(
        1,
        RoundTask::Moments,
        &three,
        RoundPhase::Contributing,
    )];
    state.asked = asked(&three, &[FAILED, FAILED, None]);
    assert_eq!(next_step(&state), Step::Wait { until: at(105) });
    state.now = at(105);
    assert_eq!(next_step(&state), Step::Refuse, "not for ever");
    (state.now, state.sites[2].refused) = (at(100), true);
    state.asked = asked(&three, &[FAILED, FAILED, FAILED]);
    assert_eq!(next_step(&state), Step::Refuse);
}

#[test]
fn too_few_sites_end_it() {
    let three = nodes(3);
    let mut state = idle(&three);
    state.sites[0].refused = true;
    assert!(
        matches!(next_step(&state), Step::Ask { participants, .. } if participants == three[1..])
    );
    state.sites[1].refused = true;
    assert_eq!(next_step(&state), Step::Refuse);

    let mut state = idle(&three);
    state
        .sites
        .iter_mut()
        .for_each(|site| site.standing = Standing::Offline);
    state.now = at(1000);
    assert!(matches!(next_step(&state), Step::Fail { .. }));
}

#[test]
fn contributions_are_awaited_as_long_as_somebody_can_give_one() {
    let three = nodes(3);
    let check = |outcomes: [Option<Outcome>; 3], last: Standing, now: i64, expect: Step| {
        let mut state = idle(&three);
        state.now = at(now);
        state.sites[2].standing = last;
        state.rounds = vec![round(
            1,
            RoundTask::Moments,
            &three,
            RoundPhase::Contributing,
        )];
        state.asked = asked(&three, &outcomes);
        assert_eq!(next_step(&state), expect, "{outcomes:?} {last:?} at {now}");
    };
    let online = Standing::Online;
    let unmask = |survivors: &[NodeId]| Step::Unmask {
        survivors: survivors.to_vec(),
    };
    let abandon = |found: usize| Step::Abandon {
        reason: format!("{found} of 3 sites contributed, 2 are needed"),
    };
    check(
        [GIVEN, None, None],
        online,
        100,
        Step::Wait { until: at(105) },
    );
    check([GIVEN; 3], online, 100, unmask(&three));
    check(
        [GIVEN, GIVEN, None],
        online,
        100,
        Step::Wait { until: at(105) },
    );
    check([GIVEN, GIVEN, None], online, 105, unmask(&three[..2]));
    check(
        [GIVEN, GIVEN, None],
        Standing::Offline,
        100,
        unmask(&three[..2]),
    );
    check(
        [GIVEN, GIVEN, None],
        Standing::Awaited(at(101)),
        100,
        Step::Wait { until: at(101) },
    );
    check([GIVEN, GIVEN, FAILED], online, 100, unmask(&three[..2]));
    check([GIVEN, FAILED, FAILED], online, 100, abandon(1));
    check([GIVEN, None, None], online, 105, abandon(1));
}

#[test]
fn a_majority_unmasks_and_a_round_takes_its_least_time() {
    let three = nodes(3);
    let check = |outcomes: [Option<Outcome>; 3], pace: i64, now: i64, expect: Step| {
        let mut state = idle(&three);
        (state.now, state.pace) = (at(now), Duration::seconds(pace));
        let phase = RoundPhase::Unmasking {
            survivors: three.clone(),
            asked_at: at(95),
        };
        state.rounds = vec![round(1, RoundTask::Moments, &three, phase)];
        state.asked = asked(&three, &outcomes);
        assert_eq!(next_step(&state), expect, "{outcomes:?} {pace} at {now}");
    };
    let total = Step::Total {
        survivors: three.clone(),
    };
    check([GIVEN, None, None], 0, 100, Step::Wait { until: at(105) });
    check([GIVEN, GIVEN, None], 0, 100, total.clone());
    check([GIVEN, GIVEN, None], 7, 100, Step::Wait { until: at(102) });
    check([GIVEN, GIVEN, None], 7, 102, total);
    let reason = "1 sites helped to unmask the sum, 2 are needed".to_owned();
    check(
        [GIVEN, None, None],
        0,
        105,
        Step::Abandon {
            reason: reason.clone(),
        },
    );
    check([GIVEN, FAILED, FAILED], 0, 100, Step::Abandon { reason });
}

#[test]
fn an_abandoned_round_is_tried_again_under_the_next_number() {
    let three = nodes(3);
    let mut state = idle(&three);
    for number in 1..=5 {
        state
            .rounds
            .push(round(number, RoundTask::Moments, &three, abandoned()));
        assert!(matches!(next_step(&state), Step::Ask { round, .. } if round == number + 1));
    }
    state
        .rounds
        .push(round(6, RoundTask::Moments, &three, abandoned()));
    assert!(matches!(next_step(&state), Step::Fail { reason } if reason.contains("nobody came")));
}

fn data() -> Vec<Row> {
    let row = |index: usize| Row {
        features: std::array::from_fn(|at| ((index * (at + 3)) % (17 + at)) as f64),
        positive: index.is_multiple_of(3),
    };
    (0..120).map(row).collect()
}

/// The rounds of an analysis over `data`, driven by the machine itself, until it wants something but a round of sums.
fn run(three: &[NodeId], leaves_at: u32) -> (State, Step) {
    let mut state = idle(three);
    loop {
        let step = next_step(&state);
        let (number, task) = match &step {
            Step::Ask { round, task, .. } if !matches!(task, RoundTask::Evaluate(_)) => {
                (*round, task.clone())
            }
            _ => return (state, step),
        };
        let survivors = if number >= leaves_at {
            &three[..2]
        } else {
            three
        };
        let rows = &data()[..survivors.len() * 40];
        let total = match &task {
            RoundTask::Newton(model) => {
                let model = Model::try_from(model).unwrap();
                NewtonSums::of(rows, &model.standardiser, &model.coefficients).to_vec()
            }
            _ => Moments::of(rows).to_vec(),
        };
        state
            .rounds
            .push(round(number, task, three, totalled(survivors, total)));
    }
}

#[test]
fn rounds_go_on_until_the_coefficients_stand() {
    let three = nodes(3);
    let (state, step) = run(&three, u32::MAX);
    assert_eq!(
        step,
        Step::AskLocalModels {
            sites: three.clone()
        }
    );
    let (stage, insights) = learn(&state.rounds);
    assert!(matches!(stage, Stage::Converged { sites, .. } if sites == three));
    assert!(insights.iter().all(|insight| insight.nodules == Some(120)));
    assert!(
        insights[1..]
            .iter()
            .all(|insight| insight.max_step.is_some())
    );
}

#[test]
fn when_a_site_leaves_the_solver_starts_anew() {
    let three = nodes(3);
    let (state, step) = run(&three, 4);
    assert_eq!(
        step,
        Step::AskLocalModels {
            sites: three[..2].to_vec()
        },
        "converged over the two"
    );
    let zero = |round: &RoundRow| matches!(&round.task, RoundTask::Newton(model) if model.coefficients.iter().all(|coefficient| *coefficient == 0.0));
    let from_zero: Vec<u32> = state
        .rounds
        .iter()
        .filter(|round| zero(round))
        .map(|round| round.round)
        .collect();
    assert_eq!(from_zero, [2, 5]);
    assert_eq!(
        learn(&state.rounds).1[3].max_step,
        None,
        "a sum over other rows moves nothing"
    );
}

#[test]
fn all_models_are_measured_and_then_it_is_done() {
    let three = nodes(3);
    let (mut state, _) = run(&three, u32::MAX);
    let own: LogisticModel = Model {
        standardiser: Standardiser {
            mean: [0.0; FEATURES],
            sd: [1.0; FEATURES],
        },
        coefficients: [0.5; FEATURES + 1],
    }
    .into();
    state.local_asked = asked(&three, &[GIVEN, None, FAILED]);
    state.local_models = vec![(three[0], own.clone())];
    assert_eq!(
        next_step(&state),
        Step::Wait { until: at(105) },
        "for the second site's own model"
    );
    state.now = at(105);
    let Step::Ask {
        round: number,
        task,
        participants,
    } = next_step(&state)
    else {
        panic!("no round")
    };
    let RoundTask::Evaluate(models) = &task else {
        panic!("{task:?}")
    };
    assert_eq!((models.len(), &models[1], &participants), (2, &own, &three));

    let histogram = ScoreHistogram::of([(LogOdds(1.0), true), (LogOdds(-1.0), false)]).to_vec();
    let total = [histogram.clone(), histogram].concat();
    state
        .rounds
        .push(round(number, task.clone(), &three, totalled(&three, total)));
    assert_eq!(next_step(&state), Step::Finish);
    state.rounds.pop();
    state
        .rounds
        .push(round(number, task, &three, totalled(&three, vec![1.0; 7])));
    assert!(matches!(next_step(&state), Step::Fail { .. }));
}

#[test]
fn data_of_one_class_make_no_model() {
    let three = nodes(3);
    let mut state = idle(&three);
    let rows: Vec<_> = data().into_iter().filter(|row| row.positive).collect();
    state.rounds = vec![round(
        1,
        RoundTask::Moments,
        &three,
        totalled(&three, Moments::of(&rows).to_vec()),
    )];
    assert!(matches!(next_step(&state), Step::Fail { reason } if reason.contains("both classes")));
}
