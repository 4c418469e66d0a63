//! C-MOVE (PS3.4 section C.4.2): instances go to a third, which must be a configured peer, over associations of our own.

use std::pin::pin;

use tokio::time::timeout;

use super::association::{Association, End};
use super::dispatch::{Asked, Served};
use super::operation::finish;
use super::plan::{Batch, plan};
use super::retrieve::{Opened, Retrieval, Selected, Target};
use super::service::Model;
use crate::command::{Command, MoveOrigin, MoveRq, Status};
use crate::link::Link;
use crate::scu::{self, Outgoing, Peer};

impl<L: Link> Association<'_, L> {
    /// Serves a retrieval to its last answer.
    pub(super) async fn move_to(
        &mut self,
        request: &MoveRq,
        model: Model,
        asked: Asked,
    ) -> Result<Served, End> {
        let shared = self.shared;
        let Some(handler) = &shared.services.retrieve else {
            return Ok(Served::Refused(Status::UNRECOGNIZED_OPERATION));
        };
        let Some(peer) = shared.config.peer(&request.destination) else {
            return Ok(Served::Refused(Status::MOVE_DESTINATION_UNKNOWN));
        };
        let mut retrieval = Retrieval::new(handler, asked.context, &request.query);
        let wanted = self.wanted(&asked, model, Target::Peer(peer.ae_title.clone()));
        let status = match self.select(&mut retrieval, wanted).await? {
            Ok(instances) => self.move_all(&mut retrieval, peer, instances).await?,
            Err(status) => status,
        };
        self.conclude(&retrieval, status, Command::MoveRsp).await?;
        Ok(Served::Done)
    }

    async fn move_all(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        peer: &Peer,
        instances: Vec<Selected>,
    ) -> Result<Status, End> {
        retrieval.done.begin(instances.len());
        for batch in plan(instances) {
            self.move_batch(retrieval, peer, batch).await?;
            if retrieval.watch.is_cancelled() {
                return Ok(Status::CANCELLED);
            }
        }
        Ok(retrieval.done.status())
    }

    /// One association's worth of instances.
    async fn move_batch(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        peer: &Peer,
        batch: Batch,
    ) -> Result<(), End> {
        let config = self.shared.config.scu();
        let connect = scu::Association::connect(peer, &config, &batch.proposals);
        let connected = finish(&mut self.peer, &mut retrieval.watch, pin!(connect)).await?;
        let mut destination = connected.map_err(|error| warn(peer, &error)).ok();
        for instance in batch.instances {
            if retrieval.watch.is_cancelled() {
                break;
            }
            let uid = instance.sop_instance.clone();
            let status = match &mut destination {
                Some(association) => self.move_one(retrieval, association, instance).await?,
                None => Ok(None),
            };
            if let Err(error) = &status {
                warn(peer, error);
                destination = None;
            }
            retrieval.done.record(&uid, status.ok().flatten());
            self.tell_progress(retrieval, Command::MoveRsp).await?;
        }
        if let Some(association) = destination {
            let release = association.release();
            let released = finish(&mut self.peer, &mut retrieval.watch, pin!(release)).await?;
            // Every instance has its answer already.
            let _ = released.map_err(|error| warn(peer, &error));
        }
        Ok(())
    }

    /// Sends one instance; nothing if there is no way to, an error if there is no way to send any other.
    async fn move_one(
        &mut self,
        retrieval: &mut Retrieval<'_>,
        destination: &mut scu::Association,
        instance: Selected,
    ) -> Result<Result<Option<Status>, scu::ScuError>, End> {
        let origin = MoveOrigin {
            ae_title: self.calling_ae.clone(),
            message_id: retrieval.request.message_id,
        };
        let (shared, handler) = (self.shared, retrieval.handler);
        let send = async {
            let _room = shared.sending.take(instance.size_bytes).await;
            let accepted = destination.accepted(&instance.sop_class);
            let opened = handler.open(instance.clone(), accepted).await;
            let Ok(Opened {
                transfer_syntax,
                data_set,
            }) = opened
            else {
                return Ok(None);
            };
            let outgoing = Outgoing {
                sop_class: instance.sop_class,
                sop_instance: instance.sop_instance,
                transfer_syntax,
                data_set,
                origin: Some(origin),
            };
            destination.store(outgoing).await.map(Some)
        };
        let send = timeout(shared.config.timeouts.sub_operation, send);
        let sent = finish(&mut self.peer, &mut retrieval.watch, pin!(send)).await?;
        Ok(sent.unwrap_or(Err(scu::ScuError::TimedOut("C-STORE"))))
    }
}

fn warn(peer: &Peer, error: &scu::ScuError) {
    let error = error as &dyn std::error::Error;
    tracing::warn!(ae_title = %peer.ae_title, error, "C-MOVE: instances were not sent");
}
