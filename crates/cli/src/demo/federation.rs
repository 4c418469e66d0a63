//! The running demo: four programs, their addresses, and who may sign in.

use arno_client::ApiClient;
use arno_domain::{PermitId, SecretKey};
use arno_phantom::SiteSpec;
use arno_protocol::requests::RequestState;

use super::{Input, places::Places, process::Program};
use crate::{
    decide,
    login::sign_in,
    profile::{DEMO, Profile},
    request,
};

/// Account names of the demo.
pub(crate) const RESEARCHER: &str = "researcher";
pub(crate) const COMMITTEE: &str = "committee";
pub(crate) const OPERATOR: &str = "operator";
pub(crate) const MANAGER: &str = "manager";

/// The profile that the demo leaves for its committee.
pub(crate) const COMMITTEE_PROFILE: &str = "demo-committee";

/// What opens the demo's accounts. Random where somebody's own images are in it.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Secrets {
    /// Of every account.
    pub(crate) password: String,
    /// Of the committee's signing key.
    pub(crate) passphrase: String,
}

/// One hospital of the running demo.
pub struct Site {
    /// What is known of the hospital.
    pub spec: &'static SiteSpec,
    /// Where its pages are.
    pub url: String,
    /// Where its images arrive.
    pub landing: std::path::PathBuf,
    /// The program.
    pub program: Program,
}

/// The running demo.
pub struct Running {
    /// Where the hub's pages are.
    pub hub_url: String,
    pub(crate) federation_url: String,
    /// The hub's program.
    pub hub: Program,
    /// The hospitals.
    pub sites: Vec<Site>,
    pub(crate) secrets: Secrets,
    pub(crate) committee_key: SecretKey,
    pub(crate) input: Input,
    pub(crate) resumed: bool,
    pub(crate) moved_ports: Vec<String>,
    pub(crate) profiles: Vec<(&'static str, Profile)>,
    /// Folders and ports, to start a program again.
    pub places: Places,
}

impl Running {
    /// The hub, in the name of an account.
    ///
    /// # Errors
    /// When the hub does not answer.
    pub async fn hub_as(&self, account: &str) -> anyhow::Result<ApiClient> {
        as_account(&self.hub_url, account, &self.secrets).await
    }

    /// A node, in the name of its data manager.
    ///
    /// # Errors
    /// When the node does not answer.
    pub async fn node_as_manager(&self, site: &Site) -> anyhow::Result<ApiClient> {
        as_account(&site.url, MANAGER, &self.secrets).await
    }

    /// A request by the researcher for all readings, and the committee's yes.
    ///
    /// # Errors
    /// When the hub takes one of them not.
    pub async fn grant_permit(&self, researcher: &ApiClient) -> anyhow::Result<PermitId> {
        let purpose =
            "Tell malignant from benign lung nodules by the shape of their outlines".to_owned();
        let datasets = request::datasets_with_readings(researcher).await?;
        let request = request::submit(
            researcher,
            "Shape and malignancy".into(),
            purpose,
            datasets,
            90,
        )
        .await?;
        let committee = self.hub_as(COMMITTEE).await?;
        let decided = decide::grant(&committee, request.id, &self.committee_key).await?;
        match decided.state {
            RequestState::Granted { permit, .. } => Ok(permit),
            _ => anyhow::bail!("the hub did not take the committee's decision"),
        }
    }

    /// Stops everything: nodes first, so that the hub sees them go.
    pub async fn stop(self) {
        for (name, profile) in &self.profiles {
            profile.forget(name);
        }
        for site in self.sites {
            site.program.stop().await;
        }
        self.hub.stop().await;
    }

    /// Leaves the sign-ins of the demo for `arno search` and its like in another terminal.
    pub(crate) async fn leave_profiles(&mut self) -> anyhow::Result<()> {
        for (name, account) in [(DEMO, RESEARCHER), (COMMITTEE_PROFILE, COMMITTEE)] {
            let (profile, _) = sign_in(&self.hub_url, account, &self.secrets.password).await?;
            profile.save(name)?;
            self.profiles.push((name, profile));
        }
        Ok(())
    }
}

/// A hub or node, in the name of an account.
pub(crate) async fn as_account(
    url: &str,
    account: &str,
    secrets: &Secrets,
) -> anyhow::Result<ApiClient> {
    let (profile, _) = sign_in(url, account, &secrets.password).await?;
    Ok(ApiClient::new(url, Some(profile.token))?)
}
