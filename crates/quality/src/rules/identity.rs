//! Whether a series says of which part of which kind of patient it is, and what it shows.

use super::Verdict;
use crate::{
    body::{self, Paired},
    facts::SeriesFacts,
    kind::{self, Kind},
    person::{self, Age, Sex},
};

/// Patient's Sex (0010,0040).
const SEX: &str = "00100040";
/// Patient's Age (0010,1010).
const AGE: &str = "00101010";

fn once(is_broken: bool, detail: &str) -> Verdict {
    Verdict::failed_if(usize::from(is_broken), || detail.to_owned(), [])
}

fn has_images(facts: &SeriesFacts) -> bool {
    facts.instances.iter().any(|instance| instance.has_pixels)
}

pub(super) fn body_part_is_known(facts: &SeriesFacts) -> Verdict {
    if !has_images(facts) || facts.modality() == "SEG" {
        return Verdict::NotApplicable;
    }
    match body::body_site(&facts.attributes) {
        Some(site) => once(site.code.is_none(), "the name that is given has no code"),
        None => once(true, "no part of the body is named"),
    }
}

pub(super) fn laterality_is_known(facts: &SeriesFacts) -> Verdict {
    let site = body::body_site(&facts.attributes);
    match site.and_then(|site| site.laterality) {
        None => Verdict::NotApplicable,
        Some(Paired::Unknown) => once(true, "neither left nor right is named"),
        Some(Paired::Contradicting) => once(true, "two elements name different sides"),
        Some(Paired::Left | Paired::Right | Paired::Both) => Verdict::Passed,
    }
}

pub(super) fn kind_is_known(facts: &SeriesFacts) -> Verdict {
    if !has_images(facts) || facts.modality() == "SEG" {
        return Verdict::NotApplicable;
    }
    let is_unknown = kind::recognise(&facts.attributes).kind == Kind::Unknown;
    once(is_unknown, "nothing in the header tells what kind it is")
}

pub(super) fn sex_is_legal(facts: &SeriesFacts) -> Verdict {
    let Some(text) = facts.attributes.text(SEX) else {
        return Verdict::NotApplicable;
    };
    match person::sex(&text) {
        Sex::Legal(_) => Verdict::Passed,
        Sex::Corrected(sex) => once(true, &format!("another word for {sex}; it counts as {sex}")),
        Sex::Number => once(true, "a number: it may be an identifier in the wrong place"),
        Sex::Unknown => once(true, "a word that means no sex"),
    }
}

pub(super) fn age_is_possible(facts: &SeriesFacts) -> Verdict {
    let Some(text) = facts.attributes.text(AGE) else {
        return Verdict::NotApplicable;
    };
    match person::age(&text) {
        Age::Years(_) => Verdict::Passed,
        Age::Corrected(_) => once(true, "an age without its unit; it counts as years"),
        Age::Impossible => once(true, "older than anybody was"),
        Age::Unknown => once(true, "no age at all"),
    }
}
