//! Deepnet DualShield's token file, version 5 and later.
//!
//! # Shape
//!
//! ```xml
//! <data>
//! <header>
//! <manufacturerCode>DN</manufacturerCode><productCode>ST</productCode>
//! <encrypt>NONE</encrypt><encode>HEX</encode><digits>6</digits><timeWindow>60</timeWindow><crypto>HmacSHA1</crypto>
//! </header>
//! <tokens>
//! <token><serial>1000001</serial><seed>303132333435363738393A3B3C3D3E3F40414243</seed></token>
//! </tokens>
//! </data>
//! ```
//!
//! # Units
//!
//! `timeWindow` is in seconds; tokens count from 1.
//!
//! # Source
//!
//! Deepnet's wiki, "DualShield Token File Format", and its knowledge base for the older header without digits, time step
//! and hash. `ST` is a time-based SafeID, `SE` an event-based one, `GT` a Google Authenticator, whose page also has
//! seeds in Base32.
//!
//! # Leniency
//!
//! Elements of the header in any order; those that are unknown are passed over, `synchronisation` too, as nothing says that it is
//! the time step; one whose name may say a field stops the run. Encrypted files (`AES256`) are refused. Data of other products than tokens are findings.
//!
//! The header holds for the whole file, so one that is written holds TOTP tokens of six digits, SHA-1 and one time
//! step only: 60 s for `dualshield`, 30 s for `dualshield-30`.
//!
//! # Memory
//!
//! Reading holds the document; writing streams.

use std::borrow::Cow;

use crate::error::{Error, ErrorKind, Result};
use crate::format::cut::Head;
use crate::format::xml::{Pulled, Source, Tag};
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{
    Algorithm, Code, Draft, Encoding, Field, Fields, Holds, Plain, SeedText, Token, UserHeld, encode, escaped,
};

use super::documents::{DocumentFormat, Reader, Walk, open as open_document, root};
use super::{Entry, Target, base64_doubt, xml_text};

const SOURCE: &str = "Deepnet's wiki and knowledge base; files encrypted with AES256 are refused";

/// The entry of the table: 60 s where it is written.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "dualshield",
    description: Description {
        reads: "the XML of version 5 and later, also with the older header",
        writes: "the same, for tokens of 60 s",
        loses: "issue, key_id, manufacturer, model, type, hash, digits, counter, drift, upn: TOTP with SHA-1, six digits and 60 s only",
        source: SOURCE,
        memory: "reading holds the document; writing streams",
    },
    fits: |text| root(text) == Some("data") && text.contains("productCode"),
    open,
    target: Some(Target {
        holds: Holds { periods: &[60], ..HOLDS },
        reader: || Reader::written(&DOCUMENT),
        head: b"<?xml version=\"1.0\"?>\n<data>\n<header>\n<manufacturerCode>DN</manufacturerCode>\n<productCode>ST</productCode>\n<encrypt>NONE</encrypt>\n<encode>HEX</encode>\n<digits>6</digits>\n<timeWindow>60</timeWindow>\n<crypto>HmacSHA1</crypto>\n</header>\n<tokens>\n",
        item,
        tail: TAIL,
    }),
};

/// The same, 30 s where it is written.
pub(in crate::format) static ENTRY_30: Entry = Entry {
    id: "dualshield-30",
    description: Description {
        reads: "as dualshield",
        writes: "the same, for tokens of 30 s",
        loses: "issue, key_id, manufacturer, model, type, hash, digits, counter, drift, upn: TOTP with SHA-1, six digits and 30 s only",
        source: SOURCE,
        memory: "reading holds the document; writing streams",
    },
    // What is read is the other's.
    fits: |_| false,
    open,
    target: Some(Target {
        holds: Holds { periods: &[30], ..HOLDS },
        reader: || Reader::written(&DOCUMENT),
        head: b"<?xml version=\"1.0\"?>\n<data>\n<header>\n<manufacturerCode>DN</manufacturerCode>\n<productCode>ST</productCode>\n<encrypt>NONE</encrypt>\n<encode>HEX</encode>\n<digits>6</digits>\n<timeWindow>30</timeWindow>\n<crypto>HmacSHA1</crypto>\n</header>\n<tokens>\n",
        item,
        tail: TAIL,
    }),
};

const HOLDS: Holds = Holds {
    same_serial: false,
    hotp: false,
    digits: &[6],
    hashes: &[Algorithm::Sha1],
    // The header says period, digits and hash, so a proof reads them back.
    fields: Fields::of(&[Field::Serial, Field::Type, Field::Hash, Field::Digits, Field::Period, Field::Seed]),
    user: UserHeld::None,
    ..Holds::EVERYTHING
};

const TAIL: &[u8] = b"</tokens>\n</data>\n";

static DOCUMENT: DocumentFormat = DocumentFormat { format: Format::DualShield, name: "DualShield XML", read };

fn open<'s>(head: Head<'s>, _options: &ReadOptions) -> Result<Opened<'s>> {
    Ok(open_document(head, &DOCUMENT))
}

/// What holds for all tokens.
#[derive(Default)]
struct Header<'a> {
    manufacturer: Option<Cow<'a, str>>,
    product: Option<Cow<'a, str>>,
    encrypt: Option<Cow<'a, str>>,
    encode: Option<Cow<'a, str>>,
    digits: Option<Cow<'a, str>>,
    period: Option<Cow<'a, str>>,
    hash: Option<Cow<'a, str>>,
}

fn read<'a>(walk: &mut Walk<'a, '_>, root: Tag<'a>) -> Pulled<()> {
    if root.local != "data" {
        return Err(walk.rules.damaged("`data`", format!("`{}`", escaped(root.local))).into());
    }
    let mut header = None;
    while let Some(child) = walk.xml.child()? {
        match (child.local, &header) {
            ("header", None) => header = Some(read_header(walk)?),
            ("header", Some(_)) => return Err(walk.rules.damaged("one `header`", "two").into()),
            ("tokens", Some(header)) => read_tokens(walk, header)?,
            ("tokens", None) => return Err(walk.rules.damaged("`header` before `tokens`", "none").into()),
            _ => walk.xml.skip()?,
        }
    }
    Ok(())
}

fn read_header<'a>(walk: &mut Walk<'a, '_>) -> Pulled<Header<'a>> {
    let mut header = Header::default();
    while let Some(child) = walk.xml.child()? {
        let place = match child.local {
            "manufacturerCode" => &mut header.manufacturer,
            "productCode" => &mut header.product,
            "encrypt" => &mut header.encrypt,
            "encode" => &mut header.encode,
            "digits" => &mut header.digits,
            "timeWindow" => &mut header.period,
            "crypto" => &mut header.hash,
            other => {
                walk.pass(other)?;
                continue;
            }
        };
        walk.once(place, child.local)?;
    }
    match header.encrypt.as_deref() {
        None => {}
        Some(none) if none.eq_ignore_ascii_case("none") => {}
        Some(_) => {
            return Err(Error::new(ErrorKind::VendorSealed {
                what: "an encrypted DualShield file",
                ask: "the same tokens with `<encrypt>NONE</encrypt>`, in an OpenPGP message or an AES-256 ZIP",
            })
            .into());
        }
    }
    Ok(header)
}

fn encoding(header: &Header<'_>, walk: &Walk<'_, '_>) -> Pulled<Encoding> {
    let encode = header.encode.as_deref().unwrap_or_default();
    [("HEX", Encoding::Hex), ("BASE64", Encoding::Base64), ("BASE32", Encoding::Base32)]
        .into_iter()
        .find(|(name, _)| encode.eq_ignore_ascii_case(name))
        .map(|(_, encoding)| encoding)
        .ok_or_else(|| {
            walk.rules.damaged("`HEX`, `BASE64` or `BASE32` in `encode`", format!("`{}`", escaped(encode))).into()
        })
}

fn read_tokens<'a>(walk: &mut Walk<'a, '_>, header: &Header<'a>) -> Pulled<()> {
    while let Some(child) = walk.xml.child()? {
        if child.local != "token" {
            walk.xml.skip()?;
            continue;
        }
        let place = walk.place();
        let (mut serial, mut seed, mut counter) = (None, None, None);
        while let Some(child) = walk.xml.child()? {
            match child.local {
                "serial" => walk.once(&mut serial, "serial")?,
                "seed" => walk.once(&mut seed, "seed")?,
                "counter" => walk.once(&mut counter, "counter")?,
                other => walk.pass(other)?,
            }
        }
        let mut draft = Draft { place: Some(place), serial, ..Draft::default() };
        let product = header.product.as_deref().unwrap_or_default();
        match seed {
            None if !matches!(product, "ST" | "SE" | "GT") => {
                let message = format!("the record is no OATH token: it is data of the product `{}`", escaped(product));
                draft.faults.push((Code::TypeUnsupported, message));
            }
            seed => {
                let encoding = encoding(header, walk)?;
                draft.kind = match product {
                    "ST" | "GT" => Some("totp".into()),
                    "SE" => Some("hotp".into()),
                    _ => None,
                };
                draft.manufacturer = header.manufacturer.clone().map(|code| match &*code {
                    "DN" => "Deepnet Security".into(),
                    _ => code,
                });
                draft.hash = header.hash.clone();
                draft.digits = header.digits.clone();
                draft.period = header.period.clone();
                draft.counter = counter;
                if encoding == Encoding::Base64 {
                    draft.faults.extend(seed.as_deref().and_then(base64_doubt));
                }
                draft.seed = seed.map(|text| SeedText::Prescribed(text, encoding));
            }
        }
        walk.give(draft)?;
    }
    Ok(())
}

/// Writes an element.
fn item(token: &Token<'_>, out: &mut Plain) {
    out.extend(b"<token><serial>");
    xml_text(token.serial.as_ref().map_or("", |serial| serial.as_str()), out);
    out.extend(b"</serial><seed>");
    encode(&token.seed, Encoding::Hex, out);
    out.extend(b"</seed></token>\n");
}
