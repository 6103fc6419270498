//! A page of metrics that is there to be scraped, and changes when the test says so.

use std::io::{BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use prost::Message;

use crate::http;
use crate::metrics_v1::{Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// What is on the page.
#[derive(Clone)]
pub(crate) struct Content {
    kind: &'static str,
    body: Vec<u8>,
}

impl Content {
    /// OpenMetrics text.
    pub(crate) fn open_metrics(text: &str) -> Self {
        Self {
            kind: "application/openmetrics-text; version=1.0.0; charset=utf-8",
            body: text.as_bytes().to_vec(),
        }
    }

    /// Delimited metric families.
    pub(crate) fn protobuf(families: &[u8]) -> Self {
        Self {
            kind: "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited",
            body: families.to_vec(),
        }
    }

    /// A gauge of one series for each of these values, which are given by their bits and named in the label `bits`.
    pub(crate) fn gauges(name: &str, values: &[u64]) -> Self {
        let metrics = values.iter().map(|bits| Metric {
            label: vec![LabelPair {
                name: Some("bits".to_owned()),
                value: Some(format!("{bits:016x}")),
            }],
            gauge: Some(Gauge {
                value: Some(f64::from_bits(*bits)),
            }),
            ..Metric::default()
        });
        let family = MetricFamily {
            name: Some(name.to_owned()),
            help: Some("values by their bits".to_owned()),
            r#type: Some(MetricType::Gauge.into()),
            metric: metrics.collect(),
            ..MetricFamily::default()
        };
        Self::protobuf(&family.encode_length_delimited_to_vec())
    }
}

/// A server of one page on a free port; it ends with the test's process.
pub(crate) struct Page {
    address: SocketAddr,
    content: Arc<Mutex<Content>>,
}

impl Page {
    /// Starts one.
    pub(crate) fn showing(content: Content) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let content = Arc::new(Mutex::new(content));
        let shared = Arc::clone(&content);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let content = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &content));
            }
        });
        Self { address, content }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on it shows this.
    pub(crate) fn turn_to(&self, content: Content) {
        *self.content.lock().expect("the page") = content;
    }
}

fn serve(stream: TcpStream, content: &Mutex<Content>) {
    let Ok(mut answers) = stream.try_clone() else {
        return;
    };
    let mut requests = BufReader::new(stream);
    while let Ok(Some(_)) = http::read_head(&mut requests) {
        let Content { kind, body } = content.lock().expect("the page").clone();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        if answers
            .write_all(head.as_bytes())
            .and_then(|()| answers.write_all(&body))
            .is_err()
        {
            return;
        }
    }
}
