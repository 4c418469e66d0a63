//! TLS for associations: the BCP 195 profiles of PS3.15 annex B, that is TLS 1.3 and 1.2 with forward secrecy and
//! authenticated encryption, which is all that rustls speaks. Certificates and keys come as PEM.
//!
//! Not here: making certificates, and looking for revoked ones.

use std::fmt;
use std::io;
use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server};

use crate::link::Link;

/// Our certificate and its key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

/// Who may connect to us.
#[derive(Debug, Clone, Copy)]
pub enum Clients<'a> {
    /// Anybody.
    Any,
    /// Who shows a certificate of one of these authorities (PEM).
    WithCertificate(&'a [u8]),
}

/// TLS for connections that we accept.
#[derive(Clone)]
pub struct ServerTls(TlsAcceptor);

/// TLS for connections that we make.
#[derive(Clone)]
pub struct ClientTls(TlsConnector);

/// Why there is no TLS with these files.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// It must hold the server's certificate, then those of its issuers.
    #[error("the certificate file holds no PEM certificate, or a damaged one")]
    Certificate,
    /// PKCS #8, PKCS #1 or SEC 1, not encrypted.
    #[error("the key file holds no unencrypted PEM private key")]
    Key,
    /// The certificates of authorities.
    #[error("the authority file holds no usable PEM certificate")]
    Authorities,
    /// Certificate and key do not belong together, or are of a kind that is not supported.
    #[error("certificate and key cannot be used")]
    Unusable(#[source] rustls::Error),
}

impl Identity {
    /// Reads a chain of certificates, our own first, and the key.
    ///
    /// # Errors
    /// Either is not there.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(chain).ok_or(TlsError::Certificate)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| TlsError::Key)?;
        Ok(Self { chain, key })
    }
}

/// Does not show the key.
impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity")
    }
}

impl ServerTls {
    /// TLS with our certificate.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(identity: Identity, clients: Clients<'_>) -> Result<Self, TlsError> {
        let builder = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?;
        let builder = match clients {
            Clients::Any => builder.with_no_client_auth(),
            Clients::WithCertificate(authorities) => {
                builder.with_client_cert_verifier(verifier(authorities)?)
            }
        };
        let config = builder
            .with_single_cert(identity.chain, identity.key)
            .map_err(TlsError::Unusable)?;
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(crate) async fn accept<L: Link>(&self, link: L) -> io::Result<server::TlsStream<L>> {
        self.0.accept(link).await
    }
}

impl ClientTls {
    /// TLS to peers whose certificates are of one of these authorities (PEM), with our own certificate if they ask.
    ///
    /// # Errors
    /// The certificates cannot be used.
    pub fn new(authorities: &[u8], identity: Option<Identity>) -> Result<Self, TlsError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?
            .with_root_certificates(roots(authorities)?);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(Identity { chain, key }) => builder
                .with_client_auth_cert(chain, key)
                .map_err(TlsError::Unusable)?,
        };
        Ok(Self(TlsConnector::from(Arc::new(config))))
    }

    /// The host as certificates name it: a DNS name or an address.
    pub(crate) fn name(&self, host: &str) -> Option<ServerName<'static>> {
        ServerName::try_from(host.to_owned()).ok()
    }

    pub(crate) async fn connect<L: Link>(
        &self,
        name: ServerName<'static>,
        link: L,
    ) -> io::Result<client::TlsStream<L>> {
        self.0.connect(name, link).await
    }
}

impl fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerTls")
    }
}

impl fmt::Debug for ClientTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientTls")
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn verifier(authorities: &[u8]) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let roots = Arc::new(roots(authorities)?);
    let builder = WebPkiClientVerifier::builder_with_provider(roots, provider());
    builder.build().map_err(|_| TlsError::Authorities)
}

fn roots(pem: &[u8]) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem).ok_or(TlsError::Authorities)? {
        roots.add(certificate).map_err(|_| TlsError::Authorities)?;
    }
    Ok(roots)
}

/// All certificates, if there is one and none is damaged.
fn certificates(pem: &[u8]) -> Option<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    certificates.ok().filter(|found| !found.is_empty())
}
