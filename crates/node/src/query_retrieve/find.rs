//! C-FIND: the identifier becomes the same query that QIDO-RS asks, and its rows become identifiers.

use arno_dimse::{
    AeTitle,
    scp::{Answers, FindHandler, FindRequest, QueryFailure},
};

use super::identifier;
use crate::Node;

/// Rows that are in memory at a time. Each page passes over those before it again, so small ones would make long answers slow.
const PAGE: usize = 2_000;

pub(super) fn handler(node: Node, own: AeTitle) -> FindHandler {
    FindHandler::new(move |request: FindRequest, answers: Answers| {
        let (node, own) = (node.clone(), own.clone());
        async move { find(&node, &own, request, answers).await }
    })
}

async fn find(
    node: &Node,
    own: &AeTitle,
    request: FindRequest,
    answers: Answers,
) -> Result<(), QueryFailure> {
    let FindRequest {
        model,
        transfer_syntax,
        extensions,
        identifier,
        ..
    } = request;
    let mut query = identifier::read(&identifier, &transfer_syntax, model, &extensions)?;
    query.limit = PAGE;
    loop {
        let page = node.find(&query).await.map_err(|error| {
            tracing::error!(error = &error as &dyn std::error::Error, "a C-FIND failed");
            QueryFailure::UnableToProcess
        })?;
        let (count, is_last) = (page.rows.len(), page.complete);
        for row in page.rows {
            let answer = identifier::write(row.attributes(), query.level, &transfer_syntax, own);
            let answer = answer.ok_or(QueryFailure::UnableToProcess)?;
            if answers.send(answer).await.is_err() {
                return Ok(());
            }
        }
        match (is_last, count) {
            (true, _) => return Ok(()),
            // There are more rows than a query may look at, and no status that says so but failure.
            (false, count) if count < PAGE => return Err(QueryFailure::OutOfResources),
            (false, _) => query.offset += count,
        }
    }
}
