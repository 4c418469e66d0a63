//! Typed ids: a prefix that says what it names and a UUID (RFC 9562 version 7, so that ids sort by time).
//!
//! An id is made by `new` or by parsing and by nothing else; ids of two kinds cannot be confused.

use std::{fmt, marker::PhantomData, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use uuid::Uuid;

/// What an id names; the prefix stands before the UUID in text.
pub trait Kind: 'static {
    /// The text before the underscore.
    const PREFIX: &'static str;
}

/// An id of the kind `K`, written as `<prefix>_<32 hexadecimal digits>`.
pub struct Id<K>(Uuid, PhantomData<fn() -> K>);

/// A text that is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an id of the form {prefix}_ followed by 32 hexadecimal digits")]
pub struct IdError {
    prefix: &'static str,
}

impl<K: Kind> Id<K> {
    /// A new id, unlike any other.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7(), PhantomData)
    }

    /// The sixteen bytes behind the prefix.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

impl<K: Kind> Default for Id<K> {
    fn default() -> Self {
        Self::new()
    }
}

impl<K> Clone for Id<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Id<K> {}

impl<K> PartialEq for Id<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Id<K> {}

impl<K> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Id<K> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> std::hash::Hash for Id<K> {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}", K::PREFIX, self.0.simple())
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl<K: Kind> FromStr for Id<K> {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let error = IdError { prefix: K::PREFIX };
        let (prefix, digits) = text.split_once('_').ok_or(error.clone())?;
        if prefix != K::PREFIX || digits.len() != 32 {
            return Err(error);
        }
        Uuid::try_parse(digits)
            .map(|uuid| Self(uuid, PhantomData))
            .map_err(|_| error)
    }
}

impl<K: Kind> Serialize for Id<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Id<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl<K: Kind> utoipa::PartialSchema for Id<K> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl<K: Kind> utoipa::ToSchema for Id<K> {}

/// Names a node.
pub enum NodeKind {}
/// Names a question from the hub to one node.
pub enum QuestionKind {}
/// Names a signed message.
pub enum MessageKind {}
/// Names a federated search.
pub enum SearchKind {}
/// Names a dataset version.
pub enum DatasetKind {}
/// Names an access request.
pub enum RequestKind {}
/// Names a permit.
pub enum PermitKind {}
/// Names an analysis.
pub enum AnalysisKind {}
/// Names an invitation.
pub enum InvitationKind {}

impl Kind for NodeKind {
    const PREFIX: &'static str = "node";
}
impl Kind for QuestionKind {
    const PREFIX: &'static str = "question";
}
impl Kind for MessageKind {
    const PREFIX: &'static str = "message";
}
impl Kind for SearchKind {
    const PREFIX: &'static str = "search";
}
impl Kind for DatasetKind {
    const PREFIX: &'static str = "dataset";
}
impl Kind for RequestKind {
    const PREFIX: &'static str = "request";
}
impl Kind for PermitKind {
    const PREFIX: &'static str = "permit";
}
impl Kind for AnalysisKind {
    const PREFIX: &'static str = "analysis";
}
impl Kind for InvitationKind {
    const PREFIX: &'static str = "invitation";
}

/// A node of the federation.
pub type NodeId = Id<NodeKind>;
/// A question put to one node.
pub type QuestionId = Id<QuestionKind>;
/// A signed message.
pub type MessageId = Id<MessageKind>;
/// A federated search.
pub type SearchId = Id<SearchKind>;
/// A dataset version.
pub type DatasetId = Id<DatasetKind>;
/// An access request.
pub type RequestId = Id<RequestKind>;
/// A permit.
pub type PermitId = Id<PermitKind>;
/// A federated analysis.
pub type AnalysisId = Id<AnalysisKind>;
/// An invitation to join the federation.
pub type InvitationId = Id<InvitationKind>;

#[cfg(test)]
mod tests {
    use super::{NodeId, PermitId};

    #[test]
    fn text_and_id_are_one_thing() {
        let id = NodeId::new();
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(
            serde_json::from_str::<NodeId>(&serde_json::to_string(&id).unwrap()).unwrap(),
            id
        );
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let permit = PermitId::new().to_string();
        assert!(permit.parse::<NodeId>().is_err());
        for text in [
            "",
            "node_",
            "node_1",
            "node-00000000000000000000000000000000",
        ] {
            assert!(text.parse::<NodeId>().is_err(), "{text}");
        }
    }
}
