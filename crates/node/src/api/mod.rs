//! The node's API for its data manager: routes and their OpenAPI description are one list. Nothing here leaves the hospital.

mod about;
mod audit;
mod datasets;
mod disclosure;
mod ingests;
mod ohif;
mod quality;
mod quarantine;
mod review;
mod segmentations;
mod series;

use arno_httpkit::{ApiError, Auth, SignedIn, session_routes, with_web_app};
use arno_protocol::session::Role;
use axum::{
    Json, Router,
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
    routing::get,
};
use utoipa::{
    OpenApi as _,
    openapi::{InfoBuilder, OpenApi},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Node, dicomweb};

#[derive(utoipa::OpenApi)]
struct Description;

fn all_routes() -> OpenApiRouter<Node> {
    let info = InfoBuilder::new()
        .title("Arno node")
        .description(Some(
            "A hospital's node: what came in, what became of it, what was answered.",
        ))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let mut description = Description::openapi();
    description.info = info;
    OpenApiRouter::with_openapi(description)
        .routes(routes!(about::get_about))
        .routes(routes!(about::get_overview))
        .routes(routes!(ingests::list_ingests, ingests::create_ingest))
        .routes(routes!(series::list_series))
        .routes(routes!(series::get_series))
        .routes(routes!(series::get_frame))
        .routes(routes!(series::list_outlines))
        .routes(routes!(series::get_deidentification))
        .routes(routes!(quarantine::list_quarantined))
        .routes(routes!(quarantine::retry_quarantined))
        .routes(routes!(datasets::list_datasets, datasets::create_dataset))
        .routes(routes!(disclosure::get_disclosure))
        .routes(routes!(audit::list_permits))
        .routes(routes!(audit::get_audit))
        .merge(quality::quality_routes())
        .merge(review::review_routes())
        .merge(segmentations::segmentation_routes())
        .merge(session_routes())
}

/// The description of the API.
#[must_use]
pub fn openapi() -> OpenApi {
    all_routes().into_openapi()
}

/// The API, its description at `/openapi.json`, and the pages.
pub fn router(node: &Node) -> Router {
    let (router, description) = all_routes().split_for_parts();
    let description = std::sync::Arc::new(description);
    let router = router.route(
        "/openapi.json",
        get(async move || Json((*description).clone())),
    );
    let router = dicomweb::mount(router);
    let pages = with_web_app(router.with_state(node.clone()));
    ohif::with_ohif(pages, node.config().site.ohif_folder.as_deref())
}

/// The data manager, signed in; as an argument of a handler it refuses everybody else.
pub(crate) struct DataManager(pub(crate) SignedIn);

impl<S: Send + Sync> FromRequestParts<S> for DataManager
where
    Auth: FromRef<S>,
{
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let signed_in = SignedIn::from_request_parts(parts, state).await?;
        signed_in.require(&[Role::DataManager])?;
        Ok(Self(signed_in))
    }
}
