//! How well one miner's numbers tell what others contribute.

use crate::sample::Sent;
use mantis_kit::math;

/// Rows of the sample at least, from which is learnt, and of which is told.
const LEAST: usize = 30;
/// Part of the mean square of a number that is added to each: numbers may say the same.
const RIDGE: f64 = 1e-6;

/// Correlations of what `sent` tells of others with what they contribute, for each of `others`; 0 where nothing can be told.
/// It is learnt by least squares from the first half of the rows in which the miner is there, and told in the second, so that
/// many numbers do not tell by chance (scoring: dmae, groups).
pub(crate) fn foretold<'a>(sent: &Sent, dim: usize, others: impl Iterator<Item = &'a Sent>) -> Vec<f64> {
    let half = sent.rows.len() / 2;
    let Some(lesson) = Lesson::new(sent, dim, half) else { return others.map(|_| 0.0).collect() };
    let (known, asked) = sent.rows.split_at(half);
    others
        .map(|other| {
            let at = |rows: &[usize]| rows.iter().map(|&row| other.contributions[row]).collect();
            lesson.correlation(at(known), at(asked))
        })
        .collect()
}

/// A miner's numbers, column by column, less their mean in the rows that are learnt from.
struct Lesson {
    known: Vec<Vec<f64>>,
    asked: Vec<Vec<f64>>,
    /// Of the products of the columns: the triangle below, row by row.
    root: Vec<Vec<f64>>,
}

impl Lesson {
    fn new(sent: &Sent, dim: usize, half: usize) -> Option<Self> {
        if half < LEAST {
            return None;
        }
        let column = |d: usize| -> Vec<f64> {
            sent.numbers.iter().skip(d).step_by(dim).map(|&x| f64::from(x)).collect()
        };
        let (mut known, mut asked) = (Vec::with_capacity(dim), Vec::with_capacity(dim));
        for d in 0..dim {
            let mut column = column(d);
            let mean = math::sum(&column[..half]) / half as f64;
            column.iter_mut().for_each(|x| *x -= mean);
            asked.push(column.split_off(half));
            known.push(column);
        }
        let size = known.iter().map(|column| math::dot(column, column)).sum::<f64>() / dim as f64;
        let root = cholesky(&known, RIDGE * size)?;
        Some(Self { known, asked, root })
    }

    /// Of what is told with what is, `asked`, having learnt from `known`.
    fn correlation(&self, known: Vec<f64>, asked: Vec<f64>) -> f64 {
        let known = centred(known);
        let cross: Vec<f64> = self.known.iter().map(|column| math::dot(column, &known)).collect();
        let coefficients = solve(&self.root, cross);
        let mut told = vec![0.0; asked.len()];
        for (column, coefficient) in self.asked.iter().zip(coefficients) {
            told.iter_mut().zip(column).for_each(|(told, x)| *told += coefficient * x);
        }
        let (told, asked) = (centred(told), centred(asked));
        let size = (math::dot(&told, &told) * math::dot(&asked, &asked)).sqrt();
        if size > 0.0 { math::dot(&told, &asked) / size } else { 0.0 }
    }
}

fn centred(mut x: Vec<f64>) -> Vec<f64> {
    let mean = math::sum(&x) / x.len().max(1) as f64;
    x.iter_mut().for_each(|x| *x -= mean);
    x
}

/// Cholesky's root of the columns' products with `ridge` on the diagonal; `None` where that is not above 0.
fn cholesky(columns: &[Vec<f64>], ridge: f64) -> Option<Vec<Vec<f64>>> {
    let mut root: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
    for (i, column) in columns.iter().enumerate() {
        let mut row = Vec::with_capacity(i + 1);
        for (j, other) in columns[..i].iter().enumerate() {
            let product = math::dot(column, other) - math::dot(&row, &root[j][..j]);
            row.push(product / root[j][j]);
        }
        let square = math::dot(column, column) + ridge - math::dot(&row, &row);
        row.push(Some(square.sqrt()).filter(|root| *root > 0.0)?);
        root.push(row);
    }
    Some(root)
}

/// Solves for the product of the root with its transpose.
fn solve(root: &[Vec<f64>], mut x: Vec<f64>) -> Vec<f64> {
    for i in 0..x.len() {
        x[i] = (x[i] - math::dot(&root[i][..i], &x[..i])) / root[i][i];
    }
    for i in (0..x.len()).rev() {
        x[i] /= root[i][i];
        let (before, from) = x.split_at_mut(i);
        before.iter_mut().zip(&root[i]).for_each(|(x, l)| *x -= l * from[0]);
    }
    x
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::Noise;

    const ROWS: usize = 400;

    fn sent(dim: usize, number: impl FnMut(usize) -> f32, contribution: impl Fn(usize) -> f64) -> Sent {
        Sent {
            rows: (0..ROWS).collect(),
            numbers: (0..ROWS * dim).map(number).collect(),
            contributions: (0..ROWS).map(contribution).collect(),
        }
    }

    /// A series that hardly changes from row to row.
    fn slow(seed: u64) -> Vec<f64> {
        let (mut noise, mut level) = (Noise::new(seed), 0.0);
        let step = |_| {
            level = 0.98 * level + 0.2 * noise.normal();
            level
        };
        (0..ROWS).map(step).collect()
    }

    #[test]
    fn a_turned_copy_tells_all_and_many_slow_numbers_tell_nothing() {
        let truth = slow(1);
        let original = sent(1, |_| 0.0, |row| truth[row]);
        let mut noise = Noise::new(2);
        let mixed: Vec<f32> = (0..ROWS)
            .flat_map(|row| {
                let other = noise.normal();
                [(truth[row] - other) as f32, (0.3 * other) as f32]
            })
            .collect();
        let copy = sent(2, |i| mixed[i], |_| 0.0);
        let told = foretold(&copy, 2, [&original, &copy].into_iter());
        assert!(told[0] > 0.999 && told[1] == 0.0, "{told:?}");
        // Forty independent series fit anything in so few rows that are hardly independent, but foretell nothing.
        let foretells = |seed: u64| {
            let many: Vec<Vec<f64>> = (0..40).map(|i| slow(seed + i)).collect();
            let other = sent(40, |i| many[i % 40][i / 40] as f32, |_| 0.0);
            foretold(&other, 40, [&original].into_iter())[0]
        };
        let mean = (1..=20).map(|seed| foretells(100 * seed)).sum::<f64>() / 20.0;
        assert!(mean.abs() < 0.3, "{mean}");
    }

    #[test]
    fn where_nothing_can_be_told_it_is_0() {
        let truth = slow(1);
        let other = sent(1, |_| 0.0, |row| truth[row]);
        let mut short = sent(2, |i| (i % 7) as f32, |_| 1.0);
        assert!(foretold(&short, 2, [&other].into_iter())[0] != 0.0);
        short.rows.truncate(2 * LEAST - 1);
        short.numbers.truncate(2 * (2 * LEAST - 1));
        assert_eq!(foretold(&short, 2, [&other].into_iter()), [0.0]);
        let constant = sent(2, |_| 0.5, |_| 1.0);
        assert_eq!(foretold(&constant, 2, [&other].into_iter()), [0.0]);
    }

    #[test]
    fn the_root_solves() {
        let columns = [vec![1.0, 2.0, 0.0, 1.0], vec![0.5, -1.0, 3.0, 0.0], vec![2.0, 0.0, 1.0, 1.0]];
        let root = cholesky(&columns, 0.1).unwrap();
        let solution = solve(&root, vec![1.0, 2.0, 3.0]);
        for (i, expected) in [1.0, 2.0, 3.0].into_iter().enumerate() {
            let product = |j: usize| math::dot(&columns[i], &columns[j]) + if i == j { 0.1 } else { 0.0 };
            let found: f64 = (0..3).map(|j| product(j) * solution[j]).sum();
            assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        }
        assert!(cholesky(&[vec![0.0; 3]], 0.0).is_none());
    }
}
