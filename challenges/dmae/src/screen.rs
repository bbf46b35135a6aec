//! What can be said of every miner without training anything again.

use crate::HIDDEN;
use crate::chunk::Chunk;
use crate::model::Model;

/// What the full model shows of each miner.
pub(crate) struct Screen {
    /// Sum over rows of what the error rises by when the miner is taken out at once.
    risen: Vec<f64>,
    /// The miner's part in each forecast, to first order.
    pub(crate) contributions: Vec<Vec<f32>>,
}

impl Screen {
    pub(crate) fn new(miners: usize) -> Self {
        Self { risen: vec![0.0; miners], contributions: vec![Vec::new(); miners] }
    }

    /// Takes in a chunk (scoring: dmae, screening).
    pub(crate) fn observe(&mut self, chunk: &Chunk, model: &Model) {
        let z1 = model.first_layer(chunk);
        let head = &model.head;
        let rows: Vec<_> = z1.iter().zip(&chunk.targets).collect();
        let full: Vec<_> = rows
            .iter()
            .map(|(z1, y)| {
                let passed = head.pass(z1);
                ((passed.output - **y).abs(), head.slope(z1, &passed, 1.0))
            })
            .collect();
        let mut part = vec![[0.0; HIDDEN]; rows.len()];
        for (miner, contributions) in self.contributions.iter_mut().enumerate() {
            if !chunk.there[miner] {
                contributions.resize(contributions.len() + rows.len(), 0.0);
                continue;
            }
            model.part(chunk, miner, &mut part);
            for (((z1, y), (error, slope)), part) in rows.iter().zip(&full).zip(&part) {
                let without = head.pass(&std::array::from_fn(|k| z1[k] - part[k])).output;
                self.risen[miner] += f64::from((without - **y).abs()) - f64::from(*error);
                contributions.push(slope.iter().zip(part).fold(0.0, |sum, (slope, part)| sum + slope * part));
            }
        }
    }

    /// What the mean error rises by when each miner is taken out at once.
    pub(crate) fn at_once(&self) -> Vec<f64> {
        let mean = |(risen, rows): (&f64, &Vec<f32>)| risen / rows.len().max(1) as f64;
        self.risen.iter().zip(&self.contributions).map(mean).collect()
    }
}
