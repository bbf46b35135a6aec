//! Numbers that never change.

use crate::Labels;
use mantis_kit::math;
use mantis_plugin_api::f16;

/// Sets to zero what a miner says of an asset if it hardly varies over the paired rows (population standard
/// deviation, absent rows as zeros). `numbers` are `rows x assets`, row by row. Gives how many assets are stale that
/// had a number.
pub(crate) fn clear(numbers: &mut [f16], labels: &Labels, assets: usize, stale_std: f64) -> usize {
    let mut stale = 0;
    for asset in 0..assets {
        let rows = (0..labels.rows.len()).filter(|&t| labels.is_paired[t]);
        let values: Vec<f64> = rows.map(|t| finite(numbers[t * assets + asset])).collect();
        let n = values.len().max(1) as f64;
        let mean = math::sum(&values) / n;
        let squares: Vec<f64> = values.iter().map(|x| (x - mean) * (x - mean)).collect();
        if (math::sum(&squares) / n).sqrt() < stale_std {
            stale += usize::from(values.iter().any(|&x| x != 0.0));
            numbers.iter_mut().skip(asset).step_by(assets).for_each(|x| *x = f16::ZERO);
        }
    }
    stale
}

/// A broken number counts as absent.
fn finite(number: f16) -> f64 {
    if number.is_finite() { number.to_f64() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clears_assets_that_do_not_vary() {
        let labels = Labels { rows: vec![0, 1, 2], is_paired: vec![true; 3], above: vec![] };
        let mut numbers = [0.5, 0.1, 0.0, 0.5, 0.2, 0.0, 0.5, 0.1, 0.0].map(f16::from_f32);
        assert_eq!(clear(&mut numbers, &labels, 3, 1e-4), 1);
        assert_eq!(numbers.map(f16::to_f32)[..3], [0.0, f16::from_f32(0.1).to_f32(), 0.0]);
    }
}
