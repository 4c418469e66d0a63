//! What the node's tests share: nodes in temporary folders with a clock that stands still, DICOM files written byte by byte,
//! and a federation's keys.

pub(crate) mod dicom;
pub(crate) mod federation;
pub(crate) mod finder;
pub(crate) mod head;

use std::path::{Path, PathBuf};

use arno_domain::{
    Clock, PermitId, QuestionId, RequestId, SecretKey, Signed,
    permit::{Operation, Permit, PermittedDataset},
};
use arno_node::{Node, NodeConfig, Pinned, SiteConfig};
use arno_protocol::{
    federation::{AnswerBody, Question, QuestionBody},
    node::{LocalDataset, NewDataset, SeriesPage},
};
use arno_store::node::SeriesFilter;
use chrono::{DateTime, Duration, TimeZone as _, Utc};
use tempfile::TempDir;

use dicom::{MEIER, NOVAK, OTHERS, series};

/// When tests are, from their begin to their end.
pub(crate) fn start() -> DateTime<Utc> {
    Utc.with_ymd_and_hms(2026, 3, 1, 8, 0, 0).unwrap()
}

/// A node in a folder of its own.
pub(crate) struct TestNode {
    pub(crate) node: Node,
    pub(crate) folder: TempDir,
}

impl TestNode {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A node whose settings are changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut SiteConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("landing")).unwrap();
        let mut site = SiteConfig::new("Klinikum Test", "Graz", "AT", 47.0, 15.0);
        site.landing = Some(folder.path().join("landing"));
        // Of few patients nearly all fields would count as not recorded.
        site.disclosure.border_spread = 0;
        change(&mut site);
        Node::init(&folder.path().join("node"), &site)
            .await
            .unwrap();
        let node = open(folder.path()).await;
        Self { node, folder }
    }

    /// The folder to put files into.
    pub(crate) fn landing(&self) -> PathBuf {
        self.folder.path().join("landing")
    }

    /// The node's own folder.
    pub(crate) fn data(&self) -> PathBuf {
        self.folder.path().join("node")
    }

    /// The same node after a restart, perhaps with other settings.
    pub(crate) async fn restarted(&mut self, change: impl FnOnce(&mut SiteConfig)) {
        self.node.store().database().close().await;
        let path = NodeConfig::settings_file(&self.data());
        let mut site = SiteConfig::parse(&std::fs::read_to_string(&path).unwrap()).unwrap();
        change(&mut site);
        std::fs::write(&path, site.to_toml()).unwrap();
        self.node = open(self.folder.path()).await;
    }

    /// The same node after a restart with this secret of its noise, two hex digits again and again: it says the same in every run.
    /// Of a random one, nearly every bound on a noisy count is broken once in so many runs.
    pub(crate) async fn noise_from(&mut self, digits: &str) {
        std::fs::write(self.data().join("keys/mask.key"), digits.repeat(32)).unwrap();
        self.restarted(|_| {}).await;
    }

    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) {
        put(&self.landing(), name, bytes);
    }

    pub(crate) async fn ingest(&self) -> [u64; 4] {
        let run = self.node.ingest(&self.landing(), "test").await.unwrap();
        [run.stored, run.unchanged, run.quarantined, run.readings]
    }

    pub(crate) async fn publish(&self, cohort: &str) -> LocalDataset {
        let new = NewDataset {
            title: "Lung nodules".into(),
            description: "All of them.".into(),
            cohort: cohort.into(),
            licence: "CC BY 4.0".into(),
        };
        self.node.create_dataset(&new, "test").await.unwrap()
    }

    pub(crate) async fn series(&self) -> SeriesPage {
        let filter = SeriesFilter {
            limit: 100,
            ..SeriesFilter::default()
        };
        self.node.store().list_series(&filter).await.unwrap()
    }

    /// Codes and names in quarantine, by name.
    pub(crate) async fn quarantined(&self) -> Vec<(String, String)> {
        let rows = self.node.store().list_quarantined().await.unwrap();
        let mut rows: Vec<_> = rows.into_iter().map(|row| (row.name, row.code)).collect();
        rows.sort();
        rows
    }
}

async fn open(folder: &Path) -> Node {
    let config = NodeConfig::load(&folder.join("node"), 0).unwrap();
    Node::open(config, Clock::from_fn(start)).await.unwrap()
}

pub(crate) fn put(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// Two patients, three series of four slices and one structure set: 13 instances.
pub(crate) fn hospital(site: &TestNode) {
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

/// The same and four more patients with a slice of CT each, so that what all have counts as recorded: six patients, seven series.
pub(crate) fn clinic(site: &TestNode) {
    hospital(site);
    for (study, person) in (11..).zip(OTHERS) {
        for slice in series(person, study, 1, 1) {
            site.put(&format!("{}/1.dcm", person.id), slice.file());
        }
    }
}

/// All files below a folder.
pub(crate) fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                open.push(entry.path())
            } else {
                found.push(entry.path())
            }
        }
    }
    found.sort();
    found
}

/// Digits of which only a UID that was drawn by lot has so many in a row: any eight of them are somebody's birthday, about once in
/// a hundred thousand runs.
const LOT: usize = 30;

/// Whether a text stands in these bytes, elsewhere than in a number that was drawn by lot.
pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    let digits = |bytes: &mut dyn Iterator<Item = &u8>| {
        bytes.take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut found = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(text.as_bytes()));
    found.any(|at| digits(&mut bytes[..at].iter().rev()) + digits(&mut bytes[at..].iter()) < LOT)
}

/// The federation's committee.
pub(crate) fn committee() -> SecretKey {
    SecretKey::from_seed(&[7; 32])
}

/// What a member pinned.
pub(crate) fn pinned() -> Pinned {
    Pinned {
        federation: "Test federation".into(),
        joined_at: start(),
        hub_url: "https://localhost:1".into(),
        root_key: SecretKey::from_seed(&[8; 32]).public(),
        root_certificate: String::new(),
        committee_key: committee().public(),
    }
}

/// A permit for these datasets.
pub(crate) fn permit(datasets: &[&LocalDataset], operations: &[Operation]) -> Permit {
    let entry = |dataset: &&LocalDataset| PermittedDataset {
        dataset: dataset.record.id,
        node: dataset.record.node,
    };
    Permit {
        id: PermitId::new(),
        request: RequestId::new(),
        data_user: "researcher".into(),
        purpose: "a model".into(),
        datasets: datasets.iter().map(entry).collect(),
        operations: operations.to_vec(),
        min_sites: 2,
        least_count: None,
        valid_from: start() - Duration::days(1),
        valid_until: start() + Duration::days(30),
    }
}

pub(crate) fn signed(permit: &Permit) -> Option<Signed<Permit>> {
    Some(Signed::new(permit, &committee()))
}

pub(crate) fn question(body: QuestionBody) -> Question {
    Question {
        id: QuestionId::new(),
        expires_at: start() + Duration::days(365),
        body,
    }
}

/// What a node says to a question.
pub(crate) async fn ask(node: &Node, body: QuestionBody) -> AnswerBody {
    let question = question(body);
    let answer = node.answer(&pinned(), &question).await.unwrap();
    assert_eq!(answer.question_sha256, question.sha256());
    answer.body
}

/// The code of a refusal.
pub(crate) fn refusal(answer: &AnswerBody) -> &str {
    match answer {
        AnswerBody::Refused { code, .. } => code,
        other => panic!("not refused: {other:?}"),
    }
}
