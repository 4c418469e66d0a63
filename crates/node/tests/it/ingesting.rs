//! Ingest as a story: what comes in is kept, de-identified and found again; running it again changes nothing.

use arno_dicom::{Instance, summarise};
use arno_node::NodeError;
use arno_protocol::node::IngestProgress;

use crate::support::{
    TestNode, contains,
    dicom::{MEIER, PLANTED, series},
    files, hospital,
};

#[tokio::test]
async fn what_comes_in_is_kept_and_running_it_again_changes_nothing() {
    let site = TestNode::new().await;
    hospital(&site);
    assert_eq!(site.ingest().await, [13, 0, 0, 0]);
    let before = site.node.store().holdings().await.unwrap();
    assert_eq!(
        (
            before.instances,
            before.series,
            before.studies,
            before.patients
        ),
        (13, 4, 2, 2)
    );
    assert_eq!(site.ingest().await, [0, 13, 0, 0]);
    assert_eq!(site.node.store().holdings().await.unwrap(), before);
    let verified = site.node.verify().await.unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!(verified.instances, 13);
    assert_eq!(*site.node.progress().borrow(), None::<IngestProgress>);
}

#[tokio::test]
async fn nothing_of_a_person_is_below_the_packs() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let packs = files(&site.data().join("packs"));
    assert_eq!(packs.len(), 4, "one pack a series");
    for pack in packs {
        let bytes = std::fs::read(&pack).unwrap();
        for planted in PLANTED {
            assert!(
                !contains(&bytes, planted),
                "{planted} in {}",
                pack.display()
            );
            assert!(!pack.display().to_string().contains(planted));
        }
    }
}

#[tokio::test]
async fn pseudonyms_join_and_pixels_stay() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let page = site.series().await;
    let mut patients: Vec<_> = page.rows.iter().map(|row| row.patient.clone()).collect();
    patients.sort();
    patients.dedup();
    assert_eq!((patients.len(), page.total), (2, 4));
    for slice in series(MEIER, 1, 2, 4) {
        let original = Instance::read(slice.file().into()).unwrap();
        let summary = summarise(&original).unwrap();
        assert_eq!(summary.patient_id.as_deref(), Some(MEIER.id));
        assert_eq!(original.frame(0).unwrap().bytes, slice.pixels());
    }
}

#[tokio::test]
async fn two_programs_take_turns() {
    let site = TestNode::new().await;
    hospital(&site);
    let lock = std::fs::File::create(site.data().join("ingest.lock")).unwrap();
    lock.lock().unwrap();
    let landing = site.landing();
    let other = async {
        until_progress(&site).await;
        assert_eq!(site.node.store().holdings().await.unwrap().instances, 0);
        drop(lock);
    };
    let (first, second, ()) = tokio::join!(
        site.node.ingest(&landing, "test"),
        site.node.ingest(&landing, "test"),
        other
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.stored + second.stored, 13, "each instance once");
    assert_eq!(first.unchanged + second.unchanged, 13);
    assert_eq!(first.quarantined + second.quarantined, 0);
}

/// Waits until a run is at its files.
async fn until_progress(site: &TestNode) {
    let mut progress = site.node.progress();
    progress.wait_for(Option::is_some).await.unwrap();
}

#[tokio::test]
async fn a_folder_that_is_none_is_told() {
    let site = TestNode::new().await;
    let run = site.node.ingest(&site.landing().join("none"), "test").await;
    assert!(matches!(run, Err(NodeError::Folder { .. })));
}
