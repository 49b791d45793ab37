//! Whether a code has the form of its system: what has not may be anything, a
//! name or a number of somebody included, and goes nowhere.

use super::names::{ATC, ICD10, SNOMED};

/// The code as tables write it; `None` where it has not the form of its system.
pub(crate) fn canonical(system: &str, code: &str) -> Option<String> {
    match system {
        ICD10 => icd10(code),
        ATC => atc(code).then(|| code.to_owned()),
        SNOMED => snomed(code).then(|| code.to_owned()),
        _ => None,
    }
}

/// A letter, two digits, then up to four characters after a dot that may be missing.
fn icd10(code: &str) -> Option<String> {
    if !code.is_ascii() || code.len() < 3 {
        return None;
    }
    let (category, rest) = code.split_at(3);
    let bytes = category.as_bytes();
    if !bytes[0].is_ascii_uppercase() || !bytes[1..].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let rest = rest.strip_prefix('.').unwrap_or(rest);
    let fits = rest.len() <= 4 && rest.bytes().all(|b| b.is_ascii_digit() || b == b'+');
    match rest {
        _ if !fits => None,
        "" => Some(category.to_owned()),
        rest => Some(format!("{category}.{rest}")),
    }
}

/// One of the five levels: `B`, `B01`, `B01A`, `B01AC`, `B01AC04`; the first says nothing.
fn atc(code: &str) -> bool {
    let shape: String = code
        .chars()
        .map(|c| {
            if c.is_ascii_uppercase() {
                'A'
            } else if c.is_ascii_digit() {
                '0'
            } else {
                '?'
            }
        })
        .collect();
    ["A00", "A00A", "A00AA", "A00AA00"].contains(&shape.as_str())
}

/// A concept of the international edition or an extension, with its check digit.
fn snomed(code: &str) -> bool {
    let digits = (6..=18).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_digit()) && !code.starts_with('0');
    digits && matches!(&code[code.len() - 3..code.len() - 1], "00" | "10") && verhoeff(code)
}

fn verhoeff(digits: &str) -> bool {
    const MULTIPLY: [[u8; 10]; 10] = [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
        [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
        [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
        [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
        [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
        [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
        [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
        [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
        [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
        [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
    ];
    const PERMUTE: [u8; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let mut check = 0;
    for (place, digit) in digits.bytes().rev().enumerate() {
        let permuted = (0..place % 8).fold(digit - b'0', |d, _| PERMUTE[usize::from(d)]);
        check = MULTIPLY[usize::from(check)][usize::from(permuted)];
    }
    check == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_the_form_of_their_system() {
        assert_eq!(canonical(ICD10, "I63.9").as_deref(), Some("I63.9"));
        assert_eq!(canonical(ICD10, "I639").as_deref(), Some("I63.9"));
        assert_eq!(canonical(ICD10, "I10").as_deref(), Some("I10"));
        assert_eq!(canonical(ATC, "B01AC04").as_deref(), Some("B01AC04"));
        assert_eq!(canonical(ATC, "B01A").as_deref(), Some("B01A"));
        assert_eq!(canonical(SNOMED, "230690007").as_deref(), Some("230690007"));
        for (system, wrong) in [
            (ICD10, "Inventée"),
            (ICD10, "I6"),
            (ICD10, "I63.INVENTÉE"),
            (ICD10, "I63.99999"),
            (ATC, "B"),
            (ATC, "INVENTE"),
            (ATC, "B01AC041"),
            (SNOMED, "230690008"),
            (SNOMED, "255069912345605"),
            (SNOMED, "12345"),
            ("LOINC", "72089-6"),
        ] {
            assert_eq!(canonical(system, wrong), None, "{system} {wrong}");
        }
    }
}
