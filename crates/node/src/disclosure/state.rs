//! The ledger as the data manager sees it.

use arno_protocol::node::disclosure::{
    DisclosureAlarm, DisclosureState, ExactQuestion, PaidQuestion, SpentByUser,
};
use arno_store::node::{Alarm, ExactEntry, LedgerEntry, Spender};

use crate::{Node, NodeError};

/// The chance with which (ε, δ)-differential privacy may fail; below one in the patients of any site.
const DELTA: f64 = 1e-6;

/// Data users and questions of one page.
const MAX_ROWS: u32 = 100;

/// Alarms of one page.
const MAX_ALARMS: u32 = 20;

impl Node {
    /// What was said about this site's patients, to whom, and what it cost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn disclosure_state(&self) -> Result<DisclosureState, NodeError> {
        let policy = self.config().site.disclosure;
        let since = self.since(&policy.budget);
        let users = self.store().spenders(since, MAX_ROWS).await?;
        let questions = self.store().ledger(MAX_ROWS).await?;
        let exact = self.store().exact_counts(MAX_ROWS).await?;
        Ok(DisclosureState {
            policy,
            site_spent_microrho: self.store().spent_by_all(since).await?.0 / 1000,
            epsilon_of_data_user: policy.budget.of_data_user().epsilon(DELTA),
            data_users: users.into_iter().map(spent).collect(),
            questions: questions.into_iter().map(paid).collect(),
            exact: exact.into_iter().map(counted).collect(),
            alarms: self.disclosure_alarms().await?,
        })
    }

    /// The alarms of the last period.
    pub(crate) async fn disclosure_alarms(&self) -> Result<Vec<DisclosureAlarm>, NodeError> {
        let since = self.since(&self.config().site.disclosure.budget);
        let alarms = self.store().alarms(since, MAX_ALARMS).await?;
        Ok(alarms.into_iter().map(alarm).collect())
    }
}

fn spent(user: Spender) -> SpentByUser {
    SpentByUser {
        data_user: user.data_user,
        spent_microrho: user.spent.0 / 1000,
        questions: user.questions,
        suspicious: user.suspicious,
        last_at: user.last_at,
    }
}

fn paid(entry: LedgerEntry) -> PaidQuestion {
    PaidQuestion {
        data_user: entry.data_user,
        cohort: entry.cohort,
        kind: entry.kind,
        price_microrho: entry.price.0 / 1000,
        suspicion: entry.suspicion,
        at: entry.at,
    }
}

fn counted(entry: ExactEntry) -> ExactQuestion {
    ExactQuestion {
        permit: entry.permit,
        data_user: entry.data_user,
        cohort: entry.cohort,
        facets: entry.facets,
        at: entry.at,
    }
}

fn alarm(alarm: Alarm) -> DisclosureAlarm {
    DisclosureAlarm {
        data_user: alarm.data_user,
        suspicious: alarm.suspicious,
        at: alarm.at,
    }
}
