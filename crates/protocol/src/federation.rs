//! Messages between a node and the hub. The node always calls; every message is a [`Signed`] document.
//!
//! ```text
//! POST /federation/v1/join       Signed<Message<Join>>     → Signed<Message<Membership>>
//! POST /federation/v1/poll       Signed<Message<Poll>>     → Signed<Message<Delivery>>   (waits)
//! POST /federation/v1/answers    Signed<Message<Answer>>   → Signed<Message<Receipt>>
//! POST /federation/v1/datasets   Signed<Message<Publish>>  → Signed<Message<Receipt>>
//! POST /federation/v1/manifest   Signed<Message<Declare>>  → Signed<Message<Receipt>>
//! ```
//! A message names its receiver's node, an id and an expiry; the receiver refuses strangers, what is expired and
//! what it has seen. Losing, doubling or delaying one does no harm: a question is answered once and its stored
//! answer is sent again as often as it is asked for.
//!
//! Hub and nodes are upgraded at different times. **What somebody says** (an answer, a poll, a manifest, a receipt) may have fields that
//! its reader does not know, which are passed over: a new field adds to what the others say and never changes what they mean. **What
//! somebody asks, allows, or computes with** (questions, permits, cards, dataset records, masked vectors) is refused where anything in it
//! is unknown: it might be a limit. A new field there is left out wherever it says what was meant before. Where a meaning changes, the
//! number in [`Body::KIND`] rises.

use arno_domain::{
    AgreementKey, AnalysisId, Document, MessageId, NodeId, PublicKey, QuestionId, SearchId, Signed,
    cohort::{Cohort, Facet},
    dataset::DatasetRecord,
    hex,
    manifest::Manifest,
    permit::{Permit, Revocation},
};
use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::{
    Base64,
    analyses::LogisticModel,
    search::{ExactSite, SiteCounts},
};

/// How long a message is good for: covers slow lines and clocks that differ by a minute.
pub const MESSAGE_LIFETIME: Duration = Duration::seconds(120);

/// The longest that the hub holds a poll open.
pub const MAX_POLL_WAIT_MS: u64 = 25_000;

/// Largest message that either side reads: four score histograms of 1,024 bins and two classes take 300 KB.
pub const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

/// The body of a message, with the name that separates its signature from all others.
pub trait Body: Serialize + DeserializeOwned {
    /// Such as `arno/message/poll/1`.
    const KIND: &'static str;
}

/// A message between one node and the hub.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message<B> {
    /// Its id, new for every sending.
    pub id: MessageId,
    /// The node at this end of the line: the author, or for the hub's messages the receiver.
    pub node: NodeId,
    /// The message that this one answers.
    pub reply_to: Option<MessageId>,
    /// When it was written.
    pub issued_at: DateTime<Utc>,
    /// After this it is refused.
    pub expires_at: DateTime<Utc>,
    /// What it says.
    pub body: B,
}

impl<B> Message<B> {
    /// A message written now.
    pub fn new(node: NodeId, reply_to: Option<MessageId>, now: DateTime<Utc>, body: B) -> Self {
        Self {
            id: MessageId::new(),
            node,
            reply_to,
            issued_at: now,
            expires_at: now + MESSAGE_LIFETIME,
            body,
        }
    }
}

impl<B: Body> Document for Message<B> {
    const KIND: &'static str = B::KIND;
}

/// A node asks to join, with the code of its invitation. Signed with the key that it names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Join {
    /// The one-time code.
    pub code: String,
    /// What the node says of itself, signed by itself: the hub hands it on to the other participants of a round.
    pub card: Signed<NodeCard>,
}

/// What a node says of itself; its own signature makes it binding.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCard {
    /// The node's id, chosen by itself.
    pub node: NodeId,
    /// The site's name.
    pub name: String,
    /// Its town.
    pub city: String,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Signs its messages.
    pub signing_key: PublicKey,
    /// Masks its contributions.
    pub agreement_key: AgreementKey,
    /// Version of its program.
    pub software: String,
}

impl Document for NodeCard {
    const KIND: &'static str = "arno/node-card/1";
}

impl Body for Join {
    const KIND: &'static str = "arno/message/join/1";
}

/// The node is a member.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Membership {
    /// The federation's name.
    pub federation: String,
    /// When it was admitted.
    pub joined_at: DateTime<Utc>,
}

impl Body for Membership {
    const KIND: &'static str = "arno/message/membership/1";
}

/// A node asks for work.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Poll {
    /// How long to hold the line when there is none.
    pub wait_ms: u64,
    /// Version of the node's program.
    pub software: String,
    /// Instances that the node keeps, for the operator's page.
    pub instances: u64,
}

impl Body for Poll {
    const KIND: &'static str = "arno/message/poll/1";
}

/// All questions that the node has not answered yet, oldest first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The questions.
    pub questions: Vec<Question>,
}

impl Body for Delivery {
    const KIND: &'static str = "arno/message/delivery/1";
}

/// One question to one node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// Its id; it is answered once.
    pub id: QuestionId,
    /// After this no answer is awaited.
    pub expires_at: DateTime<Utc>,
    /// What is asked.
    pub body: QuestionBody,
}

impl Question {
    /// SHA-256 of the question's JSON, hexadecimal: what an [`Answer`] names. Numbers are read exactly
    /// (`float_roundtrip`), so that hub and node write the same text.
    ///
    /// # Panics
    /// Never: questions are plain data.
    #[must_use]
    pub fn sha256(&self) -> String {
        let json = serde_json::to_vec(self).expect("questions are plain data");
        hex::encode(&Sha256::digest(json))
    }
}

/// What can be asked of a node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum QuestionBody {
    /// How many match?
    Search {
        /// The federated search.
        search: SearchId,
        /// Who asks.
        data_user: String,
        /// What to count.
        cohort: Cohort,
        /// A panel of facets: what the patients are counted by besides. It costs its share of the budget.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        facets: Vec<Facet>,
    },
    /// How many match exactly, within the datasets of a permit?
    Count(CountQuestion),
    /// A masked, noisy part of the total of a search.
    Total(TotalQuestion),
    /// Help to take the masks off the total of a search.
    UnmaskTotal {
        /// The search.
        search: SearchId,
        /// An `UnmaskRequest` of `arno-learning` as JSON.
        request: Base64,
    },
    /// A masked contribution to one round.
    Round(RoundQuestion),
    /// Help to take the masks off a round's total.
    Unmask(UnmaskQuestion),
    /// A model fitted on this site's training patients alone.
    LocalModel {
        /// The analysis.
        analysis: AnalysisId,
        /// Who asks.
        data_user: String,
        /// The permit.
        permit: Option<Signed<Permit>>,
        /// The sites that take part.
        sites: u32,
    },
    /// A permit was taken back.
    Revoke(Signed<Revocation>),
}

/// A search that is counted exactly under a permit. It is a question of its own, so that no node and no hub takes one for the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountQuestion {
    /// The search.
    pub search: SearchId,
    /// Who asks.
    pub data_user: String,
    /// What to count.
    pub cohort: Cohort,
    /// A panel of facets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<Facet>,
    /// The permit.
    pub permit: Option<Signed<Permit>>,
}

/// The total of a search over these sites.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TotalQuestion {
    /// The search.
    pub search: SearchId,
    /// Who asks.
    pub data_user: String,
    /// What to count.
    pub cohort: Cohort,
    /// All nodes whose parts are added, sorted by id, each with its own signed card.
    pub participants: Vec<Signed<NodeCard>>,
}

impl TotalQuestion {
    /// Values of one part: patients, studies and series, and the variance of the noise in each.
    pub const LEN: usize = 6;

    /// The only round of a total.
    pub const ROUND: u32 = 1;

    /// The `question` of the secure aggregation's `RoundContext`: SHA-256 of the cohort's normal form, labelled, so that no mask
    /// serves a total and a round of training.
    #[must_use]
    pub fn sha256(cohort: &Cohort) -> [u8; 32] {
        Sha256::digest(format!("arno total of {}", cohort.digest())).into()
    }
}

/// One round of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundQuestion {
    /// The analysis.
    pub analysis: AnalysisId,
    /// Rises by one; a node contributes once to each.
    pub round: u32,
    /// Who asks.
    pub data_user: String,
    /// The permit.
    pub permit: Option<Signed<Permit>>,
    /// All nodes whose contributions are added, sorted by id, each with its own signed card.
    pub participants: Vec<Signed<NodeCard>>,
    /// What to compute.
    pub task: RoundTask,
}

/// What a contribution consists of. The vectors are those of `arno-learning`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RoundTask {
    /// Counts, sums and sums of squares of the features over training nodules.
    Moments,
    /// Log-likelihood, gradient and Hessian at these coefficients over training nodules.
    Newton(LogisticModel),
    /// Score histograms of these models over test nodules, one after the other.
    Evaluate(Vec<LogisticModel>),
}

impl RoundTask {
    /// SHA-256 of the task's JSON: the `question` of the secure aggregation's `RoundContext`, at the hub and at
    /// the nodes, so that no mask serves two tasks.
    ///
    /// # Panics
    /// Never: tasks are plain data.
    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        let json = serde_json::to_vec(self).expect("tasks are plain data");
        Sha256::digest(json).into()
    }
}

/// The hub names who contributed and who did not; each survivor helps once per round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnmaskQuestion {
    /// The analysis.
    pub analysis: AnalysisId,
    /// The round.
    pub round: u32,
    /// An `UnmaskRequest` of `arno-learning` as JSON.
    pub request: Base64,
}

/// A node's answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    pub question: QuestionId,
    /// SHA-256 of the question's JSON, so that an answer cannot be moved to another question.
    pub question_sha256: String,
    /// What the node says.
    pub body: AnswerBody,
}

impl Body for Answer {
    const KIND: &'static str = "arno/message/answer/1";
}

/// What a node can say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerBody {
    /// Protected counts.
    Counts(SiteCounts),
    /// Exact counts under a permit.
    Exact(ExactSite),
    /// A `Contribution` of `arno-learning` as JSON.
    Contribution {
        /// Masked vector and sealed shares.
        payload: Base64,
    },
    /// An `Unmasking` of `arno-learning` as JSON.
    Unmasking {
        /// Seeds and shares.
        payload: Base64,
    },
    /// The site's own model.
    LocalModel {
        /// The model.
        model: LogisticModel,
    },
    /// Done, nothing to say.
    Accepted,
    /// Refused by a rule of the node.
    Refused {
        /// A stable word for programs.
        code: String,
        /// Why, for people.
        reason: String,
    },
    /// Tried and not achieved.
    Failed {
        /// Why, without patient data.
        reason: String,
    },
}

/// The hub has it, durably.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {}

impl Body for Receipt {
    const KIND: &'static str = "arno/message/receipt/1";
}

/// A node publishes a dataset version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// The record, signed by the node.
    pub record: Signed<DatasetRecord>,
}

impl Body for Publish {
    const KIND: &'static str = "arno/message/publish/1";
}

/// A node says what it can be asked about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declare {
    /// The manifest as the node signed it; the newest counts.
    pub manifest: Signed<Manifest>,
}

impl Body for Declare {
    const KIND: &'static str = "arno/message/declare/1";
}
