//! How far a cue reaches.

use std::ops::Range;

use super::{Cue, CueKind, SentenceView};
use crate::text::Kind;

/// Most words between a cue and what it qualifies, mentions in between not counted.
const REACH_BEFORE: usize = 9;
const REACH_AFTER: usize = 6;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    /// The cue stands before; `through_commas`: an enumeration keeps it open.
    Forward { through_commas: bool },
    /// The cue stands behind.
    Backward,
}

/// A span in its sentence.
pub(super) struct Scope<'a> {
    pub view: &'a SentenceView<'a>,
    pub span: &'a Range<usize>,
}

impl Scope<'_> {
    fn fold(&self, at: usize) -> &str {
        self.view.text.fold(at)
    }

    /// Whether a mention (other than the span) covers this token; its end then.
    fn mention_at(&self, at: usize) -> Option<&Range<usize>> {
        self.view.mentions.iter().find(|m| m.contains(&at))
    }

    fn terminator_at(&self, at: usize) -> bool {
        self.view.cues.iter().any(|c| c.kind == CueKind::Terminator && c.start == at) && self.mention_at(at).is_none()
    }

    /// Whether the cue reaches the span.
    pub fn reached(&self, cue: &Cue, direction: Direction) -> bool {
        match direction {
            Direction::Forward { through_commas } => cue.end <= self.span.start && self.forward(cue, through_commas),
            Direction::Backward => cue.start >= self.span.end && self.backward(cue),
        }
    }

    fn forward(&self, cue: &Cue, through_commas: bool) -> bool {
        let mut at = cue.end;
        let mut words = 0;
        // After "ni X" or "ou X" a comma closes the enumeration.
        let mut last_item = false;
        while at < self.span.start {
            if let Some(mention) = self.mention_at(at) {
                at = mention.end.max(at + 1);
                words = 0;
                continue;
            }
            if self.terminator_at(at) {
                return false;
            }
            let token = &self.view.text.tokens[at];
            match (token.kind, self.fold(at)) {
                (Kind::Mark, "," | "/" | "+") => {
                    if !through_commas && self.fold(at) == "," || last_item && !self.conjunction_follows(at + 1) || !self.item_follows(at + 1) {
                        return false;
                    }
                    words = 0;
                }
                (Kind::Mark, "." | ";" | "!" | "?" | ":" | "=" | ">") => {
                    if !(self.fold(at) == "." && !self.view.text.tokens.get(at + 1).is_some_and(|t| t.space_before)) {
                        return false;
                    }
                }
                (Kind::Mark, _) => {}
                (_, "ni" | "ou") => {
                    last_item = true;
                    words = 0;
                }
                (_, "et") => {
                    if self.new_clause(at + 1) {
                        return false;
                    }
                    words = 0;
                }
                _ => words += 1,
            }
            if words > REACH_BEFORE {
                return false;
            }
            at += 1;
        }
        true
    }

    fn conjunction_follows(&self, from: usize) -> bool {
        (from..self.span.end).take_while(|i| self.fold(*i) != ",").any(|i| matches!(self.fold(i), "ni" | "ou"))
    }

    /// After a comma: another item of the enumeration, not a new statement.
    fn item_follows(&self, at: usize) -> bool {
        let mut at = at;
        while matches!(self.fold(at), "ni" | "ou" | "et" | "de" | "d" | "'" | "sans" | "pas" | "aucun" | "aucune" | "autre" | "notamment" | "ni de") {
            at += 1;
        }
        if self.view.mentions.iter().any(|m| m.start == at) || self.span.start == at {
            return true;
        }
        // One adjective or noun before the item ("trouble sensitif, champ visuel") keeps it open.
        !self.new_clause(at) && self.view.mentions.iter().any(|m| m.start > at && m.start <= at + 2) && !self.verb(at)
    }

    fn new_clause(&self, at: usize) -> bool {
        matches!(
            self.fold(at),
            "un" | "une" | "le" | "la" | "les" | "l" | "il" | "elle" | "on" | "patient" | "patiente" | "avec" | "mais" | "c" | "est" | "a" | "ce" | "cette" | "son" | "sa" | "ses" | "nous" | "je" | "y" | "puis" | "a" | "au" | "aux" | "en"
        ) || self.view.text.tokens.get(at).is_some_and(|t| t.kind == Kind::Number)
    }

    fn verb(&self, at: usize) -> bool {
        matches!(self.fold(at), "est" | "sont" | "a" | "ont" | "etait" | "etaient" | "reste" | "persiste")
    }

    fn backward(&self, cue: &Cue) -> bool {
        let mut at = self.span.end;
        let mut words = 0;
        let mut chained = true;
        while at < cue.start {
            if let Some(mention) = self.mention_at(at) {
                if !chained {
                    return false;
                }
                at = mention.end.max(at + 1);
                words = 0;
                continue;
            }
            if self.terminator_at(at) {
                return false;
            }
            match (self.view.text.tokens[at].kind, self.fold(at)) {
                (Kind::Mark, ",") => {
                    // "AVC, AIT : non", not "AVC, retour à domicile refusé".
                    if !self.view.mentions.iter().any(|m| m.start == at + 1) {
                        return false;
                    }
                    chained = true;
                    words = 0;
                    at += 1;
                    continue;
                }
                (Kind::Mark, "." | ";" | "!" | "?") => return false,
                (Kind::Mark, "/" | "+" | "(" | ")" | ":" | "=" | "-" | "'" | "\"" | "°") => {
                    chained = true;
                    at += 1;
                    continue;
                }
                (Kind::Mark, _) => return false,
                (_, "et" | "ou" | "ni") => {
                    chained = true;
                    at += 1;
                    continue;
                }
                (_, "de" | "d" | "du" | "des" | "la" | "le" | "l" | "les" | "a" | "un" | "une") => {}
                _ => {
                    words += 1;
                    chained = false;
                }
            }
            if words > REACH_AFTER {
                return false;
            }
            at += 1;
        }
        true
    }

    /// The cue stands right before the span, small words aside.
    pub fn adjacent_before(&self, cue: &Cue) -> bool {
        cue.end <= self.span.start
            && (cue.end..self.span.start).all(|i| matches!(self.fold(i), "de" | "d" | "'" | "-"))
            && (cue.end - cue.start > 1
                || !self.view.text.tokens.get(cue.start).is_some_and(|t| t.kind == Kind::Number)
                || self.starts_item(cue.start))
    }

    /// "0 diabète" opens a statement; "NIHSS 0" does not.
    fn starts_item(&self, at: usize) -> bool {
        at == self.view.sentence.start || self.view.text.tokens[at].lines_before > 0 || matches!(self.fold(at - 1), "." | "," | ";" | ":" | "-" | "(" | "+" | "/")
    }

    /// The cue stands right behind the span, or behind its side or a bracket.
    pub fn adjacent_after(&self, cue: &Cue) -> bool {
        if cue.start < self.span.end {
            return false;
        }
        let between = self.span.end..cue.start;
        between.len() <= 3
            && between.clone().all(|i| self.side(i) || matches!(self.fold(i), "(" | "/" | ")" | "-"))
            && self.ends_item(cue.end)
    }

    fn side(&self, at: usize) -> bool {
        matches!(self.fold(at), "g" | "d" | "gauche" | "droit" | "droite" | "droits" | "bilateral" | "bilaterale" | "franc" | "franche")
    }

    fn ends_item(&self, at: usize) -> bool {
        let Some(token) = self.view.text.tokens.get(at) else { return true };
        at >= self.view.sentence.end || token.lines_before > 0 || token.kind == Kind::Mark && !matches!(self.fold(at), "%" | "/") || self.view.mentions.iter().any(|m| m.start == at) || matches!(self.fold(at), "ni" | "et" | "mais" | "pas")
    }

    /// A question mark behind the span, within its clause.
    pub fn question(&self, cue: &Cue) -> bool {
        if cue.start < self.span.end {
            return false;
        }
        let mut words = 0;
        let mut at = self.span.end;
        while at < cue.start {
            if let Some(mention) = self.mention_at(at) {
                at = mention.end.max(at + 1);
                continue;
            }
            match (self.view.text.tokens[at].kind, self.fold(at)) {
                (Kind::Mark, "." | ";" | "?" | "!" | ":" | ",") => return false,
                (Kind::Mark, _) | (_, "ou" | "et") => {}
                _ => words += 1,
            }
            if words > 4 {
                return false;
            }
            at += 1;
        }
        true
    }

    /// Within some words on either side, in the same clause.
    pub fn near(&self, cue: &Cue, reach: usize) -> bool {
        let between = if cue.end <= self.span.start { cue.end..self.span.start } else { self.span.end..cue.start };
        let words = between.clone().filter(|i| self.view.text.tokens[*i].kind != Kind::Mark).count();
        words <= reach && !between.clone().any(|i| matches!(self.fold(i), "." | ";"))
    }

    /// The relative has what the span names: "mère : AVC", "AVC chez le père",
    /// but not "sa fille signale une chute".
    pub fn of_kin(&self, cue: &Cue) -> bool {
        let (between, forward) = if cue.end <= self.span.start { (cue.end..self.span.start, true) } else { (self.span.end..cue.start, false) };
        if between.clone().any(|i| matches!(self.fold(i), "." | ";" | "!" | "?")) {
            return false;
        }
        let words = between.clone().filter(|i| self.view.text.tokens[*i].kind != Kind::Mark && self.mention_at(*i).is_none()).count();
        let reporting = self.view.cues.iter().any(|c| c.kind == CueKind::Reporting && (c.start + 3 >= cue.start && c.end <= cue.start || c.start >= cue.end && c.end <= self.span.start.max(cue.end + 3)));
        if reporting {
            return false;
        }
        if forward {
            // Another relative in between takes over; the patient too.
            words <= 7 && !between.clone().any(|i| matches!(self.fold(i), "patient" | "patiente" | "lui" | "l" | "que" | "qui" | "ne"))
        } else {
            // "AVC chez le père", "diabète (mère)", "épilepsie du côté maternel".
            words <= 4
                && (between.is_empty() || between.clone().any(|i| matches!(self.fold(i), "chez" | "(" | "du" | "cote" | "un" | "une" | "son" | "sa" | "le" | "la" | "des" | "de")))
                && !between.clone().any(|i| matches!(self.fold(i), ","))
                && self.view.cues.iter().any(|c| c.kind == CueKind::Kin && c.start == cue.start)
                && between.clone().any(|i| matches!(self.fold(i), "chez" | "(" | "cote"))
        }
    }
}
