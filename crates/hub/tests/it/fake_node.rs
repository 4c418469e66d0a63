//! A node of which only the line to the hub is real: it signs, polls and answers as it is told.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex},
    time::Duration,
};

use arno_client::{ClientError, FederationClient};
use arno_domain::{
    AgreementKey, NodeId, PublicKey, QuestionId, SecretKey, Signed, invitation::Invitation,
};
use arno_protocol::federation::{
    Answer, AnswerBody, Body, Delivery, Join, Membership, Message, NodeCard, Poll, Question,
    Receipt,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::Utc;
use tokio::{sync::watch, task::JoinHandle};

use crate::support::TestHub;

#[derive(Clone)]
pub(crate) struct FakeNode {
    pub(crate) id: NodeId,
    pub(crate) key: SecretKey,
    pub(crate) agreement_secret: [u8; 32],
    pub(crate) root_key: PublicKey,
    pub(crate) root_certificate: Vec<u8>,
    pub(crate) address: watch::Receiver<String>,
    /// All questions that came, with the digest of their text.
    pub(crate) asked: Arc<Mutex<HashMap<QuestionId, String>>>,
}

/// What a node does with a question; `None` means that the machine is switched off.
pub(crate) type Behaviour = Box<dyn FnMut(&Question) -> Option<AnswerBody> + Send>;

impl FakeNode {
    /// A node that trusts the invitation and has not joined.
    pub(crate) fn new(hub: &TestHub, seed: u8, invitation: &Invitation) -> Self {
        Self {
            id: NodeId::new(),
            key: SecretKey::from_seed(&[seed; 32]),
            agreement_secret: [seed + 100; 32],
            root_key: invitation.root_key,
            root_certificate: STANDARD.decode(&invitation.root_certificate).unwrap(),
            address: hub.address.subscribe(),
            asked: Arc::default(),
        }
    }

    /// A node that is a member.
    pub(crate) async fn joined(hub: &TestHub, seed: u8) -> Self {
        let invitation = hub.invitation().await;
        let node = Self::new(hub, seed, &invitation);
        node.join(&invitation.code).await.unwrap();
        node
    }

    pub(crate) fn card(&self) -> NodeCard {
        NodeCard {
            node: self.id,
            name: format!("Hospital {}", self.key.seed()[0]),
            city: "Aarhus".into(),
            country: "DK".into(),
            latitude: 56.2,
            longitude: 10.2,
            signing_key: self.key.public(),
            agreement_key: AgreementKey::of_secret(&self.agreement_secret),
            software: "test".into(),
        }
    }

    pub(crate) fn client(&self) -> FederationClient {
        FederationClient::new(&self.address.borrow(), &self.root_certificate).unwrap()
    }

    pub(crate) fn message<B: Body>(&self, body: B) -> Signed<Message<B>> {
        Signed::new(&Message::new(self.id, None, Utc::now(), body), &self.key)
    }

    /// Sends a message and verifies the hub's signature.
    pub(crate) async fn send<B: Body, R: Body>(
        &self,
        path: &str,
        message: &Signed<Message<B>>,
    ) -> Result<R, ClientError> {
        let reply = self
            .client()
            .call::<B, R>(path, message, Duration::from_secs(30))
            .await?;
        let reply = reply.verify(&self.root_key).unwrap();
        assert_eq!(
            (reply.node, reply.reply_to),
            (self.id, Some(message.unverified().unwrap().id))
        );
        Ok(reply.body)
    }

    pub(crate) async fn join(&self, code: &str) -> Result<Membership, ClientError> {
        self.join_as(code, Signed::new(&self.card(), &self.key))
            .await
    }

    /// Joins with a card that may not be its own.
    pub(crate) async fn join_as(
        &self,
        code: &str,
        card: Signed<NodeCard>,
    ) -> Result<Membership, ClientError> {
        let join = Join {
            code: code.into(),
            card,
        };
        self.send("/federation/v1/join", &self.message(join)).await
    }

    pub(crate) async fn poll(&self, wait_ms: u64) -> Result<Vec<Question>, ClientError> {
        let poll = self.message(Poll {
            wait_ms,
            software: "test".into(),
            instances: 7,
        });
        let delivery: Delivery = self.send("/federation/v1/poll", &poll).await?;
        for question in &delivery.questions {
            let mut asked = self.asked.lock().unwrap();
            let known = asked
                .entry(question.id)
                .or_insert_with(|| question.sha256());
            assert_eq!(*known, question.sha256(), "a question never changes");
        }
        Ok(delivery.questions)
    }

    pub(crate) async fn answer(
        &self,
        question: &Question,
        body: AnswerBody,
    ) -> Result<Receipt, ClientError> {
        let answer = Answer {
            question: question.id,
            question_sha256: question.sha256(),
            body,
        };
        self.send("/federation/v1/answers", &self.message(answer))
            .await
    }

    /// Polls and answers until it is aborted or switched off. Like a real node it keeps each answer and polls on
    /// while it works, so that its line is open whenever it lives.
    pub(crate) fn serve(&self, mut behaviour: Behaviour) -> JoinHandle<()> {
        let node = self.clone();
        tokio::spawn(async move {
            let mut kept: HashMap<QuestionId, AnswerBody> = HashMap::new();
            let mut address = node.address.clone();
            loop {
                let polled = tokio::select! {
                    polled = node.poll(20_000) => polled,
                    // The hub was restarted elsewhere.
                    _ = address.changed() => continue,
                };
                let Ok(questions) = polled else {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    continue;
                };
                for question in questions {
                    if let Entry::Vacant(place) = kept.entry(question.id) {
                        let Some(answer) = behaviour(&question) else {
                            return;
                        };
                        place.insert(answer);
                    }
                    // Whatever is lost is asked for again.
                    let _ = node.answer(&question, kept[&question.id].clone()).await;
                }
            }
        })
    }
}
