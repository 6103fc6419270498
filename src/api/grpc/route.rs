//! Calls to the services: who may call what, and for how long.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Request, Response};
use hyper::body::Incoming;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::{Status, Streaming};
use tonic_health::ServingStatus;
use tonic_health::pb::health_server::HealthServer;
use tonic_health::server::HealthService;
use tower_service::Service;

use super::arriving::Arriving;
use super::conversation::{Bounds, converse};
use super::{GrpcDoor, admission, status};
use crate::codec::ingest::remote_write_server::{RemoteWrite, RemoteWriteServer, SERVICE_NAME};
use crate::codec::ingest::{DESCRIPTORS, WriteRequest, WriteResponse};

const HEALTH: &str = "grpc.health.v1.Health";
const HEALTH_WATCH: &str = "/grpc.health.v1.Health/Watch";
const REFLECTION: &str = "grpc.reflection.v1.ServerReflection";
const REFLECTION_ALPHA: &str = "grpc.reflection.v1alpha.ServerReflection";

/// Responses that may wait for a sender to read them; each acknowledges all that is settled by then.
const MAX_WAITING_RESPONSES: usize = 4;

/// What a message has beside its body.
const OTHER_BYTES: usize = 64;

/// Longest deadline that is understood, in its unit: eight digits (gRPC over HTTP/2, "Timeout").
const MAX_TIMEOUT_DIGITS: usize = 8;

/// Answers one call.
pub(super) async fn answer(
    door: Arc<GrpcDoor>,
    request: Request<Arriving<Incoming>>,
    stop: watch::Receiver<bool>,
) -> Response<Body> {
    let answered = call(&door, request, stop).await;
    answered.unwrap_or_else(|status| {
        door.books.ended(&status);
        status.into_http()
    })
}

async fn call(
    door: &Arc<GrpcDoor>,
    request: Request<Arriving<Incoming>>,
    stop: watch::Receiver<bool>,
) -> Result<Response<Body>, Status> {
    let path = request.uri().path().to_owned();
    let service = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let deadline = deadline(request.headers());
    if path == HEALTH_WATCH {
        // nobody looks at our health by himself, so whoever watched would hear the first answer for ever
        return Err(status::unknown(&path));
    }
    if service == HEALTH {
        return in_time(deadline, health(door, request)).await;
    }
    let config = door.config.load_full();
    let caller = admission::admit(&config.tokens, request.headers()).await?;
    match service {
        SERVICE_NAME => {
            caller.may_write()?;
            let receiver = door.doors.config().receiver.clone();
            if !receiver.enabled {
                return Err(status::no_receiver());
            }
            let streams = Streams {
                door: Arc::clone(door),
                deadline,
                stop,
            };
            let longest = receiver.max_body_bytes.saturating_add(OTHER_BYTES);
            let mut server = RemoteWriteServer::new(streams).max_decoding_message_size(longest);
            let Ok(response) = server.call(request).await;
            Ok(response)
        }
        REFLECTION | REFLECTION_ALPHA => in_time(deadline, reflect(service, request)).await,
        _ => Err(status::unknown(&path)),
    }
}

async fn in_time(
    deadline: Option<Instant>,
    answer: impl Future<Output = Result<Response<Body>, Status>>,
) -> Result<Response<Body>, Status> {
    match deadline {
        None => answer.await,
        Some(deadline) => tokio::time::timeout_at(deadline, answer)
            .await
            .unwrap_or_else(|_| Err(status::late("the caller's deadline has passed"))),
    }
}

/// When the caller wants an answer at the latest: `grpc-timeout`.
fn deadline(headers: &HeaderMap) -> Option<Instant> {
    let typed = headers.get("grpc-timeout")?.to_str().ok()?;
    Instant::now().checked_add(timeout(typed)?)
}

fn timeout(typed: &str) -> Option<Duration> {
    let (digits, unit) = typed.split_at_checked(typed.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > MAX_TIMEOUT_DIGITS {
        return None;
    }
    let number: u64 = digits
        .bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| digits.parse().ok())??;
    Some(match unit {
        "H" => Duration::from_secs(number * 3600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

/// Whether a message could be made durable now, of the whole and of the service.
async fn health(door: &GrpcDoor, request: Request<Arriving<Incoming>>) -> Result<Response<Body>, Status> {
    let status = match door.doors.intake.ready() {
        Ok(()) => ServingStatus::Serving,
        Err(_) => ServingStatus::NotServing,
    };
    for service in ["", SERVICE_NAME] {
        door.health.set_service_status(service, status).await;
    }
    let mut server = HealthServer::new(HealthService::from_health_reporter(door.health.clone()));
    let Ok(response) = server.call(request).await;
    Ok(response)
}

/// What services there are. The tables are made for each call: calls are by hand, and an idle bridge shall be small.
async fn reflect(service: &str, request: Request<Arriving<Incoming>>) -> Result<Response<Body>, Status> {
    let builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    let unreadable = |error: tonic_reflection::server::Error| Status::internal(error.to_string());
    let response = if service == REFLECTION {
        builder.build_v1().map_err(unreadable)?.call(request).await
    } else {
        builder.build_v1alpha().map_err(unreadable)?.call(request).await
    };
    let Ok(response) = response;
    Ok(response)
}

/// The service of one call.
struct Streams {
    door: Arc<GrpcDoor>,
    deadline: Option<Instant>,
    stop: watch::Receiver<bool>,
}

#[tonic::async_trait]
impl RemoteWrite for Streams {
    type WriteStream = ReceiverStream<Result<WriteResponse, Status>>;

    async fn write(
        &self,
        request: tonic::Request<Streaming<WriteRequest>>,
    ) -> Result<tonic::Response<Self::WriteStream>, Status> {
        let (answers, told) = mpsc::channel(MAX_WAITING_RESPONSES);
        let bounds = Bounds {
            deadline: self.deadline,
            stop: self.stop.clone(),
        };
        let talk = converse(Arc::clone(&self.door), request.into_inner(), answers, bounds);
        #[expect(
            clippy::disallowed_methods,
            reason = "the connection lasts until the stream that this feeds has ended, and is awaited; it ends soon when the connection is gone"
        )]
        tokio::spawn(talk);
        Ok(tonic::Response::new(ReceiverStream::new(told)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callers_timeout_is_read_in_each_unit_and_nonsense_is_none() {
        for (typed, expected) in [
            ("1H", Some(Duration::from_secs(3600))),
            ("2M", Some(Duration::from_secs(120))),
            ("3S", Some(Duration::from_secs(3))),
            ("4m", Some(Duration::from_millis(4))),
            ("5u", Some(Duration::from_micros(5))),
            ("99999999n", Some(Duration::from_nanos(99_999_999))),
            ("100000000n", None),
            ("S", None),
            ("", None),
            ("-1S", None),
            ("1s", None),
            ("1\u{e9}", None),
        ] {
            assert_eq!(timeout(typed), expected, "{typed:?}");
        }
    }
}
