//! Tokens to segments and lines.

use super::{Line, Sheet};
use crate::geometry::Rect;

/// Words close together on a line.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    pub tokens: Vec<usize>,
    pub at: Rect,
    pub size: f32,
    /// The rows of a table with rules, when it is one.
    pub table: Option<Vec<Line>>,
}

/// A wider gap, in letter heights, parts segments.
const GAP: f32 = 0.9;

/// The segments of these tokens, from top to bottom.
pub(super) fn segments(sheet: &Sheet, tokens: &[usize]) -> Vec<Segment> {
    let mut segments = Vec::new();
    for row in rows(tokens, |token| (sheet.tokens[*token].at, sheet.tokens[*token].size)) {
        let mut open: Option<Segment> = None;
        for token in row {
            let placed = &sheet.tokens[token];
            match &mut open {
                Some(segment) if placed.at.left - segment.at.right <= GAP * placed.size.min(segment.size) => {
                    segment.at = segment.at.with(&placed.at);
                    segment.size = segment.size.max(placed.size);
                    segment.tokens.push(token);
                }
                _ => segments.extend(open.replace(Segment { tokens: vec![token], at: placed.at, size: placed.size, table: None })),
            }
        }
        segments.extend(open);
    }
    segments
}

/// A row as it grows: where its largest letters stand, their height, what is in it.
type Row<T> = (f32, f32, Vec<(Rect, T)>);

/// Puts what stands side by side into rows, from top to bottom, each from left to right.
pub(super) fn rows<T: Clone>(items: &[T], place: impl Fn(&T) -> (Rect, f32)) -> Vec<Vec<T>> {
    let mut order: Vec<(Rect, f32, T)> = items.iter().map(|item| (place(item).0, place(item).1, item.clone())).collect();
    order.sort_by(|a, b| b.0.middle().total_cmp(&a.0.middle()).then(a.0.left.total_cmp(&b.0.left)));
    let mut rows: Vec<Row<T>> = Vec::new();
    for (at, size, item) in order {
        // A row is where its largest letters stand; index and exponent lean on it.
        let near = rows.iter_mut().rev().take(4).find(|(middle, height, _)| {
            let (tall, distance) = (height.max(size), (middle.to_owned() - at.middle()).abs());
            distance < 0.32 * tall
        });
        match near {
            Some((middle, height, row)) => {
                if size > *height {
                    (*middle, *height) = (at.middle(), size);
                }
                row.push((at, item));
            }
            None => rows.push((at.middle(), size, vec![(at, item)])),
        }
    }
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    rows.into_iter()
        .map(|(_, _, mut row)| {
            row.sort_by(|a, b| a.0.left.total_cmp(&b.0.left));
            row.into_iter().map(|(_, item)| item).collect()
        })
        .collect()
}

/// The lines of one column.
pub(super) fn lines(segments: &[Segment], column: (f32, f32)) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in rows(segments, |segment| (segment.at, segment.size)) {
        if let Some(table) = row.iter().find_map(|segment| segment.table.as_ref()) {
            lines.extend(table.iter().cloned());
            let beside: Vec<_> = row.iter().filter(|segment| segment.table.is_none()).cloned().collect();
            lines.extend(self::lines(&beside, column));
            continue;
        }
        let Some(at) = Rect::around(row.iter().map(|segment| &segment.at)) else { continue };
        let size = row.iter().map(|segment| segment.size).fold(0.0, f32::max);
        let cells = row.into_iter().map(|segment| segment.tokens).collect();
        lines.push(Line { cells, at, size, column, is_row: false, is_margin: false });
    }
    lines
}
