//! De-identification of an annotated corpus, scored the way its community does.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::detector::Detector;
use super::formats::{Document, Kind, Span};
use super::metrics::{Counts, Metric, Redaction, redaction, tokens_of, within};
use super::report::Errors;
use super::scheme::{Scheme, hipaa};
use super::tokens::Words;

/// How a community scores.
pub struct Conventions {
    pub scheme: Scheme,
    pub words: Words,
    pub metrics: &'static [Metric],
    /// Spans are those of the tokens they touch, before anything is compared.
    whole_tokens: bool,
    /// Labels that stand for nothing of ours are PHI that is missed; otherwise they
    /// may be anything, and are left out.
    other_labels_count: bool,
}

impl Conventions {
    pub fn of(kind: Kind) -> Conventions {
        use Metric::{Binary, End, Overlap, Strict, Token};
        match kind {
            Kind::I2b2 => Conventions {
                scheme: Scheme::I2b2,
                words: Words::Alphanumeric,
                metrics: &[Strict, End, Overlap, Token, Binary],
                whole_tokens: false,
                other_labels_count: true,
            },
            Kind::EdsPseudo => Conventions {
                scheme: Scheme::Eds,
                words: Words::Eds,
                metrics: &[Token, Strict, Overlap, Binary],
                whole_tokens: true,
                other_labels_count: true,
            },
            Kind::Brat => Conventions {
                scheme: Scheme::Ours,
                words: Words::Alphanumeric,
                metrics: &[Strict, Overlap, Token, Binary],
                whole_tokens: false,
                other_labels_count: false,
            },
        }
    }

    pub fn definition(&self, metric: Metric) -> &'static str {
        match metric {
            Metric::Strict if self.whole_tokens => "same label, same first and last token",
            metric => metric.definition(),
        }
    }
}

/// Scores of one label: tokens where the corpus and we have it, and what is hidden.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct LabelScore {
    /// True spans.
    pub spans: usize,
    pub tokens: Counts,
    pub redaction: Redaction,
}

#[derive(Debug, Default)]
pub struct Score {
    pub documents: usize,
    pub spans: usize,
    pub predicted: usize,
    pub all: BTreeMap<Metric, Counts>,
    /// The subset that HIPAA's list names; i2b2 alone has it.
    pub hipaa: BTreeMap<Metric, Counts>,
    pub redaction: Redaction,
    /// By class of comparison.
    pub labels: BTreeMap<String, LabelScore>,
    /// By the corpus' own labels, which can be finer.
    pub types: BTreeMap<String, Redaction>,
    /// Labels of the corpus that stand for nothing of ours, with their spans.
    pub other: BTreeMap<String, usize>,
    /// Spans whose quoted words are not where their offsets say.
    pub drifted: usize,
}

/// Runs the detector on every text and compares.
pub fn score(documents: &[Document], conventions: &Conventions, detector: &Detector, errors: &mut Errors) -> Score {
    let mut score = Score { documents: documents.len(), ..Score::default() };
    for document in documents {
        one(document, conventions, detector(&document.text), &mut score, errors);
    }
    score
}

fn one(document: &Document, conventions: &Conventions, raw: Vec<Span>, score: &mut Score, errors: &mut Errors) {
    let text: Vec<char> = document.text.chars().collect();
    let words = conventions.words.of(&text);
    let (mut types, mut truth) = (Vec::new(), Vec::new());
    for span in &document.spans {
        let (class, ours) = conventions.scheme.truth(&span.label);
        if !ours {
            *score.other.entry(span.label.clone()).or_default() += 1;
        }
        if ours || conventions.other_labels_count {
            truth.push(Span { label: class, ..span.clone() });
            types.push(span.clone());
        }
    }
    let mut predicted = conventions.scheme.predicted(&text, raw.clone());
    if conventions.whole_tokens {
        truth = truth.into_iter().filter_map(|s| widened(s, &words)).collect();
        types = types.into_iter().filter_map(|s| widened(s, &words)).collect();
        predicted = predicted.into_iter().filter_map(|s| widened(s, &words)).collect();
    }
    score.spans += truth.len();
    score.predicted += raw.len();
    score.drifted += document.drifted;
    for metric in conventions.metrics {
        let predicted = if *metric == Metric::Binary { &raw } else { &predicted };
        *score.all.entry(*metric).or_default() += metric.count(&truth, predicted, &words);
    }
    if conventions.scheme == Scheme::I2b2 {
        let (truth, predicted) = hipaa(&types, &truth, &predicted);
        for metric in conventions.metrics {
            *score.hipaa.entry(*metric).or_default() += metric.count(&truth, &predicted, &words);
        }
    }
    score.redaction += redaction(truth.iter(), &raw, &words, text.len());
    for label in truth.iter().chain(&predicted).map(|s| s.label.as_str()).collect::<BTreeSet<_>>() {
        let of = score.labels.entry(label.to_owned()).or_default();
        let same = || truth.iter().filter(|s| s.label == label);
        of.spans += same().count();
        of.tokens += tokens_of(label, &truth, &predicted, &words);
        of.redaction += redaction(same(), &raw, &words, text.len());
    }
    for label in types.iter().map(|s| s.label.as_str()).collect::<BTreeSet<_>>() {
        let spans = types.iter().filter(|s| s.label == label);
        *score.types.entry(label.to_owned()).or_default() += redaction(spans, &raw, &words, text.len());
    }
    list(document, &text, &words, (&types, &truth), (&raw, &predicted), errors);
}

/// The span of the tokens that a span touches; none where it touches only blanks.
fn widened(span: Span, words: &[Range<usize>]) -> Option<Span> {
    let touched = &words[within(&span, words)];
    let (first, last) = (touched.first()?, touched.last()?);
    Some(Span { start: first.start, end: last.end, ..span })
}

/// Errors by cause: left readable, hidden without need, hidden under another label.
fn list(
    document: &Document,
    text: &[char],
    words: &[Range<usize>],
    (types, truth): (&[Span], &[Span]),
    (raw, predicted): (&[Span], &[Span]),
    errors: &mut Errors,
) {
    let show = |span: &Span| {
        let stretch = |from: usize, to: usize| text[from.min(text.len())..to.min(text.len())].iter().collect::<String>();
        let (words, context) = (stretch(span.start, span.end), stretch(span.start.saturating_sub(40), span.end + 30));
        format!("{} {}: {words:?} in {context:?}", document.name, span.label)
    };
    let meets = |a: &Span, b: &Span| a.start < b.end && b.start < a.end;
    for (span, own) in truth.iter().zip(types) {
        if redaction([span].into_iter(), raw, words, text.len()).incomplete > 0 {
            errors.add("missed", show(own));
        } else if let Some(other) = predicted.iter().find(|p| meets(p, span))
            && !predicted.iter().any(|p| meets(p, span) && p.label == span.label)
        {
            errors.add("label", format!("{} got {}", show(own), other.label));
        }
    }
    for span in raw.iter().filter(|p| !truth.iter().any(|t| meets(t, p))) {
        errors.add("false", show(span));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize, label: &str) -> Span {
        Span { start, end, label: label.to_owned() }
    }

    fn document(text: &str, spans: Vec<Span>) -> Document {
        Document { name: "d".to_owned(), text: text.to_owned(), spans, drifted: 0 }
    }

    fn counts(tp: usize, fp: usize, fn_: usize) -> Counts {
        Counts { tp, fp, fn_ }
    }

    #[test]
    fn i2b2_by_hand() {
        let text = "Dr. Ewan Lusk saw Ms. Ida Roos, 61, in Tarn on 2031-02-03.";
        let truth = vec![span(4, 13, "DOCTOR"), span(22, 30, "PATIENT"), span(32, 34, "AGE"), span(39, 43, "CITY"), span(47, 57, "DATE")];
        let detector: &Detector =
            &|_| vec![span(4, 8, "PRENOM"), span(9, 13, "NOM"), span(22, 25, "PRENOM"), span(39, 43, "HOPITAL"), span(47, 57, "DATE")];
        let mut errors = Errors::default();
        let score = score(&[document(text, truth)], &Conventions::of(Kind::I2b2), detector, &mut errors);
        // Found: the doctor, the date. Half of the patient. The town is called a hospital. No age.
        assert_eq!(score.all[&Metric::Strict], counts(2, 2, 3));
        assert_eq!(score.all[&Metric::End], counts(2, 2, 3));
        assert_eq!(score.all[&Metric::Overlap], counts(3, 1, 2));
        assert_eq!(score.all[&Metric::Token], counts(6, 1, 3), "Ewan Lusk Ida 2031 02 03; Tarn; Roos, 61, Tarn");
        assert_eq!(score.all[&Metric::Binary], counts(7, 0, 2));
        // Without the doctor; the hospital is no HIPAA type.
        assert_eq!(score.hipaa[&Metric::Strict], counts(1, 1, 3));
        assert_eq!(score.hipaa[&Metric::Overlap], counts(2, 0, 2));
        assert_eq!(score.redaction, Redaction { hidden: 7, tokens: 9, incomplete: 1 });
        assert_eq!(score.other, BTreeMap::from([("AGE".to_owned(), 1)]));
        assert_eq!(score.types["PATIENT"], Redaction { hidden: 1, tokens: 2, incomplete: 1 });
        assert_eq!(
            score.labels["NAME"],
            LabelScore { spans: 2, tokens: counts(3, 0, 1), redaction: Redaction { hidden: 3, tokens: 4, incomplete: 1 } }
        );
        let causes: Vec<_> = errors.causes().map(|(cause, of)| (cause, of.len())).collect();
        assert_eq!(causes, [("missed", 2), ("label", 1)]);
    }

    #[test]
    fn eds_pseudo_by_hand() {
        // Tokens of the date: 3 mai 2031; of the address: 12 , rue Haute.
        let text = "Vue le 3 mai 2031 par Kerdal, 12, rue Haute";
        let documents = [
            document(text, vec![span(7, 17, "DATE"), span(22, 28, "NOM"), span(30, 43, "ADRESSE")]),
            document("RAS", Vec::new()),
            document("Tel 0200000000", vec![span(4, 14, "TEL")]),
        ];
        let detector: &Detector = &|text| match text.len() {
            3 => vec![span(0, 3, "ID")],
            14 => vec![span(4, 14, "ID")],
            _ => vec![span(7, 17, "DATE"), span(22, 27, "NOM"), span(30, 32, "ADRESSE"), span(34, 43, "ADRESSE")],
        };
        let score = score(&documents, &Conventions::of(Kind::EdsPseudo), detector, &mut Errors::default());
        assert_eq!(score.all[&Metric::Token], counts(3 + 1 + 3, 0, 1 + 1), "the comma, and the telephone under a label EDS lacks");
        assert_eq!(score.all[&Metric::Strict], counts(2, 2, 2), "a touched token is a whole one");
        assert_eq!(score.all[&Metric::Binary], counts(8, 1, 1));
        // `Kerda` hides no name, the comma is left, the telephone is hidden whatever its label.
        assert_eq!(score.redaction, Redaction { hidden: 3 + 3 + 1, tokens: 9, incomplete: 1 });
        assert!((score.redaction.complete(score.documents) - 2.0 / 3.0).abs() < 1e-12);
        assert_eq!(score.labels["TEL"].redaction, Redaction { hidden: 1, tokens: 1, incomplete: 0 });
        assert!(!score.labels.contains_key("ID"));
    }

    #[test]
    fn labels_of_a_brat_corpus_that_are_not_ours_are_left_out_and_named() {
        let documents = [document("Kerdal, AVC", vec![span(0, 6, "nom"), span(8, 11, "Pathologie")])];
        let score = score(&documents, &Conventions::of(Kind::Brat), &|_| vec![span(0, 6, "NOM")], &mut Errors::default());
        assert_eq!(score.all[&Metric::Strict], counts(1, 0, 0));
        assert_eq!(score.other, BTreeMap::from([("Pathologie".to_owned(), 1)]));
    }

    #[test]
    fn perfect_predictions_score_one_in_every_convention() {
        let text = "Mme Odile Kerdal, 12 rue Haute, 22000 Tarn, née le 3 mai 1950";
        let own = [(4, 9, "PRENOM"), (10, 16, "NOM"), (18, 30, "ADRESSE"), (32, 37, "ZIP"), (38, 42, "VILLE"), (51, 61, "DATE_NAISSANCE")];
        let own: Vec<Span> = own.iter().map(|(start, end, label)| span(*start, *end, label)).collect();
        let theirs = [(4, 16, "PATIENT"), (18, 30, "STREET"), (32, 37, "ZIP"), (38, 42, "CITY"), (51, 61, "DATE")];
        let theirs = theirs.iter().map(|(start, end, label)| span(*start, *end, label)).collect();
        let predicted = own.clone();
        let detector: &Detector = &move |_| predicted.clone();
        for (kind, truth) in [(Kind::I2b2, theirs), (Kind::EdsPseudo, own.clone()), (Kind::Brat, own)] {
            let mut errors = Errors::default();
            let score = score(&[document(text, truth)], &Conventions::of(kind), detector, &mut errors);
            assert!(!score.all.is_empty());
            for (metric, counts) in score.all.iter().chain(&score.hipaa) {
                assert_eq!((counts.f1(), counts.fp, counts.fn_), (1.0, 0, 0), "{kind:?} {metric:?}");
            }
            assert_eq!(score.hipaa.is_empty(), kind != Kind::I2b2);
            assert_eq!((score.redaction.share(), score.redaction.incomplete), (1.0, 0));
            assert_eq!(errors.causes().count(), 0);
        }
    }
}
