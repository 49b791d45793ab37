//! Persons: the patient of PID as a record, and everyone else who is named.
//!
//! | segment | read |
//! | --- | --- |
//! | PID (3.4.2) | 2, 3, 4, 18, 19, 20 identifiers; 5, 9 names; 6 mother; 7 birth; 8 sex; 11 addresses; 13, 14, 40 phones |
//! | NK1 (3.4.5) | 2, 30 names; 5, 6, 31, 40, 41 phones |
//! | PD1 (3.4.10) | 4 the patient's doctor |
//! | ROL (15.4.7) | 4 who has a part |
//! | PV1 (3.4.3) | 7 attending, 8 referring, 9 consulting, 17 admitting, 52 other doctors |
//! | PRT (7.4.4, from 2.7 and the French profile) | 5 who has a part |

use sillage_schemas::record::{self, PatientRecord};

use super::identifier::{Class, class, token};
use super::message::{Segment, Value};
use super::time;

/// More names or numbers of one kind than any person has.
const MAX_ITEMS: usize = 100;

/// Adds what is not there yet, as long as there is room.
pub(super) fn add(list: &mut Vec<String>, value: &str) {
    if list.len() < MAX_ITEMS {
        record::add(list, value);
    }
}

/// A name of XCN, XPN, PPN or CNN as it is spoken: given names, then family name.
fn spoken(family: Value<'_>, given: Value<'_>, further: Value<'_>) -> Option<String> {
    let parts = [given.words(), further.words(), family.subcomponent(1).words()];
    let name = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    (!name.is_empty()).then_some(name)
}

/// The name of an XCN (2.A.86) or PPN: id, family, given, further names.
pub(super) fn professional(xcn: Value<'_>) -> Option<String> {
    spoken(xcn.component(2), xcn.component(3), xcn.component(4))
}

/// The name of an NDL (2.A.47): a CNN in its first component, or an XCN where
/// a sender took it for one.
pub(super) fn interpreter(ndl: Value<'_>) -> Option<String> {
    let name = ndl.component(1);
    spoken(name.subcomponent(2), name.subcomponent(3), name.subcomponent(4)).or_else(|| professional(ndl))
}

/// The name of an XPN (2.A.88).
fn relative(xpn: Value<'_>) -> Option<String> {
    spoken(xpn.component(1), xpn.component(2), xpn.component(3))
}

/// Whether a PRT is about the patient, who is a recipient now and then.
pub(super) fn is_patient(xcn: Value<'_>, pid: Option<&Segment<'_>>) -> bool {
    let kind = xcn.component(13).words().unwrap_or_default().to_ascii_uppercase();
    let number = xcn.component(1).words();
    let numbers = || pid.into_iter().flat_map(|pid| pid.field(3).repetitions()).filter_map(|cx| cx.component(1).words());
    kind.starts_with("INS") || kind == "NIR" || number.is_some_and(|number| numbers().any(|own| own == number))
}

/// What a PID and the segments after it say of the person.
pub(super) fn record(pid: &Segment<'_>, segments: &[Segment<'_>]) -> PatientRecord {
    let mut record = PatientRecord {
        birth_date: pid.words(7).and_then(|text| time::day(&text)),
        female: match pid.code(8).as_str() {
            "F" => Some(true),
            "M" => Some(false),
            _ => None,
        },
        ..PatientRecord::default()
    };
    // Legal name, name at birth, name in use: all of them are the person's.
    for name in pid.field(5).repetitions().chain(pid.field(9).repetitions()) {
        let family = name.component(1);
        // Of an FN (2.A.30) the whole, its own part and the partner's.
        for part in [1, 3, 5] {
            add(&mut record.families, &family.subcomponent(part).words().unwrap_or_default());
        }
        add(&mut record.givens, &name.component(2).words().unwrap_or_default());
        for given in name.component(3).words().unwrap_or_default().split([' ', ',']) {
            add(&mut record.givens, given);
        }
    }
    for address in pid.field(11).repetitions() {
        for part in [1, 2, 3] {
            let line = address.component(1).subcomponent(part).words();
            add(&mut record.lines, &line.unwrap_or_default());
        }
        add(&mut record.lines, &address.component(2).words().unwrap_or_default());
        add(&mut record.cities, &address.component(3).words().unwrap_or_default());
        add(&mut record.postal_codes, &address.component(5).words().unwrap_or_default());
    }
    for field in [13, 14, 40] {
        telecom(&mut record, pid.field(field));
    }
    for mother in pid.field(6).repetitions() {
        add(&mut record.others, &relative(mother).unwrap_or_default());
    }
    for field in [3, 2, 4, 18] {
        for cx in pid.field(field).repetitions() {
            let label = match class(cx) {
                Class::National => "SECU",
                Class::Stay => "NDA",
                _ if field == 18 => "NDA",
                Class::Internal | Class::Record => "IPP",
                Class::Other => "ID",
            };
            identify(&mut record, label, cx);
        }
    }
    identify(&mut record, "SECU", pid.field(19).first());
    identify(&mut record, "ID", pid.field(20).first());
    others(&mut record, pid, segments);
    record
}

/// Those around the patient, and the numbers of the stay.
fn others(record: &mut PatientRecord, pid: &Segment<'_>, segments: &[Segment<'_>]) {
    for segment in segments {
        let mut named = |fields: &[usize], name: fn(Value<'_>) -> Option<String>| {
            for value in fields.iter().flat_map(|field| segment.field(*field).repetitions()) {
                add(&mut record.others, &name(value).unwrap_or_default());
            }
        };
        match segment.name {
            "NK1" => {
                named(&[2, 30], relative);
                for field in [5, 6, 31, 40, 41] {
                    telecom(record, segment.field(field));
                }
            }
            "PD1" => named(&[4], professional),
            "ROL" => named(&[4], professional),
            "PV1" => {
                named(&[7, 8, 9, 17, 52], professional);
                for cx in [19, 50, 5].into_iter().flat_map(|field| segment.field(field).repetitions()) {
                    identify(record, "NDA", cx);
                }
            }
            "PRT" => {
                for person in segment.field(5).repetitions().filter(|person| !is_patient(*person, Some(pid))) {
                    add(&mut record.others, &professional(person).unwrap_or_default());
                }
            }
            _ => {}
        }
    }
}

fn identify(record: &mut PatientRecord, label: &str, cx: Value<'_>) {
    let Some(value) = cx.component(1).words() else { return };
    let pair = (label.to_owned(), value.into_owned());
    if record.identifiers.len() < MAX_ITEMS && !record.identifiers.contains(&pair) {
        record.identifiers.push(pair);
    }
}

/// Phones and addresses of an XTN (2.A.89), whichever of its ways a sender took.
fn telecom(record: &mut PatientRecord, field: Value<'_>) {
    for xtn in field.repetitions() {
        let words = |component| xtn.component(component).words().unwrap_or_default();
        let parts = [5, 6, 7].map(words).join(" ");
        for value in [words(1), words(4), parts.into(), words(12)] {
            add(if value.contains('@') { &mut record.mails } else { &mut record.phones }, &value);
        }
    }
}

/// Every identifier of the person, as `authority|value`.
pub(super) fn tokens(pid: &Segment<'_>) -> Vec<String> {
    let mut tokens = Vec::new();
    let lists = [3, 2, 4].into_iter().flat_map(|field| pid.field(field).repetitions());
    for found in lists.chain([pid.field(19).first()]).filter_map(token) {
        add(&mut tokens, &found);
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;

    const MESSAGE: &str = "MSH|^~\\&|\r\
PID|1|X9|255069912345605^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS~123^^^HOP&1.2.3&ISO^PI|A4|FICTIVE^Léa^Anne,Rose^^^^L~EXEMPLE&&EXEMPLE&&MODÈLE^Léa^^^^^D|INVENTÉE^Paule|195506010830|F|FIFI^|\
|2 allée des Essais^Bât. 3^Ville-Test^^99999^FRA^H~^^Naissance-sur-Test^^^^BDL^^99001||0199000001^PRN^PH~^NET^Internet^lea@example.org|^WPN^PH^^33^1^99000002||||ACC1^^^HOP^AN|199|\"\"\r\
PD1||||D1^MODÈLE^Jean\r\
NK1|1|EXEMPLE^Paul|SPO||0639980001\r\
PV1|1|I|||||D2^ESSAI^Marc||||||||||||V7^^^HOP^VN\r\
PRT||UC||RCT|277^FICTIVE^LÉA^^^^^^^^^^INS~D3^PREUVE^Ida|\r\
ROL|1|AD|PP|D4^ROLE^Guy\r";

    #[test]
    fn a_pid_becomes_a_record() {
        let Ok(message) = Message::parse(MESSAGE) else { panic!("not read") };
        let Some(pid) = message.segment("PID") else { panic!("no PID") };
        let record = record(&pid, &message.segments);
        assert_eq!(record.families, ["FICTIVE", "EXEMPLE", "MODÈLE", "FIFI"]);
        assert_eq!(record.givens, ["Léa", "Anne", "Rose"]);
        assert_eq!((record.female, record.birth_date.as_deref()), (Some(true), Some("1955-06-01")));
        assert_eq!(record.lines, ["2 allée des Essais", "Bât. 3"]);
        assert_eq!(record.cities, ["Ville-Test", "Naissance-sur-Test"]);
        assert_eq!(record.postal_codes, ["99999"]);
        assert_eq!(record.phones, ["0199000001", "33 1 99000002", "0639980001"]);
        assert_eq!(record.mails, ["lea@example.org"]);
        let identifiers: Vec<String> = record.identifiers.iter().map(|(label, value)| format!("{label} {value}")).collect();
        assert_eq!(identifiers, ["SECU 255069912345605", "IPP 123", "IPP X9", "IPP A4", "NDA ACC1", "SECU 199", "NDA V7"]);
        assert_eq!(record.others, ["Paule INVENTÉE", "Jean MODÈLE", "Paul EXEMPLE", "Marc ESSAI", "Ida PREUVE", "Guy ROLE"]);
        assert_eq!(tokens(&pid), ["urn:oid:1.2.250.1.213.1.4.8|255069912345605", "urn:oid:1.2.3|123", "X9", "A4", "199"]);
    }

    #[test]
    fn interpreters_are_written_in_two_ways() {
        let text = "MSH|^~\\&|\rOBR|L07&LABBIO&JULIE|7^BLEUE^Eva|\r";
        let Ok(message) = Message::parse(text) else { panic!("not read") };
        let obr = message.segments[1];
        assert_eq!(interpreter(obr.field(1)).as_deref(), Some("JULIE LABBIO"));
        assert_eq!(interpreter(obr.field(2)).as_deref(), Some("Eva BLEUE"));
    }
}
