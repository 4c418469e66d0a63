//! What a request names: study, series, instance, and how it wants to be answered.

use std::collections::BTreeMap;

use arno_dicomweb::accept::Accept;
use arno_store::node::Scope;
use axum::{
    extract::{FromRequestParts, Path},
    http::{
        HeaderMap, HeaderName,
        header::{ACCEPT, HOST},
        request::Parts,
    },
};

use super::{
    ROOT,
    answers::{WebError, text},
    caller::Caller,
};
use crate::Node;

/// Longest UID (PS3.5 section 9.1).
const MAX_UID_CHARS: usize = 64;

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// A request that may be answered.
pub(super) struct Asked {
    /// Who asks.
    pub(super) caller: Caller,
    /// What is named.
    pub(super) scope: Scope,
    /// Other parts of the address: frames, the path of bulk data.
    names: BTreeMap<String, String>,
    /// The query string.
    pub(super) query: String,
    /// The headers.
    pub(super) headers: HeaderMap,
}

impl FromRequestParts<Node> for Asked {
    type Rejection = WebError;

    async fn from_request_parts(parts: &mut Parts, node: &Node) -> Result<Self, WebError> {
        let caller = Caller::from_request_parts(parts, node).await?;
        let names = Path::<BTreeMap<String, String>>::from_request_parts(parts, node).await;
        let Path(mut names) = names.map_err(|_| {
            WebError::bad_request("bad_address", "The address is not percent-encoded UTF-8.")
        })?;
        let mut uid = |level: &str| names.remove(level).map(|uid| legal(uid, level)).transpose();
        let scope = Scope {
            study_uid: uid("study")?,
            series_uid: uid("series")?,
            instance_uid: uid("instance")?,
        };
        Ok(Self {
            caller,
            scope,
            names,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
        })
    }
}

impl Asked {
    /// What the client accepts, by header or by the `accept` parameter.
    pub(super) fn accept(&self) -> Result<Accept, WebError> {
        let pairs = self.parameters()?;
        let parameter = pairs.iter().find(|(name, _)| name == "accept");
        let header = self.accept_header();
        let parameter = parameter.map(|(_, value)| value.as_str());
        Ok(Accept::parse(header.as_deref(), parameter)?)
    }

    /// Several headers of this name are one list.
    pub(super) fn accept_header(&self) -> Option<String> {
        let lines = self.headers.get_all(ACCEPT).iter();
        let lines: Vec<&str> = lines.filter_map(|line| line.to_str().ok()).collect();
        (!lines.is_empty()).then(|| lines.join(","))
    }

    /// Refuses parameters that this resource does not have; all of them have `accept`.
    pub(super) fn refuse_parameters(&self) -> Result<(), WebError> {
        match self.parameters()?.iter().find(|(name, _)| name != "accept") {
            None => Ok(()),
            Some(_) => Err(WebError::bad_request(
                "unknown_parameter",
                "This resource has no query parameter but accept.",
            )),
        }
    }

    fn parameters(&self) -> Result<Vec<(String, String)>, WebError> {
        arno_dicomweb::percent::pairs(&self.query)
            .map_err(|error| WebError::bad_request("bad_query", error.to_string()))
    }

    /// Another part of the address.
    pub(super) fn name(&self, name: &str) -> Option<&str> {
        self.names.get(name).map(String::as_str)
    }

    /// Where DICOMweb is, as the client sees it. The host is the client's own word and goes to nobody else.
    pub(super) fn root(&self) -> String {
        root(&self.headers)
    }

    /// The address of the instance that is named.
    pub(super) fn instance_url(&self) -> Option<String> {
        let Scope {
            study_uid: Some(study),
            series_uid: Some(series),
            instance_uid: Some(instance),
        } = &self.scope
        else {
            return None;
        };
        Some(instance_url(&self.root(), study, series, instance))
    }

    /// What is named, for an audit entry.
    pub(super) fn subject(&self) -> String {
        let Scope {
            study_uid,
            series_uid,
            instance_uid,
        } = &self.scope;
        let parts = [
            ("study", study_uid),
            ("series", series_uid),
            ("instance", instance_uid),
        ];
        let named = parts
            .iter()
            .filter_map(|(level, uid)| Some(format!("{level} {}", uid.as_ref()?)));
        named.collect::<Vec<_>>().join(", ")
    }
}

/// `http://localhost:8080/dicom-web`, as far as the headers are to be believed.
pub(super) fn root(headers: &HeaderMap) -> String {
    let is_host = |host: &&str| {
        !host.is_empty()
            && host
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
    };
    let Some(host) = text(headers, &HOST).filter(is_host) else {
        return ROOT.to_owned();
    };
    // A proxy that ends TLS says so; whoever else says it misleads only itself.
    let is_tls = text(headers, &FORWARDED_PROTO) == Some("https");
    let scheme = if is_tls { "https" } else { "http" };
    format!("{scheme}://{host}{ROOT}")
}

/// The address of an instance.
pub(super) fn instance_url(root: &str, study: &str, series: &str, instance: &str) -> String {
    format!("{root}/studies/{study}/series/{series}/instances/{instance}")
}

/// Only what can be a UID is looked for.
fn legal(uid: String, level: &str) -> Result<String, WebError> {
    let is_uid = (1..=MAX_UID_CHARS).contains(&uid.len())
        && uid
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    match is_uid {
        true => Ok(uid),
        false => Err(WebError::bad_request(
            "bad_uid",
            format!("The {level} in the address is no UID."),
        )),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};

    use super::{legal, root};

    #[test]
    fn addresses_are_those_that_the_client_sees() {
        let check = |lines: &[(&'static str, &'static str)], expect: &str| {
            let mut headers = HeaderMap::new();
            for (name, value) in lines {
                let name = HeaderName::from_static(name);
                headers.insert(name, HeaderValue::from_static(value));
            }
            assert_eq!(root(&headers), expect);
        };
        check(
            &[("host", "localhost:8080")],
            "http://localhost:8080/dicom-web",
        );
        check(&[("host", "[::1]:80")], "http://[::1]:80/dicom-web");
        let tls = ("x-forwarded-proto", "https");
        check(
            &[("host", "pacs.example"), tls],
            "https://pacs.example/dicom-web",
        );
        check(&[("host", "a/b")], "/dicom-web");
        check(&[("host", "a\"b")], "/dicom-web");
        check(&[], "/dicom-web");
    }

    #[test]
    fn only_uids_are_looked_for() {
        let check = |uid: &str, expect| assert_eq!(legal(uid.to_owned(), "study").is_ok(), expect);
        check("1.2.840", true);
        check("", false);
        check("1.2/3", false);
        check("a", false);
        check(&"1".repeat(65), false);
    }
}
