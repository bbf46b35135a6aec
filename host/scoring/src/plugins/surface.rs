//! What a component asks for and offers, whether it is a plugin or not.

/// The package of the contract's interfaces.
pub(super) const PACKAGE: &str = "mantis:challenge/";

/// The names at a component's boundary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surface {
    /// What it asks of its host: `interface` or `interface: function, ...`.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
}

impl Surface {
    /// The ABI version of the plugin's interface, if there is one among the exports.
    #[must_use]
    pub fn abi(&self) -> Option<String> {
        let interface =
            self.exports.iter().find_map(|name| name.strip_prefix(PACKAGE)?.strip_prefix("plugin@"))?;
        interface.split(['.', ':']).next().map(String::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_abi_is_the_major_version_of_the_interface() {
        let of = |export: &str| Surface { exports: vec![export.into()], ..Surface::default() }.abi();
        assert_eq!(of("mantis:challenge/plugin@12.0.0: describe").as_deref(), Some("12"));
        assert_eq!(of("other:package/plugin@1.0.0"), None);
    }
}
