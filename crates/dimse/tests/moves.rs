//! C-MOVE as a requestor and a destination see it: counts, failures, cancelling, and destinations that do not behave.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use arno_dimse::classes::{STUDY_ROOT_GET, STUDY_ROOT_MOVE};
use arno_dimse::command::{CancelRq, Command, MoveRq, Progress, Status};
use arno_dimse::pdu::MessagePart;
use arno_dimse::scp::{RetrieveHandler, RetrieveRequest, ServerConfig, Services, Target, Timeouts};
use arno_dimse::scu::{Peer, Security};
use support::archive::{contexts, counts, data_set, open, pipe, query, services, store_response};
use support::{CT, EXPLICIT, IMPLICIT, JPEG_LOSSLESS, MR, Scu, TestServer, config};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;

fn move_command(destination: &str) -> Command {
    Command::MoveRq(MoveRq {
        query: query(STUDY_ROOT_MOVE),
        destination: destination.parse().unwrap(),
    })
}

fn peer(ae_title: &str, port: u16) -> Peer {
    Peer {
        ae_title: ae_title.parse().unwrap(),
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::Plain,
    }
}

/// The last answer to a C-MOVE.
async fn moved(scu: &mut Scu<DuplexStream>) -> (Status, Progress, Vec<u8>) {
    loop {
        let (command, data_set) = scu.receive_message().await;
        let Command::MoveRsp(answer) = command else {
            panic!("not a C-MOVE-RSP: {command:?}")
        };
        if answer.response.status != Status::PENDING {
            return (answer.response.status, answer.progress, data_set);
        }
    }
}

#[tokio::test]
async fn instances_are_moved_to_a_third() {
    let third = TestServer::start(ServerConfig {
        ae_title: "THIRD".parse().unwrap(),
        ..config()
    })
    .await;
    let config = ServerConfig {
        peers: vec![peer("THIRD", third.address.port())],
        ..config()
    };
    let mut scu = pipe(config, services());
    scu.associate_as(contexts()).await;
    scu.send_message(9, &move_command("THIRD"), b"3 13 1 2")
        .await;
    let (status, progress, failed) = moved(&mut scu).await;
    assert_eq!(
        (status, progress),
        (Status::SOME_FAILED, counts(None, 3, 1, 0))
    );
    assert_eq!(failed, b"\x08\0\x58\0UI\x06\x001.2.13");
    let stored = std::mem::take(&mut *third.stored.lock().unwrap());
    let facts = stored.iter().map(|it| {
        let (instance, syntax) = (
            it.affected_sop_instance.as_str(),
            it.transfer_syntax.as_str(),
        );
        assert_eq!(it.calling_ae.as_str(), "ARNO");
        assert!(it.data_set[..] == data_set(instance, syntax)[..]);
        (instance, syntax)
    });
    let expect = [
        ("1.2.3", IMPLICIT),
        ("1.2.1", EXPLICIT),
        ("1.2.2", JPEG_LOSSLESS),
    ];
    assert_eq!(facts.collect::<Vec<_>>(), expect);
    scu.release().await;
    third.shut_down().await;
}

#[tokio::test]
async fn the_target_is_told_to_the_handler() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&seen);
    let select = move |request: RetrieveRequest| {
        keep.lock().unwrap().push(request.target);
        async { Ok(Vec::new()) }
    };
    let services = Services {
        retrieve: Some(RetrieveHandler::new(select, open)),
        ..services()
    };
    let config = ServerConfig {
        peers: vec![peer("THIRD", 1)],
        ..config()
    };
    let mut scu = pipe(config, services);
    scu.associate_as(contexts()).await;
    scu.send_message(9, &move_command("THIRD"), b"").await;
    assert_eq!(moved(&mut scu).await.0, Status::SUCCESS);
    let command = Command::GetRq(query(STUDY_ROOT_GET));
    scu.send_message(1, &command, b"").await;
    assert!(matches!(scu.receive_message().await.0, Command::GetRsp(_)));
    let expect = [Target::Peer("THIRD".parse().unwrap()), Target::Caller];
    assert_eq!(*seen.lock().unwrap(), expect);
}

#[tokio::test]
async fn destinations_that_are_not_there_fail_every_instance() {
    // Nobody listens there, and nobody is given it.
    let closed = 1;
    let rejecting = TestServer::start(config()).await;
    let config = ServerConfig {
        peers: vec![
            peer("CLOSED", closed),
            peer("REJECTING", rejecting.address.port()),
        ],
        ..config()
    };
    let mut scu = pipe(config, services());
    scu.associate_as(contexts()).await;
    for (title, expect) in [
        ("UNKNOWN", Status::MOVE_DESTINATION_UNKNOWN),
        ("CLOSED", Status::NO_SUB_OPERATIONS),
        ("REJECTING", Status::NO_SUB_OPERATIONS),
    ] {
        scu.send_message(9, &move_command(title), b"1 2").await;
        assert_eq!(moved(&mut scu).await.0, expect, "{title}");
    }
    scu.release().await;
    rejecting.shut_down().await;
}

#[tokio::test]
async fn a_destination_that_breaks_off_fails_the_rest() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ServerConfig {
        peers: vec![peer("BREAKING", listener.local_addr().unwrap().port())],
        ..config()
    };
    let destination = tokio::spawn(async move {
        let (mut third, request) = support::accept(&listener).await;
        let classes = request
            .contexts
            .iter()
            .map(|it| it.abstract_syntax.to_string());
        let classes: Vec<_> = classes.collect();
        let (context, Command::StoreRq(first), _) = third.receive_in_context().await else {
            panic!("no instance")
        };
        let origin = first.origin.clone().unwrap();
        assert_eq!((origin.ae_title.as_str(), origin.message_id), ("TESTER", 9));
        let answer = store_response(&first, Status::SUCCESS);
        third.send_message(context, &answer, b"").await;
        assert!(matches!(
            third.receive_message().await.0,
            Command::StoreRq(_)
        ));
        classes
    });
    let mut scu = pipe(config, services());
    scu.associate_as(contexts()).await;
    scu.send_message(9, &move_command("BREAKING"), b"1 2 3")
        .await;
    let (status, progress, _) = moved(&mut scu).await;
    assert_eq!(
        (status, progress),
        (Status::SOME_FAILED, counts(None, 1, 2, 0))
    );
    assert_eq!(destination.await.unwrap(), [CT, CT, CT, CT, MR]);
    scu.release().await;
}

#[tokio::test]
async fn a_destination_that_hangs_is_given_up_and_a_cancel_is_heard_meanwhile() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ServerConfig {
        peers: vec![peer("HANGING", listener.local_addr().unwrap().port())],
        timeouts: Timeouts {
            // Long enough for an association on a machine under load.
            sub_operation: Duration::from_secs(2),
            ..config().timeouts
        },
        ..config()
    };
    let mut scu = pipe(config, services());
    scu.associate_as(contexts()).await;
    scu.send_message(9, &move_command("HANGING"), b"1 2").await;
    let (mut third, _) = support::accept(&listener).await;
    assert!(matches!(
        third.receive_message().await.0,
        Command::StoreRq(_)
    ));
    let (status, progress, _) = moved(&mut scu).await;
    assert_eq!(
        (status, progress),
        (Status::NO_SUB_OPERATIONS, counts(None, 0, 2, 0))
    );
    assert_eq!(third.receive().await, None, "the connection is closed");
    scu.send_message(9, &move_command("HANGING"), b"1 2").await;
    let (mut third, _) = support::accept(&listener).await;
    assert!(matches!(
        third.receive_message().await.0,
        Command::StoreRq(_)
    ));
    let cancel = Command::CancelRq(CancelRq { request_id: 9 }).write();
    scu.send_part(9, MessagePart::Command, &cancel).await;
    let (status, progress, _) = moved(&mut scu).await;
    assert_eq!(
        (status, progress),
        (Status::CANCELLED, counts(Some(1), 0, 1, 0))
    );
    scu.release().await;
}

#[tokio::test]
async fn a_requestor_that_goes_away_ends_the_move() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = ServerConfig {
        peers: vec![peer("THIRD", listener.local_addr().unwrap().port())],
        ..config()
    };
    let mut scu = pipe(config, services());
    scu.associate_as(contexts()).await;
    scu.send_message(9, &move_command("THIRD"), b"1 2").await;
    let (mut third, _) = support::accept(&listener).await;
    assert!(matches!(
        third.receive_message().await.0,
        Command::StoreRq(_)
    ));
    drop(scu);
    assert_eq!(third.receive().await, None, "the connection is closed");
}
