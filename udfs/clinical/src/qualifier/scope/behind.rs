//! Cues that stand behind what they qualify: "diabète : non", "AVC éliminé", "embolie ?".

use std::ops::Range;

use super::Scope;
use crate::is;
use crate::qualifier::{Cue, CueKind};
use crate::text::Kind;

/// Most tokens of an apposition.
const ASIDE: usize = 9;
/// Longer lines are wrapped: a dash at their end may part two items.
const TICKED: usize = 60;
/// Most words between what is qualified and a cue behind it, mentions in between not counted.
const REACH_AFTER: usize = 6;

impl Scope<'_> {
    /// A cue that stands behind reaches the span. `plural` cues speak of a whole
    /// enumeration, others of its last item.
    pub fn reached_behind(&self, cue: &Cue) -> bool {
        if cue.start < self.span.end {
            return false;
        }
        let plural = self.fold(cue.end - 1).ends_with('s') && !is!(self.key(cue.end - 1), "pas" | "plus" | "jamais" | "mois" | "jours");
        let (mut at, mut words, mut chained) = (self.span.end, 0, true);
        while at < cue.start {
            if let Some(mention) = self.mention_at(at) {
                if !chained {
                    return false;
                }
                chained = false;
                at = mention.end.max(at + 1);
                words = 0;
                continue;
            }
            if self.cue_at(at, &[CueKind::Terminator, CueKind::Story]) {
                return false;
            }
            match (self.kind(at), self.fold(at)) {
                (Some(Kind::Mark), "(") => {
                    // What a bracket adds is not what the cue speaks of.
                    let Some(close) = self.closing(at) else { return false };
                    if close < cue.start {
                        at = close;
                    } else if at + 1 != cue.start {
                        return false;
                    }
                }
                (Some(Kind::Mark), ")") => return false,
                (Some(Kind::Mark), ",")
                    if words < 4
                        && (at + 1 == cue.start
                            || at + 2 == cue.start
                                && is!(
                                    self.key(at + 1),
                                    "est" | "donc" | "a" | "mais" | "puis" | "car" | "finalement" | "secondairement"
                                ))
                        && (self.apposed(cue.start) || cue.kind == CueKind::Stopped) => {}
                // "la thrombectomie, envisagée à Bordeaux, a été annulée"
                (Some(Kind::Mark), ",") if at == self.span.end && self.verbal(cue) && self.aside(at + 1, cue.start) => {
                    at = cue.start - 1;
                }
                (Some(Kind::Mark), "-") if self.spaced(at) && self.spaced(at + 1) => return false,
                // "0,4" is one number.
                (Some(Kind::Mark), ",")
                    if self.kind(at - 1) == Some(Kind::Number) && self.kind(at + 1) == Some(Kind::Number) && !self.spaced(at + 1) => {}
                (Some(Kind::Mark), ",") => {
                    if self.mention_at(at + 1).is_none() || !plural || words > 1 {
                        return false;
                    }
                    chained = true;
                    words = 0;
                }
                (Some(Kind::Mark), "/" | "+") => chained = true,
                (Some(Kind::Mark), "'" | "-" | "\"" | "°") => {}
                (Some(Kind::Mark), ":" | "=" | "|") if at + 1 == cue.start => {}
                (Some(Kind::Mark), _) => return false,
                (_, "et" | "ou" | "ni") => chained = true,
                // "thrombolyse de cet infarctus non faite": said of the head.
                (_, "de" | "d" | "du" | "des" | "pour" | "par" | "sur" | "sous") => {
                    chained = (chained || words == 0)
                        && (self.mention_at(at + 1).is_some()
                            || is!(self.key(at + 1), "'" | "cet" | "cette" | "ce" | "la" | "l" | "un" | "une"))
                }
                (_, "la" | "le" | "l" | "les" | "a" | "un" | "une" | "cet" | "ce" | "cette") => {}
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
        // The complement of another mention: the cue speaks of that one.
        !self.complement(cue)
    }

    /// Words that only a treatment or an act has: "non reprise", "jamais commencée".
    pub fn of_treatment(&self, cue: &Cue) -> bool {
        let word = self.fold(cue.end - 1);
        ["repris", "prescri", "introdui", "donne", "inject", "debut", "commenc", "poursui", "reconduit"]
            .iter()
            .any(|stem| word.starts_with(stem))
    }

    /// "STOP thrombectomie".
    pub fn called_off(&self, cue: &Cue) -> bool {
        is!(self.key(cue.start), "stop") && cue.end == self.span.start
    }

    /// A day counted from the event stands behind an examination and nothing else does:
    /// "au lit, IRM J2.", "ETT M6". What it showed would follow.
    pub fn scheduled(&self) -> bool {
        let mut at = self.span.end;
        while is!(self.key(at), "controle" | "a") || is!(self.key(at), "de") && is!(self.key(at + 1), "controle") {
            at += 1;
        }
        let counted = |at: usize| {
            let word = self.fold(at);
            matches!(word.as_bytes().first(), Some(b'h' | b'j' | b'm'))
                && (1..4).contains(&(word.len() - 1))
                && word[1..].bytes().all(|b| b.is_ascii_digit())
        };
        if self.kind(at) != Some(Kind::Word) || !counted(at) || at > self.span.end + 3 {
            return false;
        }
        at += 1;
        if is!(self.key(at), "(") {
            let Some(close) = self.closing(at) else { return false };
            at = close + 1;
        }
        if at >= self.view.sentence.end || self.view.text.tokens[at].lines_before > 0 {
            return true;
        }
        match self.fold(at) {
            "." | ";" => true,
            // "IRM J2, infarctus pontique" tells what it showed.
            "," => {
                !(at + 1..at + 5).any(|i| self.mention_at(i).is_some_and(|m| m.start == i))
                    || self.item_at(at + 1).is_some()
                    || is!(self.key(at + 1), "pas") && self.waits_for()
            }
            _ => false,
        }
    }

    /// "IRM J2, rien par la bouche avant".
    fn waits_for(&self) -> bool {
        (self.span.end..self.view.sentence.end.min(self.span.end + ASIDE + 3))
            .any(|at| is!(self.key(at), "avant" | "jusque" | "jusqu" | "la"))
    }

    /// The cue is a verb whose subject may stand further off.
    fn verbal(&self, cue: &Cue) -> bool {
        cue.end - cue.start > 1 && is!(self.key(cue.start), "a" | "est" | "fut" | "etait" | "n" | "ne" | "ont" | "sont" | "sera")
    }

    /// Words set off by commas that say nothing of their own stand there, up to the cue.
    fn aside(&self, from: usize, to: usize) -> bool {
        to > from + 1
            && to - from <= ASIDE
            && is!(self.key(to - 1), ",")
            && (from..to - 1).all(|at| (self.kind(at) == Some(Kind::Word) || is!(self.key(at), "'")) && self.mention_at(at).is_none())
    }

    /// Words that speak of what stands before the comma: "thrombolyse, contre-indiquée
    /// par", "thrombectomie, puis l'a annulée".
    fn apposed(&self, at: usize) -> bool {
        let word = self.fold(at);
        matches!(word, "non" | "pas" | "jamais" | "finalement" | "puis" | "mais" | "secondairement")
            || ["contre", "recus", "refus", "annul", "abandon", "declin", "ecart", "elimin", "exclu", "infirm"]
                .iter()
                .any(|stem| word.starts_with(stem))
    }

    /// "thrombolyse de l'AVC refusée": the span is what the head is done for.
    fn complement(&self, cue: &Cue) -> bool {
        let mut at = self.span.start;
        let mut linked = false;
        while at > self.view.sentence.start && self.span.start - at < 4 {
            at -= 1;
            match self.fold(at) {
                "'" | "l" | "la" | "le" | "cet" | "cette" | "ce" | "un" | "une" => {}
                "de" | "d" | "du" | "pour" | "sur" => linked = true,
                _ => return linked && cue.end - cue.start > 1 && self.mention_at(at).is_some(),
            }
        }
        false
    }

    /// The cue stands right behind the span, or behind its side or a bracket.
    pub fn adjacent_after(&self, cue: &Cue) -> bool {
        if cue.start < self.span.end {
            return false;
        }
        // "ETT : 0 thrombus": the examination was done.
        let nought = cue.end - 1;
        let examined = is!(self.key(nought), "0" | "ø" | "zero")
            && self.mention_at(cue.end).is_some_and(|m| m.start == cue.end && self.view.text.tokens[cue.end].lines_before == 0)
            && self.view.cues_in(self.span.clone()).iter().any(|c| c.kind == CueKind::Examined);
        if examined {
            return false;
        }
        let between = self.span.end..cue.start;
        between.len() <= 12
            && (between.clone().all(|i| self.side(i) || is!(self.key(i), "/" | "(" | "-" | "=" | ":" | "\"" | "|" | ";"))
                && between.len() <= 3
                || self.described(cue)
                || self.bracket(between.clone()))
            && self.ends_item(cue)
            // "hypothyroïdie⏎jamais fumé": what opens a line and goes on speaks of what follows.
            && (self.view.text.tokens[cue.start].lines_before == 0 || self.ends_cell(cue.end))
            // "HTA ; non diabétique": behind a semicolon only a cell of a table answers.
            && (!between.into_iter().any(|i| is!(self.key(i), ";")) || self.ends_cell(cue.end))
    }

    /// "athérome protrusif : absent": a word or two of the span before the colon.
    fn described(&self, cue: &Cue) -> bool {
        let between = self.span.end..cue.start;
        let plain = |at: usize| {
            let token = &self.view.text.tokens[at];
            token.kind == Kind::Word
                && token.lines_before == 0
                && !token.capital
                && self.fold(at).len() > 3
                && self.mention_at(at).is_none()
        };
        (1..3).contains(&between.len()) && is!(self.key(cue.start), ":" | "=") && between.into_iter().all(plain)
    }

    /// "Holter 72 h : 0 FA": the nought counts what follows it, unless it answers what
    /// stands before ("NIHSS : 0", "HTA : 0") or something else is told of the span.
    pub fn counted_none(&self, cue: &Cue) -> bool {
        cue.end <= self.span.start
            && cue.end - cue.start == 2
            && is!(self.key(cue.start), ":" | "=")
            && is!(self.key(cue.end - 1), "0" | "ø" | "zero")
            && (cue.end..self.span.start).all(|i| is!(self.key(i), "de" | "d" | "'"))
            && (cue.end - 1..=self.span.start).all(|i| self.view.text.tokens[i].lines_before == 0)
            && self.counts(cue.start)
    }

    /// "Holter : aucun passage en FA", "ATCD : jamais d'AVC": behind the colon a sentence goes on, no answer ends.
    pub fn goes_on(&self, cue: &Cue) -> bool {
        cue.end <= self.span.start
            && cue.end - cue.start == 2
            && is!(self.key(cue.start), ":" | "=")
            && (self.fold(cue.end - 1).starts_with("aucun") || is!(self.key(cue.end - 1), "jamais"))
            && self.view.text.tokens.get(cue.end).is_some_and(|t| t.kind == Kind::Word && t.lines_before == 0)
            && !self.ends_item(cue)
    }

    /// "ne vomit pas", "n'urine plus": the verb itself is denied.
    pub fn verb_denied(&self) -> bool {
        let apostrophe = usize::from(self.span.start > 1 && is!(self.key(self.span.start - 1), "'"));
        let Some(before) = self.span.start.checked_sub(1 + apostrophe).filter(|at| *at >= self.view.sentence.start) else { return false };
        is!(self.key(before), "ne" | "n") && is!(self.key(self.span.end), "pas" | "plus" | "jamais" | "point" | "guere")
    }

    /// "HTA +, DT2 -", "IDM -  AVC/AIT -" at the end of a short line: a minus that answers,
    /// not the dash of an enumeration, which ends no line.
    pub fn minus_behind(&self) -> bool {
        let tokens = &self.view.text.tokens;
        let same_line = |at: usize| tokens.get(at).is_some_and(|t| t.lines_before == 0);
        let mut at = self.span.end;
        while is!(self.key(at), "/") && same_line(at) && same_line(at + 1) {
            let Some(next) = self.mention_at(at + 1) else { return false };
            at = next.end.max(at + 2);
        }
        if !is!(self.key(at), "-") || !same_line(at) || !tokens[at].space_before {
            return false;
        }
        if same_line(at + 1) && is!(self.key(at + 1), "," | ";" | "/" | ")") {
            return true;
        }
        let first = (0..=self.span.start).rev().find(|i| *i == 0 || tokens[*i].lines_before > 0).unwrap_or(0);
        let last = (at..).find(|i| !same_line(i + 1)).unwrap_or(at);
        let short = self.view.text.byte_range(first..last + 1).len() <= TICKED;
        short && !is!(self.key(first), "-") && is!(self.key(last), "-" | "+") && tokens[last].space_before
    }

    /// A nought here counts what follows; it answers nothing before it.
    pub fn counts(&self, nought: usize) -> bool {
        let before = nought.saturating_sub(4)..nought;
        let ends = |kind: CueKind| self.view.cues_in(before.clone()).iter().any(|c| c.kind == kind && c.end == nought);
        let told = self
            .view
            .text
            .tokens
            .get(self.span.end)
            .is_some_and(|t| t.lines_before == 0 && (t.kind == Kind::Number || is!(self.key(self.span.end), ":" | "=")));
        !told && !ends(CueKind::Scored) && (ends(CueKind::Examined) || nought == 0 || self.mention_at(nought - 1).is_none())
    }

    fn bracket(&self, between: Range<usize>) -> bool {
        is!(self.key(between.start), "(") && self.closing(between.start) == between.end.checked_sub(1)
    }

    pub(super) fn side(&self, at: usize) -> bool {
        is!(
            self.key(at),
            "g" | "d"
                | "gauche"
                | "droit"
                | "droite"
                | "droits"
                | "bilateral"
                | "bilaterale"
                | "franc"
                | "franche"
                | "mi"
                | "ms"
                | "msg"
                | "msd"
                | "mig"
                | "mid"
        )
    }

    /// Nothing takes the cue's word away from the span: "aphasie : non" but
    /// not "aphasie : non fluente", "TDM : aucune lésion".
    fn ends_cell(&self, at: usize) -> bool {
        let token = self.view.text.tokens.get(at).filter(|t| at < self.view.sentence.end && t.lines_before == 0);
        token.is_none_or(|t| t.kind == Kind::Mark)
    }

    fn ends_item(&self, cue: &Cue) -> bool {
        let at = cue.end;
        let Some(token) = self.view.text.tokens.get(at) else { return true };
        if at >= self.view.sentence.end || token.lines_before > 0 {
            return true;
        }
        if self.fold(cue.end - 1).starts_with("aucun") || cue.end - cue.start > 2 {
            return self.mention_at(at).is_none()
                && !is!(self.key(at), "de" | "d" | "'")
                && (token.kind != Kind::Word
                    || self.cue_at(at, &[CueKind::Link, CueKind::Circumstance, CueKind::Terminator])
                    || is!(
                        self.key(at),
                        "ce" | "connu" | "connue" | "notable" | "retrouve" | "retrouvee" | "a" | "en" | "dans" | "au" | "et"
                    ));
        }
        // "0,5": a number, not a zero.
        if self.kind(cue.end - 1) == Some(Kind::Number) && !token.space_before && self.kind(at + 1) == Some(Kind::Number) {
            return false;
        }
        match token.kind {
            // "HTA : 0 / diabète : 0", not "EVA : 0 / 10" nor "oui / non".
            Kind::Mark if is!(self.key(at), "/") => {
                token.space_before && self.spaced(at + 1) && self.kind(at + 1) == Some(Kind::Word) && !is!(self.key(at + 1), "oui" | "non")
            }
            // "NON - annulée": what stands behind a dash explains the answer.
            Kind::Mark if is!(self.key(at), "-") => token.space_before && self.spaced(at + 1),
            Kind::Mark => !is!(self.key(at), "%" | "'"),
            Kind::Number => false,
            Kind::Word => {
                // "FA : 0 au scope".
                let seen = cue.end - cue.start == 2 && is!(self.key(at), "au" | "aux" | "sur");
                seen || self.mention_at(at).is_some() || token.capital || is!(self.key(at), "ni" | "et" | "mais" | "pas" | "ce" | "par")
            }
        }
    }

    /// A question mark behind the span, within its clause.
    pub fn question(&self, cue: &Cue) -> bool {
        if cue.start < self.span.end {
            return false;
        }
        let (mut words, mut at) = (0, self.span.end);
        while at < cue.start {
            if let Some(mention) = self.mention_at(at) {
                at = mention.end.max(at + 1);
                continue;
            }
            if self.cue_at(at, &[CueKind::Story]) {
                return false;
            }
            match (self.kind(at), self.fold(at)) {
                // "HTA, tabac, diabète ?": the last item is in question.
                (Some(Kind::Mark), "." | ";" | "?" | "!" | ":" | ")" | ",") => return false,
                (Some(Kind::Mark), _) | (_, "ou" | "et" | "versus" | "vs") => {}
                _ => words += 1,
            }
            if words > 5 {
                return false;
            }
            at += 1;
        }
        true
    }
}
