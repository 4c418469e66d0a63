//! Borders of what a node says of itself: from how many patients a field counts as recorded, a value is named, a step of coverage begins.
//!
//! A border that everybody knows tells of a patient: whoever knows all others sees the last one arrive. So each border lies above its
//! least by a number that is drawn under a secret of the node, once for what it is the border of, and never below the least. Numbers
//! are drawn as the tosses before a first success are (geometric): however often a border was seen not to be reached, the next patient
//! reaches it with the same chance. It is no noise: it is not drawn anew when data change, because what is drawn anew averages out, and
//! it costs no budget. What it is worth, and what it is not: docs/decisions/0024. Not here: counting (`crate::manifest`).

use super::{NoiseSecret, Stream};

/// A border lies above its least by at most so many times what it does on average, so that a field of many patients is surely recorded.
/// One border in fifty lies just there.
const MOST_SPREADS: u32 = 4;

/// Where the borders of one node lie.
#[derive(Debug, Clone)]
pub struct Borders {
    secret: NoiseSecret,
    spread: u32,
}

impl Borders {
    /// Borders under a secret that lie above their least by `spread` patients on average; by none for 0.
    #[must_use]
    pub fn new(secret: NoiseSecret, spread: u32) -> Self {
        Self { secret, spread }
    }

    /// The border of what is named by these words, in patients.
    #[must_use]
    pub fn above(&self, least: u64, of: &[&str]) -> u64 {
        let mut stream = Stream::of_border(&self.secret, of);
        let tosses = u128::from(self.spread) + 1;
        let most = u64::from(self.spread.saturating_mul(MOST_SPREADS));
        let missed = (0..most).take_while(|_| stream.below(tosses) != 0);
        least.saturating_add(missed.count() as u64)
    }

    /// The border of a share, in thousandths, of what is named by these words: within so many above its least.
    #[must_use]
    pub fn share_above(&self, least: u64, width: u64, of: &[&str]) -> u64 {
        if self.spread == 0 {
            return least;
        }
        let mut stream = Stream::of_border(&self.secret, of);
        let within = stream.below(u128::from(width.max(1)));
        least.saturating_add(u64::try_from(within).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::{Borders, MOST_SPREADS, NoiseSecret};

    const LEAST: u64 = 5;
    const SPREAD: u32 = 31;

    /// The border of one field at nodes of different secrets.
    fn borders(spread: u32) -> impl Iterator<Item = u64> {
        (0..4_000_u32).map(move |at| {
            let mut secret = [7; 32];
            secret[..4].copy_from_slice(&at.to_le_bytes());
            Borders::new(NoiseSecret::new(secret), spread).above(LEAST, &["recorded", "sex"])
        })
    }

    #[test]
    fn a_border_is_fixed_for_its_secret_and_its_name() {
        let of = |secret: u8, name: &[&str]| {
            Borders::new(NoiseSecret::new([secret; 32]), 1_000).above(LEAST, name)
        };
        assert_eq!(of(1, &["recorded", "sex"]), of(1, &["recorded", "sex"]));
        assert_ne!(of(1, &["recorded", "sex"]), of(2, &["recorded", "sex"]));
        assert_ne!(of(1, &["recorded", "sex"]), of(1, &["recorded", "age"]));
        assert_ne!(of(1, &["ab", "c"]), of(1, &["a", "bc"]));
    }

    #[test]
    fn a_border_is_never_below_its_least_nor_far_above() {
        let most = LEAST + u64::from(SPREAD * MOST_SPREADS);
        assert!(borders(SPREAD).all(|border| (LEAST..=most).contains(&border)));
        assert!(borders(0).all(|border| border == LEAST));
        let mean = borders(SPREAD).sum::<u64>() as f64 / 4_000.0;
        assert!((34.0..37.0).contains(&mean), "{mean}");
    }

    /// Whoever has watched a field for long knows no better than at first whether the next patient makes it recorded.
    #[test]
    fn what_was_seen_so_far_tells_nothing_of_the_next_patient() {
        let places: Vec<_> = borders(SPREAD).collect();
        let chance = 1.0 / f64::from(SPREAD + 1);
        for before in LEAST..LEAST + 40 {
            let unsupported = places.iter().filter(|border| **border >= before).count() as f64;
            let reached = places.iter().filter(|border| **border == before).count() as f64;
            // Four spreads of a share of so many.
            let limit = 4.0 * (chance * (1.0 - chance) / unsupported).sqrt();
            let share = reached / unsupported;
            assert!((share - chance).abs() < limit, "{before}: {share}");
        }
    }

    #[test]
    fn a_share_stays_within_its_width() {
        let of = |secret: u8, spread| {
            let borders = Borders::new(NoiseSecret::new([secret; 32]), spread);
            borders.share_above(900, 50, &["coverage", "sex"])
        };
        assert!((0..=255).all(|secret| (900..950).contains(&of(secret, SPREAD))));
        assert_ne!(of(1, SPREAD), of(2, SPREAD));
        assert_eq!(of(1, 0), 900);
    }
}
