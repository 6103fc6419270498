//! The web configuration file: read at start, at reload, and whenever it or a certificate that it names has changed.
//!
//! A file that has become wrong changes nothing: what was in force before stays, and the log says why.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tracing::{error, info, warn};

use crate::api::{DoorConfig, Doors, Web, WebConfig};
use crate::config::{ConfigError, Notice, Problem, WebFile};

/// How often is looked for a change. A look is a `stat` of a few files.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Why the web configuration file cannot be put in force.
#[derive(Debug, thiserror::Error)]
pub enum WebFileError {
    /// It cannot be read.
    #[error("{}: cannot be read: {error} (http.web_config_file)", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// It says so little now that the door would be open, as when a disk was full while it was written.
    #[error(
        "{}: no longer asks for TLS, or for users, as it did before: reload the configuration if that is meant",
        path.display()
    )]
    Opens {
        /// The file.
        path: PathBuf,
    },
    /// It is wrong, or a certificate that it names is.
    #[error("{}", lines(path, errors))]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Every mistake.
        errors: Vec<ConfigError>,
    },
}

fn lines(path: &Path, errors: &[ConfigError]) -> String {
    let line = |error: &ConfigError| match error.position {
        Some(position) => format!("{}:{position}: {error}", path.display()),
        None => format!("{}: {error}", path.display()),
    };
    errors.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What protects the doors, ready to be put in force.
#[derive(Debug, Default)]
pub struct Protection {
    /// What the file says.
    pub config: WebConfig,
    /// What is allowed but looks like an oversight.
    pub notices: Vec<Notice>,
    web: Web,
    stamps: Stamps,
}

impl Protection {
    /// Reads the file that `door` names and all that it names, which blocks on the disk; without one the door is open.
    ///
    /// # Errors
    /// Every mistake.
    pub fn read(door: &DoorConfig) -> Result<Self, WebFileError> {
        Self::read_after(door, None)
    }

    fn read_after(door: &DoorConfig, before: Option<&Web>) -> Result<Self, WebFileError> {
        let Some(path) = &door.web_config_file else {
            return Ok(Self::default());
        };
        // taken before reading, so that a change while we read is seen as one
        let mut stamps = Stamps::of(&[path.as_path()]);
        let text = fs::read_to_string(path).map_err(|error| WebFileError::Unreadable {
            path: path.clone(),
            error,
        })?;
        let wrong = |errors| WebFileError::Wrong {
            path: path.clone(),
            errors,
        };
        let file = WebFile::from_yaml(&text, path.parent().unwrap_or(Path::new(""))).map_err(wrong)?;
        stamps.add(&file.config.files());
        let web = Web::try_new(&file.config, door.rights.as_ref(), before).map_err(|errors| {
            let located = errors.iter().map(|error| ConfigError {
                position: file.position_of(error.field()),
                path: error.field().to_owned(),
                problem: Problem::Unusable(error.to_string()),
            });
            wrong(located.collect())
        })?;
        Ok(Self {
            notices: notices(door, &file),
            config: file.config,
            web,
            stamps,
        })
    }
}

impl Protection {
    fn remark(&self) {
        for notice in &self.notices {
            warn!(%notice, "about the web configuration");
        }
    }
}

/// What the file's reader noticed, then what shows only beside `http.rights`.
fn notices(door: &DoorConfig, file: &WebFile) -> Vec<Notice> {
    let mut notices = file.notices.clone();
    let mut add = |path: String, text: &str| {
        notices.push(Notice {
            position: None,
            path,
            text: text.to_owned(),
        });
    };
    let users = &file.config.users;
    if let Some(rights) = &door.rights {
        for name in rights
            .keys()
            .filter(|name| users.iter().all(|user| user.name != **name))
        {
            add(
                format!("http.rights.{name}"),
                "is no user of the web configuration file",
            );
        }
        for user in users.iter().filter(|user| !rights.contains_key(&user.name)) {
            let text = "has no rights in http.rights, so everything is forbidden to this user";
            add(format!("basic_auth_users.{}", user.name), text);
        }
    }
    if !users.is_empty() && file.config.tls.is_none() {
        let text =
            "passwords travel unencrypted: add tls_server_config, or let only trusted networks come here";
        add("basic_auth_users".to_owned(), text);
    }
    notices
}

/// Keeps the doors' protection as the file says.
#[derive(Debug)]
pub(super) struct Keeper {
    doors: Arc<Doors>,
    /// Held while a change is being taken up, so that the file's news and a reload cannot overtake each other.
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    stamps: Stamps,
    /// How the files looked at the last look, if not as when they were read.
    settling: Option<Stamps>,
    /// What was last wrong, so that it is said once.
    complaint: Option<String>,
}

impl Keeper {
    /// Puts `protection` in force on doors that nobody has passed yet.
    pub(super) fn new(doors: Arc<Doors>, protection: Protection) -> Self {
        protection.remark();
        doors.protect(protection.web);
        let seen = Seen {
            stamps: protection.stamps,
            settling: None,
            complaint: None,
        };
        Self {
            doors,
            seen: Mutex::new(seen),
        }
    }

    /// Reads what `door` would be protected by.
    ///
    /// # Errors
    /// [`WebFileError`]: nothing has changed.
    pub(super) async fn read(&self, door: &DoorConfig) -> Result<Protection, WebFileError> {
        read(door.clone(), Some(self.doors.protection())).await
    }

    /// Takes up other settings and their protection.
    pub(super) async fn take_up(&self, door: DoorConfig, protection: Protection) {
        let mut seen = self.seen.lock().await;
        protection.remark();
        self.doors.protect(protection.web);
        self.doors.configure(door);
        *seen = Seen {
            stamps: protection.stamps,
            settling: None,
            complaint: None,
        };
    }

    /// Looks for a change every now and then until it is time to stop.
    pub(super) async fn watch(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let mut stopped = pin!(async move {
            let _ = stop.wait_for(|stop| *stop).await;
        });
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick() => self.look().await,
                () = &mut stopped => return,
            }
        }
    }

    /// Takes up a change that was there at the look before and has not gone on since. A file that is just being written
    /// may be empty, and an empty one would open the door to everybody.
    async fn look(&self) {
        let mut seen = self.seen.lock().await;
        let stamps = seen.stamps.clone();
        let Ok(now) = tokio::task::spawn_blocking(move || stamps.again()).await else {
            return;
        };
        // as long as something is wrong it may be mended in a file that is not known yet
        let is_news = now != seen.stamps || seen.complaint.is_some();
        if is_news && seen.settling.as_ref() == Some(&now) {
            self.take_up_files(&mut seen).await;
        }
        seen.settling = is_news.then_some(now);
    }

    /// Takes up now what the files say.
    pub(super) async fn refresh(&self) {
        self.take_up_files(&mut *self.seen.lock().await).await;
    }

    /// Reads the files again; only a reload, which somebody asks for, may open the door.
    async fn read_no_weaker(&self) -> Result<Protection, WebFileError> {
        let door = self.doors.config();
        let protection = self.read(&door).await?;
        match &door.web_config_file {
            Some(path) if protection.web.opens_more_than(&self.doors.protection()) => {
                Err(WebFileError::Opens { path: path.clone() })
            }
            _ => Ok(protection),
        }
    }

    async fn take_up_files(&self, seen: &mut Seen) {
        match self.read_no_weaker().await {
            Ok(protection) => {
                protection.remark();
                info!(
                    tls = protection.config.tls.is_some(),
                    user_count = protection.config.users.len(),
                    "took up the changed web configuration"
                );
                self.doors.protect(protection.web);
                seen.stamps = protection.stamps;
                seen.complaint = None;
            }
            Err(complaint) => {
                let complaint = complaint.to_string();
                if seen.complaint.as_ref() != Some(&complaint) {
                    error!(
                        error = complaint,
                        "the web configuration has become wrong; what was in force before stays"
                    );
                }
                seen.complaint = Some(complaint);
            }
        }
    }
}

/// Reads away from the threads that serve.
pub(super) async fn read(door: DoorConfig, before: Option<Arc<Web>>) -> Result<Protection, WebFileError> {
    let path = door.web_config_file.clone().unwrap_or_default();
    let read = tokio::task::spawn_blocking(move || Protection::read_after(&door, before.as_deref()));
    read.await.unwrap_or_else(|error| {
        Err(WebFileError::Unreadable {
            path,
            error: io::Error::other(error),
        })
    })
}

/// What files looked like from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Stamps(Vec<(PathBuf, Option<Stamp>)>);

/// Device and inode, length, and when content and name last changed; a file that cannot be looked at has none.
type Stamp = [i128; 5];

impl Stamps {
    fn of(files: &[&Path]) -> Self {
        let mut stamps = Self::default();
        stamps.add(files);
        stamps
    }

    fn add(&mut self, files: &[&Path]) {
        self.0
            .extend(files.iter().map(|file| ((*file).to_owned(), stamp(file))));
    }

    /// What the same files look like now.
    fn again(&self) -> Self {
        let files: Vec<&Path> = self.0.iter().map(|(file, _)| file.as_path()).collect();
        Self::of(&files)
    }
}

fn stamp(file: &Path) -> Option<Stamp> {
    let seen = fs::metadata(file).ok()?;
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Some([
        seen.dev().into(),
        seen.ino().into(),
        seen.len().into(),
        nanoseconds(seen.mtime(), seen.mtime_nsec()),
        nanoseconds(seen.ctime(), seen.ctime_nsec()),
    ])
}
