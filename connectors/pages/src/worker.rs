//! The inside of a process that reads attachments: one after the other, from its
//! standard input to its standard output.

use std::io::{self, Read, Write};
use std::time::Duration;

use crate::failure::Failure;
use crate::geometry::Rect;
use crate::layout::{self, Sheet};
use crate::mark::{self, Mark, Picture};
use crate::pdf::Engine;
use crate::picture::Raster;
use crate::reading::Reading;
use crate::scan;
use crate::settings::Settings;
use crate::tesseract;
use crate::wire::{self, Decoder, Encoder};

/// What a worker says first.
pub(crate) const GREETING: &[u8] = b"sillage-pages 1";
/// Largest message that a worker takes.
pub(crate) const MAX_MESSAGE: u64 = 4 << 30;

/// First byte of an answer.
pub(crate) mod answer {
    /// A page is about to be recognised: it takes time.
    pub const RECOGNISING: u8 = 0;
    pub const DONE: u8 = 1;
    /// Followed by the number of the failure.
    pub const FAILED: u8 = 2;
}

/// What is asked of a worker.
pub(crate) enum Request {
    Read(Vec<u8>),
    Mark { bytes: Vec<u8>, marks: Vec<Mark>, picture: Picture },
}

impl Request {
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Encoder::default();
        match self {
            Request::Read(bytes) => {
                out.number(0);
                out.bytes(bytes);
            }
            Request::Mark { bytes, marks, picture } => {
                out.number(1);
                out.bytes(bytes);
                let (page, resolution) = match picture {
                    Picture::Pdf => (0, 0),
                    Picture::Png { page, resolution } => (*page, *resolution),
                };
                [page, resolution, marks.len() as u32].into_iter().for_each(|n| out.number(n));
                for Mark { page, at } in marks {
                    out.number(*page);
                    [at.left, at.bottom, at.right, at.top].into_iter().for_each(|v| out.float(v));
                }
            }
        }
        out.finish()
    }

    fn decode(message: &[u8]) -> Option<Request> {
        let mut from = Decoder::new(message);
        match from.number()? {
            0 => Some(Request::Read(from.bytes()?.to_vec())),
            1 => {
                let bytes = from.bytes()?.to_vec();
                let (page, resolution, count) = (from.number()?, from.number()?, from.count(20)?);
                let mut marks = Vec::with_capacity(count);
                for _ in 0..count {
                    let page = from.number()?;
                    marks.push(Mark {
                        page,
                        at: Rect { left: from.float()?, bottom: from.float()?, right: from.float()?, top: from.float()? },
                    });
                }
                let picture = if page == 0 { Picture::Pdf } else { Picture::Png { page, resolution } };
                Some(Request::Mark { bytes, marks, picture })
            }
            _ => None,
        }
    }
}

pub(crate) fn encode_settings(settings: &Settings) -> Vec<u8> {
    let mut out = Encoder::default();
    let numbers =
        [settings.max_bytes, settings.max_pages, settings.max_pixels, settings.resolution as usize, usize::from(settings.margins_apart)];
    numbers.into_iter().for_each(|n| out.number(u32::try_from(n).unwrap_or(u32::MAX)));
    out.number(u32::try_from(settings.max_memory_bytes >> 20).unwrap_or(u32::MAX));
    [settings.pdfium.to_string_lossy().as_ref(), settings.tesseract.to_string_lossy().as_ref(), settings.languages.as_str()]
        .into_iter()
        .for_each(|text| out.text(text));
    out.finish()
}

fn decode_settings(message: &[u8]) -> Option<Settings> {
    let mut from = Decoder::new(message);
    let mut number = || from.number().map(|n| n as usize);
    let (max_bytes, max_pages, max_pixels) = (number()?, number()?, number()?);
    let (resolution, margins_apart, memory) = (number()?, number()?, number()?);
    Some(Settings {
        max_bytes,
        max_pages,
        max_pixels,
        resolution: resolution as u32,
        margins_apart: margins_apart == 1,
        max_memory_bytes: (memory as u64) << 20,
        pdfium: from.text()?.into(),
        tesseract: from.text()?.into(),
        languages: from.text()?,
        ..Settings::default()
    })
}

/// Serves until the input ends.
///
/// # Errors
/// The pipes break.
pub fn serve(mut input: impl Read, mut output: impl Write) -> io::Result<()> {
    wire::send(&mut output, GREETING)?;
    let Some(settings) = wire::receive(&mut input, MAX_MESSAGE)?.as_deref().and_then(decode_settings) else { return Ok(()) };
    limit(settings.max_memory_bytes);
    follow_parent();
    let mut engine: Option<Engine> = None;
    while let Some(message) = wire::receive(&mut input, MAX_MESSAGE)? {
        let Some(request) = Request::decode(&message) else { return Ok(()) };
        drop(message);
        let mut recognising = || wire::send(&mut output, &[answer::RECOGNISING]);
        let done = match request {
            Request::Read(bytes) => read(&bytes, &settings, &mut engine, &mut recognising).map(|reading| reading.encode()),
            Request::Mark { bytes, marks, picture } => marked(&bytes, &marks, picture, &settings, &mut engine),
        };
        let (head, rest) = match &done {
            Ok(bytes) => (answer::DONE, bytes.as_slice()),
            Err(_) => (answer::FAILED, &[][..]),
        };
        let number = done.as_ref().err().and_then(|failure| Failure::ALL.iter().position(|f| f == failure)).map(|n| n as u8);
        let message: Vec<u8> = [head].into_iter().chain(number).chain(rest.iter().copied()).collect();
        wire::send(&mut output, &message)?;
    }
    Ok(())
}

/// A bomb kills this process, not the machine.
fn limit(more: u64) {
    #[cfg(target_os = "linux")]
    {
        use nix::sys::resource::{Resource, setrlimit};
        let pages = std::fs::read_to_string("/proc/self/statm").ok().and_then(|s| s.split(' ').next()?.parse::<u64>().ok());
        let most = pages.unwrap_or_default() * 4096 + more;
        // Where it is refused, the time limit is what is left.
        let _ = setrlimit(Resource::RLIMIT_AS, most, most);
        let _ = setrlimit(Resource::RLIMIT_CORE, 0, 0);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = more;
}

/// Whoever asked is gone: nobody waits for the answer.
fn follow_parent() {
    #[cfg(unix)]
    {
        let parent = std::os::unix::process::parent_id();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                if std::os::unix::process::parent_id() != parent {
                    std::process::exit(0);
                }
            }
        });
    }
}

fn is_picture(bytes: &[u8]) -> bool {
    [&b"\x89PNG"[..], b"\xff\xd8\xff", b"II*\0", b"MM\0*"].iter().any(|magic| bytes.starts_with(magic))
}

fn opened<'e>(engine: &'e mut Option<Engine>, settings: &Settings) -> Result<&'e Engine, Failure> {
    if engine.is_none() {
        *engine = Some(Engine::open(&settings.pdfium)?);
    }
    engine.as_ref().ok_or(Failure::NoLibrary)
}

type Announce<'a> = &'a mut dyn FnMut() -> io::Result<()>;

fn read(bytes: &[u8], settings: &Settings, engine: &mut Option<Engine>, recognising: Announce<'_>) -> Result<Reading, Failure> {
    if bytes.len() > settings.max_bytes {
        return Err(Failure::TooLarge);
    }
    let mut found = Found::default();
    if is_picture(bytes) {
        for (index, picture) in scan::pictures(bytes, settings)?.into_iter().enumerate() {
            let frame = scan::frame(picture.width, picture.height);
            found.recognise(index as u32 + 1, &picture, &frame, settings, recognising);
        }
    } else {
        let engine = opened(engine, settings)?;
        let document = engine.document(bytes)?;
        if document.pages() > settings.max_pages {
            return Err(Failure::TooManyPages);
        }
        for index in 0..document.pages() {
            let number = index as u32 + 1;
            let Ok(page) = document.page(index) else {
                found.unread(number, Failure::Damaged);
                continue;
            };
            let (sheet, drawn) = match page.sheet() {
                Ok(sheet) => sheet,
                Err(why) => {
                    found.unread(number, why);
                    continue;
                }
            };
            let words = sheet.tokens.len();
            if (words == 0 && drawn.may_be_text()) || (words < 10 && drawn.is_whole_page()) {
                match page.picture(settings.resolution as f32, settings.max_pixels) {
                    Ok(picture) => found.recognise(number, &picture, &page.frame(), settings, recognising),
                    Err(why) => found.unread(number, why),
                }
                // What little was written stands if nothing was seen.
                if found.unread.contains(&number) && words > 0 {
                    found.sheets.push((number, sheet));
                }
            } else {
                found.sheets.push((number, sheet));
            }
        }
        if document.pages() == 0 {
            return Err(Failure::Damaged);
        }
    }
    found.reading(settings)
}

/// What the pages gave.
#[derive(Default)]
struct Found {
    sheets: Vec<(u32, Sheet)>,
    recognised: Vec<u32>,
    unread: Vec<u32>,
    pages: u32,
    failure: Option<Failure>,
}

impl Found {
    fn unread(&mut self, page: u32, why: Failure) {
        self.unread.push(page);
        self.failure = self.failure.or(Some(why));
        self.pages = self.pages.max(page);
    }

    fn recognise(&mut self, page: u32, picture: &Raster, frame: &crate::pdf::Frame, settings: &Settings, recognising: Announce<'_>) {
        if tesseract::find(&settings.tesseract).is_none() {
            return self.unread(page, Failure::NoRecognition);
        }
        if recognising().is_err() {
            return self.unread(page, Failure::Crashed);
        }
        match scan::sheet(&picture.grey(), frame, settings) {
            Ok(sheet) => {
                self.sheets.push((page, sheet));
                self.recognised.push(page);
            }
            Err(why) => self.unread(page, why),
        }
    }

    fn reading(self, settings: &Settings) -> Result<Reading, Failure> {
        let pages = self.sheets.iter().map(|(page, _)| *page).chain([self.pages]).max().unwrap_or_default();
        let reading = layout::read(&self.sheets, settings.margins_apart);
        if reading.text.trim().is_empty() && reading.margins.is_empty() {
            return Err(self.failure.unwrap_or(Failure::Empty));
        }
        Ok(Reading { pages, recognised: self.recognised, unread: self.unread, ..reading })
    }
}

fn marked(bytes: &[u8], marks: &[Mark], picture: Picture, settings: &Settings, engine: &mut Option<Engine>) -> Result<Vec<u8>, Failure> {
    if is_picture(bytes) {
        let page = match picture {
            Picture::Png { page, .. } => page,
            Picture::Pdf => return Err(Failure::Damaged),
        };
        return mark::scan(bytes, marks, page, settings);
    }
    let engine = opened(engine, settings)?;
    let document = engine.document(bytes)?;
    match picture {
        Picture::Pdf => mark::pdf(&document, marks),
        Picture::Png { page, resolution } => mark::page(&document, marks, page, resolution, settings),
    }
}
