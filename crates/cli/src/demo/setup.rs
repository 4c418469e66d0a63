//! What operators and data managers do once: a hub, a committee's key, three nodes that join by invitation, their
//! input, its ingest, and a published dataset each.

use std::{fs, path::Path, time::Duration};

use anyhow::{Context as _, bail};
use arno_client::ApiClient;
use arno_domain::{Clock, SecretKey};
use arno_hub::NewAccount;
use arno_node::{Node, NodeConfig, SiteConfig};
use arno_phantom::{SITES, SiteSpec};
use arno_protocol::{
    catalogue::{CatalogueEntry, Federation},
    node::{IngestRun, LocalDataset, NewDataset, NewIngest, Overview},
    session::{Role, SealedKey},
};

use super::{
    DemoArgs, Input,
    federation::{COMMITTEE, MANAGER, OPERATOR, RESEARCHER, Running, Secrets, Site},
    folder::Folder,
    input, outcomes,
    places::Places,
    process::Mode,
};
use crate::{output, sealed_key};

const LOOK_AGAIN: Duration = Duration::from_millis(40);
/// Nodes that were given work must show progress within this.
const PATIENCE: Duration = Duration::from_secs(600);
/// Nodes that run are online, and what they published in the catalogue, within this.
const CATALOGUE_PATIENCE: Duration = Duration::from_secs(180);

/// Starts everything, and waits until all sites are online and their datasets are in the catalogue.
///
/// # Errors
/// When a program does not come up, or the folder cannot be used.
pub async fn start(
    args: &DemoArgs,
    folder: &Folder,
    mode: &Mode,
    quiet: bool,
) -> anyhow::Result<Running> {
    let input = Input::chosen(args);
    let secrets = secrets(folder, &input)?;
    if !folder.resumed {
        prepare_hub(folder, &secrets).await?;
    }
    let filling = (!folder.resumed).then(|| fill_in_background(folder, &input, args, quiet));
    let mut places = Places::choose(args.port, folder, mode.clone()).await?;
    let hub = places.start_hub().await?;
    let mut sites = Vec::new();
    for (index, spec) in SITES.iter().enumerate() {
        let landing = folder.landing(spec.key);
        if !folder.resumed {
            prepare_node(folder, spec, &input, &secrets).await?;
        }
        let program = places.start_node(index).await?;
        sites.push(Site {
            spec,
            url: places.node_url(index),
            landing,
            program,
        });
    }
    let running = Running {
        hub_url: places.hub_url(),
        federation_url: places.federation_url(),
        hub,
        sites,
        committee_key: open_committee_key(folder, &secrets)?,
        secrets,
        input,
        resumed: folder.resumed,
        moved_ports: std::mem::take(&mut places.moved),
        profiles: Vec::new(),
        places,
    };
    if let Some(filling) = filling {
        filling.await.context("making the input was cut off")??;
        ingest_everywhere(&running, quiet).await?;
        publish_everywhere(&running).await?;
    }
    wait_for_catalogue(&running).await?;
    Ok(running)
}

/// The demo's passwords, kept with its folder. Everybody knows those of phantoms; those of real images are random.
fn secrets(folder: &Folder, input: &Input) -> anyhow::Result<Secrets> {
    let path = folder.path().join("secrets.json");
    if folder.resumed {
        return Ok(serde_json::from_slice(
            &fs::read(&path).context("the kept demo has lost its passwords")?,
        )?);
    }
    let secrets = match input {
        Input::Phantoms => Secrets {
            password: "arno-demo".into(),
            passphrase: "arno-committee".into(),
        },
        Input::Real(_) => {
            let text = arno_domain::hex::encode(&sealed_key::new_key()?.seed());
            Secrets {
                password: text[..10].into(),
                passphrase: text[10..24].into(),
            }
        }
    };
    write_private(&path, &serde_json::to_vec(&secrets)?)?;
    Ok(secrets)
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

fn fill_in_background(
    folder: &Folder,
    input: &Input,
    args: &DemoArgs,
    quiet: bool,
) -> tokio::task::JoinHandle<anyhow::Result<()>> {
    let (folder, input, args) = (folder.path().to_owned(), input.clone(), args.clone());
    tokio::task::spawn_blocking(move || input::fill(&folder, &input, &args, quiet))
}

async fn prepare_hub(folder: &Folder, secrets: &Secrets) -> anyhow::Result<()> {
    let key = sealed_key::new_key()?;
    let sealed = sealed_key::seal(&key, &secrets.passphrase)?;
    write_private(
        &folder.path().join("committee-key.json"),
        &serde_json::to_vec_pretty(&sealed)?,
    )?;
    let (hub, clock) = (folder.hub(), Clock::system());
    arno_hub::init(&hub, "Demo federation", Some(key.public())).await?;
    let people = [
        (RESEARCHER, "Rosa Researcher", Role::DataUser, None),
        (COMMITTEE, "Carl Committee", Role::Committee, Some(sealed)),
        (OPERATOR, "Olga Operator", Role::Operator, None),
    ];
    for (name, display_name, role, sealed_key) in people {
        let account = NewAccount {
            name: name.into(),
            display_name: display_name.into(),
            role,
            password: secrets.password.clone(),
            sealed_key,
        };
        arno_hub::put_account(&hub, account, &clock).await?;
    }
    Ok(())
}

fn open_committee_key(folder: &Folder, secrets: &Secrets) -> anyhow::Result<SecretKey> {
    let bytes = fs::read(folder.path().join("committee-key.json"))
        .context("the committee's key is missing")?;
    sealed_key::open(
        &serde_json::from_slice::<SealedKey>(&bytes)?,
        &secrets.passphrase,
    )
}

async fn prepare_node(
    folder: &Folder,
    spec: &SiteSpec,
    input: &Input,
    secrets: &Secrets,
) -> anyhow::Result<()> {
    let (data, clock) = (folder.node(spec.key), Clock::system());
    let mut site = SiteConfig::new(
        spec.name,
        spec.city,
        spec.country,
        spec.latitude,
        spec.longitude,
    );
    site.landing = Some(folder.landing(spec.key));
    site.demo = true;
    if *input == Input::Phantoms {
        site.disclosure = outcomes::disclosure();
    }
    Node::init(&data, &site).await?;
    let node = Node::open(NodeConfig::load(&data, 0)?, clock.clone()).await?;
    node.put_account(MANAGER, "Marta Manager", &secrets.password)
        .await?;
    let issued = arno_hub::invite(&folder.hub(), spec.name, &clock).await?;
    node.join(&issued.invitation.parse()?).await?;
    if *input == Input::Phantoms {
        outcomes::load(&node, spec, folder.path()).await?;
    }
    node.store().database().close().await;
    Ok(())
}

/// Lets every node read its landing folder, all at the same time.
async fn ingest_everywhere(running: &Running, quiet: bool) -> anyhow::Result<()> {
    let bar = output::bar(quiet, 0, "ingest");
    let mut managers = Vec::new();
    for site in &running.sites {
        let manager = running.node_as_manager(site).await?;
        begin_ingest(&manager, &site.landing).await?;
        managers.push(manager);
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let (mut files, mut done, mut busy) = (0, 0, false);
        for manager in &managers {
            let overview: Overview = manager.get("/v1/overview").await?;
            let newest = newest_run(manager).await?;
            busy |= newest.finished_at.is_none();
            let progress = overview
                .ingesting
                .map_or((newest.files, newest.files), |now| (now.files, now.done));
            files += progress.0;
            done += progress.1;
        }
        bar.set_length(files);
        bar.set_position(done);
        if !busy {
            break;
        }
        if tokio::time::Instant::now() > deadline {
            bail!(
                "the ingest takes longer than {} s; see the logs in the demo's folder",
                PATIENCE.as_secs()
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    bar.finish_and_clear();
    Ok(())
}

async fn begin_ingest(manager: &ApiClient, landing: &Path) -> anyhow::Result<()> {
    let folder = landing.display().to_string();
    let _: serde_json::Value = manager.post("/v1/ingests", &NewIngest { folder }).await?;
    Ok(())
}

async fn newest_run(manager: &ApiClient) -> anyhow::Result<IngestRun> {
    let runs: Vec<IngestRun> = manager.get("/v1/ingests").await?;
    runs.into_iter()
        .max_by_key(|run| run.id)
        .context("the ingest has not begun")
}

/// Reads the landing folder again and waits; gives what it changed.
pub(crate) async fn ingest_again(manager: &ApiClient, landing: &Path) -> anyhow::Result<IngestRun> {
    begin_ingest(manager, landing).await?;
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let run = newest_run(manager).await?;
        if run.finished_at.is_some() {
            return Ok(run);
        }
        if tokio::time::Instant::now() > deadline {
            bail!("the second ingest does not end");
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

async fn publish_everywhere(running: &Running) -> anyhow::Result<()> {
    for site in &running.sites {
        let manager = running.node_as_manager(site).await?;
        for dataset in datasets(&running.input) {
            let _: LocalDataset = manager.post("/v1/datasets", &dataset).await?;
        }
    }
    Ok(())
}

fn datasets(input: &Input) -> Vec<NewDataset> {
    let readings =
        "Outlines and ratings of lung nodules by up to four radiologists each (LIDC-IDRI)";
    let dataset = |title: &str, description: String, cohort: &str, licence: &str| NewDataset {
        title: title.into(),
        description,
        cohort: cohort.into(),
        licence: licence.into(),
    };
    match input {
        Input::Phantoms => vec![dataset(
            "Lung nodules",
            format!(
                "{readings}. The images are phantoms: a synthetic thorax that carries the real outlines at the real \
                 place and size. People and their outcomes are invented."
            ),
            "",
            "CC BY 3.0 (readings); phantoms by Arno",
        )],
        Input::Real(_) => vec![
            dataset(
                "Lung nodule readings",
                format!("{readings}, without images."),
                "readers recorded",
                "CC BY 3.0",
            ),
            dataset(
                "Series from the demo's folder",
                "Real series as they came.".into(),
                "modality recorded",
                "as at source",
            ),
        ],
    }
}

/// Waits until every node is online and has its datasets in the hub's catalogue.
async fn wait_for_catalogue(running: &Running) -> anyhow::Result<()> {
    let client = ApiClient::new(&running.hub_url, None)?;
    let wanted = running.sites.len() * datasets(&running.input).len();
    let deadline = tokio::time::Instant::now() + CATALOGUE_PATIENCE;
    loop {
        let federation: Federation = client.get("/v1/federation").await?;
        let datasets: Vec<CatalogueEntry> = client.get("/v1/datasets").await?;
        let online = federation.nodes.iter().filter(|node| node.online).count();
        if online == running.sites.len() && datasets.len() >= wanted {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            bail!(
                "{online} of {} nodes are online and {} datasets published; see the logs in the demo's folder",
                running.sites.len(),
                datasets.len()
            );
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}
