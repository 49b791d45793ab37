//! Lines of a file of declarations, and the name that somebody meant.

/// Turns byte offsets into lines, from 1.
pub(crate) struct Lines {
    starts: Vec<usize>,
}

impl Lines {
    pub(crate) fn new(text: &str) -> Self {
        Lines { starts: std::iter::once(0).chain(text.match_indices('\n').map(|(i, _)| i + 1)).collect() }
    }

    pub(crate) fn of(&self, byte: usize) -> usize {
        self.starts.partition_point(|start| *start <= byte)
    }
}

/// ", did you mean X?" where a known name is near enough.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    known
        .into_iter()
        .map(|k| (distance(name, k), k))
        .filter(|(d, k)| *d <= 1 + k.len() / 4)
        .min()
        .map_or_else(String::new, |(_, k)| format!(", did you mean `{k}`?"))
}

/// Single-letter edits between two names.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_near_names() {
        let lines = Lines::new("a\nbc\n");
        assert_eq!([lines.of(0), lines.of(1), lines.of(2), lines.of(5)], [1, 1, 2, 3]);
        assert_eq!(nearest("phrase", ["phrases", "score"]), ", did you mean `phrases`?");
        assert_eq!(nearest("colour", ["phrases", "score"]), "");
    }
}
