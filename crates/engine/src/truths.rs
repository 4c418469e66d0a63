//! What is true, false or neither of each row (Kleene's logic), as two bits a row.

use crate::bits::Bits;

/// Two bits a row, of which at most one is set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Truths {
    pub(crate) yes: Bits,
    pub(crate) no: Bits,
}

impl Truths {
    pub(crate) fn unknown(rows: usize) -> Self {
        Self {
            yes: Bits::none(rows),
            no: Bits::none(rows),
        }
    }

    pub(crate) fn all(rows: usize) -> Self {
        Self {
            yes: Bits::all(rows),
            no: Bits::none(rows),
        }
    }

    /// True of these rows, false of all others.
    pub(crate) fn of(yes: Bits) -> Self {
        Self { no: yes.not(), yes }
    }

    pub(crate) fn and(&mut self, other: &Self) {
        self.yes.and(&other.yes);
        self.no.or(&other.no);
    }

    pub(crate) fn or(&mut self, other: &Self) {
        self.yes.or(&other.yes);
        self.no.and(&other.no);
    }

    pub(crate) fn not(self) -> Self {
        Self {
            yes: self.no,
            no: self.yes,
        }
    }
}
