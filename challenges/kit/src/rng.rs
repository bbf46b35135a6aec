//! NumPy's random generator, bit for bit: `numpy.random.default_rng(seed).integers(0, high)`.

const MULTIPLIER: u128 = 0x2360_ED05_1FC6_5DA4_4385_DF64_9FCC_F645;

/// PCG64 (XSL-RR 128/64) seeded as NumPy's `default_rng(seed)` does (scoring: numerics, NumPy's generator).
#[derive(Debug, Clone)]
pub struct NumpyRng {
    state: u128,
    increment: u128,
    /// High half of the last 64-bit output, not yet given out.
    high_half: Option<u32>,
}

impl NumpyRng {
    /// The generator of `default_rng(seed)`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let [state_high, state_low, sequence_high, sequence_low] = seed_sequence(seed);
        let join = |high: u64, low: u64| u128::from(high) << 64 | u128::from(low);
        let increment = join(sequence_high, sequence_low) << 1 | 1;
        // The usual PCG seeding: step from 0, add the seed, step again.
        let state = increment.wrapping_add(join(state_high, state_low));
        let mut rng = Self { state, increment, high_half: None };
        rng.step();
        rng
    }

    /// The next integer in `0..high`, as `integers(0, high)`. `high` is at most 2^32 (a larger one is taken as
    /// 2^32); 0 and 1 give 0 without a draw.
    pub fn integers(&mut self, high: u64) -> u64 {
        if high <= 1 {
            return 0;
        }
        if high >= 1 << 32 {
            return u64::from(self.next_u32());
        }
        // Lemire: the high word of draw * high, refusing the few low words that would bias it.
        let mut product = u64::from(self.next_u32()) * high;
        let low_word = |product: u64| product & 0xFFFF_FFFF;
        if low_word(product) < high {
            let threshold = ((1 << 32) - high) % high;
            while low_word(product) < threshold {
                product = u64::from(self.next_u32()) * high;
            }
        }
        product >> 32
    }

    /// `n` integers in `0..high`, as `integers(0, high, size=n)`.
    pub fn integers_vec(&mut self, high: u64, n: usize) -> Vec<u64> {
        (0..n).map(|_| self.integers(high)).collect()
    }

    /// The next 64-bit output. Leaves a buffered half in place, as NumPy does.
    pub fn next_u64(&mut self) -> u64 {
        self.step();
        let folded = (self.state >> 64) as u64 ^ self.state as u64;
        folded.rotate_right((self.state >> 122) as u32)
    }

    /// The next 32-bit draw: of each 64-bit output the low half first, then the high half.
    pub fn next_u32(&mut self) -> u32 {
        if let Some(half) = self.high_half.take() {
            return half;
        }
        let word = self.next_u64();
        self.high_half = Some((word >> 32) as u32);
        word as u32
    }

    fn step(&mut self) {
        self.state = self.state.wrapping_mul(MULTIPLIER).wrapping_add(self.increment);
    }
}

/// NumPy's `SeedSequence(seed).generate_state(4, uint64)`.
fn seed_sequence(seed: u64) -> [u64; 4] {
    let mut hash = 0x43b0_d7e5_u32;
    let mut hash_in = |value: u32| {
        let value = value ^ hash;
        hash = hash.wrapping_mul(0x931e_8875);
        let value = value.wrapping_mul(hash);
        value ^ value >> 16
    };
    let mut pool = [seed as u32, (seed >> 32) as u32, 0, 0].map(&mut hash_in);
    for from in 0..4 {
        for to in 0..4 {
            if from != to {
                let value = hash_in(pool[from]);
                let mixed = pool[to].wrapping_mul(0xca01_f9dd).wrapping_sub(value.wrapping_mul(0x4973_f715));
                pool[to] = mixed ^ mixed >> 16;
            }
        }
    }

    let mut hash = 0x8b51_f9dd_u32;
    let mut words = [0_u32; 8];
    for (word, &source) in words.iter_mut().zip(pool.iter().cycle()) {
        let value = source ^ hash;
        hash = hash.wrapping_mul(0x58f3_8ded);
        let value = value.wrapping_mul(hash);
        *word = value ^ value >> 16;
    }
    [0, 2, 4, 6].map(|i| u64::from(words[i]) | u64::from(words[i + 1]) << 32)
}
