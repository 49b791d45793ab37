//! The texts of a day: what a document says in each of its editions.

use sha2::{Digest, Sha256};

use super::Day;
use crate::hospital::case::Case;
use crate::hospital::documents::{self, Document};
use crate::hospital::layout::Layout;
use crate::hospital::random::Random;

/// What a newer edition adds, so that its findings differ from those of the others.
const ADDENDA: &[&str] = &[
    "Diabète de type 2 connu, omis dans la première version.",
    "Pas de fibrillation atriale à la relecture du Holter.",
    "Allergie à la pénicilline rapportée par la famille.",
    "Insuffisance rénale chronique modérée.",
    "Antécédent de migraine avec aura.",
    "Pas d'hypertension artérielle dans les antécédents.",
    "Tabagisme sevré depuis dix ans.",
    "Embolie pulmonaire en 2011.",
];

/// A document of the day.
pub(super) struct Page {
    /// Whose stay it tells of.
    pub case: usize,
    pub document: Document,
    pub id: String,
    /// The document whose place it takes.
    pub replaces: Option<usize>,
    /// Whether the hospital sends it as a result (ORU) and not as a document (MDM).
    pub is_result: bool,
    /// Whether it belongs to the stay.
    pub in_stay: bool,
}

impl Page {
    pub fn new(case: &Case, index: usize, document: Document, random: &mut Random) -> Page {
        let in_stay = document.kind != documents::DocumentKind::Visit;
        let id = format!("CR26-{index:05}-{}", document.number);
        Page { case: case.index, document, id, replaces: None, is_result: random.chance(35), in_stay }
    }
}

impl Day {
    /// The text of an edition, from 0: no carriage returns, nothing blank at its end.
    pub fn text(&self, page: usize, edition: usize) -> String {
        let Some((page, case)) = self.pages.get(page).and_then(|page| Some((page, self.cases.get(page.case)?))) else {
            return String::new();
        };
        let mut random = Random::new(self.plan.seed ^ 0x7E87, (page.case as u64) << 8 | (page.document.number as u64 + 2));
        let raw = documents::write(case, &page.document, &mut random);
        let mut text = Layout::draw(&mut random).plain(&raw, &mut random).replace("\r\n", "\n");
        if edition > 0 || page.replaces.is_some() {
            let addendum = ADDENDA[(page.document.number * 3 + edition) % ADDENDA.len()];
            text = format!("{}\n\nAdditif {} : {addendum}", text.trim_end(), edition + 1);
        }
        text.truncate(text.trim_end().len());
        text
    }
}

/// SHA-256 of a text in hexadecimal.
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
