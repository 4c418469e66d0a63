//! The answer to an association request (PS3.8 section 7.1, PS3.7 annex D.3): pure, from the request and the
//! settings alone.

use std::net::IpAddr;

use super::config::{CalledAe, ServerConfig};
use arno_dicom::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};

use crate::limits::MIN_PEER_PDU;
use crate::pdu::{
    APPLICATION_CONTEXT, AssociateAc, AssociateRq, ContextOutcome, ContextResult, ProposedContext,
    Reject, RoleSelection, RoleSupport, UserInformation,
};
use crate::{AeTitle, Uid, classes, transfer_syntaxes};

/// An association that was agreed on.
#[derive(Debug, Clone)]
pub(crate) struct Agreement {
    pub(crate) calling_ae: AeTitle,
    pub(crate) contexts: Vec<AcceptedContext>,
    /// Longest P-DATA-TF that the peer takes.
    pub(crate) peer_max_pdu: u32,
}

/// A presentation context in use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AcceptedContext {
    pub(crate) id: u8,
    pub(crate) abstract_syntax: Uid,
    pub(crate) transfer_syntax: Uid,
}

/// Accepts with the PDU to send, or rejects.
pub(crate) fn negotiate(
    config: &ServerConfig,
    request: &AssociateRq,
    address: IpAddr,
) -> Result<(Agreement, AssociateAc), Reject> {
    check(config, request, address)?;
    let outcomes = || {
        request
            .contexts
            .iter()
            .map(|context| (context, answer(config, context)))
    };
    let contexts = outcomes().filter_map(|(context, outcome)| match outcome {
        ContextOutcome::Accepted(transfer_syntax) => Some(AcceptedContext {
            id: context.id,
            abstract_syntax: context.abstract_syntax.clone(),
            transfer_syntax,
        }),
        _ => None,
    });
    let agreement = Agreement {
        calling_ae: request.calling_ae.clone(),
        contexts: contexts.collect(),
        peer_max_pdu: peer_max_pdu(request.user.max_pdu),
    };
    let results = outcomes().map(|(context, outcome)| ContextResult {
        id: context.id,
        outcome,
    });
    let accept = AssociateAc {
        called_ae: request.called_ae.clone(),
        calling_ae: request.calling_ae.clone(),
        contexts: results.collect(),
        user: user_information(config, &request.user.roles),
    };
    Ok((agreement, accept))
}

fn check(config: &ServerConfig, request: &AssociateRq, address: IpAddr) -> Result<(), Reject> {
    if request.protocol_version & 1 == 0 {
        return Err(Reject::ProtocolVersion);
    }
    if request.application_context.as_str() != APPLICATION_CONTEXT {
        return Err(Reject::ApplicationContext);
    }
    if config.called_ae == CalledAe::OnlyOurs && request.called_ae != config.ae_title {
        return Err(Reject::CalledAe);
    }
    if !config.allows(&request.calling_ae, address) {
        return Err(Reject::CallingAe);
    }
    Ok(())
}

/// Takes the first transfer syntax that we know: the sender lists the one that it has the instance in first.
fn answer(config: &ServerConfig, context: &ProposedContext) -> ContextOutcome {
    let class = &context.abstract_syntax;
    if class.as_str() != classes::VERIFICATION && !config.stores(class) {
        return ContextOutcome::AbstractSyntaxNotSupported;
    }
    let known = |syntax: &&Uid| transfer_syntaxes::is_storable(syntax);
    match context.transfer_syntaxes.iter().find(known) {
        Some(syntax) => ContextOutcome::Accepted(syntax.clone()),
        None => ContextOutcome::TransferSyntaxesNotSupported,
    }
}

fn peer_max_pdu(announced: u32) -> u32 {
    match announced {
        0 => u32::MAX,
        length => length.max(MIN_PEER_PDU),
    }
}

/// The requestor may be SCU of all that it asked for, and SCP of nothing: we send no instances (C-GET) yet.
fn user_information(config: &ServerConfig, proposed: &[RoleSelection]) -> UserInformation {
    let roles = proposed.iter().map(|role| RoleSelection {
        sop_class: role.sop_class.clone(),
        scu: role.scu,
        scp: RoleSupport::No,
    });
    UserInformation {
        max_pdu: config.max_pdu,
        implementation_class: IMPLEMENTATION_CLASS_UID.parse().ok(),
        implementation_version: Some(IMPLEMENTATION_VERSION_NAME.into()),
        roles: roles.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{AssociateRq, ContextOutcome, ProposedContext, Reject, ServerConfig, negotiate};
    use crate::pdu::{APPLICATION_CONTEXT, RoleSelection, RoleSupport, UserInformation};
    use crate::scp::{AllowedSource, CalledAe, CallingAe, PrivateClasses};

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const IMPLICIT: &str = "1.2.840.10008.1.2";
    const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";

    fn request() -> AssociateRq {
        AssociateRq {
            protocol_version: 1,
            called_ae: "ARNO".parse().unwrap(),
            calling_ae: "CT1".parse().unwrap(),
            application_context: APPLICATION_CONTEXT.parse().unwrap(),
            contexts: vec![proposal(1, CT, &[JPEG_LOSSLESS, IMPLICIT])],
            user: UserInformation {
                max_pdu: 0,
                implementation_class: None,
                implementation_version: None,
                roles: Vec::new(),
            },
        }
    }

    fn proposal(id: u8, class: &str, syntaxes: &[&str]) -> ProposedContext {
        ProposedContext {
            id,
            abstract_syntax: class.parse().unwrap(),
            transfer_syntaxes: syntaxes.iter().map(|uid| uid.parse().unwrap()).collect(),
        }
    }

    fn config() -> ServerConfig {
        ServerConfig {
            allow_list: Some(vec![CallingAe {
                ae_title: "CT1".parse().unwrap(),
                source: AllowedSource::Addresses(vec!["10.0.0.1".parse().unwrap()]),
            }]),
            private_classes: PrivateClasses::Reject,
            ..ServerConfig::new("ARNO".parse().unwrap())
        }
    }

    #[test]
    fn strangers_are_rejected_with_the_reason() {
        let check = |change: fn(&mut AssociateRq), address: &str, expect: Option<Reject>| {
            let mut request = request();
            change(&mut request);
            let found = negotiate(&config(), &request, address.parse().unwrap());
            assert_eq!(found.err(), expect);
        };
        check(|_| {}, "10.0.0.1", None);
        check(|_| {}, "::ffff:10.0.0.1", None);
        check(|_| {}, "10.0.0.2", Some(Reject::CallingAe));
        check(
            |rq| rq.calling_ae = "CT2".parse().unwrap(),
            "10.0.0.1",
            Some(Reject::CallingAe),
        );
        check(
            |rq| rq.called_ae = "arno".parse().unwrap(),
            "10.0.0.1",
            Some(Reject::CalledAe),
        );
        check(
            |rq| rq.protocol_version = 2,
            "10.0.0.1",
            Some(Reject::ProtocolVersion),
        );
        check(
            |rq| rq.application_context = "1.2".parse().unwrap(),
            "10.0.0.1",
            Some(Reject::ApplicationContext),
        );
    }

    #[test]
    fn any_called_title_is_answered_when_so_set() {
        let config = ServerConfig {
            called_ae: CalledAe::Any,
            ..config()
        };
        let request = AssociateRq {
            called_ae: "ANY".parse().unwrap(),
            ..request()
        };
        assert!(negotiate(&config, &request, "10.0.0.1".parse().unwrap()).is_ok());
    }

    #[test]
    fn the_senders_first_known_transfer_syntax_wins() {
        let check = |class: &str, syntaxes: &[&str], expect: ContextOutcome| {
            let request = AssociateRq {
                contexts: vec![proposal(3, class, syntaxes)],
                ..request()
            };
            let (agreement, accept) =
                negotiate(&config(), &request, "10.0.0.1".parse().unwrap()).unwrap();
            assert_eq!(accept.contexts[0].outcome, expect);
            assert_eq!(accept.contexts[0].id, 3);
            let accepted = matches!(expect, ContextOutcome::Accepted(_));
            assert_eq!(agreement.contexts.len(), usize::from(accepted));
        };
        let accepted = |uid: &str| ContextOutcome::Accepted(uid.parse().unwrap());
        check(CT, &[JPEG_LOSSLESS, IMPLICIT], accepted(JPEG_LOSSLESS));
        check(CT, &["1.2.3", IMPLICIT, JPEG_LOSSLESS], accepted(IMPLICIT));
        check(CT, &["1.2.3"], ContextOutcome::TransferSyntaxesNotSupported);
        check("1.2.840.10008.1.1", &[IMPLICIT], accepted(IMPLICIT));
        check(
            "1.2.840.10008.5.1.4.1.2.1.1",
            &[IMPLICIT],
            ContextOutcome::AbstractSyntaxNotSupported,
        );
        check(
            "1.3.12.2.1107.5.9.1",
            &[IMPLICIT],
            ContextOutcome::AbstractSyntaxNotSupported,
        );
    }

    #[test]
    fn a_requestor_may_not_be_scp() {
        let mut request = request();
        let role = RoleSelection {
            sop_class: CT.parse().unwrap(),
            scu: RoleSupport::Yes,
            scp: RoleSupport::Yes,
        };
        request.user.roles.push(role.clone());
        let (_, accept) = negotiate(&config(), &request, "10.0.0.1".parse().unwrap()).unwrap();
        assert_eq!(
            accept.user.roles,
            [RoleSelection {
                scp: RoleSupport::No,
                ..role
            }]
        );
    }
}
