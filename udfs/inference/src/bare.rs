//! What a model costs without us: perfect batches through one session, as a floor to
//! compare with, and its raw logits.

use std::time::{Duration, Instant};

use crate::error::{ModelError, Result};
use crate::folder::{Folder, GRAPH, TOKENIZER};
use crate::runtime::Runtime;
use crate::session::{Network, Place, places};
use crate::settings::Settings;
use crate::tokens::{TextTokenizer, Tokens};

/// A network with its tokenizer, and nothing around them.
pub struct Bare {
    tokenizer: TextTokenizer,
    network: Network,
    output: String,
    max_length: usize,
    batch_tokens: usize,
}

impl Bare {
    /// Loads a folder of a text model.
    ///
    /// Errors: as for any use of it.
    pub fn load(folder: &Folder, settings: &Settings) -> Result<Bare> {
        let wrong = |message: String| ModelError::Folder { path: folder.path.clone(), message };
        let Some(input) = &folder.manifest.input else { return Err(wrong("it reads no text".to_owned())) };
        let tokenizer = TextTokenizer::read(&folder.path.join(TOKENIZER), &input.normalisation).map_err(wrong)?;
        let runtime = Runtime::load(&settings.runtime)?;
        let one = Settings { sessions: 1, ..settings.clone() };
        let Some(place) = places(&runtime, &one)?.into_iter().next() else { return Err(wrong("no session".to_owned())) };
        let network = Network::load(&runtime, &folder.path.join(GRAPH), place, settings).map_err(wrong)?;
        let Some((output, _)) = network.outputs.first().cloned() else { return Err(wrong("it has no output".to_owned())) };
        let batch_tokens = match (settings.batch_tokens, place) {
            (0, Place::Cpu { .. }) => 2048,
            (0, _) => 16384,
            (tokens, _) => tokens,
        };
        Ok(Bare { tokenizer, network, output, max_length: input.max_length, batch_tokens })
    }

    /// Ids of a text cut into pieces that fit, special tokens around each.
    fn pieces(&self, text: &str) -> Vec<Vec<u32>> {
        let tokens = self.tokenizer.tokens(text).unwrap_or_default();
        let whole = |piece: &[u32]| [self.tokenizer.prefix.as_slice(), piece, self.tokenizer.suffix.as_slice()].concat();
        tokens.ids.chunks(self.max_length - self.tokenizer.special()).map(whole).collect()
    }

    fn run(&mut self, batch: &[Vec<u32>]) -> Result<crate::session::Output, String> {
        let length = batch.iter().map(Vec::len).max().unwrap_or(1);
        let padding = self.tokenizer.padding;
        let value = |input: &str, at: usize| {
            let (row, column) = (at / length, at % length);
            match input {
                "input_ids" => i64::from(batch[row].get(column).copied().unwrap_or(padding)),
                "attention_mask" => i64::from(column < batch[row].len()),
                "position_ids" => column as i64,
                _ => 0,
            }
        };
        self.network.run(batch.len(), length, value, &self.output)
    }

    /// Time that the network takes for all tokens of the texts and how many they are:
    /// nothing overlaps, all is tokenised and sorted by length before the clock starts.
    ///
    /// Errors: what ONNX Runtime says.
    pub fn time(&mut self, texts: &[&str]) -> Result<(Duration, usize), String> {
        let mut pieces: Vec<Vec<u32>> = texts.iter().flat_map(|text| self.pieces(text)).collect();
        pieces.sort_by_key(Vec::len);
        let tokens = pieces.iter().map(Vec::len).sum();
        let mut batches: Vec<Vec<Vec<u32>>> = Vec::new();
        for piece in pieces.into_iter().rev() {
            match batches.last_mut() {
                Some(batch) if (batch.len() + 1) * batch[0].len() <= self.batch_tokens => batch.push(piece),
                _ => batches.push(vec![piece]),
            }
        }
        if let Some(batch) = batches.first() {
            self.run(batch)?;
        }
        let started = Instant::now();
        for batch in &batches {
            self.run(batch)?;
        }
        Ok((started.elapsed(), tokens))
    }

    /// How much the output for a short text changes when a longer one shares its batch,
    /// beside the range of that output. A graph that was exported without its mask
    /// reads padding as text; int8 differs by a few hundredths of the range.
    ///
    /// Errors: what ONNX Runtime says.
    pub fn padding_effect(&mut self) -> Result<(f32, f32), String> {
        let (short, long) = ("AVC sylvien gauche.", "HTA, diabète, tabac. ".repeat(4));
        let fits = self.pieces(&long).len() == 1;
        let long = if fits { long.as_str() } else { "HTA, diabète." };
        let (alone, beside) = (self.logits(&[short])?, self.logits(&[short, long])?);
        let (alone, beside) = (&alone[0].1, &beside[0].1);
        let most = alone.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let least = alone.iter().copied().fold(f32::INFINITY, f32::min);
        let apart = alone.iter().zip(beside).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        Ok((apart, most - least))
    }

    /// Tokens of texts that fit one window, and their logits: `[tokens, labels]`, special
    /// ones left out. They go through the network in one padded batch.
    ///
    /// Errors: a text does not fit, or what ONNX Runtime says.
    pub fn logits(&mut self, texts: &[&str]) -> Result<Vec<(Tokens, Vec<f32>)>, String> {
        let mut batch = Vec::with_capacity(texts.len());
        for text in texts {
            let mut pieces = self.pieces(text);
            batch.push(match pieces.len() {
                0 => [self.tokenizer.prefix.as_slice(), self.tokenizer.suffix.as_slice()].concat(),
                1 => pieces.remove(0),
                _ => return Err("the text does not fit one window".to_owned()),
            });
        }
        let output = self.run(&batch)?;
        let [_, length, width] = output.shape.as_slice() else { return Err("its output has not three axes".to_owned()) };
        let mut found = Vec::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let tokens = self.tokenizer.tokens(text)?;
            let first = row * length + self.tokenizer.prefix.len();
            found.push((tokens, output.values[first * width..(first + batch[row].len() - self.tokenizer.special()) * width].to_vec()));
        }
        Ok(found)
    }
}
