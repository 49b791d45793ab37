//! Whether what a span names was there before the stay.

use super::scope::{Commas, Scope};
use super::{Cue, CueKind, Setting};
use crate::is;
use crate::section::Prior;
use crate::text::Kind;

/// Most tokens between "patient" and a trait of the patient.
const PORTRAIT: usize = 60;
/// Most tokens between a haemorrhage and the drug under which it came.
const BLEEDING: usize = 14;
/// Most tokens between an examination and what it showed.
const RESULT: usize = 9;
/// Most tokens between "sous" and the last drug of its list.
const DRUG: usize = 30;

impl Scope<'_> {
    pub fn past(&self, setting: Setting) -> bool {
        // What is taken at home stays so, whenever it was last taken.
        let home = setting.prior == Prior::Historical && !self.intravenous()
            || setting.recalled && !self.current()
            || setting.indication && !self.intravenous() && !self.given()
            || self.taken_at_home();
        if setting.drug && (home || self.named_by_class()) {
            return true;
        }
        // "ATCD : ulcère le 22 février": days before the door are no days of the stay.
        let listed = || self.view.outside(self.span).any(|c| c.kind == CueKind::HistoryList && self.reached(c, Commas::Pass));
        if setting.dated_now {
            let item = setting.prior == Prior::Historical && !setting.drug && !setting.procedure && !setting.sign;
            return setting.door && listed() || item;
        }
        if setting.referral
            && (setting.drug && !self.given()
                || (setting.lasting || setting.procedure && self.inside(CueKind::Chronic))
                    && !self.inside(CueKind::Acute)
                    && !self.measured())
        {
            return true;
        }
        setting.dated_before
            || setting.prior == Prior::Historical && !(setting.drug && self.intravenous())
            || self.inside(CueKind::Old)
            || self.inside(CueKind::HistoryAfter)
            || self.cued_past()
            || self.trait_of_patient(setting)
            || setting.drug && self.taken_for_old_disease()
    }

    /// A drug of the home that was stopped, or during which something happened.
    pub fn ended(&self, setting: Setting) -> bool {
        let lasting = setting.lasting_drug || setting.recalled;
        setting.drug
            && self.view.outside(self.span).any(|cue| match cue.kind {
                CueKind::Stopped => (lasting || self.taken_no_more(cue)) && self.reached_behind(cue),
                // "je le remplace par": what comes is new.
                CueKind::StoppedBefore if is!(self.key(cue.end), "par") => false,
                CueKind::StoppedBefore => lasting && self.reached(cue, Commas::End) && !self.unsure(cue) && !self.denied_behind(cue),
                _ => false,
            })
            || setting.drug && (setting.lasting_drug && self.bled_under() || self.given_up())
    }

    /// "plus de Kardégic depuis 2015": it was taken until then.
    fn given_up(&self) -> bool {
        let start = self.span.start - usize::from(self.span.start > 0 && is!(self.key(self.span.start - 1), "'"));
        let denied = start > 1 && is!(self.key(start - 1), "de" | "d") && is!(self.key(start - 2), "plus");
        denied && (self.span.end..self.span.end + 3).any(|at| is!(self.key(at), "depuis"))
    }

    /// "infarctus sous AVK": by its class under "sous" a drug is one of the home.
    fn named_by_class(&self) -> bool {
        let classes = ["avk", "aod", "anticoagulant", "anticoagulants", "antiagregant", "antiagregants"];
        self.span.start > self.view.sentence.start
            && is!(self.key(self.span.start - 1), "sous")
            && classes.contains(&self.fold(self.span.start))
    }

    /// "arrêté : pas d'anticoagulant": what is stopped is another drug.
    fn denied_behind(&self, cue: &Cue) -> bool {
        cue.end < self.span.start && self.view.cues_in(cue.end..self.span.start).iter().any(|c| c.kind == CueKind::NegationBefore)
    }

    /// "ne le prend plus": who says so took it at home, whatever it is.
    fn taken_no_more(&self, cue: &Cue) -> bool {
        (cue.start..cue.end).any(|at| self.fold(at).starts_with("pren"))
    }

    /// "hématome thalamique gauche du 12/03 sous AOD".
    fn bled_under(&self) -> bool {
        let Some(link) = self.span.start.checked_sub(1).filter(|at| is!(self.key(*at), "sous")) else { return false };
        let from = link.saturating_sub(BLEEDING).max(self.view.sentence.start);
        let Some(bled) = self.view.cues_in(from..link).iter().rfind(|c| c.kind == CueKind::Bleeding) else { return false };
        self.mention_at(bled.start).is_some()
            && !(bled.end..link).any(|at| is!(self.key(at), ";" | ":") || self.cue_at(at, &[CueKind::Terminator, CueKind::Resumed]))
            && !self.unsure(bled)
    }

    /// A therapy that goes on.
    pub fn is_therapy(&self) -> bool {
        self.inside(CueKind::Therapy)
    }

    /// A treatment of a stroke.
    pub fn done_once(&self) -> bool {
        self.inside(CueKind::Once)
    }

    /// Nothing happened under the drug, or its stop is only thought of.
    fn unsure(&self, cue: &Cue) -> bool {
        self.view.outside(self.span).any(|other| match other.kind {
            CueKind::NegationBefore | CueKind::NegationWithout => other.end <= cue.start,
            CueKind::HypothesisAfter => self.reached_behind(other),
            _ => false,
        })
    }

    /// Into a vein, which nobody does at home.
    fn intravenous(&self) -> bool {
        (self.span.end..self.view.sentence.end.min(self.span.end + 6))
            .take_while(|i| !is!(self.key(*i), "," | ";" | "." | "-") || self.kind(i + 1) == Some(Kind::Number))
            .any(|i| is!(self.key(i), "iv" | "ivl" | "ivd" | "ivse" | "pse" | "bolus" | "min" | "h"))
    }

    /// Asked for without a verb: "IRM en urgence."
    pub fn ordered(&self, cue: &Cue) -> bool {
        self.reached_behind(cue)
            && (self.span.start == self.view.sentence.start || self.kind(self.span.start - 1) == Some(Kind::Mark))
            && (cue.end >= self.view.sentence.end
                || is!(self.key(cue.end), ".")
                || is!(self.key(cue.end), ",")
                    && (self.mention_at(cue.end + 1).is_some() || is!(self.key(cue.end + 1), "pas" | "puis" | "sans")))
    }

    /// Given or prescribed now, by the words and the dose beside it.
    fn current(&self) -> bool {
        self.kind(self.span.end) == Some(Kind::Number)
            || self.view.outside(self.span).any(|cue| matches!(cue.kind, CueKind::Given | CueKind::Resumed) && self.near(cue, 6))
    }

    /// An allergy is the patient's, whatever section it ended up in.
    pub fn allergy(&self) -> bool {
        self.fold(self.span.start).starts_with("allerg")
    }

    /// What it showed follows: "ECG : rythme sinusal".
    pub fn reported(&self) -> bool {
        let end = self.view.sentence.end;
        let mut words = self.span.end..end.min(self.span.end + RESULT);
        let shows = |at: usize| {
            is!(self.key(at), ":") && at + 1 < end
                || is!(
                    self.key(at),
                    "montre"
                        | "montrait"
                        | "montrent"
                        | "retrouve"
                        | "retrouvait"
                        | "objective"
                        | "revele"
                        | "montrant"
                        | "normale"
                        | "normal"
                        | "=>"
                )
                || is!(self.key(at), "-") && is!(self.key(at + 1), ">")
                || is!(self.key(at), "pas") && is!(self.key(at + 1), "montre" | "retrouve" | "objective" | "revele")
        };
        words.find(|at| is!(self.key(*at), "," | ";" | "." | "(" | "-") || shows(*at)).is_some_and(shows)
    }

    /// Given now, by the words around it.
    fn given(&self) -> bool {
        self.view.outside(self.span).any(|cue| cue.kind == CueKind::Given && self.near(cue, 4))
    }

    pub fn taken_at_home(&self) -> bool {
        self.view.outside(self.span).any(|cue| {
            cue.kind == CueKind::HomeDrug
                && !self.told_of_another(cue)
                && (self.reached(cue, Commas::Items) || self.reached(cue, Commas::Pass) && !self.given())
        })
    }

    /// "clopidogrel au long cours, bisoprolol": the words are those of the drug before them.
    fn told_of_another(&self, cue: &Cue) -> bool {
        is!(self.key(cue.start), "au") && cue.start > 0 && self.mention_at(cue.start - 1).is_some()
    }

    fn cued_past(&self) -> bool {
        self.view.outside(self.span).any(|cue| match cue.kind {
            CueKind::HistoryBefore => self.reached(cue, Commas::End),
            CueKind::HistoryList => self.reached(cue, Commas::Pass),
            // "poursuivre le clopidogrel au long cours" is an order of now.
            CueKind::HistoryAfter => self.reached_behind(cue) && !(is!(self.key(cue.start), "au") && self.current()),
            _ => false,
        })
    }

    fn inside(&self, kind: CueKind) -> bool {
        self.view.cues_in(self.span.clone()).iter().any(|c| c.kind == kind)
    }

    /// "patient hypertendu", "femme de 80 ans, diabète, FA sous apixaban".
    fn trait_of_patient(&self, setting: Setting) -> bool {
        if setting.sign || self.inside(CueKind::Acute) {
            return false;
        }
        if self.inside(CueKind::Trait) && !self.measured() && (!setting.procedure || self.said_of_person()) {
            return true;
        }
        if setting.procedure {
            return false;
        }
        self.view
            .cues_in(self.span.start.saturating_sub(PORTRAIT)..self.span.start)
            .iter()
            .any(|c| c.kind == CueKind::Patient && self.mention_at(c.start).is_none() && self.portrait(c))
    }

    /// "patient dialysé", "insuffisant rénal dialysé"; not "en dialyse".
    fn said_of_person(&self) -> bool {
        let Some(before) = self.span.start.checked_sub(1) else { return false };
        self.mention_at(before).is_some() || self.cue_at(before, &[CueKind::Patient])
    }

    /// "hypertendu à 190/100": a finding.
    fn measured(&self) -> bool {
        (self.span.end..self.span.end + 2).any(|i| self.kind(i) == Some(Kind::Number))
            && !is!(self.key(self.span.end), "depuis")
            && !(self.span.end..self.span.end + 4).any(|i| is!(self.key(i), "paquets" | "paquet" | "pa" | "ans"))
    }

    /// No verb yet between "patient" and the span: the patient is being presented.
    fn portrait(&self, patient: &Cue) -> bool {
        let mut at = patient.end;
        while at < self.span.start {
            if let Some(mention) = self.mention_at(at) {
                at = mention.end.max(at + 1);
                continue;
            }
            let stops = self.cue_at(at, &[CueKind::Story, CueKind::Terminator])
                || is!(self.key(at), "pour" | "est" | "a" | "ont" | "en" | ":" | "." | ";" | "?");
            if stops && !(is!(self.key(at), "a") && is!(self.key(at + 1), "la" | "domicile")) {
                return false;
            }
            at += 1;
        }
        true
    }

    /// "FA sous apixaban": the drug follows the old disease it is taken for.
    fn taken_for_old_disease(&self) -> bool {
        let Some(link) = self
            .view
            .cues_in(self.span.start.saturating_sub(DRUG)..self.span.start)
            .iter()
            .rev()
            .find(|c| c.end <= self.span.start && c.kind == CueKind::DrugLink)
        else {
            return false;
        };
        if !self.reached(link, Commas::Items) {
            return false;
        }
        let Some(disease) = self.view.mentions[..self.view.mentions.partition_point(|m| m.end <= link.start)].last() else { return false };
        let close =
            (disease.end..link.start).all(|i| self.kind(i) != Some(Kind::Mark) && !self.cue_at(i, &[CueKind::Story, CueKind::Terminator]));
        let of = Scope { view: self.view, span: disease };
        close && link.start - disease.end <= 4 && !of.inside(CueKind::Acute) && (of.inside(CueKind::Trait) || of.inside(CueKind::Chronic))
    }

    /// "FA sous apixaban", said of the disease.
    pub fn treated_at_home(&self) -> bool {
        self.inside(CueKind::Chronic)
            && self
                .view
                .cues_in(self.span.end..self.span.end + 2)
                .iter()
                // "HTA avec céphalées" tells of now.
                .any(|c| c.kind == CueKind::DrugLink && !is!(self.key(c.start), "avec") && self.mention_at(c.end).is_some())
    }
}
