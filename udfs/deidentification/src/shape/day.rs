//! Days of the month that stand without their month: "le 12 au soir", "du 3 au 7".

use sillage_clinical::is;

use super::date::Date;
use super::gazetteer::Cue;
use super::reader::Reader;
use crate::Label;

impl Reader<'_, '_> {
    /// Days and years that stand alone, once the whole dates are taken.
    pub fn alone(&mut self) {
        for at in 0..self.len() {
            if !(self.figured(at) || self.is(at, Cue::NumberWord)) || self.is_taken(at) {
                continue;
            }
            // "retour le 1er"
            if is!(self.key(at), "1er")
                && self.before(at, 1) == "le"
                && (self.ends_plainly(at + 1) || is!(self.key(at + 1), "ou" | "et" | "au"))
            {
                self.day(at, at + 1);
                continue;
            }
            // "du 1er au 6, puis"
            if is!(self.key(at), "1er")
                && self.before(at, 1) == "du"
                && let Some(end) = self.day_range(at, false)
            {
                self.day(at, end);
                continue;
            }
            if self.digits(at).is_some() {
                if self.shift_day(at) && self.of_the_stay(at) {
                    self.day(at, at + 1);
                } else if !self.year_alone(at) {
                    self.day_alone(at);
                }
            } else if self.is(at, Cue::NumberWord) {
                self.spelled_year_alone(at);
            }
        }
    }

    /// A figure that a day of the month can be.
    pub fn is_day(&self, at: usize) -> bool {
        if is!(self.key(at), "1er") {
            return true;
        }
        self.digits(at).is_some_and(|d| (1..=31).contains(&d.value) && d.count <= 2) && !self.is_taken(at)
    }

    fn day_alone(&mut self, at: usize) {
        if !self.is_day(at) || self.tail(at) || at == 0 || !self.near(at) {
            return;
        }
        let part = is!(self.key(at + 1), "au") && is!(self.key(at + 2), "soir" | "matin") && self.near(at + 2);
        match self.before(at, 1) {
            _ if part => self.day(at, at + 1),
            "le" if self.day_behind_article(at) => {
                self.day(at, at + 1);
            }
            "du" => {
                let night = self.before(at, 2) == "nuit";
                if let Some(end) = self.day_range(at, night) {
                    self.day(at, end);
                } else if (night || (dated(self.before(at, 2)) || self.happened(at)) && !self.emergency(at)) && self.day_ends(at)
                    || (dated(self.before(at, 2)) || self.happened(at) || self.dated_near(at))
                        && !(self.emergency(at) && self.cue_before(at, 4, Cue::EmergencyCall))
                        && self.of_the_stay(at)
                        && self.day_goes_on(at)
                {
                    self.day(at, at + 1);
                }
            }
            // "selles 0 depuis 13 -> laxatif"
            "depuis" if self.digits(at).is_some_and(|d| d.count == 2) && self.ends_plainly(at + 1) => {
                self.day(at, at + 1);
            }
            // "dimanche dernier (17)"
            "(" if self.mark(at + 1, ")") && (2..4).any(|back| at >= back && self.is(at - back, Cue::Weekday)) => {
                self.day(at, at + 1);
            }
            "au" => {
                let until = self.before(at, 2) == "'" && self.before(at, 3).starts_with("jusqu");
                let ranged = self
                    .found
                    .iter()
                    .rev()
                    .take(4)
                    .any(|s| s.label == Label::Date && at > 1 && self.token(at - 2).is_some_and(|t| t.end as usize == s.end));
                if (until || ranged) && self.day_ends(at) {
                    self.day(at, at + 1);
                }
            }
            _ => {}
        }
    }

    /// A clause ends here: nothing counted follows.
    fn ends_plainly(&self, at: usize) -> bool {
        self.token(at).is_none()
            || self.line_start(at)
            || is!(self.key(at), "→" | ">" | ";" | ")" | "–")
            || is!(self.key(at), "-" | "=") && !self.glued(at)
            || is!(self.key(at), "." | ",") && !self.glued(at + 1)
    }

    fn day(&mut self, at: usize, end: usize) {
        self.emit_date(at, Date::new(end));
    }

    /// Behind "le": a day where nothing counted follows.
    fn day_behind_article(&self, at: usize) -> bool {
        if self.digits(at).is_none() {
            return true;
        }
        // "Mari appelle le 15 à 4h30", "le 18 ne répond pas": who is called.
        let number = matches!(self.before(at, 2), "appelle" | "appellent" | "appelons" | "appeler" | "compose" | "composent" | "composer");
        let busy = is!(self.key(at + 1), "etant" | "sature" | "injoignable" | "occupe" | "ne" | "repond");
        // "le 7 reporté sur la feuille", "le 15 est une erreur": what somebody wrote down.
        let inscribed = is!(self.key(at + 1), "inscrit" | "cite" | "figurant" | "mentionne" | "ecrit" | "reporte")
            && is!(self.key(at + 2), "sur" | "dans" | "en");
        let mistaken = is!(self.key(at + 1), "est") && is!(self.key(at + 2), "une") && is!(self.key(at + 3), "erreur");
        if self.emergency(at) && (number || busy) || inscribed || mistaken {
            return false;
        }
        // "le 15" is called, and "le 18".
        let said = self.is(at.wrapping_sub(2), Cue::BeforeDay) && at > 1 || self.before(at, 2) == "'" || self.before(at, 2) == "depuis";
        let called = self.cue_before(at, 5, Cue::EmergencyCall)
            || matches!(self.before(at, 2), "par" | "via" | "avec" | "chez" | "si")
            || self.line_start(at - 1)
            || matches!(self.before(at, 2), "." | ":")
            || self.word(at + 1) && self.same_line(at + 1) && !is!(self.key(at + 1), "au" | "vers" | "matin" | "soir" | "puis");
        if self.emergency(at) && !said && called && !self.clock_behind(at + 1) {
            let asked = self.cue_before(at, 5, Cue::EmergencyCall) || matches!(self.before(at, 2), "par" | "via" | "avec" | "chez" | "si");
            return !asked && self.of_the_stay(at) && self.day_goes_on(at);
        }
        let fait = matches!(self.before(at, 2), "fait" | "faite") && !self.emergency(at);
        if at > 1 && (self.is(at - 2, Cue::EmergencyCall) && !fait || self.is(at - 2, Cue::Score)) && !self.clock_behind(at + 1) {
            return false;
        }
        self.day_ends(at) || self.of_the_stay(at) && self.day_goes_on(at)
    }

    /// Within days of another date of the text, or of the document's own.
    fn of_the_stay(&self, at: usize) -> bool {
        let Some(day) = self.digits(at).map(|d| d.value) else { return false };
        let near = |other: u64| other.abs_diff(day) <= 12 || other.max(day) > 18 && other.min(day) + 31 - other.max(day) <= 12;
        let told = self.found.iter().filter(|s| s.label == Label::Date).any(|s| {
            let written = &self.text.original[s.start..s.end];
            let numbers = written.split(|c: char| !c.is_ascii_digit()).filter(|n| (1..=2).contains(&n.len()));
            written.len() > 2 && numbers.filter_map(|n| n.parse().ok()).any(|n: u64| (1..=31).contains(&n) && near(n))
        });
        told || self.analysis.reference().is_some_and(|r| near(u64::from(chrono::Datelike::day(&r.date()))))
    }

    /// The sentence goes on behind the day: with a verb, an adjective, a small word, never
    /// with what is counted.
    fn day_goes_on(&self, at: usize) -> bool {
        let next = at + 1;
        if self.amount_behind(at) || self.measured(at) {
            return false;
        }
        if self.token(next).is_none() || self.line_start(next) {
            return true;
        }
        if self.kind(next) != Some(sillage_clinical::text::Kind::Word) {
            return self.day_ends(at) || self.mark(next, "'") && !self.glued(next);
        }
        let fold = self.fold(next);
        let counted = fold.len() > 3
            && (fold.ends_with('s') || fold.ends_with('x'))
            && !matches!(fold, "alors" | "dans" | "sans" | "apres" | "puis" | "depuis" | "vers" | "sous" | "toujours" | "mais" | "mars");
        !self.capital(next)
            && !self.glued(next)
            && !counted
            && !self.is(next, Cue::Unit)
            && !matches!(fold, "eme" | "ieme" | "e" | "er" | "et" | "de" | "h" | "sur" | "a")
            || matches!(fold, "a" | "et" | "sur" | "n") && self.day_ends(at)
            || fold == "n" && self.mark(next + 1, "'")
    }

    /// "l'angio-IRM du 17", "le scanner de contrôle du 6", "celui du 6": what has a day, some
    /// words before.
    fn dated_near(&self, at: usize) -> bool {
        matches!(self.before(at, 2), "celui" | "celle" | "ceux" | "celles")
            || (2..7)
                .take_while(|back| at >= *back && self.near(at - back + 1) && !matches!(self.before(at, *back), "." | ";" | ":" | ","))
                .map(|back| self.before(at, back))
                .any(|word| dated(word) || meeting(word) || told_of(word))
    }

    /// A number that calls for help.
    fn emergency(&self, at: usize) -> bool {
        self.digits(at).is_some_and(|d| matches!(d.value, 15 | 17 | 18))
    }

    /// What follows lets a figure be a day.
    fn day_ends(&self, at: usize) -> bool {
        let next = at + 1;
        if self.token(next).is_none() || self.line_start(next) {
            return true;
        }
        if self.amount_behind(at) && !self.clock_behind(next) {
            return false;
        }
        match self.fold(next) {
            "," | "." | "-" | "/" | ":" => !(self.glued(next) && self.glued(next + 1)) || is!(self.key(next), ":") && self.word(next + 1),
            ";" | ")" | "–" | "→" | "(" | "+" => true,
            "du" => is!(self.key(next + 1), "mois"),
            "si" | "car" | "puis" | "ou" => self.same_line(next) && !self.emergency(at),
            _ => self.is(next, Cue::AfterDay) || self.clock_behind(next) || self.is(next, Cue::Phone),
        }
    }

    /// "hématome lobaire D du 26": what happens on a day.
    fn happened(&self, at: usize) -> bool {
        (2..6).take_while(|back| self.before(at, *back) != ".").any(|back| {
            matches!(
                self.before(at, back),
                "avc"
                    | "ait"
                    | "aic"
                    | "infarctus"
                    | "hematome"
                    | "hemorragie"
                    | "chute"
                    | "malaise"
                    | "crise"
                    | "deficit"
                    | "accident"
                    | "avp"
                    | "idm"
                    | "intervention"
                    | "operation"
                    | "thrombectomie"
                    | "thrombolyse"
                    | "fracture"
                    | "recidive"
                    | "transfert"
            )
        }) && !(2..6).any(|back| self.before(at, back) == "nerf")
    }

    /// "du 3 au 7": the token behind the second day.
    fn day_range(&self, at: usize, night: bool) -> Option<usize> {
        let first = if is!(self.key(at), "1er") { 1 } else { self.digits(at)?.value };
        let mut link = at + 1;
        if is!(self.key(link), "au") && is!(self.key(link + 1), "soir" | "matin") {
            link += 2;
        }
        let joins = is!(self.key(link), "au") || night && is!(self.key(link), "/" | "-");
        let second = self.digits(link + 1).filter(|_| joins && self.is_day(link + 1) && self.near(link + 1))?.value;
        let forward = second > first || first > 20 && second < 12;
        let article = is!(self.key(link + 2), "une" | "un") && self.same_line(link + 2);
        (forward && (self.day_ends(link + 1) || article || night && !self.amount_behind(link + 1))).then_some(link + 2)
    }
}

/// Who meets on a day: "staff 20/1".
pub(super) fn meeting(word: &str) -> bool {
    matches!(
        word,
        "staff"
            | "rcp"
            | "reunion"
            | "rdv"
            | "lata"
            | "visite"
            | "concertation"
            | "entretien"
            | "cs"
            | "consult"
            | "hdj"
            | "sortie"
            | "entree"
            | "retour"
            | "transfert"
            | "depuis"
            | "prelevement"
            | "bu"
            | "ecbu"
            | "hemoc"
            | "rp"
            | "eto"
            | "holter"
            | "avis"
            | "reevaluation"
            | "controle"
            | "relais"
            | "arret"
            | "reprise"
            | "dernier"
            | "derniere"
    )
}

/// What a sentence tells of a day: "le pic fébrile du 12 a cédé".
fn told_of(word: &str) -> bool {
    matches!(
        word,
        "rendez"
            | "prise"
            | "veille"
            | "lendemain"
            | "episode"
            | "episodes"
            | "pic"
            | "poussee"
            | "fievre"
            | "seance"
            | "programme"
            | "bloc"
            | "inr"
            | "crp"
            | "creatinine"
            | "natremie"
    )
}

/// What has a day: "le scanner du 12", "la nuit du 14".
pub(super) fn dated(word: &str) -> bool {
    matches!(
        word,
        "scanner"
            | "irm"
            | "tdm"
            | "bilan"
            | "biologie"
            | "courrier"
            | "garde"
            | "staff"
            | "matin"
            | "matinee"
            | "soir"
            | "soiree"
            | "consultation"
            | "teleconsultation"
            | "teleexpertise"
            | "hospitalisation"
            | "rendez"
            | "rdv"
            | "visio"
            | "visioconference"
            | "entretien"
            | "seance"
            | "ordonnance"
            | "cs"
            | "rcp"
            | "synthese"
            | "ecg"
            | "eeg"
            | "electroencephalogramme"
            | "electrocardiogramme"
            | "cliche"
            | "cliches"
            | "images"
            | "tomodensitometrie"
            | "remnographie"
            | "coronarographie"
            | "polysomnographie"
            | "serologie"
            | "relecture"
            | "addendum"
            | "epreuve"
            | "test"
            | "ett"
            | "note"
            | "visite"
            | "appel"
            | "angioscanner"
            | "nfs"
            | "bio"
            | "lettre"
            | "crh"
            | "echo"
            | "doppler"
            | "partir"
            | "compter"
            | "journee"
            | "avis"
            | "controle"
            | "imagerie"
            | "angio"
            | "radio"
            | "radiographie"
            | "echographie"
            | "ponction"
            | "prelevement"
            | "hemocultures"
            | "examen"
            | "eto"
            | "holter"
            | "arteriographie"
            | "endoscopie"
            | "gastroscopie"
            | "coro"
            | "fibroscopie"
            | "videofluoroscopie"
            | "evaluation"
            | "reunion"
            | "epp"
            | "tsa"
            | "etsa"
            | "panscanner"
            | "tep"
            | "dosage"
            | "ionogramme"
            | "mesure"
            | "score"
            | "nihss"
            | "transmissions"
            | "notes"
            | "mail"
            | "message"
            | "telephone"
    )
}
