//! Which presentation contexts a C-MOVE proposes to its destination, within the 128 of an association: for each class
//! the transfer syntaxes in which its instances lie, one context each, and the plain ones to fall back on. Pure.

use super::retrieve::Selected;
use crate::Uid;
use crate::limits::MAX_CONTEXTS;
use crate::scu::{Proposal, Role};
use crate::transfer_syntaxes::{EXPLICIT_VR_LE, IMPLICIT_VR_LE};

/// What goes over one association.
#[derive(Debug)]
pub(super) struct Batch {
    pub(super) proposals: Vec<Proposal>,
    pub(super) instances: Vec<Selected>,
}

/// Keeps the order of the instances; begins a new association when contexts run out.
pub(super) fn plan(instances: Vec<Selected>) -> Vec<Batch> {
    let mut batches: Vec<Batch> = Vec::new();
    for instance in instances {
        let batch = match batches.pop() {
            None => Batch::with(instance),
            Some(mut batch) => match batch.add(instance) {
                Ok(()) => batch,
                Err(instance) => {
                    batches.push(batch);
                    Batch::with(instance)
                }
            },
        };
        batches.push(batch);
    }
    batches
}

impl Batch {
    fn with(instance: Selected) -> Self {
        Self {
            proposals: proposals(&instance),
            instances: vec![instance],
        }
    }

    /// Gives the instance back if its contexts do not fit.
    fn add(&mut self, instance: Selected) -> Result<(), Selected> {
        let mut new = proposals(&instance);
        new.retain(|proposal| !self.proposals.contains(proposal));
        if self.proposals.len() + new.len() > MAX_CONTEXTS {
            return Err(instance);
        }
        self.proposals.append(&mut new);
        self.instances.push(instance);
        Ok(())
    }
}

/// As it lies; and plain, in which everybody must be able to take it and we can give what we can decode. Implicit VR
/// apart, so that a peer that takes explicit VR is not asked to choose.
fn proposals(instance: &Selected) -> Vec<Proposal> {
    let own = instance.transfer_syntax.as_str();
    let fallback: &[&'static str] = match own {
        IMPLICIT_VR_LE => &[],
        EXPLICIT_VR_LE => &[IMPLICIT_VR_LE],
        _ => &[EXPLICIT_VR_LE, IMPLICIT_VR_LE],
    };
    let propose = |transfer_syntaxes| Proposal {
        sop_class: instance.sop_class.clone(),
        transfer_syntaxes,
        role: Role::Scu,
    };
    let mut proposals = vec![propose(vec![instance.transfer_syntax.clone()])];
    if !fallback.is_empty() {
        proposals.push(propose(fallback.iter().map(|it| Uid::known(it)).collect()));
    }
    proposals
}

#[cfg(test)]
mod tests {
    use super::{EXPLICIT_VR_LE, IMPLICIT_VR_LE, MAX_CONTEXTS, Selected, plan};

    const JPEG: &str = "1.2.840.10008.1.2.4.70";

    fn instance(class: &str, syntax: &str) -> Selected {
        Selected {
            sop_class: class.parse().unwrap(),
            sop_instance: "1.2.3".parse().unwrap(),
            transfer_syntax: syntax.parse().unwrap(),
            size_bytes: 0,
        }
    }

    #[test]
    fn contexts_are_shared_and_have_a_plain_one_to_fall_back_on() {
        let check = |syntaxes: &[&str], expect: &[&[&str]]| {
            let instances = syntaxes.iter().map(|syntax| instance("1.2", syntax));
            let batches = plan(instances.collect());
            assert_eq!(batches.len(), 1);
            assert_eq!(batches[0].instances.len(), syntaxes.len());
            let proposals = batches[0].proposals.iter();
            let found: Vec<Vec<&str>> = proposals
                .map(|it| {
                    it.transfer_syntaxes
                        .iter()
                        .map(|uid| uid.as_str())
                        .collect()
                })
                .collect();
            assert_eq!(found, expect);
        };
        check(&[IMPLICIT_VR_LE], &[&[IMPLICIT_VR_LE]]);
        check(
            &[EXPLICIT_VR_LE, EXPLICIT_VR_LE],
            &[&[EXPLICIT_VR_LE], &[IMPLICIT_VR_LE]],
        );
        check(
            &[JPEG, EXPLICIT_VR_LE, JPEG],
            &[
                &[JPEG],
                &[EXPLICIT_VR_LE, IMPLICIT_VR_LE],
                &[EXPLICIT_VR_LE],
                &[IMPLICIT_VR_LE],
            ],
        );
    }

    #[test]
    fn more_classes_than_contexts_take_more_associations() {
        let instances = (0..150).map(|class| instance(&format!("1.{class}"), JPEG));
        let batches = plan(instances.collect());
        let sizes: Vec<_> = batches.iter().map(|batch| batch.instances.len()).collect();
        assert_eq!(sizes, [64, 64, 22]);
        assert_eq!(batches[0].proposals.len(), MAX_CONTEXTS);
        assert_eq!(batches[2].instances[0].sop_class.as_str(), "1.128");
    }
}
