//! The body of Microsoft Graph's delta PATCH: a document in, drafts out; tokens in, items out.
//!
//! # Shape
//!
//! ```json
//! {"@context":"#$delta","value":[
//! {"@contentId":"1","serialNumber":"1000001","manufacturer":"Contoso","model":"HardwareKey",
//!  "secretKey":"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD","timeIntervalInSeconds":30,"hashFunction":"hmacsha1"}
//! ]}
//! ```
//!
//! An item is written on one line.
//!
//! # Units
//!
//! `timeIntervalInSeconds` is in seconds; items count from 1.
//!
//! # Source
//!
//! Microsoft Graph beta, "Update authenticationMethodDevice" and `hardwareOathTokenAuthenticationMethodDevice`:
//! `hashFunction` is `hmacsha1` where it is left out, and codes have six digits.
//!
//! # Leniency
//!
//! One object as a single POST takes it, and a bare list. Numbers in quotes, no `@contentId`, other keys beside (all
//! seen in scripts for Graph), keys in another case or with other punctuation (`HashFunction`, `secret_key`). A key that
//! is none of Graph's but speaks of how codes are computed (`digits`, `hashAlgorithm`) stops the run.
//!
//! Seeds are Base32, unless the user says another encoding.
//!
//! # Memory
//!
//! The whole document, under [`Limits::held_bytes`]; its items one at a time.
//!
//! # Example
//!
//! ```
//! use seedmill::format::{Format, Writer};
//! use seedmill::record::Plain;
//!
//! let writer = Writer::new(Format::Graph).expect("it needs no options");
//! let mut document = Plain::default();
//! writer.head(&mut document);
//! writer.tail(&mut document);
//! assert_eq!(&*document, b"{\"@context\":\"#$delta\",\"value\":[\n\n]}\n");
//! ```
//!
//! [`Limits::held_bytes`]: crate::limits::Limits::held_bytes

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::error::{Error, ErrorKind, Result};
use crate::limits::Limit;
use crate::record::{
    Algorithm, Code, Draft, Encoding, Field, Fields, Holds, Moving, Place, Plain, SeedText, Token, Trail, UserHeld,
    encode_base32,
};

use super::csv_maps::plain;
use super::cut::{Boundary, Chunk, Cut, Head};
use super::encoding::{Verdict, judge};
use super::json::{Value, Words, damaged, has_key, number, own, string};
use super::unknown::may_mean;
use super::{Description, Format, Opened, ReadOptions, csv};

/// What `seedmill formats` tells.
pub(super) const DESCRIPTION: Description = Description {
    reads: "the body of a delta PATCH, one object, or a list of them",
    writes: "the body of a delta PATCH, one item a line",
    loses: "issue, key_id, type, digits, counter, drift, and users who are not named by object id",
    source: "Microsoft Graph beta, hardwareOathDevices",
    memory: "reading holds the document; writing streams",
};

/// What an item can hold.
pub(super) const HOLDS: Holds = Holds {
    entra: true,
    spreadsheet: false,
    same_serial: false,
    hotp: false,
    digits: &[6],
    periods: &[30, 60],
    hashes: &[Algorithm::Sha1, Algorithm::Sha256],
    seed_base32_characters: Some(128),
    seed_bytes: None,
    fields: Fields::of(&[
        Field::Serial,
        Field::Manufacturer,
        Field::Model,
        Field::Seed,
        Field::Period,
        Field::Hash,
        Field::Upn,
    ]),
    user: UserHeld::ObjectId,
    chosen: false,
};

/// What stands before the first item.
pub(super) const HEAD: &[u8] = b"{\"@context\":\"#$delta\",\"value\":[\n";

/// What stands behind the last item.
pub(super) const TAIL: &[u8] = b"\n]}\n";

/// What messages call a document.
const NAME: &str = "Graph JSON";

/// Turns a document into drafts.
#[derive(Debug)]
pub struct Reader {
    /// Longest text in bytes.
    field_bytes: u64,
    seeds: Seeds,
}

/// How the seeds are spelled, and how that is known.
#[derive(Clone, Copy, Debug)]
enum Seeds {
    /// The user says so.
    Declared(Encoding),
    /// As Graph says: each is looked at, whether it is.
    Delivered,
    /// We wrote them.
    Written,
}

impl Reader {
    /// Reads what was written here, whatever its length: the limit is for what others send.
    pub(super) const fn written() -> Self {
        Self { field_bytes: u64::MAX, seeds: Seeds::Written }
    }
}

impl Seeds {
    /// The text of a seed, and what is wrong with it.
    fn take<'a>(self, text: Cow<'a, str>, faults: &mut Vec<(Code, String)>) -> SeedText<'a> {
        match self {
            Self::Declared(encoding) => return SeedText::Declared(text, encoding),
            // Text that can only be of another encoding cannot be decoded either, which `normalize` says.
            Self::Delivered => {
                if let Verdict::Doubtful(code, message) = judge(&text, Encoding::Base32) {
                    faults.push((code, message));
                }
            }
            Self::Written => {}
        }
        SeedText::Prescribed(text, Encoding::Base32)
    }
}

/// Keys that only Graph's items have, as they are spelled and misspelled.
const DETECTED: [&str; 8] = [
    "secretKey",
    "SecretKey",
    "secretkey",
    "secret_key",
    "serialNumber",
    "SerialNumber",
    "serialnumber",
    "serial_number",
];

/// Whether this is JSON with one of Graph's keys.
pub(super) fn fits(head: &[u8]) -> bool {
    matches!(head.trim_ascii_start().first(), Some(b'{' | b'['))
        && (memchr::memmem::find(head, b"\"#$delta\"").is_some() || DETECTED.into_iter().any(|key| has_key(head, key)))
}

/// Gets ready to read a document.
pub(super) fn open<'s>(head: Head<'s>, options: &ReadOptions) -> Result<Opened<'s>> {
    let seeds = options.csv.seed_encoding.map_or(Seeds::Delivered, Seeds::Declared);
    let reader = super::Reader::Graph(Reader { field_bytes: head.limits().field_bytes, seeds });
    Ok(Opened { format: Format::Graph, reader, cutter: head.cut(0, 1, Box::new(Whole)), findings: Vec::new() })
}

/// A document cannot be cut.
pub(super) struct Whole;

impl Boundary for Whole {
    fn cut(&mut self, bytes: &[u8], last: bool) -> Result<Option<Cut>> {
        Ok(last.then_some(Cut { end: bytes.len(), lines: 0, records: 0 }))
    }
}

/// Turns a document into drafts, item by item.
pub(super) fn read(
    reader: &Reader,
    chunk: &Chunk,
    trail: &Trail,
    each: &mut dyn FnMut(Draft<'_>) -> Result<()>,
) -> Result<()> {
    let text = csv::text(&chunk.bytes, chunk.offset_bytes, trail)?;
    let mut items = Items { next: chunk.first_record, reader, trail, each, stopped: None };
    let mut document = serde_json::Deserializer::from_str(text);
    let read = Document(&mut items).deserialize(&mut document).and_then(|()| document.end());
    if let Some(error) = items.stopped {
        return Err(error);
    }
    read.map_err(|error| {
        let (line, kind) = damaged(NAME, &error);
        // serde counts from 1, and says 0 where it knows no line.
        Error::new(kind).at(trail.at(Place::Line(chunk.first_line + line.saturating_sub(1))))
    })
}

/// Hands items on, with their numbers.
struct Items<'e> {
    next: u64,
    reader: &'e Reader,
    trail: &'e Trail,
    each: &'e mut dyn FnMut(Draft<'_>) -> Result<()>,
    /// What `each` answered, while serde carries a word of its own.
    stopped: Option<Error>,
}

impl Items<'_> {
    fn take<E: serde::de::Error>(&mut self, item: Item<'_>) -> std::result::Result<(), E> {
        let place = Place::Item(self.next);
        self.next += 1;
        let longest = item.longest() as u64;
        let taken = if longest > self.reader.field_bytes {
            let (limit, allowed) = (Limit::FieldBytes, self.reader.field_bytes);
            let kind = ErrorKind::LimitReached { limit, allowed, found: Some(longest) };
            Err(Error::new(kind).at(self.trail.at(place)))
        } else {
            (self.each)(item.into_draft(place, self.reader.seeds))
        };
        taken.map_err(|error| {
            self.stopped = Some(error);
            E::custom("stopped")
        })
    }
}

/// A document: an object with a list, an object that is an item, or a list.
struct Document<'i, 'e>(&'i mut Items<'e>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<(), A::Error> {
        let read = read_object(&mut map, Some(&mut *self.0))?;
        match (read.listed, read.keyed) {
            (true, false) => Ok(()),
            (false, true) => self.0.take(read.item),
            (true, true) => Err(own("an item or a list of items", "both in one object")),
            (false, false) => Err(own("an item or a list of items", "neither in the object")),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> std::result::Result<(), A::Error> {
        List(self.0).visit_seq(sequence)
    }
}

/// A list of items.
struct List<'i, 'e>(&'i mut Items<'e>);

impl<'de> DeserializeSeed<'de> for List<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> std::result::Result<(), A::Error> {
        while let Some(item) = sequence.next_element::<Item<'de>>()? {
            self.0.take(item)?;
        }
        Ok(())
    }
}

/// One item as it stands in the document.
#[derive(Default)]
struct Item<'a> {
    serial: Option<Value<'a>>,
    manufacturer: Option<Words<'a>>,
    model: Option<Words<'a>>,
    secret: Option<Words<'a>>,
    period: Option<Value<'a>>,
    hash: Option<Words<'a>>,
    user: Option<Assignee<'a>>,
}

#[derive(Deserialize)]
struct Assignee<'a> {
    #[serde(borrow, alias = "Id", alias = "ID")]
    id: Option<Words<'a>>,
}

/// The keys that mean something.
#[derive(Clone, Copy)]
enum Name {
    AssignTo,
    HashFunction,
    Manufacturer,
    Model,
    SecretKey,
    SerialNumber,
    TimeIntervalInSeconds,
    Value,
    Other,
}

impl Name {
    /// The key as Graph spells it.
    const fn key(self) -> &'static str {
        match self {
            Self::AssignTo => "assignTo",
            Self::HashFunction => "hashFunction",
            Self::Manufacturer => "manufacturer",
            Self::Model => "model",
            Self::SecretKey => "secretKey",
            Self::SerialNumber => "serialNumber",
            Self::TimeIntervalInSeconds => "timeIntervalInSeconds",
            Self::Value => "value",
            Self::Other => "",
        }
    }

    fn of(key: &str) -> Self {
        const NAMES: [Name; 8] = [
            Name::SerialNumber,
            Name::Manufacturer,
            Name::Model,
            Name::SecretKey,
            Name::TimeIntervalInSeconds,
            Name::HashFunction,
            Name::AssignTo,
            Name::Value,
        ];
        // An annotation is none of the item's own: `@odata.type`.
        if key.starts_with('@') {
            return Self::Other;
        }
        let spelled = || NAMES.into_iter().find(|name| name.key() == key);
        let alike = || {
            let plain = plain(key);
            NAMES.into_iter().find(|name| name.key().eq_ignore_ascii_case(&plain))
        };
        spelled().or_else(alike).unwrap_or(Self::Other)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct NameVisitor;

        impl Visitor<'_> for NameVisitor {
            type Value = Name;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_str<E: serde::de::Error>(self, key: &str) -> std::result::Result<Name, E> {
                let name = Name::of(key);
                // What it says of the code would be lost, and Graph's own default taken.
                if matches!(name, Name::Other) && !key.starts_with('@') && may_mean(key).is_some() {
                    return Err(E::unknown_field(key, &[]));
                }
                Ok(name)
            }
        }

        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// What an object turned out to be.
struct Object<'a> {
    item: Item<'a>,
    /// It had a key of an item.
    keyed: bool,
    /// It had a list of items, which were handed on.
    listed: bool,
}

/// Reads an object; `items` takes its list where it may have one.
fn read_object<'de, A: MapAccess<'de>>(
    map: &mut A,
    mut items: Option<&mut Items<'_>>,
) -> std::result::Result<Object<'de>, A::Error> {
    let mut object = Object { item: Item::default(), keyed: false, listed: false };
    let item = &mut object.item;
    let mut seen = 0_u8;
    while let Some(key) = map.next_key::<Name>()? {
        let bit = match key {
            Name::SerialNumber => 1,
            Name::Manufacturer => 2,
            Name::Model => 4,
            Name::SecretKey => 8,
            Name::TimeIntervalInSeconds => 16,
            Name::HashFunction => 32,
            Name::AssignTo => 64,
            Name::Value => 128,
            Name::Other => 0,
        };
        // Of two values for one key, nobody can say which is meant.
        if seen & bit != 0 {
            return Err(serde::de::Error::duplicate_field(key.key()));
        }
        seen |= bit;
        match (key, &mut items) {
            (Name::SerialNumber, _) => item.serial = map.next_value()?,
            (Name::Manufacturer, _) => item.manufacturer = map.next_value()?,
            (Name::Model, _) => item.model = map.next_value()?,
            (Name::SecretKey, _) => item.secret = map.next_value()?,
            (Name::TimeIntervalInSeconds, _) => item.period = map.next_value()?,
            (Name::HashFunction, _) => item.hash = map.next_value()?,
            (Name::AssignTo, _) => item.user = map.next_value()?,
            (Name::Value, Some(items)) => {
                map.next_value_seed(List(items))?;
                object.listed = true;
            }
            (Name::Value, None) | (Name::Other, _) => {
                map.next_value::<IgnoredAny>()?;
            }
        }
    }
    object.keyed = seen & 127 != 0;
    Ok(object)
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct ItemVisitor;

        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an item")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Item<'de>, A::Error> {
                Ok(read_object(&mut map, None)?.item)
            }
        }

        deserializer.deserialize_map(ItemVisitor)
    }
}

impl<'a> Item<'a> {
    /// Bytes of the longest text.
    fn longest(&self) -> usize {
        let words = |words: &Option<Words<'a>>| words.as_ref().map_or(0, |words| words.0.len());
        let user = self.user.as_ref().map_or(0, |user| words(&user.id));
        let serial = self.serial.as_ref().map_or(0, |serial| serial.0.len());
        [serial, words(&self.manufacturer), words(&self.model), words(&self.secret), words(&self.hash), user]
            .into_iter()
            .max()
            .unwrap_or_default()
    }

    fn into_draft(self, place: Place, seeds: Seeds) -> Draft<'a> {
        let kept = |text: Cow<'a, str>| Some(text).filter(|text| !text.trim_ascii().is_empty());
        let words = |words: Option<Words<'a>>| words.and_then(|words| kept(words.0));
        let value = |value: Option<Value<'a>>| value.and_then(|value| kept(value.0));
        let mut faults = Vec::new();
        let seed = words(self.secret).map(|text| seeds.take(text, &mut faults));
        Draft {
            place: Some(place),
            serial: value(self.serial),
            manufacturer: words(self.manufacturer),
            model: words(self.model),
            period: value(self.period),
            // Graph's own default.
            hash: words(self.hash).or(Some(Cow::Borrowed(Algorithm::Sha1.name()))),
            upn: self.user.and_then(|user| words(user.id)),
            seed,
            faults,
            ..Draft::default()
        }
    }
}

/// Writes what stands before an item: a comma, and its running number.
pub(super) fn before(item: u64, out: &mut Plain) {
    out.extend(if item > 1 { b",\n{\"@contentId\":\"" } else { b"{\"@contentId\":\"" });
    number(item, out);
    out.extend(b"\",");
}

/// Writes an item behind its running number.
pub(super) fn item(token: &Token<'_>, out: &mut Plain) {
    out.reserve(256);
    out.extend(b"\"serialNumber\":");
    string(token.serial.as_ref().map_or("", |serial| serial.as_str()), out);
    out.extend(b",\"manufacturer\":");
    string(token.manufacturer.as_deref().unwrap_or_default(), out);
    out.extend(b",\"model\":");
    string(token.model.as_deref().unwrap_or_default(), out);
    out.extend(b",\"secretKey\":\"");
    encode_base32(&token.seed, out);
    out.extend(b"\"");
    // HOTP has no time step and is rejected for this target.
    if let Moving::Period { seconds, .. } = token.otp.moving {
        out.extend(b",\"timeIntervalInSeconds\":");
        number(u64::from(seconds.get()), out);
    }
    out.extend(match token.otp.algorithm {
        Algorithm::Sha1 => b",\"hashFunction\":\"hmacsha1\"",
        Algorithm::Sha256 => b",\"hashFunction\":\"hmacsha256\"",
        Algorithm::Sha512 => b",\"hashFunction\":\"hmacsha512\"",
    });
    if let Some(user) = &token.upn
        && crate::record::is_object_id(user)
    {
        out.extend(b",\"assignTo\":{\"id\":");
        string(user, out);
        out.extend(b"}");
    }
    out.extend(b"}");
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;
    use crate::format::testing::{check_truth, drafts, read_back, token, written};
    use crate::format::{Format, Writer};

    fn check(path: &str, expected: &Expect) {
        expected.assert_eq(&drafts(path, &ReadOptions::default()));
    }

    #[test]
    fn reads_the_seeds_that_vendors_send() {
        for path in ["deepnet/delta.json", "microsoft/single-post.json", "microsoft/list-sha256.json"] {
            check_truth(&format!("vendor/{path}"), Format::Graph, &ReadOptions::default());
        }
    }

    #[test]
    fn reads_every_field() {
        check(
            "vendor/microsoft/single-post.json",
            &expect![[r#"
            item 1 serial="1234567" manufacturer="Contoso" model="HardwareKey" hash="sha1" period="30" upn="3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11" seed=prescribed Base32 d10f88de3cb028631dd9f421cc9edf70e010a0a8
        "#]],
        );
        check(
            "vendor/microsoft/list-sha256.json",
            &expect![[r#"
            item 1 serial="2234567" manufacturer="Contoso" model="HardwareKey" hash="hmacsha256" period="30" seed=prescribed Base32 5a359a1d530390a9cc1457c22a8de1a37e96da71fd04c24ae04bf1d95435c3da
            item 2 serial="2234568" manufacturer="Contoso" model="HardwareKey" hash="hmacsha256" period="30" seed=prescribed Base32 8512e91f304a6926626f214a7ea5632fc5076d41c9f0e1cd31b69a45019965a5
        "#]],
        );
    }

    #[test]
    fn says_what_is_wrong_and_quotes_no_value() {
        check(
            "invalid/json-truncated.json",
            &expect![[r#"
            the Graph JSON is damaged: expected the rest of the document, but found its end
              at member > line 4
        "#]],
        );
        check(
            "invalid/json-duplicate-key.json",
            &expect![[r#"
            the Graph JSON is damaged: expected the key `secretKey` once, but found it twice in one object
              at member > line 2
        "#]],
        );
        check(
            "invalid/json-no-value.json",
            &expect![[r#"
            the Graph JSON is damaged: expected an item or a list of items, but found neither in the object
              at member > line 1
        "#]],
        );
        check(
            "invalid/json-wrong-type.json",
            &expect![[r#"
            the Graph JSON is damaged: expected a value of the right type, but found another type before column 42
              at member > line 2
        "#]],
        );
        check(
            "invalid/json-secret-number.json",
            &expect![[r#"
            the Graph JSON is damaged: expected a value of the right type, but found another type before column 97
              at member > line 3
        "#]],
        );
        check(
            "invalid/json-trailing.json",
            &expect![[r#"
            the Graph JSON is damaged: expected valid JSON, but found a fault in column 1: trailing characters
              at member > line 6
        "#]],
        );
        check(
            "invalid/json-syntax.json",
            &expect![[r#"
            the Graph JSON is damaged: expected valid JSON, but found a fault in column 59: expected `:`
              at member > line 2
        "#]],
        );
    }

    /// The drafts of a document as lines, or the message.
    fn shown(text: &str, options: &ReadOptions) -> String {
        let mut lines = String::new();
        let mut each = |draft: Draft<'_>| lines += &(crate::format::testing::line(&draft) + "\n");
        match crate::format::testing::read(text.as_bytes(), options, &mut each) {
            Ok(()) => lines,
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn keys_of_another_spelling_are_read_and_none_that_says_the_code_is_lost() {
        let seed = "GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD";
        let check = |keys: &str, expected: &Expect| {
            let text = format!("[{{\"serialNumber\":\"1\",\"secretKey\":\"{seed}\",{keys}}}]");
            expected.assert_eq(&shown(&text, &ReadOptions::default()));
        };
        check(
            r#""HashFunction":"hmacsha256","time_interval_in_seconds":60,"@odata.type":"x","displayName":"y","AssignTo":{"Id":"u"}"#,
            &expect![[r#"
                item 1 serial="1" hash="hmacsha256" period="60" upn="u" seed=prescribed Base32 303132333435363738393a3b3c3d3e3f40414243
            "#]],
        );
        check(
            r#""hashFunction":"hmacsha1","HASHFUNCTION":"hmacsha256""#,
            &expect![
                "the Graph JSON is damaged: expected the key `hashFunction` once, but found it twice in one object"
            ],
        );
        for key in ["hashAlgorithm", "digits", "period", "interval", "type", "otpCounter", "hash_func"] {
            let text = format!("[{{\"serialNumber\":\"1\",\"{key}\":\"{seed}\"}}]");
            assert_eq!(
                shown(&text, &ReadOptions::default()),
                format!("the Graph JSON has a key that is not known: what the key `{key}` says would be lost")
            );
        }
        check(
            &format!("\"seed_{seed}\":1"),
            &expect!["the Graph JSON has a key that is not known: what the key of 37 characters says would be lost"],
        );
        let shouted = format!("[{{\"SerialNumber\":\"1\",\"SecretKey\":\"{seed}\"}}]");
        assert!(fits(shouted.as_bytes()));
    }

    #[test]
    fn a_key_that_says_the_hash_in_a_file_is_not_lost() {
        let read = drafts("invalid/json-key-spelled-otherwise.json", &ReadOptions::default());
        assert!(!read.is_empty() && read.lines().all(|line| line.contains(" hash=\"hmacsha256\" ")), "{read}");
        check(
            "invalid/json-key-lost.json",
            &expect![[r#"
                the Graph JSON has a key that is not known: what the key `hashAlgorithm` says would be lost
                  at member > line 2
            "#]],
        );
    }

    #[test]
    fn a_seed_that_may_be_base64_is_doubted_unless_the_user_says() {
        let text = r#"[{"serialNumber":"1","secretKey":"abcdEFGH2345ijklMNOP67qrSTUVwxyz"}]"#;
        expect![[r#"
            item 1 serial="1" hash="sha1" seed=prescribed Base32 00443214c7d6f9d4254b635cff7e1194e95b5f19 [seed-ambiguous] the seed can be read in two ways: expected text that is Base32 only, but found text that is Base64 too
        "#]]
        .assert_eq(&shown(text, &ReadOptions::default()));
        let csv = crate::format::CsvOptions { seed_encoding: Some(Encoding::Base64), ..Default::default() };
        expect![[r#"
            item 1 serial="1" hash="sha1" seed=declared Base64 69b71d105187db7e398a392530d38febbaab493515c31cb3
        "#]]
        .assert_eq(&shown(text, &ReadOptions { csv, ..ReadOptions::default() }));
    }

    #[test]
    fn stops_at_a_text_that_is_too_long() {
        let text = format!("[{{\"serialNumber\":\"1\"}},{{\"model\":\"{}\"}}]", "x".repeat(5000));
        let error = crate::format::testing::read(text.as_bytes(), &ReadOptions::default(), &mut |_| {});
        let error = error.expect_err("too long");
        expect!["too many bytes in one field: at most 4096 are allowed, but found 5000"].assert_eq(&error.to_string());
        assert_eq!(error.origin().expect("a place").to_string(), "member > item 2");
    }

    #[test]
    fn writes_what_graph_takes() {
        let item = |serial: &'static str, user: Option<&'static str>| Token {
            place: None,
            serial: crate::record::Serial::parse(serial.into()),
            issue: None,
            key_id: None,
            manufacturer: Some("Contoso".into()),
            model: Some("5\" display".into()),
            otp: crate::record::Otp {
                algorithm: Algorithm::Sha1,
                digits: crate::record::Digits::SIX,
                moving: Moving::Period { seconds: 30.try_into().expect("above 0"), drift: 0 },
            },
            upn: user.map(Into::into),
            seed: crate::record::Seed::new(b"0123456789:;<=>?@ABC".to_vec()),
        };
        let tokens =
            [item("000123", Some("3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11")), item("000124", Some("ada@example.com"))];
        expect![[r##"
            {"@context":"#$delta","value":[
            {"@contentId":"1","serialNumber":"000123","manufacturer":"Contoso","model":"5\" display","secretKey":"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD","timeIntervalInSeconds":30,"hashFunction":"hmacsha1","assignTo":{"id":"3dee0e53-0aaf-4c43-9f7e-3a1f0e5d7c11"}},
            {"@contentId":"2","serialNumber":"000124","manufacturer":"Contoso","model":"5\" display","secretKey":"GAYTEMZUGU3DOOBZHI5TYPJ6H5AECQSD","timeIntervalInSeconds":30,"hashFunction":"hmacsha1"}
            ]}
        "##]].assert_eq(&String::from_utf8(written(&Writer::Graph, &tokens)).expect("UTF-8"));
        assert!(read_back(&Writer::Graph, &written(&Writer::Graph, &[])).expect("an empty list").is_empty());
    }

    #[test]
    fn an_error_of_the_visitor_comes_through() {
        let mut plain = Plain::default();
        plain.extend(b"[{\"serialNumber\":\"1\"},{\"serialNumber\":\"2\"}]");
        let chunk = Chunk { bytes: plain, offset_bytes: 0, first_line: 1, first_record: 1 };
        let mut seen = 0;
        let error = read(&Reader::written(), &chunk, &Trail::new("t"), &mut |_| {
            seen += 1;
            Err(Error::new(ErrorKind::Interrupted))
        });
        assert_eq!((error.expect_err("stopped").to_string().as_str(), seen), ("interrupted", 1));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(tokens in prop::collection::vec(token(), 0..5)) {
            let writer = Writer::Graph;
            let bytes = written(&writer, &tokens);
            let read = read_back(&writer, &bytes).expect("our own document");
            prop_assert_eq!(read.len(), tokens.len());
            // serde_json reads it too, with nothing of ours between.
            let document: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
            for (number, (token, read)) in tokens.iter().zip(read).enumerate() {
                let item = &document["value"][number];
                prop_assert_eq!(&item["@contentId"], &(number + 1).to_string());
                let serial = token.serial.as_ref().map_or("", |serial| serial.as_str());
                prop_assert_eq!(&item["serialNumber"], serial);
                prop_assert_eq!(&item["secretKey"], &data_encoding::BASE32_NOPAD.encode(token.seed.expose()));
                let mut expected = format!("item {}", number + 1);
                for (name, value) in [
                    ("serial", token.serial.as_ref().map(|serial| serial.as_str().to_owned())),
                    ("manufacturer", token.manufacturer.as_deref().map(str::to_owned)),
                    ("model", token.model.as_deref().map(str::to_owned)),
                    ("hash", Some(format!("hmac{}", token.otp.algorithm.name()))),
                    ("period", match token.otp.moving {
                        Moving::Period { seconds, .. } => Some(seconds.to_string()),
                        Moving::Counter { .. } => None,
                    }),
                ] {
                    if let Some(value) = value {
                        expected += &format!(" {name}={value:?}");
                    }
                }
                let seed = data_encoding::HEXLOWER.encode(token.seed.expose());
                prop_assert_eq!(read, format!("{expected} seed=prescribed Base32 {seed}"));
            }
        }
    }
}
