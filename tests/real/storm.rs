//! Many clients that push as fast as they are answered, through every death of the bridge, and write down what was
//! acknowledged.

use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::http::Connection;

/// Series of one push.
const SERIES: usize = 20;

/// A storm that goes on until it is told to end.
pub(crate) struct Storm {
    sky: Arc<Sky>,
    clients: Vec<JoinHandle<()>>,
}

/// What the clients share.
struct Sky {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Where the bridge listens; nowhere while it is dead.
    door: Option<SocketAddr>,
    over: bool,
    /// Sequence numbers that a client saw acknowledged.
    acknowledged: Vec<Vec<u64>>,
    count: usize,
}

impl Storm {
    /// Starts clients that push numbered counters, each into a group of its own.
    pub(crate) fn begin(clients: usize, door: SocketAddr) -> Self {
        let state = State {
            door: Some(door),
            over: false,
            acknowledged: vec![Vec::new(); clients],
            count: 0,
        };
        let sky = Arc::new(Sky {
            state: Mutex::new(state),
            changed: Condvar::new(),
        });
        let spawn = |client| {
            let sky = Arc::clone(&sky);
            std::thread::spawn(move || push_on(client, &sky))
        };
        Self {
            clients: (0..clients).map(spawn).collect(),
            sky,
        }
    }

    /// Waits until so many more pushes are acknowledged.
    #[track_caller]
    pub(crate) fn rages_for(&self, pushes: usize) {
        let state = self.sky.state.lock().expect("the state");
        let goal = state.count + pushes;
        let (state, waited) = self
            .sky
            .changed
            .wait_timeout_while(state, Duration::from_secs(60), |state| state.count < goal)
            .expect("the state");
        assert!(
            !waited.timed_out(),
            "{} of {goal} pushes acknowledged within a minute",
            state.count
        );
    }

    /// Tells the clients where the bridge is now, or that it is away.
    pub(crate) fn turns_to(&self, door: Option<SocketAddr>) {
        self.sky.state.lock().expect("the state").door = door;
        self.sky.changed.notify_all();
    }

    /// Ends the clients; what each saw acknowledged.
    pub(crate) fn end(self) -> Vec<Vec<u64>> {
        self.sky.state.lock().expect("the state").over = true;
        self.sky.changed.notify_all();
        self.clients
            .into_iter()
            .for_each(|client| client.join().expect("a client that ends"));
        std::mem::take(&mut self.sky.state.lock().expect("the state").acknowledged)
    }
}

/// How the remote writes the series of a client.
pub(crate) fn series_of(client: usize) -> impl Iterator<Item = String> {
    (0..SERIES)
        .map(move |series| format!("storm_total{{client=\"{client}\",job=\"storm\",series=\"{series}\"}}"))
}

fn push_on(client: usize, sky: &Sky) {
    let path = format!("/metrics/job/storm/client/{client}");
    let mut connection = None;
    for sequence in 1_u64.. {
        let body: String = (0..SERIES)
            .map(|series| format!("storm_total{{series=\"{series}\",}} {sequence}\n"))
            .collect();
        let Some(door) = open_door(sky) else { return };
        let mut open = match connection.take().map_or_else(|| Connection::open(door), Ok) {
            Ok(open) => open,
            Err(_) => continue,
        };
        if let Ok(answer) = open.request(
            "PUT",
            &path,
            "text/plain; version=0.0.4; charset=utf-8",
            body.as_bytes(),
        ) {
            connection = Some(open);
            if answer.is_success() {
                let mut state = sky.state.lock().expect("the state");
                state.acknowledged[client].push(sequence);
                state.count += 1;
                sky.changed.notify_all();
            }
        }
    }
}

/// Where to push, as soon as there is somewhere; nothing when the storm is over.
fn open_door(sky: &Sky) -> Option<SocketAddr> {
    let state = sky.state.lock().expect("the state");
    let state = sky
        .changed
        .wait_while(state, |state| state.door.is_none() && !state.over)
        .expect("the state");
    state.door.filter(|_| !state.over)
}
