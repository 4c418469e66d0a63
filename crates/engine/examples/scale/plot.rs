//! The plot: two charts beside each other, both axes logarithmic, as SVG.

use std::fmt::Write as _;

use crate::Measured;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 340.0;
/// A chart's inner size and place.
const INNER: (f64, f64) = (330.0, 220.0);
const TOP: f64 = 56.0;
const LEFT: [f64; 2] = [70.0, 500.0];

/// Powers of ten of an axis, lowest and highest.
type Decades = (i32, i32);

pub(crate) fn draw(measured: &[Measured]) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"13\" role=\"img\">\n\
         <title>Cost of a panel and size of the index against the number of series</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let points = |of: fn(&Measured) -> f64| {
        measured
            .iter()
            .map(|one| (one.series, of(one)))
            .collect::<Vec<_>>()
    };
    chart(
        &mut svg,
        LEFT[0],
        ("Panel of ten facets, three filters", "ms of CPU"),
        &points(|one| one.panel_ms),
    );
    chart(
        &mut svg,
        LEFT[1],
        ("Index in memory", "MB"),
        &points(|one| one.index_mb),
    );
    svg + "</svg>\n"
}

fn chart(svg: &mut String, left: f64, (title, unit): (&str, &str), points: &[(f64, f64)]) {
    let across = decades(points.iter().map(|(series, _)| *series));
    let up = decades(points.iter().map(|(_, value)| *value));
    let x = |series: f64| left + INNER.0 * share(series, across);
    let y = |value: f64| TOP + INNER.1 * (1.0 - share(value, up));
    text(
        svg,
        (left, TOP - 30.0),
        "start",
        &format!("<tspan font-weight=\"bold\">{title}</tspan>"),
    );
    text(svg, (left, TOP - 12.0), "start", unit);
    for decade in up.0..=up.1 {
        let at = y(10_f64.powi(decade));
        line(svg, (left, at), (left + INNER.0, at), "#dddddd");
        text(
            svg,
            (left - 8.0, at + 4.0),
            "end",
            &10_f64.powi(decade).to_string(),
        );
    }
    for decade in across.0..=across.1 {
        let at = x(10_f64.powi(decade));
        line(svg, (at, TOP), (at, TOP + INNER.1), "#dddddd");
        let power = format!("10<tspan dy=\"-5\" font-size=\"10\">{decade}</tspan>");
        text(svg, (at, TOP + INNER.1 + 20.0), "middle", &power);
    }
    text(
        svg,
        (left + INNER.0 / 2.0, TOP + INNER.1 + 42.0),
        "middle",
        "series",
    );
    let path: Vec<_> = points
        .iter()
        .map(|(series, value)| format!("{:.1},{:.1}", x(*series), y(*value)))
        .collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#1f5fa8\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (at, (series, value)) in points.iter().enumerate() {
        let (x, y) = (x(*series), y(*value));
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"4\" fill=\"#1f5fa8\"/>"
        );
        // The first one stands on the axis, whose numbers are to its left.
        let (place, anchor) = match at {
            0 => ((x + 9.0, y + 4.0), "start"),
            _ => ((x - 8.0, y - 8.0), "end"),
        };
        text(svg, place, anchor, &rounded(*value));
    }
}

/// Two significant digits.
fn rounded(value: f64) -> String {
    if value >= 10.0 {
        format!("{value:.0}")
    } else {
        format!("{value:.1}")
    }
}

fn decades(values: impl Iterator<Item = f64> + Clone) -> Decades {
    let low = values.clone().fold(f64::INFINITY, f64::min);
    let high = values.fold(0.0, f64::max);
    (low.log10().floor() as i32, high.log10().ceil() as i32)
}

fn share(value: f64, (low, high): Decades) -> f64 {
    (value.log10() - f64::from(low)) / f64::from(high - low)
}

fn line(svg: &mut String, (x1, y1): (f64, f64), (x2, y2): (f64, f64), colour: &str) {
    let _ = writeln!(
        svg,
        "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"{colour}\"/>"
    );
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, what: &str) {
    let _ = writeln!(
        svg,
        "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#222222\">{what}</text>"
    );
}
