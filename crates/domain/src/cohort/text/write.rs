//! Cohort → text, which parses back to the same cohort.

use std::fmt;

use super::{
    super::{Cohort, Criterion, Group, Moment, Order, Range, Test, Timing, date_of},
    lex::quoted,
};

impl fmt::Display for Cohort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(parts) => list(f, parts, " and "),
            Self::Or(parts) => list(f, parts, " or "),
            Self::Not(part) => {
                f.write_str("not ")?;
                part.fmt_inner(f)
            }
            Self::Is(criterion) => criterion.fmt(f),
            Self::One(group) => group.fmt(f),
            Self::Timed(timing) => timing.fmt(f),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, parts: &[Cohort], joined: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(joined)?;
        }
        part.fmt_inner(f)?;
    }
    Ok(())
}

impl Cohort {
    fn fmt_inner(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::And(_) | Self::Or(_) => write!(f, "({self})"),
            _ => write!(f, "{self}"),
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let field = self.field.as_str();
        match &self.test {
            Test::Recorded => write!(f, "{field} recorded"),
            Test::OneOf(words) => write!(f, "{field} {}", words_of(words, "=", "in")),
            Test::Under(codes) => write!(f, "{field} {}", words_of(codes, "under", "under")),
            Test::Range(range) => write!(f, "{field} {}", Limits(range, "")),
        }
    }
}

fn words_of(words: &[String], one: &str, many: &str) -> String {
    match words {
        [word] => format!("{one} {}", quoted(word)),
        words => {
            let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            format!("{many} {{{}}}", words.join(", "))
        }
    }
}

/// Limits with their unit.
struct Limits<'a>(&'a Range, &'static str);

impl fmt::Display for Limits<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (range, unit) = (self.0.normal_form(), self.1);
        let low = range.min.map(|min| ("", ">=", min));
        let low = low.or(range.above.map(|above| (">", ">", above)));
        let high = range.max.map(|max| ("", "<=", max));
        let high = high.or(range.below.map(|below| ("<", "<", below)));
        match (low, high) {
            (Some((_, ">=", low)), Some((_, "<=", high))) if low == high => {
                write!(f, "= {low}{unit}")
            }
            (Some((open, _, low)), Some((shut, _, high))) => {
                write!(f, "in {open}{low}..{shut}{high}{unit}")
            }
            (Some((_, sign, limit)), None) | (None, Some((_, sign, limit))) => {
                write!(f, "{sign} {limit}{unit}")
            }
            (None, None) => f.write_str("recorded"),
        }
    }
}

impl fmt::Display for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.entity.as_str(), self.such_that)
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.of {
            None => f.write_str(self.date.as_str()),
            Some(group) if date_of(group.entity) == Some(self.date) => group.fmt(f),
            Some(group) => write!(f, "{} of {group}", self.date),
        }
    }
}

impl fmt::Display for Timing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let order = match self.order {
            Order::Before => "before",
            Order::After => "after",
            Order::Of => "of",
        };
        write!(f, "{} ", self.first)?;
        match (self.days, self.order) {
            (NEXT_DAY, Order::Before | Order::After) => {}
            (
                Range {
                    min: None,
                    above: None,
                    max: Some(max),
                    below: None,
                },
                _,
            ) => write!(f, "within {max} d ")?,
            _ => write!(f, "{} ", Limits(&self.days, " d"))?,
        }
        write!(f, "{order} {}", self.second)
    }
}

/// What `before` and `after` alone mean: on an earlier or later day.
pub(super) const NEXT_DAY: Range = Range {
    min: Some(1.0),
    above: None,
    max: None,
    below: None,
};
