//! Text in columns, for people: long cells are wrapped, not cut.

/// Spaces between two columns.
const GAP: &str = "  ";

/// A table of `titles` and `rows`; no column is wider than its entry of `widest`.
pub(super) fn table(titles: &[&str], rows: &[Vec<String>], widest: &[usize]) -> String {
    let header: Vec<String> = titles.iter().map(|t| (*t).to_owned()).collect();
    let lines: Vec<Vec<Vec<String>>> = std::iter::once(&header)
        .chain(rows)
        .map(|row| {
            (0..titles.len()).map(|at| wrap(row.get(at).map_or("", String::as_str), widest.get(at).copied().unwrap_or(40))).collect()
        })
        .collect();
    let width = |at: usize| lines.iter().flat_map(|row| &row[at]).map(|line| line.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    let mut out = String::new();
    for (number, row) in lines.iter().enumerate() {
        for line in 0..row.iter().map(Vec::len).max().unwrap_or(0) {
            let cells: Vec<String> =
                row.iter().zip(&widths).map(|(cell, width)| format!("{:width$}", cell.get(line).map_or("", String::as_str))).collect();
            out.push_str(cells.join(GAP).trim_end());
            out.push('\n');
        }
        if number == 0 {
            let rules: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
            out.push_str(&rules.join(GAP));
            out.push('\n');
        }
    }
    out
}

/// Lines of at most `width` characters, broken at spaces where there are any.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let (mut lines, mut line, mut length) = (Vec::new(), String::new(), 0);
    for word in text.split_whitespace() {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        while word.len() > width {
            lines.push(word.drain(..width).collect());
        }
        length += word.len();
        line.extend(word);
    }
    if length > 0 {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_wrapped_and_aligned() {
        let rows = [vec!["é".to_owned(), "one two three".to_owned()], vec!["bcd".to_owned(), "abcdefghij".to_owned()]];
        assert_eq!(table(&["a", "b"], &rows, &[10, 7]), "a    b\n───  ───────\né    one two\n     three\nbcd  abcdefg\n     hij\n");
    }
}
