//! Passwords as Argon2id PHC strings (RFC 9106).

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};

/// Hashes a password with a random salt. Takes tens of milliseconds on purpose: call it off the async threads.
///
/// # Panics
/// When the operating system gives no randomness.
#[must_use]
pub fn hash_password(password: &str) -> String {
    let hash = Argon2::default()
        .hash_password(password.as_bytes())
        .expect("the system gives randomness");
    hash.to_string()
}

/// Whether the password is the one that was hashed; as slow as hashing.
#[must_use]
pub fn verify_password(password: &str, hash: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        return false;
    };
    Argon2::default()
        .verify_password(password.as_bytes(), &hash)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::{hash_password, verify_password};

    #[test]
    fn only_the_right_password_fits() {
        let hash = hash_password("correct horse");
        assert!(verify_password("correct horse", &hash));
        assert!(!verify_password("correct horses", &hash));
        assert!(!verify_password("correct horse", "not a hash"));
        assert_ne!(hash, hash_password("correct horse"), "the salt is random");
    }
}
