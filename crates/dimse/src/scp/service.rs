//! Which services there are, which SOP classes they have (PS3.4 annexes A, B, C and J), and who serves them.

use super::commit::CommitHandler;
use super::config::ServerConfig;
use super::find::FindHandler;
use super::retrieve::RetrieveHandler;
use super::store::StoreHandler;
use crate::{Uid, classes};

/// What a caller may be allowed; C-ECHO is everybody's who may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// C-STORE to us.
    Store,
    /// C-FIND.
    Find,
    /// C-GET and C-MOVE.
    Retrieve,
    /// Storage commitment.
    Commit,
}

impl Service {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Store, Self::Find, Self::Retrieve, Self::Commit];
}

/// Who does the work. A service without a handler is not offered.
#[derive(Debug)]
pub struct Services {
    /// C-STORE.
    pub store: StoreHandler,
    /// C-FIND.
    pub find: Option<FindHandler>,
    /// C-GET and C-MOVE.
    pub retrieve: Option<RetrieveHandler>,
    /// Storage commitment.
    pub commit: Option<CommitHandler>,
}

impl From<StoreHandler> for Services {
    fn from(store: StoreHandler) -> Self {
        Self {
            store,
            find: None,
            retrieve: None,
            commit: None,
        }
    }
}

/// Query/Retrieve information models (PS3.4 section C.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// Patient, study, series, instance.
    PatientRoot,
    /// Study, series, instance.
    StudyRoot,
}

/// What can be agreed on with a query (PS3.4 section C.5.1.1) or retrieval (C.5.2.1, C.5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extension {
    /// Keys of several levels at once.
    Relational,
    /// A date and a time matched as one.
    CombinedDateTime,
    /// Names that sound alike.
    FuzzyNames,
}

impl Extension {
    /// All that are known, in the order of their bytes.
    pub const ALL: [Self; 3] = [Self::Relational, Self::CombinedDateTime, Self::FuzzyNames];

    /// Those of the proposed ones that are supported.
    pub(crate) fn agreed(proposed: &[u8], supported: &[Self]) -> Vec<Self> {
        let pairs = Self::ALL.iter().zip(proposed);
        let agreed = pairs.filter(|(extension, byte)| **byte == 1 && supported.contains(extension));
        agreed.map(|(extension, _)| *extension).collect()
    }

    /// The answer, as long as the proposal as far as we know its bytes.
    pub(crate) fn information(proposed: &[u8], agreed: &[Self]) -> Vec<u8> {
        let pairs = Self::ALL.iter().zip(proposed);
        pairs
            .map(|(extension, _)| u8::from(agreed.contains(extension)))
            .collect()
    }
}

/// What a SOP class is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Verify,
    Store,
    Find(Model),
    Get(Model),
    Move(Model),
    Commit,
}

/// The classes that are not for storage.
const PURPOSES: &[(&str, Purpose)] = &[
    (classes::VERIFICATION, Purpose::Verify),
    (classes::STORAGE_COMMITMENT, Purpose::Commit),
    (
        classes::PATIENT_ROOT_FIND,
        Purpose::Find(Model::PatientRoot),
    ),
    (
        classes::PATIENT_ROOT_MOVE,
        Purpose::Move(Model::PatientRoot),
    ),
    (classes::PATIENT_ROOT_GET, Purpose::Get(Model::PatientRoot)),
    (classes::STUDY_ROOT_FIND, Purpose::Find(Model::StudyRoot)),
    (classes::STUDY_ROOT_MOVE, Purpose::Move(Model::StudyRoot)),
    (classes::STUDY_ROOT_GET, Purpose::Get(Model::StudyRoot)),
];

impl Purpose {
    pub(crate) fn of(class: &Uid, config: &ServerConfig) -> Option<Self> {
        let known = PURPOSES.iter().find(|(uid, _)| *uid == class.as_str());
        let storage = || config.stores(class).then_some(Self::Store);
        known.map(|(_, purpose)| *purpose).or_else(storage)
    }

    /// What a caller must be allowed.
    pub(crate) fn service(self) -> Option<Service> {
        match self {
            Self::Verify => None,
            Self::Store => Some(Service::Store),
            Self::Find(_) => Some(Service::Find),
            Self::Get(_) | Self::Move(_) => Some(Service::Retrieve),
            Self::Commit => Some(Service::Commit),
        }
    }

    pub(crate) fn is_served(self, services: &Services) -> bool {
        match self {
            Self::Verify | Self::Store => true,
            Self::Find(_) => services.find.is_some(),
            Self::Get(_) | Self::Move(_) => services.retrieve.is_some(),
            Self::Commit => services.commit.is_some(),
        }
    }

    /// What can be agreed on with this class.
    pub(crate) fn extensions(self, services: &Services) -> &[Extension] {
        match self {
            Self::Find(_) => services.find.as_ref().map_or(&[], FindHandler::extensions),
            Self::Get(_) | Self::Move(_) => services
                .retrieve
                .as_ref()
                .map_or(&[], RetrieveHandler::extensions),
            _ => &[],
        }
    }
}
