//! The first instance of a series before and after, side by side. The left side holds identifying values: it is
//! made for the data manager, has an end, and is never made where the policy keeps none.

use std::collections::BTreeMap;

use arno_deid::{Action, Change, Explained, Recipe, Report, Why, WhySource, explain};
use arno_dicom::{ElementText, Header, Instance, listing};
use arno_protocol::node::{DeidentificationPreview, PreviewElement};
use bytes::Bytes;
use chrono::{DateTime, Utc};

use super::prepare::MAX_LISTED_ELEMENTS;

/// Both sides of one instance; `None` only if the source cannot be read a second time.
pub(super) fn preview(
    source: &Bytes,
    after: &Header,
    recipe: &Recipe,
    report: &Report,
    kept_until: DateTime<Utc>,
) -> Option<DeidentificationPreview> {
    let source = Instance::read(source.clone()).ok()?.header;
    let rules = explain(&source, recipe, MAX_LISTED_ELEMENTS);
    let before = listing::list(&source, MAX_LISTED_ELEMENTS);
    let after = listing::list(after, MAX_LISTED_ELEMENTS);
    Some(DeidentificationPreview {
        recipe: report.recipe.clone(),
        edition: report.edition.clone(),
        options: report.options.clone(),
        kept_until,
        elements: merge(&before, &after, &Reasons::of(&report.changes, &rules)),
    })
}

/// Paths sort as the data set does: groups and elements are fixed-width hexadecimal, items come after their sequence.
fn merge(
    before: &[ElementText],
    after: &[ElementText],
    reasons: &Reasons<'_>,
) -> Vec<PreviewElement> {
    let mut paths: BTreeMap<SortedPath, (Option<&ElementText>, Option<&ElementText>)> =
        BTreeMap::new();
    for element in before {
        paths.entry(SortedPath::of(&element.path)).or_default().0 = Some(element);
    }
    for element in after {
        paths.entry(SortedPath::of(&element.path)).or_default().1 = Some(element);
    }
    paths
        .into_values()
        .filter_map(|(before, after)| element(before, after, reasons))
        .collect()
}

/// What was changed and why, and the rules for what was kept.
struct Reasons<'a> {
    changes: BTreeMap<&'a str, &'a Change>,
    rules: BTreeMap<&'a str, &'a Why>,
}

impl<'a> Reasons<'a> {
    fn of(changes: &'a [Change], rules: &'a [Explained]) -> Self {
        Self {
            changes: changes
                .iter()
                .map(|change| (change.path.as_str(), change))
                .collect(),
            rules: rules
                .iter()
                .map(|rule| (rule.path.as_str(), &rule.why))
                .collect(),
        }
    }
}

/// A path whose item numbers compare as numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct SortedPath(Vec<(String, u32)>);

impl SortedPath {
    fn of(path: &str) -> Self {
        let part = |part: &str| {
            let (tag, item) = part.split_once('[').unwrap_or((part, ""));
            (
                tag.to_owned(),
                item.trim_end_matches(']').parse().unwrap_or_default(),
            )
        };
        Self(path.split('.').map(part).collect())
    }
}

fn element(
    before: Option<&ElementText>,
    after: Option<&ElementText>,
    reasons: &Reasons<'_>,
) -> Option<PreviewElement> {
    let shown = after.or(before)?;
    let change = reasons.changes.get(shown.path.as_str());
    let action = match change {
        Some(change) => word(change.action),
        None if after.is_none() => "removed",
        None if before.is_none() => "added",
        None => "kept",
    };
    // Inside a sequence that is gone, the rule of the sequence decided, and that is what counts.
    let why = match (change, action) {
        (Some(change), _) => Some(&change.why),
        (None, "kept") => reasons.rules.get(shown.path.as_str()).copied(),
        (None, _) => None,
    };
    let rule = match (why, action) {
        (Some(why), _) => why.rule.clone(),
        (None, "removed") => "part of a sequence that was removed".to_owned(),
        (None, _) => String::new(),
    };
    Some(PreviewElement {
        path: shown.path.clone(),
        name: shown.name.clone(),
        vr: shown.vr.clone(),
        before: before.map(|element| element.value.clone()),
        after: after.map(|element| element.value.clone()),
        action: action.to_owned(),
        rule,
        source: why.map_or("", |why| source(why.source)).to_owned(),
        option: why.and_then(|why| why.option.clone()),
        reason: why.and_then(|why| why.reason.clone()),
    })
}

fn source(source: WhySource) -> &'static str {
    match source {
        WhySource::Table => "table",
        WhySource::Recipe => "recipe",
        WhySource::SafePrivate => "safe_private",
        WhySource::Stricter => "stricter",
    }
}

fn word(action: Action) -> &'static str {
    match action {
        Action::Removed => "removed",
        Action::Emptied => "emptied",
        Action::Dummied | Action::Pseudonymised => "replaced",
        Action::UidMapped => "uid mapped",
        Action::DateShifted => "date shifted",
        Action::Cleaned => "cleaned",
        Action::Marked | Action::Derived => "added",
    }
}
