//! Mail and web addresses: of the surrogate's name, at a domain that cannot be.

use sillage_clinical::text::fold;

use super::draw::Draw;
use super::{SurrogateContext, Surrogates, number, person};
use crate::Label;

/// A mail address, a web address or a handle.
pub(super) fn mail(lists: &Surrogates, context: &SurrogateContext<'_>, text: &str) -> String {
    let compact: String = fold(text).chars().filter(|c| !c.is_whitespace()).collect();
    let domain = |of: &str| Draw::new(context.key, context.patient, "domaine", of).of(&lists.domains).unwrap_or("mail.invalid").to_owned();
    let Some((local, host)) = compact.split_once('@') else {
        let scheme = ["https://", "http://"].into_iter().find(|s| compact.starts_with(s)).unwrap_or_default();
        let www = if compact[scheme.len()..].starts_with("www.") { "www." } else { "" };
        return format!("{scheme}{www}{}", domain(&compact));
    };
    let mut out = String::new();
    let mut run = String::new();
    let mut of_digits = false;
    let flush = |run: &mut String, of_digits: bool, out: &mut String| {
        if run.is_empty() {
            return;
        }
        if of_digits {
            out.push_str(&number::like(context, "courriel", run));
        } else if run.chars().count() == 1 {
            out.push_str(&fold(&person::names(lists, context, Label::Prenom, run)));
        } else {
            let given = lists.gender(run).is_some() || context.person.is_some_and(|p| p.givens.iter().any(|g| fold(g) == *run));
            out.push_str(&fold(&person::names(lists, context, if given { Label::Prenom } else { Label::Nom }, run)));
        }
        run.clear();
    };
    for c in local.chars() {
        if !c.is_alphanumeric() {
            flush(&mut run, of_digits, &mut out);
            out.push(if c.is_ascii() { c } else { '-' });
            continue;
        }
        if c.is_ascii_digit() != of_digits {
            flush(&mut run, of_digits, &mut out);
            of_digits = c.is_ascii_digit();
        }
        run.push(c);
    }
    flush(&mut run, of_digits, &mut out);
    format!("{out}@{}", domain(host))
}
