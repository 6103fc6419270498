//! Compression while a block grows.

use std::fmt;

use bytes::Bytes;

use crate::codec::wire::{put_varint, varint_len};

/// Snappy compresses 64 KiB at a time, each by itself. Doing so as soon as they are there gives the same bytes as
/// doing it at the end, and what is not compressed yet stays small enough for the processor's cache.
pub(super) const CHUNK_BYTES: usize = 64 << 10;

/// What has been compressed of a block so far.
pub(super) struct Compressor {
    encoder: snap::raw::Encoder,
    /// What a chunk is compressed into.
    room: Vec<u8>,
    /// The chunks' elements, without the lengths before them.
    elements: Vec<u8>,
    raw_len: usize,
}

impl Default for Compressor {
    fn default() -> Self {
        Self {
            encoder: snap::raw::Encoder::new(),
            room: Vec::new(),
            elements: Vec::new(),
            raw_len: 0,
        }
    }
}

impl fmt::Debug for Compressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Compressor")
            .field("raw_len", &self.raw_len)
            .field("elements", &self.elements.len())
            .finish_non_exhaustive()
    }
}

impl Compressor {
    /// Appends a chunk: [`CHUNK_BYTES`], or what is left at the end.
    pub(super) fn take(&mut self, chunk: &[u8]) {
        let most = snap::raw::max_compress_len(chunk.len());
        if self.room.len() < most {
            self.room.resize(most, 0);
        }
        // snap refuses only inputs of 4 GiB and more, and a room that is too small
        let len = self.encoder.compress(chunk, &mut self.room).unwrap_or_default();
        let elements = self.room.get(varint_len(chunk.len() as u64)..len);
        self.elements.extend_from_slice(elements.unwrap_or_default());
        self.raw_len += chunk.len();
    }

    /// How many bytes it has taken.
    pub(super) const fn raw_len(&self) -> usize {
        self.raw_len
    }

    /// The whole raw-snappy body, in no more memory than it needs.
    pub(super) fn finish(self) -> Bytes {
        let raw_len = self.raw_len as u64;
        let mut body = Vec::with_capacity(varint_len(raw_len) + self.elements.len());
        put_varint(&mut body, raw_len);
        body.extend_from_slice(&self.elements);
        body.into()
    }
}
