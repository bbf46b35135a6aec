//! Miners that say nearly the same: copies with noise, opposites, copies that are some rows late.
//!
//! A scorer that pays for coefficients pays a miner with many hotkeys for the differences between its copies. It can ask for
//! [`groups`] first, let the first of each group stand for it, and split what that one earns.

use crate::standard::z_scores;
use std::ops::Range;

/// Rows whose products are summed before it is asked whether the rest can still matter.
const BLOCK: usize = 1_024;
/// Rows that two miners must both be there in, or nothing can be said.
const MIN_COMMON: f64 = 100.0;
/// The part of the rows of the one that is there less which these must be.
const MIN_COMMON_SHARE: f64 = 0.1;

/// From when on two miners are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Likeness {
    /// Absolute rank correlation, of either sign.
    pub correlation: f64,
    /// Rows that one of them may be late; the largest correlation over all of them counts.
    pub lag: usize,
}

/// Some miners that are alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The one that all others are like.
    pub leader: usize,
    /// All of them, the leader first.
    pub members: Vec<usize>,
}

impl Group {
    /// A miner that is like no other.
    #[must_use]
    pub fn of_one(miner: usize) -> Self {
        Self { leader: miner, members: vec![miner] }
    }
}

/// Groups miners in the order given, as indices of `signatures` (scoring: numerics, groups of clones): each one that is in
/// no group yet leads one, and takes every later one that is in none and is like it. Put the better ones first. Those that do
/// not vary are alone.
///
/// At most `signatures.len()²/2` comparisons of `rows x parts x (2 lag + 1)` products each.
#[must_use]
pub fn groups(signatures: &[Signature], order: &[usize], likeness: Likeness) -> Vec<Group> {
    let mut taken = vec![false; signatures.len()];
    let mut groups = Vec::new();
    for (place, &leader) in order.iter().enumerate() {
        if taken[leader] {
            continue;
        }
        let mut members = vec![leader];
        for &other in &order[place + 1..] {
            if !taken[other] && signatures[leader].is_like(&signatures[other], likeness) {
                taken[other] = true;
                members.push(other);
            }
        }
        groups.push(Group { leader, members });
    }
    groups
}

/// What one miner said, as standardised ranks, to be compared with another's.
#[derive(Clone, Debug)]
pub struct Signature {
    parts: Vec<Part>,
    /// Numbers that are there.
    present: f64,
}

/// One number of a miner over all rows.
#[derive(Clone, Debug)]
struct Part {
    /// Standardised ranks; 0 where absent.
    values: Vec<f32>,
    /// Rows in which it is not there, ascending.
    absent: Vec<usize>,
    /// The same, row by row.
    there: Vec<bool>,
    /// Sum of the squares.
    energy: f64,
    /// Norm of the numbers from each block on, to the end of the last part.
    rest: Vec<f64>,
}

impl Signature {
    /// Of one or more numbers per row, each as a column; what is not finite is absent. Each part counts the same, whatever
    /// its scale. Miners that are compared have parts of the same number and length.
    #[must_use]
    pub fn new(columns: Vec<Vec<f64>>) -> Self {
        let mut parts: Vec<Part> = columns.into_iter().map(Part::new).collect();
        let mut energy = 0.0;
        for part in parts.iter_mut().rev() {
            part.rest = part
                .values
                .chunks(BLOCK)
                .rev()
                .map(|block| {
                    energy += product(block, block);
                    f64::sqrt(energy)
                })
                .collect();
            part.rest.reverse();
        }
        let present = parts.iter().map(Part::present).sum();
        Self { parts, present }
    }

    /// Whether the correlation with another reaches what is asked, at any lag.
    #[must_use]
    pub fn is_like(&self, other: &Self, likeness: Likeness) -> bool {
        let later = |lag| self.correlation_at(other, lag, likeness.correlation);
        let earlier = |lag| other.correlation_at(self, lag, likeness.correlation);
        let reaches = |correlation: f64| correlation != 0.0 && correlation.abs() >= likeness.correlation;
        (0..=likeness.lag).any(|lag| reaches(later(lag)) || lag > 0 && reaches(earlier(lag)))
    }

    /// The correlation of largest size, and how many rows later (below 0: earlier) the other one says the same. The first
    /// of equals by size of the lag; 0 where too few rows have both.
    #[must_use]
    pub fn correlation(&self, other: &Self, lag: usize) -> (f64, isize) {
        let mut best = (0.0_f64, 0);
        for lag in 0..=lag {
            for (found, lag) in [
                (self.correlation_at(other, lag, 0.0), lag as isize),
                (other.correlation_at(self, lag, 0.0), -(lag as isize)),
            ] {
                if found.abs() > best.0.abs() {
                    best = (found, lag);
                }
            }
        }
        best
    }

    /// Correlation of this one's rows with rows `lag` later of the other one, over the rows in which both are there. 0 where
    /// those are too few, or where it is found out early that the size stays below `bar`.
    fn correlation_at(&self, other: &Self, lag: usize, bar: f64) -> f64 {
        let pairs = || self.parts.iter().zip(&other.parts);
        let (mut common, mut own, mut others) = (0.0, 0.0, 0.0);
        for (a, b) in pairs() {
            common += a.common(b, lag);
            own += a.energy(0..a.values.len().saturating_sub(lag), b, lag, 0);
            others += b.energy(lag.min(b.values.len())..b.values.len(), a, 0, lag);
        }
        let norm = (own * others).sqrt();
        let needed = MIN_COMMON.max(MIN_COMMON_SHARE * self.present.min(other.present));
        if common < needed || norm <= 0.0 {
            return 0.0;
        }
        let mut sum = 0.0_f64;
        for (a, b) in pairs() {
            let later = b.values.get(lag..).unwrap_or_default();
            for (n, (own, others)) in a.values.chunks(BLOCK).zip(later.chunks(BLOCK)).enumerate() {
                // What is left adds at most the product of its norms, here of a little more than is left. The margin is
                // far above rounding, so that stopping changes no answer.
                let rest = a.rest[n] * b.rest[(n * BLOCK + lag) / BLOCK];
                if sum.abs() + rest < (bar - 1e-9) * norm {
                    return 0.0;
                }
                let rows = own.len().min(others.len());
                sum += product(&own[..rows], &others[..rows]);
            }
        }
        sum / norm
    }
}

impl Part {
    fn new(column: Vec<f64>) -> Self {
        let mut ranks = mid_ranks(&column);
        let there = ranks.iter().map(|x| !x.is_nan()).collect();
        let absent = (0..ranks.len()).filter(|&t| ranks[t].is_nan()).collect();
        z_scores(&mut ranks);
        let values: Vec<f32> = ranks.iter().map(|&x| x as f32).collect();
        Self { energy: product(&values, &values), values, absent, there, rest: Vec::new() }
    }

    fn present(&self) -> f64 {
        (self.values.len() - self.absent.len()) as f64
    }

    /// Rows in which this one is there and, `lag` rows later, the other one.
    fn common(&self, other: &Self, lag: usize) -> f64 {
        let rows = self.values.len().min(other.values.len()).saturating_sub(lag);
        let own = self.absent.partition_point(|&t| t < rows);
        let also = other.absent.iter().filter_map(|&t| t.checked_sub(lag));
        let only = also.filter(|&t| t < rows && self.is_there(t)).count();
        (rows - own - only) as f64
    }

    /// Sum of squares over some rows in which the other one is there, whose row for this one's row t is t + `later` -
    /// `earlier`: all but the edges and the rows in which it is absent, which are few where this is asked often.
    fn energy(&self, rows: Range<usize>, other: &Self, later: usize, earlier: usize) -> f64 {
        let (before, after) = (&self.values[..rows.start], &self.values[rows.end..]);
        let own_rows = other.absent.iter().filter_map(|&t| (t + earlier).checked_sub(later));
        let squares = own_rows.filter(|t| rows.contains(t)).map(|t| f64::from(self.values[t]));
        let without = squares.fold(0.0, |sum, x| sum + x * x);
        self.energy - product(before, before) - product(after, after) - without
    }

    fn is_there(&self, row: usize) -> bool {
        self.there[row]
    }
}

/// The rank of each finite number among them, equal ones sharing the middle of theirs; NaN for the others. Ranks, so that
/// some huge numbers, or another measure of the same thing, do not hide that two miners say the same.
fn mid_ranks(column: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..column.len()).filter(|&t| column[t].is_finite()).collect();
    // Zeros of either sign are the same number.
    order.sort_unstable_by(|&a, &b| (column[a] + 0.0).total_cmp(&(column[b] + 0.0)).then(a.cmp(&b)));
    let mut ranks = vec![f64::NAN; column.len()];
    let mut before = 0;
    for equals in order.chunk_by(|&a, &b| column[a] == column[b]) {
        let middle = before as f64 + (equals.len() - 1) as f64 / 2.0;
        equals.iter().for_each(|&t| ranks[t] = middle);
        before += equals.len();
    }
    ranks
}

/// Sum of products in fixed lanes; of slices of different lengths the common head counts.
fn product(a: &[f32], b: &[f32]) -> f64 {
    let common = a.len().min(b.len());
    let (a_chunks, a_rest) = a[..common].as_chunks::<8>();
    let (b_chunks, b_rest) = b[..common].as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for i in 0..8 {
            lanes[i] += f64::from(a[i]) * f64::from(b[i]);
        }
    }
    let rest = a_rest.iter().zip(b_rest).fold(0.0, |sum, (&a, &b)| sum + f64::from(a) * f64::from(b));
    crate::math::sum(&lanes) + rest
}

#[cfg(test)]
mod tests;
