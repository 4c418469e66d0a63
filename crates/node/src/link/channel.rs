//! One call: a message signed by this node, and an answer that is signed by the federation, meant for this node, an
//! answer to this very message, and fresh. Anything else is as good as no answer.

use std::time::Duration;

use arno_client::{ClientError, FederationClient};
use arno_domain::{MessageId, NodeId, PublicKey, Signed};
use arno_protocol::federation::{Body, MESSAGE_LIFETIME, Message};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Utc};

use crate::{Node, NodeError, Pinned};

/// Longest wait for an answer that the hub does not hold back.
pub(super) const TIMEOUT: Duration = Duration::from_secs(15);

/// The hub restarted and wants the message signed anew.
const RESEND: &str = "resend";

/// A way to one hub.
pub(super) struct Channel {
    node: Node,
    client: FederationClient,
    root_key: PublicKey,
}

impl Channel {
    pub(super) fn new(node: Node, pinned: &Pinned) -> Result<Self, NodeError> {
        let certificate = STANDARD.decode(&pinned.root_certificate);
        let certificate =
            certificate.map_err(|_| NodeError::Untrusted("its certificate is damaged"))?;
        let client = FederationClient::new(&pinned.hub_url, &certificate)?;
        Ok(Self {
            node,
            client,
            root_key: pinned.root_key,
        })
    }

    /// Sends a body and gives back the answer's.
    pub(super) async fn call<B: Body + Clone, R: Body>(
        &self,
        path: &str,
        body: B,
        timeout: Duration,
    ) -> Result<R, NodeError> {
        match self.call_once(path, body.clone(), timeout).await {
            Err(NodeError::Hub(ClientError::Problem(problem))) if problem.code == RESEND => {
                self.call_once(path, body, timeout).await
            }
            other => other,
        }
    }

    async fn call_once<B: Body, R: Body>(
        &self,
        path: &str,
        body: B,
        timeout: Duration,
    ) -> Result<R, NodeError> {
        let message = Message::new(self.node.id(), None, self.node.now(), body);
        let signed = Signed::new(&message, &self.node.keys().signing);
        let answer = self.client.call::<B, R>(path, &signed, timeout).await?;
        let wanted = Wanted {
            node: self.node.id(),
            reply_to: message.id,
            now: self.node.now(),
        };
        verified(&answer, &self.root_key, &wanted)
    }
}

/// What an answer must be.
struct Wanted {
    node: NodeId,
    reply_to: MessageId,
    now: DateTime<Utc>,
}

fn verified<R: Body>(
    answer: &Signed<Message<R>>,
    root_key: &PublicKey,
    wanted: &Wanted,
) -> Result<R, NodeError> {
    let message = answer
        .verify(root_key)
        .map_err(|_| NodeError::Untrusted("it is not signed by the federation"))?;
    if message.node != wanted.node {
        return Err(NodeError::Untrusted("it is for another node"));
    }
    if message.reply_to != Some(wanted.reply_to) {
        return Err(NodeError::Untrusted("it answers another message"));
    }
    if message.expires_at < wanted.now || message.issued_at > wanted.now + MESSAGE_LIFETIME {
        return Err(NodeError::Untrusted(
            "its time is over or has not come: compare the clocks",
        ));
    }
    Ok(message.body)
}

#[cfg(test)]
mod tests {
    use arno_domain::{MessageId, NodeId, SecretKey, Signed};
    use arno_protocol::federation::{Message, Receipt};
    use chrono::{Duration, Utc};

    use super::{Wanted, verified};

    fn check(change: impl Fn(&mut Message<Receipt>), signer: u8, expect: Option<&str>) {
        let (root, now) = (SecretKey::from_seed(&[1; 32]), Utc::now());
        let (node, reply_to) = (NodeId::new(), MessageId::new());
        let mut message = Message::new(node, Some(reply_to), now, Receipt {});
        change(&mut message);
        let answer = Signed::new(&message, &SecretKey::from_seed(&[signer; 32]));
        let found = verified(
            &answer,
            &root.public(),
            &Wanted {
                node,
                reply_to,
                now,
            },
        );
        match expect {
            None => assert!(found.is_ok()),
            Some(expect) => assert!(found.unwrap_err().to_string().contains(expect), "{expect}"),
        }
    }

    #[test]
    fn only_the_federations_fresh_answer_to_this_message_is_believed() {
        check(|_| {}, 1, None);
        check(|_| {}, 2, Some("not signed by the federation"));
        check(
            |message| message.node = NodeId::new(),
            1,
            Some("another node"),
        );
        check(
            |message| message.reply_to = Some(MessageId::new()),
            1,
            Some("another message"),
        );
        check(
            |message| message.reply_to = None,
            1,
            Some("another message"),
        );
        check(
            |message| message.expires_at -= Duration::hours(1),
            1,
            Some("time is over"),
        );
        check(
            |message| message.issued_at += Duration::hours(1),
            1,
            Some("time is over"),
        );
    }
}
