//! What can go wrong on the way to a server, named for what a caller can do about it.

use arno_protocol::Problem;

/// A failed call.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// Nobody answers there.
    #[error("cannot reach {url}: is it running?")]
    Unreachable {
        /// The server, without path or query.
        url: String,
        /// The cause.
        #[source]
        source: reqwest::Error,
    },
    /// No answer in time.
    #[error("no answer in time")]
    Timeout,
    /// The server says why not.
    #[error("{}", .0.detail)]
    Problem(Problem),
    /// An answer that is none of ours.
    #[error("the answer is not what this program expects (HTTP {status})")]
    Unexpected {
        /// HTTP status.
        status: u16,
    },
    /// More than we read.
    #[error("the answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The address is none.
    #[error("not an address of a server: {0}")]
    Address(String),
    /// TLS cannot be set up.
    #[error("TLS cannot be set up")]
    Tls(#[source] rustls::Error),
    /// The connection broke.
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
}

impl From<reqwest::Error> for ClientError {
    fn from(error: reqwest::Error) -> Self {
        if error.is_timeout() && !error.is_connect() {
            return Self::Timeout;
        }
        let Some(url) = error.url().filter(|_| error.is_connect()) else {
            return Self::Broken(error.without_url());
        };
        let url = format!("{}://{}", url.scheme(), url.authority());
        Self::Unreachable {
            url,
            source: error.without_url(),
        }
    }
}

impl ClientError {
    /// The server's stable code, when it gave a problem.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Problem(problem) => Some(&problem.code),
            _ => None,
        }
    }
}
