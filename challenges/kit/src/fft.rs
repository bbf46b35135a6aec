//! Fourier transforms of complex series, and circular correlations by them.
//!
//! Transforms have a power of two of points, in two arrays of real and imaginary parts so that every loop becomes
//! vector code. Forward by decimation in frequency, which leaves the spectrum in bit-reversed order, and back by
//! decimation in time, which takes it in that order: products of spectra do not care for the order, and nothing is
//! ever permuted (Cooley and Tukey, 1965; radix 4 after Gentleman and Sande, 1966). Twiddle factors come from [`math`],
//! so that a transform has the same bits on every machine.

use crate::math;
use std::f64::consts::TAU;

/// A complex series, or its spectrum in bit-reversed order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Complex {
    /// Real parts.
    pub re: Vec<f64>,
    /// Imaginary parts.
    pub im: Vec<f64>,
}

impl Complex {
    /// So many zeros.
    #[must_use]
    pub fn zeros(points: usize) -> Self {
        Self { re: vec![0.0; points], im: vec![0.0; points] }
    }

    /// Adds `conj(x) * y`, point by point.
    fn add_conjugate_product(&mut self, x: &Self, y: &Self) {
        let points = self.re.len();
        let (re, im) = (&mut self.re[..points], &mut self.im[..points]);
        let (x_re, x_im, y_re, y_im) = (&x.re[..points], &x.im[..points], &y.re[..points], &y.im[..points]);
        for i in 0..points {
            re[i] += x_re[i] * y_re[i] + x_im[i] * y_im[i];
            im[i] += x_re[i] * y_im[i] - x_im[i] * y_re[i];
        }
    }
}

/// The transform of one number of points.
#[derive(Clone, Debug)]
pub struct Fft {
    points: usize,
    /// Passes of radix 4, from the whole series to quadruples. An odd power of two has one of radix 2 before them.
    passes: Vec<Twiddles>,
    halves: Complex,
}

/// The factors `w^j`, `w^2j` and `w^3j` of a pass over blocks of 4m points, for j below m and w = exp(-2 pi i / 4m).
#[derive(Clone, Debug)]
struct Twiddles {
    one: Complex,
    two: Complex,
    three: Complex,
}

impl Twiddles {
    fn new(quarter: usize) -> Self {
        let [one, two, three] = [1, 2, 3].map(|power| roots(quarter, power, 4 * quarter));
        Self { one, two, three }
    }
}

/// `exp(-2 pi i power j / of)` for j below `count`.
fn roots(count: usize, power: usize, of: usize) -> Complex {
    let angles = (0..count).map(|j| math::sin_cos(TAU * (power * j % of) as f64 / of as f64));
    let (im, re) = angles.map(|(sin, cos)| (-sin, cos)).unzip();
    Complex { re, im }
}

impl Fft {
    /// The transform of the smallest power of two of points that is not below `points`.
    #[must_use]
    pub fn of_at_least(points: usize) -> Self {
        let points = points.max(1).next_power_of_two();
        let is_odd = points.trailing_zeros() % 2 == 1;
        let halves = roots(if is_odd { points / 2 } else { 0 }, 1, points);
        let mut passes = Vec::new();
        let mut block = if is_odd { points / 2 } else { points };
        while block >= 4 {
            passes.push(Twiddles::new(block / 4));
            block /= 4;
        }
        Self { points, passes, halves }
    }

    /// Points of a series.
    #[must_use]
    pub fn points(&self) -> usize {
        self.points
    }

    /// From a series to its spectrum, in bit-reversed order.
    ///
    /// # Panics
    /// If the series has another number of points.
    pub fn forward(&self, series: &mut Complex) {
        self.check(series);
        if !self.halves.re.is_empty() {
            split_halves(series, &self.halves);
        }
        for twiddles in &self.passes {
            for block in blocks(series, 4 * twiddles.one.re.len()) {
                split_quarters(block, twiddles);
            }
        }
    }

    /// From a spectrum in bit-reversed order to its series times the number of points.
    ///
    /// # Panics
    /// If the spectrum has another number of points.
    pub fn inverse(&self, spectrum: &mut Complex) {
        self.check(spectrum);
        for twiddles in self.passes.iter().rev() {
            for block in blocks(spectrum, 4 * twiddles.one.re.len()) {
                join_quarters(block, twiddles);
            }
        }
        if !self.halves.re.is_empty() {
            join_halves(spectrum, &self.halves);
        }
    }

    fn check(&self, series: &Complex) {
        assert_eq!((series.re.len(), series.im.len()), (self.points, self.points), "points of a transform");
    }
}

/// Real and imaginary parts of one block.
type Block<'a> = (&'a mut [f64], &'a mut [f64]);

fn blocks(series: &mut Complex, points: usize) -> impl Iterator<Item = Block<'_>> {
    series.re.chunks_exact_mut(points).zip(series.im.chunks_exact_mut(points))
}

fn quarters(x: &mut [f64], m: usize) -> [&mut [f64]; 4] {
    let (ab, cd) = x.split_at_mut(2 * m);
    let ((a, b), (c, d)) = (ab.split_at_mut(m), cd.split_at_mut(m));
    [a, b, &mut c[..m], &mut d[..m]]
}

/// A complex number: real and imaginary part.
type Point = (f64, f64);

/// Changes the four points at each place of the quarters of a block, by the place's factors.
#[inline]
fn change_quarters(
    (re, im): Block,
    twiddles: &Twiddles,
    change: impl Fn([Point; 4], [Point; 3]) -> [Point; 4],
) {
    let m = twiddles.one.re.len();
    let ([a_re, b_re, c_re, d_re], [a_im, b_im, c_im, d_im]) = (quarters(re, m), quarters(im, m));
    let Twiddles { one, two, three } = twiddles;
    let (one_re, one_im) = (&one.re[..m], &one.im[..m]);
    let (two_re, two_im) = (&two.re[..m], &two.im[..m]);
    let (three_re, three_im) = (&three.re[..m], &three.im[..m]);
    for j in 0..m {
        let points = [(a_re[j], a_im[j]), (b_re[j], b_im[j]), (c_re[j], c_im[j]), (d_re[j], d_im[j])];
        let factors = [(one_re[j], one_im[j]), (two_re[j], two_im[j]), (three_re[j], three_im[j])];
        let [a, b, c, d] = change(points, factors);
        (a_re[j], a_im[j]) = a;
        (b_re[j], b_im[j]) = b;
        (c_re[j], c_im[j]) = c;
        (d_re[j], d_im[j]) = d;
    }
}

fn product((x, y): Point, (re, im): Point) -> Point {
    (x * re - y * im, x * im + y * re)
}

fn product_with_conjugate((x, y): Point, (re, im): Point) -> Point {
    (x * re + y * im, y * re - x * im)
}

/// One pass of radix 4, forward: two of radix 2 at once.
fn split_quarters(block: Block, twiddles: &Twiddles) {
    change_quarters(block, twiddles, |[a, b, c, d], [one, two, three]| {
        let (sum_ac, sum_bd) = ((a.0 + c.0, a.1 + c.1), (b.0 + d.0, b.1 + d.1));
        let (dif_ac, dif_bd) = ((a.0 - c.0, a.1 - c.1), (b.0 - d.0, b.1 - d.1));
        [
            (sum_ac.0 + sum_bd.0, sum_ac.1 + sum_bd.1),
            product((sum_ac.0 - sum_bd.0, sum_ac.1 - sum_bd.1), two),
            product((dif_ac.0 + dif_bd.1, dif_ac.1 - dif_bd.0), one),
            product((dif_ac.0 - dif_bd.1, dif_ac.1 + dif_bd.0), three),
        ]
    });
}

/// What undoes [`split_quarters`], times 4.
fn join_quarters(block: Block, twiddles: &Twiddles) {
    change_quarters(block, twiddles, |[a, b, c, d], [one, two, three]| {
        let b = product_with_conjugate(b, two);
        let c = product_with_conjugate(c, one);
        let d = product_with_conjugate(d, three);
        let (sum_ab, dif_ab) = ((a.0 + b.0, a.1 + b.1), (a.0 - b.0, a.1 - b.1));
        let (sum_cd, dif_dc) = ((c.0 + d.0, c.1 + d.1), (d.1 - c.1, c.0 - d.0));
        [
            (sum_ab.0 + sum_cd.0, sum_ab.1 + sum_cd.1),
            (dif_ab.0 + dif_dc.0, dif_ab.1 + dif_dc.1),
            (sum_ab.0 - sum_cd.0, sum_ab.1 - sum_cd.1),
            (dif_ab.0 - dif_dc.0, dif_ab.1 - dif_dc.1),
        ]
    });
}

/// One pass of radix 2 over the whole series, forward.
fn split_halves(series: &mut Complex, w: &Complex) {
    let m = w.re.len();
    let ((a_re, b_re), (a_im, b_im)) = (series.re.split_at_mut(m), series.im.split_at_mut(m));
    for j in 0..m {
        let (x, y) = (a_re[j] - b_re[j], a_im[j] - b_im[j]);
        (a_re[j], a_im[j]) = (a_re[j] + b_re[j], a_im[j] + b_im[j]);
        (b_re[j], b_im[j]) = (x * w.re[j] - y * w.im[j], x * w.im[j] + y * w.re[j]);
    }
}

/// What undoes [`split_halves`], times 2.
fn join_halves(series: &mut Complex, w: &Complex) {
    let m = w.re.len();
    let ((a_re, b_re), (a_im, b_im)) = (series.re.split_at_mut(m), series.im.split_at_mut(m));
    for j in 0..m {
        let (x, y) = (b_re[j] * w.re[j] + b_im[j] * w.im[j], b_im[j] * w.re[j] - b_re[j] * w.im[j]);
        (b_re[j], b_im[j]) = (a_re[j] - x, a_im[j] - y);
        (a_re[j], a_im[j]) = (a_re[j] + x, a_im[j] + y);
    }
}

/// Circular correlations of real series of one length, which may be any.
///
/// Two series travel as the real and imaginary part of one: the real part of the correlation of two such pairs is
/// the sum of the correlations of their parts, which is what is asked for.
#[derive(Clone, Debug)]
pub struct Correlation {
    length: usize,
    fft: Fft,
}

impl Correlation {
    /// For series of `length` numbers.
    #[must_use]
    pub fn of_length(length: usize) -> Self {
        // As many zeros behind the series keep lags apart that a shorter transform would add up.
        Self { length, fft: Fft::of_at_least(2 * length) }
    }

    /// The spectra of some series, two by two.
    ///
    /// # Panics
    /// If one of them has another length.
    #[must_use]
    pub fn spectra(&self, series: &[&[f64]]) -> Vec<Complex> {
        series.chunks(2).map(|pair| self.spectrum(pair)).collect()
    }

    fn spectrum(&self, pair: &[&[f64]]) -> Complex {
        let mut both = Complex::zeros(self.fft.points());
        for (series, part) in pair.iter().zip([&mut both.re, &mut both.im]) {
            assert_eq!(series.len(), self.length, "length of a series");
            part[..self.length].copy_from_slice(series);
        }
        self.fft.forward(&mut both);
        both
    }

    /// For every shift k below the length, the sum over all series and over t of `x[t] * y[(t + k) mod length]`, from
    /// the spectra of the x and of as many y.
    #[must_use]
    pub fn sums(&self, x: &[Complex], y: &[Complex]) -> Vec<f64> {
        let mut product = Complex::zeros(self.fft.points());
        x.iter().zip(y).for_each(|(x, y)| product.add_conjugate_product(x, y));
        self.fft.inverse(&mut product);
        // A shift by k is one by k - length too; negative shifts are at the end.
        let (ahead, behind) = product.re.split_at(self.fft.points() - self.length);
        let scale = 1.0 / self.fft.points() as f64;
        (0..self.length).map(|k| (ahead[k] + behind[k]) * scale).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn direct(x: &[Vec<f64>], y: &[Vec<f64>], k: usize) -> f64 {
        let length = x[0].len();
        let of =
            |(x, y): (&Vec<f64>, &Vec<f64>)| (0..length).map(|t| x[t] * y[(t + k) % length]).sum::<f64>();
        x.iter().zip(y).map(of).sum()
    }

    fn by_spectra(x: &[Vec<f64>], y: &[Vec<f64>]) -> Vec<f64> {
        let correlation = Correlation::of_length(x[0].len());
        let [x, y] = [x, y].map(|all| {
            let all: Vec<&[f64]> = all.iter().map(Vec::as_slice).collect();
            correlation.spectra(&all)
        });
        correlation.sums(&x, &y)
    }

    fn noise(length: usize, seed: f64) -> Vec<f64> {
        (0..length).map(|t| (((t as f64 + 1.0) * seed).fract() - 0.5) * 2.0).collect()
    }

    #[test]
    fn a_transform_is_the_sum_that_defines_it() {
        for points in [1, 2, 4, 8, 32, 64, 128] {
            let fft = Fft::of_at_least(points);
            let start = Complex { re: noise(points, 0.618_033_9), im: noise(points, 0.754_877_6) };
            let mut spectrum = start.clone();
            fft.forward(&mut spectrum);
            for place in 0..points {
                let bits = points.trailing_zeros();
                let frequency = if bits == 0 { 0 } else { place.reverse_bits() >> (usize::BITS - bits) };
                let w = roots(points, frequency, points);
                let terms = |t: usize| {
                    let (a, b, c, d) = (start.re[t], start.im[t], w.re[t], w.im[t]);
                    (a * c - b * d, a * d + b * c)
                };
                let (re, im) = (0..points).map(terms).fold((0.0, 0.0), |s, x| (s.0 + x.0, s.1 + x.1));
                let error = (re - spectrum.re[place]).abs().max((im - spectrum.im[place]).abs());
                assert!(error < 1e-13, "{points} {place}: {error}");
            }
            fft.inverse(&mut spectrum);
            for t in 0..points {
                let error = (spectrum.re[t] / points as f64 - start.re[t]).abs();
                assert!(error < 1e-14, "{points} {t}: {error}");
            }
        }
    }

    #[test]
    fn long_series_keep_their_digits() {
        let x: Vec<Vec<f64>> = (0..4).map(|i| noise(7_193, 0.618_033_988_7 + f64::from(i) * 0.01)).collect();
        let y: Vec<Vec<f64>> = (0..4).map(|i| noise(7_193, 0.754_877_666_2 - f64::from(i) * 0.02)).collect();
        let sums = by_spectra(&x, &y);
        for k in [0, 1, 96, 3_600, 7_192] {
            assert!((sums[k] - direct(&x, &y, k)).abs() < 1e-10, "{k}");
        }
    }

    proptest! {
        #[test]
        fn correlations_are_direct_sums(
            length in 1..90_usize,
            series in 1..6_usize,
            numbers in prop::collection::vec(-1.0..1.0f64, 900),
        ) {
            let make = |from: usize| -> Vec<Vec<f64>> {
                numbers[from..from + series * length].chunks(length).map(<[f64]>::to_vec).collect()
            };
            let (x, y) = (make(0), make(900 - series * length));
            let sums = by_spectra(&x, &y);
            prop_assert_eq!(sums.len(), length);
            for (k, sum) in sums.iter().enumerate() {
                prop_assert!((sum - direct(&x, &y, k)).abs() < 1e-12);
            }
        }
    }
}
