//! A signed document: the exact text that was signed travels with its signature, so nothing has to be
//! written the same way twice before a signature can be checked.
//!
//! The signature covers the document's kind, so that a permit can never be passed off as a message.

use std::marker::PhantomData;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{PublicKey, SecretKey, hex};

/// A type whose JSON text is signed. `KIND` separates the domains of signatures.
pub trait Document: Serialize + DeserializeOwned {
    /// Such as `arno/permit/1`; the number rises when the meaning of a field changes.
    const KIND: &'static str;
}

/// A document of the type `T` with the signature of its author.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signed<T> {
    /// The JSON text of the document, byte for byte as it was signed.
    pub document: String,
    /// The author's public key. Trust in it is decided by the reader, never by this field.
    pub signer: PublicKey,
    /// Ed25519 over the document's kind, a line feed and the document; base64url without padding.
    pub signature: String,
    #[serde(skip)]
    kind: PhantomData<fn() -> T>,
}

/// Why a signed document was not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SignedError {
    /// Signed by somebody else.
    #[error("signed by {found}, not by {expected}")]
    OtherSigner {
        /// The key that was wanted.
        expected: PublicKey,
        /// The key that the document names.
        found: PublicKey,
    },
    /// The text was changed after it was signed, or was signed as something else.
    #[error("the signature does not fit the document")]
    BadSignature,
    /// Rightly signed, but not of the expected form.
    #[error("the signed document is malformed")]
    Malformed(#[source] serde_json::Error),
}

impl<T: Document> Signed<T> {
    /// Signs a document.
    ///
    /// # Panics
    /// Never for documents of this workspace: their fields are plain data that JSON can hold.
    #[must_use]
    pub fn new(document: &T, key: &SecretKey) -> Self {
        let document = serde_json::to_string(document).expect("documents are plain data");
        let signature = URL_SAFE_NO_PAD.encode(key.sign(&signed_bytes::<T>(&document)));
        Self {
            document,
            signer: key.public(),
            signature,
            kind: PhantomData,
        }
    }

    /// The document, if `expected` signed exactly this text.
    ///
    /// # Errors
    /// [`SignedError`] says which of the three checks failed.
    pub fn verify(&self, expected: &PublicKey) -> Result<T, SignedError> {
        if self.signer != *expected {
            return Err(SignedError::OtherSigner {
                expected: *expected,
                found: self.signer,
            });
        }
        let signature = URL_SAFE_NO_PAD
            .decode(&self.signature)
            .map_err(|_| SignedError::BadSignature)?;
        if !expected.verify(&signed_bytes::<T>(&self.document), &signature) {
            return Err(SignedError::BadSignature);
        }
        serde_json::from_str(&self.document).map_err(SignedError::Malformed)
    }

    /// The document without any check: only to show it, or to find out whose key to ask for.
    ///
    /// # Errors
    /// When the text is not of the form of `T`.
    pub fn unverified(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(&self.document)
    }

    /// SHA-256 of the signed text, in hexadecimal: the name of this very document.
    #[must_use]
    pub fn digest(&self) -> String {
        use sha2::{Digest as _, Sha256};
        hex::encode(&Sha256::digest(signed_bytes::<T>(&self.document)))
    }
}

fn signed_bytes<T: Document>(document: &str) -> Vec<u8> {
    [T::KIND.as_bytes(), b"\n", document.as_bytes()].concat()
}

impl<T> utoipa::PartialSchema for Signed<T> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{ObjectBuilder, Schema};
        let object = ObjectBuilder::new()
            .property("document", String::schema())
            .property("signer", String::schema())
            .property("signature", String::schema())
            .required("document")
            .required("signer")
            .required("signature")
            .build();
        utoipa::openapi::RefOr::T(Schema::Object(object))
    }
}

impl<T: 'static> utoipa::ToSchema for Signed<T> {
    fn name() -> std::borrow::Cow<'static, str> {
        "SignedDocument".into()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::{Document, Signed, SignedError};
    use crate::SecretKey;

    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Note {
        text: String,
    }
    impl Document for Note {
        const KIND: &'static str = "arno/note/1";
    }
    #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
    struct Letter {
        text: String,
    }
    impl Document for Letter {
        const KIND: &'static str = "arno/letter/1";
    }

    fn signed() -> (SecretKey, Signed<Note>) {
        let key = SecretKey::from_seed(&[5; 32]);
        let note = Signed::new(&Note { text: "yes".into() }, &key);
        (key, note)
    }

    #[test]
    fn what_was_signed_is_read_back_after_a_journey() {
        let (key, note) = signed();
        let travelled: Signed<Note> =
            serde_json::from_str(&serde_json::to_string(&note).unwrap()).unwrap();
        assert_eq!(
            travelled.verify(&key.public()).unwrap(),
            Note { text: "yes".into() }
        );
    }

    #[test]
    fn a_changed_text_another_signer_and_another_kind_are_refused() {
        let (key, note) = signed();
        let mut changed = note.clone();
        changed.document = changed.document.replace("yes", "no");
        assert!(matches!(
            changed.verify(&key.public()),
            Err(SignedError::BadSignature)
        ));
        let stranger = SecretKey::from_seed(&[6; 32]).public();
        assert!(matches!(
            note.verify(&stranger),
            Err(SignedError::OtherSigner { .. })
        ));
        let letter: Signed<Letter> =
            serde_json::from_str(&serde_json::to_string(&note).unwrap()).unwrap();
        assert!(matches!(
            letter.verify(&key.public()),
            Err(SignedError::BadSignature)
        ));
    }
}
