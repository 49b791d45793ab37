//! Words and mentions of the lexicon that stand for a value.

use sillage_clinical::qualifier::{Experiencer, Qualifiers};
use sillage_clinical::trie::Hit;

use super::{ALONE, Candidate, Extractor, OTHER_DOCUMENT, SAID_AGAINST};
use crate::Value;
use crate::definition::{Fact, Meaning, Role, Rule, Use};

impl Extractor<'_, '_> {
    /// Phrases of the rules; the longest wins where several of a variable overlap.
    pub(super) fn worded(&self, out: &mut Vec<Candidate>) {
        let mut found: Vec<(Use, &Hit)> = Vec::new();
        for hit in &self.hits {
            found.extend(self.uses(hit).iter().filter(|u| u.role == Role::Value).map(|u| (*u, hit)));
        }
        found.sort_by_key(|(u, h)| (u.variable, h.start, std::cmp::Reverse(h.end)));
        for (i, (used, hit)) in found.iter().enumerate() {
            let covered = |(other, longer): &&(Use, &Hit)| {
                other.variable == used.variable
                    && longer.start <= hit.start
                    && longer.end >= hit.end
                    && longer.end - longer.start > hit.end - hit.start
                    && self.covers(*other, *used, &(longer.start..longer.end))
            };
            let near = &found[i.saturating_sub(12)..(i + 12).min(found.len())];
            if near.iter().any(|other| covered(&other)) {
                continue;
            }
            let tokens = hit.start..hit.end;
            match self.conditions(*used, &tokens) {
                None => self.qualified(*used, tokens.clone(), self.qualifiers(&tokens), "phrase", out),
                Some(why) if self.explains => self.refuse(*used, tokens, "phrase", why, out),
                Some(_) => {}
            }
        }
    }

    /// Whether a longer phrase takes the place of the shorter ones in it: not where another
    /// document is meant, or where its own sentence speaks against it ("sortie vers le SSR
    /// de la clinique" is no other hospital); one that lacks its company only of its own value.
    fn covers(&self, longer: Use, used: Use, tokens: &std::ops::Range<usize>) -> bool {
        match self.conditions(longer, tokens) {
            Some(OTHER_DOCUMENT | SAID_AGAINST) => false,
            Some(ALONE) => self.rule(longer).1.value == self.rule(used).1.value,
            _ => true,
        }
    }

    /// Mentions of the lexicon.
    pub(super) fn mentioned(&self, out: &mut Vec<Candidate>) {
        let text = &self.analysis.text;
        for entity in self.analysis.entities() {
            let Some(uses) = self.definitions.compiled.concepts.get(&entity.concept.id) else { continue };
            let tokens = text.token_at(entity.start)..text.token_at(entity.end - 1) + 1;
            for used in uses.iter().filter(|u| u.role == Role::Value) {
                match self.conditions(*used, &tokens) {
                    None => self.qualified(*used, tokens.clone(), entity.qualifiers, "mention", out),
                    Some(why) if self.explains => self.refuse(*used, tokens.clone(), "mention", why, out),
                    Some(_) => {}
                }
            }
        }
    }

    fn refuse(&self, used: Use, tokens: std::ops::Range<usize>, how: &'static str, why: &'static str, out: &mut Vec<Candidate>) {
        let value = self.rule(used).1.value.clone();
        let (variable, rule) = (used.variable, used.rule);
        out.push(Candidate {
            variable,
            rule,
            value,
            tokens,
            time: None,
            how,
            weight: 1.0,
            historical: false,
            moment: None,
            refused: Some(why),
        });
    }

    fn qualified(&self, used: Use, tokens: std::ops::Range<usize>, qualifiers: Qualifiers, how: &'static str, out: &mut Vec<Candidate>) {
        let (_, rule) = self.rule(used);
        let (value, refused) = match meaning(rule, qualifiers) {
            Ok(value) => (Some(value), self.contradicted(rule)),
            Err(_) if !self.explains => return,
            Err(why) => (rule.value.clone(), Some(why)),
        };
        out.push(Candidate {
            variable: used.variable,
            rule: used.rule,
            value,
            tokens,
            time: None,
            how,
            weight: 1.0,
            historical: qualifiers.historical,
            moment: None,
            refused,
        });
    }

    /// The record says otherwise.
    fn contradicted(&self, rule: &Rule) -> Option<&'static str> {
        let stated = match (rule.fact?, &rule.value) {
            (Fact::Sex, Some(Value::Category(name))) => self.facts.female.is_none_or(|female| female == (name == "female")),
            _ => true,
        };
        (!stated).then_some("the patient's record says otherwise")
    }
}

/// What the rule makes of a mention so qualified.
fn meaning(rule: &Rule, qualifiers: Qualifiers) -> Result<Value, &'static str> {
    let value = rule.value.clone().ok_or("no value")?;
    let mut result = value;
    for (said, meaning, dropped, required) in [
        (qualifiers.experiencer != Experiencer::Patient, &rule.family, "said of somebody else", "said of the patient"),
        (qualifiers.historical, &rule.historical, "it is of the past", "it is not of the past"),
        (qualifiers.hypothetical, &rule.hypothetical, "it is not certain", "it is certain"),
        (qualifiers.negated, &rule.negated, "it is negated", "it is not negated"),
    ] {
        match (said, meaning) {
            (true, Meaning::Drop) => return Err(dropped),
            (true, Meaning::Value(other)) => result = other.clone(),
            (false, Meaning::Only) => return Err(required),
            _ => {}
        }
    }
    Ok(result)
}
