//! The listener: connections in a bounded number, each served until it ends or we do.

use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use rustix::process::{Resource, getrlimit};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tracing::{debug, warn};

use super::patience::Patient;
use super::reply::Reply;
use super::tls::{self, Greeting};
use super::{Doors, Web, request_line};

/// How long a client may take for the head of its first request.
const HEAD_DEADLINE: Duration = Duration::from_secs(30);

/// How long a connection may rest, the head of the next request included. No usual pause between two pushes, or we would
/// hang up on a client the moment it pushes again; and longer than Go's clients keep theirs (90 s), so that they do it.
const REST_DEADLINE: Duration = Duration::from_secs(100);

/// How long requests under way may still take when we are asked to stop. Flink gives up after ten seconds.
const DRAIN: Duration = Duration::from_secs(10);

/// Connections that may wait to be let in; the system may allow fewer. Who finds no room there tries again after a whole
/// second, and a fleet of pushers knocks at once.
const BACKLOG: u32 = 4096;

/// Files that are not for connections: those of the queue, remotes, certificates. Without them a crowd at the door could
/// keep a push from being stored.
const OTHER_FILES: u64 = 256;

/// Opens the listener, so that a taken port is found at start.
///
/// # Errors
/// What the system says; the address is for the caller to name.
pub async fn listen(address: &str) -> io::Result<TcpListener> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in tokio::net::lookup_host(address).await? {
        match listen_at(address) {
            Ok(listener) => return Ok(listener),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // connections of an earlier run that are not quite gone must not keep us from starting
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until `stop` changes, then lets requests under way end.
pub async fn serve(listener: TcpListener, doors: Arc<Doors>, stop: watch::Receiver<bool>) {
    let places = places(doors.config.load().max_connections);
    let visit = |stream, peer| {
        let visit = Visit {
            doors: Arc::clone(&doors),
            peer,
            stop: stop.clone(),
        };
        visit.serve(stream)
    };
    if serve_each(listener, places, stop.clone(), visit).await.is_err() {
        warn!("some requests did not end in time and are cut off");
    }
}

/// Serves each connection by `visit`, `places` of them at once, until `stop` changes; then closes the port and lets those
/// under way end.
///
/// # Errors
/// When some did not end in time and are cut off.
pub(super) async fn serve_each<V>(
    listener: TcpListener,
    places: usize,
    mut stop: watch::Receiver<bool>,
    visit: impl Fn(TcpStream, SocketAddr) -> V,
) -> Result<(), Elapsed>
where
    V: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let places = Arc::new(Semaphore::new(places));
    loop {
        tokio::select! {
            biased;
            () = stopped(&mut stop) => break,
            Some(_) = connections.join_next() => {}
            (place, accepted) = accept(&listener, &places) => match accepted {
                Ok((stream, peer)) => {
                    let visit = visit(stream, peer);
                    connections.spawn(async move {
                        let _place = place;
                        visit.await;
                    });
                }
                Err(error) => {
                    warn!(%error, "could not accept a connection");
                    // out of file descriptors, most likely: give connections time to end rather than spin
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let ended = tokio::time::timeout(DRAIN, ended).await;
    connections.shutdown().await;
    ended
}

/// How many connections are served at once: `wanted`, or fewer where the system gives us fewer files.
fn places(wanted: usize) -> usize {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let possible = usize::try_from(files.saturating_sub(OTHER_FILES).max(files / 2)).unwrap_or(usize::MAX);
    if possible < wanted {
        warn!(
            files,
            wanted,
            possible,
            "serves fewer connections than http.max_connections: raise the limit of open files (ulimit -n, LimitNOFILE)"
        );
    }
    // a semaphore bears no more
    possible.clamp(1, Semaphore::MAX_PERMITS).min(wanted)
}

/// Returns when it is time to stop, or nobody is left to say so.
pub(super) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The next connection, taken only when there is a place for it.
async fn accept(
    listener: &TcpListener,
    places: &Arc<Semaphore>,
) -> (Option<OwnedSemaphorePermit>, io::Result<(TcpStream, SocketAddr)>) {
    let place = Arc::clone(places).acquire_owned().await.ok();
    (place, listener.accept().await)
}

/// One connection.
struct Visit {
    doors: Arc<Doors>,
    peer: SocketAddr,
    stop: watch::Receiver<bool>,
}

impl Visit {
    async fn serve(mut self, stream: TcpStream) {
        let doors = Arc::clone(&self.doors);
        doors.books.connections.inc();
        // without it small answers wait for an acknowledgement that the client delays
        let _ = stream.set_nodelay(true);
        let web = doors.protection();
        match web.tls() {
            None => self.look(stream, &web).await,
            Some(acceptor) => {
                let greeting = tokio::select! {
                    greeting = tls::greet(acceptor, stream) => greeting,
                    () = stopped(&mut self.stop) => Greeting::Failed(io::ErrorKind::ConnectionReset.into()),
                };
                match greeting {
                    Greeting::Done(stream) => self.look(stream, &web).await,
                    Greeting::Plain(stream) => {
                        let stream = Patient::new(stream, self.stop.clone());
                        self.refuse(stream, Reply::plain_http()).await;
                    }
                    Greeting::Failed(error) => self.note_failure(&error),
                }
            }
        }
        doors.books.connections.dec();
    }

    /// Looks at the first request line before the HTTP library does.
    async fn look(mut self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, web: &Web) {
        let stream = Patient::new(stream, self.stop.clone());
        let looking = tokio::time::timeout(HEAD_DEADLINE, request_line::look(stream));
        let looked = tokio::select! {
            looked = looking => looked,
            () = stopped(&mut self.stop) => Ok(Err(io::ErrorKind::ConnectionAborted.into())),
        };
        match looked {
            Ok(Ok((stream, Ok(())))) => self.converse(stream, web).await,
            Ok(Ok((stream, Err(sentence)))) => {
                self.refuse(stream.into_inner(), Reply::bad_request_line(sentence))
                    .await;
            }
            Ok(Err(error)) => {
                debug!(peer = %self.peer, %error, "a connection ended before its first request")
            }
            Err(_) => debug!(peer = %self.peer, "a connection sent no request in time"),
        }
    }

    /// Answers what the HTTP library shall not see.
    async fn refuse(self, stream: impl AsyncWrite + Unpin, reply: Reply) {
        if self.doors.refusals.may_speak(self.doors.clock.now()) {
            warn!(peer = %self.peer, error = reply.refusal(), "refused a request");
        } else {
            debug!(peer = %self.peer, error = reply.refusal(), "refused a request");
        }
        self.doors.books.bad_connections.inc();
        farewell(stream, reply).await;
    }

    /// Speaks of a failed handshake, but not of those who only look whether the port is open.
    fn note_failure(&self, error: &io::Error) {
        let has_gone = matches!(
            error.kind(),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset
        );
        if !has_gone {
            self.doors.books.bad_connections.inc();
        }
        if !has_gone && self.doors.refusals.may_speak(self.doors.clock.now()) {
            warn!(peer = %self.peer, %error, "a TLS handshake failed");
        } else {
            debug!(peer = %self.peer, %error, "a TLS handshake failed");
        }
    }

    async fn converse(self, stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, web: &Web) {
        let Self {
            doors,
            peer,
            mut stop,
        } = self;
        let answering = Arc::clone(&doors);
        let service = service_fn(move |request| {
            let doors = Arc::clone(&answering);
            async move { Ok::<_, std::convert::Infallible>(doors.answer(peer, request).await) }
        });
        let mut builder = Builder::new(TokioExecutor::new());
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(REST_DEADLINE);
        builder
            .http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(Some(HEAD_DEADLINE))
            .max_concurrent_streams(100);
        let builder = if web.is_http1_only() {
            builder.http1_only()
        } else {
            builder
        };
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(&mut stop) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            doors.books.bad_connections.inc();
            debug!(%peer, %error, "a connection ended badly");
        }
    }
}

/// Says why and closes.
async fn farewell(mut stream: impl AsyncWrite + Unpin, reply: Reply) {
    let talk = async {
        stream.write_all(&reply.into_bytes()).await?;
        stream.shutdown().await
    };
    if let Err(error) = talk.await {
        debug!(%error, "a refused client did not wait for the answer");
    }
}

#[cfg(test)]
mod tests;
