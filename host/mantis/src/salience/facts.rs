//! Facts that a plugin goes by, and a guest may lack.

use super::{Entrant, SalienceError};
use mantis_config::Config;
use mantis_ledger::Ledger;
use mantis_scoring::Options;

/// Refuses guests of challenges whose plugin goes by facts about miners, where there are none about the guest: nothing
/// would be paid, whatever the embeddings are.
///
/// # Errors
/// [`SalienceError::Challenge`] with the list that lacks them, or if the ledger cannot be read.
pub fn check_facts(config: &Config, options: &Options, entrants: &[Entrant]) -> Result<(), SalienceError> {
    for Entrant { ticker, guest, .. } in entrants {
        let challenge = config.challenges.iter().find(|challenge| challenge.ticker == *ticker);
        for list in challenge.iter().flat_map(|challenge| &challenge.facts) {
            let facts = match options.facts.iter().find(|given| given.name == *list) {
                Some(given) => Some(given.clone()),
                None => Ledger::read(&options.ledger)?.facts(list)?,
            };
            if !facts.is_some_and(|facts| facts.rows.iter().any(|row| row.hotkey == guest.name)) {
                let reason = format!(
                    "its plugin goes by facts about miners, and `{list}` has none about {}; give some with --facts, or take \
                     the place of a hotkey that has some with --as and --replace",
                    guest.name
                );
                return Err(SalienceError::Challenge { ticker: ticker.clone(), reason });
            }
        }
    }
    Ok(())
}
