//! Writing command sets (PS3.7 tables 9.3-1 to 10.3-8).

use super::elements::Writer;
use super::{
    Command, DataSet, NotifyResponse, NotifyRq, Progress, QueryRq, Response, Status, StoreRq,
    Unserved, element, field,
};

impl Command {
    /// The whole command set as bytes, group length first.
    #[must_use]
    pub fn write(&self) -> Vec<u8> {
        let mut out = Writer::default();
        out.u16(element::COMMAND_FIELD, self.code());
        out.data_set(self.data_set());
        match self {
            Self::EchoRq(request) => {
                out.u16(element::MESSAGE_ID, request.message_id);
                out.uid(element::AFFECTED_SOP_CLASS, &request.sop_class);
            }
            Self::StoreRq(request) => write_store(&mut out, request),
            Self::FindRq(query) | Self::GetRq(query) => write_query(&mut out, query),
            Self::MoveRq(request) => {
                write_query(&mut out, &request.query);
                out.ae(element::MOVE_DESTINATION, &request.destination);
            }
            Self::CancelRq(cancel) => out.u16(element::RESPONDED_MESSAGE_ID, cancel.request_id),
            Self::EventReportRq(request) => write_event_report(&mut out, request),
            Self::ActionRq(request) => write_action(&mut out, request),
            Self::EchoRsp(response) | Self::FindRsp(response) => write_response(&mut out, response),
            Self::StoreRsp(answer) => {
                write_response(&mut out, &answer.response);
                out.optional_uid(element::AFFECTED_SOP_INSTANCE, answer.sop_instance.as_ref());
            }
            Self::GetRsp(answer) | Self::MoveRsp(answer) => {
                write_response(&mut out, &answer.response);
                write_progress(&mut out, answer.progress);
            }
            Self::EventReportRsp(answer) => write_notified(&mut out, answer, element::EVENT_TYPE),
            Self::ActionRsp(answer) => write_notified(&mut out, answer, element::ACTION_TYPE),
            Self::Unserved(request) => {
                out.u16(element::MESSAGE_ID, request.message_id);
                out.optional_uid(element::AFFECTED_SOP_CLASS, request.sop_class.as_ref());
            }
        }
        out.finish()
    }

    /// (0000,0100).
    #[must_use]
    pub fn code(&self) -> u16 {
        match self {
            Self::EchoRq(_) => field::ECHO,
            Self::EchoRsp(_) => field::ECHO | field::RESPONSE,
            Self::StoreRq(_) => field::STORE,
            Self::StoreRsp(_) => field::STORE | field::RESPONSE,
            Self::FindRq(_) => field::FIND,
            Self::FindRsp(_) => field::FIND | field::RESPONSE,
            Self::GetRq(_) => field::GET,
            Self::GetRsp(_) => field::GET | field::RESPONSE,
            Self::MoveRq(_) => field::MOVE,
            Self::MoveRsp(_) => field::MOVE | field::RESPONSE,
            Self::CancelRq(_) => field::CANCEL,
            Self::EventReportRq(_) => field::EVENT_REPORT,
            Self::EventReportRsp(_) => field::EVENT_REPORT | field::RESPONSE,
            Self::ActionRq(_) => field::ACTION,
            Self::ActionRsp(_) => field::ACTION | field::RESPONSE,
            Self::Unserved(request) => request.field,
        }
    }

    /// The response that refuses this request, as bytes; nothing for a response or a C-CANCEL, which have none.
    #[must_use]
    pub fn write_refusal(&self, status: Status) -> Option<Vec<u8>> {
        let (message_id, class) = self.addressed()?;
        let mut out = Writer::default();
        out.u16(element::COMMAND_FIELD, self.code() | field::RESPONSE);
        out.data_set(DataSet::Absent);
        out.u16(element::RESPONDED_MESSAGE_ID, message_id);
        out.u16(element::STATUS, status.0);
        out.optional_uid(element::AFFECTED_SOP_CLASS, class);
        Some(out.finish())
    }

    /// The SOP class that a request is for.
    #[must_use]
    pub fn requested_class(&self) -> Option<&crate::Uid> {
        self.addressed()?.1
    }

    fn addressed(&self) -> Option<(u16, Option<&crate::Uid>)> {
        match self {
            Self::EchoRq(request) => Some((request.message_id, Some(&request.sop_class))),
            Self::StoreRq(request) => Some((request.message_id, Some(&request.sop_class))),
            Self::FindRq(query) | Self::GetRq(query) => {
                Some((query.message_id, Some(&query.sop_class)))
            }
            Self::MoveRq(request) => {
                Some((request.query.message_id, Some(&request.query.sop_class)))
            }
            Self::EventReportRq(request) | Self::ActionRq(request) => {
                Some((request.message_id, Some(&request.sop_class)))
            }
            Self::Unserved(Unserved {
                message_id,
                sop_class,
                ..
            }) => Some((*message_id, sop_class.as_ref())),
            _ => None,
        }
    }
}

fn write_store(out: &mut Writer, request: &StoreRq) {
    out.u16(element::MESSAGE_ID, request.message_id);
    out.uid(element::AFFECTED_SOP_CLASS, &request.sop_class);
    out.uid(element::AFFECTED_SOP_INSTANCE, &request.sop_instance);
    out.priority(request.priority);
    if let Some(origin) = &request.origin {
        out.ae(element::MOVE_ORIGINATOR, &origin.ae_title);
        out.u16(element::MOVE_ORIGINATOR_MESSAGE_ID, origin.message_id);
    }
}

fn write_query(out: &mut Writer, query: &QueryRq) {
    out.u16(element::MESSAGE_ID, query.message_id);
    out.uid(element::AFFECTED_SOP_CLASS, &query.sop_class);
    out.priority(query.priority);
}

fn write_event_report(out: &mut Writer, request: &NotifyRq) {
    out.u16(element::MESSAGE_ID, request.message_id);
    out.uid(element::AFFECTED_SOP_CLASS, &request.sop_class);
    out.uid(element::AFFECTED_SOP_INSTANCE, &request.sop_instance);
    out.u16(element::EVENT_TYPE, request.type_id);
}

fn write_action(out: &mut Writer, request: &NotifyRq) {
    out.u16(element::MESSAGE_ID, request.message_id);
    out.uid(element::REQUESTED_SOP_CLASS, &request.sop_class);
    out.uid(element::REQUESTED_SOP_INSTANCE, &request.sop_instance);
    out.u16(element::ACTION_TYPE, request.type_id);
}

fn write_response(out: &mut Writer, response: &Response) {
    out.u16(element::RESPONDED_MESSAGE_ID, response.request_id);
    out.optional_uid(element::AFFECTED_SOP_CLASS, response.sop_class.as_ref());
    out.u16(element::STATUS, response.status.0);
}

fn write_notified(out: &mut Writer, answer: &NotifyResponse, type_element: u16) {
    write_response(out, &answer.response);
    out.optional_uid(element::AFFECTED_SOP_INSTANCE, answer.sop_instance.as_ref());
    out.optional_u16(type_element, answer.type_id);
}

fn write_progress(out: &mut Writer, progress: Progress) {
    out.optional_u16(element::REMAINING, progress.remaining);
    out.optional_u16(element::COMPLETED, progress.completed);
    out.optional_u16(element::FAILED, progress.failed);
    out.optional_u16(element::WARNING, progress.warning);
}
