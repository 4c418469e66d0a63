//! Application entity titles: up to 16 characters, padding not significant (PS3.5 table 6.2-1, PS3.8 section 9.3.2).

use std::fmt;

/// Characters of the fixed field in A-ASSOCIATE PDUs.
pub(crate) const AE_FIELD: usize = 16;

/// A title of 1 to 16 printable ASCII characters without backslash, so that it is safe in logs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AeTitle(Box<str>);

/// The text is not an AE title.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an AE title of 1 to 16 printable ASCII characters")]
pub struct AeTitleError;

impl AeTitle {
    /// Parses a title as it comes: spaces around it, and NULs that some senders pad with, are dropped.
    ///
    /// # Errors
    /// Nothing left, more than 16 characters, or one that is not allowed.
    pub fn parse(bytes: &[u8]) -> Result<Self, AeTitleError> {
        let text = std::str::from_utf8(bytes).map_err(|_| AeTitleError)?;
        let text = text.trim_matches([' ', '\0']);
        let legal = (1..=AE_FIELD).contains(&text.len())
            && text
                .bytes()
                .all(|byte| matches!(byte, b' '..=b'~') && byte != b'\\');
        if legal {
            Ok(Self(text.into()))
        } else {
            Err(AeTitleError)
        }
    }

    /// The title without padding.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The 16 characters of an A-ASSOCIATE PDU, padded with spaces.
    pub(crate) fn padded(&self) -> [u8; AE_FIELD] {
        let mut field = [b' '; AE_FIELD];
        field[..self.0.len()].copy_from_slice(self.0.as_bytes());
        field
    }
}

impl fmt::Display for AeTitle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for AeTitle {
    type Err = AeTitleError;

    fn from_str(text: &str) -> Result<Self, AeTitleError> {
        Self::parse(text.as_bytes())
    }
}
