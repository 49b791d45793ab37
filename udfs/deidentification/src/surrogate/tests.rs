use super::*;
use crate::check_digit::luhn;
use crate::identity::Identity;

const PERSON: fn() -> Person = || Person {
    families: vec!["LE GOUËZ".to_owned(), "BERTHOMIER".to_owned()],
    givens: vec!["Maryvonne".to_owned()],
    birth_date: NaiveDate::from_ymd_opt(1944, 5, 17),
    female: Some(true),
    postal_codes: vec!["56860".to_owned()],
    cities: vec!["Séné".to_owned()],
    ..Person::default()
};

fn with<T>(body: impl Fn(&Surrogates, &SurrogateContext<'_>) -> T) -> T {
    let person = PERSON();
    let known = [(Label::Prenom, "Bérengère".to_owned()), (Label::Nom, "Quillivic".to_owned())];
    let context = SurrogateContext {
        key: b"a key of the tests",
        patient: "0123",
        shift_days: -21,
        person: Some(&person),
        reference: NaiveDate::from_ymd_opt(2024, 5, 2),
        known: &known,
        avoid: None,
        tagged: &[],
    };
    body(&Identity::built_in().surrogates, &context)
}

fn one(label: Label, text: &str) -> String {
    with(|lists, context| lists.one(context, label, text))
}

fn shape(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_ascii_digit() {
                '9'
            } else if c.is_ascii_alphabetic() {
                'a'
            } else {
                c
            }
        })
        .collect()
}

#[test]
fn a_person_has_one_surrogate_in_every_spelling() {
    let name = one(Label::Nom, "BERTHOMIER");
    assert_eq!(fold(&name), fold(&one(Label::Nom, "Berthomier")));
    assert_eq!(fold(&name), fold(&one(Label::Nom, "Bertomier")));
    assert_eq!(fold(&name), fold(&one(Label::Nom, "Bertohmier")));
    let other = one(Label::Nom, "Quillivic");
    assert_eq!(fold(&other), fold(&one(Label::Nom, "QUILLIVICK")));
    assert_ne!(fold(&name), fold(&other));
}

#[test]
fn keys_and_patients_part_surrogates() {
    let person = PERSON();
    let lists = &Identity::built_in().surrogates;
    let names = |key: &[u8], patient: &str| {
        let context =
            SurrogateContext { key, patient, shift_days: 1, person: Some(&person), reference: None, known: &[], avoid: None, tagged: &[] };
        ["Quillivic", "Ansquer", "Rioualec", "Berthomier"].map(|n| lists.one(&context, Label::Nom, n))
    };
    assert_ne!(names(b"k", "p"), names(b"l", "p"));
    assert_ne!(names(b"k", "p"), names(b"k", "q"));
}

#[test]
fn case_particles_hyphens_and_gender_stay() {
    let upper = one(Label::Nom, "LE GOUËZ");
    assert!(upper.starts_with("LE ") && upper.to_uppercase() == upper, "{upper}");
    let double = one(Label::Nom, "Ansquer-Rioualec");
    assert_eq!(double.matches('-').count(), 1, "{double}");
    assert!(double.split('-').all(|p| p.starts_with(char::is_uppercase)), "{double}");
    assert_eq!(double.split('-').next().map(fold), Some(fold(&one(Label::Nom, "Ansquer"))));
    with(|lists, context| {
        for (name, female) in [("Maryvonne", true), ("Bérengère", true), ("Gildas", false), ("Paul", false), ("Nathalie", true)] {
            let surrogate = lists.one(context, Label::Prenom, name);
            assert_eq!(lists.gender(&fold(&surrogate)), Some(female), "{name} became {surrogate}");
        }
    });
    assert!(one(Label::Nom, "MORVAN").is_ascii());
    let lower = one(Label::Nom, "ansquer");
    assert_eq!(lower, lower.to_lowercase());
}

#[test]
fn initials_are_those_of_the_surrogate() {
    let given = one(Label::Prenom, "Maryvonne");
    assert_eq!(one(Label::Prenom, "M."), format!("{}.", &fold(&given)[..1].to_uppercase()));
    let staff = one(Label::Prenom, "Bérengère");
    assert_eq!(one(Label::Prenom, "B."), format!("{}.", &fold(&staff)[..1].to_uppercase()));
    let monogram = one(Label::Nom, "PJ");
    assert!(monogram.chars().count() == 2 && monogram != "PJ" && monogram.chars().all(char::is_uppercase), "{monogram}");
}

#[test]
fn phones_are_fictional_and_keep_their_shape() {
    for (text, start) in [
        ("02 97 44 18 20", "02 61 91 "),
        ("06.71.33.90.12", "06.39.98."),
        ("0714223344", "063998"),
        ("+33 2 97 44 18 20", "+33 2 61 91 "),
        ("+33 (0)4 97 44 18 20", "+33 (0)4 65 71 "),
        ("0033 1 97 44 18 20", "0033 1 99 00 "),
        ("06 39 98 12 34", "06 39 98 "),
    ] {
        let phone = one(Label::Tel, text);
        assert!(phone.starts_with(start) && phone != text, "{text} became {phone}");
        assert_eq!(shape(&phone), shape(text));
    }
    let extension = one(Label::Tel, "44 17");
    assert!(extension != "44 17" && shape(&extension) == "99 99", "{extension}");
    assert_eq!(one(Label::Tel, "02 97 44 18 20").replace(' ', ""), one(Label::Tel, "0297441820"));
}

#[test]
fn social_security_numbers_are_valid_and_of_nobody() {
    let text = "2 44 05 56 243 018 60";
    let number = one(Label::Secu, text);
    assert_eq!(shape(&number), shape(text));
    let digits: String = number.chars().filter(char::is_ascii_digit).collect();
    // The birth moved from May to April with the dates.
    assert!(digits.starts_with("2440499999"), "{digits}");
    assert_eq!(digits[..13].parse::<u64>().unwrap() % 97 + digits[13..].parse::<u64>().unwrap(), 97);
}

#[test]
fn professional_numbers_stay_valid_where_they_were() {
    let valid = one(Label::Rpps, "10101010105");
    assert_eq!(luhn("10101010105"), luhn(&valid), "{valid}");
    let wrong = one(Label::Rpps, "10101010104");
    assert_eq!(shape(&wrong), "9".repeat(11));
    assert_ne!(wrong, "10101010104");
}

#[test]
fn numbers_keep_their_format_and_one_value() {
    let id = one(Label::Id, "IRM-2405020087");
    assert!(shape(&id) == shape("IRM-2405020087") && id != "IRM-2405020087", "{id}");
    assert_eq!(one(Label::Ipp, "803 344 127").replace(' ', ""), one(Label::Ipp, "803344127"));
    assert!(one(Label::Ipp, "00412290").starts_with('0'));
}

#[test]
fn places_keep_their_kind() {
    let town = one(Label::Ville, "Lorient");
    assert_eq!(town.to_uppercase().replace(char::is_whitespace, ""), one(Label::Ville, "Lorient").to_uppercase());
    let hospital = one(Label::Hopital, "CHU de Lorient");
    assert_eq!(hospital, format!("CHU de {town}"));
    let elided = one(Label::Hopital, "Centre hospitalier d'Auray");
    assert!(elided.starts_with("Centre hospitalier d'") && !elided.contains("Auray"), "{elided}");
    assert!(vowel(&elided["Centre hospitalier d'".len()..]), "{elided}");
    for (text, start) in [("Clinique des Embruns", "Clinique "), ("EHPAD Les Korrigans", "EHPAD "), ("HÔPITAL SAINT-HERNIN", "HÔPITAL ")]
    {
        let other = one(Label::Hopital, text);
        assert!(other.starts_with(start) && other != text, "{text} became {other}");
    }
    let own = one(Label::Ville, "Séné");
    let named = one(Label::Hopital, "Clinique des Embruns de Séné");
    assert!(named.starts_with(&one(Label::Hopital, "Clinique des Embruns")) && named.ends_with(&format!(" de {own}")), "{named}");
    assert_eq!(one(Label::Hopital, "CHU ST-HERNIN"), one(Label::Hopital, "CHU SAINT-HERNIN"));
    let short = one(Label::Adresse, "3 av. de la Vilaine");
    assert!(short[1..].starts_with(" av. d"), "{short}");
    let address = one(Label::Adresse, "12 bis rue des Korrigans");
    assert!(address.contains(" bis rue d") && !address.contains("Korrigans") && !address.starts_with("12 "), "{address}");
    let avenue = one(Label::Adresse, "13 avenue des Allées");
    assert!(avenue.contains(" avenue d") && !avenue.contains("Allées"), "{avenue}");
    let words = |town: &str| one(Label::Ville, town).split(|c: char| !c.is_alphanumeric()).count();
    assert!(["Lorient", "Auray", "Plouha", "SARZEAU"].iter().all(|t| words(t) == 1));
    assert!(["Saint-Avé", "Arzon sur Mer", "Étel-le-Bas"].iter().all(|t| words(t) > 1));
    let town = one(Label::Ville, "VANNES CEDEX 9");
    assert!(town.ends_with(" CEDEX") && !town.contains("VANNES"), "{town}");
}

fn vowel(text: &str) -> bool {
    fold(text).starts_with(['a', 'e', 'i', 'o', 'u', 'y'])
}

#[test]
fn no_surrogate_is_known_of_the_patient() {
    let lists = &Identity::built_in().surrogates;
    let words: FxHashSet<Box<str>> = lists
        .families
        .iter()
        .chain(lists.towns.iter().flatten())
        .flat_map(|n| fold(n).split(|c: char| !c.is_alphanumeric()).map(Box::from).collect::<Vec<Box<str>>>())
        .filter(|w| !"aeg".contains(&w[..w.len().min(1)]))
        .collect();
    with(|lists, context| {
        let context = SurrogateContext { avoid: Some(&words), ..*context };
        for name in ["Quillivic", "Ansquer", "Rioualec"] {
            let surrogate = lists.one(&context, Label::Nom, name);
            assert!(!words.contains(fold(&surrogate).as_str()), "{name} became {surrogate}");
            let town = lists.one(&context, Label::Ville, name);
            assert!(!context.holds_known(&town), "{name} became {town}");
        }
    });
}

#[test]
fn a_postal_code_goes_with_its_town() {
    let text = "56860 SÉNÉ, puis 56860";
    let spans = [(0, 5, Label::Zip), (6, 12, Label::Ville), (19, 24, Label::Zip)].map(|(start, end, label)| Span {
        start,
        end,
        label,
        detector: "test".into(),
        score: 1.0,
    });
    let found = with(|lists, context| lists.of(context, text, &spans));
    assert_eq!(found[0], found[2]);
    assert_ne!(&found[0][..2], "56");
}

#[test]
fn mails_lead_nowhere() {
    let mail = one(Label::Mail, "maryvonne.berthomier44@wanadou.fr");
    let given = fold(&one(Label::Prenom, "Maryvonne"));
    assert!(mail.starts_with(&format!("{given}.{}", fold(&one(Label::Nom, "Berthomier")))) && mail.ends_with(".invalid"), "{mail}");
    assert!(one(Label::Mail, "https://www.ch-lorient.fr").starts_with("https://www."));
}

proptest::proptest! {
    #[test]
    fn any_text_has_another_surrogate(text in "[A-Za-zéÉ'’. 0-9@-]{0,24}", label in 0usize..15) {
        let label = Label::ALL[label];
        let once = one(label, &text);
        proptest::prop_assert_eq!(&once, &one(label, &text));
        let names = matches!(label, Label::Ville | Label::Ipp | Label::Nda | Label::Id | Label::Tel | Label::Secu | Label::Rpps);
        if names && text.chars().filter(char::is_ascii_alphanumeric).count() > 1 {
            proptest::prop_assert_ne!(once, text);
        }
    }

    #[test]
    fn names_never_stay(text in "[A-ZÉ][a-zé]{2,12}([ -][A-Z][a-z]{2,8})?", label in 0usize..2) {
        let surrogate = one(Label::ALL[label], &text);
        for (a, b) in text.split([' ', '-']).zip(surrogate.split([' ', '-'])) {
            let particle = ["le", "la", "les", "du", "des", "van", "von", "der", "den", "ben", "bel", "mac", "dos", "del", "ait", "bou", "abou", "ould", "mme", "mlle", "ste", "saint", "sainte", "della", "epouse", "nee"];
            if !particle.contains(&fold(a).as_str()) || text == a {
                proptest::prop_assert_ne!(fold(a), fold(b));
            }
        }
    }
}
