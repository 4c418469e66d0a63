//! One way of writing each question: nested lists flattened, parts sorted, doubles dropped, codes canonical, `after` turned round.
//! Whatever is noised, remembered or compared by question goes by this form.

use sha2::{Digest as _, Sha256};

use super::{
    Cohort, Criterion, Field, Group, Moment, Order, Range, Test, Timing, canonical,
    code::covers_canonical,
};
use crate::hex;

impl Cohort {
    /// The same question in one way of writing.
    #[must_use]
    pub fn normal_form(&self) -> Self {
        match self {
            Self::And(parts) => list(parts, Joined::All),
            Self::Or(parts) => list(parts, Joined::Any),
            Self::Not(part) => match part.normal_form() {
                Self::Not(inner) => *inner,
                other => Self::Not(Box::new(other)),
            },
            Self::Is(criterion) => Self::Is(criterion.normal_form()),
            Self::One(group) => Self::One(group.normal_form()),
            Self::Timed(timing) => Self::Timed(Box::new(timing.normal_form())),
        }
    }

    /// SHA-256 of the normal form's text: the id of the question.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(&Sha256::digest(self.normal_form().to_string()))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Joined {
    All,
    Any,
}

fn list(parts: &[Cohort], joined: Joined) -> Cohort {
    let mut flat = Vec::new();
    for part in parts.iter().map(Cohort::normal_form) {
        match (part, joined) {
            (Cohort::And(inner), Joined::All) | (Cohort::Or(inner), Joined::Any) => {
                flat.extend(inner);
            }
            (other, _) => flat.push(other),
        }
    }
    // Who is everybody or something else is everybody.
    if joined == Joined::Any && flat.contains(&Cohort::everybody()) {
        return Cohort::everybody();
    }
    flat.sort_by_cached_key(ToString::to_string);
    flat.dedup();
    match (flat.len(), joined) {
        (1, _) => flat.remove(0),
        (_, Joined::All) => Cohort::And(flat),
        (_, Joined::Any) => Cohort::Or(flat),
    }
}

impl Criterion {
    fn normal_form(&self) -> Self {
        let field = self.field;
        let test = match &self.test {
            Test::OneOf(words) => Test::OneOf(sorted(field, words)),
            Test::Under(codes) => under(field, codes),
            Test::Range(range) => Test::Range(range.normal_form()),
            Test::Recorded => Test::Recorded,
        };
        Self { field, test }
    }
}

fn sorted(field: Field, words: &[String]) -> Vec<String> {
    let mut words: Vec<_> = words.iter().map(|word| canonical(field, word)).collect();
    words.sort();
    words.dedup();
    words
}

/// What lies under another code of the list adds nothing to it.
fn under(field: Field, codes: &[String]) -> Test {
    let codes = sorted(field, codes);
    let is_covered = |code: &String| {
        let others = codes.iter().filter(|other| *other != code);
        others
            .clone()
            .any(|other| covers_canonical(field, other, code))
    };
    Test::Under(
        codes
            .iter()
            .filter(|code| !is_covered(code))
            .cloned()
            .collect(),
    )
}

impl Range {
    /// Of two lower or two upper limits the one that decides, and zero without a sign.
    pub(super) fn normal_form(self) -> Self {
        let zero = |limit: Option<f64>| limit.map(|limit| limit + 0.0);
        let (mut range, min, max) = (self, zero(self.min), zero(self.max));
        (range.min, range.above, range.max, range.below) =
            (min, zero(self.above), max, zero(self.below));
        match (range.min, range.above) {
            (Some(min), Some(above)) if above >= min => range.min = None,
            (Some(_), Some(_)) => range.above = None,
            _ => {}
        }
        match (range.max, range.below) {
            (Some(max), Some(below)) if below <= max => range.max = None,
            (Some(_), Some(_)) => range.below = None,
            _ => {}
        }
        range
    }
}

impl Group {
    fn normal_form(&self) -> Self {
        Self {
            entity: self.entity,
            such_that: Box::new(self.such_that.normal_form()),
        }
    }
}

impl Moment {
    fn normal_form(&self) -> Self {
        Self {
            date: self.date,
            of: self.of.as_ref().map(Group::normal_form),
        }
    }
}

impl Timing {
    /// What is after is said as what is before; of two moments near each other the one that sorts first stands first.
    fn normal_form(&self) -> Self {
        let (first, second) = (self.first.normal_form(), self.second.normal_form());
        let turned = match self.order {
            Order::Before => false,
            Order::After => true,
            Order::Of => first.to_string() > second.to_string(),
        };
        let (first, second) = if turned {
            (second, first)
        } else {
            (first, second)
        };
        Self {
            first,
            second,
            order: match self.order {
                Order::Of => Order::Of,
                Order::Before | Order::After => Order::Before,
            },
            days: not_negative(self.days).normal_form(),
        }
    }
}

/// The distance is never negative, so that a lower limit of zero or less says nothing.
fn not_negative(mut days: Range) -> Range {
    if days.min.is_some_and(|min| min <= 0.0) {
        days.min = None;
    }
    if days.above.is_some_and(|above| above < 0.0) {
        days.above = None;
    }
    if days
        .min
        .or(days.above)
        .or(days.max)
        .or(days.below)
        .is_none()
    {
        days.min = Some(0.0);
    }
    days
}

#[cfg(test)]
mod tests {
    use super::Cohort;

    fn id(text: &str) -> String {
        text.parse::<Cohort>().unwrap().digest()
    }

    #[test]
    fn the_same_question_has_one_id() {
        let same = |left: &str, right: &str| assert_eq!(id(left), id(right), "{left} / {right}");
        same(
            "modality = CT and sex = F",
            "(sex = f) and (modality in {ct, CT})",
        );
        same("not not sex = F", "sex = F");
        same("slice_thickness <= 0.2 cm", "slice_thickness <= 2 mm");
        same("diagnosis under {C34, c341}", "diagnosis in C34");
        same("stage = iiia", "stage_group = \"Stage IIIA\"");
        same("sex = F or ()", "");
        same(
            "treatment_start after study_date",
            "study_date before treatment_start",
        );
        same(
            "study_date within 2 wk of diagnosis_date",
            "diagnosis_date within 14 d of study_date",
        );
        same("followed >= 24 mo", "overall_survival_days >= 730.5");
    }

    #[test]
    fn other_questions_have_others() {
        let differ = |left: &str, right: &str| assert_ne!(id(left), id(right), "{left} / {right}");
        differ("modality = CT and sex = F", "modality = CT or sex = F");
        differ("diagnosis = C34", "diagnosis under C34");
        differ("series(modality = CT)", "study(modality = CT)");
        differ(
            "study_date before treatment_start",
            "treatment_start before study_date",
        );
        differ(
            "study_date within 0 d before treatment_start",
            "study_date before treatment_start",
        );
    }
}
