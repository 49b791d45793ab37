//! Labels of tokens and the spans that they make: BIO, BIOES and IO.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;

use crate::folder::Manifest;

/// How labels say where a span begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Scheme {
    /// `B-X` begins, `I-X` goes on.
    Bio,
    /// As BIO, `E-X` ends and `S-X` is alone; also `L-X` and `U-X`.
    #[serde(alias = "BILOU")]
    Bioes,
    /// `X` or `I-X`: neighbours of one label are one span.
    Io,
}

/// What a pieces of a word are labelled by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Words {
    /// Each piece has a label of its own.
    #[default]
    Token,
    /// The first piece of a word speaks for all.
    First,
}

/// Where a token stands in its span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Begin,
    Inside,
    End,
    Single,
}

impl Scheme {
    /// Place and label that a name says; `None` outside.
    ///
    /// Errors: the name does not belong to the scheme.
    pub fn part(self, name: &str) -> Result<Option<(Place, &str)>, String> {
        if name == "O" {
            return Ok(None);
        }
        let (place, label) = match (name.get(..2), name.get(2..)) {
            (Some("B-"), Some(label)) => (Place::Begin, label),
            (Some("I-"), Some(label)) => (Place::Inside, label),
            (Some("E-" | "L-"), Some(label)) => (Place::End, label),
            (Some("S-" | "U-"), Some(label)) => (Place::Single, label),
            _ if self == Scheme::Io => (Place::Inside, name),
            _ => return Err(format!("`{name}` has no prefix (B-, I-, …), which its scheme needs")),
        };
        let fits = match self {
            Scheme::Bio => matches!(place, Place::Begin | Place::Inside),
            Scheme::Bioes => true,
            Scheme::Io => place == Place::Inside,
        };
        if label.is_empty() || !fits {
            return Err(format!("`{name}` does not belong to its scheme"));
        }
        Ok(Some((place, label)))
    }
}

/// The labels of a model, ready to be read.
#[derive(Debug, Clone)]
pub struct LabelSet {
    /// By index: place, and index into `kinds`; `None` outside or dropped.
    parts: Vec<Option<(Place, usize)>>,
    /// Our labels.
    pub kinds: Vec<String>,
    /// By kind: the least probability, where one is given.
    thresholds: Vec<Option<f32>>,
    outside: usize,
    temperature: f32,
    words: Words,
}

/// The verdict on a token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// Index of the label; `u16::MAX` where nothing was decided.
    pub label: u16,
    /// Probability of the label, over its places.
    pub score: f32,
}

/// Words of a text that a model found, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    pub start: usize,
    pub end: usize,
    /// Index into [`LabelSet::kinds`].
    pub kind: usize,
    pub score: f32,
}

impl LabelSet {
    /// Errors: labels and thresholds that contradict each other.
    pub fn new(manifest: &Manifest) -> Result<LabelSet, String> {
        let Some(labels) = &manifest.labels else { return Err("the section `[labels]` is missing".to_owned()) };
        let mut kinds: Vec<String> = Vec::new();
        let mut parts = Vec::with_capacity(labels.names.len());
        let mut used = BTreeMap::new();
        for name in &labels.names {
            let part = labels.scheme.part(name)?;
            parts.push(part.and_then(|(place, label)| {
                used.insert(label.to_owned(), ());
                let ours = labels.map.get(label).map_or(label, String::as_str);
                if ours.is_empty() {
                    return None;
                }
                let kind = kinds.iter().position(|k| k == ours).unwrap_or_else(|| {
                    kinds.push(ours.to_owned());
                    kinds.len() - 1
                });
                Some((place, kind))
            }));
        }
        if let Some(unknown) = labels.map.keys().find(|k| !used.contains_key(*k)) {
            return Err(format!("`labels.map` names `{unknown}`, which is no label of the model"));
        }
        if let Some(unknown) = manifest.thresholds.keys().find(|k| !kinds.contains(k)) {
            return Err(format!("`thresholds` names `{unknown}`, which is none of {}", kinds.join(", ")));
        }
        let thresholds = kinds.iter().map(|k| manifest.thresholds.get(k).copied()).collect();
        let outside = labels.names.iter().position(|n| n == "O").unwrap_or(0);
        Ok(LabelSet { parts, kinds, thresholds, outside, temperature: labels.temperature, words: labels.words })
    }

    /// How many labels the last axis of the logits has.
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The verdict on one token from its logits; `None` when they hold no numbers.
    pub fn verdict(&self, logits: &[f32], kinds: &mut Vec<f32>) -> Option<Verdict> {
        let (mut best, mut most) = (0, f32::NEG_INFINITY);
        for (index, logit) in logits.iter().enumerate() {
            if !logit.is_finite() {
                return None;
            }
            if *logit > most {
                (best, most) = (index, *logit);
            }
        }
        let sum: f32 = logits.iter().map(|l| ((l - most) / self.temperature).exp()).sum();
        kinds.clear();
        kinds.resize(self.kinds.len(), 0.0);
        let mut top: Option<(usize, f32)> = None;
        for (index, logit) in logits.iter().enumerate() {
            let Some((_, kind)) = self.parts[index] else { continue };
            kinds[kind] += ((logit - most) / self.temperature).exp() / sum;
            if top.is_none_or(|(_, logit_of_top)| *logit > logit_of_top) {
                top = Some((index, *logit));
            }
        }
        let outside = |label: usize| Verdict { label: label as u16, score: 0.0 };
        let Some((index, _)) = top else { return Some(outside(self.outside)) };
        // The most probable kind, written by its most probable place.
        let kind = (0..kinds.len()).max_by(|a, b| kinds[*a].total_cmp(&kinds[*b])).unwrap_or(0);
        let threshold = self.thresholds[kind];
        let label = match threshold {
            Some(threshold) if kinds[kind] >= threshold => {
                let of_kind = (0..logits.len()).filter(|i| self.parts[*i].is_some_and(|(_, k)| k == kind));
                of_kind.max_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(index)
            }
            Some(_) => self.outside,
            None => best,
        };
        let score = self.parts[label].map_or(0.0, |(_, kind)| kinds[kind].min(1.0));
        Some(Verdict { label: label as u16, score })
    }

    /// The spans that the labels of a text's tokens make. `tokens` are bytes of the
    /// text, `words` the number of the word that each belongs to.
    pub fn spans(&self, text: &str, tokens: &[Range<usize>], words: &[Option<u32>], verdicts: &[Verdict]) -> Vec<Found> {
        struct Open {
            found: Found,
            total: f32,
            count: usize,
            closed: bool,
        }
        let mut found: Vec<Found> = Vec::new();
        let mut open: Option<Open> = None;
        let close = |open: Option<Open>, found: &mut Vec<Found>| {
            if let Some(Open { found: mut span, total, count, .. }) = open {
                span.score = total / count as f32;
                found.extend(trimmed(text, span));
            }
        };
        let mut previous: Option<(u32, Option<(Place, usize)>)> = None;
        for ((token, word), verdict) in tokens.iter().zip(words).zip(verdicts) {
            let mut part = self.parts.get(usize::from(verdict.label)).copied().flatten();
            let mut counts = 1;
            if self.words == Words::First {
                match (previous, word) {
                    (Some((last, first)), Some(word)) if last == *word => {
                        part = first.map(|(_, kind)| (Place::Inside, kind));
                        counts = 0;
                        // What is alone by its first piece stays one word.
                        if let Some(open) = open.as_mut() {
                            open.closed = false;
                        }
                    }
                    _ => previous = word.map(|word| (word, part)),
                }
            }
            let Some((place, kind)) = part else {
                close(open.take(), &mut found);
                continue;
            };
            let goes_on = matches!(place, Place::Inside | Place::End) && open.as_ref().is_some_and(|o| o.found.kind == kind && !o.closed);
            if !goes_on {
                close(open.take(), &mut found);
                open = Some(Open {
                    found: Found { start: token.start, end: token.end, kind, score: 0.0 },
                    total: 0.0,
                    count: 0,
                    closed: false,
                });
            }
            if let Some(open) = open.as_mut() {
                open.found.end = open.found.end.max(token.end);
                if counts > 0 || open.count == 0 {
                    open.total += verdict.score;
                    open.count += 1;
                }
                open.closed = matches!(place, Place::End | Place::Single);
            }
        }
        close(open, &mut found);
        found
    }
}

/// A span without white space at its ends; none where nothing is left.
fn trimmed(text: &str, mut span: Found) -> Option<Found> {
    let words = text.get(span.start..span.end)?;
    span.start += words.len() - words.trim_start().len();
    span.end = span.start + words.trim().len();
    (span.start < span.end).then_some(span)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(scheme: &str, names: &str, more: &str) -> LabelSet {
        let names: Vec<String> = names.split(' ').map(|n| format!("\"{n}\"")).collect();
        let text = format!(
            "version = \"1\"\ntask = \"token-classification\"\nlicence = \"MIT\"\nsource = \"here\"\n[input]\nmax_length = 32\n\
             [labels]\nscheme = \"{scheme}\"\nnames = [{}]\n{more}",
            names.join(", ")
        );
        LabelSet::new(&Manifest::parse(&text).unwrap()).unwrap()
    }

    /// Each word of the text is one token with the label below it.
    fn read(set: &LabelSet, names: &str, text: &str, labels: &str) -> Vec<String> {
        let names: Vec<&str> = names.split(' ').collect();
        let (mut tokens, mut at) = (Vec::new(), 0);
        for word in text.split(' ') {
            // As SentencePiece has it: the space before belongs to the token.
            tokens.push(at..at + word.len() + usize::from(at > 0));
            at = tokens[tokens.len() - 1].end;
        }
        let verdicts: Vec<Verdict> =
            labels.split(' ').map(|l| Verdict { label: names.iter().position(|n| *n == l).unwrap() as u16, score: 0.5 }).collect();
        assert_eq!(tokens.len(), verdicts.len());
        let words: Vec<Option<u32>> = (0..tokens.len() as u32).map(Some).collect();
        set.spans(text, &tokens, &words, &verdicts).iter().map(|f| format!("{}|{}", &text[f.start..f.end], set.kinds[f.kind])).collect()
    }

    #[test]
    fn bio() {
        let names = "O B-X I-X B-Y I-Y";
        let set = set("BIO", names, "");
        assert_eq!(read(&set, names, "vu Mme Léa Roux hier", "O B-X I-X I-X O"), ["Mme Léa Roux|X"]);
        assert_eq!(read(&set, names, "a b c d", "B-X B-X I-Y I-X"), ["a|X", "b|X", "c|Y", "d|X"]);
        assert_eq!(read(&set, names, "a b", "I-X I-X"), ["a b|X"]);
    }

    #[test]
    fn bioes() {
        let names = "O B-X I-X E-X S-X";
        let set = set("BIOES", names, "");
        assert_eq!(read(&set, names, "a b c d e", "B-X E-X S-X S-X I-X"), ["a b|X", "c|X", "d|X", "e|X"]);
        let names = "O B-X I-X L-X U-X";
        let set = self::set("BILOU", names, "");
        assert_eq!(read(&set, names, "a b c d", "U-X B-X I-X L-X"), ["a|X", "b c d|X"]);
    }

    #[test]
    fn io() {
        let names = "O X I-Y";
        let set = set("IO", names, "");
        assert_eq!(read(&set, names, "a b c d e", "X X I-Y O I-Y"), ["a b|X", "c|Y", "e|Y"]);
    }

    #[test]
    fn pieces_follow_the_first_of_their_word() {
        let set = set("BIO", "O B-X I-X", "words = \"first\"");
        let text = "Quillivic";
        let tokens = [0..3, 3..6, 6..9];
        let verdict = |label| Verdict { label, score: 0.5 };
        let spans = |labels: [u16; 3]| set.spans(text, &tokens, &[Some(0); 3], &labels.map(verdict)).len();
        assert_eq!(spans([1, 0, 1]), 1);
        assert_eq!(spans([0, 1, 1]), 0);
    }

    #[test]
    fn labels_are_ours_or_dropped() {
        let names = "O B-PER I-PER B-MISC";
        let set = set("BIO", names, "[labels.map]\nPER = \"NOM\"\nMISC = \"\"");
        assert_eq!(read(&set, names, "Léa Roux Noël", "B-PER I-PER B-MISC"), ["Léa Roux|NOM"]);
    }

    #[test]
    fn a_threshold_decides_against_the_best() {
        let names = "O B-X I-X";
        let plain = set("BIO", names, "");
        let eager = set("BIO", names, "[thresholds]\nX = 0.2");
        let strict = set("BIO", names, "[thresholds]\nX = 0.9");
        let mut scratch = Vec::new();
        // Probabilities about 0.5, 0.3, 0.2.
        let logits = [0.5f32.ln(), 0.3f32.ln(), 0.2f32.ln()];
        assert_eq!(plain.verdict(&logits, &mut scratch).unwrap().label, 0);
        let verdict = eager.verdict(&logits, &mut scratch).unwrap();
        assert_eq!(verdict.label, 1);
        assert!((verdict.score - 0.5).abs() < 1e-5, "{verdict:?}");
        assert_eq!(strict.verdict(&[0.0, 1.0, 0.0], &mut scratch).unwrap().label, 0);
        assert_eq!(plain.verdict(&[0.0, f32::NAN, 0.0], &mut scratch), None);
    }
}
