//! A miner's numbers of one row, as they are stored.

use half::f16;
use mantis_plugin_api::{Storage, is_present};

/// Numbers of one row in the precision in which they are stored.
#[derive(Clone, Debug, PartialEq)]
pub enum Vector {
    /// In half precision.
    F16(Vec<f16>),
    /// In single precision.
    F32(Vec<f32>),
}

impl Vector {
    /// Numbers, rounded to how they are stored.
    #[must_use]
    pub fn new(numbers: &[f32], storage: Storage) -> Self {
        match storage {
            Storage::F16 => Self::F16(numbers.iter().map(|&x| f16::from_f32(x)).collect()),
            Storage::F32 => Self::F32(numbers.to_vec()),
        }
    }

    /// Little-endian numbers; what is left of a last one is passed over.
    #[must_use]
    pub fn from_bytes(bytes: &[u8], storage: Storage) -> Self {
        match storage {
            Storage::F16 => {
                Self::F16(bytes.as_chunks::<2>().0.iter().map(|&word| f16::from_le_bytes(word)).collect())
            }
            Storage::F32 => {
                Self::F32(bytes.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect())
            }
        }
    }

    /// How many numbers.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::F16(numbers) => numbers.len(),
            Self::F32(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How they are stored.
    #[must_use]
    pub fn storage(&self) -> Storage {
        match self {
            Self::F16(_) => Storage::F16,
            Self::F32(_) => Storage::F32,
        }
    }

    /// Whether they count as sent: not all zero, of either sign.
    #[must_use]
    pub fn is_present(&self) -> bool {
        match self {
            Self::F16(numbers) => is_present(numbers),
            Self::F32(numbers) => numbers.iter().any(|x| *x != 0.0),
        }
    }

    /// The first so many numbers; `None` if there are fewer.
    #[must_use]
    pub fn first(&self, count: usize) -> Option<Self> {
        Some(match self {
            Self::F16(numbers) => Self::F16(numbers.get(..count)?.to_vec()),
            Self::F32(numbers) => Self::F32(numbers.get(..count)?.to_vec()),
        })
    }

    /// The numbers, widened.
    #[must_use]
    pub fn to_f32(&self) -> Vec<f32> {
        match self {
            Self::F16(numbers) => numbers.iter().map(|x| x.to_f32()).collect(),
            Self::F32(numbers) => numbers.clone(),
        }
    }

    /// Writes them as the ledger has them: little-endian.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::F16(numbers) => out.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
            Self::F32(numbers) => out.extend(numbers.iter().flat_map(|x| x.to_le_bytes())),
        }
    }
}

impl From<Vec<f16>> for Vector {
    fn from(numbers: Vec<f16>) -> Self {
        Self::F16(numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_as_precise_as_they_are_stored() {
        let numbers = [0.1_f32, -1e6, 0.0];
        for (storage, bytes) in [(Storage::F16, 6), (Storage::F32, 12)] {
            let vector = Vector::new(&numbers, storage);
            let mut written = Vec::new();
            vector.write(&mut written);
            assert_eq!(written.len(), bytes);
            assert_eq!(Vector::from_bytes(&written, storage), vector);
            assert_eq!((vector.len(), vector.storage()), (3, storage));
            assert_eq!(vector.first(2).map(|two| two.len()), Some(2));
            assert_eq!(vector.first(4), None);
        }
        assert_eq!(Vector::new(&numbers, Storage::F32).to_f32(), numbers);
        assert!(Vector::new(&numbers, Storage::F16).to_f32()[1].is_infinite());
    }

    #[test]
    fn zeros_of_either_sign_are_absent() {
        for storage in [Storage::F16, Storage::F32] {
            assert!(!Vector::new(&[0.0, -0.0], storage).is_present());
            assert!(Vector::new(&[0.0, f32::NAN], storage).is_present());
        }
        // Below what a half float can say.
        assert!(!Vector::new(&[1e-30], Storage::F16).is_present());
        assert!(Vector::new(&[1e-30], Storage::F32).is_present());
    }
}
