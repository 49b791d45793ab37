//! The clock of the machine steps, back and forth by minutes to days, while a day
//! comes in; the tables are those of a steady one. By `libfaketime` (Debian:
//! `faketime`), which stands between the command and the system's clock.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sillage_sandbox::day::players::server::Server;
use sillage_sandbox::day::players::{Progress, mllp, notifier};
use sillage_sandbox::day::{Day, Plan};

use super::played::{BAD, POLLING};

use super::running::{Pipeline, free_port};
use super::tables::{Way, check, differences};

const LIBRARIES: &[&str] =
    &["/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1"];
/// Where the clock stands beside the true one, in turn.
const STEPS: &[&str] = &["+0", "-90s", "+2h", "-1d", "+30d", "-400d", "+5", "-3h"];

/// Steps the clock of a pipeline's runs until the day is played.
fn stepping(pipeline: &mut Pipeline, folder: &Path) -> Option<PathBuf> {
    let library = LIBRARIES.iter().find(|path| Path::new(path).exists())?;
    let clock = folder.join("clock");
    std::fs::write(&clock, STEPS[0]).unwrap();
    let values = [
        ("LD_PRELOAD", *library),
        ("FAKETIME_TIMESTAMP_FILE", clock.to_str().unwrap()),
        ("FAKETIME_NO_CACHE", "1"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
        ("NO_FAKE_STAT", "1"),
    ];
    pipeline.environment = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Some(clock)
}

fn step_until(played: &AtomicBool, clock: &Path) {
    for step in STEPS.iter().cycle() {
        // In place of the other: half of it is never read.
        let next = clock.with_extension("next");
        std::fs::write(&next, step).unwrap();
        std::fs::rename(&next, clock).unwrap();
        std::thread::sleep(Duration::from_millis(700));
        if played.load(Ordering::Relaxed) {
            return;
        }
    }
}

fn day(seed: u64) -> Arc<Day> {
    Arc::new(Day::draw(Plan { seed, patients: 4, events: 60 }))
}

/// One day, with the clock stepping in one long run and the last one an hour behind.
fn stepped(seed: u64, way: Way, pipeline: &mut Pipeline, folder: &Path, day: &Day, play: impl FnOnce() + Send) {
    let Some(clock) = stepping(pipeline, folder) else {
        eprintln!("SKIPPED: libfaketime is not installed (Debian: faketime), nothing steps the clock");
        return;
    };
    let played = AtomicBool::new(false);
    let mut run = pipeline.start();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            play();
            played.store(true, Ordering::Relaxed);
        });
        step_until(&played, &clock);
    });
    assert!(!run.ended(), "the run ended by itself\n{}", pipeline.log());
    run.kill();
    std::fs::write(&clock, "-1h").unwrap();
    pipeline.once();
    check(&differences(&pipeline.out, &day.expected(), way), seed, way, &pipeline.log());
}

#[test]
fn a_clock_that_steps_changes_nothing_of_what_is_sent() {
    let (folder, seed, port) = (tempfile::tempdir().unwrap(), super::number("SILLAGE_DAY_SEED", 71), free_port());
    let mut pipeline = Pipeline::new(folder.path(), "stepped", &[&format!("mllp://127.0.0.1:{port}")], "");
    let day = day(seed);
    stepped(seed, Way::Mllp, &mut pipeline, folder.path(), &day, || {
        let options = mllp::Options { connections: 2, speed: 26.0 * 3600.0 / 8.0, ..mllp::Options::new(format!("127.0.0.1:{port}")) };
        mllp::play(&day, &day.deliveries(BAD), &options, &Progress::default()).unwrap();
    });
}

#[test]
fn a_clock_that_steps_changes_nothing_of_what_is_told() {
    let (folder, seed, port) = (tempfile::tempdir().unwrap(), super::number("SILLAGE_DAY_SEED", 72), free_port());
    let url = format!("http://127.0.0.1:{port}/fhir");
    let mut pipeline = Pipeline::new(folder.path(), "stepped", &[&format!("fhir-subscription+{url}")], "");
    let day = day(seed);
    stepped(seed, Way::Told, &mut pipeline, folder.path(), &day, || {
        let options = notifier::Options { connections: 2, speed: 26.0 * 3600.0 / 8.0, ..notifier::Options::new(url) };
        notifier::play(&day, &day.deliveries(BAD), &options, &Arc::default()).unwrap();
    });
}

#[test]
fn a_clock_that_steps_changes_nothing_of_what_is_asked() {
    let (folder, seed) = (tempfile::tempdir().unwrap(), super::number("SILLAGE_DAY_SEED", 73));
    let day = day(seed);
    let server = Server::start(day.clone(), "127.0.0.1:0").unwrap();
    let mut pipeline = Pipeline::new(folder.path(), "stepped", &[&format!("fhir+{}", server.base())], POLLING);
    stepped(seed, Way::Asked, &mut pipeline, folder.path(), &day, || {
        for event in 0..day.events().len() {
            server.apply(event);
            std::thread::sleep(Duration::from_millis(150));
        }
    });
}
