//! What a page has around its text: letterhead, addresses, lists of the staff in the
//! margin, page headers, footers and numbers.
//!
//! Place comes first (top, bottom, side), then repetition from page to page, then
//! wording. What only looks like it and stands in the text stays in the text.

use std::collections::HashMap;

use super::{Line, Part, Sheet, Side};

/// Headers and footers stand within so much of the height.
const ZONE: f32 = 0.16;
/// A letterhead stands within so much of the first page.
const LETTERHEAD: f32 = 0.36;

/// What institutions write about themselves. Lower case, without accents.
const HOUSE: &[&str] = &[
    "chu",
    "chru",
    "ch",
    "hopital",
    "hopitaux",
    "hospices",
    "hospitalier",
    "hospitaliere",
    "clinique",
    "polyclinique",
    "service",
    "pole",
    "unite",
    "departement",
    "secretariat",
    "standard",
    "tel",
    "telephone",
    "fax",
    "telecopie",
    "finess",
    "siret",
    "www",
    "cedex",
    "bp",
    "cs",
    "rue",
    "avenue",
    "boulevard",
    "place",
    "chemin",
    "route",
    "impasse",
    "quai",
    "allee",
    "cours",
    "ght",
    "aphp",
    "ap-hp",
    "assistance",
    "publique",
];
/// What stands before or after the names of its people.
const STAFF: &[&str] = &[
    "dr",
    "docteur",
    "pr",
    "professeur",
    "chef",
    "praticien",
    "praticiens",
    "praticienne",
    "cca",
    "interne",
    "internes",
    "cadre",
    "cadres",
    "secretaire",
    "secretariat",
    "secretaires",
    "assistant",
    "assistante",
    "assistants",
    "coordinateur",
    "coordinatrice",
    "infirmiere",
    "infirmier",
    "ide",
    "ipa",
    "psychologue",
    "orthophoniste",
    "kinesitherapeute",
    "neuropsychologue",
    "tel",
    "fax",
    "poste",
    "mail",
    "dect",
    "medecins",
    "attache",
    "attaches",
    "phu",
    "mcu-ph",
    "pu-ph",
    "ph",
    "assistante sociale",
    "dieteticienne",
    "ergotherapeute",
    "rdv",
    "consultations",
    "hospitalisation",
    "responsable",
    "adjoint",
    "adjointe",
];
/// What is said of a patient: a block with these is no letterhead.
const PATIENT: &[&str] = &[
    "patient",
    "patiente",
    "ne",
    "nee",
    "ipp",
    "nda",
    "ddn",
    "naissance",
    "dossier",
    "motif",
    "entree",
    "sortie",
    "age",
    "ans",
    "resident",
    "residente",
];

/// Marks the lines that are no text.
pub(super) fn mark(sheets: &[(u32, Sheet)], pages: &mut [Vec<Part>]) {
    let body = body_size(pages);
    repeated(sheets, pages);
    for (index, ((_, sheet), parts)) in sheets.iter().zip(pages.iter_mut()).enumerate() {
        numbers(sheet, parts);
        staff(sheet, parts);
        footer(sheet, parts, body);
        if index == 0 {
            letterhead(sheet, parts, body);
        }
    }
    // A page of which everything would go was not understood.
    if pages.iter().flatten().flat_map(|p| &p.lines).all(|l| l.is_margin) {
        pages.iter_mut().flatten().flat_map(|p| &mut p.lines).for_each(|l| l.is_margin = false);
    }
}

/// Words of a line, in lower case without accents.
fn words(sheet: &Sheet, line: &Line) -> Vec<String> {
    line.cells.iter().flatten().map(|t| plain(&sheet.tokens[*t].text)).collect()
}

fn plain(text: &str) -> String {
    let folded = text.chars().flat_map(char::to_lowercase).map(|c| match c {
        'à' | 'â' | 'ä' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' | 'ö' => 'o',
        'ù' | 'û' | 'ü' => 'u',
        'ç' => 'c',
        other => other,
    });
    folded.collect::<String>().trim_matches(|c: char| !c.is_alphanumeric()).to_owned()
}

fn is_any(words: &[String], known: &[&str]) -> bool {
    words.iter().any(|w| known.contains(&w.as_str()))
}

/// Five figures of a post code before a name, a telephone number, an address of the net.
fn is_contact(sheet: &Sheet, line: &Line) -> bool {
    let texts: Vec<&str> = line.cells.iter().flatten().map(|t| sheet.tokens[*t].text.as_str()).collect();
    let net = texts.iter().any(|t| t.contains('@') || t.starts_with("www.") || t.ends_with(".fr"));
    let post = texts.windows(2).any(|pair| {
        pair[0].len() == 5 && pair[0].bytes().all(|b| b.is_ascii_digit()) && pair[1].chars().next().is_some_and(char::is_uppercase)
    });
    net || post || has_telephone(&texts)
}

fn has_telephone(texts: &[&str]) -> bool {
    let joined: String = texts.join(" ");
    let digits: Vec<char> = joined.chars().filter(|c| !matches!(c, ' ' | '.' | '-' | '\u{a0}')).collect();
    digits.windows(10).any(|w| w[0] == '0' && w[1] != '0' && w.iter().all(char::is_ascii_digit))
        && texts.windows(5).any(|w| w.iter().all(|t| t.trim_matches(|c: char| !c.is_ascii_digit()).len() == 2))
        || texts.iter().any(|t| {
            let digits = t.chars().filter(char::is_ascii_digit).count();
            digits == 10
                && t.trim_matches(|c: char| !c.is_ascii_digit()).starts_with('0')
                && t.chars().all(|c| c.is_ascii_digit() || ".-/,;".contains(c))
        })
}

/// The size of most letters.
fn body_size(pages: &[Vec<Part>]) -> f32 {
    let mut counts: HashMap<i32, f32> = HashMap::new();
    for line in pages.iter().flatten().flat_map(|p| &p.lines) {
        *counts.entry((line.size * 4.0).round() as i32).or_default() += line.at.width();
    }
    counts.into_iter().max_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0))).map_or(10.0, |(size, _)| size as f32 / 4.0)
}

/// Lines at the top and bottom that stand on several pages in the same place.
fn repeated(sheets: &[(u32, Sheet)], pages: &mut [Vec<Part>]) {
    if pages.len() < 2 {
        return;
    }
    let key = |sheet: &Sheet, line: &Line| -> Option<(String, i32)> {
        let text: String = words(sheet, line).concat().chars().map(|c| if c.is_ascii_digit() { '#' } else { c }).collect();
        (!text.is_empty()).then(|| (text, (line.at.middle() / 6.0).round() as i32))
    };
    let in_zone = |sheet: &Sheet, line: &Line, part: &Part| {
        let middle = line.at.middle() / sheet.height.max(1.0);
        !(ZONE..=1.0 - ZONE).contains(&middle) || matches!(part.side, Side::Left | Side::Right)
    };
    let mut seen: HashMap<(String, i32), Vec<usize>> = HashMap::new();
    for (page, ((_, sheet), parts)) in sheets.iter().zip(pages.iter()).enumerate() {
        for part in parts {
            for line in part.lines.iter().filter(|line| in_zone(sheet, line, part)) {
                if let Some((text, place)) = key(sheet, line) {
                    // The edge of a row of places must not part what is the same.
                    for place in [place, place + 1] {
                        seen.entry((text.clone(), place)).or_default().push(page);
                    }
                }
            }
        }
    }
    let needed = if pages.len() <= 3 { 2 } else { pages.len().div_ceil(3).max(2) };
    for ((_, sheet), parts) in sheets.iter().zip(pages.iter_mut()) {
        for part in parts {
            let at: Vec<usize> = (0..part.lines.len()).filter(|i| in_zone(sheet, &part.lines[*i], part)).collect();
            for index in at {
                let Some((text, place)) = key(sheet, &part.lines[index]) else { continue };
                let on = |place: i32| {
                    seen.get(&(text.clone(), place)).map_or(0, |pages| {
                        let mut pages = pages.clone();
                        pages.dedup();
                        pages.len()
                    })
                };
                if on(place).max(on(place + 1)) >= needed {
                    part.lines[index].is_margin = true;
                }
            }
        }
    }
}

/// `Page 1/3`, `2 sur 4`, `- 3 -` at the edge of a page.
fn numbers(sheet: &Sheet, parts: &mut [Part]) {
    for line in parts.iter_mut().flat_map(|p| &mut p.lines) {
        let middle = line.at.middle() / sheet.height.max(1.0);
        if (ZONE..=1.0 - ZONE).contains(&middle) {
            continue;
        }
        let text = words(sheet, line).join(" ");
        let rest = text.trim_start_matches("page").trim();
        let named = rest.len() < text.len();
        let parts: Vec<&str> = rest.split(['/', ' ']).filter(|p| !matches!(*p, "" | "sur" | "de" | "of" | "-")).collect();
        let figures = !parts.is_empty() && parts.len() <= 2 && parts.iter().all(|p| p.len() <= 3 && p.bytes().all(|b| b.is_ascii_digit()));
        let edge = !(0.08..=0.92).contains(&middle);
        if figures && (named || (parts.len() == 2 && rest.contains(['/', 's', 'd'])) || edge) {
            line.is_margin = true;
        }
    }
}

/// A narrow column of names, functions and numbers beside the text.
fn staff(sheet: &Sheet, parts: &mut [Part]) {
    for side in [Side::Left, Side::Right] {
        let of: Vec<usize> = (0..parts.len()).filter(|p| parts[*p].side == side).collect();
        let lines: Vec<(bool, bool)> = of
            .iter()
            .flat_map(|p| &parts[*p].lines)
            .map(|line| {
                let words = words(sheet, line);
                (is_any(&words, STAFF) || is_any(&words, HOUSE) || is_contact(sheet, line), is_any(&words, PATIENT))
            })
            .collect();
        let cues = lines.iter().filter(|l| l.0).count();
        let patient = lines.iter().filter(|l| l.1).count();
        if lines.len() >= 3 && cues * 10 >= lines.len() * 3 && patient * 5 <= lines.len() {
            of.into_iter()
                .flat_map(|p| std::mem::take(&mut parts[p].lines).into_iter().map(move |l| (p, l)))
                .collect::<Vec<_>>()
                .into_iter()
                .for_each(|(p, mut line)| {
                    line.is_margin = true;
                    parts[p].lines.push(line);
                });
        }
    }
}

/// Small print at the bottom of a page.
fn footer(sheet: &Sheet, parts: &mut [Part], body: f32) {
    let mut above: Option<f32> = None;
    let mut order: Vec<(usize, usize)> =
        parts.iter().enumerate().flat_map(|(p, part)| (0..part.lines.len()).map(move |l| (p, l))).collect();
    order.sort_by(|a, b| parts[b.0].lines[b.1].at.middle().total_cmp(&parts[a.0].lines[a.1].at.middle()));
    let mut is_footer = false;
    for (p, l) in order {
        let line = &parts[p].lines[l];
        let gap = above.map_or(f32::INFINITY, |bottom| bottom - line.at.top);
        let low = line.at.middle() < 0.12 * sheet.height;
        let ruled = sheet.rules.iter().any(|r| {
            r.width() > 0.4 * sheet.width
                && r.middle() < above.unwrap_or(sheet.height) + 1.0
                && r.middle() > line.at.top - 2.0
                && r.height() < 3.0
        });
        let small = line.size < 0.9 * body;
        let words = words(sheet, line);
        let telling = is_any(&words, HOUSE)
            || is_contact(sheet, line)
            || words
                .iter()
                .any(|w| matches!(w.as_str(), "confidentiel" | "imprime" | "edite" | "page" | "medical" | "version" | "document"));
        let last = parts.iter().flat_map(|p| &p.lines).all(|l| l.at.top >= line.at.bottom);
        if last && telling && line.size < 0.85 * body && (ruled || gap > 1.2 * body) && !low {
            parts[p].lines[l].is_margin = true;
        }
        if low && !is_footer {
            is_footer = (gap > 1.5 * body || ruled || small) && telling && (small || ruled || gap > 2.5 * body);
        }
        if low && is_footer {
            parts[p].lines[l].is_margin = true;
        }
        above = Some(parts[p].lines[l].at.bottom);
    }
}

/// The letterhead and the addresses above the first line of the text.
fn letterhead(sheet: &Sheet, parts: &mut [Part], body: f32) {
    let top = parts.iter().flat_map(|p| &p.lines).filter(|l| !l.is_margin).map(|l| l.at.top).fold(f32::NEG_INFINITY, f32::max);
    let main = parts
        .iter()
        .filter(|p| matches!(p.side, Side::Alone | Side::Among))
        .flat_map(|p| &p.lines)
        .filter(|l| !l.is_margin && (l.size - body).abs() < 0.06 * body)
        .map(|l| l.at.left)
        .fold(f32::INFINITY, f32::min);
    let mut is_open = true;
    let count = parts.len();
    for index in 0..count {
        let part = &parts[index];
        let free: Vec<&Line> = part.lines.iter().filter(|l| !l.is_margin).collect();
        if free.is_empty() || part.at.middle() < (1.0 - LETTERHEAD) * sheet.height {
            continue;
        }
        let spoken: Vec<(bool, bool)> = free
            .iter()
            .map(|line| {
                let words = words(sheet, line);
                (is_any(&words, HOUSE) || is_contact(sheet, line) || is_any(&words, STAFF), is_any(&words, PATIENT))
            })
            .collect();
        let cues = spoken.iter().filter(|s| s.0).count();
        let of_patient = spoken.iter().any(|s| s.1);
        let size = free.iter().map(|l| l.size).fold(0.0, f32::max);
        let least = free.iter().map(|l| l.size).fold(f32::INFINITY, f32::min);
        let distinct = size > 1.06 * body || least < 0.94 * body;
        let bottom = part.at.bottom;
        let below =
            parts.iter().flat_map(|p| &p.lines).filter(|l| l.at.top <= bottom + 1.0).map(|l| l.at.top).fold(f32::NEG_INFINITY, f32::max);
        let ruled = sheet.rules.iter().any(|r| r.width() > 0.45 * sheet.width && r.middle() <= bottom + 2.0 && r.middle() >= below - 1.0);
        let left = free.iter().map(|l| l.at.left).fold(f32::INFINITY, f32::min);
        let indented = main.is_finite() && left > main + 0.1 * sheet.width;
        // A column of the text begins with what the text begins with.
        let beside = matches!(part.side, Side::Left | Side::Right) || (part.side == Side::Among && distinct);
        let is_address = left > 0.45 * sheet.width
            && free.len() >= 2
            && free.iter().any(|l| is_contact(sheet, l))
            && free.len() <= 8
            && free.iter().all(|l| l.cells.iter().flatten().count() <= 8);
        let is_head = is_open
            && top - part.at.top < 0.22 * sheet.height
            && !of_patient
            && free.iter().all(|l| l.cells.iter().flatten().count() <= 16)
            && cues * 2 >= free.len()
            && (distinct || ruled || indented || beside)
            && (cues >= 2 || (distinct && ruled) || (distinct && free.len() == 1));
        if is_head || (is_address && !of_patient) {
            parts[index].lines.iter_mut().for_each(|l| l.is_margin = true);
        } else if !beside && !indented {
            is_open = false;
        }
    }
}
