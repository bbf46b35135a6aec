//! Where passwords come from.

/// The environment variable that a password is taken from.
pub const PASSWORD: &str = "MANTIS_WALLET_PASSWORD";

/// Where the password of an encrypted file comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Password {
    /// From the environment variable [`PASSWORD`]; else it is asked for on the terminal.
    EnvironmentOrPrompt,
    /// From the environment variable [`PASSWORD`] only.
    Environment,
}
