//! The order in which rows are visited.

/// The network's generator of rows: a 32-bit xorshift.
#[derive(Debug)]
pub(super) struct Draws {
    state: u32,
}

const LOW_31: u32 = (1 << 31) - 1;

impl Draws {
    /// Starts where NumPy's legacy generator, seeded with `seed`, says: `1 + randint(2^31 - 2)`.
    pub(super) fn new(seed: u32) -> Self {
        let start = Mersenne::new(seed).map(|word| word & LOW_31).find(|&word| word <= LOW_31 - 2);
        Self { state: start.map_or(1, |start| start + 1) }
    }

    /// One of `rows` rows, of which there is at least one.
    pub(super) fn next(&mut self, rows: u32) -> u32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        (self.state & LOW_31) % rows
    }
}

const WORDS: usize = 624;
const SHIFT: usize = 397;

/// MT19937, initialised with one word as Knuth does.
struct Mersenne {
    /// A ring: the oldest word is at `next`.
    words: [u32; WORDS],
    next: usize,
}

impl Mersenne {
    fn new(seed: u32) -> Self {
        let mut words = [seed; WORDS];
        for i in 1..WORDS {
            let last = words[i - 1];
            words[i] = (last ^ last >> 30).wrapping_mul(1_812_433_253).wrapping_add(i as u32);
        }
        Self { words, next: 0 }
    }
}

impl Iterator for Mersenne {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let at = |offset: usize| self.words[(self.next + offset) % WORDS];
        let joined = at(0) & !LOW_31 | at(1) & LOW_31;
        let twist = if joined & 1 == 1 { 0x9908_b0df } else { 0 };
        let word = at(SHIFT) ^ joined >> 1 ^ twist;
        self.words[self.next] = word;
        self.next = (self.next + 1) % WORDS;
        let word = word ^ word >> 11;
        let word = word ^ word << 7 & 0x9d2c_5680;
        let word = word ^ word << 15 & 0xefc6_0000;
        Some(word ^ word >> 18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_those_of_numpy() {
        let starts: Vec<u32> = (42..52).map(|seed| Draws::new(seed).state).collect();
        let expected = [
            1_608_637_543,
            494_155_589,
            1_438_136_085,
            2_100_288_460,
            1_219_050_686,
            487_429_256,
            75_120_129,
            1_292_632_491,
            2_124_297_905,
            754_760_703,
        ];
        assert_eq!(starts, expected);
    }

    #[test]
    fn the_thousandth_word_is_that_of_the_standard() {
        // The 10,000th of the default seed is in the C++ standard: 4123659995.
        assert_eq!(Mersenne::new(5489).nth(9_999), Some(4_123_659_995));
    }

    #[test]
    fn draws_stay_below_the_number_of_rows() {
        let mut draws = Draws { state: 1 };
        assert_eq!(draws.next(1 << 31), 270_369);
        assert!((0..1000).all(|_| draws.next(7) < 7));
    }
}
