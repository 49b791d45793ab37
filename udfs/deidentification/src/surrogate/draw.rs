//! Draws that depend on the key, the patient and what is replaced, on nothing else.

use hmac::{Hmac, Mac};
use sha2::Sha256;

/// A stream of numbers for one value of one kind.
pub(crate) struct Draw {
    mac: Option<Hmac<Sha256>>,
    block: [u8; 32],
    at: usize,
    counter: u32,
}

impl Draw {
    pub(crate) fn new(key: &[u8], patient: &str, kind: &str, value: &str) -> Draw {
        // HMAC takes keys of any length.
        let mut mac = Hmac::<Sha256>::new_from_slice(key).ok();
        if let Some(mac) = &mut mac {
            for part in [patient, kind, value] {
                mac.update(&(part.len() as u64).to_le_bytes());
                mac.update(part.as_bytes());
            }
        }
        Draw { mac, block: [0; 32], at: 32, counter: 0 }
    }

    fn byte(&mut self) -> u8 {
        if self.at == 32 {
            if let Some(mac) = &self.mac {
                let mut mac = mac.clone();
                mac.update(&self.counter.to_le_bytes());
                self.block = mac.finalize().into_bytes().into();
            }
            self.counter += 1;
            self.at = 0;
        }
        self.at += 1;
        self.block[self.at - 1]
    }

    /// A number below a bound; 0 for bound 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let number = (0..4).fold(0u64, |n, _| n << 8 | u64::from(self.byte()));
        if bound == 0 { 0 } else { (number % bound as u64) as usize }
    }

    pub(crate) fn digit(&mut self) -> char {
        char::from(b'0' + self.below(10) as u8)
    }

    pub(crate) fn letter(&mut self) -> char {
        // Letters that start names and cannot be read as digits.
        const LETTERS: &[u8] = b"ABCDEFGHJKLMNPRSTV";
        char::from(LETTERS[self.below(LETTERS.len())])
    }

    pub(crate) fn of<'a, T: ?Sized>(&mut self, list: &'a [Box<T>]) -> Option<&'a T> {
        let index = self.below(list.len());
        list.get(index).map(Box::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_key_patient_kind_and_value() {
        let first = |key: &[u8], parts: [&str; 3]| {
            let mut draw = Draw::new(key, parts[0], parts[1], parts[2]);
            (0..20).map(|_| draw.digit()).collect::<String>()
        };
        let base = first(b"k", ["p", "nom", "v"]);
        assert_eq!(base, first(b"k", ["p", "nom", "v"]));
        for other in [
            first(b"l", ["p", "nom", "v"]),
            first(b"k", ["q", "nom", "v"]),
            first(b"k", ["p", "non", "v"]),
            first(b"k", ["p", "nom", "w"]),
            first(b"k", ["pn", "om", "v"]),
        ] {
            assert_ne!(base, other);
        }
    }
}
