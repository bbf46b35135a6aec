//! Arguments about a column from outside, and what is said of its file.

use super::output::complain;
use crate::salience::{Entrant, Entry, enter};
use clap::Args;
use mantis_config::Config;
use mantis_scoring::Options;
use std::path::Path;

/// What a column from outside is called, and of which challenge it is.
#[derive(Debug, Args)]
pub(super) struct GuestArgs {
    /// What the column is called among hotkeys. They are sorted by name, and some plugins pay the first of equals.
    #[arg(long = "as", value_name = "NAME", default_value = NAME)]
    pub(super) name: String,
    /// Take the place of the ledger's hotkey that --as names, whose own vectors are left out then.
    #[arg(long)]
    pub(super) replace: bool,
    /// Ticker or name of the challenge that a file is about which names none; of one that does, take this one alone.
    #[arg(long, value_name = "NAME")]
    pub(super) challenge: Option<String>,
}

/// The name of a column that is given none.
const NAME: &str = "(yours)";

impl GuestArgs {
    /// The first of these arguments that was given.
    pub(super) fn given(&self) -> Option<&'static str> {
        let given = [
            ("--as", self.name != NAME),
            ("--replace", self.replace),
            ("--challenge", self.challenge.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(argument, _)| argument)
    }

    /// Reads a file, and says what of it is not as it might be thought.
    pub(super) fn enter(
        &self,
        file: &Path,
        config: &Config,
        options: &Options,
    ) -> anyhow::Result<Vec<Entrant>> {
        let entrants = enter(&Entry {
            config,
            ledger: &options.ledger,
            file,
            name: &self.name,
            in_place: self.replace,
            challenge: self.challenge.as_deref(),
            only: options.only.as_ref(),
            active: options.active.as_ref(),
            launcher: &options.launcher,
        })?;
        for Entrant { ticker, taken, .. } in &entrants {
            if let Some(first) = taken.first_unknown {
                complain(&format!(
                    "{ticker}: {} of {} rows are for blocks that the ledger does not have, the first for {first}; they are \
                     passed over",
                    taken.unknown, taken.rows
                ));
            }
            if let Some(first) = &taken.first_changed {
                complain(&format!(
                    "{ticker}: {} of {} rows are stored otherwise than they were sent; {first}",
                    taken.changed, taken.rows
                ));
            }
        }
        Ok(entrants)
    }
}
