//! De-identification, by character of the true spans: letters and digits count,
//! blanks and punctuation do not.

use std::collections::{BTreeMap, HashMap};

use super::gold::{Document, Entity, Phi, by_document};
use super::metrics::{Counts, ratio};
use super::report::Errors;
use super::tables;

/// What names somebody by itself. Dates and hospitals need something beside them.
const DIRECT: &[&str] = &["NOM", "PRENOM", "ADRESSE", "ZIP", "VILLE", "DATE_NAISSANCE", "TEL", "MAIL", "IPP", "NDA", "SECU", "RPPS", "ID"];

#[derive(Debug, Default, PartialEq)]
pub struct Score {
    /// Characters that identify, of those that are letters or digits.
    pub characters: Counts,
    /// True spans wholly covered, and all of them, by label.
    pub spans: BTreeMap<String, (usize, usize)>,
    /// Spans whose most frequent predicted label is theirs, of those with a letter.
    pub label: (usize, usize),
    pub documents: usize,
    pub leaking: usize,
    pub leaking_directly: usize,
    /// Clinical mentions that no predicted span touches; none without gold mentions.
    pub terms: Option<(usize, usize)>,
}

impl Score {
    /// Spans found, of those that `counts` takes.
    fn recall(&self, counts: impl Fn(&str) -> bool) -> (usize, usize) {
        self.spans.iter().filter(|(label, _)| counts(label)).fold((0, 0), |sum, (_, of)| (sum.0 + of.0, sum.1 + of.1))
    }

    pub fn direct(&self) -> (usize, usize) {
        self.recall(|label| DIRECT.contains(&label))
    }

    pub fn all(&self) -> (usize, usize) {
        self.recall(|_| true)
    }

    pub fn without_leak(&self) -> f64 {
        ratio(self.documents - self.leaking, self.documents)
    }

    pub fn without_direct_leak(&self) -> f64 {
        ratio(self.documents - self.leaking_directly, self.documents)
    }
}

/// Scores every document; one that the run lacks leaks everything.
pub fn score(
    documents: &[Document],
    gold: &[Phi],
    entities: Option<&[Entity]>,
    found: &HashMap<String, Vec<tables::Phi>>,
    errors: &mut Errors,
) -> Score {
    let spans = by_document(gold, |g| &g.fhir_id);
    let mentions = entities.map(|e| by_document(e, |g| &g.fhir_id));
    let mut score = Score { documents: documents.len(), terms: mentions.as_ref().map(|_| (0, 0)), ..Score::default() };
    for document in documents {
        let predicted = found.get(&document.fhir_id).map_or(&[][..], Vec::as_slice);
        one(document, spans.get(document.fhir_id.as_str()).map_or(&[][..], Vec::as_slice), predicted, &mut score, errors);
        let (Some(terms), Some(mentions)) = (&mut score.terms, &mentions) else { continue };
        for mention in mentions.get(document.fhir_id.as_str()).into_iter().flatten() {
            terms.1 += 1;
            if predicted.iter().any(|p| p.start < mention.end && mention.start < p.end && p.start < p.end) {
                errors.add("term_masked", format!("{} {:?}", document.document, mention.text));
            } else {
                terms.0 += 1;
            }
        }
    }
    score
}

fn one(document: &Document, gold: &[&Phi], predicted: &[tables::Phi], score: &mut Score, errors: &mut Errors) {
    let chars = &document.chars;
    let bound = |at: i64| usize::try_from(at).unwrap_or(0).min(chars.len());
    let mut masked: Vec<Option<&str>> = vec![None; chars.len()];
    for span in predicted {
        let (start, end) = (bound(span.start), bound(span.end));
        masked[start..end.max(start)].fill(Some(&span.label));
    }
    let mut identifies = vec![false; chars.len()];
    let (mut leaks, mut leaks_directly) = (false, false);
    for span in gold {
        let places: Vec<usize> = (bound(span.start)..bound(span.end)).filter(|i| chars[*i].is_alphanumeric()).collect();
        for at in &places {
            identifies[*at] = true;
        }
        let counts = score.spans.entry(span.label.clone()).or_default();
        counts.1 += 1;
        if places.iter().all(|i| masked[*i].is_some()) {
            counts.0 += 1;
        } else {
            leaks = true;
            leaks_directly |= DIRECT.contains(&span.label.as_str());
            let context = document.context(span.start, span.end);
            errors.add("phi_missed", format!("{} {}: {:?} in {context:?}", document.document, span.label, span.text));
        }
        if let Some(label) = most_frequent(places.iter().map(|i| masked[*i])) {
            score.label.1 += 1;
            score.label.0 += usize::from(label == Some(span.label.as_str()));
        }
    }
    score.leaking += usize::from(leaks);
    score.leaking_directly += usize::from(leaks_directly);
    for at in (0..chars.len()).filter(|i| chars[*i].is_alphanumeric()) {
        score.characters += match (masked[at].is_some(), identifies[at]) {
            (true, true) => Counts { tp: 1, ..Counts::default() },
            (true, false) => Counts { fp: 1, ..Counts::default() },
            (false, true) => Counts { fn_: 1, ..Counts::default() },
            (false, false) => Counts::default(),
        };
    }
    for span in predicted {
        if !identifies[bound(span.start)..bound(span.end).max(bound(span.start))].contains(&true) {
            let context = document.context(span.start, span.end);
            errors.add("phi_false", format!("{} {}: {:?} in {context:?}", document.document, span.label, span.text));
        }
    }
}

/// The most frequent item, the first of them where several are.
fn most_frequent<'a>(items: impl Iterator<Item = Option<&'a str>>) -> Option<Option<&'a str>> {
    let mut counts: Vec<(Option<&str>, usize)> = Vec::new();
    for item in items {
        match counts.iter_mut().find(|(known, _)| *known == item) {
            Some((_, count)) => *count += 1,
            None => counts.push((item, 1)),
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max()?;
    counts.into_iter().find(|(_, count)| *count == most).map(|(item, _)| item)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(id: &str, text: &str) -> Document {
        Document { document: id.to_owned(), fhir_id: id.to_owned(), text: text.to_owned(), chars: text.chars().collect() }
    }

    fn gold(id: &str, start: i64, end: i64, label: &str) -> Phi {
        Phi { fhir_id: id.to_owned(), label: label.to_owned(), start, end, text: String::new() }
    }

    fn found(start: i64, end: i64, label: &str) -> tables::Phi {
        tables::Phi { label: label.to_owned(), start, end, text: String::new() }
    }

    #[test]
    fn characters_spans_and_documents_are_counted_by_hand() {
        // "Vu par": nothing; NOM 7..13; DATE 17..25 (6 digits); "FA" 26..28 is a mention.
        let documents = [document("a", "Vu par Ternon le 12/03/31 FA"), document("b", "M. Ternon"), document("c", "RAS")];
        let truth = [gold("a", 7, 13, "NOM"), gold("a", 17, 25, "DATE"), gold("b", 3, 9, "NOM")];
        let mention = Entity {
            fhir_id: "a".to_owned(),
            label: "DISORDER".to_owned(),
            code: String::new(),
            flags: Vec::new(),
            start: 26,
            end: 28,
            text: "FA".to_owned(),
        };
        let predicted = HashMap::from([
            ("a".to_owned(), vec![found(0, 2, "ID"), found(7, 12, "PRENOM"), found(17, 28, "DATE")]),
            ("b".to_owned(), vec![found(3, 9, "NOM")]),
        ]);
        let mut errors = Errors::default();
        let score = score(&documents, &truth, Some(&[mention]), &predicted, &mut errors);
        assert_eq!(score.characters, Counts { tp: 5 + 6 + 6, fp: 2 + 2, fn_: 1 });
        assert_eq!(score.spans, BTreeMap::from([("DATE".to_owned(), (1, 1)), ("NOM".to_owned(), (1, 2))]));
        assert_eq!((score.direct(), score.all()), ((1, 2), (2, 3)));
        assert_eq!(score.label, (2, 3), "the name of a is called a first name");
        assert_eq!((score.documents, score.leaking, score.leaking_directly), (3, 1, 1));
        assert_eq!(score.terms, Some((0, 1)));
        let causes: Vec<_> = errors.causes().map(|(cause, of)| (cause, of.len())).collect();
        assert_eq!(causes, [("phi_missed", 1), ("phi_false", 1), ("term_masked", 1)]);
    }

    #[test]
    fn a_missed_date_is_a_leak_but_no_direct_one() {
        let documents = [document("a", "le 3 mai")];
        let score = score(&documents, &[gold("a", 3, 8, "DATE")], None, &HashMap::new(), &mut Errors::default());
        assert_eq!((score.leaking, score.leaking_directly, score.terms), (1, 0, None));
        assert_eq!(score.label, (0, 1));
        assert!((score.without_direct_leak() - 1.0).abs() < 1e-12 && score.without_leak() == 0.0);
    }

    #[test]
    fn perfect_spans_score_one() {
        let documents = [document("a", "Mme L'Hostis, 12 rue du Pont")];
        let truth = [gold("a", 4, 12, "NOM"), gold("a", 14, 28, "ADRESSE")];
        let predicted = HashMap::from([("a".to_owned(), vec![found(4, 12, "NOM"), found(14, 28, "ADRESSE")])]);
        let score = score(&documents, &truth, Some(&[]), &predicted, &mut Errors::default());
        assert_eq!(score.characters.f1(), 1.0);
        assert_eq!((score.all(), score.label, score.leaking), ((2, 2), (2, 2), 0));
    }

    #[test]
    fn a_tie_goes_to_the_first() {
        assert_eq!(most_frequent([None, Some("A"), Some("A"), None].into_iter()), Some(None));
        assert_eq!(most_frequent([].into_iter()), None);
    }
}
