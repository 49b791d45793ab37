//! Pages with marks on them: what `sillage show` writes.

use crate::failure::Failure;
use crate::geometry::Rect;
use crate::pdf::{Document, Frame};
use crate::picture::Raster;
use crate::scan;
use crate::settings::Settings;

/// A rectangle to be marked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mark {
    /// From 1.
    pub page: u32,
    /// In points of the page as the file holds it.
    pub at: Rect,
}

/// What becomes of an attachment with marks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Picture {
    /// The whole file, its marks as highlights.
    Pdf,
    /// One page as a picture.
    Png { page: u32, resolution: u32 },
}

/// Room around a word, in points.
const ROOM: f32 = 0.8;

pub(crate) fn pdf(document: &Document<'_>, marks: &[Mark]) -> Result<Vec<u8>, Failure> {
    for mark in marks {
        let Some(index) = (mark.page as usize).checked_sub(1).filter(|index| *index < document.pages()) else { continue };
        document.page(index)?.highlight(&around(&mark.at))?;
    }
    document.save()
}

pub(crate) fn page(document: &Document<'_>, marks: &[Mark], page: u32, resolution: u32, settings: &Settings) -> Result<Vec<u8>, Failure> {
    let index = (page as usize).checked_sub(1).filter(|index| *index < document.pages()).ok_or(Failure::Damaged)?;
    let opened = document.page(index)?;
    let picture = opened.picture(resolution as f32, settings.max_pixels)?;
    png(picture, &opened.frame(), marks, page)
}

/// A picture that is a page of its own.
pub(crate) fn scan(bytes: &[u8], marks: &[Mark], page: u32, settings: &Settings) -> Result<Vec<u8>, Failure> {
    let pictures = scan::pictures(bytes, settings)?;
    let picture = (page as usize).checked_sub(1).and_then(|index| pictures.into_iter().nth(index)).ok_or(Failure::Damaged)?;
    let picture = picture.colours();
    let frame = scan::frame(picture.width, picture.height);
    // As large as it is, but no larger than a screen or two.
    let most = picture.width.max(picture.height);
    let picture = if most > 2400 { picture.shrunk(picture.width * 2400 / most, picture.height * 2400 / most) } else { picture };
    png(picture, &frame, marks, page)
}

fn around(at: &Rect) -> Rect {
    Rect { left: at.left - ROOM, bottom: at.bottom - ROOM, right: at.right + ROOM, top: at.top + ROOM }
}

fn png(mut picture: Raster, frame: &Frame, marks: &[Mark], page: u32) -> Result<Vec<u8>, Failure> {
    let scale = picture.width as f32 / frame.size().0.max(1.0);
    let height = frame.size().1;
    for mark in marks.iter().filter(|mark| mark.page == page) {
        let at = frame.shown(&around(&mark.at));
        let clamp = |value: f32, most: usize| (value * scale).clamp(0.0, most as f32) as usize;
        let (left, right) = (clamp(at.left, picture.width), clamp(at.right, picture.width));
        let (top, bottom) = (clamp(height - at.top, picture.height), clamp(height - at.bottom, picture.height));
        for y in top..bottom {
            for x in left..right {
                // As a marker pen does: ink stays, paper takes the colour.
                let from = (y * picture.width + x) * 3;
                let pixel = &mut picture.data[from..from + 3];
                pixel[1] = (u16::from(pixel[1]) * 225 / 255) as u8;
                pixel[2] = (u16::from(pixel[2]) * 40 / 255) as u8;
            }
        }
    }
    picture.png()
}
