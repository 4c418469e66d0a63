//! STOW-RS and DELETE: what was sent is kept and answered for, one by one.

use arno_node::{RecipeName, Resting, TextPolicy};
use axum::{body::Body, http::StatusCode};
use serde_json::Value;

use super::{Web, images, multipart, path_of};
use crate::support::{
    TestNode, contains,
    dicom::{MEIER, NOVAK, PLANTED, Picture, series},
    finder::FakeFinder,
};

const RELATED: &str = r#"multipart/related; type="application/dicom"; boundary=b"#;

/// One attribute of each item of a sequence of the answer.
fn items(answer: &Value, sequence: &str, attribute: &str) -> Vec<Value> {
    let items = answer[sequence]["Value"].as_array();
    let value = |item: &Value| item[attribute]["Value"][0].clone();
    items
        .map(|items| items.iter().map(value).collect())
        .unwrap_or_default()
}

#[tokio::test]
async fn stored_instances_stand_in_the_answer_with_their_places() {
    let web = Web::new().await;
    let slices = series(MEIER, 1, 1, 3);
    let files: Vec<_> = slices.iter().map(|slice| slice.file()).collect();
    for _ in 0..2 {
        let answer = web.store("/studies", &files).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/dicom+json");
        let answer = answer.json();
        let uids: Vec<String> = slices.iter().map(|slice| slice.instance_uid()).collect();
        assert_eq!(items(&answer, "00081199", "00081155"), uids);
        let places: Vec<String> = slices
            .iter()
            .map(|slice| format!("http://localhost:8080/dicom-web{}", path_of(slice)))
            .collect();
        assert_eq!(items(&answer, "00081199", "00081190"), places);
        assert!(answer.get("00081198").is_none());
    }
    let kept = web
        .get(&path_of(&slices[1]), "application/dicom; transfer-syntax=*")
        .await;
    assert_eq!(kept.bytes, files[1]);
}

#[tokio::test]
async fn what_the_text_finder_lets_in_is_found_later() {
    let finder = FakeFinder::new();
    let folder = finder.folder().to_owned();
    let site = TestNode::with(|site| {
        site.text_finder = Some(folder);
        site.text = TextPolicy::Propose;
    })
    .await;
    let web = Web::of(site);
    let picture = Picture {
        slice: series(MEIER, 5, 1, 1)[0],
        class: "1.2.840.10008.5.1.4.1.1.6.1",
        modality: "US",
        frames: 1,
    };
    let answer = web.store("/studies", &[picture.file()]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT, "it is not kept yet");
    assert_eq!(web.json("/instances").await, Value::Array(Vec::new()));
    web.site.node.look_for_text(Resting::All).await.unwrap();
    assert_eq!(web.json("/instances").await.as_array().unwrap().len(), 1);
    let answer = web.store("/studies", &[picture.file()]).await.json();
    assert_eq!(items(&answer, "00081199", "00081155").len(), 1, "and kept");
}

#[tokio::test]
async fn what_is_de_identified_is_said_to_be_coerced() {
    let web = Web::of(TestNode::new().await);
    let slice = series(MEIER, 1, 1, 1)[0];
    let answer = web.store("/studies", &[slice.file()]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let answer = answer.json();
    assert_eq!(
        items(&answer, "00081199", "00081155"),
        [slice.instance_uid()],
        "as it was sent"
    );
    assert_eq!(items(&answer, "00081199", "00081196"), [0xB000]);
    let places = items(&answer, "00081199", "00081190");
    let place = places[0].as_str().unwrap();
    let path = place.split_once("/dicom-web").unwrap().1;
    let kept = web.get(path, "application/dicom; transfer-syntax=*").await;
    assert_eq!(kept.status, StatusCode::OK);
    let metadata = web.get(&format!("{path}/metadata"), "*/*").await;
    let found = web.get("/instances?includefield=all", "*/*").await;
    for planted in PLANTED {
        for bytes in [&kept.bytes, &metadata.bytes, &found.bytes] {
            assert!(!contains(bytes, planted), "{planted}");
        }
    }
}

#[tokio::test]
async fn each_failure_has_its_reason() {
    let web = Web::new().await;
    let good = series(MEIER, 1, 1, 2);
    let mut other = series(MEIER, 1, 1, 1)[0].file();
    let last = other.len() - 1;
    other[last] ^= 1;
    web.store("/studies", &[good[0].file()]).await;
    let files = [good[1].file(), b"no DICOM".to_vec(), other];
    let answer = web.store("/studies", &files).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(
        items(&answer, "00081199", "00081155"),
        [good[1].instance_uid()]
    );
    assert_eq!(
        items(&answer, "00081198", "00081155"),
        [good[0].instance_uid()]
    );
    assert_eq!(
        items(&answer, "00081198", "00081197"),
        [0x0111],
        "another of this UID is kept"
    );
    assert_eq!(items(&answer, "0008119A", "00081197"), [0xC000]);
    let nothing = web.store("/studies", &[b"no DICOM either".to_vec()]).await;
    assert_eq!(nothing.status, StatusCode::CONFLICT);
}

#[tokio::test]
async fn a_study_in_the_address_takes_no_other() {
    let web = Web::new().await;
    let (one, other) = (series(MEIER, 1, 1, 1)[0], series(NOVAK, 2, 1, 1)[0]);
    let path = format!("/studies/{}", one.study_uid());
    let answer = web.store(&path, &[one.file(), other.file()]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let answer = answer.json();
    assert_eq!(items(&answer, "00081199", "00081155"), [one.instance_uid()]);
    assert_eq!(
        items(&answer, "00081198", "00081155"),
        [other.instance_uid()]
    );
    assert_eq!(items(&answer, "00081198", "00081197"), [0xA900]);
    assert_eq!(web.json("/instances").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn other_bodies_are_refused_with_their_status() {
    let web = Web::new().await;
    let file = series(MEIER, 1, 1, 1)[0].file();
    let whole = multipart(&[file], "application/dicom");
    let check = async |headers: &[(&str, &str)], body: &[u8], expect: StatusCode| {
        let answer = web
            .send("POST", "/studies", headers, Body::from(body.to_vec()))
            .await;
        assert_eq!(answer.status, expect, "{headers:?}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/problem+json");
    };
    let unsupported = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    check(&[], &whole, unsupported).await;
    check(&[("content-type", "application/json")], &whole, unsupported).await;
    check(
        &[("content-type", "application/dicom")],
        &whole,
        unsupported,
    )
    .await;
    let metadata = r#"multipart/related; type="application/dicom+json"; boundary=b"#;
    check(&[("content-type", metadata)], &whole, unsupported).await;
    check(
        &[("content-type", "multipart/related; type=application/dicom")],
        &whole,
        unsupported,
    )
    .await;
    check(
        &[("content-type", RELATED)],
        &multipart(&[b"x".to_vec()], "image/jpeg"),
        unsupported,
    )
    .await;
    let xml = [
        ("content-type", RELATED),
        ("accept", "application/dicom+xml"),
    ];
    check(&xml, &whole, StatusCode::NOT_ACCEPTABLE).await;
    let bad = StatusCode::BAD_REQUEST;
    check(&[("content-type", RELATED)], b"", bad).await;
    check(&[("content-type", RELATED)], b"--b--", bad).await;
    check(&[("content-type", RELATED)], &whole[..whole.len() - 8], bad).await;
    check(
        &[(
            "content-type",
            r#"multipart/related; type="application/dicom"; boundary="a b ""#,
        )],
        &whole,
        bad,
    )
    .await;
    let long = format!("--b\r\nContent-Type: {}\r\n\r\n", "x".repeat(10_000));
    check(&[("content-type", RELATED)], long.as_bytes(), bad).await;
    let answer = web
        .send(
            "POST",
            "/studies/nonsense",
            &[("content-type", RELATED)],
            Body::from(whole),
        )
        .await;
    assert_eq!(answer.status, bad);
    assert_eq!(
        web.json("/instances").await,
        Value::Array(Vec::new()),
        "nothing was stored"
    );
}

#[tokio::test]
async fn what_came_before_a_break_is_stored_and_said() {
    let web = Web::new().await;
    // More than a batch, so that the first ones are taken in while the rest is still to come.
    let files: Vec<_> = series(MEIER, 1, 1, 70)
        .iter()
        .map(|slice| slice.file())
        .collect();
    let whole = multipart(&files, "application/dicom");
    let cut = Body::from(whole[..whole.len() - 100].to_vec());
    let answer = web
        .send("POST", "/studies", &[("content-type", RELATED)], cut)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    assert!(
        answer
            .text()
            .contains("69 instances before that are stored"),
        "{}",
        answer.text()
    );
    let again = web.store("/studies", &files).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(
        web.json("/instances?limit=100")
            .await
            .as_array()
            .unwrap()
            .len(),
        70
    );
}

#[tokio::test]
async fn a_full_node_says_so_and_recovers() {
    let file = series(MEIER, 1, 1, 1)[0].file();
    let site = TestNode::with(|site| site.storage_limit_bytes = Some(100)).await;
    let mut web = Web::of(site);
    let full = web.store("/studies", std::slice::from_ref(&file)).await;
    assert_eq!(
        full.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{}",
        full.text()
    );
    assert!(full.headers.contains_key("retry-after"));
    web.site
        .restarted(|site| site.storage_limit_bytes = None)
        .await;
    let web = Web::of(web.site);
    assert_eq!(
        web.store("/studies", &[file]).await.status,
        StatusCode::ACCEPTED
    );
}

#[tokio::test]
async fn what_has_no_room_any_more_is_named() {
    // Room for the first batch alone.
    let slices = series(MEIER, 1, 1, 65);
    let files: Vec<_> = slices.iter().map(|slice| slice.file()).collect();
    let room: usize = files[..64].iter().map(Vec::len).sum();
    let site = TestNode::with(|site| {
        site.recipe = RecipeName::None;
        site.storage_limit_bytes = Some(room as u64 + 10);
    });
    let answer = Web::of(site.await).store("/studies", &files).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    let answer = answer.json();
    assert_eq!(items(&answer, "00081199", "00081155").len(), 64);
    assert_eq!(
        items(&answer, "00081198", "00081155"),
        [slices[64].instance_uid()]
    );
    assert_eq!(items(&answer, "00081198", "00081197"), [0xA700]);
}

#[tokio::test]
async fn what_changes_shows_at_once_in_a_series_that_was_just_read() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let series = format!(
        "/studies/{}/series/{}",
        slice.study_uid(),
        slice.series_uid()
    );
    let counts = async || {
        let metadata = web.json(&format!("{series}/metadata")).await;
        let rows = web.json(&format!("{series}/instances")).await;
        [metadata, rows].map(|answer| answer.as_array().unwrap().len())
    };
    let one = async || web.get(&path_of(&slice), "*/*").await.status;
    assert_eq!((counts().await, one().await), ([4, 4], StatusCode::OK));
    web.send("DELETE", &path_of(&slice), &[], Body::empty())
        .await;
    let gone = StatusCode::NOT_FOUND;
    assert_eq!((counts().await, one().await), ([3, 3], gone));
    web.store("/studies", &[slice.file()]).await;
    assert_eq!((counts().await, one().await), ([4, 4], StatusCode::OK));
    web.send("DELETE", &series, &[], Body::empty()).await;
    let metadata = web.get(&format!("{series}/metadata"), "*/*").await;
    assert_eq!((metadata.status, one().await), (gone, gone));
}

#[tokio::test]
async fn what_is_deleted_is_gone_at_every_level() {
    let web = Web::with_images().await;
    let count = async || web.json("/instances").await.as_array().unwrap().len();
    let (meier, novak) = (images()[0], images()[7]);
    let delete = async |path: String| web.send("DELETE", &path, &[], Body::empty()).await.status;
    assert_eq!(count().await, 9);
    assert_eq!(delete(path_of(&meier)).await, StatusCode::NO_CONTENT);
    assert_eq!(delete(path_of(&meier)).await, StatusCode::NOT_FOUND);
    assert_eq!(count().await, 8);
    let series = format!(
        "/studies/{}/series/{}",
        meier.study_uid(),
        meier.series_uid()
    );
    assert_eq!(delete(series).await, StatusCode::NO_CONTENT);
    assert_eq!(count().await, 5);
    assert_eq!(
        delete(format!("/studies/{}", novak.study_uid())).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(count().await, 3);
    assert_eq!(
        delete("/studies".into()).await,
        StatusCode::METHOD_NOT_ALLOWED
    );
    let again = web.store("/studies", &[meier.file()]).await;
    assert_eq!(again.status, StatusCode::OK);
    assert_eq!(count().await, 4);
}
