//! What credentials need of the world around: the time, and the variables that the clouds' own tools read.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use crate::model::{Clock, UnixMillis};

type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// The clock and the variables of the process, or those of a test.
#[derive(Clone)]
pub(in crate::forward) struct Surroundings {
    clock: Arc<dyn Clock>,
    variables: Arc<Variables>,
}

impl Surroundings {
    /// Those of this process.
    pub(in crate::forward) fn of_process(clock: Arc<dyn Clock>) -> Self {
        Self::new(clock, |name| std::env::var(name).ok())
    }

    /// A clock, and who knows the variables.
    pub(in crate::forward) fn new(
        clock: Arc<dyn Clock>,
        variables: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            clock,
            variables: Arc::new(variables),
        }
    }

    /// The time now.
    pub(super) fn now(&self) -> UnixMillis {
        self.clock.now()
    }

    /// A variable that is set to something.
    pub(super) fn variable(&self, name: &str) -> Option<String> {
        (self.variables)(name).filter(|value| !value.is_empty())
    }

    /// The first of `names` that is set to something.
    pub(super) fn first_of(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.variable(name))
    }

    /// Whether a variable says yes.
    pub(super) fn says_yes(&self, name: &str) -> bool {
        self.variable(name)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// The file that a variable names, or one below the user's home.
    pub(super) fn file(&self, name: &str, below_home: &str) -> Option<PathBuf> {
        match self.variable(name) {
            Some(path) => Some(PathBuf::from(path)),
            None => Some(PathBuf::from(self.variable("HOME")?).join(below_home)),
        }
    }
}

impl fmt::Debug for Surroundings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings").finish_non_exhaustive()
    }
}
