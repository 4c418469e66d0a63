//! The server: accepts associations and serves C-ECHO, C-STORE, C-FIND, C-GET, C-MOVE (PS3.7 section 9.1) and storage
//! commitment (section 10.1), each association in its own task.
//!
//! Memory is bounded by [`ServerConfig`]: data sets that all associations receive share one budget; what is over it, or
//! over the limit for one instance, is read to its end, dropped and answered with "out of resources", so that the peer
//! goes on with the next instance. Data sets that are sent wait for room in another. Time is bounded for every PDU,
//! answer and call of a handler.

mod association;
mod commit;
mod config;
mod dispatch;
mod find;
mod get;
mod moving;
mod negotiate;
mod operation;
mod plan;
mod retrieve;
mod server;
mod service;
mod store;
mod suboperations;

pub use crate::link::{Link, QuickAck};
pub use commit::{CommitHandler, CommitOutcome, CommitRefusal, CommitReport, CommitRequest};
pub use config::{
    AllowedSource, CalledAe, CallingAe, ConfigError, PrivateClasses, ServerConfig, Timeouts,
};
pub use find::{Answers, FindHandler, FindRequest, NotWanted, QueryFailure};
pub use retrieve::{
    NotOpened, OpenRequest, Opened, RetrieveHandler, RetrieveRequest, Selected, Target,
};
pub use server::Server;
pub use service::{Extension, Model, Service, Services};
pub use store::{StoreHandler, StoreRequest, StoreStatus};
