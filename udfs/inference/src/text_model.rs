//! A model of text, loaded: tokenizer, sessions and what is made of their output.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use ort::value::TensorElementType;
use sillage_clinical::sentence::sentences;
use sillage_clinical::text::Text;

use crate::error::{ModelError, Result};
use crate::folder::{Folder, GRAPH, PoolingKind, Task};
use crate::label::{Found, LabelSet, Verdict};
use crate::pool::{Answer, Feeder, Head, Job, Pool, Request};
use crate::runtime::Runtime;
use crate::session::{Network, Output, places};
use crate::settings::{Device, Settings};
use crate::tokens::{TextTokenizer, Tokens};
use crate::window::windows;

/// A loaded model of text.
pub struct TextModel {
    pub name: String,
    pub version: String,
    /// SHA-256 of the graph.
    pub sha256: String,
    pub licence: String,
    /// What it really runs on.
    pub device: String,
    tokenizer: TextTokenizer,
    max_length: usize,
    overlap: usize,
    kind: Kind,
    pool: Pool,
}

enum Kind {
    Labels(Arc<LabelHead>),
    Vector { dimension: usize, normalise: bool },
}

/// What a model says of a text; an error where it failed on it.
pub type Outcome<T> = std::result::Result<T, String>;

struct LabelHead {
    output: String,
    set: LabelSet,
}

impl Head for LabelHead {
    type Answer = Answer;

    fn output(&self) -> &str {
        &self.output
    }

    fn read(&self, output: &Output, row: usize, length: usize, job: &Job) -> Outcome<Answer> {
        let labels = self.set.len();
        let logits = row_of(output, row, length, labels)?;
        let mut scratch = Vec::with_capacity(self.set.kinds.len());
        let verdicts: Option<Vec<Verdict>> =
            job.owned.clone().map(|token| self.set.verdict(&logits[token * labels..(token + 1) * labels], &mut scratch)).collect();
        verdicts.map(Answer::Labels).ok_or_else(|| "its output holds what is no number".to_owned())
    }
}

/// A row of `[rows, length, width]`.
fn row_of(output: &Output, row: usize, length: usize, width: usize) -> Outcome<&[f32]> {
    let fits = matches!(output.shape.as_slice(), [rows, at, last] if row < *rows && *at == length && *last == width);
    if !fits || output.values.len() != output.shape.iter().product::<usize>() {
        return Err(format!("its output has the shape {:?}, and [rows, {length}, {width}] was expected", output.shape));
    }
    Ok(&output.values[row * length * width..(row + 1) * length * width])
}

struct VectorHead {
    output: String,
    dimension: usize,
    pooling: PoolingKind,
}

impl Head for VectorHead {
    type Answer = Answer;

    fn output(&self) -> &str {
        &self.output
    }

    /// The sum of the vectors that count, or the first one: windows are put together later.
    fn read(&self, output: &Output, row: usize, length: usize, job: &Job) -> Outcome<Answer> {
        let states = row_of(output, row, length, self.dimension)?;
        let tokens = match self.pooling {
            PoolingKind::Mean => 0..job.ids.len(),
            PoolingKind::Cls => 0..1,
        };
        let mut sum = vec![0.0; self.dimension];
        let count = tokens.len() as f32;
        for token in tokens {
            for (to, from) in sum.iter_mut().zip(&states[token * self.dimension..]) {
                *to += from / count;
            }
        }
        if sum.iter().all(|v| v.is_finite()) { Ok(Answer::Vector(sum)) } else { Err("its output holds what is no number".to_owned()) }
    }
}

/// A text whose windows are on their way.
struct Pending {
    tokens: Tokens,
    windows: Vec<Range<usize>>,
    failed: Option<String>,
}

impl TextModel {
    /// Loads a folder: verifies its files, starts its sessions and warms them.
    ///
    /// Errors: the piece that is missing, wrong or does not fit the others.
    pub fn load(folder: &Folder, settings: &Settings) -> Result<TextModel> {
        let wrong = |message: String| ModelError::Folder { path: folder.path.clone(), message };
        let manifest = &folder.manifest;
        let sha256 = folder.digest()?;
        let Some(input) = &manifest.input else { return Err(wrong("model.toml: the section `[input]` is missing".to_owned())) };
        let tokenizer = TextTokenizer::read(&folder.path.join(crate::folder::TOKENIZER), &input.normalisation).map_err(wrong)?;
        if input.max_length <= tokenizer.special() + 1 {
            return Err(wrong("model.toml: `input.max_length` leaves no room beside the special tokens".to_owned()));
        }
        let runtime = Runtime::load(&settings.runtime)?;
        let load = |settings: &Settings| -> Result<Vec<Network>> {
            let network = |place| {
                Network::load(&runtime, &folder.path.join(GRAPH), place, settings).map_err(|e| wrong(format!("{GRAPH} on {place}: {e}")))
            };
            places(&runtime, settings)?.into_iter().map(network).collect()
        };
        let mut networks = match load(settings) {
            // A library for GPUs says nothing of the machine it is on.
            Err(error) if settings.device == Device::Auto && runtime.has_cuda() => {
                tracing::warn!(model = %folder.name, %error, "no GPU can be used: the model runs on the CPU");
                load(&Settings { device: Device::Cpu, ..settings.clone() })?
            }
            networks => networks?,
        };
        let Some(first) = networks.first() else { return Err(wrong("no session".to_owned())) };
        inputs(first, input.token_type_ids).map_err(wrong)?;
        let labels = (manifest.task == Task::TokenClassification).then(|| LabelSet::new(manifest)).transpose();
        let labels = labels.map_err(|e| wrong(format!("model.toml: {e}")))?;
        let width = labels.as_ref().map_or_else(|| manifest.embedding.as_ref().map_or(0, |e| e.dimension), LabelSet::len);
        let output = output(first, if labels.is_some() { "logits" } else { "last_hidden_state" }, width).map_err(wrong)?;
        for network in &mut networks {
            warm(network, &output, input.max_length, tokenizer.padding).map_err(|e| wrong(format!("{GRAPH}: {e}")))?;
        }
        let mut used: Vec<String> = networks.iter().map(Network::statement).collect();
        used.dedup();
        let device = if used.len() == 1 && networks.len() > 1 { format!("{} × {}", networks.len(), used[0]) } else { used.join("; ") };
        tracing::info!(model = %folder.name, device = %device, "model loaded");
        let failed = |e: std::io::Error| ModelError::Device(format!("no thread for a model: {e}"));
        let (kind, pool) = match (labels, &manifest.embedding) {
            (Some(set), _) => {
                let head = Arc::new(LabelHead { output, set });
                (Kind::Labels(head.clone()), Pool::start(networks, head, tokenizer.padding, settings.batch_tokens).map_err(failed)?)
            }
            (None, Some(embedding)) => {
                let head = Arc::new(VectorHead { output, dimension: embedding.dimension, pooling: embedding.pooling });
                let kind = Kind::Vector { dimension: embedding.dimension, normalise: embedding.normalise };
                (kind, Pool::start(networks, head, tokenizer.padding, settings.batch_tokens).map_err(failed)?)
            }
            (None, None) => return Err(wrong("model.toml says neither labels nor embedding".to_owned())),
        };
        Ok(TextModel {
            name: folder.name.clone(),
            version: manifest.version.clone(),
            sha256,
            licence: manifest.licence.clone(),
            device,
            overlap: input.overlap.unwrap_or(input.max_length / 8),
            max_length: input.max_length,
            tokenizer,
            kind,
            pool,
        })
    }

    /// Labels that spans may have; none for an embedding.
    pub fn labels(&self) -> &[String] {
        match &self.kind {
            Kind::Labels(head) => &head.set.kinds,
            Kind::Vector { .. } => &[],
        }
    }

    /// Numbers of a vector; 0 for a tagger.
    pub fn dimension(&self) -> usize {
        match self.kind {
            Kind::Labels(_) => 0,
            Kind::Vector { dimension, .. } => dimension,
        }
    }

    /// The spans of each text, in bytes, ascending.
    pub fn spans<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Outcome<Vec<Found>>> {
        let Kind::Labels(head) = &self.kind else { return texts.into_iter().map(|_| Ok(Vec::new())).collect() };
        let texts: Vec<&str> = texts.into_iter().collect();
        let (pending, answers) = self.run(&texts);
        let mut answers = answers.into_iter();
        let join = |(text, pending): (&&str, Pending)| {
            let parts: Vec<Outcome<Answer>> = answers.by_ref().take(pending.windows.len()).collect();
            pending.failed.map_or(Ok(()), Err)?;
            let mut verdicts = Vec::with_capacity(pending.tokens.ids.len());
            for part in parts {
                if let Answer::Labels(labels) = part? {
                    verdicts.extend(labels);
                }
            }
            Ok(head.set.spans(text, &pending.tokens.ranges, &pending.tokens.words, &verdicts))
        };
        texts.iter().zip(pending).map(join).collect()
    }

    /// The vector of each text; the empty text has that of its special tokens.
    pub fn vectors<'t>(&self, texts: impl IntoIterator<Item = &'t str>) -> Vec<Outcome<Vec<f32>>> {
        let Kind::Vector { dimension, normalise } = self.kind else { return texts.into_iter().map(|_| Ok(Vec::new())).collect() };
        let texts: Vec<&str> = texts.into_iter().collect();
        let (pending, answers) = self.run(&texts);
        let mut answers = answers.into_iter();
        let join = |pending: Pending| {
            let parts: Vec<Outcome<Answer>> = answers.by_ref().take(pending.windows.len()).collect();
            pending.failed.map_or(Ok(()), Err)?;
            let (mut sum, mut weight) = (vec![0.0f32; dimension], 0.0f32);
            for (part, owned) in parts.into_iter().zip(&pending.windows) {
                if let Answer::Vector(vector) = part? {
                    // A window counts as much as the tokens that it owns.
                    let share = owned.len().max(1) as f32;
                    weight += share;
                    sum.iter_mut().zip(vector).for_each(|(to, from)| *to += from * share);
                }
            }
            let length = sum.iter().map(|v| v * v).sum::<f32>().sqrt();
            let scale = if normalise { length } else { weight };
            if scale > 0.0 {
                sum.iter_mut().for_each(|v| *v /= scale);
            }
            Ok(sum)
        };
        pending.into_iter().map(join).collect()
    }

    /// How many tokens a text has, special ones left out.
    ///
    /// Errors: the tokenizer fails on it.
    pub fn count_tokens(&self, text: &str) -> Outcome<usize> {
        self.tokenizer.tokens(text).map(|t| t.ids.len())
    }

    /// Brings the windows of all texts and waits for the answers.
    fn run(&self, texts: &[&str]) -> (Vec<Pending>, Vec<Outcome<Answer>>) {
        let feeder = self.pool.feed();
        let pending = texts.iter().map(|text| self.bring(text, &feeder)).collect();
        let request: Arc<Request> = feeder.request.clone();
        drop(feeder);
        (pending, request.wait())
    }

    fn bring(&self, text: &str, feeder: &Feeder<'_>) -> Pending {
        let tokens = match self.tokenizer.tokens(text) {
            Ok(tokens) => tokens,
            Err(reason) => return Pending { tokens: Tokens::default(), windows: Vec::new(), failed: Some(reason) },
        };
        let capacity = self.max_length - self.tokenizer.special();
        let count = tokens.ids.len();
        let bounds = if count > capacity { bounds(text, &tokens.ranges) } else { Vec::new() };
        let mut cut = windows(count, capacity, self.overlap, &bounds);
        if cut.is_empty() && self.dimension() > 0 {
            cut.push(crate::window::Window { tokens: 0..0, owned: 0..0 });
        }
        let prefix = self.tokenizer.prefix.len();
        for window in &cut {
            let mut ids = Vec::with_capacity(window.tokens.len() + self.tokenizer.special());
            ids.extend_from_slice(&self.tokenizer.prefix);
            ids.extend_from_slice(&tokens.ids[window.tokens.clone()]);
            ids.extend_from_slice(&self.tokenizer.suffix);
            let shift = |token: usize| token + prefix - window.tokens.start;
            feeder.bring(ids, shift(window.owned.start.max(window.tokens.start))..shift(window.owned.end.max(window.tokens.start)));
        }
        Pending { tokens, windows: cut.into_iter().map(|w| w.owned).collect(), failed: None }
    }
}

/// The tokens that sentences begin with.
fn bounds(text: &str, tokens: &[Range<usize>]) -> Vec<usize> {
    let read = Text::new(text);
    let starts = sentences(&read).into_iter().map(|sentence| read.byte_range(sentence).start);
    let mut bounds: Vec<usize> = starts.map(|byte| tokens.partition_point(|token| token.end <= byte)).collect();
    bounds.dedup();
    bounds
}

/// Whether the graph's inputs are those that are filled here.
fn inputs(network: &Network, token_type_ids: Option<bool>) -> std::result::Result<(), String> {
    const KNOWN: [&str; 4] = ["input_ids", "attention_mask", "token_type_ids", "position_ids"];
    let names: Vec<&str> = network.inputs.iter().map(|(name, _)| name.as_str()).collect();
    if let Some(unknown) = names.iter().find(|n| !KNOWN.contains(n)) {
        return Err(format!("{GRAPH}: its input `{unknown}` is none of {}", KNOWN.join(", ")));
    }
    if !names.contains(&"input_ids") {
        return Err(format!("{GRAPH}: it has no input `input_ids`"));
    }
    for (name, kind) in &network.inputs {
        if !matches!(kind, TensorElementType::Int64 | TensorElementType::Int32) {
            return Err(format!("{GRAPH}: its input `{name}` is {kind}, and ids are int64 or int32"));
        }
    }
    match token_type_ids {
        Some(true) if !names.contains(&"token_type_ids") => Err(format!("model.toml says token_type_ids, {GRAPH} does not take them")),
        Some(false) if names.contains(&"token_type_ids") => Err(format!("model.toml says no token_type_ids, {GRAPH} takes them")),
        _ => Ok(()),
    }
}

/// The output of that name, or the first of three axes; its last axis as the manifest says.
fn output(network: &Network, wanted: &str, width: usize) -> std::result::Result<String, String> {
    let of_three =
        |(_, tensor): &&(String, Option<(TensorElementType, Vec<i64>)>)| tensor.as_ref().is_some_and(|(_, shape)| shape.len() == 3);
    let found = network.outputs.iter().find(|(name, _)| name == wanted).or_else(|| network.outputs.iter().find(of_three));
    let names = || network.outputs.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let Some((name, Some((_, shape)))) = found else {
        return Err(format!("{GRAPH}: it has no output `{wanted}` of [batch, sequence, {width}], but {}", names()));
    };
    match shape.as_slice() {
        [_, _, last] if *last < 0 || *last as usize == width => Ok(name.clone()),
        [_, _, last] => Err(format!("{GRAPH}: the last axis of `{name}` has {last} numbers, model.toml says {width}")),
        _ => Err(format!("{GRAPH}: `{name}` has {} axes, and [batch, sequence, {width}] was expected", shape.len())),
    }
}

/// Runs the network once, short and long: what it allocates and compiles, it does now.
fn warm(network: &mut Network, output: &str, max_length: usize, padding: u32) -> std::result::Result<(), String> {
    let started = Instant::now();
    for (rows, length) in [(1, 8), (1, max_length)] {
        let value = |input: &str, at: usize| match input {
            "input_ids" => i64::from(padding),
            "attention_mask" => 1,
            "position_ids" => (at % length) as i64,
            _ => 0,
        };
        network.run(rows, length, value, output).map_err(|e| {
            format!("it fails on {length} tokens: {e}; is `input.max_length` right, and are batch and sequence dynamic axes?")
        })?;
    }
    tracing::debug!(milliseconds = started.elapsed().as_millis() as u64, "session warmed");
    Ok(())
}
