//! How bytes stand in JSON: standard base64 with padding (RFC 4648 section 4). Used through `#[serde(with = ...)]`.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// Writes bytes as base64 text.
pub(super) fn serialize<T: AsRef<[u8]>, S: Serializer>(
    bytes: &T,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(bytes))
}

/// Reads base64 text as a `Vec<u8>` or as an array of exactly the right length.
pub(super) fn deserialize<'de, T: TryFrom<Vec<u8>>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
    T::try_from(bytes).map_err(|_| D::Error::custom("wrong number of bytes"))
}

/// Lists of 32-byte strings, one after the other in one text.
pub(super) mod list {
    use super::{Deserializer, Error, Serializer};

    /// Writes the concatenation as base64 text.
    pub(crate) fn serialize<S: Serializer>(
        items: &[[u8; 32]],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::serialize(&items.concat(), serializer)
    }

    /// Reads a whole number of 32-byte strings.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<[u8; 32]>, D::Error> {
        let bytes: Vec<u8> = super::deserialize(deserializer)?;
        let (items, rest) = bytes.as_chunks::<32>();
        if rest.is_empty() {
            Ok(items.to_vec())
        } else {
            Err(D::Error::custom("wrong number of bytes"))
        }
    }
}

/// Vectors of fixed-point words, as their little-endian bytes.
pub(super) mod words {
    use super::{Deserializer, Error, Serializer};
    use crate::fixed::{from_bytes, to_bytes};

    /// Writes the words' bytes as base64 text.
    pub(crate) fn serialize<S: Serializer>(
        words: &[u128],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        super::serialize(&to_bytes(words), serializer)
    }

    /// Reads a whole number of words.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u128>, D::Error> {
        let bytes: Vec<u8> = super::deserialize(deserializer)?;
        from_bytes(&bytes).map_err(D::Error::custom)
    }
}
