//! The DICOM JSON Model (PS3.18 annex F): headers out as text, attributes in as headers.
//!
//! Metadata is written at ingest for every instance, so it goes straight to text without a tree in between. Long
//! binary values and pixels are left out and pointed at; [`with_base`] makes the pointers whole when they are served.
//! Attributes of groups 0000 and 0002 and group lengths never appear; what only a server knows (Retrieve URL,
//! Available Transfer Syntax UID) is for the server to add.

mod bulk;
mod read;
mod write;

use dicom_object::mem::InMemElement;
use memchr::memmem;
use serde_json::{Map, Value};

pub use bulk::bulk;
pub(crate) use bulk::parse_tag;
pub use read::{JsonError, to_header};

use crate::instance::Instance;
use write::Writer;

/// Attributes by tag, such as `00100020`, in order.
pub type Attributes = Map<String, Value>;

/// Binary values up to this stay in the text as base64: private numbers and hashes do, palettes and overlays do not.
pub const MAX_INLINE_BYTES: usize = 1024;

/// How every pointer to a value starts; quotes inside JSON strings are escaped, so this is never text of a value.
const POINTER: &str = "\"BulkDataURI\":\"bulkdata/";
/// What of [`POINTER`] comes before the place for the instance's URL.
const BEFORE_BASE: usize = "\"BulkDataURI\":\"".len();

/// All attributes of an instance as one JSON object. Values not in it are `{"vr":…,"BulkDataURI":"bulkdata/<path>"}`,
/// where the path is a tag, or sequence, item counted from one, and so on: `00880200/1/7FE00010`.
#[must_use]
pub fn metadata(instance: &Instance) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.instance(instance);
    writer.into_text().into_bytes()
}

/// Appends metadata with the instance's URL before every pointer to a value.
pub fn with_base(metadata: &[u8], base: &str, out: &mut Vec<u8>) {
    let mut copied = 0;
    for found in memmem::find_iter(metadata, POINTER) {
        let place = found + BEFORE_BASE;
        out.extend_from_slice(&metadata[copied..place]);
        out.extend_from_slice(base.as_bytes());
        out.push(b'/');
        copied = place;
    }
    out.extend_from_slice(&metadata[copied..]);
}

/// Some elements as one JSON object, in the order in which they come.
pub(crate) fn object<'a>(elements: impl Iterator<Item = &'a InMemElement>) -> String {
    let mut writer = Writer::new();
    writer.object(elements);
    writer.into_text()
}

/// A tag as the name of an attribute.
#[must_use]
pub fn name_of(tag: dicom_core::Tag) -> String {
    format!("{:04X}{:04X}", tag.group(), tag.element())
}
