//! Keys: Ed25519 to sign (RFC 8032), X25519 to agree on a secret (RFC 7748). Text form: lower-case hexadecimal.

use std::{fmt, str::FromStr};

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::hex;

/// A text or bytes that are no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a public key: expected 64 hexadecimal digits of a valid point that is not of low order"
)]
pub struct KeyError;

/// The public half of a signing key.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey([u8; 32]);

impl PublicKey {
    /// Whether `signature` over `message` was made by the secret half (strict verification, no small-order keys).
    #[must_use]
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        let (Ok(key), Ok(signature)) = (
            VerifyingKey::from_bytes(&self.0),
            Signature::from_slice(signature),
        ) else {
            return false;
        };
        key.verify_strict(message, &signature).is_ok()
    }

    /// The raw key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Parses a raw key.
    ///
    /// # Errors
    /// [`KeyError`] when the bytes are no point of the curve.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        VerifyingKey::from_bytes(&bytes)
            .map(|_| Self(bytes))
            .map_err(|_| KeyError)
    }

    /// Eight groups of four digits, for a person to compare.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let text = hex::encode(&self.0);
        (0..8)
            .map(|group| &text[group * 4..group * 4 + 4])
            .collect::<Vec<_>>()
            .join(" ")
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(hex::decode_32(text).ok_or(KeyError)?)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for PublicKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for PublicKey {}

/// A signing key. Its bytes are wiped when it is dropped and never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl SecretKey {
    /// The key whose seed (RFC 8032 §5.1.5) is `seed`.
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, to be kept in a file that only its owner can read.
    #[must_use]
    pub fn seed(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs a message.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for SecretKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SecretKey of {}", self.public())
    }
}

/// The public half of an X25519 key, from which two nodes derive the masks between them. Never a point of low order:
/// with one of these every secret agrees on the same zeroes, and masks made of them would hide nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AgreementKey([u8; 32]);

impl AgreementKey {
    /// The public half of a 32-byte X25519 secret.
    #[must_use]
    pub fn of_secret(secret: &[u8; 32]) -> Self {
        Self(*x25519_dalek::PublicKey::from(&x25519_dalek::StaticSecret::from(*secret)).as_bytes())
    }

    /// Parses a raw key.
    ///
    /// # Errors
    /// [`KeyError`] when the bytes are a point of low order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, KeyError> {
        if is_low_order(&bytes) {
            return Err(KeyError);
        }
        Ok(Self(bytes))
    }

    /// The raw key.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// Whether agreeing with this point always yields zero (RFC 7748 §6.1). Any secret tells: once clamped it is a multiple
/// of the cofactor, so that only points of low order end at zero.
fn is_low_order(point: &[u8; 32]) -> bool {
    let any_secret = x25519_dalek::StaticSecret::from([1; 32]);
    let shared = any_secret.diffie_hellman(&x25519_dalek::PublicKey::from(*point));
    !shared.was_contributory()
}

impl FromStr for AgreementKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        Self::from_bytes(hex::decode_32(text).ok_or(KeyError)?)
    }
}

impl fmt::Debug for AgreementKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(&self.0))
    }
}

impl Serialize for AgreementKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for AgreementKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

impl utoipa::PartialSchema for AgreementKey {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        String::schema()
    }
}

impl utoipa::ToSchema for AgreementKey {}

#[cfg(test)]
mod tests {
    use super::{AgreementKey, KeyError, PublicKey, SecretKey};

    /// All points of low order on the curve and its twist, as <https://cr.yp.to/ecdh.html#validate> lists them: 0, 1, two
    /// of order 8, p - 1, and p and p + 1, which are 0 and 1 again.
    const LOW_ORDER: [&str; 7] = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ];

    #[test]
    fn only_the_right_key_verifies_only_the_signed_message() {
        let (key, other) = (
            SecretKey::from_seed(&[1; 32]),
            SecretKey::from_seed(&[2; 32]),
        );
        let signature = key.sign(b"message");
        assert!(key.public().verify(b"message", &signature));
        assert!(!key.public().verify(b"Message", &signature));
        assert!(!other.public().verify(b"message", &signature));
        assert!(!key.public().verify(b"message", &signature[..63]));
    }

    #[test]
    fn a_secret_is_never_printed() {
        let key = SecretKey::from_seed(&[7; 32]);
        assert!(!format!("{key:?}").contains(&crate::hex::encode(&key.seed())));
    }

    #[test]
    fn text_and_key_are_one_thing() {
        let key = SecretKey::from_seed(&[3; 32]).public();
        assert_eq!(key.to_string().parse::<PublicKey>(), Ok(key));
        assert!("zz".parse::<PublicKey>().is_err());
    }

    #[test]
    fn no_agreement_key_is_of_low_order() {
        let check = |bytes: [u8; 32]| {
            let text = crate::hex::encode(&bytes);
            assert_eq!(AgreementKey::from_bytes(bytes), Err(KeyError), "{text}");
            assert_eq!(text.parse::<AgreementKey>(), Err(KeyError), "{text}");
            let json = serde_json::from_value::<AgreementKey>(text.clone().into());
            assert!(json.is_err(), "{text}");
        };
        for text in LOW_ORDER {
            let bytes = crate::hex::decode_32(text).unwrap();
            check(bytes);
            // The highest bit is not part of the number (RFC 7748 §5).
            let mut masked = bytes;
            masked[31] |= 0x80;
            check(masked);
        }
    }

    #[test]
    fn other_agreement_keys_are_read_back() {
        for seed in 0..=u8::MAX {
            let key = AgreementKey::of_secret(&[seed; 32]);
            let json = serde_json::to_string(&key).unwrap();
            assert_eq!(serde_json::from_str::<AgreementKey>(&json).unwrap(), key);
        }
        // Next to a point of low order, and the base point.
        for byte in [2, 9] {
            let mut bytes = [0; 32];
            bytes[0] = byte;
            assert!(AgreementKey::from_bytes(bytes).is_ok(), "{byte}");
        }
        assert!("zz".parse::<AgreementKey>().is_err());
    }
}
