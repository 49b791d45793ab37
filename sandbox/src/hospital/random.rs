//! A small deterministic random source (SplitMix64): the same seed makes the
//! same hospital on every machine and with every version of every library.

/// A stream of random numbers.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The stream that belongs to a seed and a place in the feed.
    pub fn new(seed: u64, place: u64) -> Random {
        let mut random = Random(seed ^ place.wrapping_mul(0xD6E8_FEB8_6659_FD93));
        random.next();
        random
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number of `0..count`; 0 where there is nothing to choose from.
    pub fn below(&mut self, count: usize) -> usize {
        // Multiplication instead of modulo: no bias worth the name for small counts.
        ((u128::from(self.next()) * count as u128) >> 64) as usize
    }

    /// A whole number, both ends included.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as usize + 1) as i64
    }

    /// True `percent` times out of a hundred.
    pub fn chance(&mut self, percent: u32) -> bool {
        (self.below(100) as u32) < percent
    }

    /// A number around the middle of a range: the mean of three draws.
    pub fn around(&mut self, low: i64, high: i64) -> i64 {
        (self.between(low, high) + self.between(low, high) + self.between(low, high)) / 3
    }

    /// One of some values, each with its weight; the first where all weigh nothing.
    pub fn weighted<T: Copy>(&mut self, first: (u32, T), others: &[(u32, T)]) -> T {
        let total: u32 = first.0 + others.iter().map(|o| o.0).sum::<u32>();
        let mut drawn = self.below(total as usize) as u32;
        if drawn < first.0 {
            return first.1;
        }
        drawn -= first.0;
        for &(weight, value) in others {
            if drawn < weight {
                return value;
            }
            drawn -= weight;
        }
        first.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, place| (0..8).map(|_| 0).scan(Random::new(seed, place), |r, _| Some(r.next())).collect::<Vec<_>>();
        assert_eq!(draw(1, 2), draw(1, 2));
        assert_ne!(draw(1, 2), draw(1, 3));
        assert_ne!(draw(1, 2), draw(2, 2));
    }

    #[test]
    fn bounds_are_reached_and_kept() {
        let mut random = Random::new(3, 0);
        let mut seen = [false; 5];
        for _ in 0..1000 {
            let n = random.between(-2, 2);
            seen[(n + 2) as usize] = true;
        }
        assert_eq!(seen, [true; 5]);
        assert_eq!(random.below(0), 0);
        assert_eq!(random.between(4, 4), 4);
    }

    #[test]
    fn weights_count() {
        let mut random = Random::new(9, 0);
        let twos = (0..1000).filter(|_| random.weighted((1, 1), &[(9, 2), (0, 3)]) == 2).count();
        assert!((850..950).contains(&twos), "{twos}");
    }
}
