//! The measures, units and words of the data files, as tries over folded tokens.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use serde::Deserialize;

use super::trie::Trie;
use crate::text::{Text, fold};

const MEASUREMENTS: &str = include_str!("../../data/measurements.toml");
const UNITS: &str = include_str!("../../data/units.toml");

/// Index of a unit in [`Catalog::units`].
pub(super) type UnitId = u16;

/// What a small word does between a name and its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Roles(u16);

impl Roles {
    pub(super) const LINK: Roles = Roles(1);
    pub(super) const FILL: Roles = Roles(2);
    pub(super) const TIME: Roles = Roles(4);
    pub(super) const SIDE: Roles = Roles(8);
    pub(super) const SERIES: Roles = Roles(16);
    pub(super) const STOP: Roles = Roles(32);
    pub(super) const CHANGE: Roles = Roles(64);
    pub(super) const TARGET: Roles = Roles(128);
    pub(super) const BETWEEN: Roles = Roles(256);
    pub(super) const DURATION: Roles = Roles(512);
    pub(super) const MONTH: Roles = Roles(1024);
    pub(super) const COUNTED: Roles = Roles(2048);
    pub(super) const RANK: Roles = Roles(4096);
    pub(super) const GAIN: Roles = Roles(8192);

    pub(super) fn any(self, other: Roles) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn or(self, other: Roles) -> Roles {
        Roles(self.0 | other.0)
    }
}

/// One way to write a measure's name.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Form {
    pub(super) measure: u16,
    pub(super) upper: bool,
    pub(super) strict: bool,
    pub(super) weak: bool,
    pub(super) decimal: bool,
    pub(super) pair: bool,
    pub(super) unit_only: bool,
    pub(super) glued: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum Nature {
    #[default]
    Quantity,
    Score,
    Grade,
    Pressure,
}

/// A unit that a measure takes, and the way to the canonical unit.
pub(super) struct Accept {
    pub(super) unit: UnitId,
    pub(super) loose: Vec<UnitId>,
    pub(super) factor: f64,
    pub(super) offset: f64,
    pub(super) range: [f64; 2],
    pub(super) bare: Option<[f64; 2]>,
    pub(super) decimals: u8,
    pub(super) measure: u16,
}

pub(super) struct Measure {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) loinc: Option<String>,
    pub(super) nature: Nature,
    pub(super) unit: Option<UnitId>,
    pub(super) accepts: Vec<Accept>,
    pub(super) range: [f64; 2],
    pub(super) out_of: Vec<u32>,
    pub(super) decimals: bool,
    pub(super) signed: bool,
    pub(super) roman: bool,
    pub(super) grades: Vec<String>,
    pub(super) skip: Option<UnitId>,
}

pub(super) struct Unit {
    pub(super) code: String,
    pub(super) alone: bool,
    pub(super) capital: bool,
}

#[derive(Default)]
pub(super) struct Catalog {
    pub(super) measures: Vec<Measure>,
    pub(super) units: Vec<Unit>,
    pub(super) names: Trie<Form>,
    pub(super) surfaces: Trie<UnitId>,
    pub(super) comparators: Trie<super::Comparator>,
    pub(super) roles: FxHashMap<Box<str>, Roles>,
    pub(super) known: Known,
}

/// The entries that the code itself speaks of.
#[derive(Default)]
pub(super) struct Known {
    pub(super) pressure: Option<u16>,
    pub(super) systolic: Option<u16>,
    pub(super) diastolic: Option<u16>,
    pub(super) saturation: Option<u16>,
    pub(super) heart_rate: Option<u16>,
    pub(super) temperature: Option<u16>,
    pub(super) weight: Option<u16>,
    pub(super) hemoglobin: Option<u16>,
    pub(super) eye: Option<u16>,
    pub(super) verbal: Option<u16>,
    pub(super) motor: Option<u16>,
    pub(super) mm_hg: UnitId,
    pub(super) cm_hg: UnitId,
    pub(super) percent: UnitId,
    pub(super) celsius: UnitId,
    pub(super) gram: UnitId,
    pub(super) litre: UnitId,
    pub(super) metre: UnitId,
    pub(super) lengths: [UnitId; 3],
}

/// Why the embedded data cannot be read: always ours to mend.
#[derive(Debug, thiserror::Error)]
pub(super) enum CatalogError {
    #[error("embedded data of measurements: {0}")]
    Syntax(#[from] toml::de::Error),
    #[error("embedded data of measurements: `{0}` is named and not defined")]
    Unknown(String),
}

/// The catalogue of the embedded data. A test keeps the data readable, so the empty
/// one is never seen outside a broken build.
pub(super) fn catalog() -> &'static Catalog {
    static CATALOG: LazyLock<Catalog> = LazyLock::new(|| Catalog::read(MEASUREMENTS, UNITS).unwrap_or_default());
    &CATALOG
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitFile {
    ratio: Vec<String>,
    part: Vec<UnitEntry>,
    unit: Vec<UnitEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnitEntry {
    ucum: String,
    forms: Vec<String>,
    #[serde(default = "yes")]
    alone: bool,
    #[serde(default)]
    capital: bool,
}

fn yes() -> bool {
    true
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureFile {
    words: Words,
    comparators: Comparators,
    measure: Vec<MeasureEntry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    link: Vec<String>,
    fill: Vec<String>,
    rank: Vec<String>,
    time: Vec<String>,
    side: Vec<String>,
    series: Vec<String>,
    stop: Vec<String>,
    change: Vec<String>,
    target: Vec<String>,
    gain: Vec<String>,
    between: Vec<String>,
    duration: Vec<String>,
    month: Vec<String>,
    counted: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Comparators {
    less: Vec<String>,
    less_or_equal: Vec<String>,
    greater: Vec<String>,
    greater_or_equal: Vec<String>,
    approximate: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MeasureEntry {
    name: String,
    label: String,
    loinc: Option<String>,
    #[serde(default)]
    kind: Nature,
    unit: Option<String>,
    #[serde(default)]
    units: Vec<AcceptEntry>,
    range: Option<[f64; 2]>,
    #[serde(default)]
    out_of: Vec<u32>,
    #[serde(default)]
    decimals: bool,
    #[serde(default)]
    signed: bool,
    #[serde(default)]
    roman: bool,
    #[serde(default)]
    grades: Vec<String>,
    skip: Option<String>,
    #[serde(default)]
    forms: Vec<String>,
    #[serde(default)]
    upper: Vec<String>,
    #[serde(default)]
    strict: Vec<String>,
    #[serde(default)]
    weak: Vec<String>,
    #[serde(default)]
    upper_weak: Vec<String>,
    #[serde(default)]
    upper_decimal: Vec<String>,
    #[serde(default)]
    upper_strict: Vec<String>,
    #[serde(default)]
    upper_unit_only: Vec<String>,
    #[serde(default)]
    unit_only: Vec<String>,
    #[serde(default)]
    glued: Vec<String>,
    #[serde(default)]
    pair: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptEntry {
    unit: String,
    #[serde(default = "one")]
    factor: f64,
    #[serde(default)]
    offset: f64,
    range: [f64; 2],
    bare: Option<[f64; 2]>,
    #[serde(default)]
    loose: Vec<String>,
    #[serde(default)]
    decimals: u8,
    #[serde(rename = "as")]
    other: Option<String>,
}

fn one() -> f64 {
    1.0
}

/// Folded tokens of a form, hyphens left out where the trie skips them.
fn words(form: &str, hyphens: bool) -> Vec<String> {
    let text = Text::new(form);
    (0..text.tokens.len()).map(|i| text.fold(i)).filter(|w| !hyphens || *w != "-").map(str::to_owned).collect()
}

impl Catalog {
    pub(super) fn read(measurements: &str, units: &str) -> Result<Catalog, CatalogError> {
        let mut catalog = Catalog::default();
        catalog.add_units(toml::from_str(units)?)?;
        let file: MeasureFile = toml::from_str(measurements)?;
        catalog.add_words(&file.words);
        catalog.add_comparators(&file.comparators);
        catalog.add_measures(file.measure)?;
        catalog.known = catalog.find_known()?;
        Ok(catalog)
    }

    fn intern(&mut self, code: &str, alone: bool, capital: bool) -> UnitId {
        if let Some(at) = self.units.iter().position(|u| u.code == code) {
            self.units[at].alone |= alone;
            self.units[at].capital |= capital;
            return at as UnitId;
        }
        self.units.push(Unit { code: code.to_owned(), alone, capital });
        (self.units.len() - 1) as UnitId
    }

    fn add_surface(&mut self, form: &str, unit: UnitId) {
        let words = words(form, false);
        self.surfaces.insert(words.iter().map(String::as_str), unit);
    }

    fn add_units(&mut self, file: UnitFile) -> Result<(), CatalogError> {
        for entry in file.unit.iter().chain(&file.part) {
            let unit = self.intern(&entry.ucum, entry.alone, entry.capital);
            for form in &entry.forms {
                self.add_surface(form, unit);
            }
        }
        for code in &file.ratio {
            let unit = self.intern(code, true, false);
            let mut forms = vec![String::new()];
            for part in code.split('/') {
                let entry = file.part.iter().find(|p| p.ucum == part).ok_or_else(|| CatalogError::Unknown(part.to_owned()))?;
                forms = forms.iter().flat_map(|left| entry.forms.iter().flat_map(move |right| joined(left, right))).collect();
            }
            for form in &forms {
                self.add_surface(form, unit);
            }
        }
        Ok(())
    }

    fn add_words(&mut self, words: &Words) {
        let lists = [
            (&words.link, Roles::LINK),
            (&words.fill, Roles::FILL),
            (&words.rank, Roles::RANK),
            (&words.time, Roles::TIME),
            (&words.side, Roles::SIDE),
            (&words.series, Roles::SERIES),
            (&words.stop, Roles::STOP),
            (&words.change, Roles::CHANGE),
            (&words.target, Roles::TARGET),
            (&words.gain, Roles::GAIN),
            (&words.between, Roles::BETWEEN),
            (&words.duration, Roles::DURATION),
            (&words.month, Roles::MONTH),
            (&words.counted, Roles::COUNTED),
        ];
        for (list, role) in lists {
            for word in list {
                let entry = self.roles.entry(fold(word).into()).or_default();
                *entry = entry.or(role);
            }
        }
    }

    fn add_comparators(&mut self, lists: &Comparators) {
        use super::Comparator::{Approximate, Greater, GreaterOrEqual, Less, LessOrEqual};
        let lists = [
            (&lists.less, Less),
            (&lists.less_or_equal, LessOrEqual),
            (&lists.greater, Greater),
            (&lists.greater_or_equal, GreaterOrEqual),
            (&lists.approximate, Approximate),
        ];
        for (list, comparator) in lists {
            for form in list {
                self.comparators.insert(words(form, false).iter().map(String::as_str), comparator);
            }
        }
    }

    fn unit(&self, code: &str) -> Result<UnitId, CatalogError> {
        self.units.iter().position(|u| u.code == code).map(|at| at as UnitId).ok_or_else(|| CatalogError::Unknown(code.to_owned()))
    }

    fn add_measures(&mut self, entries: Vec<MeasureEntry>) -> Result<(), CatalogError> {
        for bare in ["{INR}", "{ratio}", "[pH]"] {
            self.intern(bare, false, false);
        }
        let names: Vec<String> = entries.iter().map(|e| e.name.clone()).collect();
        let index =
            |name: &str| names.iter().position(|n| n == name).map(|at| at as u16).ok_or_else(|| CatalogError::Unknown(name.to_owned()));
        for entry in entries {
            let measure = self.measures.len() as u16;
            let none = Form { measure, ..Form::default() };
            // Capital forms come first: where both stand at one node, the stricter one is tried first.
            let lists = [
                (&entry.upper, Form { upper: true, ..none }),
                (&entry.upper_weak, Form { upper: true, weak: true, ..none }),
                (&entry.upper_decimal, Form { upper: true, decimal: true, ..none }),
                (&entry.upper_strict, Form { upper: true, strict: true, ..none }),
                (&entry.upper_unit_only, Form { upper: true, unit_only: true, ..none }),
                (&entry.glued, Form { upper: true, glued: true, ..none }),
                (&entry.forms, none),
                (&entry.strict, Form { strict: true, ..none }),
                (&entry.weak, Form { weak: true, ..none }),
                (&entry.unit_only, Form { unit_only: true, ..none }),
                (&entry.pair, Form { pair: true, ..none }),
            ];
            for (list, form) in lists {
                for name in list {
                    self.names.insert(words(name, true).iter().map(String::as_str), form);
                }
            }
            let mut accepts = Vec::with_capacity(entry.units.len());
            for a in &entry.units {
                accepts.push(Accept {
                    unit: self.unit(&a.unit)?,
                    loose: a.loose.iter().map(|u| self.unit(u)).collect::<Result<_, _>>()?,
                    factor: a.factor,
                    offset: a.offset,
                    range: a.range,
                    bare: a.bare,
                    decimals: a.decimals,
                    measure: a.other.as_deref().map_or(Ok(measure), index)?,
                });
            }
            self.measures.push(Measure {
                unit: entry.unit.as_deref().map(|u| self.unit(u)).transpose()?,
                skip: entry.skip.as_deref().map(|u| self.unit(u)).transpose()?,
                name: entry.name,
                label: entry.label,
                loinc: entry.loinc,
                nature: entry.kind,
                accepts,
                range: entry.range.unwrap_or([f64::NEG_INFINITY, f64::INFINITY]),
                out_of: entry.out_of,
                decimals: entry.decimals,
                signed: entry.signed,
                roman: entry.roman,
                grades: entry.grades,
            });
        }
        Ok(())
    }

    fn find_known(&self) -> Result<Known, CatalogError> {
        let measure = |name: &str| {
            let at = self.measures.iter().position(|m| m.name == name);
            at.map(|at| Some(at as u16)).ok_or_else(|| CatalogError::Unknown(name.to_owned()))
        };
        Ok(Known {
            pressure: measure("blood_pressure")?,
            systolic: measure("systolic_blood_pressure")?,
            diastolic: measure("diastolic_blood_pressure")?,
            saturation: measure("oxygen_saturation")?,
            heart_rate: measure("heart_rate")?,
            temperature: measure("body_temperature")?,
            weight: measure("body_weight")?,
            hemoglobin: measure("hemoglobin")?,
            eye: measure("glasgow_eye")?,
            verbal: measure("glasgow_verbal")?,
            motor: measure("glasgow_motor")?,
            mm_hg: self.unit("mm[Hg]")?,
            cm_hg: self.unit("cm[Hg]")?,
            percent: self.unit("%")?,
            celsius: self.unit("Cel")?,
            gram: self.unit("g")?,
            litre: self.unit("L")?,
            metre: self.unit("m")?,
            lengths: [self.unit("mm")?, self.unit("cm")?, self.unit("m")?],
        })
    }

    pub(super) fn role(&self, word: &str) -> Roles {
        self.roles.get(word).copied().unwrap_or_default()
    }
}

/// The two ways to write a quotient; a first part stands as it is.
fn joined(left: &str, right: &str) -> Vec<String> {
    if left.is_empty() { vec![right.to_owned()] } else { vec![format!("{left}/{right}"), format!("{left} par {right}")] }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a failed test says where")]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_data_reads() {
        let catalog = Catalog::read(MEASUREMENTS, UNITS).unwrap();
        assert!(catalog.measures.len() > 90 && catalog.units.len() > 80);
    }

    #[test]
    fn names_are_unique_and_ranges_hold_the_bare_ones() {
        let catalog = catalog();
        let mut names: Vec<_> = catalog.measures.iter().map(|m| m.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), catalog.measures.len());
        for m in &catalog.measures {
            assert!(m.nature != Nature::Quantity || (m.unit.is_some() && !m.accepts.is_empty()), "{}", m.name);
            for a in &m.accepts {
                assert!(a.range[0] < a.range[1], "{}", m.name);
                assert!(a.bare.is_none_or(|b| b[0] < b[1] && a.range[0] <= b[0] && b[1] <= a.range[1]), "{}", m.name);
            }
        }
    }

    #[test]
    fn loinc_codes_carry_their_check_digit() {
        let mut count = 0;
        for code in catalog().measures.iter().filter_map(|m| m.loinc.as_deref()) {
            let (body, check) = code.split_once('-').unwrap();
            let sum: u32 = body
                .bytes()
                .rev()
                .enumerate()
                .map(|(i, b)| u32::from(b - b'0') * if i % 2 == 0 { 2 } else { 1 })
                .map(|d| d / 10 + d % 10)
                .sum();
            assert_eq!((10 - sum % 10) % 10, check.parse::<u32>().unwrap(), "{code}");
            count += 1;
        }
        assert!(count > 35);
    }

    #[test]
    fn a_measure_that_names_an_unknown_unit_is_refused() {
        let broken = MEASUREMENTS.replace("unit = \"mmol/L\"", "unit = \"mmol/furlong\"");
        assert!(matches!(Catalog::read(&broken, UNITS), Err(CatalogError::Unknown(u)) if u == "mmol/furlong"));
    }
}
