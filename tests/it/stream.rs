//! A sender of our gRPC stream, made of the generated client and one plain connection.

use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use flinkbridge::codec::ingest::remote_write_client::RemoteWriteClient;
use flinkbridge::codec::ingest::write_request::Part;
use flinkbridge::codec::ingest::{Hello, Message, Protobuf, WriteRequest, WriteResponse};
use hyper::client::conn::http2::{Builder, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message as _;
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::{Code, Request, Status, Streaming};
use tower_service::Service;

use crate::write_v1::{Label, Sample, TimeSeries, WriteRequest as Body1};

const PATIENCE: Duration = Duration::from_secs(10);

/// A connection as generated clients want it.
#[derive(Clone)]
pub(crate) struct Channel(SendRequest<Body>);

type Answered = Result<http::Response<hyper::body::Incoming>, hyper::Error>;

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = Pin<Box<dyn Future<Output = Answered> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.0.send_request(request))
    }
}

/// Connects; the connection lives as long as the runtime.
pub(crate) async fn connect(address: SocketAddr) -> (Channel, http::Uri) {
    let stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let (requests, connection) = Builder::new(TokioExecutor::new())
        .handshake(TokioIo::new(stream))
        .await
        .unwrap();
    #[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
    tokio::spawn(connection);
    (Channel(requests), format!("http://{address}").parse().unwrap())
}

/// One stream.
pub(crate) struct Stream {
    runtime: Runtime,
    sending: Option<mpsc::Sender<WriteRequest>>,
    answers: Streaming<WriteResponse>,
}

impl Stream {
    /// Opens one; nothing has been said yet.
    pub(crate) fn open(address: SocketAddr) -> Self {
        Self::with(address, |_| {}).unwrap()
    }

    /// Opens one with these headers.
    pub(crate) fn with(
        address: SocketAddr,
        head: impl FnOnce(&mut Request<ReceiverStream<WriteRequest>>),
    ) -> Result<Self, Status> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (sending, outgoing) = mpsc::channel(256);
        let mut request = Request::new(ReceiverStream::new(outgoing));
        head(&mut request);
        let response = runtime.block_on(async {
            let (channel, origin) = connect(address).await;
            RemoteWriteClient::with_origin(channel, origin)
                .write(request)
                .await
        })?;
        Ok(Self {
            runtime,
            sending: Some(sending),
            answers: response.into_inner(),
        })
    }

    /// Opens one and says hello as `session`; returns the greeting too.
    pub(crate) fn greeted(address: SocketAddr, session: u8, first_sequence: u64) -> (Self, WriteResponse) {
        let mut stream = Self::open(address);
        stream.hello(session, first_sequence);
        let greeting = stream.answer().unwrap();
        (stream, greeting)
    }

    pub(crate) fn hello(&self, session: u8, first_sequence: u64) {
        self.say(Part::Hello(Hello {
            sender: "test".to_owned(),
            version: "1".to_owned(),
            session: vec![session; 16],
            first_sequence,
        }));
    }

    pub(crate) fn say(&self, part: Part) {
        let request = WriteRequest { part: Some(part) };
        self.sending.as_ref().unwrap().try_send(request).unwrap();
    }

    /// Sends a message of version 1.0 with one sample of each series.
    pub(crate) fn send(&self, sequence: u64, series: &[(&str, f64)]) {
        self.send_body(sequence, body(series));
    }

    pub(crate) fn send_body(&self, sequence: u64, body: Vec<u8>) {
        self.say(Part::Message(Message {
            sequence,
            protobuf: Protobuf::WriteRequestV1.into(),
            body: body.into(),
        }));
    }

    /// Says that nothing more will come.
    pub(crate) fn finish(&mut self) {
        self.sending = None;
    }

    /// The next answer, or the status that ends the stream.
    pub(crate) fn answer(&mut self) -> Result<WriteResponse, Code> {
        let next = self
            .runtime
            .block_on(async { tokio::time::timeout(PATIENCE, self.answers.message()).await })
            .expect("an answer in time");
        match next {
            Ok(Some(answer)) => Ok(answer),
            Ok(None) => Err(Code::Ok),
            Err(status) => Err(status.code()),
        }
    }

    /// Answers until so much is acknowledged.
    pub(crate) fn acknowledged(&mut self, sequence: u64) -> Vec<WriteResponse> {
        let mut answers = Vec::new();
        while answers
            .last()
            .is_none_or(|last: &WriteResponse| last.acknowledged_sequence < sequence)
        {
            answers.push(self.answer().unwrap());
        }
        answers
    }
}

/// A body of version 1.0; series are written `name` or `name{label}`, the label's value being that of the sample.
pub(crate) fn body(series: &[(&str, f64)]) -> Vec<u8> {
    let label = |name: &str, value: &str| Label {
        name: name.to_owned(),
        value: value.to_owned(),
    };
    let timeseries = series.iter().map(|(name, value)| TimeSeries {
        labels: vec![label("__name__", name), label("job", "j")],
        samples: vec![Sample {
            value: *value,
            timestamp: 1_795_000_000_000,
        }],
        ..Default::default()
    });
    let request = Body1 {
        timeseries: timeseries.collect(),
        ..Default::default()
    };
    snap::raw::Encoder::new()
        .compress_vec(&request.encode_to_vec())
        .unwrap()
}
