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
pub(crate) fn split(
    secret: &Seed,
    polynomial_key: &Seed,
    threshold: usize,
    count: usize,
) -> Vec<Share> {
    let mut coefficients = vec![[0; 32]; threshold];
    stream(polynomial_key).apply_keystream(coefficients[1..].as_flattened_mut());
    coefficients[0] = *secret;
    (0..count)
        .map(|place| evaluate(&coefficients, point(place)))
        .collect()
}

/// Lagrange's weights at the point 0 of shares at these places, which must differ: the product of `x_j / (x_j - x_i)` over
/// all other places; minus is plus is xor here. They serve for all seeds of which the same nodes reveal shares.
pub(crate) fn weights(places: &[usize]) -> Vec<u8> {
    let points: Vec<u8> = places.iter().map(|place| point(*place)).collect();
    let weight = |own: &u8| {
        let others = points.iter().filter(|other| *other != own);
        others.fold(1, |weight, other| {
            multiply(weight, multiply(*other, inverse(other ^ own)))
        })
    };
    points.iter().map(weight).collect()
}

/// The secret that these shares rebuild, given their weights. From fewer shares than the threshold comes something
/// unrelated to the secret.
pub(crate) fn combine(weights: &[u8], shares: &[Share]) -> Seed {
    let mut secret = [0; 32];
    for (weight, share) in weights.iter().zip(shares) {
        add(&mut secret, &multiply_all(share, *weight));
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
        value = multiply_all(&value, x);
        add(&mut value, coefficient);
    }
    value
}

fn add(sum: &mut [u8; 32], term: &[u8; 32]) {
    sum.iter_mut()
        .zip(term)
        .for_each(|(sum, term)| *sum ^= term);
}

/// Each byte times `factor`, bit by bit of the factor, so that the compiler can take many bytes at a time.
fn multiply_all(bytes: &[u8; 32], factor: u8) -> [u8; 32] {
    let mut product = [0; 32];
    let mut shifted = *bytes;
    for bit in 0..8 {
        let taken = (factor >> bit & 1).wrapping_neg();
        for (product, shifted) in product.iter_mut().zip(&mut shifted) {
            *product ^= *shifted & taken;
            *shifted = (*shifted << 1) ^ (0x1b & (*shifted >> 7).wrapping_neg());
        }
    }
    product
}

fn multiply(a: u8, b: u8) -> u8 {
    multiply_all(&[a; 32], b)[0]
}

/// The inverse is the 254th power, since the order of every element but 0 divides 255.
fn inverse(a: u8) -> u8 {
    (0..253).fold(a, |power, _| multiply(power, a))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop, prop_assert_eq, prop_assert_ne, proptest};

    use super::{Share, combine, inverse, multiply, split, weights};

    fn rebuild(places: &[usize], shares: &[Share]) -> [u8; 32] {
        let chosen: Vec<_> = places.iter().map(|place| shares[*place]).collect();
        combine(&weights(places), &chosen)
    }

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
            let places: Vec<_> = (0..threshold).map(|step| (start + step) % count).collect();
            prop_assert_eq!(rebuild(&places, &shares), secret);
            prop_assert_ne!(rebuild(&places[1..], &shares), secret);
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
}
