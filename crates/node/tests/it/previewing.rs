//! The preview of a de-identification, which alone holds identities: it has an end, and of a deleted one no byte is left.

use chrono::Duration;

use crate::support::{TestNode, contains, dicom::PLANTED, files, hospital, start};

#[tokio::test]
async fn a_preview_has_an_end() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let uid = site
        .series()
        .await
        .rows
        .into_iter()
        .find(|row| row.modality == "CT")
        .unwrap()
        .series_uid;
    let now = start();
    let preview = site.node.store().preview(&uid, now).await.unwrap();
    let name = preview
        .elements
        .iter()
        .find(|element| element.name == "PatientName")
        .unwrap();
    assert!(
        name.before.as_deref() != name.after.as_deref() && name.action == "replaced",
        "{name:?}"
    );
    assert!(
        preview
            .elements
            .iter()
            .any(|element| element.action == "kept")
    );
    assert!(
        preview
            .elements
            .iter()
            .any(|element| element.action == "uid mapped")
    );
    assert!(
        site.node
            .store()
            .preview(&uid, now + Duration::days(14))
            .await
            .is_err()
    );
    assert_eq!(
        site.node
            .store()
            .delete_due_previews(now + Duration::days(13))
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        site.node
            .store()
            .delete_due_previews(now + Duration::days(14))
            .await
            .unwrap(),
        4
    );
}

#[tokio::test]
async fn of_a_deleted_preview_no_byte_is_left() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let database = || {
        files(&site.data())
            .into_iter()
            .filter(|path| path.display().to_string().contains("node.sqlite"))
    };
    let found = |text: &str| database().any(|path| contains(&std::fs::read(path).unwrap(), text));
    assert!(found("Zuweiser"), "while it is kept");
    site.node
        .store()
        .delete_due_previews(start() + Duration::days(14))
        .await
        .unwrap();
    for planted in PLANTED {
        assert!(!found(planted), "{planted}");
    }
}

#[tokio::test]
async fn no_preview_is_kept_where_the_policy_keeps_none() {
    let site = TestNode::with(|settings| settings.preview_days = 0).await;
    hospital(&site);
    site.ingest().await;
    for file in files(&site.data()) {
        let bytes = std::fs::read(&file).unwrap();
        for planted in PLANTED {
            assert!(
                !contains(&bytes, planted),
                "{planted} in {}",
                file.display()
            );
        }
    }
}
