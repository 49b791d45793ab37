//! Stories of invented patients. `{variable=value@anchor|words}` marks what an
//! extraction finds; `~` before the words says that a later document recalls it.

use proptest::prelude::*;

use super::*;

#[derive(Clone)]
struct Written {
    id: &'static str,
    kind: DocumentKind,
    time: Option<NaiveDateTime>,
    encounter: &'static str,
    text: String,
    findings: Vec<Finding>,
}

fn at(text: &str) -> NaiveDateTime {
    let text = if text.contains(' ') { text.to_owned() } else { format!("{text} 12:00") };
    NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M").unwrap()
}

fn value(text: &str) -> Value {
    match text {
        "true" | "false" => Value::Boolean(text == "true"),
        _ if text.parse::<f64>().is_ok() => Value::Number(text.parse().unwrap()),
        _ if text.len() == 16 => Value::DateTime(at(text)),
        _ => Value::Category(text.to_owned().into()),
    }
}

fn write(id: &'static str, kind: DocumentKind, time: &str, encounter: &'static str, marked: &str) -> Written {
    let (mut text, mut findings) = (String::new(), Vec::new());
    for (i, part) in marked.split(['{', '}']).enumerate() {
        if i % 2 == 0 {
            text.push_str(part);
            continue;
        }
        let (head, words) = part.split_once('|').unwrap();
        let (variable, rest) = head.split_once('=').unwrap();
        let (found, anchor) = rest.split_once('@').unwrap();
        let (anchor, event) = anchor.split_once('/').map_or((anchor, None), |(a, e)| (a, Some(at(e))));
        let recalled = words.starts_with('~');
        let words = words.trim_start_matches('~');
        let start = text.len();
        text.push_str(words);
        findings.push(Finding {
            variable: variable.to_owned().into(),
            value: value(found),
            start,
            end: text.len(),
            section: None,
            anchor: Anchor::from_name(anchor).unwrap(),
            event_time: event,
            score: 0.9,
            method: if recalled { "test+recalled" } else { "test" }.into(),
        });
    }
    assert!(!findings.is_empty() || !marked.contains('{'));
    Written { id, kind, time: Some(at(time)), encounter, text, findings }
}

/// Policies like those of the built-in declarations.
struct Plain;

impl Policies for Plain {
    fn policy(&self, variable: &str) -> Option<Policy> {
        let arrival = vec![(Referral, 0.0), (Procedure, 0.5), (Imaging, 0.4), (Discharge, 0.7), (Rehabilitation, 0.3), (Consultation, 0.3)];
        let of = |anchor: Anchor, prefer, documents: &[(DocumentKind, f32)]| Policy {
            anchors: vec![(anchor, 1.0)],
            documents: documents.to_vec(),
            prefer,
            ..Policy::default()
        };
        Some(match variable {
            "nihss_admission" | "sbp_admission" => of(Anchor::Admission, Prefer::First, &arrival),
            "admission_datetime" => of(Anchor::Admission, Prefer::First, &[(Procedure, 0.5)]),
            "nihss_24h" => of(Anchor::Day1, Prefer::Best, &[]),
            "nihss_discharge" | "mrs_discharge" => of(Anchor::Discharge, Prefer::Last, &[(Emergency, 0.0)]),
            "mrs_3_months" => of(Anchor::Month3, Prefer::Last, &[]),
            "discharge_destination" => of(Anchor::Discharge, Prefer::Last, &[]),
            "discharge_datetime" => Policy { internal: true, ..of(Anchor::Discharge, Prefer::Last, &[]) },
            "atrial_fibrillation" => Policy { prefer: Prefer::True, ..Policy::any() },
            "occlusion_site" => Policy {
                order: ["ica_t", "m1", "m2", "none"].map(str::to_owned).to_vec(),
                documents: vec![(Emergency, 0.7), (Discharge, 0.8)],
                ..Policy::any()
            },
            "prior_statin" => Policy { evidence: vec![Emergency], evidence_absent: vec![Discharge], ..Policy::any() },
            "unknown" => return None,
            _ => Policy::any(),
        })
    }
}

use DocumentKind::*;

fn resolve(written: &[Written], patient: Patient) -> Vec<ResolvedEpisode> {
    let readings: Vec<Reading> = written.iter().map(|w| Reading::of_text(&w.text, w.time, w.kind, &w.findings)).collect();
    let documents: Vec<Document<'_>> = written
        .iter()
        .zip(&readings)
        .map(|(w, reading)| Document {
            id: w.id,
            encounter: Some(w.encounter).filter(|e| !e.is_empty()),
            time: w.time,
            kind: w.kind,
            stay_start: None,
            stay_end: None,
            findings: &w.findings,
            reading,
        })
        .collect();
    resolve_patient(&Plain, &documents, patient)
}

/// `value "words" of document` of a variable in the only episode, `!` where sources conflict.
fn one(written: &[Written], variable: &str) -> Option<String> {
    let episodes = resolve(written, Patient::default());
    assert_eq!(episodes.len(), 1, "{episodes:#?}");
    in_episode(written, &episodes[0], variable)
}

fn in_episode(written: &[Written], episode: &ResolvedEpisode, variable: &str) -> Option<String> {
    let found = episode.values.iter().chain(&episode.derived).find(|v| v.variable == variable)?;
    let words = found.evidence.map_or(String::new(), |e| {
        let document = &written[e.document];
        format!(" {:?} of {}", &document.text[e.start..e.end], document.id)
    });
    Some(format!("{}{words}{}", canonical(&found.value), if found.conflict { " !" } else { "" }))
}

/// Sent by a doctor, treated in two hospitals, seen again.
fn transfer() -> Vec<Written> {
    vec![
        write("letter", Referral, "2023-05-09 08:40", "", "Cher confrère, {nihss_admission=11@admission|NIHSS vers 11} à domicile."),
        write(
            "door",
            Emergency,
            "2023-05-09 10:00",
            "A",
            "{admission_datetime=2023-05-09 09:10@admission|Arrivée à 9 h 10}, début à {onset_datetime=2023-05-09 07:50@admission|7 h 50}. {nihss_admission=15@admission|NIHSS 15}. {atrial_fibrillation=false@stay|ECG sinusal}. {thrombolysis_datetime=2023-05-09 09:55@stay|Bolus à 9 h 55}.",
        ),
        write(
            "groin",
            Procedure,
            "2023-05-09 13:00",
            "B",
            "{admission_datetime=2023-05-09 11:50@admission|Arrivée en salle à 11 h 50}, {nihss_admission=18@admission|NIHSS 18 en salle}. {groin_puncture_datetime=2023-05-09 12:05@stay|Ponction à 12 h 05}. {occlusion_site=m1@stay|Occlusion M1}.",
        ),
        write(
            "crh",
            Discharge,
            "2023-05-22",
            "B",
            "{nihss_admission=15@admission|~NIHSS initial à 15}, {nihss_24h=7@24h|7 à 24 heures}, {nihss_discharge=4@discharge|4 à la sortie}. {atrial_fibrillation=true@stay|FA paroxystique} au Holter. {length_of_stay_days=12@stay|du 10 au 22 mai}. {discharge_datetime=2023-05-22 12:00@discharge|ce jour} {discharge_destination=rehabilitation@discharge|part en SSR}.",
        ),
        write(
            "rehab",
            Rehabilitation,
            "2023-07-03",
            "C",
            "À l'entrée {nihss_admission=4@admission|NIHSS 4}. {nihss_discharge=2@discharge|NIHSS 2 à la sortie}, {discharge_destination=home@discharge|retour à la maison}.",
        ),
        write(
            "visit",
            Consultation,
            "2023-08-10",
            "D",
            "{nihss_admission=15@admission|~NIHSS initial 15}. {mrs_3_months=2@3_months|Rankin à 2} ce jour.",
        ),
        write(
            "year",
            Consultation,
            "2024-05-20",
            "D",
            "AVC du {onset_datetime=2023-05-09 07:50@stay|9 mai 2023}. {mrs_3_months=1@3_months|Rankin 1}.",
        ),
    ]
}

#[test]
fn a_transfer() {
    let story = transfer();
    let is = |variable: &str, expected: &str| assert_eq!(one(&story, variable).as_deref(), Some(expected), "{variable}");
    is("nihss_admission", "15 \"NIHSS 15\" of door");
    is("admission_datetime", "2023-05-09T09:10:00 \"Arrivée à 9 h 10\" of door");
    is("nihss_24h", "7 \"7 à 24 heures\" of crh");
    is("nihss_discharge", "4 \"4 à la sortie\" of crh");
    is("mrs_3_months", "2 \"Rankin à 2\" of visit");
    is("discharge_destination", "rehabilitation \"part en SSR\" of crh");
    is("in_hospital_death", "false \"part en SSR\" of crh");
    is("wake_up_stroke", "false \"7 h 50\" of door");
    is("atrial_fibrillation", "true \"FA paroxystique\" of crh");
    is("iv_thrombolysis", "true \"Bolus à 9 h 55\" of door");
    is("mechanical_thrombectomy", "true \"Ponction à 12 h 05\" of groin");
    is("length_of_stay_days", "13 \"ce jour\" of crh !");
    is("onset_to_needle_minutes", "125 \"Bolus à 9 h 55\" of door");
    is("onset_to_groin_minutes", "255 \"Ponction à 12 h 05\" of groin");
    assert_eq!(one(&story, "discharge_datetime"), None);
}

#[test]
fn every_finding_has_a_verdict() {
    let story = transfer();
    let episodes = resolve(&story, Patient::default());
    let count: usize = story.iter().map(|w| w.findings.len()).sum();
    assert_eq!(episodes[0].findings.len(), count);
    let verdict = |document: usize, finding: usize| {
        episodes[0].findings.iter().find(|w| (w.document, w.finding) == (document, finding)).unwrap().verdict
    };
    assert_eq!(verdict(0, 0), Verdict::Refused);
    assert_eq!(verdict(1, 2), Verdict::Chosen);
    assert_eq!(verdict(2, 1), Verdict::Differs);
    assert_eq!(verdict(3, 0), Verdict::Agrees);
    assert_eq!(verdict(4, 0), Verdict::Refused);
    assert_eq!(verdict(6, 1), Verdict::OutOfTime);
    let nihss = episodes[0].values.iter().find(|v| v.variable == "nihss_admission").unwrap();
    assert_eq!(nihss.candidates, 6);
}

#[test]
fn a_late_document_changes_the_value_and_not_the_name() {
    let story = transfer();
    let some = &story[2..4];
    let before = resolve(some, Patient::default());
    assert_eq!(in_episode(some, &before[0], "nihss_admission").as_deref(), Some("15 \"NIHSS initial à 15\" of crh"));
    assert_eq!(in_episode(some, &before[0], "atrial_fibrillation").as_deref(), Some("true \"FA paroxystique\" of crh"));
    let after = resolve(&story, Patient::default());
    assert_eq!(before[0].episode.key, after[0].episode.key);
}

#[test]
fn two_strokes_keep_their_values() {
    let mut story = transfer();
    story.push(write(
        "again",
        Emergency,
        "2024-02-01 09:00",
        "E",
        "Début à {onset_datetime=2024-02-01 08:00@admission|8 h}. {nihss_admission=3@admission|NIHSS 3}. {iv_thrombolysis=false@stay|Pas de thrombolyse}.",
    ));
    let episodes = resolve(&story, Patient::default());
    let all: Vec<_> = episodes.iter().map(|e| (e.episode.key.as_str(), in_episode(&story, e, "nihss_admission").unwrap())).collect();
    assert_eq!(all, [("2023-1", "15 \"NIHSS 15\" of door".to_owned()), ("2024-1", "3 \"NIHSS 3\" of again".to_owned())]);
    assert_eq!(in_episode(&story, &episodes[1], "iv_thrombolysis").as_deref(), Some("false \"Pas de thrombolyse\" of again"));
}

#[test]
fn a_correction_wins() {
    let mut story = transfer();
    story[3] = write(
        "crh",
        Discharge,
        "2023-05-22",
        "B",
        "Repris avec la famille, le début est en réalité à {onset_datetime=2023-05-09 07:20@admission|7 h 20} et non {onset_datetime=2023-05-09 07:50@admission|7 h 50}.",
    );
    assert_eq!(one(&story, "onset_datetime").as_deref(), Some("2023-05-09T07:20:00 \"7 h 20\" of crh"));
    assert_eq!(one(&story, "onset_to_needle_minutes").as_deref(), Some("155 \"Bolus à 9 h 55\" of door"));
}

#[test]
fn hours_without_a_date_are_of_the_event() {
    let story = [
        write("door", Emergency, "2023-05-09 23:40", "A", "Début à {onset_datetime=2023-05-09 22:10@admission|22 h 10}."),
        write(
            "crh",
            Discharge,
            "2023-05-22",
            "B",
            "Thrombolyse à {thrombolysis_datetime=2023-05-22 00:20@stay|0 h 20}, début {onset_datetime=2023-05-21 22:10@stay|22 h 10}.",
        ),
    ];
    assert_eq!(one(&story, "thrombolysis_datetime").as_deref(), Some("2023-05-10T00:20:00 \"0 h 20\" of crh"));
    assert_eq!(one(&story, "onset_datetime").as_deref(), Some("2023-05-09T22:10:00 \"22 h 10\" of door"));
}

#[test]
fn an_exact_hour_wins_over_a_round_one() {
    let story = [
        write(
            "door",
            Emergency,
            "2023-05-09 10:40",
            "A",
            "{onset_datetime=2023-05-09 07:50@admission|7 h 50}, {thrombolysis_datetime=2023-05-09 09:25@stay|9 h 25}.",
        ),
        write("crh", Discharge, "2023-05-19", "A", "{thrombolysis_datetime=2023-05-09 09:00@stay|vers 9 h}."),
        write("visit", Consultation, "2023-08-19", "A", "{thrombolysis_datetime=2023-05-09 09:00@stay|9 h}."),
    ];
    assert_eq!(one(&story, "thrombolysis_datetime").as_deref(), Some("2023-05-09T09:25:00 \"9 h 25\" of door"));
}

#[test]
fn a_correcting_document_wins() {
    let story = [
        write("scan", Imaging, "2023-05-09 09:00", "A", "IRM. {occlusion_site=m1@stay|Occlusion M1} gauche."),
        write(
            "note",
            Progress,
            "2023-05-09 11:00",
            "A",
            "On retient {occlusion_site=m1@stay|occlusion M1}. {nihss_admission=9@admission|NIHSS 9}",
        ),
        write(
            "again",
            Imaging,
            "2023-05-10 09:00",
            "A",
            "COMPTE RENDU RECTIFICATIF. {occlusion_site=m2@stay|Occlusion M2} proximale gauche.",
        ),
    ];
    assert_eq!(one(&story, "occlusion_site").as_deref(), Some("m2 \"Occlusion M2\" of again"));
}

#[test]
fn copies_count_once_and_keep_their_meaning() {
    let sentence = "Examen d'entrée : hémiplégie gauche, négligence, {nihss_admission=14@admission|NIHSS 14} au total.";
    let copy = |id, time| {
        let mut copy = write(id, Progress, time, "A", sentence);
        copy.findings[0].variable = "nihss_24h".into();
        copy.findings[0].anchor = Anchor::Day1;
        copy
    };
    let story = [
        write("door", Emergency, "2023-05-09 09:00", "A", sentence),
        copy("day", "2023-05-10 09:00"),
        copy("next", "2023-05-11 09:00"),
        write("nurse", Nursing, "2023-05-10 10:00", "A", "{nihss_24h=6@24h|NIHSS 6} ce matin."),
    ];
    assert_eq!(one(&story, "nihss_24h").as_deref(), Some("6 \"NIHSS 6\" of nurse"));
    // The same score copied twice is no majority.
    let seen = "Relevé du jour par l'interne de garde : {nihss_24h=8@24h|NIHSS 8} à la visite.";
    let story = [
        write("door", Emergency, "2023-05-09 09:00", "A", "{nihss_admission=14@admission|NIHSS 14}"),
        write("a", Progress, "2023-05-10 09:00", "A", seen),
        write("b", Progress, "2023-05-11 09:00", "A", seen),
        write("c", Nursing, "2023-05-10 08:00", "A", "{nihss_24h=9@24h|NIHSS 9} à la relève de la nuit."),
        write("d", Discharge, "2023-05-18", "A", "Score {nihss_24h=9@24h|de 9 à 24 heures}."),
    ];
    assert_eq!(one(&story, "nihss_24h").as_deref(), Some("9 \"NIHSS 9\" of c !"));
}

#[test]
fn equally_good_sources_conflict() {
    let story = [
        write("a", Progress, "2023-05-10 09:00", "A", "{nihss_24h=5@24h|NIHSS 5}"),
        write("b", Progress, "2023-05-10 10:00", "A", "{nihss_24h=7@24h|NIHSS 7}"),
    ];
    assert_eq!(one(&story, "nihss_24h").as_deref(), Some("5 \"NIHSS 5\" of a !"));
}

#[test]
fn words_come_from_the_document_that_is_asked_for() {
    let story = |value: &str| {
        let said = |words: &str| format!("{{prior_statin={value}@pre_stroke|{words}}}.");
        [
            write("gp", Referral, "2023-05-08 18:00", "A", &said("la lettre")),
            write(
                "door",
                Emergency,
                "2023-05-09 09:00",
                "A",
                &format!("{{nihss_admission=14@admission|NIHSS 14}}. {}", said("les urgences")),
            ),
            write("crh", Discharge, "2023-05-18", "A", &said("la sortie")),
        ]
    };
    assert_eq!(one(&story("true"), "prior_statin").as_deref(), Some("true \"les urgences\" of door"));
    assert_eq!(one(&story("false"), "prior_statin").as_deref(), Some("false \"la sortie\" of crh"));
}

#[test]
fn deaths() {
    let stroke = || write("door", Emergency, "2023-05-09 09:00", "A", "Début {onset_datetime=2023-05-09 07:50@admission|7 h 50}.");
    let inside = [stroke(), write("crh", Discharge, "2023-05-14", "A", "{in_hospital_death=true@stay/2023-05-14 03:00|Décédé le 14 mai}.")];
    assert_eq!(one(&inside, "in_hospital_death").as_deref(), Some("true \"Décédé le 14 mai\" of crh"));
    assert_eq!(one(&inside, "mrs_3_months"), None);
    assert_eq!(one(&inside, "discharge_destination").as_deref(), Some("death \"Décédé le 14 mai\" of crh"));

    let out = "{discharge_destination=nursing_home@discharge|Retour en EHPAD}.";
    let after = [
        stroke(),
        write("crh", Discharge, "2023-05-20", "A", out),
        write(
            "call",
            Consultation,
            "2023-08-10",
            "",
            "Nous apprenons que {in_hospital_death=true@stay/2023-06-30|elle est décédée le 30 juin}.",
        ),
    ];
    assert_eq!(one(&after, "in_hospital_death").as_deref(), Some("false \"Retour en EHPAD\" of crh"));
    assert_eq!(one(&after, "mrs_3_months").as_deref(), Some("6 \"elle est décédée le 30 juin\" of call"));
    assert_eq!(one(&after, "discharge_destination").as_deref(), Some("nursing_home \"Retour en EHPAD\" of crh"));
}

#[test]
fn no_treatment_has_no_result() {
    let story = [write(
        "door",
        Emergency,
        "2023-05-09 09:00",
        "A",
        "{onset_datetime=2023-05-09 07:50@admission|7 h 50}. {mechanical_thrombectomy=false@stay|Pas de thrombectomie}. {mtici=3@stay|TICI 3} visé.",
    )];
    assert_eq!(one(&story, "mechanical_thrombectomy").as_deref(), Some("false \"Pas de thrombectomie\" of door"));
    assert_eq!(one(&story, "mtici"), None);
}

#[test]
fn a_waking_has_no_hour_of_onset() {
    let story = [write(
        "door",
        Emergency,
        "2023-05-09 09:00",
        "A",
        "Vu bien à {last_seen_well_datetime=2023-05-08 23:00@admission|23 h}, {wake_up_stroke=true@stay|au réveil} ; {onset_datetime=2023-05-09 06:30@admission|6 h 30}.",
    )];
    assert_eq!(one(&story, "wake_up_stroke").as_deref(), Some("true \"au réveil\" of door"));
    assert_eq!(one(&story, "onset_datetime"), None);
    assert_eq!(one(&story, "last_seen_well_datetime").as_deref(), Some("2023-05-08T23:00:00 \"23 h\" of door"));
}

#[test]
fn the_record_gives_age_and_sex() {
    let story = [write(
        "door",
        Emergency,
        "2023-05-09 09:00",
        "A",
        "Patiente de {age=71@admission|71 ans}, {admission_datetime=2023-05-09 08:50@admission|arrivée 8 h 50}. {nihss_admission=3@admission|NIHSS 3}",
    )];
    let patient = |year| Patient { birth_date: NaiveDate::from_ymd_opt(year, 5, 10), female: Some(true) };
    let told = |year, variable| in_episode(&story, &resolve(&story, patient(year))[0], variable).unwrap();
    assert_eq!(told(1951, "age"), "71 \"71 ans\" of door");
    assert_eq!(told(1950, "age"), "72 \"71 ans\" of door !");
    assert_eq!(told(1951, "sex"), "female");
}

proptest! {
    #[test]
    fn the_order_of_documents_does_not_matter(seed in proptest::collection::vec(any::<u32>(), 9), reverse in any::<bool>()) {
        let mut story = transfer();
        story.push(write("twin", Discharge, "2023-05-22", "B", "{nihss_admission=16@admission|NIHSS 16} et {nihss_24h=7@24h|7} et {nihss_24h=8@24h|8}."));
        story.push(write("again", Emergency, "2023-06-20 07:00", "E", "{onset_datetime=2023-06-20 06:00@admission|6 h}. {nihss_admission=3@admission|NIHSS 3}."));
        let tell = |written: &[Written]| -> Vec<Vec<String>> {
            let tell = |e: &ResolvedEpisode| {
                let names = e.values.iter().chain(&e.derived).map(|v| v.variable.clone());
                names.map(|v| format!("{v} {} {}", in_episode(written, e, &v).unwrap(), e.episode.key)).collect()
            };
            resolve(written, Patient::default()).iter().map(tell).collect()
        };
        let expected = tell(&story);
        let mut keyed: Vec<_> = seed.iter().zip(story).collect();
        keyed.sort_by_key(|(key, _)| **key);
        let mut shuffled: Vec<Written> = keyed.into_iter().map(|(_, w)| w).collect();
        if reverse {
            // Nor does the order in which findings come.
            shuffled.iter_mut().for_each(|w| w.findings.reverse());
        }
        prop_assert_eq!(tell(&shuffled), expected);
    }
}

/// Sent home from the emergency ward, back two days later with the stroke.
#[test]
fn a_passage_before_the_stay_is_not_its_admission() {
    let story = |second: DocumentKind| {
        [
            write(
                "passage",
                Emergency,
                "2031-03-04 18:00",
                "A",
                "{nihss_admission=0@admission|NIHSS 0}, {sbp_admission=151@admission|TA 151/80}, rentre chez lui.",
            ),
            write(
                "return",
                second,
                "2031-03-06 10:00",
                "A",
                "Début à {onset_datetime=2031-03-06 09:00@admission|9 h}. {nihss_admission=12@admission|NIHSS 12}, {sbp_admission=172@admission|TA 172/90}.",
            ),
            write(
                "crh",
                Discharge,
                "2031-03-12 10:00",
                "A",
                "Hospitalisé du 06/03/2031 au 12/03/2031. {mrs_discharge=1@discharge|Rankin 1}.",
            ),
        ]
    };
    assert_eq!(one(&story(Emergency), "nihss_admission").as_deref(), Some("12 \"NIHSS 12\" of return"));
    assert_eq!(one(&story(Emergency), "sbp_admission").as_deref(), Some("172 \"TA 172/90\" of return"));
    // A second hospital that takes over has a stay of its own, and no door.
    assert_eq!(one(&story(Progress), "sbp_admission").as_deref(), Some("151 \"TA 151/80\" of passage !"));
}

#[test]
fn a_visit_recalls_the_stay() {
    let written = [
        write(
            "1",
            Emergency,
            "2031-05-02 10:00",
            "a",
            "{stroke_type=ischemic@admission|AVC} {admission_datetime=2031-05-02 09:10@admission|arrivée 9 h 10}",
        ),
        write(
            "2",
            Consultation,
            "2031-08-04 10:00",
            "b",
            "Hospitalisée du 02/05 au 11/05/2031. {nihss_discharge=3@discharge|NIHSS de sortie 3}",
        ),
    ];
    assert_eq!(one(&written, "nihss_discharge").as_deref(), Some("3 \"NIHSS de sortie 3\" of 2"));
    assert_eq!(one(&written, "length_of_stay_days").as_deref(), Some("9 \"02/05 au 11/05/2031\" of 2"));
    let ward = write("2", Rehabilitation, "2031-08-04 10:00", "b", "{nihss_discharge=3@discharge|NIHSS de sortie 3}");
    assert_eq!(one(&[written[0].clone(), ward], "nihss_discharge"), None);
}

#[test]
fn an_evening_after_the_door_is_that_of_the_eve() {
    let written = [
        write(
            "1",
            Emergency,
            "2031-05-02 10:00",
            "a",
            "{stroke_type=ischemic@admission|AVC} {admission_datetime=2031-05-02 08:10@admission|arrivée 8 h 10}",
        ),
        write("2", Discharge, "2031-05-12 10:00", "a", "{last_seen_well_datetime=2031-05-02 21:40@admission|vu bien à 21 h 40}"),
    ];
    assert_eq!(one(&written, "last_seen_well_datetime").as_deref(), Some("2031-05-01T21:40:00 \"vu bien à 21 h 40\" of 2"));
}

/// Days of headaches before the door: the hour of arrival is of the day of the door.
#[test]
fn who_comes_days_after_the_onset_comes_on_the_day_of_the_door() {
    let written = [
        write(
            "1",
            Emergency,
            "2031-05-06 11:00",
            "a",
            "{stroke_type=ischemic@admission|AVC} {onset_datetime=2031-05-03 18:00@admission|depuis le 3 mai à 18 h}, {admission_datetime=2031-05-06 09:05@admission|arrivée à 9 h 05}",
        ),
        write("2", Discharge, "2031-05-12 10:00", "a", "{mrs_discharge=1@discharge|Rankin 1}"),
    ];
    assert_eq!(one(&written, "admission_datetime").as_deref(), Some("2031-05-06T09:05:00 \"arrivée à 9 h 05\" of 1"));
}
