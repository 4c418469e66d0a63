//! The protocol from end to end, with every pattern of nodes that vanish, and with messages that lie.

use proptest::prelude::{
    ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, proptest,
};

use super::{
    Contribution, MAX_PARTICIPANTS, MAX_VALUES, NodeSecret, Participant, ParticipantId,
    RoundContext, SecaggError, UnmaskRequest, Unmasking, aggregate, contribute, unmask,
};
use crate::fixed::{add, decode};

/// Cases per property: each makes dozens of key agreements, which are slow without optimisation.
const CASES: u32 = 48;

/// A round with nodes `0..n` in order of their ids, and their secrets.
struct Round {
    context: RoundContext,
    secrets: Vec<NodeSecret>,
}

fn id(node: usize) -> ParticipantId {
    ParticipantId([node as u8; 16])
}

fn secret(node: usize) -> NodeSecret {
    NodeSecret::new([node as u8 + 1; 32], [node as u8 + 101; 32])
}

fn participants(n: usize) -> Vec<Participant> {
    (0..n)
        .map(|node| Participant {
            node: id(node),
            agreement_public: secret(node).agreement_public(),
        })
        .collect()
}

fn round(n: usize) -> Round {
    let context = RoundContext::new([7; 16], 3, [8; 32], participants(n)).unwrap();
    Round {
        context,
        secrets: (0..n).map(secret).collect(),
    }
}

impl Round {
    fn contribute(&self, node: usize, values: &[f64]) -> Contribution {
        contribute(&self.context, id(node), &self.secrets[node], values).unwrap()
    }

    fn unmask(
        &self,
        node: usize,
        contributions: &[Contribution],
    ) -> Result<Unmasking, SecaggError> {
        let request = UnmaskRequest::new(&self.context, contributions, id(node))?;
        unmask(&self.context, id(node), &self.secrets[node], &request)
    }

    /// Nodes `survivors` contribute `values[node]`, of them those in `answering` answer the unmask request.
    fn run(
        &self,
        values: &[Vec<f64>],
        survivors: &[usize],
        answering: &[usize],
    ) -> Result<Vec<f64>, SecaggError> {
        let contributions: Vec<_> = survivors
            .iter()
            .map(|node| self.contribute(*node, &values[*node]))
            .collect();
        let unmaskings: Result<Vec<_>, _> = answering
            .iter()
            .map(|node| self.unmask(*node, &contributions))
            .collect();
        aggregate(&self.context, &contributions, &unmaskings?)
    }
}

fn nodes_in(mask: u32, n: usize) -> Vec<usize> {
    (0..n).filter(|node| mask >> node & 1 == 1).collect()
}

fn plain_sum(values: &[Vec<f64>], nodes: &[usize]) -> Vec<f64> {
    (0..values[0].len())
        .map(|at| nodes.iter().map(|node| values[*node][at]).sum())
        .collect()
}

fn close(a: &[f64], b: &[f64]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(x, y)| (x - y).abs() < 1e-9)
}

fn values() -> impl Strategy<Value = Vec<Vec<f64>>> {
    (2usize..=6, 1usize..=70).prop_flat_map(|(n, len)| {
        prop::collection::vec(prop::collection::vec(-1e3..1e3f64, len), n)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    /// Any nodes vanish before they contribute, any others after it; enough left means the exact sum, too few an error.
    #[test]
    fn the_sum_is_that_of_the_survivors(values in values(), survived in any::<u32>(), answered in any::<u32>()) {
        let n = values.len();
        let round = round(n);
        let survivors = nodes_in(survived, n);
        let answering = nodes_in(survived & answered, n);
        let threshold = round.context.threshold();
        let result = round.run(&values, &survivors, &answering);
        if survivors.len() < threshold {
            prop_assert_eq!(result, Err(SecaggError::TooFewSurvivors { survivors: survivors.len(), threshold }));
        } else if answering.len() < threshold {
            prop_assert_eq!(result, Err(SecaggError::TooFewUnmaskings { unmaskings: answering.len(), threshold }));
        } else {
            prop_assert!(close(&result.unwrap(), &plain_sum(&values, &survivors)));
        }
    }

    /// Without the self masks taken off, no set of contributions adds up to its plain sum, not even all of them.
    #[test]
    fn masked_vectors_alone_add_up_to_nothing(values in values(), chosen in 1u32..) {
        let n = values.len();
        let round = round(n);
        let chosen = nodes_in(chosen, n);
        let mut sum = vec![0; values[0].len()];
        chosen.iter().for_each(|node| add(&mut sum, &round.contribute(*node, &values[*node]).masked));
        let plain = plain_sum(&values, &chosen);
        prop_assert!(chosen.is_empty() || decode(&sum).iter().zip(&plain).all(|(a, b)| (a - b).abs() > 1.0));
    }
}

#[test]
fn every_pattern_of_three_nodes() {
    let values = vec![vec![1.5, -2.0], vec![10.25, 3.0], vec![-100.0, 0.125]];
    let round = round(3);
    let check = |survivors: &[usize], answering: &[usize], expect: [f64; 2]| {
        let sum = round.run(&values, survivors, answering).unwrap();
        assert_eq!(sum, expect, "{survivors:?} {answering:?}");
    };
    check(&[0, 1, 2], &[0, 1, 2], [-88.25, 1.125]);
    check(&[0, 1, 2], &[0, 2], [-88.25, 1.125]);
    check(&[2, 1, 0], &[2, 1], [-88.25, 1.125]);
    check(&[0, 1], &[0, 1], [11.75, 1.0]);
    check(&[0, 2], &[2, 0], [-98.5, -1.875]);
    check(&[2, 1], &[1, 2], [-89.75, 3.125]);
}

#[test]
fn masked_words_look_uniform() {
    // 1,000 equal values: each bit of the words is set about half the time, within six standard deviations (16 each).
    let masked = round(3).contribute(0, &[1.0; 1000]).masked;
    for bit in 0..128 {
        let set = masked.iter().filter(|word| **word >> bit & 1 == 1).count();
        assert!((404..=596).contains(&set), "bit {bit}: {set}");
    }
}

#[test]
fn no_mask_serves_twice() {
    let zeros = [0.0; 4];
    let masked = |analysis: u8, number: u32, question: u8, n: usize| {
        let context =
            RoundContext::new([analysis; 16], number, [question; 32], participants(n)).unwrap();
        contribute(&context, id(0), &secret(0), &zeros)
            .unwrap()
            .masked
    };
    let all = [
        masked(7, 3, 8, 3),
        masked(6, 3, 8, 3),
        masked(7, 4, 8, 3),
        masked(7, 3, 9, 3),
        masked(7, 3, 8, 4),
    ];
    for (at, one) in all.iter().enumerate() {
        assert!(
            all[..at]
                .iter()
                .all(|other| one.iter().zip(other).all(|(a, b)| a != b))
        );
    }
    assert_eq!(masked(7, 3, 8, 3), all[0]);
}

#[test]
fn a_late_contribution_stays_hidden() {
    // Node 2 counts as dropped out; its vector arrives after the unmasking. Everything that was revealed, used on it, leaves
    // the mask of its own seed on.
    let round = round(3);
    let on_time = [round.contribute(0, &[1.0]), round.contribute(1, &[2.0])];
    let unmaskings = [
        round.unmask(0, &on_time).unwrap(),
        round.unmask(1, &on_time).unwrap(),
    ];
    let late = round.contribute(2, &[3.0]);
    let revealed = unmaskings.iter().flat_map(|unmasking| &unmasking.shares);
    assert!(revealed.into_iter().all(|share| share.owner != late.from));
    let all = [on_time[0].clone(), on_time[1].clone(), late];
    assert_eq!(
        aggregate(&round.context, &all, &unmaskings),
        Err(SecaggError::Malformed(id(0)))
    );
}

#[test]
fn nodes_refuse_dishonest_requests() {
    let round = round(4);
    let contributions: Vec<_> = (0..3).map(|node| round.contribute(node, &[1.0])).collect();
    let honest = UnmaskRequest::new(&round.context, &contributions, id(0)).unwrap();
    assert!(unmask(&round.context, id(0), &round.secrets[0], &honest).is_ok());
    let check = |change: fn(&mut UnmaskRequest), expect: SecaggError| {
        let mut request = honest.clone();
        change(&mut request);
        assert_ne!(request, honest);
        assert_eq!(
            unmask(&round.context, id(0), &round.secrets[0], &request),
            Err(expect)
        );
    };
    check(|r| r.survivors.truncate(2), SecaggError::UnclearFate(id(2)));
    check(|r| r.dropped.push(id(1)), SecaggError::UnclearFate(id(1)));
    check(|r| r.survivors[2] = id(3), SecaggError::UnclearFate(id(2)));
    check(|r| r.survivors[2] = id(1), SecaggError::UnclearFate(id(1)));
    check(
        |r| r.survivors[1] = id(9),
        SecaggError::NotAParticipant(id(9)),
    );
    check(
        |r| r.dropped = vec![id(9)],
        SecaggError::NotAParticipant(id(9)),
    );
    check(
        |r| (r.survivors[0], r.dropped[0]) = (id(3), id(0)),
        SecaggError::NotASurvivor,
    );
    check(
        |r| r.dropped.push(r.survivors.pop().unwrap()),
        SecaggError::TooFewSurvivors {
            survivors: 2,
            threshold: 3,
        },
    );
    check(
        |r| r.shares_for_me.truncate(2),
        SecaggError::NotOneMessage(id(2)),
    );
    check(
        |r| r.shares_for_me[2] = r.shares_for_me[1].clone(),
        SecaggError::NotOneMessage(id(1)),
    );
    check(
        |r| r.shares_for_me[1].ciphertext[20] ^= 1,
        SecaggError::ShareRejected(id(1)),
    );
    check(
        |r| r.shares_for_me[1].ciphertext.truncate(5),
        SecaggError::ShareRejected(id(1)),
    );
    check(
        |r| r.shares_for_me[1].ciphertext = r.shares_for_me[2].ciphertext.clone(),
        SecaggError::ShareRejected(id(1)),
    );
}

#[test]
fn shares_of_another_round_do_not_open() {
    let round = round(2);
    let other = RoundContext::new([7; 16], 4, [8; 32], participants(2)).unwrap();
    let contributions: Vec<_> = (0..2)
        .map(|node| contribute(&other, id(node), &secret(node), &[1.0]).unwrap())
        .collect();
    assert_eq!(
        round.unmask(0, &contributions),
        Err(SecaggError::ShareRejected(id(0)))
    );
}

#[test]
fn the_hub_notices_broken_messages() {
    let round = round(3);
    let contributions: Vec<_> = (0..3)
        .map(|node| round.contribute(node, &[1.0, 2.0]))
        .collect();
    let unmaskings: Vec<_> = (0..2)
        .map(|node| round.unmask(node, &contributions).unwrap())
        .collect();
    type Change = fn(&mut Vec<Contribution>, &mut Vec<Unmasking>);
    let check = |change: Change, expect: SecaggError| {
        let (mut contributions, mut unmaskings) = (contributions.clone(), unmaskings.clone());
        change(&mut contributions, &mut unmaskings);
        assert_eq!(
            aggregate(&round.context, &contributions, &unmaskings),
            Err(expect)
        );
    };
    check(
        |c, _| c[1].masked.truncate(1),
        SecaggError::Malformed(id(1)),
    );
    check(
        |c, _| c[1].commitments.truncate(2),
        SecaggError::Malformed(id(1)),
    );
    check(
        |c, _| c[1].shares.truncate(2),
        SecaggError::Malformed(id(1)),
    );
    check(
        |c, _| c[1].from = id(9),
        SecaggError::NotAParticipant(id(9)),
    );
    check(|c, _| c[1] = c[0].clone(), SecaggError::UnclearFate(id(0)));
    check(
        |_, u| u.truncate(1),
        SecaggError::TooFewUnmaskings {
            unmaskings: 1,
            threshold: 2,
        },
    );
    check(
        |_, u| u[1] = u[0].clone(),
        SecaggError::NotOneMessage(id(0)),
    );
    check(
        |_, u| u[1].from = id(9),
        SecaggError::NotAParticipant(id(9)),
    );
    check(
        |_, u| u[1].shares.truncate(1),
        SecaggError::Malformed(id(1)),
    );
    check(
        |_, u| u[1].shares[2].share[5] ^= 1,
        SecaggError::FalseShare(id(2)),
    );
    check(|_, u| u[1].from = id(2), SecaggError::FalseShare(id(0)));
}

#[test]
fn impossible_rounds_are_refused() {
    let check = |participants: Vec<Participant>, expect: SecaggError| {
        assert_eq!(
            RoundContext::new([7; 16], 3, [8; 32], participants),
            Err(expect)
        );
    };
    check(vec![], SecaggError::TooFewParticipants(0));
    check(participants(1), SecaggError::TooFewParticipants(1));
    check(
        participants(MAX_PARTICIPANTS + 1),
        SecaggError::TooManyParticipants(MAX_PARTICIPANTS + 1),
    );
    check(
        [participants(2), participants(1)].concat(),
        SecaggError::DuplicateParticipant(id(0)),
    );
    let mut same_key = participants(2);
    same_key[1].agreement_public = same_key[0].agreement_public;
    check(same_key, SecaggError::DuplicateParticipant(id(1)));
}

#[test]
fn impossible_contributions_are_refused() {
    let context = round(2).context;
    let check = |me: usize, secret: NodeSecret, values: &[f64], expect: &str| {
        let error = contribute(&context, id(me), &secret, values).unwrap_err();
        assert_eq!(error.to_string(), expect);
    };
    check(
        5,
        secret(5),
        &[1.0],
        &format!("node {} does not take part in this round", "05".repeat(16)),
    );
    check(
        1,
        secret(0),
        &[1.0],
        "the round names another agreement key for this node than its own",
    );
    check(1, secret(1), &[f64::NAN], "a value cannot be aggregated");
    check(
        1,
        secret(1),
        &vec![0.0; MAX_VALUES + 1],
        "at most 1048576 values can be aggregated, these are 1048577",
    );

    let mut weak = participants(2);
    weak[1].agreement_public = [0; 32];
    let context = RoundContext::new([7; 16], 3, [8; 32], weak).unwrap();
    assert_eq!(
        contribute(&context, id(0), &secret(0), &[1.0]),
        Err(SecaggError::WeakKey(id(1)))
    );
}

#[test]
fn the_order_of_participants_does_not_matter() {
    let mut reversed = participants(3);
    reversed.reverse();
    assert_eq!(
        RoundContext::new([7; 16], 3, [8; 32], reversed).unwrap(),
        round(3).context
    );
}

#[test]
fn a_round_of_many_nodes_loses_almost_half() {
    let round = round(17);
    let survivors: Vec<_> = (0..12).collect();
    let values = vec![vec![0.5]; 17];
    assert_eq!(
        round.run(&values, &survivors, &survivors[3..]).unwrap(),
        [6.0]
    );
}

#[test]
fn the_largest_contribution_has_its_form() {
    let round = round(MAX_PARTICIPANTS);
    let contribution = round.contribute(MAX_PARTICIPANTS - 1, &[0.5]);
    assert_eq!(contribution.check(&round.context, 1), Ok(()));
    assert_eq!(
        contribution.check(&round.context, 2),
        Err(SecaggError::Malformed(contribution.from))
    );
}

#[test]
fn messages_survive_json() {
    let round = round(3);
    let contributions: Vec<_> = (0..2)
        .map(|node| round.contribute(node, &[1.0, -2.0]))
        .collect();
    let request = UnmaskRequest::new(&round.context, &contributions, id(1)).unwrap();
    let unmasking = round.unmask(1, &contributions).unwrap();
    let context = serde_json::to_string(&round.context).unwrap();
    assert_eq!(
        serde_json::from_str::<RoundContext>(&context).unwrap(),
        round.context
    );
    let text = serde_json::to_string(&contributions[0]).unwrap();
    assert_eq!(
        serde_json::from_str::<Contribution>(&text).unwrap(),
        contributions[0]
    );
    let text = serde_json::to_string(&request).unwrap();
    assert_eq!(
        serde_json::from_str::<UnmaskRequest>(&text).unwrap(),
        request
    );
    let text = serde_json::to_string(&unmasking).unwrap();
    assert_eq!(serde_json::from_str::<Unmasking>(&text).unwrap(), unmasking);

    let mut alone: serde_json::Value = serde_json::from_str(&context).unwrap();
    alone["participants"].as_array_mut().unwrap().truncate(1);
    assert!(serde_json::from_value::<RoundContext>(alone).is_err());
}
