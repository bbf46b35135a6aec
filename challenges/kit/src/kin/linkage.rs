//! Agglomerative clustering with complete linkage.

/// Two miners and how far they are from each other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Link {
    pub(super) miners: [usize; 2],
    pub(super) distance: f64,
}

/// Clusters with two or more members, ascending: the two clusters of the smallest distance (the first such pair) are merged
/// again and again while it is at most `limit`. The distance of two clusters is the largest between their members, so pairs
/// beyond the limit may be left out of `links`.
pub(super) fn complete_linkage(links: &[Link], limit: f64) -> Vec<Vec<usize>> {
    let links: Vec<&Link> = links.iter().filter(|link| link.distance <= limit).collect();
    let mut miners: Vec<usize> = links.iter().flat_map(|link| link.miners).collect();
    miners.sort_unstable();
    miners.dedup();
    let mut distances = Distances::new(miners.len());
    for link in links {
        let [a, b] = link.miners.map(|miner| miners.partition_point(|&other| other < miner));
        distances.set(a, b, link.distance);
    }
    let mut clusters: Vec<Vec<usize>> = miners.into_iter().map(|miner| vec![miner]).collect();
    while let Some((a, b)) = distances.nearest() {
        let moved = std::mem::take(&mut clusters[b]);
        clusters[a].extend(moved);
        distances.merge(a, b);
    }
    clusters.retain(|cluster| cluster.len() > 1);
    clusters.iter_mut().for_each(|cluster| cluster.sort_unstable());
    clusters
}

/// Distances between clusters; infinite where they are not to be merged.
struct Distances {
    count: usize,
    of_pair: Vec<f64>,
}

impl Distances {
    fn new(count: usize) -> Self {
        Self { count, of_pair: vec![f64::INFINITY; count * count] }
    }

    fn get(&self, a: usize, b: usize) -> f64 {
        self.of_pair[a * self.count + b]
    }

    fn set(&mut self, a: usize, b: usize, distance: f64) {
        self.of_pair[a * self.count + b] = distance;
        self.of_pair[b * self.count + a] = distance;
    }

    /// The first of the nearest pairs, if any can be merged.
    fn nearest(&self) -> Option<(usize, usize)> {
        let mut nearest = (f64::INFINITY, None);
        for a in 0..self.count {
            for b in a + 1..self.count {
                if self.get(a, b) < nearest.0 {
                    nearest = (self.get(a, b), Some((a, b)));
                }
            }
        }
        nearest.1
    }

    /// Makes `a` both of them, and `b` nothing.
    fn merge(&mut self, a: usize, b: usize) {
        for other in 0..self.count {
            self.set(a, other, self.get(a, other).max(self.get(b, other)));
            self.set(b, other, f64::INFINITY);
        }
    }
}
