//! The typed HTTP client. The only outbound TLS.
