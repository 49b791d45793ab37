//! SIGKILL at any moment of receiving, acknowledging, committing and compacting:
//! the tables end as if nothing had happened, with everything acknowledged in them
//! once.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use sillage_sandbox::day::players::server::Server;
use sillage_sandbox::day::players::{Progress, mllp, notifier};
use sillage_sandbox::day::{Day, Plan};

use super::super::command::{binary, text};
use super::played::{BAD, POLLING};
use super::running::{Pipeline, free_port};
use super::tables::{Way, check, differences};

/// Kills of each day, at least.
const KILLS: usize = 5;

/// A few numbers that differ.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    fn milliseconds(&mut self, count: u64) -> Duration {
        Duration::from_millis(self.below(count))
    }
}

#[test]
fn killed_days_end_as_they_should() {
    let first = super::number("SILLAGE_DAY_SEED", 1000);
    let mut kills = 0;
    for seed in first..first + super::number("SILLAGE_KILL_RUNS", 4) {
        kills += match seed % 3 {
            0 => asked(seed),
            1 => told(seed),
            _ => sent(seed),
        };
        println!("seed {seed}: {kills} kills so far");
    }
}

fn day(seed: u64) -> Arc<Day> {
    Arc::new(Day::draw(Plan { seed, patients: 4, events: 60 }))
}

/// Starts the run and kills it, again and again, until there is nothing left to play.
fn torment(pipeline: &Pipeline, dice: &mut Dice, played: &AtomicBool, done: &dyn Fn() -> usize) -> usize {
    let mut kills = 0;
    let begun = Instant::now();
    while kills < KILLS || !played.load(Ordering::Relaxed) {
        assert!(begun.elapsed() < Duration::from_secs(300), "never came to an end\n{}", pipeline.log());
        let before = done();
        let mut run = pipeline.start();
        // By the clock, so that also the start and a replay are hit; or when something
        // was just received, and a moment after.
        if dice.below(3) == 0 {
            std::thread::sleep(dice.milliseconds(2500));
        } else {
            let wanted = before + 1 + dice.below(12) as usize;
            let patience = Instant::now();
            while done() < wanted && !played.load(Ordering::Relaxed) && patience.elapsed() < Duration::from_secs(10) {
                std::thread::sleep(Duration::from_millis(1));
            }
            std::thread::sleep(dice.milliseconds(600));
        }
        assert!(!run.ended(), "the run ended by itself\n{}", pipeline.log());
        run.kill();
        kills += 1;
        if dice.below(3) == 0 && pipeline.out.join("restricted").exists() {
            compact(pipeline, dice);
        }
    }
    kills
}

/// Maintenance, killed as well.
fn compact(pipeline: &Pipeline, dice: &mut Dice) {
    let mut command = Command::new(binary());
    command.args(["maintain", "--out", text(&pipeline.out), "--retention-hours", "0"]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    std::thread::sleep(dice.milliseconds(1200));
    let _ = child.kill();
    let _ = child.wait();
}

/// The end: all that was received is taken in, and nothing is wrong or doubled.
fn settle(pipeline: &Pipeline, day: &Day, seed: u64, way: Way) {
    pipeline.once();
    check(&differences(&pipeline.out, &day.expected(), way), seed, way, &pipeline.log());
}

fn sent(seed: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (day, mut dice, port) = (day(seed), Dice(seed), free_port());
    let pipeline = Pipeline::new(folder.path(), "killed", &[&format!("mllp://127.0.0.1:{port}")], "");
    let (progress, played) = (Progress::default(), AtomicBool::new(false));
    let deliveries = day.deliveries(BAD);
    let kills = std::thread::scope(|scope| {
        scope.spawn(|| {
            // Slow enough to be interrupted often.
            let speed = 26.0 * 3600.0 / 8.0;
            let options = mllp::Options { connections: 2, cuts: 3, speed, ..mllp::Options::new(format!("127.0.0.1:{port}")) };
            let outcome = mllp::play(&day, &deliveries, &options, &progress);
            played.store(true, Ordering::Relaxed);
            outcome.unwrap();
        });
        torment(&pipeline, &mut dice, &played, &|| progress.acknowledged.load(Ordering::Relaxed))
    });
    assert_eq!(progress.report().acknowledged, deliveries.len(), "seed {seed}");
    settle(&pipeline, &day, seed, Way::Mllp);
    kills
}

fn told(seed: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (day, mut dice, port) = (day(seed), Dice(seed), free_port());
    let url = format!("http://127.0.0.1:{port}/fhir");
    let pipeline = Pipeline::new(folder.path(), "killed", &[&format!("fhir-subscription+{url}")], "");
    let (progress, played) = (Arc::new(Progress::default()), AtomicBool::new(false));
    let kills = std::thread::scope(|scope| {
        scope.spawn(|| {
            let speed = 26.0 * 3600.0 / 8.0;
            let options = notifier::Options { connections: 2, speed, ..notifier::Options::new(url) };
            let outcome = notifier::play(&day, &day.deliveries(BAD), &options, &progress);
            played.store(true, Ordering::Relaxed);
            outcome.unwrap();
        });
        torment(&pipeline, &mut dice, &played, &|| progress.acknowledged.load(Ordering::Relaxed))
    });
    assert_eq!(progress.report().refused, 0, "seed {seed}");
    settle(&pipeline, &day, seed, Way::Told);
    kills
}

fn asked(seed: u64) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let (day, mut dice) = (day(seed), Dice(seed));
    let server = Server::start(day.clone(), "127.0.0.1:0").unwrap();
    let pipeline = Pipeline::new(folder.path(), "killed", &[&format!("fhir+{}", server.base())], POLLING);
    let (happened, played) = (std::sync::atomic::AtomicUsize::new(0), AtomicBool::new(false));
    let kills = std::thread::scope(|scope| {
        scope.spawn(|| {
            for event in 0..day.events().len() {
                server.apply(event);
                happened.store(event + 1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(150));
            }
            played.store(true, Ordering::Relaxed);
        });
        torment(&pipeline, &mut dice, &played, &|| happened.load(Ordering::Relaxed))
    });
    settle(&pipeline, &day, seed, Way::Asked);
    kills
}
