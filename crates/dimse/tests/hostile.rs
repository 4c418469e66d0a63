//! Bytes of strangers: nothing panics, what is written reads back, memory stays bounded.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use arno_dimse::classes;
use arno_dimse::command::{
    CancelRq, Command, DataSet, EchoRq, InstanceResponse, MoveOrigin, MoveRq, NotifyResponse,
    NotifyRq, Priority, Progress, QueryRq, Response, RetrieveResponse, Status, StoreRq, Unserved,
};
use arno_dimse::limits::{MAX_ASSOCIATE_BYTES, MAX_CONTEXTS, PDU_HEADER_BYTES};
use arno_dimse::pdu::{
    Abort, AssociateAc, AssociateRq, ContextOutcome, ContextResult, DataValue, ExtendedNegotiation,
    FragmentPosition, MessagePart, Pdu, PduError, PduHeader, PduKind, Reject, RoleSelection,
    RoleSupport,
};
use arno_dimse::scp::{
    Answers, CommitHandler, CommitOutcome, CommitReport, CommitRequest, FindHandler, OpenRequest,
    Opened, RetrieveHandler, Selected, Server, ServerConfig, Services, StoreHandler, StoreStatus,
};
use bytes::Bytes;
use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};
use proptest::{prop_assert_eq, proptest};
use support::{
    CT, EXPLICIT, IMPLICIT, MR, config, message_pdus, proposal, request, store_command, uid,
    usual_contexts,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// One of each kind.
fn pdus() -> Vec<Pdu> {
    let mut ask = request(usual_contexts());
    ask.user.roles.push(RoleSelection {
        sop_class: uid(CT),
        scu: RoleSupport::Yes,
        scp: RoleSupport::No,
    });
    ask.user.extended.push(ExtendedNegotiation {
        sop_class: uid(classes::STUDY_ROOT_FIND),
        information: Bytes::from_static(&[1, 0, 1]),
    });
    let outcomes = [
        ContextOutcome::Accepted(uid(EXPLICIT)),
        ContextOutcome::UserRejection,
        ContextOutcome::NoReason,
        ContextOutcome::AbstractSyntaxNotSupported,
        ContextOutcome::TransferSyntaxesNotSupported,
    ];
    let contexts = outcomes.into_iter().zip([1, 3, 5, 7, 9]);
    let accept = AssociateAc {
        called_ae: ask.called_ae.clone(),
        calling_ae: ask.calling_ae.clone(),
        contexts: contexts
            .map(|(outcome, id)| ContextResult { id, outcome })
            .collect(),
        user: ask.user.clone(),
    };
    let value = |part, position| DataValue {
        context: 3,
        part,
        position,
        bytes: Bytes::from_static(b"value"),
    };
    vec![
        Pdu::AssociateRq(ask),
        Pdu::AssociateAc(accept),
        Pdu::AssociateRj(Reject::CalledAe),
        Pdu::AssociateRj(Reject::Other {
            result: 2,
            source: 3,
            reason: 1,
        }),
        Pdu::Data(vec![
            value(MessagePart::Command, FragmentPosition::Last),
            value(MessagePart::DataSet, FragmentPosition::More),
        ]),
        Pdu::ReleaseRq,
        Pdu::ReleaseRp,
        Pdu::Abort(Abort::InvalidParameter),
        Pdu::Abort(Abort::Other {
            source: 2,
            reason: 4,
        }),
    ]
}

fn commands() -> Vec<Command> {
    let query = QueryRq {
        message_id: 1,
        sop_class: uid(MR),
        priority: Priority::High,
        data_set: DataSet::Follows,
    };
    let response = Response {
        request_id: 5,
        sop_class: Some(uid(CT)),
        status: Status(0xFF00),
        data_set: DataSet::Follows,
    };
    let retrieve = RetrieveResponse {
        response: response.clone(),
        progress: Progress {
            remaining: Some(3),
            completed: Some(2),
            failed: Some(1),
            warning: None,
        },
    };
    let notify = NotifyRq {
        message_id: 8,
        sop_class: uid("1.2.840.10008.1.20.1"),
        sop_instance: uid("1.2.840.10008.1.20.1.1"),
        type_id: 1,
        data_set: DataSet::Follows,
    };
    let notified = NotifyResponse {
        response: response.clone(),
        sop_instance: Some(uid("1.2")),
        type_id: Some(1),
    };
    vec![
        Command::EchoRq(EchoRq {
            message_id: 1,
            sop_class: uid("1.2.840.10008.1.1"),
        }),
        Command::EchoRsp(Response {
            data_set: DataSet::Absent,
            ..response.clone()
        }),
        Command::StoreRq(StoreRq {
            message_id: 2,
            sop_class: uid(CT),
            sop_instance: uid("1.2.3"),
            priority: Priority::Low,
            data_set: DataSet::Follows,
            origin: Some(MoveOrigin {
                ae_title: "MOVER".parse().unwrap(),
                message_id: 77,
            }),
        }),
        Command::StoreRsp(InstanceResponse {
            response: response.clone(),
            sop_instance: Some(uid("1.2.3")),
        }),
        Command::FindRq(query.clone()),
        Command::FindRsp(response),
        Command::GetRq(query.clone()),
        Command::GetRsp(retrieve.clone()),
        Command::MoveRq(MoveRq {
            query,
            destination: "DEST".parse().unwrap(),
        }),
        Command::MoveRsp(retrieve),
        Command::CancelRq(CancelRq { request_id: 4 }),
        Command::EventReportRq(notify.clone()),
        Command::EventReportRsp(notified.clone()),
        Command::ActionRq(notify),
        Command::ActionRsp(notified),
        Command::Unserved(Unserved {
            field: 0x0120,
            message_id: 3,
            sop_class: Some(uid(CT)),
            data_set: DataSet::Absent,
            status: Status::UNRECOGNIZED_OPERATION,
        }),
    ]
}

fn read(bytes: &[u8]) -> Result<Pdu, PduError> {
    let (header, body) = bytes.split_first_chunk::<PDU_HEADER_BYTES>().unwrap();
    let header = PduHeader::read(*header, 128 * 1024)?;
    assert!(header.length <= MAX_ASSOCIATE_BYTES);
    let body = &body[..body.len().min(header.length as usize)];
    Pdu::read(header.kind, Bytes::copy_from_slice(body))
}

#[test]
fn every_pdu_reads_back_as_it_was_written() {
    for pdu in pdus() {
        assert_eq!(read(&pdu.write()), Ok(pdu));
    }
}

#[test]
fn every_command_reads_back_as_it_was_written() {
    for command in commands() {
        assert_eq!(Command::read(&command.write()), Ok(command));
    }
}

#[test]
fn a_cut_pdu_is_an_error() {
    for pdu in pdus() {
        let bytes = pdu.write();
        let body = Bytes::from(bytes).slice(PDU_HEADER_BYTES..);
        for end in 0..body.len() {
            let cut = Pdu::read(pdu.kind(), body.slice(..end));
            assert!(cut.as_ref() != Ok(&pdu), "{:?} cut at {end}", pdu.kind());
        }
    }
}

#[test]
fn limits_are_errors() {
    let check = |bytes: Vec<u8>, expect: PduError| assert_eq!(read(&bytes), Err(expect));
    let contexts = |count: u8| {
        (0..count)
            .map(|i| proposal(i.wrapping_mul(2) | 1, CT, &[IMPLICIT]))
            .collect()
    };
    assert!(read(&Pdu::AssociateRq(request(contexts(128))).write()).is_ok());
    check(
        Pdu::AssociateRq(request(contexts(129))).write(),
        PduError::TooMany {
            items: "presentation contexts",
            limit: MAX_CONTEXTS,
        },
    );
    check(
        Pdu::AssociateRq(request(vec![
            proposal(1, CT, &[IMPLICIT]),
            proposal(1, CT, &[IMPLICIT]),
        ]))
        .write(),
        PduError::Invalid {
            field: "presentation context id",
            at: 74 + 25 + 58,
        },
    );
    check(
        Pdu::AssociateRq(request(vec![proposal(1, CT, &[IMPLICIT; 129])])).write(),
        PduError::TooMany {
            items: "transfer syntaxes",
            limit: 128,
        },
    );
    let value = DataValue {
        context: 1,
        part: MessagePart::DataSet,
        position: FragmentPosition::More,
        bytes: Bytes::new(),
    };
    check(
        Pdu::Data(vec![value; 257]).write(),
        PduError::TooMany {
            items: "presentation data values",
            limit: 256,
        },
    );
    check(
        b"\x04\0\0\x02\0\x01".to_vec(),
        PduError::TooLong {
            kind: PduKind::Data,
            length: 131_073,
            limit: 131_072,
        },
    );
}

/// A PDU or message with some bytes changed, cut or doubled.
fn mutated(samples: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let changes = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8);
    (
        prop::sample::select(samples),
        changes,
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(mut bytes, changes, at, cut)| {
            for (index, byte) in changes {
                let index = index.index(bytes.len());
                bytes[index] = byte;
            }
            let at = at.index(bytes.len());
            if cut {
                bytes.truncate(at);
            } else {
                bytes.extend_from_within(at..);
            }
            bytes
        })
}

fn kind() -> impl Strategy<Value = PduKind> {
    prop_oneof![
        Just(PduKind::AssociateRq),
        Just(PduKind::AssociateAc),
        Just(PduKind::AssociateRj),
        Just(PduKind::Data),
        Just(PduKind::ReleaseRq),
        Just(PduKind::Abort),
    ]
}

fn bodies() -> Vec<Vec<u8>> {
    pdus()
        .iter()
        .map(|pdu| pdu.write()[PDU_HEADER_BYTES..].to_vec())
        .collect()
}

/// What a peer may send: an association, messages, garbage in any order.
fn conversation() -> impl Strategy<Value = Vec<u8>> {
    let value = |part, bytes: Vec<u8>| {
        let position = FragmentPosition::Last;
        Pdu::Data(vec![DataValue {
            context: 3,
            part,
            position,
            bytes: Bytes::from(bytes),
        }])
        .write()
    };
    let mut samples: Vec<Vec<u8>> = pdus().iter().map(Pdu::write).collect();
    samples.extend(
        commands()
            .iter()
            .map(|command| value(MessagePart::Command, command.write())),
    );
    samples.push(value(
        MessagePart::Command,
        store_command(CT, "1.2").write(),
    ));
    samples.push(value(MessagePart::DataSet, vec![1; 3000]));
    samples.extend(operations());
    let part = prop_oneof![4 => prop::sample::select(samples.clone()), 1 => mutated(samples)];
    prop::collection::vec(part, 0..12).prop_map(|parts| {
        let mut bytes = Pdu::AssociateRq(everything()).write();
        bytes.extend(parts.concat());
        bytes
    })
}

/// One of each that gives something.
fn services() -> Services {
    let select = |_| async {
        Ok(vec![Selected {
            sop_class: uid(CT),
            sop_instance: uid("1.2.3"),
            transfer_syntax: uid(EXPLICIT),
            size_bytes: 100,
        }])
    };
    let open = |request: OpenRequest| async move {
        Ok(Opened {
            transfer_syntax: request.accepted[0].clone(),
            data_set: vec![0; 100].into(),
        })
    };
    let find = FindHandler::new(|_, answers: Answers| async move {
        let _ = answers.send(vec![0; 100].into()).await;
        Ok(())
    });
    let commit = CommitHandler::new(|request: CommitRequest| async {
        let information = request.information;
        let outcome = CommitOutcome::AllCommitted;
        Ok(async move {
            CommitReport {
                outcome,
                information,
            }
        })
    });
    Services {
        store: StoreHandler::new(|_| async { StoreStatus::Success }),
        find: Some(find),
        retrieve: Some(RetrieveHandler::new(select, open)),
        commit: Some(commit),
    }
}

/// Requests of every service, each in its own context, and what may come in between.
fn operations() -> Vec<Vec<u8>> {
    let query = |class| QueryRq {
        message_id: 1,
        sop_class: uid(class),
        priority: Priority::Medium,
        data_set: DataSet::Follows,
    };
    let action = NotifyRq {
        message_id: 1,
        sop_class: uid(classes::STORAGE_COMMITMENT),
        sop_instance: uid(classes::STORAGE_COMMITMENT_INSTANCE),
        type_id: 1,
        data_set: DataSet::Follows,
    };
    let stored = Command::StoreRsp(InstanceResponse {
        response: Response {
            request_id: 1,
            sop_class: None,
            status: Status::SUCCESS,
            data_set: DataSet::Absent,
        },
        sop_instance: None,
    });
    let moving = MoveRq {
        query: query(classes::STUDY_ROOT_MOVE),
        destination: "DEST".parse().unwrap(),
    };
    let messages = [
        (9, Command::FindRq(query(classes::STUDY_ROOT_FIND))),
        (11, Command::GetRq(query(classes::STUDY_ROOT_GET))),
        (13, Command::MoveRq(moving)),
        (15, Command::ActionRq(action)),
    ];
    let whole =
        messages.map(|(context, command)| message_pdus(context, &command, b"asked").concat());
    let cancel = Command::CancelRq(CancelRq { request_id: 1 });
    let alone = [cancel, stored].map(|command| message_pdus(3, &command, b"")[0].clone());
    whole.into_iter().chain(alone).collect()
}

/// Every service is negotiated.
fn everything() -> AssociateRq {
    let mut request = request(usual_contexts());
    request.contexts.extend([
        proposal(9, classes::STUDY_ROOT_FIND, &[IMPLICIT]),
        proposal(11, classes::STUDY_ROOT_GET, &[IMPLICIT]),
        proposal(13, classes::STUDY_ROOT_MOVE, &[IMPLICIT]),
        proposal(15, classes::STORAGE_COMMITMENT, &[IMPLICIT]),
    ]);
    request.user.roles.push(RoleSelection {
        sop_class: uid(CT),
        scu: RoleSupport::Yes,
        scp: RoleSupport::Yes,
    });
    request
}

/// The server takes the conversation and closes; it is not left running.
fn converse(bytes: Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(async {
        let (mut ours, theirs) = tokio::io::duplex(1024 * 1024);
        let config = ServerConfig {
            max_instance_bytes: 2000,
            max_total_bytes: 100_000,
            ..config()
        };
        let server = Server::new(config, services()).unwrap();
        let serve =
            tokio::spawn(async move { server.serve_link(theirs, "::1".parse().unwrap()).await });
        ours.write_all(&bytes).await.unwrap();
        ours.shutdown().await.unwrap();
        let mut answer = Vec::new();
        ours.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer.first(), Some(&2), "the association was accepted");
        serve.await.unwrap();
    });
}

proptest! {
    #[test]
    fn arbitrary_pdus_do_not_panic(kind in kind(), body in prop::collection::vec(any::<u8>(), 0..600)) {
        let _ = Pdu::read(kind, Bytes::from(body));
    }

    #[test]
    fn mutated_pdus_do_not_panic(kind in kind(), body in mutated(bodies())) {
        let _ = Pdu::read(kind, Bytes::from(body));
    }

    #[test]
    fn what_is_read_is_written_so_that_it_reads_the_same(kind in kind(), body in mutated(bodies())) {
        if let Ok(pdu) = Pdu::read(kind, Bytes::from(body)) {
            prop_assert_eq!(read(&pdu.write()), Ok(pdu));
        }
    }

    #[test]
    fn mutated_commands_do_not_panic(bytes in mutated(commands().iter().map(Command::write).collect())) {
        if let Ok(command) = Command::read(&bytes) {
            let _ = command.write_refusal(Status::PROCESSING_FAILURE);
            let _ = command.write();
        }
    }

    #[test]
    fn any_conversation_ends(bytes in conversation()) {
        converse(bytes);
    }
}
