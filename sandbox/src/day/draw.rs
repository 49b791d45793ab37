//! Draws what happens: the course of each stay first, then, hour by hour, what
//! goes wrong and is put right.

use chrono::{NaiveDateTime, TimeDelta};

use super::page::Page;
use super::{Act, Change, Day, Event, Kind, Plan, Seen, State, What, midnight};
use crate::hospital::case::Case;
use crate::hospital::documents::{self, Document, DocumentKind};
use crate::hospital::random::Random;

/// How the hospital stands while the day goes on.
struct Ward {
    day: Day,
    people: Vec<Person>,
    stays: Vec<Stay>,
    files: Vec<File>,
    random: Random,
}

#[derive(Clone, Default)]
struct Person {
    known: bool,
    record: u16,
    into: Option<usize>,
    /// Those of whom the FHIR server says that this one replaces them.
    replaces: Vec<usize>,
    version: u32,
}

#[derive(Clone, Default)]
struct Stay {
    patient: usize,
    discharged: bool,
    version: u32,
    /// What was written in it, and how much of the patient in and out of it.
    pages: Vec<usize>,
    written: usize,
}

/// A document.
#[derive(Clone, Default)]
struct File {
    edition: Option<usize>,
    withdrawn: bool,
    superseded: bool,
    version: u32,
}

/// What is certain before anything goes wrong.
enum Course {
    Admission(usize),
    Discharge(usize),
    Page(usize),
    /// Something, of whatever is possible then.
    Anything,
}

pub(super) fn draw(plan: Plan) -> Day {
    let mut random = Random::new(plan.seed, 0xDA1);
    let mut day = Day { plan, cases: Vec::new(), pages: Vec::new(), events: Vec::new() };
    let mut course = Vec::new();
    for patient in 0..plan.patients.max(1) {
        arrive_or_leave(&mut day, patient, &mut random, &mut course);
    }
    course.sort_by_key(|(at, _)| *at);
    course.truncate(plan.events);
    let first = course.first().map_or(midnight(), |(at, _)| *at);
    while course.len() < plan.events {
        let at = first + TimeDelta::seconds(random.between(600, 26 * 3600));
        course.push((at, Course::Anything));
    }
    course.sort_by_key(|(at, _)| *at);
    let mut ward = Ward::new(day, random);
    let mut last = first - TimeDelta::seconds(1);
    for (at, what) in course {
        // Two of one second would have the same version.
        last = at.max(last + TimeDelta::seconds(1));
        ward.happen(last, &what);
    }
    ward.day
}

/// A patient who comes or goes that day, with the documents of the occasion.
fn arrive_or_leave(day: &mut Day, patient: usize, random: &mut Random, course: &mut Vec<(NaiveDateTime, Course)>) {
    let case = Case::draw(documents::grammar(), day.plan.seed ^ 0xDA7, patient);
    let occasion = random.weighted((60, 0), &[(30, 1), (10, 2)]);
    let then = match (occasion, case.visit) {
        (2, Some(visit)) => visit,
        (0, _) => case.admission,
        _ => case.discharge,
    };
    let case = case.later((midnight().date() - then.date()).num_days());
    let minutes = |random: &mut Random, low: i64, high: i64| TimeDelta::seconds(random.between(low * 60, high * 60));
    let mut written = documents::plan(&case, random);
    match (occasion, case.visit) {
        (0, _) => {
            course.push((case.admission + minutes(random, 1, 9), Course::Admission(patient)));
            written.retain(|d| !matches!(d.kind, DocumentKind::Progress | DocumentKind::Discharge | DocumentKind::Visit));
        }
        (2, Some(_)) => written.retain(|d| d.kind == DocumentKind::Visit),
        _ => {
            course.push((case.discharge + minutes(random, 1, 40), Course::Discharge(patient)));
            written.retain(|d| d.kind == DocumentKind::Discharge);
        }
    }
    for document in written {
        course.push((document.time + minutes(random, 10, 90), Course::Page(day.pages.len())));
        day.pages.push(Page::new(&case, patient, document, random));
    }
    day.cases.push(case);
}

impl Ward {
    fn new(day: Day, random: Random) -> Ward {
        let people = vec![Person::default(); day.cases.len()];
        let mut stays: Vec<Stay> = (0..day.cases.len()).map(|patient| Stay { patient, ..Stay::default() }).collect();
        for (index, page) in day.pages.iter().enumerate().filter(|(_, page)| page.in_stay) {
            stays[page.case].pages.push(index);
        }
        let files = vec![File::default(); day.pages.len()];
        Ward { day, people, stays, files, random }
    }

    fn happen(&mut self, at: NaiveDateTime, course: &Course) {
        match course {
            Course::Admission(patient) => self.stay(at, *patient, false),
            Course::Discharge(patient) => self.stay(at, *patient, true),
            Course::Page(page) => self.file(at, *page, 0, Act::First),
            Course::Anything => self.anything(at),
        }
    }

    fn anything(&mut self, at: NaiveDateTime) {
        let mut tries: [(u32, u8); 10] = [(30, 0), (14, 1), (10, 2), (9, 3), (4, 4), (12, 5), (10, 6), (3, 7), (6, 8), (2, 9)];
        // What is impossible now is drawn no more.
        loop {
            let drawn = self.random.weighted((0, 5), &tries);
            let done = match drawn {
                0 => self.correct(at),
                1 => self.write(at),
                2 => self.replace(at),
                3 => self.withdraw(at),
                4 => self.restore(at),
                6 => self.merge(at),
                7 => self.unmerge(at),
                8 => self.displace(at),
                9 => self.point(at),
                _ => self.update(at),
            };
            if done || tries.iter().all(|(weight, _)| *weight == 0) {
                return;
            }
            tries.iter_mut().filter(|(_, which)| *which == drawn).for_each(|(weight, _)| *weight = 0);
        }
    }

    /// One of those for whom something holds.
    fn any(&mut self, count: usize, holds: impl Fn(&Ward, usize) -> bool) -> Option<usize> {
        let from = self.random.below(count);
        (0..count).map(|step| (from + step) % count).find(|index| holds(self, *index))
    }

    /// Whether a document stands, and is one that others may correct.
    fn stands(&self, page: usize) -> bool {
        let file = &self.files[page];
        file.edition.is_some() && !file.withdrawn && !file.superseded
    }

    fn stay(&mut self, at: NaiveDateTime, stay: usize, discharged: bool) {
        let mut changes = Vec::new();
        self.stays[stay].discharged |= discharged;
        let patient = self.stays[stay].patient;
        let was_known = self.known(patient, &mut changes);
        if was_known || discharged {
            self.encounter(stay, &mut changes);
        }
        let what = if discharged { What::Discharge { stay, patient } } else { What::Admission { stay, patient } };
        self.tell(at, what, [patient, patient], Some(stay), changes);
    }

    fn file(&mut self, at: NaiveDateTime, page: usize, edition: usize, act: Act) {
        let mut changes = Vec::new();
        let case = self.day.pages[page].case;
        let in_stay = self.day.pages[page].in_stay;
        let patient = if in_stay { self.stays[case].patient } else { case };
        self.known(case, &mut changes);
        self.known(patient, &mut changes);
        let file = &mut self.files[page];
        (file.edition, file.withdrawn) = (Some(edition), false);
        self.document(page, &mut changes);
        if let Some(old) = self.day.pages[page].replaces {
            self.files[old].superseded = true;
            // Some servers leave it to the reader to notice.
            if act == Act::Replacement && self.random.chance(50) {
                self.document(old, &mut changes);
            }
        }
        self.tell(at, What::Document { page, edition, act, patient }, [patient, patient], in_stay.then_some(case), changes);
    }

    fn correct(&mut self, at: NaiveDateTime) -> bool {
        let Some(page) = self.any(self.files.len(), Ward::stands) else { return false };
        let edition = self.files[page].edition.map_or(0, |edition| edition + 1);
        self.file(at, page, edition, Act::Correction);
        true
    }

    /// Another document of a stay.
    fn write(&mut self, at: NaiveDateTime) -> bool {
        let Some(patient) = self.any(self.people.len(), |ward, patient| ward.people[patient].known) else { return false };
        let page = self.page(patient, DocumentKind::Progress, at, None);
        self.file(at, page, 0, Act::First);
        true
    }

    fn replace(&mut self, at: NaiveDateTime) -> bool {
        let Some(old) = self.any(self.files.len(), |ward, page| ward.stands(page) && ward.day.pages[page].in_stay) else { return false };
        let (case, kind) = (self.day.pages[old].case, self.day.pages[old].document.kind);
        let page = self.page(case, kind, at, Some(old));
        self.file(at, page, 0, Act::Replacement);
        true
    }

    fn page(&mut self, case: usize, kind: DocumentKind, at: NaiveDateTime, replaces: Option<usize>) -> usize {
        let stay = &mut self.stays[case];
        stay.written += 1;
        // Beyond those of any dossier.
        let number = 9 + stay.written;
        stay.pages.push(self.files.len());
        let time = at - TimeDelta::seconds(self.random.between(300, 3000));
        let (date_format, time_format) = (self.random.below(4), self.random.below(4));
        let document = Document { number, kind, time, date_format, time_format };
        let mut page = Page::new(&self.day.cases[case], case, document, &mut self.random);
        page.replaces = replaces;
        // Only a document can say of another that it takes its place.
        page.is_result &= replaces.is_none();
        self.day.pages.push(page);
        self.files.push(File::default());
        self.files.len() - 1
    }

    /// One that took the place of another stays: whether the other came back would
    /// be anybody's guess.
    fn withdraw(&mut self, at: NaiveDateTime) -> bool {
        let Some(page) = self.any(self.files.len(), |ward, page| ward.stands(page) && ward.day.pages[page].replaces.is_none()) else {
            return false;
        };
        let patient = self.subject(page);
        self.files[page].withdrawn = true;
        let mut changes = Vec::new();
        let file = &mut self.files[page];
        file.version += 1;
        let state = if self.random.chance(50) {
            State::Deleted
        } else {
            State::EnteredInError { edition: file.edition.unwrap_or_default(), patient }
        };
        changes.push(Change { kind: Kind::Document, index: page, version: file.version, state });
        self.tell(at, What::Withdrawal { page, patient }, [patient, patient], self.stay_of(page), changes);
        true
    }

    fn restore(&mut self, at: NaiveDateTime) -> bool {
        let Some(page) = self.any(self.files.len(), |ward, page| ward.files[page].withdrawn) else { return false };
        let edition = self.files[page].edition.map_or(0, |edition| edition + 1);
        self.file(at, page, edition, Act::Restoration);
        true
    }

    fn update(&mut self, at: NaiveDateTime) -> bool {
        let Some(patient) = self.any(self.people.len(), |ward, patient| ward.people[patient].known) else { return false };
        self.people[patient].record += 1;
        let mut changes = Vec::new();
        self.patient(patient, &mut changes);
        self.tell(at, What::Update { patient }, [patient, patient], None, changes);
        true
    }

    fn merge(&mut self, at: NaiveDateTime) -> bool {
        let alone = |ward: &Ward, patient: usize| ward.people[patient].known && ward.people[patient].into.is_none();
        let Some(into) = self.any(self.people.len(), alone) else { return false };
        // Now and then in the wrong direction first, and then the other way round.
        let behind = |ward: &Ward, patient: usize| ward.people[patient].into == Some(into);
        let reversed = if self.random.chance(25) { self.any(self.people.len(), behind) } else { None };
        let (from, into) = match reversed {
            Some(old) => (into, old),
            None => match self.any(self.people.len(), |ward, patient| patient != into && alone(ward, patient)) {
                Some(from) => (from, into),
                None => return false,
            },
        };
        let mut changes = Vec::new();
        if self.people[into].into.take().is_some() {
            self.people[from].replaces.retain(|other| *other != into);
        }
        self.people[from].into = Some(into);
        self.patient(from, &mut changes);
        if reversed.is_some() || self.random.chance(50) {
            self.people[into].replaces.push(from);
            self.patient(into, &mut changes);
        }
        self.tell(at, What::Merge { from, into }, [from, into], None, changes);
        true
    }

    fn unmerge(&mut self, at: NaiveDateTime) -> bool {
        // A37 says of both that they stand alone.
        let apart = |ward: &Ward, patient: usize| ward.people[patient].into.is_some_and(|into| ward.people[into].into.is_none());
        let Some(from) = self.any(self.people.len(), apart) else { return false };
        let Some(into) = self.people[from].into.take() else { return false };
        let mut changes = Vec::new();
        self.patient(from, &mut changes);
        if self.people[into].replaces.contains(&from) {
            self.people[into].replaces.retain(|other| *other != from);
            self.patient(into, &mut changes);
        }
        self.tell(at, What::Unmerge { from, into }, [from, into], None, changes);
        true
    }

    /// A stay goes to another patient, with what was written in it.
    fn displace(&mut self, at: NaiveDateTime) -> bool {
        let Some(stay) = self.any(self.stays.len(), |ward, stay| ward.people[stay].known && ward.stays[stay].version > 0) else {
            return false;
        };
        let from = self.stays[stay].patient;
        let alone = |ward: &Ward, patient: usize| patient != from && ward.people[patient].known && ward.people[patient].into.is_none();
        let Some(to) = self.any(self.people.len(), alone) else { return false };
        self.stays[stay].patient = to;
        let mut changes = Vec::new();
        self.encounter(stay, &mut changes);
        for page in self.stays[stay].pages.clone() {
            if self.files[page].edition.is_some() && !self.files[page].withdrawn {
                self.document(page, &mut changes);
            }
        }
        self.tell(at, What::Move { stay, from, to }, [from, to], Some(stay), changes);
        true
    }

    fn point(&mut self, at: NaiveDateTime) -> bool {
        let Some(patient) = self.any(self.people.len(), |ward, patient| ward.people[patient].known) else { return false };
        self.tell(at, What::Pointer { patient }, [patient, patient], None, Vec::new());
        true
    }

    fn subject(&self, page: usize) -> usize {
        let page = &self.day.pages[page];
        if page.in_stay { self.stays[page.case].patient } else { page.case }
    }

    fn stay_of(&self, page: usize) -> Option<usize> {
        Some(&self.day.pages[page]).filter(|page| page.in_stay).map(|page| page.case)
    }

    /// Puts patient and stay on the FHIR server, where they are not yet; says whether they were.
    fn known(&mut self, patient: usize, changes: &mut Vec<Change>) -> bool {
        if std::mem::replace(&mut self.people[patient].known, true) {
            return true;
        }
        self.patient(patient, changes);
        self.encounter(patient, changes);
        false
    }

    fn patient(&mut self, patient: usize, changes: &mut Vec<Change>) {
        let person = &mut self.people[patient];
        person.version += 1;
        let state = State::Patient { record: person.record, into: person.into, replaces: person.replaces.clone() };
        changes.push(Change { kind: Kind::Patient, index: patient, version: person.version, state });
    }

    fn encounter(&mut self, index: usize, changes: &mut Vec<Change>) {
        let stay = &mut self.stays[index];
        stay.version += 1;
        let state = State::Encounter { patient: stay.patient, discharged: stay.discharged };
        changes.push(Change { kind: Kind::Encounter, index, version: stay.version, state });
    }

    fn document(&mut self, page: usize, changes: &mut Vec<Change>) {
        let patient = self.subject(page);
        let file = &mut self.files[page];
        file.version += 1;
        let state = State::Document { edition: file.edition.unwrap_or_default(), patient, superseded: file.superseded };
        changes.push(Change { kind: Kind::Document, index: page, version: file.version, state });
    }

    fn tell(&mut self, at: NaiveDateTime, what: What, patients: [usize; 2], stay: Option<usize>, changes: Vec<Change>) {
        let records = patients.map(|patient| self.people[patient].record);
        let discharged = stay.is_some_and(|stay| self.stays[stay].discharged);
        self.day.events.push(Event { at, what, seen: Seen { records, discharged }, changes });
    }
}
