//! Which message types and trigger events are read, and what each tells
//! (chapters 3.3 patient administration, 7.3.1 results, 9.5 documents).

use super::defect::Defect;

/// What a message tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Event {
    /// MDM: a document, perhaps without its content.
    Document(DocumentEvent),
    /// ORU^R01: results, some of them documents.
    Results,
    /// ADT.
    Patient(PatientEvent),
}

/// Of the events of chapter 9.5 what makes a difference here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DocumentEvent {
    /// With OBX segments: T02, T04, T06, T08, T10.
    pub content: bool,
    /// T07, T08 (edited), T09, T10 (replaced): counts over what it corrects.
    pub corrects: bool,
    /// T09, T10: takes the place of its parent document.
    pub replaces: bool,
    /// T05, T06: stands beside its parent document.
    pub adds: bool,
    /// T11.
    pub cancels: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PatientEvent {
    /// The patient and the visit as they are now.
    Snapshot,
    /// A discharge is taken back: A13.
    NotDischarged,
    /// The visit did not take place: A11, A23, A27, A38.
    NoVisit,
    /// MRG-1 becomes PID-3: the merges, and changed identifiers.
    Merge,
    /// The account, with all its visits, goes to the patient of PID-3: A44.
    MoveAccount,
    /// The visit goes to the patient of PID-3: A45.
    MoveVisit,
    /// Two patients are one person: A24.
    Link,
    /// They are not: A37.
    Unlink,
    /// Nothing to read: beds, a person's deletion (erasing is for the operator).
    Other,
}

/// Sorts a message by MSH-9.
///
/// # Errors
/// [`Defect::UnsupportedType`] or [`Defect::UnsupportedEvent`].
pub(super) fn event(message_type: &str, trigger: &str) -> Result<Event, Defect> {
    match message_type {
        "MDM" => {
            let number = numbered(trigger, 'T').filter(|n| (1..=11).contains(n)).ok_or(Defect::UnsupportedEvent)?;
            Ok(Event::Document(DocumentEvent {
                content: number % 2 == 0,
                corrects: (7..=10).contains(&number),
                replaces: matches!(number, 9 | 10),
                adds: matches!(number, 5 | 6),
                cancels: number == 11,
            }))
        }
        // Before 2.3 an ORU had no other event, and some leave it out.
        "ORU" if matches!(trigger, "R01" | "") => Ok(Event::Results),
        "ORU" => Err(Defect::UnsupportedEvent),
        "ADT" => {
            let number = numbered(trigger, 'A').filter(|n| (1..=62).contains(n)).ok_or(Defect::UnsupportedEvent)?;
            Ok(Event::Patient(match number {
                13 => PatientEvent::NotDischarged,
                11 | 23 | 27 | 38 => PatientEvent::NoVisit,
                18 | 30 | 34..=36 | 39..=42 | 46..=51 => PatientEvent::Merge,
                44 => PatientEvent::MoveAccount,
                45 => PatientEvent::MoveVisit,
                24 => PatientEvent::Link,
                37 => PatientEvent::Unlink,
                20 | 29 => PatientEvent::Other,
                _ => PatientEvent::Snapshot,
            }))
        }
        _ => Err(Defect::UnsupportedType),
    }
}

fn numbered(trigger: &str, letter: char) -> Option<u32> {
    trigger.strip_prefix(letter).filter(|digits| digits.len() == 2 && !digits.starts_with('+')).and_then(|digits| digits.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events() {
        let document = |trigger| match event("MDM", trigger) {
            Ok(Event::Document(e)) => Some((e.content, e.corrects, e.replaces, e.cancels)),
            _ => None,
        };
        assert_eq!(document("T01"), Some((false, false, false, false)));
        assert_eq!(document("T02"), Some((true, false, false, false)));
        assert_eq!(document("T08"), Some((true, true, false, false)));
        assert_eq!(document("T10"), Some((true, true, true, false)));
        assert_eq!(document("T11"), Some((false, false, false, true)));
        assert_eq!(event("ADT", "A40"), Ok(Event::Patient(PatientEvent::Merge)));
        assert_eq!(event("ADT", "A44"), Ok(Event::Patient(PatientEvent::MoveAccount)));
        assert_eq!(event("ADT", "A45"), Ok(Event::Patient(PatientEvent::MoveVisit)));
        assert_eq!(event("ADT", "A01"), Ok(Event::Patient(PatientEvent::Snapshot)));
        for (kind, trigger) in [("MDM", "T12"), ("MDM", "T1"), ("MDM", ""), ("ORU", "R30"), ("ADT", "A99"), ("ADT", "Z01"), ("ADT", "A+1")]
        {
            assert_eq!(event(kind, trigger), Err(Defect::UnsupportedEvent), "{kind}^{trigger}");
        }
        assert_eq!(event("SIU", "S12"), Err(Defect::UnsupportedType));
    }
}
