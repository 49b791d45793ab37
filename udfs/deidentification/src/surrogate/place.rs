//! Towns, postal codes, addresses and establishments.

use rustc_hash::FxHashSet;
use sillage_clinical::is;
use sillage_clinical::text::{Kind, Text, fold};

use super::draw::Draw;
use super::{SurrogateContext, Surrogates, like};
use crate::Label;

const ARTICLES: &[&str] = &["de", "du", "des", "d", "l", "la", "le", "les", "'", "-"];

/// A town without district and CEDEX: what its spellings share.
fn town_key(text: &str) -> String {
    let mut key = String::new();
    for word in fold(text).split(|c: char| !c.is_alphanumeric()) {
        match word {
            "cedex" => break,
            w if w.starts_with(|c: char| c.is_ascii_digit()) => break,
            "st" => key.push_str("saint"),
            "ste" => key.push_str("sainte"),
            "s" => key.push_str("sur"),
            w => key.push_str(w),
        }
    }
    if key.is_empty() { fold(text) } else { key }
}

fn vowel(folded: &str) -> bool {
    folded.starts_with(['a', 'e', 'i', 'o', 'u', 'y', 'h'])
}

/// A town that does not exist; after `d'` if the other was.
pub(super) fn town(lists: &Surrogates, context: &SurrogateContext<'_>, text: &str) -> String {
    let key = town_key(text);
    let mut draw = Draw::new(context.key, context.patient, "ville", &key);
    let named = text.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).take_while(|w| !w.eq_ignore_ascii_case("cedex"));
    let several = usize::from(named.take_while(|w| !w.starts_with(|c: char| c.is_ascii_digit())).count() > 1);
    let list = if vowel(&key) { &lists.vowel_towns[several] } else { &lists.towns[several] };
    let mut found = "";
    for _ in 0..32 {
        found = draw.of(list).unwrap_or("Villeneuve");
        if town_key(found) != key && !context.holds_known(found) {
            break;
        }
    }
    let cased = like(text, found);
    match text.to_lowercase().find("cedex") {
        Some(at) if text.is_char_boundary(at) => format!("{cased} {}", text.get(at..at + 5).unwrap_or("Cedex")),
        _ => cased,
    }
}

/// A postal code, or the two digits of a department; those of the town where it is known.
pub(super) fn postal_code(context: &SurrogateContext<'_>, text: &str, town: Option<&str>) -> String {
    let digits: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let own = context.person.and_then(|p| Some((p.postal_codes.iter().position(|c| *c == digits)?, p)));
    let own = own.and_then(|(index, p)| p.cities.get(index).or(p.cities.first()));
    let key = own.map(|c| town_key(c)).or_else(|| town.map(town_key)).unwrap_or_else(|| digits.clone());
    let mut draw = Draw::new(context.key, context.patient, "code postal", &key);
    let mut code = String::new();
    for _ in 0..16 {
        let department = draw.below(95) + 1;
        code = format!("{department:02}{}{}0", draw.digit(), draw.digit());
        if !digits.starts_with(&code[..2]) {
            break;
        }
    }
    let mut with = code.chars();
    text.chars().map(|c| if c.is_ascii_alphanumeric() { with.next().unwrap_or('0') } else { c }).collect()
}

/// `des Lilas` as a name of its own: `Les Lilas`.
fn standing(name: &str) -> String {
    for (from, to) in [("des ", "Les "), ("du ", "Le "), ("de la ", "La "), ("de l'", "L'"), ("de ", ""), ("d'", "")] {
        if let Some(rest) = name.strip_prefix(from) {
            return format!("{to}{rest}");
        }
    }
    name.to_owned()
}

fn drawn<'a>(list: &'a [Box<str>], context: &SurrogateContext<'_>, kind: &str, key: &str) -> &'a str {
    let mut draw = Draw::new(context.key, context.patient, kind, key);
    let mut found = "";
    for _ in 0..32 {
        found = draw.of(list).unwrap_or("des Lilas");
        if compact(&standing(found)) != key && !key.ends_with(&last_word(found)) && !context.holds_known(found) {
            break;
        }
    }
    found
}

fn compact(text: &str) -> String {
    fold(text).chars().filter(|c| c.is_alphanumeric()).collect()
}

fn last_word(name: &str) -> String {
    let folded = fold(name);
    folded.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Runs over the tokens of a text: type words stay, numbers and names go.
struct Rewriter<'a, 'b> {
    lists: &'a Surrogates,
    context: &'a SurrogateContext<'b>,
    text: Text<'a>,
    /// Words that say what kind of thing it is, or link its name.
    kinds: &'a FxHashSet<Box<str>>,
    streets: bool,
}

impl Rewriter<'_, '_> {
    /// A kind behind the article of another is a name: "avenue des Allées".
    fn is_kind(&self, at: usize) -> bool {
        let is = |at: usize| self.kinds.contains(self.text.fold(at));
        let articles = self.text.tokens[..at].iter().enumerate().rev().take_while(|(i, _)| self.is_article(*i)).count();
        let named = self.streets && articles > 0 && at > articles && is(at - articles - 1);
        is(at) && !named
    }

    fn is_article(&self, at: usize) -> bool {
        ARTICLES.contains(&self.text.fold(at))
    }

    /// End of the name that starts here: words, articles, hyphens up to a mark or a number.
    fn name_end(&self, start: usize) -> usize {
        let mut end = start;
        let mut at = start;
        while at < self.text.tokens.len() {
            let token = &self.text.tokens[at];
            let word = token.kind == Kind::Word;
            if at > start && (token.lines_before > 0 && !self.text.original[..token.start as usize].trim_end().ends_with('-')) {
                break;
            }
            if word && !self.is_article(at) && self.is_kind(at) && self.text.fold(at).len() > 1 {
                break;
            }
            if !word && !is!(self.text.key(at), "-" | "'" | ".") {
                break;
            }
            at += 1;
            if word && !self.is_article(at - 1) {
                end = at;
            }
        }
        end
    }

    fn has_name(&self, start: usize, end: usize) -> bool {
        (start..end).any(|i| self.text.tokens[i].kind == Kind::Word && !self.is_article(i))
    }

    fn rewrite(&self, mut name: impl FnMut(&str, bool) -> String, number: impl Fn(&str) -> String) -> (String, bool) {
        let original = self.text.original;
        let (mut out, mut last, mut at, mut after_kind, mut changed) = (String::with_capacity(original.len() + 16), 0, 0, false, false);
        while at < self.text.tokens.len() {
            let range = self.text.tokens[at].range();
            if self.text.tokens[at].kind == Kind::Number {
                out.push_str(&original[last..range.start]);
                out.push_str(&number(&original[range.clone()]));
                (last, at, changed) = (range.end, at + 1, true);
                continue;
            }
            let kind = self.is_kind(at) && !self.is_article(at);
            let end = if kind || self.text.tokens[at].kind != Kind::Word { at } else { self.name_end(at) };
            if end > at && self.has_name(at, end) {
                let bytes = self.text.byte_range(at..end);
                out.push_str(&original[last..bytes.start]);
                out.push_str(&name(&original[bytes.clone()], after_kind));
                (last, at, changed) = (bytes.end, end, true);
            } else {
                at += 1;
            }
            after_kind |= kind;
        }
        out.push_str(&original[last..]);
        (out, changed)
    }
}

/// An address of the same kind in another street.
pub(super) fn address(lists: &Surrogates, context: &SurrogateContext<'_>, text: &str) -> String {
    let rewriter = Rewriter { lists, context, text: Text::new(text), kinds: &lists.street_kinds, streets: true };
    let name = |written: &str, after_kind: bool| {
        let street = drawn(&rewriter.lists.streets, rewriter.context, "rue", &compact(written));
        if after_kind { like(written, street) } else { like(written, &standing(street)) }
    };
    let number = |written: &str| {
        if written.chars().filter(char::is_ascii_digit).count() == 5 {
            return postal_code(context, written, None);
        }
        house(context, written)
    };
    let (out, changed) = rewriter.rewrite(name, number);
    if changed && out != text { out } else { like(text, &format!("12 rue {}", drawn(&lists.streets, context, "rue", &compact(text)))) }
}

fn house(context: &SurrogateContext<'_>, written: &str) -> String {
    super::number::like(context, "maison", written)
}

/// An establishment of the same kind.
pub(super) fn hospital(lists: &Surrogates, context: &SurrogateContext<'_>, text: &str) -> String {
    let rewriter = Rewriter { lists, context, text: Text::new(text), kinds: &lists.establishment_kinds, streets: false };
    let name = |written: &str, after_kind: bool| {
        let folded = fold(written);
        for link in ["de ", "d'", "d’"] {
            let plain = folded.strip_prefix(link).filter(|r| !["la ", "l'", "l’"].iter().any(|a| r.starts_with(a)));
            if let (Some(_), Some(rest)) = (plain, written.get(link.len()..)) {
                return format!("{}{}", &written[..link.len()], town(lists, context, rest));
            }
        }
        if let Some((name, link, place)) = with_town(context, written) {
            let name = if name.is_empty() { String::new() } else { establishment(lists, context, name, after_kind) };
            return format!("{name}{link}{}", town(lists, context, place));
        }
        let letters = written.chars().filter(|c| c.is_alphabetic()).count();
        if !after_kind && letters <= 6 && written.chars().all(|c| !c.is_lowercase()) && !written.contains(' ') {
            return format!("CH de {}", town(lists, context, &format!("x{}", fold(written))).to_uppercase());
        }
        establishment(lists, context, written, after_kind)
    };
    rewriter.rewrite(name, |written| super::number::like(context, "site", written)).0
}

/// A name of its own, as the kind before it or nothing before it asks for.
fn establishment(lists: &Surrogates, context: &SurrogateContext<'_>, written: &str, after_kind: bool) -> String {
    let key: String = fold(written).split(|c: char| !c.is_alphanumeric()).map(full_saint).collect();
    let name = drawn(&lists.hospitals, context, "hopital", &key);
    if after_kind { like(written, name) } else { like(written, &standing(name)) }
}

fn full_saint(word: &str) -> &str {
    match word {
        "st" => "saint",
        "ste" => "sainte",
        word => word,
    }
}

/// The town that the documents of the patient name at the end of an establishment: what
/// stands before it, what links the two, the town.
fn with_town<'t>(context: &SurrogateContext<'_>, written: &'t str) -> Option<(&'t str, &'t str, &'t str)> {
    let known = |place: &str| context.known.iter().any(|(l, n)| *l == Label::Ville && town_key(n) == town_key(place));
    let own = |place: &str| context.person.is_some_and(|p| p.cities.iter().any(|c| town_key(c) == town_key(place)));
    let starts = written.char_indices().filter(|(at, _)| *at == 0 || written[..*at].ends_with([' ', '\'', '’', ',']));
    let (at, _) = starts.into_iter().find(|(at, _)| known(&written[*at..]) || own(&written[*at..]))?;
    let before = written[..at].trim_end();
    let name = [" de", " d'", " d’", " à", ","].iter().find_map(|link| before.strip_suffix(link)).unwrap_or(before).trim_end();
    Some((name, &written[name.len()..at], &written[at..]))
}
