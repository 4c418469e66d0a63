//! What all answers share: refusals as problem details (RFC 9457), versions, ranges, and headers of bytes.

use arno_dicomweb::{
    media::MediaTypeError,
    multipart::{Boundary, Writer},
    ranges::Asked as Span,
};
use arno_httpkit::ApiError;
use arno_protocol::{Problem, problem::MEDIA_TYPE};
use arno_store::StoreError;
use axum::{
    body::Body,
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{
            ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG,
            IF_NONE_MATCH, IF_RANGE, RANGE, RETRY_AFTER, VARY, WWW_AUTHENTICATE,
        },
    },
    response::{IntoResponse, Response},
};
use sha2::{Digest as _, Sha256};

use crate::NodeError;

/// What a browser may keep for itself; it asks each time whether it is still so, since objects can be deleted.
const CACHING: &str = "private, no-cache";

/// How programs sign in (RFC 7617).
const CHALLENGE: &str = "Basic realm=\"Arno node\", charset=\"UTF-8\"";

/// When a busy or full node is worth another try.
const RETRY_SECONDS: &str = "30";

/// A request that is not answered with what it asks for.
#[derive(Debug)]
pub(super) enum WebError {
    /// As elsewhere in the node's API.
    Api(ApiError),
    /// The same, to a program that may try with a password.
    SignIn(ApiError),
    /// With a status that only this protocol has.
    Refused {
        /// The status.
        status: StatusCode,
        /// A stable word.
        code: &'static str,
        /// What to do next.
        detail: String,
    },
}

impl WebError {
    pub(super) fn refused(
        status: StatusCode,
        code: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self::Refused {
            status,
            code,
            detail: detail.into(),
        }
    }

    /// What the client accepts is not there (406).
    pub(super) fn not_acceptable(detail: impl Into<String>) -> Self {
        Self::refused(StatusCode::NOT_ACCEPTABLE, "not_acceptable", detail)
    }

    /// The kind of body is not taken (415).
    pub(super) fn unsupported(detail: impl Into<String>) -> Self {
        Self::refused(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            detail,
        )
    }

    /// Not now (503).
    pub(super) fn busy(detail: impl Into<String>) -> Self {
        Self::refused(StatusCode::SERVICE_UNAVAILABLE, "busy", detail)
    }

    pub(super) fn bad_request(code: &'static str, detail: impl Into<String>) -> Self {
        Self::Api(ApiError::bad_request(code, detail))
    }

    pub(super) fn not_found(what: &str) -> Self {
        Self::Api(ApiError::not_found(
            "not_found",
            format!("There is no such {what}."),
        ))
    }
}

impl std::fmt::Display for WebError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Api(error) | Self::SignIn(error) => error.fmt(formatter),
            Self::Refused { status, code, .. } => write!(formatter, "{status} {code}"),
        }
    }
}

impl std::error::Error for WebError {}

impl From<ApiError> for WebError {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

impl From<StoreError> for WebError {
    fn from(error: StoreError) -> Self {
        Self::Api(error.into())
    }
}

impl From<NodeError> for WebError {
    fn from(error: NodeError) -> Self {
        Self::Api(error.into())
    }
}

impl From<MediaTypeError> for WebError {
    fn from(error: MediaTypeError) -> Self {
        Self::bad_request("bad_media_type", error.to_string())
    }
}

impl IntoResponse for WebError {
    fn into_response(self) -> Response {
        let mut response = match self {
            Self::Api(error) => error.into_response(),
            Self::SignIn(error) => {
                let mut response = error.into_response();
                put(response.headers_mut(), WWW_AUTHENTICATE, CHALLENGE);
                response
            }
            Self::Refused {
                status,
                code,
                detail,
            } => problem(status, code, detail),
        };
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            let after = HeaderValue::from_static(RETRY_SECONDS);
            response.headers_mut().insert(RETRY_AFTER, after);
        }
        response
    }
}

fn problem(status: StatusCode, code: &str, detail: String) -> Response {
    let problem = Problem {
        code: code.to_owned(),
        status: status.as_u16(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        detail,
    };
    let kind = [(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))];
    (status, kind, axum::Json(problem)).into_response()
}

pub(super) async fn no_such_route() -> WebError {
    WebError::refused(
        StatusCode::NOT_FOUND,
        "no_such_route",
        "There is no such DICOMweb resource; /dicom-web/capabilities lists those that there are.",
    )
}

pub(super) async fn no_such_method() -> WebError {
    WebError::refused(
        StatusCode::METHOD_NOT_ALLOWED,
        "no_such_method",
        "This DICOMweb resource does not have this method.",
    )
}

/// The version of an answer: the same only for the same bytes.
pub(super) struct Version([u8; 32]);

impl Version {
    /// The version of what was digested.
    pub(super) fn of(digest: Sha256) -> Self {
        Self(digest.finalize().into())
    }

    /// A writer whose boundary is as lasting as the version, so that the same version is the same bytes. It is made of
    /// digests of the content, which cannot contain it but by chance.
    pub(super) fn writer(&self) -> Writer {
        let [bits @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = self.0;
        Writer::new(Boundary::from_random(u128::from_le_bytes(bits)))
    }

    fn tag(&self) -> String {
        format!("\"{}\"", arno_domain::hex::encode(&self.0))
    }

    /// 304, if the client has this version.
    pub(super) fn unless_known(&self, headers: &HeaderMap) -> Option<Response> {
        let known = text(headers, &IF_NONE_MATCH)?;
        arno_dicomweb::ranges::is_known(known, &self.tag())
            .then(|| (StatusCode::NOT_MODIFIED, self.headers()).into_response())
    }

    fn headers(&self) -> [(HeaderName, String); 3] {
        [
            (ETAG, self.tag()),
            (CACHE_CONTROL, CACHING.to_owned()),
            (VARY, "Accept".to_owned()),
        ]
    }
}

/// An answer of this kind and length; 0 bytes or more. The version goes with it where there is one.
pub(super) fn answer(
    kind: &str,
    length: Option<u64>,
    version: Option<&Version>,
    body: Body,
) -> Response {
    let mut response = ([(CONTENT_TYPE, kind)], body).into_response();
    let headers = response.headers_mut();
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
    match version {
        Some(version) => {
            for (name, value) in version.headers() {
                put(headers, name, &value);
            }
        }
        None => put(headers, CACHE_CONTROL, "no-store"),
    }
    response
}

/// Which bytes of a body of this length are asked for: all, or a part with its header, or 416.
pub(super) fn span(
    headers: &HeaderMap,
    version: &Version,
    length: u64,
) -> Result<(std::ops::Range<u64>, Option<String>), Box<Response>> {
    let range = text(headers, &RANGE);
    match Span::of(range, text(headers, &IF_RANGE), &version.tag(), length) {
        Span::All => Ok((0..length, None)),
        Span::Part(part) => {
            let note = format!("bytes {}-{}/{length}", part.start, part.end - 1);
            Ok((part, Some(note)))
        }
        Span::Beyond => {
            let mut response = problem(
                StatusCode::RANGE_NOT_SATISFIABLE,
                "no_such_range",
                format!("There are {length} bytes."),
            );
            put(
                response.headers_mut(),
                CONTENT_RANGE,
                &format!("bytes */{length}"),
            );
            Err(Box::new(response))
        }
    }
}

/// Says that the bytes are a part, or that parts can be asked for.
pub(super) fn with_span(mut response: Response, part: Option<&str>) -> Response {
    put(response.headers_mut(), ACCEPT_RANGES, "bytes");
    if let Some(part) = part {
        put(response.headers_mut(), CONTENT_RANGE, part);
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}

/// A header that is text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
