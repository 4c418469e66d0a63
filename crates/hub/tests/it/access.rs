//! Who may call what: every route of the description times every role, and the description itself.

use arno_domain::{AnalysisId, DatasetId, PermitId, RequestId, SearchId};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::support::TestHub;

const SNAPSHOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/hub.json");

/// What a caller of each kind gets.
#[derive(Clone, Copy)]
enum Access {
    Everybody,
    Searchers,
    DataUser,
    Committee,
    Operator,
    Overseers,
    SignedIn,
}

impl Access {
    /// 401 for nobody, 403 for the wrong role, anything else when allowed.
    fn status(self, account: Option<&str>) -> Option<u16> {
        let allowed: &[&str] = match self {
            Self::Everybody => return None,
            Self::Searchers | Self::SignedIn => &["researcher", "committee", "operator"],
            Self::DataUser => &["researcher"],
            Self::Committee => &["committee"],
            Self::Operator => &["operator"],
            Self::Overseers => &["committee", "operator"],
        };
        match account {
            None => Some(401),
            Some(account) if allowed.contains(&account) => None,
            Some(_) => Some(403),
        }
    }
}

/// Method, path as described, who may call it, and a body that is well-formed.
fn table() -> Vec<(&'static str, &'static str, Access, String)> {
    let request = r#"{"title":"t","purpose":"p","datasets":[],"operations":["train"],"days":1}"#;
    let signed = format!(
        r#"{{"document":"{{}}","signer":"{}","signature":""}}"#,
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
    );
    let model = r#"{"mean":[],"sd":[],"coefficients":[]}"#;
    let yardstick = format!(
        r#"{{"source":"s","model":{model},"auc":0.5,"roc":[],"max_coefficient_difference":0}}"#
    );
    let none = String::new;
    vec![
        ("GET", "/v1/about", Access::Everybody, none()),
        ("GET", "/v1/federation", Access::Everybody, none()),
        ("GET", "/v1/datasets", Access::Everybody, none()),
        ("GET", "/v1/datasets/{id}", Access::Everybody, none()),
        ("GET", "/v1/fields", Access::Everybody, none()),
        (
            "POST",
            "/v1/cohorts/reading",
            Access::Searchers,
            r#"{"text":"sex = F","cursor":3}"#.to_owned(),
        ),
        ("GET", "/v1/cohorts/{digest}", Access::Searchers, none()),
        (
            "POST",
            "/v1/session",
            Access::Everybody,
            r#"{"account":"researcher","password":"correct horse battery"}"#.into(),
        ),
        ("GET", "/v1/session", Access::SignedIn, none()),
        (
            "POST",
            "/v1/searches",
            Access::Searchers,
            r#"{"text":"modality = CT"}"#.into(),
        ),
        ("GET", "/v1/searches", Access::Searchers, none()),
        ("GET", "/v1/searches/{id}", Access::Searchers, none()),
        ("POST", "/v1/requests", Access::DataUser, request.into()),
        ("GET", "/v1/requests", Access::Searchers, none()),
        ("GET", "/v1/requests/{id}", Access::Searchers, none()),
        (
            "POST",
            "/v1/requests/{id}/decision",
            Access::Committee,
            r#"{"refuse":{"reason":"no"}}"#.into(),
        ),
        (
            "POST",
            "/v1/permits/{id}/revocation",
            Access::Committee,
            format!(r#"{{"revocation":{signed}}}"#),
        ),
        (
            "POST",
            "/v1/analyses",
            Access::DataUser,
            r#"{"title":"t","permit":null}"#.into(),
        ),
        ("GET", "/v1/analyses", Access::Searchers, none()),
        ("GET", "/v1/analyses/{id}", Access::Searchers, none()),
        (
            "PUT",
            "/v1/analyses/{id}/yardstick",
            Access::DataUser,
            yardstick,
        ),
        (
            "POST",
            "/v1/invitations",
            Access::Operator,
            r#"{"note":"n"}"#.into(),
        ),
        ("GET", "/v1/audit", Access::Overseers, none()),
        // Last: it ends the session.
        ("DELETE", "/v1/session", Access::Everybody, none()),
    ]
}

/// The status and the body of one request, written by hand so that nothing is added to it.
async fn send(
    hub: &TestHub,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &str,
) -> (u16, String) {
    let address = hub.http_url().trim_start_matches("http://");
    let mut stream = TcpStream::connect(address.replace("localhost", "127.0.0.1"))
        .await
        .unwrap();
    let token = token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n{token}\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer
        .split_once("\r\n\r\n")
        .map(|(_, body)| body.to_owned())
        .unwrap_or_default();
    (status, body)
}

fn real_path(path: &str) -> String {
    let id = match path {
        _ if path.starts_with("/v1/datasets") => DatasetId::new().to_string(),
        _ if path.starts_with("/v1/searches") => SearchId::new().to_string(),
        _ if path.starts_with("/v1/requests") => RequestId::new().to_string(),
        _ if path.starts_with("/v1/permits") => PermitId::new().to_string(),
        _ => AnalysisId::new().to_string(),
    };
    path.replace("{id}", &id)
        .replace("{digest}", "no-such-cohort")
}

#[tokio::test]
async fn every_route_admits_whom_it_should() {
    let hub = TestHub::start().await;
    for account in [
        None,
        Some("researcher"),
        Some("committee"),
        Some("operator"),
    ] {
        let token = match account {
            Some(account) => Some(hub.token(account).await),
            None => None,
        };
        for (method, path, access, body) in table() {
            let (status, answer) =
                send(&hub, method, &real_path(path), token.as_deref(), &body).await;
            let case = format!("{account:?} {method} {path}: {status} {answer}");
            match access.status(account) {
                Some(expect) => assert_eq!(status, expect, "{case}"),
                None => assert!(
                    ![401, 403, 405, 415].contains(&status) && status < 500,
                    "{case}"
                ),
            }
            assert!(
                status < 400 || answer.contains("\"code\""),
                "an error is a problem: {case}"
            );
        }
    }
}

#[test]
fn no_route_is_missing_from_the_table() {
    let description = serde_json::to_value(arno_hub::openapi()).unwrap();
    let paths = description["paths"].as_object().unwrap();
    let methods = paths.iter().flat_map(|(path, item)| {
        item.as_object()
            .unwrap()
            .keys()
            .map(move |method| (method.to_uppercase(), path.clone()))
    });
    let mut described: Vec<_> = methods.collect();
    let mut listed: Vec<_> = table()
        .into_iter()
        .map(|(method, path, ..)| (method.to_owned(), path.to_owned()))
        .collect();
    described.sort();
    listed.sort();
    assert_eq!(described, listed);
}

#[test]
fn the_description_is_the_one_that_is_committed() {
    let found = serde_json::to_string_pretty(&arno_hub::openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(std::path::Path::new(SNAPSHOT).parent().unwrap()).unwrap();
        std::fs::write(SNAPSHOT, &found).unwrap();
    }
    let committed = std::fs::read_to_string(SNAPSHOT).unwrap_or_default();
    assert!(
        committed == found,
        "the public API changed: run with UPDATE_SNAPSHOTS=1 and look at the difference"
    );
}
