//! Data sets without file meta information, as DIMSE sends identifiers (PS3.7 section 9): read and written in a
//! transfer syntax that the association settled.

use std::io::Write as _;

use bytes::Bytes;

use crate::encode;
use crate::header;
use crate::instance::{Header, MAX_INFLATED_BYTES, ReadError, inflate};
use crate::scan::scan;
use crate::syntax::{Syntax, lookup};

/// A transfer syntax that cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("data sets are not written in this transfer syntax: ask for Implicit VR Little Endian")]
pub struct UnknownSyntax;

/// Reads a data set within the limits of [`crate::scan`]; pixel data, and what follows it, is left out.
///
/// # Errors
/// [`ReadError`] names what is wrong and at which byte offset and tag.
pub fn read_data_set(bytes: Bytes, transfer_syntax: &str) -> Result<Header, ReadError> {
    let Syntax { encoding, deflated } =
        lookup(transfer_syntax).ok_or_else(|| ReadError::UnsupportedTransferSyntax {
            uid: crate::meta::shown(transfer_syntax),
        })?;
    let bytes = if deflated {
        inflate(&bytes, MAX_INFLATED_BYTES)?
    } else {
        bytes
    };
    let scan = scan(&bytes, 0, encoding)?;
    Ok(header::build(&bytes, &scan.entries))
}

/// Writes a data set.
///
/// # Errors
/// [`UnknownSyntax`].
pub fn write_data_set(header: &Header, transfer_syntax: &str) -> Result<Vec<u8>, UnknownSyntax> {
    let Syntax { encoding, deflated } = lookup(transfer_syntax).ok_or(UnknownSyntax)?;
    let mut bytes = Vec::new();
    encode::write_data_set(&mut bytes, header, encoding);
    Ok(if deflated { deflate(&bytes) } else { bytes })
}

fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder =
        flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::default());
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    let mut deflated = written.expect("writing to a Vec cannot fail");
    // PS3.5 A.5: a data set has an even number of bytes.
    if deflated.len() % 2 == 1 {
        deflated.push(0);
    }
    deflated
}
