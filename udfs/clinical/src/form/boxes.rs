//! Boxes as they are typed, printed and pasted.

use std::ops::Range;

use crate::is;
use crate::text::{Kind, Text};

/// Ticked by themselves; the last ones are what a symbol font leaves behind.
const TICKED: &[&str] = &["☑", "☒", "✓", "✔", "⊠", "⊗", "✅", "▣", "🗹", "🗷", "🗵", "◉", "\u{f0fe}", "\u{f0fd}", "\u{f078}"];
const EMPTY: &[&str] = &["☐", "⬜", "▢", "❏", "❑", "❒", "◻", "🔲", "\u{f0a8}", "\u{f06f}", "\u{f071}", "\u{f072}"];
/// A box or a dot of a list; ticked or not only where its partner stands in the line.
const FILLED_PAIR: &[&str] = &["■", "●", "◼", "⚫", "⬛", "\u{f06e}"];
const EMPTY_PAIR: &[&str] = &["□", "○", "◯", "⚪"];
/// What is put into a box.
const CROSS: &[&str] = &["x", "v", "✓", "✔", "✗", "✘", "×", "*", "+", "☓", "✕"];
/// What an empty box is held open with.
const HOLDER: &[&str] = &["_", ".", "-", "…"];

/// A box.
#[derive(Debug, Clone)]
pub(super) struct Tick {
    pub tokens: Range<usize>,
    pub ticked: bool,
}

/// Something that a box may start with.
pub(super) fn may_start(text: &Text<'_>, at: usize) -> bool {
    let fold = text.fold(at);
    match fold.as_bytes() {
        [b'[' | b'{' | b'('] => is!(text.key(at + 1), "]" | "}" | ")") || inside(text, at + 1),
        [b'|'] => inside(text, at + 1),
        [first, ..] => !first.is_ascii() && [TICKED, EMPTY, FILLED_PAIR, EMPTY_PAIR].iter().any(|set| set.contains(&fold)),
        [] => false,
    }
}

fn inside(text: &Text<'_>, at: usize) -> bool {
    CROSS.contains(&text.fold(at)) || HOLDER.contains(&text.fold(at))
}

/// All boxes of a text, ascending.
pub(super) fn ticks(text: &Text<'_>) -> Vec<Tick> {
    let mut found: Vec<Tick> = Vec::new();
    let mut at = 0;
    let mut pairs = false;
    while at < text.tokens.len() {
        if at == 0 || text.tokens[at].lines_before > 0 {
            pairs = has_pair(text, at);
        }
        let tick =
            if text.tokens[at].kind == Kind::Mark { bracketed(text, at).or_else(|| glyph(text, at, pairs)) } else { crossed(text, at) };
        match tick {
            Some(tick) => {
                at = tick.tokens.end;
                found.push(tick);
            }
            None => at += 1,
        }
    }
    found
}

/// Both a filled and an empty shape stand in the line.
fn has_pair(text: &Text<'_>, line: usize) -> bool {
    let (mut filled, mut empty) = (false, false);
    for at in line..text.tokens.len() {
        if at > line && text.tokens[at].lines_before > 0 {
            break;
        }
        filled |= FILLED_PAIR.contains(&text.fold(at)) || TICKED.contains(&text.fold(at));
        empty |= EMPTY_PAIR.contains(&text.fold(at));
    }
    filled && empty
}

fn glyph(text: &Text<'_>, at: usize, pairs: bool) -> Option<Tick> {
    let fold = text.fold(at);
    if fold.is_ascii() {
        return None;
    }
    let ticked = TICKED.contains(&fold) || pairs && FILLED_PAIR.contains(&fold);
    if !(ticked || EMPTY.contains(&fold) || pairs && EMPTY_PAIR.contains(&fold)) {
        return None;
    }
    // What makes an emoji of it is a token without letters.
    let end = if text.tokens.get(at + 1).is_some_and(|t| t.kind == Kind::Word && text.fold(at + 1).is_empty() && !t.space_before) {
        at + 2
    } else {
        at + 1
    };
    Some(Tick { tokens: at..end, ticked })
}

/// `[x]`, `[ ]`, `(X)`, `( )`, `|x|`, `|_|`, `{ }`.
fn bracketed(text: &Text<'_>, at: usize) -> Option<Tick> {
    let close = match text.fold(at) {
        "[" => "]",
        "(" => ")",
        "{" => "}",
        "|" => "|",
        _ => return None,
    };
    let same_line = |i: usize| text.tokens.get(i).is_some_and(|t| t.lines_before == 0);
    let glued = |i: usize| text.tokens.get(i).is_some_and(|t| !t.space_before);
    if !same_line(at + 1) {
        return None;
    }
    if text.fold(at + 1) == close {
        // "f()" is a name, "||" an empty cell.
        return (close != "|" && (at == 0 || text.tokens[at].space_before || close == "]"))
            .then(|| Tick { tokens: at..at + 2, ticked: false });
    }
    let mut end = at + 1;
    let ticked = CROSS.contains(&text.fold(end)) && text.tokens[end].range().len() <= 4;
    if ticked {
        end += 1;
    } else {
        while end < at + 5 && same_line(end) && HOLDER.contains(&text.fold(end)) {
            end += 1;
        }
    }
    let closed = end > at + 1 && same_line(end) && text.fold(end) == close;
    let bar = close != "|" || glued(at + 1) && glued(end);
    // "(+)", "(-)" and "(*)" are results and notes.
    let result = close == ")" && is!(text.key(at + 1), "+" | "-" | "*" | "." | "…");
    (closed && bar && !result).then(|| Tick { tokens: at..end + 1, ticked })
}

/// A cross without a box beside yes or no: "oui X non".
fn crossed(text: &Text<'_>, at: usize) -> Option<Tick> {
    if !is!(text.key(at), "x") {
        return None;
    }
    let answer = |i: usize| is!(text.key(i), "oui" | "non") && text.tokens[i].lines_before == 0;
    let before = at > 0 && is!(text.key(at - 1), "oui" | "non") && text.tokens[at].lines_before == 0;
    (before || at + 1 < text.tokens.len() && answer(at + 1)).then(|| Tick { tokens: at..at + 1, ticked: true })
}
