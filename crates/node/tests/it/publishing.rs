//! A dataset's record is computed from the data, signed, versioned, and names nobody.

use arno_domain::{
    SearchId,
    disclosure::PermittedCounts,
    permit::{Operation, Permit},
};
use arno_node::NodeError;
use arno_phantom::SITES;
use arno_protocol::{
    federation::{AnswerBody, CountQuestion, QuestionBody},
    node::NewDataset,
};

use crate::{
    clinical::load,
    support::{
        TestNode, ask,
        dicom::{MEIER, NOVAK},
        federation::site,
        hospital, permit, signed,
    },
};

#[tokio::test]
async fn a_record_is_signed_computed_and_versioned() {
    let (site, first) = site(&SITES[2]).await;
    let node = &site.node;
    let holdings = node.store().holdings().await.unwrap();
    assert_eq!(
        (
            first.record.version,
            first.record.patients,
            first.record.readings
        ),
        (1, holdings.patients, holdings.readings)
    );
    assert_eq!(
        (
            first.record.studies,
            first.record.instances,
            first.record.synthetic_images
        ),
        (0, 0, false)
    );
    let second = site.publish("malignancy >= 4").await;
    assert_eq!(second.record.version, 2);
    assert!(
        second.record.patients < first.record.patients
            && second.record.manifest_sha256 != first.record.manifest_sha256
    );
    let undelivered = node.store().undelivered_datasets().await.unwrap();
    let key = node.card().unverified().unwrap().signing_key;
    let records: Vec<_> = undelivered
        .iter()
        .map(|dataset| dataset.signed.verify(&key).unwrap())
        .collect();
    assert_eq!(records, [first.record, second.record]);
    let json = serde_json::to_string(&undelivered[0].signed).unwrap();
    assert!(!json.contains("P-"), "no pseudonym leaves");
}

/// Two patients with images, one of whom has a lung cancer by a table, and one of whom only the table speaks.
async fn with_registry() -> TestNode {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let rows = format!(
        "{};C34.1;2019-03-02\n{};C50.9;2019-03-02\nHN-0000-Z;C34.2;2020-01-01\n",
        MEIER.id, NOVAK.id
    );
    load(&site, &rows).await.unwrap();
    site
}

/// What a search would count without noise.
async fn counted(site: &TestNode, permit: &Permit, text: &str) -> [u64; 3] {
    let question = CountQuestion {
        search: SearchId::new(),
        data_user: "researcher".into(),
        cohort: text.parse().unwrap(),
        facets: Vec::new(),
        permit: signed(permit),
    };
    match ask(&site.node, QuestionBody::Count(question)).await {
        AnswerBody::Exact(found) => match found.counts {
            Some(PermittedCounts::Exactly {
                patients,
                studies,
                series,
            }) => [patients, studies, series],
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_dataset_is_what_a_search_for_its_cohort_counts() {
    let site = with_registry().await;
    let all = permit(&[&site.publish("").await], &[Operation::Count]);
    for text in [
        "diagnosis under C34",
        "diagnosis under C34 and modality = CT",
        "diagnosis under C50 or sex = F",
        "not diagnosis under C34",
        "diagnosis(diagnosis under C34 and diagnosis_date recorded)",
        "series(modality = CT) and sex = M",
        "diagnosis_date before study_date",
        "not modality recorded",
    ] {
        let record = site.publish(text).await.record;
        let found = [record.patients, record.studies, record.series];
        assert_eq!(found, counted(&site, &all, text).await, "{text}");
        let own = permit(
            &[&arno_protocol::node::LocalDataset {
                record,
                delivered: false,
                risk: None,
            }],
            &[Operation::Count],
        );
        assert_eq!(
            found,
            counted(&site, &own, "").await,
            "what is in it: {text}"
        );
    }
}

#[tokio::test]
async fn clinical_criteria_select_series_for_good_and_risk_sees_what_it_saw() {
    let site = with_registry().await;
    let cancers = site.publish("diagnosis under C34 and modality = CT").await;
    let women = site.publish("sex = F and modality = CT").await;
    assert_eq!((cancers.record.patients, cancers.record.series), (1, 2));
    assert_eq!(
        cancers.record.manifest_sha256, women.record.manifest_sha256,
        "the same series by another way"
    );
    let store = site.node.store();
    let risk = async |dataset| store.dataset_risk(dataset).await.unwrap();
    let (one, other) = (risk(cancers.record.id).await, risk(women.record.id).await);
    assert_eq!(one, other);
    let columns: Vec<_> = one.columns.iter().map(|of| of.column.as_str()).collect();
    for column in ["sex", "age", "modality", "studies"] {
        assert!(columns.contains(&column), "{column} of {columns:?}");
    }
    load(&site, &format!("{};C50.9;2019-03-02\n", MEIER.id))
        .await
        .unwrap();
    let own = permit(&[&cancers], &[Operation::Count]);
    assert_eq!(
        counted(&site, &own, "").await,
        [1, 1, 2],
        "what is frozen stays, whatever becomes known"
    );
    assert_eq!(counted(&site, &own, "diagnosis under C50").await, [1, 1, 2]);
}

#[tokio::test]
async fn a_cohort_that_cannot_be_evaluated_selects_nothing() {
    let site = with_registry().await;
    let publish = async |cohort: &str| {
        let new = NewDataset {
            title: "A cohort".into(),
            description: String::new(),
            cohort: cohort.into(),
            licence: "CC BY 4.0".into(),
        };
        site.node.create_dataset(&new, "test").await
    };
    let check = async |cohort: &str, expect: &str, names: &str| match publish(cohort).await {
        Err(NodeError::Rule { code, detail }) => {
            assert_eq!(code, expect, "{cohort}");
            assert!(detail.contains(names), "{detail}");
        }
        other => panic!("{cohort}: {other:?}"),
    };
    check("not stage in III", "unsupported_criterion", "stage").await;
    check("modality = MR", "empty_dataset", "modality = MR").await;
    check("modality =", "bad_cohort", "cohort").await;
}
