//! How far a cue reaches.

mod behind;

use std::ops::Range;

use super::{Cue, CueKind, SentenceView};
use crate::is;
use crate::text::Kind;

/// Most words between a cue and what it qualifies, mentions in between not counted.
const REACH_BEFORE: usize = 9;
/// Most tokens from a bracket to its partner.
const BRACKET: usize = 80;
/// Most tokens looked at behind a comma for the "ou" that closes its enumeration.
const AHEAD: usize = 40;

/// What a comma does to the scope of a cue that stands before.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Commas {
    /// Ends it.
    End,
    /// Ends it, unless "ni" or "ou" comes later in the enumeration.
    Coordinated,
    /// Ends it, unless what follows is one more bare item.
    Items,
    /// Nothing, nor do colons: what a condition leads to.
    Clause,
    /// Nothing, nor do colons, semicolons, articles and numbers.
    Pass,
}

impl Commas {
    /// Articles, numbers and brackets do not end the scope either.
    fn open(self) -> bool {
        matches!(self, Commas::Pass | Commas::Clause)
    }
}

/// A span in its sentence.
pub(super) struct Scope<'a> {
    pub view: &'a SentenceView<'a>,
    pub span: &'a Range<usize>,
}

impl<'a> Scope<'a> {
    pub fn fold(&self, at: usize) -> &'a str {
        self.view.text.fold(at)
    }

    pub fn key(&self, at: usize) -> u64 {
        self.view.text.key(at)
    }

    pub fn kind(&self, at: usize) -> Option<Kind> {
        self.view.text.tokens.get(at).map(|t| t.kind)
    }

    /// The mention that covers this token.
    pub fn mention_at(&self, at: usize) -> Option<&'a Range<usize>> {
        let after = self.view.mentions.partition_point(|m| m.start <= at);
        self.view.mentions[..after].last().filter(|m| m.contains(&at))
    }

    pub fn cue_at(&self, at: usize, kinds: &[CueKind]) -> bool {
        self.view.cues_in(at..at + 1).iter().any(|c| kinds.contains(&c.kind))
    }

    fn spaced(&self, at: usize) -> bool {
        self.view.text.tokens.get(at).is_none_or(|t| t.space_before)
    }

    /// Behind a word or two between commas: "ni, a priori, de fièvre".
    fn behind_aside(&self, at: usize) -> usize {
        if !is!(self.key(at), ",") {
            return at;
        }
        let words = (at + 1..self.view.sentence.end.min(at + 5)).take_while(|i| self.mention_at(*i).is_none());
        words.skip(1).find(|i| is!(self.key(*i), ",")).map_or(at, |close| close + 1)
    }

    /// The token that closes the bracket opened here.
    fn closing(&self, open: usize) -> Option<usize> {
        (open + 1..self.view.sentence.end).take(BRACKET).find(|i| is!(self.key(*i), ")"))
    }

    /// A cue that stands before reaches the span.
    pub fn reached(&self, cue: &Cue, commas: Commas) -> bool {
        // The mention may start within the cue: "absence de signe d'HTIC".
        if cue.end > self.span.start {
            return cue.start < self.span.start && cue.end <= self.span.end;
        }
        let mut at = cue.end;
        if self.kind(at) == Some(Kind::Number) && !commas.open() && self.mention_at(at).is_none() {
            // "Pas de 2e scanner": the number is none of the cue's.
            if !(self.ordinal(at) && self.mention_at(at + 1).is_some()) {
                return false;
            }
            at += 1;
        }
        if is!(self.key(at), ":") {
            at += 1;
        }
        at = self.behind_aside(at);
        // "et, moins probablement, un AVC": the adverb stands between its commas.
        let set_off = cue.start.checked_sub(1).is_some_and(|before| is!(self.key(before), ","));
        if set_off && is!(self.key(at), ",") && self.fold(cue.end - 1).ends_with("blement") {
            at += 1;
        }
        let (mut words, mut items, mut last_item, mut commas) = (0, 0, false, commas);
        // "Ne marche pas, aphasie": a negated verb has no enumeration.
        let verbal = commas == Commas::Items && self.verb_negation(cue);
        if verbal {
            commas = Commas::End;
        }
        while at < self.span.start {
            if let Some(mention) = self.mention_at(at) {
                if items > 0 && !commas.open() && self.new_line(at) {
                    return false;
                }
                at = mention.end.max(at + 1);
                items += 1;
                words = 0;
                continue;
            }
            // A nearer cue of the same kind decides for what stands behind it.
            if self.ends_scope(at, items, words, commas) || self.cue_at(at, &[cue.kind]) {
                return false;
            }
            if items > 0 && !commas.open() && self.new_line(at) {
                return false;
            }
            match (self.kind(at), self.fold(at)) {
                (Some(Kind::Mark), "(") if verbal => return false,
                (Some(Kind::Mark), "(") if items + words > 0 && !commas.open() => {
                    let Some(close) = self.closing(at) else { return false };
                    if self.span.start < close {
                        return self.only_items(at + 1..close);
                    }
                    at = close;
                }
                (Some(Kind::Mark), ")")
                    if commas == Commas::Pass && (self.kind(at - 1) == Some(Kind::Number) || is!(self.key(at + 1), ":")) => {}
                (Some(Kind::Mark), ")") if !(cue.end..at).any(|i| is!(self.key(i), "(")) => return false,
                (Some(Kind::Mark), ",") => {
                    if !self.passes_comma(at + 1, commas, last_item) && !self.repeats(cue, at + 1) {
                        return false;
                    }
                    words = 0;
                }
                (Some(Kind::Mark), "/" | "+") => words = 0,
                (Some(Kind::Mark), "-") if self.spaced(at) && self.spaced(at + 1) => {
                    if !self.passes_comma(at + 1, commas, last_item) {
                        return false;
                    }
                    words = 0;
                }
                (Some(Kind::Mark), "." | "!" | "?" | "…") if self.spaced(at + 1) => return false,
                // Bullets within a line: "* pas d'asthme   * sœur : AVC".
                (Some(Kind::Mark), "*" | "•" | "·") if self.spaced(at) && !commas.open() => return false,
                (Some(Kind::Mark), ";") if commas != Commas::Pass => return false,
                (Some(Kind::Mark), ":" | "=" | ">" | "<" | "→") if !commas.open() => return false,
                (Some(Kind::Mark), _) => {}
                (_, "ni" | "ou") => {
                    last_item = true;
                    words = 0;
                }
                (_, "et") => {
                    if !commas.open() && items > 0 && self.new_statement(at + 1) && !self.repeats(cue, at + 1) && !self.pairs(cue, at + 1) {
                        return false;
                    }
                    words = 0;
                    at += usize::from(self.repeats(cue, at + 1));
                }
                _ => words += 1,
            }
            if words > REACH_BEFORE && !commas.open() {
                return false;
            }
            at += 1;
        }
        !(items > 0 && !commas.open() && self.new_line(at))
    }

    /// "2e", "1er", "3ème".
    fn ordinal(&self, at: usize) -> bool {
        let word = self.fold(at);
        matches!(word.trim_start_matches(|c: char| c.is_ascii_digit()), "e" | "er" | "ere" | "eme" | "ieme" | "nd" | "nde")
    }

    /// The span depends on the condition that stands before it. Behind "si besoin,"
    /// and behind what a treatment before the condition waits for, another item starts.
    pub fn depends(&self, cue: &Cue) -> bool {
        let complete = cue.end - cue.start > 1 && (cue.end >= self.view.sentence.end || is!(self.key(cue.end), "," | ";" | ")" | "."));
        let treatment = (cue.start.saturating_sub(3).max(self.view.sentence.start)..cue.start)
            .rev()
            .take_while(|at| self.kind(*at) != Some(Kind::Mark))
            .any(|at| self.mention_at(at).is_some());
        !complete && self.reached(cue, if treatment { Commas::End } else { Commas::Clause })
    }

    /// What stands behind the span is part of a condition: "si la thrombolyse est récusée".
    pub fn supposed(&self) -> bool {
        self.view.outside(self.span).any(|cue| {
            cue.kind == CueKind::Conditional
                && cue.end <= self.span.start
                && !(cue.end..self.span.start).any(|at| is!(self.key(at), "," | ":" | ";"))
                && self.depends(cue)
        })
    }

    /// A line starts here that no word or comma before it announces.
    pub fn new_line(&self, at: usize) -> bool {
        self.view.text.tokens[at].lines_before > 0
            && !is!(self.key(at - 1), "," | "ni" | "ou" | "et" | "de" | "d" | "'" | "la" | "le" | "du" | "des" | "-" | "/")
    }

    fn ends_scope(&self, at: usize, items: usize, words: usize, commas: Commas) -> bool {
        match commas {
            Commas::Pass => self.cue_at(at, &[CueKind::Story]),
            Commas::Clause => false,
            _ => {
                self.cue_at(at, &[CueKind::Terminator, CueKind::Conditional])
                    || items > 0 && self.cue_at(at, &[CueKind::Link, CueKind::Story])
                    || items + words > 0 && self.cue_at(at, &[CueKind::Circumstance])
            }
        }
    }

    /// The cue is "pas", "jamais" or "plus" of a verb that no "de" follows.
    fn verb_negation(&self, cue: &Cue) -> bool {
        if !is!(self.key(cue.end - 1), "pas" | "jamais" | "plus") {
            return false;
        }
        let next = self.view.mentions.partition_point(|m| m.start < cue.end);
        let first = self.view.mentions.get(next).map_or(self.span.start, |m| m.start.min(self.span.start));
        first > cue.end && !(cue.end..first).any(|i| is!(self.key(i), "de" | "d" | "aucun" | "aucune" | "ni" | ":"))
    }

    /// "recherche d'infarctus, de dissection", "négatif pour l'un et pour l'autre": the item
    /// takes up the preposition of the cue.
    fn repeats(&self, cue: &Cue, item: usize) -> bool {
        let of = |at: usize| is!(self.key(at), "de" | "d");
        let last = cue.end - 1;
        let article = |at: usize| is!(self.key(at), "un" | "une");
        // "recherche d'un infarctus, d'une dissection"
        let with_article = last > 1 && article(last) && of(last - 2) && of(item) && article(item + 2);
        let taken_up = of(last) && of(item) || is!(self.key(last), "'") && of(last - 1) && of(item) || with_article;
        (taken_up || is!(self.key(last), "pour") && is!(self.key(item), "pour"))
            && (item + 1..item + 4).any(|at| self.mention_at(at).is_some())
    }

    /// "suivie pour une hypertension et un diabète": the second of two, with its article too.
    fn pairs(&self, cue: &Cue, item: usize) -> bool {
        let article = |at: usize| is!(self.key(at), "un" | "une");
        matches!(cue.kind, CueKind::HistoryBefore | CueKind::HypothesisBefore)
            && article(cue.end - 1)
            && article(item)
            && self.mention_at(item + 1).is_some()
    }

    fn passes_comma(&self, next: usize, commas: Commas, last_item: bool) -> bool {
        match commas {
            Commas::Pass | Commas::Clause => true,
            Commas::End => false,
            Commas::Coordinated => self.item_follows(next) && self.coordinated(next),
            Commas::Items => self.item_follows(next) && (self.coordinated(next) || !last_item && self.bare(next)),
        }
    }

    /// "ni" or "ou" comes before the enumeration ends.
    fn coordinated(&self, from: usize) -> bool {
        let mut words = 0;
        let mut at = from;
        while at < self.view.sentence.end.min(from + AHEAD) {
            if let Some(mention) = self.mention_at(at) {
                at = mention.end.max(at + 1);
                words = 0;
                continue;
            }
            match (self.kind(at), self.fold(at)) {
                (_, "ni" | "ou") => return true,
                (Some(Kind::Mark), ",") => words = 0,
                (Some(Kind::Mark), "'" | "-" | "/") => {}
                (Some(Kind::Mark | Kind::Number), _) => return false,
                (_, "de" | "d" | "autre" | "autres" | "et") => {}
                _ => words += 1,
            }
            // "sans arythmie, échographie normale, sans thrombus ni": another denial has the "ni".
            if words > 2 || self.cue_at(at, &[CueKind::NegationWithout, CueKind::Terminator, CueKind::Circumstance, CueKind::Story]) {
                return false;
            }
            at += 1;
        }
        false
    }

    fn item_start(&self, at: usize) -> usize {
        let mut at = at;
        while is!(self.key(at), "ni" | "ou" | "et" | "de" | "d" | "'" | "autre" | "autres" | "notamment" | "non" | "plus")
            && at < self.view.sentence.end
        {
            at += 1;
        }
        at
    }

    fn item_at(&self, at: usize) -> Option<&Range<usize>> {
        if self.span.start == at { Some(self.span) } else { self.mention_at(at).filter(|m| m.start == at) }
    }

    /// After a comma: another item of the enumeration, not a new statement.
    fn item_follows(&self, at: usize) -> bool {
        let at = self.item_start(at);
        self.item_at(at).is_some() || self.adjective_item(at).is_some()
    }

    /// An item whose first word is no mention of its own: "champ visuel".
    fn adjective_item(&self, at: usize) -> Option<&Range<usize>> {
        if self.new_statement(at)
            || self.cue_at(at, &[CueKind::Terminator, CueKind::Link, CueKind::Circumstance, CueKind::Story])
            || self.kind(at) != Some(Kind::Word)
        {
            return None;
        }
        (at + 1..at + 4)
            .take_while(|i| matches!(self.kind(*i), Some(Kind::Word)) || is!(self.key(*i), "'" | "-"))
            .find_map(|i| self.item_at(i))
    }

    /// The item here has nothing of its own behind it: no side, no dose, no verb.
    fn bare(&self, at: usize) -> bool {
        let at = self.item_start(at);
        let Some(item) = self.item_at(at).or_else(|| self.adjective_item(at)) else { return false };
        self.closed(item.end) && !item.clone().any(|i| self.side(i) || self.fold(i).bytes().any(|b| b.is_ascii_digit()))
    }

    /// A statement or an item ends here.
    fn closed(&self, at: usize) -> bool {
        if at >= self.view.sentence.end {
            return true;
        }
        match self.kind(at) {
            Some(Kind::Mark) => is!(self.key(at), "," | ";" | "." | ")" | "/" | "!" | "…") || is!(self.key(at), "-") && self.spaced(at),
            _ => is!(self.key(at), "ni" | "ou" | "et") || self.cue_at(at, &[CueKind::Terminator]),
        }
    }

    /// Two mentions or more and nothing else: "(céphalées, vomissements)".
    fn only_items(&self, inside: Range<usize>) -> bool {
        let mut items = 0;
        let mut at = inside.start;
        while at < inside.end {
            if let Some(mention) = self.mention_at(at) {
                items += 1;
                at = mention.end.max(at + 1);
            } else if is!(self.key(at), "," | "ou" | "et" | "ni" | "/" | "d" | "de" | "'" | ";") {
                at += 1;
            } else {
                return false;
            }
        }
        items > 1
    }

    /// Words that open something of their own.
    fn new_statement(&self, at: usize) -> bool {
        self.kind(at) == Some(Kind::Number)
            || is!(
                self.key(at),
                "un" | "une"
                    | "le"
                    | "la"
                    | "les"
                    | "l"
                    | "il"
                    | "elle"
                    | "on"
                    | "patient"
                    | "patiente"
                    | "avec"
                    | "mais"
                    | "c"
                    | "est"
                    | "a"
                    | "ce"
                    | "cette"
                    | "son"
                    | "sa"
                    | "ses"
                    | "nous"
                    | "je"
                    | "y"
                    | "puis"
                    | "au"
                    | "aux"
                    | "en"
                    | "quelques"
                    | "reste"
                    | "persiste"
                    | "par"
                    | "pour"
            )
    }

    /// The cue stands right before the span, small words aside, or before what a stroke ties to it: "Ø AVC/AIT".
    pub fn adjacent_before(&self, cue: &Cue) -> bool {
        let first = self.tied();
        cue.end <= first
            && first - cue.end <= 3
            && (cue.end..first).all(|i| is!(self.key(i), "de" | "d" | "'" | "-"))
            && (cue.end - cue.start > 1 || self.kind(cue.start) != Some(Kind::Number) || self.starts_item(cue.start))
    }

    /// First token of the mentions that strokes tie to the span: "AVC/AIT".
    fn tied(&self) -> usize {
        let mut first = self.span.start;
        while first > 1 && is!(self.key(first - 1), "/") {
            let Some(before) = self.mention_at(first - 2).filter(|m| m.end == first - 1) else { break };
            first = before.start;
        }
        first
    }

    /// "0 diabète" opens a statement; "NIHSS 0" does not.
    fn starts_item(&self, at: usize) -> bool {
        at == self.view.sentence.start
            || self.view.text.tokens[at].lines_before > 0
            || is!(self.key(at - 1), "." | "," | ";" | ":" | "-" | "(" | "+" | "/")
            || (is!(self.key(at - 1), "*") || self.examined(at)) && self.counts(at)
            || self.continues_noughts(at)
    }

    /// "0 AVC 0 AIT 0 FA": the noughts stand before what they count, as the first one does.
    fn continues_noughts(&self, at: usize) -> bool {
        let head = self.mention_at(at - 1).map_or(at - 1, |m| m.start);
        head > self.view.sentence.start
            && self.view.text.tokens[at].lines_before == 0
            && is!(self.key(head - 1), "0" | "ø" | "zero")
            && self.view.text.tokens[head].lines_before == 0
            && self.starts_item(head - 1)
    }

    /// An examination is named right before this token.
    fn examined(&self, at: usize) -> bool {
        self.view.cues_in(at.saturating_sub(4)..at).iter().any(|c| c.kind == CueKind::Examined && c.end == at)
    }

    /// The cue stands right before the span, articles and "tout" aside.
    pub fn right_before(&self, cue: &Cue) -> bool {
        cue.end <= self.span.start
            && self.span.start - cue.end <= 4
            && (cue.end..self.span.start).all(|i| {
                is!(
                    self.key(i),
                    "le" | "la"
                        | "l"
                        | "'"
                        | "un"
                        | "une"
                        | "tout"
                        | "toute"
                        | "nouveau"
                        | "nouvelle"
                        | "relais"
                        | "par"
                        | "reprise"
                        | "de"
                        | "du"
                        | "controle"
                        | "introduction"
                        | "instauration"
                        | "debut"
                )
            })
    }

    /// The verb is in its own form: its object follows ("élimine une").
    pub fn has_object(&self, cue: &Cue) -> bool {
        is!(
            self.key(cue.end),
            "un" | "une"
                | "le"
                | "la"
                | "les"
                | "l"
                | "tout"
                | "toute"
                | "d"
                | "de"
                | "des"
                | "formellement"
                | "definitivement"
                | "egalement"
                | "donc"
                | "plutot"
                | "en"
                | "ainsi"
                | "aussi"
        ) || is!(self.key(cue.end), "du") && !is!(self.key(cue.end + 1), "fait")
            || self.mention_at(cue.end).is_some_and(|m| m.start == cue.end)
    }

    /// Within some words on either side, in the same clause.
    pub fn near(&self, cue: &Cue, reach: usize) -> bool {
        let between = if cue.end <= self.span.start { cue.end..self.span.start } else { self.span.end..cue.start };
        // Behind the span it speaks of its own item: "HTA découverte ici, hérédité coronaire".
        let behind = cue.start >= self.span.end;
        between.clone().filter(|i| self.kind(*i) != Some(Kind::Mark)).count() <= reach
            && !between.clone().any(|i| is!(self.key(i), "." | ";") || behind && is!(self.key(i), ","))
            && !(behind && (self.span.end..cue.start + 1).any(|i| self.new_line(i)))
    }
}
