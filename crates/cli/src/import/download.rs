//! Listing and downloading: several objects at a time, in any order, never more bytes in memory than downloads times
//! the largest object.

use std::collections::BTreeMap;

use arno_client::{ListedObject, ObjectAccess, ObjectBucket, ObjectError};
use arno_domain::hex;
use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tokio::task::JoinSet;

use super::manifest::{Wanted, What};

/// Largest object that is downloaded; the node reads files of up to 2 GiB, but several are in memory here.
const MAX_OBJECT_BYTES: usize = 1 << 30;

/// An object on its way.
#[derive(Debug, Clone)]
pub(super) struct Object {
    /// Its bucket.
    pub(super) bucket: String,
    /// As the store lists it.
    pub(super) listed: ListedObject,
    /// SHA-256 that the manifest names.
    pub(super) sha256: Option<String>,
}

impl Object {
    /// `s3://bucket/key`.
    pub(super) fn address(&self) -> String {
        format!("s3://{}/{}", self.bucket, self.listed.key)
    }
}

/// An object whose bytes are those that are listed.
#[derive(Debug)]
pub(super) struct Downloaded {
    pub(super) object: Object,
    pub(super) bytes: Bytes,
}

/// The store, one client a bucket.
pub(super) struct Downloads {
    access: ObjectAccess,
    at_once: usize,
    buckets: BTreeMap<String, ObjectBucket>,
}

impl Downloads {
    pub(super) fn new(access: ObjectAccess, at_once: usize) -> Self {
        Self {
            access,
            at_once,
            buckets: BTreeMap::new(),
        }
    }

    /// The objects that a line of the manifest means; a folder's own marker is none.
    pub(super) async fn list(&mut self, wanted: &Wanted) -> Result<Vec<Object>, ObjectError> {
        let listed = match &wanted.what {
            What::Prefix(prefix) => self.bucket(&wanted.bucket)?.list(prefix, |_| {}).await?,
            What::Object(key) => vec![ListedObject {
                key: key.clone(),
                size: wanted.expected.size,
                md5: wanted.expected.md5.clone(),
            }],
        };
        let object = |listed| Object {
            bucket: wanted.bucket.clone(),
            listed,
            sha256: wanted.expected.sha256.clone(),
        };
        let files = listed
            .into_iter()
            .filter(|object| !object.key.ends_with('/'));
        Ok(files.map(object).collect())
    }

    fn bucket(&mut self, name: &str) -> Result<&ObjectBucket, ObjectError> {
        if !self.buckets.contains_key(name) {
            let bucket = ObjectBucket::new(&self.access, name)?;
            self.buckets.insert(name.to_owned(), bucket);
        }
        self.buckets
            .get(name)
            .ok_or_else(|| ObjectError::Address(name.to_owned()))
    }

    /// Begins to download.
    pub(super) fn fetch(&mut self, objects: Vec<Object>) -> Arriving {
        let mut arriving = Arriving {
            waiting: objects.into_iter(),
            buckets: self.buckets.clone(),
            access: self.access.clone(),
            running: JoinSet::new(),
        };
        for _ in 0..self.at_once {
            arriving.start_next();
        }
        arriving
    }
}

/// Objects as they arrive.
pub(super) struct Arriving {
    waiting: std::vec::IntoIter<Object>,
    buckets: BTreeMap<String, ObjectBucket>,
    access: ObjectAccess,
    running: JoinSet<Result<Downloaded, (Object, String)>>,
}

impl Arriving {
    /// The next one that arrived, or could not be had and why; none when all did.
    pub(super) async fn next(&mut self) -> Option<Result<Downloaded, (Object, String)>> {
        loop {
            let joined = self.running.join_next().await?;
            self.start_next();
            // A download that was stopped belongs to a program that stops.
            if let Ok(arrived) = joined {
                return Some(arrived);
            }
        }
    }

    fn start_next(&mut self) {
        let Some(object) = self.waiting.next() else {
            return;
        };
        let bucket = match self.buckets.get(&object.bucket) {
            Some(bucket) => Ok(bucket.clone()),
            None => ObjectBucket::new(&self.access, &object.bucket),
        };
        self.running.spawn(download(bucket, object));
    }
}

async fn download(
    bucket: Result<ObjectBucket, ObjectError>,
    object: Object,
) -> Result<Downloaded, (Object, String)> {
    let got = match bucket {
        Ok(bucket) => bucket.get(&object.listed, MAX_OBJECT_BYTES).await,
        Err(error) => Err(error),
    };
    let bytes = match got {
        Ok(bytes) => Bytes::from(bytes),
        Err(error) => return Err((object, error.to_string())),
    };
    let same = object
        .sha256
        .as_ref()
        .is_none_or(|listed| *listed == hex::encode(&Sha256::digest(&bytes)));
    match same {
        true => Ok(Downloaded { object, bytes }),
        false => Err((
            object,
            "the bytes have another SHA-256 than the manifest says".to_owned(),
        )),
    }
}
