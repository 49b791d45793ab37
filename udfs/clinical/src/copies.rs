//! Passages that a note quotes from an older one: "Courrier du 4 mai 2019, recopié :
//! « … »". What they tell is of that time.

use std::ops::Range;

use chrono::{Duration, NaiveDateTime};

use crate::is;
use crate::temporal::{Precision, TemporalExpression, TemporalKind};
use crate::text::Text;

/// Fewest tokens of a passage; less is a word taken up.
const PASSAGE: usize = 12;
/// Most tokens of a passage.
const LONGEST: usize = 600;
/// Most lines that introduce it.
const LINES: usize = 3;
/// Tokens of the passage, and behind it, in which its date may stand.
const OPENING: usize = 14;
/// A note that is younger tells of this stay.
const OLD: Duration = Duration::days(60);
/// Stems of what is quoted, and of how it came.
const SOURCES: &[&str] = &[
    "recopi",
    "copi",
    "extrait",
    "courrier",
    "lettre",
    "compte",
    "rendu",
    "cr",
    "crh",
    "scann",
    "reproduit",
    "report",
    "repris",
    "archive",
];

/// Passages of older notes, in tokens, ascending.
pub(crate) fn copies(text: &Text<'_>, times: &[TemporalExpression], reference: Option<NaiveDateTime>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let Some(reference) = reference else { return found };
    let mut at = 0;
    while at < text.tokens.len() {
        let close = if is!(text.key(at), "\"") { closing(text, at) } else { None };
        let Some(close) = close.filter(|close| close - at > PASSAGE) else {
            at += 1;
            continue;
        };
        let above = heading(text, at);
        let days = |tokens: Range<usize>| dated(text, times, tokens);
        let old = days(above.clone()).last().or_else(|| days(close..text.tokens.len().min(close + OPENING)).next());
        let old = old.or_else(|| days(at..at + OPENING).next());
        let named = above.clone().any(|i| SOURCES.iter().any(|stem| stands_for(text.fold(i), stem)));
        if named && introduced(text, at) && old.is_some_and(|value| reference - value > OLD) {
            found.push(at..close + 1);
        }
        at = close + 1;
    }
    found
}

/// A short stem is the whole word.
fn stands_for(word: &str, stem: &str) -> bool {
    if stem.len() < 4 { word == stem } else { word.starts_with(stem) }
}

fn closing(text: &Text<'_>, open: usize) -> Option<usize> {
    let mark = match text.source(open..open + 1) {
        "«" => "»",
        "“" => "”",
        "\"" => "\"",
        _ => return None,
    };
    (open + 1..text.tokens.len().min(open + LONGEST)).find(|at| text.source(*at..*at + 1) == mark)
}

/// The words on the line of the quotation mark and on the lines right above.
fn heading(text: &Text<'_>, open: usize) -> Range<usize> {
    let (mut start, mut lines) = (open, 0);
    while start > 0 && lines < LINES {
        if text.tokens[start].lines_before > 1 {
            break;
        }
        lines += usize::from(text.tokens[start].lines_before > 0);
        if lines < LINES {
            start -= 1;
        }
    }
    start..open
}

/// A colon, a line of its own or a rule stands before the quotation.
fn introduced(text: &Text<'_>, open: usize) -> bool {
    open > 0 && (text.tokens[open].lines_before > 0 || is!(text.key(open - 1), ":" | "=" | "-"))
}

fn dated(text: &Text<'_>, times: &[TemporalExpression], tokens: Range<usize>) -> impl DoubleEndedIterator<Item = NaiveDateTime> {
    let bytes = text.byte_range(tokens.start..tokens.end.min(text.tokens.len()));
    let first = times.partition_point(|t| t.start < bytes.start);
    let last = times.partition_point(|t| t.start < bytes.end).max(first);
    times[first..last].iter().filter(|t| t.kind == TemporalKind::Date && t.precision >= Precision::Month).filter_map(|t| t.value)
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;
    use crate::temporal::temporal_expressions;

    fn found(text: &str) -> Vec<String> {
        let reference = NaiveDate::from_ymd_opt(2025, 4, 6).and_then(|d| d.and_hms_opt(11, 0, 0));
        let read = Text::new(text);
        copies(&read, &temporal_expressions(&read, reference), reference).into_iter().map(|r| read.source(r)[..12].to_owned()).collect()
    }

    #[test]
    fn older_notes_that_are_quoted() {
        let told = "Infarctus sylvien droit, NIHSS 17 à l'entrée, thrombectomie en deux passages, Rankin 3 à la sortie.";
        assert_eq!(found(&format!("=== Copie du CRH de Brouzac, 29/08/2019 ===\n« {told} »\n===")).len(), 1);
        assert_eq!(found(&format!("Extrait du courrier du 12 mai 2021, recopié : \"{told}\"")).len(), 1);
        assert_eq!(found(&format!("Courrier scanné :\n« {told} » (Dr Roux, 19/07/2021)")).len(), 1);
        // Of this stay, without a source, a word taken up.
        assert!(found(&format!("Repris du courrier des urgences du 2 avril : « {told} »")).is_empty());
        assert!(found(&format!("Le fils le 4 mai 2021 : « {told} »")).is_empty());
        assert!(found("Courrier de mai 2021 : « AVC mineur ».").is_empty());
    }
}
