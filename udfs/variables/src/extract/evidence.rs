//! The words that are shown for a value: those that a rule met, and what around
//! them says so.
//!
//! "pas de FA", not "FA"; "tabac sevré depuis 2010", not "tabac". The words go as
//! far as the item of the list, or the part of the sentence, that they stand in.

use std::ops::Range;

use sillage_clinical::analysis::Analysis;
use sillage_clinical::text::Kind;

/// Most words shown on either side.
const REACH: usize = 6;

/// Bytes of the words to be shown for these.
pub(super) fn around(analysis: &Analysis<'_>, bytes: Range<usize>) -> Range<usize> {
    let text = &analysis.text;
    let (first, last) = (text.token_at(bytes.start), text.token_at(bytes.end.saturating_sub(1)));
    let bounded = |at: usize| {
        let token = &text.tokens[at];
        token.kind == Kind::Mark
            && matches!(text.fold(at), "," | ";" | ":" | "." | "(" | ")" | "!" | "?" | "•" | "|" | "→" | "«" | "»" | "*")
            || text.fold(at) == "-" && token.space_before
            || matches!(text.fold(at), "mais" | "puis")
    };
    let (mut start, mut end) = (first, last);
    while start > 0 && first - start < REACH && text.tokens[start].lines_before == 0 && !bounded(start - 1) {
        start -= 1;
    }
    while end + 1 < text.tokens.len() && end - last < REACH && text.tokens[end + 1].lines_before == 0 && !bounded(end + 1) {
        end += 1;
    }
    let wide = text.byte_range(start..end + 1);
    wide.start.min(bytes.start)..wide.end.max(bytes.end)
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
    }
}
