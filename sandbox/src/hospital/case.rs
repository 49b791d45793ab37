//! One patient's stroke, drawn before a word of it is written, so that every
//! document of the dossier tells the same story.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};

use super::grammar::Grammar;
use super::person::{Doctor, Person, Site};
use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Ischemic,
    Hemorrhage,
    Tia,
    Mimic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Left,
    Right,
}

impl Side {
    pub fn other(self) -> Side {
        if self == Side::Left { Side::Right } else { Side::Left }
    }
}

/// Where the vessel is closed; `Lacune` for a small deep infarct with open vessels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occlusion {
    IcaT,
    M1,
    M2,
    Distal,
    Pca,
    Basilar,
    Lacune,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    Cardioembolic,
    LargeArtery,
    SmallVessel,
    Dissection,
    Undetermined,
    Hypertensive,
    Amyloid,
    Anticoagulant,
    Migraine,
    Seizure,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Onset {
    Witnessed,
    WakeUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Smoking {
    Current,
    Former,
    Never,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Destination {
    Home,
    Rehabilitation,
    NursingHome,
    Death,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transformation {
    None,
    Hi1,
    Hi2,
    Ph1,
    Ph2,
}

/// What was known before the stroke.
#[derive(Debug, Clone)]
pub struct Background {
    pub hypertension: bool,
    pub diabetes: bool,
    pub dyslipidemia: bool,
    pub atrial_fibrillation: bool,
    pub coronary: bool,
    pub heart_failure: bool,
    pub prior_stroke: bool,
    pub alcohol: bool,
    pub smoking: Smoking,
    pub pack_years: i64,
    pub sleep_apnea: bool,
    pub copd: bool,
    pub hypothyroidism: bool,
    pub kidney_disease: bool,
    pub cancer: bool,
    pub appendectomy: bool,
    pub hip_prosthesis: bool,
    pub cataract: bool,
    pub family_stroke: bool,
    pub family_infarction: bool,
    pub allergy: bool,
    pub rankin: i64,
    pub anticoagulant: bool,
    /// Which anticoagulant, which statin: a draw that the documents share.
    pub drug_draw: usize,
    pub antiplatelet: bool,
    pub statin: bool,
}

/// Arterial treatment.
#[derive(Debug, Clone)]
pub struct Thrombectomy {
    pub puncture: NaiveDateTime,
    pub recanalization: NaiveDateTime,
    pub passes: i64,
    pub mtici: &'static str,
    pub general_anesthesia: bool,
    pub radial: bool,
}

/// Everything about one dossier.
#[derive(Debug, Clone)]
pub struct Case {
    pub index: usize,
    pub person: Person,
    pub site: Site,
    pub neurologist: Doctor,
    pub emergency_doctor: Doctor,
    pub radiologist: Doctor,
    pub interventionalist: Doctor,
    pub background: Background,
    pub kind: Kind,
    /// Side of the lesion.
    pub side: Side,
    pub occlusion: Occlusion,
    pub tandem: bool,
    pub cause: Cause,
    /// Fibrillation found in the stay.
    pub fibrillation_found: bool,
    pub onset: Onset,
    /// Onset, or last seen well when it is a wake-up stroke.
    pub seen_well: NaiveDateTime,
    pub found: NaiveDateTime,
    pub admission: NaiveDateTime,
    pub imaging: NaiveDateTime,
    pub mri: bool,
    pub smur: bool,
    pub nihss: i64,
    pub nihss_day: i64,
    pub nihss_discharge: i64,
    pub glasgow: i64,
    pub rankin_discharge: i64,
    pub rankin_visit: i64,
    pub aspects: i64,
    pub volume: i64,
    pub hematoma: i64,
    pub systolic: i64,
    pub diastolic: i64,
    pub heart_rate: i64,
    pub respiratory_rate: i64,
    pub saturation: i64,
    /// Tenths of a degree.
    pub temperature: i64,
    /// Hundredths of g/L.
    pub glucose: i64,
    pub weight: i64,
    /// Hundredths.
    pub inr: i64,
    pub creatinine: i64,
    pub platelets: i64,
    /// Hundredths of g/L.
    pub ldl: i64,
    /// Tenths of a percent.
    pub hba1c: i64,
    pub thrombolysis: Option<NaiveDateTime>,
    pub tenecteplase: bool,
    pub thrombectomy: Option<Thrombectomy>,
    pub transformation: Transformation,
    pub symptomatic: bool,
    pub pneumonia: bool,
    pub urinary_infection: bool,
    pub destination: Destination,
    pub discharge: NaiveDateTime,
    pub visit: Option<NaiveDateTime>,
}

fn minutes(count: i64) -> TimeDelta {
    TimeDelta::minutes(count)
}

impl Case {
    /// Draws the case at a place in the feed.
    pub fn draw(grammar: &Grammar, seed: u64, index: usize) -> Case {
        let mut random = Random::new(seed, (index as u64) << 8);
        let r = &mut random;
        let kind = r.weighted((72, Kind::Ischemic), &[(12, Kind::Hemorrhage), (12, Kind::Tia), (4, Kind::Mimic)]);
        let age = if r.chance(12) { r.between(31, 55) } else { r.around(48, 99) };
        let day = NaiveDate::from_ymd_opt(2023, 1, 2).unwrap_or_default() + TimeDelta::days(r.between(0, 700));
        let onset = if kind != Kind::Tia && r.chance(17) { Onset::WakeUp } else { Onset::Witnessed };
        let (seen_well, found) = match onset {
            Onset::WakeUp => (day.and_hms_opt(0, 0, 0).unwrap_or_default() - minutes(r.between(40, 150)), at(day, r.between(365, 480))),
            Onset::Witnessed => {
                let start = at(day, r.between(430, 1200));
                (start, start + minutes(r.between(0, 10)))
            }
        };
        let late = onset == Onset::Witnessed && r.chance(20);
        let admission = found + minutes(if late { r.between(300, 700) } else { r.between(48, 150) });
        let person = Person::draw(grammar, index, age, admission.date(), r);
        let background = Background::draw(age, r);
        let occlusion = Occlusion::draw(kind, &background, r);
        let tandem = matches!(occlusion, Occlusion::M1 | Occlusion::IcaT) && !background.atrial_fibrillation && r.chance(20);
        let fibrillation_found = matches!(kind, Kind::Ischemic | Kind::Tia)
            && !background.atrial_fibrillation
            && !tandem
            && occlusion != Occlusion::Lacune
            && r.chance(22);
        let cause = cause(kind, &background, occlusion, tandem, fibrillation_found, age, r);
        let nihss = severity(kind, occlusion, r);
        let imaging = admission + minutes(r.between(14, 44));
        let family = person.family.clone();
        let mut case = Case {
            index,
            person,
            site: Site::draw(grammar, r),
            neurologist: Doctor::draw(grammar, &family, r),
            emergency_doctor: Doctor::draw(grammar, &family, r),
            radiologist: Doctor::draw(grammar, &family, r),
            interventionalist: Doctor::draw(grammar, &family, r),
            kind,
            side: if r.chance(52) { Side::Left } else { Side::Right },
            occlusion,
            tandem,
            cause,
            fibrillation_found,
            onset,
            seen_well,
            found,
            admission,
            imaging,
            mri: onset == Onset::WakeUp || kind == Kind::Tia || r.chance(65),
            smur: r.chance(25),
            nihss,
            nihss_day: nihss,
            nihss_discharge: nihss,
            glasgow: if nihss > 20 || occlusion == Occlusion::Basilar {
                r.between(8, 13)
            } else if nihss > 12 {
                r.between(13, 15)
            } else {
                15
            },
            rankin_discharge: 0,
            rankin_visit: 0,
            aspects: if nihss > 16 { r.between(5, 8) } else { r.between(7, 10) },
            volume: r.between(1, 6) + nihss * r.between(1, 4),
            hematoma: r.between(3, 12) + nihss * 2,
            systolic: r.around(118, 215),
            diastolic: 0,
            heart_rate: if background.atrial_fibrillation || fibrillation_found { r.between(84, 128) } else { r.between(58, 96) },
            respiratory_rate: r.between(14, 22),
            saturation: r.between(93, 99),
            temperature: r.around(361, 378),
            glucose: if background.diabetes { r.between(130, 262) } else { r.between(82, 139) },
            weight: r.around(48, 110),
            inr: r.between(95, 115),
            creatinine: if background.kidney_disease { r.between(125, 190) } else { r.between(52, 104) },
            platelets: r.between(148, 390),
            ldl: if background.statin { r.between(52, 118) } else { r.between(98, 196) },
            hba1c: if background.diabetes { r.between(66, 98) } else { r.between(51, 60) },
            thrombolysis: None,
            tenecteplase: false,
            thrombectomy: None,
            transformation: Transformation::None,
            symptomatic: false,
            pneumonia: false,
            urinary_infection: false,
            destination: Destination::Home,
            discharge: admission,
            visit: None,
            background,
        };
        case.diastolic = (case.systolic * r.between(48, 60) / 100).clamp(55, 118);
        if case.background.anticoagulant && case.vitamin_k_antagonist() {
            case.inr = r.between(170, 290);
        }
        case.treat(r);
        case.evolve(r);
        case.leave(r);
        case
    }

    pub fn age(&self) -> i64 {
        self.person.age_on(self.admission.date())
    }

    /// The same so many days later.
    pub fn later(mut self, days: i64) -> Case {
        let by = TimeDelta::days(days);
        for time in [&mut self.seen_well, &mut self.found, &mut self.admission, &mut self.imaging, &mut self.discharge] {
            *time += by;
        }
        for time in [&mut self.thrombolysis, &mut self.visit].into_iter().flatten() {
            *time += by;
        }
        if let Some(thrombectomy) = &mut self.thrombectomy {
            thrombectomy.puncture += by;
            thrombectomy.recanalization += by;
        }
        self.person.birth += by;
        self
    }

    /// Whether the first of the anticoagulants is warfarin.
    pub fn vitamin_k_antagonist(&self) -> bool {
        self.background.drug_draw % 4 == 3
    }

    fn treat(&mut self, r: &mut Random) {
        if self.kind != Kind::Ischemic {
            return;
        }
        let bolus = self.imaging + minutes(r.between(14, 34));
        let in_time = bolus - self.seen_well < minutes(270);
        let mismatch = self.onset == Onset::WakeUp && self.mri && r.chance(60);
        if self.nihss >= 5 && !self.background.anticoagulant && (in_time || mismatch) {
            self.thrombolysis = Some(bolus);
            self.tenecteplase = r.chance(55);
        }
        let wanted = match self.occlusion {
            Occlusion::IcaT | Occlusion::M1 | Occlusion::Basilar => 90,
            Occlusion::M2 if self.nihss >= 8 => 65,
            _ => 0,
        };
        if r.chance(wanted) {
            let puncture = self.imaging + minutes(r.between(42, 95));
            let mtici = r.weighted((30, "3"), &[(26, "2c"), (26, "2b"), (8, "2a"), (3, "1"), (7, "0")]);
            let passes = if matches!(mtici, "0" | "1") { r.between(3, 5) } else { r.weighted((45, 1), &[(28, 2), (17, 3), (10, 4)]) };
            self.thrombectomy = Some(Thrombectomy {
                puncture,
                recanalization: puncture + minutes(12 + 11 * passes + r.between(0, 20)),
                passes,
                mtici,
                general_anesthesia: r.chance(55),
                radial: r.chance(12),
            });
        }
    }

    fn reperfused(&self) -> bool {
        self.thrombectomy.as_ref().is_some_and(|t| matches!(t.mtici, "2b" | "2c" | "3"))
    }

    fn evolve(&mut self, r: &mut Random) {
        if self.kind == Kind::Ischemic && (self.thrombolysis.is_some() || self.thrombectomy.is_some()) {
            use Transformation::{Hi1, Hi2, None, Ph1, Ph2};
            self.transformation = r.weighted((76, None), &[(9, Hi1), (7, Hi2), (5, Ph1), (3, Ph2)]);
            self.symptomatic = self.transformation == Ph2 || (self.transformation == Ph1 && r.chance(25));
        }
        let gain = |percent: i64, r: &mut Random| percent * r.between(80, 120) / 100;
        self.nihss_day = match self.kind {
            _ if self.symptomatic => (self.nihss + r.between(4, 8)).min(34),
            Kind::Tia => 0,
            Kind::Mimic => r.between(0, 1),
            Kind::Hemorrhage => (self.nihss + r.between(-2, 3)).max(2),
            Kind::Ischemic if self.reperfused() => self.nihss * gain(42, r) / 100,
            Kind::Ischemic if self.thrombolysis.is_some() => self.nihss * gain(60, r) / 100,
            Kind::Ischemic => (self.nihss * gain(90, r) / 100).max(1),
        };
        self.pneumonia = self.nihss > 3 && r.chance(if self.nihss_day > 11 { 24 } else { 3 });
        self.urinary_infection = self.nihss > 1 && r.chance(6);
        self.nihss_discharge = (self.nihss_day * gain(62, r) / 100).min(self.nihss_day);
    }

    fn leave(&mut self, r: &mut Random) {
        let dies = self.nihss_day > 18 && r.chance(45);
        self.rankin_discharge = match self.nihss_discharge {
            0 => r.between(0, 1),
            1..=2 => r.between(1, 2),
            3..=6 => r.between(2, 3),
            7..=8 => r.between(3, 4),
            9..=13 => 4,
            _ => r.between(4, 5),
        }
        .max(self.background.rankin);
        self.destination = match self.rankin_discharge {
            _ if dies => Destination::Death,
            0..=2 => Destination::Home,
            3 if r.chance(35) => Destination::Home,
            3 | 4 => Destination::Rehabilitation,
            _ if r.chance(60) => Destination::Rehabilitation,
            _ => Destination::NursingHome,
        };
        let days = match self.kind {
            Kind::Tia | Kind::Mimic => r.between(1, 4),
            _ if dies => r.between(3, 9),
            _ => 3 + self.nihss_discharge / 2 + r.between(1, 7),
        };
        if dies {
            self.rankin_discharge = 6;
        }
        self.discharge = at(self.admission.date() + TimeDelta::days(days), r.between(600, 1020));
        self.rankin_visit = if dies { 6 } else { (self.rankin_discharge - r.between(0, 2)).max(self.background.rankin) };
        let comes = !dies && self.kind != Kind::Mimic && r.chance(78);
        if comes {
            self.visit = Some(at(self.admission.date() + TimeDelta::days(r.between(82, 112)), r.between(540, 1040)));
        }
    }
}

/// A moment of a day, from minutes.
fn at(day: NaiveDate, minute: i64) -> NaiveDateTime {
    day.and_hms_opt(0, 0, 0).unwrap_or_default() + minutes(minute)
}

impl Background {
    fn draw(age: i64, r: &mut Random) -> Background {
        let old = age > 65;
        let odds = |young: u32, aged: u32| if old { aged } else { young };
        let hypertension = r.chance(odds(35, 72));
        let atrial_fibrillation = r.chance(odds(4, 24));
        let coronary = r.chance(odds(7, 18));
        let prior_stroke = r.chance(odds(8, 17));
        let dyslipidemia = coronary || r.chance(odds(28, 45));
        let anticoagulant = atrial_fibrillation && r.chance(76);
        Background {
            hypertension,
            diabetes: r.chance(odds(13, 24)),
            dyslipidemia,
            atrial_fibrillation,
            coronary,
            heart_failure: r.chance(if atrial_fibrillation || coronary { 22 } else { 3 }),
            prior_stroke,
            alcohol: r.chance(9),
            smoking: r.weighted((if old { 13 } else { 36 }, Smoking::Current), &[(26, Smoking::Former), (48, Smoking::Never)]),
            pack_years: r.between(8, 45),
            sleep_apnea: r.chance(9),
            copd: r.chance(7),
            hypothyroidism: r.chance(9),
            kidney_disease: r.chance(odds(2, 11)),
            cancer: r.chance(odds(2, 9)),
            appendectomy: r.chance(15),
            hip_prosthesis: old && r.chance(14),
            cataract: old && r.chance(22),
            family_stroke: r.chance(14),
            family_infarction: r.chance(14),
            allergy: r.chance(11),
            rankin: if age > 82 { r.weighted((40, 0), &[(30, 1), (15, 2), (15, 3)]) } else { r.weighted((82, 0), &[(12, 1), (6, 2)]) },
            anticoagulant,
            drug_draw: r.below(1000),
            antiplatelet: !anticoagulant && (coronary || prior_stroke || r.chance(7)),
            statin: dyslipidemia && r.chance(62),
        }
    }
}

impl Occlusion {
    fn draw(kind: Kind, background: &Background, r: &mut Random) -> Occlusion {
        use Occlusion::{Basilar, Distal, IcaT, Lacune, M1, M2, Pca};
        match kind {
            Kind::Ischemic if background.atrial_fibrillation => {
                r.weighted((18, IcaT), &[(34, M1), (24, M2), (12, Distal), (7, Pca), (5, Basilar)])
            }
            Kind::Ischemic => r.weighted((11, IcaT), &[(26, M1), (18, M2), (14, Distal), (8, Pca), (5, Basilar), (18, Lacune)]),
            _ => Occlusion::None,
        }
    }
}

fn cause(kind: Kind, b: &Background, occlusion: Occlusion, tandem: bool, found: bool, age: i64, r: &mut Random) -> Cause {
    match kind {
        Kind::Hemorrhage if b.anticoagulant => Cause::Anticoagulant,
        Kind::Hemorrhage if age > 74 && !b.hypertension => Cause::Amyloid,
        Kind::Hemorrhage => Cause::Hypertensive,
        Kind::Mimic => r.weighted((1, Cause::Migraine), &[(1, Cause::Seizure)]),
        _ if tandem && age < 56 => Cause::Dissection,
        _ if tandem => Cause::LargeArtery,
        _ if b.atrial_fibrillation || found => Cause::Cardioembolic,
        _ if occlusion == Occlusion::Lacune => Cause::SmallVessel,
        _ => r.weighted((3, Cause::Undetermined), &[(2, Cause::LargeArtery)]),
    }
}

fn severity(kind: Kind, occlusion: Occlusion, r: &mut Random) -> i64 {
    match (kind, occlusion) {
        (Kind::Hemorrhage, _) => r.around(5, 25),
        (Kind::Tia, _) => 0,
        (Kind::Mimic, _) => r.between(1, 4),
        (_, Occlusion::IcaT) => r.between(14, 23),
        (_, Occlusion::M1) => r.between(10, 21),
        (_, Occlusion::M2) => r.between(5, 15),
        (_, Occlusion::Basilar) => r.between(12, 27),
        (_, Occlusion::Pca) => r.between(2, 5),
        (_, Occlusion::Lacune) => r.between(3, 7),
        _ => r.between(2, 7),
    }
}

#[cfg(test)]
mod tests {
    use super::super::documents::grammar;
    use super::*;

    fn cases() -> impl Iterator<Item = Case> {
        (0..3000).map(|index| Case::draw(grammar(), 7, index))
    }

    #[test]
    fn times_follow_one_another() {
        for case in cases() {
            assert!(case.seen_well <= case.found && case.found < case.admission && case.admission < case.imaging, "{}", case.index);
            assert!(case.thrombolysis.is_none_or(|t| t > case.imaging));
            if let Some(t) = &case.thrombectomy {
                assert!(t.puncture > case.imaging && t.recanalization > t.puncture);
                assert!(case.thrombolysis.is_none_or(|bolus| bolus < t.puncture));
            }
            assert!(case.discharge > case.admission + TimeDelta::hours(12));
            assert!(case.visit.is_none_or(|v| v > case.discharge));
        }
    }

    #[test]
    fn treatment_follows_the_rules_of_the_unit() {
        let (mut lysed, mut pulled) = (0, 0);
        for case in cases() {
            if let Some(bolus) = case.thrombolysis {
                lysed += 1;
                assert!(case.kind == Kind::Ischemic && !case.background.anticoagulant && case.nihss >= 5);
                assert!(case.onset == Onset::WakeUp || bolus - case.seen_well < minutes(270));
            }
            if let Some(t) = &case.thrombectomy {
                pulled += 1;
                assert!(matches!(case.occlusion, Occlusion::IcaT | Occlusion::M1 | Occlusion::M2 | Occlusion::Basilar));
                assert!((1..=5).contains(&t.passes));
            }
            let treated = case.thrombolysis.is_some() || case.thrombectomy.is_some();
            assert!(treated || case.transformation == Transformation::None);
            assert!(!case.symptomatic || case.nihss_day >= case.nihss + 4 || case.nihss_day == 34);
        }
        assert!(lysed > 300 && pulled > 300, "{lysed} {pulled}");
    }

    #[test]
    fn outcome_and_cause_agree_with_the_rest() {
        for case in cases() {
            assert_eq!(case.destination == Destination::Death, case.rankin_discharge == 6);
            assert!(case.rankin_visit >= case.background.rankin && (0..=6).contains(&case.rankin_visit));
            assert!(case.destination != Destination::Death || case.visit.is_none());
            assert!(case.nihss_discharge <= case.nihss_day && (0..=42).contains(&case.nihss_day));
            assert!(!case.background.anticoagulant || case.background.atrial_fibrillation);
            if case.cause == Cause::Cardioembolic {
                assert!(case.background.atrial_fibrillation || case.fibrillation_found);
            }
            if case.cause == Cause::SmallVessel {
                assert!(case.occlusion == Occlusion::Lacune);
            }
            assert!(case.diastolic < case.systolic && (50..=300).contains(&case.systolic));
        }
    }
}
