//! The answer to an association request (PS3.8 section 7.1, PS3.7 annex D.3): pure, from the request and the
//! settings alone.

use std::net::IpAddr;

use super::config::{CalledAe, ServerConfig};
use super::service::{Extension, Purpose, Service, Services};
use arno_dicom::{IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME};

use crate::dialogue::{AcceptedContext, peer_max_pdu};
use crate::pdu::{
    APPLICATION_CONTEXT, AssociateAc, AssociateRq, ContextOutcome, ContextResult,
    ExtendedNegotiation, ProposedContext, Reject, RoleSelection, RoleSupport, UserInformation,
};
use crate::{AeTitle, Uid, transfer_syntaxes};

/// An association that was agreed on.
#[derive(Debug, Clone)]
pub(crate) struct Agreement {
    pub(crate) calling_ae: AeTitle,
    /// What it may ask for.
    pub(crate) allowed: Vec<Service>,
    pub(crate) contexts: Vec<AcceptedContext>,
    /// What was agreed on beyond the baseline, by class.
    pub(crate) extensions: Vec<(Uid, Vec<Extension>)>,
    /// Longest P-DATA-TF that the peer takes.
    pub(crate) peer_max_pdu: u32,
}

/// What an answer depends on.
struct Terms<'a> {
    config: &'a ServerConfig,
    services: &'a Services,
    allowed: Vec<Service>,
    request: &'a AssociateRq,
}

/// Accepts with the PDU to send, or rejects.
pub(crate) fn negotiate(
    config: &ServerConfig,
    services: &Services,
    request: &AssociateRq,
    address: IpAddr,
) -> Result<(Agreement, AssociateAc), Reject> {
    let terms = Terms {
        config,
        services,
        allowed: check(config, request, address)?,
        request,
    };
    let results: Vec<_> = request.contexts.iter().map(|it| terms.answer(it)).collect();
    let extended = request.user.extended.iter();
    let (extensions, extended) = extended.filter_map(|it| terms.extend(it)).unzip();
    let accept = AssociateAc {
        called_ae: request.called_ae.clone(),
        calling_ae: request.calling_ae.clone(),
        user: UserInformation {
            max_pdu: config.max_pdu,
            implementation_class: IMPLEMENTATION_CLASS_UID.parse().ok(),
            implementation_version: Some(IMPLEMENTATION_VERSION_NAME.into()),
            roles: request.user.roles.iter().map(|it| terms.role(it)).collect(),
            extended,
        },
        contexts: results,
    };
    let agreement = Agreement {
        calling_ae: request.calling_ae.clone(),
        contexts: terms.accepted(&accept.contexts),
        allowed: terms.allowed,
        extensions,
        peer_max_pdu: peer_max_pdu(request.user.max_pdu),
    };
    Ok((agreement, accept))
}

/// What the caller may ask for, if it may call.
fn check(
    config: &ServerConfig,
    request: &AssociateRq,
    address: IpAddr,
) -> Result<Vec<Service>, Reject> {
    if request.protocol_version & 1 == 0 {
        return Err(Reject::ProtocolVersion);
    }
    if request.application_context.as_str() != APPLICATION_CONTEXT {
        return Err(Reject::ApplicationContext);
    }
    if config.called_ae == CalledAe::OnlyOurs && request.called_ae != config.ae_title {
        return Err(Reject::CalledAe);
    }
    let allowed = config.allowed(&request.calling_ae, address);
    allowed.ok_or(Reject::CallingAe)
}

impl Terms<'_> {
    fn answer(&self, context: &ProposedContext) -> ContextResult {
        ContextResult {
            id: context.id,
            outcome: self.outcome(context),
        }
    }

    fn outcome(&self, context: &ProposedContext) -> ContextOutcome {
        let class = &context.abstract_syntax;
        let purpose = Purpose::of(class, self.config).filter(|it| it.is_served(self.services));
        let Some(purpose) = purpose else {
            return ContextOutcome::AbstractSyntaxNotSupported;
        };
        if !self.peer_stores(class) && !self.allows(purpose.service()) {
            return ContextOutcome::UserRejection;
        }
        let syntax = match purpose {
            Purpose::Verify | Purpose::Store => self.storage_syntax(context),
            _ => first(context, transfer_syntaxes::is_plain),
        };
        match syntax {
            Some(syntax) => ContextOutcome::Accepted(syntax.clone()),
            None => ContextOutcome::TransferSyntaxesNotSupported,
        }
    }

    /// The first transfer syntax that we know: a sender lists the one that it has the instance in first. Where we are
    /// the sender a plain one, which we can give of all that we can decode, and explicit VR, in which most instances lie.
    fn storage_syntax<'c>(&self, context: &'c ProposedContext) -> Option<&'c Uid> {
        if self.peer_stores(&context.abstract_syntax) {
            let explicit = first(context, transfer_syntaxes::is_explicit_vr_le);
            let plain = explicit.or_else(|| first(context, transfer_syntaxes::is_plain));
            if plain.is_some() {
                return plain;
            }
        }
        first(context, transfer_syntaxes::is_storable)
    }

    fn allows(&self, service: Option<Service>) -> bool {
        service.is_none_or(|service| self.allowed.contains(&service))
    }

    /// Whether the peer takes instances of a class from us, as C-GET needs it (PS3.7 section D.3.3.4). Without a
    /// context for C-GET there is nothing that we would send.
    fn peer_stores(&self, class: &Uid) -> bool {
        let proposed = self.request.user.roles.iter();
        let mut proposed = proposed.filter(|it| it.sop_class == *class);
        let mut contexts = self.request.contexts.iter();
        let purpose = |class| Purpose::of(class, self.config);
        self.services.retrieve.is_some()
            && self.allows(Some(Service::Retrieve))
            && purpose(class) == Some(Purpose::Store)
            && contexts.any(|it| matches!(purpose(&it.abstract_syntax), Some(Purpose::Get(_))))
            && proposed.any(|it| it.scp == RoleSupport::Yes)
    }

    /// The requestor may be SCU of what it is allowed to ask for, and SCP where it wants to be sent instances.
    fn role(&self, role: &RoleSelection) -> RoleSelection {
        let purpose = Purpose::of(&role.sop_class, self.config);
        let allowed = purpose.is_some_and(|it| self.allows(it.service()));
        let support = |asked, granted| if granted { asked } else { RoleSupport::No };
        RoleSelection {
            sop_class: role.sop_class.clone(),
            scu: support(role.scu, allowed),
            scp: support(role.scp, self.peer_stores(&role.sop_class)),
        }
    }

    /// What is agreed on, and the answer that says so; nothing for classes that have no extensions.
    fn extend(
        &self,
        proposed: &ExtendedNegotiation,
    ) -> Option<((Uid, Vec<Extension>), ExtendedNegotiation)> {
        let class = &proposed.sop_class;
        let purpose = Purpose::of(class, self.config)?;
        let supported = purpose.extensions(self.services);
        if supported.is_empty() {
            return None;
        }
        let agreed = Extension::agreed(&proposed.information, supported);
        let answer = ExtendedNegotiation {
            sop_class: class.clone(),
            information: Extension::information(&proposed.information, &agreed).into(),
        };
        Some(((class.clone(), agreed), answer))
    }

    fn accepted(&self, results: &[ContextResult]) -> Vec<AcceptedContext> {
        let pairs = self.request.contexts.iter().zip(results);
        let accepted = pairs.filter_map(|(context, result)| match &result.outcome {
            ContextOutcome::Accepted(transfer_syntax) => Some(AcceptedContext {
                id: context.id,
                abstract_syntax: context.abstract_syntax.clone(),
                transfer_syntax: transfer_syntax.clone(),
                peer_stores: self.peer_stores(&context.abstract_syntax),
            }),
            _ => None,
        });
        accepted.collect()
    }
}

fn first(context: &ProposedContext, known: fn(&Uid) -> bool) -> Option<&Uid> {
    context.transfer_syntaxes.iter().find(|it| known(it))
}

#[cfg(test)]
mod tests {
    use super::{
        Agreement, AssociateAc, AssociateRq, ContextOutcome, ExtendedNegotiation, Extension,
        ProposedContext, Reject, ServerConfig, Service, Services,
    };
    use crate::classes::{PATIENT_ROOT_MOVE, STORAGE_COMMITMENT, STUDY_ROOT_FIND, STUDY_ROOT_GET};
    use crate::pdu::{APPLICATION_CONTEXT, RoleSelection, RoleSupport, UserInformation};
    use crate::scp::{
        AllowedSource, CalledAe, CallingAe, CommitHandler, CommitRefusal, FindHandler, NotOpened,
        PrivateClasses, RetrieveHandler, StoreHandler, StoreStatus,
    };

    const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
    const IMPLICIT: &str = "1.2.840.10008.1.2";
    const EXPLICIT: &str = "1.2.840.10008.1.2.1";
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
                extended: Vec::new(),
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
                services: Service::ALL.to_vec(),
            }]),
            private_classes: PrivateClasses::Reject,
            ..ServerConfig::new("ARNO".parse().unwrap())
        }
    }

    fn services() -> Services {
        let store = StoreHandler::new(|_| async { StoreStatus::Success });
        let find = FindHandler::new(|_, _| async { Ok(()) });
        let retrieve =
            RetrieveHandler::new(|_| async { Ok(Vec::new()) }, |_| async { Err(NotOpened) });
        let refuse = |_| async { Err::<std::future::Pending<_>, _>(CommitRefusal::Failed) };
        Services {
            find: Some(find.with_extensions(&[Extension::Relational, Extension::FuzzyNames])),
            retrieve: Some(retrieve),
            commit: Some(CommitHandler::new(refuse)),
            ..Services::from(store)
        }
    }

    fn negotiate(
        config: &ServerConfig,
        request: &AssociateRq,
        address: &str,
    ) -> Result<(Agreement, AssociateAc), Reject> {
        super::negotiate(config, &services(), request, address.parse().unwrap())
    }

    #[test]
    fn strangers_are_rejected_with_the_reason() {
        let check = |change: fn(&mut AssociateRq), address: &str, expect: Option<Reject>| {
            let mut request = request();
            change(&mut request);
            let found = negotiate(&config(), &request, address);
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
        assert!(negotiate(&config, &request, "10.0.0.1").is_ok());
    }

    #[test]
    fn the_senders_first_known_transfer_syntax_wins() {
        let check = |class: &str, syntaxes: &[&str], expect: ContextOutcome| {
            let request = AssociateRq {
                contexts: vec![proposal(3, class, syntaxes)],
                ..request()
            };
            let (agreement, accept) = negotiate(&config(), &request, "10.0.0.1").unwrap();
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
            STUDY_ROOT_FIND,
            &[JPEG_LOSSLESS, IMPLICIT],
            accepted(IMPLICIT),
        );
        check(
            STUDY_ROOT_FIND,
            &[JPEG_LOSSLESS],
            ContextOutcome::TransferSyntaxesNotSupported,
        );
        check(
            "1.2.840.10008.5.1.4.31",
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
    fn a_service_is_offered_to_whom_it_is_allowed() {
        let check = |allowed: &[Service], class: &str, expect: bool| {
            let mut config = config();
            config.allow_list.as_mut().unwrap()[0].services = allowed.to_vec();
            let request = AssociateRq {
                contexts: vec![proposal(1, class, &[IMPLICIT])],
                ..request()
            };
            let (_, accept) = negotiate(&config, &request, "10.0.0.1").unwrap();
            let found = &accept.contexts[0].outcome;
            match expect {
                true => assert!(matches!(found, ContextOutcome::Accepted(_)), "{class}"),
                false => assert_eq!(*found, ContextOutcome::UserRejection, "{class}"),
            }
        };
        check(&[], "1.2.840.10008.1.1", true);
        for (service, class) in [
            (Service::Store, CT),
            (Service::Find, STUDY_ROOT_FIND),
            (Service::Retrieve, STUDY_ROOT_GET),
            (Service::Retrieve, PATIENT_ROOT_MOVE),
            (Service::Commit, STORAGE_COMMITMENT),
        ] {
            check(&[service], class, true);
            let others: Vec<_> = Service::ALL
                .into_iter()
                .filter(|it| *it != service)
                .collect();
            check(&others, class, false);
        }
    }

    #[test]
    fn what_nobody_serves_is_not_offered() {
        let store = Services::from(StoreHandler::new(|_| async { StoreStatus::Success }));
        for class in [
            STUDY_ROOT_FIND,
            STUDY_ROOT_GET,
            PATIENT_ROOT_MOVE,
            STORAGE_COMMITMENT,
        ] {
            let request = AssociateRq {
                contexts: vec![proposal(1, class, &[IMPLICIT])],
                ..request()
            };
            let address = "10.0.0.1".parse().unwrap();
            let (_, accept) = super::negotiate(&config(), &store, &request, address).unwrap();
            let expect = ContextOutcome::AbstractSyntaxNotSupported;
            assert_eq!(accept.contexts[0].outcome, expect);
        }
    }

    #[test]
    fn a_requestor_that_may_retrieve_may_be_sent_instances() {
        let check = |class: &str, other: &str, allowed: &[Service], expect| {
            let mut config = config();
            config.allow_list.as_mut().unwrap()[0].services = allowed.to_vec();
            let mut request = request();
            request.contexts = vec![
                proposal(1, class, &[JPEG_LOSSLESS, IMPLICIT, EXPLICIT]),
                proposal(3, other, &[IMPLICIT]),
            ];
            request.user.roles.push(RoleSelection {
                sop_class: class.parse().unwrap(),
                scu: RoleSupport::Yes,
                scp: RoleSupport::Yes,
            });
            let (agreement, accept) = negotiate(&config, &request, "10.0.0.1").unwrap();
            let role = &accept.user.roles[0];
            assert_eq!((role.scu, role.scp), expect, "{class} {allowed:?}");
            let context = agreement.contexts.iter().find(|it| it.id == 1);
            let to_peer = context.is_some_and(|it| it.peer_stores);
            assert_eq!(to_peer, expect.1 == RoleSupport::Yes);
            if to_peer {
                assert_eq!(context.unwrap().transfer_syntax.as_str(), EXPLICIT);
            }
        };
        let (yes, no) = (RoleSupport::Yes, RoleSupport::No);
        check(CT, STUDY_ROOT_GET, &Service::ALL, (yes, yes));
        check(CT, STUDY_ROOT_GET, &[Service::Retrieve], (no, yes));
        check(CT, STUDY_ROOT_GET, &[Service::Store], (yes, no));
        check(CT, STUDY_ROOT_FIND, &Service::ALL, (yes, no));
        check(STUDY_ROOT_GET, CT, &[Service::Retrieve], (yes, no));
        check(STORAGE_COMMITMENT, CT, &[Service::Commit], (yes, no));
    }

    #[test]
    fn extensions_are_agreed_on_byte_by_byte() {
        let check =
            |class: &str, proposed: &'static [u8], expect: Option<(&[u8], &[Extension])>| {
                let mut request = request();
                request.user.extended.push(ExtendedNegotiation {
                    sop_class: class.parse().unwrap(),
                    information: proposed.into(),
                });
                let (agreement, accept) = negotiate(&config(), &request, "10.0.0.1").unwrap();
                let answers = accept
                    .user
                    .extended
                    .iter()
                    .map(|it| it.information.as_ref());
                let agreed = agreement.extensions.iter().map(|(_, it)| it.as_slice());
                assert_eq!(answers.zip(agreed).next(), expect, "{class} {proposed:?}");
            };
        let (relational, fuzzy) = (Extension::Relational, Extension::FuzzyNames);
        check(STUDY_ROOT_FIND, &[1], Some((&[1], &[relational])));
        check(
            STUDY_ROOT_FIND,
            &[1, 1, 1, 1, 1],
            Some((&[1, 0, 1], &[relational, fuzzy])),
        );
        check(STUDY_ROOT_FIND, &[0, 0, 1], Some((&[0, 0, 1], &[fuzzy])));
        check(STUDY_ROOT_FIND, &[], Some((&[], &[])));
        check(STUDY_ROOT_GET, &[1], None);
        check(CT, &[2, 0, 0, 0, 0, 0], None);
    }
}
