//! A dataset's record is computed from the data, signed, versioned, and names nobody.

use arno_phantom::SITES;

use crate::support::federation::site;

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
