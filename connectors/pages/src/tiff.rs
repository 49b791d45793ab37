//! TIFF files as scanners and fax servers write them (TIFF 6.0): several pages, in
//! strips, in black and white, grey or colours; uncompressed, PackBits, LZW, Deflate,
//! fax group 4 or JPEG.

use std::io::Read;

use fax::Color;
use fax::decoder::{decode_g4, pels};
use flate2::read::ZlibDecoder;

use crate::failure::Failure;
use crate::picture::{Raster, jpeg};

/// The pages of a file.
pub(crate) fn pages(bytes: &[u8], max_pages: usize, max_pixels: usize) -> Result<Vec<Raster>, Failure> {
    let file = File { bytes, little: bytes.starts_with(b"II") };
    let mut at = file.long(4).ok_or(Failure::Damaged)? as usize;
    let (mut seen, mut pages, mut failure) = (Vec::new(), Vec::new(), Failure::Damaged);
    while at != 0 && !seen.contains(&at) {
        if seen.len() >= max_pages {
            return Err(Failure::TooManyPages);
        }
        seen.push(at);
        match file.page(at, max_pixels) {
            Ok(page) => pages.push(page),
            Err(why) => failure = why,
        }
        let entries = usize::from(file.short(at).unwrap_or_default());
        at = file.long(at + 2 + 12 * entries).unwrap_or_default() as usize;
    }
    if pages.is_empty() { Err(failure) } else { Ok(pages) }
}

struct File<'b> {
    bytes: &'b [u8],
    little: bool,
}

impl File<'_> {
    fn short(&self, at: usize) -> Option<u16> {
        let two = self.bytes.get(at..at.checked_add(2)?)?.try_into().ok()?;
        Some(if self.little { u16::from_le_bytes(two) } else { u16::from_be_bytes(two) })
    }

    fn long(&self, at: usize) -> Option<u32> {
        let four = self.bytes.get(at..at.checked_add(4)?)?.try_into().ok()?;
        Some(if self.little { u32::from_le_bytes(four) } else { u32::from_be_bytes(four) })
    }

    /// The values of a field of a page.
    fn field(&self, page: usize, tag: u16) -> Vec<usize> {
        let entries = usize::from(self.short(page).unwrap_or_default());
        let entry = (0..entries).map(|n| page + 2 + 12 * n).find(|at| self.short(*at) == Some(tag));
        let read = |entry: usize| -> Option<Vec<usize>> {
            let (kind, count) = (self.short(entry + 2)?, self.long(entry + 4)? as usize);
            let size = if kind == 3 {
                2
            } else if kind == 4 {
                4
            } else {
                1
            };
            if count > self.bytes.len() {
                return None;
            }
            let from = if count * size <= 4 { entry + 8 } else { self.long(entry + 8)? as usize };
            let value = |n: usize| match size {
                2 => self.short(from + 2 * n).map(usize::from),
                4 => self.long(from + 4 * n).map(|v| v as usize),
                _ => self.bytes.get(from + n).map(|v| usize::from(*v)),
            };
            (0..count).map(value).collect()
        };
        entry.and_then(read).unwrap_or_default()
    }

    fn page(&self, page: usize, max_pixels: usize) -> Result<Raster, Failure> {
        let damaged = Failure::Damaged;
        let one = |tag, default| self.field(page, tag).first().copied().unwrap_or(default);
        let (width, height) = (one(256, 0), one(257, 0));
        if width == 0 || height == 0 || width > 1 << 16 || height > 1 << 16 {
            return Err(damaged);
        }
        if width * height > max_pixels {
            return Err(Failure::TooLarge);
        }
        let (bits, samples, compression, meaning, predictor) = (one(258, 1), one(277, 1), one(259, 1), one(262, 1), one(317, 1));
        if !matches!((bits, samples), (1 | 8, 1) | (8, 3 | 4)) {
            return Err(damaged);
        }
        let stride = (width * bits * samples).div_ceil(8);
        let rows = one(278, height).clamp(1, height);
        let (offsets, counts) = (self.field(page, 273), self.field(page, 279));
        let mut data = Vec::with_capacity(stride * height);
        for (strip, (offset, count)) in offsets.iter().zip(&counts).enumerate() {
            let rows = rows.min(height.saturating_sub(strip * rows));
            let packed = self.bytes.get(*offset..offset.saturating_add(*count).min(self.bytes.len())).ok_or(damaged)?;
            let size = stride * rows;
            let mut strip = match compression {
                1 => packed.to_vec(),
                4 => group4(packed, width, rows, meaning == 0),
                5 => {
                    let mut decoder = weezl::decode::Decoder::with_tiff_size_switch(weezl::BitOrder::Msb, 8);
                    let mut out = Vec::new();
                    // Damaged at its end: the rows before stand.
                    let _ = decoder.into_vec(&mut out).decode(packed).status;
                    out
                }
                7 => {
                    let tables = self.field(page, 347);
                    let whole = with_tables(&tables, packed);
                    let raster = jpeg(&whole, max_pixels)?;
                    let raster = if samples == 1 { raster.grey() } else { raster };
                    raster.data
                }
                8 | 32946 => {
                    let mut out = Vec::new();
                    let _ = ZlibDecoder::new(packed).take(size as u64).read_to_end(&mut out);
                    out
                }
                32773 => pack_bits(packed, size),
                _ => return Err(damaged),
            };
            strip.resize(size, 0);
            if predictor == 2 && bits == 8 {
                for row in strip.chunks_exact_mut(stride) {
                    for at in samples..row.len() {
                        row[at] = row[at].wrapping_add(row[at - samples]);
                    }
                }
            }
            data.extend(strip);
            if data.len() >= stride * height {
                break;
            }
        }
        if data.is_empty() {
            return Err(damaged);
        }
        data.resize(stride * height, 0);
        // 0: white is zero.
        let invert = meaning == 0;
        let pixels: Vec<u8> = match (bits, samples) {
            (1, _) => data
                .chunks_exact(stride)
                .flat_map(|row| (0..width).map(move |x| if (row[x / 8] >> (7 - x % 8) & 1 == 1) != invert { 255 } else { 0 }))
                .collect(),
            (_, 1) => data.into_iter().map(|v| if invert { 255 - v } else { v }).collect(),
            (_, 4) => data.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]]).collect(),
            _ => data,
        };
        Raster::new(width, height, if samples == 1 { 1 } else { 3 }, pixels).ok_or(damaged)
    }
}

/// Rows of fax group 4, packed as the page says it does: 1 is white unless white is zero.
fn group4(packed: &[u8], width: usize, height: usize, white_is_zero: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(width.div_ceil(8) * height);
    let (wide, high) = (width as u16, u16::try_from(height).ok());
    let _ = decode_g4(packed.iter().copied(), wide, high, |line| {
        let mut row = vec![0u8; width.div_ceil(8)];
        for (x, colour) in pels(line, wide).enumerate().take(width) {
            if (colour == Color::White) != white_is_zero {
                row[x / 8] |= 0x80 >> (x % 8);
            }
        }
        if out.len() < width.div_ceil(8) * height {
            out.extend(row);
        }
    });
    // What is missing is paper.
    out.resize(width.div_ceil(8) * height, if white_is_zero { 0 } else { 0xff });
    out
}

fn pack_bits(packed: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < packed.len() && out.len() < size {
        let head = packed[at] as i8;
        at += 1;
        if head >= 0 {
            let end = (at + head as usize + 1).min(packed.len());
            out.extend(&packed[at..end]);
            at = end;
        } else if head != -128 {
            let value = packed.get(at).copied().unwrap_or_default();
            out.extend(std::iter::repeat_n(value, 1 + usize::from(head.unsigned_abs())));
            at += 1;
        }
    }
    out
}

/// A JPEG strip after the tables that all strips share.
fn with_tables(tables: &[usize], strip: &[u8]) -> Vec<u8> {
    let tables: Vec<u8> = tables.iter().map(|b| *b as u8).collect();
    let mut whole = tables.strip_suffix(b"\xff\xd9").unwrap_or(&tables).to_vec();
    whole.extend(if whole.is_empty() { strip } else { strip.strip_prefix(b"\xff\xd8").unwrap_or(strip) });
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of 16 by 2 pixels, uncompressed.
    fn file() -> Vec<u8> {
        let mut out = b"II*\0\x0c\0\0\0\xf0\x0f\x00\xff".to_vec();
        let entries: [(u16, u16, u32); 8] =
            [(256, 3, 16), (257, 3, 2), (258, 3, 1), (259, 3, 1), (262, 3, 1), (273, 4, 8), (278, 3, 2), (279, 4, 4)];
        out.extend((entries.len() as u16).to_le_bytes());
        for (tag, kind, value) in entries {
            out.extend(tag.to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.extend(1u32.to_le_bytes());
            out.extend(value.to_le_bytes());
        }
        out.extend([0; 4]);
        out
    }

    #[test]
    fn black_and_white() {
        let pages = pages(&file(), 10, 1000);
        let Ok([page]) = pages.as_deref() else { panic!("one page") };
        assert_eq!((page.width, page.height), (16, 2));
        assert_eq!(page.data[..16], [255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255]);
        assert_eq!(super::pages(&file(), 10, 10).err(), Some(Failure::TooLarge));
    }

    #[test]
    fn runs_are_undone() {
        assert_eq!(pack_bits(&[2, 1, 2, 3, 0xfe, 7], 6), [1, 2, 3, 7, 7, 7]);
    }

    proptest::proptest! {
        #[test]
        fn damage_is_survived(at: usize, byte: u8, cut: usize) {
            let mut bytes = file();
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate((length - cut % length).max(8));
            let _ = pages(&bytes, 10, 1 << 20);
        }
    }
}
