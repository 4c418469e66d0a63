//! The rows of a hub and of a node, and the series packs. The only writer of SQL.
//!
//! SQL is portable (ids and times as TEXT, bool as SMALLINT, `$1`), so that the embedded SQLite can give way to
//! PostgreSQL through sqlx `Any`. One writer at a time: writes queue on a lock instead of failing as busy.

mod accounts;
mod audit;
mod database;
mod error;
pub mod hub;
mod migrations;
pub mod node;
mod settings;

pub use accounts::{Account, NewSession};
pub use database::{Database, WriteTx};
pub use error::StoreError;
pub use migrations::Migration;
