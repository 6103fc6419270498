//! Health, our own metrics, reloading, and the end.

use http::Method;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry as Metrics;
use tokio::sync::{mpsc, oneshot};

use super::reply::Reply;
use super::{DoorConfig, Wish};
use crate::intake::Intake;

const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Whether the process is alive; it is, or it could not answer.
pub(super) fn healthy(method: &Method) -> Reply {
    match *method {
        Method::GET => Reply::fine("OK"),
        Method::OPTIONS => Reply::options("GET, OPTIONS"),
        _ => Reply::method_not_allowed("GET"),
    }
}

/// Whether a push could be made durable now.
pub(super) fn ready(method: &Method, intake: &Intake) -> Reply {
    match *method {
        Method::GET => intake
            .ready()
            .map_or_else(Reply::not_ready, |()| Reply::fine("OK")),
        Method::OPTIONS => Reply::options("GET, OPTIONS"),
        _ => Reply::method_not_allowed("GET"),
    }
}

/// Our own metrics; `docs/metrics.md` explains each.
pub(super) fn metrics(method: &Method, shown: Option<&Metrics>) -> Reply {
    if !matches!(*method, Method::GET | Method::HEAD) {
        return Reply::method_not_allowed("GET");
    }
    let Some(metrics) = shown else {
        return Reply::not_ready("still starting");
    };
    let mut text = String::new();
    match encode(&mut text, metrics) {
        Ok(()) => Reply::page(text, OPENMETRICS),
        Err(error) => Reply::failed(format!("could not write the metrics: {error}")),
    }
}

/// Reads the configuration again; the answer names every mistake if there are any, and then nothing has changed.
pub(super) async fn reload(method: &Method, wishes: &mpsc::Sender<Wish>) -> Reply {
    if !matches!(*method, Method::PUT | Method::POST) {
        return Reply::method_not_allowed("PUT, POST");
    }
    let (answer, outcome) = oneshot::channel();
    if wishes.send(Wish::Reload { answer }).await.is_err() {
        return Reply::not_ready("closing");
    }
    match outcome.await {
        Ok(Ok(())) => Reply::fine(""),
        Ok(Err(mistakes)) => Reply::failed(mistakes),
        Err(_) => Reply::not_ready("closing"),
    }
}

/// Ends the program, if `pushgateway.lifecycle` allows it (Pushgateway M07).
pub(super) async fn quit(method: &Method, config: &DoorConfig, wishes: &mpsc::Sender<Wish>) -> Reply {
    match *method {
        Method::PUT | Method::POST if !config.lifecycle => Reply::no_lifecycle(),
        Method::PUT | Method::POST => match wishes.send(Wish::Quit).await {
            Ok(()) => Reply::goodbye(),
            Err(_) => Reply::not_ready("closing"),
        },
        Method::GET => Reply::quit_by_get(),
        Method::OPTIONS => Reply::options("PUT, POST, OPTIONS"),
        _ => Reply::method_not_allowed("PUT, POST"),
    }
}
