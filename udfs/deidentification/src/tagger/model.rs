//! The weights of the tagger: a file of hashed features, read once.

use rustc_hash::FxHashMap;
use thiserror::Error;

use crate::Label;

/// What a token may be; the first is nothing.
pub const CLASSES: [Option<Label>; 9] = [
    None,
    Some(Label::Nom),
    Some(Label::Prenom),
    Some(Label::Ville),
    Some(Label::Adresse),
    Some(Label::Hopital),
    Some(Label::Date),
    Some(Label::Tel),
    Some(Label::Id),
];
/// Weights of one feature, by class.
pub type Weights = [f32; CLASSES.len()];

/// First line of the file.
const MAGIC: &str = "sillage tagger 1";
/// Bytes of an entry: its hash and a weight for each class.
const ENTRY: usize = 4 + CLASSES.len();

/// A file that is no model.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ModelError {
    #[error("the file does not begin with {MAGIC:?}")]
    Magic,
    #[error("the file ends early or is longer than it says")]
    Length,
}

/// Bits of a hash by which [`Model::held`] knows a feature.
const HELD_BITS: u32 = 22;
/// Features that are looked for together.
const BATCH: usize = 64;

/// Weights by the hash of a feature.
pub struct Model {
    weights: FxHashMap<u32, [i8; CLASSES.len()]>,
    /// A bit for every feature, to tell those without weight from a table that the cache holds.
    held: Vec<u64>,
    scale: f32,
}

impl Model {
    /// Reads a file: [`MAGIC`] and lines of text up to an empty one, the number of entries and
    /// the scale (little endian), the entries.
    ///
    /// Errors: what is wrong with the file.
    pub fn read(file: &[u8]) -> Result<Model, ModelError> {
        if !file.starts_with(MAGIC.as_bytes()) {
            return Err(ModelError::Magic);
        }
        let text = file.windows(2).position(|w| w == b"\n\n").ok_or(ModelError::Length)? + 2;
        let (head, entries) = file[text..].split_at_checked(8).ok_or(ModelError::Length)?;
        let four = |bytes: &[u8]| [bytes[0], bytes[1], bytes[2], bytes[3]];
        let (count, scale) = (u32::from_le_bytes(four(head)), f32::from_le_bytes(four(&head[4..])));
        if entries.len() != count as usize * ENTRY {
            return Err(ModelError::Length);
        }
        let entry = |bytes: &[u8]| {
            let mut weights = [0; CLASSES.len()];
            for (weight, byte) in weights.iter_mut().zip(&bytes[4..]) {
                *weight = byte.cast_signed();
            }
            (u32::from_le_bytes(four(bytes)), weights)
        };
        let weights: FxHashMap<_, _> = entries.chunks_exact(ENTRY).map(entry).collect();
        let mut held = vec![0; 1 << (HELD_BITS - 6)];
        for feature in weights.keys() {
            let (word, bit) = held_at(*feature);
            held[word] |= 1 << bit;
        }
        Ok(Model { weights, held, scale })
    }

    /// The file of a model; `header` says where it comes from. Weights become steps of
    /// a 127th of the largest; features that weigh less than `least` are left out.
    pub fn file(header: &str, weights: &[(u32, Weights)], least: f32) -> Vec<u8> {
        let largest = weights.iter().flat_map(|(_, w)| w).fold(f32::MIN_POSITIVE, |m, w| m.max(w.abs()));
        let scale = largest / 127.0;
        let mut kept: Vec<&(u32, Weights)> = weights.iter().filter(|(_, w)| w.iter().any(|w| w.abs() >= least)).collect();
        kept.sort_by_key(|(hash, _)| *hash);
        let mut file = format!("{}\n\n", format!("{MAGIC}\n{header}").trim_end()).into_bytes();
        file.extend(u32::try_from(kept.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend(scale.to_le_bytes());
        for (hash, weights) in kept {
            file.extend(hash.to_le_bytes());
            file.extend(weights.iter().map(|w| ((w / scale).round() as i8).cast_unsigned()));
        }
        file
    }

    /// How probable each class is.
    pub fn probabilities(&self, features: &[u32]) -> Weights {
        let mut sums = [0i32; CLASSES.len()];
        for features in features.chunks(BATCH) {
            // Taken together without a branch: which features have weight nobody can guess.
            let (mut held, mut count) = ([0; BATCH], 0);
            for feature in features {
                held[count] = *feature;
                let (word, bit) = held_at(*feature);
                count += (self.held[word] >> bit & 1) as usize;
            }
            for weights in held[..count].iter().filter_map(|f| self.weights.get(f)) {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum += i32::from(*weight);
                }
            }
        }
        softmax(sums.map(|s| s as f32 * self.scale))
    }

    /// The most probable label, and the probability that there is one.
    pub(super) fn guess(&self, features: &[u32]) -> (Label, f32) {
        let probable = self.probabilities(features);
        let best = (1..CLASSES.len()).max_by(|a, b| probable[*a].total_cmp(&probable[*b])).unwrap_or(1);
        (CLASSES[best].unwrap_or(Label::Nom), 1.0 - probable[0])
    }
}

/// Word and bit of a feature in [`Model::held`].
fn held_at(feature: u32) -> (usize, u32) {
    let place = feature >> (u32::BITS - HELD_BITS);
    ((place >> 6) as usize, place & 63)
}

/// Shares that add up to one.
pub fn softmax(mut scores: Weights) -> Weights {
    let largest = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut total = 0.0;
    for score in &mut scores {
        *score = (*score - largest).exp();
        total += *score;
    }
    scores.map(|s| s / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let mut name = [0.0; CLASSES.len()];
        name[1] = 2.0;
        let mut light = [0.0; CLASSES.len()];
        light[2] = 0.01;
        let file = Model::file("Of a test.", &[(7, name), (5, light)], 0.1);
        assert!(file.starts_with(b"sillage tagger 1\nOf a test.\n\n"));
        let Ok(model) = Model::read(&file) else { panic!("it is a model") };
        let (label, score) = model.guess(&[5, 7, 9]);
        assert_eq!(label, Label::Nom);
        let odds = 2.0_f32.exp();
        assert!((score - (odds + 7.0) / (odds + 8.0)).abs() < 1e-3, "{score}");
        assert_eq!(Model::read(b"sillage tagger 2").err(), Some(ModelError::Magic));
        assert_eq!(Model::read(&file[..file.len() - 1]).err(), Some(ModelError::Length));
        assert_eq!(Model::read(b"sillage tagger 1\n").err(), Some(ModelError::Length));
        assert_eq!(Model::read(b"sillage tagger 1\n\n123").err(), Some(ModelError::Length));
    }
}
