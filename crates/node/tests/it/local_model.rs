//! A site's own model, to compare the federation's with.

use arno_domain::{AnalysisId, permit::Operation};
use arno_learning::{logistic, reading::Split};
use arno_phantom::{SITES, raw_readings};
use arno_protocol::federation::{AnswerBody, QuestionBody};

use crate::support::{
    ask,
    federation::{Federation, pooled, site},
    permit, refusal, signed,
};

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
