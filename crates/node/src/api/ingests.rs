//! Ingests: the runs, and beginning one over a folder below the landing folder.

use std::path::{Path, PathBuf};

use arno_httpkit::{ApiError, ApiJson, ApiResult};
use arno_protocol::{
    Problem,
    node::{IngestRun, NewIngest},
};
use axum::{Json, extract::State, http::StatusCode};

use super::DataManager;
use crate::Node;

/// Longest path that is looked at (Linux allows no more).
const MAX_PATH_BYTES: usize = 4096;

/// The newest runs.
#[utoipa::path(get, path = "/v1/ingests", tag = "ingest",
    responses((status = 200, body = Vec<IngestRun>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub(crate) async fn list_ingests(
    _: DataManager,
    State(node): State<Node>,
) -> ApiResult<Vec<IngestRun>> {
    Ok(Json(node.store().list_ingest_runs().await?))
}

/// Begins to take in a folder; how far it is stands in the overview.
#[utoipa::path(post, path = "/v1/ingests", tag = "ingest", request_body = NewIngest,
    responses((status = 202, body = IngestRun), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
pub(crate) async fn create_ingest(
    DataManager(person): DataManager,
    State(node): State<Node>,
    ApiJson(new): ApiJson<NewIngest>,
) -> Result<(StatusCode, Json<IngestRun>), ApiError> {
    let landing = node.config().site.landing.clone();
    let landing = landing.ok_or_else(|| {
        ApiError::forbidden(
            "no_landing_folder",
            "Name a landing folder in node.toml to ingest from this page.",
        )
    })?;
    let folder = tokio::task::spawn_blocking(move || below(&landing, &new.folder)).await;
    let folder = folder
        .map_err(|_| ApiError::internal("ingest_failed", "The folder could not be looked at."))??;
    let planned = node.plan_ingest(&folder, &person.account).await?;
    let run = planned.run().clone();
    tokio::spawn(async move {
        if let Err(error) = node.run_ingest(planned).await {
            tracing::error!(
                error = &error as &dyn std::error::Error,
                "an ingest ended early"
            );
        }
    });
    Ok((StatusCode::ACCEPTED, Json(run)))
}

/// A folder below the landing folder, after all links are followed. Why not is not told: it would tell what else is there.
fn below(landing: &Path, folder: &str) -> Result<PathBuf, ApiError> {
    let refused = || {
        ApiError::bad_request(
            "folder_refused",
            "This is not a folder below the landing folder.",
        )
    };
    if folder.len() > MAX_PATH_BYTES || folder.contains('\0') {
        return Err(refused());
    }
    let landing = landing.canonicalize().map_err(|_| {
        ApiError::unavailable(
            "no_landing_folder",
            "The landing folder that node.toml names cannot be found.",
        )
    })?;
    // An absolute path replaces the landing folder here, which is why the outcome is looked at.
    let folder = landing.join(folder).canonicalize().map_err(|_| refused())?;
    if folder.starts_with(&landing) && folder.is_dir() {
        Ok(folder)
    } else {
        Err(refused())
    }
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn only_folders_below_the_landing_folder_are_taken() {
        let root = tempfile::tempdir().unwrap();
        let landing = root.path().join("landing");
        std::fs::create_dir_all(landing.join("today")).unwrap();
        std::fs::create_dir_all(root.path().join("landing-of-others")).unwrap();
        std::fs::write(landing.join("file"), "x").unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink(root.path(), landing.join("out")).unwrap();
        let check = |folder: &str, expect: bool| {
            assert_eq!(below(&landing, folder).is_ok(), expect, "{folder}")
        };
        check("today", true);
        check("", true);
        check(landing.join("today").to_str().unwrap(), true);
        check("..", false);
        check("today/../..", false);
        check("out", false);
        check("file", false);
        check("none", false);
        check("/", false);
        check("a\0b", false);
        check(
            root.path().join("landing-of-others").to_str().unwrap(),
            false,
        );
    }
}
