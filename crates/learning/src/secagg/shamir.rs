//! Shamir's secret sharing over GF(256), byte by byte (A. Shamir, "How to share a secret", CACM 22(11), 1979).
//!
//! The field is that of AES (x^8 + x^4 + x^3 + x + 1). Multiplication uses no table and no branch on secrets, so that timing does not
//! depend on them. No integrity: false shares rebuild a false secret; the commitments notice that.

use chacha20::cipher::StreamCipher;

use super::{keys::Seed, mask::stream};

/// One share of a seed; it belongs to the point `place + 1` (the point 0 is the secret).
pub(super) type Share = [u8; 32];

/// Shares of `secret` for the places `0..count`, any `threshold` of which rebuild it. Coefficients come from the key stream of
/// `polynomial_key`. `1 <= threshold <= count <= 255`.
pub(super) fn split(secret: &Seed, polynomial_key: &Seed, threshold: usize, count: usize) -> Vec<Share> {
    let mut coefficients = vec![[0; 32]; threshold];
    stream(polynomial_key).apply_keystream(coefficients[1..].as_flattened_mut());
    coefficients[0] = *secret;
    (0..count).map(|place| evaluate(&coefficients, point(place))).collect()
}

/// The secret that these shares, each with its place, rebuild. Places must differ; with fewer shares than the threshold the
/// result is unrelated to the secret.
pub(super) fn combine(shares: &[(usize, Share)]) -> Seed {
    let mut secret = [0; 32];
    for (at, (_, share)) in shares.iter().enumerate() {
        let weight = weight_at_zero(shares, at);
        for (sum, byte) in secret.iter_mut().zip(share) {
            *sum ^= multiply(weight, *byte);
        }
    }
    secret
}

fn point(place: usize) -> u8 {
    u8::try_from(place + 1).expect("MAX_PARTICIPANTS is below 255")
}

/// Horner's rule for each of the 32 polynomials at once.
fn evaluate(coefficients: &[[u8; 32]], x: u8) -> Share {
    let mut value = [0; 32];
    for coefficient in coefficients.iter().rev() {
        for (sum, byte) in value.iter_mut().zip(coefficient) {
            *sum = multiply(*sum, x) ^ byte;
        }
    }
    value
}

/// Lagrange's weight of share `at` at the point 0: the product of `x_j / (x_j - x_at)`; minus is plus is xor here.
fn weight_at_zero(shares: &[(usize, Share)], at: usize) -> u8 {
    let own = point(shares[at].0);
    let others = shares.iter().map(|(place, _)| point(*place)).filter(|other| *other != own);
    others.fold(1, |weight, other| multiply(weight, multiply(other, inverse(other ^ own))))
}

fn multiply(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    for _ in 0..8 {
        product ^= a & (b & 1).wrapping_neg();
        a = (a << 1) ^ (0x1b & (a >> 7).wrapping_neg());
        b >>= 1;
    }
    product
}

/// The inverse is the 254th power, since every element but 0 has the order 255 or a divisor of it.
fn inverse(a: u8) -> u8 {
    (0..253).fold(a, |power, _| multiply(power, a))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop, prop_assert_eq, prop_assert_ne, proptest};

    use super::{combine, inverse, multiply, split};

    #[test]
    fn the_field_is_that_of_aes() {
        // FIPS 197 section 4.2: {57} · {83} = {c1}, {57} · {13} = {fe}.
        assert_eq!(multiply(0x57, 0x83), 0xc1);
        assert_eq!(multiply(0x57, 0x13), 0xfe);
        assert!((1..=255).all(|a| multiply(a, inverse(a)) == 1));
    }

    proptest! {
        #[test]
        fn any_threshold_shares_rebuild_the_secret_and_one_fewer_do_not(
            secret in any::<[u8; 32]>(),
            key in any::<[u8; 32]>(),
            (count, threshold) in (2usize..=20).prop_flat_map(|count| (prop::strategy::Just(count), 2..=count)),
            shuffle in any::<prop::sample::Index>(),
        ) {
            let shares = split(&secret, &key, threshold, count);
            let start = shuffle.index(count);
            let chosen: Vec<_> =
                (0..threshold).map(|step| (start + step) % count).map(|place| (place, shares[place])).collect();
            prop_assert_eq!(combine(&chosen), secret);
            prop_assert_ne!(combine(&chosen[1..]), secret);
        }
    }

    #[test]
    fn fewer_shares_than_the_threshold_fit_every_secret() {
        // Two of three: one share alone is the same for two secrets, given fitting coefficients, so it cannot tell them apart.
        let shares = split(&[1; 32], &[9; 32], 2, 3);
        let slope: [u8; 32] = std::array::from_fn(|at| shares[0][at] ^ 1);
        let other_secret: [u8; 32] = [77; 32];
        let other_slope: [u8; 32] = std::array::from_fn(|at| shares[0][at] ^ other_secret[at]);
        assert_eq!(super::evaluate(&[[1; 32], slope], 1), shares[0]);
        assert_eq!(super::evaluate(&[other_secret, other_slope], 1), shares[0]);
    }

    use proptest::strategy::Strategy;
}
