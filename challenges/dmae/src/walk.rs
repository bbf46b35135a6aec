//! Evaluating and training models, chunk by chunk.

use crate::Params;
use crate::chunk::{Chunk, Presence, Reader};
use crate::model::Model;
use crate::parallel::for_each;
use mantis_plugin_api::PluginError;

/// What a walk needs to know beside the rows.
#[derive(Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) learning_rate: f64,
    chunks: usize,
    /// The first chunk whose losses count.
    first: usize,
}

impl Plan {
    pub(crate) fn new(rows: usize, params: &Params) -> Self {
        let chunks = rows.div_ceil(params.chunk_rows);
        Self {
            learning_rate: params.learning_rate,
            chunks,
            first: (params.warm_up * chunks as f64).floor() as usize,
        }
    }

    /// Evaluates each chunk with what was learnt before, then takes one step on the chunk before it: whatever a chunk is
    /// judged by ends a whole chunk earlier, when all its labels were known (scoring: dmae, chunks).
    ///
    /// `observe` is shown each chunk whose losses count before the models are; `report` is told the part that is done.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(crate) fn walk(
        self,
        mut reader: Reader<'_>,
        models: &mut [Model],
        mut observe: impl FnMut(&Chunk, &[Model]),
        report: impl Fn(f64),
    ) -> Result<(), PluginError> {
        let (mut now, mut before) = (Chunk::default(), Chunk::default());
        while reader.next(&mut now)? {
            let counts = now.index >= self.first;
            if counts {
                observe(&now, models);
            }
            for_each(models, |model| {
                if counts {
                    model.evaluate(&now);
                }
                if now.index > 0 {
                    model.learn(&before, self.learning_rate);
                }
            });
            std::mem::swap(&mut now, &mut before);
            report((before.index + 1) as f64 / self.chunks.max(1) as f64);
        }
        Ok(())
    }

    /// Shows `observe` the chunks whose losses count, with nothing learnt; gives when each miner was there.
    ///
    /// # Errors
    /// If the history cannot be read.
    pub(crate) fn look(
        self,
        mut reader: Reader<'_>,
        mut observe: impl FnMut(&Chunk),
    ) -> Result<Vec<Presence>, PluginError> {
        let mut chunk = Chunk::default();
        while reader.next(&mut chunk)? {
            if chunk.index >= self.first {
                observe(&chunk);
            }
        }
        Ok(reader.presence)
    }
}
