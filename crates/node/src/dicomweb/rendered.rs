//! Rendered images and thumbnails (PS3.18 sections 10.4.1.1.2 and 10.4.1.1.4): JPEG or PNG of one frame.
//!
//! An instance shows its first frame; a series or study its middle one, as a thumbnail only. Annotation is refused.

use std::sync::Arc;

use arno_dicom::{Frame, Header, Instance};
use arno_dicomweb::{
    render::{DEFAULT_QUALITY, EncodeError, RenderError, encode_jpeg, encode_png},
    rendered::{Region, Rendering, Viewport},
};
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;

use super::{
    answers::{WebError, answer},
    asked::Asked,
    found::Found,
    frames::Source,
    turns::Turns,
};
use crate::{Node, NodeError, painting::paint};

const JPEG: &str = "image/jpeg";
const PNG: &str = "image/png";

/// Longest edge of a thumbnail that does not say its size.
const THUMBNAIL_EDGE: u32 = 128;

/// A frame as a picture.
pub(super) async fn get_rendered(
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Turns>>,
    asked: Asked,
) -> Result<Response, WebError> {
    let rendering = rendering(&asked)?;
    let source = Source::of(&node, &asked).await?;
    let frame = frame_of(&asked, &source)?;
    picture(&node, &turns, &asked, (source, frame), rendering).await
}

/// A small picture of whatever is named.
pub(super) async fn get_thumbnail(
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Turns>>,
    asked: Asked,
) -> Result<Response, WebError> {
    let mut rendering = rendering(&asked)?;
    rendering.viewport.get_or_insert(Viewport {
        width: THUMBNAIL_EDGE,
        height: THUMBNAIL_EDGE,
        region: Region::default(),
    });
    let found = Found::of(&node, &asked.scope).await?;
    let kept = found.middle().ok_or_else(|| WebError::not_found("image"))?;
    let source = Source::of_kept(&node, kept).await?;
    let frame = frame_of(&asked, &source)?;
    picture(&node, &turns, &asked, (source, frame), rendering).await
}

/// Rendered studies and series would be as many pictures as instances.
pub(super) async fn refuse_many(asked: Asked) -> WebError {
    drop(asked);
    WebError::not_acceptable(
        "Instances and frames are rendered, one at a time; of a series or study there is a thumbnail.",
    )
}

fn rendering(asked: &Asked) -> Result<Rendering, WebError> {
    let rendering = Rendering::parse(&asked.query);
    rendering.map_err(|error| WebError::bad_request("bad_rendering", format!("{error}.")))
}

/// The frame in the address, or the first; one picture has one frame.
fn frame_of(asked: &Asked, source: &Source) -> Result<u32, WebError> {
    let list = asked.name("frames").unwrap_or("1");
    let frames = arno_dicomweb::frame_list::parse(list).map_err(|error| {
        WebError::bad_request("bad_frames", format!("In the address, {error}."))
    })?;
    source.check(&frames)?;
    match frames.as_slice() {
        [frame] => Ok(*frame),
        _ => Err(WebError::not_acceptable("One frame is rendered at a time.")),
    }
}

async fn picture(
    node: &Node,
    turns: &Turns,
    asked: &Asked,
    (source, frame): (Source, u32),
    rendering: Rendering,
) -> Result<Response, WebError> {
    let kind = asked.accept()?.first_of(&[JPEG, PNG]);
    let kind =
        kind.ok_or_else(|| WebError::not_acceptable("There is image/jpeg and image/png."))?;
    let version = source.version(&format!("{kind} {frame} {rendering:?}"));
    if let Some(known) = version.unless_known(&asked.headers) {
        return Ok(known);
    }
    let _turn = turns.making().await?;
    let header = source.header_bytes(node).await?;
    let decoded = source.decode(node, frame).await?;
    let draw = move || draw(header, &source, &decoded, frame, &rendering, kind);
    let drawn = tokio::task::spawn_blocking(draw)
        .await
        .map_err(NodeError::from)??;
    Ok(answer(
        kind,
        Some(drawn.len() as u64),
        Some(&version),
        drawn.into(),
    ))
}

fn draw(
    header: Bytes,
    source: &Source,
    decoded: &Frame,
    frame: u32,
    rendering: &Rendering,
    kind: &str,
) -> Result<Vec<u8>, WebError> {
    let header = read_header(header);
    let picture = paint(&header, &source.layout, (decoded, frame), rendering);
    let picture = picture.map_err(render_error)?;
    let encoded = match kind {
        PNG => encode_png(&picture),
        _ => encode_jpeg(&picture, rendering.quality.unwrap_or(DEFAULT_QUALITY)),
    };
    encoded.map_err(encode_error)
}

/// What cannot be read was kept as it came; then the samples alone say what is black and white.
fn read_header(bytes: Bytes) -> Header {
    Instance::read(bytes).map_or_else(|_| Header::new_empty(), |instance| instance.header)
}

fn render_error(error: RenderError) -> WebError {
    match error {
        RenderError::Outside { .. } => WebError::bad_request("bad_rendering", format!("{error}.")),
        error => WebError::not_acceptable(format!("{error}.")),
    }
}

fn encode_error(error: EncodeError) -> WebError {
    WebError::not_acceptable(format!(
        "{error}: ask for a smaller viewport, or for image/png."
    ))
}
