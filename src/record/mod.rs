//! The words every stage shares: tokens, secrets, places and findings.
//!
//! Nothing here knows a container, a syntax or a file; every other module knows this one.

mod encoding;
mod finding;
mod keyring;
mod origin;
mod secret;
mod target;
mod token;

pub use encoding::{DecodeFault, decode, encode, encode_base32, fits, spells};
pub use finding::{Code, Finding, Findings, Severity, Tally};
pub use keyring::{Keyring, Locked, PgpKey, PskcKey};
pub(crate) use origin::is_unseen;
pub use origin::{Origin, Place, Trail, escaped, escaped_name};
pub use secret::{Fingerprint, Passphrase, Plain, Seed};
pub use target::{Fields, Holds, UserHeld};
pub use token::{Algorithm, Digits, Draft, Encoding, Field, Moving, Otp, SeedText, Serial, Token, is_object_id};
