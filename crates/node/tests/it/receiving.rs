//! A PACS sends to the node: what was acknowledged is kept, de-identified, and gone from the spool.

#[path = "../../../dimse/tests/support/mod.rs"]
mod pacs;

use std::{fs, time::Duration};

use arno_dicom::Instance;
use arno_dimse::command::Status;
use arno_domain::Clock;
use arno_node::{DicomListener, Node, NodeConfig, RunningNode};
use pacs::{CT, EXPLICIT, Scu, proposal};
use tokio::net::TcpStream;

use crate::support::{
    TestNode, contains,
    dicom::{MEIER, PLANTED, series},
    files,
};

/// A node that listens on any port, for these titles or for everybody.
async fn listening(site: &TestNode, from: &[&str]) -> RunningNode {
    let mut config = NodeConfig::load(&site.data(), 0).unwrap();
    config.dicom = Some(DicomListener {
        port: 0,
        ae_title: "ARNO".parse().unwrap(),
        from: from.iter().map(|title| title.parse().unwrap()).collect(),
    });
    Node::start(config, Clock::system()).await.unwrap()
}

async fn connect(running: &RunningNode) -> Scu<TcpStream> {
    let port = running.dicom_port.unwrap();
    Scu::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
}

/// Waits until the spool is empty and so many instances are kept.
async fn taken_in(running: &RunningNode, instances: u64) {
    let spool = running.node().config().data.join("spool");
    for _ in 0..2000 {
        let kept = running.node().store().holdings().await.unwrap().instances;
        if kept == instances && files(&spool).is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the spool was not taken in");
}

/// The data set of a Part 10 file, as it goes over the network.
fn data_set(file: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap());
    &file[144 + usize::try_from(length).unwrap()..]
}

#[tokio::test]
async fn what_is_acknowledged_is_kept_and_the_spool_is_emptied() {
    let site = TestNode::new().await;
    let running = listening(&site, &[]).await;
    let slices = series(MEIER, 1, 1, 3);
    let mut pacs = connect(&running).await;
    pacs.associate(vec![proposal(1, CT, &[EXPLICIT])]).await;
    for slice in slices.iter().chain(&slices[..1]) {
        let file = slice.file();
        Instance::read(file.clone().into()).unwrap();
        let status = pacs
            .store(1, CT, &slice.instance_uid(), data_set(&file))
            .await;
        assert_eq!(status, Status::SUCCESS);
    }
    pacs.release().await;
    taken_in(&running, 3).await;
    assert!(site.quarantined().await.is_empty());
    for file in files(&site.data().join("packs")) {
        let bytes = fs::read(file).unwrap();
        assert!(PLANTED.iter().all(|planted| !contains(&bytes, planted)));
    }
    running.shutdown().await;
}

#[tokio::test]
async fn what_a_crash_left_in_the_spool_is_taken_in_at_the_next_start() {
    let site = TestNode::new().await;
    let spool = site.data().join("spool");
    for folder in ["received", "unfinished"] {
        fs::create_dir_all(spool.join(folder)).unwrap();
    }
    let file = series(MEIER, 1, 1, 1)[0].file();
    fs::write(spool.join("received/1.dcm"), &file).unwrap();
    fs::write(spool.join("unfinished/2.dcm"), &file[..500]).unwrap();
    let running = listening(&site, &[]).await;
    taken_in(&running, 1).await;
    assert!(
        site.quarantined().await.is_empty(),
        "half a file was never acknowledged"
    );
    running.shutdown().await;
}

#[tokio::test]
async fn what_quarantine_keeps_no_copy_of_stays_in_the_spool() {
    let site = TestNode::new().await;
    let received = site.data().join("spool/received");
    fs::create_dir_all(&received).unwrap();
    // Larger than what quarantine copies, and no instance; sparse, so it takes no room.
    let large = fs::File::create(received.join("large.dcm")).unwrap();
    large.set_len((256 << 20) + 1).unwrap();
    fs::write(received.join("small.dcm"), "no instance").unwrap();
    let running = listening(&site, &[]).await;
    for _ in 0..3000 {
        if site.quarantined().await.len() == 2 && !received.join("small.dcm").exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(site.quarantined().await.len(), 2);
    assert_eq!(files(&received), [received.join("large.dcm")]);
    running.shutdown().await;
}

#[tokio::test]
async fn a_title_that_is_not_named_is_refused() {
    let site = TestNode::new().await;
    let running = listening(&site, &["MODALITY1"]).await;
    let mut pacs = connect(&running).await;
    pacs.send(&arno_dimse::pdu::Pdu::AssociateRq(pacs::request(vec![
        proposal(1, CT, &[EXPLICIT]),
    ])))
    .await;
    let answer = pacs.receive().await;
    assert!(
        matches!(answer, Some(arno_dimse::pdu::Pdu::AssociateRj(_))),
        "{answer:?}"
    );
    drop(pacs);
    running.shutdown().await;
}
