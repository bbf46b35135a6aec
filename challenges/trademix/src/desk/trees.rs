//! Gradient-boosted regression trees: squared loss, positions in bins, no randomness.
//!
//! Small on purpose: histograms of at most 256 bins, trees grown level by level, and the one thing that is needed
//! beside: fitting again without a column starts from the first tree that used it.

use serde::{Deserialize, Serialize};

/// How trees are grown.
pub(super) struct Settings {
    pub(super) trees: usize,
    pub(super) depth: u32,
    pub(super) learning_rate: f64,
    pub(super) min_leaf: usize,
    pub(super) bins: usize,
}

/// A node of a binary tree, stored as a heap: the children of node i are 2i and 2i + 1, the root is 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Node {
    /// To the left child where the column's bin is at most `bin`.
    Split { column: usize, bin: u8 },
    /// What the tree adds.
    Leaf(f64),
}

/// One tree; node 0 is not used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree(Vec<Node>);

impl Tree {
    /// What the tree adds for a sample with the given bins.
    pub(super) fn value(&self, bin_of: impl Fn(usize) -> u8) -> f64 {
        let mut at = 1;
        loop {
            match self.0[at] {
                Node::Leaf(value) => return value,
                Node::Split { column, bin } => at = 2 * at + usize::from(bin_of(column) > bin),
            }
        }
    }

    /// Whether it ends in a leaf, whatever the bins of so many columns are.
    pub(super) fn is_sound(&self, columns: usize) -> bool {
        let is_sound = |(at, node): (usize, &Node)| match *node {
            Node::Leaf(value) => value.is_finite(),
            Node::Split { column, .. } => column < columns && at > 0 && 2 * at + 1 < self.0.len(),
        };
        self.0.len() > 1 && self.0.iter().enumerate().all(is_sound)
    }

    /// Whether a split looks at the column.
    pub(super) fn uses(&self, column: usize) -> bool {
        self.0.iter().any(|node| matches!(node, Node::Split { column: own, .. } if *own == column))
    }
}

/// Grows trees on samples. `columns` are bins per column and sample, `target` is what they add up to. Columns that
/// `skip` names are not looked at; `begun` are the first trees, as an earlier fit left them.
pub(super) fn grow(
    columns: &[Vec<u8>],
    target: &[f64],
    skip: Option<usize>,
    begun: &[Tree],
    settings: &Settings,
) -> Vec<Tree> {
    let mut residuals = target.to_vec();
    let step = |tree: &Tree, residuals: &mut [f64]| {
        residuals.iter_mut().enumerate().for_each(|(i, r)| *r -= tree.value(|column| columns[column][i]));
    };
    begun.iter().for_each(|tree| step(tree, &mut residuals));
    let mut trees = begun.to_vec();
    while trees.len() < settings.trees {
        let tree = grow_one(columns, &residuals, skip, settings);
        if matches!(tree.0[1], Node::Leaf(_)) {
            break;
        }
        step(&tree, &mut residuals);
        trees.push(tree);
    }
    trees
}

/// The best split of a node so far.
#[derive(Clone, Copy)]
struct Best {
    gain: f64,
    column: usize,
    bin: u8,
}

/// Sum of residuals and number of samples.
#[derive(Clone, Copy, Default)]
struct Sum {
    residuals: f64,
    samples: f64,
}

impl Sum {
    fn add(&mut self, other: Self) {
        self.residuals += other.residuals;
        self.samples += other.samples;
    }

    /// What squared loss falls by where a leaf takes these samples.
    fn gain(self) -> f64 {
        if self.samples > 0.0 { self.residuals * self.residuals / self.samples } else { 0.0 }
    }
}

fn grow_one(columns: &[Vec<u8>], residuals: &[f64], skip: Option<usize>, settings: &Settings) -> Tree {
    let mut nodes = vec![Node::Leaf(0.0); 2 << settings.depth];
    // The node of each sample; a sample in a leaf above the last level stays there.
    let mut at = vec![1; residuals.len()];
    // Splits that only gain rounding are not splits.
    let least_gain = 1e-9 * residuals.iter().map(|r| r * r).sum::<f64>();
    for level in 0..settings.depth {
        let first = 1 << level;
        let mut totals = vec![Sum::default(); first];
        for (&node, &residual) in at.iter().zip(residuals).filter(|(node, _)| **node >= first) {
            totals[node - first].add(Sum { residuals: residual, samples: 1.0 });
        }
        let mut best = vec![Best { gain: least_gain, column: usize::MAX, bin: 0 }; first];
        let mut histogram = vec![Sum::default(); first * settings.bins];
        for (column, bins) in columns.iter().enumerate().filter(|(column, _)| Some(*column) != skip) {
            histogram.fill(Sum::default());
            for ((&node, &bin), &residual) in at.iter().zip(bins).zip(residuals) {
                if node >= first {
                    let slot = (node - first) * settings.bins + usize::from(bin);
                    histogram[slot].add(Sum { residuals: residual, samples: 1.0 });
                }
            }
            let of_nodes = histogram.chunks(settings.bins).zip(&totals).zip(&mut best);
            for ((of_node, total), best) in of_nodes {
                improve(best, of_node, *total, column, settings.min_leaf as f64);
            }
        }
        for (node, best) in best.iter().enumerate().filter(|(_, best)| best.column != usize::MAX) {
            nodes[first + node] = Node::Split { column: best.column, bin: best.bin };
        }
        for (i, node) in at.iter_mut().enumerate().filter(|(_, node)| **node >= first) {
            if let Node::Split { column, bin } = nodes[*node] {
                *node = 2 * *node + usize::from(columns[column][i] > bin);
            }
        }
    }
    let mut sums = vec![Sum::default(); nodes.len()];
    at.iter().zip(residuals).for_each(|(&node, &r)| sums[node].add(Sum { residuals: r, samples: 1.0 }));
    for (node, sum) in nodes.iter_mut().zip(sums) {
        if let Node::Leaf(value) = node
            && sum.samples > 0.0
        {
            *value = settings.learning_rate * sum.residuals / sum.samples;
        }
    }
    Tree(nodes)
}

/// Takes the column's best split where it is better; of equal ones the first column and the lowest bin stay.
fn improve(best: &mut Best, histogram: &[Sum], total: Sum, column: usize, min_leaf: f64) {
    let mut left = Sum::default();
    for (bin, of_bin) in histogram.iter().enumerate() {
        left.add(*of_bin);
        let right =
            Sum { residuals: total.residuals - left.residuals, samples: total.samples - left.samples };
        if of_bin.samples == 0.0 || left.samples < min_leaf || right.samples < min_leaf {
            continue;
        }
        let gain = left.gain() + right.gain() - total.gain();
        if gain > best.gain {
            *best = Best { gain, column, bin: bin as u8 };
        }
    }
}

/// The ends of bins of about equally many values, ascending and distinct; at most `bins - 1` of them.
pub(super) fn bin_ends(values: &[f64], bins: usize) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let mut ends: Vec<f64> = (1..bins).filter_map(|i| sorted.get(i * sorted.len() / bins).copied()).collect();
    ends.dedup();
    ends
}

/// The bin of a value: how many ends are below it.
pub(super) fn bin_of(value: f64, ends: &[f64]) -> u8 {
    ends.partition_point(|end| *end < value) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn settings(trees: usize, depth: u32) -> Settings {
        Settings { trees, depth, learning_rate: 0.3, min_leaf: 5, bins: 8 }
    }

    fn predict(trees: &[Tree], columns: &[Vec<u8>], sample: usize) -> f64 {
        trees.iter().map(|tree| tree.value(|column| columns[column][sample])).sum()
    }

    #[test]
    fn bins_hold_about_as_many_values_each() {
        let values: Vec<f64> = (0..100).map(f64::from).collect();
        let ends = bin_ends(&values, 4);
        assert_eq!(ends, [25.0, 50.0, 75.0]);
        assert_eq!([0.0, 25.0, 25.5, 75.0, 99.0].map(|x| bin_of(x, &ends)), [0, 0, 1, 2, 3]);
        assert_eq!(bin_ends(&[0.0; 9], 4), [0.0]);
        assert!(bin_ends(&[], 4).is_empty());
    }

    #[test]
    fn two_levels_learn_what_one_cannot() {
        // The exclusive or of two columns, which has no slope in either; a little noise breaks the tie at the root.
        let columns: Vec<Vec<u8>> =
            (0..2).map(|c| (0..200usize).map(|i| (i >> c & 1) as u8).collect()).collect();
        let target: Vec<f64> = (0..200usize)
            .map(|i| f64::from(i32::from((i & 1) == (i >> 1 & 1))) - 0.5 + 1e-3 * (i & 1) as f64)
            .collect();
        let error = |depth| {
            let trees = grow(&columns, &target, None, &[], &settings(50, depth));
            (0..200).map(|i| (target[i] - predict(&trees, &columns, i)).abs()).fold(0.0, f64::max)
        };
        assert!(error(2) < 1e-3, "{}", error(2));
        assert!(error(1) > 0.4);
    }

    #[test]
    fn a_target_without_variance_grows_nothing() {
        let columns = vec![(0..50u8).map(|i| i % 8).collect()];
        assert!(grow(&columns, &[0.0; 50], None, &[], &settings(5, 2)).is_empty());
        assert!(grow(&columns, &[], None, &[], &settings(5, 2)).is_empty());
    }

    proptest! {
        #[test]
        fn a_fit_goes_on_where_another_used_the_column_first(
            samples in proptest::collection::vec((proptest::collection::vec(0..8u8, 5), -1.0..1.0f64), 30..200),
            out in 0..5usize,
        ) {
            let columns: Vec<Vec<u8>> =
                (0..5).map(|c| samples.iter().map(|sample| sample.0[c]).collect()).collect();
            let target: Vec<f64> = samples.iter().map(|sample| sample.1).collect();
            let settings = settings(12, 2);
            let whole = grow(&columns, &target, None, &[], &settings);
            let first = whole.iter().position(|tree| tree.uses(out)).unwrap_or(whole.len());
            let begun = grow(&columns, &target, Some(out), &whole[..first], &settings);
            prop_assert_eq!(&begun, &grow(&columns, &target, Some(out), &[], &settings));
            prop_assert!(begun.iter().all(|tree| !tree.uses(out)));
            let loss = |trees: &[Tree]| {
                let error = |i: usize| target[i] - predict(trees, &columns, i);
                (0..target.len()).map(|i| error(i) * error(i)).sum::<f64>()
            };
            prop_assert!(loss(&whole) <= target.iter().map(|y| y * y).sum::<f64>() + 1e-9);
        }
    }
}
