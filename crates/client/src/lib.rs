//! The typed HTTP client: a node's signed messages to the hub, and the public APIs. The only outbound TLS.
//!
//! reqwest sets `TCP_NODELAY` by default. No proxy is read from the environment and no redirect is followed: a
//! hub is where its invitation says.

mod api;
mod error;
mod federation;
mod objects;

pub use api::ApiClient;
pub use error::ClientError;
pub use federation::FederationClient;
pub use objects::{ListedObject, MAX_LISTED_OBJECTS, ObjectAccess, ObjectBucket, ObjectError};
pub use rusty_s3::Credentials;

use std::time::Duration;

/// A connection that is not there after this will not come.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(CONNECT_TIMEOUT)
        .user_agent(concat!("arno/", env!("CARGO_PKG_VERSION")))
}

/// TLS 1.3 that trusts these certificates and no others.
fn tls(roots: rustls::RootCertStore) -> Result<rustls::ClientConfig, ClientError> {
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(ClientError::Tls)?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Reads an answer into memory, but no more than `limit`.
async fn bounded(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, ClientError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(ClientError::from)? {
        if bytes.len() + chunk.len() > limit {
            return Err(ClientError::TooLarge { limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
