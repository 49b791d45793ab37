//! `sillage show`: a document's words in the terminal, and marked on its pages.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float32Type, Int32Type};
use clap::Args;
use datafusion::execution::context::SessionContext;
use sillage_pages::{Mark, Picture, Pool, Rect};

use super::print;
use crate::configuration::Configuration;
use crate::error::{Error, Result};
use crate::runner::attachments::{Files, WORKER};
use crate::session;
use crate::store::Store;

/// Characters shown before and after a span.
const AROUND: usize = 240;
/// Dots per inch of a picture.
const RESOLUTION: u32 = 150;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  sillage show 4fa1c0 --out tables\n  sillage show 4fa1c0 --out tables --span 120:134 --png page.png\n  sillage show 4fa1c0 --out tables --span 120:134 --pdf marked.pdf\n\nThe document: its id in the tables (or how it begins), or its id at the source. A span is source_start:source_end of\nentities and variables: characters of the original text. What is shown is the restricted zone, except with\n--research, where a span is start:end."
)]
pub(super) struct Options {
    /// The document
    document: String,
    /// Output folder of a run
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Characters to be marked, from 0, end exclusive; repeatable
    #[arg(long, value_name = "START:END")]
    span: Vec<String>,
    /// Write the attachment with the spans highlighted
    #[arg(long, value_name = "FILE")]
    pdf: Option<PathBuf>,
    /// Write the page of the first span as a picture
    #[arg(long, value_name = "FILE")]
    png: Option<PathBuf>,
    /// Show the de-identified text
    #[arg(long, conflicts_with_all = ["pdf", "png"])]
    research: bool,
    /// Pipeline file, for where the PDF library is
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
}

/// A document as the tables hold it.
struct Found {
    document_id: String,
    text: String,
    content_type: Option<String>,
    attachments: Vec<String>,
}

/// A word of a span on a page.
struct Placed {
    attachment: usize,
    mark: Mark,
    confidence: Option<f32>,
}

pub(super) async fn execute(options: Options) -> Result<()> {
    let store = Store::open_existing(&options.out).await?;
    let session = session::over(&store, &session::built_in()?).await?;
    let spans = options.span.iter().map(|span| parse(span)).collect::<Result<Vec<_>>>()?;
    let found = find(&session, &options.document, options.research).await?;
    let length = found.text.chars().count();
    if let Some(span) = spans.iter().find(|span| span.1 > length) {
        return Err(Error::Configuration(format!("--span {}:{}: the text has {length} characters", span.0, span.1)));
    }
    if options.research {
        eprintln!("research zone: de-identified");
    } else {
        eprintln!("restricted zone: this text identifies people");
    }
    let placed = if options.research { Vec::new() } else { places(&session, &found.document_id, &spans).await? };
    let mut shown = format!("document {} ({})\n", found.document_id, found.content_type.as_deref().unwrap_or("no content type"));
    shown.push_str(&passages(&found.text, &spans, std::io::stdout().is_terminal()));
    for line in whereabouts(&placed) {
        shown.push_str(&line);
        shown.push('\n');
    }
    print(&shown)?;
    if options.pdf.is_none() && options.png.is_none() {
        return Ok(());
    }
    let configuration = Configuration::read(options.pipeline.as_deref())?;
    draw(&options, &store, &configuration, &found, &placed)
}

fn parse(span: &str) -> Result<(usize, usize)> {
    let parsed = span.split_once(':').and_then(|(start, end)| Some((start.trim().parse().ok()?, end.trim().parse().ok()?)));
    parsed.filter(|(start, end)| start < end).ok_or_else(|| Error::Configuration(format!("--span {span}: write START:END, as in 120:134")))
}

async fn rows(session: &SessionContext, sql: &str) -> Result<Vec<RecordBatch>> {
    Ok(session.sql(sql).await.map_err(Box::new)?.collect().await.map_err(Box::new)?)
}

fn texts(batch: &RecordBatch, column: usize) -> Result<Vec<Option<String>>> {
    let array = arrow::compute::cast(batch.column(column), &arrow::datatypes::DataType::Utf8);
    let array = array.map_err(|e| Error::Internal(format!("show: {e}")))?;
    Ok(array.as_string::<i32>().iter().map(|v| v.map(str::to_owned)).collect())
}

/// The document of that id; the beginning of an id is enough where only one has it.
async fn find(session: &SessionContext, wanted: &str, research: bool) -> Result<Found> {
    let quoted = wanted.replace('\'', "''");
    let source = format!(
        "from restricted.source_documents s {} where s.document_id like '{}%' or s.source_document_id = '{quoted}' limit 2",
        if research { "join research.documents d on d.document_id = s.document_id" } else { "" },
        if wanted.len() >= 4 && wanted.bytes().all(|b| b.is_ascii_hexdigit()) { wanted } else { "-" },
    );
    let text = if research { "d.text" } else { "s.text" };
    let batches =
        rows(session, &format!("select s.document_id, {text} as text, s.content_type, array_to_string(s.attachment_sha256, ' ') {source}"))
            .await?;
    let mut found = Vec::new();
    for batch in &batches {
        let (ids, bodies, types, hashes) = (texts(batch, 0)?, texts(batch, 1)?, texts(batch, 2)?, texts(batch, 3)?);
        for row in 0..batch.num_rows() {
            found.push(Found {
                document_id: ids[row].clone().unwrap_or_default(),
                text: bodies[row].clone().unwrap_or_default(),
                content_type: types[row].clone(),
                attachments: hashes[row].iter().flat_map(|all| all.split_whitespace()).map(str::to_owned).collect(),
            });
        }
    }
    match (found.pop(), found.pop()) {
        (Some(one), None) => Ok(one),
        (None, _) => Err(Error::Configuration(format!("no document {wanted} in these tables"))),
        _ => Err(Error::Configuration(format!("several documents begin with {wanted}: write more of the id"))),
    }
}

/// Where the words of spans stand on pages.
async fn places(session: &SessionContext, document: &str, spans: &[(usize, usize)]) -> Result<Vec<Placed>> {
    let mut placed = Vec::new();
    for (start, end) in spans {
        let sql = format!(
            "select attachment, page, \"left\", bottom, \"right\", \"top\", confidence from restricted.page_spans \
             where document_id = '{document}' and \"start\" < {end} and \"end\" > {start} order by \"start\""
        );
        for batch in rows(session, &sql).await? {
            let number = |column: usize| batch.column(column).as_primitive::<Int32Type>();
            let value = |column: usize, row: usize| batch.column(column).as_primitive::<Float32Type>().value(row);
            for row in 0..batch.num_rows() {
                let at = Rect::new(value(2, row), value(3, row), value(4, row), value(5, row));
                placed.push(Placed {
                    attachment: usize::try_from(number(0).value(row)).unwrap_or(1),
                    mark: Mark { page: u32::try_from(number(1).value(row)).unwrap_or(1), at },
                    confidence: batch.column(6).is_valid(row).then(|| value(6, row)),
                });
            }
        }
    }
    Ok(placed)
}

/// The spans with what stands around them, or the whole text.
fn passages(text: &str, spans: &[(usize, usize)], colour: bool) -> String {
    let characters: Vec<char> = text.chars().collect();
    let part = |from: usize, to: usize| characters[from..to].iter().collect::<String>();
    if spans.is_empty() {
        return format!("{text}\n");
    }
    let (open, close) = if colour { ("\u{1b}[30;43m", "\u{1b}[0m") } else { ("«", "»") };
    let mut out = String::new();
    for (start, end) in spans {
        let (from, to) = (start.saturating_sub(AROUND), (end + AROUND).min(characters.len()));
        let (before, after) = (if from > 0 { "…" } else { "" }, if to < characters.len() { "…" } else { "" });
        out.push_str(&format!("{before}{}{open}{}{close}{}{after}\n", part(from, *start), part(*start, *end), part(*end, to)));
    }
    out
}

/// Which pages, and how sure the recognition was.
fn whereabouts(placed: &[Placed]) -> Vec<String> {
    let mut lines: Vec<(usize, u32, Rect, Option<f32>)> = Vec::new();
    for word in placed {
        let least = |a: Option<f32>, b: Option<f32>| a.map_or(b, |a| Some(b.map_or(a, |b| a.min(b))));
        match lines.last_mut() {
            Some((attachment, page, at, confidence)) if (*attachment, *page) == (word.attachment, word.mark.page) => {
                *at = at.with(&word.mark.at);
                *confidence = least(*confidence, word.confidence);
            }
            _ => lines.push((word.attachment, word.mark.page, word.mark.at, word.confidence)),
        }
    }
    let line = |(attachment, page, at, confidence): (usize, u32, Rect, Option<f32>)| {
        let sure = confidence.map_or_else(String::new, |c| format!(", recognised with confidence {:.0} %", c * 100.0));
        let Rect { left, bottom, right, top } = at;
        format!("attachment {attachment}, page {page}, points {left:.0},{bottom:.0} to {right:.0},{top:.0}{sure}")
    };
    lines.into_iter().map(line).collect()
}

fn draw(options: &Options, store: &Store, configuration: &Configuration, found: &Found, placed: &[Placed]) -> Result<()> {
    let first = placed.first();
    let number = first.map_or(1, |p| p.attachment);
    let Some(sha256) = number.checked_sub(1).and_then(|at| found.attachments.get(at)) else {
        return Err(Error::Configuration("this document was not read from pages; there is nothing to mark".to_owned()));
    };
    let files = Files::new(store, &configuration.pages);
    let Some(bytes) = files.bytes(sha256) else {
        return Err(Error::Configuration("the attachment is no longer in restricted/_attachments".to_owned()));
    };
    let pool = Pool::of_this_program(configuration.pages.clone(), WORKER);
    let marks: Vec<Mark> = placed.iter().filter(|p| p.attachment == number).map(|p| p.mark).collect();
    let page = first.map_or(1, |p| p.mark.page);
    for (path, picture) in [(&options.pdf, Picture::Pdf), (&options.png, Picture::Png { page, resolution: RESOLUTION })] {
        let Some(path) = path else { continue };
        if picture == Picture::Pdf && !bytes.starts_with(b"%PDF") {
            return Err(Error::Configuration("the attachment is a picture: use --png".to_owned()));
        }
        let marked = pool.mark(&bytes, &marks, picture).map_err(|failure| Error::Configuration(format!("the attachment: {failure}")))?;
        write(path, &marked)?;
        eprintln!("{} (restricted: it shows the whole page)", path.display());
    }
    Ok(())
}

/// For its owner's eyes: the page names people.
fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(Error::io(path))?;
    file.write_all(bytes).map_err(Error::io(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_marked_in_their_passage() {
        assert_eq!(passages("NIHSS à 4.", &[(8, 9)], false), "NIHSS à «4».\n");
        assert!(parse("4:4").is_err() && parse("a").is_err());
        assert_eq!(parse("4:5").ok(), Some((4, 5)));
    }
}
