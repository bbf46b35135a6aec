//! Sums in fixed lanes: vector code, and the same bits for every width of the machine's vectors.

use multiversion::multiversion;
use multiversion::target::target_cfg_f;
use wide::f64x4;

const LANES: usize = 8;

/// Elements from which on it pays to ask which vectors the processor has.
const LONG: usize = 48;

/// Sum of the elements.
#[must_use]
pub fn sum(x: &[f64]) -> f64 {
    if x.len() < LONG { sum_in_lanes(x) } else { sum_of_many(x) }
}

#[multiversion(targets("x86_64+avx2"))]
fn sum_of_many(x: &[f64]) -> f64 {
    sum_in_lanes(x)
}

#[inline(always)]
fn sum_in_lanes(x: &[f64]) -> f64 {
    let (chunks, rest) = x.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for chunk in chunks {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    fold(lanes) + rest.iter().fold(0.0, |total, value| total + value)
}

/// Sum of the products. Of slices of different lengths the common head counts.
#[must_use]
pub fn dot(x: &[f64], y: &[f64]) -> f64 {
    if x.len() < LONG { dot_in_lanes(x, y) } else { dot_of_many(x, y) }
}

#[multiversion(targets("x86_64+avx2"))]
fn dot_of_many(x: &[f64], y: &[f64]) -> f64 {
    dot_in_lanes(x, y)
}

#[inline(always)]
fn dot_in_lanes(x: &[f64], y: &[f64]) -> f64 {
    let common = x.len().min(y.len());
    let (x_chunks, x_rest) = x[..common].as_chunks::<LANES>();
    let (y_chunks, y_rest) = y[..common].as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for (x, y) in x_chunks.iter().zip(y_chunks) {
        for i in 0..LANES {
            lanes[i] += x[i] * y[i];
        }
    }
    fold(lanes) + x_rest.iter().zip(y_rest).fold(0.0, |total, (x, y)| total + x * y)
}

/// Lanes of [`products`].
const FOUR: usize = 4;

/// All products of four by two columns, each summed in four fixed lanes. All columns have the same length.
///
/// Eight sums of four lanes fit the sixteen registers of machines whose vectors have four numbers; where they have two, the
/// same sums are made of one column after the other.
#[must_use]
#[multiversion(targets("x86_64+avx2"))]
pub fn products(tall: [&[f64]; 4], wide: [&[f64]; 2]) -> [[f64; 2]; 4] {
    let mut folded = if target_cfg_f!(target_feature = "avx2") {
        products_of_arrays(tall, wide)
    } else {
        let [x, y] = wide.map(|wide| products_of_vectors(tall, wide));
        std::array::from_fn(|i| [x[i], y[i]])
    };
    let rest = tall[0].len() / FOUR * FOUR;
    for (folded, tall) in folded.iter_mut().zip(tall) {
        for (folded, wide) in folded.iter_mut().zip(wide) {
            for (x, y) in tall[rest..].iter().zip(&wide[rest..]) {
                *folded += x * y;
            }
        }
    }
    folded
}

/// The sums of the products of four columns with two, but for the rows at the end that fill no lane: in arrays, each of which
/// becomes one vector of four.
#[inline(always)]
fn products_of_arrays(tall: [&[f64]; 4], wide: [&[f64]; 2]) -> [[f64; 2]; 4] {
    let [a, b, c, d] = tall.map(|column| column.as_chunks::<FOUR>().0);
    let n = a.len();
    let tall = [a, &b[..n], &c[..n], &d[..n]];
    let wide = wide.map(|column| &column.as_chunks::<FOUR>().0[..n]);
    let mut sums = [[[0.0; FOUR]; 2]; 4];
    for i in 0..n {
        let tall = tall.map(|column| column[i]);
        let wide = wide.map(|column| column[i]);
        for (sums, tall) in sums.iter_mut().zip(tall) {
            for (sum, wide) in sums.iter_mut().zip(wide) {
                for lane in 0..FOUR {
                    sum[lane] += tall[lane] * wide[lane];
                }
            }
        }
    }
    sums.map(|sums| sums.map(fold_four))
}

/// As [`products_of_arrays`] for one of the two: in vectors, since the compiler shuffles such arrays where a vector has two.
#[inline(always)]
fn products_of_vectors(tall: [&[f64]; 4], wide: &[f64]) -> [f64; 4] {
    let [a, b, c, d] = tall.map(|column| column.as_chunks::<FOUR>().0);
    let n = a.len();
    let tall = [a, &b[..n], &c[..n], &d[..n]];
    let wide = &wide.as_chunks::<FOUR>().0[..n];
    let mut sums = [f64x4::ZERO; 4];
    for i in 0..n {
        let wide = f64x4::from(wide[i]);
        for (sum, column) in sums.iter_mut().zip(tall) {
            *sum += f64x4::from(column[i]) * wide;
        }
    }
    sums.map(|sum| fold_four(sum.to_array()))
}

#[inline(always)]
fn fold_four([a, b, c, d]: [f64; FOUR]) -> f64 {
    (a + c) + (b + d)
}

/// `y += a * x`, over the common head.
pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

/// Sum in single precision, pairwise as NumPy has it: with its rounding.
#[must_use]
pub fn pairwise_sum(x: &[f32]) -> f32 {
    const BLOCK: usize = 128;
    if x.len() > BLOCK {
        let half = x.len() / 2 / LANES * LANES;
        return pairwise_sum(&x[..half]) + pairwise_sum(&x[half..]);
    }
    let (chunks, rest) = x.as_chunks::<LANES>();
    let Some((first, others)) = chunks.split_first() else {
        return rest.iter().fold(0.0, |total, value| total + value);
    };
    let mut lanes = *first;
    for chunk in others {
        for i in 0..LANES {
            lanes[i] += chunk[i];
        }
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    rest.iter().fold(((a + b) + (c + d)) + ((e + f) + (g + h)), |total, value| total + value)
}

fn fold(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn single_precision_is_summed_as_numpy_does() {
        let sum = |n: u16| pairwise_sum(&(0..n).map(|i| f32::from(i * 37 % 101) / 7.0).collect::<Vec<_>>());
        for (n, expected) in [
            (0, 0.0),
            (5, 24.0),
            (100, 712.2857666015625),
            (300, 2138.28564453125),
            (1000, 7144.28564453125),
            (1501, 10712.71484375),
        ] {
            assert_eq!(f64::from(sum(n)), expected);
        }
    }

    proptest! {
        #[test]
        fn products_have_the_same_bits_in_arrays_and_in_vectors(
            x in prop::collection::vec(-1e3..1e3_f64, 0..200),
        ) {
            let reversed: Vec<f64> = x.iter().rev().map(|x| x * 0.3).collect();
            let (tall, wide) = ([&x[..], &reversed, &x, &reversed], [&reversed[..], &x]);
            let arrays = products_of_arrays(tall, wide);
            for (column, wide) in wide.into_iter().enumerate() {
                let vectors = products_of_vectors(tall, wide).map(f64::to_bits);
                prop_assert_eq!(arrays.map(|sums| sums[column].to_bits()), vectors);
            }
        }

        #[test]
        fn sums_of_integers_are_exact(x in prop::collection::vec(-1000..1000_i32, 0..50)) {
            let floats: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
            prop_assert_eq!(sum(&floats), f64::from(x.iter().sum::<i32>()));
            prop_assert_eq!(dot(&floats, &floats), f64::from(x.iter().map(|v| v * v).sum::<i32>()));
            let reversed: Vec<f64> = floats.iter().rev().copied().collect();
            let (tall, wide) = ([&floats, &reversed, &floats, &reversed], [&reversed, &floats]);
            let expected = tall.map(|tall| wide.map(|wide| dot(tall, wide)));
            prop_assert_eq!(products(tall.map(|x| &x[..]), wide.map(|x| &x[..])), expected);
        }
    }
}
