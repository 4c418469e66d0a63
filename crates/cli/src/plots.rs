//! Plots of a cohort in a terminal: patients by values or steps as bars, and survival as a curve with its band and the figures below.

use std::collections::BTreeMap;

use arno_domain::{
    cohort::{Facet, Stepped},
    disclosure::ProtectedCount,
    survival::{CurveEnd, SurvivalCurve, SurvivalPoint},
};
use arno_protocol::search::{FederatedSurvival, SearchState, SiteAnswer};

use crate::output::Grid;

/// Columns of the longest bar.
const BAR_COLUMNS: u64 = 40;
/// Columns of a year, and rows of the whole share.
const YEAR_COLUMNS: usize = 4;
const SHARE_ROWS: usize = 10;
/// Years to which a curve can go.
const YEARS: usize = 10;

/// A bar over the sites.
#[derive(Default)]
struct Bar {
    about: u64,
    /// Sites that hide a small count.
    hidden: u32,
}

/// All that was asked for, in the order in which it was.
pub(crate) fn plots(state: &SearchState, facets: &[Facet]) -> String {
    let plot = |facet: &Facet| match facet {
        Facet::Words(field) => bars(state, field.as_str(), None),
        Facet::Steps(stepped) => bars(state, stepped.field().as_str(), Some(*stepped)),
        Facet::Survival(of) => {
            let found = state.survival.iter().find(|survival| survival.of == *of);
            let heading = format!("\n{}\n", facet.as_str().replace('_', " "));
            heading + &found.map_or_else(nowhere, |found| survival(state, found))
        }
    };
    facets.iter().map(plot).collect()
}

fn nowhere() -> String {
    "  no site said anything\n".to_owned()
}

fn bars(state: &SearchState, field: &str, stepped: Option<Stepped>) -> String {
    let (mut bars, mut variance, mut without) = (BTreeMap::<&str, Bar>::new(), 0.0, Vec::new());
    for site in &state.sites {
        let SiteAnswer::Counted(counted) = &site.answer else {
            continue;
        };
        let Some(facet) = counted.facets.iter().find(|facet| facet.field == field) else {
            continue;
        };
        match facet.cells.is_empty() {
            true => without.push(site.name.as_str()),
            // Noises of different sites are independent: their variances add.
            false => variance += (facet.margin as f64).powi(2),
        }
        for cell in &facet.cells {
            let bar = bars.entry(&cell.value).or_default();
            match cell.patients {
                ProtectedCount::About(count) => bar.about += count,
                ProtectedCount::FewerThan(_) => bar.hidden += 1,
            }
        }
    }
    let mut bars: Vec<_> = bars.into_iter().collect();
    match stepped.map(Stepped::names) {
        Some(names) => bars.sort_by_key(|(value, _)| names.iter().position(|name| name == value)),
        None => bars.sort_by_key(|(_, bar)| std::cmp::Reverse(bar.about)),
    }
    let heading = match bars.is_empty() {
        true => format!("\n{field}: no site named a value\n"),
        false => format!("\n{field}: patients, each ± {:.0}\n", variance.sqrt()),
    };
    heading + &drawn(&bars) + &unrecorded(&without)
}

fn drawn(bars: &[(&str, Bar)]) -> String {
    let most = bars.iter().map(|(_, bar)| bar.about).max();
    let most = most.unwrap_or(0).max(1);
    let width = bars.iter().map(|(value, _)| value.chars().count()).max();
    let width = width.unwrap_or(0);
    let line = |(value, bar): &(&str, Bar)| {
        let columns = (bar.about * BAR_COLUMNS).div_ceil(most) as usize;
        let hidden = match bar.hidden {
            0 => String::new(),
            sites => format!(" and too few to say at {sites}"),
        };
        format!(
            "  {value:width$} {} ~ {}{hidden}\n",
            "█".repeat(columns),
            bar.about
        )
    };
    bars.iter().map(line).collect()
}

fn unrecorded(names: &[&str]) -> String {
    match names.is_empty() {
        true => String::new(),
        false => format!("  records nothing of it: {}\n", names.join(", ")),
    }
}

fn survival(state: &SearchState, found: &FederatedSurvival) -> String {
    let site = |node| state.sites.iter().find(|site| site.node == node);
    let without = found.unrecorded.iter().filter_map(|node| site(*node));
    let without: Vec<_> = without.map(|site| site.name.as_str()).collect();
    let drawn = match &found.curve {
        Some(curve) if curve.points.len() > 1 => {
            format!(
                "  over {} sites; ░ holds the true share 95 times in a hundred\n{}\n{}\n{}",
                found.sites.len(),
                picture(curve),
                figures(curve),
                end(curve)
            )
        }
        Some(_) => "  too few patients for a curve: ask for a larger cohort\n".to_owned(),
        None => nowhere(),
    };
    drawn + &unrecorded(&without)
}

fn end(curve: &SurvivalCurve) -> &'static str {
    match curve.end {
        CurveEnd::Whole => "",
        CurveEnd::TooFewLeft => "  beyond, fewer are left than can be told from noise\n",
    }
}

fn figures(curve: &SurvivalCurve) -> String {
    let mut grid = Grid::new(
        &["years", "without event", "band", "still followed"],
        &[0, 1, 2, 3],
    );
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    for point in &curve.points {
        grid.row([
            point.years.to_string(),
            percent(point.share),
            format!("{} to {}", percent(point.low), percent(point.high)),
            format!("~ {} ± {}", point.at_risk, point.at_risk_margin),
        ]);
    }
    grid.to_string()
}

/// Rows from 100 % down to 0 %, and an axis of years.
fn picture(curve: &SurvivalCurve) -> String {
    let columns = 0..=YEARS * YEAR_COLUMNS;
    let at = columns.map(|column| between(&curve.points, column as f64 / YEAR_COLUMNS as f64));
    let at: Vec<_> = at.collect();
    let row_of = |share: f64| (share * SHARE_ROWS as f64).round() as usize;
    let mut lines = String::new();
    for row in (0..=SHARE_ROWS).rev() {
        let sign = |at: &Option<[f64; 3]>| match at {
            Some([share, ..]) if row_of(*share) == row => '█',
            Some([_, low, high]) if (row_of(*low)..=row_of(*high)).contains(&row) => '░',
            Some(_) | None => ' ',
        };
        let line: String = at.iter().map(sign).collect();
        let percent = 100 * row / SHARE_ROWS;
        lines += format!("  {percent:>3} % │{line}").trim_end();
        lines.push('\n');
    }
    let years = (0..=YEARS).map(|year| format!("{year:<YEAR_COLUMNS$}"));
    let axis = "─".repeat(YEARS * YEAR_COLUMNS + 1);
    lines
        + &format!(
            "        └{axis}\n         {}years\n",
            years.collect::<String>()
        )
}

/// Share and band at a time between two points: on the straight line; none beyond the last.
fn between(points: &[SurvivalPoint], years: f64) -> Option<[f64; 3]> {
    let pair = points.windows(2).find(|pair| years <= pair[1].years)?;
    let part = (years - pair[0].years) / (pair[1].years - pair[0].years);
    let on = |of: fn(&SurvivalPoint) -> f64| of(&pair[0]) + part * (of(&pair[1]) - of(&pair[0]));
    Some([
        on(|point| point.share),
        on(|point| point.low),
        on(|point| point.high),
    ])
}

#[cfg(test)]
mod tests {
    use arno_domain::{
        cohort::{Endpoint, INTERVALS},
        disclosure::Followed,
        survival::{SurvivalCurve, survival_curve},
    };

    use super::{Bar, between, drawn, figures, picture};

    fn curve() -> SurvivalCurve {
        let site = Followed {
            events: vec![50; INTERVALS],
            censored: vec![30; INTERVALS],
            variance: 9,
        };
        survival_curve(Endpoint::Overall, &[&site]).unwrap()
    }

    #[test]
    fn bars_are_as_long_as_their_counts() {
        let bar = |about, hidden| Bar { about, hidden };
        let text = drawn(&[
            ("..20", bar(0, 2)),
            ("20..30", bar(100, 0)),
            ("90..", bar(50, 1)),
        ]);
        let long = "█".repeat(40);
        let half = "█".repeat(20);
        let expect = format!(
            "  ..20    ~ 0 and too few to say at 2\n  20..30 {long} ~ 100\n  90..   {half} ~ 50 and too few to say at 1\n"
        );
        assert_eq!(text, expect);
    }

    #[test]
    fn a_curve_begins_above_and_falls() {
        let curve = curve();
        let picture = picture(&curve);
        let lines: Vec<_> = picture.lines().collect();
        assert!(lines[0].starts_with("  100 % │█"), "{picture}");
        assert_eq!(lines.len(), 13);
        let column = |line: &str, sign| line.chars().position(|one| one == sign);
        assert!(column(lines[0], '█') < column(lines[5], '█'), "{picture}");
        assert!(picture.contains('░'));
        assert_eq!(figures(&curve).lines().count(), 1 + curve.points.len());
    }

    #[test]
    fn between_points_lies_a_straight_line_and_beyond_nothing() {
        let curve = curve();
        let [share, low, high] = between(&curve.points, 0.25).unwrap();
        let middle = f64::midpoint(curve.points[0].share, curve.points[1].share);
        assert!((share - middle).abs() < 1e-12 && low < share && share < high);
        assert!(between(&curve.points, 10.1).is_none());
    }
}
