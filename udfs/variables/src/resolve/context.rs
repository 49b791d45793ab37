//! What stands around a value: the sentence it is in, and whether that sentence
//! takes back what an earlier document said.

use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::OnceLock;

use rustc_hash::FxHasher;
use serde::Deserialize;
use sillage_clinical::is;
use sillage_clinical::phrase::Phrases;
use sillage_clinical::text::{Kind, Text};
use sillage_clinical::trie::Hit;
use sillage_clinical::vocabulary::WordId;

use crate::Finding;

/// Fewer letters and digits than that say the same by chance ("NIHSS : 14").
const COPY: usize = 25;
/// Words between a value and the words that make it a correction.
const REACH: usize = 15;
/// Words between "et non" and the value it refutes, or the one that stands.
const CLOSE: usize = 4;
/// Words at the head of a document that can make all of it a correction.
const HEAD: usize = 120;

/// How the months start.
const MONTHS: &[&str] = &["janv", "fev", "mars", "avr", "mai", "juin", "juil", "aout", "sept", "oct", "nov", "dec"];

const CORRECTS: u32 = 0;
const REFUTES: u32 = 1;
const DOCUMENT: u32 = 2;
const WITHDRAWS: u32 = 3;
const MISSTATES: u32 = 4;

/// The surroundings of one finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Context {
    /// Equal for equal sentences, whatever their case, accents and spacing; `None` for short ones.
    pub sentence: Option<u64>,
    /// This value takes the place of earlier ones.
    pub corrects: bool,
    /// This value is the one that is taken back.
    pub refuted: bool,
    /// Its words name a day: "le 3 mai", "03/05/2024".
    pub dated: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    corrects: Vec<String>,
    refutes: Vec<String>,
    withdraws: Vec<String>,
    misstates: Vec<String>,
    document: Vec<String>,
}

/// The words of correction, ready to be matched.
struct Corrections(Phrases);

impl Corrections {
    fn read(text: &str) -> Result<Corrections, String> {
        let words: Words = toml::from_str(text).map_err(|e| e.to_string())?;
        let mut phrases = Phrases::default();
        let lists = [
            (CORRECTS, words.corrects),
            (REFUTES, words.refutes),
            (WITHDRAWS, words.withdraws),
            (MISSTATES, words.misstates),
            (DOCUMENT, words.document),
        ];
        for (value, list) in lists {
            for phrase in list {
                phrases.add(&phrase, value).map_err(|e| format!("{phrase:?}: {e}"))?;
            }
        }
        phrases.finish();
        Ok(Corrections(phrases))
    }

    fn built_in() -> &'static Corrections {
        static CORRECTIONS: OnceLock<Corrections> = OnceLock::new();
        CORRECTIONS.get_or_init(|| match Corrections::read(include_str!("../../data/corrections.toml")) {
            Ok(corrections) => corrections,
            Err(error) => unreachable!("a test reads the embedded data: {error}"),
        })
    }
}

/// The surroundings of each finding of a text with its sentences.
pub(crate) fn contexts(text: &Text<'_>, sentences: &[Range<usize>], findings: &[Finding]) -> Vec<Context> {
    if findings.is_empty() {
        return Vec::new();
    }
    let corrections = &Corrections::built_in().0;
    let words = corrections.read(text);
    let reader = Reader { text, words: &words, corrections };
    let head = 0..words.len().min(HEAD);
    let all = corrections.find(text, &words, head).iter().any(|h| h.value == DOCUMENT);
    let tokens: Vec<Range<usize>> = findings.iter().map(|f| reader.tokens(f)).collect();
    let mut hits: Vec<Option<Vec<Hit>>> = vec![None; sentences.len()];
    let mut found = Vec::with_capacity(findings.len());
    for (at, finding) in findings.iter().enumerate() {
        // The words around what a code states neither copy nor correct it.
        if finding.is_coded() {
            found.push(Context { corrects: all, ..Context::default() });
            continue;
        }
        let span = tokens[at].clone();
        let which = sentences.partition_point(|s| s.end <= span.start);
        let Some(sentence) = sentences.get(which) else {
            found.push(Context { corrects: all, dated: reader.dated(&span), ..Context::default() });
            continue;
        };
        // "La lettre donne 21 h. C'est à rectifier": the next sentence takes the last thing said back.
        let taken_back = sentences.get(which + 1).is_some_and(|next| {
            let hits = hits[which + 1].get_or_insert_with(|| reader.hits(next.clone()));
            hits.iter().any(|h| h.value == WITHDRAWS && h.start == next.start)
        });
        let hits = hits[which].get_or_insert_with(|| reader.hits(sentence.clone()));
        let twins = || {
            findings.iter().zip(&tokens).enumerate().filter(|(other, (f, t))| {
                *other != at && f.variable == finding.variable && f.value != finding.value && sentence.contains(&t.start)
            })
        };
        // "Le score de 12 noté à l'entrée est à rectifier": what stands last before these words.
        let said = |from: usize, to: usize| (from..to).all(|i| text.tokens[i].kind != Kind::Mark || is!(text.key(i), "'"));
        let withdrawn = hits.iter().any(|h| {
            h.value == WITHDRAWS
                && span.end <= h.start
                && h.start - span.end < REACH
                && said(span.end, h.start)
                && !twins().any(|(_, (_, t))| t.start >= span.end && t.end <= h.start)
        }) || taken_back && sentence.end.saturating_sub(span.end) < REACH && said(span.end, sentence.end.saturating_sub(1));
        // "Une première version indiquait « 12 »": what stands right behind these words, or is quoted there.
        let misstated = hits.iter().any(|h| {
            let quoted = || (h.end..span.start).rev().find_map(|i| ["«", "»"].iter().position(|mark| *mark == text.fold(i))) == Some(0);
            h.value == MISSTATES && h.end <= span.start && (span.start - h.end < CLOSE || quoted())
        });
        // "8 h 25 et non 8 h 40": what follows is refuted when what stands before is of the same kind.
        let refuted = withdrawn
            || misstated
            || hits.iter().any(|h| {
                h.value == REFUTES
                    && h.end <= span.start
                    && span.start - h.end < CLOSE
                    && twins().any(|(_, (_, t))| t.end <= h.start && h.start - t.end < REACH)
            });
        // "7 h 10 (heure du fils) et non 7 h 50".
        let behind = if is!(text.key(span.end), "(") {
            (span.end..sentence.end.min(span.end + REACH)).find(|i| is!(text.key(*i), ")")).map_or(span.end, |i| i + 1)
        } else {
            span.end
        };
        let number = |i: usize| text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number);
        let stands = |h: &Hit| {
            h.value == REFUTES
                && span.end <= h.start
                && (h.start - span.end < CLOSE || behind <= h.start && h.start - behind < CLOSE)
                && (twins().any(|(_, (_, t))| t.start >= h.end && t.start - h.end < CLOSE)
                    || span.clone().any(number) && (h.end..h.end + 2).any(number))
        };
        // "mRS 3 (pas 2)".
        let bracketed = is!(text.key(span.end), "(")
            && is!(text.key(span.end + 1), "pas" | "non")
            && number(span.end + 2)
            && is!(text.key(span.end + 3), ")");
        let near = |h: &Hit| h.value == CORRECTS && h.start < span.end + REACH && span.start < h.end + REACH;
        found.push(Context {
            sentence: reader.fingerprint(sentence.clone()),
            corrects: all || !refuted && (bracketed || hits.iter().any(|h| near(h) || stands(h))),
            refuted,
            dated: reader.dated(&span),
        });
    }
    found
}

struct Reader<'a> {
    text: &'a Text<'a>,
    words: &'a [WordId],
    corrections: &'a Phrases,
}

impl Reader<'_> {
    fn tokens(&self, finding: &Finding) -> Range<usize> {
        let first = self.text.token_at(finding.start);
        first..self.text.token_at(finding.end.saturating_sub(1)).max(first) + 1
    }

    fn dated(&self, span: &Range<usize>) -> bool {
        let number = |at: usize| self.text.tokens.get(at).is_some_and(|t| t.kind == Kind::Number);
        span.clone().any(|at| {
            number(at)
                && (is!(self.text.key(at + 1), "/") && number(at + 2)
                    || is!(self.text.key(at + 1), "." | "-") && number(at + 2) && self.text.fold(at + 3) == self.text.fold(at + 1)
                    || MONTHS.iter().any(|m| self.text.fold(at + 1).starts_with(m)))
        })
    }

    fn hits(&self, sentence: Range<usize>) -> Vec<Hit> {
        self.corrections.find(self.text, self.words, sentence)
    }

    fn fingerprint(&self, sentence: Range<usize>) -> Option<u64> {
        let mut hasher = FxHasher::default();
        let mut length = 0;
        for at in sentence {
            if self.text.tokens[at].kind != Kind::Mark {
                let word = self.text.fold(at);
                length += word.len();
                word.hash(&mut hasher);
            }
        }
        (length >= COPY).then(|| hasher.finish())
    }
}

#[cfg(test)]
mod tests {
    use sillage_clinical::sentence::sentences;

    use super::*;
    use crate::{Anchor, Value};

    /// Findings of one variable at the words between stars.
    fn read(marked: &str) -> Vec<Context> {
        let mut findings = Vec::new();
        let mut text = String::new();
        for (i, part) in marked.split('*').enumerate() {
            let start = text.len();
            text.push_str(part);
            if i % 2 == 1 {
                findings.push(Finding {
                    variable: "x".into(),
                    value: Value::Number(i as f64),
                    start,
                    end: text.len(),
                    section: None,
                    anchor: Anchor::Admission,
                    event_time: None,
                    score: 0.9,
                    method: "test".into(),
                });
            }
        }
        let text = Text::new(&text);
        contexts(&text, &sentences(&text), &findings)
    }

    fn corrected(marked: &str) -> Vec<(bool, bool)> {
        read(marked).iter().map(|c| (c.corrects, c.refuted)).collect()
    }

    #[test]
    fn words_are_read() {
        if let Err(error) = Corrections::read(include_str!("../../data/corrections.toml")) {
            panic!("{error}");
        }
        assert!(Corrections::read("corrects = 3").is_err());
    }

    #[test]
    fn what_corrects_and_what_is_refuted() {
        assert_eq!(corrected("Le début est en réalité à *7 h 10* et non *7 h 50*."), [(true, false), (false, true)]);
        assert_eq!(corrected("Début à *7 h 10* (heure de son fils) et non *7 h 50*."), [(true, false), (false, true)]);
        assert_eq!(corrected("Le score de *9* relevé hier est à rectifier, compter *11*."), [(false, true), (false, false)]);
        assert_eq!(corrected("Rankin *5* noté par erreur, Rankin *4* après réévaluation."), [(false, true), (true, false)]);
        assert_eq!(corrected("NIHSS de *7* (et non *8* comme additionné)."), [(true, false), (false, true)]);
        assert_eq!(corrected("Glycémie *5,6*, la mention du dossier est une erreur."), [(false, false)]);
        assert_eq!(corrected("Score d'entrée = *9* (et non 8) : bras 2."), [(true, false)]);
        assert_eq!(corrected("mRS *3* (pas 2)."), [(true, false)]);
        assert_eq!(corrected("Retenir un Glasgow à *13*."), [(true, false)]);
        assert_eq!(corrected("Rankin *2*, et non 1 comme écrit au premier jour."), [(true, false)]);
        assert_eq!(corrected("Score de *9* après relecture des images."), [(true, false)]);
        assert_eq!(corrected("*Hypertendu* et non *diabétique*."), [(true, false), (false, true)]);
        assert_eq!(corrected("Patient hypertendu et non *diabétique*."), [(false, false)]);
        assert_eq!(corrected("La version dictée mentionnait « *9* » ; lire *11*."), [(false, true), (true, false)]);
        assert_eq!(corrected("Le courrier parle à tort d'un score de *9*."), [(false, true)]);
        assert_eq!(corrected("NIHSS à *9* ce matin. Erreur de lit hier."), [(false, false)]);
    }

    #[test]
    fn a_correcting_document_corrects_with_all_it_says() {
        assert_eq!(corrected("COMPTE RENDU RECTIFICATIF\n\nScore final *2b*."), [(true, false)]);
    }

    #[test]
    fn copies_are_recognised() {
        let first = read("Bilan.\n\nHémiparésie du membre supérieur gauche cotée *4* ce matin.")[0];
        let copy = read("hemiparesie  du membre SUPÉRIEUR gauche cotée *4* ce matin")[0];
        assert!(first.sentence.is_some());
        assert_eq!(first.sentence, copy.sentence);
        assert_eq!(read("NIHSS : *4*")[0].sentence, None);
        assert_ne!(read("Hémiparésie du membre supérieur gauche cotée *5* ce matin.")[0].sentence, first.sentence);
    }
}
