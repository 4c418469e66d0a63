//! From something that may be said at a price to an entry in the ledger: who spent what, whether it looks like an attack, and
//! what a data user is told whose budget is spent.

use std::collections::BTreeSet;

use arno_domain::{
    audit::Act,
    cohort::Cohort,
    disclosure::{
        ALARM_AT, ALARM_AT_SITE, Asked, DisclosureBudget, NanoRho, Part, PastQuestion, parts_of,
        suspicion,
    },
    hex,
};
use arno_protocol::{
    federation::{AnswerBody, Question},
    search::BudgetState,
};
use arno_store::node::{AlarmAt, Limits, NewRelease, Released as Put, Spent, StoredAnswer, Whose};
use chrono::{DateTime, Days, Utc};
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use super::{read, write};
use crate::{
    Node, NodeError,
    analyses::{Refused, Stop},
};

/// When the data manager is told.
const ALARM: AlarmAt = AlarmAt {
    data_user: ALARM_AT,
    site: ALARM_AT_SITE,
};

/// An answer and its entries in the ledger; it leaves the node only once they are written.
pub(crate) struct Released {
    /// What is said.
    pub(crate) body: AnswerBody,
    /// The parts that cost something.
    pub(crate) entries: Vec<NewRelease>,
}

/// Something that may be said, and what its price depends on.
pub(crate) struct Priced<'a> {
    /// Which part of an answer it is.
    pub(crate) part: Part,
    /// Digest of what exactly is said.
    pub(crate) form: String,
    /// Version of the data that it is said of.
    pub(crate) data_version: u64,
    /// Who asks.
    pub(crate) data_user: &'a str,
    /// The cohort as text.
    pub(crate) cohort: String,
    /// Its criteria that must all hold.
    pub(crate) parts: BTreeSet<String>,
    /// Patients that matched, exactly.
    pub(crate) patients: u64,
    /// What is said, as JSON.
    pub(crate) said_json: String,
}

/// A part of an answer that somebody asks for, before anything is drawn.
pub(super) struct Asking<'a> {
    /// Which part of an answer it is.
    pub(super) part: Part,
    /// Digest of what exactly is asked.
    pub(super) form: String,
    /// Version of the data that it is asked of.
    pub(super) data_version: u64,
    /// Who asks, and about whom.
    pub(super) asker: (&'a str, &'a Cohort),
    /// Patients that match, exactly.
    pub(super) patients: u64,
}

/// Digest of a question, from a text of digits, letters and blanks that names its kind first.
pub(super) fn form_of(named: &str) -> String {
    hex::encode(&Sha256::digest(named))
}

/// What came of saying something.
pub(crate) enum Entered {
    /// Said.
    Said(StoredAnswer),
    /// The same was said meanwhile in other words: decide again.
    Again,
    /// It cannot be paid.
    Refused(Refused),
}

impl Node {
    /// What is said of a question: what was said before of the same data, or else what is drawn now; its entry for the ledger, and what
    /// the data user has still to pay for it.
    pub(super) async fn price_once<T: Serialize + DeserializeOwned>(
        &self,
        asking: Asking<'_>,
        draw: impl FnOnce(Asked<'_>) -> T,
    ) -> Result<(T, NewRelease, NanoRho), Stop> {
        let (data_user, cohort) = asking.asker;
        let said = self.store().said(&asking.form, asking.data_version).await?;
        // What nobody was told nobody has paid for.
        let paid = (data_user, &*asking.form, asking.data_version);
        let has_paid = said.is_some() && self.store().has_paid(paid).await?;
        let (released, patients) = match said {
            Some(said) => (read(&said.json)?, said.patients),
            None => {
                let asked = Asked {
                    form: &asking.form,
                    data_version: asking.data_version,
                };
                (draw(asked), asking.patients)
            }
        };
        let priced = Priced {
            part: asking.part,
            form: asking.form,
            data_version: asking.data_version,
            data_user,
            cohort: cohort.to_string(),
            parts: parts_of(cohort),
            patients,
            said_json: write(&released)?,
        };
        let entry = self.price(priced).await?;
        let due = match has_paid {
            true => NanoRho::default(),
            false => entry.price,
        };
        Ok((released, entry, due))
    }

    /// The entry for the ledger.
    pub(super) async fn price(&self, priced: Priced<'_>) -> Result<NewRelease, Stop> {
        let policy = self.config().site.disclosure;
        let since = self.since(&policy.budget);
        let price = policy.budget.price(priced.part);
        let question = PastQuestion {
            parts: priced.parts,
            patients: priced.patients,
        };
        // One question has several parts; it is looked at once.
        let looked_at = match priced.part {
            Part::Site => {
                let near = (question.patients, policy.threshold);
                let before = self.store().past_questions(since, near).await?;
                suspicion(&question, &before, policy.threshold)
            }
            Part::Total | Part::Facets | Part::Survival => None,
        };
        Ok(NewRelease {
            form: priced.form,
            data_version: priced.data_version,
            kind: kind(priced.part),
            data_user: priced.data_user.to_owned(),
            cohort: priced.cohort,
            suspicion: looked_at,
            question,
            said_json: priced.said_json,
            price,
        })
    }

    /// What a data user will have spent with what is due now.
    pub(super) async fn budget_state(
        &self,
        data_user: &str,
        due: NanoRho,
    ) -> Result<BudgetState, Stop> {
        let budget = self.config().site.disclosure.budget;
        let spent = self
            .store()
            .spent_by(data_user, self.since(&budget))
            .await?;
        Ok(BudgetState {
            spent_microrho: (spent + due).0 / 1000,
            budget_microrho: budget.data_user_microrho,
            period_days: budget.period_days,
            panel_microrho: budget.price(Part::Facets).0 / 1000,
            survival_microrho: budget.price(Part::Survival).0 / 1000,
        })
    }

    /// Says it: costs, answer and audit entry at once, or nothing of them.
    pub(crate) async fn put_release(
        &self,
        question: &Question,
        entries: &[NewRelease],
        (answer, act): (StoredAnswer, Act),
    ) -> Result<Entered, NodeError> {
        let budget = self.config().site.disclosure.budget;
        let limits = Limits {
            data_user: budget.of_data_user(),
            site: budget.of_site(),
            since: self.since(&budget),
        };
        let entered = self
            .store()
            .put_release(
                (question.id, answer),
                (entries, limits),
                (act, ALARM),
                self.now(),
            )
            .await?;
        Ok(match entered {
            Put::Said(stored) => Entered::Said(stored),
            Put::Again => Entered::Again,
            Put::Spent(spent) => Entered::Refused(refusal(&spent, &budget)),
        })
    }

    /// When the period that counts began.
    pub(crate) fn since(&self, budget: &DisclosureBudget) -> DateTime<Utc> {
        let days = Days::new(u64::from(budget.period_days));
        let now = self.now();
        now.checked_sub_days(days).unwrap_or(now)
    }
}

/// The word for a part of an answer in the ledger.
fn kind(part: Part) -> &'static str {
    match part {
        Part::Site => "site",
        Part::Total => "total",
        Part::Facets => "facets",
        Part::Survival => "survival",
    }
}

/// What somebody is told who cannot pay. It follows from the ledger alone, never from rows.
fn refusal(spent: &Spent, budget: &DisclosureBudget) -> Refused {
    let whose = match spent.whose {
        Whose::DataUser => "your privacy budget at this site",
        Whose::Site => "the privacy budget that all data users share at this site",
    };
    let days = budget.period_days;
    let frees = spent
        .frees
        .and_then(|at| at.checked_add_days(Days::new(u64::from(days))));
    let when = match frees {
        Some(at) => format!(
            "this question can be asked from {}",
            at.format("%Y-%m-%d %H:%M UTC")
        ),
        None => "this question costs more than all of it".to_owned(),
    };
    let code = match spent.whose {
        Whose::DataUser => "budget_spent",
        Whose::Site => "site_budget_spent",
    };
    let reason = format!(
        "{whose} is spent for the last {days} days; {when}. Questions that were answered before are answered again"
    );
    Refused::new(code, reason)
}
