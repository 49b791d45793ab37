//! Columns: empty strips that part what stands left of them from what stands right.
//!
//! The rows of a table have empty strips, too: what tells them from columns is that
//! both sides stand on the same lines and that few of these are full.

use super::lines::{Segment, lines, segments};
use super::{Line, Part, Sheet, Side, table};
use crate::geometry::Rect;

/// Narrowest strip, in points.
const NARROWEST: f32 = 7.0;
/// Fewest lines on either side.
const FEWEST: usize = 3;
/// Deepest nesting of columns.
const DEEPEST: usize = 8;
/// A column of at most this part of the width beside a wider one is a side column.
const NARROW: f32 = 0.36;
/// Most segments of which strips are looked for: the time is their square.
const MOST: usize = 6_000;

/// The parts of a sheet, in reading order.
pub(super) fn parts(sheet: &Sheet) -> Vec<Part> {
    let (grids, free) = table::grids(sheet);
    let mut all = segments(sheet, &free);
    all.extend(grids);
    let mut parts = Vec::new();
    let column = edges(&all);
    arrange(sheet, all, column, Side::Alone, 0, &mut parts);
    parts
}

fn edges(segments: &[Segment]) -> (f32, f32) {
    let left = segments.iter().map(|s| s.at.left).fold(f32::INFINITY, f32::min);
    let right = segments.iter().map(|s| s.at.right).fold(f32::NEG_INFINITY, f32::max);
    (left, right)
}

fn arrange(sheet: &Sheet, segments: Vec<Segment>, column: (f32, f32), side: Side, depth: usize, out: &mut Vec<Part>) {
    if segments.is_empty() {
        return;
    }
    let strip = if depth < DEEPEST && segments.len() <= MOST { strip(&segments) } else { None };
    let Some(strip) = strip else {
        out.extend(close(lines(&segments, column), side));
        return;
    };
    let (mut above, mut left, mut right, mut below) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for segment in segments {
        match segment.at.middle() {
            middle if middle > strip.top => above.push(segment),
            middle if middle < strip.bottom => below.push(segment),
            _ if segment.at.right <= strip.left + 0.5 => left.push(segment),
            _ => right.push(segment),
        }
    }
    let (of_left, of_right) = (edges(&left), edges(&right));
    let (wide_left, wide_right) = (of_left.1 - of_left.0, of_right.1 - of_right.0);
    let (side_left, side_right) = if wide_left < NARROW * sheet.width && wide_left < 0.7 * wide_right {
        (Side::Left, side)
    } else if wide_right < NARROW * sheet.width && wide_right < 0.7 * wide_left {
        (side, Side::Right)
    } else {
        (Side::Among, Side::Among)
    };
    arrange(sheet, above, column, side, depth + 1, out);
    arrange(sheet, left, (of_left.0, of_left.1), side_left, depth + 1, out);
    arrange(sheet, right, (of_right.0, of_right.1.max(column.1)), side_right, depth + 1, out);
    arrange(sheet, below, column, side, depth + 1, out);
}

/// The most telling strip between columns.
fn strip(segments: &[Segment]) -> Option<Rect> {
    let mut starts: Vec<f32> = segments.iter().map(|s| s.at.left).collect();
    starts.sort_by(f32::total_cmp);
    // Where several segments begin at one place.
    let mut candidates: Vec<f32> = Vec::new();
    let mut at = 0;
    while at < starts.len() {
        let end = at + starts[at..].iter().take_while(|s| **s - starts[at] < 2.0).count();
        if end - at >= FEWEST {
            candidates.push(starts[at]);
        }
        at = end;
    }
    let mut best: Option<(f32, Rect)> = None;
    for right in candidates {
        for found in empty(segments, right) {
            let score = found.height() * found.width().min(30.0).sqrt();
            if best.is_none_or(|(known, _)| score > known) && are_columns(segments, &found) {
                best = Some((score, found));
            }
        }
    }
    best.map(|(_, strip)| strip)
}

/// The highest empty strips that end at that right edge, with something on both sides.
fn empty(segments: &[Segment], right: f32) -> Vec<Rect> {
    let mut inside: Vec<&Segment> = segments.iter().collect();
    inside.sort_by(|a, b| b.at.middle().total_cmp(&a.at.middle()));
    let mut found = Vec::new();
    let mut run: Vec<&Segment> = Vec::new();
    let crosses = |s: &&Segment| {
        s.at.left < right - NARROWEST && s.at.right > right - NARROWEST || (s.at.left < right - 1.0 && s.at.left > right - NARROWEST)
    };
    for segment in inside.iter().map(Some).chain([None]) {
        match segment {
            Some(segment) if !crosses(segment) => run.push(segment),
            _ => {
                let left =
                    run.iter().filter(|s| s.at.right <= right - NARROWEST + 0.1).map(|s| s.at.right).fold(f32::NEG_INFINITY, f32::max);
                let begin = run.iter().filter(|s| s.at.left >= right - 1.0).count();
                if left.is_finite() && begin > 0 {
                    let top = run.first().map_or(0.0, |s| s.at.middle() + 0.1);
                    let bottom = run.last().map_or(0.0, |s| s.at.middle() - 0.1);
                    found.push(Rect { left, bottom, right, top });
                }
                run.clear();
            }
        }
    }
    found
}

/// Whether a strip parts columns, and not the cells of rows.
fn are_columns(segments: &[Segment], strip: &Rect) -> bool {
    let inside = |s: &&Segment| s.at.middle() <= strip.top && s.at.middle() >= strip.bottom;
    let side = |keep: &dyn Fn(&Segment) -> bool| -> Vec<Line> {
        let of: Vec<Segment> = segments.iter().filter(inside).filter(|s| keep(s)).cloned().collect();
        let column = edges(&of);
        lines(&of, column)
    };
    let left = side(&|s| s.at.right <= strip.left + 0.5);
    let right = side(&|s| s.at.left >= strip.right - 1.0);
    if left.len() < FEWEST || right.len() < FEWEST {
        return false;
    }
    // Only where both are, and so only there can they stand on common lines.
    let top = left[0].at.top.min(right[0].at.top);
    let bottom = left[left.len() - 1].at.bottom.max(right[right.len() - 1].at.bottom);
    if top - bottom < 2.0 * left[0].size {
        return false;
    }
    let common = |lines: &[Line]| -> Vec<Line> {
        lines.iter().filter(|l| l.at.middle() < top + 1.0 && l.at.middle() > bottom - 1.0).cloned().collect()
    };
    let (left, right) = (common(&left), common(&right));
    if left.len() < 2 || right.len() < 2 {
        return false;
    }
    let (few, many) = if left.len() <= right.len() { (&left, &right) } else { (&right, &left) };
    let level = |a: &Line, b: &Line| (a.at.bottom - b.at.bottom).abs() < 0.12 * a.size.max(b.size);
    let aligned = few.iter().filter(|l| many.iter().any(|m| level(l, m))).count();
    let aligned = aligned as f32 / few.len() as f32;
    // Letters of another size seldom share the lines of one table.
    let other = (left[0].size / right[0].size).max(right[0].size / left[0].size) > 1.15;
    if aligned < if other { 0.8 } else { 0.5 } {
        return few.len() >= FEWEST;
    }
    is_prose(&left) && is_prose(&right) || one_after_the_other(&left, &right) && is_wordy(&left) && is_wordy(&right)
}

/// Whether the file writes the whole of one side before the other: a table is
/// written row by row.
fn one_after_the_other(left: &[Line], right: &[Line]) -> bool {
    let begins = |line: &Line| line.cells.iter().flatten().min().copied();
    let mut order: Vec<(usize, bool)> = Vec::new();
    for (lines, is_left) in [(left, true), (right, false)] {
        order.extend(lines.iter().filter_map(begins).map(|at| (at, is_left)));
    }
    order.sort_unstable();
    let changes = order.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    changes <= 1 + order.len() / 20
}

/// Whether lines say more than the names or the values of fields do; a column may hold a table.
fn is_wordy(lines: &[Line]) -> bool {
    let mut words: Vec<usize> = lines.iter().map(|l| l.cells.iter().map(Vec::len).sum()).collect();
    words.sort_unstable();
    lines.len() >= 4 && words[words.len() / 2] >= 3
}

/// Whether a column's lines run to its edge, as a text's do.
fn is_prose(lines: &[Line]) -> bool {
    if lines.len() < 4 {
        return false;
    }
    let left = lines.iter().map(|l| l.at.left).fold(f32::INFINITY, f32::min);
    let right = lines.iter().map(|l| l.at.right).fold(f32::NEG_INFINITY, f32::max);
    let full = lines.iter().filter(|l| l.at.right > right - 0.2 * (right - left)).count();
    let mut words: Vec<usize> = lines.iter().map(|l| l.cells.iter().map(Vec::len).sum()).collect();
    words.sort_unstable();
    // Cells of a line of its own: a table within.
    let split = lines.iter().filter(|l| l.cells.len() > 1).count();
    words[words.len() / 2] >= 4 && full * 3 >= lines.len() && split * 2 <= lines.len()
}

/// Lines to parts: a part ends where the distance or the letters change.
fn close(lines: Vec<Line>, side: Side) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for line in lines {
        if let Some(part) = parts.last_mut()
            && let Some(last) = part.lines.last()
        {
            let gap = last.at.bottom - line.at.top;
            let alike = (last.size / line.size.max(0.1)).max(line.size / last.size.max(0.1)) < 1.12;
            if (gap < 0.75 * last.size.min(line.size) && alike) || (last.is_row && line.is_row && gap < 2.0 * line.size) {
                part.at = part.at.with(&line.at);
                part.lines.push(line);
                continue;
            }
        }
        parts.push(Part { at: line.at, lines: vec![line], side });
    }
    parts
}
