//! A receiver of remote-write that takes nothing but what the specification allows, in one version.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use prost::Message as _;

use crate::http;
use crate::write_v1::WriteRequest;
use crate::write_v2::{Request, TimeSeries};

/// What a receiver understands, and what it says to the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Understands {
    /// 2.0 only; 415 to the rest.
    Version2,
    /// 1.0 only; 415 to the rest.
    Version1,
    /// 1.0 only; 400 to the rest, as receivers do that look into the body first.
    Version1Only,
}

/// All that has arrived of one series.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Seen {
    /// Time, value and start time of each sample.
    pub(crate) samples: Vec<(i64, u64, i64)>,
    /// Labels and value of each exemplar.
    pub(crate) exemplars: Vec<(String, f64)>,
    /// Type and help, as they came with the last sample.
    pub(crate) metadata: (i32, String),
}

/// What a receiver keeps.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    /// By series, written `name{label="value",...}`.
    pub(crate) series: BTreeMap<String, Seen>,
    /// Type and help by family, from requests of 1.0 that have nothing else.
    pub(crate) families: BTreeMap<String, (i32, String)>,
    /// `X-Prometheus-Remote-Write-Version` of each request, in order.
    pub(crate) versions: Vec<String>,
    /// What broke the specification.
    pub(crate) wrongs: Vec<String>,
}

/// A receiver on a free port; it ends with the test's process.
pub(crate) struct Strict {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
}

impl Strict {
    /// Starts one.
    pub(crate) fn start(understands: Understands) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let kept: Arc<Mutex<Kept>> = Arc::default();
        let shared = Arc::clone(&kept);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&shared);
                std::thread::spawn(move || serve(&stream, understands, &kept));
            }
        });
        Self { address, kept }
    }

    /// The remote of a configuration, with these keys besides, and a door.
    pub(crate) fn as_remote(&self, more: &str) -> String {
        let address = self.address;
        let remote = format!("{{name: remote, url: 'http://{address}/write'{more}}}");
        format!("http: {{listen: '127.0.0.1:0'}}\nremote_write: [{remote}]\n")
    }

    /// What has arrived, if nothing was wrong with it.
    #[track_caller]
    pub(crate) fn kept(&self) -> Kept {
        let kept = self.kept.lock().unwrap().clone();
        assert_eq!(kept.wrongs, Vec::<String>::new());
        kept
    }
}

fn serve(stream: &TcpStream, understands: Understands, kept: &Mutex<Kept>) {
    let mut answers = stream.try_clone().unwrap();
    let mut requests = BufReader::new(stream);
    while let Ok(Some((_, headers))) = http::read_head(&mut requests) {
        let Ok(body) = http::read_body(&mut requests, &headers) else {
            return;
        };
        let mut kept = kept.lock().unwrap();
        let head = Head::read(&headers, &mut kept);
        let is_version_2 = head.is_version_2;
        let answer = match (understands, is_version_2) {
            (Understands::Version2, true) => keep_version_2(&body, &mut kept),
            (Understands::Version1 | Understands::Version1Only, false) => keep_version_1(&body, &mut kept),
            (Understands::Version1Only, true) => "400 Bad Request\r\n".to_owned(),
            _ => "415 Unsupported Media Type\r\n".to_owned(),
        };
        drop(kept);
        let answer = format!("HTTP/1.1 {answer}Content-Length: 0\r\n\r\n");
        if answers.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

struct Head {
    is_version_2: bool,
}

impl Head {
    /// PRW S2-02 to S2-05, S1-02 to S1-05.
    fn read(headers: &[(String, String)], kept: &mut Kept) -> Self {
        let of = |name: &str| {
            let header = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
            header.map_or("", |(_, value)| value)
        };
        let version = of("x-prometheus-remote-write-version");
        let is_version_2 = match (of("content-type"), version) {
            ("application/x-protobuf;proto=io.prometheus.write.v2.Request", "2.0.0") => true,
            ("application/x-protobuf", "0.1.0") => false,
            (content_type, version) => {
                kept.wrongs
                    .push(format!("{content_type:?} of version {version:?}"));
                false
            }
        };
        if of("content-encoding") != "snappy" || !of("user-agent").contains('/') {
            kept.wrongs.push(format!("{headers:?}"));
        }
        kept.versions.push(version.to_owned());
        Self { is_version_2 }
    }
}

fn keep_version_1(body: &[u8], kept: &mut Kept) -> String {
    let raw = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let request = WriteRequest::decode(raw.as_slice()).unwrap();
    for said in request.metadata {
        kept.families
            .insert(said.metric_family_name, (said.r#type, said.help));
    }
    for series in request.timeseries {
        let labels = series.labels.into_iter().map(|label| (label.name, label.value));
        let seen = kept
            .series
            .entry(written(&labels.collect::<Vec<_>>()))
            .or_default();
        let samples = series.samples.iter();
        seen.samples
            .extend(samples.map(|sample| (sample.timestamp, sample.value.to_bits(), 0)));
    }
    "204 No Content\r\n".to_owned()
}

fn keep_version_2(body: &[u8], kept: &mut Kept) -> String {
    let raw = snap::raw::Decoder::new().decompress_vec(body).unwrap();
    let request = Request::decode(raw.as_slice()).unwrap();
    let distinct: BTreeSet<&String> = request.symbols.iter().collect();
    if request.symbols.first().is_none_or(|first| !first.is_empty())
        || distinct.len() != request.symbols.len()
    {
        kept.wrongs.push(format!("symbols: {:?}", request.symbols));
    }
    let (mut samples, mut histograms, mut exemplars) = (0, 0, 0);
    for series in &request.timeseries {
        samples += series.samples.len();
        histograms += series.histograms.len();
        exemplars += series.exemplars.len();
        if let Err(wrong) = keep_series(&request, series, kept) {
            kept.wrongs.push(format!("{wrong}: {series:?}"));
        }
    }
    format!(
        "204 No Content\r\n\
         X-Prometheus-Remote-Write-Samples-Written: {samples}\r\n\
         X-Prometheus-Remote-Write-Histograms-Written: {histograms}\r\n\
         X-Prometheus-Remote-Write-Exemplars-Written: {exemplars}\r\n"
    )
}

/// PRW S2-07 to S2-12.
fn keep_series(request: &Request, series: &TimeSeries, kept: &mut Kept) -> Result<(), &'static str> {
    let labels = labels(request, &series.labels_refs)?;
    if !labels.is_sorted_by(|a, b| a.0 < b.0) {
        return Err("labels are not in the order of their names");
    }
    if series.samples.is_empty() == series.histograms.is_empty() {
        return Err("it has neither samples nor histograms, or both");
    }
    if !series.samples.is_sorted_by_key(|sample| sample.timestamp) {
        return Err("samples are not in the order of their times");
    }
    let seen = kept.series.entry(written(&labels)).or_default();
    for sample in &series.samples {
        seen.samples
            .push((sample.timestamp, sample.value.to_bits(), sample.start_timestamp));
    }
    for exemplar in &series.exemplars {
        let labels = self::labels(request, &exemplar.labels_refs)?;
        seen.exemplars.push((written(&labels), exemplar.value));
    }
    let metadata = series.metadata.unwrap_or_default();
    let help = request.symbols.get(metadata.help_ref as usize);
    let help = help.ok_or("the help is none of the symbols")?;
    seen.metadata = (metadata.r#type, help.clone());
    Ok(())
}

fn labels(request: &Request, refs: &[u32]) -> Result<Vec<(String, String)>, &'static str> {
    let text = |symbol: &u32| {
        let text = request.symbols.get(*symbol as usize);
        text.filter(|text| !text.is_empty())
            .cloned()
            .ok_or("a label is empty, or none of the symbols")
    };
    let pair = |pair: &[u32]| match pair {
        [name, value] => Ok((text(name)?, text(value)?)),
        _ => Err("a label has no value"),
    };
    refs.chunks(2).map(pair).collect()
}

fn written(labels: &[(String, String)]) -> String {
    let (mut name, mut others) = ("", Vec::new());
    for (label, value) in labels {
        match label.as_str() {
            "__name__" => name = value,
            _ => others.push(format!("{label}={value:?}")),
        }
    }
    format!("{name}{{{}}}", others.join(","))
}
