//! Ingest as a story: what comes in is kept, de-identified and found again; running it again changes nothing; what is
//! broken is told; a full disk and a crash leave nothing half there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use arno_dicom::{Instance, summarise};
use arno_node::NodeError;
use arno_protocol::node::IngestProgress;
use chrono::Duration;
use support::{
    TestNode, contains,
    dicom::{MEIER, NOVAK, PLANTED, long, part_10, series, text},
    files,
};

/// Two patients, three series of four slices and one structure set: 13 instances.
fn hospital(site: &TestNode) {
    for slice in [
        series(MEIER, 1, 1, 4),
        series(MEIER, 1, 2, 4),
        series(NOVAK, 2, 1, 4),
    ]
    .concat()
    {
        site.put(
            &format!("{}/{}/{}.dcm", slice.person.id, slice.series, slice.number),
            slice.file(),
        );
    }
    site.put(
        "HN-4711-X/rtstruct.dcm",
        series(MEIER, 1, 1, 4)[1].structure_set(),
    );
}

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
async fn broken_files_are_told_and_the_rest_goes_on() {
    let site = TestNode::new().await;
    hospital(&site);
    let slice = series(MEIER, 1, 1, 1)[0];
    let whole = slice.file();
    site.put("a-empty.dcm", []);
    site.put("b-text.txt", "Please copy the rest from CD 2.\n");
    site.put("c-truncated.dcm", &whole[..whole.len() - 100]);
    let declared = [
        text(0x0008_0016, "UI", "1.2"),
        vec![
            0xE0, 0x7F, 0x10, 0x00, b'O', b'W', 0, 0, 0xFF, 0xFF, 0xFF, 0xEF,
        ],
    ];
    let small = part_10("1.2", "1.2.3", &declared.concat());
    assert!(small.len() < 400);
    site.put("d-four-gigabytes.dcm", small);
    site.put("e-nested.dcm", part_10("1.2", "1.2.3", &nested(20_000)));
    let mut other = whole.clone();
    *other.last_mut().unwrap() ^= 1;
    site.put("z-same-uid.dcm", other);
    assert_eq!(site.ingest().await, [13, 0, 6, 0]);
    let expect = [
        ("a-empty.dcm", "not_dicom"),
        ("b-text.txt", "not_dicom"),
        ("c-truncated.dcm", "truncated"),
        ("d-four-gigabytes.dcm", "truncated"),
        ("e-nested.dcm", "too_deep"),
        ("z-same-uid.dcm", "duplicate_instance"),
    ];
    assert_eq!(
        site.quarantined().await,
        expect.map(|(name, code)| (name.to_owned(), code.to_owned()))
    );
    for row in site.node.store().list_quarantined().await.unwrap() {
        assert!(
            !PLANTED.iter().any(|planted| row.reason.contains(planted)),
            "{}",
            row.reason
        );
    }
    assert_eq!(
        site.ingest().await,
        [0, 19, 0, 0],
        "what is known is not tried again"
    );
}

/// Sequences of undefined length, each in an item of the one before.
fn nested(depth: usize) -> Vec<u8> {
    let undefined = [0xFF; 4];
    let mut bytes = text(0x0008_0016, "UI", "1.2");
    for _ in 0..depth {
        let mut open = long(0x0040_A730, "SQ", &[]);
        open.truncate(8);
        bytes.extend([&open[..], &undefined, &[0xFE, 0xFF, 0x00, 0xE0], &undefined].concat());
    }
    bytes
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_without_permission_is_told_and_taken_in_once_it_can_be_read() {
    use std::os::unix::fs::PermissionsExt as _;
    let site = TestNode::new().await;
    hospital(&site);
    let closed = site.landing().join("HN-4711-X/1/1.dcm");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o000)).unwrap();
    if std::fs::read(&closed).is_ok() {
        eprintln!("skipped: this user may read everything");
        return;
    }
    assert_eq!(site.ingest().await, [12, 0, 1, 0]);
    let expect = vec![("HN-4711-X/1/1.dcm".to_owned(), "unreadable".to_owned())];
    assert_eq!(site.quarantined().await, expect);
    assert_eq!(site.ingest().await, [0, 13, 0, 0], "told once");
    std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(site.ingest().await, [1, 12, 0, 0]);
    assert_eq!(site.quarantined().await, []);
}

#[tokio::test]
async fn a_folder_that_is_none_is_told() {
    let site = TestNode::new().await;
    let run = site.node.ingest(&site.landing().join("none"), "test").await;
    assert!(matches!(run, Err(NodeError::Folder { .. })));
}

#[tokio::test]
async fn a_full_disk_stops_the_ingest_and_it_goes_on_later() {
    let mut site = TestNode::with(|settings| settings.storage_limit_bytes = Some(6_000)).await;
    hospital(&site);
    let error = site.node.ingest(&site.landing(), "test").await.unwrap_err();
    assert!(matches!(error, NodeError::Full(_)), "{error:?}");
    let said = error.to_string();
    assert!(
        said.contains(&site.data().display().to_string()) && said.contains("free some space"),
        "{said}"
    );
    let holdings = site.node.store().holdings().await.unwrap();
    assert_eq!(
        (holdings.instances, holdings.series, holdings.quarantined),
        (0, 0, 0),
        "nothing is half there"
    );
    let log = site.node.store().database().audit_log(10).await.unwrap();
    assert_eq!(log.entries[0].outcome, arno_domain::audit::Outcome::Failed);
    site.restarted(|settings| settings.storage_limit_bytes = None)
        .await;
    assert_eq!(site.ingest().await, [13, 0, 0, 0]);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn what_a_crash_left_in_a_pack_is_overwritten() {
    let site = TestNode::new().await;
    for slice in &series(MEIER, 1, 1, 2) {
        site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    assert_eq!(site.ingest().await, [2, 0, 0, 0]);
    // Bytes were appended, the rows were not committed.
    let pack = files(&site.data().join("packs")).remove(0);
    let mut bytes = std::fs::read(&pack).unwrap();
    bytes.extend_from_slice(&bytes.clone()[..700]);
    std::fs::write(&pack, &bytes).unwrap();
    assert!(site.node.verify().await.unwrap().holds());
    for slice in &series(MEIER, 1, 1, 5) {
        site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    assert_eq!(site.ingest().await, [3, 2, 0, 0]);
    let verified = site.node.verify().await.unwrap();
    assert!(verified.holds() && verified.instances == 5, "{verified:?}");
}

#[tokio::test]
async fn a_changed_byte_is_found() {
    let site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    let pack = files(&site.data().join("packs")).remove(0);
    let mut bytes = std::fs::read(&pack).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&pack, &bytes).unwrap();
    let verified = site.node.verify().await.unwrap();
    assert_eq!(
        (
            verified.damaged,
            verified.damaged_instances.len(),
            verified.holds()
        ),
        (1, 1, false)
    );
}

#[tokio::test]
async fn contradicting_identifiers_are_told() {
    let site = TestNode::new().await;
    let mine = series(MEIER, 1, 1, 1)[0];
    let theirs = support::dicom::Slice {
        person: NOVAK,
        number: 2,
        ..mine
    };
    site.put("1.dcm", mine.file());
    site.put("2.dcm", theirs.file());
    assert_eq!(site.ingest().await, [1, 0, 1, 0]);
    assert_eq!(
        site.quarantined().await,
        [("2.dcm".to_owned(), "inconsistent_identifiers".to_owned())]
    );
    site.put(
        "3.dcm",
        support::dicom::Slice {
            number: 3,
            ..theirs
        }
        .file(),
    );
    assert_eq!(
        site.ingest().await,
        [0, 2, 1, 0],
        "against what is kept, too"
    );
}

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
    let now = support::start();
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
        .delete_due_previews(support::start() + Duration::days(14))
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

#[tokio::test]
async fn a_quarantined_file_can_be_tried_again() {
    let site = TestNode::new().await;
    site.put("note.dcm", "not an image");
    site.ingest().await;
    let id = site.node.store().list_quarantined().await.unwrap()[0].id;
    assert!(
        !site.node.retry_quarantined(id, "test").await.unwrap(),
        "it is still broken"
    );
    assert_eq!(
        site.quarantined().await.len(),
        1,
        "the same entry, not a second one"
    );
    // As if a newer version of the program could read it.
    let copy = files(&site.data().join("quarantine")).remove(0);
    std::fs::remove_file(&copy).unwrap();
    std::fs::write(&copy, series(MEIER, 1, 1, 1)[0].file()).unwrap();
    assert!(site.node.retry_quarantined(id, "test").await.unwrap());
    assert_eq!(site.quarantined().await, []);
    assert_eq!(site.node.store().holdings().await.unwrap().instances, 1);
}

#[tokio::test]
async fn readings_that_changed_are_told_and_the_first_stay() {
    let site = TestNode::new().await;
    let line = |malignancy: u8, nodule: u8| {
        format!(
            r#"{{"patient_id":"HN-4711-X","study_uid":"1.2","series_uid":"1.2.3","nodule":"{nodule}","reader":1,"split":"test","ratings":{{"subtlety":5,"internal_structure":1,"calcification":6,"sphericity":3,"margin":4,"lobulation":1,"spiculation":1,"texture":5,"malignancy":{malignancy}}},"pixel_spacing_mm":0.65,"slice_spacing_mm":3.0,"contours":[{{"z_mm":-125.5,"inclusion":true,"points":[[3,1],[3,2],[4,2]]}}]}}"#
        )
    };
    site.put("a.annotations.jsonl", line(3, 1));
    assert_eq!(site.ingest().await, [0, 0, 0, 1]);
    site.put(
        "b.annotations.jsonl",
        format!("{}\n{}\n", line(3, 1), line(2, 2)),
    );
    assert_eq!(
        site.ingest().await,
        [0, 1, 0, 1],
        "the same again is no change"
    );
    site.put(
        "c.annotations.jsonl",
        format!("{}\n{}\n", line(5, 1), line(1, 3)),
    );
    assert_eq!(site.ingest().await, [0, 2, 1, 1]);
    assert_eq!(
        site.quarantined().await,
        [(
            "c.annotations.jsonl".to_owned(),
            "changed_readings".to_owned()
        )]
    );
    let facts = site.node.store().facts().await.unwrap();
    assert_eq!(facts[0].malignancy, Some(3.0));
}

/// The real thing: a file system of three megabytes, which takes packs and database alike. Needs the right to mount.
#[cfg(target_os = "linux")]
#[tokio::test]
#[ignore = "mounts a small file system, which needs root"]
async fn a_disk_that_is_really_full_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mount = |arguments: &[&str]| {
        let status = std::process::Command::new("mount")
            .args(arguments)
            .arg(folder.path())
            .status();
        assert!(status.unwrap().success());
    };
    mount(&["-t", "tmpfs", "-o", "size=3m", "tmpfs"]);
    let (data, landing) = (folder.path().join("node"), tempfile::tempdir().unwrap());
    for slice in series(MEIER, 1, 1, 6000) {
        support::put(
            landing.path(),
            &format!("{}.dcm", slice.number),
            slice.file(),
        );
    }
    let site = arno_node::SiteConfig::new("Site", "Graz", "Austria", 47.0, 15.0);
    arno_node::Node::init(&data, &site).await.unwrap();
    let config = arno_node::NodeConfig::load(&data, 0).unwrap();
    let node = arno_node::Node::open(config, arno_domain::Clock::system())
        .await
        .unwrap();
    let error = node.ingest(landing.path(), "test").await.unwrap_err();
    assert!(matches!(error, NodeError::Full(_)), "{error:?}");
    let kept = node.store().holdings().await.unwrap().instances;
    assert!(kept > 0 && kept < 6000, "{kept}");
    assert!(node.verify().await.unwrap().holds());
    mount(&["-o", "remount,size=300m"]);
    let run = node.ingest(landing.path(), "test").await.unwrap();
    assert_eq!((run.stored, run.unchanged), (6000 - kept, kept));
    assert!(node.verify().await.unwrap().holds());
    node.store().database().close().await;
    let status = std::process::Command::new("umount")
        .arg("-l")
        .arg(folder.path())
        .status();
    assert!(status.unwrap().success());
}

#[tokio::test]
async fn two_programs_do_not_take_in_at_once() {
    let site = TestNode::new().await;
    hospital(&site);
    let lock = std::fs::File::create(site.data().join("ingest.lock")).unwrap();
    lock.lock().unwrap();
    assert!(matches!(
        site.node.ingest(&site.landing(), "test").await,
        Err(NodeError::Busy)
    ));
    drop(lock);
    let landing = site.landing();
    let (first, second) = tokio::join!(
        site.node.ingest(&landing, "test"),
        site.node.ingest(&landing, "test")
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(
        first.stored + second.stored,
        13,
        "one after the other in one program"
    );
    assert_eq!(first.unchanged + second.unchanged, 13);
}
