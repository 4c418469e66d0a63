//! A viewer that the operator supplies: the built files of OHIF, from a folder, below `/ohif/`.
//!
//! Only files of that folder are read, whatever an address or a link in it says. OHIF gets a policy of its own, since it
//! cannot run under that of the pages: its decoders are WebAssembly, whose bindings are compiled from text at run time
//! (`unsafe-eval`), it starts workers from blobs, and it styles elements inline. Its inline scripts are allowed one by
//! one, by their hash. Not here: DICOMweb, which it talks to like anybody, and sign-in, which that asks for.

use std::{
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
            REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
        },
    },
    response::{IntoResponse as _, Redirect, Response},
    routing::any,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};

/// The largest file that is served: OHIF's largest module has 20 MB.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Inline scripts of the start page that are allowed; OHIF has two.
const MAX_INLINE_SCRIPTS: usize = 16;

/// Everything but inline scripts. `unsafe-inline` holds for styles alone.
const POLICY: &str = "default-src 'none'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; \
    font-src 'self' data:; connect-src 'self' blob: data:; worker-src 'self' blob:; manifest-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src 'self' 'unsafe-eval' blob:";

/// Adds the viewer to the pages, if there is a folder. It stands beside them: their layers do not touch it.
pub(crate) fn with_ohif(pages: Router, folder: Option<&Path>) -> Router {
    let Some(folder) = folder else { return pages };
    let folder: Arc<Path> = folder.into();
    // Relative addresses of the start page need the slash.
    let start = any(|| async { Redirect::permanent("/ohif/") });
    let files = Router::new()
        .route("/ohif/", any(get_file))
        .route("/ohif/{*path}", any(get_file))
        .with_state(folder);
    pages.route("/ohif", start).merge(files)
}

async fn get_file(State(folder): State<Arc<Path>>, request: Request) -> Response {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let known = request.headers().get(IF_NONE_MATCH).cloned();
    let wanted = request.uri().path().trim_start_matches("/ohif/").to_owned();
    let found = tokio::task::spawn_blocking(move || File::find(&folder, &wanted)).await;
    match found {
        Ok(Some(file)) => file.into_response(known.as_ref()),
        Ok(None) => (StatusCode::NOT_FOUND, headers(POLICY)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A file of the folder.
struct File {
    name: PathBuf,
    tag: String,
    bytes: Vec<u8>,
}

impl File {
    /// The file of an address, or the start page for one that is a place within OHIF.
    fn find(folder: &Path, wanted: &str) -> Option<Self> {
        let root = folder.canonicalize().ok()?;
        let name = file_name(wanted)?;
        let is_place = name.extension().is_none();
        let read = |name: &Path| Self::read(&root, name);
        read(&name).or_else(|| is_place.then(|| read(Path::new("index.html")))?)
    }

    fn read(root: &Path, name: &Path) -> Option<Self> {
        // What a link leads to must lie in the folder too.
        let path = root.join(name).canonicalize().ok()?;
        let about = path.starts_with(root).then(|| path.metadata())?.ok()?;
        if !about.is_file() || about.len() > MAX_FILE_BYTES {
            return None;
        }
        let changed = about.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
        Some(Self {
            name: name.to_owned(),
            tag: format!("W/\"{}-{}\"", about.len(), changed.as_millis()),
            bytes: std::fs::read(path).ok()?,
        })
    }

    fn into_response(self, known: Option<&HeaderValue>) -> Response {
        let is_page = self.name.extension().is_some_and(|ending| ending == "html");
        let policy = if is_page {
            policy_of(&self.bytes)
        } else {
            POLICY.to_owned()
        };
        let tag = [(ETAG, self.tag.clone())];
        if known.is_some_and(|known| known.as_bytes() == self.tag.as_bytes()) {
            return (StatusCode::NOT_MODIFIED, headers(&policy), tag).into_response();
        }
        let kind = [(CONTENT_TYPE, media_type(&self.name))];
        (headers(&policy), tag, kind, self.bytes).into_response()
    }
}

/// A relative path of plain names; nothing for anything else. Names of built files need no percent signs.
fn file_name(wanted: &str) -> Option<PathBuf> {
    let plain = !wanted.contains(['\\', '%', ':', '\0']);
    let path = Path::new(if wanted.is_empty() {
        "index.html"
    } else {
        wanted
    });
    let below = path
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (plain && below).then(|| path.to_owned())
}

/// The policy with the hashes of a page's own inline scripts (CSP level 3, section 2.3.1).
fn policy_of(page: &[u8]) -> String {
    let text = String::from_utf8_lossy(page);
    let hashes = inline_scripts(&text).map(|script| {
        let digest = BASE64_STANDARD.encode(Sha256::digest(script));
        format!(" 'sha256-{digest}'")
    });
    hashes
        .take(MAX_INLINE_SCRIPTS)
        .fold(POLICY.to_owned(), |policy, hash| policy + &hash)
}

fn inline_scripts(page: &str) -> impl Iterator<Item = &str> {
    page.split("<script").skip(1).filter_map(|rest| {
        let (attributes, rest) = rest.split_once('>')?;
        let (script, _) = rest.split_once("</script>")?;
        (!attributes.contains("src=") && !script.is_empty()).then_some(script)
    })
}

/// OHIF's volumes use shared memory, which browsers allow to isolated pages alone.
fn headers(policy: &str) -> HeaderMap {
    let fixed = [
        (CACHE_CONTROL, "no-cache"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-embedder-policy"),
            "require-corp",
        ),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
    ];
    let mut headers: HeaderMap = fixed
        .into_iter()
        .map(|(name, value)| (name, HeaderValue::from_static(value)))
        .collect();
    if let Ok(policy) = HeaderValue::from_str(policy) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers
}

fn media_type(name: &Path) -> &'static str {
    match name.extension().and_then(|ending| ending.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map" | "webmanifest") => "application/json",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use axum::{
        Router,
        body::{Body, to_bytes},
        http::{Request, StatusCode, header::CONTENT_SECURITY_POLICY},
    };
    use tower::ServiceExt as _;

    use super::with_ohif;

    async fn get(app: &Router, address: &str) -> (StatusCode, String, String) {
        let request = Request::get(address).body(Body::empty()).unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        let policy = response.headers().get(CONTENT_SECURITY_POLICY);
        let policy = policy.map_or(String::new(), |value| value.to_str().unwrap().to_owned());
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, policy, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test]
    async fn only_files_of_the_folder_are_served() {
        let base = tempfile::tempdir().unwrap();
        std::fs::write(base.path().join("secret.txt"), "secret").unwrap();
        let folder = base.path().join("ohif");
        std::fs::create_dir_all(folder.join("assets")).unwrap();
        let page = "<script>window.x = 1;</script><script src=\"/ohif/app.js\"></script>start";
        std::fs::write(folder.join("index.html"), page).unwrap();
        std::fs::write(folder.join("assets/app.js"), "code").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(base.path().join("secret.txt"), folder.join("link.txt"))
            .unwrap();
        let app = with_ohif(Router::new(), Some(&folder));
        let check = async |address: &str, status: StatusCode, body: &str| {
            let (found, policy, text) = get(&app, address).await;
            assert_eq!((found, text.as_str()), (status, body), "{address}");
            assert!(policy.contains("'unsafe-eval'"), "{address}: {policy}");
            assert!(!policy.contains("script-src 'self' 'unsafe-inline'"));
        };
        check("/ohif/", StatusCode::OK, page).await;
        check("/ohif/assets/app.js", StatusCode::OK, "code").await;
        check("/ohif/viewer?StudyInstanceUIDs=1.2.3", StatusCode::OK, page).await;
        check("/ohif/none.js", StatusCode::NOT_FOUND, "").await;
        for address in [
            "/ohif/../secret.txt",
            "/ohif/assets/../../secret.txt",
            "/ohif/%2e%2e/secret.txt",
            "/ohif/..%2fsecret.txt",
            "/ohif/..\\secret.txt",
            "/ohif//etc/passwd",
            "/ohif/link.txt",
        ] {
            let (status, _, body) = get(&app, address).await;
            assert!(!body.contains("secret"), "{address}");
            assert!(
                status != StatusCode::OK || body == page,
                "{address}: {status}"
            );
        }
        let (_, policy, _) = get(&app, "/ohif/").await;
        // Of `window.x = 1;`, by another program.
        assert!(
            policy.ends_with(" 'sha256-U1BU0BfAhaBREBgsEDDctSYokOF3U7hQUIj6mrtukfw='"),
            "{policy}"
        );
    }

    #[tokio::test]
    async fn there_is_no_viewer_without_a_folder() {
        let (status, ..) = get(&with_ohif(Router::new(), None), "/ohif/").await;
        assert_eq!(status, StatusCode::NOT_FOUND);
    }
}
