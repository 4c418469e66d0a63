//! What the demo says: addresses and accounts, the eight steps as text, and as one JSON object.

use std::{collections::BTreeMap, fmt::Write as _, time::Duration};

use anyhow::bail;
use serde::Serialize;

use super::{
    Input,
    federation::{COMMITTEE, COMMITTEE_PROFILE, MANAGER, OPERATOR, RESEARCHER, Running},
};
use crate::output::{Grid, grouped};

/// What to try once everything runs.
pub(crate) const NEXT: &str = "Try next, in another terminal (signed in already):
  target/release/arno search 'modality = CT and slice_thickness <= 2 mm and malignancy >= 4'
  target/release/arno train --pace 700      and watch it on the hub's page
  target/release/arno status";

/// Federated and pooled coefficients may differ by this much at most.
const COEFFICIENT_TOLERANCE: f64 = 1e-6;

/// What happened, step by step.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// `phantoms` or `real series`.
    pub input: String,
    /// One a site.
    pub sites: Vec<SiteReport>,
    /// Files read at all sites.
    pub instances_received: u64,
    /// Files in quarantine at all sites.
    pub quarantined: u64,
    /// Datasets in the hub's catalogue.
    pub datasets: u64,
    /// The cohort that was asked.
    pub cohort: String,
    /// Per site, what it counted and honoured.
    pub search: BTreeMap<String, SearchReport>,
    /// What the sites said together, added up under masks.
    pub total: String,
    /// Whether every site refused the training without a permit, and logged it.
    pub refused_without_permit: bool,
    /// The permit under which it was then done.
    pub permit: String,
    /// The training.
    pub training: TrainingReport,
    /// Pages and frames that were served.
    pub pages: PagesReport,
    /// From the start of the program to the end of the last step.
    pub seconds: f64,
    /// Steps that did not do their work; empty when all is well.
    pub failures: Vec<String>,
}

/// What a site received.
#[derive(Debug, Default, Serialize)]
pub struct SiteReport {
    pub name: String,
    pub url: String,
    pub received: u64,
    pub kept: u64,
    pub quarantined: u64,
    pub patients: u64,
    pub series: u64,
    pub readings: u64,
    /// Whether a second run over the same folder changed nothing (with `--check`).
    pub second_run_changed_nothing: Option<bool>,
}

/// A site's answer to the search.
#[derive(Debug, Serialize)]
pub struct SearchReport {
    pub patients: String,
    pub criteria: BTreeMap<String, String>,
}

/// The training.
#[derive(Debug, Default, Serialize)]
pub struct TrainingReport {
    pub rounds: usize,
    pub newton_rounds: usize,
    /// AUC of each site's model alone, on the test patients of all sites.
    pub site_auc: BTreeMap<String, f64>,
    pub federated_auc: f64,
    pub pooled_auc: f64,
    pub max_coefficient_difference: f64,
    pub test_nodules: u64,
    pub seconds: f64,
}

/// What a browser would get.
#[derive(Debug, Default, Serialize)]
pub struct PagesReport {
    /// Programs whose page came.
    pub served: usize,
    /// Bytes of one frame of each site, as the viewer asks for it.
    pub frame_bytes: Vec<u64>,
    /// Regions drawn on that series.
    pub outlines: Vec<u64>,
    /// Elements of one series that de-identification changed, at each site.
    pub changed_elements: Vec<u64>,
}

impl Report {
    /// Notes a step that did not do its work.
    pub(crate) fn require(&mut self, holds: bool, what: &str) {
        if !holds {
            self.failures.push(what.to_owned());
        }
    }

    /// Checks the figures that must hold whatever the input is.
    pub(crate) fn judge(&mut self) {
        let sites = self.sites.len();
        self.require(sites == 3, "three sites run");
        self.require(
            self.sites.iter().all(|site| site.kept > 0),
            "every site kept images",
        );
        self.require(
            self.sites.iter().all(|site| site.readings > 0),
            "every site kept readings",
        );
        self.require(
            self.input != "phantoms" || self.quarantined > 0,
            "the broken files are in quarantine",
        );
        let unchanged = self
            .sites
            .iter()
            .all(|site| site.second_run_changed_nothing != Some(false));
        self.require(unchanged, "a second ingest changes nothing");
        self.require(self.datasets >= 3, "every site published a dataset");
        self.require(self.search.len() == 3, "every site answered the search");
        let honoured = self.search.values().all(|site| !site.criteria.is_empty());
        self.require(honoured, "every site says which criteria it honoured");
        self.require(
            self.total.contains("added up under masks"),
            "the sites' counts were added up under masks",
        );
        self.require(
            self.refused_without_permit,
            "every site refused without a permit and logged it",
        );
        self.require(!self.permit.is_empty(), "a permit was granted");
        let training = &self.training;
        let close = training.max_coefficient_difference <= COEFFICIENT_TOLERANCE;
        let sane = training.site_auc.len() == 3
            && training.federated_auc > 0.5
            && training.pooled_auc > 0.5;
        self.require(
            sane,
            "the training gave an AUC of each site, the federation and the pooled data",
        );
        self.require(close, "federated coefficients equal pooled ones to 1e-6");
        self.require(
            self.pages.served == 4,
            "the pages of all four programs are served",
        );
        self.require(
            self.pages
                .frame_bytes
                .iter()
                .filter(|bytes| **bytes > 0)
                .count()
                == 3,
            "frames are served",
        );
        self.require(
            self.pages.changed_elements.iter().all(|count| *count > 0),
            "before and after are shown",
        );
    }

    /// Success only when each step did its work.
    ///
    /// # Errors
    /// Names the steps that did not.
    pub fn verdict(&self) -> anyhow::Result<()> {
        if self.failures.is_empty() {
            return Ok(());
        }
        bail!(
            "these steps did not do their work: {}",
            self.failures.join("; ")
        )
    }

    /// The steps for a person.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        let _ = writeln!(
            text,
            "What came in, de-identified by PS3.15\n{}\n",
            self.arrivals()
        );
        let _ = writeln!(
            text,
            "Search: {}\n{}\n{}\n",
            self.cohort,
            self.found(),
            self.total
        );
        let refused = if self.refused_without_permit {
            "every site refused, and logged it"
        } else {
            "NOT refused"
        };
        let _ = writeln!(text, "Training without a permit: {refused}");
        let _ = writeln!(text, "Training under {}\n{}", self.permit, self.models());
        let training = &self.training;
        let _ = writeln!(
            text,
            "{} rounds ({} Newton steps) in {:.1} s; the hub saw totals only",
            training.rounds, training.newton_rounds, training.seconds
        );
        let _ = write!(
            text,
            "Largest difference of a coefficient, federated to pooled: {:.1e}",
            training.max_coefficient_difference
        );
        for failure in &self.failures {
            let _ = write!(text, "\nNOT DONE: {failure}");
        }
        text
    }

    fn arrivals(&self) -> Grid {
        let header = [
            "site",
            "files",
            "kept",
            "quarantined",
            "patients",
            "series",
            "readings",
        ];
        let mut grid = Grid::new(&header, &[1, 2, 3, 4, 5, 6]);
        for site in &self.sites {
            let counts = [
                site.received,
                site.kept,
                site.quarantined,
                site.patients,
                site.series,
                site.readings,
            ];
            grid.row(std::iter::once(site.name.clone()).chain(counts.map(grouped)));
        }
        grid
    }

    fn found(&self) -> Grid {
        let mut grid = Grid::new(&["site", "patients", "criteria"], &[1]);
        for (name, found) in &self.search {
            let criteria: Vec<_> = found
                .criteria
                .iter()
                .map(|(text, status)| format!("{text}: {status}"))
                .collect();
            grid.row([name.clone(), found.patients.clone(), criteria.join("; ")]);
        }
        grid
    }

    fn models(&self) -> Grid {
        let training = &self.training;
        let mut grid = Grid::new(&["model", "auc"], &[1]);
        for (name, auc) in &training.site_auc {
            grid.row([format!("{name} alone"), format!("{auc:.4}")]);
        }
        grid.row([
            "Federation".into(),
            format!("{:.4}", training.federated_auc),
        ]);
        grid.row([
            "Pooled data (yardstick)".into(),
            format!("{:.4}", training.pooled_auc),
        ]);
        grid
    }
}

/// Addresses and accounts.
#[must_use]
pub fn welcome(running: &Running, took: Duration) -> String {
    let images = match &running.input {
        Input::Phantoms => {
            "The readings are LIDC-IDRI's; people and images are invented (phantoms).".to_owned()
        }
        Input::Real(folder) => format!(
            "Real series from {}, with LIDC-IDRI's readings.",
            folder.display()
        ),
    };
    let mut text = format!(
        "Arno demo: a hub and three hospitals, ready in {:.1} s. {images}\n",
        took.as_secs_f64()
    );
    for moved in &running.moved_ports {
        let _ = writeln!(text, "{moved}");
    }
    let mut grid = Grid::new(&["program", "address", "account", "password"], &[]);
    let password = &running.secrets.password;
    for account in [RESEARCHER, COMMITTEE, OPERATOR] {
        grid.row([
            "Hub".into(),
            running.hub_url.clone(),
            account.into(),
            password.clone(),
        ]);
    }
    for site in &running.sites {
        grid.row([
            site.spec.name.into(),
            site.url.clone(),
            MANAGER.into(),
            password.clone(),
        ]);
    }
    let _ = write!(
        text,
        "\n{grid}\n\nThe committee signs with the passphrase {}; in a terminal: arno --profile {COMMITTEE_PROFILE} decide …\n\
         Nodes reach the hub at {} (TLS, pinned).",
        running.secrets.passphrase, running.federation_url
    );
    text
}
