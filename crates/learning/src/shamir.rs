//! Shamir's secret sharing, for whoever else has a secret of 32 bytes to split: the scheme of [`crate::secagg`], and no other.

/// Shares of `secret` for the places `0..count`, any `threshold` of which give it back. `polynomial_key` is 32 random bytes that
/// are used once and kept by nobody. `1 <= threshold <= count <= 254`.
#[must_use]
pub fn split(
    secret: &[u8; 32],
    polynomial_key: &[u8; 32],
    threshold: usize,
    count: usize,
) -> Vec<[u8; 32]> {
    crate::secagg::shamir::split(secret, polynomial_key, threshold, count)
}

/// Weights of shares at these places, which must differ.
#[must_use]
pub fn weights(places: &[usize]) -> Vec<u8> {
    crate::secagg::shamir::weights(places)
}

/// The secret that these shares give back, given their weights. From too few, or false, shares comes something unrelated.
#[must_use]
pub fn combine(weights: &[u8], shares: &[[u8; 32]]) -> [u8; 32] {
    crate::secagg::shamir::combine(weights, shares)
}
