//! Heads come in without their faces once their series is complete, or when a person says so; a slice that comes later is cut
//! alike, and where no face is surely found, everything waits.

use arno_node::{FacePolicy, FacesRemoved};
use arno_protocol::{
    Problem,
    node::{SeriesDetail, ViewInstance, review::ReviewOutcome},
};
use axum::http::StatusCode;
use chrono::Duration;
use serde_json::{Value, json};

use crate::{
    api::Api,
    support::{
        TestNode, contains, files,
        head::{AIR, NOSE, SKULL, SLICES, enhanced_head, head_slice},
    },
};

/// What is said when nothing was due.
const NOTHING: FacesRemoved = FacesRemoved {
    series: 0,
    instances: 0,
    left: 0,
};

fn put(site: &TestNode, numbers: impl IntoIterator<Item = u32>) {
    for number in numbers {
        site.put(&format!("{number:03}.dcm"), head_slice(number));
    }
}

/// A node where a head waits.
async fn with_head(policy: FacePolicy, numbers: impl IntoIterator<Item = u32>) -> Api {
    let api = Api::with(|site| site.faces = policy).await;
    put(&api.site, numbers);
    let [stored, _, waiting, _] = api.site.ingest().await;
    assert_eq!(stored, 0);
    assert!(waiting > 0);
    api
}

async fn remove_due(api: &Api) -> FacesRemoved {
    api.site
        .node
        .remove_faces_due(Duration::zero())
        .await
        .unwrap()
}

fn removed(instances: u64) -> FacesRemoved {
    FacesRemoved {
        series: 1,
        instances,
        left: 0,
    }
}

impl Api {
    /// A pixel of the kept slice of that number.
    async fn kept_pixel(&self, (number, pixel): (u32, usize)) -> u16 {
        let is_it = |one: &ViewInstance| one.number == Some(i64::from(number));
        self.pixel_of(is_it, 1, pixel).await
    }

    /// A pixel of a frame, from 1, of the only instance.
    async fn kept_frame_pixel(&self, (frame, pixel): (u32, usize)) -> u16 {
        self.pixel_of(|_| true, frame, pixel).await
    }

    async fn pixel_of(
        &self,
        is_it: impl Fn(&ViewInstance) -> bool,
        frame: u32,
        pixel: usize,
    ) -> u16 {
        let uid = self.series_of("CT").await.remove(0);
        let detail: SeriesDetail = self.get(&format!("/v1/series/{uid}")).await;
        let instance = detail.instances.iter().find(|one| is_it(one)).unwrap();
        let id = &instance.instance_uid;
        let path = format!("/v1/series/{uid}/instances/{id}/frames/{frame}");
        let (status, _, bytes) = self.raw("GET", &path, b"").await;
        assert_eq!(status, StatusCode::OK);
        u16::from_le_bytes([bytes[pixel * 2], bytes[pixel * 2 + 1]])
    }

    async fn decide_face(&self, scope: &str) -> (StatusCode, Vec<u8>) {
        let id = self.site.node.store().list_review().await.unwrap().groups[0].first;
        let decision: Value = json!({ "scope": scope, "verdict": { "kind": "deface" } });
        let path = format!("/v1/review/{id}/decision");
        let (status, _, bytes) = self
            .raw("POST", &path, decision.to_string().as_bytes())
            .await;
        (status, bytes)
    }

    async fn face_picture(&self) -> (StatusCode, Vec<u8>) {
        let id = self.site.node.store().list_review().await.unwrap().groups[0].first;
        let (status, _, bytes) = self.raw("GET", &format!("/v1/review/{id}/face"), b"").await;
        (status, bytes)
    }
}

fn code(body: &[u8]) -> String {
    serde_json::from_slice::<Problem>(body).unwrap().code
}

#[tokio::test]
async fn a_head_comes_in_without_its_face_once_its_series_is_complete() {
    let api = with_head(FacePolicy::Deface, 1..SLICES).await;
    let early = api.site.node.remove_faces_due(Duration::minutes(5)).await;
    assert_eq!(early.unwrap(), NOTHING, "more slices may come");
    assert_eq!(remove_due(&api).await, removed(u64::from(SLICES) - 1));
    assert_eq!(api.kept_pixel(NOSE).await, AIR);
    assert_ne!(api.kept_pixel(SKULL).await, AIR);
    assert_eq!(api.newest_act().await.0, "node");
    let packs = files(&api.site.data().join("packs"));
    let bytes = std::fs::read(&packs[0]).unwrap();
    assert!(contains(
        &bytes,
        "Faces: removed by planes at the root of the nose"
    ));
    assert!(contains(&bytes, "113102"));
    assert!(files(&api.site.data().join("quarantine")).is_empty());

    put(&api.site, [SLICES]);
    assert_eq!(api.site.ingest().await[2], 1, "a late slice waits");
    assert_eq!(
        remove_due(&api).await,
        removed(1),
        "and is cut like the others"
    );
    assert_eq!(remove_due(&api).await, NOTHING);
}

#[tokio::test]
async fn a_head_of_one_enhanced_instance_comes_in_without_its_face() {
    let api = Api::with(|site| site.faces = FacePolicy::Deface).await;
    api.site.put("enhanced.dcm", enhanced_head());
    assert_eq!(api.site.ingest().await, [0, 0, 1, 0]);
    assert_eq!(remove_due(&api).await, removed(1));
    assert_eq!(api.kept_frame_pixel(NOSE).await, AIR);
    assert_ne!(api.kept_frame_pixel(SKULL).await, AIR);
    assert!(files(&api.site.data().join("quarantine")).is_empty());
}

#[tokio::test]
async fn where_no_face_is_surely_found_the_series_waits_for_a_person_or_for_what_is_missing() {
    let all = 1..=SLICES;
    let api = with_head(FacePolicy::Deface, all.filter(|number| *number != 30)).await;
    let left = FacesRemoved { left: 1, ..NOTHING };
    assert_eq!(remove_due(&api).await, left);
    assert_eq!(remove_due(&api).await, NOTHING, "nothing has changed");
    let (status, body) = api.decide_face("alike").await;
    assert_eq!(
        (status, code(&body).as_str()),
        (StatusCode::BAD_REQUEST, "face_not_found")
    );
    let (status, body) = api.face_picture().await;
    assert_eq!(
        (status, code(&body).as_str()),
        (StatusCode::BAD_REQUEST, "face_not_found")
    );
    put(&api.site, [30]);
    api.site.ingest().await;
    assert_eq!(remove_due(&api).await, removed(u64::from(SLICES)));
}

#[tokio::test]
async fn a_data_manager_sees_what_would_go_and_has_it_removed() {
    let api = with_head(FacePolicy::Review, 1..=SLICES).await;
    let (status, picture) = api.face_picture().await;
    assert_eq!(status, StatusCode::OK);
    assert!(picture.starts_with(b"\x89PNG"));
    let (status, body) = api.decide_face("one").await;
    assert_eq!(
        (status, code(&body).as_str()),
        (StatusCode::BAD_REQUEST, "whole_series")
    );
    let (status, body) = api.decide_face("alike").await;
    assert_eq!(status, StatusCode::OK);
    let outcome: ReviewOutcome = serde_json::from_slice(&body).unwrap();
    assert_eq!(
        (outcome.kept, outcome.left, outcome.not_kept.len()),
        (u64::from(SLICES), 0, 0)
    );
    assert_eq!(api.kept_pixel(NOSE).await, AIR);
    let (actor, action, detail) = api.newest_act().await;
    assert_eq!(
        (actor.as_str(), action.as_str()),
        ("manager", "deface in review")
    );
    assert_eq!(detail, format!("{SLICES} instances, 0 boxes"));
}

#[tokio::test]
async fn where_a_face_is_is_known_after_a_restart() {
    let mut api = with_head(FacePolicy::Review, 1..=SLICES).await;
    assert_eq!(api.face_picture().await.0, StatusCode::OK);
    api.site
        .restarted(|site| site.faces = FacePolicy::Deface)
        .await;
    let removed_now = api.site.node.remove_faces_due(Duration::zero()).await;
    assert_eq!(removed_now.unwrap(), removed(u64::from(SLICES)));
}
