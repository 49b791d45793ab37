//! The value that the candidates of one variable come to.

use chrono::{NaiveDateTime, NaiveTime, Timelike};

use super::{Candidate, Evidence, Origin, Policy, Prefer, Resolved, Verdict, canonical};
use crate::Value;

/// No finding is surer than this.
pub(crate) const SUREST: f32 = 0.95;
/// What a correction weighs, whatever its document.
const CORRECTION: f32 = 0.95;
/// Each source further from the preferred end of time counts for so much less.
const STEP: f32 = 0.7;
/// Sources below this part of the best one do not count as earlier or later.
const CREDIBLE: f32 = 0.5;
/// Words of correction beside a value that weighs less than that are of another one.
const CORRECTING: f32 = 0.15;
/// And so are those beside one that weighs less than this part of the best.
const TRUSTED: f32 = 0.4;
/// What supports a value less than that is no value.
const LEAST: f32 = 0.1;
/// The same within a document.
const MENTION: f32 = 0.85;
/// Each value further down the order.
const RANK: f32 = 0.85;
/// "No" where others say "yes" later: what has not been found yet.
const ABSENT: f32 = 0.5;
/// A full hour where another source is exact.
const ROUNDED: f32 = 0.6;
/// Sources this close in weight are equally good.
const EQUAL: f32 = 0.9;
/// Words this much lighter than the best ones are about as good.
const NEAR: f32 = 0.8;
/// Words of a document that is asked for may be this much lighter than the best ones.
const SHOWN: f32 = 0.5;
/// Numbers this close are one value.
const TOLERANCE: f64 = 0.005;
/// Times this close are one value.
const SECONDS: i64 = 60;

/// Candidates of one value.
struct Group {
    /// Members with their weights after the policy's preferences, heaviest first.
    members: Vec<(usize, f32)>,
    support: f32,
}

/// Settles on one of the values, and gives every candidate its verdict.
pub(crate) fn choose(variable: &str, policy: &Policy, members: &[usize], candidates: &mut [Candidate<'_>]) -> Option<Resolved> {
    let count = members.len() as u32;
    let mut open: Vec<usize> = members.iter().copied().filter(|&at| candidates[at].weight > 0.0).collect();
    correct(&mut open, candidates);
    let preferred = preferences(policy, &open, candidates);
    let groups = groups(policy, preferred, candidates);
    let winner = groups.first().filter(|g| g.support >= LEAST)?;
    let doubted = groups.len() > 1 || members.iter().any(|&at| candidates[at].verdict == Verdict::Corrected);
    let chosen = evidence(policy, winner, doubted, candidates)?;
    for &(at, _) in &winner.members {
        candidates[at].verdict = Verdict::Agrees;
    }
    candidates[chosen].verdict = Verdict::Chosen;
    let good = winner.members.iter().map(|(at, _)| candidates[*at].weight).fold(0.0, f32::max);
    let own: Vec<(usize, bool)> = winner.members.iter().map(|(at, _)| source(&candidates[*at])).collect();
    let corrected = candidates[chosen].context.corrects;
    let conflict = !corrected
        && groups[1..].iter().flat_map(|g| &g.members).any(|(at, _)| {
            let other = &candidates[*at];
            // What was not found yet is no disagreement.
            let earlier = policy.prefer == Prefer::True && other.order < candidates[chosen].order;
            // The words of a document and its codes tell of one moment: any doubt between them is to be seen.
            let (document, coded) = source(other);
            let enough = if own.contains(&(document, !coded)) { CREDIBLE } else { EQUAL };
            !earlier
                && !rounds(&other.value, &candidates[chosen].value)
                && other.weight >= enough * good
                && !own.contains(&(document, coded))
        });
    let doubt = groups.get(1).map_or(0.0, |g| g.support);
    let mut found = resolved(variable, &candidates[chosen], &candidates[chosen].finding.method);
    found.score = winner.support * (1.0 - doubt / 2.0);
    found.candidates = count;
    found.conflict = conflict;
    Some(found)
}

/// The document of a candidate, and whether its codes say it or its words.
fn source(candidate: &Candidate<'_>) -> (usize, bool) {
    (candidate.document, candidate.finding.is_coded())
}

/// The candidate whose words stand for the value: that of the documents the policy
/// asks for, else the heaviest. Of what one document finds and the others repeat, the
/// first that is about as good. Where values differ, words that correct go first.
fn evidence(policy: &Policy, winner: &Group, doubted: bool, candidates: &[Candidate<'_>]) -> Option<usize> {
    let (heaviest, most) = *winner.members.first()?;
    if doubted && candidates[heaviest].context.corrects {
        return Some(heaviest);
    }
    let absent = match &candidates[heaviest].value {
        Value::Boolean(there) => !there,
        Value::Category(name) => name == "none",
        _ => false,
    };
    // "Rankin à 3 mois : 0" rather than "aucun symptôme".
    let in_words = |at: usize| candidates[at].finding.method.contains(":phrase");
    let written = |at: usize| matches!(candidates[at].value, Value::Number(_)) && !in_words(at);
    if in_words(heaviest)
        && let Some((at, _)) = winner.members.iter().find(|(at, weight)| written(*at) && *weight >= SHOWN * most)
    {
        return Some(*at);
    }
    let kinds = if absent { &policy.evidence_absent } else { &policy.evidence };
    let asked = winner.members.iter().enumerate().filter(|(_, (_, weight))| *weight >= SHOWN * most);
    let asked = asked.filter_map(|(place, (at, _))| Some((kinds.iter().position(|k| *k == candidates[*at].kind)?, place, *at)));
    if let Some((.., at)) = asked.min() {
        return Some(at);
    }
    if policy.prefer != Prefer::True {
        return Some(heaviest);
    }
    let good = winner.members.iter().filter(|(_, weight)| *weight >= NEAR * most).map(|(at, _)| *at);
    good.min_by_key(|&at| (candidates[at].order, candidates[at].finding.start))
}

/// A value as its candidate states it.
pub(crate) fn resolved(variable: &str, candidate: &Candidate<'_>, method: &str) -> Resolved {
    let finding = candidate.finding;
    Resolved {
        variable: variable.to_owned(),
        value: candidate.value.clone(),
        evidence: Some(Evidence { document: candidate.document, start: finding.start, end: finding.end }),
        section: finding.section.as_deref().map(str::to_owned),
        anchor: Some(finding.anchor),
        event_time: finding.event_time,
        score: finding.score,
        candidates: 1,
        conflict: false,
        origin: if method.starts_with("entailed:") { Origin::Entailed } else { Origin::Stated },
        inputs: Vec::new(),
        method: method.to_owned(),
    }
}

/// The last correction stands; what differs from it and is not later goes.
fn correct(open: &mut Vec<usize>, candidates: &mut [Candidate<'_>]) {
    let best = open.iter().map(|&at| candidates[at].weight).fold(0.0, f32::max);
    let corrects = |at: usize, candidates: &[Candidate<'_>]| {
        let candidate = &candidates[at];
        candidate.weight >= CORRECTING.max(TRUSTED * best) && candidate.context.corrects || candidate.finding.method.contains("+corrects")
    };
    let Some(last) =
        open.iter().copied().filter(|&at| corrects(at, candidates)).max_by_key(|&at| (candidates[at].order, candidates[at].finding.start))
    else {
        return;
    };
    let (value, order) = (candidates[last].value.clone(), candidates[last].order);
    open.retain(|&at| {
        let kept = same(&candidates[at].value, &value) || candidates[at].order > order;
        if !kept {
            candidates[at].verdict = Verdict::Corrected;
        }
        kept
    });
    // "Nous retenons une cause athéromateuse (sténose basilaire)": of the words of one correction the surest.
    let said = open.iter().copied().filter(|&at| corrects(at, candidates) && candidates[at].order == order);
    let said = said.filter(|&at| same(&candidates[at].value, &value));
    let shown = said.max_by(|&a, &b| candidates[a].weight.total_cmp(&candidates[b].weight).then(b.cmp(&a))).unwrap_or(last);
    candidates[shown].weight = candidates[shown].weight.max(CORRECTION);
    candidates[shown].context.corrects = true;
}

/// Weights after the policy's preferences, heaviest first.
fn preferences(policy: &Policy, open: &[usize], candidates: &[Candidate<'_>]) -> Vec<(usize, f32)> {
    let sources = |at: usize| -> (Option<NaiveDateTime>, usize) {
        let candidate = &candidates[at];
        match candidate.value {
            Value::DateTime(time) => (Some(time), 0),
            _ => (None, candidate.order),
        }
    };
    // What looks back tells of the same moment as the first: it is no later source.
    let looks_back = |at: usize| policy.prefer == Prefer::First && candidates[at].kind.tells_of_the_stay();
    let best = open.iter().map(|&at| candidates[at].weight).fold(0.0, f32::max);
    let credible = |at: usize| candidates[at].weight >= CREDIBLE * best;
    let mut times: Vec<_> = open.iter().filter(|&&at| credible(at) && !looks_back(at)).map(|&at| sources(at)).collect();
    times.sort_unstable();
    times.dedup();
    let mut weighed: Vec<(usize, f32)> = open
        .iter()
        .map(|&at| {
            let candidate = &candidates[at];
            let place = if looks_back(at) { 0 } else { times.partition_point(|t| *t < sources(at)) };
            let twins = open.iter().filter(|&&o| candidates[o].document == candidate.document && o != at);
            // Words of the moment behind ("à l'arrivée") are not put back by values without any before them.
            let surer = |o: usize| candidates[o].weight >= candidate.weight;
            let before = twins.clone().filter(|&&o| candidates[o].finding.start < candidate.finding.start && surer(o)).count();
            let after = twins.filter(|&&o| candidates[o].finding.start > candidate.finding.start).count();
            let corrects = candidate.context.corrects;
            let time = match policy.prefer {
                _ if corrects => 1.0,
                Prefer::First => STEP.powi(place.min(6) as i32) * MENTION.powi(before.min(6) as i32),
                Prefer::Last => STEP.powi(times.len().saturating_sub(1 + place).min(6) as i32) * MENTION.powi(after.min(6) as i32),
                Prefer::True if candidate.value == Value::Boolean(false) => ABSENT,
                Prefer::Best | Prefer::True => 1.0,
            };
            let rounded = open.iter().any(|&o| rounds(&candidate.value, &candidates[o].value));
            let time = if rounded { time * ROUNDED } else { time };
            let rank = if policy.order.is_empty() {
                0
            } else {
                let name = canonical(&candidate.value);
                policy.order.iter().position(|v| *v == name).unwrap_or(policy.order.len())
            };
            (at, candidate.weight * time * RANK.powi(rank as i32))
        })
        .collect();
    // Candidates stand in the order of their content: it decides between equals.
    weighed.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    weighed
}

/// Candidates by value, the best supported first.
fn groups(policy: &Policy, weighed: Vec<(usize, f32)>, candidates: &[Candidate<'_>]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (at, weight) in weighed {
        let value = &candidates[at].value;
        let home = groups.iter().position(|g| g.members.first().is_some_and(|(first, _)| same(&candidates[*first].value, value)));
        match home {
            Some(home) => groups[home].members.push((at, weight)),
            None => groups.push(Group { members: vec![(at, weight)], support: 0.0 }),
        }
    }
    for group in &mut groups {
        let absent =
            policy.prefer == Prefer::True && group.members.first().is_some_and(|(at, _)| candidates[*at].value == Value::Boolean(false));
        let mut doubt = 1.0;
        let mut seen: Vec<(usize, Option<u64>)> = Vec::new();
        for &(at, weight) in &group.members {
            let (document, sentence) = (candidates[at].document, candidates[at].context.sentence);
            // One witness a document, and none that only repeats another.
            if seen.iter().any(|(d, s)| *d == document || sentence.is_some() && *s == sentence) {
                continue;
            }
            seen.push((document, sentence));
            doubt *= 1.0 - weight;
            if absent {
                break;
            }
        }
        group.support = 1.0 - doubt;
    }
    groups
        .sort_by(|a, b| b.support.total_cmp(&a.support).then_with(|| a.members.first().map(|m| m.0).cmp(&b.members.first().map(|m| m.0))));
    groups
}

/// Whether a time is a full hour, or no hour at all, where the other is exact.
fn rounds(time: &Value, other: &Value) -> bool {
    let (Value::DateTime(time), Value::DateTime(other)) = (time, other) else { return false };
    if time.minute() != 0 || other.minute() == 0 {
        return false;
    }
    let dated = time.time() == NaiveTime::MIN && time.date() == other.date();
    dated || (*time - *other).num_minutes().abs() <= 30 || time.date() == other.date() && time.hour() == other.hour()
}

/// Whether two values are one.
pub(crate) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => (a - b).abs() <= TOLERANCE * a.abs().max(b.abs()),
        (Value::DateTime(a), Value::DateTime(b)) => (*a - *b).num_seconds().abs() <= SECONDS,
        _ => a == b,
    }
}
