//! The template language that the documents are written in, and its renderer.
//!
//! A grammar file holds rules. `@name` starts a rule in which every line is an
//! alternative; `@@name` a rule of whole pages, alternatives apart by `---`,
//! comments (`//`) in both. Inside an alternative:
//!
//! | written | means |
//! | --- | --- |
//! | `{name}` | another rule, or a field of the case; `{^name}` with a capital |
//! | `{*name}` | a list of the case, `a, b, c`; `{*name+}` with `et` before the last, `{*name-}` one `- ` line each |
//! | `<a\|b\|c>` | one of these; `<=a\|b\|c>` the same one in every document of the case |
//! | `[flag? text]`, `[a&!b? text \|\| other]` | text where the flags of the case hold |
//! | `\x` | the character itself |
//!
//! One space after `?` and one before `||` belong to the brackets.
//! `de ~{name}` becomes `de` or `d'` as the next word asks.
//! A line of a page that comes out empty is left out; empty lines stay.

use std::collections::HashMap;

use thiserror::Error;

use super::random::Random;

/// A grammar file that cannot be read.
#[derive(Debug, Error)]
pub enum GrammarError {
    #[error("{file}, line {line}: {problem}")]
    Syntax { file: &'static str, line: usize, problem: &'static str },
    #[error("{file}, line {line}: the rule {name} is written twice")]
    Twice { file: &'static str, line: usize, name: String },
}

/// What a case answers to a template.
pub trait Fields {
    /// Writes a field; false where there is no field of that name.
    fn field(&self, name: &str, out: &mut String) -> bool;
    /// A flag, `None` where there is none of that name.
    fn flag(&self, name: &str) -> Option<bool>;
    /// The rules of a list, `None` where there is none of that name.
    fn list(&self, name: &str) -> Option<Vec<&'static str>>;
    /// A number that all documents of the case share.
    fn seed(&self) -> u64;
}

#[derive(Debug)]
enum Node {
    Text(String),
    /// A rule or a field, with a capital or not.
    Name(String, bool),
    List(String, Join),
    /// Alternatives; with a key, the draw belongs to the case and not to the page.
    Choice(Vec<Vec<Node>>, Option<u64>),
    If(Vec<(String, bool)>, Vec<Node>, Vec<Node>),
}

#[derive(Debug, Clone, Copy)]
enum Join {
    Comma,
    And,
    Lines,
}

/// An alternative: its lines, only one where it is not a page.
type Page = Vec<Vec<Node>>;

/// Rules by name.
#[derive(Debug, Default)]
pub struct Grammar {
    rules: HashMap<String, Vec<Page>>,
}

impl Grammar {
    /// Reads grammar files.
    ///
    /// Errors: the file and line that cannot be understood.
    pub fn read(files: &[(&'static str, &str)]) -> Result<Grammar, GrammarError> {
        let mut grammar = Grammar::default();
        for &(file, content) in files {
            grammar.read_file(file, content)?;
        }
        Ok(grammar)
    }

    fn read_file(&mut self, file: &'static str, content: &str) -> Result<(), GrammarError> {
        let mut current: Option<(String, bool, Vec<Page>)> = None;
        for (index, line) in content.lines().enumerate() {
            let place = |problem| GrammarError::Syntax { file, line: index + 1, problem };
            if line.starts_with("//") {
                continue;
            }
            if let Some(name) = line.strip_prefix('@') {
                self.finish(current.take());
                let (name, paged) = name.strip_prefix('@').map_or((name, false), |n| (n, true));
                let name = name.trim().to_owned();
                if self.rules.contains_key(&name) {
                    return Err(GrammarError::Twice { file, line: index + 1, name });
                }
                current = Some((name, paged, if paged { vec![Page::new()] } else { Vec::new() }));
                continue;
            }
            match &mut current {
                Some((_, true, pages)) if line == "---" => pages.push(Page::new()),
                Some((_, true, pages)) => {
                    let line = parse(line).map_err(place)?;
                    if let Some(page) = pages.last_mut() {
                        page.push(line);
                    }
                }
                Some((_, false, pages)) if !line.trim().is_empty() => pages.push(vec![parse(line).map_err(place)?]),
                None if !line.trim().is_empty() => return Err(place("text before the first rule")),
                _ => {}
            }
        }
        self.finish(current);
        Ok(())
    }

    fn finish(&mut self, rule: Option<(String, bool, Vec<Page>)>) {
        if let Some((name, _, mut pages)) = rule {
            for page in &mut pages {
                while page.len() > 1 && page.last().is_some_and(Vec::is_empty) {
                    page.pop();
                }
            }
            self.rules.insert(name, pages);
        }
    }

    /// Writes one alternative of a rule; nothing where there is no such rule.
    pub fn render(&self, rule: &str, fields: &dyn Fields, random: &mut Random, out: &mut String) {
        let start = out.len();
        Renderer { grammar: self, fields, random, out }.rule(rule);
        elide(out, start);
        tidy(out, start);
    }
}

struct Renderer<'a> {
    grammar: &'a Grammar,
    fields: &'a dyn Fields,
    random: &'a mut Random,
    out: &'a mut String,
}

impl Renderer<'_> {
    fn rule(&mut self, name: &str) -> bool {
        let Some(pages) = self.grammar.rules.get(name) else { return false };
        let Some(page) = pages.get(self.random.below(pages.len())) else { return true };
        for (index, line) in page.iter().enumerate() {
            let start = self.out.len();
            self.nodes(line);
            let written = !self.out.get(start..).unwrap_or_default().trim().is_empty();
            if !written {
                self.out.truncate(start);
            }
            if index + 1 < page.len() && (written || line.is_empty()) {
                self.out.push('\n');
            }
        }
        true
    }

    fn nodes(&mut self, nodes: &[Node]) {
        for node in nodes {
            match node {
                Node::Text(text) => self.out.push_str(text),
                Node::Name(name, capital) => {
                    let start = self.out.len();
                    if !self.rule(name) {
                        self.fields.field(name, self.out);
                    }
                    if *capital {
                        capitalise(self.out, start);
                    }
                }
                Node::List(name, join) => self.list(name, *join),
                Node::Choice(choices, key) => {
                    let drawn = match key {
                        Some(key) => Random::new(self.fields.seed(), *key).below(choices.len()),
                        None => self.random.below(choices.len()),
                    };
                    if let Some(choice) = choices.get(drawn) {
                        self.nodes(choice);
                    }
                }
                Node::If(flags, yes, no) => {
                    let holds = flags.iter().all(|(flag, wanted)| self.holds(flag) == *wanted);
                    self.nodes(if holds { yes } else { no });
                }
            }
        }
    }

    fn holds(&self, flag: &str) -> bool {
        self.fields.flag(flag).unwrap_or_else(|| self.fields.list(flag).is_some_and(|l| !l.is_empty()))
    }

    fn list(&mut self, name: &str, join: Join) {
        let rules = self.fields.list(name).unwrap_or_default();
        for (index, rule) in rules.iter().enumerate() {
            match join {
                Join::Lines => self.out.push_str(if index == 0 { "- " } else { "\n- " }),
                Join::And if index > 0 && index + 1 == rules.len() => self.out.push_str(" et "),
                _ if index > 0 => self.out.push_str(", "),
                _ => {}
            }
            let start = self.out.len();
            self.rule(rule);
            if matches!(join, Join::Lines) {
                capitalise(self.out, start);
            }
        }
    }
}

/// Turns `de ~hôpital` into `d'hôpital` and `de ~chat` into `de chat`.
fn elide(text: &mut String, start: usize) {
    let mut from = start;
    while let Some(found) = text.get(from..).and_then(|t| t.find('~')) {
        let mark = from + found;
        let vowel = text[mark + 1..].chars().next().is_some_and(|c| "aàâeéèêiîoôuhAÀÂEÉÈÊIÎOÔUH".contains(c));
        if vowel && text[..mark].ends_with("de ") {
            text.replace_range(mark - 2..mark + 1, "'");
        } else {
            text.remove(mark);
        }
        from = mark.saturating_sub(2);
    }
}

/// Takes back what empty brackets leave: two spaces, a space before a full stop
/// or a comma, spaces at the end of a line. Three spaces are a tabulation.
fn tidy(text: &mut String, start: usize) {
    let Some(page) = text.get(start..) else { return };
    let mut kept = String::with_capacity(page.len());
    let mut spaces = 0;
    for c in page.chars() {
        if c == ' ' {
            spaces += 1;
            continue;
        }
        match spaces {
            0 => {}
            _ if c == '\n' => {}
            1 | 2 if matches!(c, '.' | ',') => {}
            1 | 2 => kept.push(' '),
            _ => kept.extend(std::iter::repeat_n(' ', spaces)),
        }
        spaces = 0;
        kept.push(c);
    }
    text.truncate(start);
    text.push_str(&kept);
}

/// Makes the first letter from a place on a capital.
fn capitalise(text: &mut String, start: usize) {
    let Some(first) = text.get(start..).and_then(|t| t.chars().next()) else { return };
    let capital: String = first.to_uppercase().collect();
    text.replace_range(start..start + first.len_utf8(), &capital);
}

fn parse(line: &str) -> Result<Vec<Node>, &'static str> {
    let mut parser = Parser { rest: line };
    let nodes = parser.sequence(&[])?;
    if parser.rest.is_empty() { Ok(nodes) } else { Err("a bracket too many") }
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    /// Reads until one of `stops` or the end.
    fn sequence(&mut self, stops: &[&str]) -> Result<Vec<Node>, &'static str> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.rest.chars().next() {
            if stops.iter().any(|stop| self.rest.starts_with(stop)) {
                break;
            }
            let special = matches!(c, '{' | '<' | '[');
            if special && !text.is_empty() {
                nodes.push(Node::Text(std::mem::take(&mut text)));
            }
            self.rest = &self.rest[c.len_utf8()..];
            match c {
                '{' => nodes.push(self.name()?),
                '<' => nodes.push(self.choice()?),
                '[' => nodes.push(self.condition()?),
                '\\' => {
                    let escaped = self.rest.chars().next().ok_or("a backslash at the end of the line")?;
                    text.push(escaped);
                    self.rest = &self.rest[escaped.len_utf8()..];
                }
                '}' | '>' | ']' | '|' => return Err("a bracket that closes nothing"),
                _ => text.push(c),
            }
        }
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        Ok(nodes)
    }

    fn until(&mut self, end: char, problem: &'static str) -> Result<&'a str, &'static str> {
        let (found, rest) = self.rest.split_once(end).ok_or(problem)?;
        self.rest = rest;
        Ok(found)
    }

    fn name(&mut self) -> Result<Node, &'static str> {
        let name = self.until('}', "a { that is not closed")?;
        if let Some(list) = name.strip_prefix('*') {
            let (list, join) = match (list.strip_suffix('+'), list.strip_suffix('-')) {
                (Some(list), _) => (list, Join::And),
                (_, Some(list)) => (list, Join::Lines),
                _ => (list, Join::Comma),
            };
            return Ok(Node::List(list.to_owned(), join));
        }
        let (name, capital) = name.strip_prefix('^').map_or((name, false), |n| (n, true));
        if name.is_empty() { Err("{} without a name") } else { Ok(Node::Name(name.to_owned(), capital)) }
    }

    fn choice(&mut self) -> Result<Node, &'static str> {
        let shared = self.rest.strip_prefix('=');
        // What is left of the line tells the choices of a line apart, its words those of a file.
        let key = shared.map(|rest| rest.bytes().fold(17, |key: u64, byte| key.wrapping_mul(31).wrapping_add(u64::from(byte))));
        self.rest = shared.unwrap_or(self.rest);
        let mut choices = Vec::new();
        loop {
            choices.push(self.sequence(&["|", ">"])?);
            let Some(end) = self.rest.chars().next() else { return Err("a < that is not closed") };
            self.rest = &self.rest[1..];
            if end == '>' {
                return Ok(Node::Choice(choices, key));
            }
        }
    }

    fn condition(&mut self) -> Result<Node, &'static str> {
        let flags = self.until('?', "a [ without its ?")?;
        let flags = flags.split('&').map(|f| f.strip_prefix('!').map_or((f.to_owned(), true), |f| (f.to_owned(), false))).collect();
        if let Some(rest) = self.rest.strip_prefix(' ') {
            self.rest = rest;
        }
        let mut yes = self.sequence(&["||", "]"])?;
        if self.rest.starts_with("||")
            && let Some(Node::Text(last)) = yes.last_mut()
            && last.ends_with(' ')
        {
            last.pop();
        }
        let no = match self.rest.strip_prefix("||") {
            Some(rest) => {
                self.rest = rest;
                self.sequence(&["]"])?
            }
            None => Vec::new(),
        };
        self.rest = self.rest.strip_prefix(']').ok_or("a [ that is not closed")?;
        Ok(Node::If(flags, yes, no))
    }
}

#[cfg(test)]
impl Grammar {
    /// Every name, flag and list that the rules mention, and the rules' own names.
    pub fn mentions(&self) -> (Vec<&str>, Vec<&str>, Vec<&str>, Vec<&str>) {
        fn walk<'a>(nodes: &'a [Node], names: &mut Vec<&'a str>, flags: &mut Vec<&'a str>, lists: &mut Vec<&'a str>) {
            for node in nodes {
                match node {
                    Node::Text(_) => {}
                    Node::Name(name, _) => names.push(name),
                    Node::List(name, _) => lists.push(name),
                    Node::Choice(choices, _) => choices.iter().for_each(|c| walk(c, names, flags, lists)),
                    Node::If(conditions, yes, no) => {
                        flags.extend(conditions.iter().map(|(f, _)| f.as_str()));
                        walk(yes, names, flags, lists);
                        walk(no, names, flags, lists);
                    }
                }
            }
        }
        let (mut names, mut flags, mut lists) = (Vec::new(), Vec::new(), Vec::new());
        for line in self.rules.values().flatten().flatten() {
            walk(line, &mut names, &mut flags, &mut lists);
        }
        (self.rules.keys().map(String::as_str).collect(), names, flags, lists)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Toy;

    impl Fields for Toy {
        fn field(&self, name: &str, out: &mut String) -> bool {
            out.push_str(if name == "age" { "élan" } else { "?" });
            name == "age"
        }
        fn flag(&self, name: &str) -> Option<bool> {
            ["yes", "no"].contains(&name).then_some(name == "yes")
        }
        fn list(&self, name: &str) -> Option<Vec<&'static str>> {
            match name {
                "three" => Some(vec!["a", "b", "c"]),
                "none" => Some(vec![]),
                _ => None,
            }
        }
        fn seed(&self) -> u64 {
            9
        }
    }

    fn rendered(file: &str) -> String {
        let grammar = match Grammar::read(&[("toy", file)]) {
            Ok(grammar) => grammar,
            Err(error) => panic!("{error}"),
        };
        let mut out = String::new();
        grammar.render("start", &Toy, &mut Random::new(1, 1), &mut out);
        out
    }

    #[test]
    fn every_construct_is_rendered() {
        assert_eq!(
            rendered("@start\n{age} {^age} \\< 3 [yes? a || b][no? c][no&yes? d||e][!no? f][three? g][none? h]"),
            "élan Élan < 3 aefg"
        );
        let lists = "@a\nun\n@b\ndeux\n@c\ntrois\n@start\n{*three}; {*three+}; {*none}!";
        assert_eq!(rendered(lists), "un, deux, trois; un, deux et trois; !");
        assert_eq!(rendered("@a\nun\n@b\ndeux\n@c\ntrois\n@@start\nx\n{*three-}\ny"), "x\n- Un\n- Deux\n- Trois\ny");
        assert!(["pq", "r"].contains(&rendered("@start\n<p<q|q>|r>").as_str()));
    }

    #[test]
    fn empty_lines_of_pages_stay_and_lines_that_come_out_empty_go() {
        assert_eq!(rendered("@@start\n// comment\na\n\n[no? b]\nc\n[no? d]\n\n"), "a\n\nc\n");
    }

    #[test]
    fn a_shared_choice_is_the_same_on_every_page() {
        let grammar = Grammar::read(&[("toy", "@start\n<=a|b|c|d|e|f|g|h|i|j>")]).unwrap();
        let mut random = Random::new(1, 1);
        let mut draw = || {
            let mut out = String::new();
            grammar.render("start", &Toy, &mut random, &mut out);
            out
        };
        let first = draw();
        assert!((0..50).all(|_| draw() == first) && first.len() == 1);
    }

    #[test]
    fn empty_brackets_leave_no_spaces() {
        assert_eq!(rendered("@@start\na [no? b] c [no? d].\n[no? e] \nf   g [no? h]\ni"), "a c.\nf   g\ni");
    }

    #[test]
    fn articles_are_elided() {
        assert_eq!(rendered("@start\npas de ~{age} ni de ~chat, de ~HTA"), "pas d'élan ni de chat, d'HTA");
    }

    #[test]
    fn mistakes_are_placed() {
        for (file, line) in [
            ("x", 1),
            ("@a\n{b", 2),
            ("@a\n<b", 2),
            ("@a\n[b", 2),
            ("@a\n[b?c", 2),
            ("@a\nb]", 2),
            ("@a\nb\\", 2),
            ("@a\nx\n@a", 3),
            ("@a\n{}", 2),
        ] {
            let Err(error) = Grammar::read(&[("toy", file)]) else { panic!("{file:?} was read") };
            assert!(error.to_string().contains(&format!("line {line}")), "{error}");
        }
    }
}
