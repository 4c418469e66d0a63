//! From sketches to drafts: references are followed, members of a stage group join it, and what several resources say of one record is
//! put together. A reference that points at nothing is a problem, since what hangs on it would be lost without a word.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arno_domain::model::{Entity, Value};
use chrono::{Datelike as _, NaiveDate};

use super::{
    element::Concept,
    patient::{MAX_ID_CHARS, Person},
    reader::{Names, UncodedCounts},
    sketch::{Condition, Parent, Pointer, Sketch, Spot, Subject},
    values::{Origin, Own, coded},
};
use crate::{
    Checked, Draft, DraftContent, DraftKey, LeftOut, Place, Problem, Uncoded, draft::MAX_PROBLEMS,
};

pub(super) const DANGLING: &str =
    "points at nothing in this source: bring what it points at along, or leave this out";

/// What a reference may point at.
#[derive(Debug, Clone)]
pub(super) enum Target {
    /// Something that becomes no record.
    Other,
    /// By its number.
    Patient(usize),
    Medicine(Concept),
    Record(Entity, DraftKey),
}

/// A stage group and the observations that belong to it.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) target: usize,
    pub(super) spot: Spot,
    pub(super) members: Vec<Pointer>,
}

/// All that was read.
#[derive(Debug, Default)]
pub(super) struct Everything {
    pub(super) files: Vec<String>,
    pub(super) names: Names,
    pub(super) targets: Vec<Target>,
    pub(super) people: Vec<Person>,
    pub(super) sketches: Vec<Sketch>,
    pub(super) groups: Vec<Group>,
    pub(super) problems: Vec<Problem>,
    pub(super) uncoded: UncodedCounts,
    pub(super) left_out: BTreeMap<String, (u64, Place)>,
    pub(super) entries: u64,
    /// Systems of patients' identifiers, and how many patients have one.
    pub(super) systems: BTreeMap<String, u64>,
    pub(super) own: Own,
}

/// Follows every reference.
pub(super) fn resolve(mut all: Everything) -> Checked {
    join_groups(&mut all);
    let sketches = std::mem::take(&mut all.sketches);
    let sketches = with_patients(&mut all, sketches);
    let diagnoses = diagnoses(&sketches);
    let mut together = Together::default();
    for (sketch, patient) in sketches {
        if let Some(draft) = draft(&mut all, sketch, patient, &diagnoses) {
            together.put(&mut all, draft);
        }
    }
    let mut drafts = together.drafts;
    let born = born(&all.people);
    for draft in &mut drafts {
        add_age(&born, draft);
    }
    Checked {
        drafts,
        problems: all.problems,
        uncoded: uncoded(all.uncoded),
        left_out: left_out(all.left_out),
        rows: all.entries,
        ..Checked::default()
    }
}

type Owned = (Sketch, Arc<str>);
/// The diagnoses of a patient.
type Diagnoses = HashMap<Arc<str>, Vec<DraftKey>>;

impl Everything {
    /// What a reference points at: by its address as it stands, or by type and id whatever server it names.
    fn target(&self, reference: &str) -> Option<usize> {
        let reference = reference.split("/_history/").next().unwrap_or_default();
        if let Some(number) = self.names.get(reference) {
            return Some(*number);
        }
        let mut parts = reference.rsplit('/');
        let (id, kind) = (parts.next()?, parts.next()?);
        self.names.get(format!("{kind}/{id}").as_str()).copied()
    }

    fn problem(&mut self, spot: Spot, path: &str, what: &str) {
        if self.problems.len() >= MAX_PROBLEMS {
            return;
        }
        let problem = Problem::at(spot.place, what).of(path);
        let file = spot.file.checked_sub(1).and_then(|at| self.files.get(at));
        self.problems.push(match file {
            Some(file) => problem.in_file(file),
            None => problem,
        });
    }

    /// The targets of those that point at something; the others are problems.
    fn followed(&mut self, spot: Spot, pointers: &[Pointer]) -> Vec<usize> {
        let mut targets = Vec::with_capacity(pointers.len());
        for pointer in pointers {
            match self.target(&pointer.to) {
                Some(target) => targets.push(target),
                None => self.problem(spot, &pointer.path, DANGLING),
            }
        }
        targets
    }

    fn record(&self, target: usize, wanted: Entity) -> Option<DraftKey> {
        match &self.targets[target] {
            Target::Record(entity, key) if *entity == wanted => Some(key.clone()),
            _ => None,
        }
    }
}

/// Every member of a group says what it says under the group's key too; a group that is reached from its own members is a problem.
fn join_groups(all: &mut Everything) {
    let groups = std::mem::take(&mut all.groups);
    let mut members: HashMap<usize, Vec<usize>> = HashMap::new();
    for group in &groups {
        let targets = all.followed(group.spot, &group.members);
        members.insert(group.target, targets);
    }
    let mut joined: HashMap<DraftKey, Vec<DraftKey>> = HashMap::new();
    for group in &groups {
        if leads_back(group.target, &members) {
            let what = "its members lead back to it: a group is no member of itself";
            all.problem(group.spot, "Observation.hasMember", what);
            continue;
        }
        let Some(own) = all.record(group.target, Entity::Stage) else {
            continue;
        };
        for member in members.get(&group.target).into_iter().flatten() {
            let is_group = members.contains_key(member);
            if let Some(key) = all.record(*member, Entity::Stage).filter(|_| !is_group) {
                joined.entry(key).or_default().push(own.clone());
            }
        }
    }
    let sketches = std::mem::take(&mut all.sketches);
    // Groups first: what they say of themselves stands over what their members say.
    let (mut inner, mut rest) = (Vec::new(), Vec::with_capacity(sketches.len()));
    for sketch in sketches {
        let groups = joined
            .get(&sketch.key)
            .filter(|_| sketch.entity == Entity::Stage);
        match groups {
            None => rest.push(sketch),
            Some(groups) => inner.extend(groups.iter().map(|key| member_of(&sketch, key))),
        }
    }
    rest.extend(inner);
    all.sketches = rest;
}

/// The categories alone: kind, method and date are the group's.
fn member_of(sketch: &Sketch, key: &DraftKey) -> Sketch {
    let mut sketch = sketch.clone();
    sketch.key = key.clone();
    sketch
        .values
        .retain(|value| value.field.as_str().ends_with("_category"));
    sketch
}

fn leads_back(start: usize, members: &HashMap<usize, Vec<usize>>) -> bool {
    let (mut seen, mut open) = (std::collections::HashSet::new(), vec![start]);
    while let Some(at) = open.pop() {
        for next in members.get(&at).into_iter().flatten() {
            if *next == start {
                return true;
            }
            if seen.insert(*next) {
                open.push(*next);
            }
        }
    }
    false
}

/// Those whose patient is known.
fn with_patients(all: &mut Everything, sketches: Vec<Sketch>) -> Vec<Owned> {
    let mut owned = Vec::with_capacity(sketches.len());
    for sketch in sketches {
        if let Some(patient) = patient(all, &sketch) {
            owned.push((sketch, patient));
        }
    }
    owned
}

fn patient(all: &mut Everything, sketch: &Sketch) -> Option<Arc<str>> {
    let reference = match &sketch.subject {
        Subject::Id(id) if id.chars().count() <= MAX_ID_CHARS => return Some(id.clone()),
        Subject::Id(_) => {
            let what = format!("an id has at most {MAX_ID_CHARS} characters");
            all.problem(sketch.spot, "subject.identifier", &what);
            return None;
        }
        Subject::Reference(reference) => reference.clone(),
    };
    match all.target(&reference).map(|target| &all.targets[target]) {
        Some(Target::Patient(number)) => all.people[*number].id.clone(),
        Some(_) => {
            let what = "points at something that is no patient";
            all.problem(sketch.spot, "subject.reference", what);
            None
        }
        None => {
            all.problem(sketch.spot, "subject.reference", DANGLING);
            None
        }
    }
}

fn diagnoses(sketches: &[Owned]) -> Diagnoses {
    let mut diagnoses = Diagnoses::new();
    for (sketch, patient) in sketches {
        if sketch.entity == Entity::Diagnosis {
            let known = diagnoses.entry(patient.clone()).or_default();
            known.push(sketch.key.clone());
        }
    }
    diagnoses
}

fn draft(
    all: &mut Everything,
    mut sketch: Sketch,
    patient: Arc<str>,
    diagnoses: &Diagnoses,
) -> Option<(Draft, Spot)> {
    let known = diagnoses.get(&patient).map_or(&[][..], Vec::as_slice);
    if let Condition::IfCancer(reasons, what) = &sketch.condition {
        let (reasons, what) = (reasons.clone(), what.clone());
        let targets = all.followed(sketch.spot, &reasons);
        let mut found = targets
            .iter()
            .filter_map(|target| all.record(*target, Entity::Diagnosis));
        if !found.any(|key| known.contains(&key)) {
            let counted = all.left_out.entry(what);
            counted.or_insert((0, sketch.spot.place)).0 += 1;
            return None;
        }
    }
    add_medicine(all, &mut sketch);
    let is_empty = sketch.values.is_empty();
    if is_empty
        && matches!(
            sketch.entity,
            Entity::Patient | Entity::Outcome | Entity::Study
        )
    {
        return None;
    }
    let parent = parent(all, &sketch, known);
    let spot = sketch.spot;
    Some((sketch.into_draft(patient, parent), spot))
}

fn add_medicine(all: &mut Everything, sketch: &mut Sketch) {
    let Some(pointer) = sketch.medicine.take() else {
        return;
    };
    for target in all.followed(sketch.spot, std::slice::from_ref(&pointer)) {
        let (Target::Medicine(concept), Ok(field)) = (&all.targets[target], "treatment".parse())
        else {
            continue;
        };
        match coded(field, concept, &all.own, Origin::Foreign) {
            Ok(Some((content, source))) => sketch.say("treatment", content, source),
            Ok(None) => {}
            Err(fault) => all.problem(sketch.spot, &fault.path, &fault.what),
        }
    }
}

fn parent(all: &mut Everything, sketch: &Sketch, known: &[DraftKey]) -> Option<DraftKey> {
    let pointers = match &sketch.parent {
        Parent::Key(key) => return Some(key.clone()),
        Parent::Nothing => return None,
        Parent::Of(pointers) => pointers.as_slice(),
        Parent::Unsaid => &[],
    };
    let targets = all.followed(sketch.spot, pointers);
    if sketch.entity.parent() != Some(Entity::Diagnosis) {
        return None;
    }
    let mut diagnoses = targets
        .iter()
        .filter_map(|target| all.record(*target, Entity::Diagnosis));
    match diagnoses.next() {
        Some(key) if known.contains(&key) => Some(key),
        Some(_) => {
            let what = "points at a diagnosis of another patient";
            all.problem(sketch.spot, "focus", what);
            None
        }
        None => match known {
            [only] => Some(only.clone()),
            _ => None,
        },
    }
}

/// Drafts by their keys.
#[derive(Default)]
struct Together {
    drafts: Vec<Draft>,
    places: HashMap<(Entity, Arc<str>, DraftKey), usize>,
    spots: Vec<Spot>,
}

impl Together {
    /// Adds a draft, or what it says to the one of the same key.
    fn put(&mut self, all: &mut Everything, draft: (Draft, Spot)) {
        let (draft, spot) = draft;
        let key = (draft.entity, draft.patient.clone(), draft.key.clone());
        let place = *self.places.entry(key).or_insert(self.drafts.len());
        let Some(known) = self.drafts.get_mut(place) else {
            self.drafts.push(draft);
            self.spots.push(spot);
            return;
        };
        known.parent = known.parent.take().or(draft.parent);
        for link in draft.links {
            if !known.links.contains(&link) {
                known.links.push(link);
            }
        }
        for value in draft.values {
            match known.values.iter().find(|known| known.field == value.field) {
                None => known.values.push(value),
                Some(same) if same.said == value.said => {}
                Some(_) => {
                    let what = format!(
                        "says another {} of the same {} than {} does: leave the right one",
                        value.field,
                        draft.entity.as_str(),
                        self.spots[place].place
                    );
                    all.problem(spot, draft.entity.as_str(), &what);
                }
            }
        }
    }
}

fn born(people: &[Person]) -> HashMap<Arc<str>, NaiveDate> {
    let born = people
        .iter()
        .filter_map(|person| Some((person.id.clone()?, person.born?)));
    born.collect()
}

/// Whole years between birth and diagnosis, where the source says both and no age.
fn add_age(born: &HashMap<Arc<str>, NaiveDate>, draft: &mut Draft) {
    if draft.entity != Entity::Diagnosis {
        return;
    }
    let born = born.get(&draft.patient).copied();
    let has_age = draft
        .values
        .iter()
        .any(|value| value.field.as_str() == "age_at_diagnosis");
    let diagnosed = draft
        .values
        .iter()
        .find_map(|value| match value.said.content {
            DraftContent::Date(date) if value.field.as_str() == "diagnosis_date" => Some(date),
            _ => None,
        });
    let (Some(born), Some(date), false) = (born, diagnosed, has_age) else {
        return;
    };
    let had_birthday = (date.month(), date.day()) >= (born.month(), born.day());
    let years = date.year() - born.year() - i32::from(!had_birthday);
    if let (0..=130, Ok(field)) = (years, "age_at_diagnosis".parse()) {
        let content = DraftContent::Known(Value::Number(f64::from(years)));
        let said = Arc::new(crate::draft::Said {
            content,
            source: None,
        });
        draft.values.push(crate::DraftValue { field, said });
    }
}

fn uncoded(counts: UncodedCounts) -> Vec<Uncoded> {
    let uncoded = counts
        .into_iter()
        .map(|((field, column, value), (count, first))| Uncoded {
            field,
            column,
            value,
            count,
            first: Some(first),
        });
    let mut uncoded: Vec<_> = uncoded.collect();
    uncoded.sort_by_key(|uncoded| std::cmp::Reverse(uncoded.count));
    uncoded
}

fn left_out(counts: BTreeMap<String, (u64, Place)>) -> Vec<LeftOut> {
    let left_out = counts.into_iter().map(|(what, (count, first))| LeftOut {
        what,
        count,
        first: Some(first),
    });
    let mut left_out: Vec<_> = left_out.collect();
    left_out.sort_by_key(|left_out| std::cmp::Reverse(left_out.count));
    left_out
}
