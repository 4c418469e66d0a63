//! Where the passphrase comes from: the environment, a file that it names, or a credential of systemd (`LoadCredential=`,
//! `LoadCredentialEncrypted=`). Read once, when the settings are.

use std::{env, fs, path::Path};

use super::{
    SecretError, SecretFile,
    sealed::{Purpose, Sealed},
};

/// The passphrase itself.
const PASSPHRASE: &str = "ARNO_SECRET_PASSPHRASE";
/// A file with the passphrase on its first line.
const KEY_FILE: &str = "ARNO_SECRET_KEY_FILE";
/// The folder in which systemd puts a service's credentials, and the name of ours.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";
const CREDENTIAL: &str = "arno-secret";
/// Longest file of a passphrase.
const MAX_FILE_BYTES: u64 = 64 * 1024;

/// What opens a sealed secret, if anything was given. Hidden from Debug.
#[derive(Clone, Default)]
pub struct Unlock(Option<String>);

impl Unlock {
    /// Nothing.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// This passphrase.
    #[must_use]
    pub fn with(passphrase: &str) -> Self {
        Self(Some(passphrase.to_owned()))
    }

    /// What the environment gives: the passphrase, else the file that it names, else a credential.
    #[must_use]
    pub fn from_environment() -> Self {
        let given = env::var(PASSPHRASE).ok();
        let named = || first_line(Path::new(&env::var_os(KEY_FILE)?));
        let credential = || first_line(&Path::new(&env::var_os(CREDENTIALS)?).join(CREDENTIAL));
        Self(given.or_else(named).or_else(credential))
    }

    /// The text of a secret's file: sealed where there is a passphrase, else plain.
    pub(crate) fn laid(&self, plain: &str) -> Result<String, SecretError> {
        let Some(passphrase) = self.passphrase() else {
            return Ok(plain.to_owned());
        };
        let versions = SecretFile::parse(plain)?.open(&Self::none())?.versions;
        let sealed = Sealed::seal(&versions, passphrase, Purpose::AtRest)?;
        serde_json::to_string(&sealed).map_err(|_| SecretError::Malformed)
    }

    pub(super) fn passphrase(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

impl std::fmt::Debug for Unlock {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self.0 {
            Some(_) => "Unlock(given)",
            None => "Unlock(nothing)",
        })
    }
}

/// A file that cannot be read gives nothing; the secret then says that it is sealed, and what would open it.
fn first_line(path: &Path) -> Option<String> {
    let is_small = fs::metadata(path).is_ok_and(|about| about.len() <= MAX_FILE_BYTES);
    let text = is_small.then(|| fs::read_to_string(path).ok())??;
    let line = text.lines().next()?.trim_end_matches('\r');
    (!line.is_empty()).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::first_line;

    #[test]
    fn a_key_file_is_read_up_to_its_first_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let check = |text: &str, expect: Option<&str>| {
            let path = folder.path().join("key");
            std::fs::write(&path, text).unwrap();
            assert_eq!(first_line(&path).as_deref(), expect);
        };
        check(
            "words of a passphrase\r\nmore",
            Some("words of a passphrase"),
        );
        check("", None);
        check(&"x".repeat(70_000), None);
        assert_eq!(first_line(&folder.path().join("absent")), None);
    }
}
