//! The node's API: who may do what, frames and outlines as they are in the source, and no identity in any answer.

use arno_node::{SiteConfig, openapi, router};
use arno_protocol::{
    Problem,
    node::{DeidentificationPreview, IngestRun, OutlineRegion, Overview, SeriesDetail, SeriesPage},
    session::{Session, SignIn},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use serde::de::DeserializeOwned;
use tower::ServiceExt as _;

use crate::support::{
    TestNode, contains,
    dicom::{EDGE, MEIER, NOVAK, PLANTED, series},
};

pub(crate) struct Api {
    pub(crate) site: TestNode,
    router: Router,
    token: String,
}

impl Api {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// A node whose settings are changed first.
    pub(crate) async fn with(change: impl FnOnce(&mut SiteConfig)) -> Self {
        let site = TestNode::with(change).await;
        site.node
            .put_account("manager", "Data Manager", "correct horse")
            .await
            .unwrap();
        let router = router(&site.node);
        let sign_in = SignIn {
            account: "manager".into(),
            password: "correct horse".into(),
        };
        let body = serde_json::to_vec(&sign_in).unwrap();
        let (status, _, bytes) = send(&router, "POST", "/v1/session", None, &body, &[]).await;
        assert_eq!(status, StatusCode::OK);
        let session: Session = serde_json::from_slice(&bytes).unwrap();
        Self {
            site,
            router,
            token: session.token.unwrap(),
        }
    }

    /// The same after the node was opened anew.
    pub(crate) fn again(self) -> Self {
        Self {
            router: router(&self.site.node),
            ..self
        }
    }

    /// The frames that the viewer gets of a series, instance by instance.
    pub(crate) async fn frames_of(&self, uid: &str) -> Vec<Vec<u8>> {
        let detail: SeriesDetail = self.get(&format!("/v1/series/{uid}")).await;
        let mut frames = Vec::new();
        for instance in detail.instances {
            for frame in 1..=instance.frames {
                let id = &instance.instance_uid;
                let path = format!("/v1/series/{uid}/instances/{id}/frames/{frame}");
                let (status, _, bytes) = self.raw("GET", &path, b"").await;
                assert_eq!(status, StatusCode::OK);
                frames.push(bytes);
            }
        }
        frames
    }

    /// With five patients' worth of images.
    async fn with_images() -> Self {
        let api = Self::new().await;
        for slice in [series(MEIER, 1, 1, 4), series(NOVAK, 2, 1, 3)].concat() {
            api.site.put(
                &format!("{}/{}.dcm", slice.study, slice.number),
                slice.file(),
            );
        }
        api.site
            .put("1/rtstruct.dcm", series(MEIER, 1, 1, 4)[1].structure_set());
        api.site.put("note.txt", "Meierhofer was here");
        assert_eq!(api.site.ingest().await, [8, 0, 1, 0]);
        api
    }

    pub(crate) async fn raw(
        &self,
        method: &str,
        path: &str,
        body: &[u8],
    ) -> (StatusCode, HeaderMap, Vec<u8>) {
        send(&self.router, method, path, Some(&self.token), body, &[]).await
    }

    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> T {
        let (status, _, bytes) = self.raw("GET", path, b"").await;
        assert_eq!(
            status,
            StatusCode::OK,
            "{path}: {}",
            String::from_utf8_lossy(&bytes)
        );
        serde_json::from_slice(&bytes).unwrap()
    }

    pub(crate) async fn series_of(&self, modality: &str) -> Vec<String> {
        let page: SeriesPage = self.get(&format!("/v1/series?modality={modality}")).await;
        page.rows.into_iter().map(|row| row.series_uid).collect()
    }
}

async fn send(
    router: &Router,
    method: &str,
    path: &str,
    token: Option<&str>,
    body: &[u8],
    headers: &[(&str, &str)],
) -> (StatusCode, HeaderMap, Vec<u8>) {
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/json");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = router
        .clone()
        .oneshot(request.body(Body::from(body.to_vec())).unwrap())
        .await
        .unwrap();
    let (parts, body) = response.into_parts();
    (
        parts.status,
        parts.headers,
        to_bytes(body, 1 << 24).await.unwrap().to_vec(),
    )
}

#[test]
fn the_description_is_the_committed_one() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi/node.json");
    let found = serde_json::to_string_pretty(&openapi()).unwrap() + "\n";
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../openapi")).unwrap();
        std::fs::write(path, &found).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == committed,
        "openapi/node.json is not what the program says: UPDATE_SNAPSHOTS=1 cargo test -p arno-node"
    );
}

/// Every route, and whether it is for everybody.
const ROUTES: [(&str, &str, bool); 32] = [
    ("get", "/v1/about", true),
    ("post", "/v1/session", true),
    ("get", "/v1/session", false),
    ("delete", "/v1/session", true),
    ("get", "/v1/overview", false),
    ("get", "/v1/ingests", false),
    ("post", "/v1/ingests", false),
    ("get", "/v1/series", false),
    ("get", "/v1/series/{series_uid}", false),
    (
        "get",
        "/v1/series/{series_uid}/instances/{instance_uid}/frames/{frame}",
        false,
    ),
    ("get", "/v1/series/{series_uid}/outlines", false),
    ("get", "/v1/series/{series_uid}/placements", false),
    ("get", "/v1/series/{series_uid}/segmentations", false),
    ("get", "/v1/series/{series_uid}/deidentification", false),
    ("get", "/v1/quarantine", false),
    ("post", "/v1/quarantine/{id}/retry", false),
    ("get", "/v1/review", false),
    ("get", "/v1/review/{id}", false),
    ("get", "/v1/review/{id}/frames/{frame}", false),
    ("get", "/v1/review/{id}/face", false),
    ("post", "/v1/review/{id}/decision", false),
    ("get", "/v1/datasets", false),
    ("post", "/v1/datasets", false),
    ("get", "/v1/datasets/{id}/certificate", false),
    ("get", "/v1/datasets/{id}/risk", false),
    ("get", "/v1/quality", false),
    ("get", "/v1/quality/{rule}", false),
    ("get", "/v1/series/{series_uid}/quality", false),
    ("get", "/v1/disclosure", false),
    ("get", "/v1/permits", false),
    ("get", "/v1/audit", false),
    ("get", "/openapi.json", true),
];

#[tokio::test]
async fn only_the_data_manager_gets_in() {
    let api = Api::new().await;
    let described = serde_json::to_value(openapi()).unwrap();
    let mut described: Vec<(String, String)> = described["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            item.as_object()
                .unwrap()
                .keys()
                .map(|method| (method.clone(), path.clone()))
        })
        .collect();
    described.push(("get".into(), "/openapi.json".into()));
    described.sort();
    let mut listed: Vec<_> = ROUTES
        .map(|(method, path, _)| (method.to_owned(), path.to_owned()))
        .to_vec();
    listed.sort();
    assert_eq!(described, listed, "every route stands in the table");
    // Signing out ends the session, so it comes last.
    let (last, others): (Vec<_>, Vec<_>) = ROUTES
        .into_iter()
        .partition(|(method, ..)| *method == "delete");
    for (method, path, public) in others.into_iter().chain(last) {
        let filled = path
            .replace("{series_uid}", "1.2")
            .replace("{instance_uid}", "1.2.3")
            .replace("{frame}", "1")
            .replace("{rule}", "slice_gap")
            .replace("{id}", "1");
        let upper = method.to_uppercase();
        let (nobody, _, bytes) = send(&api.router, &upper, &filled, None, b"{}", &[]).await;
        let stopped = nobody == StatusCode::UNAUTHORIZED;
        assert_eq!(stopped, !public, "{method} {path} for nobody: {nobody}");
        if stopped {
            serde_json::from_slice::<Problem>(&bytes).unwrap();
        }
        let (manager, ..) = api.raw(&upper, &filled, b"{}").await;
        assert!(
            manager != StatusCode::UNAUTHORIZED
                && manager != StatusCode::FORBIDDEN
                && !manager.is_server_error(),
            "{method} {path} for the data manager: {manager}"
        );
    }
}

#[tokio::test]
async fn frames_are_the_pixels_of_the_source() {
    let api = Api::with_images().await;
    let mut found = 0;
    for uid in api.series_of("CT").await {
        let detail: SeriesDetail = api.get(&format!("/v1/series/{uid}")).await;
        let slices = if detail.instances.len() == 4 {
            series(MEIER, 1, 1, 4)
        } else {
            series(NOVAK, 2, 1, 3)
        };
        for (instance, slice) in detail.instances.iter().zip(slices) {
            assert_eq!(
                (instance.rows, instance.columns),
                (u32::from(EDGE), u32::from(EDGE))
            );
            assert_eq!(
                (
                    instance.frames,
                    instance.bits_allocated,
                    instance.pixel_signed
                ),
                (1, 16, true)
            );
            assert_eq!(instance.position_mm, Some(slice.z_mm()), "in viewing order");
            assert_eq!(
                (instance.rescale_intercept, instance.pixel_spacing_mm),
                (-1024.0, Some([2.0, 2.0]))
            );
            let path = format!(
                "/v1/series/{uid}/instances/{}/frames/1",
                instance.instance_uid
            );
            let (status, headers, bytes) = api.raw("GET", &path, b"").await;
            assert_eq!(status, StatusCode::OK);
            assert_eq!(bytes, slice.pixels());
            assert_eq!(headers["content-type"], "application/octet-stream");
            assert!(
                headers["cache-control"]
                    .to_str()
                    .unwrap()
                    .starts_with("private")
            );
            let tag = headers["etag"].to_str().unwrap();
            let again = send(
                &api.router,
                "GET",
                &path,
                Some(&api.token),
                b"",
                &[("if-none-match", tag)],
            )
            .await;
            assert_eq!((again.0, again.2.len()), (StatusCode::NOT_MODIFIED, 0));
            found += 1;
        }
    }
    assert_eq!(found, 7);
}

#[tokio::test]
async fn what_is_not_there_is_said() {
    let api = Api::with_images().await;
    let uid = api.series_of("CT").await.remove(0);
    let detail: SeriesDetail = api.get(&format!("/v1/series/{uid}")).await;
    let instance = &detail.instances[0].instance_uid;
    let check = async |path: String, expect: StatusCode| {
        assert_eq!(api.raw("GET", &path, b"").await.0, expect, "{path}");
    };
    check("/v1/series/1.2.3".into(), StatusCode::NOT_FOUND).await;
    check("/v1/series/..%2F..%2Fetc".into(), StatusCode::NOT_FOUND).await;
    check(
        format!("/v1/series/{uid}/instances/{instance}/frames/0"),
        StatusCode::NOT_FOUND,
    )
    .await;
    check(
        format!("/v1/series/{uid}/instances/{instance}/frames/2"),
        StatusCode::NOT_FOUND,
    )
    .await;
    check(
        format!("/v1/series/1.2.3/instances/{instance}/frames/1"),
        StatusCode::NOT_FOUND,
    )
    .await;
    check("/v1/series?limit=201".into(), StatusCode::BAD_REQUEST).await;
    check("/v1/series?limit=0".into(), StatusCode::BAD_REQUEST).await;
    check("/v1/series?order=name".into(), StatusCode::BAD_REQUEST).await;
    check("/v1/audit?limit=501".into(), StatusCode::BAD_REQUEST).await;
    let structures = api.series_of("RTSTRUCT").await.remove(0);
    let structure: SeriesDetail = api.get(&format!("/v1/series/{structures}")).await;
    let uid = &structure.instances[0].instance_uid;
    check(
        format!("/v1/series/{structures}/instances/{uid}/frames/1"),
        StatusCode::NOT_FOUND,
    )
    .await;
}

#[tokio::test]
async fn outlines_of_a_structure_set_are_in_pixels_of_their_slice() {
    let api = Api::with_images().await;
    let mut outlined = 0;
    let page: SeriesPage = api.get("/v1/series").await;
    for row in page.rows {
        let regions: Vec<OutlineRegion> = api
            .get(&format!("/v1/series/{}/outlines", row.series_uid))
            .await;
        assert_eq!(row.outlined, !regions.is_empty(), "{}", row.modality);
        if let Some(region) = regions.first() {
            outlined += 1;
            let detail: SeriesDetail = api.get(&format!("/v1/series/{}", row.series_uid)).await;
            assert_eq!((region.color, region.polygons.len()), ([255, 0, 0], 1));
            assert_eq!(
                region.polygons[0].instance_uid, detail.instances[1].instance_uid,
                "the second slice"
            );
            assert_eq!(
                region.polygons[0].points,
                [[0.0, 0.0], [4.0, 0.0], [4.0, 4.0], [0.0, 4.0]]
            );
        }
    }
    assert_eq!(outlined, 1);
}

#[tokio::test]
async fn nobody_is_named_in_any_answer_but_the_preview() {
    let api = Api::with_images().await;
    let dataset = br#"{"title":"All","description":"","cohort":"","licence":"by permit"}"#;
    assert_eq!(
        api.raw("POST", "/v1/datasets", dataset).await.0,
        StatusCode::CREATED
    );
    let mut paths: Vec<String> = [
        "overview",
        "ingests",
        "series",
        "quarantine",
        "datasets",
        "permits",
        "audit",
    ]
    .map(|path| format!("/v1/{path}"))
    .into();
    let page: SeriesPage = api.get("/v1/series").await;
    for row in &page.rows {
        paths.extend([
            format!("/v1/series/{}", row.series_uid),
            format!("/v1/series/{}/outlines", row.series_uid),
        ]);
    }
    assert_eq!(paths.len(), 13);
    for path in paths {
        let (status, _, bytes) = api.raw("GET", &path, b"").await;
        assert_eq!(status, StatusCode::OK, "{path}");
        for planted in PLANTED {
            assert!(!contains(&bytes, planted), "{planted} in {path}");
        }
    }
    let uid = &page.rows[0].series_uid;
    let preview: DeidentificationPreview =
        api.get(&format!("/v1/series/{uid}/deidentification")).await;
    let befores: Vec<_> = preview
        .elements
        .iter()
        .filter_map(|element| element.before.as_deref())
        .collect();
    let afters: Vec<_> = preview
        .elements
        .iter()
        .filter_map(|element| element.after.as_deref())
        .collect();
    assert!(befores.iter().any(|value| value.contains("Zuweiser")));
    assert!(
        !afters
            .iter()
            .any(|value| PLANTED.iter().any(|planted| value.contains(planted))),
        "{afters:?}"
    );
    let log: arno_protocol::catalogue::AuditLog = api.get("/v1/audit?limit=1").await;
    assert_eq!(
        (
            log.entries[0].action.as_str(),
            log.entries[0].actor.as_str()
        ),
        ("view preview", "manager")
    );
}

#[tokio::test]
async fn an_ingest_begun_by_a_page_runs_to_its_end() {
    let api = Api::new().await;
    for slice in series(MEIER, 1, 1, 3) {
        api.site
            .put(&format!("today/{}.dcm", slice.number), slice.file());
    }
    let (status, _, bytes) = api
        .raw("POST", "/v1/ingests", br#"{"folder":"today"}"#)
        .await;
    assert_eq!(
        status,
        StatusCode::ACCEPTED,
        "{}",
        String::from_utf8_lossy(&bytes)
    );
    let begun: IngestRun = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(
        (begun.source.as_str(), begun.files, begun.finished_at),
        ("today", 3, None)
    );
    let finished = loop {
        let runs: Vec<IngestRun> = api.get("/v1/ingests").await;
        if runs[0].finished_at.is_some() {
            break runs[0].clone();
        }
        tokio::task::yield_now().await;
    };
    assert_eq!((finished.stored, finished.quarantined), (3, 0));
    let overview: Overview = api.get("/v1/overview").await;
    assert_eq!(
        (
            overview.holdings.instances,
            overview.holdings.received,
            overview.ingesting
        ),
        (3, 3, None)
    );
    assert_eq!(
        api.raw("POST", "/v1/ingests", br#"{"folder":"/etc"}"#)
            .await
            .0,
        StatusCode::BAD_REQUEST
    );
}
