//! Tables flattened to text: a line of names, then lines of values.
//!
//! Each value is read again with its name before it, by the text library itself.

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::measurement::measurements;
use sillage_clinical::text::{Kind, Text};

use super::{Candidate, Extractor};

/// Fewest and most columns of a table.
const COLUMNS: std::ops::RangeInclusive<usize> = 3..=14;
/// Most lines under one line of names.
const ROWS: usize = 12;

impl Extractor<'_, '_> {
    pub(super) fn tabled(&self, out: &mut Vec<Candidate>) {
        let lines = self.lines();
        let mut at = 0;
        while at + 1 < lines.len() {
            let header = lines[at].clone();
            at += 1;
            if !self.names_only(&header) || !self.values_mostly(&lines[at]) {
                continue;
            }
            let names = self.columns(&header);
            if !COLUMNS.contains(&names.len()) {
                continue;
            }
            let mut rows = 0;
            while rows < ROWS && lines.get(at + rows).is_some_and(|line| self.values_mostly(line) && self.row(&names, line, out)) {
                rows += 1;
            }
            at += rows;
        }
    }

    pub(super) fn lines(&self) -> Vec<Range<usize>> {
        let tokens = &self.analysis.text.tokens;
        let mut starts: Vec<usize> = (0..tokens.len()).filter(|i| *i == 0 || tokens[*i].lines_before > 0).collect();
        starts.push(tokens.len());
        starts.windows(2).map(|w| w[0]..w[1]).collect()
    }

    /// A short line of words without a number that starts a token.
    fn names_only(&self, line: &Range<usize>) -> bool {
        let text = &self.analysis.text;
        (3..40).contains(&line.len())
            && line.clone().all(|i| text.tokens[i].kind != Kind::Number)
            && !is!(text.key(line.end - 1), "." | ":")
    }

    fn values_mostly(&self, line: &Range<usize>) -> bool {
        let text = &self.analysis.text;
        let numbers = line.clone().filter(|i| text.tokens[*i].kind == Kind::Number).count();
        let words = line.clone().filter(|i| text.tokens[*i].kind == Kind::Word && text.fold(*i).len() > 4).count();
        numbers >= 2 && words <= numbers
    }

    /// Cells of a line: parted by marks or wide spaces where there are any, else words.
    pub(super) fn columns(&self, line: &Range<usize>) -> Vec<Range<usize>> {
        let text = &self.analysis.text;
        let mark = |i: usize| is!(text.key(i), ";" | "|");
        let wide = |i: usize| {
            i > line.start && {
                let gap = &text.original[text.tokens[i - 1].end as usize..text.tokens[i].start as usize];
                gap.contains('\t') || gap.len() > 1
            }
        };
        let parted = line.clone().any(|i| mark(i) || wide(i));
        let mut cells: Vec<Range<usize>> = Vec::new();
        let mut open = false;
        for i in line.clone() {
            if mark(i) {
                open = false;
                continue;
            }
            let joins = open && if parted { !wide(i) } else { text.tokens[i].kind == Kind::Mark || !text.tokens[i].space_before };
            match cells.last_mut() {
                Some(cell) if joins => cell.end = i + 1,
                _ => cells.push(i..i + 1),
            }
            open = true;
        }
        cells
    }

    /// Reads a line of values under the names; says whether it fits.
    fn row(&self, names: &[Range<usize>], line: &Range<usize>, out: &mut Vec<Candidate>) -> bool {
        let text = &self.analysis.text;
        let cells = self.columns(line);
        let aligned = cells.len() == names.len();
        let mut found = 0;
        let mut at = line.start;
        for (column, name) in names.iter().enumerate() {
            let label = text.source(name.clone());
            let rest = if aligned { cells[column].clone() } else { at..line.end };
            if rest.is_empty() {
                break;
            }
            // "Heure", "Date": a value that names no measure.
            let Some((end, number)) = self.cell(label, &rest, out) else {
                at = rest.start + 1;
                while at < line.end && (!text.tokens[at].space_before || text.tokens[at].kind == Kind::Mark) {
                    at += 1;
                }
                continue;
            };
            found += usize::from(number);
            at = end;
            while is!(text.key(at), ";" | "|" | ",") && at < line.end {
                at += 1;
            }
        }
        found >= 2
    }

    /// Reads one value with its name before it; gives the token behind it.
    pub(super) fn cell(&self, label: &str, rest: &Range<usize>, out: &mut Vec<Candidate>) -> Option<(usize, bool)> {
        let text = &self.analysis.text;
        let source = text.source(rest.clone());
        let source = source.get(..source.char_indices().map(|(i, _)| i).nth(40).unwrap_or(source.len())).unwrap_or(source);
        let joined = format!("{label} : {source}");
        let shift = joined.len() - source.len();
        let offset = text.tokens.get(rest.start)?.start as usize;
        let read = Text::new(&joined);
        let mut end = None;
        for measurement in measurements(&read) {
            if measurement.value_start > shift
                && !joined[shift..measurement.value_start].chars().all(|c| !c.is_alphanumeric())
                && end.is_none()
            {
                break;
            }
            let Some(name) = measurement.name else { continue };
            if measurement.value_start < shift
                || end.is_some_and(|(_, start)| start != measurement.value_start && name != "diastolic_blood_pressure")
            {
                continue;
            }
            let (first, last) = (offset + measurement.value_start - shift, offset + measurement.end.max(measurement.value_end) - shift);
            let tokens = text.token_at(first)..text.token_at(last - 1) + 1;
            if let Some(uses) = self.definitions.compiled.measurements.get(name) {
                self.push_measurement(&measurement, uses, tokens.clone(), "table", out);
            }
            end = Some((tokens.end.max(end.map_or(0, |(e, _)| e)), measurement.value_start));
        }
        end.map(|(end, _)| (end, true))
    }
}
