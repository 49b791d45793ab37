use super::*;

/// The text with its parts: `{...}` unticked, `+...+` affirmed, `-...-` denied,
/// `?...?` open, `#...#` criterion, `=...=` title.
fn parts(text: &str) -> String {
    let read = Text::new(text);
    let form = Form::new(&read);
    let mut out = String::new();
    let sign = |part: Part| -> &str {
        if part.unticked() {
            "{"
        } else if part.criterion() {
            "#"
        } else if part.affirmed() {
            "+"
        } else if part.denied() {
            "-"
        } else if part.open() {
            "?"
        } else if part.title() {
            "="
        } else {
            ""
        }
    };
    let mut last = "";
    for at in 0..read.tokens.len() {
        let part = form.at(at);
        if part.is_box() {
            last = "";
            continue;
        }
        let now = sign(part);
        if !out.is_empty() {
            out.push(' ');
        }
        if now != last {
            out.push_str(now);
        }
        last = now;
        out.push_str(&read.original[read.tokens[at].range()]);
    }
    out
}

#[test]
fn an_answer_decides_about_its_question() {
    for text in [
        "Surdité [ ] oui [x] non",
        "Surdité : [ ] oui [X] non",
        "Surdité [] Oui [ x ] Non",
        "Surdité : ( ) oui (x) non",
        "Surdité ☐ oui ☒ non",
        "Surdité □ oui ■ non",
        "Surdité ○ Oui ● Non",
        "Surdité : |_| oui |X| non",
        "Surdité : oui [ ] non [x]",
        "Surdité   Oui ☐ Non ☑",
        "Surdité : oui ☐  non ✔",
        "Surdité \u{f0a8} oui \u{f0fe} non",
        "Surdité : [_] oui [*] non",
        "Surdité ? [ ] OUI  [X] NON",
        "Surdité {x} non { } oui",
        "Surdité : oui / non X",
        "Surdité ⬜ oui ✅ non",
    ] {
        let shown = parts(text);
        assert!(shown.starts_with("-Surdité") || shown.starts_with("-Surdité "), "{text:?}: {shown}");
    }
    for text in [
        "Surdité [x] oui [ ] non",
        "Surdité : oui ☒ non ☐",
        "Surdité ☑ Oui ☐ Non ☐ NSP",
        "Surdité : (X) présente ( ) absente",
        "☒ oui ☐ non  Surdité",
        "Surdité : Oui",
        "Surdité ........ oui",
        "Surdité\tOui\t",
        "Surdité = oui, appareillée",
        "Surdité\nOui",
    ] {
        let shown = parts(text);
        assert!(shown.contains("+Surdité"), "{text:?}: {shown}");
    }
}

#[test]
fn each_column_has_its_own_answer() {
    assert_eq!(
        parts("Asthme [x] oui [ ] non    Goutte [ ] oui [x] non Zona [x] oui [ ] non"),
        "+Asthme oui {non -Goutte {oui non +Zona oui {non"
    );
    assert_eq!(parts("Asthme : non     Goutte : oui | Zona : non"), "-Asthme : non +Goutte : oui | -Zona : non");
    assert_eq!(parts("Asthme : non, goutte : oui ; zona : non."), "-Asthme : non , +goutte : oui ; -zona : non .");
    assert_eq!(parts("Zona : jamais    Goutte : non"), "Zona : jamais -Goutte : non");
    assert_eq!(parts("Antécédents : coqueluche, asthme : non"), "Antécédents : coqueluche , -asthme : non");
}

#[test]
fn a_ticked_box_may_deny_its_question() {
    for text in [
        "Vaccin : [x] contre-indiqué",
        "Vaccin : [ ] fait [X] refusé",
        "Vaccin ☒ sans objet ☐ fait",
        "Vaccin : [x] récusé par le patient",
        "Vaccin : [x] pas d'indication",
        "Vaccin : [x] non réalisé",
    ] {
        let shown = parts(text);
        assert!(shown.starts_with("-Vaccin"), "{text:?}: {shown}");
    }
    assert!(!parts("Vaccin : [ ] contre-indiqué [x] rappel").starts_with('-'));
}

#[test]
fn what_an_empty_box_offers_was_not_chosen() {
    assert_eq!(parts("Venue : [ ] seule [x] en taxi [ ] à pied"), "Venue : {seule en taxi {à pied");
    assert_eq!(parts("☒ taxi ☐ vélo ☐ train"), "taxi {vélo {train");
    assert_eq!(parts("taxi ☒  vélo ☐  train ☐"), "taxi {vélo {train");
    assert_eq!(parts("Zona [X]   asthme [ ] non   goutte [ ] non"), "Zona -asthme {non -goutte {non");
    assert_eq!(parts("Zona [X]   asthme [ ]    goutte [ ] non"), "Zona {asthme -goutte {non");
    assert_eq!(parts("Lésion [ ] A [ ] B [x] aucune"), "-Lésion {A {B aucune");
    assert_eq!(parts("Stade : 0 [ ] 1 [ ] 2 [x]"), "Stade : {0 {1 2");
    assert_eq!(parts("Sexe : [x] M [ ] F      Stade : 3"), "Sexe : M {F Stade : 3");
    assert_eq!(parts("Asthme [ ] oui [x] non. Coeur : normal"), "-Asthme {oui non . Coeur : normal");
}

#[test]
fn a_form_that_nobody_filled_in_says_nothing() {
    assert_eq!(parts("[ ] taxi [ ] vélo"), "taxi vélo");
    assert_eq!(parts("Asthme [ ] oui [ ] non"), "?Asthme oui non");
    assert_eq!(parts("Goutte [x] oui [ ] non\nAsthme [ ] oui [ ] non"), "+Goutte oui {non ?Asthme {oui {non");
    assert_eq!(parts("Asthme [ ] oui [ ] non [x] NSP"), "?Asthme {oui {non NSP");
    assert_eq!(parts("Asthme [ ] oui [x] non renseigné"), "?Asthme {oui non renseigné");
}

#[test]
fn a_form_answers_by_letters_and_in_brackets() {
    assert_eq!(
        parts("Zona (O)  asthme (N)  goutte (N, jamais)  rhume (O, mai)"),
        "+Zona ( O ) -asthme ( N ) -goutte ( N , jamais ) +rhume ( O , mai )"
    );
    assert_eq!(parts("ZONA O   ASTHME N, jamais   GOUTTE O type 2   RHUME N"), "+ZONA O -ASTHME N , jamais +GOUTTE O type 2 -RHUME N");
    assert_eq!(parts("Zona : O, asthme : N, goutte : N, rhume : N"), "+Zona : O , -asthme : N , -goutte : N , -rhume : N");
    assert_eq!(parts("Zona [oui] asthme [non] goutte (non)"), "+Zona [ oui ] -asthme [ non ] -goutte ( non )");
    assert_eq!(parts("Marche (N), force (N), vue (N)"), "Marche ( N ) , force ( N ) , vue ( N )");
}

#[test]
fn a_threshold_is_a_criterion() {
    assert_eq!(parts("Poids < 40 kg : non"), "#Poids < 40 kg : non");
    assert_eq!(parts("Poids > 120 (96) : non"), "#Poids > 120 -( 96 ) : non");
    assert_eq!(parts("Zona < 3 mois : non   Poids : 96"), "#Zona < 3 mois : non Poids : 96");
    assert_eq!(
        parts("CONTRE-INDICATIONS A LA DANSE\nPoids supérieur à 120 kg : non\nZona récent : non"),
        "=CONTRE - INDICATIONS A LA DANSE #Poids supérieur à 120 kg : non -Zona récent : non"
    );
    assert_eq!(parts("Critères d'exclusion :\n- âge > 80 ans\n- poids > 120 kg").matches('#').count(), 1);
    assert_eq!(parts("Contre-indication à la danse : entorse."), "Contre - indication à la danse : entorse .");
}

#[test]
fn a_slash_parts_fields() {
    assert_eq!(parts("Zona (mai) : oui / goutte : non / asthme : non"), "+Zona ( mai ) : oui / -goutte : non / -asthme : non");
    assert_eq!(parts("Asthme : oui / non"), "Asthme : oui / non");
}

#[test]
fn prose_is_no_form() {
    for text in [
        "Aphasie non fluente, non évaluable.",
        "Conduite : non avant avis.",
        "Il dit oui à tout, non à rien.",
        "Vomissements (x3), toux (+), marche (-).",
        "- taxi\n□ vélo\n□ train",
        "• taxi • vélo",
        "Cicatrice : non inflammatoire",
        "Poids > 120 kg traité.",
        "Scanner normal. Non, elle ne fume pas.",
        "Appel à 14:05 | départ 14:20",
    ] {
        assert!(Form::new(&Text::new(text)).is_empty(), "{text:?}: {}", parts(text));
    }
}

#[test]
fn any_text_is_read_in_time() {
    for piece in ["[x] oui [ ] ", "(", "[", "non : ", "☒", "a : non, ", "< 3 : non ; "] {
        let text = piece.repeat(20_000);
        let started = std::time::Instant::now();
        let _ = Form::new(&Text::new(&text));
        assert!(started.elapsed().as_secs() < 5, "{piece:?} {:?}", started.elapsed());
    }
}
