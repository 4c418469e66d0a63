//! The transcript in the README is what the demo prints, but for times, ids and ports.

use std::{fs, path::Path, time::Duration};

use crate::support::eight_steps;
use arno_cli::demo::{DemoArgs, welcome};

const BEGIN: &str = "<!-- transcript -->\n```text\n";
const END: &str = "\n```\n<!-- /transcript -->";

#[tokio::test(flavor = "multi_thread")]
async fn the_readme_shows_what_the_demo_prints() {
    let base = tempfile::tempdir().unwrap();
    let args = DemoArgs::phantoms_in(base.path().join("demo"));
    let mut printed = String::new();
    eight_steps(&args, async |running, report| {
        printed = format!(
            "{}\n\n{}",
            welcome(running, Duration::from_secs(9)),
            report.text()
        );
    })
    .await;
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = fs::read_to_string(&path).unwrap();
    let (before, rest) = readme
        .split_once(BEGIN)
        .expect("the README has a transcript");
    let (shown, after) = rest.split_once(END).expect("the transcript ends");
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(
            path,
            [before, BEGIN, &as_usual(&printed), END, after].concat(),
        )
        .unwrap();
        return;
    }
    assert_eq!(
        without_chance(shown),
        without_chance(&printed),
        "UPDATE_SNAPSHOTS=1 rewrites the transcript"
    );
}

/// With the ports that the demo takes when they are free.
fn as_usual(text: &str) -> String {
    let mut ports: Vec<String> = Vec::new();
    let mut usual = String::new();
    let mut parts = text.split("http://localhost:");
    usual.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        let port = part[..digits].to_owned();
        let place = ports
            .iter()
            .position(|known| *known == port)
            .unwrap_or_else(|| {
                ports.push(port);
                ports.len() - 1
            });
        // Padded, so that columns stay in line.
        usual.push_str(&format!(
            "http://localhost:{:<digits$}{}",
            8080 + place,
            &part[digits..]
        ));
    }
    let (before, after) = usual
        .split_once("https://localhost:")
        .expect("the door for nodes is named");
    let digits = after.chars().take_while(char::is_ascii_digit).count();
    format!("{before}https://localhost:8443{}", &after[digits..])
}

/// Without ports, ids, times, rounding noise and the width of columns, which differ from run to run.
fn without_chance(text: &str) -> Vec<String> {
    text.lines()
        .map(|line| {
            let words = line.split_whitespace().map(masked);
            let words = words.collect::<Vec<_>>().join(" ");
            without_noise(&words)
        })
        .collect()
}

/// Counts of a search have noise that each demo draws anew: `~ 310 ± 89` and `< 5 ± 89` are alike.
fn without_noise(words: &str) -> String {
    let mut kept = Vec::new();
    let mut words = words.split(' ').peekable();
    while let Some(word) = words.next() {
        if ["~", "<"].contains(&word) {
            while words
                .next_if(|next| next.parse::<u64>().is_ok() || *next == "±")
                .is_some()
            {}
            kept.push("count");
        } else {
            kept.push(word);
        }
    }
    kept.join(" ")
}

fn masked(word: &str) -> String {
    for prefix in ["http://localhost:", "https://localhost:", "permit_"] {
        if word.starts_with(prefix) {
            return prefix.to_owned();
        }
    }
    match word.parse::<f64>() {
        // `1.9e-12`, and `0.0e0` should rounding leave nothing.
        Ok(small) if word.contains('e') => format!("below 1e-6: {}", small < 1e-6),
        Ok(_)
            if word
                .split_once('.')
                .is_some_and(|(_, decimals)| decimals.len() == 1) =>
        {
            "seconds".to_owned()
        }
        _ => word.to_owned(),
    }
}
