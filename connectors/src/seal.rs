//! Encryption of what lies on disk: AES-256-GCM, so that nobody without the key reads it
//! and no change to it goes unnoticed (NIST SP 800-38D).

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};

/// Bytes of a nonce, before the sealed bytes.
const NONCE: usize = 12;
/// Bytes of the tag, behind them.
const TAG: usize = 16;

/// Seals and opens bytes with one key. Nonces are random: good for 2³² pieces a key.
pub struct Seal(RandomizedNonceKey);

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(AES-256-GCM)")
    }
}

/// Bytes that this key did not seal in this place, or that were changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("sealed with another key, moved or damaged")]
pub struct Broken;

impl Seal {
    /// What sealed bytes are longer than plain ones.
    pub const OVERHEAD: usize = NONCE + TAG;

    pub fn new(key: &[u8; 32]) -> Seal {
        // A key of 32 bytes is what the algorithm takes.
        let Ok(key) = RandomizedNonceKey::new(&AES_256_GCM, key) else { unreachable!("32 bytes are a key") };
        Seal(key)
    }

    /// Seals bytes; only who names the same place opens them again.
    ///
    /// Errors: the system gives no random numbers.
    pub fn seal(&self, place: &[u8], plain: &[u8]) -> Result<Vec<u8>, Broken> {
        let mut body = Vec::with_capacity(plain.len() + TAG);
        body.extend_from_slice(plain);
        let nonce = self.0.seal_in_place_append_tag(Aad::from(place), &mut body).map_err(|_| Broken)?;
        let mut sealed = Vec::with_capacity(plain.len() + Self::OVERHEAD);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        Ok(sealed)
    }

    /// Opens what [`Seal::seal`] made for this place.
    ///
    /// Errors: another key, another place, or changed bytes.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, Broken> {
        let (nonce, body) = sealed.split_at_checked(NONCE).ok_or(Broken)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Broken)?;
        let mut body = body.to_vec();
        let length = self.0.open_in_place(nonce, Aad::from(place), &mut body).map_err(|_| Broken)?.len();
        body.truncate(length);
        Ok(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_place_open() {
        let seal = Seal::new(&[7; 32]);
        let sealed = seal.seal(b"file 1, piece 0", b"Mme Dupont").unwrap();
        assert_eq!(sealed.len(), 10 + Seal::OVERHEAD);
        assert!(!sealed.windows(6).any(|w| w == b"Dupont"));
        assert_eq!(seal.open(b"file 1, piece 0", &sealed).unwrap(), b"Mme Dupont");
        assert_eq!(seal.open(b"file 1, piece 1", &sealed), Err(Broken));
        assert_eq!(Seal::new(&[8; 32]).open(b"file 1, piece 0", &sealed), Err(Broken));
        let mut changed = sealed.clone();
        changed[NONCE] ^= 1;
        assert_eq!(seal.open(b"file 1, piece 0", &changed), Err(Broken));
        assert_eq!(seal.open(b"", &sealed[..5]), Err(Broken));
        assert_ne!(seal.seal(b"", b"x").unwrap(), seal.seal(b"", b"x").unwrap());
    }
}
