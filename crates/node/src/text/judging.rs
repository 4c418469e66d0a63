//! What becomes of the instances of one series, by all that was seen of it. Pure.

use arno_pixels::{Frames, Looked, Region, Verdict, decide};
use arno_store::node::{TextFate, TextLook};

use super::{
    TextPolicy,
    stored::{Decision, Look},
};
use crate::ingest::{HELD_FOR_LOOK, Seen};

/// An instance of the series that was looked at.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) source_sha256: String,
    pub(super) look: Look,
    pub(super) place: Place,
}

/// Where an instance stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// It is to be decided on; the number of its entry in quarantine.
    Due(i64, Held),
    /// It came in with these regions black.
    In(Vec<Region>),
    /// Another one decides or has decided.
    Elsewhere,
}

/// Why an instance was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// Its header gives reason to: without a text finder a person decides.
    ByHeader,
    /// For the text finder: without one it would have come in.
    ForLook,
}

/// What becomes of one that was to be decided on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Judged {
    pub(super) id: i64,
    pub(super) source_sha256: String,
    pub(super) decision: Decision,
    pub(super) fate: TextFate,
    /// How it comes in, if it does.
    pub(super) seen: Option<Seen>,
}

impl Member {
    pub(super) fn of(look: TextLook) -> Self {
        let before = look.verdict_json.as_deref().and_then(Decision::from_json);
        let held = match look.why.as_deref() {
            Some(HELD_FOR_LOOK) => Held::ForLook,
            _ => Held::ByHeader,
        };
        let place = match (look.due, look.waits, before) {
            (Some(id), ..) => Place::Due(id, held),
            (None, false, Some(Decision::Clean)) => Place::In(Vec::new()),
            (None, false, Some(Decision::Black(regions))) => Place::In(regions),
            _ => Place::Elsewhere,
        };
        Self {
            source_sha256: look.source_sha256,
            look: Look::from_json(&look.look_json),
            place,
        }
    }
}

/// Decides on those that are due, all of the series voting.
pub(super) fn judge(members: &[Member], policy: TextPolicy) -> Vec<Judged> {
    let looked = members.iter().map(|member| match &member.look {
        Look::Seen(looked) => Some(looked),
        Look::Unseen(_) | Look::ByHeader => None,
    });
    let looked: Vec<Option<&Looked>> = looked.collect();
    let voting: Vec<Looked> = looked
        .iter()
        .flatten()
        .map(|&looked| looked.clone())
        .collect();
    let mut verdicts = decide(&voting).into_iter();
    let verdicts: Vec<Option<Verdict>> = looked
        .iter()
        .map(|looked| looked.and_then(|_| verdicts.next()))
        .collect();
    let is_late = members
        .iter()
        .zip(&verdicts)
        .any(|(member, verdict)| shows_more(&member.place, verdict.as_ref()));
    let judged = members
        .iter()
        .zip(verdicts)
        .filter_map(|(member, verdict)| {
            let Place::Due(id, held) = member.place else {
                return None;
            };
            let (decision, fate, seen) = match (&member.look, verdict) {
                (Look::ByHeader, _) => (Decision::Clean, TextFate::ComesIn, Some(Seen::ByHeader)),
                (Look::Seen(_), Some(verdict)) => of_verdict(verdict, is_late, held, policy),
                (Look::Unseen(why), _) => {
                    waits(&format!("nobody could look for text: {why}"), vec![])
                }
                (Look::Seen(_), None) => waits("nobody could look for text", vec![]),
            };
            Some(Judged {
                id,
                source_sha256: member.source_sha256.clone(),
                decision,
                fate,
                seen,
            })
        });
    judged.collect()
}

type Outcome = (Decision, TextFate, Option<Seen>);

fn of_verdict(verdict: Verdict, is_late: bool, held: Held, policy: TextPolicy) -> Outcome {
    let found = || match &verdict {
        Verdict::Clean => Vec::new(),
        Verdict::Blacken(regions) | Verdict::Doubt(_, regions) => regions.clone(),
    };
    match (&verdict, policy) {
        (Verdict::Doubt(doubt, _), _) => waits(&doubt.to_string(), found()),
        _ if is_late => waits(
            "it came late, and with it there is text in others of its series that came in before: look at those too",
            found(),
        ),
        (Verdict::Clean, TextPolicy::Review) if held == Held::ByHeader => waits(
            "no text was found in its pixels, and its kind often shows some",
            vec![],
        ),
        (Verdict::Blacken(_), TextPolicy::Review | TextPolicy::Propose) => waits(
            "text was found in its pixels, and boxes are proposed",
            found(),
        ),
        (Verdict::Clean, _) => {
            let seen = Some(Seen::ByFinder(verdict));
            (Decision::Clean, TextFate::ComesIn, seen)
        }
        (Verdict::Blacken(_), TextPolicy::Remove) => {
            let decision = Decision::Black(found());
            (decision, TextFate::ComesIn, Some(Seen::ByFinder(verdict)))
        }
    }
}

fn waits(why: &str, regions: Vec<Region>) -> Outcome {
    let fate = TextFate::Waits {
        reason: format!("a person has to look at it: {why}"),
        found: !regions.is_empty(),
    };
    (Decision::Waits(regions), fate, None)
}

/// Whether an instance that is in would have been treated otherwise, with what is known now.
fn shows_more(place: &Place, verdict: Option<&Verdict>) -> bool {
    let (Place::In(black), Some(Verdict::Blacken(now) | Verdict::Doubt(_, now))) = (place, verdict)
    else {
        return false;
    };
    let is_black = |region: &Region| black.iter().any(|black| covers(*black, *region));
    !now.iter().all(is_black)
}

/// Whether most of a region is in another one: frames never agree to the pixel.
fn covers(black: Region, region: Region) -> bool {
    let same_frames = black.frames == Frames::All || black.frames == region.frames;
    same_frames && black.overlap(region) * 2 > region.area()
}

#[cfg(test)]
mod tests {
    use arno_pixels::{Frames, Looked, Reading, Region, Weight};
    use arno_store::node::TextFate;

    use super::{Held, Member, Place, judge};
    use crate::text::{
        TextPolicy,
        stored::{Decision, Look},
    };

    fn seen(readings: &[(u32, Weight)]) -> Look {
        let reading = |(x, weight): &(u32, Weight)| Reading {
            region: Region {
                frames: Frames::One(0),
                ..Region::everywhere(*x, 20, 60, 12)
            },
            weight: *weight,
        };
        Look::Seen(Looked {
            rows: 400,
            columns: 400,
            frames: 1,
            readings: readings.iter().map(reading).collect(),
            device: Vec::new(),
            is_declared: false,
        })
    }

    fn due(id: i64) -> Place {
        Place::Due(id, Held::ByHeader)
    }

    fn members(looks: Vec<(Look, Place)>) -> Vec<Member> {
        let member = |(at, (look, place)): (usize, (Look, Place))| Member {
            source_sha256: at.to_string(),
            look,
            place,
        };
        looks.into_iter().enumerate().map(member).collect()
    }

    /// `in`, `black` or `waits`, of those that are due.
    fn check(policy: TextPolicy, looks: Vec<(Look, Place)>, expect: &[&str]) {
        let judged = judge(&members(looks), policy);
        let words = judged
            .iter()
            .map(|judged| match (&judged.fate, &judged.decision) {
                (TextFate::Waits { .. }, Decision::Waits(_)) => "waits",
                (TextFate::ComesIn, Decision::Black(_)) => "black",
                (TextFate::ComesIn, Decision::Clean) => "in",
                other => panic!("{other:?}"),
            });
        assert_eq!(words.collect::<Vec<_>>(), expect);
    }

    #[test]
    fn what_is_found_is_proposed_or_removed_and_the_rest_comes_in() {
        let series = || {
            vec![
                (seen(&[(10, Weight::Clear)]), due(1)),
                (seen(&[(200, Weight::Noise)]), due(2)),
                (Look::Unseen("it died".into()), due(3)),
                (Look::ByHeader, due(4)),
            ]
        };
        check(
            TextPolicy::Propose,
            series(),
            &["waits", "in", "waits", "in"],
        );
        check(
            TextPolicy::Remove,
            series(),
            &["black", "in", "waits", "in"],
        );
        let mut all = series();
        all.push((seen(&[]), Place::Due(5, Held::ForLook)));
        let expect = ["waits", "waits", "waits", "in", "in"];
        check(TextPolicy::Review, all, &expect);
    }

    #[test]
    fn those_that_are_in_vote_with_a_late_one() {
        let weak = || seen(&[(10, Weight::Weak)]);
        let black = |x| Place::In(vec![Region::everywhere(x, 18, 64, 16)]);
        // Two frames agree, and what is in is black there already.
        let late = vec![(weak(), black(8)), (weak(), due(2))];
        check(TextPolicy::Remove, late, &["black"]);
        // Nobody held it for text before: a person looks.
        let late = vec![
            (weak(), Place::In(Vec::new())),
            (seen(&[]), Place::In(Vec::new())),
            (weak(), due(3)),
            (seen(&[]), due(4)),
        ];
        check(TextPolicy::Remove, late, &["waits", "waits"]);
        let elsewhere = vec![(weak(), Place::Elsewhere), (weak(), due(2))];
        check(TextPolicy::Remove, elsewhere, &["black"]);
    }
}
