//! The narrative of sections to text that reads like a French report: titles and
//! paragraphs on lines of their own, lists marked, a row of a table on one line.
//! Where each part with an `ID` went is kept, for the coded entries.

mod table;

use std::collections::HashMap;
use std::ops::Range;

use super::Section;
use super::code::Code;
use super::tree::{Content, Element, is_space};

/// Deepest indentation of a list within lists.
const MAX_INDENT: usize = 8;

/// Text under construction. Places are in bytes until the end.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    space: bool,
    breaks: u8,
    /// Line breaks become commas: within a cell that shares its line.
    flat: bool,
    /// Open lists: the next number, none for bullets.
    lists: Vec<Option<u32>>,
    /// Tables around the one under way.
    tables: u8,
    marker: Option<String>,
    anchors: Vec<(String, Range<usize>)>,
    /// Anchors before whose first word the writer stands.
    unstarted: Vec<usize>,
    pub sections: Vec<Section>,
}

/// Where the parts that have an ID stand in the text, in characters.
pub(super) struct Anchors {
    by_id: HashMap<String, Range<usize>>,
    /// `None` where two ids differ by case alone.
    by_folded_id: HashMap<String, Option<Range<usize>>>,
}

impl Anchors {
    /// The place that a reference names, with or without `#`. Senders get the
    /// case of ids wrong.
    pub fn find(&self, reference: &str) -> Option<Range<usize>> {
        let id = reference.strip_prefix('#').unwrap_or(reference);
        let exact = self.by_id.get(id).cloned();
        exact.or_else(|| self.by_folded_id.get(&id.to_lowercase()).cloned().flatten())
    }
}

impl Writer {
    /// A line of its own.
    pub fn line(&mut self, words: &str) {
        self.separate(1);
        self.words(words);
        self.separate(1);
    }

    /// A section and the sections in it.
    pub fn section(&mut self, section: &Element, depth: usize) {
        self.separate(2);
        let index = self.sections.len();
        let start = self.out.len();
        let code = section.child("code").and_then(Code::read);
        let title = section.child("title").and_then(Element::words);
        let heading = title.clone().or_else(|| code.as_ref().and_then(|c| c.display.clone()));
        self.sections.push(Section { title, code, depth, range: start..start });
        if let Some(heading) = heading {
            self.line(&heading);
        }
        if let Some(text) = section.child("text") {
            self.text(text);
        }
        for nested in section.path(&["component", "section"]) {
            self.section(nested, depth + 1);
        }
        let gap = self.out[start..].len() - self.out[start..].trim_start().len();
        self.sections[index].range = start + gap..self.out.len();
    }

    fn text(&mut self, text: &Element) {
        self.separate(1);
        if text.elements().next().is_none() {
            // A report put there as plain text has no other structure than its lines.
            self.anchored(text, |writer, text| {
                for content in &text.content {
                    if let Content::Text(lines) = content {
                        lines.split('\n').for_each(|line| {
                            writer.words(line);
                            writer.breaks = (writer.breaks + 1).min(2);
                        });
                    }
                }
            });
        } else {
            self.element(text);
        }
        self.breaks = self.breaks.min(1);
        self.separate(1);
    }

    fn content(&mut self, element: &Element) {
        for content in &element.content {
            match content {
                Content::Text(text) => self.words(text),
                Content::Element(element) => self.element(element),
            }
        }
    }

    fn element(&mut self, element: &Element) {
        match element.name.as_str() {
            "br" => self.breaks = (self.breaks + 1).min(2),
            // A mark that points to a note written elsewhere.
            "footnoteRef" => {}
            // What an author has taken back is not what the report says.
            "content" if element.attribute("revised") == Some("delete") => {}
            "paragraph" | "caption" | "text" | "renderMultiMedia" => self.block(element, Writer::content),
            "footnote" if !element.is_blank() => {
                self.space = true;
                self.words("(");
                self.anchored(element, Writer::content);
                self.space = false;
                self.words(")");
            }
            "list" => {
                let ordered = element.attribute("listType").is_some_and(|t| t.eq_ignore_ascii_case("ordered"));
                self.lists.push(ordered.then_some(1));
                self.block(element, Writer::content);
                self.lists.pop();
            }
            "item" => {
                self.separate(1);
                let indent = "  ".repeat(self.lists.len().saturating_sub(1).min(MAX_INDENT));
                self.marker = Some(match self.lists.last_mut() {
                    Some(Some(number)) => {
                        let marker = format!("{indent}{number}. ");
                        *number = number.saturating_add(1);
                        marker
                    }
                    _ => format!("{indent}- "),
                });
                self.anchored(element, Writer::content);
                self.marker = None;
                self.separate(1);
            }
            "table" => self.block(element, Writer::table),
            _ => self.anchored(element, Writer::content),
        }
    }

    fn block(&mut self, element: &Element, write: impl FnOnce(&mut Self, &Element)) {
        self.separate(1);
        self.anchored(element, write);
        self.separate(1);
    }

    /// Notes where the words of an element go, if it has an ID.
    fn anchored(&mut self, element: &Element, write: impl FnOnce(&mut Self, &Element)) {
        let Some(id) = element.attribute("ID").or_else(|| element.attribute("id")) else { return write(self, element) };
        let index = self.anchors.len();
        self.anchors.push((id.to_owned(), 0..0));
        self.unstarted.push(index);
        write(self, element);
        match self.unstarted.iter().position(|i| *i == index) {
            // Nothing was written.
            Some(at) => drop(self.unstarted.remove(at)),
            None => self.anchors[index].1.end = self.out.len(),
        }
    }

    fn separate(&mut self, breaks: u8) {
        self.breaks = self.breaks.max(breaks);
    }

    fn words(&mut self, text: &str) {
        for (i, word) in text.split(is_space).enumerate() {
            self.space |= i > 0;
            if !word.is_empty() {
                self.write(word);
            }
        }
    }

    /// Writes what fills the gap, then the word.
    fn write(&mut self, word: &str) {
        let (breaks, space) = (std::mem::take(&mut self.breaks), std::mem::take(&mut self.space));
        let fresh = self.out.is_empty();
        if fresh {
        } else if breaks > 0 && self.flat {
            let stopped = self.out.ends_with([',', ';', ':', '.', '!', '?', '(']);
            self.out.push_str(if stopped { " " } else { ", " });
        } else if breaks > 0 {
            (0..breaks).for_each(|_| self.out.push('\n'));
        } else if space {
            self.out.push(' ');
        }
        if let Some(marker) = self.marker.take().filter(|_| !self.flat) {
            self.out.push_str(&marker);
        }
        for index in self.unstarted.drain(..) {
            self.anchors[index].1.start = self.out.len();
        }
        self.out.push_str(word);
    }

    /// Takes over what another writer wrote, as it stands.
    fn take(&mut self, other: Writer) {
        if other.out.is_empty() {
            return;
        }
        self.write("");
        let start = self.out.len();
        self.out.push_str(&other.out);
        self.anchors.extend(other.anchors.into_iter().map(|(id, range)| (id, range.start + start..range.end + start)));
    }

    /// The text, its sections, and where the parts with an ID are.
    pub fn finish(mut self) -> (String, Vec<Section>, Anchors) {
        let end = self.out.trim_end().len();
        self.out.truncate(end);
        let ranges = self.sections.iter_mut().map(|s| &mut s.range).chain(self.anchors.iter_mut().map(|(_, range)| range));
        to_characters(&self.out, ranges.flat_map(|r| [&mut r.start, &mut r.end]).collect());
        let mut anchors = Anchors { by_id: HashMap::new(), by_folded_id: HashMap::new() };
        for (id, range) in self.anchors.into_iter().filter(|(_, range)| !range.is_empty()) {
            let folded = id.to_lowercase();
            if let std::collections::hash_map::Entry::Vacant(free) = anchors.by_id.entry(id) {
                anchors.by_folded_id.entry(folded).and_modify(|known| *known = None).or_insert_with(|| Some(range.clone()));
                free.insert(range);
            }
        }
        (self.out, self.sections, anchors)
    }
}

/// Places in bytes to places in characters, in one pass.
fn to_characters(text: &str, mut places: Vec<&mut usize>) {
    places.sort_unstable_by_key(|place| **place);
    let (mut bytes, mut characters) = (0, 0);
    for place in places {
        let to = text.floor_char_boundary(*place);
        characters += text[bytes..to].chars().count();
        bytes = to;
        *place = characters;
    }
}
