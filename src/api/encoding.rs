//! What `Content-Encoding` says of a body, and taking it off within a limit: a bomb is stopped where the limit is passed.

use std::error::Error;
use std::io::Read;

use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::body::{BodyError, Held};

/// Output is made in steps of about so many bytes, and the limit looked at after each.
const STEP_BYTES: usize = 64 << 10;

/// Largest window of a zstd frame in HTTP (RFC 9659, section 3): what a decoder may have to allocate beforehand.
const ZSTD_WINDOW_BYTES: u64 = 8 << 20;

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Identity,
    Gzip,
    Deflate,
    Zstd,
    /// The framed format, with checksums; bare blocks are for remote-write.
    Snappy,
}

/// Why unpacking ended early.
enum Stop {
    /// The limit was passed, or there is no room for more.
    Full(BodyError),
    /// The stream is not what it should be.
    Broken(Box<dyn Error + Send + Sync>),
}

impl<E: Into<Box<dyn Error + Send + Sync>>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Broken(error.into())
    }
}

impl Encoding {
    /// Reads the header; without it a body is as it is. One encoding only: nobody packs twice.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, BodyError> {
        let mut values = headers.get_all(CONTENT_ENCODING).iter();
        let Some(value) = values.next() else {
            return Ok(Self::Identity);
        };
        let word = value.to_str().unwrap_or("?").trim();
        let known = [
            ("", Self::Identity),
            ("identity", Self::Identity),
            ("gzip", Self::Gzip),
            ("deflate", Self::Deflate),
            ("zstd", Self::Zstd),
            ("snappy", Self::Snappy),
        ];
        let found = known.iter().find(|(name, _)| word.eq_ignore_ascii_case(name));
        match (found, values.next()) {
            (Some((_, encoding)), None) => Ok(*encoding),
            _ => {
                let all = headers.get_all(CONTENT_ENCODING).iter();
                let all: Vec<_> = all
                    .map(|value| String::from_utf8_lossy(value.as_bytes()))
                    .collect();
                Err(BodyError::UnknownEncoding(all.join(", ")))
            }
        }
    }

    /// Unpacks a body within its own limit and room.
    pub(super) fn unpack(self, sent: &Held) -> Result<Held, BodyError> {
        let (bytes, mut plain) = (sent.bytes(), sent.beside());
        let (name, unpacked) = match self {
            Self::Identity => ("plain", append(bytes, &mut plain)),
            Self::Gzip => ("gzip", read_all(MultiGzDecoder::new(bytes), &mut plain)),
            Self::Deflate => ("deflate", inflate(bytes, &mut plain)),
            Self::Zstd => ("zstd", read_zstd(bytes, &mut plain)),
            Self::Snappy => (
                "framed snappy",
                read_all(snap::read::FrameDecoder::new(bytes), &mut plain),
            ),
        };
        match unpacked {
            Ok(()) => Ok(plain),
            Err(Stop::Full(error)) => Err(error),
            Err(Stop::Broken(problem)) => Err(BodyError::NotPacked { name, problem }),
        }
    }
}

fn append(more: &[u8], plain: &mut Held) -> Result<(), Stop> {
    let appended = plain.push(more, |limit| BodyError::Bomb { limit });
    appended.map_err(Stop::Full)
}

fn read_all(mut stream: impl Read, plain: &mut Held) -> Result<(), Stop> {
    let mut step = vec![0; STEP_BYTES];
    loop {
        let count = stream.read(&mut step)?;
        if count == 0 {
            return Ok(());
        }
        append(step.get(..count).unwrap_or_default(), plain)?;
    }
}

/// A zlib stream, as HTTP means it, or the bare deflate stream that some clients send.
fn inflate(sent: &[u8], plain: &mut Held) -> Result<(), Stop> {
    let mut state = Decompress::new(is_zlib(sent));
    let mut step = Vec::with_capacity(STEP_BYTES);
    loop {
        let read = state.total_in();
        let rest = sent.get(usize::try_from(read)?..).unwrap_or_default();
        let status = state.decompress_vec(rest, &mut step, FlushDecompress::None)?;
        append(&step, plain)?;
        let all_read = state.total_in() == sent.len() as u64;
        match status {
            Status::StreamEnd if all_read => return Ok(()),
            Status::StreamEnd => return Err("something follows its end".into()),
            _ if state.total_in() == read && step.is_empty() => return Err("it is cut off".into()),
            _ => step.clear(),
        }
    }
}

/// Whether a stream begins with the header of zlib (RFC 1950); no bare stream of a sane encoder does.
fn is_zlib(sent: &[u8]) -> bool {
    let Some([method, flags]) = sent.first_chunk::<2>() else {
        return true;
    };
    method & 0x0f == 8 && method >> 4 <= 7 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
}

fn read_zstd(sent: &[u8], plain: &mut Held) -> Result<(), Stop> {
    if sent.is_empty() {
        return Err("it has no frame".into());
    }
    let (mut rest, mut step) = (sent, Vec::with_capacity(STEP_BYTES));
    let mut decoder = FrameDecoder::new();
    decoder.set_max_window_size(ZSTD_WINDOW_BYTES);
    while !rest.is_empty() {
        match decoder.init(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                rest = rest.get(usize::try_from(length)?..).ok_or("it is cut off")?;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        while !decoder.is_finished() {
            decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(STEP_BYTES))?;
            decoder.collect_to_writer(&mut step)?;
            append(&step, plain)?;
            step.clear();
        }
        let promised = decoder.get_checksum_from_data();
        if promised.is_some() && promised != decoder.get_calculated_checksum() {
            return Err("its checksum does not match".into());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
