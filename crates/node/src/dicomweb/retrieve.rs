//! WADO-RS: instances of a study, a series, or one (PS3.18 section 10.4.1.1), as they are stored or transcoded.
//!
//! Bytes go from the pack to the connection in pieces, one instance after the other, so that memory does not depend
//! on how many or how large they are; only what is transcoded is held as a whole.

use std::sync::Arc;

use arno_dicom::{Instance, transcode::transcode};
use arno_dicomweb::{
    accept::{Accept, Amount, DICOM, Form, Syntax},
    multipart::{Boundary, Writer},
};
use arno_store::node::KeptInstance;
use axum::{Extension, extract::State, response::Response};
use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::{
    answers::{Version, WebError, answer, span, with_span},
    asked::{Asked, instance_url},
    body::{Gone, Pieces, body, ready},
    found::{Found, PIECE_BYTES, read, stored},
    turns::Turns,
};
use crate::Node;

/// Largest instance that is transcoded, which needs it in memory twice and more.
const MAX_TRANSCODED_BYTES: u64 = 256 << 20;

/// Instances.
pub(super) async fn retrieve(
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Turns>>,
    asked: Asked,
) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    let accept = asked.accept()?;
    let found = Found::of(&node, &asked.scope).await?;
    let is_one = found.is_all() && found.page.len() == 1;
    let amount = if is_one { Amount::One } else { Amount::Many };
    let form = check(&accept, amount, &found)?;
    asked.caller.note_retrieve(&node, &asked.subject()).await?;
    let sending = Sending {
        node,
        turns,
        accept,
        amount,
        root: asked.root(),
    };
    let version = version(&found, form, &sending.root, &asked);
    if let Some(known) = version
        .as_ref()
        .and_then(|version| version.unless_known(&asked.headers))
    {
        return Ok(known);
    }
    match (form, found.single_if(is_one), version) {
        (Form::Single, Ok(kept), Some(version)) => sending.single(&kept, &version, &asked).await,
        (_, Ok(kept), version) => sending.one_part(&kept, version.as_ref()).await,
        (_, Err(found), version) => Ok(sending.parts(found, version.as_ref())),
    }
}

/// How the first page goes out, or what is stored that the client does not accept.
fn check(accept: &Accept, amount: Amount, found: &Found) -> Result<Form, WebError> {
    let mut form = Form::Parts;
    for kept in &found.page {
        match accept.instance(amount, stored(kept)) {
            Some((chosen, _)) => form = chosen,
            None => return Err(refusal(&kept.transfer_syntax)),
        }
    }
    Ok(form)
}

fn refusal(transfer_syntax: &str) -> WebError {
    WebError::not_acceptable(format!(
        "There is application/dicom in transfer syntax {transfer_syntax}, in multipart/related or, for one instance, \
         alone; ask for transfer-syntax=* to get it as it is."
    ))
}

/// All of what goes out decides the version: objects, form, and what was accepted.
fn version(found: &Found, form: Form, root: &str, asked: &Asked) -> Option<Version> {
    if !found.is_all() {
        return None;
    }
    let mut digest = Sha256::new();
    for kept in &found.page {
        digest.update(&kept.location.sha256);
        digest.update(&kept.transfer_syntax);
    }
    let wanted = asked.accept_header().unwrap_or_default();
    digest.update(format!("{form:?}\n{root}\n{wanted}\n{}", asked.query));
    Some(Version::of(digest))
}

/// One answer on its way.
struct Sending {
    node: Node,
    turns: Arc<Turns>,
    accept: Accept,
    amount: Amount,
    root: String,
}

impl Sending {
    /// The bytes of one instance are the whole body, and parts of it can be asked for.
    async fn single(
        self,
        kept: &Arc<KeptInstance>,
        version: &Version,
        asked: &Asked,
    ) -> Result<Response, WebError> {
        let kind = self.part_type(kept);
        if let Some(bytes) = self.transcoded(kept).await? {
            let length = bytes.len() as u64;
            let (wanted, part) = match span(&asked.headers, version, length) {
                Ok(span) => span,
                Err(refused) => return Ok(*refused),
            };
            let bytes = slice(&bytes, &wanted);
            let response = answer(&kind, Some(bytes.len() as u64), Some(version), bytes.into());
            return Ok(with_span(response, part.as_deref()));
        }
        let (wanted, part) = match span(&asked.headers, version, kept.location.length) {
            Ok(span) => span,
            Err(refused) => return Ok(*refused),
        };
        let length = wanted.end - wanted.start;
        let body = if length <= PIECE_BYTES {
            read(&self.node, kept, wanted).await?.into()
        } else {
            let (pieces, body) = body();
            let kept = kept.clone();
            tokio::spawn(async move {
                let _ = self.send_bytes(&pieces, &kept, wanted).await;
            });
            body
        };
        let response = answer(&kind, Some(length), Some(version), body);
        Ok(with_span(response, part.as_deref()))
    }

    /// One instance as the only part: read at once where it is small, so that it costs one hop.
    async fn one_part(
        self,
        kept: &Arc<KeptInstance>,
        version: Option<&Version>,
    ) -> Result<Response, WebError> {
        let is_large = kept.location.length > PIECE_BYTES;
        let bytes = match self.transcoded(kept).await? {
            Some(bytes) => bytes,
            None if is_large => return Ok(self.one_large_part(kept, version)),
            None => read(&self.node, kept, 0..kept.location.length).await?,
        };
        let mut writer = writer_of(version);
        let pieces = vec![
            self.opening(&mut writer, kept).into(),
            bytes,
            writer.close().into(),
        ];
        let length = pieces.iter().map(|piece: &Bytes| piece.len() as u64).sum();
        let kind = writer.content_type(DICOM);
        Ok(answer(&kind, Some(length), version, ready(pieces)))
    }

    fn one_large_part(self, kept: &Arc<KeptInstance>, version: Option<&Version>) -> Response {
        let mut writer = writer_of(version);
        let (kind, opening) = (writer.content_type(DICOM), self.opening(&mut writer, kept));
        let closing = writer.close();
        let length = kept.location.length + (opening.len() + closing.len()) as u64;
        let ((pieces, body), kept) = (body(), kept.clone());
        tokio::spawn(async move {
            let bytes = 0..kept.location.length;
            pieces.send(opening).await?;
            self.send_bytes(&pieces, &kept, bytes).await?;
            pieces.send(closing).await
        });
        answer(&kind, Some(length), version, body)
    }

    /// Many instances, one after the other.
    fn parts(self, found: Found, version: Option<&Version>) -> Response {
        let writer = writer_of(version);
        let kind = writer.content_type(DICOM);
        let (pieces, body) = body();
        tokio::spawn(async move { self.send_all(&pieces, found, writer).await });
        answer(&kind, None, version, body)
    }

    async fn send_all(self, pieces: &Pieces, found: Found, mut writer: Writer) -> Result<(), Gone> {
        let mut next = Some(found);
        while let Some(found) = next {
            for kept in &found.page {
                self.send_part(pieces, &mut writer, kept).await?;
            }
            next = match found.next(&self.node).await {
                Ok(next) => next,
                Err(error) => {
                    pieces.fail(error).await;
                    return Err(Gone);
                }
            };
        }
        pieces.send(writer.close()).await
    }

    async fn send_part(
        &self,
        pieces: &Pieces,
        writer: &mut Writer,
        kept: &KeptInstance,
    ) -> Result<(), Gone> {
        match self.transcoded(kept).await {
            Ok(Some(bytes)) => {
                pieces.send(self.opening(writer, kept)).await?;
                pieces.send(bytes).await
            }
            Ok(None) => {
                pieces.send(self.opening(writer, kept)).await?;
                let bytes = 0..kept.location.length;
                self.send_bytes(pieces, kept, bytes).await
            }
            Err(error) => {
                pieces.fail(error).await;
                Err(Gone)
            }
        }
    }

    async fn send_bytes(
        &self,
        pieces: &Pieces,
        kept: &KeptInstance,
        bytes: std::ops::Range<u64>,
    ) -> Result<(), Gone> {
        let mut start = bytes.start;
        while start < bytes.end {
            let end = (start + PIECE_BYTES).min(bytes.end);
            match read(&self.node, kept, start..end).await {
                Ok(piece) => pieces.send(piece).await?,
                Err(error) => {
                    pieces.fail(error).await;
                    return Err(Gone);
                }
            }
            start = end;
        }
        Ok(())
    }

    /// The instance in the transfer syntax that is accepted; nothing where that is the stored one.
    async fn transcoded(&self, kept: &KeptInstance) -> Result<Option<Bytes>, WebError> {
        let to = match self.accept.instance(self.amount, stored(kept)) {
            Some((_, Syntax::Stored)) => return Ok(None),
            Some((_, Syntax::To(to))) => to,
            None => return Err(refusal(&kept.transfer_syntax)),
        };
        if kept.location.length > MAX_TRANSCODED_BYTES {
            return Err(refusal(&kept.transfer_syntax));
        }
        let _turn = self.turns.making().await?;
        let bytes = read(&self.node, kept, 0..kept.location.length).await?;
        let node = self.node.clone();
        let made = tokio::task::spawn_blocking(move || {
            let instance = Instance::read(bytes).ok()?;
            let transcoded = transcode(&instance, &to, node.codecs()).ok()?;
            Some(transcoded.write())
        });
        match made.await {
            Ok(Some(bytes)) => Ok(Some(bytes.into())),
            Ok(None) => Err(refusal(&kept.transfer_syntax)),
            Err(error) => Err(crate::NodeError::from(error).into()),
        }
    }

    /// The media type of an instance, with the transfer syntax in which it goes out.
    fn part_type(&self, kept: &KeptInstance) -> String {
        let syntax = match self.accept.instance(self.amount, stored(kept)) {
            Some((_, Syntax::To(to))) => to,
            _ => kept.transfer_syntax.clone(),
        };
        format!("{DICOM}; transfer-syntax={syntax}")
    }

    fn opening(&self, writer: &mut Writer, kept: &KeptInstance) -> String {
        let url = instance_url(
            &self.root,
            &kept.study_uid,
            &kept.series_uid,
            &kept.instance_uid,
        );
        writer.open(&self.part_type(kept), Some(&url))
    }
}

/// Of what has no version, the boundary is random.
fn writer_of(version: Option<&Version>) -> Writer {
    version.map_or_else(
        || Writer::new(Boundary::from_random(rand::random())),
        Version::writer,
    )
}

/// Part of what is in memory.
pub(super) fn slice(bytes: &Bytes, wanted: &std::ops::Range<u64>) -> Bytes {
    let at = |place: u64| {
        usize::try_from(place)
            .unwrap_or(usize::MAX)
            .min(bytes.len())
    };
    bytes.slice(at(wanted.start)..at(wanted.end))
}
