//! The pushers: keep-alive connections, as Flink's Java client holds them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use crate::flink_like::Body;
use crate::plan::Plan;

/// What pushes: a number of groups shared out to a number of connections.
#[derive(Debug)]
pub(crate) struct Load {
    address: SocketAddr,
    connections: usize,
    groups: usize,
    body: Body,
    series: usize,
}

/// What was pushed.
#[derive(Debug, Default)]
pub(crate) struct Round {
    pub(crate) samples: usize,
    pub(crate) bytes: usize,
    pub(crate) waits: Waits,
}

/// How long each push waited for its answer.
#[derive(Debug, Default)]
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    /// The wait that the given share of the pushes did not exceed.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a position in a list that fits into memory"
    )]
    pub(crate) fn share(&self, share: f64) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let at = (sorted.len() as f64 * share) as usize;
        sorted
            .get(at.min(sorted.len().saturating_sub(1)))
            .copied()
            .unwrap_or_default()
    }
}

impl Load {
    pub(crate) fn new(plan: &Plan, address: SocketAddr) -> Self {
        Self {
            address,
            connections: plan.connections.min(plan.groups),
            groups: plan.groups,
            body: Body::new(plan.series),
            series: plan.series,
        }
    }

    /// Every group once.
    pub(crate) fn once(&self) {
        self.all(|pusher| (0..pusher.groups.len()).for_each(|turn| pusher.push(turn)));
    }

    /// Every connection as fast as it is answered, until about `samples` are pushed.
    pub(crate) fn closed(&self, samples: usize) -> Round {
        let pushes = samples.div_ceil(self.series * self.connections);
        self.all(|pusher| (0..pushes).for_each(|turn| pusher.push(turn + self.groups)))
    }

    /// Every group once in a `period`, evenly spread, for as long as `lasting`.
    pub(crate) fn paced(&self, period: Duration, lasting: Duration) -> Round {
        let began = Instant::now();
        self.all(|pusher| {
            let own = u32::try_from(pusher.groups.len()).unwrap_or(u32::MAX);
            let gap = period / own;
            let late = gap / u32::try_from(self.connections).unwrap_or(u32::MAX)
                * u32::try_from(pusher.first).unwrap_or_default();
            let mut due = began + late;
            let mut turn = self.groups;
            while due < began + lasting {
                thread::sleep(due.saturating_duration_since(Instant::now()));
                pusher.push(turn);
                turn += 1;
                due += gap;
            }
        })
    }

    /// The groups from `first` up to `end`, each once.
    pub(crate) fn store(&self, first: usize, end: usize) {
        self.all(|pusher| {
            for group in (first + pusher.first..end).step_by(self.connections) {
                pusher.push_to(group, 0);
            }
        });
    }

    /// One group again and again, on one connection.
    pub(crate) fn again(&self, group: usize, pushes: usize) -> Waits {
        let mut pusher = Pusher::connect(self, 0);
        (0..pushes).for_each(|turn| pusher.push_to(group, turn));
        pusher.round.waits
    }

    /// One group again and again, now and then, for a while.
    pub(crate) fn now_and_then(&self, group: usize, lasting: Duration) {
        let (mut pusher, began) = (Pusher::connect(self, 0), Instant::now());
        while began.elapsed() < lasting {
            pusher.push_to(group, 0);
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn all(&self, work: impl Fn(&mut Pusher) + Sync) -> Round {
        let mut whole = Round::default();
        thread::scope(|scope| {
            let pushers: Vec<_> = (0..self.connections)
                .map(|first| {
                    let work = &work;
                    scope.spawn(move || {
                        let mut pusher = Pusher::connect(self, first);
                        work(&mut pusher);
                        pusher.round
                    })
                })
                .collect();
            for pusher in pushers {
                let round = pusher.join().expect("a pusher's figures");
                whole.samples += round.samples;
                whole.bytes += round.bytes;
                whole.waits.0.extend(round.waits.0);
            }
        });
        whole
    }
}

struct Pusher {
    stream: BufReader<TcpStream>,
    first: usize,
    groups: Vec<usize>,
    body: Body,
    series: usize,
    round: Round,
}

impl Pusher {
    fn connect(load: &Load, first: usize) -> Self {
        let stream = TcpStream::connect(load.address).expect("the target's door");
        stream.set_nodelay(true).expect("a socket option");
        Self {
            stream: BufReader::new(stream),
            first,
            groups: (first..load.groups).step_by(load.connections).collect(),
            body: load.body.clone(),
            series: load.series,
            round: Round::default(),
        }
    }

    fn push(&mut self, turn: usize) {
        let group = self
            .groups
            .get(turn % self.groups.len())
            .copied()
            .unwrap_or_default();
        self.push_to(group, turn);
    }

    fn push_to(&mut self, group: usize, turn: usize) {
        self.body.turn(group, turn);
        let text = self.body.text();
        let head = format!(
            "PUT /metrics/job/etl{group:032x}/instance_id/emr-abcd1234 HTTP/1.1\r\n\
             Host: bench\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: {}\r\n\r\n",
            text.len()
        );
        let began = Instant::now();
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes()).expect("a request's head");
        stream.write_all(text).expect("a request's body");
        let bytes = head.len() + text.len();
        self.read_answer();
        self.round.waits.0.push(began.elapsed());
        self.round.samples += self.series;
        self.round.bytes += bytes;
    }

    fn read_answer(&mut self) {
        let (mut line, mut length) = (String::new(), 0);
        self.stream.read_line(&mut line).expect("an answer");
        let status = line.split_whitespace().nth(1).unwrap_or_default();
        assert!(
            status == "200" || status == "202",
            "the push was answered by {line:?}"
        );
        while line != "\r\n" {
            line.clear();
            self.stream.read_line(&mut line).expect("a header");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body).expect("the answer's body");
    }
}
