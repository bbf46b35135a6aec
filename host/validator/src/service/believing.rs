//! Whether what the chain says is believed, and what the ledger remembers of it.

use super::{Doubt, Service, ServiceError};
use crate::belief::Verdict;
use crate::clock::unix;
use crate::roster::judge_metagraph;
use mantis_config::{Block, Clock};
use mantis_network::chain::{DAY_BLOCKS, Head, Neuron};
use tokio::task::block_in_place;
use tracing::{debug, error, info, warn};

/// Seconds of doubt that are told as an error.
const LONG: u64 = 60;
/// Seconds of doubt after which another node is asked.
const PATIENCE: u64 = 10;

impl Service {
    /// By whose time blocks are judged.
    pub(super) fn clock(&self) -> Clock {
        if self.chain.has_own_time() { Clock::Chain } else { self.config.network.clock }
    }

    /// The newest block that no fork can replace; the newest of a chain without forks.
    pub(super) fn last_final(&self, head: Head) -> Block {
        let last = self.finality.as_ref().and_then(|(_, finality)| finality.as_ref());
        last.map_or(head.block, |finality| finality.block.min(head.block))
    }

    /// Makes sure that the chain is the one that the ledger is of.
    pub(super) async fn compare_chains(&mut self) -> Result<(), ServiceError> {
        let found = self.chain.genesis().await.map_err(ServiceError::Chain)?;
        if let (Some(known), Some(found)) = (&self.record.genesis, &found)
            && known != found
        {
            let path = self.ledger.path().to_path_buf();
            return Err(ServiceError::OtherChain { path, known: known.clone(), found: found.clone() });
        }
        // It is remembered with the first head that is believed.
        self.record.genesis = self.record.genesis.take().or(found);
        self.is_ours = true;
        Ok(())
    }

    /// Judges the chain's newest block, says what comes of it, and remembers what is to be.
    pub(super) async fn believes(&mut self, now: u64, head: Head) -> Result<bool, ServiceError> {
        let is_new = self.finality.as_ref().is_none_or(|(block, _)| *block != head.block);
        if is_new {
            let finality =
                self.chain.finality(self.belief.last_final()).await.map_err(ServiceError::Chain)?;
            self.finality = Some((head.block, finality));
        }
        let finality = self.finality.as_ref().and_then(|(_, finality)| finality.as_ref());
        match self.belief.judge(self.clock(), now, head, finality) {
            Verdict::Believed => {
                if let Some(Doubt { since, .. }) = self.doubt.take() {
                    info!(block = head.block.0, seconds = now.saturating_sub(since), "the chain is believed");
                }
                self.remember();
                Ok(true)
            }
            Verdict::Waiting(left) => {
                debug!(
                    block = head.block.0,
                    left, "whether the chain is believed depends on the next blocks"
                );
                let why = format!("whether block {} is the newest is known in {left} blocks", head.block);
                self.board.write(|status| status.doubted(why, false));
                self.doubt.get_or_insert(Doubt { since: now, left: now, said: false });
                Ok(false)
            }
            Verdict::Disbelieved(why) => {
                let doubt = self.doubt.get_or_insert(Doubt { since: now, left: now, said: false });
                let seconds = now.saturating_sub(doubt.since);
                let is_first = self.board.status().chain.disbelieved.is_none();
                if !doubt.said && (why.is_grave() || seconds >= LONG) {
                    doubt.said = true;
                    error!(%why, seconds, "the chain is not believed: nothing is sampled, computed, set or forgotten");
                } else if is_first {
                    warn!(%why, "the chain is not believed");
                } else {
                    debug!(%why, seconds, "still not believed");
                }
                if now.saturating_sub(doubt.left) >= PATIENCE {
                    doubt.left = now;
                    self.chain.doubt();
                }
                self.board.write(|status| status.doubted(why.to_string(), true));
                Ok(false)
            }
        }
    }

    /// Has the ledger remember the chain, and a head of it.
    fn remember(&mut self) {
        let head = self.belief.anchor().map(|seen| (seen.block, seen.unix));
        if self.record.head == head {
            return;
        }
        let before = std::mem::replace(&mut self.record.head, head);
        if let Err(error) = block_in_place(|| self.ledger.store_chain_record(&self.record)) {
            error!(%error, "what is known of the chain is not remembered; trying again");
            self.record.head = before;
        }
    }

    /// Takes over who is registered, if that is believed; whether it is.
    pub(super) fn takes_metagraph(&mut self, neurons: Vec<Neuron>, block: Block) -> bool {
        // Of long ago, it says nothing.
        let is_recent = |at: Block| block - at < DAY_BLOCKS;
        let before: Vec<&str> = match (&self.computation, self.metagraph) {
            (_, Some(at)) if is_recent(at) => {
                self.neurons.iter().map(|neuron| neuron.hotkey.as_str()).collect()
            }
            (Some(computation), None) if is_recent(computation.block) => {
                computation.settlements.iter().map(|step| step.hotkey.as_str()).collect()
            }
            _ => Vec::new(),
        };
        let Err(why) = judge_metagraph(&neurons, before) else {
            self.registered(neurons, block);
            return true;
        };
        self.doubt_metagraph(why.to_string(), true);
        false
    }

    /// Goes on with the old metagraph, if there is one, and says why once. `counts` if it was read, and refused.
    pub(super) fn doubt_metagraph(&self, why: String, counts: bool) {
        if self.board.status().chain.metagraph_fault.as_ref() != Some(&why) {
            warn!(%why, "the metagraph is not read, or not believed; the old one, if there is one, goes on");
        }
        let is_none = self.metagraph.is_none();
        self.board.write(|status| {
            status.chain.metagraph_fault = Some(why);
            status.chain.metagraphs_refused += u64::from(counts);
            if is_none {
                status.alive = unix();
                status.chain.lost.get_or_insert_with(unix);
            }
        });
    }
}
