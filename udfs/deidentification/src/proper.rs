//! Proper names that no list holds.
//!
//! Villages, clinics and people of hospitals that nobody met before are words with a
//! capital in the middle of a sentence which neither French nor medicine explains
//! ([`known::explained`]). What stands around says what they name: a place behind "à",
//! a person behind "chez", a house behind "Les". Initials of those who write are read in
//! [`initials`]. These are guesses: a clinical mention wins over them.

mod account;
mod denied;
mod initials;
pub(crate) mod known;
mod person;
mod place;
mod signing;
mod signs;
mod wider;

use std::borrow::Cow;
use std::ops::Range;

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use crate::identity::Identity;
use crate::name::knowledge::{likely_common, word};
use crate::name::page::{Page, look};
use crate::{Label, Span};
use place::Place;

/// Most words of a name.
const LONGEST: usize = 9;
/// A line shorter than this was ended by its writer.
const WRAP: u32 = 45;

/// Finds what looks like a proper name where no span covers it yet.
pub(crate) fn proper(identity: &Identity, page: &Page<'_, '_>, staff: &[&str], spans: &[Span]) -> Vec<Span> {
    let mut reader = Proper::new(identity, page, spans);
    for at in 0..reader.page.len() {
        if !reader.covered(at) {
            reader.word(at);
        }
    }
    reader.ends();
    reader.cut_given_names();
    reader.before_given_names();
    reader.learn_people(staff);
    reader.initials();
    reader.logins();
    reader.accounts();
    reader.signs();
    reader.signings();
    reader.denied();
    reader.found.sort_by_key(|s| s.start);
    reader.found
}

struct Proper<'p, 'a> {
    identity: &'p Identity,
    page: &'p Page<'p, 'a>,
    /// The label of the span that covers a token.
    labels: Vec<Option<Label>>,
    /// Whether a token is a word with a capital that nothing explains.
    strange: Vec<bool>,
    found: Vec<Span>,
    /// Initials of the people whom the document or its metadata name.
    people: FxHashSet<String>,
}

impl<'p, 'a> Proper<'p, 'a> {
    fn new(identity: &'p Identity, page: &'p Page<'p, 'a>, spans: &[Span]) -> Self {
        let labels = page.labels(spans);
        let strange = (0..page.len()).map(|at| labels[at].is_none() && strange(identity, page, at)).collect();
        Proper { identity, page, labels, strange, found: Vec::new(), people: FxHashSet::default() }
    }

    fn covered(&self, at: usize) -> bool {
        self.label(at).is_some()
    }

    fn label(&self, at: usize) -> Option<Label> {
        self.labels.get(at).copied().flatten()
    }

    fn fold(&self, at: usize) -> &str {
        self.page.fold(at)
    }

    fn key(&self, at: usize) -> u64 {
        self.page.key(at)
    }

    fn before(&self, at: usize, back: usize) -> &str {
        at.checked_sub(back).map_or("", |i| self.page.fold(i))
    }

    fn source(&self, at: usize) -> &'a str {
        self.page.text.source(at..at + 1)
    }

    fn number(&self, at: usize) -> bool {
        self.page.text.tokens.get(at).is_some_and(|t| t.kind == Kind::Number)
    }

    fn mark(&self, at: usize) -> bool {
        self.page.text.tokens.get(at).is_some_and(|t| t.kind == Kind::Mark)
    }

    fn emit(&mut self, tokens: Range<usize>, label: Label, detector: &'static str, score: f32) {
        if tokens.clone().any(|i| self.covered(i)) || tokens.is_empty() {
            return;
        }
        let bytes = self.page.text.byte_range(tokens.clone());
        self.labels[tokens].fill(Some(label));
        self.found.push(Span { start: bytes.start, end: bytes.end, label, detector: Cow::Borrowed(detector), score });
    }

    fn word(&mut self, at: usize) {
        if self.page.has(at, look::LOWER) {
            let _ = self.small_titled(at) || self.small_called(at);
            return;
        }
        if !self.page.has(at, look::CAPITAL | look::SINGLE) {
            return;
        }
        let people = at > 1 && matches!(self.label(at - 2), Some(Label::Nom | Label::Prenom));
        let joins = at > 0 && (is!(self.key(at - 1), "-" | "@" | "." | "_") || is!(self.key(at - 1), "/") && !people);
        let joins = joins && !(at > 1 && is!(self.key(at - 1), "/") && self.label(at - 2) == Some(Label::Ville));
        if joins && at > 1 && self.page.glued(at) && self.page.glued(at - 1) {
            return;
        }
        let _ = self.glued_title(at)
            || self.letter_behind(at)
            || self.listed_given(at)
            || self.beside_town(at)
            || self.beside_family(at)
            || self.particled(at)
            || self.compound_given(at)
            || self.pair(at)
            || self.house(at)
            || self.small_house(at)
            || self.region(at)
            || self.behind_trade(at)
            || self.placed(at)
            || self.entry(at)
            || self.capitals(at)
            || self.behind_colon(at);
    }

    /// A capitalised word that nothing explains.
    fn unknown(&self, at: usize) -> bool {
        self.strange.get(at).is_some_and(|strange| *strange) && !self.covered(at)
    }

    /// Something other than a name explains the word.
    fn explained(&self, at: usize) -> bool {
        known::explained_by_key(self.key(at), self.fold(at))
    }

    /// Small words of medicine and of every day are never part of a name.
    fn may_follow(&self, at: usize) -> bool {
        self.page.has(at, look::CAPITAL) && !self.covered(at) && !self.page.has(at, look::CLINICAL | word::EPONYM)
    }

    /// The token behind a name with what hyphens hold: "Eccica-Suarella", "Portet-sur-Garonne".
    fn held(&self, first: usize) -> usize {
        let mut end = first + 1;
        let mut at = end;
        while at + 1 < self.page.len()
            && at < first + LONGEST
            && self.page.text.tokens[at + 1].kind == Kind::Word
            && is!(self.key(at), "-" | "'")
            && self.page.glued(at)
            && self.page.glued(at + 1)
            && !self.covered(at + 1)
        {
            at += 2;
            // "Roc'h" ends on its letter.
            if self.page.has(at - 1, look::CAPITAL) || is!(self.key(at - 1), "h") && is!(self.key(at - 2), "'") {
                end = at;
            }
        }
        end
    }

    /// A hyphenated name of several capitals: one half unknown, none of medicine.
    fn compound(&self, first: usize) -> Option<usize> {
        let end = self.held(first);
        if end == first + 1 {
            return None;
        }
        let halves: Vec<usize> = (first..end).filter(|i| self.page.has(*i, look::CAPITAL)).collect();
        let medicine = |i: &usize| {
            self.page.has(*i, look::CLINICAL | word::EPONYM | word::ACRONYM)
                || known::thing(&self.key(*i))
                || crate::leak::eponym(self.fold(*i)).is_some()
                || self.fold(*i).len() < 3
                || !spelled(self.source(*i))
        };
        let shouted = halves.iter().all(|i| self.page.has(*i, look::UPPER));
        let plain = halves.len() > 1 && !halves.iter().any(medicine) && !shouted;
        // "à Belle-Isle": two words with their capitals are a name as well.
        let placed = || {
            let place = self.place(first);
            matches!(place, Place::At | Place::Near) || matches!(place, Place::Article | Place::Of) && wider::place_word(self.fold(first))
        };
        (plain && (halves.iter().any(|i| self.unknown(*i)) || placed())).then_some(end)
    }

    fn placed(&mut self, at: usize) -> bool {
        let compound = self.compound(at);
        let lead = compound.is_none() && !self.unknown(at);
        if lead && !self.leads(at) {
            return false;
        }
        let place = self.place(at);
        let of = place == Place::Of && self.page.has(at.saturating_sub(2), look::LOWER) && !self.of_medicine(at, 4);
        if lead && !of && !matches!(place, Place::At | Place::Near | Place::Article) {
            return false;
        }
        if matches!(place, Place::Opens | Place::None) || self.page.behind_eponym_head(at) {
            return false;
        }
        let end = compound.unwrap_or_else(|| self.held(at));
        let end = self.chain(at, end);
        let upper = self.page.has(at, look::UPPER);
        let common = end == at + 1 && likely_common(self.fold(at));
        // "Achieva 3T", "Microlife 2": things have numbers.
        let numbered = self.page.same_line(end) && self.number(end) && !self.covered(end);
        let upper_line = upper && self.shouted(at);
        let several = (at..end).filter(|i| self.page.has(*i, look::CAPITAL)).count() > 1;
        let named = self.page.has(at, word::ANY_NAME);
        let (label, score) = match place {
            Place::At if upper_line && (common || self.fold(at).len() < 5 || !self.page.pronounceable(at..at + 1)) => return false,
            Place::At if self.of_medicine(at, 5) && !several && !self.pictured(at) => return false,
            Place::Near if upper_line && self.label(at.saturating_sub(2)).is_some() && self.fold(at).len() > 4 && !common => {
                (Label::Ville, 0.5)
            }
            Place::At => (Label::Ville, 0.6),
            _ if upper_line || numbered && !several => return false,
            Place::Near if common && !self.headed_place(at) || self.of_medicine(at, 3) => return false,
            Place::Near => (Label::Ville, 0.55),
            Place::Article if upper || common || self.of_medicine(at, 4) => return false,
            Place::Article => (Label::Ville, 0.45),
            Place::Of if upper && self.fold(at).len() < 5 || common || self.of_medicine(at, 4) => return false,
            Place::Of => (if named { Label::Nom } else { Label::Ville }, 0.4),
            Place::Person if common && !named || self.of_medicine(at, 3) => return false,
            Place::Person => (if self.page.has(at, word::ANY_GIVEN) { Label::Prenom } else { Label::Nom }, 0.55),
            Place::Running if upper && self.fold(at).len() < 5 || common || self.of_medicine(at, 2) => return false,
            Place::Running => (Label::Nom, 0.4),
            Place::Opens | Place::None => return false,
        };
        // "à la Brimaudière": the article of a hamlet is part of its name.
        let article = place == Place::Article && is!(self.key(at - 1), "la" | "le" | "les") && !self.covered(at - 1);
        self.emit(at - usize::from(article)..end, label, "proper:word", score);
        true
    }

    /// "IRM à Brouzac": where a picture was taken.
    fn pictured(&self, at: usize) -> bool {
        matches!(self.before(at, 2), "irm" | "scanner" | "tdm" | "doppler" | "echo" | "imagerie" | "arteriographie")
            && !self.page.has(at, look::UPPER)
    }

    /// "Ker Avalon", "Mas Brézignac": a known word with a capital before an unknown one.
    fn leads(&self, at: usize) -> bool {
        self.unknown(at + 1)
            && self.page.has(at, look::CAPITAL)
            && !self.page.has(at, look::UPPER | look::CLINICAL | look::CUE | word::EPONYM | word::EPONYM_HEAD)
            && self.fold(at).len() > 1
            && self.page.same_line(at + 1)
            && !self.page.glued(at + 1)
            && !self.page.has(at + 1, look::UPPER)
            && !known::thing(&self.key(at))
    }

    /// A line all in capitals says nothing of its words.
    fn shouted(&self, at: usize) -> bool {
        let long = |i: &usize| self.page.has(*i, look::LOWER | look::CAPITAL) && self.fold(*i).len() > 2;
        let start = self.page.line_start(at);
        let rest = (at + 1..self.page.len()).take_while(|i| self.page.same_line(*i));
        let mut upper = 0;
        for i in (start..at).chain(rest).filter(long) {
            if !self.page.has(i, look::UPPER) {
                return false;
            }
            upper += 1;
        }
        upper > 1
    }

    /// Further unknown words behind: "Ker Avalon", "Villiers le Sec".
    fn chain(&self, first: usize, end: usize) -> usize {
        let mut end = end;
        while end < first + LONGEST && self.page.same_line(end) && !self.page.glued(end) {
            let particle = is!(self.key(end), "le" | "la" | "les" | "de" | "du" | "sur") && self.page.has(end, look::LOWER);
            let next = end + usize::from(particle);
            if !self.page.same_line(next) || !(self.unknown(next) || self.compound(next).is_some()) || particle && self.page.glued(next) {
                break;
            }
            if self.page.has(next, look::UPPER) != self.page.has(first, look::UPPER)
                && self.page.has(next, look::UPPER)
                && self.fold(next).len() < 4
            {
                break;
            }
            end = self.held(next);
        }
        end
    }

    /// A gap before the token sets it apart.
    fn column(&self, at: usize) -> bool {
        let (Some(token), Some(last)) = (self.page.text.tokens.get(at), at.checked_sub(1).and_then(|p| self.page.text.tokens.get(p)))
        else {
            return true;
        };
        let gap = &self.page.text.original[last.end as usize..token.start as usize];
        gap.len() > 2 || gap.contains('\t')
    }

    /// "ViaTrajectoire : Les Myrtes (accord), La Roseraie": a list of houses for after the stay.
    fn of_houses(&self, at: usize) -> bool {
        (self.page.line_start(at)..at)
            .any(|i| is!(self.key(i), "viatrajectoire" | "trajectoire" | "ssr" | "smr" | "ehpad" | "structures" | "etablissements"))
    }

    /// "(Les Tilleuls 03…", "retour aux Myrtes", "à La Tronche": an article with a capital
    /// within a sentence opens the name of a house or a place.
    fn house(&mut self, at: usize) -> bool {
        if !is!(self.key(at), "les" | "la" | "le" | "l") || self.page.has(at, look::UPPER) || at == 0 || !self.page.same_line(at) {
            return false;
        }
        let acronym = self.page.has(at - 1, look::UPPER)
            && self.page.has(at - 1, word::ACRONYM | look::CUE)
            && !self.page.has(at - 1, look::CLINICAL);
        let inside = (self.page.has(at - 1, look::LOWER) || acronym) && !self.page.has(at, look::OPENS)
            || is!(self.key(at - 1), "(" | "'")
            || is!(self.key(at - 1), ":" | "," | ";" | "/") && self.of_houses(at);
        let name = if is!(self.key(at), "l") { at + 2 } else { at + 1 };
        let written = self.page.same_line(name) && self.may_follow(name) && !self.page.has(name, look::UPPER) && self.fold(name).len() > 2;
        if !inside || !written || self.page.behind_eponym_head(at) || known::thing(&self.key(name)) || self.of_medicine(at, 2) {
            return false;
        }
        let mut end = self.held(name);
        while self.page.same_line(end) && end < name + LONGEST {
            let linked = is!(self.key(end), "de" | "du" | "des" | "d" | "d'" | "sur");
            let mut next = end + usize::from(linked);
            if linked {
                next += usize::from(is!(self.key(next), "la" | "l" | "le" | "les"));
                next += usize::from(is!(self.key(next), "'"));
            }
            if !self.page.same_line(next) || !self.may_follow(next) || self.page.has(next, look::UPPER) {
                break;
            }
            end = self.held(next);
        }
        let town = matches!(self.before(at, 1), "a" | "de" | "vers" | "pres");
        let label = if town && self.unknown(name) { Label::Ville } else { Label::Hopital };
        self.emit(at..end, label, "proper:house", 0.5);
        true
    }
}

/// A word that is written as a name and that nothing explains.
fn strange(identity: &Identity, page: &Page<'_, '_>, at: usize) -> bool {
    let refused = look::CLINICAL
        | look::CUE
        | look::SEEN_LOWER
        | word::COMMON
        | word::ACRONYM
        | word::EPONYM
        | word::EPONYM_HEAD
        | word::QUALIFIER
        | word::PARTICLE;
    if page.bits(at) & (look::CAPITAL | refused) != look::CAPITAL {
        return false;
    }
    let fold = page.fold(at);
    let short = fold.len() < 3 || page.has(at, look::UPPER) && fold.len() < 4;
    !short && spelled(page.text.source(at..at + 1)) && !known::explained_by_key(page.key(at), fold) && identity.shape.plain(fold)
}

/// Letters of a name: one capital and small letters, all capitals, or "McDonald", "LeGoff".
fn spelled(source: &str) -> bool {
    let mut chars = source.chars();
    let Some(first) = chars.next() else { return false };
    let rest = chars.as_str();
    if !first.is_uppercase() || rest.chars().any(|c| !c.is_alphabetic()) {
        return false;
    }
    let inner = ["Mc", "Mac", "Le", "La", "Du", "De", "Di", "El"].iter().find_map(|p| source.strip_prefix(p));
    let plain = |s: &str| s.chars().skip(1).all(char::is_lowercase);
    plain(source)
        || source.chars().all(char::is_uppercase)
        || inner.is_some_and(|r| r.chars().count() > 3 && r.starts_with(char::is_uppercase) && plain(r))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use sillage_clinical::analysis::Analysis;
    use sillage_clinical::knowledge::Knowledge;

    use super::*;
    use crate::Circumstances;
    use crate::detect::detect;
    use crate::vote::settle;

    fn all(text: &str) -> Vec<Span> {
        let analysis = Analysis::new(Knowledge::built_in(), text, None);
        settle(&analysis, detect(Identity::built_in(), &analysis, Circumstances::default()))
    }

    const SENTENCES: &str = include_str!("../data/proper_sentences.txt");

    /// `⟦words⟧` must be covered, and nothing else.
    #[test]
    fn finds_what_the_sentences_mark_and_nothing_else() {
        let mut wrong = Vec::new();
        for line in SENTENCES.lines().filter(|l| !l.is_empty() && !l.starts_with('#')) {
            let line = line.replace("\\n", "\n");
            let mut text = String::new();
            let mut gold = Vec::new();
            for part in line.split_inclusive(['⟦', '⟧']) {
                let inside = part.ends_with('⟧');
                let words = part.trim_end_matches(['⟦', '⟧']);
                let letters = words.chars().filter(|c| c.is_alphanumeric()).count();
                gold.extend(std::iter::repeat_n(inside, letters));
                text += words;
            }
            let spans = all(&text);
            let found: Vec<bool> = text
                .char_indices()
                .filter(|(_, c)| c.is_alphanumeric())
                .map(|(i, _)| spans.iter().any(|s| s.start <= i && i < s.end))
                .collect();
            if found != gold {
                let read: Vec<String> = spans.iter().map(|s| format!("{} [{}]", &text[s.start..s.end], s.detector)).collect();
                wrong.push(format!("{line}\n   found {read:?}"));
            }
        }
        assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
    }

    #[test]
    fn letters_of_names() {
        for name in ["Porticcio", "ANTONETTI", "McDonald", "LeGoff", "Élodie"] {
            assert!(spelled(name), "{name}");
        }
        for thing in ["SpO2", "PaO", "EkoSonic", "HbA", "eFAST", "Deltas3"] {
            assert!(!spelled(thing), "{thing}");
        }
    }

    proptest! {
        #[test]
        fn spans_stand_apart_on_words(text in "(à |de |Kerbihan|Marie|-|LM|/| |:|\n|14/01 |11h30 |Les |Myrtes|é|chez |,|\\.){0,20}") {
            let analysis = Analysis::new(Knowledge::built_in(), &text, None);
            let mut last = 0;
            for span in proper(Identity::built_in(), &Page::new(&Identity::built_in().names, &analysis), &[], &[]) {
                prop_assert!(span.start >= last && span.end > span.start);
                prop_assert!(text.get(span.start..span.end).is_some());
                last = span.end;
            }
        }
    }
}
