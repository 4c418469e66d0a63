//! Who may use DICOMweb and DIMSE query and retrieve: decided here, in one place, without I/O.
//!
//! A node on trial listens on this machine alone and is in no federation; programs on the same machine use it without signing
//! in. A browser on that machine is such a program too, so requests that a foreign page brings about are told apart by the
//! headers that a page cannot set (Fetch Metadata; RFC 6454), and foreign names for this machine (DNS rebinding) by Host.

use std::net::IpAddr;

use axum::http::{HeaderMap, HeaderName, header};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Who may use a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Programs on this machine, without signing in; and everybody who is signed in.
    LocalPrograms,
    /// A data manager's session, or HTTP Basic with an account.
    SignedIn,
}

impl Access {
    /// What holds for a node that listens on `bind`.
    #[must_use]
    pub fn of(bind: IpAddr, is_joined: bool) -> Self {
        if bind.is_loopback() && !is_joined {
            Self::LocalPrograms
        } else {
            Self::SignedIn
        }
    }

    /// Whether a request with these headers needs no sign-in.
    #[must_use]
    pub fn admits(self, headers: &HeaderMap) -> bool {
        self == Self::LocalPrograms && is_local_program(headers)
    }

    /// What is said at start.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::LocalPrograms => "programs on this machine, without signing in",
            Self::SignedIn => "accounts of this node",
        }
    }
}

/// A program on this machine, or a page that this node served itself.
fn is_local_program(headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| {
        let value = headers.get(name);
        value.map(|value| value.to_str().unwrap_or("?"))
    };
    let Some(host) = text(&header::HOST).filter(|host| is_local_host(host)) else {
        return false;
    };
    let is_own_origin =
        text(&header::ORIGIN).is_none_or(|origin| origin.strip_prefix("http://") == Some(host));
    let is_own_site =
        text(&SEC_FETCH_SITE).is_none_or(|site| matches!(site, "same-origin" | "none"));
    is_own_origin && is_own_site && headers.get_all(header::HOST).iter().count() == 1
}

/// A name of this machine that nobody else can give out, with or without a port.
fn is_local_host(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    matches!(name, "127.0.0.1" | "[::1]") || name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::Access;

    #[test]
    fn a_node_on_trial_is_open_to_this_machine_alone() {
        let check = |bind: &str, is_joined, expect| {
            assert_eq!(
                Access::of(bind.parse().unwrap(), is_joined),
                expect,
                "{bind}"
            );
        };
        check("127.0.0.1", false, Access::LocalPrograms);
        check("::1", false, Access::LocalPrograms);
        check("127.0.0.1", true, Access::SignedIn);
        check("0.0.0.0", false, Access::SignedIn);
        check("192.168.1.5", false, Access::SignedIn);
        check("::", false, Access::SignedIn);
    }

    #[test]
    fn foreign_pages_and_foreign_names_are_told_apart() {
        let check = |lines: &[(&'static str, &'static str)], expect: bool| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                headers.append(
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                );
            }
            assert_eq!(Access::LocalPrograms.admits(&headers), expect, "{lines:?}");
            assert!(!Access::SignedIn.admits(&headers), "{lines:?}");
        };
        check(&[("host", "localhost:8090")], true);
        check(&[("host", "LOCALHOST")], true);
        check(&[("host", "127.0.0.1:8090")], true);
        check(&[("host", "[::1]:8090")], true);
        check(&[("host", "[::1]")], true);
        check(&[], false);
        check(&[("host", "evil.example:8090")], false);
        check(&[("host", "localhost.evil.example")], false);
        check(&[("host", "127.0.0.1.evil.example:80")], false);
        check(&[("host", "localhost:80"), ("host", "evil.example")], false);
        let own = ("host", "localhost:8090");
        check(&[own, ("origin", "http://localhost:8090")], true);
        check(&[own, ("origin", "http://localhost:3000")], false);
        check(&[own, ("origin", "https://localhost:8090")], false);
        check(&[own, ("origin", "null")], false);
        check(&[own, ("origin", "http://evil.example")], false);
        check(&[own, ("sec-fetch-site", "same-origin")], true);
        check(&[own, ("sec-fetch-site", "none")], true);
        check(&[own, ("sec-fetch-site", "same-site")], false);
        check(&[own, ("sec-fetch-site", "cross-site")], false);
    }
}
