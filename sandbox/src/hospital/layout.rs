//! How a page looks: headings, line width, line ends, hurried typing, HTML.

use super::random::Random;

/// The habits of one document.
#[derive(Debug, Clone)]
pub struct Layout {
    heading: usize,
    /// Lines are broken at 80 columns.
    wrapped: bool,
    carriage_returns: bool,
    without_accents: bool,
    /// Words in a thousand that are mistyped.
    typos: usize,
}

const HEADINGS: usize = 7;
const WIDTH: usize = 80;

impl Layout {
    pub fn draw(random: &mut Random) -> Layout {
        Layout {
            heading: random.below(HEADINGS),
            wrapped: random.chance(30),
            carriage_returns: random.chance(12),
            without_accents: random.chance(5),
            typos: if random.chance(25) { 12 } else { 0 },
        }
    }

    /// The page as plain text.
    pub fn plain(&self, raw: &str, random: &mut Random) -> String {
        let mut out = String::with_capacity(raw.len() + raw.len() / 16);
        let mut number = 0;
        for line in raw.lines() {
            match line.strip_prefix("# ") {
                Some(title) => {
                    number += 1;
                    self.heading(title, number, &mut out);
                }
                None => self.line(line, random, &mut out),
            }
            out.push('\n');
        }
        if self.without_accents {
            out = out.chars().map(bare).collect();
        }
        if self.carriage_returns { out.replace('\n', "\r\n") } else { out }
    }

    fn heading(&self, title: &str, number: usize, out: &mut String) {
        match self.heading {
            0 => out.push_str(&format!("{title} :")),
            1 => out.push_str(&format!("{} :", title.to_uppercase())),
            2 => out.push_str(&title.to_uppercase()),
            3 => out.push_str(&format!("{number}. {title}")),
            4 => out.push_str(&format!("{title}\n{}", "-".repeat(title.chars().count()))),
            5 => out.push_str(&format!("** {} **", title.to_uppercase())),
            _ => out.push_str(title),
        }
    }

    fn line(&self, line: &str, random: &mut Random, out: &mut String) {
        let mut width = 0;
        for (index, word) in line.split(' ').enumerate() {
            let length = word.chars().count();
            if index > 0 {
                if self.wrapped && width + 1 + length > WIDTH {
                    out.push('\n');
                    width = 0;
                } else {
                    out.push(' ');
                    width += 1;
                }
            }
            width += length;
            // Only long plain words: a name, a dose or a time is never mistyped.
            let plain = length > 6 && word.chars().all(|c| c.is_lowercase());
            if self.typos > 0 && plain && random.below(1000) < self.typos {
                mistype(word, random, out);
            } else {
                out.push_str(word);
            }
        }
    }
}

/// Swaps two neighbours or drops a letter, inside the word.
fn mistype(word: &str, random: &mut Random, out: &mut String) {
    let mut letters: Vec<char> = word.chars().collect();
    let place = 1 + random.below(letters.len().saturating_sub(3));
    if random.chance(50) {
        letters.swap(place, place + 1);
    } else {
        letters.remove(place);
    }
    out.extend(letters);
}

fn bare(c: char) -> char {
    match c {
        'à' | 'â' => 'a',
        'é' | 'è' | 'ê' | 'ë' => 'e',
        'î' | 'ï' => 'i',
        'ô' => 'o',
        'ù' | 'û' => 'u',
        'ç' => 'c',
        'À' | 'Â' => 'A',
        'É' | 'È' | 'Ê' => 'E',
        'Î' => 'I',
        'Ô' => 'O',
        'Ç' => 'C',
        other => other,
    }
}

/// The page as a hospital's document system makes HTML of it.
pub fn html(raw: &str, title: &str) -> String {
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"fr\">\n<head><meta charset=\"utf-8\"><title>{title}</title>\n<style>h2 {{ font-size: 12pt }} p {{ margin: 0 }}</style></head>\n<body>\n"
    );
    let mut listed = false;
    for line in raw.lines() {
        let item = line.strip_prefix("- ");
        if listed != item.is_some() {
            out.push_str(if listed { "</ul>\n" } else { "<ul>\n" });
            listed = item.is_some();
        }
        let (open, text, close) = match (line.strip_prefix("# "), item) {
            (Some(title), _) => ("<h2>", title, "</h2>\n"),
            (_, Some(item)) => ("<li>", item, "</li>\n"),
            _ if line.is_empty() => ("<br>", "", "\n"),
            _ => ("<p>", line, "</p>\n"),
        };
        out.push_str(open);
        escape(text, &mut out);
        out.push_str(close);
    }
    if listed {
        out.push_str("</ul>\n");
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            'é' => out.push_str("&eacute;"),
            '°' => out.push_str("&#176;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Layout = Layout { heading: 0, wrapped: false, carriage_returns: false, without_accents: false, typos: 0 };

    #[test]
    fn headings_have_seven_looks() {
        let looks: std::collections::BTreeSet<String> =
            (0..HEADINGS).map(|heading| Layout { heading, ..PLAIN }.plain("# Résultat", &mut Random::new(0, 0))).collect();
        assert_eq!(looks.len(), HEADINGS);
        assert!(looks.contains("RÉSULTAT :\n") && looks.contains("1. Résultat\n") && looks.contains("Résultat\n--------\n"), "{looks:?}");
    }

    #[test]
    fn wrapping_keeps_words_and_width() {
        let line = "la patiente décrit une gêne de la main gauche ".repeat(12);
        let wrapped = Layout { wrapped: true, ..PLAIN }.plain(line.trim(), &mut Random::new(0, 0));
        assert!(wrapped.lines().count() > 5 && wrapped.lines().all(|l| l.chars().count() <= WIDTH));
        assert_eq!(wrapped.replace('\n', " ").trim(), line.trim());
    }

    #[test]
    fn typos_spare_names_and_numbers() {
        let hurried = Layout { typos: 1000, ..PLAIN };
        let text = hurried.plain("Lestangui 13h05 hypertension NIHSS 12 Kardégic 75mg", &mut Random::new(5, 0));
        assert!(!text.contains("hypertension"));
        for word in ["Lestangui", "13h05", "NIHSS", "12", "Kardégic", "75mg"] {
            assert!(text.contains(word), "{text}");
        }
    }

    #[test]
    fn line_ends_and_accents() {
        let other = Layout { carriage_returns: true, without_accents: true, ..PLAIN };
        assert_eq!(other.plain("été\nà", &mut Random::new(0, 0)), "ete\r\na\r\n");
    }

    #[test]
    fn html_is_balanced_and_escaped() {
        let page = html("# Bilan\n- a < b\n- c\n\nfin & suite", "Lettre");
        assert!(page.contains("<h2>Bilan</h2>\n<ul>\n<li>a &lt; b</li>\n<li>c</li>\n</ul>\n<br>\n<p>fin &amp; suite</p>"), "{page}");
    }
}
