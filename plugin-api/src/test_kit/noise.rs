//! Numbers that look random.

/// A small generator of numbers from -1 to 1, the same for the same seed: enough for simulated markets and miners.
#[derive(Clone, Debug)]
pub struct Noise(u64);

impl Noise {
    /// A generator; each seed has numbers of its own.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d)
    }

    /// The next number, uniform from -1 to 1.
    pub fn uniform(&mut self) -> f64 {
        // Knuth's MMIX generator; the high bits are the good ones.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 32) as f64 / f64::from(1u32 << 31) - 1.0
    }

    /// A number around 0 whose standard deviation is 1, nearly normal: the sum of twelve uniform ones, halved.
    pub fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.uniform()).sum::<f64>() / 2.0
    }
}
