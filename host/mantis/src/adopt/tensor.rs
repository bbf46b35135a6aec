//! A list of numbers that PyTorch has pickled: `torch._utils._rebuild_tensor_v2` of a storage, which is a file of PyTorch's older
//! format in itself.
//!
//! Formats: `torch/_utils.py`, and `TypedStorage.__reduce__` and `_legacy_save` in `torch/storage.py` and `torch/serialization.py` of
//! PyTorch 2.

use super::pickle::{Id, Pickle, Value};

/// The first number of the older format.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
/// The version of it.
const VERSION: i64 = 1001;

/// The numbers of a tensor with one dimension, in single or double precision, on the processor.
pub(super) fn numbers(pickle: &Pickle<'_>, id: Id) -> Result<Vec<f64>, String> {
    let arguments = pickle
        .arguments(id, "torch._utils._rebuild_tensor_v2")
        .ok_or("it is no tensor of PyTorch, as torch._utils._rebuild_tensor_v2 makes")?;
    let [storage, offset, size, stride, ..] = arguments else {
        return Err("the tensor has too few arguments".into());
    };
    let one = |id: Id| match pickle.elements(id) {
        Some([only]) => pickle.int(*only).and_then(|value| usize::try_from(value).ok()),
        _ => None,
    };
    let (size, stride) = one(*size).zip(one(*stride)).ok_or("the tensor has not one dimension")?;
    let offset = pickle.int(*offset).and_then(|value| usize::try_from(value).ok());
    let offset = offset.ok_or("the tensor begins nowhere in its storage")?;
    let bytes = match pickle.arguments(*storage, "torch.storage._load_from_bytes") {
        Some([bytes]) => match pickle.value(*bytes) {
            Value::Bytes(bytes) => *bytes,
            _ => return Err("the tensor's storage holds no bytes".into()),
        },
        _ => return Err("the tensor's storage is none that torch.storage._load_from_bytes reads".into()),
    };
    let stored = storage_numbers(bytes)?;
    let at =
        |index: usize| index.checked_mul(stride)?.checked_add(offset).and_then(|at| stored.get(at).copied());
    if size > stored.len() {
        return Err("the tensor is longer than its storage".into());
    }
    (0..size).map(at).collect::<Option<_>>().ok_or_else(|| "the tensor is longer than its storage".into())
}

/// The numbers of a storage in the older format: five pickles, then how many numbers there are, and these.
fn storage_numbers(bytes: &[u8]) -> Result<Vec<f64>, String> {
    let next = |bytes| Pickle::read(bytes).map_err(|error| format!("the tensor's storage: {error}"));
    let magic = next(bytes)?;
    let version = next(magic.rest)?;
    if *magic.value(magic.root) != Value::Long(&MAGIC) || version.int(version.root) != Some(VERSION) {
        return Err(format!("the tensor's storage is not of PyTorch's format {VERSION}"));
    }
    let machine = next(version.rest)?;
    let little = machine.entry(machine.root, "little_endian").map(|id| machine.value(id));
    if little != Some(&Value::Bool(true)) {
        return Err("the tensor's storage was not written on a little-endian machine".into());
    }
    let storage = next(machine.rest)?;
    let keys = next(storage.rest)?;
    let Value::Elsewhere(description) = storage.value(storage.root) else {
        return Err("the tensor's storage describes no storage".into());
    };
    let [kind, class, _, _, count, ..] = storage.elements(*description).unwrap_or_default() else {
        return Err("the tensor's storage has too few parts".into());
    };
    let width = match (storage.text(*kind), storage.value(*class)) {
        (Some("storage"), Value::Global(class)) if class == "torch.FloatStorage" => 4,
        (Some("storage"), Value::Global(class)) if class == "torch.DoubleStorage" => 8,
        (_, class) => return Err(format!("the tensor's storage is {class:?}, not torch.FloatStorage")),
    };
    let (count, numbers) = keys
        .rest
        .split_first_chunk::<8>()
        .filter(|(stored, _)| storage.int(*count) == Some(i64::from_le_bytes(**stored)))
        .ok_or("the tensor's storage does not say twice how many numbers it has")?;
    let count = usize::try_from(i64::from_le_bytes(*count)).unwrap_or(usize::MAX);
    if count.checked_mul(width) != Some(numbers.len()) {
        return Err(format!("the tensor's storage has {} bytes for {count} numbers", numbers.len()));
    }
    Ok(if width == 4 {
        numbers.as_chunks().0.iter().map(|bytes| f64::from(f32::from_le_bytes(*bytes))).collect()
    } else {
        numbers.as_chunks().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect()
    })
}
