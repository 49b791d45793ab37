//! PDF files by pdfium: the tokens of a page with their boxes, its rules, its picture.

use std::path::Path;

use pdfium_render::prelude::*;

use crate::failure::Failure;
use crate::geometry::{Rect, Turn};
use crate::layout::{Sheet, Token};
use crate::library;
use crate::picture::Raster;

/// Most characters of a page that are looked at.
const MAX_GLYPHS: i32 = 400_000;
/// Most drawn objects of a page that are looked at for rules.
const MAX_OBJECTS: usize = 20_000;
/// Most fields and notes of a page that are looked at.
const MAX_ANNOTATIONS: usize = 5_000;
/// Thicker lines are areas, in points.
const THICKEST_RULE: f32 = 3.0;
/// A picture that covers so much of a page may be the page.
const WHOLE_PAGE: f32 = 0.4;

/// The library, opened once a process.
pub(crate) struct Engine(Pdfium);

impl Engine {
    pub fn open(configured: &Path) -> Result<Engine, Failure> {
        let path = library::find(configured).ok_or(Failure::NoLibrary)?;
        let bindings = Pdfium::bind_to_library(path).map_err(|_| Failure::NoLibrary)?;
        Ok(Engine(Pdfium::new(bindings)))
    }

    pub fn document<'e>(&'e self, bytes: &'e [u8]) -> Result<Document<'e>, Failure> {
        match self.0.load_pdf_from_byte_slice(bytes, None) {
            Ok(document) => Ok(Document(document)),
            Err(PdfiumError::PdfiumLibraryInternalError(PdfiumInternalError::PasswordError | PdfiumInternalError::SecurityError)) => {
                Err(Failure::Encrypted)
            }
            Err(_) => Err(Failure::Damaged),
        }
    }
}

/// A file that is open.
pub(crate) struct Document<'e>(PdfDocument<'e>);

impl<'e> Document<'e> {
    pub fn pages(&self) -> usize {
        usize::try_from(self.0.pages().len()).unwrap_or_default()
    }

    /// The page of that number, from 0.
    pub fn page(&self, index: usize) -> Result<Page<'e>, Failure> {
        let index = index.try_into().map_err(|_| Failure::Damaged)?;
        self.0.pages().get(index).map(Page).map_err(|_| Failure::Damaged)
    }

    pub fn save(&self) -> Result<Vec<u8>, Failure> {
        self.0.save_to_bytes().map_err(|_| Failure::Damaged)
    }
}

/// One page.
pub(crate) struct Page<'e>(PdfPage<'e>);

/// The sheet as the file holds it: where it begins, how large it is before the
/// turn, and the turn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub left: f32,
    pub bottom: f32,
    pub width: f32,
    pub height: f32,
    pub turn: Turn,
}

impl Frame {
    /// From the page as shown, y upwards, to the page of the file.
    pub fn home(&self, shown: &Rect) -> Rect {
        let at = self.turn.undo(shown, self.width, self.height);
        Rect::new(at.left + self.left, at.bottom + self.bottom, at.right + self.left, at.top + self.bottom)
    }

    /// From the page of the file to the page as shown.
    pub fn shown(&self, home: &Rect) -> Rect {
        let at = Rect::new(home.left - self.left, home.bottom - self.bottom, home.right - self.left, home.top - self.bottom);
        self.turn.apply(&at, self.width, self.height)
    }

    /// Width and height as shown.
    pub fn size(&self) -> (f32, f32) {
        if self.turn.0 % 2 == 1 { (self.height, self.width) } else { (self.width, self.height) }
    }
}

/// What stands on a page besides its text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Drawn {
    /// Part of the page that pictures cover, 0 to 1.
    pub pictures: f32,
    pub objects: usize,
}

impl Drawn {
    /// Whether it may hold text that is no text of the file.
    pub fn may_be_text(&self) -> bool {
        self.pictures > 0.01 || self.objects > 40
    }

    pub fn is_whole_page(&self) -> bool {
        self.pictures > WHOLE_PAGE
    }
}

/// A character as the file places it.
struct Glyph {
    character: char,
    at: Rect,
    /// Quarter turns clockwise, `None` where it slants.
    quarter: Option<u8>,
}

impl<'e> Page<'e> {
    pub fn frame(&self) -> Frame {
        let turn = match self.0.rotation() {
            Ok(PdfPageRenderRotation::Degrees90) => Turn(1),
            Ok(PdfPageRenderRotation::Degrees180) => Turn(2),
            Ok(PdfPageRenderRotation::Degrees270) => Turn(3),
            _ => Turn(0),
        };
        let shown = (self.0.width().value.max(1.0), self.0.height().value.max(1.0));
        let (width, height) = if turn.0 % 2 == 1 { (shown.1, shown.0) } else { shown };
        let origin = self.0.boundaries().bounding().map(|b| (b.bounds.left().value, b.bounds.bottom().value)).unwrap_or_default();
        let origin = if origin.0.is_finite() && origin.1.is_finite() { origin } else { (0.0, 0.0) };
        Frame { left: origin.0, bottom: origin.1, width, height, turn }
    }

    /// The tokens of the page, upright, and what stands beside them.
    pub fn sheet(&self) -> Result<(Sheet, Drawn), Failure> {
        let frame = self.frame();
        let glyphs = self.glyphs()?;
        // A page whose text runs up or down is turned to where it reads.
        let mut counts = [0usize; 4];
        for glyph in glyphs.iter().filter(|g| !g.character.is_whitespace()) {
            if let Some(quarter) = glyph.quarter {
                counts[usize::from(quarter % 4)] += 1;
            }
        }
        // The page's own turn is a turn of the glyphs, too.
        let most = (0..4u8).max_by_key(|q| (counts[usize::from(*q)], *q == (4 - frame.turn.0) % 4)).unwrap_or_default();
        let upright = Frame { turn: Turn((4 - most) % 4), ..frame };
        let (width, height) = upright.size();
        let mut sheet = Sheet::new(width, height);
        tokens(&glyphs, most, &upright, &mut sheet);
        self.fields(&upright, &mut sheet);
        let drawn = self.drawn(&upright, &mut sheet);
        Ok((sheet, drawn))
    }

    fn glyphs(&self) -> Result<Vec<Glyph>, Failure> {
        let text = self.0.text().map_err(|_| Failure::Damaged)?;
        let count = text.len().clamp(0, MAX_GLYPHS) as usize;
        let characters = text.chars();
        let mut glyphs = Vec::with_capacity(count);
        for index in 0..count {
            let Ok(glyph) = characters.get(index) else { continue };
            // Unpaired halves and what the library could not map are left out.
            let character = match glyph.unicode_value() {
                0xFFFE | 0x2 => '-',
                0xFFFF => continue,
                value => match char::from_u32(value) {
                    Some(character) if character != '\0' && character != '\u{fffd}' => character,
                    _ => continue,
                },
            };
            let bounds = glyph.loose_bounds().or_else(|_| glyph.tight_bounds());
            let at = bounds.map(|b| Rect::new(b.left().value, b.bottom().value, b.right().value, b.top().value)).unwrap_or_default();
            let at = if at.height() > 0.01 || character.is_whitespace() {
                at
            } else {
                glyph.tight_bounds().map(|b| Rect::new(b.left().value, b.bottom().value, b.right().value, b.top().value)).unwrap_or(at)
            };
            if !at.is_finite() {
                continue;
            }
            let last = glyphs.last();
            // A glyph that goes on where the last one ended, as high as it, is turned as it is.
            let goes_on = |last: &&Glyph| {
                last.quarter.is_some_and(|quarter| quarter % 2 == 0)
                    && (last.at.bottom, last.at.top) == (at.bottom, at.top)
                    && (last.at.left - at.left).abs() < 3.0 * at.height()
            };
            let quarter = if character.is_whitespace() {
                last.and_then(|g: &Glyph| g.quarter)
            } else if let Some(last) = last.filter(goes_on) {
                last.quarter
            } else {
                let angle = glyph.angle_degrees().unwrap_or_default();
                let quarter = (angle / 90.0).round();
                ((angle - quarter * 90.0).abs() < 5.0).then_some(quarter as u8 % 4)
            };
            glyphs.push(Glyph { character, at, quarter });
        }
        Ok(glyphs)
    }

    /// What was filled in: the values of fields, and notes typed onto the page.
    fn fields(&self, frame: &Frame, sheet: &mut Sheet) {
        let annotations = self.0.annotations();
        let count = annotations.len().min(MAX_ANNOTATIONS as _);
        for annotation in (0..count).filter_map(|index| annotations.get(index).ok()) {
            let value = match annotation.as_form_field() {
                Some(PdfFormField::Text(field)) => field.value(),
                Some(PdfFormField::ComboBox(field)) => field.value(),
                Some(PdfFormField::Checkbox(field)) => Some(if field.is_checked().unwrap_or(false) { "☒" } else { "☐" }.to_owned()),
                Some(PdfFormField::RadioButton(field)) => Some(if field.is_checked().unwrap_or(false) { "☒" } else { "☐" }.to_owned()),
                Some(_) => None,
                None if annotation.annotation_type() == PdfPageAnnotationType::FreeText => annotation.contents(),
                None => None,
            };
            let (Some(value), Ok(bounds)) = (value, annotation.bounds()) else { continue };
            let home = Rect::new(bounds.left().value, bounds.bottom().value, bounds.right().value, bounds.top().value);
            if !home.is_finite() || value.trim().is_empty() {
                continue;
            }
            sheet.fill(&value, &frame.shown(&home), &home);
        }
    }

    /// Lines drawn on the page go to the sheet; what else is drawn is weighed.
    fn drawn(&self, frame: &Frame, sheet: &mut Sheet) -> Drawn {
        let objects = self.0.objects();
        let count = objects.len();
        let mut drawn = Drawn { pictures: 0.0, objects: 0 };
        if count > MAX_OBJECTS {
            drawn.objects = count;
            return drawn;
        }
        let area = (sheet.width * sheet.height).max(1.0);
        for object in objects.iter() {
            let kind = object.object_type();
            if kind == PdfPageObjectType::Text {
                continue;
            }
            drawn.objects += 1;
            let Ok(bounds) = object.bounds() else { continue };
            let home = Rect::new(bounds.left().value, bounds.bottom().value, bounds.right().value, bounds.top().value);
            if !home.is_finite() {
                continue;
            }
            match kind {
                PdfPageObjectType::Image => drawn.pictures += home.width() * home.height() / area,
                // A form can hold anything, and often the scan itself.
                PdfPageObjectType::XObjectForm if sheet.tokens.is_empty() => drawn.pictures += home.width() * home.height() / area,
                PdfPageObjectType::Path => {
                    let shown = frame.shown(&home);
                    let thin = shown.width().min(shown.height()) <= THICKEST_RULE;
                    if thin && shown.width().max(shown.height()) > 20.0 {
                        sheet.rules.push(shown);
                    } else if shown.width() > 20.0 && shown.height() > 8.0 && shown.width() * shown.height() < 0.5 * area {
                        sheet.boxes.push(shown);
                    }
                }
                _ => {}
            }
        }
        drawn
    }

    /// The page as a picture of so many dots per inch, as shown.
    pub fn picture(&self, resolution: f32, max_pixels: usize) -> Result<Raster, Failure> {
        let (width, height) = (self.0.width().value, self.0.height().value);
        let scale = resolution / 72.0;
        let most = (max_pixels as f32 / (width * height).max(1.0)).sqrt();
        let scale = scale.min(most);
        let (pixels_wide, pixels_high) = ((width * scale).round() as i32, (height * scale).round() as i32);
        if pixels_wide < 1 || pixels_high < 1 {
            return Err(Failure::Damaged);
        }
        let config = PdfRenderConfig::new().set_fixed_size(pixels_wide, pixels_high);
        let bitmap = self.0.render_with_config(&config).map_err(|_| Failure::Damaged)?;
        let (wide, high) = (bitmap.width().max(0) as usize, bitmap.height().max(0) as usize);
        let data = bitmap.as_rgba_bytes().chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect();
        Raster::new(wide, high, 3, data).ok_or(Failure::Damaged)
    }

    /// Marks a rectangle of the file's page.
    pub fn highlight(&mut self, at: &Rect) -> Result<(), Failure> {
        let failed = |_| Failure::Damaged;
        let bounds = PdfRect::new_from_values(at.bottom, at.left, at.top, at.right);
        let mut annotation = self.0.annotations_mut().create_highlight_annotation().map_err(failed)?;
        annotation.set_bounds(bounds).map_err(failed)?;
        annotation.set_stroke_color(PdfColor::new(255, 214, 0, 140)).map_err(failed)?;
        annotation.attachment_points_mut().create_attachment_point_at_end(PdfQuadPoints::from_rect(&bounds)).map_err(failed)
    }
}

/// What a character is written as: ligatures become their letters.
fn letters(character: char) -> &'static str {
    match character {
        '\u{fb00}' => "ff",
        '\u{fb01}' => "fi",
        '\u{fb02}' => "fl",
        '\u{fb03}' => "ffi",
        '\u{fb04}' => "ffl",
        '\u{fb05}' | '\u{fb06}' => "st",
        _ => "",
    }
}

/// Characters to words: at spaces, at gaps, where the line changes.
fn tokens(glyphs: &[Glyph], upright: u8, frame: &Frame, sheet: &mut Sheet) {
    let mut open: Option<(Token, bool)> = None;
    let mut spaces = 0u16;
    let mut no_break = false;
    for glyph in glyphs {
        let is_upright = glyph.quarter == Some(upright);
        if glyph.character.is_whitespace() || glyph.character.is_control() {
            if let Some((token, upright)) = open.take() {
                sheet.add(token, upright);
            }
            if glyph.character == '\n' || glyph.character == '\r' {
                spaces = 0;
                no_break = false;
            } else if glyph.at.width() > 0.05 {
                spaces = spaces.saturating_add(1);
                no_break |= matches!(glyph.character, '\u{a0}' | '\u{202f}');
            }
            continue;
        }
        let shown = frame.shown(&glyph.at);
        let size = if is_upright { shown.height() } else { shown.height().max(shown.width()) }.max(0.5);
        if let Some((token, was_upright)) = &mut open {
            let gap = shown.left - token.last.right;
            let same_line = shown.side_by_side(&token.last) >= 0.5;
            // Drawn twice for boldness.
            if same_line && token.text.ends_with(glyph.character) && (shown.left - token.last.left).abs() < 0.12 * size {
                continue;
            }
            let apart = if is_upright {
                !same_line || gap > 0.22 * size.min(token.size) || gap < -0.6 * size.max(token.size)
            } else {
                (shown.middle() - token.last.middle())
                    .abs()
                    .max(((shown.left + shown.right) - (token.last.left + token.last.right)).abs() / 2.0)
                    > 1.3 * size
            };
            if (apart || *was_upright != is_upright)
                && let Some((token, upright)) = open.take()
            {
                sheet.add(token, upright);
            }
        }
        let (token, _) = open.get_or_insert_with(|| {
            let token = Token { spaces, no_break, size, at: shown, last: shown, home: glyph.at, ..Token::default() };
            (spaces, no_break) = (0, false);
            (token, is_upright)
        });
        match letters(glyph.character) {
            "" => token.text.push(glyph.character),
            letters => token.text.push_str(letters),
        }
        token.at = token.at.with(&shown);
        token.home = token.home.with(&glyph.at);
        token.last = shown;
        token.size = token.size.max(size);
    }
    if let Some((token, upright)) = open {
        sheet.add(token, upright);
    }
}
