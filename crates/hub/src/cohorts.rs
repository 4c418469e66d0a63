//! The cohort language as a service: a text read, its mistake shown, and what may stand at the cursor. Asks nobody anything.

use std::collections::BTreeSet;

use arno_domain::cohort::{Cohort, Field, complete};
use arno_httpkit::{ApiError, ApiJson, ApiResult, SignedIn};
use arno_protocol::{
    Problem,
    search::{CohortReading, Mistake, ReadCohort, SavedCohort, Written},
};
use arno_store::hub::searches;
use axum::{
    Json,
    extract::{Path, State},
};

use crate::{Hub, search::SEARCHERS};

/// Longest text that is looked at: twice what a cohort may have, so that what is too long is told so.
const MAX_TEXT_BYTES: usize = 8192;

/// Reads a cohort while it is written.
#[utoipa::path(post, path = "/v1/cohorts/reading", tag = "search", request_body = ReadCohort,
    responses((status = 200, body = Written), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(crate) async fn read_cohort(
    State(hub): State<Hub>,
    who: SignedIn,
    ApiJson(asked): ApiJson<ReadCohort>,
) -> ApiResult<Written> {
    who.require(&SEARCHERS)?;
    if asked.text.len() > MAX_TEXT_BYTES {
        let detail = format!("A text of at most {MAX_TEXT_BYTES} bytes is read.");
        return Err(ApiError::bad_request("long_text", detail));
    }
    let known = |field| listed(&hub, field);
    Ok(Json(Written {
        reading: reading(&asked.text),
        completion: asked
            .cursor
            .map(|cursor| complete(&asked.text, cursor as usize, &known)),
    }))
}

/// Values of a field that sites name in their manifests.
fn listed(hub: &Hub, field: Field) -> Vec<String> {
    let manifests = hub.manifests.all();
    let values = manifests
        .iter()
        .filter_map(|manifest| manifest.field(field))
        .flat_map(|known| &known.values);
    values
        .cloned()
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect()
}

fn reading(text: &str) -> CohortReading {
    let cohort = match text.parse::<Cohort>() {
        Ok(cohort) => cohort,
        Err(error) => {
            let (line, column) = error.line_and_column(text);
            return CohortReading::Mistaken(Mistake {
                position: error.position as u64,
                line: line as u64,
                column: column as u64,
                message: error.message,
                suggestion: error.suggestion,
            });
        }
    };
    match cohort.check() {
        Ok(()) => CohortReading::Read(SavedCohort::from(cohort)),
        Err(error) => CohortReading::Mistaken(Mistake {
            position: 1,
            line: 1,
            column: 1,
            message: error.to_string(),
            suggestion: None,
        }),
    }
}

/// A cohort that was asked before, by its id: a link to it can be passed on. Says nothing of who asked it or what came of it.
#[utoipa::path(get, path = "/v1/cohorts/{digest}", tag = "search", params(("digest" = String, Path)),
    responses((status = 200, body = SavedCohort), (status = 401, body = Problem), (status = 404, body = Problem)))]
pub(crate) async fn get_cohort(
    State(hub): State<Hub>,
    who: SignedIn,
    Path(digest): Path<String>,
) -> ApiResult<SavedCohort> {
    who.require(&SEARCHERS)?;
    let cohort = searches::cohort(&hub.database, &digest).await?;
    Ok(Json(SavedCohort::from(cohort)))
}

#[cfg(test)]
mod tests {
    use arno_protocol::search::CohortReading;

    use super::reading;

    #[test]
    fn a_mistake_has_its_place() {
        let CohortReading::Mistaken(mistake) = reading("modality = CT\nand colour = red") else {
            panic!("read");
        };
        assert_eq!((mistake.position, mistake.line, mistake.column), (19, 2, 5));
        let CohortReading::Read(saved) = reading("sex=f and modality = CT") else {
            panic!("not read");
        };
        assert_eq!(saved.text, "sex = f and modality = CT");
        assert_eq!(saved.normal, "modality = CT and sex = F");
    }
}
