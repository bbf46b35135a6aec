//! Rolling statistics.

/// Sample standard deviation (ddof 1) of the last `window` values, at every row.
///
/// NaN before `window` values, in every window that holds a NaN or an infinity (and in no other), and everywhere if
/// `window` is below 2.
///
/// Rows are cut into blocks of `window`; a window is then a tail of one block and a head of the next, and both are
/// merged from running moments. Nothing is ever subtracted, so the error does not grow along the input, and a
/// constant window gives exactly 0. Time O(n), memory O(n).
#[must_use]
pub fn rolling_std(x: &[f64], window: usize) -> Vec<f64> {
    let mut out = vec![f64::NAN; x.len()];
    if window < 2 {
        return out;
    }
    // Moments of x[i..end of the block], for the block before the current one.
    let mut tails: Vec<Moments> = Vec::new();
    for (index, block) in x.chunks(window).enumerate() {
        let start = index * window;
        let mut head = Moments::default();
        for (i, &value) in block.iter().enumerate() {
            head.push(value);
            let whole = match tails.get(i + 1) {
                Some(tail) => tail.merged(&head),
                None if i + 1 == window => head,
                None => continue,
            };
            let std = (whole.squares / (window - 1) as f64).sqrt();
            out[start + i] = if std.is_finite() { std } else { f64::NAN };
        }
        if block.len() == window {
            tails.resize(window, Moments::default());
            let mut tail = Moments::default();
            for (moments, &value) in tails.iter_mut().zip(block).rev() {
                tail.push(value);
                *moments = tail;
            }
        }
    }
    out
}

/// Count, mean and sum of squared deviations from the mean.
#[derive(Debug, Clone, Copy, Default)]
struct Moments {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Welford's update.
    fn push(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - self.mean;
        self.mean += delta / self.count;
        self.squares += delta * (value - self.mean);
    }

    /// Chan's merge of two disjoint samples.
    fn merged(&self, other: &Self) -> Self {
        let count = self.count + other.count;
        let delta = other.mean - self.mean;
        Self {
            count,
            mean: self.mean + delta * (other.count / count),
            squares: self.squares + other.squares + delta * delta * (self.count * other.count / count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(x: &[f64], window: usize) -> Vec<f64> {
        let std = |w: &[f64]| {
            let mean = w.iter().sum::<f64>() / w.len() as f64;
            (w.iter().map(|v| (v - mean) * (v - mean)).sum::<f64>() / (w.len() - 1) as f64).sqrt()
        };
        (0..x.len()).map(|i| if i + 1 < window { f64::NAN } else { std(&x[i + 1 - window..=i]) }).collect()
    }

    fn assert_close(ours: &[f64], naive: &[f64], scale: f64) {
        assert_eq!(ours.len(), naive.len());
        for (i, (a, b)) in ours.iter().zip(naive).enumerate() {
            assert!(a.is_nan() && b.is_nan() || (a - b).abs() <= 1e-12 * (scale + b), "row {i}: {a} but {b}");
        }
    }

    #[test]
    fn does_not_drift_over_a_long_input() {
        // A large jump early on would leave its rounding error in a sliding sum of squares.
        let mut x = vec![1e6; 1000];
        x.extend((0..432_000_u64).map(|i| 1e-3 * ((i * 7919 % 1009) as f64 / 1009.0 - 0.5)));
        let ours = rolling_std(&x, 720);
        for end in [100_000, 431_000, 432_999] {
            let expected = naive(&x[end - 719..=end], 720)[719];
            assert!((ours[end] / expected - 1.0).abs() < 1e-12, "{} but {expected}", ours[end]);
        }
    }

    #[test]
    fn constant_is_exactly_zero() {
        assert!(rolling_std(&[0.1; 50], 7)[6..].iter().all(|&s| s == 0.0));
    }

    #[test]
    fn short_windows_and_inputs_have_none() {
        assert!(rolling_std(&[1.0, 2.0], 1).iter().chain(&rolling_std(&[1.0, 2.0], 3)).all(|s| s.is_nan()));
        assert!(rolling_std(&[], 5).is_empty());
    }

    proptest! {
        #[test]
        fn equals_the_definition(
            x in prop::collection::vec(-10.0..10.0_f64, 0..80), window in 2..20_usize, hole in 0..200_usize,
            shift in -1e3..1e3_f64,
        ) {
            let mut x: Vec<f64> = x.iter().map(|v| v + shift).collect();
            if let Some(value) = x.get_mut(hole) {
                *value = f64::NAN;
            }
            assert_close(&rolling_std(&x, window), &naive(&x, window), shift.abs() + 10.0);
        }
    }
}
