//! An error with everything that caused it.

use std::error::Error;

/// The whole story in one line, `outermost: cause: cause`: for the log, and wherever the outermost says too little.
#[must_use]
pub fn whole_story(error: &dyn Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not write a file")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn every_cause_follows_what_it_caused() {
        let error = Outer(std::io::Error::other("no space left"));

        assert_eq!(whole_story(&error), "could not write a file: no space left");
    }
}
