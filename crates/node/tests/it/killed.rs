//! A node that is killed (SIGKILL) again and again while a PACS sends and a folder is taken in beside it: every instance that
//! was acknowledged is there afterwards, intact by SHA-256, and none is half there.
//!
//! `ARNO_KILLS` is how often (few unless given), `ARNO_SEED` when; both are printed.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::pacs::{CT, EXPLICIT, Scu, proposal};
use arno_dimse::command::Status;
use arno_domain::Clock;
use arno_node::{Node, NodeConfig, RecipeName};
use arno_store::node::Packs;
use rand::{Rng as _, RngExt as _, SeedableRng as _, rngs::StdRng};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpStream;

use crate::support::{
    TestNode,
    dicom::{MEIER, NOVAK, Slice},
    files,
};

/// Kills in an ordinary run of the tests.
const KILLS: u32 = 4;
/// Longest life of a node, from when it listens.
const MAX_LIFE_MS: u64 = 600;
/// Instances that a PACS has for each life; it rarely gets them all through.
const SLICES: u32 = 400;
/// Files that are put into the folder for each life.
const FILES: u32 = 40;

/// What must be there in the end: digest of the data set by SOP Instance UID.
type Acknowledged = BTreeMap<String, [u8; 32]>;

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given.map_or(otherwise, |text| text.parse().unwrap())
}

/// A program that is killed when it is dropped.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program(arguments: &[&str], out: Stdio) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arno-node"));
    command.args(arguments).stdout(out).stderr(Stdio::null());
    Program(command.spawn().unwrap())
}

/// A node that listens, and its DICOM port.
fn serve(data: &Path) -> (Program, u16) {
    let data = data.to_str().unwrap();
    let arguments = [
        "serve", "--data", data, "--http", "0", "--dimse", "0", "--json",
    ];
    let mut serving = program(&arguments, Stdio::piped());
    let mut line = String::new();
    let mut out = BufReader::new(serving.0.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let port = said["dicom_port"].as_u64().unwrap();
    (serving, u16::try_from(port).unwrap())
}

/// The data set of a Part 10 file, as it goes over the network.
fn data_set(file: &[u8]) -> &[u8] {
    let length = u32::from_le_bytes(file[140..144].try_into().unwrap());
    &file[144 + usize::try_from(length).unwrap()..]
}

/// Sends until it is through or the node dies; gives what was acknowledged.
async fn send(port: u16, slices: Vec<Slice>) -> Acknowledged {
    let (told, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let sending = tokio::spawn(async move {
        let mut pacs = Scu::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
        pacs.associate(vec![proposal(1, CT, &[EXPLICIT])]).await;
        for slice in slices {
            let file = slice.file();
            let set = data_set(&file);
            let status = pacs.store(1, CT, &slice.instance_uid(), set).await;
            assert_eq!(status, Status::SUCCESS);
            let digest: [u8; 32] = Sha256::digest(set).into();
            told.send((slice.instance_uid(), digest)).unwrap();
        }
    });
    // The death of the node ends the sender in the middle of a word: its panic is expected, what it heard before counts.
    let _ = sending.await;
    let mut acknowledged = Acknowledged::new();
    while let Ok((uid, digest)) = heard.try_recv() {
        acknowledged.insert(uid, digest);
    }
    acknowledged
}

fn slices(life: u32, series: u32, count: u32) -> Vec<Slice> {
    let person = if life.is_multiple_of(2) { MEIER } else { NOVAK };
    (1..=count)
        .map(|number| Slice {
            person,
            study: life,
            series,
            number,
        })
        .collect()
}

/// One life: sends, takes in a folder beside it, and dies.
async fn live(site: &TestNode, life: u32, random: &mut StdRng) -> Acknowledged {
    let (serving, port) = serve(&site.data());
    let landing = site.landing().join(life.to_string());
    for slice in slices(life, 9, FILES) {
        site.put(&format!("{life}/{}.dcm", slice.number), slice.file());
    }
    let (data, landing) = (site.data(), landing.to_str().unwrap().to_owned());
    let arguments = ["ingest", "--data", data.to_str().unwrap(), &landing];
    let beside = program(&arguments, Stdio::null());
    let lives = Duration::from_millis(random.random_range(0..MAX_LIFE_MS));
    let beside_lives = Duration::from_millis(random.random_range(0..MAX_LIFE_MS));
    let killing = async move {
        tokio::time::sleep(lives).await;
        drop(serving);
    };
    let killing_beside = async move {
        tokio::time::sleep(beside_lives).await;
        drop(beside);
    };
    let (acknowledged, (), ()) =
        tokio::join!(send(port, slices(life, 1, SLICES)), killing, killing_beside);
    acknowledged
}

/// Lets the node take in what its journal holds, and stops it.
async fn settle(data: &Path) {
    let config = NodeConfig::load(data, 0).unwrap();
    let running = Node::start(config, Clock::system()).await.unwrap();
    let is_journal = |file: &PathBuf| file.extension().is_some_and(|suffix| suffix == "journal");
    for _ in 0..6000 {
        if !files(&data.join("spool")).iter().any(is_journal) {
            running.shutdown().await;
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the journal is not taken in");
}

/// Every row's bytes are whole, and the data sets are those that were sent.
async fn check(site: &TestNode, acknowledged: &Acknowledged) {
    let node = &site.node;
    let verified = node.verify().await.unwrap();
    assert!(verified.holds(), "{verified:?}");
    assert_eq!(site.quarantined().await, []);
    let packs = Packs::open(&site.data().join("packs")).unwrap();
    let rows = node.store().locations_after("", u32::MAX).await.unwrap();
    let kept: BTreeMap<_, _> = rows.into_iter().collect();
    for (uid, digest) in acknowledged {
        let location = kept.get(uid).expect("an acknowledged instance is gone");
        let bytes = packs.read(&location.range()).unwrap();
        let found: [u8; 32] = Sha256::digest(data_set(&bytes)).into();
        assert_eq!(
            found, *digest,
            "an acknowledged instance is not what was sent"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_being_killed() {
    let seed = number("ARNO_SEED", rand::rng().next_u64());
    let kills = u32::try_from(number("ARNO_KILLS", u64::from(KILLS))).unwrap();
    println!("ARNO_SEED={seed} ARNO_KILLS={kills}");
    let mut random = StdRng::seed_from_u64(seed);
    let site = TestNode::with(|settings| settings.recipe = RecipeName::None).await;
    let mut acknowledged = Acknowledged::new();
    for life in 1..=kills {
        acknowledged.extend(live(&site, life, &mut random).await);
    }
    settle(&site.data()).await;
    check(&site, &acknowledged).await;
    // What the folder held comes in as a whole now, each file once.
    site.ingest().await;
    let expect = acknowledged.len() as u64 + u64::from(kills * FILES);
    let kept = site.node.store().holdings().await.unwrap().instances;
    println!(
        "{kills} kills: {} acknowledged, {kept} kept",
        acknowledged.len()
    );
    // An instance whose acknowledgement the kill cut off may be kept: at most one a life.
    assert!(
        (expect..=expect + u64::from(kills)).contains(&kept),
        "{kept} of {expect}"
    );
    assert!(site.node.verify().await.unwrap().holds());
}
