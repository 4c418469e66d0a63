//! C-GET (PS3.4 section C.4.3): instances come back in the same association, in the contexts for which the peer took the
//! role of a storage SCP (PS3.7 section D.3.3.4).

use std::pin::pin;

use tokio::time::timeout;

use super::association::{Association, End};
use super::dispatch::{Asked, Served};
use super::operation::{NO_HURRY, finish, out_of_turn};
use super::retrieve::{Opened, Retrieval, Selected, Target};
use super::service::Model;
use crate::Uid;
use crate::command::{Command, DataSet, Priority, QueryRq, Status, StoreRq};
use crate::link::Link;
use crate::pdu::Abort;

impl<L: Link> Association<'_, L> {
    /// Serves a retrieval to its last answer.
    pub(super) async fn get(
        &mut self,
        request: &QueryRq,
        model: Model,
        asked: Asked,
    ) -> Result<Served, End> {
        let Some(handler) = &self.shared.services.retrieve else {
            return Ok(Served::Refused(Status::UNRECOGNIZED_OPERATION));
        };
        let mut retrieval = Retrieval::new(handler, asked.context, request);
        let wanted = self.wanted(&asked, model, Target::Caller);
        let status = match self.select(&mut retrieval, wanted).await? {
            Ok(instances) => self.get_all(&mut retrieval, instances).await?,
            Err(status) => status,
        };
        self.conclude(&retrieval, status, Command::GetRsp).await?;
        Ok(Served::Done)
    }

    async fn get_all(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        instances: Vec<Selected>,
    ) -> Result<Status, End> {
        retrieval.done.begin(instances.len());
        for instance in instances {
            let uid = instance.sop_instance.clone();
            let patience = self.shared.config.timeouts.sub_operation;
            let sent = timeout(patience, self.get_one(retrieval, instance)).await;
            let late =
                |_| End::Aborted(Abort::User, "an instance was not taken in time".to_owned());
            let status = sent.map_err(late)??;
            retrieval.done.record(&uid, status);
            if retrieval.watch.is_cancelled() {
                return Ok(Status::CANCELLED);
            }
            self.tell_progress(retrieval, Command::GetRsp).await?;
        }
        Ok(retrieval.done.status())
    }

    /// Sends one instance; nothing if there is no way to, which the peer learns in the end.
    async fn get_one(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        instance: Selected,
    ) -> Result<Option<Status>, End> {
        let (class, uid) = (instance.sop_class.clone(), instance.sop_instance.clone());
        let contexts = self.contexts_to_peer(&class);
        let accepted = contexts.iter().map(|(_, syntax)| syntax.clone()).collect();
        let shared = self.shared;
        let open = async {
            let room = shared.sending.take(instance.size_bytes).await;
            (retrieval.handler.open(instance, accepted).await, room)
        };
        let (opened, _room) = finish(&mut self.peer, &mut retrieval.watch, pin!(open)).await?;
        let Ok(Opened {
            transfer_syntax,
            data_set,
        }) = opened
        else {
            return Ok(None);
        };
        let context = contexts
            .iter()
            .find(|(_, syntax)| *syntax == transfer_syntax);
        let Some((context, _)) = context else {
            return Ok(None);
        };
        self.sent += 1;
        let message_id = self.sent;
        let command = Command::StoreRq(StoreRq {
            message_id,
            sop_class: class,
            sop_instance: uid,
            priority: Priority::Medium,
            data_set: DataSet::Follows,
            origin: None,
        });
        self.peer
            .send(*context, command.write(), Some(data_set))
            .await?;
        loop {
            let message = self.peer.next(NO_HURRY).await?;
            match retrieval.watch.filter(message)?.map(|it| it.command) {
                None => {}
                Some(Command::StoreRsp(answer)) if answer.response.request_id == message_id => {
                    return Ok(Some(answer.response.status));
                }
                Some(other) => return Err(out_of_turn(&other)),
            }
        }
    }

    /// The contexts in which the peer takes instances of a class.
    fn contexts_to_peer(&self, class: &Uid) -> Vec<(u8, Uid)> {
        let contexts = self.peer.contexts.iter();
        contexts
            .filter(|it| it.peer_stores && it.abstract_syntax == *class)
            .map(|it| (it.id, it.transfer_syntax.clone()))
            .collect()
    }
}
