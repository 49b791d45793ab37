//! Brat standoff: the text in a `.txt`, text-bound annotations (`T` lines) in the
//! `.ann` beside it. Offsets count characters, end exclusive.

use super::{Annotation, Document, Span};

/// One document. Other lines than `T` lines say nothing of spans.
pub fn document(name: String, text: String, annotations: &str) -> Result<Document, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    for (number, line) in annotations.lines().enumerate().filter(|(_, l)| l.starts_with('T')) {
        found.extend(text_bound(line, &chars).ok_or_else(|| format!("line {}: not `T<id>\\t<label> <start> <end>\\t<text>`", number + 1))?);
    }
    Document::new(name, text, found)
}

/// `T1\tNOM 3 8\tKergo`; fragments, `3 8;9 12`, are joined where only blanks part
/// them, which is how brat writes a span across lines.
fn text_bound(line: &str, text: &[char]) -> Option<Vec<Annotation>> {
    let mut fields = line.splitn(3, '\t');
    let (_, place, quote) = (fields.next()?, fields.next()?, fields.next());
    let (label, offsets) = place.split_once(' ')?;
    let mut fragments: Vec<(usize, usize)> = Vec::new();
    for fragment in offsets.split(';') {
        let (start, end) = fragment.trim().split_once(' ')?;
        let (start, end) = (start.parse().ok()?, end.parse().ok()?);
        match fragments.last_mut() {
            Some(last) if text.get(last.1..start).is_some_and(|gap| gap.iter().all(|c| c.is_whitespace())) => last.1 = end,
            _ => fragments.push((start, end)),
        }
    }
    // The quote is that of all fragments together.
    let quote = quote.filter(|_| fragments.len() == 1);
    let annotation =
        |(start, end): (usize, usize)| Annotation { span: Span { start, end, label: label.to_owned() }, quote: quote.map(str::to_owned) };
    Some(fragments.into_iter().map(annotation).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_bound_annotations_are_read() {
        let text = "Née à Étel, Mme Le\nGoff a vu son médecin.\r\nTél 02";
        let annotations = "T1\tVILLE 6 10\tÉtel\nA1\tConfidence T1 high\n#1\tAnnotatorNotes T1\tvu\nT2\tNOM 16 18;19 23\tLe Goff\nT3\tX 0 3;36 42\tNée decin.\n";
        let document = document("d".to_owned(), text.to_owned(), annotations).unwrap();
        let spans: Vec<_> = document.spans.iter().map(|s| (s.start, s.end, s.label.as_str())).collect();
        assert_eq!(spans, [(0, 3, "X"), (6, 10, "VILLE"), (16, 23, "NOM"), (36, 42, "X")]);
        assert_eq!(document.drifted, 0);
    }

    #[test]
    fn broken_lines_are_named() {
        for line in ["T1 NOM 0 3", "T1\tNOM zero 3\tMme", "T1\tNOM\tMme"] {
            let error = document("d".to_owned(), "Mme".to_owned(), &format!("#1\tx\n{line}")).unwrap_err();
            assert!(error.starts_with("line 2"), "{error}");
        }
    }
}
