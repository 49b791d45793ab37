//! Document types: LOINC where it is said, seen, or known of table 0270.

use super::message::Value;

const TYPES: &str = include_str!("document_types.csv");

/// A coded type.
pub(super) struct Coded {
    pub loinc: Option<String>,
    pub name: Option<String>,
}

/// Reads a CE or CWE (2.A.12), or a code of table 0270 alone.
pub(super) fn coded(value: Value<'_>) -> Coded {
    let part = |number: usize| value.component(number).words();
    for (code, name, system) in [(1, 2, 3), (4, 5, 6)] {
        let system = part(system).unwrap_or_default();
        let says_so = matches!(system.to_ascii_uppercase().as_str(), "LN" | "LOINC" | "2.16.840.1.113883.6.1");
        if let Some(code) = part(code).filter(|code| says_so || (system.is_empty() && is_loinc(code))) {
            return Coded { loinc: Some(code.into_owned()), name: part(name).map(String::from) };
        }
    }
    let code = part(1).unwrap_or_default();
    let known = TYPES.lines().filter(|l| !l.starts_with('#')).skip(1).find_map(|line| line.strip_prefix(&*code)?.strip_prefix(','));
    let known = known.filter(|_| !code.is_empty()).and_then(|rest| rest.split_once(','));
    let name = part(2).map(String::from).or(known.map(|(_, name)| name.to_owned()));
    Coded { loinc: known.map(|(loinc, _)| loinc.to_owned()), name }
}

/// Whether that has the shape of a LOINC code, check digit (modulus 10) included.
fn is_loinc(code: &str) -> bool {
    let Some((number, check)) = code.split_once('-') else { return false };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(1..=7).contains(&number.len()) || check.len() != 1 || !digits(number) || !digits(check) {
        return false;
    }
    let sum: u32 = number
        .bytes()
        .rev()
        .enumerate()
        .map(|(at, byte)| {
            let digit = u32::from(byte - b'0') * if at % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    u32::from(check.as_bytes()[0] - b'0') == (10 - sum % 10) % 10
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;

    fn read(field: &str) -> (Option<String>, Option<String>) {
        let text = format!("MSH|^~\\&|\rTXA|{field}\r");
        let Ok(message) = Message::parse(&text) else { panic!("not read") };
        let Coded { loinc, name } = coded(message.segments[1].field(1));
        (loinc, name)
    }

    #[test]
    fn types_as_senders_code_them() {
        let some = |loinc: &str, name: &str| (Some(loinc.to_owned()), Some(name.to_owned()));
        assert_eq!(read("18748-4^CR d'imagerie^LN"), some("18748-4", "CR d'imagerie"));
        assert_eq!(read("CRI^Compte rendu^LOCAL^18748-4^CR d'imagerie^LN"), some("18748-4", "CR d'imagerie"));
        assert_eq!(read("11502-2"), (Some("11502-2".into()), None));
        assert_eq!(read("11502-3"), (None, None));
        assert_eq!(read("DS"), some("18842-5", "Discharge summary"));
        assert_eq!(read("DS^Lettre de sortie^HL70270"), some("18842-5", "Lettre de sortie"));
        assert_eq!(read("CRH^Compte rendu"), (None, Some("Compte rendu".into())));
        assert_eq!(read(""), (None, None));
    }

    #[test]
    fn every_code_of_the_table_is_one() {
        let rows: Vec<&str> = TYPES.lines().filter(|l| !l.starts_with('#')).skip(1).collect();
        assert!(rows.len() >= 10);
        for row in rows {
            let fields: Vec<&str> = row.split(',').collect();
            assert!(fields.len() == 3 && is_loinc(fields[1]), "{row}");
        }
        assert!(!is_loinc("-4") && !is_loinc("18748-") && !is_loinc("é-1") && !is_loinc("12345678-1"));
    }
}
