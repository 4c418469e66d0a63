//! TLS, with certificates made for the test: who is let in, who is not, and what is no TLS at all.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::net::SocketAddr;
use std::time::Duration;

use arno_dimse::classes;
use arno_dimse::command::Status;
use arno_dimse::scp::{Server, ServerConfig, StoreHandler, StoreStatus, Timeouts};
use arno_dimse::scu::{
    Association, Config, Outgoing, Peer, Proposal, Role, ScuError, Security, Timeouts as Calling,
};
use arno_dimse::tls::{ClientTls, Clients, Identity, ServerTls, TlsError};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use support::{CT, EXPLICIT, IMPLICIT, Scu, config, uid};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// An authority of its own.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        Self(CertifiedIssuer::self_signed(params, key).unwrap())
    }

    fn pem(&self) -> Vec<u8> {
        self.0.pem().into_bytes()
    }

    fn issue(&self, name: &str) -> (Vec<u8>, Vec<u8>) {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        (
            certificate.pem().into_bytes(),
            key.serialize_pem().into_bytes(),
        )
    }

    fn identity(&self, name: &str) -> Identity {
        let (certificate, key) = self.issue(name);
        Identity::from_pem(&certificate, &key).unwrap()
    }
}

async fn start(tls: ServerTls, config: ServerConfig) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let store = StoreHandler::new(|_| async { StoreStatus::Success });
    let server = Server::new(config, store).unwrap();
    tokio::spawn(async move {
        server
            .serve_tls(listener, tls, std::future::pending())
            .await
    });
    address
}

async fn call(address: SocketAddr, tls: ClientTls) -> Result<Association, ScuError> {
    let peer = Peer {
        ae_title: "ARNO".parse().unwrap(),
        host: "127.0.0.1".to_owned(),
        port: address.port(),
        security: Security::Tls(tls),
    };
    let config = Config {
        calling_ae: "TESTER".parse().unwrap(),
        max_pdu: 16_384,
        timeouts: Calling::DEFAULT,
    };
    let propose = |class, syntax| Proposal {
        sop_class: uid(class),
        transfer_syntaxes: vec![uid(syntax)],
        role: Role::Scu,
    };
    let proposals = [
        propose(classes::VERIFICATION, IMPLICIT),
        propose(CT, EXPLICIT),
    ];
    Association::connect(&peer, &config, &proposals).await
}

#[tokio::test]
async fn instances_are_stored_over_tls() {
    let authority = Authority::new();
    let tls = ServerTls::new(authority.identity("127.0.0.1"), Clients::Any).unwrap();
    let address = start(tls, config()).await;
    let client = ClientTls::new(&authority.pem(), None).unwrap();
    let mut association = call(address, client).await.unwrap();
    assert_eq!(association.echo().await.unwrap(), Status::SUCCESS);
    assert_eq!(association.accepted(&uid(CT)), [uid(EXPLICIT)]);
    let instance = |transfer_syntax| Outgoing {
        sop_class: uid(CT),
        sop_instance: uid("1.2.3"),
        transfer_syntax,
        data_set: vec![3; 1_000_000].into(),
        origin: None,
    };
    let stored = association.store(instance(uid(EXPLICIT))).await;
    assert_eq!(stored.unwrap(), Status::SUCCESS);
    let stored = association.store(instance(uid(IMPLICIT))).await;
    assert!(matches!(stored, Err(ScuError::NotAccepted)));
    association.release().await.unwrap();
}

#[tokio::test]
async fn a_server_of_another_authority_or_name_is_not_trusted() {
    let (authority, other) = (Authority::new(), Authority::new());
    let check = async |identity: Identity, trusted: Vec<u8>| {
        let address = start(ServerTls::new(identity, Clients::Any).unwrap(), config()).await;
        let called = call(address, ClientTls::new(&trusted, None).unwrap()).await;
        assert!(matches!(called, Err(ScuError::Tls { .. })), "{called:?}");
    };
    check(authority.identity("127.0.0.1"), other.pem()).await;
    check(authority.identity("localhost"), authority.pem()).await;
}

#[tokio::test]
async fn clients_show_a_certificate_where_it_is_required() {
    let (authority, other) = (Authority::new(), Authority::new());
    let trusted = authority.pem();
    let required = Clients::WithCertificate(&trusted);
    let tls = ServerTls::new(authority.identity("127.0.0.1"), required).unwrap();
    let address = start(tls, config()).await;
    let check = async |identity: Option<Identity>, expect: bool| {
        let called = call(address, ClientTls::new(&trusted, identity).unwrap()).await;
        assert_eq!(called.is_ok(), expect, "{called:?}");
    };
    check(Some(authority.identity("scanner")), true).await;
    check(Some(other.identity("scanner")), false).await;
    check(None, false).await;
}

#[tokio::test]
async fn what_is_no_tls_is_hung_up_on() {
    let authority = Authority::new();
    let check = async |sent: &[u8], artim: bool| {
        let tls = ServerTls::new(authority.identity("127.0.0.1"), Clients::Any).unwrap();
        let timeouts = Timeouts {
            tls: Duration::from_millis(if artim { 50 } else { 60_000 }),
            ..config().timeouts
        };
        let config = ServerConfig {
            timeouts,
            ..config()
        };
        let mut stream = TcpStream::connect(start(tls, config).await).await.unwrap();
        stream.write_all(sent).await.unwrap();
        let mut answer = Vec::new();
        // A reset is as good an end as any.
        let _ = stream.read_to_end(&mut answer).await;
        assert!(answer.len() < 64, "an alert at most: {answer:?}");
    };
    check(b"GET / HTTP/1.1\r\n\r\n", false).await;
    check(&[0xff; 10_000], false).await;
    check(&arno_dimse::pdu::Pdu::ReleaseRq.write(), false).await;
    check(b"\x16\x03\x01\x40\x00\x01", true).await;
    check(b"", true).await;
}

#[tokio::test]
async fn one_server_listens_with_and_without_tls() {
    let authority = Authority::new();
    let tls = ServerTls::new(authority.identity("127.0.0.1"), Clients::Any).unwrap();
    let (plain, secured) = (
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
        TcpListener::bind("127.0.0.1:0").await.unwrap(),
    );
    let (plain_at, secured_at) = (plain.local_addr().unwrap(), secured.local_addr().unwrap());
    let store = StoreHandler::new(|_| async { StoreStatus::Success });
    let one = ServerConfig {
        max_associations: 1,
        ..config()
    };
    let server = Server::new(one, store).unwrap();
    let serve = async {
        let never = std::future::pending;
        tokio::join!(
            server.serve(plain, never()),
            server.serve_tls(secured, tls, never())
        )
    };
    let talk = async {
        let mut scu = Scu::new(TcpStream::connect(plain_at).await.unwrap());
        scu.associate(support::usual_contexts()).await;
        let client = || ClientTls::new(&authority.pem(), None).unwrap();
        let second = call(secured_at, client()).await;
        assert!(matches!(second, Err(ScuError::Rejected(_))), "{second:?}");
        scu.release().await;
        call(secured_at, client()).await
    };
    tokio::select! {
        _ = serve => panic!("the server ended"),
        called = talk => assert!(called.is_ok(), "{called:?}"),
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let (certificate, key) = authority.issue("127.0.0.1");
    let (_, other_key) = authority.issue("127.0.0.1");
    let identity = |certificate: &[u8], key: &[u8]| Identity::from_pem(certificate, key);
    assert!(matches!(identity(&key, &key), Err(TlsError::Certificate)));
    assert!(matches!(identity(b"", &key), Err(TlsError::Certificate)));
    assert!(matches!(
        identity(&certificate, &certificate),
        Err(TlsError::Key)
    ));
    let mismatch = ServerTls::new(identity(&certificate, &other_key).unwrap(), Clients::Any);
    assert!(matches!(mismatch, Err(TlsError::Unusable(_))));
    assert!(matches!(
        ClientTls::new(b"x", None),
        Err(TlsError::Authorities)
    ));
    let none = Clients::WithCertificate(b"");
    let refused = ServerTls::new(identity(&certificate, &key).unwrap(), none);
    assert!(matches!(refused, Err(TlsError::Authorities)));
}
