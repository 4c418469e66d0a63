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
    let stored = said_in(tx, new).await?;
    if stored.as_ref().is_some_and(|said| *said != new.said_json) {
        return Ok(Charge::Again);
    }
    if has_paid_in(tx, new).await? {
        return Ok(Charge::Paid);
    }
    if let Some(spent) = spent_in(tx, Whose::DataUser, new, limits).await? {
        return Ok(Charge::Spent(spent));
    }
    if stored.is_none() {
        if let Some(spent) = spent_in(tx, Whose::Site, new, limits).await? {
            return Ok(Charge::Spent(spent));
        }
        insert_release(tx, new, now).await?;
    }
    insert_charge(tx, new, now).await?;
    Ok(Charge::New)
}

/// One user pays for what was said to them.
const SPENT_BY: &str = "-- put_release
    SELECT CAST(COALESCE(SUM(nano_rho), 0) AS BIGINT) AS spent FROM disclosure_charge
    WHERE at > $1 AND data_user = $2";
const CHARGES_OF: &str = "-- put_release
    SELECT nano_rho, at FROM disclosure_charge WHERE at > $1 AND data_user = $2 ORDER BY at";
/// What was said costs the site once, however many users pay for it.
const SPENT_BY_ALL: &str = "-- put_release
    SELECT CAST(COALESCE(SUM(nano_rho), 0) AS BIGINT) AS spent FROM disclosure_release WHERE at > $1";
const CHARGES_OF_ALL: &str = "-- put_release
    SELECT nano_rho, at FROM disclosure_release WHERE at > $1 ORDER BY at";

async fn said_in(tx: &mut WriteTx<'_>, new: &NewRelease) -> Result<Option<String>, StoreError> {
    let sql = "-- put_release
        SELECT said_json FROM disclosure_release WHERE form = $1 AND data_version = $2";
    let row = sqlx::query(sql)
        .bind(new.form.clone())
        .bind(signed(new.data_version))
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.map(|row| row.try_get("said_json")).transpose()?)
}

async fn has_paid_in(tx: &mut WriteTx<'_>, new: &NewRelease) -> Result<bool, StoreError> {
    let sql = "-- put_release
        SELECT form FROM disclosure_charge WHERE data_user = $1 AND form = $2 AND data_version = $3";
    let row = sqlx::query(sql)
        .bind(new.data_user.clone())
        .bind(new.form.clone())
        .bind(signed(new.data_version))
        .fetch_optional(tx.connection())
        .await?;
    Ok(row.is_some())
}

/// The budget, if it does not hold the price.
async fn spent_in(
    tx: &mut WriteTx<'_>,
    whose: Whose,
    new: &NewRelease,
    limits: Limits,
) -> Result<Option<Spent>, StoreError> {
    let (sums, charges, budget) = match whose {
        Whose::DataUser => (SPENT_BY, CHARGES_OF, limits.data_user),
        Whose::Site => (SPENT_BY_ALL, CHARGES_OF_ALL, limits.site),
    };
    let bound = |sql: &'static str| {
        let query = sqlx::query(sql).bind(text(limits.since));
        match whose {
            Whose::DataUser => query.bind(new.data_user.clone()),
            Whose::Site => query,
        }
    };
    let sum = bound(sums).fetch_one(tx.connection()).await?;
    let spent = NanoRho(unsigned(sum.try_get("spent")?));
    let wanted = spent + new.price;
    if wanted <= budget {
        return Ok(None);
    }
    let mut paid = Vec::new();
    for row in bound(charges).fetch_all(tx.connection()).await? {
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
