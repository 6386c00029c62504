//! Every token of the delivery in, as a few bytes each; what is wrong with the set out.
//!
//! # Rules
//!
//! One serial with two seeds leaves no token of that serial in: nothing tells which seed is the device's. The same
//! token again leaves the first in. One seed under two serials leaves neither in.
//!
//! # Memory
//!
//! 32 bytes and the serial's own characters a token, and 8 bytes more while the rules are applied. A seed is kept as
//! a keyed 128-bit tag only ([`crate::record::Seed::tag`]).

use std::hash::{BuildHasher, RandomState};

use rayon::slice::ParallelSliceMut;

use crate::record::{Code, Moving, Otp, Place, Token, Trail, escaped};

/// What the set keeps of one token.
#[derive(Clone, Copy)]
struct Entry {
    seed_tag: [u32; 4],
    /// End of the serial among the segment's serials.
    serial_end: u32,
    /// Length of the item written; 0 when none was.
    item_bytes: u32,
    /// Package, line or item, less the segment's first.
    number: u32,
    key: u16,
    /// A hash of how codes are computed: the same seed with another step is not the same token.
    otp: u16,
}

/// The tokens of one chunk.
pub(super) struct Segment {
    trail: Trail,
    /// The place of the first token: its kind, and what the numbers count from.
    first: Option<Place>,
    serials: String,
    entries: Vec<Entry>,
}

impl Segment {
    pub(super) fn new(trail: Trail) -> Self {
        Self { trail, first: None, serials: String::new(), entries: Vec::new() }
    }

    /// Notes a token; its item may follow.
    pub(super) fn add(&mut self, token: &Token<'_>) {
        if let Some(serial) = &token.serial {
            self.serials.push_str(serial.as_str());
        }
        let first = *self.first.get_or_insert(token.place.unwrap_or(Place::Byte(0)));
        let (base, _) = number(first);
        let (place, key) = number(token.place.unwrap_or(first));
        let tag = token.seed.tag();
        self.entries.push(Entry {
            seed_tag: [(tag >> 96) as u32, (tag >> 64) as u32, (tag >> 32) as u32, tag as u32],
            serial_end: self.serials.len() as u32,
            item_bytes: 0,
            number: place.saturating_sub(base) as u32,
            key,
            otp: otp_hash(&token.otp),
        });
    }

    /// Notes the length of the last token's item.
    pub(super) fn wrote(&mut self, index: usize, item_bytes: usize) {
        self.entries[index].item_bytes = item_bytes as u32;
    }

    /// Gives back what growing took too much.
    pub(super) fn shrink(&mut self) {
        self.serials.shrink_to_fit();
        self.entries.shrink_to_fit();
    }

    fn serial(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.entries[index - 1].serial_end as usize };
        &self.serials[start..self.entries[index].serial_end as usize]
    }

    fn place(&self, index: usize) -> Option<Place> {
        let Entry { number, key, .. } = self.entries[index];
        Some(match self.first? {
            Place::Byte(first) => Place::Byte(first + u64::from(number)),
            Place::Item(first) => Place::Item(first + u64::from(number)),
            Place::Line(first) => Place::Line(first + u64::from(number)),
            Place::Package { package, .. } => {
                Place::Package { package: package + u64::from(number), key: u32::from(key) }
            }
        })
    }
}

fn number(place: Place) -> (u64, u16) {
    match place {
        Place::Byte(number) | Place::Item(number) | Place::Line(number) => (number, 0),
        Place::Package { package, key } => (package, u16::try_from(key).unwrap_or(u16::MAX)),
    }
}

fn otp_hash(otp: &Otp) -> u16 {
    let moving = match otp.moving {
        Moving::Counter { .. } => 0,
        Moving::Period { seconds, .. } => seconds.get(),
    };
    // A number for each combination that is met in practice: up to 8191 s, all digits, all hashes.
    (moving as u16) << 3 ^ u16::from(otp.digits.count()) << 12 ^ otp.algorithm as u16
}

/// All tokens of a run, in order.
#[derive(Default)]
pub(super) struct Set {
    /// Each with the number of its first token.
    segments: Vec<(usize, Segment)>,
    tokens: usize,
}

/// One token that a rule on the set speaks of, and the other that it clashes with.
pub(super) struct Verdict {
    /// Its number in the set, from 0.
    pub(super) index: usize,
    other: usize,
    clash: Clash,
}

#[derive(Clone, Copy)]
enum Clash {
    /// The same serial, and another seed or way to compute codes.
    OtherToken,
    /// The same token once more.
    SameToken,
    /// The same seed, and another serial.
    SharedSeed,
}

impl Verdict {
    pub(super) const fn code(&self) -> Code {
        match self.clash {
            Clash::OtherToken | Clash::SameToken => Code::SerialDuplicate,
            Clash::SharedSeed => Code::SeedDuplicate,
        }
    }
}

/// Low bits of a sort key that hold a token's number: 268 million tokens.
const INDEX_BITS: u32 = 28;

impl Set {
    pub(super) fn add(&mut self, segment: Segment) {
        let first = self.tokens;
        self.tokens += segment.entries.len();
        if !segment.entries.is_empty() {
            self.segments.push((first, segment));
        }
    }

    /// The member, place and serial of a token.
    pub(super) fn token(&self, index: usize) -> (&Trail, Option<Place>, &str) {
        let (segment, inner) = self.find(index);
        (&segment.trail, segment.place(inner), segment.serial(inner))
    }

    /// Whether an item of the token was written.
    pub(super) fn is_written(&self, index: usize) -> bool {
        let (segment, inner) = self.find(index);
        segment.entries[inner].item_bytes > 0
    }

    /// Lengths of the items written, in order, each with its token's number.
    pub(super) fn items(&self) -> impl Iterator<Item = (usize, u32)> {
        let entries = self.segments.iter().flat_map(|(_, segment)| &segment.entries);
        entries.enumerate().filter(|(_, entry)| entry.item_bytes > 0).map(|(index, entry)| (index, entry.item_bytes))
    }

    /// Every serial.
    pub(super) fn serials(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(|(_, segment)| (0..segment.entries.len()).map(|index| segment.serial(index)))
    }

    fn find(&self, index: usize) -> (&Segment, usize) {
        let at = self.segments.partition_point(|(first, _)| *first <= index) - 1;
        let (first, segment) = &self.segments[at];
        (segment, index - first)
    }

    /// Applies every rule on the set. A token may have several verdicts; they are in order of its number.
    pub(super) fn judge(&self) -> Vec<Verdict> {
        let mut verdicts = Vec::new();
        let hasher = RandomState::new();
        let serial = |segment: &Segment, index: usize| {
            let serial = segment.serial(index);
            (!serial.is_empty()).then(|| hasher.hash_one(serial))
        };
        for group in self.groups(serial) {
            self.judge_serials(&group, &mut verdicts);
        }
        let seed = |segment: &Segment, index: usize| {
            let [high, low, ..] = segment.entries[index].seed_tag;
            Some(u64::from(high) << 32 | u64::from(low))
        };
        for group in self.groups(seed) {
            self.judge_seeds(&group, &mut verdicts);
        }
        verdicts.sort_by_key(|verdict| verdict.index);
        verdicts
    }

    /// What a verdict says.
    pub(super) fn message(&self, verdict: &Verdict) -> String {
        let (trail, place, serial) = self.token(verdict.other);
        let other = place.map_or_else(|| trail.to_string(), |place| trail.at(place).to_string());
        match verdict.clash {
            Clash::OtherToken => format!(
                "the serial stands at {other} too, with another seed or another way to compute codes; nothing tells which is the device's"
            ),
            Clash::SameToken => format!("the same token stands at {other} already"),
            Clash::SharedSeed => format!("the seed is that of serial `{}` at {other} too", escaped(serial)),
        }
    }

    /// Numbers of tokens whose keys may be equal, two or more together, each group in order.
    ///
    /// The key's high bits and the token's number share one word, so that sorting needs 8 bytes a token.
    fn groups(&self, key: impl Fn(&Segment, usize) -> Option<u64>) -> Vec<Vec<usize>> {
        let mut keys = Vec::with_capacity(self.tokens);
        for (first, segment) in &self.segments {
            keys.extend((0..segment.entries.len()).filter_map(|index| {
                key(segment, index).map(|key| key >> INDEX_BITS << INDEX_BITS | (first + index) as u64)
            }));
        }
        keys.par_sort_unstable();
        let same = |one: &u64, other: &u64| one >> INDEX_BITS == other >> INDEX_BITS;
        let number = |key: &u64| (key & ((1 << INDEX_BITS) - 1)) as usize;
        keys.chunk_by(same).filter(|group| group.len() > 1).map(|group| group.iter().map(number).collect()).collect()
    }

    /// Splits a group by what is really equal.
    fn split<K: Ord>(&self, group: &[usize], key: impl Fn(&Segment, usize) -> K) -> Vec<Vec<usize>> {
        let mut keyed: Vec<(K, usize)> = group
            .iter()
            .map(|&index| {
                let (segment, inner) = self.find(index);
                (key(segment, inner), index)
            })
            .collect();
        keyed.sort();
        keyed
            .chunk_by(|one, other| one.0 == other.0)
            .filter(|equal| equal.len() > 1)
            .map(|equal| equal.iter().map(|(_, index)| *index).collect())
            .collect()
    }

    fn judge_serials(&self, group: &[usize], verdicts: &mut Vec<Verdict>) {
        let what = |index: usize| {
            let (segment, inner) = self.find(index);
            let Entry { seed_tag, otp, .. } = segment.entries[inner];
            (seed_tag, otp)
        };
        for equal in self.split(group, |segment, index| segment.serial(index).to_owned()) {
            let first = equal[0];
            let all_same = equal.iter().all(|&index| what(index) == what(first));
            let clash = if all_same { Clash::SameToken } else { Clash::OtherToken };
            // The first of several equal tokens is the one that is kept.
            for &index in &equal[usize::from(all_same)..] {
                let other = if index == first { equal[1] } else { first };
                verdicts.push(Verdict { index, other, clash });
            }
        }
    }

    fn judge_seeds(&self, group: &[usize], verdicts: &mut Vec<Verdict>) {
        for equal in self.split(group, |segment, index| segment.entries[index].seed_tag) {
            let first = equal[0];
            let serial = |index: usize| self.token(index).2;
            // Two tokens without a serial are two tokens.
            let is_first = |index: usize| index == first || serial(index) == serial(first) && !serial(first).is_empty();
            let Some(&second) = equal.iter().find(|&&index| !is_first(index)) else { continue };
            verdicts.extend(equal.iter().map(|&index| Verdict {
                index,
                other: if is_first(index) { second } else { first },
                clash: Clash::SharedSeed,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Algorithm, Digits, Seed, Serial};

    fn token(line: u64, serial: &'static str, seed: u8, seconds: u32) -> Token<'static> {
        let moving = Moving::Period { seconds: seconds.try_into().expect("not 0"), drift: 0 };
        Token {
            place: Some(Place::Line(line)),
            serial: Serial::parse(serial.into()),
            issue: None,
            key_id: None,
            manufacturer: None,
            model: None,
            otp: Otp { algorithm: Algorithm::Sha1, digits: Digits::SIX, moving },
            upn: None,
            seed: Seed::new(vec![seed; 20]),
        }
    }

    fn check(chunks: &[&[(&'static str, u8, u32)]], expected: &[&str]) {
        let mut set = Set::default();
        let mut line = 1;
        for chunk in chunks {
            let mut segment = Segment::new(Trail::new("t.csv"));
            for &(serial, seed, seconds) in *chunk {
                line += 1;
                segment.add(&token(line, serial, seed, seconds));
            }
            set.add(segment);
        }
        let found: Vec<String> = set
            .judge()
            .iter()
            .map(|verdict| {
                let (_, place, _) = set.token(verdict.index);
                format!("{}: {} [{}]", place.expect("a line"), set.message(verdict), verdict.code())
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn unlike_tokens_are_left_alone() {
        check(&[&[("1", 1, 30), ("2", 2, 30)], &[("3", 3, 30), ("", 4, 30), ("", 5, 30)]], &[]);
    }

    #[test]
    fn a_serial_with_two_seeds_is_refused_everywhere() {
        check(
            &[&[("1", 1, 30), ("2", 2, 30)], &[("1", 3, 30)]],
            &[
                "line 2: the serial stands at t.csv > line 4 too, with another seed or another way to compute codes; nothing tells which is the device's [serial-duplicate]",
                "line 4: the serial stands at t.csv > line 2 too, with another seed or another way to compute codes; nothing tells which is the device's [serial-duplicate]",
            ],
        );
    }

    #[test]
    fn the_same_token_again_is_refused_and_the_first_is_kept() {
        check(
            &[&[("1", 1, 30)], &[("1", 1, 30), ("1", 1, 30)]],
            &[
                "line 3: the same token stands at t.csv > line 2 already [serial-duplicate]",
                "line 4: the same token stands at t.csv > line 2 already [serial-duplicate]",
            ],
        );
    }

    #[test]
    fn the_same_seed_with_another_step_is_not_the_same_token() {
        check(
            &[&[("1", 1, 30), ("1", 1, 60)]],
            &[
                "line 2: the serial stands at t.csv > line 3 too, with another seed or another way to compute codes; nothing tells which is the device's [serial-duplicate]",
                "line 3: the serial stands at t.csv > line 2 too, with another seed or another way to compute codes; nothing tells which is the device's [serial-duplicate]",
            ],
        );
    }

    #[test]
    fn a_seed_under_two_serials_is_refused_for_both() {
        check(
            &[&[("1", 1, 30), ("2", 1, 30)]],
            &[
                "line 2: the seed is that of serial `2` at t.csv > line 3 too [seed-duplicate]",
                "line 3: the seed is that of serial `1` at t.csv > line 2 too [seed-duplicate]",
            ],
        );
    }

    #[test]
    fn many_tokens_of_one_seed_take_no_longer_than_they_are_many() {
        // A hundred thousand pairs would be ten thousand million comparisons.
        let mut set = Set::default();
        for chunk in 0..1_000 {
            let mut segment = Segment::new(Trail::new("t.csv"));
            for line in 0..100 {
                segment.add(&Token {
                    serial: Serial::parse((chunk * 100 + line).to_string().into()),
                    ..token(line, "", 1, 30)
                });
            }
            set.add(segment);
        }
        assert_eq!(set.judge().len(), 100_000);
    }

    #[test]
    fn an_entry_has_the_size_that_the_docs_say() {
        assert_eq!(size_of::<Entry>(), 32);
    }
}
