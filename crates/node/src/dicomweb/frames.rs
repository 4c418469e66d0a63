//! Frames of an instance (PS3.18 section 10.4.1.1.6): as they are stored, in the media type of their compression, or
//! decoded to native pixels. One range read each.

use std::sync::Arc;

use arno_codecs::DecodeError;
use arno_dicom::{Frame, FrameError, FrameLayout, Instance};
use arno_dicomweb::{
    accept::{Amount, Form, OCTET_STREAM, Stored, Syntax},
    fragments::payload,
    frame_list,
    frame_types::{is_native_little_endian, media_type},
    multipart::Writer,
};
use arno_store::{StoreError, node::KeptInstance};
use axum::{extract::State, response::Response};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{
    answers::{Version, WebError, answer, span, with_span},
    asked::Asked,
    body::{Gone, Pieces, body, ready},
    found::{Found, is_decodable, read},
    retrieve::slice,
};
use crate::{Node, NodeError};

/// Largest instance that is read as a whole to find frames that were not found at ingest.
const MAX_SEARCHED_BYTES: u64 = 256 << 20;

/// Frames.
pub(super) async fn get_frames(
    State(node): State<Node>,
    asked: Asked,
) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    let source = Source::of(&node, &asked).await?;
    let frames = wanted_frames(&asked, &source)?;
    let amount = if frames.len() == 1 {
        Amount::One
    } else {
        Amount::Many
    };
    let chosen = asked.accept()?.frame(amount, source.stored());
    let (form, syntax) = chosen.ok_or_else(|| source.refusal())?;
    let url = asked.instance_url().unwrap_or_default();
    let version = source.version(&format!("{form:?} {syntax:?} {frames:?} {url}"));
    if let Some(known) = version.unless_known(&asked.headers) {
        return Ok(known);
    }
    let kind = match &syntax {
        Syntax::Stored => source.stored_type(),
        Syntax::To(_) => OCTET_STREAM.to_owned(),
    };
    let making = Making {
        node,
        source,
        syntax,
        kind,
        url,
    };
    match (form, frames.as_slice()) {
        (Form::Single, [frame]) => making.alone(*frame, &asked, &version).await,
        (Form::Parts, [frame]) => making.one_part(*frame, &version).await,
        _ => Ok(making.parts(frames, &version)),
    }
}

/// The frames in the address, from zero; all of them are there.
fn wanted_frames(asked: &Asked, source: &Source) -> Result<Vec<u32>, WebError> {
    let list = asked.name("frames").unwrap_or_default();
    let frames = frame_list::parse(list).map_err(|error| {
        WebError::bad_request("bad_frames", format!("In the address, {error}."))
    })?;
    source.check(&frames)?;
    Ok(frames)
}

/// An instance and where its frames are.
pub(super) struct Source {
    kept: Arc<KeptInstance>,
    /// Where its frames lie and how they are decoded.
    pub(super) layout: FrameLayout,
    pixel_offset: u64,
}

impl Source {
    /// The instance that is named, if it has frames.
    pub(super) async fn of(node: &Node, asked: &Asked) -> Result<Self, WebError> {
        let found = Found::of(node, &asked.scope).await?;
        let kept = found
            .single_if(true)
            .map_err(|_| WebError::not_found("instance"))?;
        Self::of_kept(node, kept).await
    }

    /// The same for an instance that was found.
    pub(super) async fn of_kept(node: &Node, kept: Arc<KeptInstance>) -> Result<Self, WebError> {
        let pixel_offset = kept.pixel_offset.ok_or_else(no_frames)?;
        let layout = match &kept.layout_json {
            Some(json) => serde_json::from_str(json).map_err(|_| StoreError::Corrupt {
                what: "frame layout",
            })?,
            None => search(node, &kept).await?,
        };
        Ok(Self {
            kept,
            layout,
            pixel_offset,
        })
    }

    /// Whether the frames, counted from zero, are there.
    pub(super) fn check(&self, frames: &[u32]) -> Result<(), WebError> {
        match frames.iter().all(|frame| *frame < self.layout.count) {
            true => Ok(()),
            false => Err(WebError::refused(
                axum::http::StatusCode::NOT_FOUND,
                "no_such_frame",
                format!("There are frames 1 to {}.", self.layout.count),
            )),
        }
    }

    /// A version of something that is made of frames.
    pub(super) fn version(&self, of: &str) -> Version {
        let mut digest = Sha256::new();
        digest.update(format!("{}\n{of}", self.kept.location.sha256));
        Version::of(digest)
    }

    /// What stands before the pixels, for whoever wants to know how to show them.
    pub(super) async fn header_bytes(&self, node: &Node) -> Result<Bytes, NodeError> {
        /// Tag, VR and length of an explicit element with a long length, and of an implicit one.
        const EXPLICIT: u64 = 12;
        const IMPLICIT: u64 = 8;
        let is_implicit = self.kept.transfer_syntax == "1.2.840.10008.1.2";
        let element = if is_implicit { IMPLICIT } else { EXPLICIT };
        read(
            node,
            &self.kept,
            0..self.pixel_offset.saturating_sub(element),
        )
        .await
    }

    /// The bytes of the range of a frame.
    pub(super) async fn read(&self, node: &Node, frame: u32) -> Result<Bytes, WebError> {
        let damaged = || {
            WebError::from(StoreError::Corrupt {
                what: "frame layout",
            })
        };
        let range = self.layout.range(frame).map_err(|_| damaged())?;
        let start = self
            .pixel_offset
            .checked_add(range.start)
            .ok_or_else(damaged)?;
        let end = self
            .pixel_offset
            .checked_add(range.end)
            .ok_or_else(damaged)?;
        if end > self.kept.location.length {
            return Err(WebError::bad_request(
                "frame_damaged",
                "The instance ends before this frame.",
            ));
        }
        Ok(read(node, &self.kept, start..end).await?)
    }

    /// A decoded frame.
    pub(super) async fn decode(&self, node: &Node, frame: u32) -> Result<Frame, WebError> {
        let bytes = self.read(node, frame).await?;
        let (node, layout) = (node.clone(), self.layout.clone());
        let decoded =
            tokio::task::spawn_blocking(move || node.decode_frame(&layout, frame, &bytes));
        decoded.await.map_err(NodeError::from)?.map_err(frame_error)
    }

    fn is_native(&self) -> bool {
        is_native_little_endian(&self.kept.transfer_syntax) || self.is_big_endian()
    }

    fn is_big_endian(&self) -> bool {
        self.kept.transfer_syntax == "1.2.840.10008.1.2.2"
    }

    fn stored(&self) -> Stored<'_> {
        Stored {
            transfer_syntax: &self.kept.transfer_syntax,
            media_type: media_type(&self.kept.transfer_syntax),
            decodable: is_decodable(&self.kept.transfer_syntax),
        }
    }

    fn stored_type(&self) -> String {
        match self.is_native() {
            true => OCTET_STREAM.to_owned(),
            false => {
                let syntax = &self.kept.transfer_syntax;
                format!("{}; transfer-syntax={syntax}", media_type(syntax))
            }
        }
    }

    fn refusal(&self) -> WebError {
        let also = match is_decodable(&self.kept.transfer_syntax) {
            true => ", or decoded as application/octet-stream",
            false => "",
        };
        WebError::not_acceptable(format!(
            "There is {} in multipart/related or, for one frame, alone{also}.",
            self.stored_type()
        ))
    }
}

/// Finds frames that ingest did not, such as those of a video.
async fn search(node: &Node, kept: &KeptInstance) -> Result<FrameLayout, WebError> {
    if kept.location.length > MAX_SEARCHED_BYTES {
        return Err(no_frames());
    }
    let bytes = read(node, kept, 0..kept.location.length).await?;
    let find = move || {
        let instance = Instance::read(bytes).ok()?;
        FrameLayout::of(&instance).ok()
    };
    let layout = tokio::task::spawn_blocking(find)
        .await
        .map_err(NodeError::from)?;
    layout.ok_or_else(no_frames)
}

fn no_frames() -> WebError {
    WebError::refused(
        axum::http::StatusCode::NOT_FOUND,
        "no_frames",
        "This instance has no frames that can be told apart.",
    )
}

fn frame_error(error: FrameError) -> WebError {
    match error {
        FrameError::Decoder(DecodeError::Busy) => {
            WebError::busy("All decoders are busy; try again in a while.")
        }
        error @ FrameError::NotDecodable { .. } => WebError::not_acceptable(error.to_string()),
        error => WebError::bad_request("frame_damaged", error.to_string()),
    }
}

/// An answer that is being made.
struct Making {
    node: Node,
    source: Source,
    syntax: Syntax,
    kind: String,
    url: String,
}

impl Making {
    async fn alone(
        self,
        frame: u32,
        asked: &Asked,
        version: &Version,
    ) -> Result<Response, WebError> {
        let bytes = self.bytes(frame).await?;
        let (wanted, part) = match span(&asked.headers, version, bytes.len() as u64) {
            Ok(span) => span,
            Err(refused) => return Ok(*refused),
        };
        let bytes = slice(&bytes, &wanted);
        let length = Some(bytes.len() as u64);
        let response = answer(&self.kind, length, Some(version), bytes.into());
        Ok(with_span(response, part.as_deref()))
    }

    async fn one_part(self, frame: u32, version: &Version) -> Result<Response, WebError> {
        let bytes = self.bytes(frame).await?;
        let mut writer = version.writer();
        let pieces = vec![
            self.opening(&mut writer, frame).into(),
            bytes,
            writer.close().into(),
        ];
        let length = pieces.iter().map(|piece: &Bytes| piece.len() as u64).sum();
        let kind = writer.content_type(self.essence());
        Ok(answer(&kind, Some(length), Some(version), ready(pieces)))
    }

    fn parts(self, frames: Vec<u32>, version: &Version) -> Response {
        let writer = version.writer();
        let kind = writer.content_type(self.essence());
        let (pieces, body) = body();
        tokio::spawn(async move { self.send_all(&pieces, frames, writer).await });
        answer(&kind, None, Some(version), body)
    }

    async fn send_all(
        self,
        pieces: &Pieces,
        frames: Vec<u32>,
        mut writer: Writer,
    ) -> Result<(), Gone> {
        for frame in frames {
            match self.bytes(frame).await {
                Ok(bytes) => {
                    pieces.send(self.opening(&mut writer, frame)).await?;
                    pieces.send(bytes).await?;
                }
                Err(error) => {
                    pieces.fail(error).await;
                    return Err(Gone);
                }
            }
        }
        pieces.send(writer.close()).await
    }

    fn opening(&self, writer: &mut Writer, frame: u32) -> String {
        let location = format!("{}/frames/{}", self.url, frame + 1);
        writer.open(&self.kind, Some(&location))
    }

    /// The media type without parameters.
    fn essence(&self) -> &str {
        self.kind.split(';').next().unwrap_or(OCTET_STREAM)
    }

    async fn bytes(&self, frame: u32) -> Result<Bytes, WebError> {
        let format = &self.source.layout.format;
        // Native bytes go out as they are, unless they are big endian or share a byte with the next frame.
        let is_packed = format.bits_allocated == 1;
        let is_native = self.source.is_native();
        match (&self.syntax, is_native) {
            (Syntax::Stored, false) => Ok(payload(&self.source.read(&self.node, frame).await?)),
            (_, true) if !is_packed && !self.source.is_big_endian() => {
                self.source.read(&self.node, frame).await
            }
            _ => {
                let decoded = self.source.decode(&self.node, frame).await?;
                Ok(if is_packed {
                    pack_bits(&decoded.bytes)
                } else {
                    decoded.bytes.into()
                })
            }
        }
    }
}

/// Bytes of 0 and 1 to bits, the first in bit 0 (PS3.5 section 8.1.1).
fn pack_bits(samples: &[u8]) -> Bytes {
    let byte = |samples: &[u8]| {
        let bits = samples.iter().enumerate();
        bits.fold(0, |byte, (at, sample)| byte | (sample & 1) << at)
    };
    samples.chunks(8).map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::pack_bits;

    #[test]
    fn bits_are_packed_from_the_lowest() {
        let check = |samples: &[u8], expect: &[u8]| assert_eq!(&pack_bits(samples)[..], expect);
        check(&[], &[]);
        check(&[1, 0, 0, 0, 0, 0, 0, 1], &[0x81]);
        check(&[0, 1, 0, 0, 0, 0, 0, 0, 1], &[0x02, 0x01]);
    }
}
