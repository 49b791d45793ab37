//! Family names that are words as well: what stands behind a given name.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::{Page, Part, PartKind, Trust, look};
use crate::name::knowledge::{likely_common, word};
use crate::proper::known;

impl Page<'_, '_> {
    /// "MME GERMAINE MEUNIER", "INTERNE GERMAINE KERDONVAL": in capitals, behind a given name.
    pub(super) fn shouted_family(&self, at: usize, before: &[Part]) -> bool {
        let given = before.len() < 3 && before.iter().all(|p| p.kind == PartKind::Word && p.bits & word::ANY_GIVEN != 0);
        let sure = before.iter().all(|p| p.bits & word::GIVEN != 0);
        let fold = self.fold(at);
        given
            && fold.len() > 3
            && !self.has(at, look::CLINICAL | word::ACRONYM | look::CUE | word::QUALIFIER)
            && (self.has(at, word::ANY_FAMILY) && (sure || !self.has(at, word::COMMON))
                || !self.has(at, word::COMMON) && !likely_common(fold) && !known::explained(fold) && self.pronounceable(at..at + 1))
    }

    /// "Gildas Voisin", "avec Solenn Bonjour": behind a given name a word is its family name.
    pub(super) fn surname(&self, at: usize, before: &[Part]) -> bool {
        let given = !before.is_empty() && before.iter().all(|p| p.kind == PartKind::Word && p.bits & word::GIVEN != 0 && !p.upper);
        if !given || self.has(at, look::IN_CAPITALS | look::CLINICAL | word::ACRONYM) || !self.has(at, look::CAPITAL) {
            return false;
        }
        let headed = is!(self.key(at + 1), ":" | "=") || is!(self.key(at + 1), "(") && is!(self.key(at + 2), "e");
        let running = before
            .first()
            .is_some_and(|p| p.tokens.start > 0 && self.same_line(p.tokens.start) && self.has(p.tokens.start - 1, look::LOWER));
        let title = self.title(at).is_some();
        let plain = running && self.fold(at).len() > 3 && !self.has(at, look::CUE | word::QUALIFIER) && !likely_common(self.fold(at));
        !headed && !title && (self.has(at, word::ANY_FAMILY) || plain)
    }

    /// "Dr Solenn TIBIA", "Mme Odile Rotule, 71 ans", "M. TIBIA": a word of anatomy or of medicine
    /// where only a family name can stand, behind a title, a given name or its letter.
    pub(super) fn body_name(&self, at: usize, trust: Trust, before: &[Part]) -> bool {
        let fold = self.fold(at);
        let refused = self.title(at).is_some()
            || !self.has(at, look::CAPITAL)
            || self.has(at, word::ACRONYM | word::QUALIFIER | look::CUE)
            || fold.len() < 4
            || self.has(at, look::CLINICAL) && !self.has(at, look::BODY | look::ALONE);
        if refused || !known::medical(fold) {
            return false;
        }
        let given = |p: &Part| p.kind == PartKind::Word && p.bits & word::ANY_GIVEN != 0;
        let pure = |p: &Part| given(p) && p.bits & word::ANY_FAMILY == 0;
        let (announced, body, next) = (trust >= Trust::Announced, self.has(at, look::BODY), at + 1);
        let mark = |i: usize| self.text.tokens[i].kind == Kind::Mark && !is!(self.key(i), "-" | "/" | "'" | "+" | "=");
        let closed = self.closed(next) || mark(next);
        if before.is_empty() {
            return body && self.stands_out(at) && (trust == Trust::Titled && self.goes_on(next, closed) || self.before_given(at));
        }
        if self.has(at, look::IN_CAPITALS) {
            return announced && body && closed && before.iter().all(pure);
        }
        if self.stands_out(at) {
            let mixed = before.iter().all(|p| given(p) && !p.upper || p.kind == PartKind::Initial && p.upper);
            let sure = body || !self.has(at, look::CLINICAL) || announced && closed && !likely_common(fold);
            let ends = closed && (announced || !is!(self.key(next), ":")) || announced && self.goes_on(next, closed);
            return mixed && sure && ends;
        }
        let sure = !is!(self.key(next), ":") || before.iter().all(pure);
        announced && body && before.iter().all(given) && closed && sure
    }

    /// "PONT Gilles,": a given name that ends the phrase stands behind.
    fn before_given(&self, at: usize) -> bool {
        let bits = self.bits(at + 1);
        let given = bits & word::ANY_GIVEN != 0 && bits & (look::CAPITAL | look::UPPER) == look::CAPITAL;
        given && self.same_line(at + 1) && (self.closed(at + 2) || is!(self.key(at + 2), "," | ")" | ";" | "("))
    }

    /// What may stand behind a name: the end of a phrase, a word in small letters, nothing
    /// that medicine says of a part of the body.
    fn goes_on(&self, next: usize, closed: bool) -> bool {
        closed || self.has(next, look::LOWER) && !self.says_of_a_thing(next)
    }

    /// "gauche", "mitrale", "g": what medicine says of a thing, no small word, no deed.
    pub fn says_of_a_thing(&self, at: usize) -> bool {
        let fold = self.fold(at);
        let said =
            fold.len() > 4 && known::medical(fold) && !known::deed(fold) && (!self.has(at, word::COMMON) || self.has(at, look::CLINICAL));
        self.has(at, look::LOWER) && (said || matches!(fold, "g" | "d"))
    }
}
