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

use arno_httpkit::{
    ApiError, Auth, SignedIn, described, session_routes, with_description, with_web_app,
};
use arno_protocol::session::Role;
use axum::{
    Router,
    extract::{FromRef, FromRequestParts},
    http::request::Parts,
};
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{Node, dicomweb};

fn all_routes() -> OpenApiRouter<Node> {
    described(
        "Arno node",
        "A hospital's node: what came in, what became of it, what was answered.",
    )
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
    let router = dicomweb::mount(with_description(all_routes()));
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
