//! What a delivery may cost: every limit, its reason, and the option that raises it.

use std::fmt;

/// The limits of one run.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Layers inside one another. Vendors send three at most (PGP around ZIP around PSKC encryption).
    pub layers: u64,
    /// Members of a delivery. A seed delivery has a few; a bomb has millions.
    pub members: u64,
    /// Plaintext bytes of one member: ten million PSKC tokens fit.
    pub member_bytes: u64,
    /// Bytes out for each byte in, beyond [`Limits::EXPANSION_FREE_BYTES`]. PSKC shrinks 10 to 30 times.
    pub expansion: u64,
    /// Bytes that must be held at once: an inner container, a document that cannot be cut, standard output.
    pub held_bytes: u64,
    /// Bytes of one field. The longest honest value, an RSA-encrypted key, has under a thousand.
    pub field_bytes: u64,
    /// PBKDF2 rounds over all tries: a file names its own count, and may name any.
    pub pbkdf2_rounds: u64,
    /// Elements inside one another. PSKC needs a dozen.
    pub xml_depth: u64,
}

impl Limits {
    /// Below this many bytes out, a high ratio is harmless: a short run of equal rows shrinks a thousand times.
    pub const EXPANSION_FREE_BYTES: u64 = 64 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            layers: 8,
            members: 10_000,
            member_bytes: 8 << 30,
            expansion: 200,
            held_bytes: 1 << 30,
            field_bytes: 4 << 10,
            pbkdf2_rounds: 10_000_000,
            xml_depth: 64,
        }
    }
}

/// Which limit was met.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limit {
    /// [`Limits::expansion`]
    Expansion,
    /// [`Limits::field_bytes`]
    FieldBytes,
    /// [`Limits::held_bytes`]
    HeldBytes,
    /// [`Limits::layers`]
    Layers,
    /// [`Limits::member_bytes`]
    MemberBytes,
    /// [`Limits::members`]
    Members,
    /// [`Limits::pbkdf2_rounds`]
    Pbkdf2Rounds,
    /// [`Limits::xml_depth`]
    XmlDepth,
}

impl Limit {
    /// Every limit.
    pub const ALL: [Self; 8] = [
        Self::Expansion,
        Self::FieldBytes,
        Self::HeldBytes,
        Self::Layers,
        Self::MemberBytes,
        Self::Members,
        Self::Pbkdf2Rounds,
        Self::XmlDepth,
    ];

    /// The option that raises it.
    pub const fn option(self) -> &'static str {
        match self {
            Self::Expansion => "--max-expansion",
            Self::FieldBytes => "--max-field-bytes",
            Self::HeldBytes => "--max-held-bytes",
            Self::Layers => "--max-layers",
            Self::MemberBytes => "--max-member-bytes",
            Self::Members => "--max-members",
            Self::Pbkdf2Rounds => "--max-pbkdf2-rounds",
            Self::XmlDepth => "--max-xml-depth",
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expansion => "bytes out for each byte in",
            Self::FieldBytes => "bytes in one field",
            Self::HeldBytes => "bytes held in memory",
            Self::Layers => "layers inside one another",
            Self::MemberBytes => "bytes in one member",
            Self::Members => "members in a delivery",
            Self::Pbkdf2Rounds => "PBKDF2 rounds over all tries",
            Self::XmlDepth => "XML elements inside one another",
        })
    }
}
