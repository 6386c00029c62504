//! The tokens of one chunk, from their writing to their proof, in a few large blocks of memory.
//!
//! A reader's draft lives for one call only, so what the proof compares must be kept. A string of its own for every field
//! of every token costs more than the comparison; here all text of a chunk lies in one string, and a field that is the
//! same as the last token's (the manufacturer, the model) lies there once.

use std::ops::Range;

use crate::record::{Otp, Place, Seed, Serial, Token};

/// Tokens of one chunk, in order.
#[derive(Default)]
pub(super) struct Kept {
    text: String,
    tokens: Vec<Entry>,
}

struct Entry {
    /// Number of the token in the chunk's segment.
    entry: usize,
    place: Option<Place>,
    otp: Otp,
    seed: Option<Seed>,
    fields: Fields,
}

/// Serial, issue, key id, manufacturer, model and user.
type Fields = [Option<Range<u32>>; 6];

impl Kept {
    /// Takes over a token; its text is copied, its seed moved.
    pub(super) fn add(&mut self, entry: usize, token: Token<'_>) {
        let Token { place, serial, issue, key_id, manufacturer, model, otp, upn, seed } = token;
        let texts = [
            serial.as_ref().map(Serial::as_str),
            issue.as_deref(),
            key_id.as_deref(),
            manufacturer.as_deref(),
            model.as_deref(),
            upn.as_deref(),
        ];
        let mut fields = Fields::default();
        for (index, text) in texts.into_iter().enumerate() {
            fields[index] = text.map(|text| self.range_of(index, text));
        }
        self.tokens.push(Entry { entry, place, otp, seed: Some(seed), fields });
    }

    fn range_of(&mut self, field: usize, text: &str) -> Range<u32> {
        if let Some(same) = self.tokens.last().and_then(|last| last.fields[field].clone())
            && self.at(&same) == text
        {
            return same;
        }
        let start = self.text.len() as u32;
        self.text.push_str(text);
        start..self.text.len() as u32
    }

    fn at(&self, range: &Range<u32>) -> &str {
        &self.text[range.start as usize..range.end as usize]
    }

    /// Number of tokens.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// A token, with the seed that is handed out once: the proof needs it once.
    pub(super) fn take(&mut self, index: usize) -> Option<Token<'_>> {
        let entry = self.tokens.get_mut(index)?;
        let seed = entry.seed.take()?;
        let entry = &self.tokens[index];
        let [serial, issue, key_id, manufacturer, model, upn] =
            entry.fields.each_ref().map(|range| range.as_ref().map(|range| self.at(range).into()));
        Some(Token {
            place: entry.place,
            serial: serial.and_then(Serial::parse),
            issue,
            key_id,
            manufacturer,
            model,
            otp: entry.otp,
            upn,
            seed,
        })
    }

    /// A token's number in the segment, its place and its serial.
    pub(super) fn named(&self, index: usize) -> (usize, Option<Place>, &str) {
        let Entry { entry, place, fields, .. } = &self.tokens[index];
        (*entry, *place, fields[0].as_ref().map_or("", |range| self.at(range)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Algorithm, Digits, Moving};

    fn token(serial: &'static str, model: Option<&'static str>) -> Token<'static> {
        let moving = Moving::Counter { next: 7 };
        Token {
            place: Some(Place::Line(2)),
            serial: Serial::parse(serial.into()),
            issue: None,
            key_id: Some("k".into()),
            manufacturer: Some("Acme".into()),
            model: model.map(Into::into),
            otp: Otp { algorithm: Algorithm::Sha1, digits: Digits::SIX, moving },
            upn: None,
            seed: Seed::new(serial.as_bytes().to_vec()),
        }
    }

    #[test]
    fn gives_every_token_back_as_it_came_and_its_seed_once() {
        let mut kept = Kept::default();
        for (index, (serial, model)) in [("1", Some("One")), ("2", None), ("3", Some("One"))].into_iter().enumerate() {
            kept.add(index, token(serial, model));
        }
        assert_eq!(kept.len(), 3);
        for (index, (serial, model)) in [("1", Some("One")), ("2", None), ("3", Some("One"))].into_iter().enumerate() {
            assert_eq!(kept.named(index), (index, Some(Place::Line(2)), serial));
            let back = kept.take(index).expect("a token");
            assert_eq!(back.serial.as_ref().map(Serial::as_str), Some(serial));
            assert_eq!(back.model.as_deref(), model);
            assert_eq!(
                (back.key_id.as_deref(), back.manufacturer.as_deref(), &back.upn),
                (Some("k"), Some("Acme"), &None)
            );
            assert_eq!(back.seed.expose(), serial.as_bytes());
            assert!(kept.take(index).is_none());
        }
        assert!(kept.take(3).is_none());
    }
}
