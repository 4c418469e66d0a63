//! The index rebuilt from packs alone, and verification of what the index does not know.

use arno_domain::audit::{Act, Outcome};
use arno_node::Compacting;
use arno_store::node::{Deletion, KeptInstance, PackLocation, Packs, Scope};

use crate::support::{
    TestNode,
    dicom::{MEIER, series},
    files, hospital, start,
};

async fn kept(site: &TestNode) -> Vec<KeptInstance> {
    let store = site.node.store();
    store
        .kept_instances(&Scope::default(), None, 1000)
        .await
        .unwrap()
}

/// The whole index is lost, but for the folder's keys and settings.
pub(crate) async fn lose_the_index(site: &mut TestNode) {
    site.node.store().database().close().await;
    for name in ["node.sqlite", "node.sqlite-wal", "node.sqlite-shm"] {
        let _ = std::fs::remove_file(site.data().join(name));
    }
    site.restarted(|_| ()).await;
    assert_eq!(site.node.store().instance_count().await.unwrap(), 0);
}

#[tokio::test]
async fn a_lost_index_comes_back_and_says_the_same() {
    let mut site = TestNode::new().await;
    hospital(&site);
    assert_eq!(site.ingest().await, [13, 0, 0, 0]);
    let (before, holdings) = (
        kept(&site).await,
        site.node.store().holdings().await.unwrap(),
    );
    let facts = site.node.store().facts().await.unwrap();
    let rows = site.series().await.rows;
    let packs = Packs::open(&site.data().join("packs")).unwrap();
    let bytes: Vec<_> = before
        .iter()
        .map(|one| packs.read(&one.location.range()).unwrap())
        .collect();

    lose_the_index(&mut site).await;
    let verified = site.node.verify().await.unwrap();
    assert_eq!((verified.instances, verified.unknown_records), (0, 13));
    assert!(verified.index_lost && !verified.holds());
    assert_eq!(site.node.repair("test", || ()).await.unwrap().instances, 13);

    let after = kept(&site).await;
    assert_eq!(after, before, "places, layouts and order");
    for (one, bytes) in after.iter().zip(bytes) {
        assert_eq!(packs.read(&one.location.range()).unwrap(), bytes);
    }
    let now = site.node.store().holdings().await.unwrap();
    assert_eq!(
        (now.series, now.studies, now.patients),
        (holdings.series, holdings.studies, holdings.patients)
    );
    assert_eq!(site.node.store().facts().await.unwrap(), facts);
    let outlined =
        |rows: &[arno_protocol::node::SeriesRow]| rows.iter().filter(|row| row.outlined).count();
    assert_eq!(outlined(&site.series().await.rows), outlined(&rows));
    let verified = site.node.verify().await.unwrap();
    assert!(
        verified.holds() && verified.unknown_records == 0,
        "{verified:?}"
    );
    // The files are known again, and a new one goes behind the others.
    assert_eq!(site.ingest().await, [0, 13, 0, 0]);
    site.put("5.dcm", series(MEIER, 1, 1, 5).pop().unwrap().file());
    assert_eq!(site.ingest().await, [1, 13, 0, 0]);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn what_was_deleted_stays_deleted() {
    let mut site = TestNode::new().await;
    for slice in &series(MEIER, 1, 1, 5) {
        site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    site.ingest().await;
    let before = kept(&site).await;
    for gone in [&before[1], &before[3]] {
        let scope = Scope {
            instance_uid: Some(gone.instance_uid.clone()),
            ..Scope::default()
        };
        site.node.delete(&scope, "test").await.unwrap();
    }
    // One of them comes again.
    std::fs::rename(
        site.landing().join("2.dcm"),
        site.folder.path().join("2.dcm"),
    )
    .unwrap();
    assert_eq!(site.ingest().await, [1, 3, 0, 0]);
    let before = kept(&site).await;
    assert_eq!(before.len(), 4);

    lose_the_index(&mut site).await;
    let repaired = site.node.repair("test", || ()).await.unwrap();
    assert_eq!((repaired.instances, repaired.not_restored), (4, 0));
    assert_eq!(kept(&site).await, before);
    let verified = site.node.verify().await.unwrap();
    assert!(
        verified.holds() && verified.deleted_records == 2,
        "{verified:?}"
    );
}

#[tokio::test]
async fn lost_rows_damage_and_what_a_crash_left_are_told_apart() {
    let site = TestNode::new().await;
    for slice in &series(MEIER, 1, 1, 5) {
        site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    site.ingest().await;
    let kept = kept(&site).await;
    let pack = files(&site.data().join("packs")).remove(0);
    let whole = std::fs::read(&pack).unwrap();
    let record = |at: usize| {
        let range = kept[at].location.record_range();
        let start = usize::try_from(range.offset).unwrap();
        start..start + usize::try_from(range.length).unwrap()
    };

    // A crash left a whole record behind the end.
    let mut bytes = whole.clone();
    bytes.extend_from_slice(&whole[record(4)]);
    std::fs::write(&pack, &bytes).unwrap();
    let verified = site.node.verify().await.unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!((verified.left_records, verified.missing_rows), (1, 0));

    // A row is lost: deleted, but for the record in the pack that would say so.
    let left = PackLocation {
        offset: whole.len() as u64,
        ..kept[4].location.clone()
    };
    let uid = kept[1].instance_uid.clone();
    let deletion = Deletion::Instance {
        instance_uid: uid.clone(),
        deletion: left,
    };
    let act = Act {
        actor: "test".into(),
        action: "lose".into(),
        subject: uid.clone(),
        outcome: Outcome::Done,
        detail: String::new(),
    };
    site.node
        .store()
        .delete_instances(&deletion, act, start())
        .await
        .unwrap();
    let verified = site.node.verify().await.unwrap();
    assert_eq!(
        (verified.holds(), verified.missing_instances),
        (false, vec![uid])
    );
    assert_eq!(site.node.repair("test", || ()).await.unwrap().instances, 1);
    assert!(site.node.verify().await.unwrap().holds());

    // A bit of somebody's metadata turns over.
    let at = kept[0].location.metadata_range().offset;
    bytes[usize::try_from(at).unwrap() + 3] ^= 1;
    std::fs::write(&pack, &bytes).unwrap();
    let verified = site.node.verify().await.unwrap();
    assert_eq!((verified.holds(), verified.damaged), (false, 1));
}

#[tokio::test]
async fn who_goes_on_without_the_index_overwrites_nothing() {
    let mut site = TestNode::new().await;
    for slice in &series(MEIER, 1, 1, 5) {
        site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    site.ingest().await;
    lose_the_index(&mut site).await;
    // Nobody noticed, and the hospital sends one old and one new slice of the same series.
    for number in 2..=5 {
        std::fs::remove_file(site.landing().join(format!("{number}.dcm"))).unwrap();
    }
    site.put("6.dcm", series(MEIER, 1, 1, 6).pop().unwrap().file());
    assert_eq!(site.ingest().await, [2, 0, 0, 0]);
    let verified = site.node.verify().await.unwrap();
    assert_eq!((verified.unknown_records, verified.left_records), (4, 1));
    assert_eq!(site.node.repair("test", || ()).await.unwrap().instances, 4);
    assert_eq!(kept(&site).await.len(), 6);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn compaction_clears_up_what_was_set_aside_for_nothing() {
    let site = TestNode::new().await;
    let slices = series(MEIER, 1, 1, 2);
    site.put("1.dcm", slices[0].file());
    site.ingest().await;
    let (before, folder) = (kept(&site).await, site.data().join("packs"));
    let whole = std::fs::read(folder.join(&before[0].location.pack)).unwrap();
    let scope = Scope {
        series_uid: Some(before[0].series_uid.clone()),
        ..Scope::default()
    };
    site.node.delete(&scope, "test").await.unwrap();
    // A crash in the first batch of the series: bytes are there, rows are not.
    std::fs::write(folder.join(&before[0].location.pack), whole).unwrap();
    assert!(site.node.verify().await.unwrap().holds());
    site.put("2.dcm", slices[1].file());
    assert_eq!(site.ingest().await, [2, 0, 0, 0]);
    assert_eq!(files(&folder).len(), 2, "what the crash left is set aside");
    site.node.compact(Compacting::All).await.unwrap();
    assert_eq!(files(&folder).len(), 1);
    let verified = site.node.verify().await.unwrap();
    assert!(verified.holds() && verified.instances == 2, "{verified:?}");
}
