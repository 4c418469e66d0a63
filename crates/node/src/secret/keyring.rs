//! Which version of the secret a patient is under. After a rotation, patients that the node knows stay under the version that
//! they came under, so that later studies join the earlier ones; who is new comes under the newest.

use std::collections::BTreeSet;

use arno_deid::{PatientKey, Secret};

use super::{LinkSealer, sealed::Versions};

/// All versions, and who is known.
#[derive(Clone)]
pub(crate) struct Keyring {
    older: Vec<Secret>,
    newest: Secret,
    /// Pseudonyms of patients that are kept; only looked at when there are older versions.
    known: BTreeSet<String>,
    links: LinkSealer,
}

impl Keyring {
    pub(crate) fn of(versions: &Versions) -> Self {
        let mut secrets: Vec<Secret> = versions.all().iter().copied().map(Secret::new).collect();
        // There is at least one version.
        let newest = secrets.pop().unwrap_or_else(|| Secret::new([0; 32]));
        Self {
            older: secrets,
            newest,
            known: BTreeSet::new(),
            links: LinkSealer::of(versions),
        }
    }

    /// Whether it must be told who is known.
    pub(crate) fn was_rotated(&self) -> bool {
        !self.older.is_empty()
    }

    /// The same, knowing these pseudonyms.
    pub(crate) fn knowing(mut self, pseudonyms: Vec<String>) -> Self {
        self.known = pseudonyms.into_iter().collect();
        self
    }

    /// The secret of a patient.
    pub(crate) fn of_patient(&self, patient: &PatientKey) -> &Secret {
        let is_known = |secret: &&Secret| self.known.contains(patient.pseudonym(secret).as_str());
        self.older.iter().find(is_known).unwrap_or(&self.newest)
    }

    /// The secrets that something may have come under, the likeliest first.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &Secret> {
        std::iter::once(&self.newest).chain(self.older.iter().rev())
    }

    /// Seals the link from a pseudonym to its patient.
    pub(crate) fn links(&self) -> &LinkSealer {
        &self.links
    }
}

#[cfg(test)]
impl Keyring {
    /// One version of these bytes.
    pub(crate) fn of_one(bytes: [u8; 32]) -> Self {
        Self::of(&Versions::of(vec![bytes]).expect("one version"))
    }
}

impl std::fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Keyring({} versions)", self.older.len() + 1)
    }
}

#[cfg(test)]
mod tests {
    use arno_deid::{PatientKey, Secret};

    use super::{Keyring, Versions};

    #[test]
    fn known_patients_stay_under_their_version_and_new_ones_come_under_the_newest() {
        let versions = Versions::of(vec![[1; 32], [2; 32]]).unwrap();
        let patient = |id: &str| PatientKey {
            id: id.into(),
            issuer: None,
        };
        let (old, new) = (Secret::new([1; 32]), Secret::new([2; 32]));
        let known = patient("4711").pseudonym(&old).to_string();
        let keyring = Keyring::of(&versions).knowing(vec![known.clone()]);
        assert!(keyring.was_rotated());
        let under = |id: &str| {
            let patient = patient(id);
            patient.pseudonym(keyring.of_patient(&patient)).to_string()
        };
        assert_eq!(under("4711"), known);
        assert_eq!(under("4712"), patient("4712").pseudonym(&new).to_string());
        let mapped: Vec<String> = keyring
            .secrets()
            .map(|secret| secret.map_uid("1.2"))
            .collect();
        assert_eq!(mapped, [new.map_uid("1.2"), old.map_uid("1.2")]);
    }
}
