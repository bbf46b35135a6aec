//! Sums in fixed lanes: vector code, and the same bits for every width of the machine's vectors.

use wide::f64x4;

const LANES: usize = 8;

/// Sum of the elements.
#[must_use]
pub fn sum(x: &[f64]) -> f64 {
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
pub fn products(tall: [&[f64]; 4], wide: [&[f64]; 2]) -> [[f64; 2]; 4] {
    let mut folded = if cfg!(target_feature = "avx") {
        products_in_lanes(tall, wide)
    } else {
        let [x, y] = wide.map(|wide| products_in_lanes(tall, [wide]));
        std::array::from_fn(|i| [x[i][0], y[i][0]])
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

/// The sums of the products of four columns with `W` others, but for the rows at the end that fill no lane.
#[inline]
fn products_in_lanes<const W: usize>(tall: [&[f64]; 4], wide: [&[f64]; W]) -> [[f64; W]; 4] {
    let tall = tall.map(|column| column.as_chunks::<FOUR>().0);
    let n = tall[0].len();
    let [a, b, c, d] = tall.map(|column| &column[..n]);
    let wide = wide.map(|column| &column.as_chunks::<FOUR>().0[..n]);
    let mut sums = [[f64x4::ZERO; W]; 4];
    for i in 0..n {
        let tall = [a[i], b[i], c[i], d[i]].map(f64x4::from);
        let wide = wide.map(|column| f64x4::from(column[i]));
        for (sums, tall) in sums.iter_mut().zip(tall) {
            for (sum, wide) in sums.iter_mut().zip(wide) {
                *sum += tall * wide;
            }
        }
    }
    sums.map(|sums| {
        sums.map(|sum| {
            let [a, b, c, d] = sum.to_array();
            (a + c) + (b + d)
        })
    })
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
