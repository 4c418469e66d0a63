//! Masked rounds: their sum is the model of the pooled data, a node may drop out, and a node says the same again and nothing
//! else.

use arno_domain::audit::Outcome;
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{self, Moments, NewtonSums, Progress, Solver},
    reading::Split,
};
use arno_phantom::SITES;
use arno_protocol::{
    analyses::LogisticModel,
    federation::{QuestionBody, RoundTask},
};

use crate::support::{
    ask,
    federation::{Federation, pooled},
    pinned, question, refusal,
};

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
