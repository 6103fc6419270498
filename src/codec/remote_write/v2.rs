//! `io.prometheus.write.v2.Request`: all text in one table, to which series refer.

use super::histogram;
use super::limits::{Budget, Limits};
use super::request::Request;
use super::series::{Draft, MAX_LABELS, Text, nanos, too_many_labels};
use crate::codec::DecodeError;
use crate::codec::block::read_sample;
use crate::codec::wire::{Fields, Value, wrong_type};
use crate::model::{Exemplar, LabelDraft, Metadata, MetricType, UnixMillis};

const REQUEST: &str = "write request";
const SERIES: &str = "series";

/// Reads a decompressed body.
pub(super) fn decode<'a>(body: &'a [u8], limits: &Limits) -> Result<Request<'a>, DecodeError> {
    let mut budget = Budget::of(limits);
    let symbols = Symbols::read(body, &mut budget)?;
    let mut request = Request::default();
    let mut fields = Fields::of(REQUEST, body);
    while let Some(field) = fields.next()? {
        match field {
            (5, Value::Bytes(message)) => {
                let draft = symbols.read_series(message, &mut budget)?;
                draft.finish(&mut request, &mut budget)?;
            }
            (5, _) => return Err(wrong_type(REQUEST)),
            _ => {}
        }
    }
    Ok(request)
}

/// The table, which may stand anywhere in the message.
struct Symbols<'a>(Vec<Text<'a>>);

impl<'a> Symbols<'a> {
    fn read(body: &'a [u8], budget: &mut Budget) -> Result<Self, DecodeError> {
        let mut symbols = Vec::new();
        let mut fields = Fields::of(REQUEST, body);
        while let Some(field) = fields.next()? {
            match field {
                (4, Value::Bytes(bytes)) => {
                    budget.take(1)?;
                    symbols.push(std::str::from_utf8(bytes).map_or(Text::Unread(bytes), Text::Read));
                }
                (4, _) => return Err(wrong_type(REQUEST)),
                _ => {}
            }
        }
        Ok(Self(symbols))
    }

    fn at(&self, reference: u64) -> Option<Text<'a>> {
        self.0.get(usize::try_from(reference).ok()?).copied()
    }

    /// The text of a reference that may be unset, which zero is.
    fn text(&self, reference: u64) -> Option<std::borrow::Cow<'a, str>> {
        match reference {
            0 => Some("".into()),
            _ => self.at(reference).map(Text::lossy),
        }
    }

    fn read_series(&self, message: &'a [u8], budget: &mut Budget) -> Result<Draft<'a>, DecodeError> {
        let mut draft = Draft::new(budget)?;
        let mut fields = Fields::of(SERIES, message);
        let (mut references, mut metadata, mut created) = (References::default(), Said::default(), 0);
        while let Some(field) = fields.next()? {
            match field {
                (1, value) => references.take_up(value, budget)?,
                (2, Value::Bytes(sample)) => {
                    budget.take(1)?;
                    draft.kept.samples.push(read_sample(sample)?);
                }
                (3, Value::Bytes(message)) => match histogram::read(message, budget)? {
                    Ok(written) => draft.kept.histograms.push(written),
                    Err(flaw) => draft.leave_out_histogram(flaw.to_string()),
                },
                (4, Value::Bytes(message)) => draft.exemplar(self.read_exemplar(message, budget)?),
                (5, Value::Bytes(message)) => metadata.take_up(message)?,
                (6, Value::Varint(millis)) => created = millis.cast_signed(),
                (2..=6, _) => return Err(wrong_type(SERIES)),
                _ => {}
            }
        }
        match references.pairs(self) {
            Ok(labels) => labels.for_each(|(name, value)| draft.label(name, value)),
            Err(problem) => draft.spoil(problem),
        }
        match self.metadata(&metadata) {
            Ok(metadata) => draft.metadata(metadata),
            Err(problem) => draft.spoil(problem),
        }
        if created != 0 {
            draft.created(UnixMillis::new(created));
        }
        Ok(draft)
    }

    fn metadata(&self, said: &Said) -> Result<Metadata<'a>, String> {
        let text = |what: &str, reference: u64| {
            self.text(reference)
                .ok_or_else(|| self.no_symbol(what, reference))
        };
        Ok(Metadata {
            kind: said.kind,
            help: text("help_ref", said.help)?,
            unit: text("unit_ref", said.unit)?,
            ..Metadata::default()
        })
    }

    fn no_symbol(&self, what: &str, reference: u64) -> String {
        format!(
            "its {what} {reference} is outside of the {} symbols",
            self.0.len()
        )
    }

    fn read_exemplar(
        &self,
        message: &'a [u8],
        budget: &mut Budget,
    ) -> Result<Result<Exemplar<'a>, &'static str>, DecodeError> {
        budget.take(2)?;
        let mut fields = Fields::of("exemplar", message);
        let (mut references, mut value, mut at) = (References::default(), 0.0, 0);
        while let Some(field) = fields.next()? {
            match field {
                (1, value) => references.take_up(value, budget)?,
                (2, Value::Fixed64(bits)) => value = f64::from_bits(bits),
                (3, Value::Varint(millis)) => at = millis.cast_signed(),
                (2 | 3, _) => return Err(wrong_type("exemplar")),
                _ => {}
            }
        }
        let labels = references
            .pairs(self)
            .map_err(|_| "the labels_refs of an exemplar are odd in number, or outside of the symbols");
        Ok(labels.and_then(|labels| {
            let text = |(name, value): (Text<'a>, Text<'a>)| Some((name.read().ok()?, value.read().ok()?));
            let labels: Option<LabelDraft<'a>> = labels.map(text).collect();
            Ok(Exemplar {
                labels: labels.ok_or("a label of an exemplar is not valid UTF-8")?,
                value,
                at: Some(nanos(UnixMillis::new(at))),
            })
        }))
    }
}

/// The references to names and values of labels, in turn.
#[derive(Default)]
struct References(Vec<u64>);

impl References {
    /// One reference, or a packed list of them: a reader has to take both.
    fn take_up(&mut self, value: Value<'_>, budget: &mut Budget) -> Result<(), DecodeError> {
        match value {
            Value::Varint(reference) => {
                budget.take(1)?;
                self.0.push(reference);
            }
            Value::Bytes(packed) => {
                budget.take(packed.len().div_ceil(2))?;
                self.0.reserve(packed.len());
                let mut packed = Fields::of("labels_refs", packed);
                while let Some(reference) = packed.packed_varint()? {
                    self.0.push(reference);
                }
            }
            Value::Fixed64(_) | Value::Fixed32 => return Err(wrong_type("labels_refs")),
        }
        Ok(())
    }

    /// Names and values, if there is one of each and all are in the table.
    fn pairs<'a>(&self, symbols: &Symbols<'a>) -> Result<impl Iterator<Item = (Text<'a>, Text<'a>)>, String> {
        if !self.0.len().is_multiple_of(2) {
            return Err(format!("its labels_refs are {}, an odd number", self.0.len()));
        }
        if self.0.len() > 2 * MAX_LABELS {
            return Err(too_many_labels());
        }
        let wrong = self.0.iter().find(|reference| symbols.at(**reference).is_none());
        if let Some(reference) = wrong {
            return Err(symbols.no_symbol("label reference", *reference));
        }
        let texts = self.0.iter().filter_map(|reference| symbols.at(*reference));
        let texts: Vec<Text<'a>> = texts.collect();
        let mut texts = texts.into_iter();
        Ok(std::iter::from_fn(move || Some((texts.next()?, texts.next()?))))
    }
}

/// What a series says of its family, by reference.
#[derive(Default)]
struct Said {
    kind: MetricType,
    help: u64,
    unit: u64,
}

impl Said {
    fn take_up(&mut self, message: &[u8]) -> Result<(), DecodeError> {
        let mut fields = Fields::of("metadata", message);
        while let Some(field) = fields.next()? {
            match field {
                (1, Value::Varint(number)) => self.kind = MetricType::of(number),
                (3, Value::Varint(reference)) => self.help = reference,
                (4, Value::Varint(reference)) => self.unit = reference,
                (1 | 3 | 4, _) => return Err(wrong_type("metadata")),
                _ => {}
            }
        }
        Ok(())
    }
}
