//! Which patients changed with which version of the data, for whoever keeps something made of them. Kept in memory and within limits:
//! what another program changed, or what is long ago, is not known, and then everything may have changed.

use std::{
    collections::{BTreeSet, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::Row as _;

use super::{NodeStore, unsigned};
use crate::{StoreError, WriteTx};

/// Most names of patients that are kept; more than this is read again as fast as a whole.
const MAX_NAMES: usize = 10_000;

/// Changes since a version of the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// There is none.
    Nothing,
    /// Nothing but these patients changed up to a version.
    Patients {
        /// The version.
        version: u64,
        /// The patients.
        patients: Vec<String>,
    },
    /// Anything may have changed up to a version.
    Unknown {
        /// The version.
        version: u64,
    },
}

/// The last versions, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Changed(Arc<Mutex<VecDeque<OfVersion>>>);

/// A version, and the patients that it changed.
type OfVersion = (u64, BTreeSet<String>);

impl Changed {
    fn note(&self, version: u64, patients: BTreeSet<String>) {
        let mut versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        versions.push_back((version, patients));
        let names = |(_, patients): &OfVersion| patients.len() + 1;
        let mut kept: usize = versions.iter().map(names).sum();
        while kept > MAX_NAMES {
            kept -= versions.pop_front().as_ref().map_or(kept, names);
        }
    }

    /// Patients of all versions after one up to another, if all of them are known.
    fn between(&self, after: u64, version: u64) -> Option<Vec<String>> {
        let versions = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = |version: u64| versions.iter().filter(move |(known, _)| *known == version);
        let mut patients = BTreeSet::new();
        for version in after + 1..=version {
            wanted(version).next()?;
            let known = wanted(version).flat_map(|(_, patients)| patients);
            patients.extend(known.cloned());
        }
        Some(patients.into_iter().collect())
    }
}

impl NodeStore {
    /// Raises the version of the data in a transaction that changes what is known of these patients. Noted before it is committed:
    /// where that fails, the next change has the same version, and a patient too many is no harm.
    pub(super) async fn change(
        &self,
        tx: &mut WriteTx<'_>,
        patients: impl IntoIterator<Item = String>,
    ) -> Result<(), StoreError> {
        tx.raise_data_version().await?;
        let sql = "-- data_version
            SELECT version FROM data_version";
        let row = sqlx::query(sql).fetch_one(tx.connection()).await?;
        let version = unsigned(row.try_get("version")?);
        self.changed.note(version, patients.into_iter().collect());
        Ok(())
    }

    /// What changed since a version of the data.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn changed_since(&self, after: u64) -> Result<Since, StoreError> {
        let version = self.data_version().await?;
        if version == after {
            return Ok(Since::Nothing);
        }
        Ok(match self.changed.between(after, version) {
            Some(patients) => Since::Patients { version, patients },
            None => Since::Unknown { version },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Changed, MAX_NAMES};

    #[test]
    fn a_version_that_is_not_known_makes_all_unknown() {
        let changed = Changed::default();
        let note = |version, names: &[&str]| {
            changed.note(
                version,
                names.iter().map(|name| (*name).to_owned()).collect(),
            );
        };
        note(2, &["a"]);
        note(3, &["b", "a"]);
        note(3, &["c"]);
        note(5, &[]);
        let check = |after, version, expect: Option<&[&str]>| {
            let found = changed.between(after, version);
            assert_eq!(
                found
                    .as_deref()
                    .map(|names| names.iter().map(String::as_str).collect()),
                expect.map(<[_]>::to_vec)
            );
        };
        check(1, 3, Some(&["a", "b", "c"]));
        check(2, 3, Some(&["a", "b", "c"]));
        check(4, 5, Some(&[]));
        check(3, 5, None);
        check(0, 2, None);
    }

    #[test]
    fn names_are_kept_within_limits() {
        let changed = Changed::default();
        let names = |from: usize| {
            (from..from + MAX_NAMES / 2)
                .map(|name| name.to_string())
                .collect()
        };
        (1..=3).for_each(|version| changed.note(version, names(0)));
        assert_eq!(changed.between(0, 3), None);
        assert!(changed.between(2, 3).is_some());
    }
}
