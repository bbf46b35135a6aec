//! Weights in the demo: those that a validator would have computed in the days of history, and those of the end.

use super::ROWS_PER_DAY;
use super::error::DemoError;
use super::world::DemoWorld;
use crate::simulation::Simulation;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_ledger::snapshot::KeptHistory;
use mantis_network::chain::{Chain as _, Head};
use mantis_plugin_api::Solver;
use mantis_scoring::worker::Launcher;
use mantis_scoring::{Observer, Quiet};
use mantis_validator::{Board, ComputationJob, FactKeeper, set_weights};
use mantis_weights::{Outcome, Scores};
use std::sync::Arc;
use tokio::task::block_in_place;

/// Rows from one computation of the past to the next: five days. A validator computes far more often; this is enough
/// for a history to look at, and for weights to be smoothed.
const PERIOD: usize = 5 * ROWS_PER_DAY;

/// Computes weights and sets them, and says so on the board.
pub(super) struct WeightSetter<'a> {
    pub(super) world: &'a DemoWorld,
    pub(super) launcher: &'a Launcher,
    pub(super) board: &'a Board,
    /// The lists of facts that are scored with.
    pub(super) facts: FactKeeper,
}

/// The blocks for which weights are computed in a history of so many rows, in order. Its last days have none of their
/// own: their weights are those of the end.
pub(super) fn past(simulation: &Simulation<'_>, history: usize) -> Vec<Block> {
    let interval = simulation.config.network.weight_calc_interval;
    let blocks = (PERIOD..history).step_by(PERIOD).map(|row| simulation.block(row));
    blocks.map(|block| block.floor_to(interval)).filter(|&due| due > simulation.block(0)).collect()
}

impl WeightSetter<'_> {
    /// Computes the weights of a block of the past and sets them, where the ledger does not have them; `next` is the
    /// block of the computation after it.
    pub(super) async fn set_past(
        &mut self,
        config: &Arc<Config>,
        ledger: &mut Ledger,
        block: Block,
        next: Block,
    ) -> Result<(), DemoError> {
        // Set after it was computed: what was set is whole.
        if ledger.attempts(1)?.first().is_none_or(|last| last.computed < block) {
            let head = self.world.set_block(block);
            self.board.write(|status| status.answered_in_play(head));
            self.look_at_facts(config, ledger, head).await;
            self.weigh(config, ledger, block, &Quiet).await?;
        }
        self.board.write(|status| status.weights.next_computation = Some(next));
        Ok(())
    }

    /// Has the lists of facts complete up to the chain's head, as a validator has them by and by.
    pub(super) async fn look_at_facts(&mut self, config: &Config, ledger: &mut Ledger, head: Head) {
        let sidx = head.block.sidx(config.network.sample_every);
        let standings = self.facts.catch_up(ledger, sidx, head.unix).await;
        self.board.write(|status| status.facts_came(standings, config));
    }

    /// Computes the weights of the last block and sets them.
    pub(super) async fn set_last(
        &self,
        config: &Arc<Config>,
        ledger: &mut Ledger,
        observer: &dyn Observer,
    ) -> Result<(Scores, Outcome), DemoError> {
        let block = ledger.last_block()?.unwrap_or_default();
        let computed = self.weigh(config, ledger, block, observer).await?;
        self.board.write(|status| status.weights.next_computation = None);
        Ok(computed)
    }

    /// Scores the ledger as it was at a block, and sets the weights.
    async fn weigh(
        &self,
        config: &Arc<Config>,
        ledger: &mut Ledger,
        block: Block,
        observer: &dyn Observer,
    ) -> Result<(Scores, Outcome), DemoError> {
        self.board.write(|status| status.weights.computing = Some(block));
        let neurons = self.world.chain.metagraph().await?;
        let computation = ComputationJob {
            config: config.clone(),
            ledger: ledger.path().to_path_buf(),
            neurons: neurons.clone(),
            block,
            // All days of history are written before: what came later is left out.
            in_past: true,
            // The network's early stops pay constants in some challenges; the optimum does not.
            solver: Some(Solver::Exact),
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            histories: Some(KeptHistory::folder(ledger.path())),
            scratch: std::env::temp_dir(),
            launcher: self.launcher.clone(),
        };
        let (scores, computation) = block_in_place(|| computation.run(observer))?;
        block_in_place(|| ledger.store_computation(&computation))?;
        self.board.write(|status| {
            status.weights.computing = None;
            status.weights.computed = Some(block);
        });
        if computation.rejected.is_none() {
            let chain = self.world.chain.as_ref();
            let attempt = set_weights(Some(chain), &computation, &neurons, &config.network, block).await;
            // A demo that is played once more sets them once more.
            if ledger.attempts(1)?.first().is_none_or(|last| last.computed != block) {
                ledger.store_attempt(&attempt)?;
            }
            self.board.write(|status| status.weights.tried(Some(&attempt)));
            if let Some(why) = attempt.error {
                return Err(DemoError::NotSet { block, why });
            }
        }
        Ok((scores, computation.into_outcome()))
    }
}
