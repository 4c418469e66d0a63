//! A PACS sends to the node: what was acknowledged is kept, de-identified, and gone from the journal; what a crash or a full
//! disk kept back is taken in later, and nothing is acknowledged that could not be.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::pacs::{CT, EXPLICIT, Scu, archive::query, proposal};
use arno_dicom::Instance;
use arno_dimse::{
    classes::STUDY_ROOT_FIND,
    command::{Command, Status},
    pdu::MessagePart,
};
use arno_domain::Clock;
use arno_node::{DicomListener, Node, NodeConfig, RecipeName, RunningNode, router};
use axum::{body::Body, http::StatusCode};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use crate::dicomweb::{Answer, LOCAL, send};
use crate::support::{
    TestNode, contains,
    dicom::{MEIER, PLANTED, Slice, series},
    files,
};

/// A node that listens on any port, for these titles or for everybody.
async fn listening(site: &TestNode, from: &[&str]) -> RunningNode {
    let mut config = NodeConfig::load(&site.data(), 0).unwrap();
    config.dicom = Some(DicomListener {
        from: from.iter().map(|title| title.parse().unwrap()).collect(),
        ..DicomListener::new(0, "ARNO".parse().unwrap())
    });
    Node::start(config, Clock::system()).await.unwrap()
}

async fn connect(running: &RunningNode) -> Scu<TcpStream> {
    let port = running.dicom_port.unwrap();
    Scu::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap())
}

/// Waits for a state.
pub(crate) async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..12_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("not within two minutes: {what}");
}

/// Waits until the journal is empty and so many instances are kept.
async fn taken_in(running: &RunningNode, instances: u64) {
    until("taken in", async || {
        let kept = running.node().store().holdings().await.unwrap().instances;
        kept == instances && journal(&running.node().config().data).is_empty()
    })
    .await;
}

/// The files of the journal.
fn journal(data: &Path) -> Vec<PathBuf> {
    let mut files = files(&data.join("spool"));
    files.retain(|file| file.extension().is_some_and(|suffix| suffix == "journal"));
    files
}

/// A journal as a crash leaves it: whole records, then whatever follows.
fn crashed(site: &TestNode, records: &[&[u8]], end: &[u8]) {
    let spool = site.data().join("spool");
    fs::create_dir_all(&spool).unwrap();
    let mut bytes = Vec::new();
    for record in records {
        bytes.extend(b"ARNOJNL1");
        bytes.extend(7_u64.to_le_bytes());
        bytes.extend((record.len() as u64).to_le_bytes());
        bytes.extend(Sha256::digest(record));
        bytes.extend_from_slice(record);
    }
    bytes.extend(end);
    fs::write(spool.join("0000000000000007.journal"), bytes).unwrap();
}

/// The data set of a Part 10 file, as it goes over the network.
pub(crate) fn data_set(file: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap());
    &file[144 + usize::try_from(length).unwrap()..]
}

/// Sends instances, each of which is acknowledged.
async fn acknowledged(pacs: &mut Scu<TcpStream>, slices: &[Slice]) {
    for slice in slices {
        let file = slice.file();
        let status = pacs
            .store(1, CT, &slice.instance_uid(), data_set(&file))
            .await;
        assert_eq!(status, Status::SUCCESS);
    }
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
async fn what_a_crash_left_in_the_journal_is_taken_in_at_the_next_start() {
    let site = TestNode::new().await;
    let slices = series(MEIER, 1, 1, 3);
    let slices: Vec<_> = slices.iter().map(Slice::file).collect();
    // The last record was not whole when the crash came: it was never acknowledged.
    crashed(&site, &[&slices[0], &slices[1]], &slices[2][..500]);
    let running = listening(&site, &[]).await;
    assert_eq!(listed(&running, "/instances").await, 2, "asked at once");
    taken_in(&running, 2).await;
    assert!(site.quarantined().await.is_empty());
    running.shutdown().await;
}

#[tokio::test]
async fn a_journal_is_taken_in_without_a_dicom_port() {
    let site = TestNode::new().await;
    crashed(&site, &[&series(MEIER, 1, 1, 1)[0].file()], b"");
    let config = NodeConfig::load(&site.data(), 0).unwrap();
    let running = Node::start(config, Clock::system()).await.unwrap();
    taken_in(&running, 1).await;
    running.shutdown().await;
}

#[tokio::test]
async fn quarantine_keeps_a_copy_of_all_that_was_acknowledged() {
    let site = TestNode::new().await;
    // Larger than what is copied of a file, which stays where it is: this is nowhere else.
    let mut large = b"no instance".to_vec();
    large.resize((256 << 20) + 1, 0);
    crashed(&site, &[&large], b"");
    let running = listening(&site, &[]).await;
    until("in quarantine", async || {
        site.quarantined().await.len() == 1 && journal(&site.data()).is_empty()
    })
    .await;
    let copies = files(&site.data().join("quarantine"));
    assert_eq!(copies.len(), 1);
    assert_eq!(fs::metadata(&copies[0]).unwrap().len(), large.len() as u64);
    running.shutdown().await;
}

#[tokio::test]
async fn a_full_node_answers_out_of_resources_and_recovers() {
    let mut site = TestNode::new().await;
    let slices = series(MEIER, 1, 1, 4);
    let size = slices[0].file().len() as u64;
    site.restarted(|settings| settings.storage_limit_bytes = Some(size * 3 / 2))
        .await;
    let running = listening(&site, &[]).await;
    let mut pacs = connect(&running).await;
    pacs.associate(vec![proposal(1, CT, &[EXPLICIT])]).await;
    let mut acknowledged = 0;
    let mut slices = slices.iter().cycle();
    until("out of resources", async || {
        let slice = slices.next().unwrap();
        let file = slice.file();
        match pacs
            .store(1, CT, &slice.instance_uid(), data_set(&file))
            .await
        {
            Status::SUCCESS => acknowledged += 1,
            status => {
                assert_eq!(status, Status::OUT_OF_RESOURCES);
                return true;
            }
        }
        false
    })
    .await;
    assert!(acknowledged >= 2, "the journal took what packs could not");
    let overview = running.node().overview().await.unwrap();
    let trouble = overview.receiving_trouble.expect("its page says so");
    assert!(
        trouble.reason.contains("there is no room left"),
        "{trouble:?}"
    );
    running.shutdown().await;
    assert!(
        !journal(&site.data()).is_empty(),
        "what was acknowledged is safe"
    );

    site.restarted(|settings| settings.storage_limit_bytes = None)
        .await;
    let running = listening(&site, &[]).await;
    taken_in(&running, acknowledged.min(4)).await;
    assert!(site.quarantined().await.is_empty());
    running.shutdown().await;
}

#[tokio::test]
async fn an_instance_that_cannot_be_kept_does_not_keep_the_others_out() {
    let mut site = TestNode::new().await;
    let running = listening(&site, &[]).await;
    let (broken, whole) = (series(MEIER, 1, 1, 4), series(MEIER, 1, 2, 4));
    let mut pacs = connect(&running).await;
    pacs.associate(vec![proposal(1, CT, &[EXPLICIT])]).await;
    acknowledged(&mut pacs, &broken[..2]).await;
    taken_in(&running, 2).await;
    // The disk lost the end of this pack: nothing can be appended to it.
    let pack = files(&site.data().join("packs")).pop().unwrap();
    let bytes = fs::read(&pack).unwrap();
    fs::write(&pack, &bytes[..bytes.len() - 1]).unwrap();

    let mixed = [&broken[2], &whole[0], &broken[3], &whole[1]].map(Slice::clone);
    acknowledged(&mut pacs, &mixed).await;
    taken_in(&running, 4).await;
    let quarantined = site.quarantined().await;
    let codes: Vec<_> = quarantined.iter().map(|(_, code)| code.as_str()).collect();
    assert_eq!(codes, ["not_kept", "not_kept"]);
    acknowledged(&mut pacs, &whole[2..]).await;
    taken_in(&running, 6).await;
    let overview = running.node().overview().await.unwrap();
    assert_eq!(overview.receiving_trouble, None);
    running.shutdown().await;

    fs::write(&pack, &bytes).unwrap();
    site.restarted(|_| {}).await;
    for entry in site.node.store().list_quarantined().await.unwrap() {
        assert!(site.node.retry_quarantined(entry.id, "test").await.unwrap());
    }
    assert_eq!(site.quarantined().await, []);
    assert!(site.node.verify().await.unwrap().holds());
    assert_eq!(site.node.store().holdings().await.unwrap().instances, 8);
}

#[tokio::test]
async fn a_title_that_is_not_named_is_refused() {
    let site = TestNode::new().await;
    let running = listening(&site, &["MODALITY1"]).await;
    let mut pacs = connect(&running).await;
    pacs.send(&arno_dimse::pdu::Pdu::AssociateRq(crate::pacs::request(
        vec![proposal(1, CT, &[EXPLICIT])],
    )))
    .await;
    let answer = pacs.receive().await;
    assert!(
        matches!(answer, Some(arno_dimse::pdu::Pdu::AssociateRj(_))),
        "{answer:?}"
    );
    drop(pacs);
    running.shutdown().await;
}

/// A C-FIND for all instances; gives how many there are.
async fn found(pacs: &mut Scu<TcpStream>) -> usize {
    let command = Command::FindRq(query(STUDY_ROOT_FIND));
    pacs.send_part(3, MessagePart::Command, &command.write())
        .await;
    let identifier = b"\x08\0\x18\0UI\0\0\x08\0\x52\0CS\x06\0IMAGE ";
    pacs.send_part(3, MessagePart::DataSet, identifier).await;
    let mut rows = 0;
    loop {
        match pacs.receive_message().await.0 {
            Command::FindRsp(answer) if answer.status == Status::PENDING => rows += 1,
            Command::FindRsp(answer) if answer.status == Status::SUCCESS => return rows,
            other => panic!("not an answer to C-FIND: {other:?}"),
        }
    }
}

/// A request to the node's DICOMweb, as a program on this machine sends it.
async fn dicomweb(running: &RunningNode, method: &str, path: &str) -> Answer {
    let router = router(running.node());
    send(&router, method, path, &LOCAL, Body::empty()).await
}

/// How many objects stand in the answer to a question.
async fn listed(running: &RunningNode, path: &str) -> usize {
    let answer = dicomweb(running, "GET", path).await;
    answer.json().as_array().unwrap().len()
}

#[tokio::test]
async fn who_stores_and_then_asks_finds_what_it_stored() {
    let site = TestNode::with(|settings| settings.recipe = RecipeName::None).await;
    let running = listening(&site, &[]).await;
    let slices = series(MEIER, 1, 1, 5);
    let study = format!("/studies/{}", slices[0].study_uid());
    let instance = |slice: &Slice| {
        let (series_uid, instance_uid) = (slice.series_uid(), slice.instance_uid());
        format!("{study}/series/{series_uid}/instances/{instance_uid}")
    };
    let mut pacs = connect(&running).await;
    let contexts = vec![
        proposal(1, CT, &[EXPLICIT]),
        proposal(3, STUDY_ROOT_FIND, &[EXPLICIT]),
    ];
    pacs.associate(contexts).await;

    acknowledged(&mut pacs, &slices[..1]).await;
    assert_eq!(found(&mut pacs).await, 1, "by C-FIND");

    acknowledged(&mut pacs, &slices[1..2]).await;
    assert_eq!(listed(&running, "/instances").await, 2, "by QIDO-RS");

    acknowledged(&mut pacs, &slices[2..3]).await;
    let path = format!("{study}/metadata");
    assert_eq!(listed(&running, &path).await, 3, "of its study");

    acknowledged(&mut pacs, &slices[3..4]).await;
    let path = format!("{}/metadata", instance(&slices[3]));
    let answer = dicomweb(&running, "GET", &path).await;
    assert_eq!(answer.status, StatusCode::OK, "by its UID");

    acknowledged(&mut pacs, &slices[4..]).await;
    let answer = dicomweb(&running, "DELETE", &study).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    taken_in(&running, 0).await;
    assert_eq!(found(&mut pacs).await, 0, "deleted before it was taken in");
    pacs.release().await;
    running.shutdown().await;
}
