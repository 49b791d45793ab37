//! Forms: boxes that are ticked or not, questions answered by yes or no, and the
//! criteria of checklists.
//!
//! `HTA [x] oui [ ] non`, `☐ HTA ☒ tabac`, `AVC < 3 mois : non`. A box stands before
//! the words it belongs to or behind them, whichever its line shows. What an empty
//! box offers was not chosen; an answer decides about all that its question names; a
//! threshold in a question (`PAS > 185 : non`) is nobody's value.
//!
//! Every token has its part ([`Part`]); a text without boxes and answers has none and
//! costs one look at its tokens.

mod boxes;
mod words;

use std::ops::Range;

use crate::is;
use crate::text::{Kind, Text};
use boxes::{Tick, ticks};
use words::{Polarity, answer_at, comparator_at, denial_at, gap_before, list_title};

/// Most tokens of a question or of an option.
const LONGEST: usize = 40;
/// Spaces that part two columns.
const COLUMN: usize = 3;

/// What a token is in a form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Part(u8);

impl Part {
    const BOX: u8 = 1;
    const EMPTY: u8 = 2;
    const ANSWER: u8 = 4;
    const YES: u8 = 8;
    const NO: u8 = 16;
    const OPEN: u8 = 32;
    const CRITERION: u8 = 64;
    const TITLE: u8 = 128;

    /// A box, ticked or not, its brackets included.
    pub fn is_box(self) -> bool {
        self.0 & Part::BOX != 0
    }

    /// Words of an option whose box is empty.
    pub fn unticked(self) -> bool {
        self.0 & Part::EMPTY != 0
    }

    /// The yes or no of an option, chosen or not.
    pub(crate) fn option(self) -> bool {
        self.0 & (Part::ANSWER | Part::EMPTY) != 0
    }

    /// A question that was answered by yes.
    pub fn affirmed(self) -> bool {
        self.0 & Part::YES != 0
    }

    /// A question that was answered by no.
    pub fn denied(self) -> bool {
        self.0 & Part::NO != 0
    }

    /// A question that was left open.
    pub fn open(self) -> bool {
        self.0 & Part::OPEN != 0
    }

    /// A threshold, not a value of the patient.
    pub fn criterion(self) -> bool {
        self.0 & Part::CRITERION != 0
    }

    /// The title of a checklist, which states nothing.
    pub fn title(self) -> bool {
        self.0 & Part::TITLE != 0
    }
}

/// The parts of a text's tokens.
#[derive(Debug, Clone, Default)]
pub struct Form {
    /// By token; empty where the text is no form.
    parts: Vec<Part>,
}

impl Form {
    pub fn new(text: &Text<'_>) -> Form {
        let worth = |at: usize| match text.tokens[at].kind {
            Kind::Mark => boxes::may_start(text, at) || is!(text.key(at), "<" | ">" | "≤" | "≥"),
            Kind::Word => is!(text.key(at), "oui" | "non" | "indication" | "indications" | "criteres") || words::letter(text, at).is_some(),
            Kind::Number => false,
        };
        if !(0..text.tokens.len()).any(worth) {
            return Form::default();
        }
        Reader::new(text).read()
    }

    /// What a token is.
    pub fn at(&self, token: usize) -> Part {
        self.parts.get(token).copied().unwrap_or_default()
    }

    /// The text has no boxes, answers or criteria.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }
}

/// An option of a question.
struct Choice {
    label: Range<usize>,
    ticked: bool,
    polarity: Polarity,
}

struct Reader<'t, 'a> {
    text: &'t Text<'a>,
    parts: Vec<Part>,
    /// Boxes, ascending.
    ticks: Vec<Tick>,
    /// Some box of the text is ticked: the others are empty on purpose.
    filled: bool,
    /// The text answers by the letters O and N: "HTA (O)  asthme (N)", "HTA O, goutte N".
    lettered: bool,
    any: bool,
}

impl<'t, 'a> Reader<'t, 'a> {
    fn new(text: &'t Text<'a>) -> Self {
        let ticks = ticks(text);
        let filled = ticks.iter().any(|t| t.ticked);
        let lettered = words::lettered(text);
        Reader { text, parts: vec![Part::default(); text.tokens.len()], ticks, filled, lettered, any: false }
    }

    fn read(mut self) -> Form {
        let text = self.text;
        for at in 0..self.ticks.len() {
            self.set(self.ticks[at].tokens.clone(), Part::BOX);
        }
        let mut before = 0..0;
        let mut start = 0;
        // Lines left to a list of criteria.
        let mut listed = false;
        let mut title = 0..0;
        while start < text.tokens.len() {
            let end = (start + 1..text.tokens.len()).find(|i| text.tokens[*i].lines_before > 0).unwrap_or(text.tokens.len());
            let line = start..end;
            if text.tokens[start].lines_before > 1 {
                (listed, title) = (false, 0..0);
            }
            let answered = self.line(&line, &before);
            let heads = list_title(text, &line);
            let asked = answered || listed && self.criteria(&line);
            if asked {
                self.set(std::mem::take(&mut title), Part::TITLE);
            }
            if heads.is_some() {
                title = line.clone();
                if heads == Some(true) {
                    listed = true;
                }
            }
            before = line;
            start = end;
        }
        if self.any { Form { parts: self.parts } } else { Form::default() }
    }

    fn set(&mut self, tokens: Range<usize>, part: u8) {
        self.any |= !tokens.is_empty();
        for at in tokens {
            self.parts[at].0 |= part;
        }
    }

    /// Reads a line; whether it holds an option or an answer.
    fn line(&mut self, line: &Range<usize>, before: &Range<usize>) -> bool {
        let text = self.text;
        let mut found = false;
        let mut from = line.start;
        while from < line.end {
            let ends = |at: &usize| {
                !self.parts[*at].is_box()
                    && (is!(text.key(*at), ";" | "|" | "•")
                        || words::parts_fields(text, *at, line)
                        || is!(text.key(*at), ".")
                            && text.tokens.get(at + 1).is_some_and(|t| t.space_before && t.capital)
                            && !text.fold(at + 1).is_empty()
                            && *at > line.start + 1)
            };
            let end = (from..line.end).find(ends).unwrap_or(line.end);
            let first = self.ticks.partition_point(|t| t.tokens.start < from);
            let last = first + self.ticks[first..].partition_point(|t| t.tokens.start < end);
            found |= if first == last { self.answers(from..end, line, before) } else { self.choices(from..end, first..last, before) };
            from = end + 1;
        }
        found
    }

    /// `label : non` in a field without boxes.
    fn answers(&mut self, field: Range<usize>, line: &Range<usize>, before: &Range<usize>) -> bool {
        let text = self.text;
        let (mut from, mut found) = (field.start, false);
        for at in field.clone() {
            let Some(polarity) = answer_at(text, at) else { continue };
            if at == line.start {
                // The answer stands alone below its question.
                let alone = line.len() == 1 || line.len() == 2 && is!(text.key(at + 1), ".");
                if alone && text.tokens[at].lines_before == 1 && before.len() < 16 && self.question_above(before) {
                    self.answer(before.clone(), polarity);
                    found = true;
                }
                continue;
            }
            let lettered = self.lettered && words::letter(text, at).is_some();
            let bracketed = words::bracketed(text, at) && (lettered || is!(text.key(at), "oui" | "non"));
            if at == from || !(lettered || bracketed || words::linked(text, at) && words::closes(text, at, field.end)) {
                continue;
            }
            let asked = from..at - usize::from(bracketed);
            // "Tabac : jamais    Alcool : non"
            let gap = if lettered || bracketed { 2 } else { COLUMN };
            let word = |i: usize| text.tokens[i].kind == Kind::Word;
            let column = asked.clone().rev().find(|i| *i > from && word(*i) && gap_before(text, *i) >= gap);
            self.answer(column.unwrap_or(from)..asked.end, polarity);
            found = true;
            from = at + 1;
            if bracketed {
                from = (at..field.end).find(|i| is!(text.key(*i), ")" | "]")).map_or(from, |close| close + 1);
            }
        }
        found
    }

    /// A line that asks and was not answered itself.
    fn question_above(&self, line: &Range<usize>) -> bool {
        let text = self.text;
        !line.is_empty()
            && line.clone().all(|at| self.parts[at] == Part::default())
            && !is!(text.key(line.end - 1), "." | "," | ";" | "!")
            && !line.clone().any(|at| answer_at(text, at).is_some())
    }

    /// The options of a field.
    fn choices(&mut self, field: Range<usize>, ticks: Range<usize>, before: &Range<usize>) -> bool {
        if !self.filled && !ticks.clone().any(|i| self.polar_beside(&self.ticks[i].tokens)) {
            return false;
        }
        if self.behind(&field, &ticks) {
            self.choices_behind(field, ticks);
        } else {
            self.choices_before(field, ticks, before);
        }
        true
    }

    fn polar_beside(&self, tick: &Range<usize>) -> bool {
        answer_at(self.text, tick.end).is_some() || tick.start > 0 && answer_at(self.text, tick.start - 1).is_some()
    }

    /// The boxes of this field stand behind their words.
    fn behind(&self, field: &Range<usize>, ticks: &Range<usize>) -> bool {
        let text = self.text;
        let (first, last) = (&self.ticks[ticks.start].tokens, &self.ticks[ticks.end - 1].tokens);
        let end = (last.end..field.end).all(|at| text.tokens[at].kind == Kind::Mark);
        // "oui [x] non [ ]", "[x] oui [ ] non": the first answer beside a box shows it.
        for at in field.clone().filter(|at| is!(text.key(*at), "oui" | "non" | "o" | "n")) {
            if at > 0 && self.parts[at - 1].is_box() {
                return false;
            }
            if self.parts.get(at + 1).is_some_and(|p| p.is_box()) {
                return true;
            }
        }
        // "0☐ 1☐ 2☒ -> 2": each box hangs on its option.
        let glued = |tick: &Tick| {
            let (at, after) = (tick.tokens.start, tick.tokens.end);
            at > field.start && !text.tokens[at].space_before && text.tokens.get(after).is_none_or(|t| t.space_before || t.lines_before > 0)
        };
        if ticks.len() > 1 && self.ticks[ticks.clone()].iter().all(glued) {
            return true;
        }
        first.start > field.start && end && !is!(text.key(first.start - 1), ":" | "?" | "=")
    }

    /// The box stands close behind words and far from those that follow.
    fn hangs_back(&self, tick: &Tick, field: &Range<usize>) -> bool {
        let (first, after) = (tick.tokens.start, tick.tokens.end);
        let words = first > field.start && !is!(self.text.key(first - 1), ":" | "?" | "=");
        words && after < field.end && gap_before(self.text, first) < COLUMN && gap_before(self.text, after) >= COLUMN
    }

    fn choices_before(&mut self, field: Range<usize>, ticks: Range<usize>, before: &Range<usize>) {
        let (mut from, mut next) = (field.start, ticks.start);
        while next < ticks.end {
            let question = from..self.ticks[next].tokens.start;
            // "migraine [X]   HTA [ ] non": a wide gap parts the box from what follows it.
            if self.hangs_back(&self.ticks[next], &field) {
                let Tick { tokens, ticked } = self.ticks[next].clone();
                self.decide(tokens.start..tokens.start, &[Choice { label: question, ticked, polarity: Polarity::default() }]);
                (from, next) = (tokens.end, next + 1);
                continue;
            }
            let mut choices = Vec::new();
            let mut after = field.end;
            while next < ticks.end {
                let tick = &self.ticks[next];
                let stop = if next + 1 < ticks.end { self.ticks[next + 1].tokens.start } else { field.end };
                let (label, polarity) = self.label(tick.tokens.end..stop);
                let ends = label.end < stop;
                after = label.end;
                choices.push(Choice { label, ticked: tick.ticked, polarity });
                next += 1;
                if ends {
                    break;
                }
            }
            from = after;
            let asked = if question.is_empty() && choices.iter().any(|c| c.polarity.decides()) {
                // "☐ oui ☒ non Diabète", or the question stands above.
                let stop = if next < ticks.end { self.ticks[next].tokens.start } else { field.end };
                if after < stop && next >= ticks.end {
                    after..stop
                } else if field.start == before.end && self.question_above(before) {
                    before.clone()
                } else {
                    question
                }
            } else {
                question
            };
            self.decide(asked, &choices);
        }
    }

    fn choices_behind(&mut self, field: Range<usize>, ticks: Range<usize>) {
        let text = self.text;
        let mut from = field.start;
        let mut question = from..from;
        let mut choices: Vec<Choice> = Vec::new();
        for tick in ticks {
            let Tick { tokens, ticked } = self.ticks[tick].clone();
            let words = from..tokens.start;
            let last = tokens.start.saturating_sub(1);
            let polarity = if words.is_empty() { None } else { answer_at(text, last) };
            let number = !words.is_empty() && text.tokens[last].kind == Kind::Number;
            // What stands before the option asks for it.
            let cut = if polarity.is_some() || number && words.len() > 1 {
                last
            } else {
                words.clone().rev().find(|at| is!(text.key(*at), ":" | "?" | "=" | ",")).map_or(words.start, |at| at + 1)
            };
            if cut > words.start && !choices.is_empty() {
                self.decide(question, &choices);
                choices.clear();
                question = words.start..cut;
            } else if cut > words.start {
                question = words.start..cut;
            }
            choices.push(Choice { label: cut..words.end, ticked, polarity: polarity.unwrap_or_default() });
            from = tokens.end;
        }
        self.decide(question, &choices);
    }

    /// The words of an option that starts here, up to the next box at most.
    fn label(&self, words: Range<usize>) -> (Range<usize>, Polarity) {
        let text = self.text;
        let column = (words.start + 1..words.end).find(|at| gap_before(text, *at) >= COLUMN).unwrap_or(words.end);
        let end = column.min(words.start + LONGEST);
        if words.is_empty() {
            return (words, Polarity::default());
        }
        match answer_at(text, words.start) {
            Some(polarity) => {
                let mut stop = words.start + 1;
                while stop < end && words::completes(text, stop) {
                    stop += 1;
                }
                if stop < end && is!(text.key(stop), "(") {
                    stop = (stop..end).find(|at| is!(text.key(*at), ")")).map_or(end, |at| at + 1);
                }
                // "[x] non valvulaire" is a kind, not an answer.
                let own = stop == end
                    || text.tokens[stop].kind == Kind::Mark
                    || text.tokens[stop].capital
                    || gap_before(text, stop) > 1
                    || is!(text.key(words.start), "oui");
                if own {
                    (words.start..stop, words::refined(text, words.start..stop, polarity))
                } else {
                    (words.start..end, Polarity::Neutral)
                }
            }
            None if denial_at(text, words.start).is_some_and(|stop| stop <= words.end) => (words.start..end, Polarity::No),
            None => (words.start..end, Polarity::Neutral),
        }
    }

    /// What the options say of their question and of themselves.
    fn decide(&mut self, question: Range<usize>, choices: &[Choice]) {
        for choice in choices {
            if !choice.ticked && self.filled {
                self.set(self.offered(&choice.label), Part::EMPTY);
            }
            if choice.polarity.decides() {
                self.set(choice.label.clone(), Part::ANSWER);
            }
        }
        let polar = choices.iter().any(|c| c.polarity.decides());
        let chosen = choices.iter().filter(|c| c.ticked).map(|c| c.polarity);
        let told = chosen.clone().find(|p| p.decides());
        let yes_and_no = |p: Polarity| choices.iter().any(|c| c.polarity == p);
        match told {
            Some(polarity) => self.answer(question, polarity),
            None if chosen.count() > 0 || !polar => {}
            // "[ ] oui" alone: not so.
            None if self.filled && yes_and_no(Polarity::Yes) && !yes_and_no(Polarity::No) && choices.len() == 1 => {
                self.answer(question, Polarity::No);
            }
            // "HTA [ ] non" alone: the empty box is that of what is asked.
            None if self.filled && yes_and_no(Polarity::No) && !yes_and_no(Polarity::Yes) && choices.len() == 1 => {
                self.answer(question, Polarity::No);
            }
            None => self.answer(question, Polarity::Open),
        }
    }

    /// What an empty box offers; a bracket that tells why it is empty stands: "[ ] tabac (n'a jamais fumé)".
    fn offered(&self, label: &Range<usize>) -> Range<usize> {
        let text = self.text;
        let told = |from: usize| (from..label.end).any(|at| is!(text.key(at), "jamais"));
        match label.clone().find(|at| is!(text.key(*at), "(")) {
            Some(open) if told(open) => label.start..open,
            _ => label.clone(),
        }
    }

    /// Marks a question, from its last comma or colon outside brackets.
    fn answer(&mut self, words: Range<usize>, polarity: Polarity) {
        let text = self.text;
        let mut end = words.end;
        while end > words.start
            && is!(text.key(end - 1), ":" | "=" | "?" | "." | "-" | "→" | ">" | "…" | "_" | "/" | "(" | "[" | "oui" | "non")
        {
            end -= 1;
        }
        // "sténose carotide NON": nothing but the capitals answers.
        let bare = end == words.end;
        let mut depth = 0usize;
        let mut start = end.saturating_sub(LONGEST).max(words.start);
        for at in (start..end).rev() {
            match text.fold(at) {
                ")" => depth += 1,
                "(" => depth = depth.saturating_sub(1),
                "," | ":" if depth == 0 && !(at + 1 < end && at > 0 && number_joint(text, at)) => {
                    let all = (polarity == Polarity::No && !bare).then(|| self.all_denied(words.start, at)).flatten();
                    start = all.unwrap_or(at + 1);
                    break;
                }
                // "ramipril 5 / statine : non", "M1 perméable / sténose NON": what stands before is told by itself.
                "/" if depth == 0
                    && gap_before(text, at) > 0
                    && gap_before(text, at + 1) > 0
                    && (bare || text.tokens[words.start..at].iter().any(|t| t.kind == Kind::Number)) =>
                {
                    start = at + 1;
                    break;
                }
                // "lévothyrox 75. statine : non": a sentence without its capital.
                "." if depth == 0
                    && text.tokens.get(at + 1).is_some_and(|t| t.space_before)
                    && !(at > start && words::cut_short(text.fold(at - 1))) =>
                {
                    start = at + 1;
                    break;
                }
                _ => {}
            }
        }
        let part = match polarity {
            Polarity::Yes => Part::YES,
            Polarity::No => Part::NO,
            Polarity::Open => Part::OPEN,
            Polarity::Neutral => return,
        };
        self.set(start..end, part);
        self.criteria(&(start..end));
    }

    /// "HTA, diabète, dyslipidémie : non": from the start of its sentence nothing but items of a
    /// word or three, up to the last comma; the first token of the list.
    fn all_denied(&self, from: usize, last: usize) -> Option<usize> {
        let text = self.text;
        let (mut start, mut commas, mut words) = (last, 1, 0);
        while start > from {
            let at = start - 1;
            match text.fold(at) {
                "." if text.tokens[start].space_before => break,
                "," => (commas, words) = (commas + 1, 0),
                "'" | "-" => {}
                _ if text.tokens[at].kind == Kind::Word && words < 3 => words += 1,
                _ => return None,
            }
            start = at;
        }
        (is!(text.key(last), ",") && commas > 1 && start < last).then_some(start)
    }

    /// Marks what a threshold is compared with, and the threshold. A bracket without
    /// one holds the value found: "PAS > 185 (162) : non".
    fn criteria(&mut self, words: &Range<usize>) -> bool {
        let text = self.text;
        if !words.clone().any(|at| comparator_at(text, at)) {
            return false;
        }
        let mut at = words.start;
        while at < words.end {
            if is!(text.key(at), "(") {
                let close = (at..words.end).take(LONGEST).find(|i| is!(text.key(*i), ")")).unwrap_or(at);
                if !(at..close).any(|i| comparator_at(text, i)) {
                    at = (close + 1).max(at + 1);
                    continue;
                }
            }
            self.set(at..at + 1, Part::CRITERION);
            at += 1;
        }
        true
    }
}

/// A comma or colon between the digits of one number.
fn number_joint(text: &Text<'_>, at: usize) -> bool {
    text.tokens[at - 1].kind == Kind::Number
        && text.tokens[at + 1].kind == Kind::Number
        && !text.tokens[at].space_before
        && !text.tokens[at + 1].space_before
}

#[cfg(test)]
mod tests;
