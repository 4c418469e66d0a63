//! DICOMweb (PS3.18 chapter 10) below `/dicom-web`: what is kept, for programs and viewers that speak the standard.
//! Only the de-identified zone is served, or what a node on trial keeps as it came. What is supported and what is not
//! stands in `docs/dicomweb.md`.
//!
//! Texts of the standard are read in `arno-dicomweb`, matching is `Node::find`, taking in is `ingest`. Nothing here is in the
//! node's own OpenAPI description: these routes are the standard's.

mod answers;
mod asked;
mod basic;
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
use caller::Door;
use turns::Turns;

/// Below which path DICOMweb is served.
const ROOT: &str = "/dicom-web";

/// The same routes and all those of DICOMweb.
pub(crate) fn mount(router: Router<Node>) -> Router<Node> {
    // What is nested does not answer to the slash behind its root.
    let root = get(capabilities::get_capabilities).options(capabilities::options);
    router
        .nest(ROOT, routes())
        .route(&format!("{ROOT}/"), root.layer(Extension(Allowed(READ))))
}

/// All routes, below [`ROOT`].
fn routes() -> Router<Node> {
    let router = table()
        .into_iter()
        .fold(Router::new(), |router, (path, allow, methods)| {
            let allowed = methods
                .options(capabilities::options)
                .layer(Extension(Allowed(allow)));
            router.route(&path, allowed)
        });
    router
        .fallback(answers::no_such_route)
        .method_not_allowed_fallback(answers::no_such_method)
        .layer(Extension(Arc::new(Turns::new())))
        .layer(Extension(Arc::new(Door::default())))
}

/// What a resource answers to, as `Allow` has it.
#[derive(Debug, Clone, Copy)]
struct Allowed(&'static str);

const READ: &str = "GET, HEAD, OPTIONS";
const READ_STORE: &str = "GET, HEAD, OPTIONS, POST";
const READ_DELETE: &str = "DELETE, GET, HEAD, OPTIONS";
const ALL: &str = "DELETE, GET, HEAD, OPTIONS, POST";

/// Every path of the standard that there is, its methods, and what answers them.
fn table() -> Vec<(String, &'static str, MethodRouter<Node>)> {
    let study = "/studies/{study}";
    let series = format!("{study}/series/{{series}}");
    let instance = format!("{series}/instances/{{instance}}");
    let frames = format!("{instance}/frames/{{frames}}");
    let of = |parent: &str, child: &str| format!("{parent}/{child}");
    let studies = get(qido::find_studies).post(store::store);
    let one = get(retrieve::retrieve).delete(delete::delete);
    vec![
        ("/".into(), READ, get(capabilities::get_capabilities)),
        (
            "/capabilities".into(),
            READ,
            get(capabilities::get_capabilities),
        ),
        ("/studies".into(), READ_STORE, studies),
        ("/series".into(), READ, get(qido::find_series)),
        ("/instances".into(), READ, get(qido::find_instances)),
        (study.into(), ALL, one.clone().post(store::store)),
        (of(study, "metadata"), READ, get(metadata::get_metadata)),
        (of(study, "rendered"), READ, get(rendered::refuse_many)),
        (of(study, "thumbnail"), READ, get(rendered::get_thumbnail)),
        (of(study, "series"), READ, get(qido::find_series)),
        (of(study, "instances"), READ, get(qido::find_instances)),
        (series.clone(), READ_DELETE, one.clone()),
        (of(&series, "metadata"), READ, get(metadata::get_metadata)),
        (of(&series, "rendered"), READ, get(rendered::refuse_many)),
        (of(&series, "thumbnail"), READ, get(rendered::get_thumbnail)),
        (of(&series, "instances"), READ, get(qido::find_instances)),
        (instance.clone(), READ_DELETE, one),
        (of(&instance, "metadata"), READ, get(metadata::get_metadata)),
        (of(&instance, "rendered"), READ, get(rendered::get_rendered)),
        (
            of(&instance, "thumbnail"),
            READ,
            get(rendered::get_thumbnail),
        ),
        (
            of(&instance, "bulkdata/{*path}"),
            READ,
            get(bulkdata::get_bulkdata),
        ),
        (frames.clone(), READ, get(frames::get_frames)),
        (of(&frames, "rendered"), READ, get(rendered::get_rendered)),
        (of(&frames, "thumbnail"), READ, get(rendered::get_thumbnail)),
    ]
}
