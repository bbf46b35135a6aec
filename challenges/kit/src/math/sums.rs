//! Sums in eight fixed lanes: vector code, and the same bits for every width of the machine's vectors.

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

/// `y += a * x`, over the common head.
pub fn axpy(a: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += a * x;
    }
}

fn fold(lanes: [f64; LANES]) -> f64 {
    let [a, b, c, d, e, f, g, h] = lanes;
    ((a + e) + (b + f)) + ((c + g) + (d + h))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn sums_of_integers_are_exact(x in prop::collection::vec(-1000..1000_i32, 0..50)) {
            let floats: Vec<f64> = x.iter().map(|&v| f64::from(v)).collect();
            prop_assert_eq!(sum(&floats), f64::from(x.iter().sum::<i32>()));
            prop_assert_eq!(dot(&floats, &floats), f64::from(x.iter().map(|v| v * v).sum::<i32>()));
        }
    }
}
