//! What holds until something else is said: the opening words of lines, headings
//! and sections, and the type of the document.

use chrono::{Duration, NaiveDateTime};
use sillage_clinical::is;
use sillage_clinical::section::bracketed;
use sillage_clinical::temporal::{Precision, TemporalKind};
use sillage_clinical::text::{Kind, Text};

use super::{Asked, Found, Moment, Moments, Reading};

/// What a heading or an opening word set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    pub moment: Moment,
    pub time: Option<NaiveDateTime>,
    /// Ends with its line: said in the middle of one, of what came before the door, or in a table.
    line: bool,
}

const DAYS: &[&str] = &["lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche"];

/// Most tokens of a bracket behind a heading.
const ASIDE: usize = 12;
/// Words before a cue that opens a line.
const OPENING: usize = 4;
/// A cue of no longer reach heads what follows only with a colon.
const CLOSE: f32 = 2.5;
/// In a letter at the end of a stay, what stands beyond this part of it and under no
/// heading is the state at the end.
const CLOSING: f32 = 0.55;

/// "3. ÉTAT FONCTIONNEL": the number of a part of the document.
fn numbered(text: &Text<'_>, at: usize) -> bool {
    text.tokens[at].kind == Kind::Number && is!(text.key(at + 1), "." | ")" | "/") && text.tokens.get(at + 2).is_some_and(|t| t.capital)
}

/// "| H24 | NIHSS 6 |": a row of a table with more than its heading.
fn opens_row(text: &Text<'_>, at: usize) -> bool {
    let on_line = |i: &usize| text.tokens.get(*i).is_some_and(|t| t.lines_before == 0);
    let cell = (at + 1..text.tokens.len()).take_while(on_line).find(|i| is!(text.key(*i), "|"));
    is!(text.key(at), "|") && cell.is_some_and(|end| on_line(&(end + 1)))
}

impl Moments<'_, '_> {
    /// By sentence, what the lines above opened with, and the day they opened with.
    pub(super) fn read_standing(&self) -> (Vec<Option<Standing>>, Vec<Option<NaiveDateTime>>) {
        let analysis = self.analysis;
        let mut standing = Vec::with_capacity(analysis.sentences.len());
        let mut days = Vec::with_capacity(analysis.sentences.len());
        let mut current: Option<Standing> = None;
        let mut day = None;
        let mut section = None;
        let (mut cue, mut time) = (0, 0);
        let times = analysis.times();
        for sentence in &analysis.sentences {
            let first = analysis.text.tokens.get(sentence.start);
            let at = analysis.sections.partition_point(|s| s.tokens.start <= sentence.start);
            let here = at.checked_sub(1).filter(|i| analysis.sections[*i].tokens.contains(&sentence.start));
            let blank = first.is_some_and(|t| t.lines_before > 1);
            let line = first.is_some_and(|t| t.lines_before > 0) || sentence.start == 0;
            // A row of a table goes on where the next one opens with an empty cell.
            let goes_on = (sentence.start..sentence.start + 2).all(|i| is!(analysis.text.key(i), "|"));
            let aside = line && !goes_on && current.is_some_and(|s| s.line);
            let titled = line && bracketed(&analysis.text, sentence.start).is_some() || blank && numbered(&analysis.text, sentence.start);
            if here != section || blank && here.is_none() || aside || titled {
                current = None;
                section = here;
            }
            if blank {
                day = None;
            }
            while self.found.get(cue).is_some_and(|f| f.tokens.start < sentence.start) {
                cue += 1;
            }
            let bytes = analysis.text.byte_range(sentence.clone());
            while times.get(time).is_some_and(|t| t.start < bytes.start) {
                time += 1;
            }
            let text = &analysis.text;
            // "Le 12 mars", "- Mardi 12/03": nothing but small words before.
            let dates = |start: usize| {
                line && start <= sentence.start + 3
                    && (sentence.start..start)
                        .all(|i| text.tokens[i].kind == Kind::Mark || text.fold(i).len() <= 2 || DAYS.contains(&text.fold(i)))
            };
            // "19/08 9 h : J1" opens with the day, then with what follows it.
            let dated = times.get(time).filter(|t| t.start < bytes.end && dates(text.token_at(t.start)));
            if let Some(found) = dated.filter(|t| t.kind == TemporalKind::Date && t.precision >= Precision::Day) {
                // Another day, another moment.
                (current, day) = (None, found.value);
            }
            let from = dated.map_or(sentence.start, |t| text.token_at(t.end - 1) + 1);
            let opens = |start: usize| {
                let from = if start < from { sentence.start } else { from };
                // "=> SMUR 21 h 58 : TA": behind the marks that open the line.
                let lead = (from..start).find(|i| text.tokens[*i].kind != Kind::Mark).unwrap_or(start);
                start <= from + OPENING && (lead..start).all(|i| text.tokens[i].kind != Kind::Mark)
            };
            // "AVANT (SMUR 6h32) : …": the first of the opening words that heads the line.
            let mut opening = self.found[cue..].iter().take_while(|f| f.tokens.start < sentence.end && opens(f.tokens.start));
            // "Valium sorti mais non injecté" tells of a drug.
            let taken_out = |end: usize| is!(text.key(end + usize::from(is!(text.key(end), ","))), "mais" | "non" | "pas");
            // "Jamais connue avant." heads nothing.
            let heading = |found: &&Found| {
                let start = found.tokens.start;
                let denied =
                    (sentence.start..start).any(|i| is!(text.key(i), "jamais" | "pas" | "non" | "aucun" | "aucune" | "sans" | "ni"));
                let of_drug = is!(text.key(start), "sorti" | "sortie") && taken_out(found.tokens.end);
                !denied && !of_drug
                // "NIHSS 20 avant intubation" opens nothing.
                && (found.cue.reach > CLOSE || is!(text.key(found.tokens.end), ":"))
                && (self.heads(found.tokens.end, sentence.end) || found.cue.door && found.tokens.start == sentence.start)
            };
            if let Some(found) = opening.find(heading) {
                let moment = self.meant(found.cue, found.tokens.start).0;
                let aside = !line && matches!(moment, Moment::Prehospital | Moment::History);
                current = Some(Standing { moment, time: None, line: aside || line && opens_row(text, sentence.start) });
            } else if let Some(found) = dated
                && let Some(moment) = self.moment_of(found)
            {
                current = Some(Standing { moment, time: found.value, line: opens_row(text, sentence.start) });
            }
            standing.push(current);
            days.push(day);
        }
        (standing, days)
    }

    /// What ends here is a heading: a colon, a comma or the end of the line follows soon.
    fn heads(&self, end: usize, limit: usize) -> bool {
        let text = &self.analysis.text;
        // "Bilan SP (adj. Roux), 13h38 :": who made it.
        let aside = (is!(text.key(end), "(")).then(|| (end..limit.min(end + ASIDE)).find(|i| is!(text.key(*i), ")"))).flatten();
        let end = aside.map_or(end, |close| close + 1);
        let verdict = (end..(end + 5).min(text.tokens.len())).find_map(|i| match text.fold(i) {
            _ if text.tokens[i].lines_before > 0 => Some(true),
            ":" | "," | "-" => Some(true),
            // "IAO J. DURAND 8h12 : TA": of an initial.
            "." if i > end && text.fold(i - 1).chars().count() == 1 && text.tokens[i - 1].kind == Kind::Word => None,
            // A line or sentence of its own.
            "." if i + 1 >= limit => Some(i <= end + 1),
            "." | ";" => Some(false),
            _ if i >= limit => Some(true),
            _ => None,
        });
        verdict == Some(true)
    }

    /// The moment at which the document was written.
    pub(super) fn now(&self, token: usize) -> Moment {
        match self.document_type {
            "discharge" => Moment::Discharge,
            "referral" | "prehospital" => Moment::Prehospital,
            "emergency" | "imaging" => Moment::Admission,
            "rehabilitation" => Moment::Later,
            "consultation" => self.by_time().map_or(Moment::Month3, |(moment, _)| moment),
            // A sheet that goes with the patient is written on the day of leaving.
            "nursing" | "progress" | "other" if self.leaves_today() => Moment::Discharge,
            _ => self.by_document(token, Asked::default()).moment,
        }
    }

    fn leaves_today(&self) -> bool {
        let today = self.analysis.reference().map(|r| r.date());
        today.is_some() && self.stay.end.map(|end| end.date()) == today && self.stay.start.map(|start| start.date()) != today
    }

    /// By section and type of the document.
    pub(super) fn by_document(&self, token: usize, asked: Asked) -> Reading {
        let mut section = self.section(token);
        // What is measured now stands under the antecedents only because no title ended them.
        let spilled = asked.measured
            && !asked.before
            && matches!(section, Some("history" | "home_treatment" | "social" | "allergies" | "family_history"));
        if spilled {
            section = None;
        }
        let closing = token as f32 > CLOSING * self.analysis.text.tokens.len() as f32;
        let (moment, strength) = match (self.document_type, section) {
            (_, Some("history" | "home_treatment" | "social" | "allergies" | "family_history")) => (Moment::PreStroke, 0.7),
            ("referral" | "prehospital", _) => (Moment::Prehospital, 0.7),
            ("emergency", _) => (Moment::Admission, 0.7),
            ("discharge", Some("present_illness" | "reason" | "vital_signs")) => (Moment::Admission, 0.5),
            ("discharge", Some("examination")) if !closing => (Moment::Admission, 0.5),
            ("discharge", Some("discharge" | "discharge_treatment")) => (Moment::Discharge, 0.6),
            ("discharge", Some("plan")) => (Moment::Discharge, 0.3),
            ("progress" | "nursing", Some("plan")) => (Moment::Later, 0.4),
            ("discharge", Some("laboratory" | "investigations" | "findings" | "procedure")) => (Moment::Stay, 0.4),
            ("discharge", _) if closing => (Moment::Discharge, 0.3),
            ("discharge", _) => (Moment::Stay, 0.4),
            ("imaging", _) => (Moment::Admission, 0.5),
            ("procedure" | "anesthesia", _) => (Moment::Stay, 0.5),
            ("progress" | "nursing", _) => self.by_time().unwrap_or((Moment::Stay, 0.4)),
            ("consultation", Some("present_illness" | "reason" | "indication")) => (Moment::Stay, 0.4),
            ("consultation", _) => self.by_time().unwrap_or((Moment::Month3, 0.5)),
            ("rehabilitation", Some("present_illness" | "reason" | "indication")) => (Moment::Stay, 0.4),
            ("rehabilitation", _) => (Moment::Later, 0.6),
            _ => self.by_time().unwrap_or((Moment::Stay, 0.3)),
        };
        let strength = if spilled { strength * 0.7 } else { strength };
        Reading { moment, strength, time: None, by: if section.is_some() { "section" } else { "document" } }
    }

    /// By the time of the document against the stay.
    fn by_time(&self) -> Option<(Moment, f32)> {
        let (zero, now) = (self.stay.start?, self.analysis.reference()?);
        let since = now - zero;
        let after = self.stay.end.is_some_and(|end| now - end > Duration::hours(24));
        Some(match since.num_hours() {
            ..0 => return None,
            hours if (60 * 24..135 * 24).contains(&hours) => (Moment::Month3, 0.7),
            _ if after => (Moment::Later, 0.6),
            0..=5 => (Moment::Admission, 0.5),
            6..=14 => (Moment::Stay, 0.5),
            15..=40 => (Moment::Day1, 0.6),
            hours if hours > 45 * 24 => (Moment::Later, 0.5),
            _ => (Moment::Stay, 0.5),
        })
    }
}
