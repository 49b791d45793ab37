//! Weak labels: the words that support a hand-filled table, token by token, for
//! training (BIO: beginning, inside, outside).

use sillage_clinical::text::Text;

use super::{Relation, Span};

/// A word and what it supports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// Bytes of the text.
    pub start: usize,
    pub end: usize,
    /// `B-nihss_admission`, `I-nihss_admission`, `O`.
    pub label: String,
}

/// Labels of every token of a document. Where spans overlap the surer one stands,
/// the shorter of equally sure ones.
pub fn weak_labels(text: &str, spans: &[(&str, Span)]) -> Vec<Token> {
    let read = Text::new(text);
    let mut owner: Vec<Option<usize>> = vec![None; read.tokens.len()];
    let mut order: Vec<usize> = (0..spans.len()).filter(|&i| spans[i].1.relation == Relation::Supports).collect();
    order.sort_by(|&a, &b| {
        let ((x, s), (y, t)) = (&spans[a], &spans[b]);
        t.score.total_cmp(&s.score).then((s.end - s.start).cmp(&(t.end - t.start))).then((s.start, x).cmp(&(t.start, y)))
    });
    for at in order {
        let span = &spans[at].1;
        let first = read.token_at(span.start);
        let end = first + read.tokens[first.min(read.tokens.len())..].iter().take_while(|t| (t.start as usize) < span.end).count();
        if (first..end).all(|i| owner[i].is_none()) {
            owner[first..end].iter_mut().for_each(|o| *o = Some(at));
        }
    }
    let mut before = None;
    let label = |at: Option<usize>, before: Option<usize>| match at {
        Some(at) if before == Some(at) => format!("I-{}", spans[at].0),
        Some(at) => format!("B-{}", spans[at].0),
        None => "O".to_owned(),
    };
    let mut found = Vec::with_capacity(owner.len());
    for (token, at) in read.tokens.iter().zip(owner) {
        found.push(Token { start: token.start as usize, end: token.end as usize, label: label(at, before) });
        before = at;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(start: usize, end: usize, score: f32, relation: Relation) -> Span {
        Span { document: 0, start, end, relation, score }
    }

    fn labels(text: &str, spans: &[(&str, Span)]) -> Vec<String> {
        weak_labels(text, spans).iter().map(|t| format!("{}/{}", &text[t.start..t.end], t.label)).collect()
    }

    #[test]
    fn words_of_support_are_labelled() {
        let text = "À l'entrée NIHSS 15, TA 160.";
        let spans = [
            ("nihss_admission", span(text.find("NIHSS").unwrap(), text.find(',').unwrap(), 0.9, Relation::Supports)),
            ("nihss_24h", span(text.find("15").unwrap(), text.find(',').unwrap(), 0.5, Relation::Supports)),
            ("sbp_admission", span(text.find("TA").unwrap(), text.len() - 1, 0.9, Relation::Contradicts)),
        ];
        let found = labels(text, &spans);
        assert!(found.contains(&"NIHSS/B-nihss_admission".to_owned()) && found.contains(&"15/I-nihss_admission".to_owned()), "{found:?}");
        assert_eq!(found.iter().filter(|l| !l.ends_with("/O")).count(), 2);
    }

    #[test]
    fn spans_side_by_side_begin_each() {
        let text = "12 13";
        let spans = [("a", span(0, 2, 0.9, Relation::Supports)), ("a", span(3, 5, 0.8, Relation::Supports))];
        assert_eq!(labels(text, &spans), ["12/B-a", "13/B-a"]);
        assert!(weak_labels("", &[("a", span(3, 5, 0.8, Relation::Supports))]).is_empty());
    }
}
