//! What `Content-Encoding` says of a body, and taking it off within a limit: a bomb is stopped where the limit is passed.

use std::error::Error;
use std::io::Read;

use bytes::Bytes;
use flate2::bufread::MultiGzDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::body::BodyError;

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

/// Why a stream does not unpack.
type Broken = Box<dyn Error + Send + Sync>;

/// What came out, or that the limit was passed.
enum Unpacked {
    Whole(Vec<u8>),
    TooLong,
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

    /// Unpacks a body to at most `limit` bytes.
    pub(super) fn unpack(self, sent: Bytes, limit: usize) -> Result<Bytes, BodyError> {
        let (name, unpacked) = match self {
            Self::Identity => return Ok(sent),
            Self::Gzip => ("gzip", read_all(MultiGzDecoder::new(sent.as_ref()), limit)),
            Self::Deflate => ("deflate", inflate(&sent, limit)),
            Self::Zstd => ("zstd", read_zstd(&sent, limit)),
            Self::Snappy => (
                "framed snappy",
                read_all(snap::read::FrameDecoder::new(sent.as_ref()), limit),
            ),
        };
        match unpacked {
            Ok(Unpacked::Whole(plain)) => Ok(plain.into()),
            Ok(Unpacked::TooLong) => Err(BodyError::Bomb { limit }),
            Err(problem) => Err(BodyError::NotPacked { name, problem }),
        }
    }
}

fn read_all(stream: impl Read, limit: usize) -> Result<Unpacked, Broken> {
    let mut plain = Vec::new();
    stream.take(limit as u64 + 1).read_to_end(&mut plain)?;
    Ok(within(plain, limit))
}

fn within(plain: Vec<u8>, limit: usize) -> Unpacked {
    if plain.len() > limit {
        Unpacked::TooLong
    } else {
        Unpacked::Whole(plain)
    }
}

/// A zlib stream, as HTTP means it, or the bare deflate stream that some clients send.
fn inflate(sent: &[u8], limit: usize) -> Result<Unpacked, Broken> {
    let mut state = Decompress::new(is_zlib(sent));
    let mut plain = Vec::new();
    while plain.len() <= limit {
        plain.reserve(STEP_BYTES);
        let (read, written) = (state.total_in(), plain.len());
        let rest = sent.get(usize::try_from(read)?..).unwrap_or_default();
        let status = state.decompress_vec(rest, &mut plain, FlushDecompress::None)?;
        let all_read = state.total_in() == sent.len() as u64;
        match status {
            Status::StreamEnd if all_read => return Ok(within(plain, limit)),
            Status::StreamEnd => return Err("something follows its end".into()),
            _ if state.total_in() == read && plain.len() == written => return Err("it is cut off".into()),
            _ => {}
        }
    }
    Ok(Unpacked::TooLong)
}

/// Whether a stream begins with the header of zlib (RFC 1950); no bare stream of a sane encoder does.
fn is_zlib(sent: &[u8]) -> bool {
    let Some([method, flags]) = sent.first_chunk::<2>() else {
        return true;
    };
    method & 0x0f == 8 && method >> 4 <= 7 && (u16::from(*method) << 8 | u16::from(*flags)) % 31 == 0
}

fn read_zstd(sent: &[u8], limit: usize) -> Result<Unpacked, Broken> {
    if sent.is_empty() {
        return Err("it has no frame".into());
    }
    let (mut rest, mut plain) = (sent, Vec::new());
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
            decoder.collect_to_writer(&mut plain)?;
            if plain.len() > limit {
                return Ok(Unpacked::TooLong);
            }
        }
        let promised = decoder.get_checksum_from_data();
        if promised.is_some() && promised != decoder.get_calculated_checksum() {
            return Err("its checksum does not match".into());
        }
    }
    Ok(Unpacked::Whole(plain))
}

#[cfg(test)]
mod tests;
