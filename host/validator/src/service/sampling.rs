//! Taking in what miners send, opening what has waited, and forgetting what is old.

use super::{Service, round};
use crate::SampleError;
use crate::clock::unix;
use crate::doubtful::in_words;
use crate::forgetting::{first_kept, longer_kept};
use crate::schedule::{self, Samples};
use mantis_config::{Block, Clock};
use mantis_ledger::{Horizon, LedgerError, Pruned};
use mantis_network::chain::{BLOCK_SECONDS, Head};
use tokio::task::block_in_place;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

/// Days of rows that are kept beyond those that are scored.
const MARGIN_DAYS: u32 = 5;
/// Rows of each ticker that are removed in one turn at most.
const PRUNED_AT_ONCE: u32 = 200;
/// Bytes of the ledger's free pages that are given back to the disk at one look.
const GIVEN_BACK_AT_ONCE: u64 = 64 << 20;
/// Blocks between two looks for old rows.
const PRUNE_EVERY: i64 = 50;

impl Service {
    /// Takes in what is due; whether all of it was.
    pub(super) async fn sample_what_is_due(&mut self, head: Head) -> bool {
        let Samples { due, lost } = schedule::samples(&self.config.network, self.sampled, head.block);
        if lost > 0 {
            warn!(
                blocks = lost,
                before = due.first().map(|first| first.0),
                "sampled blocks were missed, too long ago to catch up"
            );
            // Those that are due are looked at again where one of them fails; these are not.
            self.sampled = due.first().map(|&first| first - i64::from(self.config.network.sample_every));
            self.board.write(|status| status.sampling.missed += lost.cast_unsigned());
        }
        for block in due {
            let started = Instant::now();
            self.follow(block);
            let late = (head.block - block).cast_unsigned();
            let at = Head { block, unix: head.unix - (late * BLOCK_SECONDS).min(head.unix) };
            let sampled =
                self.pipeline.sample(self.chain.as_ref(), &self.neurons, at, &mut self.ledger).await;
            match sampled {
                Ok(sampled) => {
                    if let Some(fault) = &sampled.feed_fault {
                        warn!(block = block.0, %fault, "no prices");
                    }
                    if let Some(fault) = &sampled.feed_silent {
                        warn!(block = block.0, %fault, "a market feed does not answer, the others do");
                    }
                    if let Some(fault) = &sampled.feed_stale {
                        warn!(block = block.0, %fault, "old prices");
                    }
                    if let Some(prices) = in_words(&sampled.doubtful) {
                        warn!(block = block.0, number = sampled.doubtful.len(), %prices, "prices hardly to be believed");
                    }
                    if let Some(fault) = &sampled.own_fault {
                        let payloads = sampled.own_faults;
                        error!(block = block.0, payloads, %fault, "payloads were not fetched");
                    }
                    if sampled.left_out > 0 {
                        warn!(
                            block = block.0,
                            hotkeys = sampled.left_out,
                            "more hotkeys than `max_hotkeys`: left out"
                        );
                    }
                    let seconds = round(started.elapsed());
                    info!(
                        block = block.0,
                        late,
                        accepted = sampled.accepted,
                        refused = sampled.rejected,
                        seconds,
                        "sampled"
                    );
                    self.sampled = Some(block);
                    self.belief.holds(block);
                    self.board.write(|status| status.sampled(&sampled, late, seconds));
                    self.look_at_releases(head.block);
                    self.look_at_files();
                    self.look_at_facts(block).await;
                }
                Err(error) => {
                    // It is due again in the next turn, while it is not too old.
                    match &error {
                        // Passes by no waiting: somebody must look after it.
                        SampleError::Ledger(LedgerError::Moved { .. }) => {
                            error!(block = block.0, %error, "not sampled");
                        }
                        _ => warn!(block = block.0, %error, "not sampled"),
                    }
                    self.board.write(|status| status.sampling.fault = Some(error.to_string()));
                    return false;
                }
            }
        }
        // Nothing matures within a block.
        if self.opened != Some(head.block) {
            self.open(head).await;
            self.opened = Some(head.block);
        }
        true
    }

    /// Lists of facts: what has come, and what is due.
    async fn look_at_facts(&mut self, block: Block) {
        let sidx = block.sidx(self.config.network.sample_every);
        let standings = self.facts.refresh(&mut self.ledger, sidx, unix()).await;
        self.board.write(|status| status.facts_came(standings, &self.config));
    }

    pub(super) async fn open(&mut self, head: Head) {
        let started = Instant::now();
        match self.pipeline.mature(head, &mut self.ledger).await {
            Ok(progress) => {
                self.board.write(|status| status.opened(&progress));
                if progress.matured + progress.opened + progress.rejected > 0 {
                    let seconds = round(started.elapsed());
                    let (blocks, refused) = (progress.matured, progress.rejected);
                    info!(
                        blocks,
                        opened = progress.opened,
                        refused,
                        waiting = progress.waiting,
                        delayed = progress.delayed,
                        seconds,
                        "opened"
                    );
                }
                // Said once, not at every block.
                if progress.why != self.waits_for {
                    match &progress.why {
                        Some(why) => warn!(blocks = progress.waiting, %why, "payloads wait to be opened"),
                        None => info!("no payload waits any more that could be opened"),
                    }
                    self.waits_for = progress.why;
                }
                if progress.untracked != self.untracked {
                    if let Some(why) = &progress.untracked {
                        warn!(%why, "live states stay behind");
                    }
                    self.untracked = progress.untracked;
                }
            }
            Err(error) => {
                error!(%error, "opening stopped");
                self.board.write(|status| status.opening.fault = Some(error.to_string()));
            }
        }
    }

    /// Forgets what is old, by the newest block that no fork can replace.
    pub(super) fn prune(&mut self, head: Head, now: u64) {
        let block = self.last_final(head);
        if self.pruned.is_some_and(|pruned| block - pruned < PRUNE_EVERY) {
            return;
        }
        let now = if self.clock() == Clock::Chain { head.unix } else { now };
        if let Err(error) = block_in_place(|| self.prune_before(head, block, now)) {
            error!(%error, "old rows are not removed");
            self.pruned = Some(block);
        }
    }

    fn prune_before(&mut self, head: Head, block: Block, now: u64) -> Result<(), LedgerError> {
        let days = self.config.network.max_days + MARGIN_DAYS;
        let oldest = self.ledger.first_block()?;
        let before = first_kept(block, days, now, self.record.pruned, oldest);
        let age = (head.block - before).max(0).cast_unsigned().saturating_mul(BLOCK_SECONDS);
        let horizon = Horizon {
            block: before,
            sidx: before.sidx(self.config.network.sample_every),
            longer: longer_kept(&self.config, before),
            round: self.scheme.round_at(head.unix.saturating_sub(age)),
        };
        let removed = self.ledger.prune(&horizon, PRUNED_AT_ONCE)?;
        if removed > 0 {
            // There may be more.
            debug!(removed, before = before.0, "old rows removed");
            return Ok(());
        }
        let given_back = self.ledger.give_back(GIVEN_BACK_AT_ONCE)?;
        if given_back > 0 {
            debug!(bytes = given_back, "free pages of the ledger given back");
        }
        self.pruned = Some(block);
        self.record.pruned = Some(Pruned { block: before, unix: now, days });
        self.ledger.store_chain_record(&self.record)
    }
}
