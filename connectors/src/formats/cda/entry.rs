//! Coded entries: what the sender states in codes beside the narrative.

use std::ops::Range;

use chrono_tz::Tz;

use super::code::{self, Code};
use super::narrative::Anchors;
use super::time::{Interval, Moment};
use super::tree::Element;

/// What kind of statement an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    Observation,
    Act,
    Procedure,
    /// A drug given, taken or prescribed (`substanceAdministration`).
    Medication,
    Supply,
    Encounter,
    /// A group: the parts of a score, a battery of results.
    Organizer,
    /// A condition of an act, such as a contraindication that was checked.
    Criterion,
}

/// An entry, or an entry within another one.
#[derive(Debug, Clone, PartialEq)]
pub struct CodedEntry {
    pub kind: EntryKind,
    /// The section it stands in: an index into the sections of the document.
    pub section: usize,
    /// The entry it belongs to: an index into the entries, always a lower one.
    pub parent: Option<usize>,
    /// How it belongs to it: `COMP` (part of), `RSON` (reason), `SUBJ`, `SPRT`, `MFST`, `PRCN`…
    pub relation: Option<String>,
    /// `EVN` for what happened; `INT`, `RQO`, `ARQ`, `PRMS`, `GOL` for what is planned, asked or wished.
    pub mood: Option<String>,
    pub id: Option<String>,
    /// Templates that it claims to follow.
    pub templates: Vec<String>,
    pub code: Option<Code>,
    pub values: Vec<Value>,
    pub interpretations: Vec<Code>,
    /// Where in the body, with the side as qualifier.
    pub sites: Vec<Code>,
    /// The drug given or the substance that somebody is allergic to.
    pub product: Option<Code>,
    pub dose: Option<Value>,
    pub route: Option<Code>,
    pub time: Option<Interval>,
    /// How often: the time from one dose to the next.
    pub period: Option<Value>,
    /// Said not to be so, by itself or by what binds it to its parent.
    pub negated: bool,
    pub status: Option<String>,
    /// The words of the narrative that say the same, in characters of the text.
    pub span: Option<Range<usize>>,
}

/// A value of HL7 version 3.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Coded(Code),
    Quantity { value: f64, unit: Option<String> },
    QuantityInterval { low: Option<f64>, high: Option<f64>, unit: Option<String> },
    Integer(i64),
    Real(f64),
    Boolean(bool),
    Time(Moment),
    TimeInterval(Interval),
    Ratio { numerator: f64, numerator_unit: Option<String>, denominator: f64, denominator_unit: Option<String> },
    Text(String),
}

impl Value {
    /// By its declared type; by what it looks like where none is declared.
    pub(super) fn read(element: &Element, site: Tz) -> Option<Self> {
        let declared = element.attribute("type").map_or("", |t| t.rsplit(':').next().unwrap_or(t));
        let value = element.attribute("value");
        let number = || value.and_then(number);
        let unit = |e: &Element| e.attribute("unit").map(str::to_owned);
        match declared {
            "CD" | "CE" | "CV" | "CO" | "CS" => Code::read(element).map(Value::Coded),
            "PQ" | "MO" => Some(Value::Quantity { value: number()?, unit: unit(element) }),
            "INT" => match value?.trim_start_matches('+').parse() {
                Ok(integer) => Some(Value::Integer(integer)),
                Err(_) => number().map(Value::Real),
            },
            "REAL" => number().map(Value::Real),
            "BL" | "BN" => boolean(value?).map(Value::Boolean),
            "TS" => Moment::parse(value?, site).map(Value::Time),
            "IVL_TS" => Interval::read(element, site).map(Value::TimeInterval),
            "RTO" | "RTO_PQ_PQ" | "RTO_QTY_QTY" => {
                let (above, below) = (element.child("numerator")?, element.child("denominator")?);
                Some(Value::Ratio {
                    numerator: above.attribute("value").and_then(self::number)?,
                    numerator_unit: unit(above),
                    denominator: below.attribute("value").and_then(self::number)?,
                    denominator_unit: unit(below),
                })
            }
            "IVL_PQ" | "IVL_INT" | "IVL_REAL" => quantity_interval(element),
            "ST" | "ED" | "SC" | "ON" | "PN" => element.words().map(Value::Text),
            _ if element.attribute("code").is_some() => Code::read(element).map(Value::Coded),
            _ if element.child("low").is_some() || element.child("high").is_some() => quantity_interval(element),
            _ => match value {
                Some(text) => (text == "true" || text == "false")
                    .then(|| Value::Boolean(text == "true"))
                    .or_else(|| number().map(|value| Value::Quantity { value, unit: unit(element) }))
                    .or_else(|| Some(Value::Text(text.to_owned()))),
                None => match Code::read(element) {
                    Some(code) => Some(Value::Coded(code)),
                    None => element.words().map(Value::Text),
                },
            },
        }
    }
}

fn quantity_interval(element: &Element) -> Option<Value> {
    let bound = |name| element.child(name).and_then(|e| e.attribute("value")).and_then(number);
    let center = element.attribute("value").or_else(|| element.child("center")?.attribute("value")).and_then(number);
    let (low, high) = (bound("low").or(center), bound("high").or(center));
    let unit = ["low", "high", "center"].iter().find_map(|name| element.child(name)?.attribute("unit")).or(element.attribute("unit"));
    (low.is_some() || high.is_some()).then(|| Value::QuantityInterval { low, high, unit: unit.map(str::to_owned) })
}

fn number(text: &str) -> Option<f64> {
    text.replace(',', ".").parse().ok().filter(|n: &f64| n.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// The entries of a section, those within others after them.
pub(super) fn read(section: &Element, index: usize, anchors: &Anchors, site: Tz, out: &mut Vec<CodedEntry>) {
    let mut reader = Reader { section: index, anchors, site, out };
    for entry in section.all("entry") {
        reader.related(entry, None, None);
    }
}

struct Reader<'r> {
    section: usize,
    anchors: &'r Anchors,
    site: Tz,
    out: &'r mut Vec<CodedEntry>,
}

impl Reader<'_> {
    fn related(&mut self, relation: &Element, parent: Option<usize>, named: Option<&str>) {
        let negated = relation.attribute("negationInd") == Some("true");
        let relation_name = relation.attribute("typeCode").or(named);
        for statement in relation.elements() {
            let kind = match statement.name.as_str() {
                "observation" => EntryKind::Observation,
                "act" => EntryKind::Act,
                "procedure" => EntryKind::Procedure,
                "substanceAdministration" => EntryKind::Medication,
                "supply" => EntryKind::Supply,
                "encounter" => EntryKind::Encounter,
                "organizer" => EntryKind::Organizer,
                "criterion" => EntryKind::Criterion,
                _ => continue,
            };
            self.statement(statement, kind, parent, relation_name, negated);
        }
    }

    fn statement(&mut self, element: &Element, kind: EntryKind, parent: Option<usize>, relation: Option<&str>, negated: bool) {
        let codes = |name| element.all(name).filter_map(Code::read).collect::<Vec<_>>();
        let code = element.child("code").and_then(Code::read);
        let values: Vec<Value> = element.all("value").filter_map(|v| Value::read(v, self.site)).collect();
        let product = product(element);
        let words = |code: &Code| code.reference.clone();
        let of_values = || values.iter().filter_map(|v| if let Value::Coded(code) = v { words(code) } else { None });
        let references = element.child("text").and_then(code::reference).into_iter().chain(of_values());
        let references = references.chain(code.as_ref().and_then(words)).chain(product.as_ref().and_then(words));
        let span = references.filter_map(|reference| self.anchors.find(&reference)).next();
        let times: Vec<&Element> = element.all("effectiveTime").collect();
        let index = self.out.len();
        self.out.push(CodedEntry {
            kind,
            section: self.section,
            parent,
            relation: relation.map(str::to_owned),
            mood: element.attribute("moodCode").map(str::to_owned),
            id: element.all("id").find_map(super::header::identifier),
            templates: super::header::templates(element),
            interpretations: codes("interpretationCode"),
            sites: codes("targetSiteCode").into_iter().chain(codes("approachSiteCode")).collect(),
            dose: element.child("doseQuantity").and_then(|dose| Value::read(dose, self.site)),
            route: element.child("routeCode").and_then(Code::read),
            time: times.iter().find_map(|time| Interval::read(time, self.site)),
            period: times.iter().find_map(|time| time.child("period").and_then(|p| Value::read(p, self.site))),
            negated: negated || element.attribute("negationInd") == Some("true"),
            status: element.child("statusCode").and_then(|s| s.attribute("code")).map(str::to_owned),
            code,
            values,
            product,
            span,
        });
        for child in element.elements() {
            match child.name.as_str() {
                "entryRelationship" | "component" => self.related(child, Some(index), (child.name == "component").then_some("COMP")),
                "precondition" => self.related(child, Some(index), Some("PRCN")),
                _ => {}
            }
        }
    }
}

/// The drug of a medication, or the participant that causes an allergy.
fn product(element: &Element) -> Option<Code> {
    let material = |holder| element.path(&[holder, "manufacturedProduct", "manufacturedMaterial"]);
    for material in material("consumable").into_iter().chain(material("product")) {
        let mut code = material.child("code").and_then(Code::read);
        let name = material.child("name").and_then(Element::words);
        if let Some(name) = name {
            let code = code.get_or_insert_default();
            code.display = code.display.take().or(Some(name));
        }
        if code.is_some() {
            return code;
        }
    }
    let consumables = element.all("participant").filter(|p| p.attribute("typeCode") == Some("CSM"));
    consumables.flat_map(|p| p.path(&["participantRole", "playingEntity", "code"])).find_map(Code::read)
}
