//! A node's way to its hub: signed messages over TLS that trusts the invitation's root certificate alone.

use std::time::Duration;

use arno_domain::Signed;
use arno_protocol::federation::{Body, MAX_MESSAGE_BYTES, Message};
use rustls::pki_types::CertificateDer;

use crate::{ClientError, api, bounded, builder, tls};

/// Speaks to one hub.
#[derive(Debug, Clone)]
pub struct FederationClient {
    base: reqwest::Url,
    http: reqwest::Client,
}

impl FederationClient {
    /// `hub_url` is `https://host:port`; the certificate is the federation's root in DER.
    ///
    /// # Errors
    /// When the address is no HTTPS address or the certificate is none.
    pub fn new(hub_url: &str, root_certificate_der: &[u8]) -> Result<Self, ClientError> {
        let base = api::base_url(hub_url)?;
        if base.scheme() != "https" {
            return Err(ClientError::Address(format!("{hub_url} (https is wanted)")));
        }
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from(root_certificate_der.to_vec()))
            .map_err(ClientError::Tls)?;
        let http = builder()
            .tls_backend_preconfigured(tls(roots)?)
            .https_only(true)
            .build()?;
        Ok(Self { base, http })
    }

    /// Sends one message and reads the answer, which the caller verifies.
    ///
    /// # Errors
    /// See [`ClientError`]; all but a problem may be tried again with a message signed anew.
    pub async fn call<B: Body, R: Body>(
        &self,
        path: &str,
        message: &Signed<Message<B>>,
        timeout: Duration,
    ) -> Result<Signed<Message<R>>, ClientError> {
        let url = self
            .base
            .join(path)
            .map_err(|_| ClientError::Address(path.to_owned()))?;
        let response = self
            .http
            .post(url)
            .json(message)
            .timeout(timeout)
            .send()
            .await?;
        let status = response.status();
        let bytes = bounded(response, MAX_MESSAGE_BYTES).await?;
        api::parse(status, &bytes)
    }
}
