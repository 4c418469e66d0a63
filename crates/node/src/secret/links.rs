//! The link table: pseudonym to patient id, each row sealed with a key that comes from the pseudonym secret alone. The
//! database without the secret tells nobody who a patient is.
//!
//! Each version of the secret has its own key; a row names its version, and its pseudonym is bound to the ciphertext, so that rows
//! cannot be exchanged.

use arno_deid::PatientKey;
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{
    SecretError,
    sealed::{Versions, random},
};

const NONCE_BYTES: usize = 24;
/// Domain of the keys of links.
const DOMAIN: &[u8] = b"arno/patient-link/1\n";

/// Keys of all versions, the newest last.
#[derive(Clone)]
pub(crate) struct LinkSealer(Vec<XChaCha20Poly1305>);

/// Whom a pseudonym stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Linked {
    pub(crate) patient_id: String,
    pub(crate) issuer: Option<String>,
}

impl LinkSealer {
    pub(super) fn of(versions: &Versions) -> Self {
        let key = |secret: &[u8; 32]| {
            // The secret is 32 random bytes, so one hash under a domain of its own is a key derivation.
            let mut hasher = Sha256::new();
            hasher.update(DOMAIN);
            hasher.update(secret);
            XChaCha20Poly1305::new(&hasher.finalize())
        };
        Self(versions.all().iter().map(key).collect())
    }

    /// Seals a row with the newest key: its version and its bytes.
    pub(crate) fn seal(
        &self,
        pseudonym: &str,
        patient: &PatientKey,
    ) -> Result<(u32, Vec<u8>), SecretError> {
        let linked = Linked {
            patient_id: patient.id.clone(),
            issuer: patient.issuer.clone(),
        };
        let text = serde_json::to_vec(&linked).map_err(|_| SecretError::Malformed)?;
        let nonce = random::<NONCE_BYTES>()?;
        let cipher = self.0.last().ok_or(SecretError::Malformed)?;
        let payload = Payload {
            msg: &text,
            aad: pseudonym.as_bytes(),
        };
        let sealed = cipher.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| SecretError::Malformed)?;
        let version = u32::try_from(self.0.len()).unwrap_or(u32::MAX);
        Ok((version, [&nonce[..], &sealed].concat()))
    }

    /// Opens a row.
    pub(crate) fn open(
        &self,
        pseudonym: &str,
        version: u32,
        sealed: &[u8],
    ) -> Result<Linked, SecretError> {
        let at = (version as usize)
            .checked_sub(1)
            .ok_or(SecretError::Malformed)?;
        let cipher = self.0.get(at).ok_or(SecretError::Malformed)?;
        let (nonce, ciphertext) = sealed
            .split_first_chunk::<NONCE_BYTES>()
            .ok_or(SecretError::Malformed)?;
        let payload = Payload {
            msg: ciphertext,
            aad: pseudonym.as_bytes(),
        };
        let opened = cipher.decrypt(&XNonce::from(*nonce), payload);
        let opened = opened.map_err(|_| SecretError::Malformed)?;
        serde_json::from_slice(&opened).map_err(|_| SecretError::Malformed)
    }
}

impl std::fmt::Debug for LinkSealer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("LinkSealer(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use arno_deid::PatientKey;

    use super::{LinkSealer, Versions};

    #[test]
    fn rows_open_with_their_version_and_for_their_pseudonym_alone() {
        let before = LinkSealer::of(&Versions::of(vec![[1; 32]]).unwrap());
        let after = LinkSealer::of(&Versions::of(vec![[1; 32], [2; 32]]).unwrap());
        let patient = PatientKey {
            id: "HN-4711".into(),
            issuer: Some("KIS".into()),
        };
        let (version, sealed) = before.seal("P-1", &patient).unwrap();
        let linked = after.open("P-1", version, &sealed).unwrap();
        assert_eq!(
            (linked.patient_id.as_str(), linked.issuer.as_deref()),
            ("HN-4711", Some("KIS"))
        );
        assert!(
            after.open("P-2", version, &sealed).is_err(),
            "rows are not exchanged"
        );
        assert!(after.open("P-1", 2, &sealed).is_err());
        assert!(after.open("P-1", 3, &sealed).is_err());
        assert!(after.open("P-1", 0, &sealed[..10]).is_err());
        assert!(!sealed.windows(4).any(|window| window == b"4711"));
    }
}
