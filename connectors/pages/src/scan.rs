//! Pages that are pictures: made grey and upright, recognised, words put on a sheet.

use crate::failure::Failure;
use crate::geometry::Rect;
use crate::layout::{Sheet, Token};
use crate::pdf::Frame;
use crate::picture::{self, Raster};
use crate::settings::Settings;
use crate::tesseract::{self, Seen};
use crate::tiff;

/// Dots per inch that a picture without a page is taken to have.
pub(crate) const RESOLUTION: f32 = 200.0;
/// Largest skew that is looked for and least that is put right, in degrees.
const MAX_SKEW: f32 = 4.0;
const LEAST_SKEW: f32 = 0.15;

/// The pictures of a file: the pages of a TIFF, or one.
pub(crate) fn pictures(bytes: &[u8], settings: &Settings) -> Result<Vec<Raster>, Failure> {
    match bytes {
        [b'I' | b'M', ..] => tiff::pages(bytes, settings.max_pages, settings.max_pixels),
        [0xff, ..] => picture::jpeg(bytes, settings.max_pixels).map(|one| vec![one]),
        _ => picture::png(bytes, settings.max_pixels).map(|one| vec![one]),
    }
}

/// The frame of a picture that is a page of its own.
pub(crate) fn frame(width: usize, height: usize) -> Frame {
    let points = 72.0 / RESOLUTION;
    Frame { left: 0.0, bottom: 0.0, width: width as f32 * points, height: height as f32 * points, turn: Default::default() }
}

/// Recognises a picture of a page as shown; `frame` leads back to the file.
pub(crate) fn sheet(picture: &Raster, frame: &Frame, settings: &Settings) -> Result<Sheet, Failure> {
    let (shown_width, shown_height) = frame.size();
    let scale = picture.width as f32 / shown_width.max(1.0);
    let resolution = (scale * 72.0).round().clamp(70.0, 1200.0) as u32;
    let skew = skew(picture);
    let upright = if skew.abs() < LEAST_SKEW { None } else { Some(rotated(picture, -skew)) };
    let seen = tesseract::words(upright.as_ref().unwrap_or(picture), resolution, settings)?;
    let mut sheet = Sheet::new(shown_width, shown_height);
    let mut line = None;
    // The height of a word hangs on its letters; that of its line does not.
    let mut heights: Vec<((u32, u32, u32), f32, f32)> = Vec::new();
    for word in &seen {
        match heights.last_mut() {
            Some((known, bottom, top)) if *known == word.line => (*bottom, *top) = (bottom.min(word.at.bottom), top.max(word.at.top)),
            _ => heights.push((word.line, word.at.bottom, word.at.top)),
        }
    }
    // Specks and smears, which would stand between columns. A figure is never one.
    let is_speck = |word: &Seen| {
        word.confidence < 0.3
            && word.text.chars().filter(|c| c.is_alphabetic()).count() < 2
            && !word.text.contains(|c: char| c.is_ascii_digit())
    };
    for word in seen.into_iter().filter(|word| !is_speck(word)) {
        let (low, high) = heights.iter().find(|h| h.0 == word.line).map_or((word.at.bottom, word.at.top), |h| (h.1, h.2));
        // A line that is not straight is taller than its words.
        let (low, high) = if high - low > 1.8 * word.at.height() { (word.at.bottom, word.at.top) } else { (low, high) };
        let turned = Rect::new(word.at.left, shown_height * scale - high, word.at.right, shown_height * scale - low);
        let flat = Rect::new(turned.left / scale, turned.bottom / scale, turned.right / scale, turned.top / scale);
        let own = Rect::new(word.at.left, shown_height * scale - word.at.top, word.at.right, shown_height * scale - word.at.bottom);
        let own = Rect::new(own.left / scale, own.bottom / scale, own.right / scale, own.top / scale);
        let home = frame.home(&back(&own, skew, shown_width, shown_height));
        let follows = line == Some(word.line);
        line = Some(word.line);
        let token = Token {
            text: word.text,
            spaces: u16::from(follows),
            size: flat.height().max(1.0),
            at: flat,
            last: flat,
            home,
            confidence: Some(word.confidence),
            ..Token::default()
        };
        sheet.add(token, true);
    }
    Ok(sheet)
}

/// A rectangle of the straightened page, on the page as it was.
fn back(at: &Rect, skew: f32, width: f32, height: f32) -> Rect {
    if skew.abs() < LEAST_SKEW {
        return *at;
    }
    let (sin, cos) = (-skew).to_radians().sin_cos();
    let (x, y) = ((at.left + at.right) / 2.0 - width / 2.0, at.middle() - height / 2.0);
    // The picture was turned about its middle.
    let (x, y) = (x * cos - y * sin + width / 2.0, x * sin + y * cos + height / 2.0);
    let (half_width, half_height) = (at.width() / 2.0, at.height() / 2.0);
    Rect::new(x - half_width, y - half_height, x + half_width, y + half_height)
}

/// By how many degrees the lines of a page fall to the right, from the angle at
/// which ink and paper alternate most sharply.
fn skew(picture: &Raster) -> f32 {
    let factor = (picture.width.max(picture.height) as f32 / 900.0).max(1.0);
    let (width, height) = ((picture.width as f32 / factor) as usize, (picture.height as f32 / factor) as usize);
    if width < 50 || height < 50 {
        return 0.0;
    }
    let small = picture.shrunk(width, height);
    let mean = small.data.iter().map(|p| u64::from(*p)).sum::<u64>() as f32 / (width * height) as f32;
    let place = |at: usize| ((at % width) as f32 - width as f32 / 2.0, (at / width) as f32);
    let dark = small.data.iter().enumerate().filter(|(_, p)| f32::from(**p) < 0.75 * mean);
    let dark: Vec<(f32, f32)> = dark.map(|(at, _)| place(at)).collect();
    if dark.len() < 200 || dark.len() as f32 > 0.4 * (width * height) as f32 {
        return 0.0;
    }
    let sharpness = |angle: f32| -> f32 {
        let slope = angle.to_radians().tan();
        let mut rows = vec![0f32; height + width];
        for (x, y) in &dark {
            let row = (y - x * slope + width as f32 / 2.0) as usize;
            if let Some(row) = rows.get_mut(row) {
                *row += 1.0;
            }
        }
        rows.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum()
    };
    let best =
        |angles: &mut dyn Iterator<Item = f32>| angles.map(|a| (sharpness(a), a)).max_by(|a, b| a.0.total_cmp(&b.0)).map_or(0.0, |b| b.1);
    let steps = (MAX_SKEW / 0.25) as i32;
    let coarse = best(&mut (-steps..=steps).map(|s| s as f32 * 0.25));
    let fine = best(&mut (-5..=5).map(|s| coarse + s as f32 * 0.05));
    if sharpness(fine) > 1.03 * sharpness(0.0) { fine } else { 0.0 }
}

/// The grey picture turned about its middle, clockwise as seen, white where nothing was.
fn rotated(picture: &Raster, degrees: f32) -> Raster {
    let (width, height) = (picture.width, picture.height);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (middle_x, middle_y) = (width as f32 / 2.0, height as f32 / 2.0);
    let mut data = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (dx, dy) = (x as f32 - middle_x, y as f32 - middle_y);
            let (sx, sy) = (dx * cos + dy * sin + middle_x, -dx * sin + dy * cos + middle_y);
            let (left, top) = (sx.floor(), sy.floor());
            if left < 0.0 || top < 0.0 || left + 1.0 >= width as f32 || top + 1.0 >= height as f32 {
                data.push(255);
                continue;
            }
            let at = top as usize * width + left as usize;
            let (fx, fy) = (sx - left, sy - top);
            let value = |at: usize| f32::from(picture.data[at]);
            let upper = value(at) * (1.0 - fx) + value(at + 1) * fx;
            let lower = value(at + width) * (1.0 - fx) + value(at + width + 1) * fx;
            data.push((upper * (1.0 - fy) + lower * fy).round() as u8);
        }
    }
    Raster { width, height, channels: 1, data }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Raster {
        let ink = |x: usize, y: usize| y > 100 && y < 900 && x > 80 && x < 720 && y % 30 < 10 && x % 9 < 6;
        let data = (0..800 * 1000).map(|at| if ink(at % 800, at / 800) { 0 } else { 255 }).collect();
        Raster { width: 800, height: 1000, channels: 1, data }
    }

    #[test]
    fn skew_is_found_and_put_right() {
        assert_eq!(skew(&lines()), 0.0);
        for degrees in [-2.0, 1.0, 3.0] {
            let found = skew(&rotated(&lines(), degrees));
            assert!((found - degrees).abs() < 0.2, "{degrees}: {found}");
        }
    }

    #[test]
    fn a_word_is_led_back_to_the_page_as_it_was() {
        // A pixel at (600, 200) of the skewed page stands elsewhere on the straight one.
        let (width, height, degrees) = (800.0, 1000.0, 2.0f32);
        let (sin, cos) = (-degrees).to_radians().sin_cos();
        let (dx, dy) = (200.0, -300.0);
        let straight = (dx * cos - dy * sin + 400.0, dx * sin + dy * cos + 500.0);
        let at = Rect::new(straight.0 - 5.0, height - straight.1 - 5.0, straight.0 + 5.0, height - straight.1 + 5.0);
        let found = back(&at, degrees, width, height);
        let middle = ((found.left + found.right) / 2.0, height - found.middle());
        assert!((middle.0 - 600.0).abs() < 1.0 && (middle.1 - 200.0).abs() < 1.0, "{middle:?}");
    }
}
