//! Takes resources one after the other, and keeps of each only what becomes of it: sketches of records, what references point at, and
//! what was left out.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use arno_domain::model::{Entity, Field};
use serde_json::Value as Json;

use super::{
    FhirMapping,
    codes::{RECORD, SERIES},
    condition,
    element::{Fault, Found, Node},
    imaging, observation, patient,
    resolve::{Everything, Group, Target},
    say::key_of,
    sketch::{Condition, Parent, Pointer, Sketch, Spot, Subject},
    treatment,
    values::{Origin, Own},
};
use crate::{DraftKey, Place, Problem, draft::MAX_PROBLEMS};

/// A resource that is being read.
pub(super) struct Resource<'a> {
    pub(super) spot: Spot,
    pub(super) kind: &'a str,
    pub(super) node: Node<'a>,
    pub(super) key: DraftKey,
    pub(super) origin: Origin,
    /// Its place among what references point at.
    pub(super) target: usize,
}

/// Takes resources.
pub(super) struct Reader<'m> {
    pub(super) mapping: &'m FhirMapping,
    pub(super) own: Own,
    pub(super) problems: Vec<Problem>,
    pub(super) all: Everything,
}

impl<'m> Reader<'m> {
    pub(super) fn new(mapping: &'m FhirMapping) -> Self {
        let (own, problems) = Own::new(mapping);
        Self {
            mapping,
            own,
            problems,
            all: Everything::default(),
        }
    }

    pub(super) fn finish(mut self) -> Everything {
        self.all.problems = self.problems;
        self.all.own = self.own;
        self.all
    }

    /// What comes is out of this file of several.
    pub(super) fn begin_file(&mut self, name: &str) {
        self.all.files.push(name.to_owned());
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(match self.all.files.last() {
                Some(file) => problem.in_file(file),
                None => problem,
            });
        }
    }

    /// An entry of a bundle.
    pub(super) fn entry(&mut self, place: Place, entry: &Json) {
        let Json::Object(entry) = entry else {
            return self.problem(Problem::at(place, "an entry is an object"));
        };
        let is_deletion = entry
            .get("request")
            .is_some_and(|request| request["method"] == "DELETE");
        match entry.get("resource") {
            None => self.left_out(place, "an entry without a resource"),
            Some(_) if is_deletion => self.left_out(place, "an entry that deletes"),
            Some(resource) => {
                let full_url = entry.get("fullUrl").and_then(Json::as_str);
                self.resource(place, full_url, resource);
            }
        }
    }

    /// A resource.
    pub(super) fn resource(&mut self, place: Place, full_url: Option<&str>, resource: &Json) {
        self.all.entries += 1;
        let map = match resource {
            Json::Object(map) => map,
            _ => return self.problem(Problem::at(place, "a resource is an object")),
        };
        let Some(kind) = map.get("resourceType").and_then(Json::as_str) else {
            let what = "no resourceType: nothing says what this is";
            return self.problem(Problem::at(place, what).of("resourceType"));
        };
        if !is_type(kind) {
            let what = "no type of resource of FHIR R4: types are written as Patient is";
            return self.problem(Problem::at(place, what).of("resourceType"));
        }
        let node = Node {
            map,
            path: kind.to_owned(),
        };
        let spot = Spot {
            file: self.all.files.len(),
            place,
        };
        match self.registered(spot, kind, full_url, node) {
            Ok(resource) => self.read(&resource),
            Err(fault) => self.fault(spot, fault),
        }
    }

    fn read(&mut self, resource: &Resource<'_>) {
        if let Some(what) = withdrawn(resource) {
            return self.left_out(resource.spot.place, &format!("{} {what}", resource.kind));
        }
        match resource.kind {
            "Patient" => patient::read(self, resource),
            "Condition" => condition::read(self, resource),
            "Observation" => observation::read(self, resource),
            "Procedure" => treatment::read_procedure(self, resource),
            "MedicationRequest" | "MedicationAdministration" | "MedicationStatement" => {
                treatment::read_medication(self, resource);
            }
            "Medication" => treatment::read_medicine(self, resource),
            "ImagingStudy" => imaging::read(self, resource),
            "Basic" if resource.origin == Origin::Ours => self.basic(resource),
            other => self.left_out(resource.spot.place, other),
        }
    }

    /// Notes what references may point at.
    fn registered<'a>(
        &mut self,
        spot: Spot,
        kind: &'a str,
        full_url: Option<&str>,
        node: Node<'a>,
    ) -> Result<Resource<'a>, Fault> {
        let id = node.text("id")?.map(|id| format!("{kind}/{id}"));
        let record = record_key(&node)?;
        let number = self.all.targets.len();
        for name in [full_url, id.as_deref()].into_iter().flatten() {
            if self.all.names.insert(name.into(), number).is_some() {
                let what = "an earlier entry has the same id: a resource comes once";
                return Err(node.fault("id", what));
            }
        }
        let name = match (&record, id.as_deref().or(full_url)) {
            (Some(record), _) => record.clone(),
            (None, Some(name)) => name.to_owned(),
            (None, None) => format!("{kind}/{}/{}", spot.file, spot.place),
        };
        let key = DraftKey::Named(name.into());
        self.all.targets.push(Target::Other);
        Ok(Resource {
            spot,
            kind,
            node,
            key,
            origin: match record {
                Some(_) => Origin::Ours,
                None => Origin::Foreign,
            },
            target: number,
        })
    }

    pub(super) fn fault(&mut self, spot: Spot, fault: Fault) {
        self.problem(Problem::at(spot.place, fault.what).of(&fault.path));
    }

    /// What an element says; a fault becomes a problem.
    pub(super) fn take<T>(&mut self, resource: &Resource<'_>, found: Found<T>) -> Option<T> {
        match found {
            Ok(found) => found,
            Err(fault) => {
                self.fault(resource.spot, fault);
                None
            }
        }
    }

    /// What a list says; a fault becomes a problem.
    pub(super) fn list<T>(
        &mut self,
        resource: &Resource<'_>,
        found: Result<Vec<T>, Fault>,
    ) -> Vec<T> {
        self.take(resource, found.map(Some)).unwrap_or_default()
    }

    pub(super) fn left_out(&mut self, place: Place, what: &str) {
        let counted = self.all.left_out.entry(what.to_owned());
        counted.or_insert((0, place)).0 += 1;
    }

    /// How often anything was left out so far.
    pub(super) fn times_left_out(&self) -> u64 {
        self.all.left_out.values().map(|(count, _)| count).sum()
    }

    /// A sketch of a record of the resource's subject.
    pub(super) fn sketch(&mut self, resource: &Resource<'_>, entity: Entity) -> Option<Sketch> {
        let what = "nothing says which patient this is about";
        let fault = match resource.node.object("subject") {
            Ok(Some(subject)) => return self.sketch_of(resource, entity, &subject),
            Ok(None) => resource.node.fault("subject", what),
            Err(fault) => fault,
        };
        self.fault(resource.spot, fault);
        None
    }

    fn sketch_of(
        &mut self,
        resource: &Resource<'_>,
        entity: Entity,
        subject: &Node<'_>,
    ) -> Option<Sketch> {
        let subject = match self.subject(subject) {
            Ok(subject) => subject,
            Err(fault) => {
                self.fault(resource.spot, fault);
                return None;
            }
        };
        Some(Sketch {
            spot: resource.spot,
            entity,
            subject,
            key: resource.key.clone(),
            parent: Parent::Unsaid,
            condition: Condition::Always,
            links: Vec::new(),
            values: Vec::new(),
            medicine: None,
        })
    }

    /// By reference, or by an identifier of the system that counts.
    fn subject(&self, subject: &Node<'_>) -> Result<Subject, Fault> {
        if let Some(reference) = subject.text("reference")? {
            return Ok(Subject::Reference(reference.into()));
        }
        let identifier = subject.object("identifier")?;
        let wanted = self.mapping.fhir.identifier_system.as_deref();
        if let Some(identifier) = identifier
            && identifier.text("system")? == wanted
            && let Some(value) = identifier.text("value")?
        {
            return Ok(Subject::Id(value.into()));
        }
        Err(subject.fault("reference", "nothing says which patient this is about"))
    }

    /// References in elements of that name.
    pub(super) fn pointers(&mut self, resource: &Resource<'_>, key: &str) -> Vec<Pointer> {
        let nodes = resource.node.objects(key);
        let nodes = self.list(resource, nodes);
        let pointers = nodes
            .iter()
            .filter_map(|node| self.take(resource, pointer(node)));
        pointers.collect()
    }

    /// A record that FHIR has no resource for.
    fn basic(&mut self, resource: &Resource<'_>) {
        let code = self.take(resource, resource.node.concept("code"));
        let coding = code.and_then(|code| code.codings.into_iter().next());
        let entity = coding.and_then(|coding| Entity::from_name(&coding.code));
        let Some(entity) = entity else {
            let fault = resource
                .node
                .fault("code", "no entity of the common data model");
            return self.fault(resource.spot, fault);
        };
        let Some(mut sketch) = self.sketch(resource, entity) else {
            return;
        };
        self.own_fields(resource, &resource.node, &mut sketch);
        if let Some(series) = self.take(resource, resource.node.extension_text(SERIES)) {
            sketch.parent = Parent::Key(DraftKey::Uid(series.into()));
        }
        if let DraftKey::Named(name) = &sketch.key {
            sketch.key = key_of(entity, &name.clone());
        }
        self.all.sketches.push(sketch);
    }

    /// Members of a group of observations.
    pub(super) fn group(&mut self, resource: &Resource<'_>, members: Vec<Pointer>) {
        self.all.groups.push(Group {
            target: resource.target,
            spot: resource.spot,
            members,
        });
    }
}

/// The reference in an element; one by identifier alone leads nowhere within a source.
pub(super) fn pointer(node: &Node<'_>) -> Found<Pointer> {
    let reference = node.text("reference")?;
    Ok(reference.map(|reference| Pointer {
        to: reference.into(),
        path: format!("{}.reference", node.path),
    }))
}

/// The key that our own exports give.
fn record_key(node: &Node<'_>) -> Found<String> {
    if !node.map.get("identifier").is_some_and(Json::is_array) {
        return Ok(None);
    }
    for identifier in node.objects("identifier")? {
        if identifier.text("system")? == Some(RECORD) {
            return Ok(identifier.text("value")?.map(str::to_owned));
        }
    }
    Ok(None)
}

/// States of resources that say of nothing that it is or was.
const WITHDRAWN: [&str; 9] = [
    "entered-in-error",
    "cancelled",
    "not-done",
    "preparation",
    "refuted",
    "differential",
    "draft",
    "proposal",
    "plan",
];

/// What a resource's state says against it.
fn withdrawn(resource: &Resource<'_>) -> Option<String> {
    let node = &resource.node;
    if node.map.get("doNotPerform") == Some(&Json::Bool(true)) {
        return Some("that says what not to do".into());
    }
    let verification = node.concept("verificationStatus").ok().flatten();
    let codings = verification.into_iter().flat_map(|concept| concept.codings);
    let stated = ["status", "intent"]
        .into_iter()
        .filter_map(|key| node.text(key).ok().flatten());
    let mut states = stated
        .map(str::to_owned)
        .chain(codings.map(|coding| coding.code));
    states
        .find(|state| WITHDRAWN.contains(&state.as_str()))
        .map(|state| format!("that is {state}"))
}

/// A name as resources have them.
fn is_type(kind: &str) -> bool {
    super::codes::RESOURCES
        .split(' ')
        .any(|known| known == kind)
}

/// Names and what they stand for.
pub(super) type Names = HashMap<Arc<str>, usize>;
/// What has no code: field, path and code of an unknown system.
pub(super) type UncodedCounts = BTreeMap<(Field, String, String), (u64, Place)>;
