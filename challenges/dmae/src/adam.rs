//! Adam's step.

use crate::{HIDDEN, Units};

const BETAS: [f64; 2] = [0.9, 0.999];
/// What is kept of each moment, and what is new of it.
const OLD: [f32; 2] = [0.9, 0.999];
const NEW: [f32; 2] = [0.1, 0.001];
const EPS: f32 = 1e-8;

/// Powers of the two betas, by multiplication.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Powers([f64; 2]);

impl Default for Powers {
    fn default() -> Self {
        Self([1.0; 2])
    }
}

/// Factors of one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// The learning rate, with the first moment's correction.
    step: f32,
    /// The second moment's correction.
    spread: f32,
}

impl Rates {
    /// Those of the step after the one that `powers` belong to.
    pub(crate) fn new(learning_rate: f64, Powers(powers): &mut Powers) -> Self {
        for (power, beta) in powers.iter_mut().zip(BETAS) {
            *power *= beta;
        }
        Self { step: (learning_rate / (1.0 - powers[0])) as f32, spread: (1.0 / (1.0 - powers[1])) as f32 }
    }
}

/// Moves parameters against their gradient (scoring: dmae, learning).
#[inline(always)]
pub(crate) fn adam(w: &mut Units, m: &mut Units, v: &mut Units, gradient: &Units, rates: Rates) {
    for k in 0..HIDDEN {
        let g = gradient[k];
        m[k] = OLD[0] * m[k] + NEW[0] * g;
        v[k] = OLD[1] * v[k] + NEW[1] * (g * g);
        w[k] -= rates.step * m[k] / ((v[k] * rates.spread).sqrt() + EPS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_step_is_the_learning_rate_against_the_gradient() {
        let mut powers = Powers::default();
        let (mut w, mut m, mut v) = ([1.0; HIDDEN], [0.0; HIDDEN], [0.0; HIDDEN]);
        let mut gradient = [0.0; HIDDEN];
        (gradient[1], gradient[2]) = (0.3, -4.0);
        adam(&mut w, &mut m, &mut v, &gradient, Rates::new(0.01, &mut powers));
        assert!(w[0] == 1.0 && (w[1] - 0.99).abs() < 1e-6 && (w[2] - 1.01).abs() < 1e-6, "{w:?}");
        // The gradient is 0 from here on, but its mean goes on.
        adam(&mut w, &mut m, &mut v, &[0.0; HIDDEN], Rates::new(0.01, &mut powers));
        let expected = 0.99 - 0.01 / (1.0 - 0.81) * 0.027 / (0.999f64 * 9e-5 / (1.0 - 0.998_001)).sqrt();
        assert!((f64::from(w[1]) - expected).abs() < 1e-6, "{} {expected}", w[1]);
    }
}
