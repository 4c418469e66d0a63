//! The last capability manifest of each node, in memory and among the hub's settings.

use std::{
    collections::BTreeMap,
    sync::{Arc, RwLock},
};

use arno_domain::{NodeId, Signed, audit::Act, manifest::Manifest};
use arno_store::{Database, StoreError};

use crate::Hub;

/// What every node declared last.
#[derive(Debug, Default)]
pub(crate) struct Manifests(RwLock<BTreeMap<NodeId, Arc<Manifest>>>);

fn setting(node: NodeId) -> String {
    format!("manifest/{node}")
}

impl Manifests {
    /// What these members declared before the hub stopped.
    pub(crate) async fn load(
        database: &Database,
        members: impl Iterator<Item = NodeId>,
    ) -> Result<Self, StoreError> {
        let mut known = BTreeMap::new();
        for node in members {
            let Some(text) = database.setting(&setting(node)).await? else {
                continue;
            };
            let corrupt = StoreError::Corrupt { what: "manifest" };
            let signed: Option<Signed<Manifest>> = serde_json::from_str(&text).ok();
            let manifest = signed.and_then(|signed| signed.unverified().ok());
            known.insert(node, Arc::new(manifest.ok_or(corrupt)?));
        }
        Ok(Self(RwLock::new(known)))
    }

    /// Keeps a manifest that was verified, unless a newer one is here.
    pub(crate) async fn keep(
        &self,
        hub: &Hub,
        signed: &Signed<Manifest>,
        manifest: Manifest,
        done: Act,
    ) -> Result<(), StoreError> {
        let node = manifest.node;
        if self
            .of(node)
            .is_some_and(|known| known.issued_at >= manifest.issued_at)
        {
            return Ok(());
        }
        let text =
            serde_json::to_string(signed).map_err(|_| StoreError::Corrupt { what: "manifest" })?;
        let mut tx = hub.database.write().await?;
        tx.set_setting(&setting(node), &text).await?;
        tx.audit(hub.now(), done).await?;
        tx.commit().await?;
        let mut known = self
            .0
            .write()
            .expect("nothing panics while it holds this lock");
        known.insert(node, Arc::new(manifest));
        Ok(())
    }

    pub(crate) fn of(&self, node: NodeId) -> Option<Arc<Manifest>> {
        let known = self
            .0
            .read()
            .expect("nothing panics while it holds this lock");
        known.get(&node).cloned()
    }

    pub(crate) fn all(&self) -> Vec<Arc<Manifest>> {
        let known = self
            .0
            .read()
            .expect("nothing panics while it holds this lock");
        known.values().cloned().collect()
    }
}
