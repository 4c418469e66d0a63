//! A node is made of sound settings only, and what is refused leaves nothing behind.

use arno_node::{Node, NodeError, SiteConfig};

#[tokio::test]
async fn a_site_that_no_hub_would_admit_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("node");
    let check = async |country: &str| {
        let site = SiteConfig::new("Site", "Graz", country, 47.0, 15.0);
        let error = Node::init(&data, &site).await.unwrap_err();
        assert!(matches!(error, NodeError::Settings { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains("two capital letters"), "{said}");
        assert!(!data.exists(), "{country}");
    };
    check("Austria").await;
    check("at").await;
    check("").await;
    let site = SiteConfig::new("Site", "Graz", "AT", 47.0, 15.0);
    Node::init(&data, &site).await.unwrap();
}
