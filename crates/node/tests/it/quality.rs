//! Quality: what rules find in what came in, what becomes of it when more comes, and what a dataset version says of it.

use arno_domain::{disclosure::ProtectedCount, quality::Severity};
use arno_node::{BelowLimit, NodeError};
use arno_protocol::node::{
    NewDataset,
    quality::{DatasetCertificate, QualityOverview, RiskReport, SeriesFinding, SeriesQuality},
};
use axum::http::StatusCode;

use crate::{
    api::Api,
    support::{
        TestNode,
        dicom::{MEIER, NOVAK, Person, Slice, series},
    },
};

fn put(site: &TestNode, slices: &[Slice]) {
    for slice in slices {
        let name = format!("{}/{}/{}.dcm", slice.study, slice.series, slice.number);
        site.put(&name, slice.file());
    }
}

async fn quality(api: &Api, patient_of: usize) -> SeriesQuality {
    let uid = &api.series_of("CT").await[patient_of];
    api.get(&format!("/v1/series/{uid}/quality")).await
}

fn rules(quality: &SeriesQuality) -> Vec<&str> {
    quality
        .findings
        .iter()
        .map(|finding| finding.rule.as_str())
        .collect()
}

#[tokio::test]
async fn a_missing_slice_is_found_and_the_finding_goes_when_it_comes() {
    let api = Api::new().await;
    let mut slices = series(MEIER, 1, 1, 8);
    let late = slices.remove(4);
    put(&api.site, &slices);
    api.site.ingest().await;
    let found = quality(&api, 0).await;
    assert_eq!(rules(&found), ["series_complete", "slice_gap"]);
    assert_eq!(found.findings[0].severity, Severity::Error);
    assert_eq!(found.findings[0].count, 1);
    assert_eq!(found.findings[1].examples.len(), 1);
    assert_eq!(found.kind, "ct_native");
    assert_eq!(found.body.unwrap().code.as_deref(), Some("51185008"));

    let overview: QualityOverview = api.get("/v1/quality").await;
    assert_eq!((overview.checked, overview.due), (1, 0));
    assert_eq!((overview.rules[0].failed, overview.rules[2].failed), (1, 0));
    let gaps: Vec<SeriesFinding> = api.get("/v1/quality/slice_gap").await;
    assert_eq!(gaps, overview.rules[1].examples);

    put(&api.site, &[late]);
    api.site.ingest().await;
    let found = quality(&api, 0).await;
    assert_eq!(rules(&found), [""; 0]);
    assert!(found.passed.len() > 8, "{:?}", found.passed);
}

#[tokio::test]
async fn one_patient_under_two_ids_is_found_by_the_pixels_from_both_sides() {
    let api = Api::new().await;
    put(&api.site, &series(MEIER, 1, 1, 4));
    api.site.ingest().await;
    assert_eq!(rules(&quality(&api, 0).await), [""; 0]);
    put(&api.site, &series(NOVAK, 2, 1, 4));
    api.site.ingest().await;
    for side in 0..2 {
        let found = quality(&api, side).await;
        assert_eq!(rules(&found), ["exact_duplicate"]);
        let other = &api.series_of("CT").await[1 - side];
        assert_eq!(&found.findings[0].examples, std::slice::from_ref(other));
    }
}

#[tokio::test]
async fn a_structure_set_says_what_it_lacks() {
    let api = Api::new().await;
    api.site
        .put("rt.dcm", series(MEIER, 1, 1, 4)[1].structure_set());
    api.site.ingest().await;
    let uid = &api.series_of("RTSTRUCT").await[0];
    let found: SeriesQuality = api.get(&format!("/v1/series/{uid}/quality")).await;
    assert_eq!(rules(&found), ["references_kept"]);
    assert_eq!(found.kind, "structure_set");
}

#[tokio::test]
async fn a_sex_in_words_counts_and_a_number_does_not() {
    let api = Api::new().await;
    let person = |id, sex| Person { id, sex, ..MEIER };
    put(&api.site, &series(person("HN-1", "FEMALE"), 1, 1, 4));
    put(&api.site, &series(person("HN-2", "6657"), 2, 1, 3));
    api.site.ingest().await;
    let mut sexes: Vec<_> = api
        .site
        .series()
        .await
        .rows
        .into_iter()
        .map(|row| row.sex)
        .collect();
    sexes.sort();
    assert_eq!(sexes, ["", "F"]);
    let overview: QualityOverview = api.get("/v1/quality").await;
    let rule = overview
        .rules
        .iter()
        .find(|rule| rule.rule == "sex_value")
        .unwrap();
    assert!(
        rule.failed >= 1,
        "the number may have been emptied, the word was not"
    );
    assert!(!serde_json::to_string(&overview).unwrap().contains("6657"));
}

#[tokio::test]
async fn a_version_has_a_certificate_and_the_hub_gets_counts_alone() {
    let api = Api::new().await;
    let mut slices = series(MEIER, 1, 1, 8);
    slices.remove(4);
    put(&api.site, &slices);
    api.site.ingest().await;
    let published = api.site.publish("").await;
    let id = published.record.id;
    let DatasetCertificate { signed, .. } =
        api.get(&format!("/v1/datasets/{id}/certificate")).await;
    let key = api.site.node.card().unverified().unwrap().signing_key;
    let certificate = signed.verify(&key).unwrap();
    assert_eq!(
        certificate.manifest_sha256,
        published.record.manifest_sha256
    );
    let gap = certificate
        .rules
        .iter()
        .find(|rule| rule.rule == "slice_gap")
        .unwrap();
    assert_eq!((gap.checked, gap.failed), (1, 1));
    assert_eq!(gap.examples, api.series_of("CT").await);

    let summary = published.record.quality.as_ref().unwrap();
    assert_eq!(summary.certificate_sha256, signed.digest());
    let gap = summary
        .rules
        .iter()
        .find(|rule| rule.rule == "slice_gap")
        .unwrap();
    assert_eq!(gap.failed, Some(ProtectedCount::FewerThan(5)));
    let text = serde_json::to_string(&published.record).unwrap();
    assert!(!text.contains("2.25."), "no UID leaves: {text}");
}

#[tokio::test]
async fn risk_is_told_and_refused_where_the_data_holder_wants_that() {
    let mut api = Api::new().await;
    put(&api.site, &series(MEIER, 1, 1, 4));
    put(&api.site, &series(NOVAK, 2, 1, 3));
    api.site.ingest().await;
    let published = api.site.publish("").await;
    let figure = published.risk.unwrap();
    assert_eq!(
        (figure.k, figure.unique, figure.within_limit),
        (1, 2, false)
    );
    let report: RiskReport = api
        .get(&format!("/v1/datasets/{}/risk", published.record.id))
        .await;
    assert_eq!((report.patients, report.figure), (2, figure));
    assert!(report.columns.iter().any(|column| column.column == "age"));
    let (missing, ..) = api.raw("GET", "/v1/datasets/1/risk", b"").await;
    assert_eq!(missing, StatusCode::NOT_FOUND);

    api.site
        .restarted(|site| site.risk.below = BelowLimit::Refuse)
        .await;
    let new = NewDataset {
        title: "Refused".into(),
        description: String::new(),
        cohort: String::new(),
        licence: "CC BY 4.0".into(),
    };
    match api.site.node.create_dataset(&new, "test").await {
        Err(NodeError::Rule { code, detail }) => {
            assert_eq!(code, "risk_above_limit");
            assert!(detail.contains("least_k"), "{detail}");
        }
        other => panic!("{other:?}"),
    }
}
