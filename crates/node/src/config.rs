//! The node's settings: `node.toml` in its folder, written by `init` and edited by people.

use std::{
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use arno_domain::{country::check_country, disclosure::DisclosurePolicy};
use serde::{Deserialize, Serialize};

use crate::{
    CodecPlace, FacePolicy, NodeError, TextPolicy,
    receive::DicomListener,
    risk::{BelowLimit, RiskPolicy},
    secret::Unlock,
    standalone::RecipeName,
    text,
};

/// Days that the left side of a preview is kept, unless the settings say otherwise.
const PREVIEW_DAYS: u32 = 14;

/// Longest name of a site or a town.
const MAX_NAME_CHARS: usize = 100;

/// Where a node lives and what it is.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Its folder.
    pub data: PathBuf,
    /// The address that its pages are served on.
    pub bind: IpAddr,
    /// The port; the next free one is taken when it is not free, 0 is any.
    pub http_port: u16,
    /// Whether and how it listens for a PACS.
    pub dicom: Option<DicomListener>,
    /// Where it decodes compressed frames.
    pub codecs: CodecPlace,
    /// What opens its sealed secret.
    pub unlock: Unlock,
    /// How long a series must have got nothing before it is decided on by what is read in its pixels.
    pub text_rest: Duration,
    /// Its settings.
    pub site: SiteConfig,
}

/// The settings in `node.toml`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    /// The site's name.
    pub name: String,
    /// Its town.
    pub city: String,
    /// Its country, ISO 3166-1 alpha-2.
    pub country: String,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The only folder that pages may ingest from.
    #[serde(default)]
    pub landing: Option<PathBuf>,
    /// A folder with the built files of OHIF, served below `/ohif/`.
    #[serde(default)]
    pub ohif_folder: Option<PathBuf>,
    /// Days that the left side of a preview is kept; 0 keeps none.
    #[serde(default = "preview_days")]
    pub preview_days: u32,
    /// Most bytes of instances that are kept.
    #[serde(default)]
    pub storage_limit_bytes: Option<u64>,
    /// How counts are protected.
    #[serde(default)]
    pub disclosure: DisclosurePolicy,
    /// How far patients of a dataset must hide among each other.
    #[serde(default)]
    pub risk: RiskPolicy,
    /// Whether the link from pseudonym to patient id is kept, sealed.
    #[serde(default)]
    pub keep_links: bool,
    /// Whether people and images are invented.
    #[serde(default)]
    pub demo: bool,
    /// What is done to objects before they are kept; fixed once something came in.
    #[serde(default)]
    pub recipe: RecipeName,
    /// What becomes of series that can show a face.
    #[serde(default)]
    pub faces: FacePolicy,
    /// The folder of the text finder, which looks at what would wait for a person.
    #[serde(default)]
    pub text_finder: Option<PathBuf>,
    /// What becomes of text that it finds.
    #[serde(default)]
    pub text: TextPolicy,
}

fn preview_days() -> u32 {
    PREVIEW_DAYS
}

impl SiteConfig {
    /// A site with the default policy and no landing folder.
    #[must_use]
    pub fn new(name: &str, city: &str, country: &str, latitude: f64, longitude: f64) -> Self {
        Self {
            name: name.to_owned(),
            city: city.to_owned(),
            country: country.to_owned(),
            latitude,
            longitude,
            landing: None,
            ohif_folder: None,
            preview_days: PREVIEW_DAYS,
            storage_limit_bytes: None,
            disclosure: DisclosurePolicy::default(),
            risk: RiskPolicy::default(),
            keep_links: false,
            demo: false,
            recipe: RecipeName::Standard,
            faces: FacePolicy::Review,
            text_finder: None,
            text: TextPolicy::Review,
        }
    }

    /// Reads the text of `node.toml`.
    ///
    /// # Errors
    /// What is wrong, with line and column.
    pub fn parse(text: &str) -> Result<Self, String> {
        let site: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        site.check()?;
        Ok(site)
    }

    /// Whether everything is within its limits.
    ///
    /// # Errors
    /// What is not, and what would be right.
    pub fn check(&self) -> Result<(), String> {
        for (setting, text) in [("name", &self.name), ("city", &self.city)] {
            let chars = text.chars().count();
            if chars == 0 || chars > MAX_NAME_CHARS || text.chars().any(char::is_control) {
                return Err(format!(
                    "{setting} must have 1 to {MAX_NAME_CHARS} characters on one line"
                ));
            }
        }
        check_country(&self.country).map_err(|error| error.to_string())?;
        if !(-90.0..=90.0).contains(&self.latitude) || !(-180.0..=180.0).contains(&self.longitude) {
            return Err("latitude must be -90 to 90 and longitude -180 to 180 degrees".to_owned());
        }
        self.disclosure.check()
    }

    /// The text of `node.toml`, with what each line means.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // A JSON string is a basic string of TOML: both escape quotes, backslashes and control characters alike.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let budget = &self.disclosure.budget;
        let path = |folder: &Option<PathBuf>| {
            let folder = folder.as_ref();
            folder.map(|folder| quoted(&folder.display().to_string()))
        };
        let line = |setting: &str, value: Option<String>, example: &str| match value {
            Some(value) => format!("{setting} = {value}"),
            None => format!("# {setting} = {example}"),
        };
        format!(
            "# Settings of this node. Restart it after a change.\n\
             name = {name}\ncity = {city}\ncountry = {country}\n\
             latitude = {latitude:?}\nlongitude = {longitude:?}\n\
             # The only folder that the pages may ingest from.\n{landing}\n\
             # The built files of OHIF, served below /ohif/ (docs/ohif.md).\n{ohif}\n\
             # Days that the values before de-identification are kept for the data manager's page; 0 keeps none.\n\
             preview_days = {preview_days}\n\
             # Most bytes of instances that are kept.\n{limit}\n\
             # Whether the link from pseudonym to patient id is kept, sealed with the pseudonym secret.\nkeep_links = {keep_links}\n\
             # Whether people and images are invented.\ndemo = {demo}\n\
             # What is done to objects before they are kept: \"standard\" de-identifies; \"none\" keeps them identifiable, for good.\n\
             recipe = \"{recipe}\"\n\
             # Heads in CT, MR and PET, of which a face can be computed: \"review\" holds them for a person, \"keep\" lets them in,\n\
             # \"deface\" removes the face once the series is complete, and holds those where it is not surely found (docs/faces.md).\n\
             faces = \"{faces}\"\n\
             # The folder that `arno-textfinder install` made (docs/text-in-pixels.md): pixels that may show text are looked at first.\n\
             # \"review\" lets a person look at all of the kinds that often show text, with boxes where some was found; \"propose\" lets\n\
             # in what shows none; \"remove\" makes text black and lets it in, too.\n{text_finder}\ntext = \"{text}\"\n\
             \n[disclosure]\n# Noise is added; then counts below the threshold are hidden, others are rounded (docs/disclosure.md).\n\
             threshold = {threshold}\nround_to = {round_to}\n\
             # The site says that it records a field once five patients have it and, on average, so many more; only it knows how many.\n\
             border_spread = {border_spread}\n\
             \n[disclosure.budget]\n\
             # What may be learnt of any one patient in a period, in millionths of rho of zero-concentrated differential\n\
             # privacy: by one data user, and by all together. What was spent is there again after the period.\n\
             data_user_microrho = {data_user_microrho}\nsite_microrho = {site_microrho}\nperiod_days = {period_days}\n\
             # Different questions that a data user's budget is good for: the more, the more noise in each.\n\
             questions = {questions}\n\
             # Survival curves that it is good for, with nothing else asked.\ncurves = {curves}\n\
             # Studies and series with which one patient counts at most: the more, the more noise in their counts.\n\
             studies_per_patient = {studies_per_patient}\nseries_per_patient = {series_per_patient}\n\
             # The same of values of a facet.\nvalues_per_patient = {values_per_patient}\n\
             \n[disclosure.under_permit]\n\
             # Exact counts for whom a permit of the access committee allows them: \"allow\" or \"forbid\".\n\
             counts = \"{exact_counts}\"\n\
             # Fewer patients than this are only \"fewer than\", whatever a permit says; 0 hides none.\n\
             threshold = {exact_threshold}\n\
             \n[risk]\n# The fewest patients of a dataset that may look the same; below, publishing will \"warn\" or \"refuse\".\n\
             least_k = {least_k}\nbelow = \"{below}\"\n",
            name = quoted(&self.name),
            city = quoted(&self.city),
            country = quoted(&self.country),
            latitude = self.latitude,
            longitude = self.longitude,
            landing = line("landing", path(&self.landing), "\"/srv/landing\""),
            ohif = line("ohif_folder", path(&self.ohif_folder), "\"/srv/ohif\""),
            preview_days = self.preview_days,
            limit = line(
                "storage_limit_bytes",
                self.storage_limit_bytes.map(|limit| limit.to_string()),
                "1000000000000"
            ),
            keep_links = self.keep_links,
            demo = self.demo,
            recipe = match self.recipe {
                RecipeName::Standard => "standard",
                RecipeName::None => "none",
            },
            faces = self.faces.as_str(),
            text_finder = line(
                "text_finder",
                path(&self.text_finder),
                "\"/srv/textfinder\""
            ),
            text = self.text.as_str(),
            threshold = self.disclosure.threshold,
            round_to = self.disclosure.round_to,
            border_spread = self.disclosure.border_spread,
            data_user_microrho = budget.data_user_microrho,
            site_microrho = budget.site_microrho,
            period_days = budget.period_days,
            questions = budget.questions,
            curves = budget.curves,
            studies_per_patient = budget.studies_per_patient,
            series_per_patient = budget.series_per_patient,
            values_per_patient = budget.values_per_patient,
            exact_counts = self.disclosure.under_permit.counts.as_str(),
            exact_threshold = self.disclosure.under_permit.threshold,
            least_k = self.risk.least_k,
            below = match self.risk.below {
                BelowLimit::Warn => "warn",
                BelowLimit::Refuse => "refuse",
            },
        )
    }
}

impl NodeConfig {
    /// Reads the settings of the node in a folder; it will listen on this machine alone.
    ///
    /// # Errors
    /// [`NodeError::NotInitialised`] when there is no node, [`NodeError::Settings`] when they cannot be used.
    pub fn load(data: &Path, http_port: u16) -> Result<Self, NodeError> {
        let path = Self::settings_file(data);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(NodeError::NotInitialised(data.to_owned()));
            }
            Err(error) => return Err(NodeError::file(&path, error)),
        };
        let site =
            SiteConfig::parse(&text).map_err(|reason| NodeError::Settings { path, reason })?;
        Ok(Self {
            http_port,
            unlock: Unlock::from_environment(),
            ..Self::of(data.to_owned(), site)
        })
    }

    /// A node in a folder, with these settings, on this machine alone and on any port.
    pub(crate) fn of(data: PathBuf, site: SiteConfig) -> Self {
        Self {
            data,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            http_port: 0,
            dicom: None,
            codecs: CodecPlace::default(),
            unlock: Unlock::none(),
            text_rest: text::REST,
            site,
        }
    }

    /// Another text finder for this time than the settings name, if one is given.
    ///
    /// # Errors
    /// When it is no path.
    pub(crate) fn set_text_finder(&mut self, folder: Option<&Path>) -> Result<(), NodeError> {
        if let Some(folder) = folder {
            let absolute = std::path::absolute(folder);
            let unusable = |error| NodeError::file(folder, error);
            self.site.text_finder = Some(absolute.map_err(unusable)?);
        }
        Ok(())
    }

    /// The file of settings in a node's folder.
    #[must_use]
    pub fn settings_file(data: &Path) -> PathBuf {
        data.join("node.toml")
    }

    pub(crate) fn keys(data: &Path) -> PathBuf {
        data.join("keys")
    }

    pub(crate) fn packs(&self) -> PathBuf {
        self.data.join("packs")
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.data.join("spool")
    }

    pub(crate) fn quarantine(&self) -> PathBuf {
        self.data.join("quarantine")
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.data.join("node.sqlite")
    }

    pub(crate) fn text_lock(&self) -> PathBuf {
        self.data.join("text.lock")
    }

    pub(crate) fn ingest_lock(&self) -> PathBuf {
        self.data.join("ingest.lock")
    }
}

#[cfg(test)]
mod tests {
    use arno_domain::disclosure::{ExactCounting, UnderPermit};

    use super::{RecipeName, SiteConfig};

    #[test]
    fn written_settings_are_read_back() {
        let mut site = SiteConfig::new("Klinik \"Süd\" \\ 1", "Graz", "AT", 47.0, -15.44);
        assert_eq!(SiteConfig::parse(&site.to_toml()).unwrap(), site);
        site.landing = Some("/srv/land\"ing".into());
        site.ohif_folder = Some("/srv/ohif".into());
        site.storage_limit_bytes = Some(7);
        site.demo = true;
        site.keep_links = true;
        site.text_finder = Some("/srv/text finder".into());
        site.text = crate::TextPolicy::Remove;
        site.disclosure.under_permit = UnderPermit {
            counts: ExactCounting::Forbid,
            threshold: 7,
        };
        site.risk.below = crate::risk::BelowLimit::Refuse;
        site.recipe = RecipeName::None;
        assert_eq!(SiteConfig::parse(&site.to_toml()).unwrap(), site);
    }

    #[test]
    fn every_setting_of_the_budget_is_written() {
        let mut site = SiteConfig::new("Klinikum Test", "Graz", "AT", 47.0, 15.0);
        let budget = &mut site.disclosure.budget;
        (budget.data_user_microrho, budget.site_microrho) = (81_000, 811_000);
        (budget.questions, budget.curves, budget.period_days) = (11, 3, 9);
        (budget.studies_per_patient, budget.series_per_patient) = (5, 17);
        budget.values_per_patient = 6;
        site.disclosure.border_spread = 13;
        let read = SiteConfig::parse(&site.to_toml()).unwrap();
        assert_eq!(read.disclosure, site.disclosure);
    }

    #[test]
    fn wrong_settings_are_said() {
        let check = |from: &str, to: &str, expect: &str| {
            let text = SiteConfig::new("Site", "Graz", "AT", 47.0, 15.0).to_toml();
            assert!(text.contains(from), "{from}");
            let error = SiteConfig::parse(&text.replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(expect), "{error}");
        };
        check("name = \"Site\"", "name = \"\"", "name must have");
        for country in ["", "Austria", "at", "AUT"] {
            let country = format!("country = \"{country}\"");
            check("country = \"AT\"", &country, "two capital letters");
        }
        check("latitude = 47.0", "latitude = 91.0", "latitude must be");
        check(
            "threshold = 5",
            "threshold = 0",
            "threshold must be at least 1",
        );
        check("city", "town", "town");
        check("city", "citi = 1\ncity", "unknown field `citi`");
    }
}
