//! Takes a vendor's sealed delivery of OATH token seeds to files that Microsoft Entra ID accepts.
//!
//! ```text
//! delivery ──unseal──▶ members ──cut──▶ chunks ══mill══▶ written chunks ──join──▶ NAME.part ──rename──▶ NAME
//!                                       (in parallel: read · normalize · validate · write · prove)
//! ```
//!
//! The library never prints, prompts, exits, or reads the environment or the clock; the binary does.

pub mod error;
pub mod format;
pub mod limits;
pub mod pipeline;
pub mod record;
pub mod refine;
pub mod unseal;
