//! The embedded web app, security headers, and what is asked of every request to the public API.

use axum::{
    Router,
    body::Body,
    extract::{DefaultBodyLimit, Request},
    http::{
        HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, ORIGIN, REFERRER_POLICY,
            X_CONTENT_TYPE_OPTIONS,
        },
    },
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use include_dir::{Dir, include_dir};

use crate::ApiError;

static APP: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../web/dist");

/// Nothing but this program's own files and answers; no inline script or style, no eval, no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Largest body of the public API: texts and small documents.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// Adds the pages to an API, and the checks and headers that all of it shares.
pub fn with_web_app(router: Router) -> Router {
    router
        .fallback(page)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(from_fn(refuse_other_origins))
        .layer(from_fn(add_security_headers))
}

/// A file of the app; any other path is a place in the app, which finds its own way.
async fn page(request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/');
    if path.starts_with("v1/") {
        return ApiError::not_found("no_such_route", "There is nothing at this address.")
            .into_response();
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    match APP.get_file(path) {
        Some(file) if path != "index.html" => asset(path, file.contents()),
        _ if path.starts_with("assets/") => StatusCode::NOT_FOUND.into_response(),
        _ => index(),
    }
}

fn asset(path: &str, contents: &'static [u8]) -> Response {
    // Names under assets/ carry a hash of the content.
    let cache = if path.starts_with("assets/") {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    (
        [(CONTENT_TYPE, media_type(path)), (CACHE_CONTROL, cache)],
        contents,
    )
        .into_response()
}

fn index() -> Response {
    let contents = APP
        .get_file("index.html")
        .map_or(&b""[..], |file| file.contents());
    (
        [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-cache"),
        ],
        contents,
    )
        .into_response()
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        Some("json" | "webmanifest") => "application/json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// A page of another site, or of another port of this host, must not act in a signed-in person's name.
async fn refuse_other_origins(request: Request, next: Next) -> Response {
    let safe = matches!(
        *request.method(),
        Method::GET | Method::HEAD | Method::OPTIONS
    );
    if safe || same_origin(&request) {
        return next.run(request).await;
    }
    ApiError::forbidden(
        "other_origin",
        "This request comes from a page of another origin.",
    )
    .into_response()
}

fn same_origin(request: &Request<Body>) -> bool {
    let header = |name| {
        request
            .headers()
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    match (header(ORIGIN), header(HOST)) {
        // Programs send no origin.
        (None, _) => true,
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, rest)| rest == host),
        (Some(_), None) => false,
    }
}

async fn add_security_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "cross-origin-resource-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers
        .entry(CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::Body,
        http::{Request, StatusCode},
        routing::post,
    };
    use tower::ServiceExt as _;

    use super::with_web_app;

    async fn check(method: &str, path: &str, origin: Option<&str>, expect: StatusCode) {
        let app = with_web_app(Router::new().route("/v1/things", post(|| async { "done" })));
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "localhost:8080");
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let response = app
            .oneshot(request.body(Body::empty()).unwrap())
            .await
            .unwrap();
        assert_eq!(response.status(), expect, "{method} {path} from {origin:?}");
        assert!(response.headers().contains_key("content-security-policy"));
    }

    #[tokio::test]
    async fn pages_are_found_and_unknown_addresses_are_said() {
        check("GET", "/", None, StatusCode::OK).await;
        check("GET", "/datasets/dataset_1", None, StatusCode::OK).await;
        check("GET", "/assets/none.js", None, StatusCode::NOT_FOUND).await;
        check("GET", "/v1/none", None, StatusCode::NOT_FOUND).await;
        check("POST", "/", None, StatusCode::METHOD_NOT_ALLOWED).await;
    }

    #[tokio::test]
    async fn another_origin_cannot_act() {
        check("POST", "/v1/things", None, StatusCode::OK).await;
        check(
            "POST",
            "/v1/things",
            Some("http://localhost:8080"),
            StatusCode::OK,
        )
        .await;
        check(
            "POST",
            "/v1/things",
            Some("http://localhost:8081"),
            StatusCode::FORBIDDEN,
        )
        .await;
        check(
            "POST",
            "/v1/things",
            Some("https://evil.example"),
            StatusCode::FORBIDDEN,
        )
        .await;
        check("POST", "/v1/things", Some("null"), StatusCode::FORBIDDEN).await;
    }
}
