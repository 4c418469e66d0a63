//! Storage commitment as a requestor sees it: reports in the same association, or in one that is called back.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::sync::Arc;

use arno_dimse::classes::{STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE, VERIFICATION};
use arno_dimse::command::{Command, DataSet, NotifyResponse, NotifyRq, Response, Status};
use arno_dimse::limits::MAX_COMMITMENTS;
use arno_dimse::pdu::{Abort, Pdu, ProposedContext, RoleSelection, RoleSupport};
use arno_dimse::scp::{
    CommitHandler, CommitOutcome, CommitRefusal, CommitReport, CommitRequest, Server, ServerConfig,
    Services, StoreHandler, StoreStatus,
};
use arno_dimse::scu::{Peer, Security};
use support::{CT, EXPLICIT, IMPLICIT, Scu, config, proposal, uid};
use tokio::io::DuplexStream;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// Verification 1, storage commitment 3 explicit, CT 5.
fn contexts() -> Vec<ProposedContext> {
    vec![
        proposal(1, VERIFICATION, &[IMPLICIT]),
        proposal(3, STORAGE_COMMITMENT, &[EXPLICIT]),
        proposal(5, CT, &[EXPLICIT]),
    ]
}

fn action(type_id: u16, instance: &str) -> Command {
    Command::ActionRq(NotifyRq {
        message_id: 9,
        sop_class: uid(STORAGE_COMMITMENT),
        sop_instance: uid(instance),
        type_id,
        data_set: DataSet::Follows,
    })
}

fn commit_command() -> Command {
    action(1, STORAGE_COMMITMENT_INSTANCE)
}

fn with(commit: CommitHandler) -> Services {
    let store = StoreHandler::new(|_| async { StoreStatus::Success });
    Services {
        commit: Some(commit),
        ..Services::from(store)
    }
}

/// Reports what was asked, backwards, once the gate lets it: all committed if it begins with "a".
fn gated(gate: &Arc<Semaphore>) -> CommitHandler {
    let gate = Arc::clone(gate);
    CommitHandler::new(move |request: CommitRequest| {
        let gate = Arc::clone(&gate);
        async move {
            if request.information == "nonsense" {
                return Err(CommitRefusal::InvalidArgument);
            }
            Ok(async move {
                gate.acquire().await.unwrap().forget();
                let outcome = match request.information.starts_with(b"a") {
                    true => CommitOutcome::AllCommitted,
                    false => CommitOutcome::SomeFailed,
                };
                let information: Vec<u8> = request.information.iter().rev().copied().collect();
                CommitReport {
                    outcome,
                    information: information.into(),
                }
            })
        }
    })
}

async fn converse(config: ServerConfig, commit: CommitHandler) -> Scu<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = Server::new(config, with(commit)).unwrap();
    tokio::spawn(async move { server.serve_link(theirs, "::1".parse().unwrap()).await });
    let mut scu = Scu::new(ours);
    scu.associate(contexts()).await;
    scu
}

/// Asks and gives the status of the answer.
async fn ask(scu: &mut Scu<DuplexStream>, command: &Command, information: &[u8]) -> Status {
    scu.send_message(3, command, information).await;
    let (command, _) = scu.receive_message().await;
    let Command::ActionRsp(answer) = command else {
        panic!("not an N-ACTION-RSP: {command:?}")
    };
    assert_eq!(answer.response.request_id, 9);
    answer.response.status
}

fn event_response(request: &NotifyRq) -> Command {
    Command::EventReportRsp(NotifyResponse {
        response: Response {
            request_id: request.message_id,
            sop_class: Some(request.sop_class.clone()),
            status: Status::SUCCESS,
            data_set: DataSet::Absent,
        },
        sop_instance: Some(request.sop_instance.clone()),
        type_id: Some(request.type_id),
    })
}

/// A report that the server sends, answered; its event type and information.
async fn take_report<S>(scu: &mut Scu<S>) -> (u16, Vec<u8>)
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let (context, command, information) = scu.receive_in_context().await;
    let Command::EventReportRq(event) = command else {
        panic!("not an N-EVENT-REPORT-RQ: {command:?}")
    };
    assert_eq!(event.sop_class, uid(STORAGE_COMMITMENT));
    assert_eq!(event.sop_instance, uid(STORAGE_COMMITMENT_INSTANCE));
    scu.send_message(context, &event_response(&event), b"")
        .await;
    (event.type_id, information)
}

#[tokio::test]
async fn a_report_comes_in_the_same_association_while_it_serves_on() {
    let gate = Arc::new(Semaphore::new(0));
    let mut scu = converse(config(), gated(&gate)).await;
    assert_eq!(
        ask(&mut scu, &commit_command(), b"abc").await,
        Status::SUCCESS
    );
    assert_eq!(scu.store(5, CT, "1.2", b"x").await, Status::SUCCESS);
    gate.add_permits(1);
    assert_eq!(take_report(&mut scu).await, (1, b"cba".to_vec()));
    assert_eq!(
        ask(&mut scu, &commit_command(), b"xyz").await,
        Status::SUCCESS
    );
    gate.add_permits(1);
    assert_eq!(take_report(&mut scu).await, (2, b"zyx".to_vec()));
    scu.release().await;
}

#[tokio::test]
async fn one_report_at_a_time_is_sent() {
    let gate = Arc::new(Semaphore::new(2));
    let mut scu = converse(config(), gated(&gate)).await;
    assert_eq!(
        ask(&mut scu, &commit_command(), b"ab").await,
        Status::SUCCESS
    );
    let (context, Command::EventReportRq(first), _) = scu.receive_in_context().await else {
        panic!("no report")
    };
    assert_eq!(
        ask(&mut scu, &commit_command(), b"ac").await,
        Status::SUCCESS
    );
    assert!(scu.stream_is_quiet().await, "the first has no answer yet");
    scu.send_message(context, &event_response(&first), b"")
        .await;
    assert_eq!(take_report(&mut scu).await, (1, b"ca".to_vec()));
    scu.release().await;
}

#[tokio::test]
async fn requests_that_cannot_be_taken_are_refused() {
    let gate = Arc::new(Semaphore::new(0));
    let mut scu = converse(config(), gated(&gate)).await;
    let check =
        async |scu: &mut Scu<DuplexStream>, command: Command, information: &[u8], expect| {
            assert_eq!(ask(scu, &command, information).await, expect);
        };
    let wrong_type = action(2, STORAGE_COMMITMENT_INSTANCE);
    check(&mut scu, wrong_type, b"abc", Status::NO_SUCH_ACTION).await;
    check(
        &mut scu,
        action(1, "1.2.3"),
        b"abc",
        Status::NO_SUCH_INSTANCE,
    )
    .await;
    check(
        &mut scu,
        commit_command(),
        b"nonsense",
        Status::INVALID_ARGUMENT,
    )
    .await;
    for _ in 0..MAX_COMMITMENTS {
        check(&mut scu, commit_command(), b"abc", Status::SUCCESS).await;
    }
    check(
        &mut scu,
        commit_command(),
        b"abc",
        Status::RESOURCE_LIMITATION,
    )
    .await;
    scu.release().await;
}

#[tokio::test]
async fn an_answer_to_no_report_ends_the_association() {
    let gate = Arc::new(Semaphore::new(1));
    let mut scu = converse(config(), gated(&gate)).await;
    assert_eq!(
        ask(&mut scu, &commit_command(), b"abc").await,
        Status::SUCCESS
    );
    let (context, Command::EventReportRq(event), _) = scu.receive_in_context().await else {
        panic!("no report")
    };
    scu.send_message(context, &event_response(&event), b"")
        .await;
    scu.send_message(context, &event_response(&event), b"")
        .await;
    assert_eq!(scu.receive().await, Some(Pdu::Abort(Abort::User)));
}

/// A server that knows the requestor's address, and who listens there.
async fn with_callback() -> (ServerConfig, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = Peer {
        ae_title: "TESTER".parse().unwrap(),
        host: "127.0.0.1".to_owned(),
        port: listener.local_addr().unwrap().port(),
        security: Security::Plain,
    };
    let config = ServerConfig {
        peers: vec![peer],
        ..config()
    };
    (config, listener)
}

#[tokio::test]
async fn after_the_association_the_requestor_is_called_back() {
    let (config, listener) = with_callback().await;
    let gate = Arc::new(Semaphore::new(0));
    let mut scu = converse(config, gated(&gate)).await;
    assert_eq!(
        ask(&mut scu, &commit_command(), b"abc").await,
        Status::SUCCESS
    );
    scu.release().await;
    gate.add_permits(1);
    let (mut called, request) = support::accept(&listener).await;
    assert_eq!(request.called_ae.as_str(), "TESTER");
    assert_eq!(request.calling_ae.as_str(), "ARNO");
    let role = RoleSelection {
        sop_class: uid(STORAGE_COMMITMENT),
        scu: RoleSupport::No,
        scp: RoleSupport::Yes,
    };
    assert_eq!(request.user.roles, [role]);
    assert_eq!(
        request.contexts,
        [proposal(1, STORAGE_COMMITMENT, &[EXPLICIT])]
    );
    assert_eq!(take_report(&mut called).await, (1, b"cba".to_vec()));
    assert_eq!(called.receive().await, Some(Pdu::ReleaseRq));
    called.send(&Pdu::ReleaseRp).await;
    assert_eq!(called.receive().await, None);
}

#[tokio::test]
async fn a_report_without_answer_is_sent_again() {
    let (config, listener) = with_callback().await;
    let gate = Arc::new(Semaphore::new(1));
    let mut scu = converse(config, gated(&gate)).await;
    assert_eq!(
        ask(&mut scu, &commit_command(), b"abc").await,
        Status::SUCCESS
    );
    let report = scu.receive_message().await;
    assert!(matches!(report.0, Command::EventReportRq(_)));
    drop(scu);
    let (mut called, _) = support::accept(&listener).await;
    assert_eq!(take_report(&mut called).await, (1, b"cba".to_vec()));
}

#[tokio::test(start_paused = true)]
async fn what_takes_too_long_is_given_up() {
    type Never = std::future::Pending<CommitReport>;
    let commit = CommitHandler::new(|_| std::future::pending::<Result<Never, CommitRefusal>>());
    let begin = tokio::time::Instant::now();
    let mut scu = converse(config(), commit).await;
    let status = ask(&mut scu, &commit_command(), b"abc").await;
    assert_eq!(status, Status::RESOURCE_LIMITATION);
    assert_eq!(begin.elapsed(), config().timeouts.answer);
    scu.release().await;
}
