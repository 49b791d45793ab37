//! The weights of the tagger: a file of hashed features, read once.

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

/// Features whose sums fit into a quarter of a word.
const BATCH: usize = 256;
/// What every weight of a row has more, so that none is negative: sums go by four in a word.
const BIAS: u8 = 128;
/// Classes whose weights stand in one word.
const PACKED: usize = 8;
/// Bits of a hash by which its rows are found.
const FIRST_BITS: u32 = 20;
/// Every second byte of a word.
const EVEN: u64 = 0x00ff_00ff_00ff_00ff;

/// A feature and what it weighs. A row without a feature weighs 0, which no biased weight is.
#[derive(Clone, Copy, Default)]
struct Row {
    weights: u64,
    feature: u32,
    last: u8,
}

impl Row {
    fn new(feature: u32, weights: [i8; CLASSES.len()]) -> Row {
        let biased = weights.map(|w| w.max(-i8::MAX).cast_unsigned().wrapping_add(BIAS));
        let [packed @ .., last] = biased;
        Row { weights: u64::from_le_bytes(packed), feature, last }
    }
}

/// Weights by the hash of a feature.
pub struct Model {
    /// In the order of the hashes, close together: few pages of memory hold them.
    rows: Vec<Row>,
    /// By the first bits of a hash, where its rows start.
    starts: Vec<u32>,
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
        let row = |entry: &[u8]| {
            let mut weights = [0; CLASSES.len()];
            for (weight, byte) in weights.iter_mut().zip(&entry[4..]) {
                *weight = byte.cast_signed();
            }
            Row::new(u32::from_le_bytes(four(entry)), weights)
        };
        let mut rows: Vec<Row> = entries.chunks_exact(ENTRY).map(row).collect();
        rows.sort_by_key(|r| r.feature);
        let mut starts = vec![0; (1 << FIRST_BITS) + 1];
        for row in &rows {
            starts[first_bits(row.feature) + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        Ok(Model { rows, starts, scale })
    }

    /// The row of a feature; one that weighs nothing where there is none.
    fn row(&self, feature: u32) -> Row {
        let first = first_bits(feature);
        let rows = self.starts[first] as usize..self.starts[first + 1] as usize;
        self.rows[rows].iter().find(|row| row.feature == feature).copied().unwrap_or_default()
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
        let mut sums = [0; CLASSES.len()];
        features.chunks(BATCH).for_each(|features| self.add_up(features, &mut sums));
        softmax(sums.map(|s| s as f32 * self.scale))
    }

    /// Adds the weights of these features, at most a batch.
    fn add_up(&self, features: &[u32], sums: &mut [i32; CLASSES.len()]) {
        let (mut even, mut odd, mut last, mut rows) = (0, 0, 0, 0);
        for feature in features {
            let row = self.row(*feature);
            even += row.weights & EVEN;
            odd += row.weights >> 8 & EVEN;
            last += i32::from(row.last);
            rows += i32::from(row.weights != 0);
        }
        let bias = rows * i32::from(BIAS);
        for (class, sum) in sums.iter_mut().enumerate() {
            let lanes = if class % 2 == 0 { even } else { odd };
            let total = if class < PACKED { (lanes >> (class / 2 * 16) & 0xffff) as i32 } else { last };
            *sum += total - bias;
        }
    }

    /// The most probable label, and the probability that there is one.
    pub(super) fn guess(&self, features: &[u32]) -> (Label, f32) {
        let probable = self.probabilities(features);
        let best = (1..CLASSES.len()).max_by(|a, b| probable[*a].total_cmp(&probable[*b])).unwrap_or(1);
        (CLASSES[best].unwrap_or(Label::Nom), 1.0 - probable[0])
    }
}

fn first_bits(feature: u32) -> usize {
    (feature >> (u32::BITS - FIRST_BITS)) as usize
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
