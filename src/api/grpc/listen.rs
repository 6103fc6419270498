//! Connections to the gRPC door: bounded in number, kept alive by pings, ended when we stop.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2::Builder;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tracing::{debug, warn};

use super::super::listen::{serve_each, stopped};
use super::super::patience::Patient;
use super::super::tls::{self, Greeting};
use super::arriving::{Arriving, Calls};
use super::{GrpcDoor, route};

/// How long a client may take for its first call.
const FIRST_CALL_DEADLINE: Duration = Duration::from_secs(30);

/// How long a connection may rest between calls. Whoever has something to say again connects again.
const REST_DEADLINE: Duration = Duration::from_secs(5 * 60);

/// How often is asked whether a client is still there, and how long it may take to say so.
const PING_EVERY: Duration = Duration::from_secs(20);

/// Calls of one connection at once. An agent needs one; a person with a command line a few.
const MAX_CALLS: u32 = 16;

/// What may be on its way to us unread, of a call and of a connection: a message or two of the usual length, so that a
/// long way is no slow one.
const CALL_WINDOW_BYTES: u32 = 1 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 2 << 20;

/// Longest head of a call; a bearer token of a cloud has some thousand bytes.
const MAX_HEAD_BYTES: u32 = 32 << 10;

/// Serves until `stop` changes; then streams settle what they have taken and say that we are stopping.
pub async fn serve(listener: TcpListener, door: Arc<GrpcDoor>, stop: watch::Receiver<bool>) {
    let places = door.config.load().max_connections;
    let visit = |stream, peer| {
        let visit = Visit {
            door: Arc::clone(&door),
            peer,
            stop: stop.clone(),
        };
        visit.serve(stream)
    };
    if serve_each(listener, places, stop.clone(), visit).await.is_err() {
        warn!("some gRPC streams did not end in time and are cut off");
    }
}

/// Returns when no call was made for long, and none is under way: a connection that is held for nothing takes another's
/// place.
async fn rested(calls: &Calls) {
    tokio::time::sleep(FIRST_CALL_DEADLINE).await;
    let mut before = Some(0);
    loop {
        let now = calls.at_rest();
        if now.is_some() && now == before {
            return;
        }
        before = now;
        tokio::time::sleep(REST_DEADLINE).await;
    }
}

/// One connection.
struct Visit {
    door: Arc<GrpcDoor>,
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
}

impl Visit {
    async fn serve(self, stream: TcpStream) {
        let door = Arc::clone(&self.door);
        door.books.connections.inc();
        // without it acknowledgements wait for others that the client delays
        let _ = stream.set_nodelay(true);
        let mut stop = self.stop.clone();
        let tls = door.tls.load_full();
        match tls.as_ref() {
            None => self.speak(stream).await,
            Some(acceptor) => {
                let greeting = tokio::select! {
                    greeting = tls::greet(acceptor, stream) => greeting,
                    () = stopped(&mut stop) => Greeting::Failed(io::ErrorKind::ConnectionAborted.into()),
                };
                match greeting {
                    Greeting::Done(stream) => self.speak(stream).await,
                    Greeting::Plain(_) => {
                        debug!(peer = %self.peer, "a client of the gRPC door speaks no TLS")
                    }
                    Greeting::Failed(error) => debug!(peer = %self.peer, %error, "a TLS handshake failed"),
                }
            }
        }
        door.books.connections.dec();
    }

    async fn speak(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static) {
        let Self { door, peer, stop } = self;
        let calls = Arc::new(Calls::default());
        let (made, stopping) = (Arc::clone(&calls), stop.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let (door, stop) = (Arc::clone(&door), stopping.clone());
            let arriving =
                |body| Arriving::new(body, Arc::clone(&door.unread), Arc::clone(&made), stop.clone());
            let request = request.map(arriving);
            async move { Ok::<_, Infallible>(route::answer(door, request, stop).await) }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(PING_EVERY))
            .keep_alive_timeout(PING_EVERY)
            .max_concurrent_streams(MAX_CALLS)
            .initial_stream_window_size(CALL_WINDOW_BYTES)
            .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
            .max_header_list_size(MAX_HEAD_BYTES);
        let stream = TokioIo::new(Patient::new(stream, stop.clone()));
        let mut connection = pin!(builder.serve_connection(stream, service));
        let mut idle = pin!(rested(&calls));
        let mut stop = stop;
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = &mut idle => {
                debug!(%peer, "a connection made no call for long");
                return;
            }
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            debug!(%peer, %error, "a connection ended badly");
        }
    }
}
