//! Metadata as version 1.0 sends it: beside the series, in requests of its own.

use crate::codec::wire::{put_bytes, put_number, put_varint};
use crate::model::Metadata;

/// `WriteRequest.metadata` (Prometheus' extension of PRW 1.0), then `metric_family_name`, `help`, `unit` of a
/// `MetricMetadata`: field number and wire type.
const METADATA: u8 = 0x1a;
const FAMILY: u8 = 0x12;
const HELP: u8 = 0x22;
const UNIT: u8 = 0x2a;
/// `MetricMetadata.type`.
const TYPE: u8 = 1;

/// A `prometheus.WriteRequest` that has nothing but these families, compressed as a raw snappy block.
///
/// # Errors
/// When it is longer than snappy can say, which is 4 GiB.
pub fn encode_metadata<'m>(
    families: impl IntoIterator<Item = &'m Metadata<'m>>,
) -> Result<Vec<u8>, snap::Error> {
    let (mut raw, mut message) = (Vec::new(), Vec::new());
    for family in families {
        message.clear();
        put_number(&mut message, TYPE, u64::from(family.kind.number()));
        for (tag, text) in [
            (FAMILY, &family.family),
            (HELP, &family.help),
            (UNIT, &family.unit),
        ] {
            if !text.is_empty() {
                put_bytes(&mut message, tag, text.as_bytes());
            }
        }
        raw.push(METADATA);
        put_varint(&mut raw, message.len() as u64);
        raw.extend_from_slice(&message);
    }
    snap::raw::Encoder::new().compress_vec(&raw)
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::codec::generated::write_v1 as v1;
    use crate::model::MetricType;

    #[test]
    fn families_are_what_other_readers_of_the_message_see() {
        let counter = Metadata {
            family: "a_total".into(),
            kind: MetricType::Counter,
            help: "How often.".into(),
            unit: "".into(),
        };
        let bare = Metadata {
            family: "b".into(),
            kind: MetricType::StateSet,
            unit: "seconds".into(),
            ..Metadata::default()
        };

        let body = encode_metadata([&counter, &bare]).unwrap();

        let raw = snap::raw::Decoder::new().decompress_vec(&body).unwrap();
        let request = v1::WriteRequest::decode(raw.as_slice()).unwrap();
        assert!(request.timeseries.is_empty());
        let said: Vec<_> = request
            .metadata
            .iter()
            .map(|said| (said.r#type, &*said.metric_family_name, &*said.help, &*said.unit))
            .collect();
        assert_eq!(said, [(1, "a_total", "How often.", ""), (7, "b", "", "seconds")]);
    }
}
