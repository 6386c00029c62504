//! What a target has a place for. Each format declares it; `validate` and `prove` go by it.

use super::{Algorithm, Field, Moving};

/// What of a token a format can hold.
#[derive(Clone, Copy, Debug)]
pub struct Holds {
    /// Entra takes the result: the rules on tokens that only Entra has apply.
    pub entra: bool,
    /// Values are opened in spreadsheets, so a formula is a finding.
    pub spreadsheet: bool,
    /// Two records with one serial can be told apart.
    pub same_serial: bool,
    /// HOTP tokens.
    pub hotp: bool,
    /// Numbers of digits; empty means any.
    pub digits: &'static [u8],
    /// Time steps in seconds; empty means any.
    pub periods: &'static [u32],
    /// Hashes.
    pub hashes: &'static [Algorithm],
    /// Longest seed, in Base32 characters without padding.
    pub seed_base32_characters: Option<usize>,
    /// The only length of a seed in bytes; `None` means any.
    pub seed_bytes: Option<usize>,
    /// Fields that the format has a place for. What it has none for, its declared constants say (a list above with
    /// one entry) or nothing does.
    pub fields: Fields,
    /// `upn`
    pub user: UserHeld,
    /// The user chose what is written, so what is left out is no loss to speak of.
    pub chosen: bool,
}

/// A set of fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fields(u16);

impl Fields {
    /// Every field.
    pub const ALL: Self = Self::of(&Field::ALL);

    /// The fields listed.
    pub const fn of(fields: &[Field]) -> Self {
        let mut bits = 0;
        let mut index = 0;
        while index < fields.len() {
            bits |= 1 << fields[index] as u16;
            index += 1;
        }
        Self(bits)
    }

    /// Whether a field is among them.
    pub const fn contains(self, field: Field) -> bool {
        self.0 & (1 << field as u16) != 0
    }
}

/// Which names of a user a format can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserHeld {
    /// A UPN or an object id.
    Any,
    /// None at all.
    None,
    /// An object id only.
    ObjectId,
    /// A UPN only.
    Upn,
}

impl Holds {
    /// Everything: what `jsonl` holds.
    pub const EVERYTHING: Self = Self {
        entra: false,
        spreadsheet: false,
        same_serial: true,
        hotp: true,
        digits: &[],
        periods: &[],
        hashes: &Algorithm::ALL,
        seed_base32_characters: None,
        seed_bytes: None,
        fields: Fields::ALL,
        user: UserHeld::Any,
        chosen: false,
    };

    /// Whether a field has a place.
    pub const fn has(&self, field: Field) -> bool {
        self.fields.contains(field)
    }

    /// Whether a token that moves like this fits.
    pub fn moving(&self, moving: Moving) -> bool {
        match moving {
            Moving::Counter { .. } => self.hotp,
            Moving::Period { seconds, .. } => self.periods.is_empty() || self.periods.contains(&seconds.get()),
        }
    }
}
