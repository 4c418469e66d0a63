//! The long poll: a node asks for work, and the line is held until there is some.

use std::time::Duration;

use arno_domain::{NodeId, QuestionId, Signed};
use arno_httpkit::ApiError;
use arno_protocol::federation::{
    Delivery, MAX_MESSAGE_BYTES, MAX_POLL_WAIT_MS, Message, Poll, Question,
};
use arno_store::{
    StoreError,
    hub::{members::Seen, questions},
};
use axum::{Json, body::Body, extract::State};
use tokio::time::Instant;

use super::{MAX_SMALL_BYTES, join::MAX_SOFTWARE_CHARS, receive};
use crate::{Hub, limits::cut, presence::OpenLine};

/// Questions of one delivery; the rest come with the next.
const MAX_QUESTIONS: usize = 64;
/// The signed text stands in JSON as a string, where each quotation mark takes two bytes.
const MAX_DELIVERY_BYTES: usize = MAX_MESSAGE_BYTES / 2;

pub(super) async fn poll(
    State(hub): State<Hub>,
    body: Body,
) -> Result<Json<Signed<Message<Delivery>>>, ApiError> {
    let (member, message) = receive::<Poll>(&hub, body, MAX_SMALL_BYTES).await?;
    let node = member.card.node;
    let seen = Seen {
        node,
        software: cut(&message.body.software, MAX_SOFTWARE_CHARS),
        instances: message.body.instances.min(i64::MAX.unsigned_abs()),
        at: hub.now(),
    };
    let line = hub.presence.open_line(seen, &hub.clock);
    let wait = Duration::from_millis(message.body.wait_ms.min(MAX_POLL_WAIT_MS));
    let ids = wait_for_questions(&hub, &line, node, wait).await?;
    let questions = load(&hub, node, &ids).await?;
    line.answered();
    Ok(Json(hub.reply(&message, Delivery { questions })))
}

/// Waits until a question is due, the time is over, or the hub stops; answers all that are open then.
async fn wait_for_questions(
    hub: &Hub,
    line: &OpenLine,
    node: NodeId,
    wait: Duration,
) -> Result<Vec<QuestionId>, StoreError> {
    let until = Instant::now() + wait;
    let stopped = hub.stopped();
    tokio::pin!(stopped);
    loop {
        // Before looking, so that a question asked meanwhile wakes this poll.
        let woken = line.wake().notified();
        tokio::pin!(woken);
        woken.as_mut().enable();
        let now = hub.now();
        let open = questions::open_question_ids(&hub.database, node, now).await?;
        let due = hub
            .presence
            .due(node, &open)
            .map(|due| (due - now).to_std().unwrap_or_default());
        if due.is_some_and(|due| due.is_zero()) || Instant::now() >= until {
            return Ok(open);
        }
        let next = due.map_or(until, |due| until.min(Instant::now() + due));
        tokio::select! {
            () = woken => {}
            () = tokio::time::sleep_until(next) => {}
            () = &mut stopped => return Ok(Vec::new()),
        }
    }
}

/// The questions, as many as fit into one message.
async fn load(hub: &Hub, node: NodeId, ids: &[QuestionId]) -> Result<Vec<Question>, StoreError> {
    let (mut loaded, mut bytes) = (Vec::new(), 0);
    for id in ids.iter().take(MAX_QUESTIONS) {
        let (question, length) = questions::question(&hub.database, *id).await?;
        bytes += length;
        if bytes > MAX_DELIVERY_BYTES && !loaded.is_empty() {
            break;
        }
        loaded.push(question);
    }
    let handed_out: Vec<_> = loaded.iter().map(|question| question.id).collect();
    hub.presence.handed_out(node, &handed_out, hub.now());
    Ok(loaded)
}
