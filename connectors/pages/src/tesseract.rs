//! Recognition by tesseract, a program of its own: words with boxes and confidence.

use std::env;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::failure::Failure;
use crate::geometry::Rect;
use crate::picture::Raster;
use crate::settings::Settings;

/// Most of its answer that is read.
const MAX_ANSWER: u64 = 64 << 20;

/// The program, `None` where there is none. `configured` comes first.
pub fn find(configured: &Path) -> Option<PathBuf> {
    if !configured.as_os_str().is_empty() {
        return configured.is_file().then(|| configured.to_owned());
    }
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(format!("tesseract{}", env::consts::EXE_SUFFIX))).find(|file| file.is_file())
}

/// A word on a picture, in pixels from its upper left corner.
pub(crate) struct Seen {
    pub text: String,
    pub at: Rect,
    /// 0 to 1.
    pub confidence: f32,
    /// Which line of which paragraph of which block.
    pub line: (u32, u32, u32),
}

/// The words of an upright grey picture. The boxes' `top` is the larger of both ends, as
/// for points, though pixels count downwards.
pub(crate) fn words(picture: &Raster, resolution: u32, settings: &Settings) -> Result<Vec<Seen>, Failure> {
    let program = find(&settings.tesseract).ok_or(Failure::NoRecognition)?;
    let mut command = Command::new(program);
    command.args([
        "stdin",
        "stdout",
        "-l",
        &settings.languages,
        "--psm",
        "3",
        "--dpi",
        &resolution.to_string(),
        "-c",
        "tessedit_do_invert=0",
        "tsv",
    ]);
    // One core a page: the pages are spread over the workers.
    command.env("OMP_THREAD_LIMIT", "1").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|_| Failure::NoRecognition)?;
    let mut pixels = format!("P5\n{} {}\n255\n", picture.width, picture.height).into_bytes();
    pixels.extend(&picture.data);
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let mut answer = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| stdin.map(|mut to| to.write_all(&pixels)));
        if let Some(from) = stdout {
            // What was cut off is a table that ends early.
            let _ = from.take(MAX_ANSWER).read_to_end(&mut answer);
        }
    });
    let status = child.wait().map_err(|_| Failure::Crashed)?;
    if !status.success() {
        // Without its language it stops at once.
        return Err(if answer.is_empty() { Failure::NoRecognition } else { Failure::Crashed });
    }
    Ok(parse(&String::from_utf8_lossy(&answer)))
}

fn parse(table: &str) -> Vec<Seen> {
    let mut words = Vec::new();
    for row in table.lines() {
        let columns: Vec<&str> = row.splitn(12, '\t').collect();
        let [level, _, block, paragraph, line, _, left, top, width, height, confidence, text] = columns[..] else { continue };
        let number = |text: &str| text.parse::<f32>().unwrap_or_default();
        let text = text.trim();
        if level != "5" || text.is_empty() || number(width) <= 0.0 || number(height) <= 0.0 {
            continue;
        }
        let (left, top, width, height) = (number(left), number(top), number(width), number(height));
        words.push(Seen {
            text: text.to_owned(),
            at: Rect::new(left, top, left + width, top + height),
            confidence: (number(confidence) / 100.0).clamp(0.0, 1.0),
            line: (number(block) as u32, number(paragraph) as u32, number(line) as u32),
        });
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_table() {
        let table = "level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext\n\
                     4\t1\t1\t1\t1\t0\t10\t20\t300\t30\t-1\t\n\
                     5\t1\t1\t1\t1\t1\t10\t20\t100\t30\t91.5\tNIHSS\n\
                     5\t1\t1\t1\t1\t2\t120\t20\t20\t30\t42\t4\n\
                     5\t1\t1\t1\t1\t3\t120\t20\t20\t30\t95\t \n";
        let words: Vec<(String, f32)> = parse(table).into_iter().map(|w| (w.text, w.confidence)).collect();
        assert_eq!(words, [("NIHSS".to_owned(), 0.915), ("4".to_owned(), 0.42)]);
    }
}
