//! The steps of one entry in the ledger, inside its transaction.

use arno_domain::{audit::Act, disclosure::NanoRho};
use chrono::{DateTime, Utc};
use sqlx::Row as _;

use super::{
    super::{json, signed, text, time, unsigned},
    AlarmAt, Limits, NewRelease, Spent, Whose,
    report::ALL_DATA_USERS,
};
use crate::{StoreError, WriteTx};

/// What came of charging for one part of an answer.
pub(super) enum Charge {
    /// It is paid now.
    New,
    /// This data user paid for the same before.
    Paid,
    /// Other words were said meanwhile.
    Again,
    /// It costs more than is left.
    Spent(Spent),
}

/// Charges the data user, and the site when it is said for the first time.
pub(super) async fn charge(
    tx: &mut WriteTx<'_>,
    new: &NewRelease,
    limits: Limits,
    now: DateTime<Utc>,
) -> Result<Charge, StoreError> {
    let before = before_in(tx, new, limits).await?;
    if before
        .said
        .as_ref()
        .is_some_and(|said| *said != new.said_json)
    {
        return Ok(Charge::Again);
    }
    if before.has_paid {
        return Ok(Charge::Paid);
    }
    let by_user = (Whose::DataUser, before.spent_by_user);
    if let Some(spent) = over_in(tx, by_user, new, limits).await? {
        return Ok(Charge::Spent(spent));
    }
    if before.said.is_none() {
        let by_all = (Whose::Site, before.spent_by_all);
        if let Some(spent) = over_in(tx, by_all, new, limits).await? {
            return Ok(Charge::Spent(spent));
        }
        insert_release(tx, new, now).await?;
    }
    insert_charge(tx, new, now).await?;
    Ok(Charge::New)
}

/// What the ledger says before something is said.
struct Before {
    /// What was said of the same question and data.
    said: Option<String>,
    /// Whether this data user paid for that.
    has_paid: bool,
    /// One user pays for what was said to them.
    spent_by_user: NanoRho,
    /// What was said costs the site once, however many users pay for it.
    spent_by_all: NanoRho,
}

/// One statement: handing one over costs more than to look all of this up.
async fn before_in(
    tx: &mut WriteTx<'_>,
    new: &NewRelease,
    limits: Limits,
) -> Result<Before, StoreError> {
    let sql = "-- put_release
        SELECT
            (SELECT said_json FROM disclosure_release WHERE form = $1 AND data_version = $2) AS said_json,
            (SELECT COUNT(*) FROM disclosure_charge
                WHERE data_user = $3 AND form = $1 AND data_version = $2) AS paid,
            (SELECT CAST(COALESCE(SUM(nano_rho), 0) AS BIGINT) FROM disclosure_charge
                WHERE data_user = $3 AND at > $4) AS spent_by_user,
            (SELECT CAST(COALESCE(SUM(nano_rho), 0) AS BIGINT) FROM disclosure_release
                WHERE at > $4) AS spent_by_all";
    let row = sqlx::query(sql)
        .bind(new.form.clone())
        .bind(signed(new.data_version))
        .bind(new.data_user.clone())
        .bind(text(limits.since))
        .fetch_one(tx.connection())
        .await?;
    let paid: i64 = row.try_get("paid")?;
    Ok(Before {
        said: row.try_get("said_json")?,
        has_paid: paid > 0,
        spent_by_user: NanoRho(unsigned(row.try_get("spent_by_user")?)),
        spent_by_all: NanoRho(unsigned(row.try_get("spent_by_all")?)),
    })
}

const CHARGES_OF: &str = "-- put_release
    SELECT nano_rho, at FROM disclosure_charge WHERE at > $1 AND data_user = $2 ORDER BY at";
const CHARGES_OF_ALL: &str = "-- put_release
    SELECT nano_rho, at FROM disclosure_release WHERE at > $1 ORDER BY at";

/// The budget, if it does not hold the price.
async fn over_in(
    tx: &mut WriteTx<'_>,
    (whose, spent): (Whose, NanoRho),
    new: &NewRelease,
    limits: Limits,
) -> Result<Option<Spent>, StoreError> {
    let budget = match whose {
        Whose::DataUser => limits.data_user,
        Whose::Site => limits.site,
    };
    let wanted = spent + new.price;
    if wanted <= budget {
        return Ok(None);
    }
    let since = text(limits.since);
    let charges = match whose {
        Whose::DataUser => sqlx::query(CHARGES_OF)
            .bind(since)
            .bind(new.data_user.clone()),
        Whose::Site => sqlx::query(CHARGES_OF_ALL).bind(since),
    };
    let mut paid = Vec::new();
    for row in charges.fetch_all(tx.connection()).await? {
        let (price, at): (i64, String) = (row.try_get("nano_rho")?, row.try_get("at")?);
        paid.push((NanoRho(unsigned(price)), time(&at)?));
    }
    Ok(Some(Spent {
        whose,
        spent,
        frees: frees(&paid, wanted, budget),
    }))
}

/// When that was spent which must be there again first, oldest charges before others.
fn frees(
    charges: &[(NanoRho, DateTime<Utc>)],
    wanted: NanoRho,
    budget: NanoRho,
) -> Option<DateTime<Utc>> {
    let mut over = wanted.0.saturating_sub(budget.0);
    charges.iter().find_map(|(price, at)| {
        over = over.saturating_sub(price.0);
        (over == 0).then_some(*at)
    })
}

async fn insert_release(
    tx: &mut WriteTx<'_>,
    new: &NewRelease,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_release
        INSERT INTO disclosure_release
            (form, data_version, kind, cohort, parts_json, patients, said_json, nano_rho, at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    sqlx::query(sql)
        .bind(new.form.clone())
        .bind(signed(new.data_version))
        .bind(new.kind)
        .bind(new.cohort.clone())
        .bind(json(&new.question.parts, "question")?)
        .bind(signed(new.question.patients))
        .bind(new.said_json.clone())
        .bind(signed(new.price.0))
        .bind(text(now))
        .execute(tx.connection())
        .await?;
    Ok(())
}

async fn insert_charge(
    tx: &mut WriteTx<'_>,
    new: &NewRelease,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_release
        INSERT INTO disclosure_charge (data_user, form, data_version, nano_rho, suspicion, at)
        VALUES ($1, $2, $3, $4, $5, $6)";
    sqlx::query(sql)
        .bind(new.data_user.clone())
        .bind(new.form.clone())
        .bind(signed(new.data_version))
        .bind(signed(new.price.0))
        .bind(new.suspicion.map(|why| why.as_str().to_owned()))
        .bind(text(now))
        .execute(tx.connection())
        .await?;
    Ok(())
}

/// Alarms the data manager when a suspicious question makes it enough of them: of this data user, or of all.
pub(super) async fn raise_alarm(
    tx: &mut WriteTx<'_>,
    new: &NewRelease,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
    (at, act): (AlarmAt, &Act),
) -> Result<(), StoreError> {
    if new.suspicion.is_none() {
        return Ok(());
    }
    for (whose, enough) in [(Whose::DataUser, at.data_user), (Whose::Site, at.site)] {
        let suspicious = suspicious_in(tx, whose, new, since).await?;
        if suspicious >= enough as u64 {
            insert_alarm(tx, (whose, suspicious), new, (since, now), act).await?;
        }
    }
    Ok(())
}

async fn suspicious_in(
    tx: &mut WriteTx<'_>,
    whose: Whose,
    new: &NewRelease,
    since: DateTime<Utc>,
) -> Result<u64, StoreError> {
    let query = match whose {
        Whose::DataUser => sqlx::query(
            "-- put_release
            SELECT COUNT(suspicion) AS suspicious FROM disclosure_charge WHERE at > $1 AND data_user = $2",
        )
        .bind(text(since))
        .bind(new.data_user.clone()),
        Whose::Site => sqlx::query(
            "-- put_release
            SELECT COUNT(suspicion) AS suspicious FROM disclosure_charge WHERE at > $1",
        )
        .bind(text(since)),
    };
    let row = query.fetch_one(tx.connection()).await?;
    Ok(unsigned(row.try_get("suspicious")?))
}

/// Once a period: the data manager is not told the same again with each further question.
async fn insert_alarm(
    tx: &mut WriteTx<'_>,
    (whose, suspicious): (Whose, u64),
    new: &NewRelease,
    (since, now): (DateTime<Utc>, DateTime<Utc>),
    act: &Act,
) -> Result<(), StoreError> {
    let data_user = match whose {
        Whose::DataUser => new.data_user.clone(),
        Whose::Site => ALL_DATA_USERS.to_owned(),
    };
    let sql = "-- put_release
        INSERT INTO disclosure_alarm (data_user, suspicious, at)
        SELECT $1, $2, $3 WHERE NOT EXISTS (SELECT at FROM disclosure_alarm WHERE data_user = $1 AND at > $4)";
    let done = sqlx::query(sql)
        .bind(data_user)
        .bind(signed(suspicious))
        .bind(text(now))
        .bind(text(since))
        .execute(tx.connection())
        .await?;
    if done.rows_affected() == 0 {
        return Ok(());
    }
    let whose = match whose {
        Whose::DataUser => "of this data user",
        Whose::Site => "of all data users together",
    };
    let alarm = Act {
        action: "disclosure alarm".to_owned(),
        detail: format!("{suspicious} questions {whose} single out few patients"),
        ..act.clone()
    };
    tx.audit(now, alarm).await?;
    Ok(())
}
