//! Invented people and places: patient, site, doctors.

use chrono::{Datelike, NaiveDate};

use super::grammar::{Fields, Grammar};
use super::random::Random;

/// The patient.
#[derive(Debug, Clone)]
pub struct Person {
    pub female: bool,
    pub family: String,
    /// Family name before marriage, of some women.
    pub maiden: Option<String>,
    pub given: String,
    pub birth: NaiveDate,
    pub street: String,
    pub zip: String,
    pub town: String,
    pub phone: String,
    /// The hospital's own number of the patient.
    pub ipp: String,
    /// Social security number with its key.
    pub nir: String,
    /// Given name of the spouse or child who tells the story.
    pub relative: String,
    pub doctor: Doctor,
}

/// A doctor, by name and registration number.
#[derive(Debug, Clone)]
pub struct Doctor {
    pub given: String,
    pub family: String,
    pub rpps: String,
}

/// The hospital of the stay.
#[derive(Debug, Clone)]
pub struct Site {
    pub name: String,
    pub town: String,
    pub zip: String,
    pub phone: String,
}

/// Names need nothing of a case.
struct Nothing;

impl Fields for Nothing {
    fn field(&self, _: &str, _: &mut String) -> bool {
        false
    }
    fn flag(&self, _: &str) -> Option<bool> {
        None
    }
    fn list(&self, _: &str) -> Option<Vec<&'static str>> {
        None
    }
    fn seed(&self) -> u64 {
        0
    }
}

fn draw(grammar: &Grammar, rule: &str, random: &mut Random) -> String {
    let mut out = String::new();
    grammar.render(rule, &Nothing, random, &mut out);
    out
}

impl Doctor {
    /// A doctor who is not of the patient's name.
    pub fn draw(grammar: &Grammar, patient: &str, random: &mut Random) -> Doctor {
        let given = draw(grammar, if random.chance(50) { "given_female" } else { "given_male" }, random);
        let mut rpps = format!("10{:08}", random.below(100_000_000));
        rpps.push(luhn(&rpps));
        let mut family = draw(grammar, "any_family", random);
        while family == patient {
            family = draw(grammar, "any_family", random);
        }
        Doctor { given, family, rpps }
    }
}

impl Person {
    /// A person of an age on a day.
    pub fn draw(grammar: &Grammar, index: usize, age: i64, on: NaiveDate, random: &mut Random) -> Person {
        let female = random.chance(47);
        let given = draw(grammar, if female { "given_female" } else { "given_male" }, random);
        let family = draw(grammar, "any_family", random);
        let maiden = (female && random.chance(60)).then(|| draw(grammar, "any_family", random)).filter(|m| *m != family);
        // Between the day of that birthday and the day before the next one.
        let day = i64::from(on.num_days_from_ce()) - age * 36525 / 100 - random.between(2, 360);
        let birth = NaiveDate::from_num_days_from_ce_opt(day as i32).unwrap_or(on);
        let place = draw(grammar, "any_place", random);
        let (zip, town) = place.split_once(' ').unwrap_or(("00000", &place));
        let digits = format!(
            "{}{:02}{:02}{:02}{:03}{:03}",
            if female { 2 } else { 1 },
            birth.year() % 100,
            birth.month(),
            random.between(96, 98),
            random.between(1, 990),
            random.between(1, 999)
        );
        let key = 97 - digits.parse::<u64>().unwrap_or(0) % 97;
        let doctor = Doctor::draw(grammar, &family, random);
        Person {
            female,
            family,
            maiden,
            given,
            birth,
            street: draw(grammar, "any_street", random),
            zip: zip.to_owned(),
            town: town.to_owned(),
            phone: format!("06 39 98 {:02} {:02}", random.below(100), random.below(100)),
            ipp: format!("{:08}", 20_000_000 + index),
            nir: format!("{digits}{key:02}"),
            relative: draw(grammar, if female { "given_male" } else { "given_female" }, random),
            doctor,
        }
    }

    /// Whole years on a day.
    pub fn age_on(&self, day: NaiveDate) -> i64 {
        let years = day.year() - self.birth.year();
        i64::from(years) - i64::from((day.month(), day.day()) < (self.birth.month(), self.birth.day()))
    }
}

impl Site {
    pub fn draw(grammar: &Grammar, random: &mut Random) -> Site {
        let line = draw(grammar, "any_site", random);
        let mut parts = line.split(';').map(str::to_owned);
        let mut part = || parts.next().unwrap_or_default();
        let (name, zip, town) = (part(), part(), part());
        Site { name, zip, town, phone: format!("03 53 01 {:02} {:02}", random.below(100), random.below(100)) }
    }
}

/// The check digit that makes a number pass Luhn's test.
fn luhn(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(place, digit)| {
            let value = u32::from(digit - b'0') * if place % 2 == 0 { 2 } else { 1 };
            value / 10 + value % 10
        })
        .sum();
    char::from(b'0' + ((10 - sum % 10) % 10) as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn luhn_digit_of_a_known_number() {
        assert_eq!(luhn("7992739871"), '3');
    }

    #[test]
    fn age_and_numbers_agree() {
        let grammar = super::super::documents::grammar();
        let on = NaiveDate::from_ymd_opt(2024, 2, 29).unwrap_or_default();
        let mut random = Random::new(4, 0);
        for age in 25..97 {
            let person = Person::draw(grammar, 1, age, on, &mut random);
            assert_eq!(person.age_on(on), age);
            let (digits, key) = person.nir.split_at(13);
            let (digits, key): (u64, u64) = (digits.parse().unwrap_or(0), key.parse().unwrap_or(0));
            assert_eq!((digits + key) % 97, 0);
            assert!(!person.family.is_empty() && !person.given.is_empty() && !person.town.is_empty());
        }
    }
}
