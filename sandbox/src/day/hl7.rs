//! The day in HL7 v2: ADT for people and stays, MDM and ORU for documents, each
//! written the way one of many systems would.

use chrono::NaiveDateTime;

use super::{Act, Day, Event, What};
use crate::hospital::person::Doctor;
use crate::hospital::random::Random;

/// Character sets, as MSH-18 calls them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Charset {
    Utf8,
    Latin1,
    Latin9,
}

impl Charset {
    fn label(self) -> &'static str {
        match self {
            Charset::Utf8 => "UNICODE UTF-8",
            Charset::Latin1 => "8859/1",
            Charset::Latin9 => "8859/15",
        }
    }

    /// `None`: the set lacks a character.
    fn encode(self, text: &str) -> Option<Vec<u8>> {
        if self == Charset::Utf8 {
            return Some(text.as_bytes().to_vec());
        }
        text.chars().map(|c| self.byte(c)).collect()
    }

    fn byte(self, c: char) -> Option<u8> {
        let latin9 = [('€', 0xA4), ('Š', 0xA6), ('š', 0xA8), ('Ž', 0xB4), ('ž', 0xB8), ('Œ', 0xBC), ('œ', 0xBD), ('Ÿ', 0xBE)];
        if self == Charset::Latin9 {
            if let Some((_, byte)) = latin9.iter().find(|(own, _)| *own == c) {
                return Some(*byte);
            }
            if latin9.iter().any(|(_, byte)| u32::from(*byte) == u32::from(c)) {
                return None;
            }
        }
        u8::try_from(u32::from(c)).ok().filter(|byte| !(0x80..0xA0).contains(byte))
    }
}

/// A message being written.
struct Message<'d> {
    day: &'d Day,
    event: &'d Event,
    index: usize,
    charset: Charset,
    random: Random,
    text: String,
}

impl Day {
    /// What MSH-10 of an event's message is.
    pub fn control_id(&self, event: usize) -> String {
        format!("J{}-{event}", self.plan.seed % 1_000_000_000)
    }

    /// The message of an event: the same to the byte whenever it is sent.
    pub fn message(&self, event: usize) -> Vec<u8> {
        let Some(told) = self.events.get(event) else { return Vec::new() };
        let charset = self.random(0x417, event).weighted((70, Charset::Utf8), &[(18, Charset::Latin1), (12, Charset::Latin9)]);
        let written = self.written(told, event, charset).or_else(|| self.written(told, event, Charset::Utf8));
        written.unwrap_or_default()
    }

    fn written(&self, event: &Event, index: usize, charset: Charset) -> Option<Vec<u8>> {
        let random = self.random(0x418, index);
        let mut message = Message { day: self, event, index, charset, random, text: String::new() };
        message.write();
        charset.encode(&message.text)
    }
}

impl Message<'_> {
    fn write(&mut self) {
        match self.event.what {
            What::Admission { stay, patient } => {
                let trigger = if self.random.chance(70) { "A01" } else { "A04" };
                self.administration(trigger, patient, 0, Some(stay));
            }
            What::Discharge { stay, patient } => self.administration("A03", patient, 0, Some(stay)),
            What::Update { patient } => {
                let trigger = if self.random.chance(50) { "A08" } else { "A31" };
                self.administration(trigger, patient, 0, None);
            }
            What::Merge { from, into } => {
                self.header("ADT", "A40", "ADT_A39");
                self.patient(into, 1);
                self.segment(&["MRG", &identifier(self.day.patient_id(from))]);
            }
            What::Unmerge { from, into } => {
                self.header("ADT", "A37", "ADT_A37");
                self.patient(from, 0);
                self.patient(into, 1);
            }
            What::Move { stay, from, to } => {
                self.header("ADT", "A45", "ADT_A45");
                self.patient(to, 1);
                let visit = visit_number(&self.day.stay_id(stay));
                self.segment(&["MRG", &identifier(self.day.patient_id(from)), "", "", "", &visit]);
                self.visit(Some(stay));
            }
            What::Document { page, edition, act, patient } => self.document(page, patient, Some((edition, act))),
            What::Withdrawal { page, patient } => self.document(page, patient, None),
            What::Pointer { patient } => {
                self.header("MDM", "T02", "MDM_T02");
                self.patient(patient, 0);
                self.visit(None);
                let id = format!("PT26-{}", self.index);
                self.segment(&["TXA", "1", "11506-3", "AP", "", "", "", "", "", "", "", "", &id, "", "", "", "", "LA"]);
                let address = "\\\\serveur-fictif\\S\\ged^^application^pdf";
                self.segment(&["OBX", "1", "RP", "11506-3^Progress note^LN", "", address, "", "", "", "", "", "F"]);
            }
        }
    }

    fn administration(&mut self, trigger: &str, patient: usize, which: usize, stay: Option<usize>) {
        self.header("ADT", trigger, if trigger == "A03" { "ADT_A03" } else { "ADT_A01" });
        self.patient(patient, which);
        let Some(case) = self.day.cases.get(patient) else { return };
        let person = &case.person;
        self.segment(&["PD1", "", "", "", &professional(&person.doctor)]);
        let relative = [escaped(&person.family.to_uppercase()), "^".to_owned(), escaped(&person.relative)].concat();
        self.segment(&["NK1", "1", &relative, "SPO"]);
        self.visit(stay);
    }

    fn header(&mut self, kind: &str, trigger: &str, structure: &str) {
        let version = self.random.weighted((40, "2.5"), &[(20, "2.6"), (15, "2.4"), (10, "2.5.1"), (10, "2.3.1"), (5, "2.3")]);
        let name = if version == "2.3" { format!("{kind}^{trigger}") } else { format!("{kind}^{trigger}^{structure}") };
        // Some want to know only that it is stored.
        let (accept, application) = if self.random.chance(15) { ("AL", "NE") } else { ("", "") };
        let (at, id, label) = (self.now(), self.day.control_id(self.index), self.charset.label());
        self.segment(&[
            "MSH",
            "^~\\&",
            "SIH",
            "HOPITAL-FICTIF",
            "SILLAGE",
            "RECHERCHE",
            &at,
            "",
            &name,
            &id,
            "P",
            version,
            "",
            "",
            accept,
            application,
            "FRA",
            label,
        ]);
        if kind != "ORU" {
            self.segment(&["EVN", trigger, &at]);
        }
    }

    /// When it happened, the zone with it.
    fn now(&self) -> String {
        format!("{}+0100", self.event.at.format("%Y%m%d%H%M%S"))
    }

    fn patient(&mut self, patient: usize, which: usize) {
        let Some(case) = self.day.cases.get(patient) else { return };
        let person = &case.person;
        let national = format!("{}^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.8&ISO^INS", person.nir);
        let identifiers = [identifier(&person.ipp), "~".to_owned(), national].concat();
        let given = escaped(&person.given);
        let mut name = format!("{}^{given}^^^^^D", escaped(&person.family.to_uppercase()));
        if let Some(maiden) = &person.maiden {
            name.push_str(&format!("~{}^{given}^^^^^L", escaped(&maiden.to_uppercase())));
        }
        let address = format!("{}^^{}^^{}^FRA^H", escaped(&person.street), escaped(&person.town), person.zip);
        let phone = super::fhir::phone(&person.phone, self.event.seen.records[which]);
        let (birth, sex) = (person.birth.format("%Y%m%d").to_string(), if person.female { "F" } else { "M" });
        self.segment(&["PID", "1", "", &identifiers, "", &name, "", &birth, sex, "", "", &address, "", &phone]);
    }

    fn visit(&mut self, stay: Option<usize>) {
        let Some((stay, case)) = stay.and_then(|stay| Some((stay, self.day.cases.get(stay)?))) else {
            self.segment(&["PV1", "1", "N"]);
            return;
        };
        let start = stamp(case.admission);
        let end = if self.event.seen.discharged { stamp(case.discharge) } else { String::new() };
        let mut fields = vec![String::new(); 46];
        fields[0] = "PV1".to_owned();
        fields[1] = "1".to_owned();
        fields[2] = "I".to_owned();
        fields[3] = "UNV".to_owned();
        fields[19] = visit_number(&self.day.stay_id(stay));
        (fields[44], fields[45]) = (start, end);
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        self.segment(&fields);
    }

    /// A text, or the withdrawal of all of a document's texts.
    fn document(&mut self, page: usize, patient: usize, text: Option<(usize, Act)>) {
        let day = self.day;
        let Some((filed, case)) = day.pages.get(page).and_then(|filed| Some((filed, day.cases.get(filed.case)?))) else { return };
        let stay = filed.in_stay.then_some(filed.case);
        let (loinc, _, title) = filed.document.kind.code();
        let author = professional(super::fhir::author(case, filed.document.kind));
        let time = stamp(filed.document.time);
        let code = format!("{loinc}^{}^LN", escaped(title));
        let id = escaped(&filed.id);
        let now = self.now();
        if filed.is_result {
            let status = match text {
                None => self.random.weighted((3, "D"), &[(1, "W")]),
                Some((_, Act::First | Act::Replacement)) => "F",
                Some(_) => "C",
            };
            let order = if status == "C" { "C" } else { "F" };
            self.header("ORU", "R01", "ORU_R01");
            self.patient(patient, 0);
            self.visit(stay);
            let mut fields = vec![""; 33];
            let author = author.replace('^', "&");
            (fields[0], fields[1], fields[2], fields[3], fields[4], fields[7]) = ("OBR", "1", &id, &id, &code, &time);
            (fields[22], fields[25], fields[32]) = (&now, order, &author);
            self.segment(&fields);
            // A text that is withdrawn is often sent along once more.
            self.observations(page, text.map_or(0, |(edition, _)| edition), &code, status, &id);
            return;
        }
        let (trigger, status, parent) = match text {
            None => self.random.weighted((1, ("T11", None, "")), &[(1, ("T04", Some("D"), ""))]),
            Some((_, Act::First)) => ("T02", Some("F"), ""),
            Some((_, Act::Replacement)) => ("T10", Some("F"), filed.replaces.map_or("", |old| day.document_id(old))),
            Some(_) => self
                .random
                .weighted((1, ("T08", Some("F"), "")), &[(1, ("T02", Some("C"), "")), (1, ("T10", Some("C"), filed.id.as_str()))]),
        };
        self.header("MDM", trigger, if status.is_some() { "MDM_T02" } else { "MDM_T01" });
        self.patient(patient, 0);
        self.visit(stay);
        let (availability, parent) = (if text.is_some() { "AV" } else { "CA" }, escaped(parent));
        let edited = if text.is_some() && self.random.chance(30) { now.as_str() } else { "" };
        self.segment(&[
            "TXA",
            "1",
            loinc,
            "TX",
            &time,
            "",
            "",
            "",
            edited,
            &author,
            "",
            "",
            &id,
            &parent,
            "",
            "",
            "",
            "LA",
            "",
            availability,
        ]);
        if let Some(status) = status {
            self.observations(page, text.map_or(0, |(edition, _)| edition), &code, status, &id);
        }
    }

    /// OBX: lines, one formatted text, or encapsulated data.
    fn observations(&mut self, page: usize, edition: usize, code: &str, status: &str, id: &str) {
        let text = self.day.text(page, edition);
        let form = self.random.weighted((40, 0), &[(30, 1), (30, 2)]);
        let encoded = if form == 2 { self.charset.encode(&text) } else { None };
        match (form, encoded) {
            (2, Some(bytes)) => {
                use base64::Engine as _;
                let data = ["^text^plain^Base64^", &base64::engine::general_purpose::STANDARD.encode(bytes)].concat();
                let mut fields = vec![""; 22];
                (fields[0], fields[1], fields[2], fields[3], fields[5], fields[11]) = ("OBX", "1", "ED", code, &data, status);
                fields[21] = id;
                self.segment(&fields);
            }
            (1, _) => {
                let text = escaped(&text).replace('\n', "\\.br\\");
                self.segment(&["OBX", "1", "FT", code, "", &text, "", "", "", "", "", status]);
            }
            _ => {
                for (number, line) in text.split('\n').enumerate() {
                    let number = (number + 1).to_string();
                    self.segment(&["OBX", &number, "TX", code, "", &escaped(line), "", "", "", "", "", status]);
                }
            }
        }
    }

    fn segment(&mut self, fields: &[&str]) {
        // MSH-1 is the separator itself.
        self.text.push_str(&fields.join("|"));
        let end = self.text.trim_end_matches('|').len();
        self.text.truncate(end);
        self.text.push('\r');
    }
}

fn identifier(ipp: &str) -> String {
    format!("{ipp}^^^^PI")
}

fn visit_number(stay: &str) -> String {
    format!("{stay}^^^^VN")
}

fn professional(doctor: &Doctor) -> String {
    format!("{}^{}^{}", doctor.rpps, escaped(&doctor.family.to_uppercase()), escaped(&doctor.given))
}

/// Wall clock without a zone.
fn stamp(time: NaiveDateTime) -> String {
    time.format("%Y%m%d%H%M%S").to_string()
}

/// Text without delimiters.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\E\\"),
            '|' => out.push_str("\\F\\"),
            '^' => out.push_str("\\S\\"),
            '&' => out.push_str("\\T\\"),
            '~' => out.push_str("\\R\\"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_are_escaped_and_sets_have_limits() {
        assert_eq!(escaped("a|b^c&d~e\\"), "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\");
        assert_eq!(Charset::Latin1.encode("été"), Some(b"\xE9t\xE9".to_vec()));
        assert_eq!(Charset::Latin1.encode("œ"), None);
        assert_eq!(Charset::Latin9.encode("œ"), Some(vec![0xBD]));
        assert_eq!(Charset::Latin9.encode("½"), None);
    }
}
