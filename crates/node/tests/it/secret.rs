//! The pseudonym secret over the life of a node: sealed, rotated, and the link back to the patient.

use arno_domain::{Clock, audit::Outcome};
use arno_node::{Node, NodeConfig, NodeError};

use crate::support::{
    TestNode, contains,
    dicom::{MEIER, NOVAK, Person, series},
    start,
};

fn put(site: &TestNode, person: Person, study: u32) {
    for slice in series(person, study, 1, 3) {
        site.put(&format!("{study}/{}.dcm", slice.number), slice.file());
    }
}

async fn patients(site: &TestNode) -> Vec<String> {
    let mut patients: Vec<_> = site
        .series()
        .await
        .rows
        .into_iter()
        .map(|row| row.patient)
        .collect();
    patients.sort();
    patients.dedup();
    patients
}

#[tokio::test]
async fn after_a_rotation_known_patients_join_and_new_ones_are_under_the_new_secret() {
    let mut site = TestNode::new().await;
    put(&site, MEIER, 1);
    site.ingest().await;
    let before = patients(&site).await;
    let key = site.data().join("keys/pseudonym.key");
    let old = std::fs::read_to_string(&key).unwrap();
    std::fs::write(&key, format!("{old}\n{}", "5c".repeat(32))).unwrap();
    site.restarted(|_| ()).await;

    put(&site, MEIER, 2);
    put(&site, NOVAK, 3);
    assert_eq!(
        site.ingest().await,
        [6, 3, 0, 0],
        "what was sent before is known"
    );
    let after = patients(&site).await;
    assert_eq!(after.len(), 2);
    assert!(
        after.contains(&before[0]),
        "the later study joins the earlier one"
    );

    let alone = TestNode::new().await;
    std::fs::write(alone.data().join("keys/pseudonym.key"), old).unwrap();
    let mut alone = alone;
    alone.restarted(|_| ()).await;
    put(&alone, NOVAK, 3);
    alone.ingest().await;
    assert!(
        !after.contains(&patients(&alone).await[0]),
        "the new patient is not under the old secret"
    );
}

#[tokio::test]
async fn links_are_kept_where_wanted_sealed_and_opened_with_a_password_alone() {
    let mut site = TestNode::with(|site| {
        site.keep_links = true;
        // The left side of previews names patients for a while, which is not what is asked here.
        site.preview_days = 0;
    })
    .await;
    site.node
        .put_account("manager", "Data Manager", "correct horse")
        .await
        .unwrap();
    put(&site, MEIER, 1);
    site.ingest().await;
    let pseudonym = &patients(&site).await[0];
    let table = site
        .node
        .export_links("manager", "correct horse")
        .await
        .unwrap();
    assert_eq!(
        table,
        format!("pseudonym,patient_id,issuer\n{pseudonym},\"HN-4711-X\",\"\"\n")
    );

    let refused = site.node.export_links("manager", "wrong horse").await;
    assert!(matches!(
        refused,
        Err(NodeError::Rule {
            code: "wrong_password",
            ..
        })
    ));
    let log = site.node.store().database().audit_log(2).await.unwrap();
    let acts: Vec<_> = log
        .entries
        .iter()
        .map(|entry| (entry.action.as_str(), entry.outcome))
        .collect();
    assert_eq!(
        acts,
        [
            ("links exported", Outcome::Refused),
            ("links exported", Outcome::Done)
        ]
    );

    site.restarted(|site| site.keep_links = false).await;
    put(&site, NOVAK, 2);
    site.ingest().await;
    assert_eq!(site.node.store().link_count().await.unwrap(), 1);
    site.node.store().database().close().await;
    let database = std::fs::read(site.data().join("node.sqlite")).unwrap();
    assert!(!contains(&database, "HN-4711-X"), "nobody is named at rest");
}

#[tokio::test]
async fn a_sealed_node_does_not_start_without_its_passphrase() {
    let site = TestNode::new().await;
    site.node.store().database().close().await;
    let key = site.data().join("keys/pseudonym.key");
    let sealed = r#"{"arno_sealed_secret":1,"memory_kib":64,"passes":1,"lanes":1,"salt":"AAAAAAAAAAAAAAAAAAAAAA","nonce":"AAAA","ciphertext":"AAAA"}"#;
    std::fs::write(&key, sealed).unwrap();
    let config = NodeConfig::load(&site.data(), 0).unwrap();
    let error = Node::open(config, Clock::from_fn(start))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("pseudonym.key") && error.contains("sealed"),
        "{error}"
    );
}
