//! The committee's signing key, sealed under a passphrase: PBKDF2-HMAC-SHA-256 and AES-256-GCM over PKCS #8, which a
//! browser opens with WebCrypto just as this program does. Whoever holds the sealed form, such as the hub, cannot sign.

use std::{num::NonZeroU32, path::PathBuf};

use anyhow::{Context as _, anyhow, bail};
use arno_domain::SecretKey;
use arno_protocol::{Base64, session::SealedKey};
use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, KeypairBytes};
use rand::TryRng as _;
use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    pbkdf2,
};

use crate::{Shared, output};

/// OWASP's figure for PBKDF2-HMAC-SHA-256 (2023): about half a second in a browser.
const ITERATIONS: u32 = 600_000;
/// Fewer would be a downgrade, more would hang a browser.
const ITERATIONS_ACCEPTED: std::ops::RangeInclusive<u32> = 100_000..=5_000_000;

#[derive(Debug, clap::Args)]
pub(crate) struct CommitteeKeyArgs {
    /// Where to write the sealed key
    #[arg(long, default_value = "committee-key.json")]
    out: PathBuf,
    /// The passphrase; asked for when it is not given here
    #[arg(long, env = "ARNO_PASSPHRASE", hide_env_values = true)]
    passphrase: Option<String>,
}

pub(crate) fn run(shared: &Shared, args: &CommitteeKeyArgs) -> anyhow::Result<()> {
    if args.out.exists() {
        bail!(
            "{} is there already; keys are not overwritten",
            args.out.display()
        );
    }
    let key = new_key()?;
    let sealed = seal(&key, &passphrase(args.passphrase.as_deref())?)?;
    std::fs::write(&args.out, serde_json::to_vec_pretty(&sealed)?)
        .with_context(|| format!("cannot write {}", args.out.display()))?;
    if shared.json {
        return output::json(
            &serde_json::json!({ "public_key": sealed.public_key, "file": args.out }),
        );
    }
    println!(
        "Public key {}\nSealed key in {}; keep the passphrase apart from it.",
        sealed.public_key,
        args.out.display()
    );
    Ok(())
}

/// The passphrase given, or asked for.
pub(crate) fn passphrase(given: Option<&str>) -> anyhow::Result<String> {
    match given {
        Some(passphrase) => Ok(passphrase.to_owned()),
        None => rpassword::prompt_password("Passphrase of the signing key: ")
            .context("cannot ask for the passphrase; set ARNO_PASSPHRASE"),
    }
}

/// A new signing key.
pub(crate) fn new_key() -> anyhow::Result<SecretKey> {
    Ok(SecretKey::from_seed(&random()?))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .context("the system gives no randomness")?;
    Ok(bytes)
}

/// Seals a key.
pub(crate) fn seal(key: &SecretKey, passphrase: &str) -> anyhow::Result<SealedKey> {
    let (salt, nonce) = (random::<16>()?, random::<12>()?);
    // Version 1 of PKCS #8, without the public half: browsers refuse version 2.
    let pkcs8 = KeypairBytes {
        secret_key: key.seed(),
        public_key: None,
    }
    .to_pkcs8_der();
    let mut bytes = pkcs8
        .map_err(|_| anyhow!("the key has no PKCS #8 form"))?
        .as_bytes()
        .to_vec();
    let sealing = cipher(passphrase, &salt, ITERATIONS)?;
    let sealed = sealing.seal_in_place_append_tag(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut bytes,
    );
    sealed.map_err(|_| anyhow!("the key cannot be sealed"))?;
    Ok(SealedKey {
        public_key: key.public(),
        iterations: ITERATIONS,
        salt: Base64(salt.to_vec()),
        nonce: Base64(nonce.to_vec()),
        ciphertext: Base64(bytes),
    })
}

/// Opens a sealed key.
pub(crate) fn open(sealed: &SealedKey, passphrase: &str) -> anyhow::Result<SecretKey> {
    if !ITERATIONS_ACCEPTED.contains(&sealed.iterations) {
        bail!(
            "the sealed key asks for {} iterations; it may have been tampered with",
            sealed.iterations
        );
    }
    let nonce: [u8; 12] = sealed
        .nonce
        .0
        .as_slice()
        .try_into()
        .context("the sealed key has a bad nonce")?;
    let mut bytes = sealed.ciphertext.0.clone();
    let cipher = cipher(passphrase, &sealed.salt.0, sealed.iterations)?;
    let opened = cipher.open_in_place(
        Nonce::assume_unique_for_key(nonce),
        Aad::empty(),
        &mut bytes,
    );
    let pkcs8 = opened.map_err(|_| anyhow!("the passphrase does not open the signing key"))?;
    let key = ed25519_dalek::SigningKey::from_pkcs8_der(pkcs8)
        .map_err(|_| anyhow!("the sealed key is damaged"))?;
    let key = SecretKey::from_seed(&key.to_bytes());
    if key.public() != sealed.public_key {
        bail!("the sealed key is not the one that it names");
    }
    Ok(key)
}

fn cipher(passphrase: &str, salt: &[u8], iterations: u32) -> anyhow::Result<LessSafeKey> {
    let iterations = NonZeroU32::new(iterations).context("a sealed key needs iterations")?;
    let mut key = [0; 32];
    pbkdf2::derive(
        pbkdf2::PBKDF2_HMAC_SHA256,
        iterations,
        salt,
        passphrase.as_bytes(),
        &mut key,
    );
    let key = UnboundKey::new(&AES_256_GCM, &key).map_err(|_| anyhow!("no cipher"))?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::{new_key, open, seal};

    #[test]
    fn only_the_passphrase_opens_the_key() {
        let key = new_key().unwrap();
        let sealed = seal(&key, "correct horse").unwrap();
        assert_eq!(open(&sealed, "correct horse").unwrap().seed(), key.seed());
        assert!(
            open(&sealed, "wrong horse")
                .unwrap_err()
                .to_string()
                .contains("passphrase")
        );
        let mut weakened = sealed;
        weakened.iterations = 1;
        assert!(
            open(&weakened, "correct horse")
                .unwrap_err()
                .to_string()
                .contains("iterations")
        );
    }
}
