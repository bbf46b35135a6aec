//! Evaluating and training models, chunk by chunk.

use crate::Params;
use crate::chunk::{Chunk, Presence, Reader};
use crate::model::Model;
use mantis_plugin_api::PluginError;
use std::sync::Mutex;
use std::thread;

/// What a walk needs to know beside the rows.
#[derive(Clone, Copy)]
pub(crate) struct Plan<'a> {
    pub(crate) params: &'a Params,
    pub(crate) chunks: usize,
    /// The first chunk whose losses count.
    pub(crate) first: usize,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(rows: usize, params: &'a Params) -> Self {
        let chunks = rows.div_ceil(params.chunk_rows);
        Self { params, chunks, first: (params.warm_up * chunks as f64).floor() as usize }
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
    ) -> Result<Vec<Presence>, PluginError> {
        let (mut now, mut before) = (Chunk::default(), Chunk::default());
        while reader.next(&mut now)? {
            let counts = now.index >= self.first;
            if counts {
                observe(&now, models);
            }
            let learns = now.index > 0 && now.index + 1 < self.chunks;
            for_each(models, |model| {
                if counts {
                    model.evaluate(&now);
                }
                if learns {
                    model.learn(&before, self.params.learning_rate);
                }
            });
            std::mem::swap(&mut now, &mut before);
            report((before.index + 1) as f64 / self.chunks.max(1) as f64);
        }
        Ok(reader.presence)
    }
}

/// Does `work` for every model, on as many threads as there are processors. Models know nothing of each other, so which
/// thread takes which makes no difference; where no thread can be started, this one does all.
fn for_each(models: &mut [Model], work: impl Fn(&mut Model) + Sync) {
    let helpers = thread::available_parallelism().map_or(1, usize::from).min(models.len()).saturating_sub(1);
    let queue = Mutex::new(models.iter_mut());
    let take = || queue.lock().ok()?.next();
    let drain = || {
        while let Some(model) = take() {
            work(model);
        }
    };
    thread::scope(|scope| {
        for _ in 0..helpers {
            // What it would have done is left in the queue.
            let _ = thread::Builder::new().spawn_scoped(scope, drain);
        }
        drain();
    });
}
