//! The token file of Deepnet UAP version 3, before DualShield: XML inside XML.
//!
//! # Shape
//!
//! ```xml
//! <tokenList>
//! <tokenInfo>
//! <method>PocketID</method>
//! <device><manufacturer>Deepnet Security</manufacturer><model>TB</model><serial>1000001</serial></device>
//! <token><![CDATA[<data><deviceID>1000001</deviceID><type>TB</type><counter>0</counter><digits>6</digits><secret enc="HEX">303132333435363738393A3B3C3D3E3F40414243</secret></data>]]></token>
//! </tokenInfo>
//! </tokenList>
//! ```
//!
//! # Source
//!
//! Deepnet's knowledge base, article 9. `TB` is time-based; what else `type` can be is unconfirmed, and a finding.
//!
//! # Leniency
//!
//! Elements in any order; those that are unknown are passed over. There is no time step and no hash: `--set` says them.
//!
//! # Memory
//!
//! Holds the document.

use crate::error::Result;
use crate::format::cut::Head;
use crate::format::xml::{Parser, Pulled, Source, Tag};
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Draft, Encoding, SeedText, escaped};

use super::documents::{DocumentFormat, Walk, open as open_document, root};
use super::{Entry, base64_doubt, pass_over};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "deepnet-uap",
    description: Description {
        reads: "the XML of Deepnet UAP version 3: `tokenList/tokenInfo` with the token in CDATA",
        writes: "",
        loses: "",
        source: "Deepnet's knowledge base; types other than `TB` are unconfirmed",
        memory: "holds the document",
    },
    fits: |text| root(text) == Some("tokenList"),
    open,
    target: None,
};

static DOCUMENT: DocumentFormat = DocumentFormat { format: Format::DeepnetUap, name: "Deepnet UAP XML", read };

fn open<'s>(head: Head<'s>, _options: &ReadOptions) -> Result<Opened<'s>> {
    Ok(open_document(head, &DOCUMENT))
}

fn read<'a>(walk: &mut Walk<'a, '_>, root: Tag<'a>) -> Pulled<()> {
    if root.local != "tokenList" {
        return Err(walk.rules.damaged("`tokenList`", format!("`{}`", escaped(root.local))).into());
    }
    while let Some(child) = walk.xml.child()? {
        match child.local {
            "tokenInfo" => read_info(walk)?,
            _ => walk.xml.skip()?,
        }
    }
    Ok(())
}

fn read_info<'a>(walk: &mut Walk<'a, '_>) -> Pulled<()> {
    let place = Some(walk.place());
    let (mut manufacturer, mut model, mut serial, mut inner) = (None, None, None, None);
    while let Some(child) = walk.xml.child()? {
        match child.local {
            "device" => {
                while let Some(child) = walk.xml.child()? {
                    match child.local {
                        "manufacturer" => walk.once(&mut manufacturer, "manufacturer")?,
                        "model" => walk.once(&mut model, "model")?,
                        "serial" => walk.once(&mut serial, "serial")?,
                        _ => walk.xml.skip()?,
                    }
                }
            }
            "token" => walk.once(&mut inner, "token")?,
            _ => walk.xml.skip()?,
        }
    }
    // The inner document holds the seed; where it is a copy, it is wiped with the draft's own type.
    let inner = inner.map(|text| SeedText::Declared(text, Encoding::Hex));
    let mut draft = Draft { place, serial, manufacturer, model, ..Draft::default() };
    if let Some(SeedText::Declared(text, _)) = &inner {
        let mut xml = Parser::new(text, walk.rules);
        read_data(&mut xml, walk, &mut draft)?;
        return walk.give(draft);
    }
    walk.give(draft)
}

/// Reads the document inside.
fn read_data<'i>(xml: &mut Parser<'i>, walk: &Walk<'_, '_>, draft: &mut Draft<'i>) -> Pulled<()> {
    let root = xml.root()?;
    if root.local != "data" {
        return Err(walk.rules.damaged("`data` in `token`", format!("`{}`", escaped(root.local))).into());
    }
    let kept = |text: std::borrow::Cow<'i, str>| Some(text).filter(|text| !text.is_empty());
    while let Some(child) = xml.child()? {
        match child.local {
            "type" => {
                draft.kind = kept(xml.text()?).map(|kind| if kind == "TB" { "totp".into() } else { kind });
            }
            "counter" => draft.counter = kept(xml.text()?),
            "digits" => draft.digits = kept(xml.text()?),
            "secret" if draft.seed.is_some() => return Err(walk.rules.damaged("`secret` once", "it twice").into()),
            "secret" => {
                let enc = xml.attribute("enc").unwrap_or_default();
                let encoding = match &*enc {
                    "HEX" => Encoding::Hex,
                    "BASE64" => Encoding::Base64,
                    "BASE32" => Encoding::Base32,
                    _ => {
                        let found = format!("`{}`", escaped(&enc));
                        return Err(walk.rules.damaged("`HEX`, `BASE64` or `BASE32` in `enc`", found).into());
                    }
                };
                let text = kept(xml.text()?);
                if encoding == Encoding::Base64 {
                    draft.faults.extend(text.as_deref().and_then(base64_doubt));
                }
                draft.seed = text.map(|text| SeedText::Prescribed(text, encoding));
            }
            other => {
                pass_over(walk.rules.format, other)?;
                xml.skip()?;
            }
        }
    }
    xml.finish()
}
