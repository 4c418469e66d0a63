//! C-FIND as a requestor sees it: rows, failures, cancelling, and peers that do not stop asking.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use arno_dimse::classes::{PATIENT_ROOT_FIND, STUDY_ROOT_FIND};
use arno_dimse::command::{CancelRq, Command, DataSet, Priority, QueryRq, Status};
use arno_dimse::limits::{MAX_CANCELS, MAX_IDENTIFIER_BYTES, MAX_ROWS_AHEAD};
use arno_dimse::pdu::{Abort, ExtendedNegotiation, MessagePart, Pdu};
use arno_dimse::scp::{
    Answers, Extension, FindHandler, FindRequest, Model, QueryFailure, Server, ServerConfig,
    Services, StoreHandler, StoreStatus,
};
use bytes::Bytes;
use support::{EXPLICIT, IMPLICIT, Scu, config, proposal, request, uid};
use tokio::io::DuplexStream;

/// Patient root 1 explicit, study root 3 implicit.
fn contexts() -> Vec<arno_dimse::pdu::ProposedContext> {
    vec![
        proposal(1, PATIENT_ROOT_FIND, &[EXPLICIT, IMPLICIT]),
        proposal(3, STUDY_ROOT_FIND, &[IMPLICIT]),
    ]
}

fn find_command(class: &str) -> Command {
    Command::FindRq(QueryRq {
        message_id: 9,
        sop_class: uid(class),
        priority: Priority::Medium,
        data_set: DataSet::Follows,
    })
}

fn cancel_command(request_id: u16) -> Vec<u8> {
    Command::CancelRq(CancelRq { request_id }).write()
}

fn with(find: FindHandler) -> Services {
    let store = StoreHandler::new(|_| async { StoreStatus::Success });
    Services {
        find: Some(find),
        ..Services::from(store)
    }
}

/// A server on one end of a pipe, so that nothing is lost in buffers of the kernel.
async fn converse(config: ServerConfig, find: FindHandler) -> Scu<DuplexStream> {
    let mut scu = unassociated(config, find);
    scu.associate(contexts()).await;
    scu
}

fn unassociated(config: ServerConfig, find: FindHandler) -> Scu<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = Server::new(config, with(find)).unwrap();
    tokio::spawn(async move { server.serve_link(theirs, "::1".parse().unwrap()).await });
    Scu::new(ours)
}

/// The rows of the next answers, and the status of the last.
async fn answers(scu: &mut Scu<DuplexStream>) -> (Vec<Vec<u8>>, Status) {
    let mut rows = Vec::new();
    loop {
        let (command, data_set) = scu.receive_message().await;
        let Command::FindRsp(response) = command else {
            panic!("not a C-FIND-RSP: {command:?}")
        };
        assert_eq!(response.request_id, 9);
        if response.status != Status::PENDING {
            assert_eq!(response.data_set, DataSet::Absent);
            return (rows, response.status);
        }
        rows.push(data_set);
    }
}

/// Gives rows without end and counts them.
fn endless(given: &Arc<AtomicUsize>, ended: &Arc<AtomicUsize>) -> FindHandler {
    let (given, ended) = (Arc::clone(given), Arc::clone(ended));
    FindHandler::new(move |_, answers: Answers| {
        let (given, ended) = (Arc::clone(&given), Arc::clone(&ended));
        async move {
            let _guard = Guard(ended);
            while answers.send(Bytes::from(vec![7; 1000])).await.is_ok() {
                given.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    })
}

/// Counts when it is dropped.
struct Guard(Arc<AtomicUsize>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_question_reaches_the_handler_and_its_rows_the_peer_in_order() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    let find = FindHandler::new(move |request: FindRequest, answers| {
        keep.lock().unwrap().push(request);
        async move {
            for row in 0..1000_u32 {
                let row = Bytes::from(row.to_le_bytes().to_vec());
                answers
                    .send(row)
                    .await
                    .map_err(|_| QueryFailure::UnableToProcess)?;
            }
            answers.send(vec![1; 100_000].into()).await.unwrap();
            Ok(())
        }
    });
    let mut scu = converse(config(), find).await;
    for (context, class) in [(1, PATIENT_ROOT_FIND), (3, STUDY_ROOT_FIND)] {
        scu.send_message(context, &find_command(class), b"who?")
            .await;
        let (rows, status) = answers(&mut scu).await;
        assert_eq!(status, Status::SUCCESS);
        let expect = (0..1000_u32).map(|row| row.to_le_bytes().to_vec());
        assert!(rows[..1000].iter().cloned().eq(expect));
        assert_eq!(rows[1000..], [vec![1; 100_000]]);
    }
    scu.release().await;
    let asked = asked.lock().unwrap();
    let facts = asked
        .iter()
        .map(|it| (it.model, it.transfer_syntax.as_str()));
    let expect = [(Model::PatientRoot, EXPLICIT), (Model::StudyRoot, IMPLICIT)];
    assert_eq!(facts.collect::<Vec<_>>(), expect);
    assert_eq!(asked[0].identifier, "who?");
    assert_eq!(asked[0].calling_ae.as_str(), "TESTER");
    assert!(!format!("{:?}", asked[0]).contains("who?"));
}

#[tokio::test]
async fn rows_may_come_from_another_thread_after_the_handler() {
    let find = FindHandler::new(|_, answers: Answers| async move {
        std::thread::spawn(move || {
            for row in 0..100_u8 {
                answers.send_blocking(Bytes::from(vec![row, 0])).unwrap();
            }
        });
        Ok(())
    });
    let mut scu = converse(config(), find).await;
    scu.send_message(1, &find_command(PATIENT_ROOT_FIND), b"?")
        .await;
    let (rows, status) = answers(&mut scu).await;
    assert_eq!((rows.len(), status), (100, Status::SUCCESS));
    scu.release().await;
}

#[tokio::test]
async fn extensions_that_were_agreed_on_reach_the_handler() {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&asked);
    let find = FindHandler::new(move |request: FindRequest, _| {
        keep.lock().unwrap().push(request.extensions);
        async { Ok(()) }
    });
    let find = find.with_extensions(&[Extension::Relational]);
    let mut scu = unassociated(config(), find);
    let mut request = request(contexts());
    request.user.extended.push(ExtendedNegotiation {
        sop_class: uid(PATIENT_ROOT_FIND),
        information: Bytes::from_static(&[1, 1, 1]),
    });
    let accept = scu.associate_as(request).await;
    assert_eq!(accept.user.extended[0].information.as_ref(), [1, 0, 0]);
    for (context, class) in [(1, PATIENT_ROOT_FIND), (3, STUDY_ROOT_FIND)] {
        scu.send_message(context, &find_command(class), b"?").await;
        assert_eq!(answers(&mut scu).await, (Vec::new(), Status::SUCCESS));
    }
    assert_eq!(
        *asked.lock().unwrap(),
        [vec![Extension::Relational], vec![]]
    );
}

#[tokio::test]
async fn every_failure_of_the_handler_reaches_the_peer() {
    let check = async |failure: QueryFailure, expect: u16| {
        let find = FindHandler::new(move |_, answers: Answers| async move {
            let _ = answers.send(Bytes::from_static(b"one")).await;
            Err(failure)
        });
        let mut scu = converse(config(), find).await;
        scu.send_message(1, &find_command(PATIENT_ROOT_FIND), b"?")
            .await;
        assert_eq!(answers(&mut scu).await.1, Status(expect));
        scu.release().await;
    };
    check(QueryFailure::OutOfResources, 0xA700).await;
    check(QueryFailure::IdentifierMismatch, 0xA900).await;
    check(QueryFailure::UnableToProcess, 0xC000).await;
    check(QueryFailure::Refused, 0x0124).await;
}

#[tokio::test]
async fn a_slow_peer_bounds_the_rows_and_a_cancel_ends_them() {
    let (given, ended) = (Arc::default(), Arc::default());
    let mut scu = converse(config(), endless(&given, &ended)).await;
    scu.send_message(1, &find_command(PATIENT_ROOT_FIND), b"?")
        .await;
    let mut rows = 0;
    while rows < 500 {
        let (command, _) = scu.receive_message().await;
        assert_eq!(command.response().unwrap().status, Status::PENDING);
        rows += 1;
    }
    // In the pipe 64, in one batch that is being written and in the channel the limit.
    let ahead = given.load(Ordering::Relaxed) - rows;
    assert!(ahead <= 64 + 2 * MAX_ROWS_AHEAD + 1, "{ahead} rows ahead");
    scu.send_part(1, MessagePart::Command, &cancel_command(9))
        .await;
    assert_eq!(answers(&mut scu).await.1, Status::CANCELLED);
    assert_eq!(ended.load(Ordering::Relaxed), 1, "the handler is dropped");
    scu.send_part(1, MessagePart::Command, &cancel_command(9))
        .await;
    assert!(scu.stream_is_quiet().await, "a late cancel has no answer");
    scu.release().await;
}

#[tokio::test]
async fn a_handler_that_waits_is_cancelled_at_once() {
    let find = FindHandler::new(|_, _| std::future::pending());
    let mut scu = converse(config(), find).await;
    scu.send_message(3, &find_command(STUDY_ROOT_FIND), b"?")
        .await;
    scu.send_part(3, MessagePart::Command, &cancel_command(8))
        .await;
    scu.send_part(3, MessagePart::Command, &cancel_command(9))
        .await;
    assert_eq!(answers(&mut scu).await, (Vec::new(), Status::CANCELLED));
    scu.release().await;
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_given_up() {
    let find = FindHandler::new(|_, _| std::future::pending());
    let mut scu = converse(config(), find).await;
    let begin = tokio::time::Instant::now();
    scu.send_message(3, &find_command(STUDY_ROOT_FIND), b"?")
        .await;
    assert_eq!(answers(&mut scu).await.1, Status::OUT_OF_RESOURCES);
    assert_eq!(begin.elapsed(), config().timeouts.answer);
}

#[tokio::test]
async fn a_flood_of_cancels_ends_the_association() {
    let find = FindHandler::new(|_, _| std::future::pending());
    let mut scu = converse(config(), find).await;
    scu.send_message(3, &find_command(STUDY_ROOT_FIND), b"?")
        .await;
    for _ in 0..=MAX_CANCELS {
        scu.send_part(3, MessagePart::Command, &cancel_command(1))
            .await;
    }
    assert_eq!(scu.receive().await, Some(Pdu::Abort(Abort::User)));
}

#[tokio::test]
async fn whatever_else_comes_during_a_query_ends_the_association() {
    let check = async |pdus: Vec<Vec<u8>>, expect: Option<Pdu>| {
        let ended: Arc<AtomicUsize> = Arc::default();
        let guard = Arc::clone(&ended);
        let find = FindHandler::new(move |_, _| {
            let guard = Guard(Arc::clone(&guard));
            async move {
                let _guard = guard;
                std::future::pending().await
            }
        });
        let mut scu = converse(config(), find).await;
        scu.send_message(3, &find_command(STUDY_ROOT_FIND), b"?")
            .await;
        for bytes in pdus {
            scu.write(&bytes).await;
        }
        assert_eq!(scu.receive().await, expect);
        assert_eq!(ended.load(Ordering::Relaxed), 1);
    };
    let second = support::message_pdus(1, &find_command(PATIENT_ROOT_FIND), b"?");
    check(second, Some(Pdu::Abort(Abort::User))).await;
    check(vec![Pdu::ReleaseRq.write()], Some(Pdu::ReleaseRp)).await;
    check(vec![Pdu::Abort(Abort::User).write()], None).await;
    check(
        vec![b"rubbish".to_vec()],
        Some(Pdu::Abort(Abort::UnrecognizedPdu)),
    )
    .await;
}

#[tokio::test]
async fn an_identifier_that_does_not_end_ends_the_association() {
    let find = FindHandler::new(|_, _| async { Ok(()) });
    let mut scu = converse(config(), find).await;
    let command = find_command(STUDY_ROOT_FIND).write();
    scu.send_part(3, MessagePart::Command, &command).await;
    let endless = vec![0; MAX_IDENTIFIER_BYTES + 1];
    scu.send_part(3, MessagePart::DataSet, &endless).await;
    assert_eq!(scu.receive().await, Some(Pdu::Abort(Abort::User)));
}

#[tokio::test]
async fn questions_that_cannot_be_asked_are_refused_alone() {
    let find = FindHandler::new(|_, _| async { Ok(()) });
    let config = ServerConfig {
        max_instance_bytes: 1,
        max_total_bytes: 100_000,
        ..config()
    };
    let mut scu = converse(config, find).await;
    let check =
        async |scu: &mut Scu<DuplexStream>, context, command: Command, data: &[u8], expect| {
            scu.send_message(context, &command, data).await;
            let (command, _) = scu.receive_message().await;
            assert_eq!(command.response().unwrap().status, expect);
        };
    let query = |class, data_set| QueryRq {
        message_id: 9,
        sop_class: uid(class),
        priority: Priority::Medium,
        data_set,
    };
    let absent = Command::FindRq(query(STUDY_ROOT_FIND, DataSet::Absent));
    check(&mut scu, 3, absent, b"", Status::MISSING_ATTRIBUTE).await;
    let elsewhere = find_command(STUDY_ROOT_FIND);
    check(&mut scu, 1, elsewhere, b"?", Status::CLASS_NOT_SUPPORTED).await;
    let get = Command::GetRq(query(STUDY_ROOT_FIND, DataSet::Follows));
    check(&mut scu, 3, get, b"?", Status::UNRECOGNIZED_OPERATION).await;
    let large = vec![0; 200_000];
    let command = find_command(STUDY_ROOT_FIND);
    check(
        &mut scu,
        3,
        command.clone(),
        &large,
        Status::OUT_OF_RESOURCES,
    )
    .await;
    check(&mut scu, 3, command, b"?", Status::SUCCESS).await;
    scu.release().await;
}
