//! An archive in memory that serves everything, for trying other people's tools against the protocol: it keeps what it
//! is sent, lists and gives all of it to whoever asks, and commits to whatever it is asked to. It looks into no data set.
//!
//! `archive PORT [AET@HOST:PORT …] [tls PORT CERTIFICATE KEY [AUTHORITY]]`: whom instances may be moved to and reports are
//! brought to, and where to listen with TLS; with an authority, clients must show a certificate of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use arno_dimse::scp::{
    Answers, CommitHandler, CommitOutcome, CommitRefusal, CommitReport, CommitRequest, Extension,
    FindHandler, FindRequest, NotOpened, OpenRequest, Opened, RetrieveHandler, Selected, Server,
    ServerConfig, Services, StoreHandler, StoreRequest, StoreStatus,
};
use arno_dimse::scu::{Peer, Security};
use arno_dimse::tls::{Clients, Identity, ServerTls};
use arno_dimse::{Uid, transfer_syntaxes};
use bytes::Bytes;
use tokio::net::TcpListener;

type AnyError = Box<dyn std::error::Error>;
type Kept = Arc<Mutex<BTreeMap<Uid, StoreRequest>>>;

#[tokio::main]
async fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut parts = arguments.split(|argument| argument == "tls");
    let (port, peers) = parts.next().and_then(<[_]>::split_first).ok_or("a port")?;
    let config = ServerConfig {
        peers: peers
            .iter()
            .map(|text| peer(text))
            .collect::<Result<_, _>>()?,
        ..ServerConfig::new("ARNO".parse()?)
    };
    let server = Server::new(config, services(&Kept::default()))?;
    let listener = TcpListener::bind(("127.0.0.1", port.parse()?)).await?;
    let interrupted = || async {
        let _ = tokio::signal::ctrl_c().await;
    };
    match parts.next() {
        None => server.serve(listener, interrupted()).await,
        Some(settings) => {
            let (port, tls) = tls(settings)?;
            let secured = TcpListener::bind(("127.0.0.1", port)).await?;
            tokio::join!(
                server.serve(listener, interrupted()),
                server.serve_tls(secured, tls, interrupted())
            );
        }
    }
    Ok(())
}

fn peer(text: &str) -> Result<Peer, AnyError> {
    let (ae_title, address) = text.split_once('@').ok_or("AET@HOST:PORT")?;
    let (host, port) = address.rsplit_once(':').ok_or("AET@HOST:PORT")?;
    Ok(Peer {
        ae_title: ae_title.parse()?,
        host: host.to_owned(),
        port: port.parse()?,
        security: Security::Plain,
    })
}

fn tls(settings: &[String]) -> Result<(u16, ServerTls), AnyError> {
    let [port, certificate, key, authority @ ..] = settings else {
        return Err("PORT CERTIFICATE KEY [AUTHORITY]".into());
    };
    let identity = Identity::from_pem(&std::fs::read(certificate)?, &std::fs::read(key)?)?;
    let authority = authority.first().map(std::fs::read).transpose()?;
    let clients = authority
        .as_deref()
        .map_or(Clients::Any, Clients::WithCertificate);
    Ok((port.parse()?, ServerTls::new(identity, clients)?))
}

fn services(kept: &Kept) -> Services {
    let (store, find, select, open) = (kept.clone(), kept.clone(), kept.clone(), kept.clone());
    let store = StoreHandler::new(move |request: StoreRequest| {
        let uid = request.affected_sop_instance.clone();
        store.lock().map(|mut kept| kept.insert(uid, request)).ok();
        async { StoreStatus::Success }
    });
    let find = FindHandler::new(move |request: FindRequest, answers: Answers| {
        let rows: Vec<_> = all(&find).iter().map(|it| row(it, &request)).collect();
        async move {
            for row in rows {
                if answers.send(row).await.is_err() {
                    break;
                }
            }
            Ok(())
        }
    });
    let select = move |_| {
        let selected = all(&select).iter().map(selected).collect();
        async { Ok(selected) }
    };
    let open = move |request: OpenRequest| {
        let opened = opened(&open, &request);
        async { opened }
    };
    Services {
        store,
        find: Some(find.with_extensions(&Extension::ALL)),
        retrieve: Some(RetrieveHandler::new(select, open)),
        commit: Some(CommitHandler::new(commit)),
    }
}

fn all(kept: &Kept) -> Vec<StoreRequest> {
    let kept = kept.lock().map(|kept| kept.values().cloned().collect());
    kept.unwrap_or_default()
}

/// SOP Class UID and SOP Instance UID, whatever was asked.
fn row(instance: &StoreRequest, request: &FindRequest) -> Bytes {
    let implicit = request.transfer_syntax.as_str() == transfer_syntaxes::IMPLICIT_VR_LE;
    let mut bytes = Vec::new();
    for (element, uid) in [
        (0x16, &instance.affected_sop_class),
        (0x18, &instance.affected_sop_instance),
    ] {
        let mut value = uid.as_str().as_bytes().to_vec();
        value.resize(value.len().next_multiple_of(2), 0);
        let length = value.len().to_le_bytes();
        bytes.extend([0x08, 0, element, 0]);
        if implicit {
            bytes.extend_from_slice(&length[..4]);
        } else {
            bytes.extend(*b"UI");
            bytes.extend_from_slice(&length[..2]);
        }
        bytes.append(&mut value);
    }
    bytes.into()
}

fn selected(instance: &StoreRequest) -> Selected {
    Selected {
        sop_class: instance.affected_sop_class.clone(),
        sop_instance: instance.affected_sop_instance.clone(),
        transfer_syntax: instance.transfer_syntax.clone(),
        size_bytes: instance.data_set.len() as u64,
    }
}

/// As it came; it is not decoded for who wants it otherwise.
fn opened(kept: &Kept, request: &OpenRequest) -> Result<Opened, NotOpened> {
    let kept = kept.lock().map_err(|_| NotOpened)?;
    let instance = kept.get(&request.instance.sop_instance).ok_or(NotOpened)?;
    if !request.accepted.contains(&instance.transfer_syntax) {
        return Err(NotOpened);
    }
    Ok(Opened {
        transfer_syntax: instance.transfer_syntax.clone(),
        data_set: instance.data_set.bytes(),
    })
}

/// The report that all are committed has the form of the request.
async fn commit(
    request: CommitRequest,
) -> Result<impl Future<Output = CommitReport>, CommitRefusal> {
    Ok(async {
        CommitReport {
            outcome: CommitOutcome::AllCommitted,
            information: request.information,
        }
    })
}
