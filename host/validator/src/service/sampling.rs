//! Taking in what miners send, opening what has waited, and forgetting what is old.

use super::{Service, round};
use crate::schedule::{self, Samples};
use mantis_ledger::Horizon;
use mantis_network::chain::{BLOCK_SECONDS, DAY_BLOCKS, Head};
use tokio::task::block_in_place;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

/// Days of rows that are kept beyond those that are scored.
const MARGIN_DAYS: i64 = 5;
/// Rows of each ticker that are removed in one turn at most.
const PRUNED_AT_ONCE: u32 = 200;
/// Bytes of the ledger's free pages that are given back to the disk at one look.
const GIVEN_BACK_AT_ONCE: u64 = 64 << 20;
/// Blocks between two looks for old rows.
const PRUNE_EVERY: i64 = 50;

impl Service {
    pub(super) async fn sample_what_is_due(&mut self, head: Head) {
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
        if let (true, Some(last)) = (due.is_empty(), self.sampled.filter(|&last| head.block < last - 100)) {
            if !self.said_behind {
                warn!(
                    block = head.block.0,
                    last = last.0,
                    "the chain is behind the ledger: is it another network's, or a node that lags?"
                );
                self.said_behind = true;
            }
            return;
        }
        self.said_behind = false;
        for block in due {
            let started = Instant::now();
            let late = (head.block - block).cast_unsigned();
            let at = Head { block, unix: head.unix - (late * BLOCK_SECONDS).min(head.unix) };
            let sampled =
                self.pipeline.sample(self.chain.as_ref(), &self.neurons, at, &mut self.ledger).await;
            match sampled {
                Ok(sampled) => {
                    if let Some(fault) = &sampled.feed_fault {
                        warn!(block = block.0, %fault, "no prices");
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
                    self.board.write(|status| status.sampled(&sampled, late, seconds));
                    self.look_at_files();
                }
                Err(error) => {
                    // It is due again in the next turn, while it is not too old.
                    warn!(block = block.0, %error, "not sampled");
                    self.board.write(|status| status.sampling.fault = Some(error.to_string()));
                    return;
                }
            }
        }
        // Nothing matures within a block.
        if self.opened != Some(head.block) {
            self.open(head).await;
            self.opened = Some(head.block);
        }
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

    pub(super) fn prune(&mut self, head: Head) {
        let block = head.block;
        if self.pruned.is_some_and(|pruned| block - pruned < PRUNE_EVERY) {
            return;
        }
        let days = i64::from(self.config.network.max_days) + MARGIN_DAYS;
        let before = block - days * DAY_BLOCKS;
        let age = (days * DAY_BLOCKS).cast_unsigned() * BLOCK_SECONDS;
        let horizon = Horizon {
            block: before,
            sidx: before.sidx(self.config.network.sample_every),
            round: self.scheme.round_at(head.unix.saturating_sub(age)),
        };
        match block_in_place(|| self.ledger.prune(horizon, PRUNED_AT_ONCE)) {
            // There may be more.
            Ok(removed @ 1..) => debug!(removed, before = before.0, "old rows removed"),
            Ok(0) => {
                self.pruned = Some(block);
                match block_in_place(|| self.ledger.give_back(GIVEN_BACK_AT_ONCE)) {
                    Ok(0) => {}
                    Ok(bytes) => debug!(bytes, "free pages of the ledger given back"),
                    Err(error) => error!(%error, "free pages of the ledger are not given back"),
                }
            }
            Err(error) => {
                error!(%error, "old rows are not removed");
                self.pruned = Some(block);
            }
        }
    }
}
