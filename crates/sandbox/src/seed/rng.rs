//! A small generator whose output never changes: SplitMix64.
//!
//! No floating point anywhere in the seed, so that every platform makes the same octets.

/// The state; everything is derived from where it starts.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// A generator for the thing called `parts`.
    pub(crate) fn new(parts: &[u64]) -> Self {
        let mut rng = Self(0x9e37_79b9_7f4a_7c15);
        for part in parts {
            rng.0 ^= *part;
            rng.draw();
        }
        rng
    }

    /// 64 bits.
    pub(crate) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`; 0 for 0.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = n as u64;
        if n == 0 { 0 } else { (self.draw() % n) as usize }
    }

    /// True `percent` times in a hundred.
    pub(crate) fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items; they must not be none.
    pub(crate) fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }

    /// A size by deciles: `table` holds the bounds between which a tenth of all sizes lies each.
    pub(crate) fn decile(&mut self, table: &[usize; 11]) -> usize {
        let tenth = self.below(10);
        let (low, high) = (table[tenth], table[tenth + 1]);
        low + self.below(high.saturating_sub(low).max(1))
    }
}

/// A number for a name, to start a generator with (FNV-1a).
pub(crate) fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The reference implementation's first outputs for the seed 1234567.
    #[test]
    fn known_answers() {
        let mut rng = Rng(1_234_567);
        assert_eq!(rng.draw(), 6_457_827_717_110_365_317);
        assert_eq!(rng.draw(), 3_203_168_211_198_807_973);
        assert_eq!(hash("a"), 0xaf63_dc4c_8601_ec8c);
    }

    #[test]
    fn deciles_stay_between_their_bounds() {
        let table = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 1000];
        let mut rng = Rng::new(&[7]);
        let sizes: Vec<usize> = (0..10_000).map(|_| rng.decile(&table)).collect();
        assert!(sizes.iter().all(|s| (1..1000).contains(s)));
        let large = sizes.iter().filter(|s| **s >= 10).count();
        assert!((800..1200).contains(&large), "{large}");
    }
}
