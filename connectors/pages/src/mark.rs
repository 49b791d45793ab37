//! Pages with marks on them: what `sillage show` writes.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage, imageops};

use crate::failure::Failure;
use crate::geometry::Rect;
use crate::pdf::{Document, Frame};
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
    let picture = picture.to_rgb8();
    let frame = scan::frame(picture.width(), picture.height());
    // As large as it is, but no larger than a screen or two.
    let most = picture.width().max(picture.height());
    let picture = if most > 2400 {
        let of = |side: u32| (side as u64 * 2400 / u64::from(most)).max(1) as u32;
        imageops::resize(&picture, of(picture.width()), of(picture.height()), imageops::FilterType::Triangle)
    } else {
        picture
    };
    png(picture, &frame, marks, page)
}

fn around(at: &Rect) -> Rect {
    Rect { left: at.left - ROOM, bottom: at.bottom - ROOM, right: at.right + ROOM, top: at.top + ROOM }
}

fn png(mut picture: RgbImage, frame: &Frame, marks: &[Mark], page: u32) -> Result<Vec<u8>, Failure> {
    let scale = picture.width() as f32 / frame.size().0.max(1.0);
    let height = frame.size().1;
    for mark in marks.iter().filter(|mark| mark.page == page) {
        let at = frame.shown(&around(&mark.at));
        let clamp = |value: f32, most: u32| (value * scale).clamp(0.0, most as f32) as u32;
        let (left, right) = (clamp(at.left, picture.width()), clamp(at.right, picture.width()));
        let (top, bottom) = (clamp(height - at.top, picture.height()), clamp(height - at.bottom, picture.height()));
        for y in top..bottom {
            for x in left..right {
                // As a marker pen does: ink stays, paper takes the colour.
                let pixel = &mut picture.get_pixel_mut(x, y).0;
                pixel[1] = (u16::from(pixel[1]) * 225 / 255) as u8;
                pixel[2] = (u16::from(pixel[2]) * 40 / 255) as u8;
            }
        }
    }
    let mut out = Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut out, ImageFormat::Png).map_err(|_| Failure::Damaged)?;
    Ok(out.into_inner())
}
