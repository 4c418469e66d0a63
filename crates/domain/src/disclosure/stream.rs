//! Random bits that are the same for the same question: HMAC-SHA-256 in counter mode under a secret of the node.
//!
//! What the stream is bound to decides what leaks, so it is built from named parts: the normal form of the question, the cell of
//! the answer, and the version of *all* data of the node. Never the count or the rows that match: two questions with equal results
//! would get equal noise, and an equal answer would tell that they are equal.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::policy::Level;

/// Separates this use of the secret from every other.
const LABEL: &[u8] = b"arno disclosure noise 1";

/// Separates borders from noise.
const BORDER_LABEL: &[u8] = b"arno manifest border 1";

/// Separates the noise's secret from the one that it is derived from.
const KEY_LABEL: &[u8] = b"arno disclosure noise key 1";

/// The secret that a node's noise comes from. Not printable.
#[derive(Clone)]
pub struct NoiseSecret([u8; 32]);

impl std::fmt::Debug for NoiseSecret {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("NoiseSecret(..)")
    }
}

impl NoiseSecret {
    /// From 32 random bytes.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// From a secret that serves for something else too: HMAC-SHA-256 of this use's name under it.
    #[must_use]
    pub fn derived_from(secret: &[u8; 32]) -> Self {
        let mut mac = keyed(secret);
        mac.update(KEY_LABEL);
        Self(mac.finalize().into_bytes().into())
    }
}

/// What is counted in one number of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cell<'a> {
    /// This site's own protected count.
    Site(Level),
    /// This site's part of a total, for one set of sites and one drawing.
    Total {
        /// What is counted.
        level: Level,
        /// Digest of the sites that take part.
        sites: &'a str,
        /// Rises when a drawing was used up by a total of fewer sites.
        draw: u64,
    },
    /// One bar of a facet.
    Facet {
        /// The facet's field.
        field: &'a str,
        /// The bar's value.
        value: &'a str,
    },
}

/// The question whose answer is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked<'a> {
    /// SHA-256 of the question's normal form, hexadecimal.
    pub form: &'a str,
    /// Version of all searchable data of the node.
    pub data_version: u64,
}

/// Random numbers for one cell of one question.
pub struct Stream {
    key: Hmac<Sha256>,
    block: [u8; 32],
    used: usize,
    counter: u64,
}

impl Stream {
    /// The stream of a cell.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn new(secret: &NoiseSecret, asked: Asked<'_>, cell: Cell<'_>) -> Self {
        let mut mac = keyed(&secret.0);
        let mut part = |bytes: &[u8]| add(&mut mac, bytes);
        part(LABEL);
        part(asked.form.as_bytes());
        part(&asked.data_version.to_le_bytes());
        match cell {
            Cell::Site(level) => {
                part(b"site");
                part(level.as_str().as_bytes());
            }
            Cell::Total { level, sites, draw } => {
                part(b"total");
                part(level.as_str().as_bytes());
                part(sites.as_bytes());
                part(&draw.to_le_bytes());
            }
            Cell::Facet { field, value } => {
                part(b"facet");
                part(field.as_bytes());
                part(value.as_bytes());
            }
        }
        Self::from_mac(mac)
    }

    /// The stream of a border, named by words: the same whatever data there are.
    pub(super) fn of_border(secret: &NoiseSecret, of: &[&str]) -> Self {
        let mut mac = keyed(&secret.0);
        add(&mut mac, BORDER_LABEL);
        of.iter().for_each(|word| add(&mut mac, word.as_bytes()));
        Self::from_mac(mac)
    }

    fn from_mac(mac: Hmac<Sha256>) -> Self {
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        Self {
            key: keyed(&key),
            block: [0; 32],
            used: 32,
            counter: 0,
        }
    }

    /// 64 uniform bits.
    pub fn bits(&mut self) -> u64 {
        if self.used == self.block.len() {
            let mut mac = self.key.clone();
            mac.update(&self.counter.to_le_bytes());
            self.block = mac.finalize().into_bytes().into();
            self.counter += 1;
            self.used = 0;
        }
        let bytes = std::array::from_fn(|at| self.block[self.used + at]);
        self.used += 8;
        u64::from_le_bytes(bytes)
    }

    /// A uniform number below `end`, exactly: draws that would favour small numbers are thrown away.
    ///
    /// # Panics
    /// When `end` is 0: there is no number below it.
    pub fn below(&mut self, end: u128) -> u128 {
        assert!(end > 0, "there is no number below 0");
        let Ok(end) = u64::try_from(end) else {
            return self.below_wide(end);
        };
        let fair = u64::MAX - u64::MAX % end;
        loop {
            let bits = self.bits();
            if bits < fair {
                return u128::from(bits % end);
            }
        }
    }

    fn below_wide(&mut self, end: u128) -> u128 {
        let fair = u128::MAX - u128::MAX % end;
        loop {
            let bits = u128::from(self.bits()) << 64 | u128::from(self.bits());
            if bits < fair {
                return bits % end;
            }
        }
    }
}

/// With its length before it, so that no two lists of parts are the same bytes.
fn add(mac: &mut Hmac<Sha256>, part: &[u8]) {
    mac.update(&(part.len() as u64).to_le_bytes());
    mac.update(part);
}

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes keys of any length")
}

#[cfg(test)]
mod tests {
    use super::{Asked, Cell, NoiseSecret, Stream};
    use crate::disclosure::Level;

    const ASKED: Asked<'_> = Asked {
        form: "f",
        data_version: 1,
    };

    fn first(asked: Asked<'_>, cell: Cell<'_>) -> u64 {
        Stream::new(&NoiseSecret::new([1; 32]), asked, cell).bits()
    }

    #[test]
    fn a_stream_is_bound_to_question_version_and_cell() {
        let cell = Cell::Site(Level::Patients);
        let bits = first(ASKED, cell);
        assert_eq!(first(ASKED, cell), bits, "the same question, the same bits");
        let others = [
            first(Asked { form: "g", ..ASKED }, cell),
            first(
                Asked {
                    data_version: 2,
                    ..ASKED
                },
                cell,
            ),
            first(ASKED, Cell::Site(Level::Series)),
            first(
                ASKED,
                Cell::Total {
                    level: Level::Patients,
                    sites: "",
                    draw: 0,
                },
            ),
            first(
                ASKED,
                Cell::Facet {
                    field: "ab",
                    value: "c",
                },
            ),
            first(
                ASKED,
                Cell::Facet {
                    field: "a",
                    value: "bc",
                },
            ),
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(*other, bits);
            assert!(!others[..at].contains(other));
        }
    }

    #[test]
    fn numbers_below_an_end_are_below_it() {
        let mut stream = Stream::new(
            &NoiseSecret::new([1; 32]),
            ASKED,
            Cell::Site(Level::Patients),
        );
        for end in [1, 2, 3, 1 << 40, 1 << 70, u128::MAX] {
            for _ in 0..100 {
                assert!(stream.below(end) < end);
            }
        }
    }
}
