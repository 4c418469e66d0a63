//! The OpenAPI description of an API, made of its routes and served beside them. Not here: the routes.

use std::sync::Arc;

use axum::{Json, Router, routing::get};
use utoipa::{OpenApi as _, openapi::InfoBuilder};
use utoipa_axum::router::OpenApiRouter;

#[derive(utoipa::OpenApi)]
struct Empty;

/// Routes without any yet, under a title and in a sentence what they are for. All of our programs have one version.
#[must_use]
pub fn described<S>(title: &str, sentence: &str) -> OpenApiRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let mut description = Empty::openapi();
    description.info = InfoBuilder::new()
        .title(title)
        .description(Some(sentence))
        .version(env!("CARGO_PKG_VERSION"))
        .build();
    OpenApiRouter::with_openapi(description)
}

/// The routes, and what they are at `/openapi.json`.
pub fn with_description<S>(routes: OpenApiRouter<S>) -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    let (router, description) = routes.split_for_parts();
    let description = Arc::new(description);
    let answer = async move || Json((*description).clone());
    router.route("/openapi.json", get(answer))
}
