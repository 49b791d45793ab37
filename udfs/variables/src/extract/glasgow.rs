//! The Glasgow scale written item by item, whose sum is the score: "Y3 V2 M5".

use sillage_clinical::measurement::Measurement;

use super::{Candidate, Extractor};
use crate::Value;
use crate::definition::Find;

const TOTAL: &str = "glasgow";
const ITEMS: [&str; 3] = ["glasgow_eye", "glasgow_verbal", "glasgow_motor"];
/// Most tokens between two items.
const STRIDE: usize = 4;
/// Bytes around the items in which a written total is theirs.
const NEAR: usize = 40;
/// More measurements than that do not stand so near.
const AROUND: usize = 20;

impl Extractor<'_, '_> {
    pub(super) fn summed(&self, out: &mut Vec<Candidate>) {
        let Some(uses) = self.definitions.compiled.measurements.get(TOTAL) else { return };
        let text = &self.analysis.text;
        let measurements = self.analysis.measurements();
        for (at, three) in measurements.windows(ITEMS.len()).enumerate() {
            let (Some(value), [first, .., last]) = (sum(three), three) else { continue };
            let apart = |pair: &[Measurement]| text.token_at(pair[1].start).saturating_sub(text.token_at(pair[0].end - 1)) > STRIDE;
            if three.windows(2).any(apart) {
                continue;
            }
            let near = first.start.saturating_sub(NEAR)..last.end + NEAR;
            let around = &measurements[at.saturating_sub(AROUND)..(at + AROUND).min(measurements.len())];
            let written = around.iter().any(|m| m.name == Some(TOTAL) && near.contains(&m.start));
            let tokens = text.token_at(first.start)..text.token_at(last.end - 1) + 1;
            for used in uses.iter().filter(|u| matches!(self.rule(**u).1.find, Find::Measurement { .. })) {
                out.push(Candidate {
                    variable: used.variable,
                    rule: used.rule,
                    value: Some(Value::Number(value)),
                    tokens: tokens.clone(),
                    time: None,
                    how: "sum",
                    weight: 1.0,
                    historical: false,
                    moment: None,
                    refused: written.then_some("the total is written"),
                });
            }
        }
    }
}

/// The sum of the three items, each there once.
fn sum(three: &[Measurement]) -> Option<f64> {
    let item = |name: &str| three.iter().find(|m| m.name == Some(name)).filter(|m| m.value_high.is_none())?.value;
    ITEMS.into_iter().map(item).sum()
}
