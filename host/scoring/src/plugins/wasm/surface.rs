//! What a component asks for and offers, whether it is a plugin or not.

use super::super::LoadError;
use super::super::locate::digest_of;
use super::compile::compile;
use super::plugin::PACKAGE;
use std::path::Path;
use wasmtime::component::types::ComponentItem;

/// The names at a component's boundary.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surface {
    /// What it asks of its host: `interface` or `interface: function, ...`.
    pub imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<String>,
}

/// Reads the boundary of a component; nothing of it is run. `path` is for messages.
///
/// # Errors
/// [`LoadError::Unloadable`] where the bytes are no valid component.
pub fn surface(path: &Path, bytes: &[u8]) -> Result<Surface, LoadError> {
    let (engine, component) = compile(path, bytes, &digest_of(bytes))?;
    let ty = component.component_type();
    let named = |name: &str, item: &ComponentItem| {
        let ComponentItem::ComponentInstance(instance) = item else { return name.to_owned() };
        let is_function = |item: &ComponentItem| matches!(item, ComponentItem::ComponentFunc(_));
        let functions = instance.exports(&engine).filter(|(_, found)| is_function(&found.ty));
        let functions: Vec<&str> = functions.map(|(function, _)| function).collect();
        if functions.is_empty() { name.to_owned() } else { format!("{name}: {}", functions.join(", ")) }
    };
    Ok(Surface {
        imports: ty.imports(&engine).map(|(name, item)| named(name, &item.ty)).collect(),
        exports: ty.exports(&engine).map(|(name, item)| named(name, &item.ty)).collect(),
    })
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
