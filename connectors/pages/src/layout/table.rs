//! Tables with rules: each row of cells becomes a line, whatever lines its cells
//! are wrapped onto.

use super::lines::{Segment, rows};
use super::{Line, Sheet};
use crate::geometry::Rect;

/// Rules nearer than this are one, in points.
const NEAR: f32 = 3.5;
/// Most rules that are looked at.
const MOST: usize = 3_000;

/// A rule: where it lies, and from where to where.
#[derive(Clone, Copy)]
struct Rule {
    at: f32,
    from: f32,
    to: f32,
}

/// The tables of a sheet, each as one segment, and the tokens outside them.
pub(super) fn grids(sheet: &Sheet) -> (Vec<Segment>, Vec<usize>) {
    let all: Vec<usize> = (0..sheet.tokens.len()).collect();
    let (across, down) = rules(sheet);
    if across.len() < 2 || across.len() + down.len() > MOST {
        return (Vec::new(), all);
    }
    let mut used = vec![false; sheet.tokens.len()];
    let mut found = Vec::new();
    for (at, ys, xs) in connected(&across, &down) {
        // A frame is no table; a line under each row of words is.
        if ys.len() < 2 || xs.len() < 3 || ys.len() * xs.len() < 6 {
            continue;
        }
        let inside: Vec<usize> = all
            .iter()
            .copied()
            .filter(|t| {
                let token = &sheet.tokens[*t].at;
                let (x, y) = ((token.left + token.right) / 2.0, token.middle());
                !used[*t] && x > at.left - 1.0 && x < at.right + 1.0 && y > at.bottom - 1.0 && y < at.top + 1.0
            })
            .collect();
        let lines = cells(sheet, &inside, &ys, &xs, (at.left, at.right));
        if lines.iter().filter(|line| line.cells.iter().filter(|c| !c.is_empty()).count() > 1).count() < 1 {
            continue;
        }
        inside.iter().for_each(|t| used[*t] = true);
        let size = lines.iter().map(|l| l.size).fold(0.0, f32::max);
        if let Some(at) = Rect::around(lines.iter().map(|l| &l.at)) {
            found.push(Segment { tokens: inside, at, size, table: Some(lines) });
        }
    }
    (found, all.into_iter().filter(|t| !used[*t]).collect())
}

/// Rules of the sheet, the edges of boxes among them.
fn rules(sheet: &Sheet) -> (Vec<Rule>, Vec<Rule>) {
    let (mut across, mut down) = (Vec::new(), Vec::new());
    let mut add = |rect: &Rect| {
        if rect.width() >= rect.height() {
            across.push(Rule { at: rect.middle(), from: rect.left, to: rect.right });
        } else {
            down.push(Rule { at: (rect.left + rect.right) / 2.0, from: rect.bottom, to: rect.top });
        }
    };
    sheet.rules.iter().for_each(&mut add);
    for frame in &sheet.boxes {
        let Rect { left, bottom, right, top } = *frame;
        for edge in [(left, bottom, right, bottom), (left, top, right, top), (left, bottom, left, top), (right, bottom, right, top)] {
            add(&Rect { left: edge.0, bottom: edge.1, right: edge.2, top: edge.3 });
        }
    }
    (across, down)
}

/// Rules that touch, with the places of those that lie across and of those that go down.
fn connected(across: &[Rule], down: &[Rule]) -> Vec<(Rect, Vec<f32>, Vec<f32>)> {
    let boxes: Vec<Rect> = across
        .iter()
        .map(|r| Rect { left: r.from, bottom: r.at, right: r.to, top: r.at })
        .chain(down.iter().map(|r| Rect { left: r.at, bottom: r.from, right: r.at, top: r.to }))
        .collect();
    let touch =
        |a: &Rect, b: &Rect| a.left <= b.right + NEAR && b.left <= a.right + NEAR && a.bottom <= b.top + NEAR && b.bottom <= a.top + NEAR;
    let mut group: Vec<usize> = vec![usize::MAX; boxes.len()];
    let mut groups = Vec::new();
    for first in 0..boxes.len() {
        if group[first] != usize::MAX {
            continue;
        }
        let number = groups.len();
        let mut members = vec![first];
        group[first] = number;
        let mut next = 0;
        while next < members.len() {
            let at = boxes[members[next]];
            for other in 0..boxes.len() {
                if group[other] == usize::MAX && touch(&at, &boxes[other]) {
                    group[other] = number;
                    members.push(other);
                }
            }
            next += 1;
        }
        groups.push(members);
    }
    let mut found = Vec::new();
    for members in groups {
        let Some(at) = Rect::around(members.iter().map(|m| &boxes[*m])) else { continue };
        let ys = places(members.iter().filter(|m| **m < across.len()).map(|m| boxes[*m].bottom));
        let xs = places(members.iter().filter(|m| **m >= across.len()).map(|m| boxes[*m].left));
        found.push((at, ys, xs));
    }
    found
}

/// Distinct places, ascending.
fn places(values: impl Iterator<Item = f32>) -> Vec<f32> {
    let mut values: Vec<f32> = values.collect();
    values.sort_by(f32::total_cmp);
    values.dedup_by(|a, b| *a - *b < NEAR);
    values
}

/// A line for each row of a table.
fn cells(sheet: &Sheet, tokens: &[usize], ys: &[f32], xs: &[f32], column: (f32, f32)) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut bands: Vec<Vec<Vec<usize>>> = vec![vec![Vec::new(); xs.len() + 1]; ys.len() + 1];
    for token in tokens {
        let at = &sheet.tokens[*token].at;
        let row = ys.iter().filter(|y| **y < at.middle()).count();
        let column = xs.iter().filter(|x| **x < (at.left + at.right) / 2.0).count();
        bands[row][column].push(*token);
    }
    for band in bands.into_iter().rev() {
        let used: Vec<usize> = band.iter().flatten().copied().collect();
        let Some(at) = Rect::around(used.iter().map(|t| &sheet.tokens[*t].at)) else { continue };
        let size = used.iter().map(|t| sheet.tokens[*t].size).fold(0.0, f32::max);
        let first = band.iter().position(|cell| !cell.is_empty()).unwrap_or_default();
        let last = band.iter().rposition(|cell| !cell.is_empty()).unwrap_or_default();
        let placed = |token: &usize| (sheet.tokens[*token].at, sheet.tokens[*token].size);
        // What stands in the rows of one cell is read there first.
        let cells: Vec<Vec<usize>> =
            band[first.min(1)..=last].iter().map(|cell| rows(cell, placed).into_iter().flatten().collect()).collect();
        lines.push(Line { cells, at, size, column, is_row: true, is_margin: false });
    }
    lines
}
