//! The public API: its routes and their OpenAPI description are one list.

use arno_httpkit::{session_routes, with_web_app};
use axum::{Json, Router, routing::get};
use utoipa::{
    OpenApi as _,
    openapi::{InfoBuilder, OpenApi},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Hub, about, analyses, audit, catalogue, cohorts, invitations, permits, requests, search,
};

#[derive(utoipa::OpenApi)]
struct Description;

fn routes() -> OpenApiRouter<Hub> {
    let info = InfoBuilder::new()
        .title("Arno hub")
        .description(Some("The central service of a federation of hospitals."))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    let mut description = Description::openapi();
    description.info = info;
    OpenApiRouter::with_openapi(description)
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
    let (router, description) = routes().split_for_parts();
    let description = std::sync::Arc::new(description);
    let router = router.route(
        "/openapi.json",
        get(async move || Json((*description).clone())),
    );
    with_web_app(router.with_state(hub.clone()))
}
