//! Invented outcomes of the demo's phantom patients, loaded by the same import as a hospital's own tables, and what the demo's
//! nodes may say of people whom nobody needs to hide.

use std::path::Path;

use anyhow::Context as _;
use arno_domain::disclosure::{DisclosureBudget, DisclosurePolicy};
use arno_node::{ClinicalFile, Node, understand};
use arno_phantom::{SiteSpec, write_site_outcomes};

use super::input::SEED;

const MAPPING: &str = include_str!("outcomes.toml");

/// Few patients, and all of them invented round public readings: each answer is within ±10 patients, for twenty questions or ten curves
/// a day. No setting for anybody's data: whoever spends it all knows nearly everything (docs/disclosure.md).
pub(super) fn disclosure() -> DisclosurePolicy {
    let budget = DisclosureBudget {
        data_user_microrho: 2_000_000,
        site_microrho: 20_000_000,
        questions: 20,
        curves: 10,
        period_days: 1,
        ..DisclosureBudget::default()
    };
    DisclosurePolicy {
        budget,
        border_spread: 0,
        ..DisclosurePolicy::default()
    }
}

/// Writes a site's table beside its landing folder and loads it, under the pseudonyms of the images.
pub(super) async fn load(node: &Node, site: &SiteSpec, folder: &Path) -> anyhow::Result<()> {
    let path = folder.join(format!("{}.invented-outcomes.csv", site.key));
    let (spec, file) = (*site, path.clone());
    let understood = tokio::task::spawn_blocking(move || {
        write_site_outcomes(&spec, &file, SEED)?;
        let file = ClinicalFile {
            path: file,
            mapping: MAPPING.to_owned(),
            only: None,
        };
        anyhow::Ok(understand(&file)?)
    });
    let understood = understood.await?;
    let understood = understood.with_context(|| format!("cannot use {}", path.display()))?;
    node.load_clinical(understood).await?;
    Ok(())
}
