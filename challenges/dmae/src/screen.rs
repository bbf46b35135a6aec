//! What the model of all miners shows of each of them, without training anything again.

use crate::HIDDEN;
use crate::chunk::Chunk;
use crate::groups::Group;
use crate::kernels::gather;
use crate::model::Model;

/// What is lost when a group of miners is taken out at once.
pub(crate) struct Screen<'a> {
    groups: &'a [Group],
    /// Per group, the sum over rows of what the error rises by.
    risen: Vec<f64>,
    rows: usize,
}

impl<'a> Screen<'a> {
    pub(crate) fn new(groups: &'a [Group]) -> Self {
        Self { groups, risen: vec![0.0; groups.len()], rows: 0 }
    }

    /// Takes in a chunk, before the model learns it (scoring: dmae, screening).
    pub(crate) fn observe(&mut self, chunk: &Chunk, model: &Model) {
        let z1 = model.first_layer(chunk);
        let error = |z1: &_, y: &f32| f64::from((model.head.pass(z1).output - y).abs());
        let errors: Vec<f64> = z1.iter().zip(&chunk.targets).map(|(z1, y)| error(z1, y)).collect();
        self.rows += errors.len();
        let mut part = vec![[0.0; HIDDEN]; chunk.rows()];
        for (Group { members, .. }, risen) in self.groups.iter().zip(&mut self.risen) {
            let there = members.iter().copied().filter(|&miner| chunk.there[miner]);
            let mut parts = vec![[0.0; HIDDEN]; chunk.rows()];
            let mut any = false;
            for miner in there {
                model.part(chunk, miner, &mut part);
                gather(&part, &mut parts);
                any = true;
            }
            if any {
                for (((z1, y), parts), full) in z1.iter().zip(&chunk.targets).zip(&parts).zip(&errors) {
                    let without = std::array::from_fn(|k| (f64::from(z1[k]) - parts[k]) as f32);
                    *risen += error(&without, y) - full;
                }
            }
        }
    }

    /// Per group, what the mean error rises by.
    pub(crate) fn at_once(&self) -> Vec<f64> {
        self.risen.iter().map(|risen| risen / self.rows.max(1) as f64).collect()
    }
}
