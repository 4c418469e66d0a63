//! The server: accepts associations and serves C-ECHO and C-STORE (PS3.7 section 9.1), each association in its own task.
//!
//! Memory is bounded by [`ServerConfig`]: data sets of all associations share one budget; what is over it, or over the
//! limit for one instance, is read to its end, dropped and answered with "out of resources", so that the peer goes on
//! with the next instance. Time is bounded for every PDU, answer and call of the handler.

mod association;
mod budget;
mod config;
mod link;
mod message;
mod negotiate;
mod server;
mod store;
mod transport;

pub use config::{
    AllowedSource, CalledAe, CallingAe, ConfigError, PrivateClasses, QuickAck, ServerConfig,
    Timeouts,
};
pub use link::Link;
pub use server::Server;
pub use store::{StoreHandler, StoreRequest, StoreStatus};
