//! Which of the two messages a body is.

use super::limits::Limits;
use super::request::Request;
use super::{v1, v2};
use crate::codec::DecodeError;

/// The number by which encoded labels are known that need not be read: they were read before, and made sense.
pub type Recall<'r> = &'r dyn Fn(&[u8]) -> Option<u32>;

/// The message of a version of the protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Message {
    /// `prometheus.WriteRequest`, of version 1.0.
    #[default]
    V1,
    /// `io.prometheus.write.v2.Request`, of version 2.0.
    V2,
}

impl Message {
    /// Its full name, as the content type has it (PRW S2-03).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V1 => "prometheus.WriteRequest",
            Self::V2 => "io.prometheus.write.v2.Request",
        }
    }

    /// The message of this full name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::V1, Self::V2]
            .into_iter()
            .find(|message| message.name() == name)
    }

    /// The version of the protocol that it belongs to.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V1 => "1.0",
            Self::V2 => "2.0",
        }
    }

    /// Reads a decompressed body.
    ///
    /// # Errors
    /// When the bytes are not such a message, or are over a limit ([`DecodeError::TooMany`]): nothing of it can be taken.
    pub fn decode<'a>(self, body: &'a [u8], limits: &Limits) -> Result<Request<'a>, DecodeError> {
        match self {
            Self::V1 => v1::decode(body, limits, None),
            Self::V2 => v2::decode(body, limits),
        }
    }

    /// Reads a decompressed body without the labels that are known; version 2.0 has none of those, since its labels are
    /// references.
    ///
    /// # Errors
    /// As [`Message::decode`].
    pub fn decode_beside<'a>(
        self,
        body: &'a [u8],
        limits: &Limits,
        known: Recall<'_>,
    ) -> Result<Request<'a>, DecodeError> {
        match self {
            Self::V1 => v1::decode(body, limits, Some(known)),
            Self::V2 => v2::decode(body, limits),
        }
    }
}
