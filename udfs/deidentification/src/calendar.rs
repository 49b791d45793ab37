//! Folded words of the calendar, as notes write them.

/// A day of the week, whole or cut.
pub(crate) fn weekday(fold: &str) -> bool {
    matches!(
        fold,
        "lundi"
            | "mardi"
            | "mercredi"
            | "jeudi"
            | "vendredi"
            | "samedi"
            | "dimanche"
            | "lun"
            | "mar"
            | "mer"
            | "jeu"
            | "ven"
            | "sam"
            | "dim"
    )
}

/// A month in the short form that stands beside a day.
pub(crate) fn short_month(fold: &str) -> bool {
    matches!(fold, "janv" | "fev" | "mars" | "avril" | "mai" | "juin" | "juil" | "aout" | "sept" | "oct" | "nov" | "dec")
}
