//! DICOMweb (PS3.18 chapter 10) below `/dicom-web`: what is kept, for programs and viewers that speak the standard.
//! Only the de-identified zone is served, or what a node on trial keeps as it came. What is supported and what is not
//! stands in `docs/dicomweb.md`.
//!
//! Texts of the standard are read in `arno-dicomweb`, matching is `Node::find`, taking in is `ingest`. Nothing here is in the
//! node's own OpenAPI description: these routes are the standard's.

mod answers;
mod asked;
mod body;
mod bulkdata;
mod caller;
mod capabilities;
mod delete;
mod found;
mod frames;
mod metadata;
mod qido;
mod rendered;
mod retrieve;
mod store;
mod turns;

use std::sync::Arc;

use axum::{
    Extension, Router,
    routing::{MethodRouter, get},
};

use crate::Node;
use turns::Turns;

/// Below which path DICOMweb is served.
pub(crate) const ROOT: &str = "/dicom-web";

/// All routes, below [`ROOT`].
pub(crate) fn routes() -> Router<Node> {
    let router = table()
        .into_iter()
        .fold(Router::new(), |router, (path, methods)| {
            router.route(path, methods.options(capabilities::options))
        });
    router
        .fallback(answers::no_such_route)
        .method_not_allowed_fallback(answers::no_such_method)
        .layer(Extension(Arc::new(Turns::new())))
}

/// Every path of the standard that there is, and what answers it.
fn table() -> Vec<(&'static str, MethodRouter<Node>)> {
    const STUDY: &str = "/studies/{study}";
    vec![
        ("/", get(capabilities::get_capabilities)),
        ("/capabilities", get(capabilities::get_capabilities)),
        ("/studies", get(qido::find_studies).post(store::store)),
        ("/series", get(qido::find_series)),
        ("/instances", get(qido::find_instances)),
        (
            STUDY,
            get(retrieve::retrieve)
                .post(store::store)
                .delete(delete::delete),
        ),
        ("/studies/{study}/metadata", get(metadata::get_metadata)),
        ("/studies/{study}/rendered", get(rendered::refuse_many)),
        ("/studies/{study}/thumbnail", get(rendered::get_thumbnail)),
        ("/studies/{study}/series", get(qido::find_series)),
        ("/studies/{study}/instances", get(qido::find_instances)),
        (
            "/studies/{study}/series/{series}",
            get(retrieve::retrieve).delete(delete::delete),
        ),
        (
            "/studies/{study}/series/{series}/metadata",
            get(metadata::get_metadata),
        ),
        (
            "/studies/{study}/series/{series}/rendered",
            get(rendered::refuse_many),
        ),
        (
            "/studies/{study}/series/{series}/thumbnail",
            get(rendered::get_thumbnail),
        ),
        (
            "/studies/{study}/series/{series}/instances",
            get(qido::find_instances),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}",
            get(retrieve::retrieve).delete(delete::delete),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/metadata",
            get(metadata::get_metadata),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/rendered",
            get(rendered::get_rendered),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/thumbnail",
            get(rendered::get_thumbnail),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}",
            get(frames::get_frames),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/rendered",
            get(rendered::get_rendered),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/frames/{frames}/thumbnail",
            get(rendered::get_thumbnail),
        ),
        (
            "/studies/{study}/series/{series}/instances/{instance}/bulkdata/{*path}",
            get(bulkdata::get_bulkdata),
        ),
    ]
}
