//! The pooled yardstick: the same model fitted on all sites' readings in one place. Only the demo can do this, because
//! only it has all three folders; in a federation nobody does.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use arno_learning::{
    evaluation::ScoreHistogram,
    logistic::{fit, log_odds},
    nodule::{nodules, rows},
    reading::{Reading, Split},
};
use arno_protocol::analyses::{Analysis, LogisticModel, Yardstick};

/// Fits and evaluates on the pooled readings, and compares with the federation's model.
pub(crate) fn pooled(landings: &[PathBuf], analysis: &Analysis) -> anyhow::Result<Yardstick> {
    let mut readings = Vec::new();
    for landing in landings {
        readings.extend(read_folder(landing)?);
    }
    let nodules = nodules(&readings);
    let (train, test) = (rows(&nodules, Split::Train), rows(&nodules, Split::Test));
    let fit = fit(&train)?;
    let scores = test.iter().map(|row| {
        (
            log_odds(&row.features, &fit.standardiser, &fit.coefficients),
            row.positive,
        )
    });
    let histogram = ScoreHistogram::of(scores);
    let federated = analysis
        .models
        .iter()
        .find(|model| model.node.is_none())
        .context("there is no federated model")?;
    let differences = fit
        .coefficients
        .iter()
        .zip(&federated.model.coefficients)
        .map(|(one, other)| (one - other).abs());
    Ok(Yardstick {
        source: format!(
            "{} readings of {} sites in one place",
            readings.len(),
            landings.len()
        ),
        max_coefficient_difference: differences.fold(0.0, f64::max),
        auc: histogram.auc()?,
        roc: histogram.roc()?,
        model: LogisticModel {
            mean: fit.standardiser.mean.to_vec(),
            sd: fit.standardiser.sd.to_vec(),
            coefficients: fit.coefficients.to_vec(),
        },
    })
}

fn read_folder(landing: &Path) -> anyhow::Result<Vec<Reading>> {
    let mut readings = Vec::new();
    for entry in
        fs::read_dir(landing).with_context(|| format!("cannot read {}", landing.display()))?
    {
        let path = entry?.path();
        if path.to_string_lossy().ends_with(".annotations.jsonl") {
            for line in BufReader::new(fs::File::open(&path)?).lines() {
                readings.push(Reading::parse(&line?)?);
            }
        }
    }
    Ok(readings)
}
