//! Reading command sets. A request whose fields are wrong but that can be answered becomes [`Command::Unserved`] with
//! the status to answer, so that one bad instance does not end an association.

use super::elements::Elements;
use super::{
    CancelRq, Command, CommandError, EchoRq, InstanceResponse, MoveOrigin, MoveRq, NotifyResponse,
    NotifyRq, Progress, QueryRq, Response, RetrieveResponse, Status, StoreRq, Unserved, element,
    field,
};

impl Command {
    /// Reads a whole command set.
    ///
    /// # Errors
    /// Not a command set, or one that cannot be answered.
    pub fn read(bytes: &[u8]) -> Result<Self, CommandError> {
        let elements = Elements::read(bytes)?;
        let code = elements.u16(element::COMMAND_FIELD)?;
        if code & field::RESPONSE != 0 {
            return read_response(code, &elements);
        }
        let read = match code {
            field::ECHO => read_echo(&elements).map(Self::EchoRq),
            field::STORE => read_store(&elements).map(Self::StoreRq),
            field::FIND => read_query(&elements).map(Self::FindRq),
            field::GET => read_query(&elements).map(Self::GetRq),
            field::MOVE => read_move(&elements).map(Self::MoveRq),
            field::CANCEL => return read_cancel(&elements).map(Self::CancelRq),
            field::EVENT_REPORT => read_event_report(&elements).map(Self::EventReportRq),
            field::ACTION => read_action(&elements).map(Self::ActionRq),
            _ => return read_unserved(code, &elements, Status::UNRECOGNIZED_OPERATION),
        };
        read.or_else(|error| read_unserved(code, &elements, refusal(&elements, error)))
    }
}

/// The status for a request with a wrong field.
fn refusal(elements: &Elements<'_>, error: CommandError) -> Status {
    match error {
        CommandError::Element(number) if !elements.has(number) => Status::MISSING_ATTRIBUTE,
        _ => Status::INVALID_ARGUMENT,
    }
}

fn read_unserved(
    code: u16,
    elements: &Elements<'_>,
    status: Status,
) -> Result<Command, CommandError> {
    let class = elements.uid(element::AFFECTED_SOP_CLASS);
    Ok(Command::Unserved(Unserved {
        field: code,
        message_id: elements.u16(element::MESSAGE_ID)?,
        sop_class: class
            .or_else(|_| elements.uid(element::REQUESTED_SOP_CLASS))
            .ok(),
        data_set: elements.data_set()?,
        status,
    }))
}

fn read_echo(elements: &Elements<'_>) -> Result<EchoRq, CommandError> {
    Ok(EchoRq {
        message_id: elements.u16(element::MESSAGE_ID)?,
        sop_class: elements.uid(element::AFFECTED_SOP_CLASS)?,
    })
}

fn read_store(elements: &Elements<'_>) -> Result<StoreRq, CommandError> {
    Ok(StoreRq {
        message_id: elements.u16(element::MESSAGE_ID)?,
        sop_class: elements.uid(element::AFFECTED_SOP_CLASS)?,
        sop_instance: elements.uid(element::AFFECTED_SOP_INSTANCE)?,
        priority: elements.priority(),
        data_set: elements.data_set()?,
        origin: read_origin(elements),
    })
}

/// Optional, and of no consequence when it is wrong.
fn read_origin(elements: &Elements<'_>) -> Option<MoveOrigin> {
    Some(MoveOrigin {
        ae_title: elements.ae(element::MOVE_ORIGINATOR).ok()?,
        message_id: elements.u16(element::MOVE_ORIGINATOR_MESSAGE_ID).ok()?,
    })
}

fn read_query(elements: &Elements<'_>) -> Result<QueryRq, CommandError> {
    Ok(QueryRq {
        message_id: elements.u16(element::MESSAGE_ID)?,
        sop_class: elements.uid(element::AFFECTED_SOP_CLASS)?,
        priority: elements.priority(),
        data_set: elements.data_set()?,
    })
}

fn read_move(elements: &Elements<'_>) -> Result<MoveRq, CommandError> {
    Ok(MoveRq {
        query: read_query(elements)?,
        destination: elements.ae(element::MOVE_DESTINATION)?,
    })
}

fn read_cancel(elements: &Elements<'_>) -> Result<CancelRq, CommandError> {
    let request_id = elements.u16(element::RESPONDED_MESSAGE_ID)?;
    Ok(CancelRq { request_id })
}

fn read_event_report(elements: &Elements<'_>) -> Result<NotifyRq, CommandError> {
    Ok(NotifyRq {
        message_id: elements.u16(element::MESSAGE_ID)?,
        sop_class: elements.uid(element::AFFECTED_SOP_CLASS)?,
        sop_instance: elements.uid(element::AFFECTED_SOP_INSTANCE)?,
        type_id: elements.u16(element::EVENT_TYPE)?,
        data_set: elements.data_set()?,
    })
}

fn read_action(elements: &Elements<'_>) -> Result<NotifyRq, CommandError> {
    Ok(NotifyRq {
        message_id: elements.u16(element::MESSAGE_ID)?,
        sop_class: elements.uid(element::REQUESTED_SOP_CLASS)?,
        sop_instance: elements.uid(element::REQUESTED_SOP_INSTANCE)?,
        type_id: elements.u16(element::ACTION_TYPE)?,
        data_set: elements.data_set()?,
    })
}

fn read_response(code: u16, elements: &Elements<'_>) -> Result<Command, CommandError> {
    let response = Response {
        request_id: elements.u16(element::RESPONDED_MESSAGE_ID)?,
        sop_class: elements.uid(element::AFFECTED_SOP_CLASS).ok(),
        status: Status(elements.u16(element::STATUS)?),
        data_set: elements.data_set()?,
    };
    let instance = || elements.uid(element::AFFECTED_SOP_INSTANCE).ok();
    Ok(match code & !field::RESPONSE {
        field::ECHO => Command::EchoRsp(response),
        field::STORE => Command::StoreRsp(InstanceResponse {
            response,
            sop_instance: instance(),
        }),
        field::FIND => Command::FindRsp(response),
        field::GET => Command::GetRsp(RetrieveResponse {
            response,
            progress: read_progress(elements),
        }),
        field::MOVE => Command::MoveRsp(RetrieveResponse {
            response,
            progress: read_progress(elements),
        }),
        field::EVENT_REPORT => Command::EventReportRsp(NotifyResponse {
            response,
            sop_instance: instance(),
            type_id: elements.u16(element::EVENT_TYPE).ok(),
        }),
        field::ACTION => Command::ActionRsp(NotifyResponse {
            response,
            sop_instance: instance(),
            type_id: elements.u16(element::ACTION_TYPE).ok(),
        }),
        _ => return Err(CommandError::UnknownResponse(code)),
    })
}

fn read_progress(elements: &Elements<'_>) -> Progress {
    Progress {
        remaining: elements.u16(element::REMAINING).ok(),
        completed: elements.u16(element::COMPLETED).ok(),
        failed: elements.u16(element::FAILED).ok(),
        warning: elements.u16(element::WARNING).ok(),
    }
}
