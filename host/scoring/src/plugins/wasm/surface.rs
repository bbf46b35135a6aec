//! Reading the boundary of a component.

use super::super::locate::digest_of;
use super::super::{LoadError, Surface};
use super::compile::compile;
use std::path::Path;
use wasmtime::component::types::ComponentItem;

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
