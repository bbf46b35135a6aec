//! What each hotkey's payloads may take in the ledger while they wait.

use mantis_ledger::{Ledger, LedgerError};
use std::collections::BTreeMap;

/// Bytes of the payloads that wait. Within its share a hotkey always has its place; what goes beyond has one while there is
/// room in all.
pub(super) struct Shares {
    held: BTreeMap<String, u64>,
    total: u64,
    limit: u64,
    share: u64,
}

impl Shares {
    /// What waits in a ledger; `limit` is for all, and shared out among `hotkeys`.
    pub(super) fn of(ledger: &Ledger, limit: u64, hotkeys: usize) -> Result<Self, LedgerError> {
        Ok(Self::new(ledger.waiting_bytes()?, limit, hotkeys))
    }

    fn new(held: BTreeMap<String, u64>, limit: u64, hotkeys: usize) -> Self {
        let total = held.values().sum();
        Self { held, total, limit, share: limit / hotkeys.max(1) as u64 }
    }

    /// Takes place for a payload; where there is none, says why.
    pub(super) fn take(&mut self, hotkey: &str, bytes: usize) -> Result<(), String> {
        let (bytes, held) = (bytes as u64, self.held.get(hotkey).copied().unwrap_or(0));
        if self.total + bytes > self.limit && held + bytes > self.share {
            return Err(format!(
                "payloads of this hotkey with {held} bytes wait to be opened, and there is no room for more: its share is \
                 {} bytes; send smaller ones",
                self.share
            ));
        }
        self.held.insert(hotkey.into(), held + bytes);
        self.total += bytes;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_with_much_does_not_take_the_place_of_others() {
        let held = [("much".to_owned(), 900), ("little".to_owned(), 50)].into();
        let mut shares = Shares::new(held, 1000, 4);
        shares.take("much", 50).unwrap();
        let refused = shares.take("much", 1).unwrap_err();
        assert!(
            refused.contains("950 bytes wait") && refused.contains("its share is 250 bytes"),
            "{refused}"
        );
        shares.take("little", 200).unwrap();
        shares.take("new", 250).unwrap();
        assert!(shares.take("little", 1).is_err());
    }
}
