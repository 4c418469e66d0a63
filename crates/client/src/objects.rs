//! Reads objects of an S3-compatible store (Amazon S3 API, `ListObjectsV2` and `GetObject`), such as those of public image
//! archives, and compares what came with the size and the digest that the store lists.
//!
//! Not here: writing, and what becomes of the bytes (the caller's).

use std::time::Duration;

use md5::{Digest as _, Md5};
use reqwest::{StatusCode, Url};
use rusty_s3::{
    Bucket, Credentials, S3Action as _, UrlStyle,
    actions::{ListObjectsV2, ListObjectsV2Response},
};

use crate::{ClientError, bounded, builder};

/// A page of a listing has at most 1,000 keys of at most 1,024 bytes, each with some 300 bytes about it.
const MAX_LISTING_BYTES: usize = 8 << 20;
/// Objects of one listing: a series has thousands, so this is a long manifest in one prefix.
pub const MAX_LISTED_OBJECTS: usize = 1_000_000;
/// How long a signed address may be used.
const SIGNED_FOR: Duration = Duration::from_secs(600);
/// One object of up to the size limit, over a slow line.
const TIMEOUT: Duration = Duration::from_secs(600);
/// Times that an object is asked for before it counts as failed.
const TRIES: u32 = 4;
/// The wait before the second try; it doubles from then on.
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Where a store is and who asks.
#[derive(Debug, Clone)]
pub struct ObjectAccess {
    /// Such as `https://s3.us-east-1.amazonaws.com`; the bucket's name is added as the first part of the path.
    pub endpoint: String,
    /// Such as `us-east-1`; part of the signature.
    pub region: String,
    /// Key, secret and token; absent for public buckets.
    pub credentials: Option<Credentials>,
}

/// An object as its store lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedObject {
    /// Its key, without the bucket.
    pub key: String,
    /// Bytes, when the store says.
    pub size: Option<u64>,
    /// MD5 of the bytes, hexadecimal. Absent for objects uploaded in parts, whose entity tag is something else.
    pub md5: Option<String>,
}

/// One bucket.
#[derive(Debug, Clone)]
pub struct ObjectBucket {
    bucket: Bucket,
    credentials: Option<Credentials>,
    http: reqwest::Client,
}

/// Why an object could not be had.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ObjectError {
    /// The address or the bucket's name is unusable.
    #[error("not a bucket of an S3 server: {0}")]
    Address(String),
    /// The store says no.
    #[error("the store answers with HTTP {status}: {hint}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// What to do.
        hint: &'static str,
    },
    /// The listing is none.
    #[error("the store's listing cannot be read: is this an S3 server?")]
    Listing,
    /// More than [`MAX_LISTED_OBJECTS`].
    #[error("more than {MAX_LISTED_OBJECTS} objects: name a longer prefix")]
    TooMany,
    /// Another number of bytes than listed, each time it was asked for.
    #[error("{got} bytes came instead of the listed {listed}")]
    Size {
        /// As listed.
        listed: u64,
        /// As received.
        got: u64,
    },
    /// Another digest than listed, each time it was asked for.
    #[error("the bytes that came have another MD5 digest than listed")]
    Digest,
    /// The way there failed.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl ObjectBucket {
    /// One bucket of a store.
    ///
    /// # Errors
    /// [`ObjectError::Address`]; or when TLS cannot be set up.
    pub fn new(access: &ObjectAccess, name: &str) -> Result<Self, ObjectError> {
        let unusable = || ObjectError::Address(format!("{}, bucket {name}", access.endpoint));
        let endpoint = Url::parse(&access.endpoint).map_err(|_| unusable())?;
        let bucket = Bucket::new(
            endpoint,
            UrlStyle::Path,
            name.to_owned(),
            access.region.clone(),
        );
        let http = builder()
            .tls_backend_preconfigured(public_tls()?)
            .timeout(TIMEOUT)
            .build()
            .map_err(ClientError::from)?;
        Ok(Self {
            bucket: bucket.map_err(|_| unusable())?,
            credentials: access.credentials.clone(),
            http,
        })
    }

    /// All objects whose key begins with `prefix`, in order of their keys. `listed` is told the number so far.
    ///
    /// # Errors
    /// See [`ObjectError`].
    pub async fn list(
        &self,
        prefix: &str,
        mut listed: impl FnMut(usize),
    ) -> Result<Vec<ListedObject>, ObjectError> {
        let (mut objects, mut token) = (Vec::new(), None);
        loop {
            let page = self.page(prefix, token).await?;
            objects.extend(page.contents.into_iter().map(listed_object));
            listed(objects.len());
            if objects.len() > MAX_LISTED_OBJECTS {
                return Err(ObjectError::TooMany);
            }
            token = page.next_continuation_token;
            if token.is_none() {
                return Ok(objects);
            }
        }
    }

    async fn page(
        &self,
        prefix: &str,
        token: Option<String>,
    ) -> Result<ListObjectsV2Response, ObjectError> {
        let mut action = self.bucket.list_objects_v2(self.credentials.as_ref());
        action.with_prefix(prefix.to_owned());
        if let Some(token) = token {
            action.with_continuation_token(token);
        }
        let url = action.sign(SIGNED_FOR);
        let bytes = self.fetch(url, MAX_LISTING_BYTES).await?;
        let text = str::from_utf8(&bytes).map_err(|_| ObjectError::Listing)?;
        ListObjectsV2::parse_response(text).map_err(|_| ObjectError::Listing)
    }

    /// The bytes of an object, compared with what is listed of it. What does not arrive whole is asked for again.
    ///
    /// # Errors
    /// See [`ObjectError`].
    pub async fn get(
        &self,
        object: &ListedObject,
        max_bytes: usize,
    ) -> Result<Vec<u8>, ObjectError> {
        let mut wait = FIRST_WAIT;
        let mut tried = 1;
        loop {
            match self.get_once(object, max_bytes).await {
                Err(error) if tried < TRIES && error.may_pass() => {}
                done => return done,
            }
            tokio::time::sleep(wait).await;
            (wait, tried) = (wait * 2, tried + 1);
        }
    }

    async fn get_once(
        &self,
        object: &ListedObject,
        max_bytes: usize,
    ) -> Result<Vec<u8>, ObjectError> {
        let action = self
            .bucket
            .get_object(self.credentials.as_ref(), &object.key);
        let bytes = self.fetch(action.sign(SIGNED_FOR), max_bytes).await?;
        object.check(&bytes)?;
        Ok(bytes)
    }

    async fn fetch(&self, url: Url, max_bytes: usize) -> Result<Vec<u8>, ObjectError> {
        let response = self.http.get(url).send().await.map_err(ClientError::from)?;
        let status = response.status();
        if !status.is_success() {
            return Err(ObjectError::Refused {
                status: status.as_u16(),
                hint: hint(status),
            });
        }
        Ok(bounded(response, max_bytes).await?)
    }
}

impl ListedObject {
    /// Whether these are the bytes that are listed.
    ///
    /// # Errors
    /// [`ObjectError::Size`] and [`ObjectError::Digest`].
    pub fn check(&self, bytes: &[u8]) -> Result<(), ObjectError> {
        let got = bytes.len() as u64;
        if let Some(listed) = self.size.filter(|listed| *listed != got) {
            return Err(ObjectError::Size { listed, got });
        }
        match &self.md5 {
            Some(listed) if !hex(&Md5::digest(bytes)).eq_ignore_ascii_case(listed) => {
                Err(ObjectError::Digest)
            }
            _ => Ok(()),
        }
    }
}

impl ObjectError {
    /// Whether asking again may help.
    fn may_pass(&self) -> bool {
        match self {
            Self::Size { .. } | Self::Digest => true,
            Self::Refused { status, .. } => *status >= 500 || *status == 429,
            Self::Client(error) => !matches!(error, ClientError::TooLarge { .. }),
            _ => false,
        }
    }
}

fn listed_object(content: rusty_s3::actions::list_objects_v2::ListObjectsContent) -> ListedObject {
    ListedObject {
        key: content.key,
        size: content.size,
        md5: content.etag.as_deref().and_then(md5_of),
    }
}

/// An entity tag is the MD5 of the bytes, unless the object was uploaded in parts (then a dash stands in it).
fn md5_of(etag: &str) -> Option<String> {
    let text = etag.trim_matches('"');
    let is_md5 = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_md5.then(|| text.to_ascii_lowercase())
}

fn hex(bytes: &[u8]) -> String {
    arno_domain::hex::encode(bytes)
}

fn hint(status: StatusCode) -> &'static str {
    match status.as_u16() {
        401 | 403 => {
            "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or unset them for a public bucket"
        }
        404 => "there is no such bucket or object",
        301 | 307 => "the bucket is in another region: set --region",
        429 | 500.. => "try again later",
        _ => "check the address",
    }
}

/// TLS that trusts what the machine trusts.
fn public_tls() -> Result<rustls::ClientConfig, ClientError> {
    use rustls_platform_verifier::BuilderVerifierExt as _;
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .and_then(|config| config.with_platform_verifier())
        .map_err(ClientError::Tls)?;
    Ok(config.with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::{ListedObject, ObjectError, md5_of};

    #[test]
    fn an_entity_tag_is_a_digest_only_where_it_can_be() {
        let check = |etag: &str, expect: Option<&str>| {
            assert_eq!(md5_of(etag).as_deref(), expect, "{etag}");
        };
        check(
            "\"900150983CD24FB0D6963F7D28E17F72\"",
            Some("900150983cd24fb0d6963f7d28e17f72"),
        );
        check("\"900150983cd24fb0d6963f7d28e17f72-3\"", None);
        check("\"\"", None);
    }

    #[test]
    fn bytes_are_compared_with_what_is_listed() {
        let listed = |size, md5: &str| ListedObject {
            key: "a/1.dcm".to_owned(),
            size: Some(size),
            md5: Some(md5.to_owned()),
        };
        let digest = "900150983cd24fb0d6963f7d28e17f72"; // of "abc", RFC 1321 A.5
        assert!(listed(3, digest).check(b"abc").is_ok());
        let short = listed(4, digest).check(b"abc");
        assert!(matches!(
            short,
            Err(ObjectError::Size { listed: 4, got: 3 })
        ));
        let changed = listed(3, digest).check(b"abd");
        assert!(matches!(changed, Err(ObjectError::Digest)));
    }
}
