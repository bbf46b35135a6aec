//! The two loops that take nearly all of the time. Every sum is one accumulator that goes through its terms in order, so the
//! bits are the same whatever vectors the processor has.

use crate::adam::{Rates, adam};
use crate::{HIDDEN, Units};
use multiversion::multiversion;
use multiversion::target::target_cfg_f;

/// Half of the hidden units: as many as fit into the registers of machines whose vectors have four numbers, for two rows.
const HALF: usize = HIDDEN / 2;
/// Sums of parts are exact in steps of 2^-36 where they are below 2^16: added to a part, this leaves a multiple of that.
const GRID: f64 = 1.5 * 65_536.0;

/// What a miner's numbers of some rows bring to the hidden units: `out[r] = sum over d of x[r][d] w[d]`, d ascending.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn products(x: &[f32], w: &[Units], out: &mut [Units]) {
    let dim = w.len();
    let (pairs, last) = out.as_chunks_mut::<2>();
    let (x_pairs, x_last) = x.split_at(pairs.len() * 2 * dim);
    for (out, x) in pairs.iter_mut().zip(x_pairs.chunks_exact(2 * dim)) {
        let (first, second) = x.split_at(dim);
        if target_cfg_f!(target_feature = "avx2") {
            *out = rows::<2, HIDDEN>([first, second], w, 0);
        } else {
            let left = rows::<2, HALF>([first, second], w, 0);
            let right = rows::<2, HALF>([first, second], w, 1);
            for (out, (left, right)) in out.iter_mut().zip(left.iter().zip(&right)) {
                out[..HALF].copy_from_slice(left);
                out[HALF..].copy_from_slice(right);
            }
        }
    }
    for (out, x) in last.iter_mut().zip(x_last.chunks_exact(dim)) {
        [*out] = rows::<1, HIDDEN>([x], w, 0);
    }
}

/// The part `part` of the units, for some rows.
#[inline(always)]
fn rows<const ROWS: usize, const WIDTH: usize>(
    x: [&[f32]; ROWS],
    w: &[Units],
    part: usize,
) -> [[f32; WIDTH]; ROWS] {
    let x = x.map(|x| &x[..w.len()]);
    let mut sums = [[0.0; WIDTH]; ROWS];
    for (d, w) in w.iter().enumerate() {
        let w = &w.as_chunks::<WIDTH>().0[part];
        for (sums, x) in sums.iter_mut().zip(x) {
            let x = x[d];
            for k in 0..WIDTH {
                sums[k] += x * w[k];
            }
        }
    }
    sums
}

/// Adds parts to the sums of all miners, on a grid on which sums are exact: the order of miners reaches no bit.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn gather(parts: &[Units], sums: &mut [[f64; HIDDEN]]) {
    for (part, sum) in parts.iter().zip(sums) {
        for k in 0..HIDDEN {
            sum[k] += (f64::from(part[k]) + GRID) - GRID;
        }
    }
}

/// A miner's weights, and the two moments of their gradient.
pub(crate) struct Weights<'a> {
    pub(crate) w: &'a mut [Units],
    pub(crate) m: &'a mut [Units],
    pub(crate) v: &'a mut [Units],
}

/// One step of a miner's weights: the gradient of `w[d]` is the sum over rows, ascending, of `x[r][d] slopes[r]`.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn learn(x: &[f32], slopes: &[Units], weights: Weights<'_>, rates: Rates) {
    let Weights { w, m, v } = weights;
    let dim = w.len();
    let mut d = 0;
    while d + 2 <= dim {
        let gradients = places::<2>(x, slopes, d, dim);
        for (i, gradient) in gradients.iter().enumerate() {
            adam(&mut w[d + i], &mut m[d + i], &mut v[d + i], gradient, rates);
        }
        d += 2;
    }
    if d < dim {
        let [gradient] = places::<1>(x, slopes, d, dim);
        adam(&mut w[d], &mut m[d], &mut v[d], &gradient, rates);
    }
}

/// Gradients of neighbouring weights.
#[inline(always)]
fn places<const PLACES: usize>(x: &[f32], slopes: &[Units], d: usize, dim: usize) -> [Units; PLACES] {
    let mut sums = [[0.0; HIDDEN]; PLACES];
    for (x, slope) in x.chunks_exact(dim).zip(slopes) {
        let x = &x[d..d + PLACES];
        for (sums, &x) in sums.iter_mut().zip(x) {
            for k in 0..HIDDEN {
                sums[k] += x * slope[k];
            }
        }
    }
    sums
}

/// The step of weights whose gradient is 0: their moments fade.
#[multiversion(targets("x86_64+avx2"))]
pub(crate) fn fade(weights: Weights<'_>, rates: Rates) {
    let Weights { w, m, v } = weights;
    for ((w, m), v) in w.iter_mut().zip(m).zip(v) {
        adam(w, m, v, &[0.0; HIDDEN], rates);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mantis_plugin_api::test_kit::Noise;

    fn numbers(n: usize, seed: u64) -> Vec<f32> {
        let mut noise = Noise::new(seed);
        (0..n).map(|_| noise.uniform() as f32).collect()
    }

    fn units(n: usize, seed: u64) -> Vec<Units> {
        numbers(n * HIDDEN, seed).as_chunks::<HIDDEN>().0.to_vec()
    }

    #[test]
    fn every_sum_goes_through_its_terms_in_order() {
        for (rows, dim) in [(1, 1), (2, 3), (5, 100), (7, 33)] {
            let (x, w) = (numbers(rows * dim, 1), units(dim, 2));
            let mut out = vec![[9.0; HIDDEN]; rows];
            products(&x, &w, &mut out);
            let slopes = units(rows, 3);
            let rates = Rates::new(1.0, &mut Default::default());
            let (mut after, mut m, mut v) = (w.clone(), units(dim, 4), vec![[0.5; HIDDEN]; dim]);
            let before = (w.clone(), m.clone(), v.clone());
            learn(&x, &slopes, Weights { w: &mut after, m: &mut m, v: &mut v }, rates);
            for k in 0..HIDDEN {
                for r in 0..rows {
                    let sum = (0..dim).fold(0.0, |sum, d| sum + x[r * dim + d] * w[d][k]);
                    assert_eq!(out[r][k].to_bits(), sum.to_bits(), "{rows} {dim}");
                }
                for d in 0..dim {
                    let gradient = (0..rows).fold(0.0, |sum, r| sum + x[r * dim + d] * slopes[r][k]);
                    let (mut w, mut m1, mut v1) = (before.0[d], before.1[d], before.2[d]);
                    let mut gradients = [0.0; HIDDEN];
                    gradients[k] = gradient;
                    adam(&mut w, &mut m1, &mut v1, &gradients, rates);
                    assert_eq!([after[d][k], m[d][k], v[d][k]], [w[k], m1[k], v1[k]], "{rows} {dim}");
                }
            }
        }
    }

    /// What processors without wide vectors run, and components.
    #[test]
    fn halves_are_the_whole() {
        let (x, w) = (numbers(2 * 50, 5), units(50, 6));
        let x = [&x[..50], &x[50..]];
        let whole = rows::<2, HIDDEN>(x, &w, 0);
        for part in [0, 1] {
            let half = rows::<2, HALF>(x, &w, part);
            for (half, whole) in half.iter().zip(&whole) {
                let whole = &whole[part * HALF..(part + 1) * HALF];
                assert!(half.iter().zip(whole).all(|(a, b)| a.to_bits() == b.to_bits()), "{part}");
            }
        }
    }

    #[test]
    fn the_order_of_parts_reaches_no_bit() {
        let parts = units(501, 7);
        let sum = |order: &mut dyn Iterator<Item = &Units>| {
            let mut sums = [[0.0; HIDDEN]];
            order.for_each(|part| gather(&[*part], &mut sums));
            sums
        };
        let forward = sum(&mut parts.iter());
        assert_eq!(forward, sum(&mut parts.iter().rev()));
        let exact: f64 = parts.iter().map(|part| f64::from(part[5])).sum();
        assert!((forward[0][5] - exact).abs() < 501.0 * 1e-11, "{} {exact}", forward[0][5]);
    }
}
