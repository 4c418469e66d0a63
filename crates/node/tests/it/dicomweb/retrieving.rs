//! WADO-RS: instances, metadata, bulk data, frames and pictures, whole, in parts, and as the client accepts them.

use axum::{body::Body, http::StatusCode};
use serde_json::Value;

use super::{Web, images, path_of};
use crate::support::dicom::{EDGE, MEIER, Slice, series};

const ANY: &str = r#"multipart/related; type="application/dicom"; transfer-syntax=*"#;
const ALONE: &str = "application/dicom; transfer-syntax=*";
const BYTES: &str = r#"multipart/related; type="application/octet-stream""#;

#[tokio::test]
async fn instances_come_as_they_were_sent() {
    let web = Web::with_images().await;
    let all = images();
    let study = format!("/studies/{}", all[0].study_uid());
    let series = format!("{study}/series/{}", all[0].series_uid());
    for (path, slices) in [
        (study, &all[..7]),
        (series, &all[..4]),
        (path_of(&all[8]), &all[8..]),
    ] {
        let answer = web.get(&path, ANY).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert!(!answer.headers.contains_key("content-encoding"));
        let mut parts = answer.parts();
        assert!(
            parts
                .iter()
                .all(|(kind, _)| kind == "application/dicom; transfer-syntax=1.2.840.10008.1.2.1")
        );
        let mut expect: Vec<_> = slices.iter().map(Slice::file).collect();
        parts.sort_by(|one, other| one.1.cmp(&other.1));
        expect.sort();
        assert!(
            parts.into_iter().map(|(_, bytes)| bytes).eq(expect),
            "{path}"
        );
    }
    let alone = web.get(&path_of(&all[0]), ALONE).await;
    assert_eq!(alone.bytes, all[0].file());
}

#[tokio::test]
async fn a_version_that_is_known_is_not_sent_again() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let instance = path_of(&slice);
    let study = format!("/studies/{}", slice.study_uid());
    for (path, accept) in [
        (instance.clone(), ANY),
        (instance.clone(), ALONE),
        (study.clone(), ANY),
        (format!("{study}/metadata"), "*/*"),
        (format!("{instance}/frames/1"), BYTES),
        (format!("{instance}/bulkdata/7FE00010"), BYTES),
        (format!("{instance}/rendered"), "image/png"),
    ] {
        let first = web.get(&path, accept).await;
        let tag = first.header("etag").to_owned();
        assert!(tag.starts_with('"') && tag.len() > 32, "{path}: {tag}");
        assert!(
            first.header("cache-control").starts_with("private"),
            "{path}"
        );
        let again = web.get(&path, accept).await;
        assert_eq!(
            again.bytes, first.bytes,
            "{path}: the same version is the same bytes"
        );
        let known = [("accept", accept), ("if-none-match", tag.as_str())];
        let known = web.send("GET", &path, &known, Body::empty()).await;
        assert_eq!(
            (known.status, known.bytes.len()),
            (StatusCode::NOT_MODIFIED, 0),
            "{path}"
        );
        let head = web
            .send("HEAD", &path, &[("accept", accept)], Body::empty())
            .await;
        assert_eq!(
            (head.status, head.bytes.len()),
            (StatusCode::OK, 0),
            "{path}"
        );
        assert_eq!(head.header("etag"), tag, "{path}");
    }
}

#[tokio::test]
async fn parts_of_single_bodies_can_be_asked_for() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let (path, file) = (path_of(&slice), slice.file());
    let ask = async |path: &str, accept: &str, range: &str| {
        let headers = [("accept", accept), ("range", range)];
        web.send("GET", path, &headers, Body::empty()).await
    };
    let part = ask(&path, ALONE, "bytes=128-131").await;
    assert_eq!(
        (part.status, part.bytes.as_slice()),
        (StatusCode::PARTIAL_CONTENT, &b"DICM"[..])
    );
    assert_eq!(
        part.header("content-range"),
        format!("bytes 128-131/{}", file.len())
    );
    let tail = ask(&path, ALONE, "bytes=-10").await;
    assert_eq!(tail.bytes, file[file.len() - 10..]);
    let beyond = ask(&path, ALONE, "bytes=99999999-").await;
    assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let whole = ask(&path, ANY, "bytes=0-3").await;
    assert_eq!(whole.status, StatusCode::OK, "ranges are for single bodies");
    let bulk = format!("{path}/bulkdata/7FE00010");
    let bulk = ask(&bulk, "application/octet-stream", "bytes=2-5").await;
    assert_eq!(
        (bulk.status, bulk.bytes),
        (StatusCode::PARTIAL_CONTENT, slice.pixels()[2..6].to_vec())
    );
}

#[tokio::test]
async fn metadata_points_at_its_bulk_data() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let study = format!("/studies/{}", slice.study_uid());
    for (path, expect) in [
        (study.clone(), 7),
        (format!("{study}/series/{}", slice.series_uid()), 4),
        (path_of(&slice), 1),
    ] {
        let metadata = web.json(&format!("{path}/metadata")).await;
        assert_eq!(metadata.as_array().unwrap().len(), expect, "{path}");
    }
    let metadata = web.json(&format!("{}/metadata", path_of(&slice))).await;
    assert_eq!(metadata[0]["00080018"]["Value"][0], slice.instance_uid());
    let url = metadata[0]["7FE00010"]["BulkDataURI"].as_str().unwrap();
    let path = url.strip_prefix("http://localhost:8080/dicom-web").unwrap();
    let [part] = &web.get(path, BYTES).await.parts()[..] else {
        panic!("not one part");
    };
    assert_eq!(part.1, slice.pixels());
    let alone = web.get(path, "application/octet-stream").await;
    assert_eq!(alone.bytes, slice.pixels());
    for wrong in ["7FE00011", "00100010/1/00100020", "nonsense", "7FE00010/1"] {
        let answer = web
            .get(&format!("{}/bulkdata/{wrong}", path_of(&slice)), "*/*")
            .await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}

#[tokio::test]
async fn frames_are_the_pixels() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let path = format!("{}/frames", path_of(&slice));
    let frame = |kind: &str| (kind.to_owned(), slice.pixels());
    let native = "application/octet-stream";
    assert_eq!(
        web.get(&format!("{path}/1"), BYTES).await.parts(),
        [frame(native)]
    );
    assert_eq!(
        web.get(&format!("{path}/1,1"), "*/*").await.parts(),
        [frame(native), frame(native)]
    );
    assert_eq!(
        web.get(&format!("{path}/1"), native).await.bytes,
        slice.pixels()
    );
    let check = async |list: &str, accept: &str, expect: StatusCode| {
        let answer = web.get(&format!("{path}/{list}"), accept).await;
        assert_eq!(answer.status, expect, "{list} as {accept}");
    };
    check("2", "*/*", StatusCode::NOT_FOUND).await;
    check("0", "*/*", StatusCode::BAD_REQUEST).await;
    check("1,x", "*/*", StatusCode::BAD_REQUEST).await;
    check("1,1", native, StatusCode::NOT_ACCEPTABLE).await;
    check("1", "image/jpeg", StatusCode::NOT_ACCEPTABLE).await;
}

/// The slice in RLE (PS3.5 annex G): two segments of literal runs, upper bytes first.
fn in_rle(slice: &Slice) -> Vec<u8> {
    let mut file = slice.file();
    let native = b"1.2.840.10008.1.2.1\0";
    let at = file
        .windows(native.len())
        .position(|window| window == native)
        .unwrap();
    file[at..at + native.len()].copy_from_slice(b"1.2.840.10008.1.2.5\0");
    file.truncate(file.len() - slice.pixels().len() - 12);
    file.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 255, 255, 255, 255]);
    let item = |value: &[u8]| {
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        [&[0xFE, 0xFF, 0x00, 0xE0][..], &length, value].concat()
    };
    file.extend(item(&[]));
    file.extend(item(&rle_frame(slice)));
    file.extend_from_slice(&[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
    file
}

fn rle_frame(slice: &Slice) -> Vec<u8> {
    let pixels = slice.pixels();
    let segment = |byte: usize| -> Vec<u8> {
        let bytes: Vec<u8> = pixels.iter().skip(byte).step_by(2).copied().collect();
        bytes
            .chunks(128)
            .flat_map(|run| [&[u8::try_from(run.len() - 1).unwrap()], run].concat())
            .collect()
    };
    let (upper, lower) = (segment(1), segment(0));
    let mut header = [2_u32; 16];
    header[1] = 64;
    header[2] = 64 + u32::try_from(upper.len()).unwrap();
    header[3..].fill(0);
    let header: Vec<u8> = header.iter().flat_map(|word| word.to_le_bytes()).collect();
    [header, upper, lower].concat()
}

#[tokio::test]
async fn compressed_instances_come_as_the_client_accepts_them() {
    let web = Web::new().await;
    let slice = series(MEIER, 1, 1, 1)[0];
    let file = in_rle(&slice);
    assert_eq!(
        web.store("/studies", std::slice::from_ref(&file))
            .await
            .status,
        StatusCode::OK
    );
    let path = path_of(&slice);
    assert_eq!(web.get(&path, ALONE).await.bytes, file, "as it is stored");
    let native = web.get(&path, "application/dicom").await;
    assert_eq!(
        native.header("content-type"),
        "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"
    );
    assert!(native.bytes.ends_with(&slice.pixels()), "decoded");
    let refused = web
        .get(
            &path,
            "application/dicom; transfer-syntax=1.2.840.10008.1.2.4.70",
        )
        .await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    assert!(
        refused.text().contains("1.2.840.10008.1.2.5"),
        "{}",
        refused.text()
    );
    let frame = format!("{path}/frames/1");
    assert_eq!(
        web.get(&frame, BYTES).await.parts(),
        [("application/octet-stream".to_owned(), slice.pixels())]
    );
    let stored = (
        "image/dicom-rle; transfer-syntax=1.2.840.10008.1.2.5".to_owned(),
        rle_frame(&slice),
    );
    assert_eq!(web.get(&frame, "*/*").await.parts(), [stored]);
}

/// Width and height of a PNG (its first chunk, RFC 2083 section 4.1.1).
fn png_size(bytes: &[u8]) -> (u32, u32) {
    assert_eq!(&bytes[..8], b"\x89PNG\r\n\x1a\n");
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
    (number(16), number(20))
}

#[tokio::test]
async fn pictures_are_jpeg_or_png_in_the_size_that_is_asked_for() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let (path, edge) = (path_of(&slice), u32::from(EDGE));
    let study = format!("/studies/{}", slice.study_uid());
    let jpeg = web.get(&format!("{path}/rendered"), "image/jpeg").await;
    assert_eq!(
        (jpeg.header("content-type"), &jpeg.bytes[..2]),
        ("image/jpeg", &[0xFF, 0xD8][..])
    );
    for (path, expect) in [
        (format!("{path}/rendered"), edge),
        (
            format!("{path}/frames/1/rendered?viewport=8,8&window=40,400,linear"),
            8,
        ),
        (format!("{path}/thumbnail?viewport=5,100"), 5),
        (format!("{path}/frames/1/thumbnail"), 128),
        (format!("{study}/thumbnail"), 128),
        (
            format!("{study}/series/{}/thumbnail", slice.series_uid()),
            128,
        ),
    ] {
        let png = web.get(&path, "image/png").await;
        assert_eq!(png.status, StatusCode::OK, "{path}: {}", png.text());
        assert_eq!(png_size(&png.bytes), (expect, expect), "{path}");
    }
    let check = async |path: String, accept: &str, expect: StatusCode| {
        assert_eq!(web.get(&path, accept).await.status, expect, "{path}");
    };
    let bad = StatusCode::BAD_REQUEST;
    check(format!("{path}/rendered?annotation=patient"), "*/*", bad).await;
    check(format!("{path}/rendered?window=wide"), "*/*", bad).await;
    check(
        format!("{path}/rendered?viewport=8,8,99,99,1,1"),
        "*/*",
        bad,
    )
    .await;
    check(
        format!("{path}/frames/2/rendered"),
        "*/*",
        StatusCode::NOT_FOUND,
    )
    .await;
    check(
        format!("{path}/rendered"),
        "image/gif",
        StatusCode::NOT_ACCEPTABLE,
    )
    .await;
    check(
        format!("{path}/frames/1,1/rendered"),
        "*/*",
        StatusCode::NOT_ACCEPTABLE,
    )
    .await;
    check(
        format!("{study}/rendered"),
        "*/*",
        StatusCode::NOT_ACCEPTABLE,
    )
    .await;
}

#[tokio::test]
async fn what_has_no_pixels_is_served_but_not_shown() {
    let web = Web::new().await;
    let file = series(MEIER, 1, 1, 2)[1].structure_set();
    let stored = web
        .store("/studies", std::slice::from_ref(&file))
        .await
        .json();
    let url = stored["00081199"]["Value"][0]["00081190"]["Value"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let path = url.split_once("/dicom-web").unwrap().1;
    assert_eq!(web.get(path, ALONE).await.bytes, file);
    let metadata = web.json(&format!("{path}/metadata")).await;
    assert!(matches!(metadata[0]["30060020"]["Value"], Value::Array(_)));
    for shown in ["frames/1", "rendered", "thumbnail"] {
        let answer = web.get(&format!("{path}/{shown}"), "*/*").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{shown}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let web = Web::with_images().await;
    let slice = images()[0];
    let check = async |path: String, expect: StatusCode| {
        let answer = web.get(&path, "*/*").await;
        assert_eq!(answer.status, expect, "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
    };
    let missing = StatusCode::NOT_FOUND;
    check("/studies/1.2.3".into(), missing).await;
    check("/studies/1.2.3/metadata".into(), missing).await;
    check(
        format!("/studies/{}/series/1.2.3", slice.study_uid()),
        missing,
    )
    .await;
    check(
        format!("/studies/1.2.3/series/{}", slice.series_uid()),
        missing,
    )
    .await;
    check(format!("/studies/{}/nothing", slice.study_uid()), missing).await;
    let other = images()[8].study_uid();
    let elsewhere = path_of(&slice).replacen(&slice.study_uid(), &other, 1);
    check(elsewhere, missing).await;
    check(
        "/studies/..%2F..%2Fetc/metadata".into(),
        StatusCode::BAD_REQUEST,
    )
    .await;
    check(
        format!("{}?window=1,2", path_of(&slice)),
        StatusCode::BAD_REQUEST,
    )
    .await;
}
