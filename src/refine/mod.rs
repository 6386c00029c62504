//! Drafts in, tokens out; then judged, then proved. No I/O here.
//!
//! [`normalize()`] says what a draft means, [`validate()`] whether it may be emitted, and [`Proof`] whether
//! what was written computes the same codes as what was read.

mod normalize;
mod otp;
mod prove;
mod validate;

pub use normalize::{Fill, normalize};
pub use otp::{Generator, code};
pub use prove::{Mismatch, Proof};
pub use validate::validate;
