//! What rules found: which series wait to be asked, one report a series, and its findings by rule. Reports and examples are text
//! of the caller's own form.

use std::collections::BTreeSet;

use arno_protocol::node::ViewInstance;
use chrono::{DateTime, Utc};
use sqlx::{Row as _, any::AnyRow};

use super::{
    NewInstance, NodeStore, PackLocation,
    catalogue::location_of,
    from_json,
    many::{groups, select_in, values},
    signed, text, time, unsigned,
};
use crate::{StoreError, WriteTx};

/// Series that look alike in one part and are compared as a whole.
const MAX_CANDIDATES: i64 = 64;

/// An instance as rules see it.
#[derive(Debug, Clone)]
pub struct CheckRow {
    /// SOP Class UID.
    pub sop_class: String,
    /// Where its bytes are.
    pub location: PackLocation,
    /// Where its pixels start in them.
    pub pixel_offset: Option<u64>,
    /// What the viewer needs.
    pub view: ViewInstance,
    /// See [`super::NewInstance::layout_json`].
    pub layout_json: Option<String>,
    /// See [`super::NewInstance::geometry_json`].
    pub geometry_json: Option<String>,
    /// See [`super::NewInstance::pixel_print`].
    pub pixel_print: Option<String>,
}

/// An instance whose pixels may be those of another.
#[derive(Debug, Clone)]
pub struct PixelTwin {
    /// Its series.
    pub series_uid: String,
    /// Its UID.
    pub instance_uid: String,
    /// The print that both have.
    pub pixel_print: String,
    /// Where its bytes are.
    pub location: PackLocation,
    /// Where its pixels start in them.
    pub pixel_offset: u64,
}

/// What was found in one series.
#[derive(Debug, Clone)]
pub struct NewSeriesReport {
    /// The series.
    pub series_uid: String,
    /// Instances that it had when it was looked at.
    pub instances: u64,
    /// What kind it is.
    pub kind: String,
    /// How it looks, and the parts of that.
    pub look: Option<(String, Vec<u32>)>,
    /// All that was found.
    pub report_json: String,
    /// Rules that it breaks.
    pub findings: Vec<NewFinding>,
    /// Series with the same pixels.
    pub twins: Vec<String>,
}

/// A rule that a series breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFinding {
    /// The rule's id.
    pub rule: String,
    /// Instances concerned.
    pub instances: u64,
    /// What was found.
    pub detail: String,
    /// UIDs of some.
    pub examples_json: String,
}

/// A report that is kept.
#[derive(Debug, Clone)]
pub struct StoredReport {
    /// The series.
    pub series_uid: String,
    /// When it was looked at.
    pub checked_at: DateTime<Utc>,
    /// All that was found.
    pub report_json: String,
}

impl NodeStore {
    /// Series that wait to be asked, at most `limit`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_due(&self, limit: u32) -> Result<Vec<String>, StoreError> {
        let sql = "-- series_due\nSELECT series_uid FROM quality_due ORDER BY series_uid LIMIT $1";
        let query = sqlx::query(sql).bind(i64::from(limit));
        let rows = query.fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok(row.try_get("series_uid")?))
            .collect()
    }

    /// Those of these series that wait to be asked.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn due_of(&self, series: &[String]) -> Result<Vec<String>, StoreError> {
        let sql = "-- due_of\nSELECT series_uid FROM quality_due WHERE series_uid IN";
        let mut connection = self.database.pool().acquire().await?;
        let rows = select_in(&mut connection, sql, series).await?;
        let due: Result<BTreeSet<String>, StoreError> = rows
            .iter()
            .map(|row| Ok(row.try_get("series_uid")?))
            .collect();
        Ok(due?.into_iter().collect())
    }

    /// The instances of a series in viewing order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn check_rows(&self, series_uid: &str) -> Result<Vec<CheckRow>, StoreError> {
        let sql = "-- check_rows
            SELECT sop_class, pack, pack_offset, length, metadata_length, sha256, pixel_offset, view_json, layout_json,
                geometry_json, pixel_print
            FROM instance WHERE series_uid = $1 ORDER BY position_mm, number, instance_uid";
        let query = sqlx::query(sql).bind(series_uid.to_owned());
        let rows = query.fetch_all(self.database.pool()).await?;
        let check_row = |row: &AnyRow| {
            Ok(CheckRow {
                sop_class: row.try_get("sop_class")?,
                location: location_of(row)?,
                pixel_offset: row.try_get::<Option<i64>, _>("pixel_offset")?.map(unsigned),
                view: from_json(&row.try_get::<String, _>("view_json")?, "view")?,
                layout_json: row.try_get("layout_json")?,
                geometry_json: row.try_get("geometry_json")?,
                pixel_print: row.try_get("pixel_print")?,
            })
        };
        rows.iter().map(check_row).collect()
    }

    /// Instances with one of these prints.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn pixel_twins(&self, prints: &[String]) -> Result<Vec<PixelTwin>, StoreError> {
        let sql = "-- pixel_twins
            SELECT series_uid, instance_uid, pixel_print, pack, pack_offset, length, metadata_length, sha256, pixel_offset
            FROM instance WHERE pixel_offset IS NOT NULL AND pixel_print IN";
        let mut connection = self.database.pool().acquire().await?;
        let rows = select_in(&mut connection, sql, prints).await?;
        let twin = |row: &AnyRow| {
            Ok(PixelTwin {
                series_uid: row.try_get("series_uid")?,
                instance_uid: row.try_get("instance_uid")?,
                pixel_print: row.try_get("pixel_print")?,
                location: location_of(row)?,
                pixel_offset: unsigned(row.try_get("pixel_offset")?),
            })
        };
        rows.iter().map(twin).collect()
    }

    /// Looks of series of other studies that have one of these parts.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn looks_like(
        &self,
        series_uid: &str,
        bands: &[u32],
    ) -> Result<Vec<(String, String)>, StoreError> {
        let sql = "-- looks_like
            SELECT q.series_uid AS series_uid, q.look AS look
            FROM series_look l JOIN series_quality q ON q.series_uid = l.series_uid
                JOIN series s ON s.series_uid = q.series_uid
            WHERE l.band = $1 AND l.value = $2 AND q.look IS NOT NULL
                AND s.study_uid <> (SELECT study_uid FROM series WHERE series_uid = $3)
            ORDER BY q.series_uid LIMIT $4";
        let mut found = BTreeSet::new();
        for (band, value) in bands.iter().enumerate() {
            let query = sqlx::query(sql)
                .bind(signed(band as u64))
                .bind(i64::from(*value))
                .bind(series_uid.to_owned())
                .bind(MAX_CANDIDATES);
            for row in query.fetch_all(self.database.pool()).await? {
                found.insert((row.try_get("series_uid")?, row.try_get("look")?));
            }
        }
        Ok(found.into_iter().collect())
    }

    /// Keeps what was found in a series, in place of what was found before. It still waits when instances came in meanwhile.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_series_report(
        &self,
        report: &NewSeriesReport,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut tx = self.database.write().await?;
        put_report(&mut tx, report, now).await?;
        put_findings(&mut tx, report).await?;
        put_look(&mut tx, report).await?;
        let sql = "-- put_series_report
            DELETE FROM quality_due WHERE series_uid = $1
                AND (SELECT COUNT(*) FROM instance WHERE series_uid = $1) = $2";
        let query = sqlx::query(sql)
            .bind(report.series_uid.clone())
            .bind(signed(report.instances));
        query.execute(tx.connection()).await?;
        put_due_others(&mut tx, report).await?;
        tx.commit().await
    }

    /// What was found in these series.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn series_reports(&self, series: &[String]) -> Result<Vec<StoredReport>, StoreError> {
        let sql = "-- series_reports
            SELECT series_uid, checked_at, report_json FROM series_quality WHERE series_uid IN";
        let mut connection = self.database.pool().acquire().await?;
        let rows = select_in(&mut connection, sql, series).await?;
        let mut seen = BTreeSet::new();
        let mut reports = Vec::with_capacity(rows.len());
        for row in &rows {
            let series_uid: String = row.try_get("series_uid")?;
            if seen.insert(series_uid.clone()) {
                reports.push(StoredReport {
                    series_uid,
                    checked_at: time(&row.try_get::<String, _>("checked_at")?)?,
                    report_json: row.try_get("report_json")?,
                });
            }
        }
        Ok(reports)
    }

    /// How many series were looked at, and how many wait.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn quality_counts(&self) -> Result<[u64; 2], StoreError> {
        let sql = "-- quality_counts
            SELECT (SELECT COUNT(*) FROM series_quality) AS checked, (SELECT COUNT(*) FROM quality_due) AS due";
        let row = sqlx::query(sql).fetch_one(self.database.pool()).await?;
        Ok([
            unsigned(row.try_get("checked")?),
            unsigned(row.try_get("due")?),
        ])
    }

    /// Series by kind.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn kind_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "-- kind_counts
            SELECT kind AS word, COUNT(*) AS series FROM series_quality GROUP BY kind ORDER BY series DESC, kind";
        self.counts(sql).await
    }

    /// Series that break a rule, by rule.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finding_counts(&self) -> Result<Vec<(String, u64)>, StoreError> {
        let sql = "-- finding_counts
            SELECT rule AS word, COUNT(*) AS series FROM finding GROUP BY rule ORDER BY rule";
        self.counts(sql).await
    }

    async fn counts(&self, sql: &'static str) -> Result<Vec<(String, u64)>, StoreError> {
        let rows = sqlx::query(sql).fetch_all(self.database.pool()).await?;
        rows.iter()
            .map(|row| Ok((row.try_get("word")?, unsigned(row.try_get("series")?))))
            .collect()
    }

    /// Findings of a rule with their series, a page of them.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_findings(
        &self,
        rule: &str,
        limit: u32,
        offset: u64,
    ) -> Result<Vec<(String, NewFinding)>, StoreError> {
        let sql = "-- list_findings
            SELECT series_uid, rule, instances, detail, examples_json FROM finding
            WHERE rule = $1 ORDER BY series_uid LIMIT $2 OFFSET $3";
        let query = sqlx::query(sql)
            .bind(rule.to_owned())
            .bind(i64::from(limit))
            .bind(signed(offset));
        let rows = query.fetch_all(self.database.pool()).await?;
        let finding = |row: &AnyRow| {
            let finding = NewFinding {
                rule: row.try_get("rule")?,
                instances: unsigned(row.try_get("instances")?),
                detail: row.try_get("detail")?,
                examples_json: row.try_get("examples_json")?,
            };
            Ok((row.try_get("series_uid")?, finding))
        };
        rows.iter().map(finding).collect()
    }
}

/// Series that got instances wait to be asked.
pub(super) async fn put_due(
    tx: &mut WriteTx<'_>,
    instances: &[NewInstance],
) -> Result<(), StoreError> {
    let series: BTreeSet<&str> = instances
        .iter()
        .map(|instance| instance.series_uid.as_str())
        .collect();
    let series: Vec<_> = series.into_iter().collect();
    for group in groups(&series) {
        let sql = format!(
            "-- put_due
            INSERT INTO quality_due (series_uid) VALUES {} ON CONFLICT (series_uid) DO NOTHING",
            values(group.len(), 1)
        );
        let mut query = sqlx::query(sqlx::AssertSqlSafe(sql));
        for series_uid in group {
            query = query.bind((*series_uid).to_owned());
        }
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn put_report(
    tx: &mut WriteTx<'_>,
    report: &NewSeriesReport,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    let sql = "-- put_report
        INSERT INTO series_quality (series_uid, checked_at, kind, look, report_json) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (series_uid) DO UPDATE SET checked_at = excluded.checked_at, kind = excluded.kind,
            look = excluded.look, report_json = excluded.report_json";
    let query = sqlx::query(sql)
        .bind(report.series_uid.clone())
        .bind(text(now))
        .bind(report.kind.clone())
        .bind(report.look.as_ref().map(|(look, _)| look.clone()))
        .bind(report.report_json.clone());
    query.execute(tx.connection()).await?;
    Ok(())
}

async fn put_findings(tx: &mut WriteTx<'_>, report: &NewSeriesReport) -> Result<(), StoreError> {
    let delete = sqlx::query("-- put_findings\nDELETE FROM finding WHERE series_uid = $1");
    delete
        .bind(report.series_uid.clone())
        .execute(tx.connection())
        .await?;
    for finding in &report.findings {
        let sql = "-- put_findings
            INSERT INTO finding (series_uid, rule, instances, detail, examples_json) VALUES ($1, $2, $3, $4, $5)";
        let query = sqlx::query(sql)
            .bind(report.series_uid.clone())
            .bind(finding.rule.clone())
            .bind(signed(finding.instances))
            .bind(finding.detail.clone())
            .bind(finding.examples_json.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

async fn put_look(tx: &mut WriteTx<'_>, report: &NewSeriesReport) -> Result<(), StoreError> {
    let delete = sqlx::query("-- put_look\nDELETE FROM series_look WHERE series_uid = $1");
    delete
        .bind(report.series_uid.clone())
        .execute(tx.connection())
        .await?;
    let Some((_, bands)) = &report.look else {
        return Ok(());
    };
    for (band, value) in bands.iter().enumerate() {
        let sql = "-- put_look
            INSERT INTO series_look (band, value, series_uid) VALUES ($1, $2, $3)";
        let query = sqlx::query(sql)
            .bind(signed(band as u64))
            .bind(i64::from(*value))
            .bind(report.series_uid.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}

/// A segmentation that missed this series is asked again, and so is a twin that knows of none. A twin that knows of one is
/// not: otherwise two would ask each other for ever.
async fn put_due_others(tx: &mut WriteTx<'_>, report: &NewSeriesReport) -> Result<(), StoreError> {
    let sql = "-- put_due_others
        INSERT INTO quality_due (series_uid)
        SELECT series_uid FROM finding WHERE rule = 'references_kept' AND series_uid <> $1
            AND examples_json LIKE '%' || $1 || '%'
        ON CONFLICT (series_uid) DO NOTHING";
    let query = sqlx::query(sql).bind(report.series_uid.clone());
    query.execute(tx.connection()).await?;
    for twin in &report.twins {
        let sql = "-- put_due_others
            INSERT INTO quality_due (series_uid)
            SELECT series_uid FROM series WHERE series_uid = $1 AND NOT EXISTS (
                SELECT 1 FROM finding WHERE series_uid = $1 AND rule IN ('exact_duplicate', 'near_duplicate'))
            ON CONFLICT (series_uid) DO NOTHING";
        let query = sqlx::query(sql).bind(twin.clone());
        query.execute(tx.connection()).await?;
    }
    Ok(())
}
