//! What the tests of a whole federation share.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use arno_cli::demo::{DemoArgs, Folder, Mode, Report, Running};

/// Real imaging beside the checkout, where it is.
pub(crate) fn real_series() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/ibsi_sts_dev")
}

/// Starts a demo in a folder of its own, takes all steps, stops, and gives the report.
pub(crate) async fn eight_steps(
    args: &DemoArgs,
    look: impl AsyncFnOnce(&Running, &Report),
) -> Report {
    let started = Instant::now();
    let folder = Folder::open(&args.dir, false, true).unwrap();
    let running = arno_cli::demo::start(args, &folder, &Mode::InProcess, true)
        .await
        .unwrap();
    let report = arno_cli::demo::drive(args, &running, started, true)
        .await
        .unwrap();
    assert_eq!(report.failures, Vec::<String>::new());
    look(&running, &report).await;
    running.stop().await;
    report
}

/// Waits for a state instead of sleeping; says what it waited for when it never comes.
pub(crate) async fn until<T>(what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(120);
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "waited in vain for: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path))
        } else {
            files.push(path)
        }
    }
    files
}

/// Whether any file below a folder holds one of these texts.
pub(crate) fn first_leak(folder: &Path, secrets: &[String]) -> Option<(PathBuf, String)> {
    files_below(folder).into_iter().find_map(|path| {
        let bytes = fs::read(&path).unwrap();
        let text = String::from_utf8_lossy(&bytes);
        secrets
            .iter()
            .find(|secret| text.contains(secret.as_str()))
            .map(|secret| (path, secret.clone()))
    })
}
