//! Arno's pure rules: ids, signatures, cohorts, disclosure, datasets, permits, audit. No I/O, no async.
//!
//! Every rule that decides something lives here, so that it can be read and tested without a server.
//! Serialisation derives stand on the documents that are signed, because their text *is* their identity;
//! everything else that crosses a wire is in `arno-protocol`.

pub mod audit;
pub mod clock;
pub mod cohort;
pub mod country;
pub mod dataset;
pub mod disclosure;
pub mod hex;
pub mod ids;
pub mod invitation;
pub mod keys;
pub mod manifest;
pub mod model;
pub mod permit;
pub mod quality;
pub mod signed;
pub mod survival;

pub use clock::Clock;
pub use ids::{
    AnalysisId, DatasetId, InvitationId, MessageId, NodeId, PermitId, QuestionId, RequestId,
    SearchId,
};
pub use keys::{AgreementKey, PublicKey, SecretKey};
pub use signed::{Document, Signed};
