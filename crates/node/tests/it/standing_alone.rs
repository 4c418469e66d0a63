//! A node by itself that keeps objects as they come: bytes stay, nothing of it leaves, and the folder stays so for good.

use arno_domain::Clock;
use arno_node::{Node, NodeConfig, NodeError, RecipeName};
use arno_protocol::node::NewDataset;

use crate::support::{
    TestNode, contains,
    dicom::{MEIER, series},
    files, hospital, pinned,
};

/// The code of a rule that was not kept.
fn code<T>(result: Result<T, NodeError>) -> &'static str {
    match result {
        Err(NodeError::Rule { code, .. }) => code,
        Err(other) => panic!("another error: {other}"),
        Ok(_) => panic!("it was allowed"),
    }
}

async fn choose(site: &TestNode, recipe: RecipeName) -> Result<(), NodeError> {
    let mut config = NodeConfig::load(&site.data(), 0).unwrap();
    Node::choose_recipe(&mut config, recipe).await
}

#[tokio::test]
async fn bytes_stay_as_they_came() {
    let site = TestNode::with(|settings| settings.recipe = RecipeName::None).await;
    assert!(site.node.is_identifiable());
    let file = series(MEIER, 1, 1, 1)[0].file();
    site.put("1.dcm", &file);
    assert_eq!(site.ingest().await, [1, 0, 0, 0]);
    assert_eq!(site.ingest().await, [0, 1, 0, 0]);
    let packs = files(&site.data().join("packs"));
    let kept = std::fs::read(&packs[0]).unwrap();
    assert!(kept.windows(file.len()).any(|window| window == file));
    assert!(contains(&kept, MEIER.id));
    assert_eq!(site.series().await.rows[0].patient, MEIER.id);
    assert!(site.node.verify().await.unwrap().holds());
}

#[tokio::test]
async fn nothing_of_it_reaches_a_federation() {
    let site = TestNode::with(|settings| settings.recipe = RecipeName::None).await;
    hospital(&site);
    site.ingest().await;
    let new = NewDataset {
        title: "All".into(),
        description: String::new(),
        cohort: String::new(),
        licence: String::new(),
    };
    assert_eq!(
        code(site.node.create_dataset(&new, "test").await),
        "identifiable"
    );
    let pinned = pinned();
    let invitation = arno_domain::invitation::Invitation {
        hub_url: pinned.hub_url,
        code: "code".into(),
        root_key: pinned.root_key,
        root_certificate: pinned.root_certificate,
        committee_key: pinned.committee_key,
    };
    assert_eq!(code(site.node.join(&invitation).await), "identifiable");
}

#[tokio::test]
async fn what_a_folder_keeps_is_decided_once() {
    let site = TestNode::new().await;
    choose(&site, RecipeName::Standard).await.unwrap();
    choose(&site, RecipeName::None).await.unwrap();
    let config = NodeConfig::load(&site.data(), 0).unwrap();
    assert_eq!(config.site.recipe, RecipeName::None);
    let node = Node::open(config, Clock::system()).await.unwrap();
    assert!(node.is_identifiable());
    assert_eq!(
        code(choose(&site, RecipeName::Standard).await),
        "recipe_differs"
    );
    // By hand, past the command.
    let settings = NodeConfig::settings_file(&site.data());
    let text = std::fs::read_to_string(&settings).unwrap();
    std::fs::write(
        &settings,
        text.replace("recipe = \"none\"", "recipe = \"standard\""),
    )
    .unwrap();
    let config = NodeConfig::load(&site.data(), 0).unwrap();
    assert_eq!(
        code(Node::open(config, Clock::system()).await),
        "recipe_differs"
    );
}

#[tokio::test]
async fn a_folder_of_deidentified_objects_stays_one() {
    let mut site = TestNode::new().await;
    hospital(&site);
    site.ingest().await;
    assert_eq!(
        code(choose(&site, RecipeName::None).await),
        "recipe_differs"
    );
    site.restarted(|_| {}).await;
    assert!(!site.node.is_identifiable());
}
