//! DICOMweb at its boundary (PS3.18 chapter 10): requests as clients send them, against a node of its own each.

mod access;
mod finding;
mod retrieving;
mod storing;

use arno_dicomweb::{
    media::MediaType,
    multipart::{Boundary, Event, Limits, Reader},
};
use arno_node::{RecipeName, router};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde_json::Value;
use tower::ServiceExt as _;

use crate::support::{
    TestNode,
    dicom::{MEIER, NOVAK, Slice, series},
};

/// How programs on this machine name it.
pub(crate) const LOCAL: [(&str, &str); 1] = [("host", "localhost:8080")];

/// A node on trial and its routes.
struct Web {
    site: TestNode,
    router: Router,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    bytes: Vec<u8>,
}

impl Web {
    /// A node that keeps what it gets as it is.
    async fn new() -> Self {
        Self::of(TestNode::with(|site| site.recipe = RecipeName::None).await)
    }

    fn of(site: TestNode) -> Self {
        let router = router(&site.node);
        Self { site, router }
    }

    /// With two patients: a study of two series of 4 and 3 slices, and one of 2.
    async fn with_images() -> Self {
        let web = Self::new().await;
        let files: Vec<_> = images().iter().map(Slice::file).collect();
        let stored = web.store("/studies", &files).await;
        assert_eq!(stored.status, StatusCode::OK, "{}", stored.text());
        web
    }

    /// A request as a program on this machine sends it.
    async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        send(
            &self.router,
            method,
            path,
            &[&LOCAL, headers].concat(),
            body,
        )
        .await
    }

    async fn get(&self, path: &str, accept: &str) -> Answer {
        self.send("GET", path, &[("accept", accept)], Body::empty())
            .await
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path, "application/dicom+json").await;
        assert_eq!(answer.status, StatusCode::OK, "{path}: {}", answer.text());
        assert_eq!(answer.header("content-type"), "application/dicom+json");
        answer.json()
    }

    async fn store(&self, path: &str, files: &[Vec<u8>]) -> Answer {
        let kind = r#"multipart/related; type="application/dicom"; boundary=b"#;
        let body = Body::from(multipart(files, "application/dicom"));
        self.send("POST", path, &[("content-type", kind)], body)
            .await
    }
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes)
            .chars()
            .take(500)
            .collect()
    }

    fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    /// Content types and bodies of the parts.
    fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let kind = MediaType::parse(self.header("content-type")).unwrap();
        assert_eq!(kind.essence, "multipart/related", "{}", self.text());
        let boundary = Boundary::parse(kind.parameter("boundary").unwrap()).unwrap();
        let limits = Limits {
            parts: 100,
            header_bytes: 1000,
            part_bytes: 1 << 24,
        };
        let mut reader = Reader::new(&boundary, limits);
        reader.feed(self.bytes.clone().into());
        let mut parts: Vec<(String, Vec<u8>)> = Vec::new();
        while let Some(event) = reader.next_event().unwrap() {
            match event {
                Event::Part(headers) => {
                    let kind = headers.get("content-type").unwrap_or_default();
                    parts.push((kind.to_owned(), Vec::new()));
                }
                Event::Body(bytes) => parts.last_mut().unwrap().1.extend_from_slice(&bytes),
                Event::PartEnd | Event::End => {}
            }
        }
        reader.finish().unwrap();
        parts
    }
}

pub(crate) async fn send(
    router: &Router,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(format!("/dicom-web{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).unwrap();
    let (parts, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    Answer {
        status: parts.status,
        headers: parts.headers,
        bytes: to_bytes(body, 1 << 26).await.unwrap().to_vec(),
    }
}

/// A body with the boundary `b`.
fn multipart(files: &[Vec<u8>], kind: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for file in files {
        body.extend_from_slice(format!("--b\r\nContent-Type: {kind}\r\n\r\n").as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--b--\r\n");
    body
}

fn images() -> Vec<Slice> {
    [
        series(MEIER, 1, 1, 4),
        series(MEIER, 1, 2, 3),
        series(NOVAK, 2, 1, 2),
    ]
    .concat()
}

/// Where an instance is, at a node that keeps it as it came.
fn path_of(slice: &Slice) -> String {
    format!(
        "/studies/{}/series/{}/instances/{}",
        slice.study_uid(),
        slice.series_uid(),
        slice.instance_uid()
    )
}
