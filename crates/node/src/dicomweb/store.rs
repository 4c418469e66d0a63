//! STOW-RS (PS3.18 section 10.5): instances in the parts of a request, taken in while it still arrives.
//!
//! Memory holds one batch of a request, never the request. What was answered for is durable. The work goes on when the
//! client hangs up, so that a run is ended and what was taken in is recorded.

use std::{pin::Pin, sync::Arc, time::Duration};

use arno_dicomweb::{
    accept::{Accept, DICOM, DICOM_JSON},
    media::MediaType,
    multipart::{Boundary, Event, Limits, MultipartError, Reader},
};
use axum::{
    Extension,
    body::{Body, BodyDataStream},
    extract::State,
    http::{StatusCode, header::CONTENT_TYPE},
    response::Response,
};
use bytes::Bytes;
use futures_core::Stream as _;

use super::{
    answers::{WebError, answer, text},
    asked::Asked,
    caller::Caller,
    turns::Turns,
};
use crate::Node;

mod parts;
mod taking;

use parts::Part;
use taking::Taking;

/// A client that sends nothing for so long has gone.
const SILENCE: Duration = Duration::from_secs(60);

/// Parts of one request: a large series; each leaves a few hundred bytes in the answer.
const MAX_PARTS: u32 = 20_000;

/// Headers of one part.
const MAX_HEADER_BYTES: usize = 8 << 10;

/// Largest part, held in memory as a whole: as large as a file that is ingested.
const MAX_PART_BYTES: u64 = 2 << 30;

/// Bytes and parts that are taken in together: one sync for all, and little memory.
pub(super) const MAX_BATCH_BYTES: usize = 16 << 20;
pub(super) const MAX_BATCH_PARTS: usize = 64;

/// Instances.
pub(super) async fn store(
    State(node): State<Node>,
    Extension(turns): Extension<Arc<Turns>>,
    asked: Asked,
    body: Body,
) -> Result<Response, WebError> {
    asked.refuse_parameters()?;
    check_accept(&asked.accept()?)?;
    let boundary = boundary(text(&asked.headers, &CONTENT_TYPE))?;
    let storing = Storing {
        taking: Taking::new(node, asked.caller.clone(), &asked),
        receiving: Receiving {
            stream: body.into_data_stream(),
            reader: Reader::new(&boundary, LIMITS),
            last_part: 0,
        },
        turns,
    };
    // A task of its own: dropping the connection does not stop it in the middle of a batch.
    let stored = tokio::spawn(storing.run()).await;
    stored.map_err(crate::NodeError::from)?
}

const LIMITS: Limits = Limits {
    parts: MAX_PARTS,
    header_bytes: MAX_HEADER_BYTES,
    part_bytes: MAX_PART_BYTES,
};

fn check_accept(accept: &Accept) -> Result<(), WebError> {
    match accept.first_of(&[DICOM_JSON, "application/json"]) {
        Some(_) => Ok(()),
        None => Err(WebError::not_acceptable(
            "The answer is application/dicom+json, and never XML.",
        )),
    }
}

/// The boundary of a body of instances.
fn boundary(content_type: Option<&str>) -> Result<Boundary, WebError> {
    let wanted = || {
        WebError::unsupported(
            "Send multipart/related; type=\"application/dicom\"; boundary=…, one Part 10 file in each part. Metadata \
             with bulk data apart (application/dicom+json, application/dicom+xml) is not taken.",
        )
    };
    let media_type = MediaType::parse(content_type.ok_or_else(wanted)?).map_err(|_| wanted())?;
    let is_instances = media_type
        .parameter("type")
        .is_none_or(|kind| kind.eq_ignore_ascii_case(DICOM));
    if media_type.essence != "multipart/related" || !is_instances {
        return Err(wanted());
    }
    let boundary = media_type.parameter("boundary").ok_or_else(wanted)?;
    Boundary::parse(boundary)
        .map_err(|error| WebError::bad_request("bad_boundary", format!("{error}.")))
}

/// One request.
struct Storing {
    taking: Taking,
    receiving: Receiving,
    turns: Arc<Turns>,
}

impl Storing {
    async fn run(mut self) -> Result<Response, WebError> {
        let turns = self.turns.clone();
        let _turn = turns.storing().await?;
        let received = self.receive().await;
        let taken = self.taking.finish().await;
        match (received, taken) {
            (Ok(()), taken) => Ok(taken?.response()),
            (Err(error), Ok(taken)) if taken.stored() == 0 => Err(error),
            (Err(error), Ok(taken)) => Err(error.after(taken.stored())),
            (Err(error), Err(_)) => Err(error),
        }
    }

    async fn receive(&mut self) -> Result<(), WebError> {
        let turns = self.turns.clone();
        while let Some(mut part) = self.receiving.next_part().await? {
            let mut large = None;
            while let Some(bytes) = self.receiving.next_bytes().await? {
                if large.is_none() && part.len() + bytes.len() > MAX_BATCH_BYTES {
                    // What waits goes first: then only the large one is in memory, and only one request has such.
                    self.taking.flush().await?;
                    large = Some(turns.large().await?);
                }
                part.push(&bytes);
            }
            self.receiving.last_part = part.len().min(MAX_BATCH_BYTES);
            self.taking.add(part).await?;
            if large.is_some() {
                self.taking.flush().await?;
            }
        }
        Ok(())
    }
}

/// A request's body and how far it was read.
struct Receiving {
    stream: BodyDataStream,
    reader: Reader,
    /// Bytes of the part before: instances of one request are mostly of one size.
    last_part: usize,
}

impl Receiving {
    /// The next part, up to its headers; `None` behind the last.
    async fn next_part(&mut self) -> Result<Option<Part>, WebError> {
        loop {
            match self.next_event().await? {
                Event::Part(headers) => return Ok(Some(Part::new(&headers, self.last_part))),
                Event::End => return Ok(None),
                Event::Body(_) | Event::PartEnd => {}
            }
        }
    }

    /// More of the part; `None` when it is whole.
    async fn next_bytes(&mut self) -> Result<Option<Bytes>, WebError> {
        match self.next_event().await? {
            Event::Body(bytes) => Ok(Some(bytes)),
            _ => Ok(None),
        }
    }

    async fn next_event(&mut self) -> Result<Event, WebError> {
        loop {
            if let Some(event) = self.reader.next_event().map_err(refusal)? {
                return Ok(event);
            }
            let stream = &mut self.stream;
            let next = std::future::poll_fn(|context| Pin::new(&mut *stream).poll_next(context));
            match tokio::time::timeout(SILENCE, next).await {
                Ok(Some(Ok(bytes))) => self.reader.feed(bytes),
                Ok(Some(Err(_))) => return Err(cut_off()),
                Ok(None) => {
                    self.reader.finish().map_err(refusal)?;
                    return Ok(Event::End);
                }
                Err(_) => {
                    let detail = "Nothing came for a minute.";
                    return Err(WebError::refused(
                        StatusCode::REQUEST_TIMEOUT,
                        "silent",
                        detail,
                    ));
                }
            }
        }
    }
}

fn cut_off() -> WebError {
    WebError::bad_request(
        "cut_off",
        "The connection broke off before the request was whole.",
    )
}

fn refusal(error: MultipartError) -> WebError {
    let status = match error {
        MultipartError::PartTooLarge { .. } | MultipartError::TooManyParts { .. } => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        _ => StatusCode::BAD_REQUEST,
    };
    WebError::refused(status, "bad_multipart", format!("In the body, {error}."))
}

impl WebError {
    /// The same, with what happened before it.
    fn after(self, stored: usize) -> Self {
        let before =
            format!("{stored} instances before that are stored; sending them again does no harm.");
        match self {
            Self::Refused {
                status,
                code,
                detail,
            } => Self::Refused {
                status,
                code,
                detail: format!("{detail} {before}"),
            },
            Self::Api(error) | Self::SignIn(error) => Self::Refused {
                status: error.status(),
                code: error.code(),
                detail: format!("{error} {before}"),
            },
        }
    }
}

/// The answer's data set.
fn data_set(status: u16, json: Vec<u8>) -> Response {
    let length = Some(json.len() as u64);
    let mut response = answer(DICOM_JSON, length, None, json.into());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    response
}

/// Who stores, for the run's entry in the audit log.
fn actor(caller: &Caller) -> String {
    caller.name().to_owned()
}
