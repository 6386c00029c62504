//! Every token of the delivery in, as a few bytes each; what is wrong with the set out.
//!
//! # Rules
//!
//! One serial with two seeds leaves no token of that serial in: nothing tells which seed is the device's. The same
//! token again leaves one in. One seed under two serials leaves neither in. A seed that is shorter or longer than
//! those of nearly all its member, and of no usual length, was probably cut.
//!
//! A record whose seed could not be read counts too: it has its serial, and a seed that nobody knows.
//!
//! # Memory
//!
//! 32 bytes and the serial's own characters a token, and 8 bytes more while the rules are applied; for HOTP tokens
//! with counters of their own 24 more. A seed is kept as a keyed 128-bit tag only ([`crate::record::Seed::tag`]).

use std::hash::{BuildHasher, RandomState};

use rayon::slice::ParallelSliceMut;

use crate::record::{Code, Otp, Place, Token, Trail, escaped};

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
    /// Which of the segment's ways to compute codes; the same seed with another step is not the same token.
    otp: u16,
    /// Key in its package, or 255 for any beyond.
    key: u8,
    /// Length of the seed, or 255 for any beyond; 0 where the seed could not be read.
    seed_bytes: u8,
}

/// The tokens of one chunk.
pub(super) struct Segment {
    trail: Trail,
    /// The place of the first token: its kind, and what the numbers count from.
    first: Option<Place>,
    serials: String,
    /// Ways to compute codes; nearly always one.
    otps: Vec<Otp>,
    entries: Vec<Entry>,
}

impl Segment {
    pub(super) const fn new(trail: Trail) -> Self {
        Self { trail, first: None, serials: String::new(), otps: Vec::new(), entries: Vec::new() }
    }

    /// Notes a token; its item may follow.
    pub(super) fn add(&mut self, token: &Token<'_>) {
        let tag = token.seed.tag();
        let otp = self.otp(token.otp);
        let seed_bytes = u8::try_from(token.seed.len()).unwrap_or(u8::MAX);
        let serial = token.serial.as_ref().map_or("", |serial| serial.as_str());
        self.push(serial, token.place, tag, otp, seed_bytes);
    }

    /// Notes a record that gave no token, but has a serial.
    pub(super) fn add_unread(&mut self, serial: &str, place: Option<Place>) {
        if !serial.is_empty() {
            self.push(serial, place, 0, 0, 0);
        }
    }

    fn push(&mut self, serial: &str, place: Option<Place>, tag: u128, otp: u16, seed_bytes: u8) {
        self.serials.push_str(serial);
        let first = *self.first.get_or_insert(place.unwrap_or(Place::Byte(0)));
        let (base, _) = number(first);
        let (place, key) = number(place.unwrap_or(first));
        self.entries.push(Entry {
            seed_tag: [(tag >> 96) as u32, (tag >> 64) as u32, (tag >> 32) as u32, tag as u32],
            serial_end: self.serials.len() as u32,
            item_bytes: 0,
            number: place.saturating_sub(base) as u32,
            otp,
            key,
            seed_bytes,
        });
    }

    /// Number of a way to compute codes. Looked for among the last few only: HOTP tokens may each have their own.
    fn otp(&mut self, otp: Otp) -> u16 {
        const LOOKED_AT: usize = 8;
        let known = self.otps.iter().enumerate().rev().take(LOOKED_AT).find(|(_, known)| **known == otp);
        let index = known.map_or(self.otps.len(), |(index, _)| index);
        if index == self.otps.len() {
            self.otps.push(otp);
        }
        u16::try_from(index).unwrap_or(u16::MAX)
    }

    /// What makes two tokens the same: seed and way to compute codes. No seed that could not be read is another's.
    fn what(&self, index: usize) -> ([u32; 4], Option<Otp>) {
        let Entry { seed_tag, otp, seed_bytes, .. } = self.entries[index];
        (seed_tag, if seed_bytes == 0 { None } else { self.otps.get(usize::from(otp)).copied() })
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
            Place::Package { package, .. } => Place::Package { package: package + u64::from(number), key: key.into() },
        })
    }
}

fn number(place: Place) -> (u64, u8) {
    match place {
        Place::Byte(number) | Place::Item(number) | Place::Line(number) => (number, 0),
        Place::Package { package, key } => (package, u8::try_from(key).unwrap_or(u8::MAX)),
    }
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
    /// A seed of another length than those of nearly all the member.
    OddLength { usual: u8, found: u8 },
}

impl Verdict {
    pub(super) const fn code(&self) -> Code {
        match self.clash {
            Clash::OtherToken | Clash::SameToken => Code::SerialDuplicate,
            Clash::SharedSeed => Code::SeedDuplicate,
            Clash::OddLength { .. } => Code::SeedLength,
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
            let Entry { seed_tag: [high, low, ..], seed_bytes, .. } = segment.entries[index];
            (seed_bytes > 0).then(|| u64::from(high) << 32 | u64::from(low))
        };
        for group in self.groups(seed) {
            self.judge_seeds(&group, &mut verdicts);
        }
        for member in self.segments.chunk_by(|(_, one), (_, other)| one.trail == other.trail) {
            judge_lengths(member, &mut verdicts);
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
            Clash::OddLength { usual, found } => {
                format!(
                    "the seed has {found} bytes, and nearly all others of the member have {usual}: it may have been cut"
                )
            }
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
            segment.what(inner)
        };
        for equal in self.split(group, |segment, index| segment.serial(index).to_owned()) {
            let first = equal[0];
            let is_read = what(first).1.is_some();
            if is_read && equal.iter().all(|&index| what(index) == what(first)) {
                // The one that is kept must be one that was written, if any was.
                let kept = equal.iter().copied().find(|&index| self.is_written(index)).unwrap_or(first);
                let again = equal.iter().filter(|&&index| index != kept);
                verdicts.extend(again.map(|&index| Verdict { index, other: kept, clash: Clash::SameToken }));
            } else {
                verdicts.extend(equal.iter().map(|&index| {
                    let other = if index == first { equal[1] } else { first };
                    Verdict { index, other, clash: Clash::OtherToken }
                }));
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

/// Lengths of seeds that are never taken for a cut of another: 128 bits, and the outputs of the three hashes.
const USUAL_SEED_BYTES: [u8; 4] = [16, 20, 32, 64];

/// Finds seeds of an odd length in a member whose seeds nearly all have one length.
fn judge_lengths(member: &[(usize, Segment)], verdicts: &mut Vec<Verdict>) {
    let mut counts = [0_usize; 256];
    for (_, segment) in member {
        for entry in &segment.entries {
            counts[usize::from(entry.seed_bytes)] += 1;
        }
    }
    counts[0] = 0;
    let (usual, &most) = (0..=u8::MAX).zip(&counts).max_by_key(|(_, count)| **count).unwrap_or((0, &0));
    // Half of a member of two says nothing; most of the rest does.
    if most * 2 <= counts.iter().sum() {
        return;
    }
    for (first, segment) in member {
        for (index, entry) in segment.entries.iter().enumerate() {
            let found = entry.seed_bytes;
            if found != 0 && found != usual && !USUAL_SEED_BYTES.contains(&found) {
                let index = first + index;
                verdicts.push(Verdict { index, other: index, clash: Clash::OddLength { usual, found } });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Algorithm, Digits, Moving, Seed, Serial};

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

    /// Judges one chunk of tokens made of the tuples' parts: serial, bytes of the seed, counter of a HOTP token.
    fn judged(tokens: &[(&'static str, Vec<u8>, Option<u64>)], unread: &[&str]) -> Vec<String> {
        let mut segment = Segment::new(Trail::new("t.csv"));
        for (line, (serial, seed, counter)) in (2..).zip(tokens) {
            let mut token = Token { seed: Seed::new(seed.clone()), ..token(line, serial, 1, 30) };
            if let Some(next) = counter {
                token.otp.moving = Moving::Counter { next: *next };
            }
            segment.add(&token);
        }
        for serial in unread {
            segment.add_unread(serial, Some(Place::Line(100)));
        }
        let mut set = Set::default();
        set.add(segment);
        set.judge().iter().map(|verdict| format!("{} {}", verdict.index, set.message(verdict))).collect()
    }

    #[test]
    fn a_record_without_a_readable_seed_leaves_none_of_its_serial_in() {
        let found = judged(&[("1", vec![1; 20], None), ("2", vec![2; 20], None)], &["1"]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].starts_with("0 the serial stands at t.csv > line 100 too"), "{found:?}");
        assert_eq!(judged(&[], &["1", "1"]).len(), 2);
    }

    #[test]
    fn another_counter_is_another_token() {
        let found = judged(&[("1", vec![1; 20], Some(5)), ("1", vec![1; 20], Some(500))], &[]);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(judged(&[("1", vec![1; 20], Some(5)), ("1", vec![1; 20], Some(5))], &[]).len(), 1);
    }

    #[test]
    fn a_seed_of_odd_length_among_equal_ones_was_probably_cut() {
        let odd = |length: usize| {
            let mut tokens: Vec<_> =
                ["1", "2", "3"].into_iter().zip(1..).map(|(serial, byte)| (serial, vec![byte; 20], None)).collect();
            tokens.push(("4", vec![9; length], None));
            judged(&tokens, &[])
        };
        let message = "3 the seed has 18 bytes, and nearly all others of the member have 20: it may have been cut";
        assert_eq!(odd(18), [message]);
        for usual in [16, 20, 32] {
            assert_eq!(odd(usual), [""; 0]);
        }
        assert_eq!(judged(&[("1", vec![1; 18], None), ("2", vec![2; 20], None)], &[]), [""; 0]);
    }

    #[test]
    fn the_token_that_is_kept_is_one_that_was_written() {
        let mut segment = Segment::new(Trail::new("t.csv"));
        segment.add(&token(2, "1", 1, 30));
        segment.add(&token(3, "1", 1, 30));
        segment.wrote(1, 10);
        let mut set = Set::default();
        set.add(segment);
        let verdicts = set.judge();
        assert_eq!(verdicts.iter().map(|verdict| verdict.index).collect::<Vec<_>>(), [0]);
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
