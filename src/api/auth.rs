//! Who may come in: users by basic authentication, and the rights of each.
//!
//! A bcrypt check costs tens of milliseconds by design. So it runs on a thread of its own, one at a time for the whole
//! door (strangers must not buy all cores with wrong passwords), and its outcome is remembered under a keyed hash that
//! nobody outside can compute. A name that is not known costs as much as one that is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use ring::hmac;
use tokio::sync::Semaphore;

/// Most outcomes remembered of each kind: more than users, so that many wrong passwords only forget each other.
const MAX_REMEMBERED: usize = 1024;

/// Costliest hash that is taken: each step doubles the time of a check, and this one takes seconds already.
const MAX_COST: u32 = 16;

/// One of `basic_auth_users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The name, without a colon.
    pub name: String,
    /// What the password is checked against.
    pub hash: PasswordHash,
}

/// A bcrypt hash (`$2a$`, `$2b$`, `$2y$`), never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    text: String,
    cost: u32,
}

impl PasswordHash {
    /// Takes the hash as `htpasswd -B` prints it.
    ///
    /// # Errors
    /// What is wrong with it and the way out; it is not shown.
    pub fn try_new(text: &str) -> Result<Self, HashError> {
        let parts = bcrypt::HashParts::from_str(text).map_err(|_| HashError::NoHash)?;
        match parts.get_cost() {
            cost @ 4..=MAX_COST => Ok(Self {
                text: text.to_owned(),
                cost,
            }),
            cost => Err(HashError::Cost(cost)),
        }
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<hidden>")
    }
}

/// Why a text cannot serve as a user's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    /// It is none: a password as it is typed, most likely.
    #[error("is no bcrypt hash")]
    NoHash,
    /// Its cost is below bcrypt's least or takes too long to check.
    #[error("has the cost {0}, outside of 4 to {MAX_COST}")]
    Cost(u32),
}

/// What a request needs to be allowed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Pushing and deleting groups.
    Push,
    /// Reading what is shown: metrics, status, lists.
    Read,
    /// What changes the program itself: reload.
    Admin,
}

impl Right {
    /// The word for it in `http.rights`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }

    /// What a request needs; `None` where any user will do, as for health and readiness.
    fn needed(method: &Method, path: &str) -> Option<Self> {
        match path {
            "/-/healthy" | "/-/ready" => None,
            "/-/metrics" => Some(Self::Read),
            path if path.starts_with("/-/") || path.starts_with("/api/v1/admin/") => Some(Self::Admin),
            _ if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) => Some(Self::Read),
            _ => Some(Self::Push),
        }
    }
}

/// `http.rights`: what each user may do; who is not in it may do nothing.
pub type Rights = BTreeMap<String, BTreeSet<Right>>;

/// Why a request does not come in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Denied {
    /// No user, or not with this password.
    Stranger,
    /// A user who may not do this.
    Forbidden { user: String, right: Right },
}

/// Judges requests.
#[derive(Debug)]
pub(super) struct Gate {
    passwords: Arc<Passwords>,
    rights: Option<Rights>,
}

impl Gate {
    pub(super) const fn new(passwords: Arc<Passwords>, rights: Option<Rights>) -> Self {
        Self { passwords, rights }
    }

    pub(super) const fn passwords(&self) -> &Arc<Passwords> {
        &self.passwords
    }

    /// Lets a request in, or says why not.
    pub(super) async fn admit(
        &self,
        headers: &HeaderMap,
        (method, path): (&Method, &str),
    ) -> Result<(), Denied> {
        let (user, password) = credentials(headers).ok_or(Denied::Stranger)?;
        if !self.passwords.fit(&user, password).await {
            return Err(Denied::Stranger);
        }
        let (Some(rights), Some(right)) = (&self.rights, Right::needed(method, path)) else {
            return Ok(());
        };
        match rights.get(&user) {
            Some(granted) if granted.contains(&right) => Ok(()),
            _ => Err(Denied::Forbidden { user, right }),
        }
    }
}

/// Name and password of `Authorization: Basic`.
fn credentials(headers: &HeaderMap) -> Option<(String, Vec<u8>)> {
    let header = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let mut user = STANDARD.decode(encoded.trim()).ok()?;
    let colon = user.iter().position(|byte| *byte == b':')?;
    let password = user.split_off(colon + 1);
    user.pop();
    Some((String::from_utf8(user).ok()?, password))
}

/// The users, and which name and password have been found to be right or wrong.
pub(super) struct Passwords {
    users: Vec<User>,
    /// What the password of an unknown user is checked against, so that it costs as much.
    stand_in: PasswordHash,
    key: hmac::Key,
    remembered: Mutex<Remembered>,
    turn: Arc<Semaphore>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Right,
    Wrong,
}

#[derive(Default)]
struct Remembered {
    right: HashSet<[u8; 32]>,
    wrong: HashSet<[u8; 32]>,
}

impl Passwords {
    /// Those of `users`; `None` where there are none.
    pub(super) fn of(users: &[User]) -> Option<Self> {
        let costliest = users.iter().max_by_key(|user| user.hash.cost)?;
        let key: [u8; 32] = rand::random();
        Some(Self {
            stand_in: costliest.hash.clone(),
            users: users.to_vec(),
            key: hmac::Key::new(hmac::HMAC_SHA256, &key),
            remembered: Mutex::default(),
            turn: Arc::new(Semaphore::new(1)),
        })
    }

    /// Whether these users with these hashes are the ones it knows.
    pub(super) fn are_those_of(&self, users: &[User]) -> bool {
        self.users == users
    }

    /// Whether this is the password of this user.
    async fn fit(self: &Arc<Self>, user: &str, password: Vec<u8>) -> bool {
        let mark = self.mark(user, &password);
        if let Some(known) = self.recall(&mark) {
            return known == Outcome::Right;
        }
        let Ok(turn) = Arc::clone(&self.turn).acquire_owned().await else {
            return false;
        };
        // many clients of one user begin at the same time, and the first of them has done the work by now
        if let Some(known) = self.recall(&mark) {
            return known == Outcome::Right;
        }
        let hash = self.users.iter().find(|known| known.name == user);
        let (hash, is_user) = hash.map_or((&self.stand_in, false), |user| (&user.hash, true));
        let (passwords, hash) = (Arc::clone(self), hash.text.clone());
        let checked = tokio::task::spawn_blocking(move || {
            let fits = bcrypt::verify(&password, &hash).unwrap_or(false) && is_user;
            let outcome = if fits { Outcome::Right } else { Outcome::Wrong };
            passwords.remember(mark, outcome);
            // held to the end of the work, even when the client has gone
            drop(turn);
            fits
        });
        checked.await.unwrap_or(false)
    }

    fn recall(&self, mark: &[u8; 32]) -> Option<Outcome> {
        let remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if remembered.right.contains(mark) {
            return Some(Outcome::Right);
        }
        remembered.wrong.contains(mark).then_some(Outcome::Wrong)
    }

    fn remember(&self, mark: [u8; 32], outcome: Outcome) {
        let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        let marks = match outcome {
            Outcome::Right => &mut remembered.right,
            Outcome::Wrong => &mut remembered.wrong,
        };
        if marks.len() >= MAX_REMEMBERED {
            marks.clear();
        }
        marks.insert(mark);
    }

    /// A name and a password as something that tells nobody anything, not even by how long a comparison takes.
    fn mark(&self, user: &str, password: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&user.len().to_le_bytes());
        context.update(user.as_bytes());
        context.update(password);
        let tag = context.sign();
        // HMAC-SHA256 has 32 bytes
        tag.as_ref().try_into().unwrap_or_default()
    }
}

impl fmt::Debug for Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passwords")
            .field("users", &self.users)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
