//! Publishing the facts from outside, and taking them where there are none.

use super::error::PublishedError;
use super::facts_form::{PublishedFacts, read, write};
use super::form::PartContents;
use super::packed::{ListedFile, PackedFile, finish, pack, unpack};
use crate::{FactsHead, Ledger};
use std::collections::BTreeSet;
use std::path::Path;

impl Ledger {
    /// Writes those of these lists of facts that are complete into a packed file. `None`, and no file, where there is none.
    ///
    /// # Errors
    /// If the ledger cannot be read or the file cannot be written.
    pub fn write_facts(
        &self,
        netuid: u16,
        names: &BTreeSet<String>,
        to: &Path,
    ) -> Result<Option<(PartContents, PackedFile)>, PublishedError> {
        let file = PublishedError::file(to);
        let mut lists: Vec<PublishedFacts> = Vec::new();
        {
            let _moment = self.freeze()?;
            for name in names {
                if let Some((head, list)) = self.facts_head(name)?.zip(self.facts(name)?) {
                    lists.push((name.clone(), head, list.rows));
                }
            }
        }
        if lists.is_empty() {
            return Ok(None);
        }
        let (packer, sha256, bytes) = write(pack(to).map_err(&file)?, netuid, &lists).map_err(&file)?;
        let packed = finish(packer).map_err(&file)?;
        Ok(Some((PartContents { sha256, bytes, ..PartContents::default() }, packed)))
    }

    /// Takes lists of facts from a file, once the whole file was found to be the listed one: those of these names of which there
    /// is none here that is complete. Gives the names of those that were taken.
    ///
    /// # Errors
    /// [`PublishedError::Rejected`] for a file that is not the listed one; if the ledger cannot be written.
    pub fn merge_facts(
        &mut self,
        file: &Path,
        netuid: u16,
        listed: &ListedFile,
        names: &BTreeSet<String>,
        unix: u64,
    ) -> Result<Vec<String>, PublishedError> {
        listed.check(file)?;
        let rejected = PublishedError::rejected(file);
        let (lists, sha256, bytes) = read(unpack(file)?, netuid, listed.bytes).map_err(&rejected)?;
        listed.check_content(sha256, bytes).map_err(&rejected)?;
        let mut taken = Vec::new();
        for (name, head, rows) in lists {
            let has = self.facts_head(&name)?.is_some_and(|head| head.is_complete);
            if !has && names.contains(&name) {
                self.store_facts(&name, &FactsHead { unix, ..head }, &rows, true)?;
                taken.push(name);
            }
        }
        Ok(taken)
    }
}
