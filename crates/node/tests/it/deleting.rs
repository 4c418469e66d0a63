//! Deleting and compaction: what goes, what stays, and that stopping anywhere in between loses nothing and brings nothing back.

use arno_node::{Compacting, NodeError};
use arno_store::{
    StoreError,
    node::{KeptInstance, Packs, Scope},
};

use crate::{
    rebuilding::lose_the_index,
    support::{
        TestNode,
        dicom::{MEIER, NOVAK, series},
        files, hospital,
    },
};

fn of_series(uid: &str) -> Scope {
    Scope {
        series_uid: Some(uid.to_owned()),
        ..Scope::default()
    }
}

fn of_instance(uid: &str) -> Scope {
    Scope {
        instance_uid: Some(uid.to_owned()),
        ..Scope::default()
    }
}

async fn kept(site: &TestNode, scope: &Scope) -> Vec<KeptInstance> {
    site.node
        .store()
        .kept_instances(scope, None, 1000)
        .await
        .unwrap()
}

fn packs(site: &TestNode) -> Packs {
    Packs::open(&site.data().join("packs")).unwrap()
}

fn bytes(site: &TestNode, kept: &[KeptInstance]) -> Vec<(String, Vec<u8>)> {
    let packs = packs(site);
    kept.iter()
        .map(|one| {
            (
                one.instance_uid.clone(),
                packs.read(&one.location.range()).unwrap(),
            )
        })
        .collect()
}

/// Five slices of one series.
async fn five() -> (TestNode, Vec<KeptInstance>) {
    let site = TestNode::new().await;
    for slice in &series(MEIER, 1, 1, 5) {
        site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    assert_eq!(site.ingest().await, [5, 0, 0, 0]);
    let kept = kept(&site, &Scope::default()).await;
    (site, kept)
}

#[tokio::test]
async fn a_series_goes_with_its_file_and_can_come_again() {
    let site = TestNode::new().await;
    hospital(&site);
    assert_eq!(site.ingest().await, [13, 0, 0, 0]);
    let before = site.node.store().holdings().await.unwrap();
    let page = site.series().await;
    let (of_two, study) = page
        .rows
        .iter()
        .find(|row| row.sex == "M")
        .map(|row| (row.series_uid.clone(), row.study_uid.clone()))
        .unwrap();
    let deleted = site.node.delete(&of_series(&of_two), "test").await.unwrap();
    assert_eq!(deleted.instances, 4);
    let now = site.node.store().holdings().await.unwrap();
    assert_eq!(
        (now.instances, now.series, now.studies, now.patients),
        (9, 3, before.studies - 1, before.patients - 1),
        "what is empty goes too"
    );
    assert_eq!(files(&site.data().join("packs")).len(), 3);
    let log = site.node.store().database().audit_log(1).await.unwrap();
    assert_eq!(log.entries[0].action, "delete");
    assert!(log.entries[0].subject.ends_with(&of_two));
    let again = site.node.delete(&of_series(&of_two), "test").await;
    assert!(matches!(
        again,
        Err(NodeError::Store(StoreError::NotFound { .. }))
    ));
    assert_eq!(site.ingest().await, [4, 9, 0, 0]);
    let study = Scope {
        study_uid: Some(study),
        ..Scope::default()
    };
    assert_eq!(kept(&site, &study).await.len(), 4);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn what_is_published_stays() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    site.publish("sex = M").await;
    for row in site.series().await.rows {
        let deleted = site.node.delete(&of_series(&row.series_uid), "test").await;
        match row.sex.as_str() {
            "M" => assert!(
                matches!(&deleted, Err(NodeError::Rule { code: "in_dataset", detail }) if detail.contains("Lung nodules")),
                "{deleted:?}"
            ),
            _ => assert!(deleted.is_ok(), "{deleted:?}"),
        }
    }
    let nothing = site.node.delete(&Scope::default(), "test").await;
    assert!(matches!(nothing, Err(NodeError::Rule { .. })));
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn one_instance_goes_and_compaction_gives_its_bytes_back() {
    let (site, before) = five().await;
    let expect = bytes(&site, &before[1..]);
    site.node
        .delete(&of_instance(&before[0].instance_uid), "test")
        .await
        .unwrap();
    let verified = site.node.verify().await.unwrap();
    assert!(
        verified.holds() && verified.deleted_records == 1,
        "{verified:?}"
    );
    let compacted = site.node.compact(Compacting::All).await.unwrap();
    assert_eq!(compacted.packs, 1);
    assert!(compacted.freed_bytes > before[0].location.length);
    let after = kept(&site, &Scope::default()).await;
    assert_eq!(bytes(&site, &after), expect);
    assert!(
        after
            .iter()
            .all(|one| one.location.pack.ends_with("-2.pack"))
    );
    assert_eq!(files(&site.data().join("packs")).len(), 1);
    let verified = site.node.verify().await.unwrap();
    assert!(
        verified.holds() && verified.deleted_records == 0,
        "{verified:?}"
    );
    assert_eq!(site.node.compact(Compacting::All).await.unwrap().packs, 0);
    // The same file comes again, into the new pack.
    assert_eq!(site.ingest().await, [1, 4, 0, 0]);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn a_deletion_that_stops_before_its_rows_go_did_not_happen() {
    let (mut site, before) = five().await;
    let uid = before[0].instance_uid.clone();
    let series = site
        .node
        .store()
        .series_in_scope(&of_instance(&uid))
        .await
        .unwrap();
    let place = series[0].pack.clone().unwrap();
    let mut writer = packs(&site).writer(None);
    writer
        .append_deletion(&place.pack, place.end, &uid)
        .unwrap();
    writer.sync().unwrap();
    site.restarted(|_| ()).await;
    let verified = site.node.verify().await.unwrap();
    assert!(verified.holds() && verified.instances == 5, "{verified:?}");
    let repaired = site.node.repair("test", || ()).await.unwrap();
    assert_eq!(repaired.instances, 0);
    // The next batch writes over it.
    site.put("6.dcm", series_of_meier(6).file());
    assert_eq!(site.ingest().await, [1, 5, 0, 0]);
    let verified = site.node.verify().await.unwrap();
    assert!(verified.holds() && verified.instances == 6, "{verified:?}");
}

fn series_of_meier(number: u32) -> crate::support::dicom::Slice {
    series(MEIER, 1, 1, number).pop().unwrap()
}

#[tokio::test]
async fn a_series_whose_file_outlived_its_rows_is_cleared_up() {
    let (mut site, before) = five().await;
    let pack = packs(&site);
    let copy = site.folder.path().join("copy");
    std::fs::copy(
        site.data().join("packs").join(&before[0].location.pack),
        &copy,
    )
    .unwrap();
    site.node
        .delete(&of_series(&before[0].series_uid), "test")
        .await
        .unwrap();
    // As if the program had stopped before the file went: the file is there, and the index knows that it has to go.
    std::fs::copy(
        &copy,
        site.data().join("packs").join(&before[0].location.pack),
    )
    .unwrap();
    site.node
        .store()
        .announce_pack(&before[0].location.pack)
        .await
        .unwrap();
    site.restarted(|_| ()).await;
    assert_eq!(site.node.repair("test", || ()).await.unwrap().instances, 0);
    // The series may come again before anybody cleared up: it gets another pack.
    assert_eq!(site.ingest().await, [5, 0, 0, 0]);
    let after = kept(&site, &Scope::default()).await;
    assert!(
        after[0].location.pack.ends_with("-2.pack"),
        "{}",
        after[0].location.pack
    );
    site.node.compact(Compacting::All).await.unwrap();
    assert_eq!(pack.list().unwrap(), [after[0].location.pack.clone()]);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn a_compaction_may_stop_anywhere() {
    for stop_after in 1..=4 {
        let (mut site, before) = five().await;
        site.node
            .delete(&of_instance(&before[2].instance_uid), "test")
            .await
            .unwrap();
        let expect = {
            let mut left = before.clone();
            left.remove(2);
            bytes(&site, &left)
        };
        let (store, files_of) = (site.node.store(), packs(&site));
        let old = store.pack(&before[0].location.pack).await.unwrap().unwrap();
        let new = Packs::next_generation(&old.pack).unwrap();
        let records = store
            .pack_records(&old.series_uid, &old.pack)
            .await
            .unwrap();
        store.announce_pack(&new).await.unwrap();
        let path = site.data().join("packs").join(&new);
        match stop_after {
            1 => {}
            // In the middle of copying.
            2 => std::fs::write(path.with_extension("pack.part"), b"half").unwrap(),
            _ => {
                let ranges: Vec<_> = records.iter().map(|(_, at)| at.record_range()).collect();
                files_of.copy_records(&new, &ranges).unwrap();
            }
        }
        if stop_after == 4 {
            let mut offset = 0;
            let moved: Vec<_> = records
                .iter()
                .map(|(uid, at)| {
                    let mut at = at.clone();
                    (at.pack, at.offset) = (new.clone(), offset);
                    offset = at.end();
                    (uid.clone(), at)
                })
                .collect();
            store.switch_pack(&old, &new, &moved).await.unwrap();
        }
        site.restarted(|_| ()).await;
        let verified = site.node.verify().await.unwrap();
        assert!(
            verified.holds() && verified.instances == 4,
            "{stop_after}: {verified:?}"
        );
        assert_eq!(site.node.repair("test", || ()).await.unwrap().instances, 0);
        // Somebody writes before anybody clears up.
        site.put("6.dcm", series_of_meier(6).file());
        assert_eq!(site.ingest().await, [2, 4, 0, 0], "{stop_after}");
        site.node.compact(Compacting::All).await.unwrap();
        let after = kept(&site, &Scope::default()).await;
        let found = bytes(&site, &after);
        assert!(expect.iter().all(|one| found.contains(one)), "{stop_after}");
        assert_eq!(files(&site.data().join("packs")).len(), 1, "{stop_after}");
        assert!(site.node.verify().await.unwrap().holds(), "{stop_after}");
    }
}

#[tokio::test]
async fn pages_of_kept_instances_are_in_order_and_fit_together() {
    let site = TestNode::new().await;
    for slice in [
        series(MEIER, 1, 1, 7),
        series(MEIER, 1, 2, 5),
        series(NOVAK, 2, 1, 4),
    ]
    .concat()
    {
        site.put(
            &format!("{}-{}-{}.dcm", slice.study, slice.series, slice.number),
            slice.file(),
        );
    }
    site.ingest().await;
    let whole = kept(&site, &Scope::default()).await;
    assert_eq!(whole.len(), 16);
    let (mut paged, mut after) = (Vec::new(), None);
    loop {
        let page = site
            .node
            .store()
            .kept_instances(&Scope::default(), after.as_ref(), 3)
            .await
            .unwrap();
        let is_last = page.len() < 3;
        after = page.last().map(KeptInstance::key).or(after);
        paged.extend(page);
        if is_last {
            break;
        }
    }
    assert_eq!(paged, whole);
    let study = Scope {
        study_uid: Some(whole[0].study_uid.clone()),
        series_uid: Some(whole[15].series_uid.clone()),
        ..Scope::default()
    };
    assert_eq!(
        kept(&site, &study).await,
        [],
        "a series of another study is not in the scope"
    );
}

/// Whether the data has another version than before.
async fn is_newer(site: &TestNode, before: &mut u64) -> bool {
    let version = site.node.store().data_version().await.unwrap();
    version > std::mem::replace(before, version)
}

/// What is kept in memory is as true as this: the search index, and series that were just asked for.
#[tokio::test]
async fn whatever_changes_instances_raises_the_version_of_the_data() {
    let (mut site, before) = five().await;
    let mut version = site.node.store().data_version().await.unwrap();
    assert!(!is_newer(&site, &mut version).await, "nothing has changed");

    site.put("6.dcm", series_of_meier(6).file());
    assert_eq!(site.ingest().await, [1, 5, 0, 0]);
    assert!(is_newer(&site, &mut version).await, "one more");
    let one = of_instance(&before[0].instance_uid);
    site.node.delete(&one, "test").await.unwrap();
    assert!(is_newer(&site, &mut version).await, "one less");
    let all = of_series(&before[0].series_uid);
    site.node.delete(&all, "test").await.unwrap();
    assert!(is_newer(&site, &mut version).await, "none is left");
    assert_eq!(site.ingest().await, [6, 0, 0, 0]);
    assert!(is_newer(&site, &mut version).await, "all came again");

    lose_the_index(&mut site).await;
    version = site.node.store().data_version().await.unwrap();
    assert_eq!(site.node.repair("test", || ()).await.unwrap().instances, 6);
    assert!(is_newer(&site, &mut version).await, "all were found again");
}
