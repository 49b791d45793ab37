//! The words that are shown for a value: those that a rule met, and what around
//! them says so.
//!
//! "pas de FA", not "FA"; "tabac sevré depuis 2010", not "tabac". The words go as
//! far as the item of the list, or the part of the sentence, that they stand in.

use std::ops::Range;

use sillage_clinical::analysis::Analysis;
use sillage_clinical::is;
use sillage_clinical::temporal::TemporalExpression;
use sillage_clinical::text::Kind;

/// Most words shown on either side.
const REACH: usize = 6;

/// Bytes of the words to be shown for these.
pub(super) fn around(analysis: &Analysis<'_>, bytes: Range<usize>) -> Range<usize> {
    let text = &analysis.text;
    let (first, last) = (text.token_at(bytes.start), text.token_at(bytes.end.saturating_sub(1)));
    let bounded = |at: usize| {
        let token = &text.tokens[at];
        token.kind == Kind::Mark && is!(text.key(at), "," | ";" | ":" | "." | "(" | ")" | "!" | "?" | "•" | "|" | "→" | "«" | "»" | "*")
            || is!(text.key(at), "-" | "/") && token.space_before && text.tokens.get(at + 1).is_some_and(|t| t.space_before)
            || is!(text.key(at), "mais" | "puis")
    };
    let (mut start, mut end) = (first, last);
    while start > 0 && first - start < REACH && text.tokens[start].lines_before == 0 && !bounded(start - 1) {
        start -= 1;
    }
    while end + 1 < text.tokens.len() && end - last < REACH && text.tokens[end + 1].lines_before == 0 && !bounded(end + 1) {
        end += 1;
    }
    // From the word that denies it, and not on to the next one denied.
    let denies = |at: usize| is!(text.key(at), "pas" | "aucun" | "aucune" | "sans" | "ni" | "jamais" | "0" | "absence");
    if let Some(from) = (start..first).rev().find(|at| denies(*at)) {
        start = from;
        end = (last + 1..=end).find(|at| denies(*at)).map_or(end, |at| at - 1);
    }
    let wide = text.byte_range(start..end + 1);
    wide.start.min(bytes.start)..wide.end.max(bytes.end)
}

/// Bytes of the time at one end of the words that reach from an event to it.
pub(super) fn time(analysis: &Analysis<'_>, bytes: Range<usize>) -> Range<usize> {
    let times = analysis.times();
    let inside = times[times.partition_point(|t| t.end <= bytes.start)..].iter().take_while(|t| t.end <= bytes.end);
    let at_end = |t: &&TemporalExpression| t.value.is_some() && (t.start == bytes.start || t.end == bytes.end);
    // Between two times the event stands: that of the end is its own.
    inside.filter(at_end).last().map_or(bytes, |t| t.start..t.end)
}

#[cfg(test)]
mod tests {
    use sillage_clinical::knowledge::Knowledge;

    use super::*;

    #[test]
    fn an_item_of_a_list_is_shown_whole() {
        let text = "ATCD : HTA, pas de diabète connu, tabac sevré depuis 2010.";
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let shown = |word: &str| {
            let at = text.find(word).unwrap();
            &text[around(&analysis, at..at + word.len())]
        };
        assert_eq!(shown("HTA"), "HTA");
        assert_eq!(shown("diabète"), "pas de diabète connu");
        assert_eq!(shown("tabac"), "tabac sevré depuis 2010");
        let text = "Asthme : oui / HTA : non / goutte : non";
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let at = text.find("HTA").unwrap();
        assert_eq!(&text[around(&analysis, at..at + 3)], "HTA");
    }

    #[test]
    fn what_is_denied_is_shown_from_the_word_that_denies_it() {
        let text = "Traité médicalement pas de geste chirurgical\n0 HTA 0 asthme";
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        let shown = |word: &str| {
            let at = text.find(word).unwrap();
            &text[around(&analysis, at..at + word.len())]
        };
        assert_eq!(shown("geste"), "pas de geste chirurgical");
        assert_eq!(shown("HTA"), "0 HTA");
    }

    #[test]
    fn of_an_event_the_time_is_shown() {
        let text = "Bolus à 11h52, puis ponction.";
        let day = chrono::NaiveDate::from_ymd_opt(2031, 4, 9).and_then(|d| d.and_hms_opt(14, 0, 0));
        let analysis = Analysis::new(Knowledge::built_in(), text, day);
        assert_eq!(&text[time(&analysis, 0..text.find(',').unwrap())], "11h52");
    }
}
