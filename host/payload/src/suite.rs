//! The ways to seal: `alg`.

/// A way to seal, named by a payload's `alg`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Suite {
    /// The network's own, which every client of it uses.
    #[default]
    Network,
    /// drand's own time-lock, by the crate `tlock`. No validator but this one opens it: for other networks.
    Drand,
}

impl Suite {
    /// Every suite.
    pub const ALL: [Self; 2] = [Self::Network, Self::Drand];

    /// Its `alg`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Network => "x25519-hkdf-sha256+chacha20poly1305+drand-tlock",
            Self::Drand => "x25519-hkdf-sha256+chacha20poly1305+drand-kyber-ibe",
        }
    }

    /// The suite of an `alg`; `None` if it is not known.
    #[must_use]
    pub fn of_label(label: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.label() == label)
    }
}
