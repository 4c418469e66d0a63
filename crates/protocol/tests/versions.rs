//! A hub and a node of different versions: what a newer one says is read without what is new in it, what it asks or allows is not.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Debug;

use arno_domain::{
    Clock, DatasetId, NodeId, PermitId, QuestionId, RequestId, SearchId,
    cohort::Endpoint,
    disclosure::{
        Followed, PermittedCell, PermittedCount, PermittedCounts, PermittedFacet, ProtectedCount,
        ReleasedCell, ReleasedFacet, ReleasedSurvival,
    },
    manifest::{Coverage, FieldCoverage, Manifest},
    model::Field,
    permit::{Operation, Permit},
};
use arno_protocol::{
    federation::{
        Answer, AnswerBody, CountQuestion, Delivery, Poll, Question, QuestionBody, Receipt,
    },
    search::{
        BudgetState, Counts, CriterionReport, CriterionStatus, ExactSite, Margins, SiteCounts,
    },
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// Something new in every object. One with a single member is taken for a variant by its name, which has no fields of its own.
fn newer(value: Value) -> Value {
    match value {
        Value::Array(all) => all.into_iter().map(newer).collect(),
        Value::Object(all) => {
            let is_struct = all.len() != 1;
            let mut all: serde_json::Map<_, _> = all
                .into_iter()
                .map(|(name, value)| (name, newer(value)))
                .collect();
            if is_struct {
                all.insert("of_a_newer_version".into(), json!({ "with": ["anything"] }));
            }
            Value::Object(all)
        }
        other => other,
    }
}

fn is_read<T: Serialize + DeserializeOwned + PartialEq + Debug>(said: &T) {
    let text = newer(serde_json::to_value(said).unwrap()).to_string();
    assert!(text.contains("of_a_newer_version"), "{text}");
    assert_eq!(&serde_json::from_str::<T>(&text).unwrap(), said);
}

fn is_refused<T: Serialize + DeserializeOwned + Debug>(asked: &T) {
    let mut value = serde_json::to_value(asked).unwrap();
    assert!(serde_json::from_value::<T>(value.clone()).is_ok());
    value["of_a_newer_version"] = json!(1);
    let error = serde_json::from_value::<T>(value).unwrap_err().to_string();
    assert!(error.contains("of_a_newer_version"), "{error}");
}

fn answer(body: AnswerBody) -> Answer {
    Answer {
        question: QuestionId::new(),
        question_sha256: "ab".into(),
        body,
    }
}

fn criteria() -> Vec<CriterionReport> {
    let report = |status| CriterionReport {
        criterion: "sex = F".into(),
        status,
    };
    vec![
        report(CriterionStatus::Applied),
        report(CriterionStatus::Expanded(3)),
    ]
}

fn counted() -> SiteCounts {
    SiteCounts {
        counts: Some(Counts {
            patients: ProtectedCount::About(120),
            studies: ProtectedCount::FewerThan(5),
            series: ProtectedCount::About(480),
            margins: Margins {
                patients: 89,
                studies: 982,
                series: 3922,
            },
        }),
        criteria: criteria(),
        facets: vec![ReleasedFacet {
            field: "sex".into(),
            cells: vec![ReleasedCell {
                value: "F".into(),
                patients: ProtectedCount::About(60),
            }],
            margin: 90,
            lifted: vec!["sex = F".into()],
        }],
        survival: vec![ReleasedSurvival {
            of: Endpoint::Overall,
            followed: Some(Followed {
                events: vec![1, -2],
                censored: vec![3, 4],
                variance: 9,
            }),
        }],
        budget: Some(BudgetState {
            spent_microrho: 1,
            budget_microrho: 80_000,
            period_days: 7,
            panel_microrho: 2,
            survival_microrho: 3,
        }),
    }
}

fn exact() -> ExactSite {
    ExactSite {
        permit: PermitId::new(),
        datasets: vec![DatasetId::new()],
        counts: Some(PermittedCounts::Exactly {
            patients: 7,
            studies: 8,
            series: 9,
        }),
        criteria: criteria(),
        facets: vec![PermittedFacet {
            field: "sex".into(),
            cells: vec![PermittedCell {
                value: "F".into(),
                patients: PermittedCount::Exactly(3),
            }],
            lifted: Vec::new(),
        }],
    }
}

fn manifest() -> Manifest {
    Manifest {
        node: NodeId::new(),
        issued_at: Clock::system().now(),
        fields: vec![FieldCoverage {
            field: Field::parse("sex").unwrap(),
            coverage: Coverage::Most,
            values: vec!["F".into()],
        }],
    }
}

fn permit() -> Permit {
    let now = Clock::system().now();
    Permit {
        id: PermitId::new(),
        request: RequestId::new(),
        data_user: "ann".into(),
        purpose: "A test.".into(),
        datasets: Vec::new(),
        operations: [Operation::Count].into(),
        valid_from: now,
        valid_until: now,
        min_sites: 3,
        least_count: None,
    }
}

#[test]
fn what_a_newer_node_says_is_read() {
    is_read(&answer(AnswerBody::Counts(counted())));
    is_read(&answer(AnswerBody::Exact(exact())));
    is_read(&answer(AnswerBody::Refused {
        code: "budget_spent".into(),
        reason: "Nothing is left.".into(),
    }));
    is_read(&manifest());
    is_read(&Poll {
        wait_ms: 1,
        software: "9.0.0".into(),
        instances: 2,
    });
    is_read(&Receipt {});
}

#[test]
fn a_field_of_a_newer_model_is_left_out_of_a_manifest() {
    let older = manifest();
    let mut value = serde_json::to_value(&older).unwrap();
    let unknown = json!({ "field": "telepathy", "coverage": "few", "values": [] });
    value["fields"].as_array_mut().unwrap().push(unknown);
    assert_eq!(serde_json::from_value::<Manifest>(value).unwrap(), older);
}

#[test]
fn what_a_newer_hub_asks_or_allows_is_refused_where_it_is_not_known() {
    let count = CountQuestion {
        search: SearchId::new(),
        data_user: "ann".into(),
        cohort: "sex = F".parse().unwrap(),
        facets: Vec::new(),
        permit: None,
    };
    is_refused(&permit());
    is_refused(&count);
    let question = Question {
        id: QuestionId::new(),
        expires_at: Clock::system().now(),
        body: QuestionBody::Count(count),
    };
    is_refused(&question);
    is_refused(&Delivery {
        questions: vec![question],
    });
}
