//! A server that has a few instances to retrieve, in tests of C-GET and C-MOVE.

use arno_dimse::classes::{STUDY_ROOT_GET, STUDY_ROOT_MOVE};
use arno_dimse::command::{
    Command, DataSet, InstanceResponse, Priority, Progress, QueryRq, Response, Status, StoreRq,
};
use arno_dimse::pdu::{AssociateRq, RoleSelection, RoleSupport};
use arno_dimse::scp::{
    NotOpened, OpenRequest, Opened, QueryFailure, RetrieveHandler, RetrieveRequest, Selected,
    Server, ServerConfig, Services, StoreHandler, StoreStatus,
};
use tokio::io::DuplexStream;

use super::{CT, EXPLICIT, IMPLICIT, JPEG_LOSSLESS, MR, Scu, proposal, request, uid};

/// Instances as the handler has them: number, class, transfer syntax. Those of number 13 cannot be opened.
pub(crate) const KEPT: &[(u32, &str, &str)] = &[
    (1, CT, EXPLICIT),
    (2, CT, JPEG_LOSSLESS),
    (3, MR, IMPLICIT),
    (13, CT, EXPLICIT),
];

pub(crate) fn instance(number: u32) -> String {
    format!("1.2.{number}")
}

/// The data set of an instance says which it is and how it is encoded; it takes several PDUs.
pub(crate) fn data_set(instance: &str, syntax: &str) -> Vec<u8> {
    format!("{instance} in {syntax} ").repeat(2000).into_bytes()
}

/// The identifier lists numbers of [`KEPT`]; everything but number 13 can be given in implicit VR too.
pub(crate) fn archive() -> RetrieveHandler {
    let select = |request: RetrieveRequest| async move {
        let numbers = std::str::from_utf8(&request.identifier).unwrap().to_owned();
        if numbers == "refuse" {
            return Err(QueryFailure::Refused);
        }
        let wanted = |number: &str| {
            let number: u32 = number.parse().unwrap();
            let (_, class, syntax) = KEPT.iter().find(|it| it.0 == number).unwrap();
            Selected {
                sop_class: uid(class),
                sop_instance: uid(&instance(number)),
                transfer_syntax: uid(syntax),
                size_bytes: 70_000,
            }
        };
        Ok(numbers.split_whitespace().map(wanted).collect())
    };
    RetrieveHandler::new(select, open)
}

pub(crate) async fn open(request: OpenRequest) -> Result<Opened, NotOpened> {
    let OpenRequest { instance, accepted } = request;
    let own = accepted[0] == instance.transfer_syntax;
    let implicit = accepted.iter().any(|it| it.as_str() == IMPLICIT);
    let uid_text = instance.sop_instance.as_str();
    let syntax = match (own, implicit) {
        _ if uid_text == "1.2.13" => return Err(NotOpened),
        (true, _) => accepted[0].clone(),
        (false, true) => uid(IMPLICIT),
        (false, false) => return Err(NotOpened),
    };
    Ok(Opened {
        data_set: data_set(uid_text, syntax.as_str()).into(),
        transfer_syntax: syntax,
    })
}

pub(crate) fn services() -> Services {
    let store = StoreHandler::new(|_| async { StoreStatus::Success });
    Services {
        retrieve: Some(archive()),
        ..Services::from(store)
    }
}

pub(crate) fn pipe(config: ServerConfig, services: Services) -> Scu<DuplexStream> {
    let (ours, theirs) = tokio::io::duplex(64 * 1024);
    let server = Server::new(config, services).unwrap();
    tokio::spawn(async move { server.serve_link(theirs, "::1".parse().unwrap()).await });
    Scu::new(ours)
}

/// Study root C-GET 1, CT 3 explicit, CT 5 JPEG lossless, MR 7 implicit, all to be sent to us; C-MOVE 9.
pub(crate) fn contexts() -> AssociateRq {
    let mut request = request(vec![
        proposal(1, STUDY_ROOT_GET, &[IMPLICIT]),
        proposal(3, CT, &[EXPLICIT]),
        proposal(5, CT, &[JPEG_LOSSLESS]),
        proposal(7, MR, &[IMPLICIT]),
        proposal(9, STUDY_ROOT_MOVE, &[EXPLICIT]),
    ]);
    request.user.roles = [CT, MR].map(receiver).into();
    request
}

pub(crate) fn receiver(class: &str) -> RoleSelection {
    RoleSelection {
        sop_class: uid(class),
        scu: RoleSupport::No,
        scp: RoleSupport::Yes,
    }
}

pub(crate) fn query(class: &str) -> QueryRq {
    QueryRq {
        message_id: 9,
        sop_class: uid(class),
        priority: Priority::Medium,
        data_set: DataSet::Follows,
    }
}

pub(crate) fn store_response(request: &StoreRq, status: Status) -> Command {
    Command::StoreRsp(InstanceResponse {
        response: Response {
            request_id: request.message_id,
            sop_class: Some(request.sop_class.clone()),
            status,
            data_set: DataSet::Absent,
        },
        sop_instance: None,
    })
}

pub(crate) fn counts(
    remaining: Option<u16>,
    completed: u16,
    failed: u16,
    warning: u16,
) -> Progress {
    Progress {
        remaining,
        completed: Some(completed),
        failed: Some(failed),
        warning: Some(warning),
    }
}
