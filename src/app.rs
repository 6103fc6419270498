//! Every part built from the configuration, started, and drained in order.

mod grpc;
mod web;

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry as Metrics;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::api::{self, DoorConfig, Doors, GrpcError, Wish};
use crate::config::Config;
use crate::forward::{self, ForwardError, Forwarder, RemoteConfig, RemoteStatus};
use crate::intake::{Closing, Intake};
use crate::model::{Clock, whole_story};
use crate::normalise::{RuleError, Rules};
use crate::queue::{self, FileStorage, Queue, QueueError, Start};
use crate::sweep;

use web::Keeper;

pub use web::{Protection, WebFileError};

/// How long a stop waits for remotes that are up to take what was pushed last. What is left waits on disk.
const LAST_DELIVERIES: Duration = Duration::from_secs(5);

/// Why the bridge does not start, or does not take up a new configuration.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The label rules are wrong.
    #[error("the label rules are wrong: {}", join(.0))]
    Rules(Vec<RuleError>),
    /// The queue cannot be opened.
    #[error("could not open the queue")]
    Queue(#[source] QueueError),
    /// The address cannot be listened on.
    #[error("could not listen on {address} ({key})")]
    Listen {
        /// The key that names it.
        key: &'static str,
        /// As configured.
        address: String,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// The web configuration file is wrong.
    #[error(transparent)]
    Web(#[from] WebFileError),
    /// The gRPC door's tokens or certificates are wrong.
    #[error(transparent)]
    Grpc(#[from] GrpcError),
    /// Files could not be read.
    #[error("reading the gRPC door's files ended early")]
    Reading(#[source] io::Error),
    /// A remote's place in the queue cannot be opened.
    #[error("remote {name}: could not open its place in the queue")]
    Place {
        /// The remote's name.
        name: String,
        /// What the queue says.
        #[source]
        source: QueueError,
    },
    /// A remote cannot be set up.
    #[error("remote {name}: {}", join(.errors))]
    Remote {
        /// Its name.
        name: String,
        /// Everything that is wrong with it.
        errors: Vec<ForwardError>,
    },
}

/// Every error with what caused it: a list of errors can be nobody's `#[source]`.
fn join(errors: &[impl Error]) -> String {
    errors
        .iter()
        .map(|error| whole_story(error))
        .collect::<Vec<_>>()
        .join("; ")
}

/// The running bridge.
#[derive(Debug)]
pub struct App {
    config: Config,
    clock: Arc<dyn Clock>,
    address: SocketAddr,
    queue: Queue,
    intake: Intake,
    doors: Arc<Doors>,
    keeper: Arc<Keeper>,
    grpc: grpc::Side,
    forward_metrics: forward::Metrics,
    remotes: BTreeMap<String, Remote>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
    wishes: mpsc::Receiver<Wish>,
}

/// One remote that is being forwarded to.
#[derive(Debug)]
struct Remote {
    config: RemoteConfig,
    status: forward::Status,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl App {
    /// Builds and starts every part. Reading what was known before blocks on the disk.
    ///
    /// # Errors
    /// [`AppError`]: nothing is left running.
    pub async fn start(config: Config, clock: Arc<dyn Clock>) -> Result<Self, AppError> {
        let rules = Rules::try_new(&config.rules).map_err(AppError::Rules)?;
        let protection = web::read(config.door.clone(), None).await?;
        let listener = listen(&config.door).await?;
        let grpc = grpc::Opened::try_new(&config.grpc).await?;
        let address = listener
            .local_addr()
            .map_err(|source| listen_error(&config.door, source))?;
        let mut metrics = own_metrics();
        let queue = open_queue(&config)?;
        queue::register_metrics(
            &queue,
            Arc::clone(&clock),
            metrics.sub_registry_with_prefix("queue"),
        );
        let known = (rules, config.retention.clone());
        let intake =
            Intake::open(queue.clone(), known, Arc::clone(&clock), &mut metrics).map_err(AppError::Queue)?;
        let forward_metrics = forward::Metrics::register(metrics.sub_registry_with_prefix("forward"));
        let (wish, wishes) = mpsc::channel(1);
        let doors = Arc::new(Doors::new(
            (intake.clone(), Arc::clone(&clock)),
            config.door.clone(),
            &mut metrics,
            wish,
        ));
        doors.describe(config.flags());
        let (grpc, grpc_listener) = grpc.beside(&doors, &mut metrics);
        let keeper = Arc::new(Keeper::new(Arc::clone(&doors), protection));
        let (stop, stopping) = watch::channel(false);
        let mut app = Self {
            remotes: BTreeMap::new(),
            tasks: Vec::new(),
            config,
            clock,
            address,
            queue,
            intake,
            doors: Arc::clone(&doors),
            keeper,
            grpc,
            forward_metrics,
            stop,
            wishes,
        };
        app.forget_all_but(&app.config.remotes);
        app.set_up_remotes(app.config.remotes.clone()).await?;
        doors.show(metrics);
        info!(%address, door = %"http", "listening");
        app.tasks = vec![
            spawn(api::serve(listener, doors, stopping.clone())),
            spawn(Arc::clone(&app.keeper).watch(stopping.clone())),
            spawn(sweep::run(app.intake.clone(), stopping.clone())),
        ];
        app.tasks.extend(app.grpc.serve(grpc_listener, stopping));
        Ok(app)
    }

    /// Where pushes are taken.
    #[must_use]
    pub const fn http_address(&self) -> SocketAddr {
        self.address
    }

    /// Where gRPC streams are taken; `None` where there is no such door.
    #[must_use]
    pub const fn grpc_address(&self) -> Option<SocketAddr> {
        self.grpc.address
    }

    /// The way in, for those who ask what is known.
    #[must_use]
    pub const fn intake(&self) -> &Intake {
        &self.intake
    }

    /// How the remotes fare.
    #[must_use]
    pub fn remotes(&self) -> Vec<RemoteStatus> {
        self.remotes.values().map(|remote| remote.status.read()).collect()
    }

    /// Whether every remote has answered for everything that was pushed.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        let readers = self.queue.stats().readers;
        let mut forwarded = readers
            .iter()
            .filter(|reader| self.remotes.contains_key(&reader.name));
        forwarded.all(|reader| reader.backlog.totals.records == 0)
    }

    /// The next wish that comes over HTTP.
    pub async fn wished(&mut self) -> Option<Wish> {
        self.wishes.recv().await
    }

    /// Reads the web configuration file and its certificates at once, rather than when a change of them has been there
    /// for two seconds.
    pub async fn refresh_protection(&self) {
        self.keeper.refresh().await;
    }

    /// Takes up a new configuration. What cannot change while running stays, and is named in the log.
    ///
    /// # Errors
    /// [`AppError`]: nothing has changed.
    pub async fn reload(&mut self, config: Config) -> Result<(), AppError> {
        let rules = Rules::try_new(&config.rules).map_err(AppError::Rules)?;
        let protection = self.keeper.read(&config.door).await?;
        let grpc_protection = grpc::read(config.grpc.clone()).await?;
        for remote in &config.remotes {
            let errors = forward::check(remote, &self.clock);
            if !errors.is_empty() {
                return Err(AppError::Remote {
                    name: remote.name.clone(),
                    errors,
                });
            }
        }
        let fixed = [
            ("data_dir", self.config.data_dir != config.data_dir),
            ("http.listen", self.config.door.listen != config.door.listen),
            (
                "http.max_connections",
                self.config.door.max_connections != config.door.max_connections,
            ),
            ("grpc.listen", self.config.grpc.listen != config.grpc.listen),
            (
                "grpc.max_connections",
                self.config.grpc.max_connections != config.grpc.max_connections,
            ),
            ("queue", self.config.queue != config.queue),
            ("log.format", self.config.log.format != config.log.format),
        ];
        for (key, _) in fixed.iter().filter(|(_, changed)| *changed) {
            warn!(
                key,
                "changed in the configuration, but takes effect only after a restart"
            );
        }
        self.set_up_remotes(config.remotes.clone()).await?;
        self.intake.configure(rules, config.retention.clone());
        self.keeper.take_up(config.door.clone(), protection).await;
        self.grpc.door.configure(config.grpc.clone(), grpc_protection);
        self.config = self.config.with_what_can_change_of(config);
        self.doors.describe(self.config.flags());
        info!("took up the new configuration");
        Ok(())
    }

    /// Drains every part in order: the doors close, what was taken is made durable and delivered as far as remotes
    /// are up, and what is known is stored.
    pub async fn stop(mut self) {
        info!("stopping: the doors close");
        self.stop.send_replace(true);
        for task in self.tasks.drain(..) {
            end(task).await;
        }
        let delivered = async {
            while !self.is_delivered() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if tokio::time::timeout(LAST_DELIVERIES, delivered).await.is_err() {
            info!("what is not delivered yet waits on disk for the next start");
        }
        end_all(std::mem::take(&mut self.remotes).into_values().collect()).await;
        self.intake.snapshot(Closing::Yes).await;
        self.queue.close().await;
        info!("stopped");
    }

    /// Ends the remotes that are gone or changed and starts those that are new. The new ones are set up first, though
    /// they do not run before the old have ended: where one cannot be set up, nothing of the others may be lost.
    async fn set_up_remotes(&mut self, wanted: Vec<RemoteConfig>) -> Result<(), AppError> {
        let known: Vec<String> = self
            .queue
            .stats()
            .readers
            .into_iter()
            .map(|reader| reader.name)
            .collect();
        let is_new = |config: &&RemoteConfig| !self.remotes.contains_key(&config.name);
        let mut fresh = Vec::new();
        for config in wanted.iter().filter(is_new) {
            match self.set_up_remote(config) {
                Ok(forwarder) => fresh.push((config.clone(), forwarder)),
                Err(error) => {
                    self.take_back(fresh, &known);
                    return Err(error);
                }
            }
        }
        let leaving = self
            .remotes
            .extract_if(.., |_, remote| !wanted.contains(&remote.config));
        end_all(leaving.map(|(_, remote)| remote).collect()).await;
        self.leave_all_but(&wanted);
        for (config, forwarder) in fresh {
            self.remotes
                .insert(config.name.clone(), Remote::begin(config, forwarder));
        }
        for config in wanted {
            if !self.remotes.contains_key(&config.name) {
                let forwarder = self.set_up_remote(&config)?;
                self.remotes
                    .insert(config.name.clone(), Remote::begin(config, forwarder));
            }
        }
        Ok(())
    }

    /// Undoes what a set-up that failed has begun; readers that were `known` before keep their places.
    fn take_back(&self, fresh: Vec<(RemoteConfig, Forwarder)>, known: &[String]) {
        for (config, _) in &fresh {
            self.forward_metrics.forget(&config.name);
        }
        drop(fresh);
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        self.queue.forget_readers_except(&known);
    }

    /// Stops showing remotes that are not wanted any more. Their places in the queue stay until the next start, within
    /// the queue's bounds: a file that was read while half written must not cost a backlog.
    fn leave_all_but(&self, wanted: &[RemoteConfig]) {
        for reader in self.queue.stats().readers {
            if !wanted.iter().any(|config| config.name == reader.name) {
                self.forward_metrics.forget(&reader.name);
                warn!(
                    remote = reader.name,
                    sample_count = reader.backlog.totals.weight,
                    "not forwarding to a remote any more; what waits for it is kept until the next start"
                );
            }
        }
    }

    fn forget_all_but(&self, wanted: &[RemoteConfig]) {
        let names: Vec<&str> = wanted.iter().map(|config| config.name.as_str()).collect();
        for (name, backlog) in self.queue.forget_readers_except(&names) {
            warn!(
                remote = name,
                sample_count = backlog.totals.weight,
                "forgot a remote that is no longer configured, and what was waiting for it"
            );
        }
    }

    fn set_up_remote(&self, config: &RemoteConfig) -> Result<Forwarder, AppError> {
        let reader = self
            .queue
            .reader(&config.name, config.batch.lanes, Start::Newest)
            .map_err(|source| AppError::Place {
                name: config.name.clone(),
                source,
            })?;
        let knowledge = (&self.clock, &self.intake.catalogue());
        Forwarder::new(config, reader, &self.forward_metrics, knowledge).map_err(|errors| AppError::Remote {
            name: config.name.clone(),
            errors,
        })
    }
}

impl Remote {
    fn begin(config: RemoteConfig, forwarder: Forwarder) -> Self {
        let status = forwarder.status();
        let read = status.read();
        info!(
            remote = config.name,
            url = read.url,
            pending_sample_count = read.pending_samples,
            "forwarding"
        );
        let (stop, mut stopping) = watch::channel(false);
        let task = spawn(async move {
            forwarder
                .run(async move {
                    let _ = stopping.wait_for(|stop| *stop).await;
                })
                .await;
        });
        Self {
            config,
            status,
            stop,
            task,
        }
    }
}

/// Ends remotes together, so that several that hang take no longer than one.
async fn end_all(remotes: Vec<Remote>) {
    for remote in &remotes {
        remote.stop.send_replace(true);
    }
    for remote in remotes {
        end(remote.task).await;
    }
}

async fn end(task: JoinHandle<()>) {
    if let Err(error) = task.await {
        warn!(%error, "a task did not end as it should");
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that starts tasks; App::stop and end_all await them"
)]
fn spawn(task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
    tokio::spawn(task)
}

async fn listen(config: &DoorConfig) -> Result<tokio::net::TcpListener, AppError> {
    api::listen(&config.listen)
        .await
        .map_err(|source| listen_error(config, source))
}

fn listen_error(config: &DoorConfig, source: io::Error) -> AppError {
    AppError::Listen {
        key: "http.listen",
        address: config.listen.clone(),
        source,
    }
}

fn open_queue(config: &Config) -> Result<Queue, AppError> {
    let storage = FileStorage::open(&config.data_dir).map_err(AppError::Queue)?;
    let (queue, opened) = Queue::open(Arc::new(storage), config.queue.clone()).map_err(AppError::Queue)?;
    info!(data_dir = %config.data_dir.display(), ?opened, "opened the queue");
    Ok(queue)
}

fn own_metrics() -> Metrics {
    let mut metrics = Metrics::with_prefix("flinkbridge");
    let build = Family::<Vec<(&str, &str)>, Gauge>::default();
    build
        .get_or_create(&vec![("version", env!("CARGO_PKG_VERSION"))])
        .set(1);
    metrics.register("build_info", "What is running", build);
    metrics
}
