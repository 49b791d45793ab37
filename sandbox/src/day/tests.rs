use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::delivery::Mischief;
use super::expected::Status;
use super::*;

fn day(seed: u64) -> Day {
    Day::draw(Plan { seed, patients: 12, events: 400 })
}

#[test]
fn the_same_plan_makes_the_same_day() {
    let (one, two, other) = (day(1), day(1), day(2));
    let messages = |day: &Day| (0..day.events().len()).map(|event| day.message(event)).collect::<Vec<_>>();
    assert_eq!(messages(&one), messages(&two));
    assert_ne!(messages(&one), messages(&other));
    assert_eq!(one.expected(), two.expected());
    let mischief = Mischief { shuffle: 9, duplicates: 20, late: 50 };
    assert_eq!(one.deliveries(mischief), two.deliveries(mischief));
}

#[test]
fn everything_happens_and_no_two_things_in_one_second() {
    let day = day(7);
    assert_eq!(day.events().len(), 400);
    assert!(day.events().is_sorted_by(|a, b| a.at < b.at));
    let name = |what: &What| format!("{what:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
    let happened: BTreeSet<String> = day.events().iter().map(|event| name(&event.what)).collect();
    for what in ["Admission", "Discharge", "Update", "Document", "Withdrawal", "Merge", "Unmerge", "Move", "Pointer"] {
        assert!(happened.contains(what), "{what}: {happened:?}");
    }
    let expected = day.expected();
    for status in [Status::Current, Status::Superseded, Status::EnteredInError] {
        assert!(expected.documents.iter().any(|document| document.status == status), "{status:?}");
    }
    assert!(expected.patients.iter().any(|patient| patient.id != patient.survivor));
    assert!(expected.documents.iter().any(|document| document.versions.len() > 2));
    assert!(expected.unreadable > 0);
}

#[test]
fn a_small_day_is_a_day() {
    for events in [0, 1, 5] {
        assert_eq!(Day::draw(Plan { seed: 1, patients: 1, events }).events().len(), events);
    }
}

/// What the last word of FHIR on each document is, read off the resources.
#[test]
fn the_last_resources_are_what_is_expected() {
    for seed in 0..5 {
        let day = day(seed);
        let mut documents: HashMap<String, Option<serde_json::Value>> = HashMap::new();
        let mut into: BTreeMap<String, String> = BTreeMap::new();
        let mut versions: HashMap<String, u32> = HashMap::new();
        for change in day.events().iter().flat_map(Event::changes) {
            let (id, resource) = (day.resource_id(change), day.resource(change, "2026-01-20T10:00:00Z"));
            let version = versions.insert(format!("{:?} {id}", change.kind()), change.version()).unwrap_or(0);
            assert_eq!(change.version(), version + 1);
            match change.kind() {
                Kind::Document => {
                    documents.insert(id, resource);
                }
                Kind::Patient => {
                    let links = resource.as_ref().and_then(|r| r["link"].as_array().cloned()).unwrap_or_default();
                    let link = links.iter().find(|link| link["type"] == "replaced-by").and_then(|l| l["other"]["reference"].as_str());
                    into.remove(&id);
                    into.extend(link.map(|other| (id, other.trim_start_matches("Patient/").to_owned())));
                }
                Kind::Encounter => {}
            }
        }
        let survivor = |id: &str| {
            let mut id = id.to_owned();
            while let Some(other) = into.get(&id) {
                id = other.clone();
            }
            id
        };
        let expected = day.expected();
        assert_eq!(expected.documents.len(), documents.len());
        let replaced: BTreeSet<String> = documents
            .values()
            .flatten()
            .filter_map(|resource| resource["relatesTo"][0]["target"]["reference"].as_str())
            .map(|reference| reference.trim_start_matches("DocumentReference/").to_owned())
            .collect();
        for document in &expected.documents {
            let resource = &documents[&document.id];
            if document.status == Status::EnteredInError {
                assert!(resource.as_ref().is_none_or(|r| r["status"] == "entered-in-error"), "{seed} {}", document.id);
                continue;
            }
            assert_eq!(document.status == Status::Superseded, replaced.contains(&document.id), "{seed} {}", document.id);
            let subject = resource.as_ref().and_then(|r| r["subject"]["reference"].as_str()).unwrap_or_default();
            assert_eq!(document.patient, survivor(subject.trim_start_matches("Patient/")), "{seed} {}", document.id);
        }
        for patient in &expected.patients {
            assert_eq!(patient.survivor, survivor(&patient.id), "{seed}");
        }
    }
}

#[test]
fn messages_are_well_formed() {
    let day = day(4);
    let mut kinds = BTreeSet::new();
    for event in 0..day.events().len() {
        let message = day.message(event);
        let text: String = message.iter().map(|byte| char::from(*byte)).collect();
        assert!(text.starts_with("MSH|^~\\&|") && text.ends_with('\r') && !text.contains('\n'));
        let header: Vec<&str> = text.split('\r').next().unwrap_or_default().split('|').collect();
        assert_eq!(header[9], day.control_id(event));
        assert!(header[9].len() <= 20);
        kinds.insert(header[8].split('^').take(2).collect::<Vec<_>>().join("^"));
        assert!(text.contains("\rPID|1||"), "{text}");
    }
    for kind in
        ["ADT^A01", "ADT^A03", "ADT^A08", "ADT^A40", "ADT^A37", "ADT^A45", "MDM^T02", "MDM^T10", "MDM^T08", "MDM^T11", "MDM^T04", "ORU^R01"]
    {
        assert!(kinds.contains(kind), "{kind}: {kinds:?}");
    }
}

#[test]
fn deliveries_hold_everything_near_its_place() {
    let day = day(3);
    let straight = day.deliveries(Mischief::default());
    assert!(straight.iter().enumerate().all(|(place, delivery)| delivery.event == place));
    let mischief = Mischief { shuffle: 12, duplicates: 30, late: 100 };
    let delivered = day.deliveries(mischief);
    assert!(delivered.is_sorted_by_key(|delivery| delivery.after));
    let events: BTreeSet<usize> = delivered.iter().map(|delivery| delivery.event).collect();
    assert_eq!(events.len(), day.events().len());
    assert!(delivered.len() > day.events().len() + 80);
    assert!(!delivered.is_sorted_by_key(|delivery| delivery.event));
}

#[test]
fn editions_differ_and_have_content() {
    let day = day(5);
    let texts: BTreeSet<String> = (0..3).map(|edition| day.text(0, edition)).collect();
    assert_eq!(texts.len(), 3);
    assert!(texts.iter().all(|text| text.len() > 200 && text.trim_end() == text && !text.contains('\r')));
}
