//! What is kept lasts: a full disk and a crash leave nothing half there, and a changed byte is found.

use arno_domain::{Clock, audit::Outcome};
use arno_node::{Node, NodeConfig, NodeError, SiteConfig};

use crate::support::{
    TestNode,
    dicom::{MEIER, series},
    files, hospital, put,
};

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
    assert_eq!(log.entries[0].outcome, Outcome::Failed);
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
        put(
            landing.path(),
            &format!("{}.dcm", slice.number),
            slice.file(),
        );
    }
    let site = SiteConfig::new("Site", "Graz", "AT", 47.0, 15.0);
    Node::init(&data, &site).await.unwrap();
    let config = NodeConfig::load(&data, 0).unwrap();
    let node = Node::open(config, Clock::system()).await.unwrap();
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
