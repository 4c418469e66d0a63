//! The end of an analysis: each model with its area under the ROC curve on the test patients of all sites.

use std::sync::Arc;

use arno_domain::NodeId;
use arno_learning::evaluation::ScoreHistogram;
use arno_protocol::analyses::{EvaluatedModel, LogisticModel};
use arno_store::hub::{analyses::RoundRow, members::Member};

use super::learned::{Stage, learn};

/// The federation's model, then each site's own, in the order in which they were measured.
pub(super) fn evaluated_models(
    rounds: &[RoundRow],
    local: &[(NodeId, LogisticModel)],
    members: &[Arc<Member>],
) -> Result<Vec<EvaluatedModel>, String> {
    let Stage::Evaluated { models, histograms } = learn(rounds).0 else {
        return Err("the models were not measured".to_owned());
    };
    let measured = models.into_iter().zip(&histograms).enumerate();
    measured
        .map(|(at, (model, histogram))| {
            let node = if at == 0 { None } else { owner(&model, local) };
            evaluated(node, model, histogram, members)
        })
        .collect()
}

/// The site whose model this is. By the model itself, since one that came late is not among those measured.
fn owner(model: &LogisticModel, local: &[(NodeId, LogisticModel)]) -> Option<NodeId> {
    let owner = local.iter().find(|(_, own)| own == model);
    owner.map(|(node, _)| *node)
}

fn evaluated(
    node: Option<NodeId>,
    model: LogisticModel,
    histogram: &ScoreHistogram,
    members: &[Arc<Member>],
) -> Result<EvaluatedModel, String> {
    let name = match node {
        None => "Federation".to_owned(),
        Some(node) => {
            let member = members.iter().find(|member| member.card.node == node);
            member
                .map(|member| member.card.name.clone())
                .unwrap_or_default()
        }
    };
    Ok(EvaluatedModel {
        node,
        name,
        model,
        auc: histogram.auc().map_err(|error| error.to_string())?,
        roc: histogram.roc().map_err(|error| error.to_string())?,
        positives: histogram.positives(),
        negatives: histogram.negatives(),
    })
}
