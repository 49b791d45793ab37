//! Letters of those who make the entries of a note: behind the day and the hour of each,
//! in the last column of a table, in the list that says who cares for the patient.
//!
//! Who stands there twice is somebody, whatever the letters mean elsewhere.

use std::ops::Range;

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Found;
use super::entry::way;
use super::initials::lines;
use super::knowledge::role;
use super::page::{Page, look};
use super::slot::{SLOT, initials, vital};
use crate::Label;
use crate::calendar::{short_month, weekday};
use crate::proper::known::{abbreviation, heading, makes_thing};

/// Most tokens of a day and an hour, a remark in tails included.
const HEAD: usize = 24;

/// The day and the hour at the start of a line: the token behind, and how much they say.
struct Head {
    end: usize,
    /// A date or an hour, not only the count of a day: "J2".
    dated: bool,
    /// An hour or a shift: a list of past diseases has none.
    clocked: bool,
    /// "Ajout", "Correction" before: somebody says something of their own.
    remark: bool,
}

/// Finds them; `people` holds the initials of those whom the text names.
pub(super) fn writers(page: &Page<'_, '_>, people: &FxHashSet<String>, found: &mut Found) {
    let mut known: FxHashSet<String> = FxHashSet::default();
    let (mut entries, mut rows, mut tails, mut titled) = (Vec::new(), Vec::new(), Vec::new(), false);
    let (mut heads, mut staffed) = (0, 0);
    for line in lines(page) {
        listed(page, line.clone(), found, &mut known);
        let Some(head) = head(page, &line, &known) else {
            titled |= rows.is_empty() && signs(page.fold(line.end - 1)) && line.len() > 2;
            continue;
        };
        let named = found.covers(head.end) || page.cues.get(head.end).copied().flatten().is_some_and(|c| c.roles & role::FUNCTION != 0);
        heads += usize::from(head.dated);
        staffed += usize::from(head.dated && head.end < line.end && (named || initials(page, head.end)));
        let last = line.end - 1;
        let cell = head.dated && last >= head.end && (page.column(last) || is!(page.key(last - 1), "|"));
        let bracket = head.clocked && last >= head.end + 3 && is!(page.key(last), ")") && is!(page.key(last - 2), "(");
        if bracket && initials(page, last - 1) && !side(page.fold(last - 1)) {
            tails.push(last - 1);
        }
        // "8h calme QM"
        let rare = !page.has(last, look::CLINICAL) && !abbreviation(page.fold(last));
        let tail = rare && head.clocked && last > head.end && page.has(last - 1, look::LOWER);
        if !cell && tail && initials(page, last) && !side(page.fold(last)) {
            tails.push(last);
        }
        if cell && initials(page, last) && (head.clocked || !page.has(last, look::CLINICAL)) {
            rows.push(last);
        } else if head.end < line.end && initials(page, head.end) && entry(page, head.end) {
            entries.push(head);
        }
    }
    // Most entries say who made them: letters there are no event of the day.
    let staffed = staffed > 2 && staffed * 2 > heads;
    let again = |at: usize| {
        let places = entries.iter().map(|h| h.end).chain(rows.iter().copied());
        places.filter(|i| page.fold(*i) == page.fold(at)).count() > 1
    };
    let measures = rows.iter().any(|at| way(page.fold(*at)) || vital(page, *at) || !titled && heading(page.fold(*at)));
    if rows.len() > 1 && !measures && (titled || rows.iter().any(|at| again(*at))) {
        for at in &rows {
            push(page, *at, found);
        }
    }
    // "8h : dort (PV)", "12h mange QM"
    for at in &tails {
        let twice = tails.iter().filter(|i| page.fold(**i) == page.fold(*at)).count() > 1;
        if twice && !way(page.fold(*at)) && !heading(page.fold(*at)) && !thing(page, page.fold(*at)) {
            push(page, *at, found);
        }
    }
    for head in &entries {
        let at = head.end;
        let fold = page.fold(at);
        let own = known.contains(fold) || people.contains(fold) && head.dated;
        if !own && (vital(page, at) || way(fold) || heading(fold)) {
            continue;
        }
        // "03/06 N - PV. Dort", "16h | PV | repas": marks on both sides of letters that are nothing else.
        let between = matches!((page.fold(at - 1), page.fold(at + 1)), ("-" | "–" | "|", "." | "|"));
        // "[03/06 8h PV] dort"
        let boxed = is!(page.key(at + 1), "]" | ")") && is!(page.key(page.line_start(at)), "[" | "(");
        let clear = head.dated && (between || boxed) && !page.has(at, look::CLINICAL);
        let again = head.dated && (head.clocked && staffed || !page.has(at, look::CLINICAL)) && again(at);
        let told = head.remark && is!(page.key(at + 1), ":" | "-" | "–");
        if known.contains(fold) || told || (own || clear || again) && !thing(page, fold) {
            push(page, at, found);
        }
    }
}

fn push(page: &Page<'_, '_>, at: usize, found: &mut Found) {
    if !found.covers(at) {
        found.push(page, at..at + 1, Label::Nom, SLOT, 20);
    }
}

/// What ends the letters of somebody before an entry.
fn entry(page: &Page<'_, '_>, at: usize) -> bool {
    let next = at + 1;
    let number = |i: usize| page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number) && page.same_line(i);
    let mark = is!(page.key(next), "|" | "." | ":" | "-" | "–" | "," | ";" | ")" | "]" | ">");
    // "03/06 8h PV Dort": a sentence begins.
    let sentence = page.has(next, look::CAPITAL) && !page.has(next, look::UPPER | look::CLINICAL) && page.cues[next].is_none();
    page.closed(next) || sentence || mark && !number(next + 1) && !(page.glued(next) && page.glued(next + 1) && page.same_line(next + 1))
}

/// Reads the day and the hour at the start of a line, with what a shift is called.
fn head(page: &Page<'_, '_>, line: &Range<usize>, known: &FxHashSet<String>) -> Option<Head> {
    let (mut at, mut dated, mut clocked, mut counted, mut remarks) = (line.start, false, false, false, false);
    while at < line.end && at < line.start + HEAD {
        let fold = page.fold(at);
        let glued = |i: usize| i < line.end && page.glued(i);
        match page.text.tokens[at].kind {
            Kind::Number => {
                let joined = is!(page.key(at + 1), "/" | ":" | "." | "h") && glued(at + 1);
                let days = at > line.start && weekday(page.fold(at - 1)) || short_month(page.fold(at + 1));
                clocked |= fold.contains('h') || joined && is!(page.key(at + 1), ":" | "h");
                dated |= joined || days || fold.contains('h');
                counted = true;
            }
            Kind::Mark if fold == "(" && dated => {
                // "14h (jour férié) |"
                let close = (at..line.end.min(at + 10)).find(|i| is!(page.key(*i), ")"))?;
                if close == at + 2 {
                    break;
                }
                at = close;
            }
            Kind::Mark => {}
            Kind::Word if at == line.start && remark(fold) => remarks = true,
            Kind::Word if known.contains(fold) && page.has(at, look::UPPER) => break,
            Kind::Word => {
                let day = fold.strip_prefix('j').is_some_and(|d| d.bytes().all(|b| b.is_ascii_digit()) && d.len() < 3);
                counted |= day && fold.len() > 1;
                clocked |= matches!(fold, "m" | "n" | "s" | "am" | "apm" | "aprem" | "nuit" | "matin" | "soir" | "midi");
                if !(day || weekday(fold) || short_month(fold) || shift(fold)) {
                    break;
                }
            }
        }
        at += 1;
    }
    ((dated || counted) && at > line.start).then_some(Head { end: at, dated, clocked, remark: remarks && dated })
}

/// Words of a day and a shift.
fn shift(fold: &str) -> bool {
    matches!(
        fold,
        "h" | "le"
            | "a"
            | "de"
            | "du"
            | "m"
            | "n"
            | "s"
            | "am"
            | "pm"
            | "apm"
            | "aprem"
            | "nuit"
            | "matin"
            | "soir"
            | "midi"
            | "jour"
            | "apres"
            | "fin"
            | "debut"
            | "garde"
            | "min"
            | "mn"
    )
}

/// Where something was measured or found.
fn side(fold: &str) -> bool {
    matches!(fold, "bd" | "bg" | "md" | "mg" | "pd" | "pg" | "od" | "og" | "gd" | "dg" | "dt" | "gc")
}

/// What opens a remark behind the rest.
pub(crate) fn remark(fold: &str) -> bool {
    matches!(fold, "ajout" | "addendum" | "complement" | "correction" | "rectificatif" | "rectification" | "note" | "precision")
}

/// The heading of a row or a column of those who sign.
fn signs(fold: &str) -> bool {
    signatures(fold)
        || ["soignant", "infirmier", "evaluateur", "examinateur", "cotateur"].iter().any(|w| fold.starts_with(w))
        || matches!(fold, "ide" | "ides" | "equipe" | "presents" | "presentes" | "participants" | "excuses")
}

/// What is a signature and nothing else.
fn signatures(fold: &str) -> bool {
    matches!(fold.strip_suffix('s').unwrap_or(fold), "signature" | "visa" | "paraphe" | "initiale" | "init" | "emargement")
}

/// "Codes des soignants : PV, QM", "Visas      PV | PV | QM": a line of those who sign.
fn listed(page: &Page<'_, '_>, line: Range<usize>, found: &mut Found, known: &mut FxHashSet<String>) {
    let first = (line.start..line.end.min(line.start + 4)).find(|i| signs(page.fold(*i)));
    let Some(first) = first.filter(|f| (line.start..*f).all(|i| !page.has(i, look::UPPER) || page.has(i, look::IN_CAPITALS))) else {
        return;
    };
    let mut at = first + 1;
    if !(page.column(at) || is!(page.key(at), ":" | "|")) || at >= line.end {
        return;
    }
    let mut taken: Vec<usize> = Vec::new();
    while at < line.end {
        if initials(page, at) && !vital(page, at) {
            taken.push(at);
        } else if is!(page.key(at), "(") && taken.last().is_some_and(|t| *t + 1 == at) {
            // "PV (AS)"
            let Some(close) = (at..line.end.min(at + 6)).find(|i| is!(page.key(*i), ")")) else { return };
            at = close;
        } else if !(found.covers(at)
            || page.title(at).is_some()
            || is!(page.key(at), ":" | "|" | "," | "/" | ";" | "-" | "–" | "+" | "&" | "et" | "."))
        {
            return;
        }
        at += 1;
    }
    if taken.len() < 2 || !signatures(page.fold(first)) && taken.iter().all(|t| heading(page.fold(*t))) {
        return;
    }
    for at in taken {
        known.insert(page.fold(at).to_owned());
        push(page, at, found);
    }
}

/// An article or an amount beside the same letters somewhere in the text.
fn thing(page: &Page<'_, '_>, fold: &str) -> bool {
    let amount = |i: usize| {
        page.same_line(i)
            && !page.column(i)
            && page.text.tokens.get(i).is_some_and(|t| t.kind == Kind::Number && !page.fold(i).contains('h'))
            && !is!(page.key(i + 1), "/" | ":")
    };
    (1..page.len()).any(|i| {
        page.fold(i) == fold
            && page.has(i, look::UPPER)
            && (page.same_line(i) && (makes_thing(page.fold(i - 1)) || is!(page.key(i - 1), "'")) || amount(i + 1))
    })
}
