//! The elements of one `KeyPackage` in, what they say out, as text and unjudged.
//!
//! # Source
//!
//! [RFC 6030] §4: `DeviceInfo` §4.3.1, `Key` §4.3.4, `Data` §4.3.6; `Policy` §5; `EncryptedValue` §6.
//!
//! # Leniency
//!
//! Elements may come in any order. Namespaces are told by prefix, which `format::xml` holds to one meaning from the
//! container's first byte to its last: what has another prefix than its `KeyPackage`
//! is foreign and skipped with all it holds, so that a `Secret` inside is never taken; only below `EncryptedValue`
//! any prefix goes. An element that says the same thing twice is refused, whichever would be right.
//!
//! [RFC 6030]: https://www.rfc-editor.org/rfc/rfc6030

use std::borrow::Cow;

use zeroize::Zeroize;

use crate::format::xml::{Pulled, Rules, Source, Stop, same_name};

/// Text that may be there.
pub(super) type Text<'a> = Option<Cow<'a, str>>;

/// One `KeyPackage`; used again for the next.
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Package<'a> {
    pub(super) device: Device<'a>,
    pub(super) keys: Vec<Key<'a>>,
}

/// `DeviceInfo`
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Device<'a> {
    pub(super) manufacturer: Text<'a>,
    pub(super) serial: Text<'a>,
    pub(super) model: Text<'a>,
    pub(super) issue: Text<'a>,
    pub(super) start: Text<'a>,
    pub(super) expiry: Text<'a>,
    pub(super) user: Text<'a>,
}

/// `Key`
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Key<'a> {
    pub(super) id: Text<'a>,
    pub(super) algorithm: Text<'a>,
    pub(super) suite: Text<'a>,
    /// Attribute `hashalgo` of `Suite`, as privacyIDEA writes it.
    pub(super) suite_hash: Text<'a>,
    pub(super) length: Text<'a>,
    pub(super) encoding: Text<'a>,
    pub(super) check_digits: Text<'a>,
    pub(super) secret: Item<'a>,
    pub(super) counter: Item<'a>,
    pub(super) time: Item<'a>,
    pub(super) interval: Item<'a>,
    pub(super) drift: Item<'a>,
    pub(super) user: Text<'a>,
    pub(super) policy: Policy<'a>,
}

/// An element of `Data`: plain, encrypted, or not there.
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Item<'a> {
    pub(super) plain: Text<'a>,
    pub(super) encrypted: bool,
    /// `EncryptionMethod/@Algorithm`
    pub(super) algorithm: Text<'a>,
    pub(super) cipher: Text<'a>,
    pub(super) mac: Text<'a>,
}

impl Drop for Item<'_> {
    fn drop(&mut self) {
        if let Some(Cow::Owned(plain)) = &mut self.plain {
            plain.zeroize();
        }
    }
}

/// `Policy`
#[derive(Default)]
#[cfg_attr(test, derive(Debug, PartialEq))]
pub(super) struct Policy<'a> {
    pub(super) start: Text<'a>,
    pub(super) expiry: Text<'a>,
    /// There is a `KeyUsage`.
    pub(super) usage: bool,
    /// One of them is `OTP`.
    pub(super) usage_otp: bool,
    pub(super) transactions: Text<'a>,
    /// There is a `PINPolicy`.
    pub(super) pin: bool,
    pub(super) pin_mode: Text<'a>,
    /// The first element that is none of RFC 6030's.
    pub(super) unknown: Text<'a>,
}

/// Reads what a `KeyPackage` holds; its start tag, with `prefix`, was read just now.
pub(super) fn read<'a, S: Source<'a>>(
    source: &mut S,
    prefix: &str,
    rules: &Rules,
    package: &mut Package<'a>,
) -> Pulled<()> {
    package.device = Device::default();
    package.keys.clear();
    let mut reading = Reading { source, prefix, rules };
    while let Some(name) = reading.child()? {
        match name {
            "DeviceInfo" => reading.device(&mut package.device)?,
            "Key" => {
                package.keys.push(Key::default());
                if let Some(key) = package.keys.last_mut() {
                    reading.key(key)?;
                }
            }
            _ => reading.source.skip()?,
        }
    }
    Ok(())
}

struct Reading<'r, S> {
    source: &'r mut S,
    prefix: &'r str,
    rules: &'r Rules,
}

impl<'a, S: Source<'a>> Reading<'_, S> {
    /// Opens the next child that is not foreign.
    #[inline]
    fn child(&mut self) -> Pulled<Option<&'a str>> {
        while let Some(tag) = self.source.child()? {
            if same_name(tag.prefix.as_bytes(), self.prefix.as_bytes()) {
                return Ok(Some(tag.local));
            }
            self.source.skip()?;
        }
        Ok(None)
    }

    /// Reads the text of the open element into its field.
    #[inline]
    fn text(&mut self, name: &str, field: &mut Text<'a>) -> Pulled<()> {
        let text = self.source.text()?;
        self.once(name, field.is_some())?;
        *field = Some(text);
        Ok(())
    }

    fn once(&self, name: &str, again: bool) -> Pulled<()> {
        if again { Err(self.twice(name)) } else { Ok(()) }
    }

    #[cold]
    fn twice(&self, name: &str) -> Stop {
        self.rules.damaged(format!("one `{name}`"), "two").into()
    }

    fn device(&mut self, device: &mut Device<'a>) -> Pulled<()> {
        while let Some(name) = self.child()? {
            match name {
                "Manufacturer" => self.text(name, &mut device.manufacturer)?,
                "SerialNo" => self.text(name, &mut device.serial)?,
                "Model" => self.text(name, &mut device.model)?,
                "IssueNo" => self.text(name, &mut device.issue)?,
                "StartDate" => self.text(name, &mut device.start)?,
                "ExpiryDate" => self.text(name, &mut device.expiry)?,
                "UserId" => self.text(name, &mut device.user)?,
                _ => self.source.skip()?,
            }
        }
        Ok(())
    }

    fn key(&mut self, key: &mut Key<'a>) -> Pulled<()> {
        key.id = self.source.attribute("Id");
        key.algorithm = self.source.attribute("Algorithm");
        while let Some(name) = self.child()? {
            match name {
                "AlgorithmParameters" => self.parameters(key)?,
                "Data" => self.data(key)?,
                "UserId" => self.text(name, &mut key.user)?,
                "Policy" => self.policy(&mut key.policy)?,
                _ => self.source.skip()?,
            }
        }
        Ok(())
    }

    fn parameters(&mut self, key: &mut Key<'a>) -> Pulled<()> {
        while let Some(name) = self.child()? {
            match name {
                "Suite" => {
                    key.suite_hash = self.source.attribute("hashalgo");
                    self.text(name, &mut key.suite)?;
                }
                "ResponseFormat" => {
                    self.once(name, key.length.is_some() || key.encoding.is_some())?;
                    key.length = self.source.attribute("Length");
                    key.encoding = self.source.attribute("Encoding");
                    let check_digits = self.source.attribute("CheckDigits");
                    key.check_digits = check_digits.or_else(|| self.source.attribute("CheckDigit"));
                    self.source.skip()?;
                }
                _ => self.source.skip()?,
            }
        }
        Ok(())
    }

    fn data(&mut self, key: &mut Key<'a>) -> Pulled<()> {
        while let Some(name) = self.child()? {
            match name {
                "Secret" => self.item(name, &mut key.secret)?,
                "Counter" => self.item(name, &mut key.counter)?,
                "Time" => self.item(name, &mut key.time)?,
                "TimeInterval" => self.item(name, &mut key.interval)?,
                "TimeDrift" => self.item(name, &mut key.drift)?,
                _ => self.source.skip()?,
            }
        }
        Ok(())
    }

    fn item(&mut self, element: &str, item: &mut Item<'a>) -> Pulled<()> {
        while let Some(name) = self.child()? {
            match name {
                "PlainValue" => {
                    self.once(element, item.encrypted)?;
                    self.text(name, &mut item.plain)?;
                }
                "EncryptedValue" => {
                    self.once(element, item.encrypted || item.plain.is_some())?;
                    item.encrypted = true;
                    self.encrypted(item)?;
                }
                "ValueMAC" => self.text(name, &mut item.mac)?,
                _ => self.source.skip()?,
            }
        }
        Ok(())
    }

    /// Below `EncryptedValue` stand elements of XML Encryption, under whatever prefix.
    fn encrypted(&mut self, item: &mut Item<'a>) -> Pulled<()> {
        while let Some(tag) = self.source.child()? {
            match tag.local {
                "EncryptionMethod" => {
                    self.once(tag.local, item.algorithm.is_some())?;
                    item.algorithm = self.source.attribute("Algorithm");
                    self.source.skip()?;
                }
                "CipherData" => {
                    while let Some(tag) = self.source.child()? {
                        match tag.local {
                            "CipherValue" => self.text(tag.local, &mut item.cipher)?,
                            _ => self.source.skip()?,
                        }
                    }
                }
                _ => self.source.skip()?,
            }
        }
        Ok(())
    }

    fn policy(&mut self, policy: &mut Policy<'a>) -> Pulled<()> {
        while let Some(tag) = self.source.child()? {
            if !same_name(tag.prefix.as_bytes(), self.prefix.as_bytes()) {
                policy.unknown.get_or_insert(Cow::Borrowed(tag.local));
                self.source.skip()?;
                continue;
            }
            match tag.local {
                "StartDate" => self.text(tag.local, &mut policy.start)?,
                "ExpiryDate" => self.text(tag.local, &mut policy.expiry)?,
                "KeyUsage" => {
                    policy.usage = true;
                    policy.usage_otp |= self.source.text()?.eq_ignore_ascii_case("OTP");
                }
                "NumberOfTransactions" => self.text(tag.local, &mut policy.transactions)?,
                "PINPolicy" => {
                    self.once(tag.local, policy.pin)?;
                    policy.pin = true;
                    policy.pin_mode = self.source.attribute("PINUsageMode");
                    if let Some(inside) = self.source.child()? {
                        policy.unknown.get_or_insert(Cow::Borrowed(inside.local));
                        self.source.skip()?;
                        self.source.skip()?;
                    }
                }
                unknown => {
                    policy.unknown.get_or_insert(Cow::Borrowed(unknown));
                    self.source.skip()?;
                }
            }
        }
        Ok(())
    }
}
