//! Whether a relative has what a span names.
//!
//! A relative is often in the text for another reason: who calls, who saw, who
//! lives there. So the words between the relative and the span must be the few
//! that tie a disease to a person.

use super::scope::Scope;
use super::{Cue, CueKind};
use crate::is;
use crate::text::Kind;

/// Most tokens between the relative and the last item of the list.
const REACH: usize = 40;
/// Most tokens between a relative and the clause about that relative.
const CLAUSE: usize = 8;
/// Most tokens between "son propre" and what it is.
const OWN: usize = 5;
/// Most tokens between "elle-même" and what she has.
const THEMSELVES: usize = 8;
/// Most tokens of a phrase that ties a disease to a person.
const PHRASE: usize = 4;

impl Scope<'_> {
    pub fn of_kin(&self, cue: &Cue) -> bool {
        if cue.end <= self.span.start { self.kin_before(cue) } else { cue.start >= self.span.end && self.kin_behind(cue) }
    }

    /// "mère EP sous Coumadine", "frère FA + Coumadine", "la mère prend du Xarelto": a drug that the relative takes.
    pub fn taken_by_kin(&self, cue: &Cue) -> bool {
        let articles = |at: &usize| is!(self.key(*at), "du" | "de" | "des" | "la" | "le" | "l" | "'" | "un" | "une");
        let Some(verb) = (cue.end..self.span.start).rev().find(|at| !articles(at)) else { return false };
        let ill = || (cue.end..verb).any(|at| self.mention_at(at).is_some()) || self.behind_name(cue) == verb;
        // "leur mère est repartie sous apixaban"
        let left = || is!(self.key(verb - 1), "est" | "etait" | "repartie" | "reparti" | "ressortie" | "ressorti" | "mise" | "mis");
        let of_disease = is!(self.key(verb), "sous" | "ss" | "+") && (ill() || left());
        let takes = is!(self.key(verb), "prend" | "prenait" | "recoit" | "recevait");
        (of_disease || takes) && self.kin_before(cue)
    }

    /// "son épouse l'aide, mais elle est elle-même suivie pour": of the relative named before.
    pub fn of_themselves(&self) -> bool {
        let from = self.span.start.saturating_sub(THEMSELVES).max(self.view.sentence.start);
        // "elle-même", "lui même"; "son propre risque d'AVC".
        let themselves = |at: &usize| {
            let same = at + 1 + usize::from(is!(self.key(at + 1), "-"));
            is!(self.key(*at), "elle" | "lui") && is!(self.key(same), "meme")
                || is!(self.key(*at), "propre") && is!(self.key(at - 1), "son" | "sa" | "ses") && self.span.start - at < OWN
        };
        let said = (from.max(1)..self.span.start).rev().find(themselves);
        said.is_some_and(|said| {
            self.view.cues_in(self.view.sentence.start..said).iter().any(|c| {
                c.kind == CueKind::Kin && !is!(self.key(c.start), "maternel" | "maternelle" | "paternel" | "paternelle" | "famille")
            })
        })
    }

    /// "mère : AVC", "père décédé d'un infarctus à 60 ans, diabète".
    fn kin_before(&self, cue: &Cue) -> bool {
        if self.span.start - cue.end > REACH || self.object(cue) && !self.taken_up(cue) {
            return false;
        }
        let (mut at, mut items, mut listed, mut of_patient) = (cue.end, 0, false, false);
        while at < self.span.start {
            if let Some(mention) = self.mention_at(at) {
                items += 1;
                at = mention.end.max(at + 1);
                continue;
            }
            // The next line speaks of the patient again.
            if items > 0 && self.new_line(at) {
                return false;
            }
            let token = &self.view.text.tokens[at];
            match (token.kind, self.fold(at)) {
                // "ATCD (courrier + fille) : HTA": who told it.
                (Kind::Mark, ")") if self.opened_before(cue) => return false,
                (Kind::Mark, ":" | "=") => listed = true,
                // "la tante Rose (lupus, goutte)": hers to the end of the bracket.
                (Kind::Mark, "(") if items == 0 => listed = true,
                // "le fils de la patiente, hospitalisée"
                (Kind::Mark, ",") if of_patient && ["hospitalis", "admis", "transfer"].iter().any(|p| self.fold(at + 1).starts_with(p)) => {
                    return false;
                }
                // Without a colon the second item may be the patient's again.
                (Kind::Mark, ",")
                    if items > 0
                        && !listed
                        && !self.cue_ahead(at)
                        && !is!(self.key(at + 1), "avec" | "puis" | "sous")
                        && !self.at_an_age()
                        && !self.set_apart(cue, at) =>
                {
                    return false;
                }
                (Kind::Mark, "." | ";" | "!" | "?" | "→" | ">") => return false,
                (Kind::Mark, _) | (Kind::Number, _) => {}
                _ if token.capital || self.known_link(at) => {}
                _ => return false,
            }
            let too = is!(self.key(at + 1), "aussi" | "-");
            // "la mère de la patiente", "elle est elle-même suivie".
            let aside = too
                || is!(self.key(at - 1), "du" | "la" | "de")
                || is!(self.key(at + 2), "elle" | "lui") && is!(self.key(at + 3), "-")
                || self.died(cue, at);
            if is!(self.key(at), "patient" | "patiente" | "lui" | "elle") && !aside {
                return false;
            }
            of_patient |= is!(self.key(at), "patient" | "patiente");
            at += 1;
        }
        !(items > 0 && self.new_line(self.span.start))
    }

    /// "père HTA, AVC à 61 ans": the age at which somebody had it, who is not the patient.
    fn at_an_age(&self) -> bool {
        let end = self.span.end;
        is!(self.key(end), "a" | "des" | "vers") && self.kind(end + 1) == Some(Kind::Number) && is!(self.key(end + 2), "ans" | "a" | "an")
    }

    /// "Le frère, victime d'une hémorragie, avait": what commas set apart at the head of a sentence.
    fn set_apart(&self, cue: &Cue, comma: usize) -> bool {
        let heads = cue.start <= self.view.sentence.start + 2 && self.behind_name(cue) > cue.end && is!(self.key(cue.end), ",");
        heads && is!(self.key(comma + 1), "a" | "avait" | "est" | "etait" | "aurait" | "presente" | "presentait" | "souffre")
    }

    /// "sœur décédée d'une pneumonie, elle était démente": who died is not the patient.
    fn died(&self, cue: &Cue, before: usize) -> bool {
        (cue.end..before).any(|at| is!(self.key(at), "mort" | "morte" | "decede" | "decedee" | "dcd"))
    }

    /// "s'occupe de sa sœur Odile, qui souffre d'une maladie": a clause speaks of the relative.
    fn taken_up(&self, cue: &Cue) -> bool {
        let clause = self.behind_name(cue);
        clause < self.span.start && is!(self.key(clause), "qui")
    }

    /// First token behind a relative's name and age: "son frère Jean-Paul, 71 ans, vient".
    fn behind_name(&self, cue: &Cue) -> usize {
        let aged = |at: usize| self.kind(at - 1) == Some(Kind::Number);
        let part = |at: &usize| {
            self.view.text.tokens[*at].capital
                || self.kind(*at) == Some(Kind::Number)
                || is!(self.key(*at), "," | "ans" | "an" | "-")
                || is!(self.key(*at), "a") && aged(*at)
        };
        let reach = cue.end..self.span.start.min(cue.end + CLAUSE);
        reach.clone().find(|at| !part(at)).unwrap_or(reach.end)
    }

    /// The relative stands in a bracket that opens in the same sentence.
    fn opened_before(&self, cue: &Cue) -> bool {
        let marks = (self.view.sentence.start..cue.start).rev().find(|at| is!(self.key(*at), "(" | ")"));
        marks.is_some_and(|at| is!(self.key(at), "("))
    }

    /// "que son père a fait", "que sa tante Rose avait eu": the relative did or had it.
    fn acts(&self, cue: &Cue) -> bool {
        let verb = self.behind_name(cue);
        is!(self.key(verb), "a" | "ont" | "avait" | "avaient" | "est" | "etait" | "aurait" | "vient" | "souffre" | "souffrait")
    }

    /// Another relative right behind the comma: "père AVC, mère diabète".
    fn cue_ahead(&self, comma: usize) -> bool {
        (comma + 1..comma + 3).any(|i| self.cue_at(i, &[CueKind::Kin]))
    }

    fn known_link(&self, at: usize) -> bool {
        self.view.cues_in(at.saturating_sub(PHRASE)..at + 1).iter().any(|c| matches!(c.kind, CueKind::KinLink | CueKind::Kin) && at < c.end)
    }

    /// The relative is what something else is about: "photos des enfants",
    /// "par sa fille", "prévenir le fils".
    fn object(&self, cue: &Cue) -> bool {
        let start = self.view.sentence.start;
        let mut head = cue.start;
        // "devant son beau-frère": one relative.
        while head > start && is!(self.key(head - 1), "beau" | "belle" | "demi" | "arriere" | "petit" | "petite" | "-") {
            head -= 1;
        }
        while head > start
            && is!(self.key(head - 1), "son" | "sa" | "ses" | "leur" | "leurs" | "le" | "la" | "les" | "l" | "un" | "une" | "deux" | "'")
        {
            head -= 1;
        }
        // "contexte de sœur diabétique": without a determiner the words right behind are hers.
        if head == cue.start && self.span.start == cue.end {
            return false;
        }
        let Some(head) = head.checked_sub(1).filter(|h| *h >= start) else { return false };
        match self.fold(head) {
            // "le décès de sa sœur d'un infarctus", "l'histoire de son frère (hématome)".
            "de" | "du"
                if head.checked_sub(1).is_some_and(|at| {
                    is!(self.key(at), "deces" | "mort" | "disparition" | "histoire" | "cas" | "maladie" | "diagnostic" | "antecedents")
                }) =>
            {
                false
            }
            // "l'histoire d'une tante morte d'une hémorragie"
            "de" | "du" | "d" if self.died(cue, self.span.start) => false,
            // "que sa mère est décédée d'un AVC".
            "que" if (cue.end..self.span.start).any(|at| is!(self.key(at), "mort" | "morte" | "decede" | "decedee" | "deces")) => false,
            // "chez son frère, chute brutale": where it happened. "chez la tante, déjà opérée d'un": who has it.
            "chez" => {
                is!(self.key(cue.end), ",")
                    && !is!(self.key(cue.end + 1), "deja" | "victime" | "atteint" | "atteinte" | "porteur" | "porteuse")
            }
            "des" | "de" | "par" | "apres" | "avec" | "av" | "devant" | "aux" | "au" | "a" | "d" | "selon" | "prevenir" | "informer"
            | "voir" | "du" => true,
            // "vu avec son épouse et sa fille": as the first of the two.
            "et" if self.kin_ending(head).is_some_and(|first| self.object(first)) => true,
            "et" | "que" => !self.links_to_kin(head) && !self.acts(cue),
            _ => false,
        }
    }

    /// The relative that is named right before, a name aside.
    fn kin_ending(&self, at: usize) -> Option<&Cue> {
        let named = |end: usize| (end..at).all(|i| self.view.text.tokens[i].capital);
        self.view.cues_in(at.saturating_sub(PHRASE)..at).iter().rfind(|c| c.kind == CueKind::Kin && c.end <= at && named(c.end))
    }

    /// "père et mère hypertendus", "que sa mère, diabétique".
    fn links_to_kin(&self, at: usize) -> bool {
        at.checked_sub(1).is_some_and(|b| self.known_link(b) || self.mention_at(b).is_some() || is!(self.key(b), ","))
    }

    /// In a bracket behind what is said of the patient these are who said it: "jamais fumé (fille)".
    fn tells(&self, at: usize) -> bool {
        is!(
            self.key(at),
            "enfant"
                | "enfants"
                | "fille"
                | "filles"
                | "fils"
                | "femme"
                | "epouse"
                | "epoux"
                | "mari"
                | "conjoint"
                | "compagnon"
                | "compagne"
        )
    }

    /// "AVC chez le père", "diabète (mère)", "épilepsie du côté maternel".
    fn kin_behind(&self, cue: &Cue) -> bool {
        let between = self.span.end..cue.start;
        // "pas d'AVC (frère : AVC en 2019)": what the relative has stands behind him.
        let own = is!(self.key(cue.end), ":" | "=") || self.mention_at(cue.end).is_some();
        if between.len() > 14 || own {
            return false;
        }
        let (mut tied, mut unknown, mut at) = (false, 0, between.start);
        while at < between.end {
            if let Some(mention) = self.mention_at(at) {
                at = mention.end.max(at + 1);
                continue;
            }
            match (self.kind(at), self.fold(at)) {
                (_, "(") => tied |= !self.tells(cue.end - 1),
                // "retour à domicile auprès de sa femme", "(selon sa fille)", "(dit l'épouse)".
                (
                    _,
                    "aupres" | "presence" | "tel" | "telephone" | "selon" | "dit" | "dixit" | "dires" | "apres" | "signale" | "rapporte"
                    | "precise",
                ) => return false,
                (_, "chez" | "cote") => tied = true,
                // "le cancer annoncé à sa fille"
                (_, "annonce" | "annoncee" | "decouvert" | "decouverte") if at == between.start => tied = true,
                (_, "du" | "de") if at + 1 == cue.start || is!(self.key(at + 1), "sa" | "son" | "la") => tied = true,
                (Some(Kind::Mark), "," | "." | ";" | ":" | ")" | "!" | "?") => return false,
                (Some(Kind::Number), _) | (Some(Kind::Mark), _) => {}
                _ if self.known_link(at) => {}
                _ => unknown += 1,
            }
            at += 1;
        }
        tied && unknown <= 1
    }
}
