/// A small deterministic generator (xorshift64*); not for anything secret.
#[derive(Clone, Debug)]
pub struct Rng(u64);

impl Rng {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next number.
    pub fn next_u64(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number in `1..=max` (1 when `max` is 0), small ones more often.
    pub fn size(&mut self, max: usize) -> usize {
        let max = max.max(1) as u64;
        let bound = 1 + self.next_u64() % max;
        (1 + self.next_u64() % bound) as usize
    }
}
