//! A small requestor over any byte stream, and a server that remembers what it stored.

#![allow(dead_code, reason = "each test file uses its part")]

pub(crate) mod archive;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use arno_dimse::command::{Command, DataSet, EchoRq, Priority, Status, StoreRq};
use arno_dimse::limits::{MAX_MAX_PDU, PDU_HEADER_BYTES};
use arno_dimse::pdu::{
    APPLICATION_CONTEXT, AssociateAc, AssociateRq, ContextOutcome, ContextResult, DataValue,
    FragmentPosition, MessagePart, Pdu, PduHeader, ProposedContext, UserInformation,
};
use arno_dimse::scp::{Server, ServerConfig, Services, StoreHandler, StoreRequest, StoreStatus};
use arno_dimse::{Uid, classes};
use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What the requestor announces.
pub(crate) const PEER_MAX_PDU: u32 = 16_384;

pub(crate) const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
pub(crate) const MR: &str = "1.2.840.10008.5.1.4.1.1.4";
pub(crate) const IMPLICIT: &str = "1.2.840.10008.1.2";
pub(crate) const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub(crate) const JPEG_LOSSLESS: &str = "1.2.840.10008.1.2.4.70";

pub(crate) fn uid(text: &str) -> Uid {
    text.parse().unwrap()
}

pub(crate) fn config() -> ServerConfig {
    ServerConfig::new("ARNO".parse().unwrap())
}

/// A server on a port of its own that keeps what it gets in memory.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) stored: Arc<Mutex<Vec<StoreRequest>>>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl TestServer {
    pub(crate) async fn start(config: ServerConfig) -> Self {
        let stored = Arc::new(Mutex::new(Vec::new()));
        let keep = Arc::clone(&stored);
        let handler = StoreHandler::new(move |request: StoreRequest| {
            let keep = Arc::clone(&keep);
            async move {
                keep.lock().unwrap().push(request);
                StoreStatus::Success
            }
        });
        let (address, stop, task) = start(config, handler).await;
        Self {
            address,
            stored,
            stop,
            task,
        }
    }

    pub(crate) async fn connect(&self) -> Scu<TcpStream> {
        Scu::new(TcpStream::connect(self.address).await.unwrap())
    }

    /// Asks for shutdown and waits for its end.
    pub(crate) async fn shut_down(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap();
    }
}

pub(crate) async fn start(
    config: ServerConfig,
    services: impl Into<Services>,
) -> (SocketAddr, oneshot::Sender<()>, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let server = Server::new(config, services).unwrap();
    let shutdown = async {
        let _ = stopped.await;
    };
    let task = tokio::spawn(async move { server.serve(listener, shutdown).await });
    (address, stop, task)
}

/// The requestor.
pub(crate) struct Scu<S> {
    pub(crate) stream: S,
    max_pdu: usize,
}

pub(crate) fn proposal(id: u8, class: &str, syntaxes: &[&str]) -> ProposedContext {
    ProposedContext {
        id,
        abstract_syntax: uid(class),
        transfer_syntaxes: syntaxes.iter().map(|syntax| uid(syntax)).collect(),
    }
}

pub(crate) fn request(contexts: Vec<ProposedContext>) -> AssociateRq {
    AssociateRq {
        protocol_version: 1,
        called_ae: "ARNO".parse().unwrap(),
        calling_ae: "TESTER".parse().unwrap(),
        application_context: uid(APPLICATION_CONTEXT),
        contexts,
        user: UserInformation {
            max_pdu: PEER_MAX_PDU,
            implementation_class: Some(uid("1.2.3")),
            implementation_version: Some("TEST".into()),
            roles: Vec::new(),
            extended: Vec::new(),
        },
    }
}

/// Verification 1, CT 3 explicit, CT 5 JPEG lossless, MR 7 implicit.
pub(crate) fn usual_contexts() -> Vec<ProposedContext> {
    vec![
        proposal(1, classes::VERIFICATION, &[IMPLICIT]),
        proposal(3, CT, &[EXPLICIT, IMPLICIT]),
        proposal(5, CT, &[JPEG_LOSSLESS]),
        proposal(7, MR, &[IMPLICIT]),
    ]
}

impl<S: AsyncRead + AsyncWrite + Unpin> Scu<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self {
            stream,
            max_pdu: 16_384,
        }
    }

    pub(crate) async fn send(&mut self, pdu: &Pdu) {
        self.stream.write_all(&pdu.write()).await.unwrap();
    }

    /// The next PDU, or nothing if the server closed.
    pub(crate) async fn receive(&mut self) -> Option<Pdu> {
        let mut header = [0; PDU_HEADER_BYTES];
        self.stream.read_exact(&mut header).await.ok()?;
        let header = PduHeader::read(header, MAX_MAX_PDU).unwrap();
        let mut body = vec![0; header.length as usize];
        self.stream.read_exact(&mut body).await.unwrap();
        Some(Pdu::read(header.kind, Bytes::from(body)).unwrap())
    }

    pub(crate) async fn associate(&mut self, contexts: Vec<ProposedContext>) -> AssociateAc {
        self.associate_as(request(contexts)).await
    }

    pub(crate) async fn associate_as(&mut self, request: AssociateRq) -> AssociateAc {
        self.send(&Pdu::AssociateRq(request)).await;
        match self.receive().await {
            Some(Pdu::AssociateAc(accept)) => {
                self.max_pdu = accept.user.max_pdu as usize;
                accept
            }
            other => panic!("not accepted: {other:?}"),
        }
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Whether an echo is the next thing that is answered. Needs verification nowhere: the refusal is an answer too.
    pub(crate) async fn stream_is_quiet(&mut self) -> bool {
        let Command::EchoRsp(answer) = self.echo(12_345).await else {
            return false;
        };
        answer.request_id == 12_345
    }

    pub(crate) async fn echo(&mut self, message_id: u16) -> Command {
        let command = Command::EchoRq(EchoRq {
            message_id,
            sop_class: uid(classes::VERIFICATION),
        });
        self.send_part(1, MessagePart::Command, &command.write())
            .await;
        self.receive_command().await
    }

    /// Sends an instance in fragments as large as the server takes; gives the status.
    pub(crate) async fn store(
        &mut self,
        context: u8,
        class: &str,
        instance: &str,
        data_set: &[u8],
    ) -> Status {
        let command = store_command(class, instance);
        self.send_part(context, MessagePart::Command, &command.write())
            .await;
        self.send_part(context, MessagePart::DataSet, data_set)
            .await;
        match self.receive_command().await {
            Command::StoreRsp(answer) => {
                assert_eq!(answer.response.request_id, 7);
                answer.response.status
            }
            other => panic!("not a C-STORE-RSP: {other:?}"),
        }
    }

    pub(crate) async fn send_part(&mut self, context: u8, part: MessagePart, bytes: &[u8]) {
        let most = self.max_pdu - 6;
        let mut rest = Bytes::copy_from_slice(bytes);
        loop {
            let fragment = rest.split_to(rest.len().min(most));
            let position = if rest.is_empty() {
                FragmentPosition::Last
            } else {
                FragmentPosition::More
            };
            self.send(&Pdu::Data(vec![DataValue {
                context,
                part,
                position,
                bytes: fragment,
            }]))
            .await;
            if rest.is_empty() {
                return;
            }
        }
    }

    pub(crate) async fn receive_command(&mut self) -> Command {
        match self.receive().await {
            Some(Pdu::Data(values)) => {
                assert_eq!(values.len(), 1);
                assert_eq!(values[0].part, MessagePart::Command);
                assert_eq!(values[0].position, FragmentPosition::Last);
                Command::read(&values[0].bytes).unwrap()
            }
            other => panic!("not P-DATA-TF: {other:?}"),
        }
    }

    /// A request or response with its data set.
    pub(crate) async fn send_message(&mut self, context: u8, command: &Command, data_set: &[u8]) {
        self.send_part(context, MessagePart::Command, &command.write())
            .await;
        if command.data_set() == DataSet::Follows {
            self.send_part(context, MessagePart::DataSet, data_set)
                .await;
        }
    }

    /// A message, put together from as many PDUs as the server likes.
    pub(crate) async fn receive_message(&mut self) -> (Command, Vec<u8>) {
        let (_, command, data_set) = self.receive_in_context().await;
        (command, data_set)
    }

    pub(crate) async fn receive_in_context(&mut self) -> (u8, Command, Vec<u8>) {
        let mut command = None;
        let mut data_set = Vec::new();
        loop {
            let value = self.receive_value().await;
            match value.part {
                MessagePart::Command => command = Some(Command::read(&value.bytes).unwrap()),
                MessagePart::DataSet => data_set.extend_from_slice(&value.bytes),
            }
            let begun = command.as_ref().expect("the command set comes first");
            let whole = value.part == MessagePart::DataSet || begun.data_set() == DataSet::Absent;
            if whole && value.position == FragmentPosition::Last {
                return (value.context, command.unwrap(), data_set);
            }
        }
    }

    async fn receive_value(&mut self) -> DataValue {
        match self.receive().await {
            Some(Pdu::Data(values)) => {
                let [value] = values.try_into().expect("one value in a PDU");
                assert!(value.bytes.len() + 6 <= PEER_MAX_PDU as usize);
                value
            }
            other => panic!("not P-DATA-TF: {other:?}"),
        }
    }

    pub(crate) async fn release(mut self) {
        self.send(&Pdu::ReleaseRq).await;
        assert_eq!(self.receive().await, Some(Pdu::ReleaseRp));
        assert_eq!(
            self.receive().await,
            None,
            "the server closes after its answer"
        );
    }
}

/// The side that is called, and what it was asked: everything is accepted in the first transfer syntax.
pub(crate) async fn accept(listener: &TcpListener) -> (Scu<TcpStream>, AssociateRq) {
    let (stream, _) = listener.accept().await.unwrap();
    let mut called = Scu::new(stream);
    let Some(Pdu::AssociateRq(request)) = called.receive().await else {
        panic!("not asked")
    };
    let contexts = request.contexts.iter().map(|context| ContextResult {
        id: context.id,
        outcome: ContextOutcome::Accepted(context.transfer_syntaxes[0].clone()),
    });
    let accept = AssociateAc {
        called_ae: request.called_ae.clone(),
        calling_ae: request.calling_ae.clone(),
        contexts: contexts.collect(),
        user: UserInformation {
            max_pdu: PEER_MAX_PDU,
            ..request.user.clone()
        },
    };
    called.send(&Pdu::AssociateAc(accept)).await;
    (called, request)
}

/// A message as PDUs of one fragment each.
pub(crate) fn message_pdus(context: u8, command: &Command, data_set: &[u8]) -> Vec<Vec<u8>> {
    let parts = [
        (MessagePart::Command, command.write()),
        (MessagePart::DataSet, data_set.to_vec()),
    ];
    let pdu = |(part, bytes): (_, Vec<u8>)| {
        Pdu::Data(vec![DataValue {
            context,
            part,
            position: FragmentPosition::Last,
            bytes: bytes.into(),
        }])
        .write()
    };
    parts.map(pdu).into()
}

pub(crate) fn store_command(class: &str, instance: &str) -> Command {
    Command::StoreRq(StoreRq {
        message_id: 7,
        sop_class: uid(class),
        sop_instance: uid(instance),
        priority: Priority::Medium,
        data_set: DataSet::Follows,
        origin: None,
    })
}

pub(crate) fn accepted(accept: &AssociateAc) -> Vec<(u8, String)> {
    let contexts = accept
        .contexts
        .iter()
        .filter_map(|context| match &context.outcome {
            ContextOutcome::Accepted(syntax) => Some((context.id, syntax.to_string())),
            _ => None,
        });
    contexts.collect()
}
