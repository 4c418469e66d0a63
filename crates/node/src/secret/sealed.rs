//! A secret under a passphrase: Argon2id (RFC 9106) makes the key, XChaCha20-Poly1305 seals. The purpose is bound to the
//! ciphertext, so that a backup, a secret file and a link row never stand for each other.

use argon2::{Algorithm, Argon2, Params, Version};
use arno_domain::hex;
use arno_protocol::Base64;
use chacha20poly1305::{
    XChaCha20Poly1305, XNonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use rand::TryRng as _;
use serde::{Deserialize, Serialize};

use super::{SecretError, Unlock};

/// Shorter ones are refused.
pub(super) const MIN_PASSPHRASE_CHARS: usize = 12;
/// RFC 9106 section 4, the second recommended option: 64 MiB, three passes, four lanes; about 0.1 s.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// A file that asks for more was not made by this program.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 16;
const MAX_LANES: u32 = 16;
/// Version of the form.
const FORM: u32 = 1;
const NONCE_BYTES: usize = 24;

/// What a sealed text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The secret in the node's folder.
    AtRest,
    /// A backup.
    Backup,
}

impl Purpose {
    fn bound(self) -> &'static [u8] {
        match self {
            Self::AtRest => b"arno/pseudonym-secret/at-rest/1",
            Self::Backup => b"arno/pseudonym-secret/backup/1",
        }
    }
}

/// A sealed secret, as it stands in a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Sealed {
    arno_sealed_secret: u32,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Base64,
    nonce: Base64,
    ciphertext: Base64,
}

/// The secret's file, of either form.
#[derive(Debug, Clone)]
pub(crate) enum SecretFile {
    /// Readable by whoever reads the file.
    Plain(Versions),
    /// Under a passphrase.
    Sealed(SealedFile),
}

/// All versions of the secret, the newest last: 32 bytes each, at least one. Hidden from Debug.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Versions(Vec<[u8; 32]>);

/// Rotations that a node may see; each makes taking in a little slower.
pub(super) const MAX_VERSIONS: usize = 16;

/// A sealed file; only this module looks into it.
#[derive(Debug, Clone)]
pub(crate) struct SealedFile(Sealed);

/// The secret, and how it lay.
#[derive(Debug, Clone)]
pub(crate) struct Opened {
    pub(crate) versions: Versions,
    /// Whether the file alone suffices to read it.
    pub(crate) is_plain: bool,
}

impl SecretFile {
    /// Reads the text of a secret's file.
    pub(crate) fn parse(text: &str) -> Result<Self, SecretError> {
        let text = text.trim();
        let lines: Option<Vec<[u8; 32]>> = text
            .lines()
            .map(|line| hex::decode_32(line.trim()))
            .collect();
        if let Some(versions) = lines {
            return Ok(Self::Plain(Versions::of(versions)?));
        }
        let sealed: Sealed = serde_json::from_str(text).map_err(|_| SecretError::Malformed)?;
        Ok(Self::Sealed(SealedFile(sealed)))
    }

    /// The secret.
    pub(crate) fn open(&self, unlock: &Unlock) -> Result<Opened, SecretError> {
        let (versions, is_plain) = match self {
            Self::Plain(versions) => (versions.clone(), true),
            Self::Sealed(SealedFile(sealed)) => {
                let passphrase = unlock.passphrase().ok_or(SecretError::Locked)?;
                (sealed.open(passphrase, Purpose::AtRest)?, false)
            }
        };
        Ok(Opened { versions, is_plain })
    }
}

impl Versions {
    /// From their bytes, the newest last.
    pub(super) fn of(versions: Vec<[u8; 32]>) -> Result<Self, SecretError> {
        match versions.len() {
            1..=MAX_VERSIONS => Ok(Self(versions)),
            0 => Err(SecretError::Malformed),
            _ => Err(SecretError::TooManyVersions),
        }
    }

    /// The same with a new one.
    pub(super) fn rotated(mut self) -> Result<Self, SecretError> {
        self.0.push(random()?);
        Self::of(self.0)
    }

    /// All, the newest last.
    pub(crate) fn all(&self) -> &[[u8; 32]] {
        &self.0
    }

    /// As it stands in a plain file.
    pub(super) fn to_lines(&self) -> String {
        let lines: Vec<String> = self.0.iter().map(|version| hex::encode(version)).collect();
        lines.join("\n")
    }
}

impl std::fmt::Debug for Versions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Versions({} hidden)", self.0.len())
    }
}

impl Sealed {
    /// Seals all versions under a passphrase.
    pub(super) fn seal(
        versions: &Versions,
        passphrase: &str,
        purpose: Purpose,
    ) -> Result<Self, SecretError> {
        if passphrase.chars().count() < MIN_PASSPHRASE_CHARS {
            return Err(SecretError::ShortPassphrase);
        }
        let (salt, nonce) = (random::<16>()?, random::<NONCE_BYTES>()?);
        let mut sealed = Self {
            arno_sealed_secret: FORM,
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: Base64(salt.to_vec()),
            nonce: Base64(nonce.to_vec()),
            ciphertext: Base64(Vec::new()),
        };
        let payload = Payload {
            msg: versions.0.as_flattened(),
            aad: purpose.bound(),
        };
        let cipher = sealed.cipher(passphrase)?;
        let ciphertext = cipher.encrypt(&XNonce::from(nonce), payload);
        sealed.ciphertext = Base64(ciphertext.map_err(|_| SecretError::Malformed)?);
        Ok(sealed)
    }

    /// Opens it.
    pub(super) fn open(&self, passphrase: &str, purpose: Purpose) -> Result<Versions, SecretError> {
        let nonce: [u8; NONCE_BYTES] = self
            .nonce
            .0
            .as_slice()
            .try_into()
            .map_err(|_| SecretError::Malformed)?;
        if self.arno_sealed_secret != FORM {
            return Err(SecretError::Malformed);
        }
        let payload = Payload {
            msg: &self.ciphertext.0,
            aad: purpose.bound(),
        };
        let opened = self
            .cipher(passphrase)?
            .decrypt(&XNonce::from(nonce), payload);
        let opened = opened.map_err(|_| SecretError::WrongPassphrase)?;
        let (versions, rest) = opened.as_chunks::<32>();
        match rest {
            [] => Versions::of(versions.to_vec()),
            _ => Err(SecretError::Malformed),
        }
    }

    fn cipher(&self, passphrase: &str) -> Result<XChaCha20Poly1305, SecretError> {
        let is_bounded = self.memory_kib <= MAX_MEMORY_KIB
            && self.passes <= MAX_PASSES
            && self.lanes <= MAX_LANES;
        if !is_bounded {
            return Err(SecretError::TooCostly);
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32));
        let params = params.map_err(|_| SecretError::Malformed)?;
        let mut key = [0; 32];
        let made = Argon2::new(Algorithm::Argon2id, Version::V0x13, params).hash_password_into(
            passphrase.as_bytes(),
            &self.salt.0,
            &mut key,
        );
        made.map_err(|_| SecretError::Malformed)?;
        Ok(XChaCha20Poly1305::new(&key.into()))
    }
}

/// Bytes of the system's randomness.
pub(super) fn random<const N: usize>() -> Result<[u8; N], SecretError> {
    let mut bytes = [0; N];
    let filled = rand::rngs::SysRng.try_fill_bytes(&mut bytes);
    filled.map_err(|_| SecretError::NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::{MAX_VERSIONS, Purpose, Sealed, SecretFile, Versions};
    use crate::secret::{SecretError, Unlock};

    const PASSPHRASE: &str = "correct horse battery";

    fn versions() -> Versions {
        Versions::of(vec![[7; 32]]).unwrap()
    }

    fn file(text: &str) -> SecretFile {
        SecretFile::parse(text).unwrap()
    }

    #[test]
    fn a_sealed_secret_opens_with_its_passphrase_alone() {
        let sealed = Sealed::seal(&versions(), PASSPHRASE, Purpose::AtRest).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        assert!(!text.contains("07070707"));
        let opened = file(&text).open(&Unlock::with(PASSPHRASE)).unwrap();
        assert_eq!((opened.versions, opened.is_plain), (versions(), false));
        let wrong = file(&text).open(&Unlock::with("correct horse batterie"));
        assert!(matches!(wrong, Err(SecretError::WrongPassphrase)));
        let locked = file(&text).open(&Unlock::none());
        assert!(matches!(locked, Err(SecretError::Locked)));
        let as_backup = sealed.open(PASSPHRASE, Purpose::Backup);
        assert!(
            matches!(as_backup, Err(SecretError::WrongPassphrase)),
            "purposes are bound"
        );
    }

    #[test]
    fn a_plain_secret_of_an_older_node_is_still_read() {
        let opened = file(&format!("{}\n", "07".repeat(32)))
            .open(&Unlock::none())
            .unwrap();
        assert_eq!((opened.versions, opened.is_plain), (versions(), true));
        assert!(matches!(
            SecretFile::parse("no secret"),
            Err(SecretError::Malformed)
        ));
        assert!(matches!(SecretFile::parse(""), Err(SecretError::Malformed)));
    }

    #[test]
    fn versions_stay_in_order_and_have_an_end() {
        let mut all = versions();
        for _ in 1..MAX_VERSIONS {
            all = all.rotated().unwrap();
        }
        assert_eq!(all.all()[0], [7; 32]);
        let lines = all.to_lines();
        assert_eq!(file(&lines).open(&Unlock::none()).unwrap().versions, all);
        let sealed = Sealed::seal(&all, PASSPHRASE, Purpose::Backup).unwrap();
        assert_eq!(sealed.open(PASSPHRASE, Purpose::Backup).unwrap(), all);
        assert!(matches!(all.rotated(), Err(SecretError::TooManyVersions)));
    }

    #[test]
    fn a_file_that_asks_for_too_much_work_is_refused() {
        let sealed = Sealed::seal(&versions(), PASSPHRASE, Purpose::AtRest).unwrap();
        for (field, value) in [
            ("memory_kib", 1 << 30),
            ("passes", 1 << 20),
            ("lanes", 1 << 10),
        ] {
            let mut costly = serde_json::to_value(&sealed).unwrap();
            costly[field] = serde_json::json!(value);
            let opened = file(&costly.to_string()).open(&Unlock::with(PASSPHRASE));
            assert!(matches!(opened, Err(SecretError::TooCostly)), "{field}");
        }
    }

    #[test]
    fn short_passphrases_are_refused() {
        let sealed = Sealed::seal(&versions(), "short", Purpose::Backup);
        assert!(matches!(sealed, Err(SecretError::ShortPassphrase)));
    }
}
