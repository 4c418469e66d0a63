//! Who the hub is: the federation's root key, its certificate, and the TLS certificate that it signs.
//!
//! The root key signs every message of the hub and, as a certification authority of one, its TLS certificate
//! (RFC 5280). Nodes pin both in their invitation. The committee's secret key is never here, only its public half.

use std::{
    fs,
    io::Write as _,
    net::IpAddr,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
};

use arno_domain::{PublicKey, SecretKey, hex};
use rand::TryRng as _;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519,
};
use rustls::{
    ServerConfig,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};

use crate::HubError;

/// The database, below the data folder.
pub(crate) const DATABASE: &str = "hub.sqlite";

/// PKCS #8 version 1 of an Ed25519 key, up to the seed (RFC 8410 §7).
const PKCS8_HEAD: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// The hub's own keys and certificate.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) root: SecretKey,
    pub(crate) certificate_der: Vec<u8>,
}

impl Identity {
    /// Makes keys and certificate, unless they are there.
    pub(crate) fn create(data: &Path) -> Result<Self, HubError> {
        let folder = data.join("keys");
        let mut builder = fs::DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(HubError::io(folder.display().to_string()))?;
        if !key_file(data).exists() {
            let root = SecretKey::from_seed(&random()?);
            let certificate = root_params()?
                .self_signed(&rcgen_key(&root)?)
                .map_err(HubError::Certificate)?;
            // The key last: its file says that all is there.
            write_private(&certificate_file(data), certificate.der())?;
            write_private(&key_file(data), hex::encode(&root.seed()).as_bytes())?;
        }
        Self::open(data)
    }

    /// Reads what [`Identity::create`] wrote.
    pub(crate) fn open(data: &Path) -> Result<Self, HubError> {
        let file = key_file(data);
        let text = fs::read_to_string(&file).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => HubError::NotInitialised(data.to_owned()),
            _ => HubError::Io {
                what: file.display().to_string(),
                source: error,
            },
        })?;
        let seed = hex::decode_32(text.trim()).ok_or(HubError::DamagedKey(file))?;
        let certificate = certificate_file(data);
        let certificate_der =
            fs::read(&certificate).map_err(HubError::io(certificate.display().to_string()))?;
        Ok(Self {
            root: SecretKey::from_seed(&seed),
            certificate_der,
        })
    }

    pub(crate) fn public(&self) -> PublicKey {
        self.root.public()
    }

    /// TLS 1.3 with a certificate for these names and this machine's loopback names. It is made anew at each start,
    /// so its key is never on disk and its lifetime does not matter.
    pub(crate) fn tls(
        &self,
        public_names: &[String],
        bind: IpAddr,
    ) -> Result<Arc<ServerConfig>, HubError> {
        let names = [
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            bind.to_string(),
        ];
        let names: Vec<_> = names
            .into_iter()
            .chain(public_names.iter().cloned())
            .collect();
        let key = KeyPair::generate_for(&PKCS_ED25519).map_err(HubError::Certificate)?;
        let issuer = Issuer::new(root_params()?, rcgen_key(&self.root)?);
        let certificate = server_params(names)?
            .signed_by(&key, &issuer)
            .map_err(HubError::Certificate)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(HubError::Tls)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .map_err(HubError::Tls)?;
        Ok(Arc::new(config))
    }
}

/// The same at every start: the issuer of the TLS certificate must bear the name of the root's certificate.
fn root_params() -> Result<CertificateParams, HubError> {
    let mut params = CertificateParams::new(Vec::new()).map_err(HubError::Certificate)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Arno federation root");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    Ok(params)
}

fn server_params(names: Vec<String>) -> Result<CertificateParams, HubError> {
    let mut params = CertificateParams::new(names).map_err(HubError::Certificate)?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "Arno hub");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn rcgen_key(root: &SecretKey) -> Result<KeyPair, HubError> {
    let pkcs8 = [PKCS8_HEAD.as_slice(), &root.seed()].concat();
    let pkcs8 = PrivatePkcs8KeyDer::from(pkcs8);
    KeyPair::from_pkcs8_der_and_sign_algo(&pkcs8, &PKCS_ED25519).map_err(HubError::Certificate)
}

/// 32 random bytes.
pub(crate) fn random() -> Result<[u8; 32], HubError> {
    let mut bytes = [0; 32];
    rand::rngs::SysRng
        .try_fill_bytes(&mut bytes)
        .map_err(|_| HubError::NoRandomness)?;
    Ok(bytes)
}

fn key_file(data: &Path) -> PathBuf {
    data.join("keys").join("root.key")
}

fn certificate_file(data: &Path) -> PathBuf {
    data.join("keys").join("root.der")
}

/// Makes sure that one process at a time serves a folder; held as long as the file is open, also past a crash.
pub(crate) fn lock(data: &Path) -> Result<fs::File, HubError> {
    let path = data.join("hub.lock");
    let what = path.display().to_string();
    let file = fs::File::create(&path).map_err(HubError::io(what.clone()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(HubError::Running(data.to_owned())),
        Err(fs::TryLockError::Error(source)) => Err(HubError::Io { what, source }),
    }
}

/// Writes a file that only its owner can read, in one step: a crash leaves no half of it.
fn write_private(path: &Path, bytes: &[u8]) -> Result<(), HubError> {
    let write = || -> std::io::Result<()> {
        let part = path.with_extension("part");
        let mut options = fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(HubError::io(path.display().to_string()))
}
