//! C-GET as a requestor sees it: instances in their own transfer syntax or another, counts, failures, cancelling, and
//! receivers that do not behave.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use arno_dimse::classes::{PATIENT_ROOT_GET, STUDY_ROOT_GET};
use arno_dimse::command::{CancelRq, Command, Progress, Status, StoreRq};
use arno_dimse::pdu::{Abort, Pdu};
use arno_dimse::scp::{
    AllowedSource, CallingAe, Opened, RetrieveHandler, Selected, ServerConfig, Service, Services,
};
use bytes::Bytes;
use support::archive::{
    contexts, counts, data_set, instance, pipe, query, receiver, services, store_response,
};
use support::{CT, EXPLICIT, IMPLICIT, JPEG_LOSSLESS, Scu, config, proposal, request, uid};
use tokio::io::DuplexStream;

/// What came of a C-GET: the instances with context and data set, and the last answer with its list of failures.
struct Got {
    instances: Vec<(u8, String, Vec<u8>)>,
    status: Status,
    progress: Progress,
    failed: Vec<u8>,
}

/// Takes instances until the last answer, each with the status that `judge` gives it.
async fn take(scu: &mut Scu<DuplexStream>, mut judge: impl FnMut(usize) -> Status) -> Got {
    let mut instances = Vec::new();
    loop {
        let (context, command, data_set) = scu.receive_in_context().await;
        match command {
            Command::StoreRq(request) => {
                instances.push((context, request.sop_instance.to_string(), data_set));
                let answer = store_response(&request, judge(instances.len()));
                scu.send_message(context, &answer, b"").await;
            }
            Command::GetRsp(answer) if answer.response.status == Status::PENDING => {
                assert!(answer.progress.remaining.is_some());
            }
            Command::GetRsp(answer) => {
                return Got {
                    instances,
                    status: answer.response.status,
                    progress: answer.progress,
                    failed: data_set,
                };
            }
            other => panic!("{other:?}"),
        }
    }
}

async fn get(scu: &mut Scu<DuplexStream>, identifier: &str) -> Got {
    let command = Command::GetRq(query(STUDY_ROOT_GET));
    scu.send_message(1, &command, identifier.as_bytes()).await;
    take(scu, |_| Status::SUCCESS).await
}

#[tokio::test]
async fn instances_come_in_the_transfer_syntax_that_they_have() {
    let mut scu = pipe(config(), services());
    scu.associate_as(contexts()).await;
    let got = get(&mut scu, "1 2 3").await;
    let expect = [(3, 1, EXPLICIT), (5, 2, JPEG_LOSSLESS), (7, 3, IMPLICIT)];
    let expect = expect.map(|(context, number, syntax)| {
        let instance = instance(number);
        let data_set = data_set(&instance, syntax);
        (context, instance, data_set)
    });
    assert!(got.instances == expect);
    assert_eq!(
        (got.status, got.progress),
        (Status::SUCCESS, counts(None, 3, 0, 0))
    );
    assert!(got.failed.is_empty());
    let none = get(&mut scu, "").await;
    assert_eq!(
        (none.status, none.progress),
        (Status::SUCCESS, counts(None, 0, 0, 0))
    );
    assert_eq!(get(&mut scu, "refuse").await.status, Status::NOT_AUTHORIZED);
    scu.release().await;
}

#[tokio::test]
async fn what_a_peer_does_not_take_comes_in_what_it_takes_or_counts_as_failed() {
    let check = async |syntax: &str, expect: Option<&str>| {
        let mut scu = pipe(config(), services());
        let mut request = request(vec![
            proposal(1, STUDY_ROOT_GET, &[IMPLICIT]),
            proposal(3, CT, &[syntax]),
        ]);
        request.user.roles.push(receiver(CT));
        scu.associate_as(request).await;
        let got = get(&mut scu, "2").await;
        let found = got.instances.first().map(|it| it.2.clone());
        assert!(
            found == expect.map(|syntax| data_set("1.2.2", syntax)),
            "{syntax}"
        );
        scu.release().await;
    };
    check(JPEG_LOSSLESS, Some(JPEG_LOSSLESS)).await;
    check(IMPLICIT, Some(IMPLICIT)).await;
    check(EXPLICIT, None).await;
}

#[tokio::test]
async fn failures_are_counted_and_named() {
    let mut scu = pipe(config(), services());
    scu.associate_as(contexts()).await;
    let command = Command::GetRq(query(STUDY_ROOT_GET));
    scu.send_message(1, &command, b"1 13 2 3").await;
    let judged = [Status(0xA700), Status(0xB007), Status::SUCCESS];
    let got = take(&mut scu, |number| judged[number - 1]).await;
    assert_eq!(
        (got.status, got.progress),
        (Status::SOME_FAILED, counts(None, 1, 2, 1))
    );
    assert_eq!(got.failed, b"\x08\0\x58\0\x0c\0\0\x001.2.1\\1.2.13");
    let got = get(&mut scu, "13").await;
    assert_eq!(
        (got.status, got.progress),
        (Status::NO_SUB_OPERATIONS, counts(None, 0, 1, 0))
    );
    scu.release().await;
}

#[tokio::test]
async fn without_role_selection_nothing_is_sent() {
    let mut scu = pipe(config(), services());
    let mut request = contexts();
    request.user.roles.clear();
    scu.associate_as(request).await;
    let got = get(&mut scu, "1 2").await;
    assert!(got.instances.is_empty());
    assert_eq!(
        (got.status, got.progress),
        (Status::NO_SUB_OPERATIONS, counts(None, 0, 2, 0))
    );
    scu.release().await;
}

#[tokio::test]
async fn a_cancelled_retrieval_finishes_the_instance_and_says_what_remains() {
    let mut scu = pipe(config(), services());
    scu.associate_as(contexts()).await;
    let command = Command::GetRq(query(STUDY_ROOT_GET));
    scu.send_message(1, &command, b"1 2 3").await;
    let (context, Command::StoreRq(first), _) = scu.receive_in_context().await else {
        panic!("no instance")
    };
    let cancel = Command::CancelRq(CancelRq { request_id: 9 });
    scu.send_message(1, &cancel, b"").await;
    let answer = store_response(&first, Status::SUCCESS);
    scu.send_message(context, &answer, b"").await;
    let got = take(&mut scu, |_| Status::SUCCESS).await;
    assert!(got.instances.is_empty());
    assert_eq!(
        (got.status, got.progress),
        (Status::CANCELLED, counts(Some(2), 1, 0, 0))
    );
    scu.release().await;
}

#[tokio::test]
async fn answers_that_fit_nothing_end_the_association() {
    let check = async |answer: fn(StoreRq) -> Command| {
        let mut scu = pipe(config(), services());
        scu.associate_as(contexts()).await;
        let command = Command::GetRq(query(STUDY_ROOT_GET));
        scu.send_message(1, &command, b"1").await;
        let (context, Command::StoreRq(request), _) = scu.receive_in_context().await else {
            panic!("no instance")
        };
        scu.send_message(context, &answer(request), b"").await;
        assert_eq!(scu.receive().await, Some(Pdu::Abort(Abort::User)));
    };
    check(|request| {
        let request = StoreRq {
            message_id: request.message_id + 1,
            ..request
        };
        store_response(&request, Status::SUCCESS)
    })
    .await;
    check(Command::StoreRq).await;
    check(|_| Command::GetRq(query(PATIENT_ROOT_GET))).await;
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_hangs_is_given_up() {
    let mut scu = pipe(config(), services());
    scu.associate_as(contexts()).await;
    let begin = tokio::time::Instant::now();
    let command = Command::GetRq(query(STUDY_ROOT_GET));
    scu.send_message(1, &command, b"1").await;
    assert!(matches!(scu.receive_message().await.0, Command::StoreRq(_)));
    assert_eq!(scu.receive().await, Some(Pdu::Abort(Abort::User)));
    assert_eq!(begin.elapsed(), config().timeouts.sub_operation);
}

#[tokio::test]
async fn who_may_only_retrieve_cannot_store() {
    let caller = CallingAe {
        ae_title: "TESTER".parse().unwrap(),
        source: AllowedSource::Any,
        services: vec![Service::Retrieve],
    };
    let config = ServerConfig {
        allow_list: Some(vec![caller]),
        ..config()
    };
    let mut scu = pipe(config, services());
    scu.associate_as(contexts()).await;
    assert_eq!(
        scu.store(3, CT, "1.2.9", b"x").await,
        Status::NOT_AUTHORIZED
    );
    assert_eq!(get(&mut scu, "1").await.status, Status::SUCCESS);
    scu.release().await;
}

#[tokio::test]
async fn data_sets_go_out_in_pdus_of_the_peers_size_however_large_they_are() {
    const LARGE: usize = 3_000_001;
    let select = |_| async {
        Ok(vec![Selected {
            sop_class: uid(CT),
            sop_instance: uid("1.2.1"),
            transfer_syntax: uid(EXPLICIT),
            size_bytes: LARGE as u64,
        }])
    };
    let open = |_| async {
        Ok(Opened {
            transfer_syntax: uid(EXPLICIT),
            data_set: Bytes::from(vec![5; LARGE]),
        })
    };
    let services = Services {
        retrieve: Some(RetrieveHandler::new(select, open)),
        ..services()
    };
    // Smaller than the instance, which then has the room for itself.
    let config = ServerConfig {
        max_outgoing_bytes: 1_000_000,
        ..config()
    };
    let mut scu = pipe(config, services);
    scu.associate_as(contexts()).await;
    let got = get(&mut scu, "").await;
    assert!(got.instances[0].2 == vec![5; LARGE]);
    scu.release().await;
}
