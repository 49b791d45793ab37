//! Where a token stands: on which line, in which column, how close to the one before.

use super::Page;

/// A line shorter than this was ended by its writer, not by a wrap.
const WRAP: u32 = 55;

impl Page<'_, '_> {
    /// No line end before this token.
    #[inline]
    pub fn same_line(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|t| t.lines_before == 0)
    }

    /// Neither space nor line end before this token.
    #[inline]
    pub fn glued(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_some_and(|t| !t.space_before)
    }

    /// Nothing more stands on the line from this token on.
    #[inline]
    pub fn line_ends(&self, at: usize) -> bool {
        self.text.tokens.get(at).is_none_or(|t| t.lines_before > 0)
    }

    /// A wide gap or a tabulation before the token, on its line: another column begins.
    pub fn column(&self, at: usize) -> bool {
        let (Some(token), Some(last)) = (self.text.tokens.get(at), at.checked_sub(1).and_then(|p| self.text.tokens.get(p))) else {
            return true;
        };
        if token.lines_before > 0 || token.start == last.end {
            return false;
        }
        let gap = &self.text.original[last.end as usize..token.start as usize];
        if gap.len() == 1 { gap == "\t" } else { !gap.contains('\u{a0}') || gap.contains('\t') }
    }

    /// Nothing follows on the line, or another column does.
    pub fn closed(&self, at: usize) -> bool {
        self.line_ends(at) || self.column(at)
    }

    pub fn line_start(&self, at: usize) -> usize {
        self.line_starts.get(at).or(self.line_starts.last()).copied().unwrap_or(0)
    }

    /// The line before this token was long enough to be wrapped.
    pub(super) fn wrapped(&self, at: usize) -> bool {
        at > 0 && {
            let start = self.line_start(at - 1);
            self.text.tokens[at - 1].end - self.text.tokens[start].start >= WRAP
        }
    }
}
