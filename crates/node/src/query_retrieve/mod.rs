//! Query, retrieve and storage commitment over the DICOM network (PS3.4 annexes C and J), on what DICOMweb serves too: the
//! de-identified zone.
//!
//! Not here: the protocol (`arno-dimse`), what matches (`arno_dicom::query` and [`crate::query`]), receiving (`receive`).

mod commit;
mod find;
mod identifier;
mod retrieve;

use std::path::Path;

use arno_dimse::{
    AeTitle,
    scp::{Extension, Services, StoreHandler},
    scu::{Peer, Security},
    tls::{Clients, Identity, ServerTls},
};

use crate::{
    Access, Node, NodeError,
    receive::{DicomListener, DicomTls},
};

/// What callers may agree on beyond the baseline. Matching is relational whether or not it was agreed on: a key of a higher level that
/// is not given matches everything.
const EXTENSIONS: [Extension; 2] = [Extension::Relational, Extension::FuzzyNames];

/// The services of a node: beside receiving, those that look into it are for titles that are named, or for programs on this machine
/// while the node is on trial ([`Access`]).
pub(crate) fn services(
    node: &Node,
    access: Access,
    listener: &DicomListener,
    store: StoreHandler,
) -> Services {
    if access == Access::SignedIn && listener.from.is_empty() {
        tracing::warn!(
            "C-FIND, C-GET, C-MOVE and storage commitment are not served: name who may ask with --from"
        );
        return store.into();
    }
    let own = listener.ae_title.clone();
    Services {
        store,
        find: Some(find::handler(node.clone(), own).with_extensions(&EXTENSIONS)),
        retrieve: Some(retrieve::handler(node.clone()).with_extensions(&[Extension::Relational])),
        commit: Some(commit::handler(node.clone())),
    }
}

/// Where instances may be moved to and reports be brought to.
pub(crate) fn peers(listener: &DicomListener) -> Vec<Peer> {
    let peer = |(ae_title, address): (&AeTitle, &String)| {
        let (host, port) = address.rsplit_once(':')?;
        Some(Peer {
            ae_title: ae_title.clone(),
            host: host.trim_matches(['[', ']']).to_owned(),
            port: port.parse().ok()?,
            security: Security::Plain,
        })
    };
    listener.destinations.iter().filter_map(peer).collect()
}

/// The listener's certificate and whom it lets in.
///
/// # Errors
/// When a file cannot be read or is no certificate or key.
pub(crate) fn tls(tls: &DicomTls) -> Result<ServerTls, NodeError> {
    let read = |path: &Path| std::fs::read(path).map_err(|error| NodeError::file(path, error));
    let unusable = |path: &Path, error: &dyn std::fmt::Display| {
        NodeError::file(path, std::io::Error::other(error.to_string()))
    };
    let identity = Identity::from_pem(&read(&tls.certificate)?, &read(&tls.key)?)
        .map_err(|error| unusable(&tls.certificate, &error))?;
    let authority = tls.client_ca.as_deref().map(read).transpose()?;
    let clients = authority
        .as_deref()
        .map_or(Clients::Any, Clients::WithCertificate);
    ServerTls::new(identity, clients).map_err(|error| {
        let blamed = tls.client_ca.as_ref().unwrap_or(&tls.certificate);
        unusable(blamed, &error)
    })
}
