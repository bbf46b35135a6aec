//! Computing weights, beside everything else.

use super::{Service, round};
use crate::clock::unix;
use crate::computation::ComputationJob;
use crate::jobs::BatchStatus;
use crate::schedule;
use crate::status::Board;
use mantis_config::Block;
use mantis_scoring::{Attempt, AttemptState, Observer};
use mantis_weights::Scored;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::block_in_place;
use tracing::{debug, error, info, warn};

impl Service {
    pub(super) fn start_scoring(&mut self, head: Block) {
        let network = &self.config.network;
        let Some(block) = schedule::computation(network, self.computed, head) else { return };
        if self.scoring.is_some() || head < self.compute_after || self.neurons.is_empty() {
            return;
        }
        match self.ledger.sampled_blocks() {
            Ok(sampled) if sampled >= u64::from(network.min_sampled) => {}
            Ok(sampled) => {
                debug!(sampled, needed = network.min_sampled, "too few sampled blocks to compute weights");
                return;
            }
            Err(error) => return error!(%error, "weights are not computed"),
        }
        let computation = ComputationJob {
            config: self.eras.at(block).config.clone(),
            ledger: self.ledger.path().to_path_buf(),
            neurons: self.neurons.to_vec(),
            block,
            in_past: false,
            solver: None,
            threads: self.run.threads,
            histories: self.run.histories.clone(),
            scratch: self.run.scratch.clone(),
            launcher: self.run.launcher.clone(),
        };
        info!(block = block.0, "computing weights");
        self.computing = Some(block);
        let log = Log(self.board.clone());
        log.0.write(|status| status.batch.iter_mut().for_each(BatchStatus::begin));
        self.scoring = Some(tokio::task::spawn_blocking(move || Ok(computation.run(&log)?.1)));
    }

    /// Keeps the scores that are ready.
    pub(super) async fn take_scores(&mut self) {
        let Some(scoring) = self.scoring.take_if(|scoring| scoring.is_finished()) else { return };
        // Not so soon: what failed will fail again.
        let retry = self.sampled.unwrap_or_default() + 50;
        let failed = |service: &mut Self, why: String| {
            service.compute_after = retry;
            service.board.write(|status| {
                status.weights.fault = Some(why);
                status.weights.failures += 1;
            });
        };
        let computation = match scoring.await {
            Ok(Ok(computation)) => computation,
            Ok(Err(error)) => {
                error!(%error, "weights were not computed; trying again in 50 blocks");
                return failed(self, error.to_string());
            }
            Err(error) => {
                error!(%error, "computing weights broke off; trying again in 50 blocks");
                return failed(self, error.to_string());
            }
        };
        if let Err(error) = block_in_place(|| self.ledger.store_computation(&computation)) {
            error!(%error, "the computed weights were not stored; computing again in 50 blocks");
            return failed(self, error.to_string());
        }
        self.board.write(|status| {
            status.weights.computed_with(&computation);
            status.weights.count_failures(&computation);
        });
        let paid = computation.settlements.iter().filter(|settlement| settlement.salience > 0.0).count();
        let (block, seconds) = (computation.block, computation.seconds);
        match &computation.rejected {
            None => {
                info!(
                    block = block.0,
                    max_block = computation.max_block.0,
                    paid,
                    seconds,
                    "weights computed"
                );
                if paid > 0 && computation.settlements.iter().all(|settlement| settlement.previous.is_none())
                {
                    warn!(
                        "not smoothed: the ledger has no weights of an earlier computation; validators that have some set others, \
                         and come together with these over the next computations"
                    );
                }
            }
            Some(why) => error!(block = block.0, %why, seconds, "no weights: those of last time stay"),
        }
        self.computed = Some(block);
        if computation.rejected.is_none() {
            self.computation = Some(Arc::new(computation));
        }
    }
}

/// Passes on what scoring says.
struct Log(Board);

impl Observer for Log {
    fn reading(&self, done: f64) {
        if done == 0.0 {
            info!("much of the ledger is read, and kept for the next computation");
        }
    }

    fn progress(&self, _ticker: &str, _done: f64) {}

    fn log(&self, ticker: &str, line: &str) {
        info!(ticker, line, "plugin");
    }

    fn attempt(&self, attempt: &Attempt) {
        self.0.write(|status| status.batch.get_or_insert_default().tell(attempt, unix()));
        let ticker = &attempt.ticker;
        match &attempt.state {
            AttemptState::Failed { .. } | AttemptState::Fallback => warn!(ticker, "{attempt}"),
            AttemptState::Queued | AttemptState::Running { .. } | AttemptState::Done => {
                debug!(ticker, "{attempt}");
            }
        }
    }

    fn finished(&self, scored: &Scored) {
        let (ticker, seconds) = (&scored.ticker, round(Duration::from_secs_f64(scored.seconds)));
        match (&scored.skipped, scored.failure) {
            (None, _) => debug!(ticker, seconds, "scored"),
            (Some(why), None) => info!(ticker, seconds, why, "pays no miner"),
            (Some(why), Some(cause)) => error!(ticker, seconds, %cause, why, "challenge failed"),
        }
    }
}
