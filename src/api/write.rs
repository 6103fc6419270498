//! The remote-write receiver: POST of a request of version 1.0 or 2.0.

mod content;
mod take;

use std::sync::Arc;

use http::{Method, Request};
use hyper::body::Incoming as Body;

use super::reply::Reply;
use super::{DoorConfig, Doors, body, push};

pub(super) use content::Unsupported;
pub(super) use take::{Accepted, Arrival, NotTaken, hand_in, take};

/// Where it is, by the paths of Prometheus, VictoriaMetrics, Cortex and Mimir.
pub(super) const PATHS: [&str; 4] = ["/api/v1/write", "/write", "/api/v1/prom/write", "/api/v1/push"];

const ALLOWED: &str = "POST, OPTIONS";

/// Answers a remote-write request, or whatever else came to its path.
pub(super) async fn write(doors: &Arc<Doors>, config: &Arc<DoorConfig>, request: Request<Body>) -> Reply {
    if !config.receiver.enabled {
        return Reply::no_receiver();
    }
    match *request.method() {
        Method::POST => {}
        Method::OPTIONS => return Reply::options(ALLOWED),
        _ => return Reply::method_not_allowed(ALLOWED),
    }
    let message = match content::message_of(request.headers()) {
        Ok(message) => message,
        Err(error) => return Reply::unsupported(&error),
    };
    let limit = take::body_limit(&config.receiver);
    let body = match body::read_as_sent(request.into_body(), (limit, &doors.bodies)).await {
        Ok(body) => body,
        Err(error) => return Reply::written(&Err(error.into()), message),
    };
    let arrival = Arrival {
        door: "http",
        message,
        body,
    };
    let doors = Arc::clone(doors);
    // from here on the request is ours: a client that goes away must not leave it half counted
    push::unhurried(async move { Reply::written(&take(&doors, arrival).await, message) }).await
}
