//! Tables to lines that the text rules read: `label : value` for a row of two,
//! `a | b | c` for longer ones.

use super::Writer;
use crate::formats::cda::tree::{Content, Element};

/// Widest table whose columns are told apart.
const MAX_COLUMNS: usize = 200;
/// Deepest nesting of tables that are laid out.
const MAX_NESTED: u8 = 4;
/// Longest repetition of names that is looked for.
const MAX_REPEATED: usize = 16;

/// What the rows above say of the rows below.
#[derive(Default)]
struct Columns {
    names: Vec<Option<String>>,
    /// Rows that a cell above still reaches into, by column.
    taken: Vec<usize>,
}

struct Cell<'e> {
    element: &'e Element,
    column: usize,
    /// Whether an empty column lies between it and the cell before it.
    after_empty: bool,
}

impl Writer {
    pub(super) fn table(&mut self, table: &Element) {
        // Each one within another reads its cells anew.
        if self.tables >= MAX_NESTED {
            return self.content(table);
        }
        let mut columns = Columns::default();
        self.stray(table);
        for part in table.elements().filter(|e| e.name != "tfoot").chain(table.all("tfoot")) {
            match part.name.as_str() {
                "thead" | "tbody" | "tfoot" => {
                    self.stray(part);
                    for row in part.elements() {
                        self.row(row, &mut columns, part.name == "thead");
                    }
                    columns.taken.clear();
                }
                _ => self.row(part, &mut columns, false),
            }
        }
    }

    /// Text that stands where none should: it is out of place, but not lost.
    fn stray(&mut self, element: &Element) {
        for content in &element.content {
            if let Content::Text(text) = content {
                self.words(text);
            }
        }
        self.separate(1);
    }

    fn row(&mut self, row: &Element, columns: &mut Columns, in_head: bool) {
        if row.name != "tr" {
            return self.element(row);
        }
        let is_head = in_head || columns.names.is_empty() && row.elements().count() > 1 && row.elements().all(|e| e.name == "th");
        let cells = columns.place(row, is_head);
        let repeated = if is_head { None } else { columns.repeated() };
        self.separate(1);
        self.anchored(row, |writer, row| {
            writer.stray(row);
            row.elements().filter(|e| !is_cell(e)).for_each(|e| writer.element(e));
            match repeated {
                Some(width) => {
                    for group in cells.chunk_by(|a, b| a.column / width == b.column / width) {
                        writer.cells(group, columns, is_head);
                    }
                }
                None => writer.cells(&cells, columns, is_head),
            }
        });
        self.separate(1);
    }

    /// The cells of a line that have words.
    fn cells(&mut self, cells: &[Cell<'_>], columns: &Columns, is_head: bool) {
        self.separate(1);
        let labelled = !is_head && cells.len() == 2 && cells.iter().all(|cell| !cell.after_empty);
        for (i, cell) in cells.iter().enumerate() {
            let is_last = i + 1 == cells.len();
            let mut inner =
                Writer { flat: cells.len() > 1 && !(is_last && flows(cell.element)), tables: self.tables + 1, ..Writer::default() };
            inner.anchored(cell.element, Writer::content);
            if i > 0 {
                let asked = self.out.ends_with([':', '?', '=']);
                (self.breaks, self.space) = (0, false);
                match (labelled, asked) {
                    (true, true) => self.out.push(' '),
                    (true, false) => self.out.push_str(" : "),
                    _ => self.out.push_str(" | "),
                }
            }
            // Without the cells before it, only the name of its column says what it is.
            if cell.after_empty
                && !is_head
                && let Some(Some(name)) = columns.names.get(cell.column)
            {
                self.words(name);
                self.out.push_str(if name.ends_with(':') { " " } else { " : " });
                self.space = false;
            }
            self.take(inner);
        }
        self.separate(1);
    }
}

impl Columns {
    /// Puts the cells of a row into their columns and gives those with words.
    fn place<'e>(&mut self, row: &'e Element, is_head: bool) -> Vec<Cell<'e>> {
        let mut cells = Vec::new();
        let mut column = 0;
        let mut after_empty = false;
        let mut names = Vec::new();
        let mut reaches = Vec::new();
        for element in row.elements().filter(|e| is_cell(e)) {
            while self.taken.get(column).is_some_and(|rows| *rows > 0) {
                column += 1;
                names.resize(column, None);
            }
            let span = |name| element.attribute(name).and_then(|s| s.parse::<usize>().ok()).unwrap_or(1).clamp(1, MAX_COLUMNS);
            let width = span("colspan").min(MAX_COLUMNS.saturating_sub(column).max(1));
            if element.is_blank() {
                after_empty = true;
            } else {
                cells.push(Cell { element, column, after_empty });
                after_empty = false;
            }
            names.push(if is_head && width == 1 { element.words() } else { None });
            column += width;
            names.resize(column, None);
            reaches.push((column - width..column, span("rowspan") - 1));
        }
        self.taken.iter_mut().for_each(|rows| *rows = rows.saturating_sub(1));
        for (columns, rows) in reaches {
            if self.taken.len() < columns.end {
                self.taken.resize(columns.end, 0);
            }
            self.taken[columns].fill(rows);
        }
        if is_head && names.len() > 1 {
            self.names = names;
        }
        cells
    }

    /// After how many columns the names begin anew: several rows side by side.
    fn repeated(&self) -> Option<usize> {
        let count = self.names.len();
        if count > MAX_REPEATED || self.names.iter().any(Option::is_none) {
            return None;
        }
        (2..=count / 2).find(|width| count.is_multiple_of(*width) && (*width..count).all(|i| self.names[i] == self.names[i - width]))
    }
}

fn is_cell(element: &Element) -> bool {
    matches!(element.name.as_str(), "td" | "th")
}

/// Whether a cell is a page of its own rather than a value.
fn flows(cell: &Element) -> bool {
    cell.elements().filter(|e| matches!(e.name.as_str(), "paragraph" | "list" | "table") && !e.is_blank()).count() > 1
        || cell.elements().any(|e| e.name == "table" || e.name == "list" && e.all("item").count() > 2)
}
