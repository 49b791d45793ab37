//! Stories of patients, told by the summaries of their documents.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;

fn at(date: &str) -> NaiveDateTime {
    let (date, time) = date.split_once(' ').unwrap_or((date, "12:00"));
    NaiveDateTime::parse_from_str(&format!("{date} {time}"), "%Y-%m-%d %H:%M").unwrap()
}

fn document<'a>(id: &'a str, kind: DocumentKind, time: &str, encounter: &'a str) -> DocumentSummary<'a> {
    DocumentSummary {
        id,
        encounter: Some(encounter).filter(|e| !e.is_empty()),
        time: Some(at(time)),
        kind,
        stay_start: None,
        stay_end: None,
        told: Told::default(),
    }
}

impl DocumentSummary<'_> {
    fn tells(mut self, event: &str) -> Self {
        self.told.event = Some(at(event));
        self.told.stroke = true;
        self
    }
    fn of_a_stroke(mut self) -> Self {
        self.told.stroke = true;
        self
    }
    fn treats(mut self) -> Self {
        self.told.stroke = true;
        self.told.acute = true;
        self
    }
    fn admitted(mut self, date: &str) -> Self {
        self.told.admission = Some(at(date));
        self
    }
    fn left(mut self, date: &str) -> Self {
        self.told.discharge = Some(at(date));
        self
    }
    fn undated(mut self) -> Self {
        self.time = None;
        self
    }
}

/// `key: ids` of each episode.
fn told(documents: &[DocumentSummary<'_>]) -> Vec<String> {
    let line = |e: &Episode| format!("{}: {}", e.key, e.documents.iter().map(|&d| documents[d].id).collect::<Vec<_>>().join(" "));
    episodes(documents).iter().map(line).collect()
}

use DocumentKind::*;

/// Letter, first hospital, transfer, letter of the second, rehabilitation, consultation.
fn transfer() -> Vec<DocumentSummary<'static>> {
    vec![
        document("letter", Referral, "2023-05-09 08:30", ""),
        document("door", Emergency, "2023-05-09 10:00", "A").tells("2023-05-09 07:50").treats(),
        document("scan", Imaging, "2023-05-09 09:20", "A").of_a_stroke(),
        document("groin", Procedure, "2023-05-09 13:00", "B").treats(),
        document("crh", Discharge, "2023-05-22", "B").tells("2023-05-09").admitted("2023-05-09").left("2023-05-22"),
        document("rehab", Rehabilitation, "2023-07-03", "C").of_a_stroke(),
        document("visit", Consultation, "2023-08-24", "D").of_a_stroke(),
    ]
}

#[test]
fn a_transfer_is_one_episode() {
    assert_eq!(told(&transfer()), ["2023-1: letter scan door groin crh rehab visit"]);
}

#[test]
fn a_late_transfer_joins_the_stay_it_comes_from() {
    let documents = [
        document("door", Emergency, "2023-05-09", "A").tells("2023-05-09").treats(),
        document("first", Discharge, "2023-05-16", "A").left("2023-05-16"),
        document("second", Discharge, "2023-05-30", "B").admitted("2023-05-17").of_a_stroke(),
    ];
    assert_eq!(told(&documents), ["2023-1: door first second"]);
}

#[test]
fn two_strokes_stay_apart() {
    let mut documents = transfer();
    documents.push(document("again", Emergency, "2023-06-20", "E").tells("2023-06-20 06:00").treats());
    documents.push(document("crh2", Discharge, "2023-06-29", "E").of_a_stroke());
    documents.push(document("visit2", Consultation, "2023-09-28", "F").of_a_stroke());
    documents.push(document("later", Emergency, "2024-11-02", "G").treats());
    let found = told(&documents);
    assert_eq!(found, ["2023-1: letter scan door groin crh", "2023-2: again crh2 rehab visit visit2", "2024-1: later"]);
}

#[test]
fn a_visit_joins_the_stroke_it_speaks_of() {
    let documents = [
        document("door", Emergency, "2022-01-10", "A").tells("2022-01-10").treats(),
        document("again", Emergency, "2022-03-20", "B").tells("2022-03-20").treats(),
        document("visit", Consultation, "2022-04-15", "C").tells("2022-01-10").of_a_stroke(),
        document("year", Consultation, "2023-01-20", "D").tells("2022-01-11").of_a_stroke(),
        document("nothing", Consultation, "2023-04-20", "E").of_a_stroke(),
    ];
    assert_eq!(told(&documents), ["2022-1: door visit year", "2022-2: again"]);
}

#[test]
fn a_date_of_something_else_makes_no_stroke() {
    let documents = [
        document("door", Emergency, "2022-01-10", "A").tells("2022-01-10").treats(),
        document("visit", Consultation, "2022-04-15", "C").tells("2022-03-02").of_a_stroke(),
    ];
    assert_eq!(told(&documents), ["2022-1: door visit"]);
}

#[test]
fn a_return_for_something_else_is_follow_up() {
    let documents = [
        document("door", Emergency, "2022-01-10", "A").tells("2022-01-10").treats(),
        document("fall", Emergency, "2022-02-20", "B"),
        document("skin", Consultation, "2020-06-01", "C"),
    ];
    assert_eq!(told(&documents), ["2022-1: door fall"]);
}

#[test]
fn documents_without_time_join_by_encounter_or_the_only_event() {
    let documents = [
        document("door", Emergency, "2022-01-10", "A").tells("2022-01-10").treats(),
        document("other", Emergency, "2023-06-10", "B").tells("2023-06-10").treats(),
        document("note", Nursing, "2022-01-10", "B").undated(),
        document("loose", Nursing, "2022-01-10", "").undated(),
    ];
    assert_eq!(told(&documents), ["2022-1: door", "2023-1: other note"]);
    assert_eq!(told(&[documents[0], documents[3]]), ["2022-1: door loose"]);
}

#[test]
fn without_a_stroke_there_is_no_episode() {
    assert!(told(&[document("skin", Consultation, "2022-01-10", "A"), document("scan", Imaging, "2022-01-11", "A")]).is_empty());
    assert_eq!(told(&[document("visit", Consultation, "2022-01-10", "A").of_a_stroke()]), ["undated-1: visit"]);
}

#[test]
fn a_late_document_does_not_rename() {
    let all = transfer();
    for missing in 0..all.len() {
        let mut some = all.clone();
        some.remove(missing);
        let found = told(&some);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].starts_with("2023-1: "), "{found:?}");
    }
    // The letter of the stay alone, then with the note of the first hospital.
    assert!(told(&all[4..5])[0].starts_with("2023-1: "));
}

#[test]
fn impossible_dates_are_not_believed() {
    let finding = |variable: &'static str, date: &str, score: f32| Finding {
        variable: variable.into(),
        value: Value::DateTime(at(date)),
        start: 0,
        end: 4,
        section: None,
        anchor: Anchor::Admission,
        event_time: None,
        score,
        method: "test".into(),
    };
    let findings = [finding("onset_datetime", "2019-03-01", 0.9), finding("onset_datetime", "2023-05-09 07:50", 0.6)];
    let told = Told::by(&findings, Emergency, Some(at("2023-05-09")));
    assert_eq!(told.event, Some(at("2023-05-09 07:50")));
    assert!(told.stroke && !told.acute);
}

proptest! {
    #[test]
    fn the_order_of_documents_does_not_matter(seed in proptest::collection::vec(any::<u32>(), 11)) {
        let mut documents = transfer();
        documents.push(document("again", Emergency, "2023-06-20", "E").tells("2023-06-20 06:00").treats());
        documents.push(document("crh2", Discharge, "2023-06-29", "E").of_a_stroke());
        documents.push(document("same", Discharge, "2023-06-29", "H").of_a_stroke());
        documents.push(document("loose", Nursing, "2022-01-10", "A").undated());
        let expected = told(&documents);
        let mut keyed: Vec<_> = seed.iter().zip(documents).collect();
        keyed.sort_by_key(|(key, _)| **key);
        let shuffled: Vec<_> = keyed.into_iter().map(|(_, d)| d).collect();
        prop_assert_eq!(told(&shuffled), expected);
    }

    #[test]
    fn every_document_is_in_one_episode_at_most(days in proptest::collection::vec((0u64..900, 0usize..12, any::<bool>(), any::<bool>()), 0..14)) {
        let start = NaiveDate::from_ymd_opt(2021, 1, 1).unwrap();
        let ids: Vec<String> = (0..days.len()).map(|i| format!("d{i:02}")).collect();
        let documents: Vec<_> = days.iter().zip(&ids).map(|(&(day, kind, tells, treats), id)| {
            let date = start.checked_add_days(Days::new(day)).unwrap().to_string();
            let d = document(id, DocumentKind::ALL[kind], &date, "").of_a_stroke();
            let d = if tells { d.tells(&date) } else { d };
            if treats { d.treats() } else { d }
        }).collect();
        let found = episodes(&documents);
        let mut all: Vec<usize> = found.iter().flat_map(|e| e.documents.iter().copied()).collect();
        let n = all.len();
        all.sort_unstable();
        all.dedup();
        prop_assert_eq!(all.len(), n);
        let mut reversed = documents.clone();
        reversed.reverse();
        prop_assert_eq!(told(&reversed), told(&documents));
    }
}

#[test]
fn a_call_at_three_months_is_of_the_stroke_and_does_not_prolong_the_stay() {
    let documents = [
        document("door", Emergency, "2023-03-12", "A").tells("2023-03-12 10:20"),
        document("letter", Discharge, "2023-03-25", "A").tells("2023-03-12 10:20").left("2023-03-25"),
        document("call", Nursing, "2023-06-13 15:20", "A").tells("2023-06-13 15:20"),
    ];
    assert_eq!(told(&documents), ["2023-1: door letter call"]);
    assert_eq!(episodes(&documents)[0].end, Some(at("2023-03-25").date()));
}
