//! Numbers whose moment stands at the head of their column, or of their place in a
//! list: a line "Entrée | H24 | Sortie" over lines "NIHSS | 14 | 8 | 3", and
//! "NIHSS entrée/H24/sortie : 14/8/3".

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::{Candidate, Extractor};
use crate::anchor::{Found, Moment};

/// Most tokens of the head of a column.
const HEAD: usize = 9;
/// Most lines under the heads.
const ROWS: usize = 25;
/// Most tokens of the name before a list of moments.
const NAME: usize = 4;

impl Extractor<'_, '_> {
    /// Adds what heads date, in place of what was read of the same numbers without them.
    pub(super) fn headed(&self, cues: &[Found], out: &mut Vec<Candidate>) {
        let mut found = Vec::new();
        let mut read: Vec<Range<usize>> = Vec::new();
        if cues.len() > 1 {
            self.under_heads(cues, &mut found, &mut read);
            self.in_order(cues, &mut found, &mut read);
        }
        if found.is_empty() {
            return;
        }
        let within = |tokens: &Range<usize>| read.iter().any(|r| tokens.start < r.end && r.start < tokens.end);
        out.retain(|c| !matches!(c.how, "measurement" | "series" | "table" | "name") || !within(&c.tokens));
        out.append(&mut found);
    }

    fn under_heads(&self, cues: &[Found], out: &mut Vec<Candidate>, read: &mut Vec<Range<usize>>) {
        let lines = self.lines();
        let mut at = 0;
        while at + 1 < lines.len() {
            let heads = self.heads(&lines[at], cues);
            at += 1;
            let Some(heads) = heads else { continue };
            for line in lines[at..].iter().take(ROWS) {
                let cells = self.columns(line);
                if cells.len() != heads.len() + 1 {
                    break;
                }
                let label = self.analysis.text.source(cells[0].clone());
                for (head, cell) in heads.iter().zip(&cells[1..]) {
                    self.of_moment(label, cell, *head, out);
                }
                read.push(line.clone());
                at += 1;
            }
        }
    }

    /// The moments of the columns under such a line, none of those that no words tell.
    fn heads(&self, line: &Range<usize>, cues: &[Found]) -> Option<Vec<Option<Moment>>> {
        let first = cues.partition_point(|c| c.tokens.start < line.start);
        let here = &cues[first..first + cues[first..].partition_point(|c| c.tokens.start < line.end)];
        if here.is_empty() {
            return None;
        }
        let text = &self.analysis.text;
        let times = self.analysis.times();
        let mut heads = Vec::new();
        let cells = self.columns(line);
        for (place, cell) in cells.iter().enumerate() {
            let told = here.iter().find(|c| cell.contains(&c.tokens.start)).and_then(|c| c.cue.moment);
            let moment = told.or_else(|| self.study_day(cell));
            let bytes = text.byte_range(cell.clone());
            let timed = times.get(times.partition_point(|t| t.end <= bytes.start)).is_some_and(|t| t.start < bytes.end);
            if cell.len() > HEAD {
                return None;
            }
            if moment.is_some() || timed || place > 0 {
                heads.push(moment);
            }
        }
        let told = heads.iter().flatten().count();
        (heads.len() > 1 && told > 0 && 2 * told >= heads.len().min(3)).then_some(heads)
    }

    /// The first day, as the head of a column has it without a preposition.
    fn study_day(&self, cell: &Range<usize>) -> Option<Moment> {
        let head: String = cell.clone().map(|at| self.analysis.text.fold(at)).collect();
        matches!(&*head, "24h" | "h24" | "h+24" | "24heures" | "j1" | "j+1").then_some(Moment::Day1)
    }

    fn in_order(&self, cues: &[Found], out: &mut Vec<Candidate>, read: &mut Vec<Range<usize>>) {
        let text = &self.analysis.text;
        let parts = |at: usize| is!(text.key(at), "/" | "-" | "→" | ">" | "|" | "–");
        let same_line = |at: usize| text.tokens.get(at).is_some_and(|t| t.lines_before == 0);
        let mut at = 0;
        while at + 1 < cues.len() {
            let from = at;
            while at + 1 < cues.len() && cues[at].tokens.end + 1 == cues[at + 1].tokens.start && parts(cues[at].tokens.end) {
                at += 1;
            }
            let heads = &cues[from..=at];
            at += 1;
            if heads.len() < 2 {
                continue;
            }
            // The numbers, as many as heads and parted alike.
            let mut next = heads[heads.len() - 1].tokens.end;
            while same_line(next) && is!(text.key(next), ":" | "=" | ")" | "a" | "est" | "sont") {
                next += 1;
            }
            let mut numbers = Vec::new();
            while same_line(next) && text.tokens[next].kind == Kind::Number {
                numbers.push(next);
                next += 1;
                if !(same_line(next) && parts(next)) {
                    break;
                }
                next += 1;
            }
            if numbers.len() != heads.len() {
                continue;
            }
            let start = heads[0].tokens.start;
            let mut first = start;
            if first > 0 && same_line(first) && is!(text.key(first - 1), "(" | ":") {
                first -= 1;
            }
            while first > 0 && start - first <= NAME && same_line(first) && text.tokens[first - 1].kind != Kind::Mark {
                first -= 1;
            }
            let label = text.source(first..start).trim_end_matches(['(', ':', ' ']);
            for (head, number) in heads.iter().zip(&numbers) {
                self.of_moment(label, &(*number..*number + 1), head.cue.moment, out);
            }
            read.push(first..next);
        }
    }

    /// A value with its name elsewhere, of a moment that is told elsewhere.
    fn of_moment(&self, label: &str, cell: &Range<usize>, moment: Option<Moment>, out: &mut Vec<Candidate>) {
        let (Some(moment), false) = (moment, label.is_empty()) else { return };
        let from = out.len();
        self.cell(label, cell, out);
        for candidate in &mut out[from..] {
            candidate.how = "column";
            candidate.moment = Some(moment);
        }
    }
}
