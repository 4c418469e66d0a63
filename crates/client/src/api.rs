//! The public API of a hub or a node, for people's programs.

use std::time::Duration;

use arno_protocol::Problem;
use reqwest::{Method, StatusCode, Url};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ClientError, bounded, builder, tls};

/// Larger than any page of the API.
const MAX_ANSWER_BYTES: usize = 64 * 1024 * 1024;

/// The slowest call is a search, which the hub answers at once and fills in later.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Speaks to one hub or node in the name of one account.
#[derive(Debug, Clone)]
pub struct ApiClient {
    base: Url,
    token: Option<String>,
    http: reqwest::Client,
}

impl ApiClient {
    /// `base_url` is such as `http://localhost:8080`; without a token only what is public can be asked.
    ///
    /// # Errors
    /// When the address is none.
    pub fn new(base_url: &str, token: Option<String>) -> Result<Self, ClientError> {
        let base = self::base_url(base_url)?;
        // Plain HTTP on localhost needs no root; a hub behind a public certificate is named by its own proxy.
        let http = builder()
            .tls_backend_preconfigured(tls(rustls::RootCertStore::empty())?)
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { base, token, http })
    }

    /// The server's address.
    #[must_use]
    pub fn base_url(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// Reads.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        self.send(Method::GET, path, None::<&()>).await
    }

    /// Makes something.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn post<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Sets something.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn put<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        path: &str,
        body: &B,
    ) -> Result<T, ClientError> {
        self.send(Method::PUT, path, Some(body)).await
    }

    /// Reads bytes that are not JSON, such as a frame.
    ///
    /// # Errors
    /// See [`ClientError`].
    pub async fn bytes(&self, path: &str) -> Result<Vec<u8>, ClientError> {
        let response = self.request(Method::GET, path)?.send().await?;
        let status = response.status();
        let bytes = bounded(response, MAX_ANSWER_BYTES).await?;
        if status.is_success() {
            Ok(bytes)
        } else {
            Err(failure(status, &bytes))
        }
    }

    fn request(&self, method: Method, path: &str) -> Result<reqwest::RequestBuilder, ClientError> {
        let url = self
            .base
            .join(path)
            .map_err(|_| ClientError::Address(path.to_owned()))?;
        let request = self.http.request(method, url);
        Ok(match &self.token {
            Some(token) => request.bearer_auth(token),
            None => request,
        })
    }

    async fn send<B: Serialize + Sync, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&B>,
    ) -> Result<T, ClientError> {
        let url = self
            .base
            .join(path)
            .map_err(|_| ClientError::Address(path.to_owned()))?;
        let mut request = self.http.request(method, url);
        if let Some(token) = &self.token {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        let response = request.send().await?;
        let status = response.status();
        parse(status, &bounded(response, MAX_ANSWER_BYTES).await?)
    }
}

/// Parses an address and makes sure that paths can be joined to it.
pub(crate) fn base_url(text: &str) -> Result<Url, ClientError> {
    let url = Url::parse(text).map_err(|_| ClientError::Address(text.to_owned()))?;
    if matches!(url.scheme(), "http" | "https") && url.has_host() {
        return Ok(url);
    }
    Err(ClientError::Address(text.to_owned()))
}

/// An answer of the wanted form, a problem, or neither.
pub(crate) fn parse<T: DeserializeOwned>(
    status: StatusCode,
    bytes: &[u8],
) -> Result<T, ClientError> {
    if !status.is_success() {
        return Err(failure(status, bytes));
    }
    let bytes = if bytes.is_empty() { b"null" } else { bytes };
    serde_json::from_slice(bytes).map_err(|_| ClientError::Unexpected {
        status: status.as_u16(),
    })
}

fn failure(status: StatusCode, bytes: &[u8]) -> ClientError {
    match serde_json::from_slice::<Problem>(bytes) {
        Ok(problem) => ClientError::Problem(problem),
        Err(_) => ClientError::Unexpected {
            status: status.as_u16(),
        },
    }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::{base_url, parse};
    use crate::ClientError;

    #[test]
    fn addresses_are_checked() {
        for text in ["", "localhost:8080", "ftp://host", "http://"] {
            assert!(
                matches!(base_url(text), Err(ClientError::Address(_))),
                "{text}"
            );
        }
        assert!(base_url("http://localhost:8080").is_ok());
    }

    #[test]
    fn a_problem_keeps_its_code() {
        let bytes = br#"{"code":"permit_missing","status":403,"title":"Forbidden","detail":"Ask for access."}"#;
        let error = parse::<()>(StatusCode::FORBIDDEN, bytes).unwrap_err();
        assert_eq!(
            (error.code(), error.to_string().as_str()),
            (Some("permit_missing"), "Ask for access.")
        );
        let error = parse::<()>(StatusCode::BAD_GATEWAY, b"<html>").unwrap_err();
        assert!(matches!(error, ClientError::Unexpected { status: 502 }));
    }
}
