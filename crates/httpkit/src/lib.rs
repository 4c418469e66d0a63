//! What hub and node share: sign-in, errors, the embedded web app, serving, shutdown, logging.

mod auth;
mod description;
mod error;
mod logging;
mod password;
mod serve;
mod web;

pub use auth::{Auth, SignedIn, session_routes};
pub use description::{described, with_description};
pub use error::{ApiError, ApiJson, ApiQuery, ApiResult};
pub use logging::init_logging;
pub use password::{hash_password, verify_password};
pub use serve::{bind_next, serve, serve_tls, unused_port};
pub use web::with_web_app;
