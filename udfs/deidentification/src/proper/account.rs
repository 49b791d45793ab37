//! Accounts that people write from: "Skype : skerdonval35", "Messenger gw.kerdonval".

use sillage_clinical::is;
use sillage_clinical::text::Kind;

use super::Proper;
use crate::Label;
use crate::name::knowledge::word;

impl Proper<'_, '_> {
    pub(super) fn accounts(&mut self) {
        for at in 0..self.page.len() {
            if let Some((first, end)) = self.account(at) {
                self.emit(first..end, Label::Id, "proper:login", 0.5);
            }
        }
    }

    /// A service or the word for an account, and the handle behind it in small letters.
    fn account(&self, at: usize) -> Option<(usize, usize)> {
        let mark = is!(self.key(at + 1), ":" | "=");
        let first = at + 1 + usize::from(mark);
        if !self.page.text.tokens.get(first).is_some_and(|t| t.kind == Kind::Word && !t.capital && t.lines_before == 0) {
            return None;
        }
        let sure = is!(
            self.key(at),
            "skype"
                | "messenger"
                | "instagram"
                | "insta"
                | "snapchat"
                | "telegram"
                | "tiktok"
                | "viber"
                | "discord"
                | "linkedin"
                | "whatsapp"
                | "monsisra"
                | "doctolib"
                | "pseudo"
                | "pseudonyme"
                | "login"
        );
        // Words of every day as well: the mark behind tells.
        let named = is!(self.key(at), "facebook" | "fb" | "twitter" | "teams" | "zoom" | "signal" | "facetime" | "snap" | "compte");
        if !(sure || named && mark) {
            return None;
        }
        let mut end = first + 1;
        while end + 1 < self.page.len()
            && is!(self.key(end), "." | "_" | "-")
            && self.page.glued(end)
            && self.page.glued(end + 1)
            && !self.mark(end + 1)
        {
            end += 2;
        }
        let source = self.page.text.source(first..end);
        let small =
            source.len() > 4 && source.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'_' | b'-'));
        let coded = source.contains(['.', '_']) || source.bytes().any(|b| b.is_ascii_digit());
        let called = mark || is!(self.key(at), "login" | "pseudo") || self.before(at, 1) == "compte";
        let word = || called && !self.page.has(first, word::COMMON) && !self.explained(first);
        (small && source.starts_with(|c: char| c.is_ascii_lowercase()) && (coded || word())).then_some((first, end))
    }
}
