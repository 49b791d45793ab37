//! A day, by every way, over a good and a bad network.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sillage_sandbox::day::delivery::Mischief;
use sillage_sandbox::day::players::server::{Mood, Server};
use sillage_sandbox::day::players::{Progress, mllp, notifier};
use sillage_sandbox::day::{Day, Plan};

use super::running::{Pipeline, free_port, ready, wait};
use super::tables::{Way, check, differences, research, rows};

pub(super) const BAD: Mischief = Mischief { shuffle: 15, duplicates: 15, late: 50 };
/// A server that is looked at every second, and given up soon.
pub(super) const POLLING: &str =
    "[fhir]\npoll_seconds = 1\npage_size = 7\ntimeout_seconds = 2\nmax_backoff_seconds = 1\nbackoff_milliseconds = 50";

pub(super) fn day(seed: u64) -> Arc<Day> {
    Arc::new(Day::draw(Plan { seed, patients: 5, events: 70 }))
}

fn seed() -> u64 {
    super::number("SILLAGE_DAY_SEED", 1)
}

fn by_mllp(folder: &Path, name: &str, day: &Day, mischief: Mischief, options: mllp::Options) -> Pipeline {
    let port = free_port();
    let pipeline = Pipeline::new(folder, name, &[&format!("mllp://127.0.0.1:{port}")], "");
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let progress = Progress::default();
    let deliveries = day.deliveries(mischief);
    mllp::play(day, &deliveries, &mllp::Options { address: format!("127.0.0.1:{port}"), ..options }, &progress).unwrap();
    let report = progress.report();
    assert_eq!((report.acknowledged, report.refused), (deliveries.len(), 0), "every message is taken");
    run.terminate(&pipeline);
    pipeline.once();
    pipeline
}

fn by_notification(folder: &Path, name: &str, day: &Arc<Day>, mischief: Mischief, connections: usize) -> Pipeline {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}/fhir");
    let token = folder.join("token");
    std::fs::write(&token, "ein-erfundenes-geheimnis\n").unwrap();
    let settings = format!("[subscription]\ntoken_file = {:?}", token.to_str().unwrap());
    let pipeline = Pipeline::new(folder, name, &[&format!("fhir-subscription+{url}")], &settings);
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let progress = Arc::new(Progress::default());
    let options = notifier::Options { token: Some("ein-erfundenes-geheimnis".into()), connections, ..notifier::Options::new(url) };
    notifier::play(day, &day.deliveries(mischief), &options, &progress).unwrap();
    let report = progress.report();
    assert!(report.acknowledged > 50 && report.refused == 0, "{report:?}");
    run.terminate(&pipeline);
    pipeline.once();
    pipeline
}

/// The server changes while it is asked, and is not there now and then.
fn by_polling(folder: &Path, name: &str, day: &Arc<Day>, settings: &str, outages: bool) -> Pipeline {
    let mut server = Server::start(day.clone(), "127.0.0.1:0").unwrap();
    let pipeline = Pipeline::new(folder, name, &[&format!("fhir+{}", server.base())], settings);
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let count = day.events().len();
    for event in 0..count {
        server.apply(event);
        std::thread::sleep(Duration::from_millis(60));
        if outages {
            match event * 8 / count {
                part if part * count / 8 != event => {}
                1 => server.down(),
                3 => server.mood(Mood::Busy),
                5 => server.mood(Mood::Stalled),
                _ => {
                    server.up().unwrap();
                    server.mood(Mood::Well);
                }
            }
        }
    }
    server.up().unwrap();
    server.mood(Mood::Well);
    // What it does not see now the last look sees.
    std::thread::sleep(Duration::from_secs(2));
    run.terminate(&pipeline);
    pipeline.once();
    pipeline
}

#[test]
fn a_day_comes_by_every_way_and_is_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (seed, day) = (seed(), day(seed()));
    let expected = day.expected();
    let mllp = by_mllp(folder.path(), "mllp", &day, Mischief::default(), mllp::Options::new(""));
    check(&differences(&mllp.out, &expected, Way::Mllp), seed, Way::Mllp, &mllp.log());
    let told = by_notification(folder.path(), "told", &day, Mischief::default(), 1);
    check(&differences(&told.out, &expected, Way::Told), seed, Way::Told, &told.log());
    let asked = by_polling(folder.path(), "asked", &day, POLLING, false);
    check(&differences(&asked.out, &expected, Way::Asked), seed, Way::Asked, &asked.log());

    let of_asked = research(&asked.out);
    assert!(of_asked.len() > 150, "documents and findings: {}", of_asked.len());
    for (way, out) in [("notifications", &told.out), ("HL7 v2", &mllp.out)] {
        let other = research(out);
        let (more, less): (Vec<_>, Vec<_>) = (other.difference(&of_asked).collect(), of_asked.difference(&other).collect());
        assert!(more.is_empty() && less.is_empty(), "seed {seed}: by {way} and by asking\n{more:#?}\n{less:#?}");
    }
}

#[test]
fn a_bad_network_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (seed, day) = (seed() + 100, day(seed() + 100));
    let expected = day.expected();
    let options = mllp::Options { connections: 3, window: 4, cuts: 5, ..mllp::Options::new("") };
    let mllp = by_mllp(folder.path(), "mllp", &day, BAD, options);
    check(&differences(&mllp.out, &expected, Way::Mllp), seed, Way::Mllp, &mllp.log());
    let told = by_notification(folder.path(), "told", &day, BAD, 3);
    check(&differences(&told.out, &expected, Way::Told), seed, Way::Told, &told.log());
}

#[test]
fn a_server_that_is_down_busy_and_silent_is_read_to_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let (seed, day) = (seed() + 200, day(seed() + 200));
    let expected = day.expected();
    let asked = by_polling(folder.path(), "asked", &day, POLLING, true);
    check(&differences(&asked.out, &expected, Way::Asked), seed, Way::Asked, &asked.log());
}

#[test]
fn bulk_exports_tell_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let (seed, day) = (seed() + 300, day(seed() + 300));
    let settings = format!("{POLLING}\nmode = \"export\"\nexport_seconds = 1");
    let asked = by_polling(folder.path(), "asked", &day, &settings, false);
    check(&differences(&asked.out, &day.expected(), Way::Asked), seed, Way::Asked, &asked.log());
}

#[test]
fn a_source_that_stalls_does_not_hold_up_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let day = day(seed() + 400);
    let server = Server::start(day.clone(), "127.0.0.1:0").unwrap();
    server.play(0.0);
    server.mood(Mood::Stalled);
    let port = free_port();
    let sources = [format!("fhir+{}", server.base()), format!("mllp://127.0.0.1:{port}")];
    let pipeline = Pipeline::new(folder.path(), "both", &[&sources[0], &sources[1]], "");
    let mut run = pipeline.start();
    ready(&mut run, &pipeline);
    let progress = Progress::default();
    mllp::play(&day, &day.deliveries(Mischief::default()), &mllp::Options::new(format!("127.0.0.1:{port}")), &progress).unwrap();
    let documents = day.expected().documents.len() as u64;
    let count = || rows(&pipeline.out, "select count(*) as n from documents")[0]["n"].as_u64();
    wait("documents of the other source", &pipeline, || count() == Some(documents));
    run.terminate(&pipeline);
}
