//! Pictures: PNG and JPEG to grey or colours, scaling, and PNG for what is shown.
//!
//! Small on purpose. Libraries for pictures bring decoders for formats that nobody
//! scans to, and what is read here was sent by strangers.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use crate::failure::Failure;

/// A picture of one (grey) or three (red, green, blue) bytes a pixel, row by row.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Raster {
    pub width: usize,
    pub height: usize,
    /// 1 or 3.
    pub channels: usize,
    pub data: Vec<u8>,
}

impl Raster {
    pub fn new(width: usize, height: usize, channels: usize, data: Vec<u8>) -> Option<Raster> {
        (width > 0 && height > 0 && data.len() == width * height * channels).then_some(Raster { width, height, channels, data })
    }

    pub fn grey(&self) -> Raster {
        let data = match self.channels {
            1 => self.data.clone(),
            _ => self
                .data
                .chunks_exact(3)
                .map(|p| ((u32::from(p[0]) * 77 + u32::from(p[1]) * 150 + u32::from(p[2]) * 29) >> 8) as u8)
                .collect(),
        };
        Raster { channels: 1, data, ..*self }
    }

    pub fn colours(&self) -> Raster {
        let data = match self.channels {
            3 => self.data.clone(),
            _ => self.data.iter().flat_map(|p| [*p; 3]).collect(),
        };
        Raster { channels: 3, data, ..*self }
    }

    /// Made smaller: each pixel the mean of those it stands for.
    pub fn shrunk(&self, width: usize, height: usize) -> Raster {
        let (width, height) = (width.clamp(1, self.width), height.clamp(1, self.height));
        let mut data = Vec::with_capacity(width * height * self.channels);
        for y in 0..height {
            let (top, bottom) = (y * self.height / height, ((y + 1) * self.height / height).max(y * self.height / height + 1));
            for x in 0..width {
                let (left, right) = (x * self.width / width, ((x + 1) * self.width / width).max(x * self.width / width + 1));
                for channel in 0..self.channels {
                    let mut sum = 0u64;
                    for row in top..bottom {
                        for column in left..right {
                            sum += u64::from(self.data[(row * self.width + column) * self.channels + channel]);
                        }
                    }
                    data.push((sum / ((bottom - top) * (right - left)) as u64) as u8);
                }
            }
        }
        Raster { width, height, channels: self.channels, data }
    }

    /// As a PNG file.
    pub fn png(&self) -> Result<Vec<u8>, Failure> {
        let mut packed = ZlibEncoder::new(Vec::new(), Compression::fast());
        for row in self.data.chunks_exact(self.width * self.channels) {
            packed.write_all(&[0]).and_then(|()| packed.write_all(row)).map_err(|_| Failure::Crashed)?;
        }
        let packed = packed.finish().map_err(|_| Failure::Crashed)?;
        let mut out = b"\x89PNG\r\n\x1a\n".to_vec();
        let mut head = Vec::new();
        head.extend((self.width as u32).to_be_bytes());
        head.extend((self.height as u32).to_be_bytes());
        head.extend([8, if self.channels == 1 { 0 } else { 2 }, 0, 0, 0]);
        for (name, content) in [(b"IHDR", head.as_slice()), (b"IDAT", packed.as_slice()), (b"IEND", &[])] {
            out.extend((content.len() as u32).to_be_bytes());
            out.extend(name);
            out.extend(content);
            let mut crc = flate2::Crc::new();
            crc.update(name);
            crc.update(content);
            out.extend(crc.sum().to_be_bytes());
        }
        Ok(out)
    }
}

/// A JPEG file.
pub(crate) fn jpeg(bytes: &[u8], max_pixels: usize) -> Result<Raster, Failure> {
    let failed = |_| Failure::Damaged;
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB).set_max_width(1 << 16).set_max_height(1 << 16);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(failed)?;
    let info = decoder.info().ok_or(Failure::Damaged)?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    if width * height > max_pixels {
        return Err(Failure::TooLarge);
    }
    let data = decoder.decode().map_err(failed)?;
    let channels = data.len() / (width * height).max(1);
    Raster::new(width, height, channels, data).filter(|r| matches!(r.channels, 1 | 3)).ok_or(Failure::Damaged)
}

/// A PNG file, of any depth and kind; interlaced ones are refused: no scanner makes them.
pub(crate) fn png(bytes: &[u8], max_pixels: usize) -> Result<Raster, Failure> {
    let damaged = Failure::Damaged;
    let mut rest = bytes.get(8..).ok_or(damaged)?;
    let (mut head, mut packed, mut palette): (Option<&[u8]>, Vec<u8>, &[u8]) = (None, Vec::new(), &[]);
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let length = u32::from_be_bytes(*length) as usize;
        let Some((name, after)) = after.split_first_chunk::<4>() else { break };
        // A file that ends early shows what came before.
        let content = after.get(..length).unwrap_or(after);
        match name {
            b"IHDR" => head = Some(content),
            b"PLTE" => palette = content,
            b"IDAT" => packed.extend(content),
            b"IEND" => break,
            _ => {}
        }
        rest = after.get(length + 4..).unwrap_or_default();
    }
    let head = head.filter(|h| h.len() >= 13).ok_or(damaged)?;
    let side = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]) as usize;
    let (width, height, depth, kind) = (side(0), side(4), usize::from(head[8]), head[9]);
    if width.checked_mul(height).is_none_or(|pixels| pixels > max_pixels) {
        return Err(Failure::TooLarge);
    }
    let samples = match kind {
        0 | 3 => 1,
        2 => 3,
        4 => 2,
        6 => 4,
        _ => return Err(damaged),
    };
    if !matches!(depth, 1 | 2 | 4 | 8 | 16) || head[12] != 0 || width == 0 || height == 0 {
        return Err(damaged);
    }
    let stride = (width * samples * depth).div_ceil(8);
    let step = (samples * depth / 8).max(1);
    let mut raw = Vec::new();
    // Damaged at the end: the rows before it stand.
    let _ = ZlibDecoder::new(packed.as_slice()).take(((stride + 1) * height) as u64).read_to_end(&mut raw);
    if raw.len() < stride + 1 {
        return Err(damaged);
    }
    raw.resize((stride + 1) * height, 0);
    let mut before = vec![0u8; stride];
    let channels = if kind == 0 || kind == 4 { 1 } else { 3 };
    let mut data = Vec::with_capacity(width * height * channels);
    for line in raw.chunks_exact_mut(stride + 1) {
        let (filter, row) = line.split_at_mut(1);
        unfilter(filter[0], row, &before, step);
        let sample = |index: usize| -> u8 {
            match depth {
                8 => row[index],
                16 => row[index * 2],
                _ => row[index * depth / 8] >> (8 - depth - index * depth % 8) & ((1 << depth) - 1),
            }
        };
        let full = |value: u8| if depth < 8 { (u32::from(value) * 255 / ((1 << depth) - 1)) as u8 } else { value };
        for x in 0..width {
            // What can be seen through stands on white paper.
            let paper = |value: u8, alpha: u8| ((u32::from(value) * u32::from(alpha) + 255 * (255 - u32::from(alpha))) / 255) as u8;
            match kind {
                0 => data.push(full(sample(x))),
                2 => data.extend((0..3).map(|c| sample(x * 3 + c))),
                3 => {
                    let at = usize::from(sample(x)) * 3;
                    data.extend((0..3).map(|c| palette.get(at + c).copied().unwrap_or_default()));
                }
                4 => data.push(paper(sample(x * 2), sample(x * 2 + 1))),
                _ => data.extend((0..3).map(|c| paper(sample(x * 4 + c), sample(x * 4 + 3)))),
            }
        }
        before.copy_from_slice(row);
    }
    Raster::new(width, height, channels, data).ok_or(damaged)
}

/// PNG specification, section 9.
fn unfilter(filter: u8, row: &mut [u8], before: &[u8], step: usize) {
    for at in 0..row.len() {
        let left = if at >= step { row[at - step] } else { 0 };
        let (up, corner) = (before[at], if at >= step { before[at - step] } else { 0 });
        let guess = match filter {
            1 => left,
            2 => up,
            3 => ((u16::from(left) + u16::from(up)) / 2) as u8,
            4 => {
                let p = i16::from(left) + i16::from(up) - i16::from(corner);
                let (a, b, c) = ((p - i16::from(left)).abs(), (p - i16::from(up)).abs(), (p - i16::from(corner)).abs());
                if a <= b && a <= c {
                    left
                } else if b <= c {
                    up
                } else {
                    corner
                }
            }
            _ => 0,
        };
        row[at] = row[at].wrapping_add(guess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_png_comes_back_as_it_was() {
        for channels in [1, 3] {
            let data = (0..40 * 30 * channels).map(|i: usize| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            let raster = Raster::new(40, 30, channels, data).map(|r| (r.png(), r));
            let Some((Ok(file), raster)) = raster else { panic!("no picture") };
            assert!(png(&file, 1 << 20).is_ok_and(|read| read == raster));
            assert_eq!(png(&file, 100).err(), Some(Failure::TooLarge));
            assert!(png(&file[..file.len() / 2], 1 << 20).is_ok_and(|read| read.width == 40));
        }
    }

    proptest::proptest! {
        #[test]
        fn damaged_pictures_are_survived(bytes: Vec<u8>, at in 8usize..120, byte: u8) {
            let file = Raster::new(40, 30, 1, vec![9; 1200]).and_then(|r| r.png().ok()).unwrap_or_default();
            let mut file = file;
            let place = at % file.len();
            file[place] = byte;
            let _ = png(&file, 1 << 20);
            let _ = png(&[b"\x89PNG\r\n\x1a\n", bytes.as_slice()].concat(), 1 << 20);
            let _ = jpeg(&[b"\xff\xd8\xff", bytes.as_slice()].concat(), 1 << 20);
        }
    }
}
