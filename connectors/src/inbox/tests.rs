use std::collections::BTreeMap;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::sync::atomic::Ordering;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng};

use super::disk::trial;
use super::mark::{Acknowledged, Mark};
use super::*;

type Outcome = Result<(), Box<dyn std::error::Error>>;

fn message(text: &str) -> Message {
    Message {
        kind: Kind::Hl7v2,
        place: "connection 1 message 1".into(),
        received_at: 1_700_000_000_000_000,
        payload: text.as_bytes().to_vec(),
    }
}

/// A payload that says which one it is, of a size that depends on it.
fn numbered(number: u64) -> Message {
    let size = [10, 300, 5_000, 30_000][(number % 4) as usize] + (number as usize * 37) % 211;
    let mut payload = number.to_le_bytes().to_vec();
    payload.resize(size.max(8), (number % 251) as u8);
    Message { payload, ..message("") }
}

fn append(inbox: &Inbox, messages: Vec<Message>) -> Result<(), SourceError> {
    inbox.blocking(|answer| Job::Append(Append { messages, state: None, answer }))
}

fn payloads(inbox: &Inbox) -> Result<Vec<Vec<u8>>, SourceError> {
    Ok(inbox.read(0, usize::MAX, usize::MAX)?.into_iter().map(|(_, message)| message.payload).collect())
}

fn error<T>(outcome: Result<T, SourceError>) -> String {
    outcome.err().map(|error| error.to_string()).unwrap_or_default()
}

#[test]
fn what_was_appended_is_there_after_reopening_until_it_is_forgotten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("spool");
    let inbox = Inbox::open(&spool, "mllp://x")?;
    append(&inbox, vec![message("un"), message("deux")])?;
    append(&inbox, vec![message("trois")])?;
    assert_eq!((inbox.waiting(), inbox.waiting_bytes()), (3, 11));
    drop(inbox);

    let inbox = Inbox::open(&spool, "mllp://x")?;
    assert_eq!((inbox.waiting(), inbox.waiting_bytes()), (3, 11));
    assert_eq!(inbox.read(0, 2, usize::MAX)?.len(), 2);
    assert_eq!(inbox.read(0, 9, 3)?.len(), 2);
    assert_eq!(inbox.read(0, 9, 0)?.len(), 1, "one at least");
    assert_eq!(inbox.up_to(1, 2)?, [(2, message("deux"))]);
    inbox.forget(2)?;
    assert_eq!(inbox.read(0, 9, 99)?, [(3, message("trois"))]);
    inbox.forget(3)?;
    assert_eq!((inbox.waiting(), inbox.forgotten()?), (0, 3));
    drop(inbox);

    let inbox = Inbox::open(&spool, "mllp://x")?;
    append(&inbox, vec![message("quatre")])?;
    assert_eq!(inbox.read(0, 9, 99)?, [(4, message("quatre"))], "a sequence is never given twice");
    Ok(())
}

#[test]
fn sources_have_files_of_their_own_for_the_owner_alone() -> Outcome {
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("spool");
    let (a, b) = (Inbox::open(&spool, "mllp://a:1/ä")?, Inbox::open(&spool, "b")?);
    append(&a, vec![message("a")])?;
    assert_eq!(b.waiting(), 0);
    assert_eq!(Inbox::sources(&spool)?, ["b", "mllp://a:1/ä"]);
    assert_eq!(Inbox::sources(&folder.path().join("none"))?, Vec::<String>::new());
    let mut files = 0;
    for entry in std::fs::read_dir(&spool)? {
        assert_eq!(entry?.metadata()?.permissions().mode() & 0o777, 0o600);
        files += 1;
    }
    assert_eq!(files, 4);
    assert_eq!(std::fs::metadata(&spool)?.permissions().mode() & 0o777, 0o700);
    assert!(error(Inbox::open(&spool, "b")).contains("another run"));
    assert!(!format!("{:?}", message("Mme Inventée")).contains("Invent"));
    Ok(())
}

#[test]
fn a_state_comes_with_its_messages() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "fhir")?;
    assert_eq!(inbox.state()?, None);
    inbox.append_with_state(vec![message("a")], b"1")?;
    inbox.append_with_state(Vec::new(), b"2")?;
    append(&inbox, vec![message("b")])?;
    drop(inbox);
    let inbox = Inbox::open(folder.path(), "fhir")?;
    assert_eq!((inbox.state()?, inbox.waiting()), (Some(b"2".to_vec()), 2));
    assert_eq!(inbox.rewrite(|_| true)?, 0);
    assert_eq!(inbox.state()?, Some(b"2".to_vec()));
    Ok(())
}

#[test]
fn appends_at_one_time_share_commits() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "x")?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let appends = (0..400u64).map(|n| {
            let inbox = inbox.clone();
            tokio::spawn(async move { inbox.append(vec![numbered(n)]).await })
        });
        for append in appends.collect::<Vec<_>>() {
            append.await??;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    assert_eq!(inbox.waiting(), 400);
    let serial = inbox.core.serial()?;
    assert!(serial < 100, "{serial} commits for 400 appends");
    Ok(())
}

#[test]
fn room_waits_until_enough_is_forgotten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "x")?;
    append(&inbox, vec![message("a"), message("b"), message("c")])?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    runtime.block_on(async {
        inbox.room(4, 100).await;
        let waiting = inbox.clone();
        let room = tokio::spawn(async move { waiting.room(2, 100).await });
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        assert!(!room.is_finished());
        inbox.forget(1)?;
        tokio::time::sleep(std::time::Duration::from_millis(30)).await;
        assert!(!room.is_finished());
        inbox.forget(2)?;
        room.await?;
        Ok::<_, Box<dyn std::error::Error>>(())
    })
}

#[test]
fn forgetting_gives_room_back_and_the_file_does_not_grow() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "x")?;
    let mut lengths = Vec::new();
    let mut number = 0;
    for _ in 0..20 {
        for _ in 0..5 {
            append(&inbox, (0..20).map(|n| numbered(number + n)).collect())?;
            number += 20;
        }
        inbox.forget(number - 7)?;
        assert_eq!(inbox.waiting(), 7);
        lengths.push(std::fs::metadata(inbox.core.path())?.len());
    }
    assert!(lengths[19] <= lengths[4], "{lengths:?}");
    Ok(())
}

#[test]
fn a_file_that_was_large_is_made_smaller() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "x")?;
    let large = Message { payload: vec![7; 100 << 10], ..message("") };
    for _ in 0..10 {
        append(&inbox, vec![large.clone(); 10])?;
    }
    let before = std::fs::metadata(inbox.core.path())?.len();
    inbox.forget(99)?;
    drop(inbox.state()?);
    append(&inbox, vec![message("a")])?;
    let after = std::fs::metadata(inbox.core.path())?.len();
    assert!(before > 10 << 20 && after < 4 << 20, "{before} {after}");
    assert_eq!(inbox.read(0, 9, usize::MAX)?.len(), 2);
    Ok(())
}

#[test]
fn nothing_is_left_of_what_is_erased_or_forgotten() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "x")?;
    append(&inbox, vec![message("INVENTEE dossier 1"), message("autre"), message("INVENTEE dossier 2"), message("DUPOND oublie")])?;
    inbox.forget(1)?;
    let found = |what: &str| -> std::io::Result<bool> {
        let bytes = std::fs::read(inbox.core.path())?;
        Ok(bytes.windows(what.len()).any(|window| window == what.as_bytes()))
    };
    assert!(found("INVENTEE")?);
    let reading = inbox.clone();
    assert_eq!(inbox.rewrite(|message| !message.payload.starts_with(b"INVENTEE"))?, 1);
    assert!(!found("INVENTEE")? && found("DUPOND")? && found("autre")?);
    assert_eq!(reading.read(0, 9, 99)?, [(2, message("autre")), (4, message("DUPOND oublie"))]);
    append(&inbox, vec![message("apres")])?;
    assert_eq!(reading.read(4, 9, 99)?, [(5, message("apres"))]);
    assert_eq!(std::fs::read_dir(folder.path())?.count(), 2);
    drop((inbox, reading));
    assert_eq!(Inbox::open(folder.path(), "x")?.waiting(), 3);
    Ok(())
}

#[test]
fn after_any_failure_of_the_disk_nothing_is_half_there_and_it_works_again() -> Outcome {
    let mut failures = 0;
    for left in 0..40 {
        let folder = tempfile::tempdir()?;
        let inbox = Inbox::open(folder.path(), "x")?;
        append(&inbox, vec![numbered(1), numbered(2)])?;
        let trial = &inbox.core.health.trial;
        trial.left.store(left, Ordering::Release);
        let outcome = append(&inbox, vec![numbered(3), numbered(4), numbered(6)]);
        if let Err(error) = &outcome {
            failures += 1;
            assert!(matches!(error, SourceError::Inbox { .. }), "{error}");
            assert!(append(&inbox, vec![numbered(9)]).is_err(), "still full");
        }
        trial.left.store(-1, Ordering::Release);
        let begun = std::time::Instant::now();
        while append(&inbox, vec![numbered(5)]).is_err() {
            assert!(begun.elapsed().as_secs() < 20, "not usable again");
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        let there = payloads(&inbox)?;
        let expected = |numbers: &[u64]| there == numbers.iter().map(|n| numbered(*n).payload).collect::<Vec<_>>();
        // A commit whose last fsync failed may be there as a whole.
        assert!(expected(&[1, 2, 3, 4, 6, 5]) || outcome.is_err() && expected(&[1, 2, 5]), "{left}: {} messages", there.len());
        drop(inbox);
        assert_eq!(payloads(&Inbox::open(folder.path(), "x")?)?, there);
    }
    assert!(failures > 5, "{failures}");
    Ok(())
}

#[test]
fn a_rewrite_that_fails_leaves_the_inbox_as_it_was() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(folder.path(), "x")?;
    append(&inbox, vec![message("a"), message("b")])?;
    // A folder where the new file would be.
    std::fs::create_dir(inbox.core.path().with_extension("new"))?;
    assert!(inbox.rewrite(|_| false).is_err());
    std::fs::remove_dir(inbox.core.path().with_extension("new"))?;
    append(&inbox, vec![message("c")])?;
    assert_eq!(payloads(&inbox)?, [b"a", b"b", b"c"]);
    Ok(())
}

#[derive(Debug, Clone)]
enum Step {
    Append(u64),
    Forget(u64),
    Erase,
    Reopen,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0..9u64).prop_map(Step::Append),
        4 => (0..60u64).prop_map(Step::Forget),
        1 => Just(Step::Erase),
        2 => Just(Step::Reopen),
    ];
    prop::collection::vec(step, 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Beside the simplest thing that does the same.
    #[test]
    fn it_is_a_list_of_messages(steps in steps()) {
        let folder = tempfile::tempdir()?;
        let mut inbox = Inbox::open(folder.path(), "x")?;
        let (mut list, mut last) = (Vec::<(u64, Message)>::new(), 0);
        for step in steps {
            match step {
                Step::Append(count) => {
                    let messages: Vec<Message> = (last + 1..=last + count).map(numbered).collect();
                    list.extend((last + 1..).zip(messages.clone()));
                    last += count;
                    append(&inbox, messages)?;
                }
                Step::Forget(up_to) => {
                    inbox.forget(up_to)?;
                    list.retain(|(sequence, _)| *sequence > up_to);
                }
                Step::Erase => {
                    let before = list.len() as u64;
                    list.retain(|(sequence, _)| sequence % 3 != 0);
                    let removed = inbox.rewrite(|message| !list.is_empty() && list.iter().any(|(_, kept)| kept == message))?;
                    prop_assert_eq!(removed, before - list.len() as u64);
                }
                Step::Reopen => {
                    drop(inbox);
                    inbox = Inbox::open(folder.path(), "x")?;
                }
            }
            let bytes: usize = list.iter().map(|(_, message)| message.payload.len()).sum();
            prop_assert_eq!((inbox.waiting(), inbox.waiting_bytes()), (list.len() as u64, bytes as u64));
            prop_assert_eq!(&inbox.read(0, usize::MAX, usize::MAX)?, &list);
            let after = last / 2;
            let some: Vec<_> = list.iter().filter(|(sequence, _)| (after + 1..=after + 3).contains(sequence)).cloned().collect();
            prop_assert_eq!(inbox.up_to(after, after + 3)?, some);
        }
    }
}

/// What was done to the file, and how much of it when what was acknowledged.
struct Story {
    before: Vec<u8>,
    steps: Vec<trial::Step>,
    /// Steps done when a transaction was acknowledged, and its serial.
    acknowledged: Vec<(usize, u64)>,
    /// Messages of each serial.
    appended: BTreeMap<u64, Vec<u64>>,
    id: u64,
}

fn story(folder: &Path) -> Result<Story, Box<dyn std::error::Error>> {
    let inbox = Inbox::open(folder, "x")?;
    let before = std::fs::read(inbox.core.path())?;
    let trial = &inbox.core.health.trial;
    trial.noting.store(true, Ordering::Release);
    let mut story = Story { before, steps: Vec::new(), acknowledged: Vec::new(), appended: BTreeMap::new(), id: inbox.id() };
    let mut number = 0;
    for round in 1..=24u64 {
        let numbers = (number..number + 1 + round % 3).collect::<Vec<_>>();
        number += 1 + round % 3;
        append(&inbox, numbers.iter().map(|n| numbered(*n)).collect())?;
        story.acknowledged.push((trial.notes.lock().unwrap().len(), round));
        story.appended.insert(round, numbers);
        if round == 12 {
            // Pages are used again from here on.
            inbox.forget(5)?;
        }
    }
    story.steps = std::mem::take(&mut *trial.notes.lock().unwrap());
    Ok(story)
}

/// The inbox that is left of a story after some of its steps.
fn image(story: &Story, folder: &Path, kept: &[(usize, Option<usize>)], serial: u64) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(folder)?;
    let path = path_of(folder, "x");
    std::fs::write(&path, &story.before)?;
    let file = std::fs::OpenOptions::new().write(true).open(&path)?;
    for (step, torn) in kept {
        match &story.steps[*step] {
            trial::Step::Write(offset, data) => file.write_all_at(&data[..torn.unwrap_or(data.len()).min(data.len())], *offset)?,
            trial::Step::Length(length) => file.set_len(*length)?,
            trial::Step::Sync => {}
        }
    }
    let (mark, _) = Mark::open(&path.with_extension("mark"), "x").map_err(std::io::Error::from)?;
    mark.write(Acknowledged { id: story.id, serial })?;
    Ok(())
}

fn holds_acknowledged(story: &Story, there: &[Vec<u8>], serial: u64) -> Result<(), String> {
    let number = |payload: &Vec<u8>| u64::from_le_bytes(payload[..8].try_into().unwrap());
    for payload in there {
        if numbered(number(payload)).payload != *payload {
            return Err("a payload is not what was appended".into());
        }
    }
    let numbers = there.iter().map(number).collect::<Vec<_>>();
    for (round, appended) in &story.appended {
        // The first five may be forgotten.
        let appended = appended.iter().filter(|n| **n >= 5).collect::<Vec<_>>();
        let held = appended.iter().filter(|n| numbers.contains(n)).count();
        if held != appended.len() && (*round <= serial || held != 0) {
            return Err(format!("{held} of {} messages of transaction {round}, {serial} acknowledged", appended.len()));
        }
    }
    if !numbers.is_sorted() { Err("not in order".into()) } else { Ok(()) }
}

#[test]
fn killed_after_any_step_everything_acknowledged_is_there() -> Outcome {
    let folder = tempfile::tempdir()?;
    let story = story(&folder.path().join("story"))?;
    assert!(story.steps.len() > 200 && story.steps.iter().any(is_ahead));
    for killed in (0..=story.steps.len()).step_by(3) {
        let here = folder.path().join(format!("{killed}"));
        let serial = story.acknowledged.iter().rev().find(|(steps, _)| *steps <= killed).map_or(0, |(_, serial)| *serial);
        image(&story, &here, &(0..killed).map(|step| (step, None)).collect::<Vec<_>>(), serial)?;
        let inbox = Inbox::open(&here, "x").map_err(|error| format!("{killed}: {error}"))?;
        holds_acknowledged(&story, &payloads(&inbox)?, serial)?;
        append(&inbox, vec![message("apres")])?;
        std::fs::remove_dir_all(here)?;
    }
    Ok(())
}

/// Whether a step writes zeros ahead, of more than a page.
fn is_ahead(step: &trial::Step) -> bool {
    matches!(step, trial::Step::Write(_, data) if data.len() > 4096 && data.iter().all(|byte| *byte == 0))
}

#[test]
fn zeros_lie_ahead_and_are_free_space_after_a_crash() -> Outcome {
    let folder = tempfile::tempdir()?;
    let inbox = Inbox::open(&folder.path().join("before"), "x")?;
    let trial = &inbox.core.health.trial;
    trial.noting.store(true, Ordering::Release);
    let end = |ahead: bool| {
        let notes = trial.notes.lock().unwrap();
        let writes = notes.iter().filter(|step| is_ahead(step) == ahead);
        writes.map(|step| if let trial::Step::Write(offset, data) = step { offset + data.len() as u64 } else { 0 }).max()
    };
    let mut count = 0;
    while count < 40 || end(true) <= end(false) {
        assert!(count < 400, "{:?} {:?}", end(true), end(false));
        append(&inbox, vec![numbered(count)])?;
        count += 1;
    }

    // As a crash leaves it: it was not closed.
    let after = folder.path().join("after");
    std::fs::create_dir(&after)?;
    for file in std::fs::read_dir(folder.path().join("before"))? {
        let file = file?;
        std::fs::copy(file.path(), after.join(file.file_name()))?;
    }
    for number in count..count + 60 {
        append(&Inbox::open(&after, "x")?, vec![numbered(number)])?;
    }
    let expected = (0..count + 60).map(|number| numbered(number).payload).collect::<Vec<_>>();
    assert!(payloads(&Inbox::open(&after, "x")?)? == expected);
    Ok(())
}

#[test]
fn without_power_after_any_step_everything_acknowledged_is_there() -> Outcome {
    let folder = tempfile::tempdir()?;
    let story = story(&folder.path().join("story"))?;
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    for round in 0..80u64 {
        let cut = (rng.next_u64() % (story.steps.len() as u64 + 1)) as usize;
        let synced = story.steps[..cut].iter().rposition(|step| matches!(step, trial::Step::Sync)).map_or(0, |at| at + 1);
        // What no fsync followed is there, is not, or is torn at a sector. The
        // length of a file is there before what is written beyond it.
        let mut kept = (0..synced).map(|step| (step, None)).collect::<Vec<_>>();
        for step in synced..cut {
            match (&story.steps[step], rng.next_u64() % 3) {
                (trial::Step::Length(_), _) | (_, 0) => kept.push((step, None)),
                (trial::Step::Write(_, data), 1) => kept.push((step, Some((rng.next_u64() as usize % (data.len() + 1)) / 512 * 512))),
                _ => {}
            }
        }
        let serial = story.acknowledged.iter().rev().find(|(steps, _)| *steps <= cut).map_or(0, |(_, serial)| *serial);
        let here = folder.path().join(format!("{round}"));
        image(&story, &here, &kept, serial)?;
        let inbox = Inbox::open(&here, "x").map_err(|error| format!("{round} at {cut}: {error}"))?;
        holds_acknowledged(&story, &payloads(&inbox)?, serial)?;
        std::fs::remove_dir_all(here)?;
    }
    Ok(())
}

#[test]
fn damage_is_never_a_silent_loss() -> Outcome {
    let folder = tempfile::tempdir()?;
    let story = story(&folder.path().join("story"))?;
    let all = (0..story.steps.len()).map(|step| (step, None)).collect::<Vec<_>>();
    let serial = story.acknowledged.last().map_or(0, |(_, serial)| *serial);
    let killed = folder.path().join("killed");
    image(&story, &killed, &all, serial)?;
    let (killed, ended) = (std::fs::read(path_of(&killed, "x"))?, std::fs::read(path_of(&folder.path().join("story"), "x"))?);
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[9; 32]);
    let (mut refused, mut whole) = (0, 0);
    let here = folder.path().join("damaged");
    image(&story, &here, &[], serial)?;
    for round in 0..150 {
        let mut bytes = if round % 2 == 0 { killed.clone() } else { ended.clone() };
        let at = match round % 5 {
            0 => rng.next_u64() as usize % 512,
            _ => rng.next_u64() as usize % bytes.len(),
        };
        match round % 3 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << (rng.next_u64() % 8),
            _ => {
                let end = (at / 512 * 512 + 512).min(bytes.len());
                bytes[at / 512 * 512..end].fill((rng.next_u64() % 2) as u8 * 0xff);
            }
        }
        std::fs::write(path_of(&here, "x"), &bytes)?;
        match Inbox::open(&here, "x") {
            Ok(inbox) => {
                whole += 1;
                holds_acknowledged(&story, &payloads(&inbox)?, serial).map_err(|error| format!("round {round} at {at}: {error}"))?;
            }
            Err(error) => {
                refused += 1;
                let error = error.to_string();
                assert!(error.contains("restore it") && error.contains("mark"), "round {round} at {at}: {error}");
            }
        }
    }
    assert!(refused > 30 && whole > 30, "{refused} refused, {whole} whole");
    Ok(())
}

#[test]
fn an_inbox_that_is_gone_or_another_is_not_taken_for_an_empty_one() -> Outcome {
    let folder = tempfile::tempdir()?;
    let path = path_of(folder.path(), "x");
    append(&Inbox::open(folder.path(), "x")?, vec![message("a")])?;
    std::fs::rename(&path, folder.path().join("kept"))?;
    let said = error(Inbox::open(folder.path(), "x"));
    assert!(said.contains("put it back") && said.contains("mark"), "{said}");
    std::fs::write(&path, b"")?;
    assert!(error(Inbox::open(folder.path(), "x")).contains("damaged"));
    let other = tempfile::tempdir()?;
    drop(Inbox::open(other.path(), "x")?);
    std::fs::copy(path_of(other.path(), "x"), &path)?;
    assert!(error(Inbox::open(folder.path(), "x")).contains("not the one"));
    std::fs::rename(folder.path().join("kept"), &path)?;
    assert_eq!(Inbox::open(folder.path(), "x")?.waiting(), 1);
    Ok(())
}

#[test]
fn a_sealed_inbox_shows_nothing_and_gives_everything_back() -> Outcome {
    let folder = tempfile::tempdir()?;
    let seal = |byte| Some(Arc::new(Seal::new(&[byte; 32])));
    {
        let inbox = Inbox::sealed(folder.path(), "x", seal(1))?;
        inbox.append_with_state(vec![message("Mme Dupont"), message("M. Durand")], b"nowhere")?;
        inbox.append_with_state(vec![message("Mme Dupuis")], b"up to Dupuis")?;
        assert_eq!(inbox.rewrite(|message| message.payload != b"M. Durand")?, 1);
        assert_eq!(payloads(&inbox)?, [b"Mme Dupont".to_vec(), b"Mme Dupuis".to_vec()]);
    }
    for entry in std::fs::read_dir(folder.path())? {
        let bytes = std::fs::read(entry?.path())?;
        assert!(!bytes.windows(3).any(|w| w == b"Dup" || w == b"Dur"));
    }
    let inbox = Inbox::sealed(folder.path(), "x", seal(1))?;
    assert_eq!(inbox.state()?.as_deref(), Some(&b"up to Dupuis"[..]));
    assert_eq!(payloads(&inbox)?.len(), 2);
    drop(inbox);
    assert!(error(payloads(&Inbox::sealed(folder.path(), "x", seal(2))?)).contains("another key"));
    Ok(())
}
