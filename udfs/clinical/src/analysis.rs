//! A document read once: sections, sentences, mentions with their qualifiers.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ops::Range;

use chrono::{Duration, NaiveDateTime};

use sillage_schemas::terminology::HISTORICAL_CODES;

use crate::copies::copies;
use crate::document_kind::DocumentKind;
use crate::enumeration::{continues, risks, treats};
use crate::form::{Form, Part};
use crate::is;
use crate::knowledge::Knowledge;
use crate::lexicon::{Concept, Label, data_lines};
use crate::measurement::{Measurement, measurements_of_form};
use crate::mention::{Mention, mentions};
use crate::qualifier::{Cue, Qualifiers, SentenceView, Setting, relative};
use crate::section::{Prior, Section};
use crate::sentence::sentences;
use crate::temporal::{Precision, TemporalExpression, TemporalKind, temporal_expressions};
use crate::text::{Kind, Text};
use crate::vocabulary::WordId;

/// A date this long before the document belongs to the past, not to the stay.
const PAST: Duration = Duration::days(100);
/// A visit in so much time after a stroke is one for it.
const FOLLOWED: Duration = Duration::days(240);
/// A date this long after the document lies ahead of it.
const NOW: Duration = Duration::hours(18);
/// Most words between a mention and the date that qualifies it.
const DATE_REACH: usize = 4;
/// Most marks between a title and what opens its section.
const OPENING: usize = 6;
/// Most tokens from a mention back to the start of its line.
const LINE: usize = 60;
/// A stroke of which nothing more is known.
const UNSPECIFIED_STROKE: &str = "I64";
/// The class of the drugs for which an examination of the brain is asked.
const ANTITHROMBOTIC: &str = "B01A";
/// The class of the drugs that dissolve a clot.
const THROMBOLYTIC: &str = "B01AD";
/// Most tokens from a title over a name to its date of birth.
const NAME: usize = 8;
/// Most tokens of any kind between the two.
const DATE_TOKENS: usize = 64;

/// A text with its words looked up, its sentences and its sections.
pub struct Analysis<'a> {
    pub text: Text<'a>,
    pub sentences: Vec<Range<usize>>,
    pub sections: Vec<Section>,
    /// Its boxes and answers.
    pub form: Form,
    words: Vec<WordId>,
    knowledge: &'a Knowledge,
    reference: Option<NaiveDateTime>,
    kind: DocumentKind,
    mentions: OnceCell<Vec<Mention>>,
    entities: OnceCell<Vec<Entity<'a>>>,
    times: OnceCell<Vec<TemporalExpression>>,
    copies: OnceCell<Vec<Range<usize>>>,
    measurements: OnceCell<Vec<Measurement>>,
    /// By sentence.
    cues: Vec<OnceCell<Vec<Cue>>>,
    /// Tokens that are names of relatives.
    relatives: OnceCell<Vec<usize>>,
}

/// A mention with what is said of it.
#[derive(Debug, Clone)]
pub struct Entity<'a> {
    /// Bytes of the original.
    pub start: usize,
    pub end: usize,
    pub concept: &'a Concept,
    /// Name of the section it stands in.
    pub section: Option<&'a str>,
    pub qualifiers: Qualifiers,
    /// The date that the text ties to it.
    pub event_time: Option<NaiveDateTime>,
}

impl<'a> Entity<'a> {
    /// ICD-10 code of what is said: a past infarction of the heart has a code of its own.
    pub fn icd10(&self) -> Option<&'a str> {
        let code = self.concept.icd10.as_deref()?;
        if !self.qualifiers.historical {
            return Some(code);
        }
        let past = data_lines(HISTORICAL_CODES.content)
            .filter_map(|(_, line)| line.split_once(';'))
            .find(|(category, _)| code.starts_with(category));
        Some(past.map_or(code, |(_, past)| past))
    }
}

impl<'a> Analysis<'a> {
    /// Reads a text. `reference` is the time of the document, against which
    /// relative and partial dates are understood.
    pub fn new(knowledge: &'a Knowledge, original: &'a str, reference: Option<NaiveDateTime>) -> Self {
        let text = Text::new(original);
        let words = knowledge.vocabulary.read(&text);
        let sections = knowledge.sections.sections(&text, &words, &knowledge.vocabulary);
        let sentences = sentences(&text);
        let form = Form::new(&text);
        let kind = knowledge.document_kinds.of(None, &text, &words, &knowledge.vocabulary);
        let cues = vec![OnceCell::new(); sentences.len()];
        Analysis {
            text,
            sentences,
            sections,
            form,
            words,
            knowledge,
            reference,
            kind,
            mentions: OnceCell::new(),
            entities: OnceCell::new(),
            times: OnceCell::new(),
            copies: OnceCell::new(),
            measurements: OnceCell::new(),
            cues,
            relatives: OnceCell::new(),
        }
    }

    /// States the type of the document by its LOINC code; without it the words decide.
    pub fn with_type(mut self, type_code: Option<&str>) -> Self {
        self.entities = OnceCell::new();
        self.kind = self.knowledge.document_kinds.of(type_code, &self.text, &self.words, &self.knowledge.vocabulary);
        self
    }

    /// Name of a section.
    pub fn section_name(&self, section: &Section) -> &'a str {
        &self.knowledge.sections.kind(section).name
    }

    fn section_at(&self, token: usize) -> Option<&Section> {
        let after = self.sections.partition_point(|s| s.tokens.start <= token);
        self.sections[..after].last().filter(|s| s.tokens.contains(&token))
    }

    pub(crate) fn knowledge(&self) -> &'a Knowledge {
        self.knowledge
    }

    /// The time of the document.
    pub fn reference(&self) -> Option<NaiveDateTime> {
        self.reference
    }

    /// What kind of document it is.
    pub fn kind(&self) -> DocumentKind {
        self.kind
    }

    /// Name of the section that a byte stands in.
    pub fn section_at_byte(&self, byte: usize) -> Option<&'a str> {
        self.section_at(self.text.token_at(byte)).map(|s| self.section_name(s))
    }

    /// The temporal expressions, ascending and disjoint; read once.
    pub fn times(&self) -> &[TemporalExpression] {
        self.times.get_or_init(|| temporal_expressions(&self.text, self.reference))
    }

    /// The measurements, in the order of their values; read once.
    pub fn measurements(&self) -> &[Measurement] {
        self.measurements.get_or_init(|| measurements_of_form(&self.text, &self.form))
    }

    fn cues(&self, sentence: usize) -> &[Cue] {
        let find = || {
            let mut found = self.knowledge.cues.find(
                &self.text,
                &self.words,
                &self.knowledge.vocabulary,
                self.sentences[sentence].clone(),
                self.mentions(),
            );
            let relatives = self.relatives.get_or_init(|| relative::called(&self.text, self.mentions()));
            relative::add(&mut found, relatives, &self.sentences[sentence]);
            // What an option says it says by its box.
            if !self.form.is_empty() {
                found.retain(|cue| !self.form.at(cue.start).option());
            }
            found
        };
        self.cues[sentence].get_or_init(find)
    }

    fn mentions(&self) -> &[Mention] {
        self.mentions.get_or_init(|| mentions(self.knowledge, &self.text, &self.words))
    }

    /// The clinical mentions, ascending and disjoint, section titles left out; read once.
    pub fn entities(&self) -> &[Entity<'a>] {
        self.entities.get_or_init(|| self.read_entities())
    }

    fn read_entities(&self) -> Vec<Entity<'a>> {
        let found: Vec<Mention> = self.mentions().iter().filter(|m| !self.in_title(m)).copied().collect();
        let times = self.times();
        let mut entities = Vec::with_capacity(found.len());
        let mut home = BTreeSet::new();
        let mut next = 0;
        for (index, sentence) in self.sentences.iter().enumerate() {
            let first = next;
            while next < found.len() && found[next].start < sentence.end {
                next += 1;
            }
            if first < next {
                self.qualify(index, &found[first..next], times, &mut home, &mut entities);
            }
        }
        entities
    }

    /// What the text says of any span, given in bytes; `None` outside the text.
    pub fn qualifiers(&self, start: usize, end: usize) -> Option<Qualifiers> {
        self.said_of(start, end).map(|(qualifiers, _)| qualifiers)
    }

    /// Qualifiers of any span, and the date that the text ties to it.
    pub(crate) fn said_of(&self, start: usize, end: usize) -> Option<(Qualifiers, Option<NaiveDateTime>)> {
        if end > self.text.original.len() || start >= end {
            return None;
        }
        let (first, last) = (self.text.token_at(start), self.text.token_at(end - 1));
        let span = first..(last + 1).min(self.text.tokens.len());
        let index = self.sentences.partition_point(|s| s.end <= first);
        let sentence = self.sentences.get(index)?;
        let found = self.mentions();
        let within = found.partition_point(|m| m.start < sentence.start)..found.partition_point(|m| m.start < sentence.end);
        let ranges: Vec<Range<usize>> =
            found[within].iter().map(|m| m.start..m.end).filter(|r| r.end <= span.start || r.start >= span.end).collect();
        let cues = self.cues(index);
        let view = SentenceView { text: &self.text, sentence: sentence.clone(), cues, mentions: &ranges };
        let time = self.time_of(&span, sentence, &ranges, self.times());
        let said = view.qualify(&span, self.setting(first, None, time.as_ref()));
        Some((self.answered(&span, &ranges, said), time.and_then(|t| t.value)))
    }

    /// What boxes and answers make of it.
    fn answered(&self, span: &Range<usize>, mentions: &[Range<usize>], said: Qualifiers) -> Qualifiers {
        if self.form.is_empty() {
            return said;
        }
        let part = self.form.at(span.start);
        if part == Part::default() {
            return said;
        }
        let absent = Qualifiers { negated: true, hypothetical: false, historical: false, ..said };
        if part.unticked() {
            return absent;
        }
        let asked = |part: Part| part.affirmed() || part.denied() || part.open();
        if !asked(part) {
            return said;
        }
        // "Absence d'hémorragie : oui" says what it asks, "absence d'hémorragie : non" the contrary.
        let mut before = (0..span.start).rev().take_while(|at| asked(self.form.at(*at)));
        let denies = before.any(|at| is!(self.text.key(at), "absence" | "pas" | "sans" | "aucun" | "aucune"));
        if part.denied() {
            return if denies {
                Qualifiers { negated: false, hypothetical: false, ..said }
            } else if self.complement(span, mentions) {
                said
            } else {
                absent
            };
        }
        if part.open() {
            return Qualifiers { hypothetical: !said.negated, historical: false, ..said };
        }
        Qualifiers { hypothetical: false, negated: said.negated && denies, ..said }
    }

    /// "Thrombolyse de l'AVC : non": the answer is about the head.
    fn complement(&self, span: &Range<usize>, mentions: &[Range<usize>]) -> bool {
        let Some(head) = mentions[..mentions.partition_point(|m| m.end <= span.start)].last() else { return false };
        let between = head.end..span.start;
        let asked = self.form.at(head.start) == self.form.at(span.start);
        asked
            && between.len() < 4
            && between.clone().any(|at| is!(self.text.key(at), "de" | "d" | "du" | "des" | "pour" | "sous" | "sur" | "par"))
    }

    fn in_title(&self, mention: &Mention) -> bool {
        self.token_in_title(mention.start)
    }

    fn token_in_title(&self, token: usize) -> bool {
        self.section_at(token).is_some_and(|s| token < s.title.end)
    }

    /// Whether a byte stands in the title of a section.
    pub(crate) fn in_title_at(&self, byte: usize) -> bool {
        self.token_in_title(self.text.token_at(byte))
    }

    fn qualify(
        &self,
        index: usize,
        found: &[Mention],
        times: &[TemporalExpression],
        home: &mut BTreeSet<&'a str>,
        entities: &mut Vec<Entity<'a>>,
    ) {
        let (sentence, cues) = (&self.sentences[index], self.cues(index));
        let ranges: Vec<Range<usize>> = found.iter().map(|m| m.start..m.end).collect();
        let view = SentenceView { text: &self.text, sentence: sentence.clone(), cues, mentions: &ranges };
        let (mut listed, mut treated) = (risks(&self.text, sentence, found, |m| self.lasts(m)), None);
        for (mention, range) in found.iter().zip(&ranges) {
            let concept = &self.knowledge.lexicon.concepts[mention.concept as usize];
            let section = self.section_at(mention.start);
            let time = self.time_of(range, sentence, &ranges, times);
            let mut setting = self.setting(mention.start, Some(concept), time.as_ref());
            let atc = concept.atc.as_deref().filter(|_| setting.drug);
            setting.recalled =
                atc.is_some_and(|code| named(home, code)) && section.is_none_or(|s| self.section_name(s) != "discharge_treatment");
            let named = section.map(|s| self.section_name(s));
            setting.motive = setting.door && named == Some("reason") && stroke(concept) && self.opens_section(section, range.start)
                || named == Some("indication") && concept.icd10.as_deref() == Some(UNSPECIFIED_STROKE) && range.start == sentence.start;
            setting.indication =
                named == Some("indication") && setting.lasting_drug && atc.is_some_and(|code| code.starts_with(ANTITHROMBOTIC));
            if setting.prior == Prior::Planned && self.timed_line(range.start, section) {
                setting.prior = Prior::None;
            }
            let mut qualifiers = self.answered(range, &ranges, view.qualify(range, setting));
            // Nobody takes it at home: without a date of its own it is of this stay.
            let thrombolytic = atc.is_some_and(|code| code.starts_with(THROMBOLYTIC));
            qualifiers.historical &= !thrombolytic || setting.dated_before || setting.prior == Prior::Historical;
            // "AIT en 2011, BPCO, hypothyroïdie": what lasts goes on the list of the dated past.
            let disorder = concept.label == Label::Disorder;
            let plain = |said: Qualifiers| said == Qualifiers::default() && !setting.dated_now;
            let goes_on = |end: usize| end == range.start || continues(&self.text, end, range);
            listed = match listed {
                Some(end) if disorder && setting.lasting && plain(qualifiers) && goes_on(end) => {
                    qualifiers.historical = true;
                    Some(range.end)
                }
                _ => (disorder && setting.dated_before && qualifiers.historical).then_some(range.end),
            };
            // "l'infarctus de septembre 2021, thrombolysé et thrombectomisé": how it was treated then.
            let act = setting.procedure || thrombolytic;
            treated = match treated {
                Some(end) if plain(qualifiers) && treats(&self.text, end, range, act) => {
                    qualifiers.historical = true;
                    Some(range.end)
                }
                _ => (disorder && setting.dated_before && qualifiers.historical).then_some(range.end),
            };
            if qualifiers.historical {
                home.extend(atc);
            }
            let bytes = self.text.byte_range(range.clone());
            entities.push(Entity {
                start: bytes.start,
                end: bytes.end,
                concept,
                section: section.map(|s| self.section_name(s)),
                qualifiers,
                event_time: time.and_then(|t| t.value),
            });
        }
    }

    /// A disease that lasts, by its code.
    fn lasts(&self, mention: &Mention) -> bool {
        let concept = &self.knowledge.lexicon.concepts[mention.concept as usize];
        concept.label == Label::Disorder && concept.icd10.as_deref().is_some_and(|code| self.knowledge.document_kinds.lasts(code))
    }

    /// Only marks stand between the title of the section and this token, on one line.
    fn opens_section(&self, section: Option<&Section>, token: usize) -> bool {
        section.is_some_and(|s| {
            token - s.title.end.min(token) <= OPENING
                && (s.title.end..token).all(|at| self.text.tokens[at].kind == Kind::Mark)
                && (s.title.end..=token).all(|at| self.text.tokens[at].lines_before == 0)
        })
    }

    /// The line of this token starts with a time of the clock and not with the title of
    /// the section: what it tells has happened.
    fn timed_line(&self, token: usize, section: Option<&Section>) -> bool {
        let title = section.map_or(0, |s| s.title.end);
        let Some(first) = (title.max(token.saturating_sub(LINE))..=token).rev().find(|at| self.text.tokens[*at].lines_before > 0) else {
            return false;
        };
        let first = first + usize::from(is!(self.text.key(first), "-"));
        let Some(byte) = self.text.tokens.get(first).map(|t| t.start as usize) else { return false };
        let times = self.times();
        times.get(times.partition_point(|t| t.end <= byte)).is_some_and(|t| t.start <= byte && t.kind == TemporalKind::Time)
    }

    /// The time that qualifies a span: right behind it ("AVC en 2009"), right
    /// before it ("2009 : AVC"), or that of the event it belongs to ("AVC 2009
    /// thrombolysé", "AVC en 2009, non thrombolysé").
    fn time_of(
        &self,
        span: &Range<usize>,
        sentence: &Range<usize>,
        mentions: &[Range<usize>],
        times: &[TemporalExpression],
    ) -> Option<TemporalExpression> {
        let dates = |time: &TemporalExpression| match time.kind {
            TemporalKind::Date => !self.of_birth(time, mentions),
            TemporalKind::Relative | TemporalKind::Period => true,
            TemporalKind::Duration => time.value.is_some(),
            _ => false,
        };
        let (sentence_bytes, span_bytes) = (self.text.byte_range(sentence.clone()), self.text.byte_range(span.clone()));
        // The nearest on either side decides: whatever parts the span from it
        // parts the span from those beyond it.
        let before =
            times[..times.partition_point(|t| t.end <= span_bytes.start)].iter().rev().take_while(|t| t.end > sentence_bytes.start);
        let before = before.map(|t| (t, self.text.token_at(t.end - 1) + 1..span.start));
        let before = before.take_while(|(_, between)| between.len() <= DATE_TOKENS).find(|(t, _)| dates(t));
        let behind = times[times.partition_point(|t| t.start < span_bytes.end)..].iter().take_while(|t| t.start < sentence_bytes.end);
        let behind = behind.map(|t| (t, span.end..self.text.token_at(t.start)));
        let behind = behind.take_while(|(_, between)| between.len() <= DATE_TOKENS).find(|(t, _)| dates(t));
        let before = before.and_then(|(t, between)| Some((self.date_before(self.text.token_at(t.start), between, mentions)?, t)));
        let behind = behind.and_then(|(t, between)| Some((self.date_behind(between, mentions)?, t)));
        let best = match (before, behind) {
            (Some(before), Some(behind)) => Some(if behind.0 < before.0 { behind } else { before }),
            (before, behind) => before.or(behind),
        };
        best.map(|(_, time)| *time)
    }

    /// A date of birth: "née le 2 mai 1951", "Madame Untel (02/05/1951)".
    fn of_birth(&self, time: &TemporalExpression, mentions: &[Range<usize>]) -> bool {
        let text = &self.text;
        let (first, after) = (text.token_at(time.start), text.token_at(time.end - 1) + 1);
        let born = |at: usize| match text.fold(at) {
            "ne" | "nee" => is!(text.key(first - 1), "le"),
            word => matches!(word, "ddn" | "naissance"),
        };
        if (first.saturating_sub(3)..first).any(born) {
            return true;
        }
        let bracketed = time.precision >= Precision::Day && first > 0 && is!(text.key(first - 1), "(") && is!(text.key(after), ")");
        let title = (first.saturating_sub(NAME)..first).rev().find(|at| {
            is!(text.key(*at), "madame" | "monsieur" | "mme" | "mlle" | "mr" | "mademoiselle")
                || is!(text.key(*at), "m") && text.tokens[*at].upper && is!(text.key(*at + 1), ".")
        });
        bracketed && title.is_some_and(|title| !mentions.iter().any(|m| m.start > title && m.end < first))
    }

    /// Words to a date behind a span, `None` when something parts them.
    fn date_behind(&self, between: Range<usize>, mentions: &[Range<usize>]) -> Option<usize> {
        let (mut at, mut words) = (between.start, 0);
        while at < between.end {
            if let Some(mention) = mention_from(mentions, at) {
                // "AVC thrombolysé en 2009": nothing between the two but a link.
                if (between.start..at)
                    .any(|i| !is!(self.text.key(i), "par" | "traite" | "traitee" | "et" | "opere" | "operee" | "non" | "-"))
                {
                    return None;
                }
                at = mention.end;
                words += 1;
                continue;
            }
            match self.text.fold(at) {
                "." | ";" | ":" | "→" | ">" => return None,
                // "clopidogrel jusqu'en mars": the end, not the time.
                "jusqu" | "jusque" => return None,
                // "AVC lacunaire, et celui de 2016": the date is of the other one.
                "," if at > between.start || is!(self.text.key(at + 1), "et") => return None,
                _ if self.text.tokens[at].kind == Kind::Mark => {}
                _ => words += 1,
            }
            at += 1;
        }
        (words <= DATE_REACH).then_some(words)
    }

    /// As [`Self::date_behind`], of a date before the span.
    fn date_before(&self, date: usize, between: Range<usize>, mentions: &[Range<usize>]) -> Option<usize> {
        let (mut at, mut words, mut commas) = (between.start, 0, 0);
        while at < between.end {
            if let Some(mention) = mention_from(mentions, at) {
                words += 1;
                at = mention.end;
                if commas > 0 {
                    return None;
                }
                continue;
            }
            match self.text.fold(at) {
                "." | ";" | "→" | ">" | "/" | "puis" | "mais" | "+" => return None,
                ":" if words > 0 || at + 1 < between.end => return None,
                ":" => {}
                // "en 2019, un infarctus": the date itself stands between commas.
                "," if at == between.start && self.set_off(date) => {}
                "," => commas += 1,
                "et" if words > 0 => return None,
                _ if self.text.tokens[at].kind == Kind::Mark => {}
                _ => words += 1,
            }
            at += 1;
        }
        // Behind a comma only what was done or not done for the dated event.
        let follows = commas == 0 || commas == 1 && is!(self.text.key(between.end - 1), "non" | "pas" | "sans" | "par" | "de" | "d" | "'");
        (words <= DATE_REACH && follows).then_some(words + 2 * commas)
    }

    /// A comma stands before the date that starts here, a preposition aside.
    fn set_off(&self, date: usize) -> bool {
        let opens = |at: usize| at == 0 || self.text.tokens[at].lines_before > 0 || is!(self.text.key(at - 1), "," | "." | ";" | "(");
        opens(date) || date > 0 && opens(date - 1)
    }

    /// Written before the stay or as it begins.
    fn at_the_door(&self) -> bool {
        matches!(self.kind, DocumentKind::Referral | DocumentKind::Emergency)
    }

    fn prior(&self, section: Option<&Section>) -> Prior {
        let Some(section) = section else { return Prior::None };
        let kind = self.knowledge.sections.kind(section);
        // Before the stay nobody has been discharged: `Traitement` is what is taken at home.
        if self.at_the_door() && &*kind.name == "discharge_treatment" && !self.text.source(section.title.clone()).contains("ortie") {
            return Prior::Historical;
        }
        // At the door `CAT` tells what is being done.
        if self.at_the_door() && kind.prior == Prior::Planned {
            let title = self.text.source(section.title.clone());
            if title.starts_with("CAT") || title.to_lowercase().starts_with("conduite") {
                return Prior::None;
            }
        }
        // After it, `Traitement` without more is the treatment of now.
        if self.kind == DocumentKind::FollowUp && kind.late.is_some() {
            return Prior::None;
        }
        kind.prior
    }

    /// A token stands in a passage that is quoted from an older note.
    pub fn is_copy(&self, token: usize) -> bool {
        let copies = self.copies.get_or_init(|| copies(&self.text, self.times(), self.reference));
        copies.iter().any(|passage| passage.contains(&token))
    }

    fn setting(&self, token: usize, concept: Option<&Concept>, time: Option<&TemporalExpression>) -> Setting {
        let (section, copy) = (self.section_at(token), self.is_copy(token));
        let label = concept.map(|c| c.label);
        let age = time.and_then(|t| Some((self.reference? - t.value?, t.precision)));
        Setting {
            prior: self.prior(section),
            early: self.kind != DocumentKind::Other,
            referral: self.kind == DocumentKind::Referral,
            door: self.at_the_door(),
            lasting: concept.and_then(|c| c.icd10.as_deref()).is_some_and(|code| self.knowledge.document_kinds.lasts(code)),
            drug: label == Some(Label::Drug),
            lasting_drug: concept.and_then(|c| c.atc.as_deref()).is_some_and(|code| self.knowledge.document_kinds.long_term(code)),
            recalled: false,
            motive: false,
            indication: false,
            procedure: label == Some(Label::Procedure),
            sign: label == Some(Label::Sign),
            dated_before: copy
                || age.is_some_and(|(age, precision)| {
                    // The stroke of which a visit some months later speaks.
                    let index = self.kind == DocumentKind::FollowUp && concept.is_some_and(stroke) && age < FOLLOWED;
                    age > PAST && !index && (precision != Precision::Year || age > Duration::days(366))
                }),
            dated_now: !copy && age.is_some_and(|(age, precision)| age <= PAST && age >= -NOW && precision > Precision::Month),
            dated_after: !copy && age.is_some_and(|(age, precision)| age < -NOW && precision >= Precision::Month),
        }
    }
}

/// A stroke or an attack of one, whatever its kind.
fn stroke(concept: &Concept) -> bool {
    concept.label == Label::Disorder
        && concept.icd10.as_deref().is_some_and(|code| ["I60", "I61", "I62", "I63", "I64", "G45"].iter().any(|c| code.starts_with(c)))
}

/// The drug, or one of the class that the code stands for, is among the drugs.
fn named(drugs: &BTreeSet<&str>, code: &str) -> bool {
    drugs.range(code..).next().is_some_and(|drug| *drug == code || code.len() > 3 && drug.starts_with(code))
}

fn mention_from(mentions: &[Range<usize>], at: usize) -> Option<&Range<usize>> {
    mentions.binary_search_by_key(&at, |m| m.start).ok().map(|i| &mentions[i])
}
