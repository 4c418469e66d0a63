//! QIDO-RS: rows of each level, keys of each kind, pages that fit together.

use axum::http::StatusCode;
use serde_json::Value;

use super::{Web, images};

/// One attribute of each row, in order of its text.
fn values(rows: &Value, tag: &str) -> Vec<String> {
    let rows = rows.as_array().unwrap().iter();
    let mut values: Vec<String> = rows
        .map(|row| row[tag]["Value"][0].as_str().unwrap_or("-").to_owned())
        .collect();
    values.sort();
    values
}

#[tokio::test]
async fn rows_of_each_level_are_found() {
    let web = Web::with_images().await;
    let (study, series) = (images()[0].study_uid(), images()[0].series_uid());
    let check = async |path: &str, expect: usize| {
        let rows = web.json(path).await;
        assert_eq!(rows.as_array().unwrap().len(), expect, "{path}");
    };
    check("/studies", 2).await;
    check("/series", 3).await;
    check("/instances", 9).await;
    check(&format!("/studies/{study}/series"), 2).await;
    check(&format!("/studies/{study}/instances"), 7).await;
    check(&format!("/studies/{study}/series/{series}/instances"), 4).await;
    check(&format!("/series?StudyInstanceUID={study}"), 2).await;
    check("/studies/1.2.3/series", 0).await;
    check(&format!("/studies/1.2.3/series/{series}/instances"), 0).await;
}

#[tokio::test]
async fn keys_of_each_kind_match() {
    let web = Web::with_images().await;
    let check = async |query: &str, expect: usize| {
        let rows = web.json(&format!("/studies?{query}")).await;
        assert_eq!(rows.as_array().unwrap().len(), expect, "{query}");
    };
    let [one, other] = [images()[0].study_uid(), images()[8].study_uid()];
    check("PatientID=HN-4711-X", 1).await;
    check("00100020=HN-4711-X", 1).await;
    check("PatientName=Meier*", 1).await;
    check("PatientName=*ova*", 0).await;
    check("PatientName=*ovot*", 1).await;
    check("PatientName=zdenek&fuzzymatching=true", 1).await;
    check("StudyDate=20250101-20251231", 2).await;
    check("StudyDate=-20250311", 0).await;
    check("ModalitiesInStudy=CT", 2).await;
    check("ModalitiesInStudy=MR", 0).await;
    check(&format!("StudyInstanceUID={one}"), 1).await;
    check(&format!("StudyInstanceUID={one},{other},1.2.3"), 2).await;
    check(
        &format!("StudyInstanceUID={one}&StudyInstanceUID={other}"),
        2,
    )
    .await;
    check("PatientID=HN-4711-X&PatientSex=M", 0).await;
}

#[tokio::test]
async fn rows_have_what_is_asked_for_and_where_it_is() {
    let web = Web::with_images().await;
    let study = images()[8].study_uid();
    let rows = web
        .json(&format!("/studies?StudyInstanceUID={study}"))
        .await;
    let row = &rows[0];
    assert_eq!(
        row["00081190"]["Value"][0],
        format!("http://localhost:8080/dicom-web/studies/{study}")
    );
    assert_eq!(row["00100010"]["Value"][0]["Alphabetic"], "Novotny^Zdenek");
    assert_eq!(row["00201208"]["Value"][0], 2);
    assert_eq!(row["00080061"]["Value"][0], "CT");
    let series = web.json(&format!("/studies/{study}/series")).await;
    let url = series[0]["00081190"]["Value"][0].as_str().unwrap();
    assert!(
        url.ends_with(&format!(
            "/studies/{study}/series/{}",
            images()[8].series_uid()
        )),
        "{url}"
    );
    let check = async |query: &str, tag: &str, expect: bool| {
        let rows = web.json(&format!("/studies?{query}")).await;
        assert_eq!(rows[0].get(tag).is_some(), expect, "{tag} for {query}");
    };
    check("", "00101010", false).await;
    check("includefield=PatientAge", "00101010", true).await;
    check("includefield=00101010", "00101010", true).await;
    check("includefield=all", "00101010", true).await;
}

#[tokio::test]
async fn pages_fit_together_and_say_when_there_is_more() {
    let web = Web::with_images().await;
    let mut paged = Vec::new();
    for offset in [0, 4, 8] {
        let path = format!("/instances?limit=4&offset={offset}");
        let answer = web.get(&path, "application/dicom+json").await;
        assert_eq!(
            answer.header("warning").starts_with("299 "),
            offset < 8,
            "{path}"
        );
        paged.extend(values(&answer.json(), "00080018"));
    }
    paged.sort();
    let mut all: Vec<String> = images().iter().map(|slice| slice.instance_uid()).collect();
    all.sort();
    assert_eq!(paged, all);
    let none = web.get("/instances?offset=9", "*/*").await;
    assert_eq!(
        (none.status, none.bytes.as_slice()),
        (StatusCode::OK, &b"[]"[..])
    );
}

#[tokio::test]
async fn what_is_not_understood_is_refused() {
    let web = Web::with_images().await;
    let check = async |path: &str, accept: &str, expect: StatusCode, word: &str| {
        let answer = web.get(path, accept).await;
        assert_eq!(answer.status, expect, "{path}");
        assert_eq!(
            answer.header("content-type"),
            "application/problem+json",
            "{path}"
        );
        assert!(answer.text().contains(word), "{path}: {}", answer.text());
    };
    let bad = StatusCode::BAD_REQUEST;
    check("/studies?PatientNme=x", "*/*", bad, "PatientNme").await;
    check("/studies?limit=many", "*/*", bad, "limit").await;
    check("/studies?PatientID=%FF", "*/*", bad, "parameter 1").await;
    check(
        "/studies?fuzzymatching=perhaps",
        "*/*",
        bad,
        "fuzzymatching",
    )
    .await;
    check("/studies/Meier/series", "*/*", bad, "UID").await;
    check("/studies", "garbage", bad, "media type").await;
    check(
        "/studies",
        "application/dicom+xml",
        StatusCode::NOT_ACCEPTABLE,
        "XML",
    )
    .await;
    check("/patients", "*/*", StatusCode::NOT_FOUND, "capabilities").await;
    check(
        "/studies?accept=text/html",
        "*/*",
        StatusCode::NOT_ACCEPTABLE,
        "XML",
    )
    .await;
}
