//! Learns the weights of the tagger from dossiers.
//!
//! ```sh
//! cargo run --release -p sillage-deidentification --example learn -- training/dossiers.jsonl.gz --plain pamj_fr.jsonl.gz data/tagger.model
//! ```
//!
//! Prints what five models find of the dossiers that they did not see, writer by
//! writer held out, then learns from all. Without a second path nothing is written. What
//! `data/proper_sentences.txt` and `data/letter_sentences.txt` leave unmarked is learned as well.

#![allow(clippy::print_stdout, reason = "the output of the program")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufRead, BufReader};

use chrono::{NaiveDate, NaiveDateTime};
use flate2::read::GzDecoder;
use rustc_hash::FxHashMap;
use serde::Deserialize;
use sillage_clinical::analysis::Analysis;
use sillage_clinical::knowledge::Knowledge;
use sillage_deidentification::detect::examples;
use sillage_deidentification::identity::Identity;
use sillage_deidentification::tagger::{CLASSES, Example, Model, Weights, softmax};
use sillage_deidentification::{Circumstances, Label, Person};

type Failure = Box<dyn std::error::Error>;

/// Fewest tokens that show a feature.
const SHOWN: u32 = 4;
const EPOCHS: usize = 4;
const RATE: f32 = 0.15;
const DECAY: f32 = 1e-4;
/// How much more a token counts that identifies and that the rules miss.
const MISSED: f32 = 3.0;
/// The same for a token that an example sentence leaves unmarked.
const PLAIN: f32 = 3.0;
/// Features that weigh less are left out of the file.
const LEAST: f32 = 0.15;
/// One of so many plain texts is read.
const EVERY: usize = 3;
const FOLDS: usize = 5;
/// How documents are learned from once more: as those write who use no capitals, or nothing else.
const CASES: [fn(char) -> Option<char>; 2] = [|c| one(c.to_lowercase()), |c| one(c.to_uppercase())];
/// One of so many documents in each case.
const CYCLE: usize = 4;
/// Sentences with what identifies between marks.
const SENTENCES: [&str; 2] = [include_str!("../data/proper_sentences.txt"), include_str!("../data/letter_sentences.txt")];
const THRESHOLDS: [f32; 5] = [0.15, 0.25, 0.35, 0.5, 0.75];

/// One line of the file; its README says more.
#[derive(Clone, Deserialize)]
struct Document {
    writer: String,
    #[serde(rename = "type")]
    type_code: String,
    time: String,
    author: String,
    patient: Patient,
    text: String,
    /// First character, character behind the last, label.
    spans: Vec<(usize, usize, String)>,
}

#[derive(Clone, Deserialize)]
struct Patient {
    family: String,
    given: String,
    birth_date: String,
    female: bool,
    line: Option<String>,
    postal_code: Option<String>,
    city: Option<String>,
    phone: Option<String>,
    mail: Option<String>,
    ipp: Option<String>,
    nda: Option<String>,
    nir: Option<String>,
}

impl Document {
    /// The text letter by letter in another case.
    fn written(mut self, case: fn(char) -> Option<char>) -> Document {
        self.text = self.text.chars().map(|c| case(c).unwrap_or(c)).collect();
        self
    }
}

/// A letter that stays one.
fn one(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
}

impl Patient {
    fn person(self) -> Person {
        let numbers = [(Label::Ipp, self.ipp), (Label::Nda, self.nda), (Label::Secu, self.nir)];
        Person {
            families: vec![self.family],
            givens: vec![self.given],
            birth_date: self.birth_date.parse::<NaiveDate>().ok(),
            female: Some(self.female),
            lines: self.line.into_iter().collect(),
            postal_codes: self.postal_code.into_iter().collect(),
            cities: self.city.into_iter().collect(),
            phones: self.phone.into_iter().collect(),
            mails: self.mail.into_iter().collect(),
            identifiers: numbers.into_iter().filter_map(|(label, number)| Some((label, number?))).collect(),
        }
    }
}

/// A document's tokens, each with its class and how much it counts.
struct Page {
    writer: String,
    /// In another case than it was written in: to learn from, not to measure with.
    recased: bool,
    tokens: Vec<(Example, usize, f32)>,
}

fn main() -> Result<(), Failure> {
    let (mut paths, mut plain) = (Vec::new(), None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--plain" {
            plain = arguments.next();
        } else {
            paths.push(argument);
        }
    }
    let mut paths = paths.into_iter();
    let dossiers = paths.next().ok_or("usage: learn DOSSIERS.jsonl.gz [--plain TEXTS.jsonl.gz] [MODEL]")?;
    let mut pages = Vec::new();
    for (number, line) in BufReader::new(GzDecoder::new(File::open(dossiers)?)).lines().enumerate() {
        let document: Document = serde_json::from_str(&line?)?;
        if let Some(case) = CASES.get(number % CYCLE) {
            let mut copy = page(document.clone().written(*case))?;
            copy.recased = true;
            copy.tokens.retain(|(e, ..)| !e.figures);
            pages.push(copy);
        }
        pages.push(page(document)?);
    }
    let documents = pages.iter().filter(|p| !p.recased).count();
    println!("{documents} documents, {} tokens", pages.iter().map(|p| p.tokens.len()).sum::<usize>());
    let named = plain.as_deref().map_or(String::new(), |path| format!(", plain texts of {}", path.rsplit('/').next().unwrap_or(path)));
    let mut plain = plain.map_or(Ok(Vec::new()), |path| plain_texts(&path))?;
    println!("{} plain texts", plain.len());
    let sentences = SENTENCES.iter().flat_map(|file| file.lines()).filter(|l| !l.is_empty() && !l.starts_with('#')).map(sentence);
    plain.extend(sentences);
    hold_out(&pages, &plain);
    if let Some(path) = paths.next() {
        let header = format!(
            "Maximum-entropy tagger of sillage-deidentification, by examples/learn.rs.\nSource: the {} invented documents of training/dossiers.jsonl.gz, example sentences{named} (training/README.md).\nLicence: Apache-2.0.",
            documents
        );
        let file = Model::file(&header, &learn(&pages.iter().chain(&plain).collect::<Vec<_>>()), LEAST);
        println!("{path}: {} bytes", file.len());
        std::fs::write(path, file)?;
    }
    Ok(())
}

fn page(document: Document) -> Result<Page, Failure> {
    let time = NaiveDateTime::parse_from_str(&document.time, "%Y-%m-%dT%H:%M").ok();
    let person = document.patient.person();
    let analysis = Analysis::new(Knowledge::built_in(), &document.text, time).with_type(Some(&document.type_code));
    let circumstances = Circumstances { person: Some(&person), staff: &[&document.author] };
    let byte = |character: usize| document.text.char_indices().nth(character).map_or(document.text.len(), |(at, _)| at);
    let mut gold = Vec::new();
    for (start, end, label) in &document.spans {
        gold.push((byte(*start)..byte(*end), class(Label::from_name(label).ok_or_else(|| format!("unknown label {label}"))?)));
    }
    let class_of = |e: &Example| gold.iter().find(|(g, _)| g.start < e.bytes.end && e.bytes.start < g.end).map_or(0, |(_, class)| *class);
    let weighed = |e: Example| {
        let class = class_of(&e);
        let weight = if class > 0 && e.open { MISSED } else { 1.0 };
        (e, class, weight)
    };
    let tokens = examples(Identity::built_in(), &analysis, circumstances).into_iter().map(weighed).collect();
    Ok(Page { writer: document.writer, recased: false, tokens })
}

/// Published case reports: whom they are about is not in them, so that what the rules leave is medicine.
fn plain_texts(path: &str) -> Result<Vec<Page>, Failure> {
    #[derive(Deserialize)]
    struct Report {
        text: String,
    }
    let mut pages = Vec::new();
    for line in BufReader::new(GzDecoder::new(File::open(path)?)).lines().step_by(EVERY) {
        let report: Report = serde_json::from_str(&line?)?;
        let analysis = Analysis::new(Knowledge::built_in(), &report.text, None);
        let tokens = examples(Identity::built_in(), &analysis, Circumstances::default());
        pages.push(Page {
            writer: String::new(),
            recased: false,
            tokens: tokens.into_iter().filter(|e| e.open).map(|e| (e, 0, 1.0)).collect(),
        });
    }
    Ok(pages)
}

/// What a sentence leaves outside its `⟦marks⟧`.
fn sentence(line: &str) -> Page {
    let line = line.replace("\\n", "\n").replace("\\t", "\t");
    let (mut text, mut marked) = (String::new(), Vec::new());
    for part in line.split_inclusive(['⟦', '⟧']) {
        let start = text.len();
        text += part.trim_end_matches(['⟦', '⟧']);
        if part.ends_with('⟧') {
            marked.push(start..text.len());
        }
    }
    let analysis = Analysis::new(Knowledge::built_in(), &text, None);
    let plain = |e: &Example| !marked.iter().any(|m| m.start < e.bytes.end && e.bytes.start < m.end);
    let tokens = examples(Identity::built_in(), &analysis, Circumstances::default());
    Page {
        writer: String::new(),
        recased: false,
        tokens: tokens.into_iter().filter(|e| e.open && plain(e)).map(|e| (e, 0, PLAIN)).collect(),
    }
}

/// Index among [`CLASSES`].
fn class(label: Label) -> usize {
    let known = match label {
        Label::Zip => Label::Adresse,
        Label::DateNaissance => Label::Date,
        Label::Mail | Label::Ipp | Label::Nda | Label::Secu | Label::Rpps => Label::Id,
        other => other,
    };
    CLASSES.iter().position(|c| *c == Some(known)).unwrap_or(0)
}

/// Stochastic gradient descent on the log loss, with steps by feature (AdaGrad).
fn learn(pages: &[&Page]) -> Vec<(u32, Weights)> {
    let mut shown: FxHashMap<u32, u32> = FxHashMap::default();
    let tokens: Vec<&(Example, usize, f32)> = pages.iter().flat_map(|p| &p.tokens).collect();
    for feature in tokens.iter().flat_map(|(e, ..)| &e.features) {
        *shown.entry(*feature).or_default() += 1;
    }
    let features: Vec<u32> =
        shown.into_iter().filter(|(_, times)| *times >= SHOWN).map(|(f, _)| f).collect::<BTreeSet<_>>().into_iter().collect();
    let index: FxHashMap<u32, usize> = features.iter().enumerate().map(|(i, f)| (*f, i)).collect();
    let known = |e: &Example| e.features.iter().filter_map(|f| index.get(f).copied()).collect();
    let data: Vec<(Vec<usize>, usize, f32)> = tokens.iter().map(|(e, class, weight)| (known(e), *class, *weight)).collect();
    let mut weights = vec![[0.0; CLASSES.len()]; features.len()];
    let mut squares = vec![[1e-3_f32; CLASSES.len()]; features.len()];
    let mut order: Vec<usize> = (0..data.len()).collect();
    let mut random = 12_345_u64;
    for _ in 0..EPOCHS {
        for i in (1..order.len()).rev() {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            order.swap(i, (random >> 33) as usize % (i + 1));
        }
        for at in &order {
            let (seen, class, weight) = &data[*at];
            let mut slope = [0.0; CLASSES.len()];
            for feature in seen {
                slope.iter_mut().zip(&weights[*feature]).for_each(|(s, w)| *s += w);
            }
            slope = softmax(slope);
            slope[*class] -= 1.0;
            slope.iter_mut().for_each(|s| *s *= weight);
            if slope.iter().all(|s| s.abs() < 1e-3) {
                continue;
            }
            for feature in seen {
                for ((weight, square), slope) in weights[*feature].iter_mut().zip(&mut squares[*feature]).zip(slope) {
                    let step = slope + DECAY * *weight;
                    *square += step * step;
                    *weight -= RATE * step / square.sqrt();
                }
            }
        }
    }
    features.into_iter().zip(weights).collect()
}

/// What models find of writers whom they did not read: of all identifying tokens, as if no
/// rule had found them, and falsely of the tokens that the rules leave.
fn hold_out(pages: &[Page], plain: &[Page]) {
    let writers: BTreeSet<&str> = pages.iter().map(|p| p.writer.as_str()).collect();
    let fold: BTreeMap<&str, usize> = writers.iter().enumerate().map(|(i, w)| (*w, i % FOLDS)).collect();
    let (mut found, mut gold) = ([[0usize; CLASSES.len()]; THRESHOLDS.len()], [0usize; CLASSES.len()]);
    // By threshold, of words and of figures.
    let (mut missed, mut won) = ([0usize; 2], [[0usize; 2]; THRESHOLDS.len()]);
    let (mut wrong, mut letters) = ([[0usize; 2]; THRESHOLDS.len()], 0usize);
    for held in 0..FOLDS {
        let (test, mut train): (Vec<&Page>, Vec<&Page>) = pages.iter().partition(|p| fold[p.writer.as_str()] == held);
        train.extend(plain);
        let Ok(model) = Model::read(&Model::file("", &learn(&train), LEAST)) else { return };
        for (example, class, _) in test.iter().filter(|p| !p.recased).flat_map(|p| &p.tokens) {
            let kind = usize::from(example.figures);
            let score = 1.0 - model.probabilities(&example.features)[0];
            gold[*class] += 1;
            let open = *class > 0 && example.open;
            missed[kind] += usize::from(open);
            letters += if *class > 0 { example.bytes.len() } else { 0 };
            for (i, threshold) in THRESHOLDS.iter().enumerate() {
                found[i][*class] += usize::from(score >= *threshold);
                won[i][kind] += usize::from(open && score >= *threshold);
                if *class == 0 && example.open && score >= *threshold {
                    wrong[i][kind] += example.bytes.len();
                }
            }
        }
    }
    println!("probability   found of all   of words, figures that rules miss   falsely, letters of words, figures for 100 that identify");
    for (i, threshold) in THRESHOLDS.iter().enumerate() {
        let all = found[i][1..].iter().sum::<usize>() as f64 / gold[1..].iter().sum::<usize>() as f64;
        let ([words, figures], [m, n]) = (won[i], missed);
        let [plain, numbers] = wrong[i].map(|w| 100.0 * w as f64 / letters as f64);
        println!("{threshold:>11}   {all:>12.4}   {words:>6} of {m}, {figures} of {n}   {plain:>8.2}, {numbers:.2}");
    }
}
