//! The tables that say what coded entries mean: `coded_entries.csv`,
//! `coded_units.csv` and `coded_documents.toml`.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::anchor::Moment;

const ENTRIES: &str = include_str!("../../data/coded_entries.csv");
const UNITS: &str = include_str!("../../data/coded_units.csv");
const DOCUMENTS: &str = include_str!("../../data/coded_documents.toml");

/// Where a code stands in an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Code,
    Value,
    /// A coded value, or the code of an entry without value or with true or false.
    Finding,
    Product,
    Site,
    Side,
}

/// What is taken of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Take {
    Number,
    Present,
    Value,
    Start,
    End,
}

/// One line: a code and what it says of a variable.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Line {
    pub variable: &'static str,
    pub system: &'static str,
    /// Without the `*`.
    pub code: &'static str,
    pub begins: bool,
    pub at: Place,
    pub of: Option<(&'static str, &'static str)>,
    pub take: Take,
    pub value: &'static str,
    pub unit: &'static str,
    pub factor: f64,
    pub documents: Vec<&'static str>,
    pub sections: Vec<&'static str>,
    /// All sections but these.
    pub other_sections: bool,
    pub moment: Option<Moment>,
    pub score: f32,
}

impl Line {
    fn read(row: &'static str) -> Option<Line> {
        let fields: Vec<&'static str> = row.split(';').map(str::trim).collect();
        let [variable, system, code, at, of, take, value, unit, factor, documents, sections, moment, score] = fields[..] else {
            return None;
        };
        let list = |text: &'static str| text.split('|').filter(|part| !part.is_empty()).collect::<Vec<_>>();
        Some(Line {
            variable,
            system,
            code: code.trim_end_matches('*'),
            begins: code.ends_with('*'),
            at: match at {
                "code" => Place::Code,
                "value" => Place::Value,
                "finding" => Place::Finding,
                "product" => Place::Product,
                "site" => Place::Site,
                "side" => Place::Side,
                _ => return None,
            },
            of: if of.is_empty() { None } else { Some(of.rsplit_once(' ')?) },
            take: match take {
                "number" => Take::Number,
                "present" => Take::Present,
                "value" => Take::Value,
                "start" => Take::Start,
                "end" => Take::End,
                _ => return None,
            },
            value,
            unit,
            factor: if factor.is_empty() { 1.0 } else { factor.parse().ok()? },
            documents: list(documents),
            sections: list(sections.trim_start_matches('!')),
            other_sections: sections.starts_with('!'),
            moment: if moment.is_empty() { None } else { Some(Moment::from_name(moment)?) },
            score: score.parse().ok()?,
        })
    }

    pub fn is_code(&self, system: &str, code: &str) -> bool {
        self.system == system && if self.begins { code.starts_with(self.code) } else { code == self.code }
    }
}

/// What the templates of a document say of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// They are of this moment.
    Moment(Moment),
    /// Their own time says it.
    Time,
}

/// The tables, read.
pub(super) struct Mapping {
    pub lines: Vec<Line>,
    units: Vec<(&'static str, &'static str, f64)>,
    documents: Vec<(String, Said)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Documents {
    document: Vec<Document>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    template: String,
    #[expect(dead_code, reason = "for who reads the file")]
    name: String,
    moment: String,
}

fn rows(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1)
}

impl Mapping {
    /// `Err` names the first line that cannot be read.
    pub fn read() -> Result<Mapping, String> {
        let lines = rows(ENTRIES).map(|row| Line::read(row).ok_or_else(|| row.to_owned())).collect::<Result<Vec<_>, _>>()?;
        let unit = |row: &'static str| {
            let mut fields = row.split(';');
            Some((fields.next()?, fields.next()?, fields.next()?.parse().ok()?))
        };
        let units = rows(UNITS).map(|row| unit(row).ok_or_else(|| row.to_owned())).collect::<Result<Vec<_>, _>>()?;
        let documents: Documents = toml::from_str(DOCUMENTS).map_err(|e| e.to_string())?;
        let said = |document: Document| match document.moment.as_str() {
            "time" => Ok((document.template, Said::Time)),
            name => Moment::from_name(name).map(|m| (document.template, Said::Moment(m))).ok_or_else(|| name.to_owned()),
        };
        Ok(Mapping { lines, units, documents: documents.document.into_iter().map(said).collect::<Result<_, _>>()? })
    }

    pub fn built_in() -> &'static Mapping {
        static MAPPING: OnceLock<Mapping> = OnceLock::new();
        MAPPING.get_or_init(|| match Mapping::read() {
            Ok(mapping) => mapping,
            Err(line) => unreachable!("a test reads the embedded data: {line}"),
        })
    }

    /// What turns a number in the unit sent into one in the unit wanted; `None` where
    /// they measure different things. What has no dimension needs no unit.
    pub fn factor(&self, wanted: &str, sent: Option<&str>) -> Option<f64> {
        match sent {
            None => (wanted.is_empty() || wanted.starts_with('{')).then_some(1.0),
            Some(sent) if sent == wanted => Some(1.0),
            Some(sent) => self.units.iter().find(|(unit, spelling, _)| *unit == wanted && *spelling == sent).map(|(_, _, factor)| *factor),
        }
    }

    /// What the templates of a document say.
    pub fn said(&self, templates: &[String]) -> Option<Said> {
        self.documents.iter().find(|(template, _)| templates.contains(template)).map(|(_, said)| *said)
    }
}
