//! Finds the key of a container among those of the keyring.
//!
//! A key is right when the MAC of one of the first protected values fits under it. A file whose first values were
//! all changed is told from a wrong key by the paddings: the MAC key's and those of the values must all be good,
//! two of them at least. Where there is no MAC, the paddings are all there is: two, or one of [`LONG_PADDING`] bytes,
//! which one wrong key in 2^32 has. Two keys that open the seeds so prove nothing, and neither is taken.
//!
//! # Not here
//!
//! That a MAC fits every single value, `draft` sees to.

use super::crypt::{BLOCK, Cipher, Encryption, Mac, Padding, Pbkdf2, Sealed, Unlocked};
use super::draft;
use super::header::{Header, KeySource, MacMethod};
use super::package::{self, Item, Package};
use crate::error::{ErrorKind, Result};
use crate::format::xml::{Parser, Rules, Source, Stop};
use crate::limits::Limit;
use crate::record::{Code, Keyring, Locked, PskcKey, Trail};

/// The first protected values of a container.
pub(super) struct Samples {
    encryption: Option<Encryption>,
    sealed: Vec<Sealed>,
}

/// So many are enough: 8 good paddings under a wrong key have a chance of 2^-64.
const SAMPLES: usize = 8;

impl Samples {
    /// Looks for protected values in packages.
    ///
    /// # Errors
    ///
    /// [`Stop::CutShort`] while none is found and the text ends inside a package, an algorithm that is unsupported.
    pub(super) fn find(text: &str, within: &str, rules: Rules) -> std::result::Result<Self, Stop> {
        let mut samples = Self { encryption: None, sealed: Vec::new() };
        let mut parser = Parser::within(text, within, rules);
        let mut package = Package::default();
        while samples.sealed.len() < SAMPLES {
            let read = match parser.child() {
                Ok(Some(tag)) if tag.local == rules.record => {
                    package::read(&mut parser, tag.prefix, &rules, &mut package)
                }
                Ok(_) => break,
                Err(stop) => Err(stop),
            };
            match read {
                Ok(()) => samples.take(&package)?,
                Err(Stop::CutShort(name)) if samples.sealed.is_empty() => return Err(Stop::CutShort(name)),
                // Whoever reads the package says what is wrong with it.
                Err(_) => break,
            }
        }
        Ok(samples)
    }

    fn take(&mut self, package: &Package<'_>) -> Result<()> {
        for key in &package.keys {
            for item in [&key.secret, &key.counter, &key.time, &key.interval, &key.drift] {
                self.take_item(item)?;
            }
        }
        Ok(())
    }

    fn take_item(&mut self, item: &Item<'_>) -> Result<()> {
        if item.encrypted
            && let Some(uri) = item.algorithm.as_deref()
        {
            let encryption = Encryption::of_uri(uri)?;
            if *self.encryption.get_or_insert(encryption) == encryption
                && let Some(sealed) = draft::sealed(item)
            {
                self.sealed.push(sealed);
            }
        }
        Ok(())
    }
}

/// How sure a key is the right one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fit {
    /// A MAC fits.
    Proved,
    /// No MAC fits or there is none, but every padding is good.
    Likely,
    Wrong,
}

/// What is to be unlocked.
struct Lock<'l> {
    encryption: Encryption,
    mac: Option<&'l MacMethod>,
    samples: &'l [Sealed],
}

/// A padding of so many bytes is hardly ever good under a wrong key.
const LONG_PADDING: usize = 4;

impl Lock<'_> {
    fn try_key(&self, key: &[u8]) -> (Fit, Option<Unlocked>) {
        let Some(cipher) = Cipher::new(self.encryption, key) else { return (Fit::Wrong, None) };
        let mut paddings = 0;
        let mac = match self.mac {
            None => None,
            Some(MacMethod { hash, key: None }) => Mac::new(*hash, key),
            Some(MacMethod { hash, key: Some((_, sealed)) }) => match cipher.open(sealed, Padding::XmlEncryption) {
                Ok(key) => {
                    paddings += usize::from(cipher.open(sealed, Padding::Pkcs7).is_ok());
                    Mac::with_seed(*hash, &key)
                }
                Err(_) => return (Fit::Wrong, None),
            },
        };
        let proved = mac.as_ref().is_some_and(|keyed| {
            self.samples.iter().any(|sample| sample.mac.as_ref().is_some_and(|mac| keyed.fits(&sample.bytes, mac)))
        });
        let (mut padded, mut longest) = (0, 0);
        for sample in self.samples {
            if let Ok(plain) = cipher.open(&sample.bytes, Padding::Pkcs7) {
                padded += 1;
                longest = longest.max(sample.bytes.len().saturating_sub(BLOCK + plain.len()));
            }
        }
        paddings += padded;
        // One short padding alone is good under every 256th wrong key.
        let enough = paddings >= 2 || (mac.is_none() && longest >= LONG_PADDING);
        let likely = padded == self.samples.len() && (self.samples.is_empty() || enough);
        let fit = match (proved, likely) {
            (true, _) => Fit::Proved,
            (false, true) => Fit::Likely,
            (false, false) => Fit::Wrong,
        };
        (fit, Some(Unlocked { cipher, mac }))
    }
}

/// Finds the key. `None` when nothing is protected.
///
/// # Errors
///
/// [`ErrorKind::PskcKeyMissing`] and [`ErrorKind::PskcKeyWrong`] for pre-shared keys, those of [`Keyring::unlock`]
/// for passphrases, [`ErrorKind::LimitReached`] before more PBKDF2 rounds than allowed.
pub(super) fn unlock(
    header: &Header,
    samples: &Samples,
    rules: &Rules,
    trail: &Trail,
    keyring: &mut Keyring,
    findings: &mut Vec<(Code, String)>,
) -> Result<Option<Unlocked>> {
    let of_mac = header.mac.as_ref().and_then(|mac| mac.key.as_ref()).map(|(encryption, _)| *encryption);
    let Some(encryption) = samples.encryption else { return Ok(None) };
    if let Some(of_mac) = of_mac
        && of_mac != encryption
    {
        return Err(rules.damaged("one encryption for the seeds and the MAC key", "two"));
    }
    let lock = Lock { encryption, mac: header.mac.as_ref(), samples: &samples.sealed };
    match &header.key {
        Some(KeySource::Derived(pbkdf2)) => derived(&lock, pbkdf2, rules, trail, keyring).map(Some),
        Some(KeySource::PreShared(name)) => pre_shared(&lock, name.as_deref(), keyring, findings).map(Some),
        None => pre_shared(&lock, None, keyring, findings).map(Some),
    }
}

fn derived(lock: &Lock<'_>, pbkdf2: &Pbkdf2, rules: &Rules, trail: &Trail, keyring: &mut Keyring) -> Result<Unlocked> {
    let wanted = lock.encryption.key_bytes();
    if !matches!(pbkdf2.key_bytes, 0) && pbkdf2.key_bytes != wanted {
        let expected = format!("a `KeyLength` of {wanted} bytes for the encryption");
        return Err(rules.damaged(expected, pbkdf2.key_bytes.to_string()));
    }
    let pbkdf2 = Pbkdf2 { key_bytes: wanted, ..pbkdf2.clone() };
    let allowed = rules.limits.pbkdf2_rounds;
    // Over all containers of the run.
    let mut spent = keyring.pbkdf2_rounds;
    let locked = Locked { kind: "PSKC", trail: trail.clone() };
    let unlocked = keyring.unlock(&locked, |passphrase| {
        for spelling in passphrase.spellings() {
            spent = spent.saturating_add(pbkdf2.cost());
            if spent > allowed {
                return Err(ErrorKind::LimitReached { limit: Limit::Pbkdf2Rounds, allowed, found: Some(spent) }.into());
            }
            if let (Fit::Proved | Fit::Likely, Some(unlocked)) = lock.try_key(&pbkdf2.derive(&spelling)) {
                return Ok(Some(unlocked));
            }
        }
        Ok(None)
    });
    keyring.pbkdf2_rounds = spent;
    unlocked
}

fn pre_shared(
    lock: &Lock<'_>,
    name: Option<&str>,
    keyring: &Keyring,
    findings: &mut Vec<(Code, String)>,
) -> Result<Unlocked> {
    let mut tried = 0;
    let mut likely: Option<(&PskcKey, Unlocked)> = None;
    let mut doubtful = false;
    let mut proved = None;
    for candidate in keyring.pskc_keys.iter().filter(|candidate| candidate.key.len() == lock.encryption.key_bytes()) {
        tried += 1;
        match lock.try_key(&candidate.key) {
            (Fit::Proved, Some(unlocked)) => {
                proved = Some((candidate, unlocked));
                break;
            }
            (Fit::Likely, Some(unlocked)) => match &likely {
                Some((first, _)) => doubtful |= first.key[..] != candidate.key[..],
                None => likely = Some((candidate, unlocked)),
            },
            _ => {}
        }
    }
    if tried == 0 {
        return Err(ErrorKind::PskcKeyMissing { name: name.map(str::to_owned) }.into());
    }
    let Some((candidate, unlocked)) = proved.or(likely.filter(|_| !doubtful)) else {
        return Err(ErrorKind::PskcKeyWrong { tried }.into());
    };
    if candidate.found_beside {
        let name = crate::record::escaped(&candidate.name);
        findings.push((Code::KeyBesideSeeds, format!("the key in `{name}` lies beside the seeds that it protects")));
    }
    Ok(unlocked)
}
