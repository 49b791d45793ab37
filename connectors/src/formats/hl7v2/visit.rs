//! Visits: PV1 (chapter 3.4.3) as encounters.

use chrono::NaiveDateTime;

use super::identifier::token;
use super::message::Segment;
use super::person::add;
use super::time::Clock;

/// A visit.
pub(super) struct Visit {
    /// PV1-19 visit number, else PID-18 account number.
    pub id: String,
    pub identifiers: Vec<String>,
    /// PV1-2 patient class (table 0004) as the code that FHIR has for it.
    pub class: Option<String>,
    /// PV1-44.
    pub start: Option<NaiveDateTime>,
    /// PV1-45.
    pub end: Option<NaiveDateTime>,
}

/// The visit of a PV1 and the PID before it; either may be missing.
pub(super) fn visit(pid: Option<&Segment<'_>>, pv1: Option<&Segment<'_>>, clock: &Clock) -> Option<Visit> {
    let number = pv1.and_then(|pv1| token(pv1.field(19).first()));
    let account = pid.and_then(|pid| token(pid.field(18).first()));
    let mut identifiers = Vec::new();
    let others = pv1.into_iter().flat_map(|pv1| [50, 5].map(|field| token(pv1.field(field).first())));
    for identifier in [number.clone(), account.clone()].into_iter().chain(others).flatten() {
        add(&mut identifiers, &identifier);
    }
    let time = |field| pv1.and_then(|pv1| pv1.words(field)).and_then(|text| clock.wall_clock(&text));
    let class = pv1.map(|pv1| pv1.code(2)).filter(|code| !code.is_empty());
    Some(Visit { id: number.or(account)?, identifiers, class: class.map(class_code), start: time(44), end: time(45) })
}

/// The visit that MRG says has moved (3.4.9), by each of its names: MRG-5, MRG-6;
/// where it has none, the account of it.
pub(super) fn moved(mrg: &Segment<'_>) -> Vec<Visit> {
    let named: Vec<Visit> = [5, 6].iter().filter_map(|field| token(mrg.field(*field).first())).map(bare).collect();
    if named.is_empty() { account(mrg).into_iter().collect() } else { named }
}

/// The account that MRG says has moved: MRG-3.
pub(super) fn account(mrg: &Segment<'_>) -> Option<Visit> {
    token(mrg.field(3).first()).map(bare)
}

/// A visit of which only a number is known.
fn bare(id: String) -> Visit {
    Visit { identifiers: vec![id.clone()], id, class: None, start: None, end: None }
}

/// HL7's own map from table 0004 to ActCode (v2-to-FHIR), as far as it goes.
fn class_code(class: String) -> String {
    match class.as_str() {
        "I" => "IMP".to_owned(),
        "E" => "EMER".to_owned(),
        "O" | "R" => "AMB".to_owned(),
        "P" => "PRENC".to_owned(),
        _ => class,
    }
}

#[cfg(test)]
mod tests {
    use super::super::message::Message;
    use super::*;
    use chrono_tz::Tz;

    fn seen(pid: &str, pv1: &str) -> Option<Visit> {
        let text = format!("MSH|^~\\&|\rPID|{pid}\rPV1|{pv1}\r");
        let message = Message::parse(&text).ok()?;
        let clock = Clock::new("", Tz::Europe__Paris);
        visit(message.segment("PID").as_ref(), message.segment("PV1").as_ref(), &clock)
    }

    #[test]
    fn visits_and_accounts() {
        let account = "1|||||||||||||||||A7^^^HOP^AN";
        let number = "1|I|||P5||||||||||||||V1^^^HOP&1.2.3&ISO^VN".to_owned() + &"|".repeat(25) + "202403051200|20240309";
        let Some(found) = seen(account, &number) else { panic!("no visit") };
        assert_eq!((found.id.as_str(), found.class.as_deref()), ("urn:oid:1.2.3|V1", Some("IMP")));
        assert_eq!(found.identifiers, ["urn:oid:1.2.3|V1", "HOP|A7", "P5"]);
        let times = [found.start, found.end].map(|time| time.map(|t| t.to_string()).unwrap_or_default());
        assert_eq!(times, ["2024-03-05 12:00:00", "2024-03-09 00:00:00"]);
        assert_eq!(seen(account, "1|N").map(|v| (v.id, v.class)), Some(("HOP|A7".into(), Some("N".into()))));
        assert!(seen("1", "1|I").is_none());
    }
}
