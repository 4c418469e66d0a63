//! Every DICOMweb resource and method, tried as everybody who might ask.

use arno_node::router;
use arno_protocol::session::{Session, SignIn};
use axum::{body::Body, http::StatusCode};
use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{Answer, Web, send};
use crate::support::{
    TestNode,
    dicom::{MEIER, series},
    pinned,
};

/// Every resource and what it answers to, as `/capabilities` must have it.
const RESOURCES: [(&str, &str); 24] = [
    ("/", "GET, HEAD, OPTIONS"),
    ("/capabilities", "GET, HEAD, OPTIONS"),
    ("/instances", "GET, HEAD, OPTIONS"),
    ("/series", "GET, HEAD, OPTIONS"),
    ("/studies", "GET, HEAD, OPTIONS, POST"),
    ("/studies/{study}", "DELETE, GET, HEAD, OPTIONS, POST"),
    ("/studies/{study}/instances", "GET, HEAD, OPTIONS"),
    ("/studies/{study}/metadata", "GET, HEAD, OPTIONS"),
    ("/studies/{study}/rendered", "GET, HEAD, OPTIONS"),
    ("/studies/{study}/series", "GET, HEAD, OPTIONS"),
    (
        "/studies/{study}/series/{series}",
        "DELETE, GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}",
        "DELETE, GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{*path}",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/metadata",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/rendered",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/instances/{instance}/thumbnail",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/metadata",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/rendered",
        "GET, HEAD, OPTIONS",
    ),
    (
        "/studies/{study}/series/{series}/thumbnail",
        "GET, HEAD, OPTIONS",
    ),
    ("/studies/{study}/thumbnail", "GET, HEAD, OPTIONS"),
];

fn filled(path: &str) -> String {
    let names = [
        ("{study}", "1.2"),
        ("{series}", "1.2.3"),
        ("{instance}", "1.2.3.4"),
        ("{frames}", "1"),
        ("{*path}", "7FE00010"),
    ];
    names.iter().fold(path.to_owned(), |path, (name, value)| {
        path.replace(name, value)
    })
}

/// Tries every method of every resource; `let_in` says what must come of it.
async fn try_all(web: &Web, who: &str, headers: &[(&str, &str)], let_in: bool) {
    for (path, methods) in RESOURCES {
        for method in methods.split(", ") {
            let answer = send(&web.router, method, &filled(path), headers, Body::empty()).await;
            let stopped = matches!(
                answer.status,
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
            );
            assert_eq!(
                stopped, !let_in,
                "{method} {path} as {who}: {}",
                answer.status
            );
            assert!(
                !answer.status.is_server_error(),
                "{method} {path} as {who}: {}",
                answer.status
            );
            assert_ne!(
                answer.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            if method == "OPTIONS" && let_in {
                assert_eq!(answer.header("allow"), methods, "{path}");
            }
        }
    }
}

/// A node with an account; a member of a federation, if it is one.
async fn with_account(is_joined: bool) -> (Web, String) {
    let site = TestNode::new().await;
    site.node
        .put_account("manager", "Data Manager", "correct horse")
        .await
        .unwrap();
    if is_joined {
        let text = serde_json::to_string(&pinned()).unwrap();
        let mut tx = site.node.store().database().write().await.unwrap();
        tx.set_setting("membership", &text).await.unwrap();
        tx.commit().await.unwrap();
    }
    let web = Web::of(site);
    let token = sign_in(&web).await;
    (web, token)
}

async fn sign_in(web: &Web) -> String {
    let sign_in = SignIn {
        account: "manager".into(),
        password: "correct horse".into(),
    };
    let request = axum::http::Request::builder()
        .method("POST")
        .uri("/v1/session")
        .header("content-type", "application/json")
        .body(Body::from(serde_json::to_vec(&sign_in).unwrap()))
        .unwrap();
    let answer = tower::ServiceExt::oneshot(router(&web.site.node), request)
        .await
        .unwrap();
    let bytes = axum::body::to_bytes(answer.into_body(), 1 << 16)
        .await
        .unwrap();
    let session: Session = serde_json::from_slice(&bytes).unwrap();
    session.token.unwrap()
}

fn basic(name: &str, password: &str) -> String {
    format!(
        "Basic {}",
        BASE64_STANDARD.encode(format!("{name}:{password}"))
    )
}

const LOCAL: (&str, &str) = ("host", "localhost:8080");

#[tokio::test]
async fn the_table_is_the_list_of_resources() {
    let web = Web::new().await;
    let listed = web.get("/capabilities", "*/*").await.json();
    let found: Vec<(String, String)> = serde_json::from_value(listed["resources"].clone())
        .map(|found: std::collections::BTreeMap<String, String>| found.into_iter().collect())
        .unwrap();
    let table = RESOURCES.map(|(path, methods)| (path.to_owned(), methods.to_owned()));
    assert_eq!(found, table, "every resource stands in the table");
}

#[tokio::test]
async fn a_node_on_trial_is_open_to_programs_on_its_machine() {
    let (web, token) = with_account(false).await;
    let bearer = format!("Bearer {token}");
    try_all(&web, "a local program", &[LOCAL], true).await;
    try_all(
        &web,
        "the data manager elsewhere",
        &[("authorization", &bearer)],
        true,
    )
    .await;
    try_all(&web, "nobody", &[], false).await;
    try_all(&web, "another name", &[("host", "evil.example")], false).await;
    let foreign = [
        LOCAL,
        ("sec-fetch-site", "cross-site"),
        ("origin", "http://evil.example"),
    ];
    try_all(&web, "a foreign page", &foreign, false).await;
}

#[tokio::test]
async fn a_member_of_a_federation_is_open_to_its_data_manager() {
    let (web, token) = with_account(true).await;
    let bearer = format!("Bearer {token}");
    try_all(&web, "a local program", &[LOCAL], false).await;
    try_all(
        &web,
        "the data manager",
        &[LOCAL, ("authorization", &bearer)],
        true,
    )
    .await;
    let right = basic("manager", "correct horse");
    try_all(
        &web,
        "a program with the password",
        &[LOCAL, ("authorization", &right)],
        true,
    )
    .await;
    let forged = [LOCAL, ("authorization", "Bearer 00")];
    try_all(&web, "a forged session", &forged, false).await;
}

async fn as_program(web: &Web, authorization: &str) -> Answer {
    let headers = [LOCAL, ("authorization", authorization)];
    send(&web.router, "GET", "/studies", &headers, Body::empty()).await
}

#[tokio::test]
async fn passwords_hold_as_long_as_the_account_has_them() {
    let (web, _) = with_account(true).await;
    let check = async |authorization: &str, expect: StatusCode| {
        assert_eq!(
            as_program(&web, authorization).await.status,
            expect,
            "{authorization}"
        );
    };
    let right = basic("manager", "correct horse");
    check(&basic("manager", "wrong horse"), StatusCode::UNAUTHORIZED).await;
    check(&basic("nobody", "correct horse"), StatusCode::UNAUTHORIZED).await;
    check("Basic", StatusCode::UNAUTHORIZED).await;
    check("Basic ????", StatusCode::UNAUTHORIZED).await;
    check(&right, StatusCode::OK).await;
    check(&right, StatusCode::OK).await;
    web.site
        .node
        .put_account("manager", "Data Manager", "another horse")
        .await
        .unwrap();
    check(&right, StatusCode::UNAUTHORIZED).await;
    check(&basic("manager", "another horse"), StatusCode::OK).await;
}

#[tokio::test]
async fn programs_are_told_to_sign_in_and_browsers_are_not() {
    let (web, _) = with_account(true).await;
    let program = send(&web.router, "GET", "/studies", &[LOCAL], Body::empty()).await;
    assert!(program.header("www-authenticate").starts_with("Basic"));
    let browser = [LOCAL, ("sec-fetch-site", "same-origin")];
    let browser = send(&web.router, "GET", "/studies", &browser, Body::empty()).await;
    assert_eq!(
        (browser.status, browser.header("www-authenticate")),
        (StatusCode::UNAUTHORIZED, "")
    );
}

#[tokio::test]
async fn what_people_take_out_is_recorded_once_a_request() {
    let (web, _) = with_account(true).await;
    for slice in series(MEIER, 1, 1, 3) {
        web.site.put(&format!("{}.dcm", slice.number), slice.file());
    }
    web.site.ingest().await;
    let right = basic("manager", "correct horse");
    let headers = [LOCAL, ("authorization", right.as_str())];
    let found = send(&web.router, "GET", "/studies", &headers, Body::empty())
        .await
        .json();
    let study = found[0]["0020000D"]["Value"][0]
        .as_str()
        .unwrap()
        .to_owned();
    let before = audit(&web).await;
    for path in ["", "/metadata", "/thumbnail"] {
        let answer = send(
            &web.router,
            "GET",
            &format!("/studies/{study}{path}"),
            &headers,
            Body::empty(),
        )
        .await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
    }
    let after = audit(&web).await;
    let new = &after[..after.len() - before.len()];
    assert_eq!(
        new,
        [(
            "manager".to_owned(),
            "retrieve".to_owned(),
            format!("study {study}")
        )]
    );
}

/// Actor, action and subject of all entries, newest first.
async fn audit(web: &Web) -> Vec<(String, String, String)> {
    let log = web
        .site
        .node
        .store()
        .database()
        .audit_log(100)
        .await
        .unwrap();
    log.entries
        .into_iter()
        .map(|entry| (entry.actor, entry.action, entry.subject))
        .collect()
}
