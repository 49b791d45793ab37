//! The command that plays a day.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use sillage_schemas::Fault;

use super::delivery::Mischief;
use super::players::server::{Mood, Server};
use super::players::{Progress, Report, mllp, notifier};
use super::{Day, Plan};

/// Options of `sillage-sandbox day`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  A day in a minute, over HL7 v2:           sillage-sandbox day --speed 1500 --mllp 127.0.0.1:2575 --expect end.json
  A server to ask, its day at real speed:   sillage-sandbox day --speed 1 --serve 127.0.0.1:8080
  Each change by HTTP, as fast as it goes:  sillage-sandbox day --post http://127.0.0.1:8090/fhir
  A bad network:                            sillage-sandbox day --mllp 127.0.0.1:2575 --connections 4 --shuffle 20 --duplicates 10 --late 30 --cuts 5
  Load:                                     sillage-sandbox day --patients 2000 --events 100000 --mllp 127.0.0.1:2575 --connections 16 --window 32

Everyone and everything in it is invented. The same seed, patients and events make the
same day, the same messages to the byte, and the same end, which --expect writes as JSON.
A server goes on after the day until it is stopped with Ctrl-C.")]
pub struct Options {
    /// The same seed makes the same day
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Patients who come or go that day
    #[arg(long, default_value_t = 20)]
    patients: usize,
    /// How much happens: admissions, documents, corrections, merges, …
    #[arg(long, default_value_t = 200)]
    events: usize,
    /// Times as fast as it happened; 0: without waiting
    #[arg(long, default_value_t = 0.0, value_name = "X")]
    speed: f64,
    /// Sends HL7 v2 messages over MLLP to this receiver
    #[arg(long, value_name = "HOST:PORT")]
    mllp: Option<String>,
    /// Is a FHIR server at this address: base URL http://HOST:PORT/fhir
    #[arg(long, value_name = "HOST:PORT")]
    serve: Option<String>,
    /// Tells this endpoint of each change by HTTP
    #[arg(long, value_name = "URL")]
    post: Option<String>,
    /// File with the bearer token for --post
    #[arg(long, value_name = "FILE", requires = "post")]
    token_file: Option<PathBuf>,
    /// Writes how everything stands in the end
    #[arg(long, value_name = "FILE")]
    expect: Option<PathBuf>,
    /// Connections of each sender
    #[arg(long, default_value_t = 1, value_name = "N")]
    connections: usize,
    /// Messages on their way on one MLLP connection before an answer is waited for
    #[arg(long, default_value_t = 1, value_name = "N")]
    window: usize,
    /// Places that a message may be away from its own
    #[arg(long, default_value_t = 0, value_name = "PLACES")]
    shuffle: usize,
    /// How many messages are delivered twice
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    duplicates: u32,
    /// Of how many documents an old text comes again after the newest
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    late: u32,
    /// Before how many messages the MLLP connection breaks in the middle of a frame
    #[arg(long, default_value_t = 0, value_name = "PERCENT")]
    cuts: u32,
    /// Has the server now down, now busy, now silent, so many seconds each, with as many between
    #[arg(long, default_value_t = 0, value_name = "SECONDS", requires = "serve")]
    outages: u64,
    /// A sender that hears nothing for that long gives up
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    patience: u64,
}

/// What was played.
#[derive(Debug, serde::Serialize)]
pub struct Played {
    events: usize,
    documents: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    mllp: Option<Report>,
    #[serde(skip_serializing_if = "Option::is_none")]
    post: Option<Report>,
}

/// Plays a day; `told` hears of it when the senders are done, before a server goes on.
///
/// Errors: an address cannot be used, nobody answers, a file cannot be read or written.
pub fn run(options: &Options, told: impl FnOnce(&Played)) -> Result<(), (Fault, anyhow::Error)> {
    let day = Arc::new(Day::draw(Plan { seed: options.seed, patients: options.patients, events: options.events }));
    let expected = day.expected();
    if let Some(file) = &options.expect {
        let written = serde_json::to_string_pretty(&expected).map_err(|e| (Fault::Internal, e.into()))?;
        std::fs::write(file, written).map_err(|e| (Fault::Environment, anyhow::anyhow!("{}: {e}", file.display())))?;
    }
    let token = match &options.token_file {
        Some(file) => {
            let text = std::fs::read_to_string(file).map_err(|e| (Fault::Configuration, anyhow::anyhow!("{}: {e}", file.display())))?;
            text.lines().next().map(|line| line.trim().to_owned())
        }
        None => None,
    };
    let failed = |error: super::players::Error| (error.fault(), anyhow::Error::from(error));
    let mut server = options.serve.as_deref().map(|address| Server::start(day.clone(), address)).transpose().map_err(failed)?;
    if let Some(server) = &server {
        eprintln!("FHIR server at {}", server.base());
    }
    let deliveries = day.deliveries(Mischief { shuffle: options.shuffle, duplicates: options.duplicates, late: options.late });
    let patience = Duration::from_secs(options.patience);
    let (by_mllp, by_http) = (Progress::default(), Arc::new(Progress::default()));
    std::thread::scope(|scope| {
        let mllp = options.mllp.as_ref().map(|address| {
            let (connections, window, speed, cuts) = (options.connections, options.window, options.speed, options.cuts);
            let sending = mllp::Options { connections, window, speed, cuts, patience, ..mllp::Options::new(address) };
            let (day, deliveries, progress) = (&day, &deliveries, &by_mllp);
            scope.spawn(move || mllp::play(day, deliveries, &sending, progress))
        });
        let post = options.post.as_ref().map(|url| {
            let (connections, speed) = (options.connections, options.speed);
            let sending = notifier::Options { connections, speed, patience, token: token.clone(), ..notifier::Options::new(url) };
            let (day, deliveries, progress) = (&day, &deliveries, &by_http);
            scope.spawn(move || notifier::play(day, deliveries, &sending, progress))
        });
        if let Some(server) = &mut server {
            serve(server, &day, options).map_err(failed)?;
        }
        for player in [mllp, post].into_iter().flatten() {
            player.join().map_err(|_| (Fault::Internal, anyhow::anyhow!("a player broke off")))?.map_err(failed)?;
        }
        Ok(())
    })?;
    told(&Played {
        events: day.events().len(),
        documents: expected.documents.len(),
        mllp: options.mllp.is_some().then(|| by_mllp.report()),
        post: options.post.is_some().then(|| by_http.report()),
    });
    while server.is_some() {
        std::thread::park();
    }
    Ok(())
}

/// The day as the server has it, with its outages.
fn serve(server: &mut Server, day: &Day, options: &Options) -> Result<(), super::players::Error> {
    let pace = super::players::Pace::begin(options.speed);
    let begun = std::time::Instant::now();
    let first = day.events().first().map(|event| event.at).unwrap_or_default();
    let mut phase = 0;
    for (index, event) in day.events().iter().enumerate() {
        std::thread::sleep(pace.wait(event.at - first));
        // Well in every other phase.
        let now = begun.elapsed().as_secs().checked_div(options.outages).unwrap_or(0) % 6;
        if now != phase {
            phase = now;
            server.up()?;
            match phase {
                1 => server.down(),
                3 => server.mood(Mood::Busy),
                5 => server.mood(Mood::Stalled),
                _ => server.mood(Mood::Well),
            }
        }
        server.apply(index);
    }
    server.mood(Mood::Well);
    server.up()
}
