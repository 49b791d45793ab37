//! Dates that letters tell: of the stay that they end ("hospitalisée du 3 au 15
//! mai", "sortie le 15 mai"), of the stroke that they follow up ("AVC du 3 mai").

use std::sync::OnceLock;

use chrono::{NaiveDate, NaiveDateTime};
use serde::Deserialize;
use sillage_clinical::is;
use sillage_clinical::phrase::Phrases;
use sillage_clinical::temporal::{Precision, TemporalExpression, TemporalKind};
use sillage_clinical::text::Text;
use sillage_clinical::trie::Hit;

const STAY: u32 = 0;
const LEAVES: u32 = 1;
const ENTERS: u32 = 2;
const STROKE: u32 = 3;
const TODAY: u32 = 4;
/// Words between the cue and its date.
const REACH: usize = 12;
const CLOSE: usize = 4;
/// Words between the first day of a stay and its last one.
const ASIDE: usize = 24;
/// Tokens between two parts of one stay.
const PART: usize = 12;
/// The letter is written at most that many days after the end.
const DELAY: i64 = 45;
/// No acute stay is longer, in days.
const LONGEST: i64 = 200;

/// A date and the bytes that tell it.
pub(crate) type Dated = (NaiveDate, usize, usize);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    stay: Vec<String>,
    enters: Vec<String>,
    leaves: Vec<String>,
    today: Vec<String>,
    stroke: Vec<String>,
}

fn read(text: &str) -> Result<Phrases, String> {
    let words: Words = toml::from_str(text).map_err(|e| e.to_string())?;
    let mut phrases = Phrases::default();
    for (value, list) in [(STAY, words.stay), (LEAVES, words.leaves), (ENTERS, words.enters), (STROKE, words.stroke), (TODAY, words.today)]
    {
        for phrase in list {
            phrases.add(&phrase, value).map_err(|e| format!("{phrase:?}: {e}"))?;
        }
    }
    phrases.finish();
    Ok(phrases)
}

fn words() -> &'static Phrases {
    static WORDS: OnceLock<Phrases> = OnceLock::new();
    WORDS.get_or_init(|| match read(include_str!("../../data/stays.toml")) {
        Ok(words) => words,
        Err(error) => unreachable!("a test reads the embedded data: {error}"),
    })
}

/// What is read of a letter once.
struct Letter<'a> {
    text: &'a Text<'a>,
    times: &'a [TemporalExpression],
    cues: Vec<Hit>,
    time: Option<NaiveDateTime>,
}

impl<'a> Letter<'a> {
    fn new(text: &'a Text<'a>, times: &'a [TemporalExpression], time: Option<NaiveDateTime>) -> Letter<'a> {
        let phrases = words();
        let ids = phrases.read(text);
        let cues = phrases.find(text, &ids, 0..ids.len());
        Letter { text, times, cues, time }
    }

    /// Such words stand before the time, at most so many words away.
    fn behind(&self, value: u32, time: &TemporalExpression, reach: usize) -> bool {
        let first = self.text.token_at(time.start);
        let cues = self.cues[..self.cues.partition_point(|c| c.start < first)].iter().rev().take(2 * REACH);
        cues.into_iter().any(|c| c.value == value && c.end <= first + 1 && first.saturating_sub(c.end) < reach)
    }

    fn dates(&self) -> impl Iterator<Item = (&TemporalExpression, NaiveDate)> {
        let dates = self.times.iter().filter(|t| t.kind == TemporalKind::Date && t.precision >= Precision::Day);
        dates.filter_map(|t| Some((t, t.value?.date())))
    }

    /// The letter is of that day or soon after it.
    fn recent(&self, day: NaiveDate) -> bool {
        self.time.is_none_or(|t| (-1..=DELAY).contains(&(t.date() - day).num_days()))
    }
}

/// First and last day of the stay that a letter tells of.
pub(crate) fn told_stay(text: &Text<'_>, times: &[TemporalExpression], time: Option<NaiveDateTime>) -> (Option<Dated>, Option<Dated>) {
    let letter = Letter::new(text, times, time);
    let possible = |first: NaiveDate, last: NaiveDate| (0..=LONGEST).contains(&(last - first).num_days()) && letter.recent(last);
    let periods = || letter.times.iter().filter(|t| t.kind == TemporalKind::Period && t.precision >= Precision::Day);
    let ends = |t: &TemporalExpression| Some((t.value?.date(), t.until?.date())).filter(|(first, last)| possible(*first, *last));
    let stay = periods().filter(|t| letter.behind(STAY, t, REACH)).find_map(|t| {
        let (first, last) = ends(t)?;
        // "Timone du 11 au 13/06, UNV d'Aix du 13 au 19/06": one part after the other.
        let mut until = (last, t.start, t.end);
        for next in periods().filter(|n| n.start >= t.end) {
            match ends(next) {
                Some((from, to)) if from == until.0 && letter.text.token_at(next.start) - letter.text.token_at(until.2 - 1) < PART => {
                    until = (to, next.start, next.end)
                }
                _ => break,
            }
        }
        Some(((first, t.start, t.end), until))
    });
    if let Some((first, last)) = stay {
        return (Some(first), Some(last));
    }
    // "entrée le 3/5, sortie le 15/5", "hospitalisation du 3/5 (par les urgences) au 15/5".
    let before = |day: NaiveDate| time.is_none_or(|t| day < t.date());
    let entry = letter.dates().find(|(t, day)| before(*day) && letter.behind(ENTERS, t, CLOSE));
    let until = |t: &TemporalExpression| {
        let first = letter.text.token_at(t.start);
        let until = first > 0 && is!(letter.text.key(first - 1), "au");
        until && entry.is_some_and(|(e, _)| e.end < t.start && first - letter.text.token_at(e.end - 1) < ASIDE)
    };
    let left = letter.dates().find(|(t, day)| {
        letter.recent(*day) && entry.is_none_or(|(_, first)| possible(first, *day)) && (letter.behind(LEAVES, t, CLOSE) || until(t))
    });
    let dated = |(t, day): (&TemporalExpression, NaiveDate)| (day, t.start, t.end);
    let entry = entry.filter(|(_, first)| letter.time.is_none_or(|t| (0..=LONGEST).contains(&(t.date() - *first).num_days())));
    (entry.map(dated), left.map(dated))
}

/// The first stay that a later letter recalls with both its ends.
pub(crate) fn recalled_stay(
    text: &Text<'_>,
    times: &[TemporalExpression],
    time: Option<NaiveDateTime>,
) -> Option<(NaiveDate, NaiveDate, (usize, usize))> {
    let letter = Letter::new(text, times, time);
    let possible = |first: NaiveDate, last: NaiveDate| {
        (0..=LONGEST).contains(&(last - first).num_days())
            && letter.time.is_none_or(|t| (0..=LONGEST).contains(&(t.date() - last).num_days()))
    };
    let periods = times.iter().filter(|t| t.kind == TemporalKind::Period && t.precision >= Precision::Day);
    let stays = periods.filter(|t| letter.behind(STAY, t, REACH)).filter_map(|t| {
        let (first, last) = (t.value?.date(), t.until?.date());
        possible(first, last).then_some((first, last, (t.start, t.end)))
    });
    stays.min_by_key(|(first, ..)| *first)
}

/// The words by which the patient leaves on the day of the note.
pub(crate) fn leaves_today(text: &Text<'_>) -> Option<(usize, usize)> {
    let phrases = words();
    let ids = phrases.read(text);
    let found = phrases.find(text, &ids, 0..ids.len()).into_iter().find(|c| c.value == TODAY)?;
    let bytes = text.byte_range(found.start..found.end);
    Some((bytes.start, bytes.end))
}

/// The last stroke that a letter dates.
pub(crate) fn told_stroke(text: &Text<'_>, times: &[TemporalExpression], time: Option<NaiveDateTime>) -> Option<NaiveDate> {
    let letter = Letter::new(text, times, time);
    let past = |day: &NaiveDate| time.is_none_or(|t| *day < t.date());
    letter.dates().filter(|(t, _)| letter.behind(STROKE, t, CLOSE)).map(|(_, day)| day).filter(past).max()
}

#[cfg(test)]
mod tests {
    use sillage_clinical::temporal::temporal_expressions;

    use super::*;

    fn told(text: &str) -> (Option<String>, Option<String>) {
        let time = NaiveDate::from_ymd_opt(2023, 5, 22).unwrap().and_hms_opt(16, 0, 0);
        let read = Text::new(text);
        let (first, last) = told_stay(&read, &temporal_expressions(&read, time), time);
        let words = |d: Option<Dated>| d.map(|(day, start, end)| format!("{day} {}", &text[start..end]));
        (words(first), words(last))
    }

    #[test]
    fn words_are_read() {
        if let Err(error) = read(include_str!("../../data/stays.toml")) {
            panic!("{error}");
        }
    }

    #[test]
    fn stays_are_told() {
        let both = |first: &str, last: &str, words: &str| (Some(format!("{first} {words}")), Some(format!("{last} {words}")));
        assert_eq!(told("Elle a été hospitalisée du 9 au 22 mai 2023 pour un AVC."), both("2023-05-09", "2023-05-22", "9 au 22 mai 2023"));
        assert_eq!(
            told("Séjour du 09/05/2023 au 20/05/2023. Antibiotiques du 12 au 19 mai 2023."),
            both("2023-05-09", "2023-05-20", "09/05/2023 au 20/05/2023")
        );
        assert_eq!(told("Sortie le 21/05/2023 vers le SSR.").1.as_deref(), Some("2023-05-21 21/05/2023"));
        assert_eq!(
            told("Entrée le 09/05/2023, sortie le 21/05/2023."),
            (Some("2023-05-09 09/05/2023".into()), Some("2023-05-21 21/05/2023".into()))
        );
        assert_eq!(
            told("Hospitalisation du 09/05/2023 (par les urgences, 9 h 10) au 21/05/2023 en neurologie."),
            (Some("2023-05-09 09/05/2023".into()), Some("2023-05-21 21/05/2023".into()))
        );
        assert_eq!(told("Elle nous a été confiée du 9 au 20 mai 2023."), both("2023-05-09", "2023-05-20", "9 au 20 mai 2023"));
        assert_eq!(told("Compte rendu, séjour 09.05.2023 > 21.05.2023"), both("2023-05-09", "2023-05-21", "09.05.2023 > 21.05.2023"));
        assert_eq!(told("Entrée 09/05/2023 - Sortie 21/05/2023").1.as_deref(), Some("2023-05-21 21/05/2023"));
        assert_eq!(
            told("Séjour : urgences 09/05, CHU du 9 au 11/05, UNV du 11 au 22/05/2023."),
            (Some("2023-05-09 9 au 11/05".into()), Some("2023-05-22 11 au 22/05/2023".into()))
        );
        assert_eq!(told("Antibiotiques du 12 au 19 mai 2023."), (None, None));
        assert_eq!(told("Hospitalisée du 3 au 9 janvier 2019 pour une pneumopathie."), (None, None));
    }

    #[test]
    fn a_long_aside_may_part_the_ends() {
        assert_eq!(
            told("A été hospitalisée du 9 mai (Clinique des Tilleuls puis transfert le même jour chez nous) au 20 mai 2023.").1.as_deref(),
            Some("2023-05-20 20 mai 2023")
        );
    }

    #[test]
    fn a_visit_recalls_the_first_stay() {
        let time = NaiveDate::from_ymd_opt(2023, 9, 4).unwrap().and_hms_opt(16, 0, 0);
        let recalled = |text: &str| {
            let read = Text::new(text);
            recalled_stay(&read, &temporal_expressions(&read, time), time)
                .map(|(first, last, words)| format!("{first} {last} {}", &text[words.0..words.1]))
        };
        assert_eq!(
            recalled("Hospit du 09/05 au 18/05/2023, puis séjour en SSR du 18/05 au 30/06/2023.").as_deref(),
            Some("2023-05-09 2023-05-18 09/05 au 18/05/2023")
        );
        assert_eq!(recalled("Antibiotiques du 12/05 au 19/05/2023."), None);
    }

    #[test]
    fn a_note_says_that_the_patient_leaves() {
        let leaves = |text: &str| leaves_today(&Text::new(text)).map(|(start, end)| text[start..end].to_owned());
        assert_eq!(leaves("Staff du matin - sortie du jour").as_deref(), Some("sortie du jour"));
        assert_eq!(leaves("Départ SMR neuro ce jour 14 h").as_deref(), Some("Départ SMR neuro ce jour"));
        assert_eq!(leaves("Sortie de réanimation ce jour vers l'unité."), None);
        assert_eq!(leaves("Sortie à prévoir."), None);
    }

    #[test]
    fn strokes_are_dated() {
        let time = NaiveDate::from_ymd_opt(2023, 9, 4).unwrap().and_hms_opt(16, 0, 0);
        let told = |text: &str| {
            let text = Text::new(text);
            told_stroke(&text, &temporal_expressions(&text, time), time).map(|d| d.to_string())
        };
        assert_eq!(told("Revue à distance de son AVC ischémique du 9 mai 2023, après un AIT le 3/02/2019.").as_deref(), Some("2023-05-09"));
        assert_eq!(told("Chute le 9 mai 2023."), None);
        assert_eq!(told("AVC en 2023."), None);
    }
}
