//! Scales written item by item: their sum is the value where no total is written.

use std::ops::Range;

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::number::number;
use super::{Candidate, Extractor};
use crate::Value;
use crate::definition::{Find, Role};

/// Most tokens from an item to the next one.
const STRIDE: usize = 14;
/// Most tokens between an item and its points.
const REACH: usize = 5;

impl Extractor<'_, '_> {
    pub(super) fn grids(&self, out: &mut Vec<Candidate>) {
        for (v, definition) in self.definitions.variables.iter().enumerate() {
            for (r, rule) in definition.rules.iter().enumerate() {
                let Find::Grid { at_least, total, .. } = &rule.find else { continue };
                let mut run: Vec<(Range<usize>, u16, f64)> = Vec::new();
                let mut items: Vec<(Range<usize>, u16)> = Vec::new();
                for hit in &self.hits {
                    for used in self.uses(hit).iter().filter(|u| u.variable as usize == v && u.rule as usize == r) {
                        if let Role::Item(item) = used.role
                            && items.last().is_none_or(|(last, _)| last.end <= hit.start)
                        {
                            items.push((hit.start..hit.end, item));
                        }
                    }
                }
                for (i, (tokens, item)) in items.iter().enumerate() {
                    let limit = items.get(i + 1).map_or(usize::MAX, |(next, _)| next.start);
                    let Some((points, end)) = self.points(tokens.end, limit) else { continue };
                    let apart = run.last().is_some_and(|(last, ..)| tokens.start > last.end + STRIDE);
                    if apart || run.iter().any(|(_, known, _)| known == item) {
                        self.sum(&mut run, v, r, *at_least, total.as_deref(), out);
                    }
                    run.push((tokens.start..end, *item, points));
                }
                self.sum(&mut run, v, r, *at_least, total.as_deref(), out);
            }
        }
    }

    /// The points of an item, and the token behind them. A second column is of another
    /// moment: which of them counts, nobody says.
    fn points(&self, from: usize, limit: usize) -> Option<(f64, usize)> {
        let text = &self.analysis.text;
        let is_number = |at: usize| text.tokens.get(at).is_some_and(|t| t.kind == Kind::Number);
        let read = |at: usize| number(text, at).filter(|n| n.rest.is_empty() && n.value.fract() == 0.0 && n.value <= 4.0);
        let found = (from..(from + REACH).min(limit).min(text.tokens.len())).filter(|at| is_number(*at)).find_map(read)?;
        let next = found.next + usize::from(is!(text.key(found.next), "|"));
        let second = is_number(next) && text.tokens[next].lines_before == 0;
        (!second).then_some((found.value, found.next))
    }

    fn sum(
        &self,
        run: &mut Vec<(Range<usize>, u16, f64)>,
        variable: usize,
        rule: usize,
        at_least: usize,
        total: Option<&str>,
        out: &mut Vec<Candidate>,
    ) {
        if run.len() >= at_least
            && let (Some((first, ..)), Some((last, ..))) = (run.first(), run.last())
        {
            let tokens = first.start..last.end;
            let bytes = self.analysis.text.byte_range(tokens.clone());
            let near = bytes.start.saturating_sub(120)..bytes.end + 80;
            let written = total
                .is_some_and(|name| self.analysis.measurements().iter().any(|m| m.name == Some(name) && near.contains(&m.value_start)));
            out.push(Candidate {
                variable: variable as u16,
                rule: rule as u16,
                value: Some(Value::Number(run.iter().map(|(_, _, points)| points).sum())),
                tokens,
                time: None,
                how: "grid",
                weight: 1.0,
                historical: false,
                moment: None,
                refused: written.then_some("the total is written"),
            });
        }
        run.clear();
    }
}
