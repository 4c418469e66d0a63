//! Text in pixels: what would wait for a person is looked at by the text finder first, series by series; what it cannot settle
//! waits with boxes proposed, and a text finder that fails costs nothing but that.

use std::time::Duration;

use arno_dimse::command::Status;
use arno_domain::Clock;
use arno_node::{
    DicomListener, Node, NodeConfig, NodeError, Resting, SiteConfig, TextPolicy, TextTally,
};
use arno_pixels::Region;
use arno_protocol::{
    catalogue::AuditLog,
    node::{
        Overview,
        review::{FinderState, ReviewItem, ReviewOutcome, ReviewQueue, TextState},
    },
};
use axum::http::StatusCode;
use serde_json::json;
use tokio::net::TcpStream;

use crate::{
    api::Api,
    pacs::{EXPLICIT, Scu, proposal},
    receiving::{data_set, until},
    support::{
        TestNode, contains,
        dicom::{MEIER, Picture, Slice, series},
        files,
        finder::FakeFinder,
    },
};

const ULTRASOUND: &str = "1.2.840.10008.5.1.4.1.1.6.1";
const RADIOGRAPH: &str = "1.2.840.10008.5.1.4.1.1.1";
/// Where the name stands in a picture of 16 by 16, and what is black of it.
const NAME: Region = region(5, 5, 2);
const BLACK: Region = region(3, 3, 6);

const fn region(x: u32, y: u32, edge: u32) -> Region {
    Region {
        frames: arno_pixels::Frames::All,
        x,
        y,
        width: edge,
        height: edge,
    }
}

/// One frame of ultrasound in a series of several.
fn ultrasound(number: u32) -> Picture {
    Picture {
        slice: Slice {
            number,
            ..series(MEIER, 5, 1, 1)[0]
        },
        class: ULTRASOUND,
        modality: "US",
        frames: 1,
    }
}

/// The text finder knows a picture by its first pixel.
fn first_pixel(picture: &Picture) -> u8 {
    picture.pixels()[0]
}

async fn node(finder: &FakeFinder, text: TextPolicy) -> Api {
    let folder = finder.folder().to_owned();
    Api::with(move |site: &mut SiteConfig| {
        site.text_finder = Some(folder);
        site.text = text;
    })
    .await
}

impl Api {
    fn put_picture(&self, picture: &Picture) {
        let slice = picture.slice;
        let name = format!("{}-{}-{}.dcm", slice.study, slice.series, slice.number);
        self.site.put(&name, picture.file());
    }

    async fn look(&self) -> TextTally {
        let looked = self.site.node.look_for_text(Resting::All).await.unwrap();
        looked.unwrap()
    }

    async fn queue(&self) -> ReviewQueue {
        self.get("/v1/review").await
    }

    async fn first_item(&self) -> ReviewItem {
        let first = self.queue().await.groups[0].first;
        self.get(&format!("/v1/review/{first}")).await
    }

    /// All that is kept.
    fn packs(&self) -> Vec<u8> {
        let packs = files(&self.site.data().join("packs"));
        let bytes = packs.iter().map(|pack| std::fs::read(pack).unwrap());
        bytes.flatten().collect()
    }

    /// How many wait for a person, and for the text finder, as the start page says.
    pub(crate) async fn waiting(&self) -> (u64, u64) {
        let overview: Overview = self.get("/v1/overview").await;
        (overview.holdings.to_review, overview.holdings.text_due)
    }

    /// What the text finder is said to have done, the newest first.
    async fn acts(&self) -> Vec<String> {
        let log: AuditLog = self.get("/v1/audit?limit=100").await;
        let acts = log
            .entries
            .into_iter()
            .filter(|act| act.actor == "text finder");
        acts.filter(|act| act.action == "look for text")
            .map(|act| act.detail)
            .collect()
    }
}

fn tally(blackened: u64, clean: u64, waiting: u64) -> TextTally {
    TextTally {
        blackened,
        clean,
        waiting,
    }
}

#[tokio::test]
async fn what_is_found_is_proposed_to_a_person_and_what_shows_nothing_comes_in() {
    let finder = FakeFinder::new();
    let api = node(&finder, TextPolicy::Propose).await;
    finder.reads(first_pixel(&ultrasound(1)), "Meierhofer", 0.9, NAME);
    for number in [1, 2] {
        api.put_picture(&ultrasound(number));
    }
    assert_eq!(api.site.ingest().await, [0, 0, 2, 0]);
    let queue = api.queue().await;
    assert_eq!(queue.finder, FinderState::Working { due: 2 });
    assert_eq!((queue.waiting, queue.groups[0].text), (2, TextState::Due));
    assert_eq!(api.waiting().await, (0, 2));
    assert_eq!(api.look().await, tally(0, 1, 1));
    assert_eq!(api.waiting().await, (1, 0));
    let kept = api.packs();
    assert!(contains(&kept, "Pixels: no text found") && contains(&kept, "113101"));

    let item = api.first_item().await;
    assert_eq!((item.text, item.alike), (TextState::Found, 1));
    let boxes = item.proposed.iter();
    let boxes: Vec<_> = boxes
        .map(|one| (one.x, one.y, one.width, one.height))
        .collect();
    assert_eq!(boxes, [(BLACK.x, BLACK.y, BLACK.width, BLACK.height)]);
    let act = api.acts().await.remove(0);
    let digest = "sha256:";
    assert!(act.contains("1 without text, 1 wait for a person"), "{act}");
    assert_eq!(act.matches(digest).count(), 2, "{act}");

    let verdict = json!({ "kind": "blacken", "boxes": item.proposed });
    let decision = json!({ "scope": "one", "verdict": verdict });
    let path = format!("/v1/review/{}/decision", item.id);
    let (status, ..) = api
        .raw("POST", &path, decision.to_string().as_bytes())
        .await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(api.queue().await.waiting, 0);
    assert!(contains(&api.packs(), "Pixels: text removed"));
    assert_eq!(api.site.ingest().await, [0, 2, 0, 0], "the same again");
    assert_eq!(finder.looked().len(), 2, "each once");
}

#[tokio::test]
async fn a_person_sees_all_of_a_risky_kind_unless_the_data_holder_says_otherwise() {
    let finder = FakeFinder::new();
    let api = node(&finder, TextPolicy::default()).await;
    finder.reads(first_pixel(&ultrasound(1)), "Meierhofer", 0.9, NAME);
    let radiograph = Picture {
        slice: series(MEIER, 6, 1, 1)[0],
        class: RADIOGRAPH,
        modality: "CR",
        ..ultrasound(1)
    };
    finder.reads(first_pixel(&radiograph), "Meierhofer", 0.9, NAME);
    for picture in [ultrasound(1), ultrasound(2), radiograph] {
        api.put_picture(&picture);
    }
    api.site.ingest().await;
    assert_eq!(api.look().await, tally(0, 0, 3));
    let queue = api.queue().await;
    let groups = queue.groups.iter();
    let mut texts: Vec<_> = groups
        .map(|group| (group.why.as_str(), group.text))
        .collect();
    texts.sort_by_key(|(why, text)| (*why, *text == TextState::Found));
    let (found, nothing) = (TextState::Found, TextState::Nothing);
    assert_eq!(
        texts,
        [("modality", nothing), ("modality", found), ("text", found)]
    );
}

#[tokio::test]
async fn what_is_found_is_removed_where_the_data_holder_wants_it() {
    let finder = FakeFinder::new();
    let api = node(&finder, TextPolicy::Remove).await;
    finder.reads(first_pixel(&ultrasound(1)), "Meierhofer", 0.9, NAME);
    for number in [1, 2] {
        api.put_picture(&ultrasound(number));
    }
    api.site.ingest().await;
    assert_eq!(api.look().await, tally(1, 1, 0));
    assert_eq!(api.queue().await.waiting, 0);
    assert!(files(&api.site.data().join("quarantine")).is_empty());
    let uid = api.series_of("US").await.remove(0);
    let frames = api.frames_of(&uid).await;
    for (number, frame) in (1..).zip(frames) {
        let before = ultrasound(number).pixels();
        for (at, (now, before)) in frame.iter().zip(before).enumerate() {
            let (x, y) = (at as u32 % 16, at as u32 / 16);
            let is_black = number == 1 && (3..9).contains(&x) && (3..9).contains(&y);
            assert_eq!(
                *now,
                if is_black { 0 } else { before },
                "{number}: {x}, {y}"
            );
        }
    }
}

#[tokio::test]
async fn radiographs_are_looked_at_before_they_come_in() {
    let radiograph = |number| Picture {
        class: RADIOGRAPH,
        modality: "CR",
        ..ultrasound(number)
    };
    let without = TestNode::new().await;
    without.put("1.dcm", radiograph(1).file());
    assert_eq!(without.ingest().await, [1, 0, 0, 0], "as ever");

    let finder = FakeFinder::new();
    let api = node(&finder, TextPolicy::Propose).await;
    finder.reads(first_pixel(&radiograph(1)), "Meierhofer", 0.9, NAME);
    for number in [1, 2] {
        api.put_picture(&radiograph(number));
    }
    api.site.put("ct.dcm", series(MEIER, 1, 1, 1)[0].file());
    assert_eq!(
        api.site.ingest().await,
        [1, 0, 2, 0],
        "the CT does not wait"
    );
    assert_eq!(api.first_item().await.why, "text");
    assert_eq!(api.look().await, tally(0, 1, 1));
    assert_eq!(api.series_of("CR").await.len(), 1);
}

#[tokio::test]
async fn a_text_finder_that_fails_costs_nothing_but_time() {
    let finder = FakeFinder::new();
    let mut api = node(&finder, TextPolicy::Remove).await;
    finder.uninstall();
    api.put_picture(&ultrasound(1));
    api.site.ingest().await;
    let failed = api.site.node.look_for_text(Resting::All).await;
    assert!(matches!(failed, Err(NodeError::TextFinder(_))));
    assert_eq!(api.first_item().await.text, TextState::Due);

    // After a restart, it is due still; and what dies of a picture leaves it to a person.
    api.site.restarted(|_| {}).await;
    finder.install();
    finder.dies();
    let api = api.again();
    assert_eq!(api.look().await, tally(0, 0, 1));
    assert_eq!(finder.looked().len(), 2, "a second child tried");
    let item = api.first_item().await;
    assert_eq!((item.text, item.proposed.len()), (TextState::Nothing, 0));
    assert!(item.reason.contains("could not look"), "{}", item.reason);
    assert_eq!(api.look().await, tally(0, 0, 0), "it is not tried for ever");
}

#[tokio::test]
async fn a_late_one_is_voted_on_with_those_that_are_in() {
    let finder = FakeFinder::new();
    let api = node(&finder, TextPolicy::Remove).await;
    // Unsure readings in the same place: one alone does not count, two agree.
    for number in [1, 3] {
        finder.reads(first_pixel(&ultrasound(number)), "R2", 0.7, NAME);
    }
    for number in [1, 2] {
        api.put_picture(&ultrasound(number));
    }
    api.site.ingest().await;
    assert_eq!(api.look().await, tally(0, 2, 0));
    api.put_picture(&ultrasound(3));
    api.site.ingest().await;
    assert_eq!(api.look().await, tally(0, 0, 1));
    let item = api.first_item().await;
    assert!(item.reason.contains("late"), "{}", item.reason);
    assert_eq!(item.proposed.len(), 1);
}

#[tokio::test]
async fn all_of_a_series_are_let_in_each_with_what_was_found_in_it() {
    let finder = FakeFinder::new();
    let api = node(&finder, TextPolicy::Propose).await;
    let elsewhere = region(10, 10, 2);
    for (number, place) in [(1, NAME), (2, elsewhere)] {
        finder.reads(first_pixel(&ultrasound(number)), "Meierhofer", 0.9, place);
        api.put_picture(&ultrasound(number));
    }
    api.site.ingest().await;
    assert_eq!(api.look().await, tally(0, 0, 2));
    let item = api.first_item().await;
    let verdict = json!({ "kind": "blacken", "boxes": item.proposed });
    let decision = json!({ "scope": "alike", "verdict": verdict });
    let path = format!("/v1/review/{}/decision", item.id);
    let (status, _, bytes) = api
        .raw("POST", &path, decision.to_string().as_bytes())
        .await;
    assert_eq!(status, StatusCode::OK);
    let outcome: ReviewOutcome = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(outcome.kept, 2);
    let uid = api.series_of("US").await.remove(0);
    let frames = api.frames_of(&uid).await;
    let black = |frame: &[u8], x: usize, y: usize| frame[y * 16 + x] == 0;
    assert!(black(&frames[0], 5, 5) && !black(&frames[0], 10, 10));
    assert!(black(&frames[1], 5, 5) && black(&frames[1], 10, 10));
}

#[tokio::test]
async fn what_a_pacs_sends_comes_in_once_its_series_rests() {
    let finder = FakeFinder::new();
    let folder = finder.folder().to_owned();
    let site = TestNode::with(|site| {
        site.text_finder = Some(folder);
        site.text = TextPolicy::Propose;
    })
    .await;
    let mut config = NodeConfig::load(&site.data(), 0).unwrap();
    config.dicom = Some(DicomListener::new(0, "ARNO".parse().unwrap()));
    config.text_rest = Duration::ZERO;
    let running = Node::start(config, Clock::system()).await.unwrap();
    let port = running.dicom_port.unwrap();
    let mut pacs = Scu::new(TcpStream::connect(("127.0.0.1", port)).await.unwrap());
    pacs.associate(vec![proposal(1, ULTRASOUND, &[EXPLICIT])])
        .await;
    for number in [1, 2] {
        let (file, uid) = (
            ultrasound(number).file(),
            ultrasound(number).slice.instance_uid(),
        );
        let status = pacs.store(1, ULTRASOUND, &uid, data_set(&file)).await;
        assert_eq!(status, Status::SUCCESS);
    }
    pacs.release().await;
    until("looked at and taken in", async || {
        running.node().store().holdings().await.unwrap().instances == 2
    })
    .await;
    running.shutdown().await;
}
