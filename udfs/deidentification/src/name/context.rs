//! Names that a word before them announces: titles, functions, relatives, headings,
//! who did it, who gets a copy.

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::knowledge::{CueHit, role, word};
use super::page::{Candidate, Page, PartKind, Trust, look};
use super::weigh::{ENOUGH, labelled, shape};
use super::{Found, likely_common};
use crate::proper::known;

const HEADS: u32 = role::PERSON_HEAD | role::FAMILY_HEAD | role::GIVEN_HEAD;
/// Most names of one list.
const LIST: usize = 24;

/// What stands between a cue and its name.
#[derive(Clone, Copy)]
pub(super) struct Link {
    /// First token of the name.
    pub at: usize,
    /// A colon, an equals sign or a bar.
    colon: bool,
    /// Any mark at all.
    mark: bool,
    /// A line end.
    line: bool,
}

/// Finds every name that a cue announces.
pub(crate) fn announced(page: &Page<'_, '_>, found: &mut Found) {
    let mut at = 0;
    while at < page.len() {
        let Some(hit) = page.cues[at] else {
            at += 1;
            continue;
        };
        if let Some(end) = page.title(at) {
            titled(page, at, end, hit, found);
        }
        let others = hit.roles & !(role::TITLE | role::WEAK_TITLE | role::PHYSICIAN);
        if others != 0 {
            cued(page, at, hit, others, found);
        }
        at += 1;
    }
}

fn titled(page: &Page<'_, '_>, start: usize, after: usize, hit: CueHit, found: &mut Found) {
    let mut at = after;
    // "Madame le Docteur", "Pr Dr", "Dr (Mme)".
    loop {
        let inner = usize::from(is!(page.key(at), "le" | "la" | "(")).min(1);
        match page.title(at + inner) {
            // "Dr M. Durand": a first name.
            Some(end) if page.same_line(at) && page.fold(at + inner).len() > 1 => at = end + usize::from(is!(page.key(end), ")")),
            _ => break,
        }
    }
    let weak = hit.roles & role::WEAK_TITLE != 0 && hit.end == start + 1;
    let plural = is!(page.key(start), "drs" | "prs" | "docteurs" | "professeurs" | "mm" | "messieurs" | "mmes" | "mesdames" | "mlles");
    let broken = !page.same_line(at);
    if broken && (page.text.tokens.get(at).is_none_or(|t| t.lines_before > 1) || page.has(at, word::COMMON | look::CUE)) {
        return;
    }
    if is!(page.key(at), "\"" | "«") {
        at += 1;
    }
    let dotted = is!(page.key(after.saturating_sub(1)), ".");
    // "7 mm. Bord": a unit.
    if start > 0 && weak && page.text.tokens[start - 1].kind == Kind::Number {
        return;
    }
    let trust = if weak && !dotted || page.has(start, look::IN_CAPITALS) { Trust::Announced } else { Trust::Titled };
    let Some(candidate) = page.read(at, trust) else {
        if !weak {
            // "pr" in small letters is for "pour" as well.
            let roles = if page.has(start, look::LOWER) && is!(page.key(start), "pr") { hit.roles & !role::PHYSICIAN } else { hit.roles };
            in_small_letters(page, at, roles, found);
        }
        return;
    };
    // "pr la Toussaint"
    if is!(page.key(start), "pr") && page.has(start, look::LOWER) && page.has(at, look::LOWER) {
        return;
    }
    let mut weight = shape(page, &candidate, true).max(-20) + 30;
    // "PR APPENDICITE" is for "pour".
    let first = &candidate.parts[0];
    if page.has(start, look::IN_CAPITALS) && is!(page.key(start), "pr") && first.bits & word::ANY_NAME == 0 && first.kind == PartKind::Word
    {
        weight -= 12;
    }
    if weak {
        // "M" is also a letter, "Me" a pronoun.
        let first = page.bits(candidate.parts[0].tokens.start);
        let sure = dotted || first & (word::ANY_FAMILY | look::UPPER | word::GIVEN) != 0;
        weight -= if sure { 8 } else { 14 };
        if !dotted && candidate.parts.iter().all(|p| p.kind == PartKind::Initial) {
            return;
        }
    }
    if broken && !candidate.parts[0].upper && candidate.parts[0].bits & word::ANY_NAME == 0 {
        weight -= 12;
    }
    let plain = first.kind == PartKind::Word
        && (first.bits & look::CLINICAL == 0 || first.bits & look::BODY != 0)
        && first.bits & look::IN_CAPITALS == 0;
    let known = first.bits & word::ANY_NAME != 0;
    // "M. LONG": a dot behind the letter, and capitals within small letters.
    let stands_out = dotted
        && first.upper
        && page.stands_out(first.tokens.start)
        && !page.has(candidate.end, look::UPPER)
        && candidate.parts[1..].iter().all(|p| p.bits & word::ANY_NAME != 0);
    if plain && !broken && (known || stands_out && !page.has(start, look::IN_CAPITALS) || !weak && !is!(page.key(start), "pr")) {
        weight = weight.max(ENOUGH);
    }
    if weight < ENOUGH {
        return;
    }
    let end = candidate.end;
    accept(page, &candidate, role::TITLE, weight, "context:title", found);
    list(page, end, found, "context:title", role::TITLE, |mark| match mark {
        "et" | "&" | "/" | "+" | "-" => Some(if plural { 25 } else { 16 }),
        "," => Some(if plural { 20 } else { 6 }),
        _ => None,
    });
}

/// Hasty notes write "dr kermarrec", "mme durand".
fn in_small_letters(page: &Page<'_, '_>, at: usize, roles: u32, found: &mut Found) {
    let mut first = at;
    while page.has(first, word::PARTICLE) && page.has(first, look::LOWER) && first < at + 3 && page.same_line(first) {
        first += 1;
        if is!(page.key(first), "'") {
            first += 1;
        }
    }
    let usual = |i: usize| {
        let fold = page.fold(i);
        page.has(i, word::COMMON | word::QUALIFIER | word::KIN_QUALIFIER | word::PARTICLE | look::CLINICAL | look::CUE | word::ACRONYM)
            || likely_common(fold)
            || fold.len() < 3
    };
    // "vu par dr hk"
    let letters = page.fold(at);
    if roles & role::PHYSICIAN != 0
        && page.same_line(at)
        && page.has(at, look::LOWER)
        && letters.len() == 2
        && !letters.contains(['a', 'e', 'i', 'o', 'u', 'y'])
        && (page.line_ends(at + 1) || page.text.tokens[at + 1].kind == Kind::Mark)
    {
        found.push(page, at..at + 1, crate::Label::Nom, "context:title", 22);
        return;
    }
    // "docteur solenn kervran a vu"
    if page.same_line(at) && small_whole(page, at, true, found, "context:title") {
        return;
    }
    // "dr petit : ok", "mme petit est algique"
    let said = is!(page.key(first + 1), ":" | ")" | "(" | "est" | "a") && page.same_line(first + 1);
    let family = page.has(first, word::ANY_FAMILY) && !page.has(first, look::CLINICAL | look::CUE | word::PARTICLE | word::ACRONYM);
    if said
        && family
        && first == at
        && page.has(at, look::LOWER)
        && page.same_line(at)
        && page.fold(at).len() > 3
        && !how_one_is(page.fold(at))
    {
        found.push(page, at..at + 1, crate::Label::Nom, "context:title", 22);
        return;
    }
    if !page.has(first, look::LOWER) || !page.same_line(first) || usual(first) {
        return;
    }
    let bits = page.bits(first);
    let physician = roles & role::PHYSICIAN != 0;
    // "mme martin grogne", but "mme fort agitée"
    let full = roles & role::WEAK_TITLE == 0 && !how_one_is(page.fold(first));
    let known = bits & (word::GIVEN | word::FAMILY) != 0 || (physician || full) && bits & word::ANY_NAME != 0;
    if !(known || physician && bits & word::EPONYM_HEAD == 0 || first > at && bits & word::ANY_FAMILY != 0) {
        return;
    }
    let start = if known || first > at && !is!(page.key(at), "de" | "du") { at } else { first };
    if first > at && start == first && !known {
        return;
    }
    let mut end = first + 1;
    while page.same_line(end) && is!(page.key(end), "-") && page.has(end + 1, look::LOWER) && page.glued(end) {
        end += 2;
    }
    found.push(page, start..end, crate::Label::Nom, "context:title", 24);
    if page.same_line(end) && page.has(end, look::LOWER) && page.has(end, word::GIVEN) && !usual(end) {
        found.push(page, end..end + 1, crate::Label::Prenom, "context:title", 22);
        return;
    }
    // "dr kermarrec l :", "dr roussel e,": the letter of the given name.
    let letter = page.fold(end);
    let closed = page.line_ends(end + 1) || is!(page.key(end + 1), ":" | "," | ";" | ")");
    if physician && page.same_line(end) && letter.len() == 1 && letter.bytes().all(|b| b.is_ascii_lowercase()) && closed && !page.glued(end)
    {
        found.push(page, end..end + 1, crate::Label::Prenom, "context:title", 22);
    }
}

/// Words that say how somebody is, and names as well.
fn how_one_is(fold: &str) -> bool {
    matches!(
        fold,
        "fort"
            | "bien"
            | "bon"
            | "bonne"
            | "jeune"
            | "gros"
            | "grosse"
            | "vieux"
            | "vieille"
            | "rouge"
            | "calme"
            | "sage"
            | "gentil"
            | "doux"
            | "douce"
            | "content"
            | "vif"
            | "vive"
            | "jour"
            | "nuit"
            | "matin"
            | "soir"
            | "lit"
            | "chambre"
            | "leger"
            | "franche"
    )
}

/// Past what links a cue to its name.
pub(super) fn link(page: &Page<'_, '_>, at: usize, end: usize, roles: u32) -> Link {
    let mut i = end;
    // "né(e)", "nom(s)", "c.": what belongs to the cue itself.
    if is!(page.key(i), "(") && is!(page.key(i + 2), ")") && page.fold(i + 1).len() < 3 && page.glued(i) {
        i += 3;
    }
    // "ép.", "dict.", "IDE.": a short form has a dot, a sentence ends on "mère.".
    let short = roles & role::KIN == 0
        && (page.fold(at).len() < 5 || roles & role::TYPIST != 0)
        && (roles & role::FUNCTION == 0 || !page.has(at, look::UPPER));
    if is!(page.key(i), ".") && page.glued(i) && end == at + 1 && short {
        i += 1;
    }
    // "Nom officiel : …".
    if roles & HEADS != 0 && page.same_line(i + 1) && page.has(i, look::LOWER) && is!(page.key(i + 1), ":") {
        i += 1;
    }
    let small = if roles & role::KIN != 0 { word::KIN_QUALIFIER } else { word::QUALIFIER };
    let skips = roles & (role::FUNCTION | role::KIN) != 0;
    let mut skipped = 0;
    while skips && skipped < 6 && page.same_line(i) {
        let word = page.has(i, small) && (page.has(i, look::LOWER) || page.has(i, word::ACRONYM) && !page.has(i, word::PARTICLE));
        if word || is!(page.key(i), "'") {
            i += 1;
            skipped += 1;
        } else {
            break;
        }
    }
    // "externe de Moore", "cadre de Mayfield": not who but whose.
    if skipped > 0
        && roles & role::FUNCTION != 0
        && (page.has(i - 1, word::PARTICLE) || is!(page.key(i - 1), "'"))
        && page.has(i, look::CAPITAL)
    {
        i = page.len();
    }
    let (mut colon, mut mark, mut line) = (false, false, false);
    // "Opérateur 2     L. FONTANEL": a numbered field and its column.
    let numbered = roles & role::FUNCTION != 0
        && page.same_line(i)
        && is!(page.key(i), "1" | "2" | "3" | "4")
        && page.same_line(i + 1)
        && (page.column(i + 1) || is!(page.key(i + 1), ":"));
    if numbered {
        i += 1;
        colon = true;
    }
    for _ in 0..3 {
        if i > end && roles & role::CLOSING == 0 && page.text.tokens.get(i).is_some_and(|t| t.lines_before > 1) {
            break;
        }
        match page.fold(i) {
            ":" | "=" | "|" => colon = true,
            "(" | "," | "-" | "\"" | "→" | ">" | "•" | "*" | "/" => {}
            _ => break,
        }
        line |= !page.same_line(i);
        mark = true;
        i += 1;
    }
    line |= !page.same_line(i);
    Link { at: i, colon, mark, line }
}

fn cued(page: &Page<'_, '_>, at: usize, hit: CueHit, roles: u32, found: &mut Found) {
    // "postéro-externe": the end of another word.
    if at > 0 && is!(page.key(at - 1), "-") && page.glued(at) && page.glued(at - 1) && page.has(at, look::LOWER) {
        return;
    }
    // "3 MG/H. DORT": an amount, not who treats.
    if is!(page.key(at), "mg") && at > 0 && page.text.tokens[at - 1].kind == Kind::Number && page.same_line(at) {
        return;
    }
    let link = link(page, at, hit.end, roles);
    let Some(token) = page.text.tokens.get(link.at) else { return };
    if roles & role::TYPIST != 0 && super::field::form_code(page, link.at) {
        return;
    }
    if token.lines_before > 1 && roles & (role::COPY | role::CLOSING) == 0
        || link.line && !link.colon && roles & (role::COPY | role::CLOSING) == 0
    {
        return;
    }
    // A letter closes at the end of a line or behind a comma.
    if roles & role::CLOSING != 0 && !link.line && !link.mark {
        return;
    }
    // "Nom : Prénom :", "Médecin : Dr …": the next cue speaks for itself.
    let (weight, detector) = weigh_cue(page, at, hit, roles, link);
    if page.title(link.at).is_none() {
        name_at(page, at, link, roles, weight, detector, found);
    } else if roles & role::COPY == 0 {
        return;
    }
    if roles & role::COPY != 0 && page.title(link.at).is_some() {
        // The list of copies goes on behind its first name, titled or not.
        copies(page, link.at, found);
    }
}

/// Weight and detector of the strongest role of a cue.
fn weigh_cue(page: &Page<'_, '_>, at: usize, hit: CueHit, roles: u32, link: Link) -> (i32, &'static str) {
    let mut best = (0, "context");
    let mut offer = |weight: i32, detector: &'static str| {
        if weight > best.0 {
            best = (weight, detector);
        }
    };
    let opens = page.has(at, look::OPENS) || at > 0 && is!(page.key(at - 1), "-" | "/" | "|" | "(" | ",");
    if roles & (role::FAMILY_HEAD | role::GIVEN_HEAD) != 0 {
        let plain = page.has(at, look::CAPITAL) && !page.has(at, look::LOWER) && opens || hit.end > at + 1;
        offer(
            if link.colon {
                30
            } else if plain {
                14
            } else {
                8
            },
            "context:header",
        );
    }
    if roles & role::PERSON_HEAD != 0 {
        offer(if link.colon { 20 } else { 6 }, "context:header");
    }
    if roles & role::BIRTH != 0 {
        offer(24, "context:birth");
    }
    if roles & role::SPOUSE != 0 {
        offer(16, "context:spouse");
    }
    if roles & role::FUNCTION != 0 {
        offer(if link.colon { 17 } else { 14 }, "context:function");
    }
    if roles & role::KIN != 0 {
        offer(15, "context:kin");
    }
    if roles & role::COPY != 0 {
        offer(15, "context:copy");
    }
    if roles & role::CLOSING != 0 {
        offer(14, "context:signature");
    }
    if roles & role::TYPIST != 0 {
        offer(15, "context:signature");
    }
    if roles & role::AGENT != 0 {
        let by = is!(page.key(hit.end - 1), "par") || page.fold(at).starts_with("sign");
        offer(if by { 15 } else { 6 }, "context:agent");
    }
    best
}

fn name_at(page: &Page<'_, '_>, cue: usize, link: Link, roles: u32, before: i32, detector: &'static str, found: &mut Found) {
    let at = link.at;
    // "née le 3 mars", "NÉE LE 03/03".
    if roles & role::BIRTH != 0
        && (page.has(at, look::LOWER) && !page.has(at, word::PARTICLE)
            || page.text.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Number))
    {
        return;
    }
    let heads = roles & (HEADS | role::BIRTH | role::SPOUSE) != 0;
    let colon = link.colon && roles & (role::FUNCTION | role::AGENT | role::TYPIST) != 0;
    let trust = if heads || colon { Trust::Announced } else { Trust::Free };
    let Some(candidate) = page.read(at, trust).or_else(|| page.read(at, Trust::Free)) else {
        small_given(page, at, roles, before, detector, found);
        return;
    };
    // "NE MANGE PAS": without its accent only before a listed name.
    let negation = roles & role::BIRTH != 0 && page.text.source(cue..cue + 1).eq_ignore_ascii_case("ne");
    if negation && !candidate.parts.iter().any(|p| p.bits & (word::GIVEN | word::FAMILY) != 0) {
        return;
    }
    let lone = candidate.parts.iter().all(|p| p.kind == PartKind::Initial);
    let mut weight = before + shape(page, &candidate, true);
    let first = &candidate.parts[0];
    // "interne DELPECH", "cadre : CHARPENTIER": capitals within small letters.
    if first.upper
        && page.stands_out(first.tokens.start)
        && first.kind == PartKind::Word
        && page.text.byte_range(first.tokens.clone()).len() > 3
        && before >= 14
    {
        weight += 4;
    }
    if lone {
        let sure = roles & (role::FUNCTION | role::AGENT | role::TYPIST | role::COPY) != 0 && before >= 14;
        weight = if sure && !page.has(at, word::ACRONYM) { before + 5 } else { 0 };
    }
    if roles & role::SPOUSE != 0 && link.mark && roles & role::KIN == 0 {
        weight -= 4;
    }
    // "du témoin, Sodium …": behind a comma only a listed name.
    if roles & role::KIN != 0 && link.mark && !link.colon && is!(page.key(at - 1), ",") && first.bits & word::ANY_NAME == 0 {
        weight -= 6;
    }
    // "épouse Philomite": no word of a dictionary, whatever it ends like.
    let strange = first.bits & (word::COMMON | word::QUALIFIER | look::CLINICAL | look::SEEN_LOWER | look::UPPER | word::EPONYM) == 0
        && first.kind == PartKind::Word
        && !known::explained(page.fold(first.tokens.start));
    // "Un frère, Evrel, vit loin": a comma on both sides.
    let between = link.mark && is!(page.key(at - 1), ",") && is!(page.key(candidate.end), ",");
    if roles & role::KIN != 0 && (!link.mark || between) && !link.line && strange && candidate.parts.len() == 1 {
        weight = weight.max(ENOUGH);
    }
    if weight < ENOUGH {
        return;
    }
    let end = candidate.end;
    accept(page, &candidate, roles, weight, detector, found);
    let (colon, kin, copy) = (link.colon, roles & role::KIN != 0, roles & role::COPY != 0);
    if copy {
        copies(page, end, found);
        return;
    }
    list(page, end, found, detector, roles, |mark| match mark {
        "," | "/" | "+" | "&" | "et" | "-" | ";" if colon || kin => Some(if mark == "et" || kin { 15 } else { 14 }),
        "et" | "/" | "&" => Some(12),
        _ => None,
    });
}

/// "sa fille servane", "ide nawal": only listed first names.
fn small_given(page: &Page<'_, '_>, at: usize, roles: u32, before: i32, detector: &'static str, found: &mut Found) {
    let bits = page.bits(at);
    // "transmission à nadia ide nuit"
    let trade = |i: usize| page.same_line(i) && page.cues.get(i).copied().flatten().is_some_and(|c| c.roles & role::FUNCTION != 0);
    if roles & role::AGENT != 0 && bits & word::GIVEN != 0 && bits & look::LOWER != 0 && page.fold(at).len() > 3 && trade(at + 1) {
        found.push(page, at..at + 1, crate::Label::Prenom, detector, 20);
        return;
    }
    if roles & (role::KIN | role::FUNCTION | role::GIVEN_HEAD | role::FAMILY_HEAD | role::BIRTH | role::SPOUSE | role::PERSON_HEAD) == 0 {
        return;
    }
    let plain = bits & look::LOWER != 0 && bits & (word::COMMON | look::CLINICAL | word::QUALIFIER | look::CUE | word::ACRONYM) == 0;
    // "nom kerdonval prénom gwladys": nothing else explains the word.
    let header = roles & (role::FAMILY_HEAD | role::GIVEN_HEAD) != 0 && before >= 8;
    if header && plain && page.same_line(at) && page.fold(at).len() > 3 && !likely_common(page.fold(at)) && !known::explained(page.fold(at))
    {
        let label = if roles & role::GIVEN_HEAD != 0 { crate::Label::Prenom } else { crate::Label::Nom };
        found.push(page, at..at + 1, label, detector, before.max(ENOUGH));
        return;
    }
    if roles & (role::KIN | role::FUNCTION) != 0 && small_whole(page, at, false, found, detector) {
        return;
    }
    let kind = if roles & (role::KIN | role::FUNCTION | role::GIVEN_HEAD) != 0 { word::GIVEN } else { word::GIVEN | word::FAMILY };
    if plain && bits & kind != 0 && page.fold(at).len() > 3 && page.same_line(at) && before >= 14 {
        let label = if bits & word::GIVEN != 0 { crate::Label::Prenom } else { crate::Label::Nom };
        found.push(page, at..at + 1, label, detector, before);
        // "patient : abgrall gwladys"
        let other = at + 1;
        let listed = page.has(other, look::LOWER | look::CAPITAL) && page.has(other, word::GIVEN | word::FAMILY);
        if roles & role::PERSON_HEAD != 0
            && page.same_line(other)
            && listed
            && !page.has(other, word::COMMON | look::CLINICAL | look::CUE | word::PARTICLE | word::QUALIFIER)
        {
            let label = if page.has(other, word::GIVEN) { crate::Label::Prenom } else { crate::Label::Nom };
            found.push(page, other..other + 1, label, detector, before);
        }
    }
}

/// "le kiné (pascal baujard)", "sa fille claire trubert,": a given name, a word of every day
/// or not, and a word behind it that nothing explains, up to the end of the phrase unless a
/// title stands before.
fn small_whole(page: &Page<'_, '_>, at: usize, titled: bool, found: &mut Found, detector: &'static str) -> bool {
    let family = at + 1;
    let bits = word::COMMON | word::QUALIFIER | word::PARTICLE | word::ACRONYM | look::CLINICAL | look::CUE;
    let small = |i: usize| page.has(i, look::LOWER) && page.same_line(i) && page.fold(i).len() > 3;
    // "mr pascal zappe", "mme denis papote": what somebody does.
    let verb = ["e", "es", "ent", "ait"].iter().any(|v| page.fold(family).ends_with(v));
    let strange = !verb && !page.has(family, bits) && !likely_common(page.fold(family)) && !known::explained(page.fold(family));
    let named = strange || page.has(family, word::FAMILY) && !page.has(family, bits);
    let end = family + 1;
    let closed = page.line_ends(end)
        || is!(page.key(end), ")" | "," | "." | ":" | ";" | "(" | "/" | "|" | "est" | "au" | "tel" | "vient" | "passe")
        || known::deed(page.fold(end));
    if !small(at) || !small(family) || !page.has(at, word::ANY_GIVEN) || page.has(at, look::CLINICAL) || !named || !(closed || titled) {
        return false;
    }
    found.push(page, at..family, crate::Label::Prenom, detector, 22);
    found.push(page, family..end, crate::Label::Nom, detector, 22);
    true
}

/// More names of a list: what separates them says how far they are trusted.
fn list(page: &Page<'_, '_>, end: usize, found: &mut Found, detector: &'static str, roles: u32, weigh: impl Fn(&str) -> Option<i32>) {
    let mut at = end;
    for _ in 0..LIST {
        // "X (cardiologue), Y": what is said of one is no part of the list.
        if is!(page.key(at), "(")
            && let Some(close) = (at..(at + 10).min(page.len())).find(|i| is!(page.key(*i), ")"))
        {
            at = close + 1;
        }
        let Some(before) = weigh(page.fold(at)).filter(|_| page.same_line(at)) else { return };
        let next = at + 1;
        // The next title speaks for itself.
        if page.title(next).is_some() {
            return;
        }
        if !page.same_line(next) && !page.has(next, look::UPPER) {
            return;
        }
        let Some(candidate) = page.read(next, if before >= 20 { Trust::Announced } else { Trust::Free }) else { return };
        let lone = candidate.parts.iter().all(|p| p.kind == PartKind::Initial);
        // "- Praticiens : Dr X": the next field of a heading.
        if candidate.parts.len() == 1 && !lone && is!(page.key(candidate.end), ":") && !page.has(next, word::GIVEN | word::FAMILY) {
            return;
        }
        let weight = before + shape(page, &candidate, true);
        if weight < ENOUGH || lone && before < 20 {
            return;
        }
        at = candidate.end;
        accept(page, &candidate, roles, weight, detector, found);
    }
}

/// Names of a list of copies, over several lines, with what is said of each.
fn copies(page: &Page<'_, '_>, from: usize, found: &mut Found) {
    let mut at = from;
    for _ in 0..LIST * 8 {
        let Some(token) = page.text.tokens.get(at) else { return };
        if token.lines_before > 1 {
            return;
        }
        let parted = at > 0 && is!(page.key(at - 1), "," | ";" | "/" | "-" | "et" | "•" | "*" | ":");
        // The hyphen of "CHA2DS2-VASc" parts nothing.
        let opens = token.lines_before > 0 || parted && (!is!(page.key(at - 1), "-") || token.space_before);
        if opens
            && page.title(at).is_none()
            && let Some(candidate) = page.read(at, Trust::Free)
        {
            // "Plaintes : …": a new heading, no receiver.
            let heading = candidate.parts.len() == 1 && is!(page.key(candidate.end), ":") && !page.has(at, word::ANY_NAME);
            let weight = 14 + shape(page, &candidate, true);
            if weight >= ENOUGH && !heading {
                at = candidate.end;
                accept(page, &candidate, role::COPY, weight, "context:copy", found);
                continue;
            }
        }
        at += 1;
    }
}

pub(crate) fn accept(page: &Page<'_, '_>, candidate: &Candidate, roles: u32, weight: i32, detector: &'static str, found: &mut Found) {
    // Where a word of medicine was read as a name a person is meant.
    let whole = candidate.parts.iter().any(|p| p.bits & (look::BODY | look::ALONE) != 0);
    for (tokens, label) in labelled(page, candidate, roles) {
        found.push(page, tokens, label, if whole { "context:whole" } else { detector }, weight);
    }
}
