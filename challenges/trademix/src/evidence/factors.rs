//! What assets' returns have in common, and what each one adds.

use super::{EPS, EvidenceParams};
use crate::moments::{centre, spread};
use mantis_kit::math;

/// A market of the assets, weighed by their calm, and returns against it. Everything is by asset and hour, and known
/// before the hour begins but for the returns in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Factors {
    /// Part of each asset in the market.
    weights: Vec<Vec<f64>>,
    /// How much an asset returns of what the market does.
    betas: Vec<Vec<f64>>,
    /// Return of the market in the hour that ends here.
    pub(crate) market: Vec<f64>,
    /// Return of each asset beyond what the market explains.
    pub(crate) relative: Vec<Vec<f64>>,
}

impl Factors {
    /// From log returns by asset and hour (scoring: trademix, evidence, factors).
    pub(crate) fn new(returns: Vec<Vec<f64>>, params: &EvidenceParams) -> Self {
        let (assets, hours) = (returns.len(), returns.first().map_or(0, Vec::len));
        let mut weights = vec![Vec::with_capacity(hours); assets];
        let mut betas = weights.clone();
        let mut now = Measured { weights: vec![1.0 / assets as f64; assets], betas: vec![1.0; assets] };
        for t in 0..hours {
            if t >= params.warmup && t.is_multiple_of(params.refresh) {
                now = Measured::before(t, &returns, params);
            }
            for asset in 0..assets {
                weights[asset].push(now.weights[asset]);
                betas[asset].push(now.betas[asset]);
            }
        }
        let market = weighed(&weights, &returns, hours);
        let mut relative = returns;
        for (of_asset, betas) in relative.iter_mut().zip(&betas) {
            against(of_asset, &market, betas);
        }
        Self { weights, betas, market, relative }
    }

    /// Splits positions by asset and hour: what they hold of the market is given, what they hold against it is left
    /// in their place.
    pub(crate) fn split(&self, positions: &mut [Vec<f64>]) -> Vec<f64> {
        let market = weighed(&self.weights, positions, self.market.len());
        for (own, betas) in positions.iter_mut().zip(&self.betas) {
            against(own, &market, betas);
        }
        market
    }
}

/// Sum over assets of weight times value, by hour.
fn weighed(weights: &[Vec<f64>], values: &[Vec<f64>], hours: usize) -> Vec<f64> {
    let mut sums = vec![0.0; hours];
    for (weights, values) in weights.iter().zip(values) {
        sums.iter_mut().zip(weights.iter().zip(values)).for_each(|(sum, (w, x))| *sum += w * x);
    }
    sums
}

/// Takes beta times the market off the values of an asset.
fn against(values: &mut [f64], market: &[f64], betas: &[f64]) {
    values.iter_mut().zip(market.iter().zip(betas)).for_each(|(x, (m, beta))| *x -= m * beta);
}

/// What holds from one refresh to the next.
struct Measured {
    weights: Vec<f64>,
    betas: Vec<f64>,
}

impl Measured {
    /// Measured on the hours before `t`.
    fn before(t: usize, returns: &[Vec<f64>], params: &EvidenceParams) -> Self {
        let calm = |of_asset: &Vec<f64>| {
            let mut window = of_asset[t.saturating_sub(params.vol_window)..t].to_vec();
            1.0 / (spread(&mut window) + EPS)
        };
        let mut weights: Vec<f64> = returns.iter().map(calm).collect();
        let total = math::sum(&weights);
        weights.iter_mut().for_each(|w| *w /= total);

        let window = t.saturating_sub(params.beta_window)..t;
        let hours = window.len() as f64;
        let mut market = vec![0.0; window.len()];
        for (of_asset, &w) in returns.iter().zip(&weights) {
            math::axpy(w, &of_asset[window.clone()], &mut market);
        }
        let deviation = spread(&mut market);
        let variance = deviation * deviation;
        let beta = |of_asset: &Vec<f64>| {
            let mut own = of_asset[window.clone()].to_vec();
            centre(&mut own);
            let covariance = math::dot(&own, &market) / (hours - 1.0);
            (1.0 - params.beta_shrink) * (covariance / (variance + EPS)) + params.beta_shrink
        };
        let betas = returns.iter().map(beta).collect();
        Self { weights, betas }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns(hours: usize) -> Vec<Vec<f64>> {
        let wave = |t: usize, k: usize| ((t * k % 17) as f64 - 8.0) / 1_000.0;
        let common: Vec<f64> = (0..hours).map(|t| wave(t, 5)).collect();
        let of = |scale: f64, k: usize| (0..hours).map(|t| scale * common[t] + 0.3 * wave(t, k)).collect();
        vec![of(1.0, 3), of(2.0, 7)]
    }

    fn params() -> EvidenceParams {
        EvidenceParams { warmup: 48, refresh: 24, ..EvidenceParams::default() }
    }

    #[test]
    fn nothing_is_known_before_the_warmup_and_held_until_the_next_refresh() {
        let factors = Factors::new(returns(100), &params());
        assert_eq!((factors.weights[0][47], factors.betas[1][47]), (0.5, 1.0));
        assert!(factors.weights[0][48] > 0.6 && factors.betas[1][48] > factors.betas[0][48]);
        assert_eq!(factors.weights[0][48..72], [factors.weights[0][48]; 24]);
        assert_ne!(factors.weights[0][71], factors.weights[0][72]);
        assert!((factors.weights[0][50] + factors.weights[1][50] - 1.0).abs() < 1e-15);
    }

    #[test]
    fn later_returns_change_nothing_earlier() {
        let (short, mut changed) = (returns(72), returns(100));
        changed.iter_mut().for_each(|of_asset| of_asset[72..].iter_mut().for_each(|x| *x *= -3.0));
        let (short, long) = (Factors::new(short, &params()), Factors::new(changed, &params()));
        assert_eq!(short.market, long.market[..72]);
        assert_eq!(short.relative[1], long.relative[1][..72]);
        // At hour 72 the window of the refresh ends before it.
        assert_eq!(long.betas[0][72], Factors::new(returns(100), &params()).betas[0][72]);
    }

    #[test]
    fn a_beta_is_shrunk_to_one_as_the_formula_says() {
        let (all, t) = (returns(60), 48);
        let factors = Factors::new(all.clone(), &params());
        let w = [factors.weights[0][t], factors.weights[1][t]];
        let market: Vec<f64> = (0..t).map(|i| w[0] * all[0][i] + w[1] * all[1][i]).collect();
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (m, a) = (mean(&market), mean(&all[1][..t]));
        let covariance: f64 = (0..t).map(|i| (all[1][i] - a) * (market[i] - m)).sum::<f64>() / 47.0;
        let variance = market.iter().map(|x| (x - m) * (x - m)).sum::<f64>() / 48.0;
        let expected = 0.7 * covariance / (variance + EPS) + 0.3;
        assert!((factors.betas[1][t] - expected).abs() < 1e-12);
    }

    #[test]
    fn positions_are_split_without_a_rest() {
        let factors = Factors::new(returns(60), &params());
        let mut positions = vec![vec![0.5; 60], vec![-1.0; 60]];
        let market = factors.split(&mut positions);
        let t = 55;
        assert!((market[t] - (0.5 * factors.weights[0][t] - factors.weights[1][t])).abs() < 1e-15);
        assert!((positions[1][t] + 1.0 + market[t] * factors.betas[1][t]).abs() < 1e-15);
    }
}
