//! A way between two programs that breaks: connections are cut after a number of bytes that looks like chance and is the
//! same in every run.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// It ends with the test's process.
pub(crate) struct Cutter {
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    target: Mutex<SocketAddr>,
    is_cutting: AtomicBool,
    cuts: AtomicU64,
    chance: AtomicU64,
}

impl Cutter {
    /// Leads to `target`, and cuts nothing yet.
    pub(crate) fn before(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: Mutex::new(target),
            is_cutting: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
            chance: AtomicU64::new(7),
        });
        let leading = Arc::clone(&shared);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let target = *leading.target.lock().unwrap();
                let Ok(far) = TcpStream::connect(target) else {
                    continue;
                };
                lead(&near, &far, &leading);
                lead(&far, &near, &leading);
            }
        });
        Self { address, shared }
    }

    /// Where it is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Leads elsewhere from the next connection on.
    pub(crate) fn lead_to(&self, target: SocketAddr) {
        *self.shared.target.lock().unwrap() = target;
    }

    /// From now on a connection breaks after some bytes.
    pub(crate) fn cut(&self) {
        self.shared.is_cutting.store(true, Ordering::SeqCst);
    }

    /// From now on none does.
    pub(crate) fn mend(&self) {
        self.shared.is_cutting.store(false, Ordering::SeqCst);
    }

    /// How many connections it has cut.
    pub(crate) fn cuts(&self) -> u64 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

/// Carries one direction in a thread of its own.
fn lead(from: &TcpStream, to: &TcpStream, shared: &Arc<Shared>) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let shared = Arc::clone(shared);
    let mut left = usize::try_from(chance(&shared, 2500) + 100).unwrap();
    std::thread::spawn(move || {
        let mut step = [0; 512];
        while let Ok(count @ 1..) = from.read(&mut step) {
            let is_cut = shared.is_cutting.load(Ordering::SeqCst) && count >= left;
            let carried = if is_cut { left } else { count };
            left = left.saturating_sub(count).max(1);
            if to.write_all(&step[..carried]).is_err() {
                break;
            }
            if is_cut {
                shared.cuts.fetch_add(1, Ordering::SeqCst);
                break;
            }
        }
        let _ = from.shutdown(Shutdown::Both);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn chance(shared: &Shared, below: u64) -> u64 {
    let next = |seed: u64| seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
    let seed = shared
        .chance
        .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |seed| Some(next(seed)))
        .unwrap();
    (next(seed) >> 33) % below
}
