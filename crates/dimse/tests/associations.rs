//! Associations and their services as a requestor sees them, over loopback TCP or, where time matters, a pipe.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::time::Duration;

use arno_dimse::command::{Command, DataSet, Priority, QueryRq, Status};
use arno_dimse::limits::MAX_PENDING;
use arno_dimse::pdu::{Abort, AssociateRq, DataValue, FragmentPosition, MessagePart, Pdu, Reject};
use arno_dimse::scp::{
    AllowedSource, CallingAe, Server, ServerConfig, Service, StoreHandler, StoreStatus, Timeouts,
};
use arno_dimse::{classes, part10};
use bytes::Bytes;
use support::{
    CT, EXPLICIT, IMPLICIT, JPEG_LOSSLESS, MR, Scu, TestServer, accepted, config, proposal,
    request, start, store_command, uid, usual_contexts,
};
use tokio::io::{AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;

#[tokio::test]
async fn an_echo_is_answered_and_the_association_released() {
    let server = TestServer::start(config()).await;
    let mut scu = server.connect().await;
    scu.associate(usual_contexts()).await;
    for message_id in [1, 65_535] {
        let Command::EchoRsp(answer) = scu.echo(message_id).await else {
            panic!("no C-ECHO-RSP")
        };
        assert_eq!(
            (answer.request_id, answer.status),
            (message_id, Status::SUCCESS)
        );
    }
    scu.release().await;
    server.shut_down().await;
}

#[tokio::test]
async fn instances_are_stored_as_they_come_over_several_contexts() {
    let server = TestServer::start(config()).await;
    let mut scu = server.connect().await;
    let accept = scu.associate(usual_contexts()).await;
    let expect = [
        (1, IMPLICIT),
        (3, EXPLICIT),
        (5, JPEG_LOSSLESS),
        (7, IMPLICIT),
    ];
    assert_eq!(
        accepted(&accept),
        expect.map(|(id, syntax)| (id, syntax.to_owned()))
    );
    let large: Vec<u8> = (0..700_001_u32).map(|i| (i % 251) as u8).collect();
    assert_eq!(scu.store(3, CT, "1.2.1", &large).await, Status::SUCCESS);
    assert_eq!(
        scu.store(5, CT, "1.2.2", b"lossless").await,
        Status::SUCCESS
    );
    assert_eq!(scu.store(7, MR, "1.2.3", b"").await, Status::SUCCESS);
    scu.release().await;
    let stored = std::mem::take(&mut *server.stored.lock().unwrap());
    let facts = stored.iter().map(|request| {
        assert_eq!(request.calling_ae.as_str(), "TESTER");
        (
            request.affected_sop_class.as_str(),
            request.affected_sop_instance.as_str(),
            request.transfer_syntax.as_str(),
        )
    });
    let expect = [
        (CT, "1.2.1", EXPLICIT),
        (CT, "1.2.2", JPEG_LOSSLESS),
        (MR, "1.2.3", IMPLICIT),
    ];
    assert_eq!(facts.collect::<Vec<_>>(), expect);
    assert!(stored[0].data_set[..] == large[..]);
    // A file is the same whether it is made where the data set lies or in a copy, because somebody else holds on to that.
    let copied = part10(stored[1].clone());
    let file = part10(stored.into_iter().nth(1).unwrap());
    assert_eq!(file, copied);
    assert_eq!(&file[128..132], b"DICM");
    assert!(file.ends_with(b"lossless"));
    server.shut_down().await;
}

#[tokio::test]
async fn two_associations_run_in_parallel_and_a_third_is_told_to_wait() {
    let server = TestServer::start(ServerConfig {
        max_associations: 2,
        ..config()
    })
    .await;
    let (mut first, mut second) = (server.connect().await, server.connect().await);
    first.associate(usual_contexts()).await;
    second.associate(usual_contexts()).await;
    first
        .send_part(3, MessagePart::Command, &store_command(CT, "1.1").write())
        .await;
    assert_eq!(
        second.store(3, CT, "1.2", b"second").await,
        Status::SUCCESS,
        "while the first is in a message"
    );
    let mut third = server.connect().await;
    third
        .send(&Pdu::AssociateRq(request(usual_contexts())))
        .await;
    assert_eq!(
        third.receive().await,
        Some(Pdu::AssociateRj(Reject::LocalLimit))
    );
    drop(third);
    first.send_part(3, MessagePart::DataSet, b"first").await;
    assert!(matches!(
        first.receive_command().await,
        Command::StoreRsp(_)
    ));
    first.release().await;
    second.release().await;
    let stored: Vec<_> = server
        .stored
        .lock()
        .unwrap()
        .iter()
        .map(|it| it.data_set.bytes())
        .collect();
    assert_eq!(stored, ["second", "first"]);
    server.shut_down().await;
}

#[tokio::test]
async fn silent_and_unknown_callers_take_no_association_from_others() {
    let known = CallingAe {
        ae_title: "TESTER".parse().unwrap(),
        source: AllowedSource::Any,
        services: Service::ALL.to_vec(),
    };
    let config = ServerConfig {
        max_associations: 1,
        allow_list: Some(vec![known]),
        ..config()
    };
    let server = TestServer::start(config).await;
    let silent = [server.connect().await, server.connect().await];
    let mut unknown = server.connect().await;
    let request = AssociateRq {
        calling_ae: "OTHER".parse().unwrap(),
        ..request(usual_contexts())
    };
    unknown.send(&Pdu::AssociateRq(request)).await;
    assert_eq!(
        unknown.receive().await,
        Some(Pdu::AssociateRj(Reject::CallingAe))
    );
    let mut scu = server.connect().await;
    scu.associate(usual_contexts()).await;
    scu.release().await;
    drop((silent, unknown));
    server.shut_down().await;
}

#[tokio::test]
async fn more_connections_than_can_be_pending_are_closed() {
    let server = TestServer::start(config()).await;
    let mut silent = Vec::new();
    for _ in 0..MAX_PENDING {
        silent.push(server.connect().await);
    }
    assert_eq!(server.connect().await.receive().await, None);
    server.shut_down().await;
    assert_eq!(
        silent[0].receive().await,
        None,
        "the end of the server ends silence too"
    );
}

#[tokio::test]
async fn strangers_are_rejected_with_the_reason() {
    let known = CallingAe {
        ae_title: "TESTER".parse().unwrap(),
        source: AllowedSource::Any,
        services: Service::ALL.to_vec(),
    };
    let server = TestServer::start(ServerConfig {
        allow_list: Some(vec![known]),
        ..config()
    })
    .await;
    let check = async |change: fn(&mut AssociateRq), expect: [u8; 3]| {
        let mut scu = server.connect().await;
        let mut request = request(usual_contexts());
        change(&mut request);
        scu.send(&Pdu::AssociateRq(request)).await;
        let Some(Pdu::AssociateRj(reject)) = scu.receive().await else {
            panic!("not rejected")
        };
        assert_eq!(reject.codes(), expect);
        assert_eq!(scu.receive().await, None);
    };
    check(|rq| rq.called_ae = "OTHER".parse().unwrap(), [1, 1, 7]).await;
    check(|rq| rq.calling_ae = "OTHER".parse().unwrap(), [1, 1, 3]).await;
    check(|rq| rq.application_context = uid("1.2.3"), [1, 1, 2]).await;
    check(|rq| rq.protocol_version = 0, [1, 2, 2]).await;
    server.shut_down().await;
}

#[tokio::test]
async fn what_is_not_the_protocol_is_aborted() {
    let server = TestServer::start(config()).await;
    let check = async |before: bool, bytes: &[u8], expect: Abort| {
        let mut scu = server.connect().await;
        if before {
            scu.associate(usual_contexts()).await;
        }
        scu.stream.write_all(bytes).await.unwrap();
        assert_eq!(scu.receive().await, Some(Pdu::Abort(expect)), "{bytes:?}");
        assert_eq!(scu.receive().await, None);
    };
    let data = |context, part, bytes: &'static [u8]| {
        let position = FragmentPosition::Last;
        Pdu::Data(vec![DataValue {
            context,
            part,
            position,
            bytes: Bytes::from_static(bytes),
        }])
        .write()
    };
    check(false, b"GET / HTTP/1.1\r\n\r\n", Abort::UnrecognizedPdu).await;
    check(false, &Pdu::ReleaseRq.write(), Abort::UnexpectedPdu).await;
    check(false, b"\x01\0\xff\xff\xff\xff", Abort::InvalidParameter).await;
    check(true, b"\x04\0\xff\xff\xff\xff", Abort::InvalidParameter).await;
    check(true, b"\x04\0\0\x02\0\x01", Abort::InvalidParameter).await;
    check(
        true,
        &Pdu::AssociateRq(request(usual_contexts())).write(),
        Abort::UnexpectedPdu,
    )
    .await;
    check(
        true,
        &data(9, MessagePart::Command, b""),
        Abort::InvalidParameter,
    )
    .await;
    check(true, &data(3, MessagePart::DataSet, b"x"), Abort::User).await;
    check(
        true,
        &data(3, MessagePart::Command, b"garbage"),
        Abort::User,
    )
    .await;
    let mut interleaved = Vec::new();
    for (context, part) in [(3, MessagePart::Command), (5, MessagePart::DataSet)] {
        let bytes = Bytes::from(store_command(CT, "1.2").write());
        let position = FragmentPosition::Last;
        interleaved.extend(
            Pdu::Data(vec![DataValue {
                context,
                part,
                position,
                bytes,
            }])
            .write(),
        );
    }
    check(true, &interleaved, Abort::User).await;
    let command = Bytes::from(store_command(CT, "1.2").write());
    let mut early = Pdu::Data(vec![DataValue {
        context: 3,
        part: MessagePart::Command,
        position: FragmentPosition::Last,
        bytes: command,
    }])
    .write();
    early.extend(Pdu::ReleaseRq.write());
    check(true, &early, Abort::UnexpectedPdu).await;
    server.shut_down().await;
}

#[tokio::test]
async fn what_is_too_large_is_refused_and_the_next_instance_stored() {
    let server = TestServer::start(ServerConfig {
        max_instance_bytes: 1000,
        ..config()
    })
    .await;
    let mut scu = server.connect().await;
    scu.associate(usual_contexts()).await;
    assert_eq!(
        scu.store(3, CT, "1.2.1", &[0; 1001]).await,
        Status::OUT_OF_RESOURCES
    );
    assert_eq!(
        scu.store(3, CT, "1.2.1", &[0; 500_000]).await,
        Status::OUT_OF_RESOURCES
    );
    assert_eq!(scu.store(3, CT, "1.2.2", &[0; 1000]).await, Status::SUCCESS);
    scu.release().await;
    assert_eq!(server.stored.lock().unwrap().len(), 1);
    server.shut_down().await;
}

#[tokio::test]
async fn requests_that_are_not_served_get_a_status_and_the_association_lives() {
    let server = TestServer::start(config()).await;
    let mut scu = server.connect().await;
    scu.associate(usual_contexts()).await;
    let query = QueryRq {
        message_id: 9,
        sop_class: uid(CT),
        priority: Priority::Low,
        data_set: DataSet::Follows,
    };
    for (command, expect_code) in [
        (Command::FindRq(query.clone()), 0x8020),
        (Command::GetRq(query), 0x8010),
    ] {
        scu.send_part(3, MessagePart::Command, &command.write())
            .await;
        scu.send_part(3, MessagePart::DataSet, &[0; 1000]).await;
        let answer = scu.receive_command().await;
        let (Command::FindRsp(response)
        | Command::GetRsp(arno_dimse::command::RetrieveResponse { response, .. })) = &answer
        else {
            panic!("{answer:?}")
        };
        assert_eq!(
            (answer.code(), response.status, response.request_id),
            (expect_code, Status::UNRECOGNIZED_OPERATION, 9)
        );
    }
    assert_eq!(
        scu.store(7, CT, "1.2.1", b"x").await,
        Status::CLASS_NOT_SUPPORTED
    );
    assert_eq!(scu.store(3, CT, "1.2.1", b"x").await, Status::SUCCESS);
    scu.release().await;
    server.shut_down().await;
}

#[tokio::test]
async fn an_instance_without_a_legal_uid_is_refused_alone() {
    let server = TestServer::start(config()).await;
    let mut scu = server.connect().await;
    scu.associate(usual_contexts()).await;
    let mut command = store_command(CT, "1.2.7").write();
    let at = command
        .windows(5)
        .position(|window| window == b"1.2.7")
        .unwrap();
    command[at + 4] = b'x';
    scu.send_part(3, MessagePart::Command, &command).await;
    scu.send_part(3, MessagePart::DataSet, b"x").await;
    let Command::StoreRsp(answer) = scu.receive_command().await else {
        panic!("no C-STORE-RSP")
    };
    assert_eq!(answer.response.status, Status::INVALID_ARGUMENT);
    assert_eq!(scu.store(3, CT, "1.2.1", b"x").await, Status::SUCCESS);
    scu.release().await;
    server.shut_down().await;
}

#[tokio::test]
async fn every_answer_of_the_handler_reaches_the_peer() {
    let check = async |answer: StoreStatus, expect: u16| {
        let handler = StoreHandler::new(move |_| async move { answer });
        let (address, _stop, _task) = start(config(), handler).await;
        let mut scu = Scu::new(TcpStream::connect(address).await.unwrap());
        scu.associate(usual_contexts()).await;
        assert_eq!(scu.store(3, CT, "1.2", b"x").await, Status(expect));
    };
    check(StoreStatus::Success, 0).await;
    check(StoreStatus::OutOfResources, 0xA700).await;
    check(StoreStatus::DataSetMismatch, 0xA900).await;
    check(StoreStatus::CannotUnderstand, 0xC000).await;
    check(StoreStatus::Refused, 0x0124).await;
    check(StoreStatus::Failed, 0x0110).await;
}

#[tokio::test]
async fn shutting_down_finishes_the_message_and_ends_the_association() {
    let server = TestServer::start(config()).await;
    let (mut busy, mut idle) = (server.connect().await, server.connect().await);
    busy.associate(usual_contexts()).await;
    idle.associate(vec![proposal(1, classes::VERIFICATION, &[IMPLICIT])])
        .await;
    busy.send_part(3, MessagePart::Command, &store_command(CT, "1.1").write())
        .await;
    assert!(matches!(idle.echo(1).await, Command::EchoRsp(_)));
    let stored = std::sync::Arc::clone(&server.stored);
    let shut_down = tokio::spawn(server.shut_down());
    assert_eq!(idle.receive().await, Some(Pdu::Abort(Abort::User)));
    drop(idle);
    busy.send_part(3, MessagePart::DataSet, b"to the end").await;
    assert!(matches!(busy.receive_command().await, Command::StoreRsp(_)));
    assert_eq!(busy.receive().await, Some(Pdu::Abort(Abort::User)));
    drop(busy);
    shut_down.await.unwrap();
    assert_eq!(stored.lock().unwrap().len(), 1);
}

/// A server on one end of a pipe, so that time can be stopped.
fn pipe(config: ServerConfig, handler: StoreHandler) -> Scu<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = Server::new(config, handler).unwrap();
    tokio::spawn(async move {
        server
            .serve_link(theirs, "127.0.0.1".parse().unwrap())
            .await
    });
    Scu::new(ours)
}

fn slow() -> Timeouts {
    Timeouts {
        artim: Duration::from_secs(1),
        idle: Duration::from_secs(20),
        pdu: Duration::from_secs(5),
        store: Duration::from_secs(300),
        shutdown: Duration::from_secs(1),
        ..config().timeouts
    }
}

#[tokio::test(start_paused = true)]
async fn silence_ends_an_association_when_its_time_is_over() {
    let check = async |associate: bool, sent: &[u8], seconds: u64, expect: Option<Pdu>| {
        let handler = StoreHandler::new(|_| async { StoreStatus::Success });
        let mut scu = pipe(
            ServerConfig {
                timeouts: slow(),
                ..config()
            },
            handler,
        );
        if associate {
            scu.associate(usual_contexts()).await;
        }
        scu.stream.write_all(sent).await.unwrap();
        let begin = tokio::time::Instant::now();
        assert_eq!(scu.receive().await, expect);
        assert_eq!(begin.elapsed().as_secs(), seconds);
    };
    let abort = Some(Pdu::Abort(Abort::Unspecified));
    check(false, b"", 1, None).await;
    check(false, b"\x01\0\0\0", 1, None).await;
    check(true, b"", 20, abort.clone()).await;
    check(true, b"\x04\0\0", 5, abort.clone()).await;
    check(true, b"\x04\0\0\0\x01\0abc", 5, abort.clone()).await;
    let value = DataValue {
        context: 3,
        part: MessagePart::Command,
        position: FragmentPosition::Last,
        bytes: Bytes::from(store_command(CT, "1.2").write()),
    };
    check(true, &Pdu::Data(vec![value]).write(), 5, abort).await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_given_up() {
    let handler = StoreHandler::new(|_| std::future::pending());
    let mut scu = pipe(config(), handler);
    scu.associate(usual_contexts()).await;
    let begin = tokio::time::Instant::now();
    assert_eq!(
        scu.store(3, CT, "1.2", b"x").await,
        Status::OUT_OF_RESOURCES
    );
    assert_eq!(begin.elapsed(), config().timeouts.store);
}
