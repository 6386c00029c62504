//! The XML of SafeNet's and Aladdin's eTokens.
//!
//! # Shape
//!
//! ```xml
//! <Tokens>
//! <Token serial="00040008CFA5">
//! <CaseModel>5</CaseModel><Model>101</Model><ProductionDate>02/19/2009</ProductionDate><ProductName>Safeword Alpine</ProductName>
//! <Applications>
//! <Application ConnectorID="{ab1397d2-ddb6-4705-b66e-9f83f322deb9}">
//! <Seed>303132333435363738393A3B3C3D3E3F40414243</Seed><MovingFactor>1</MovingFactor>
//! </Application>
//! </Applications>
//! </Token>
//! </Tokens>
//! ```
//!
//! # Source
//!
//! The importers of LinOTP and privacyIDEA, which take every token for HOTP. They take a key of 32 bytes for SHA-256; here
//! the hash is unknown then, and `--set hash=` says it. The XML that newer SafeNet servers protect with a password is
//! not known.
//!
//! # Leniency
//!
//! `seed` as well as `Seed`; line breaks in it; unknown elements are passed over. Several applications are several records of
//! one serial.
//!
//! # Memory
//!
//! Holds the document.

use std::borrow::Cow;

use crate::error::Result;
use crate::format::cut::Head;
use crate::format::xml::{Pulled, Source, Tag};
use crate::format::{Description, Format, Opened, ReadOptions};
use crate::record::{Draft, Encoding, SeedText, escaped};

use super::Entry;
use super::documents::{DocumentFormat, Walk, open as open_document, root};

/// The entry of the table.
pub(in crate::format) static ENTRY: Entry = Entry {
    id: "safenet",
    description: Description {
        reads: "the XML of SafeNet's and Aladdin's eTokens, HOTP: `Tokens/Token/Applications/Application/Seed`",
        writes: "",
        loses: "",
        source: "LinOTP's and privacyIDEA's importers",
        memory: "holds the document",
    },
    fits: |text| root(text) == Some("Tokens"),
    open,
    target: None,
};

static DOCUMENT: DocumentFormat = DocumentFormat { format: Format::SafeNet, name: "SafeNet XML", read };

fn open<'s>(head: Head<'s>, _options: &ReadOptions) -> Result<Opened<'s>> {
    Ok(open_document(head, &DOCUMENT))
}

fn read<'a>(walk: &mut Walk<'a, '_>, root: Tag<'a>) -> Pulled<()> {
    if root.local != "Tokens" {
        return Err(walk.rules.damaged("`Tokens`", format!("`{}`", escaped(root.local))).into());
    }
    while let Some(child) = walk.xml.child()? {
        match child.local {
            "Token" => read_token(walk)?,
            _ => walk.xml.skip()?,
        }
    }
    Ok(())
}

/// The key of one application.
#[derive(Default)]
struct Application<'a> {
    seed: Option<Cow<'a, str>>,
    counter: Option<Cow<'a, str>>,
}

fn read_token(walk: &mut Walk<'_, '_>) -> Pulled<()> {
    let serial = walk.xml.attribute("serial").filter(|serial| !serial.trim().is_empty());
    let mut model = None;
    let mut drafts = Vec::new();
    while let Some(child) = walk.xml.child()? {
        match child.local {
            "ProductName" => walk.once(&mut model, "ProductName")?,
            "Applications" => {
                while let Some(child) = walk.xml.child()? {
                    match child.local {
                        "Application" => {
                            let application = read_application(walk)?;
                            drafts.push(Draft {
                                counter: application.counter,
                                seed: application.seed.map(|text| SeedText::Prescribed(text, Encoding::Hex)),
                                ..Draft::default()
                            });
                        }
                        _ => walk.xml.skip()?,
                    }
                }
            }
            _ => walk.xml.skip()?,
        }
    }
    if drafts.is_empty() {
        drafts.push(Draft::default());
    }
    for draft in drafts {
        let place = Some(walk.place());
        let (serial, model) = (serial.clone(), model.clone());
        walk.give(Draft { place, serial, model, kind: Some("hotp".into()), ..draft })?;
    }
    Ok(())
}

fn read_application<'a>(walk: &mut Walk<'a, '_>) -> Pulled<Application<'a>> {
    let mut application = Application::default();
    while let Some(child) = walk.xml.child()? {
        match child.local {
            "Seed" | "seed" => walk.once(&mut application.seed, "Seed")?,
            "MovingFactor" => walk.once(&mut application.counter, "MovingFactor")?,
            other => walk.pass(other)?,
        }
    }
    Ok(application)
}
