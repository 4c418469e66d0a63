//! The public API: its routes and their OpenAPI description are one list.

use arno_httpkit::{described, session_routes, with_description, with_web_app};
use axum::Router;
use utoipa::openapi::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Hub, about, analyses, audit, catalogue, cohorts, invitations, permits, requests, search,
};

fn routes() -> OpenApiRouter<Hub> {
    described(
        "Arno hub",
        "The central service of a federation of hospitals.",
    )
    .routes(routes!(about::get_about))
    .routes(routes!(catalogue::get_federation))
    .routes(routes!(catalogue::list_datasets))
    .routes(routes!(catalogue::get_dataset))
    .routes(routes!(catalogue::list_fields))
    .routes(routes!(search::create_search, search::list_searches))
    .routes(routes!(search::get_search))
    .routes(routes!(cohorts::read_cohort))
    .routes(routes!(cohorts::get_cohort))
    .routes(routes!(requests::create_request, requests::list_requests))
    .routes(routes!(requests::get_request))
    .routes(routes!(requests::decide_request))
    .routes(routes!(permits::revoke_permit))
    .routes(routes!(analyses::create_analysis, analyses::list_analyses))
    .routes(routes!(analyses::get_analysis))
    .routes(routes!(analyses::put_yardstick))
    .routes(routes!(invitations::create_invitation))
    .routes(routes!(audit::get_audit))
    .merge(session_routes())
}

/// The description of the public API.
#[must_use]
pub fn openapi() -> OpenApi {
    routes().into_openapi()
}

/// The public API, its description at `/openapi.json`, and the pages.
pub(crate) fn router(hub: &Hub) -> Router {
    with_web_app(with_description(routes()).with_state(hub.clone()))
}
