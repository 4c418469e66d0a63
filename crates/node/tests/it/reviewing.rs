//! What a person must look at: it is nowhere to be found before, comes in as the person decided, with the pixels under the boxes
//! black and all others as they were, and what is refused stays out for good.

use arno_node::{FacePolicy, Fate, Incoming};
use arno_protocol::{
    catalogue::AuditLog,
    node::review::{ReviewChoices, ReviewItem, ReviewOutcome, ReviewQueue},
};
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::{
    api::Api,
    support::{
        TestNode, contains,
        dicom::{EDGE, MEIER, PLANTED, Picture, item, long, series},
        files,
    },
};

/// Two frames of ultrasound, where a machine would write the name.
fn ultrasound(number: u32) -> Picture {
    Picture {
        slice: series(MEIER, 5, 1, number).pop().unwrap(),
        class: "1.2.840.10008.5.1.4.1.1.3.1",
        modality: "US",
        frames: 2,
    }
}

/// A node where two ultrasounds wait beside a CT that is kept.
async fn with_two() -> Api {
    let api = Api::new().await;
    api.site.put("ct.dcm", series(MEIER, 1, 1, 1)[0].file());
    for number in [1, 2] {
        let name = format!("us-{number}.dcm");
        api.site.put(&name, ultrasound(number).file());
    }
    assert_eq!(api.site.ingest().await, [1, 0, 2, 0]);
    api
}

impl Api {
    async fn review_queue(&self) -> ReviewQueue {
        self.get("/v1/review").await
    }

    async fn first(&self) -> i64 {
        self.review_queue().await.groups[0].first
    }

    async fn try_to_decide(&self, id: i64, decision: Value) -> (StatusCode, Vec<u8>) {
        let (path, body) = (format!("/v1/review/{id}/decision"), decision.to_string());
        let (status, _, bytes) = self.raw("POST", &path, body.as_bytes()).await;
        (status, bytes)
    }

    async fn decide(&self, id: i64, decision: Value) -> ReviewOutcome {
        let (status, bytes) = self.try_to_decide(id, decision).await;
        let text = String::from_utf8_lossy(&bytes);
        assert_eq!(status, StatusCode::OK, "{text}");
        serde_json::from_str(&text).unwrap()
    }

    /// The frames that the viewer gets of the only series of ultrasound, by instance number.
    async fn stored_frames(&self) -> Vec<Vec<u8>> {
        let uid = self.series_of("US").await.remove(0);
        self.frames_of(&uid).await
    }

    pub(crate) async fn newest_act(&self) -> (String, String, String) {
        let log: AuditLog = self.get("/v1/audit?limit=10").await;
        let entry = log
            .entries
            .iter()
            .find(|entry| entry.action.ends_with("in review"))
            .unwrap();
        (
            entry.actor.clone(),
            entry.action.clone(),
            entry.detail.clone(),
        )
    }

    fn quarantine_is_empty(&self) -> bool {
        files(&self.site.data().join("quarantine")).is_empty()
    }
}

#[tokio::test]
async fn what_waits_is_shown_to_the_data_manager_and_found_by_nobody() {
    let api = with_two().await;
    let queue = api.review_queue().await;
    assert_eq!((queue.waiting, queue.groups.len()), (2, 1));
    assert_eq!(api.waiting().await, (2, 0), "no text finder looks first");
    let group = &queue.groups[0];
    assert_eq!((group.instances, group.frames), (2, 4));
    assert_eq!(group.why, "modality");
    let item: ReviewItem = api.get(&format!("/v1/review/{}", group.first)).await;
    assert_eq!(
        (item.rows, item.columns),
        (u32::from(EDGE), u32::from(EDGE))
    );
    assert_eq!((item.frames, item.alike), (2, 2));
    assert_eq!(item.choices, ReviewChoices::All);
    assert_eq!(item.next, Some(item.id + 1));
    let said = serde_json::to_string(&(&queue, &item)).unwrap();
    for planted in PLANTED {
        assert!(!said.contains(planted), "{planted}");
    }
    let act = api.newest_act().await;
    assert_eq!(
        (act.0.as_str(), act.1.as_str()),
        ("manager", "view in review")
    );

    let path = format!("/v1/review/{}/frames/2", item.id);
    let (status, headers, picture) = api.raw("GET", &path, b"").await;
    assert_eq!((status, &picture[1..4]), (StatusCode::OK, &b"PNG"[..]));
    assert_eq!(headers["cache-control"], "no-store");
    let path = format!("/v1/review/{}/frames/3", item.id);
    assert_eq!(api.raw("GET", &path, b"").await.0, StatusCode::NOT_FOUND);

    assert_eq!(api.series_of("US").await, Vec::<String>::new());
    for path in [
        "/dicom-web/instances",
        "/dicom-web/studies",
        "/dicom-web/series",
    ] {
        let (status, _, bytes) = api.raw("GET", path, b"").await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(
            serde_json::from_slice::<Vec<Value>>(&bytes).unwrap().len(),
            1,
            "the CT"
        );
    }
    let facts = api.site.node.store().facts().await.unwrap();
    assert_eq!(facts.len(), 1, "searches count the CT");
    for pack in files(&api.site.data().join("packs")) {
        assert!(!contains(
            &std::fs::read(pack).unwrap(),
            "1.2.840.10008.5.1.4.1.1.3.1"
        ));
    }
}

#[tokio::test]
async fn boxes_are_black_and_all_other_pixels_as_they_were() {
    let api = with_two().await;
    let first = api.first().await;
    let boxes = json!([
        { "x": 2, "y": 1, "width": 5, "height": 3 },
        { "x": 12, "y": 12, "width": 100, "height": 1, "frame": 2 },
    ]);
    let decision = json!({ "scope": "one", "verdict": { "kind": "blacken", "boxes": boxes } });
    let outcome = api.decide(first, decision).await;
    assert_eq!((outcome.kept, outcome.not_kept.len()), (1, 0));
    assert_eq!(outcome.next, Some(first + 1));
    let act = api.newest_act().await;
    let expect = ["manager", "blacken in review", "1 instances, 2 boxes"];
    assert_eq!([act.0, act.1, act.2], expect.map(str::to_owned));

    let is_covered = |frame: u16, x: u16, y: u16| {
        ((2..7).contains(&x) && (1..4).contains(&y)) || (frame == 2 && x >= 12 && y == 12)
    };
    let frames = api.stored_frames().await;
    assert_eq!(frames.len(), 2);
    let source = ultrasound(1).pixels();
    for (frame, stored) in (1..).zip(&frames) {
        for y in 0..EDGE {
            for x in 0..EDGE {
                let at = usize::from(y * EDGE + x);
                let before = source[usize::from((frame - 1) * EDGE * EDGE) + at];
                let expect = if is_covered(frame, x, y) { 0 } else { before };
                assert_eq!(stored[at], expect, "frame {frame}, column {x}, row {y}");
            }
        }
    }
    let packs = files(&api.site.data().join("packs"));
    let bytes: Vec<u8> = packs
        .iter()
        .flat_map(|pack| std::fs::read(pack).unwrap())
        .collect();
    for planted in PLANTED {
        assert!(!contains(&bytes, planted), "{planted}");
    }
    assert!(contains(&bytes, "Pixels: text removed") && contains(&bytes, "113101"));
    assert_eq!(api.review_queue().await.waiting, 1);
    assert_eq!(
        api.site.ingest().await,
        [0, 3, 0, 0],
        "the same files again"
    );
}

#[tokio::test]
async fn what_is_accepted_as_it_is_comes_in_with_all_that_are_alike() {
    let api = with_two().await;
    let decision = json!({ "scope": "alike", "verdict": { "kind": "accept" } });
    let outcome = api.decide(api.first().await, decision).await;
    assert_eq!((outcome.kept, outcome.left, outcome.next), (2, 0, None));
    let source = [ultrasound(1).pixels(), ultrasound(2).pixels()].concat();
    assert_eq!(api.stored_frames().await.concat(), source);
    assert!(api.quarantine_is_empty());
    let queue = api.review_queue().await;
    assert_eq!((queue.waiting, queue.groups.len()), (0, 0));
    let act = api.newest_act().await;
    assert_eq!(
        [act.1, act.2],
        ["accept in review", "2 instances, 0 boxes"].map(str::to_owned)
    );
}

#[tokio::test]
async fn what_is_refused_is_gone_and_stays_out() {
    let api = with_two().await;
    let decision = json!({ "scope": "alike", "verdict": { "kind": "refuse" } });
    let first = api.first().await;
    let outcome = api.decide(first, decision.clone()).await;
    assert_eq!((outcome.refused, outcome.kept, outcome.next), (2, 0, None));
    assert!(api.quarantine_is_empty());
    assert_eq!(api.site.quarantined().await, []);
    let (status, _) = api.try_to_decide(first, decision).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "decided once");
    let mut taking = api
        .site
        .node
        .begin_taking_in("again", "test")
        .await
        .unwrap();
    let again = Incoming {
        name: "again.dcm".into(),
        bytes: ultrasound(1).file().into(),
    };
    let taken = taking.take(vec![again]).await.unwrap().remove(0);
    taking.finish().await.unwrap();
    let Fate::Refused { code, .. } = taken.fate else {
        panic!("{:?}", taken.fate);
    };
    assert_eq!(code, "refused_by_person");
    assert_eq!(api.review_queue().await.waiting, 0);
    assert!(api.quarantine_is_empty());
}

#[tokio::test]
async fn what_no_picture_shows_can_only_be_refused() {
    let api = Api::new().await;
    let document = Picture {
        class: "1.2.840.10008.5.1.4.1.1.104.1",
        modality: "DOC",
        ..ultrasound(1)
    };
    api.site.put("scan.dcm", document.file());
    assert_eq!(api.site.ingest().await, [0, 0, 1, 0]);
    let id = api.first().await;
    let item: ReviewItem = api.get(&format!("/v1/review/{id}")).await;
    assert_eq!(
        (item.why.as_str(), item.choices),
        ("document", ReviewChoices::RefuseOnly)
    );
    let accept = json!({ "scope": "one", "verdict": { "kind": "accept" } });
    assert_eq!(
        api.try_to_decide(id, accept).await.0,
        StatusCode::BAD_REQUEST
    );
    let refuse = json!({ "scope": "one", "verdict": { "kind": "refuse" } });
    assert_eq!(api.decide(id, refuse).await.refused, 1);
}

#[tokio::test]
async fn boxes_that_cannot_be_drawn_are_told_and_change_nothing() {
    let api = with_two().await;
    let id = api.first().await;
    let check = async |scope: &str, boxes: Value| {
        let verdict = json!({ "kind": "blacken", "boxes": boxes });
        let decision = json!({ "scope": scope, "verdict": verdict });
        let (status, bytes) = api.try_to_decide(id, decision).await;
        assert_eq!(
            status,
            StatusCode::BAD_REQUEST,
            "{}",
            String::from_utf8_lossy(&bytes)
        );
    };
    check("one", json!([])).await;
    check("one", json!([{ "x": 16, "y": 0, "width": 1, "height": 1 }])).await;
    check("one", json!([{ "x": 0, "y": 0, "width": 0, "height": 1 }])).await;
    check(
        "one",
        json!([{ "x": 0, "y": 0, "width": 1, "height": 1, "frame": 3 }]),
    )
    .await;
    check(
        "one",
        json!([{ "x": 0, "y": 0, "width": 1, "height": 1, "frame": 0 }]),
    )
    .await;
    check(
        "alike",
        json!([{ "x": 0, "y": 0, "width": 1, "height": 1, "frame": 1 }]),
    )
    .await;
    check(
        "one",
        json!(vec![
            json!({ "x": 0, "y": 0, "width": 1, "height": 1 });
            501
        ]),
    )
    .await;
    assert_eq!(api.review_queue().await.waiting, 2);
}

/// A slice of a head: the same as of a chest, but for the name of the part and a field of view of 144 mm.
fn head(number: u32) -> Vec<u8> {
    let chest = series(MEIER, 6, 1, number).pop().unwrap().file();
    let replaced = |bytes: Vec<u8>, from: &[u8], to: &[u8]| {
        let at = bytes.windows(from.len()).position(|window| window == from);
        let at = at.unwrap();
        [&bytes[..at], to, &bytes[at + from.len()..]].concat()
    };
    replaced(replaced(chest, b"CHEST ", b"HEAD  "), b"2\\2 ", b"9\\9 ")
}

#[tokio::test]
async fn a_head_waits_for_a_person_who_may_keep_it() {
    let api = Api::new().await;
    api.site.put("chest.dcm", series(MEIER, 1, 1, 1)[0].file());
    for number in [1, 2] {
        api.site.put(&format!("head-{number}.dcm"), head(number));
    }
    assert_eq!(api.site.ingest().await, [1, 0, 2, 0]);
    let id = api.first().await;
    let item: ReviewItem = api.get(&format!("/v1/review/{id}")).await;
    assert_eq!((item.why.as_str(), item.alike), ("face", 2));
    let decision = json!({ "scope": "alike", "verdict": { "kind": "accept" } });
    assert_eq!(api.decide(id, decision).await.kept, 2);
    let packs = files(&api.site.data().join("packs"));
    let bytes: Vec<u8> = packs
        .iter()
        .flat_map(|pack| std::fs::read(pack).unwrap())
        .collect();
    assert!(contains(&bytes, "Faces: seen by a person, and kept"));
    assert_eq!(api.series_of("CT").await.len(), 2);
}

#[tokio::test]
async fn where_a_device_is_known_to_write_boxes_are_proposed() {
    let api = with_two().await;
    let item_of = async |id: i64| api.get::<ReviewItem>(&format!("/v1/review/{id}")).await;
    assert_eq!(item_of(api.first().await).await.proposed, []);
    // The image is said to begin at column 0 and row 4, and to go on to the end: above it the device writes.
    let corner = |element: u32, at: u32| {
        let mut bytes = ((element & 0xFFFF) << 16 | element >> 16)
            .to_le_bytes()
            .to_vec();
        bytes.extend([&b"UL\x04\x00"[..], &at.to_le_bytes()].concat());
        bytes
    };
    let last = u32::from(EDGE) - 1;
    let corners = [
        (0x0018_6018, 0),
        (0x0018_601A, 4),
        (0x0018_601C, last),
        (0x0018_601E, last),
    ];
    let region = corners.map(|(element, at)| corner(element, at)).concat();
    let regions = long(0x0018_6011, "SQ", &item(&region));
    api.site.put("known.dcm", ultrasound(3).file_with(&regions));
    assert_eq!(api.site.ingest().await, [0, 3, 1, 0]);
    let newest = api.site.node.store().list_quarantined().await.unwrap()[0].id;
    let proposed = item_of(newest).await.proposed;
    let edge = u32::from(EDGE);
    let covers = |x: u32, y: u32| {
        let within = |at: u32, begin: u32, size: u32| (begin..begin + size).contains(&at);
        proposed.iter().any(|one| {
            one.frame.is_none() && within(x, one.x, one.width) && within(y, one.y, one.height)
        })
    };
    for y in 0..edge {
        assert_eq!(covers(3, y), y < 4, "row {y}: {proposed:?}");
    }
}

#[tokio::test]
async fn heads_come_in_where_the_data_holder_keeps_them() {
    let site = TestNode::with(|site| site.faces = FacePolicy::Keep).await;
    site.put("head.dcm", head(1));
    assert_eq!(site.ingest().await, [1, 0, 0, 0]);
}
