//! `[release]`.

use crate::kinds::{Optional, SS58, URL, Words};
use crate::section::section;

section! {
    /// Releases of the subnet's owner.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct ReleaseSource {
        /// Where the signed list of releases lies, `index.toml`; each release is a folder beside it, named by its number.
        url: String, in URL;

        /// What becomes of a release that is sound: `"auto"`, taken at its block; `"ask"`, taken once `mantis release take` has
        /// agreed to it; `"never"`, this file alone counts.
        take: Take = Take::Auto, in Words(&[("auto", Take::Auto), ("ask", Take::Ask), ("never", Take::Never)]);

        /// Hotkey (SS58) that signs releases, for a test network or a standby. Without it: who the chain says owns the
        /// subnet, as of a block that is final.
        key: Option<String> = None, in Optional(SS58);
    }
}

/// What becomes of a release that is sound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Take {
    /// It is taken at its block.
    #[default]
    Auto,
    /// It is taken at its block if the operator has agreed.
    Ask,
    /// Releases are not looked at.
    Never,
}
