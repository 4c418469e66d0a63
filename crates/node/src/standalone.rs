//! A node that keeps objects as they come, without de-identification: a small PACS on trial, in no federation and for good.
//!
//! [`Standalone`] is the proof that a folder is marked so; only it makes an [`AsReceived`], the one thing beside
//! `Deidentified` that may reach a pack. A node with that mark neither joins nor publishes.

use arno_deid::Deidentified;
use arno_domain::{Clock, audit::Outcome};
use arno_store::node::NodeStore;
use serde::{Deserialize, Serialize};

use crate::{Node, NodeConfig, NodeError, keys::replace_private};

/// The setting in the database that a folder keeps for good; `node.toml` says the same.
const RECIPE: &str = "recipe";
/// Why `join` and `publish` are refused.
const IDENTIFIABLE: &str = "this node keeps identifiable objects as they come (--recipe none): nothing of it may reach a federation; \
     make another node in an empty folder for that";

/// What is done to objects before they are kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum RecipeName {
    /// The basic profile of PS3.15 with the node's options.
    #[default]
    Standard,
    /// Nothing: they stay identifiable.
    None,
}

/// How this node handles what comes in.
#[derive(Debug)]
pub(crate) enum Handling {
    /// By the recipe.
    Deidentify,
    /// As it comes.
    Keep(Standalone),
}

/// Proof that a node is marked as one that keeps objects as they come. Made only here, when such a node is opened.
#[derive(Debug)]
pub(crate) struct Standalone(());

/// A thing that is kept as it came, and may be only in a node that is marked for it.
#[derive(Debug)]
pub(crate) struct AsReceived<T>(T);

impl Standalone {
    /// The thing with its proof.
    pub(crate) fn as_received<T>(&self, thing: T) -> AsReceived<T> {
        AsReceived(thing)
    }
}

/// What may reach a pack: one of the two proofs.
#[derive(Debug)]
pub(crate) enum Keepable<T> {
    /// De-identified.
    Deidentified(Deidentified<T>),
    /// As it came, at a node that is marked for it.
    AsReceived(AsReceived<T>),
}

impl<T> AsRef<T> for Keepable<T> {
    fn as_ref(&self) -> &T {
        match self {
            Self::Deidentified(thing) => thing.as_ref(),
            Self::AsReceived(AsReceived(thing)) => thing,
        }
    }
}

/// What settings and database agree on. `marked` is what the database says, `is_used` whether anything came in yet, or the
/// node joined: an unused folder becomes what its settings say.
///
/// # Errors
/// When they do not agree: what a folder keeps is decided once.
fn handling(
    config: &NodeConfig,
    marked: Option<&str>,
    is_used: bool,
) -> Result<Handling, NodeError> {
    match (config.site.recipe, marked, is_used) {
        (RecipeName::Standard, None, _) => Ok(Handling::Deidentify),
        (RecipeName::None, Some("none"), _) | (RecipeName::None, None, false) => {
            Ok(Handling::Keep(Standalone(())))
        }
        (now, ..) => Err(differs(config, now)),
    }
}

fn differs(config: &NodeConfig, asked: RecipeName) -> NodeError {
    let (is, asked) = match asked {
        RecipeName::None => ("de-identified objects", "none"),
        RecipeName::Standard => ("identifiable objects (--recipe none)", "standard"),
    };
    NodeError::rule(
        "recipe_differs",
        format!(
            "{} holds {is}: what a folder keeps is decided once; use another folder for recipe {asked}",
            config.data.display()
        ),
    )
}

/// What the settings ask for and the folder allows; marks an unused folder.
pub(crate) async fn settle_handling(
    config: &NodeConfig,
    store: &NodeStore,
    is_joined: bool,
) -> Result<Handling, NodeError> {
    let marked = store.database().setting(RECIPE).await?;
    let is_used = is_joined || keeps_anything(store).await?;
    let handling = handling(config, marked.as_deref(), is_used)?;
    if marked.is_none() && config.site.recipe == RecipeName::None {
        let mut tx = store.database().write().await?;
        tx.set_setting(RECIPE, "none").await?;
        tx.commit().await?;
    }
    Ok(handling)
}

/// Whether anything was ever taken in: runs stay when objects are deleted.
async fn keeps_anything(store: &NodeStore) -> Result<bool, NodeError> {
    Ok(!store.list_ingest_runs().await?.is_empty() || store.holdings().await?.instances > 0)
}

impl Node {
    /// Sets what a node that is not used yet keeps; the same again changes nothing.
    ///
    /// # Errors
    /// When the folder is in use for the other kind of objects.
    pub async fn choose_recipe(
        config: &mut NodeConfig,
        asked: RecipeName,
    ) -> Result<(), NodeError> {
        if asked == config.site.recipe {
            return Ok(());
        }
        let node = Self::open(config.clone(), Clock::system()).await?;
        let is_used = node.membership().await?.is_some() || keeps_anything(node.store()).await?;
        node.store().database().close().await;
        if is_used || config.site.recipe == RecipeName::None {
            return Err(differs(config, asked));
        }
        config.site.recipe = asked;
        let settings = NodeConfig::settings_file(&config.data);
        replace_private(&settings, config.site.to_toml().as_bytes())
    }

    /// Says in the audit log, at each start, that this node keeps objects as they come.
    pub(crate) async fn note_identifiable(&self) -> Result<(), NodeError> {
        let act = self.act(
            "arno",
            "keep identifiable",
            "recipe none",
            Outcome::Done,
            "",
        );
        let mut tx = self.store().database().write().await?;
        tx.audit(self.now(), act).await?;
        Ok(tx.commit().await?)
    }

    /// Whether objects are kept as they come.
    #[must_use]
    pub fn is_identifiable(&self) -> bool {
        matches!(self.handling(), Handling::Keep(_))
    }

    /// Refuses what would let something out of a node that keeps identifiable objects.
    pub(crate) fn require_deidentified(&self) -> Result<(), NodeError> {
        match self.handling() {
            Handling::Deidentify => Ok(()),
            Handling::Keep(_) => Err(NodeError::rule("identifiable", IDENTIFIABLE)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Handling, RecipeName, handling};
    use crate::{NodeConfig, SiteConfig};

    #[test]
    fn settings_and_mark_must_agree() {
        let check = |recipe, marked: Option<&str>, is_used, expect: Option<bool>| {
            let mut site = SiteConfig::new("Site", "Graz", "AT", 47.0, 15.0);
            site.recipe = recipe;
            let handled = handling(&NodeConfig::of("data".into(), site), marked, is_used);
            let keeps = handled
                .ok()
                .map(|handling| matches!(handling, Handling::Keep(_)));
            assert_eq!(keeps, expect, "{recipe:?} {marked:?} {is_used}");
        };
        check(RecipeName::Standard, None, false, Some(false));
        check(RecipeName::Standard, None, true, Some(false));
        check(RecipeName::Standard, Some("none"), false, None);
        check(RecipeName::None, None, false, Some(true));
        check(RecipeName::None, None, true, None);
        check(RecipeName::None, Some("none"), true, Some(true));
    }
}
