//! What identifies by its shape and its surroundings: dates, phones, mails, numbers,
//! addresses, towns, hospitals.
//!
//! The detectors run one after the other over the tokens of a text, the surest
//! shapes first; a token that one has taken is closed to the next ([`reader`]).
//! Lists of words are data: `data/shapes.toml`, `data/towns.csv`, `data/hospitals.csv`.

mod abroad;
mod address;
mod around;
mod birth;
mod contact;
mod date;
mod day;
mod form;
mod gazetteer;
mod hospital;
mod landmark;
mod leftover;
mod letterhead;
mod number;
mod reader;
mod scanned;
mod secret;
mod serial;
mod site;
mod stated;
#[cfg(test)]
mod tests;
mod town;
mod year;

use sillage_clinical::analysis::Analysis;

pub(crate) use gazetteer::ShapeKnowledge;
pub(crate) use letterhead::house_initials;
use reader::Reader;

use crate::Span;
use crate::identity::Identity;
pub(crate) use reader::is_measured;

/// Finds what identifies by its shape, ascending and disjoint.
pub fn shapes(knowledge: &Identity, analysis: &Analysis<'_>) -> Vec<Span> {
    find(&knowledge.shape, analysis)
}

fn find(knowledge: &ShapeKnowledge, analysis: &Analysis<'_>) -> Vec<Span> {
    let mut reader = Reader::new(knowledge, analysis);
    reader.mails();
    reader.links();
    reader.scanned();
    reader.blood_bags();
    reader.named_numbers();
    reader.serials();
    reader.phones();
    reader.carried_extensions();
    reader.addresses();
    reader.coded_numbers();
    reader.dates();
    reader.long_numbers();
    reader.secrets();
    reader.leftovers();
    reader.hospitals();
    reader.houses_around();
    reader.sites();
    reader.zones();
    reader.towns();
    reader.finish()
}
