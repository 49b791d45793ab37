//! How many messages a second are acknowledged durably over MLLP, beside what
//! the disk allows: the same payloads by the same number of writers, appended to
//! a plain file with one fsync for all that wait.
//!
//! `mllp_load [CONNECTIONS] [MESSAGES] [BYTES] [IDLE] [FOLDER]`; once with the messages left
//! in the inbox, once with a reader beside that makes epochs of them and forgets them as a
//! pipeline does. IDLE connections are open beside and say nothing. The senders are in
//! the same process and take their share of its processors.

// What it is for.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use memchr::memmem;
use sillage_connectors::inbox::{Inbox, Kind, Message};
use sillage_connectors::mllp::Mllp;
use sillage_connectors::{Opening, Position, Settings, Source, Start, Until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// From so many messages on the memory is shown on the way.
const SHOWN: usize = 100_000;

type Failure = Box<dyn Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| arguments.get(at).map_or(Ok(default), |text| text.parse());
    let load = Load { connections: number(0, 64)?, messages: number(1, 20_000)?, bytes: number(2, 2_000)?, idle: number(3, 0)? };
    let folder = tempfile::tempdir_in(arguments.get(4).map_or(Path::new("."), Path::new))?;
    println!("{} writers, {} messages of {} bytes, {} idle connections", load.connections, load.messages, load.bytes, load.idle);
    let floor = floor(load, &folder.path().join("floor"))?;
    floor.print("fsync group commit alone");
    let inbox = inbox(load, &folder.path().join("alone"))?;
    inbox.print("inbox alone");
    let before = resident();
    let mllp = over_mllp(load, &folder.path().join("mllp"), false)?;
    mllp.print("acknowledged over MLLP");
    let read = over_mllp(load, &folder.path().join("read"), true)?;
    read.print("… while they are read");
    let ratio = |measured: &Measured| measured.rate() / floor.rate();
    println!("ratio to the floor: inbox {:.2}, MLLP {:.2}, while read {:.2}", ratio(&inbox), ratio(&mllp), ratio(&read));
    println!("memory: {} MiB before MLLP, {} MiB after", before >> 20, resident() >> 20);
    Ok(())
}

#[derive(Clone, Copy)]
struct Load {
    connections: usize,
    messages: usize,
    bytes: usize,
    idle: usize,
}

struct Measured {
    elapsed: Duration,
    /// Seconds.
    latencies: Vec<f32>,
}

impl Measured {
    fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.elapsed.as_secs_f64()
    }

    fn print(&self, what: &str) {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable_by(f32::total_cmp);
        let at = |share: f64| sorted.get((sorted.len() as f64 * share) as usize).copied().unwrap_or_default() * 1e3;
        println!("{what:<26} {:>9.0} messages/s   p50 {:>7.2} ms   p99 {:>7.2} ms", self.rate(), at(0.5), at(0.99));
    }
}

fn message(number: usize, bytes: usize) -> Vec<u8> {
    let head = format!(
        "MSH|^~\\&|DPI|HOP|SILLAGE|HOP|20260112101500||MDM^T02^MDM_T02|C{number}|P|2.5\rEVN|T02|20260112101500\r\
         PID|1||P{number}^^^HOP^PI||INVENTE^Anne||19500101|F\rTXA|1|CR|TX|20260112101500||||||||DOC{number}||||||AU\r\
         OBX|1|TX|11490-0^Compte rendu^LN||"
    );
    let tail = "||||||F\r";
    let length = bytes.saturating_sub(head.len() + tail.len());
    let mut text = "Texte invente pour la mesure. ".repeat(length / 30 + 1);
    text.truncate(length);
    [head.as_bytes(), text.as_bytes(), tail.as_bytes()].concat()
}

fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// As many writers at a time as there are connections, each waiting for its message.
fn writers<W, F>(load: Load, write: W) -> Result<Measured, Failure>
where
    W: Fn(usize, Vec<u8>) -> F + Clone + 'static,
    F: Future<Output = Result<(), Failure>>,
{
    let local = tokio::task::LocalSet::new();
    let next = Arc::new(AtomicUsize::new(0));
    local.block_on(&runtime()?, async move {
        let begun = Instant::now();
        let tasks: Vec<_> = (0..load.connections)
            .map(|writer| {
                let (next, write) = (next.clone(), write.clone());
                tokio::task::spawn_local(async move {
                    let mut latencies = Vec::new();
                    loop {
                        let number = next.fetch_add(1, Ordering::Relaxed);
                        if number >= load.messages {
                            return Ok::<_, Failure>(latencies);
                        }
                        // Flat, whatever the number: what latencies take is 4 bytes a message.
                        if load.messages >= SHOWN && number % (load.messages / 10) == 0 {
                            println!("    {number} messages, {} MiB of memory", resident() >> 20);
                        }
                        let payload = message(number, load.bytes);
                        let begun = Instant::now();
                        write(writer, payload).await?;
                        latencies.push(begun.elapsed().as_secs_f32());
                    }
                })
            })
            .collect();
        let mut latencies = Vec::new();
        for task in tasks {
            latencies.extend(task.await??);
        }
        Ok(Measured { elapsed: begun.elapsed(), latencies })
    })
}

fn floor(load: Load, path: &Path) -> Result<Measured, Failure> {
    let mut file = OpenOptions::new().append(true).create_new(true).open(path)?;
    let (queue, queued) = mpsc::channel::<(Vec<u8>, oneshot::Sender<()>)>();
    let writer = thread::spawn(move || -> std::io::Result<()> {
        while let Ok(first) = queued.recv() {
            let batch: Vec<_> = std::iter::once(first).chain(queued.try_iter()).collect();
            file.write_all(&batch.iter().flat_map(|(payload, _)| payload).copied().collect::<Vec<_>>())?;
            file.sync_data()?;
            for (_, answer) in batch {
                let _ = answer.send(());
            }
        }
        Ok(())
    });
    let measured = writers(load, move |_, payload| {
        let queue = queue.clone();
        async move {
            let (answer, answered) = oneshot::channel();
            queue.send((payload, answer))?;
            Ok(answered.await?)
        }
    })?;
    writer.join().map_err(|_| "the writer panicked")??;
    fs::remove_file(path)?;
    Ok(measured)
}

fn inbox(load: Load, folder: &Path) -> Result<Measured, Failure> {
    let inbox = Inbox::open(folder, "alone")?;
    let stop = Arc::new(AtomicBool::new(false));
    let drain = {
        let (inbox, stop) = (inbox.clone(), stop.clone());
        thread::spawn(move || {
            let mut last = 0;
            while !stop.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(200));
                let Ok(messages) = inbox.read(last, 2_000, 64 << 20) else { return };
                last = messages.last().map_or(last, |(sequence, _)| *sequence);
                if inbox.forget(last).is_err() {
                    return;
                }
            }
        })
    };
    let measured = writers(load, move |writer, payload| {
        let inbox = inbox.clone();
        async move {
            let message = Message { kind: Kind::Hl7v2, place: format!("connection {writer}"), received_at: 0, payload };
            Ok(inbox.append(vec![message]).await?)
        }
    });
    stop.store(true, Ordering::Relaxed);
    drain.join().map_err(|_| "the reader panicked")?;
    measured
}

fn over_mllp(load: Load, folder: &Path, reading: bool) -> Result<Measured, Failure> {
    let settings = Settings::default();
    let mut source = Mllp::open(&Opening { uri: "mllp://127.0.0.1:0", timezone: Tz::Europe__Paris, settings: &settings })?;
    source.start(&Start { spool: folder, once: false, seal: None })?;
    let address = source.address().ok_or("not listening")?;
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    // A pipeline does much more with an epoch.
    let drain = thread::spawn(move || -> Result<usize, Failure> {
        let mut position = Position::default();
        let mut documents = 0;
        while !reading && !stopped.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(10));
        }
        loop {
            match source.read(&position, Until::Limits { max_documents: 2_000, max_bytes: 64 << 20 })? {
                Some(epoch) => {
                    documents += epoch.documents.num_rows();
                    position = epoch.position;
                    source.committed(&position)?;
                }
                None if stopped.load(Ordering::Relaxed) => return Ok(documents),
                None => thread::sleep(source.patience().unwrap_or_default()),
            }
        }
    });
    let idle = (0..load.idle).map(|_| std::net::TcpStream::connect(address)).collect::<Result<Vec<_>, _>>()?;
    let measured = clients(load, address);
    drop(idle);
    stop.store(true, Ordering::Relaxed);
    let documents = drain.join().map_err(|_| "the reader panicked")??;
    if documents != load.messages {
        return Err(format!("{documents} documents of {} messages", load.messages).into());
    }
    let files: Vec<PathBuf> = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let length: u64 = files.iter().filter_map(|path| fs::metadata(path).ok()).map(|file| file.len()).sum();
    println!("inbox file after: {} MiB", length >> 20);
    measured
}

fn clients(load: Load, address: SocketAddr) -> Result<Measured, Failure> {
    type Slots = Vec<tokio::sync::Mutex<Option<TcpStream>>>;
    let slots: Arc<Slots> = Arc::new((0..load.connections).map(|_| tokio::sync::Mutex::new(None)).collect());
    writers(load, move |writer, payload| {
        let slots = slots.clone();
        async move {
            let mut slot = slots[writer].lock().await;
            let stream = match slot.as_mut() {
                Some(stream) => stream,
                None => {
                    let stream = TcpStream::connect(address).await?;
                    stream.set_nodelay(true)?;
                    slot.insert(stream)
                }
            };
            stream.write_all(&[b"\x0b", payload.as_slice(), b"\x1c\r"].concat()).await?;
            let mut answer = Vec::with_capacity(512);
            while !answer.ends_with(b"\x1c\r") {
                if stream.read_buf(&mut answer).await? == 0 {
                    return Err("closed".into());
                }
            }
            if memmem::find(&answer, b"MSA|AA|").is_some() { Ok(()) } else { Err("not accepted".into()) }
        }
    })
}

/// Bytes of memory of this process, 0 where the system does not tell.
fn resident() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<usize>().unwrap_or_default() << 10
}
