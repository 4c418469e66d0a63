//! `arno verify`: whether a dataset record, a quality certificate or a permit is as its author signed it. Offline: nothing is
//! asked of anybody, so the key must come from somewhere else than the file.

use std::path::PathBuf;

use anyhow::{Context as _, ensure};
use arno_domain::{
    Document, PublicKey, Signed, dataset::DatasetRecord, permit::Permit,
    quality::QualityCertificate,
};
use serde::de::DeserializeOwned;

use crate::{
    Shared,
    output::{self, Refusal},
};

/// Longest document that is read.
const MAX_BYTES: u64 = 16 << 20;

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The signed document, as pages save it: JSON with `document`, `signer` and `signature`
    file: PathBuf,
    /// The key that must have signed it: 64 hexadecimal digits, as the site or the federation shows them
    #[arg(long)]
    key: PublicKey,
}

pub(crate) fn run(shared: &Shared, args: &VerifyArgs) -> anyhow::Result<()> {
    let shown = args.file.display();
    let about = std::fs::metadata(&args.file).with_context(|| format!("cannot read {shown}"))?;
    ensure!(
        about.len() <= MAX_BYTES,
        "{shown} is too long for a document"
    );
    let text =
        std::fs::read_to_string(&args.file).with_context(|| format!("cannot read {shown}"))?;
    let kind = verified(&text, &args.key)?;
    if shared.json {
        return output::json(&serde_json::json!({ "verified": true, "kind": kind }));
    }
    println!("{shown}: {kind}, as {} signed it", args.key.fingerprint());
    Ok(())
}

/// Which kind of document it is, if that key signed it as such.
fn verified(text: &str, key: &PublicKey) -> anyhow::Result<&'static str> {
    ensure!(
        serde_json::from_str::<Signed<DatasetRecord>>(text).is_ok(),
        "this is no signed document: it needs document, signer and signature"
    );
    let kinds = [
        (is_signed::<DatasetRecord>(text, key), "a dataset record"),
        (
            is_signed::<QualityCertificate>(text, key),
            "a quality certificate",
        ),
        (is_signed::<Permit>(text, key), "a permit"),
    ];
    let found = kinds.into_iter().find(|(is_signed, _)| *is_signed);
    let refusal = || {
        Refusal("that key did not sign this text, as any kind of document: it was changed, or is somebody else's".to_owned())
    };
    Ok(found.map(|(_, kind)| kind).ok_or_else(refusal)?)
}

fn is_signed<T: Document + DeserializeOwned>(text: &str, key: &PublicKey) -> bool {
    let signed = serde_json::from_str::<Signed<T>>(text);
    signed.is_ok_and(|signed| signed.verify(key).is_ok())
}

#[cfg(test)]
mod tests {
    use arno_domain::{DatasetId, NodeId, SecretKey, Signed, quality::QualityCertificate};

    use super::verified;

    #[test]
    fn a_certificate_is_verified_and_a_changed_one_is_not() {
        let key = SecretKey::from_seed(&[5; 32]);
        let certificate = QualityCertificate {
            dataset: DatasetId::new(),
            node: NodeId::new(),
            manifest_sha256: "ab".into(),
            software: "0.1.0".into(),
            issued_at: arno_domain::Clock::system().now(),
            series: 7,
            rules: Vec::new(),
        };
        let text = serde_json::to_string(&Signed::new(&certificate, &key)).unwrap();
        assert_eq!(
            verified(&text, &key.public()).unwrap(),
            "a quality certificate"
        );
        let changed = text.replace(r#"\"series\":7"#, r#"\"series\":8"#);
        assert_ne!(text, changed);
        assert!(verified(&changed, &key.public()).is_err());
        assert!(verified(&text, &SecretKey::from_seed(&[6; 32]).public()).is_err());
        assert!(verified("{}", &key.public()).is_err());
    }
}
