//! A miner that is not in the ledger: one more column of a snapshot.

use crate::Vector;
use mantis_config::Sidx;
use mantis_plugin_api::Storage;
use std::collections::BTreeMap;

/// A miner whose vectors come from outside. A snapshot has it as if the ledger had; the ledger and what is kept beside it
/// never do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Guest {
    /// What it is called among hotkeys. Columns are sorted by name, and some plugins go by the order.
    pub name: String,
    /// Its vectors by row. Rows that the ledger's ticker does not have are passed over.
    pub vectors: BTreeMap<Sidx, Vector>,
    /// Whether it takes the place of the ledger's hotkey of this name, whose own vectors are left out then.
    pub in_place: bool,
}

impl Guest {
    /// Why it does not fit a snapshot of vectors of this form, if so.
    pub(super) fn fault(&self, dim: usize, storage: Storage) -> Option<String> {
        let fits = |vector: &Vector| vector.len() == dim && vector.storage() == storage;
        let (sidx, vector) = self.vectors.iter().find(|(_, vector)| !fits(vector))?;
        let (length, kind) = (vector.len(), vector.storage().as_str());
        let wanted = storage.as_str();
        Some(format!(
            "the guest's vector at sidx {sidx} is {length} numbers of {kind}, not {dim} of {wanted}"
        ))
    }

    /// Its vector of a row.
    pub(super) fn vector(&self, sidx: Sidx) -> Option<&Vector> {
        self.vectors.get(&sidx)
    }
}
