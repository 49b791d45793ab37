//! A sender of HL7 v2 messages over MLLP, as interface engines are: it waits for
//! the answer, sends again what was not answered or not accepted, and comes back
//! after every outage.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Error, Pace, Progress};
use crate::day::Day;
use crate::day::delivery::Delivery;
use crate::hospital::random::Random;

const START: u8 = 0x0B;
const END: [u8; 2] = [0x1C, 0x0D];
const CONNECT: Duration = Duration::from_secs(2);
/// The pauses between two tries to connect.
const PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(500));
/// How often a message is sent that is answered with AE before it is put aside.
const TRIES: u32 = 20;

/// How to send.
#[derive(Debug, Clone)]
pub struct Options {
    /// `host:port`.
    pub address: String,
    pub connections: usize,
    /// Messages on their way on one connection before an answer is waited for.
    pub window: usize,
    /// Times as fast as it happened; 0: without waiting.
    pub speed: f64,
    /// Before so many of a hundred messages the connection breaks in the middle of a frame.
    pub cuts: u32,
    /// An answer that takes longer does not come any more.
    pub answer_timeout: Duration,
    /// Without any answer for that long the sender gives up.
    pub patience: Duration,
}

impl Options {
    pub fn new(address: impl Into<String>) -> Options {
        Options {
            address: address.into(),
            connections: 1,
            window: 1,
            speed: 0.0,
            cuts: 0,
            answer_timeout: Duration::from_secs(10),
            patience: Duration::from_secs(120),
        }
    }
}

/// A message to send: its control id and how to make it.
pub struct Outgoing {
    pub id: String,
    pub bytes: Vec<u8>,
}

/// Plays deliveries of a day until each is acknowledged or refused.
///
/// Errors: the address is none, or nothing answers for too long.
pub fn play(day: &Day, deliveries: &[Delivery], options: &Options, progress: &Progress) -> Result<(), Error> {
    let pace = Pace::begin(options.speed);
    let due = |index: usize| deliveries.get(index).map(|delivery| pace.wait(delivery.after));
    let make = |index: usize| {
        let event = deliveries.get(index).map_or(0, |delivery| delivery.event);
        Outgoing { id: day.control_id(event), bytes: day.message(event) }
    };
    send(&due, &make, options, progress)
}

/// Sends messages, numbered from 0: `due` says how long to wait for one, `None`
/// after the last.
///
/// Errors: see [`play`].
pub fn send(
    due: &(dyn Fn(usize) -> Option<Duration> + Sync),
    make: &(dyn Fn(usize) -> Outgoing + Sync),
    options: &Options,
    progress: &Progress,
) -> Result<(), Error> {
    let address = || options.address.clone();
    let mut addresses = options.address.to_socket_addrs().map_err(|source| Error::Address { address: address(), source })?;
    let target = addresses.next().ok_or(Error::Url { address: address() })?;
    let queue = AtomicUsize::new(0);
    let heard = Mutex::new(Instant::now());
    let outcome = std::thread::scope(|scope| {
        let lines: Vec<_> = (0..options.connections.max(1))
            .map(|number| {
                let (queue, heard) = (&queue, &heard);
                let random = Random::new(0xCA7, number as u64);
                scope.spawn(move || Line { target, due, make, options, progress, queue, heard, random, waiting: VecDeque::new() }.run())
            })
            .collect();
        // A line that panicked has answered for nothing.
        lines.into_iter().all(|line| line.join().unwrap_or(false))
    });
    if outcome { Ok(()) } else { Err(Error::Silence { address: address(), seconds: options.patience.as_secs() }) }
}

/// One connection after the other to one receiver.
struct Line<'s> {
    target: SocketAddr,
    due: &'s (dyn Fn(usize) -> Option<Duration> + Sync),
    make: &'s (dyn Fn(usize) -> Outgoing + Sync),
    options: &'s Options,
    progress: &'s Progress,
    /// The next message of all lines.
    queue: &'s AtomicUsize,
    /// When something was last answered, on any line.
    heard: &'s Mutex<Instant>,
    random: Random,
    /// Sent or to be sent, and not answered.
    waiting: VecDeque<(Outgoing, u32)>,
}

/// What an answer says of a message.
enum Answer {
    Accepted,
    /// To be sent again.
    Error,
    Refused,
}

impl Line<'_> {
    /// `false`: nothing answers.
    fn run(&mut self) -> bool {
        let mut pause = PAUSES.0;
        loop {
            if self.waiting.is_empty() && !self.next() {
                return true;
            }
            let before = self.progress.acknowledged.load(Ordering::Relaxed);
            match self.connection() {
                Ok(true) => return true,
                Ok(false) => {}
                Err(_) => Progress::count(&self.progress.failures),
            }
            if self.progress.acknowledged.load(Ordering::Relaxed) > before {
                pause = PAUSES.0;
            }
            if self.heard.lock().unwrap_or_else(PoisonError::into_inner).elapsed() > self.options.patience {
                return false;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    /// Takes the next message, when it is due; `false` after the last.
    fn next(&mut self) -> bool {
        let index = self.queue.fetch_add(1, Ordering::Relaxed);
        let Some(wait) = (self.due)(index) else { return false };
        if !wait.is_zero() {
            std::thread::sleep(wait);
            // Nobody is silent while nothing is to be said.
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        }
        self.waiting.push_back(((self.make)(index), 0));
        true
    }

    /// Until everything is sent (`true`), or the connection is cut on purpose.
    fn connection(&mut self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect_timeout(&self.target, CONNECT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.options.answer_timeout))?;
        stream.set_write_timeout(Some(self.options.answer_timeout))?;
        let mut buffer = Vec::new();
        let mut unsent = 0;
        loop {
            while self.waiting.len() < self.options.window.max(1) && self.next() {}
            if self.waiting.is_empty() {
                return Ok(true);
            }
            while let Some((message, _)) = self.waiting.get(unsent) {
                let frame = [&[START][..], &message.bytes, &END].concat();
                if self.random.chance(self.options.cuts) {
                    stream.write_all(&frame[..1 + self.random.below(frame.len() - 1)])?;
                    return Ok(false);
                }
                stream.write_all(&frame)?;
                Progress::count(&self.progress.sent);
                unsent += 1;
            }
            let answer = receive(&mut stream, &mut buffer)?;
            *self.heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
            let Some((kind, id)) = acknowledgement(&answer) else { continue };
            let Some(place) = self.waiting.iter().position(|(message, _)| message.id == id) else { continue };
            let tries = self.waiting[place].1;
            match kind {
                Answer::Error if tries < TRIES => {
                    self.waiting[place].1 += 1;
                    Progress::count(&self.progress.failures);
                    // In its place, after a while, with all that follow.
                    std::thread::sleep(PAUSES.1);
                    return Ok(false);
                }
                Answer::Accepted => Progress::count(&self.progress.acknowledged),
                Answer::Error | Answer::Refused => Progress::count(&self.progress.refused),
            }
            self.waiting.remove(place);
            unsent -= 1;
        }
    }
}

/// The next frame.
fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> std::io::Result<Vec<u8>> {
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = buffer.windows(2).position(|pair| pair == END) {
            let frame: Vec<u8> = buffer.drain(..end + 2).collect();
            let start = frame.iter().position(|byte| *byte == START).map_or(0, |at| at + 1);
            return Ok(frame[start..end].to_vec());
        }
        match stream.read(&mut chunk)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => buffer.extend_from_slice(&chunk[..count]),
        }
    }
}

/// MSA-1 and MSA-2 of an answer.
fn acknowledgement(answer: &[u8]) -> Option<(Answer, String)> {
    let text = String::from_utf8_lossy(answer);
    let msa = text.split(['\r', '\n']).find(|segment| segment.starts_with("MSA|"))?;
    let mut fields = msa.split('|').skip(1);
    let kind = match fields.next()?.trim() {
        "AA" | "CA" => Answer::Accepted,
        "AE" | "CE" => Answer::Error,
        _ => Answer::Refused,
    };
    Some((kind, fields.next()?.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    /// A receiver that answers each message badly so many times, then well.
    fn receiver(listener: TcpListener, bad: usize, seen: &Mutex<Vec<String>>, done: &std::sync::atomic::AtomicBool) {
        listener.set_nonblocking(true).unwrap();
        while !done.load(Ordering::Relaxed) {
            let Ok((mut stream, _)) = listener.accept() else {
                std::thread::sleep(Duration::from_millis(2));
                continue;
            };
            stream.set_nonblocking(false).unwrap();
            let mut buffer = Vec::new();
            while let Ok(message) = receive(&mut stream, &mut buffer) {
                let text = String::from_utf8(message).unwrap();
                let mut seen = seen.lock().unwrap();
                seen.push(text.clone());
                let times = seen.iter().filter(|other| **other == text).count();
                let code = if times <= bad { "AE" } else { "AA" };
                let answer = format!("\x0BMSH|^~\\&|\rMSA|{code}|{text}\r\x1C\r");
                // The sender may have gone meanwhile.
                if stream.write_all(answer.as_bytes()).is_err() {
                    break;
                }
            }
        }
    }

    #[test]
    fn what_is_not_accepted_is_sent_again() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (seen, done) = (Mutex::default(), std::sync::atomic::AtomicBool::new(false));
        let progress = Progress::default();
        std::thread::scope(|scope| {
            scope.spawn(|| receiver(listener, 1, &seen, &done));
            let patience = Duration::from_secs(20);
            let options = Options { window: 3, cuts: 20, patience, ..Options::new(address) };
            let make = |index: usize| Outgoing { id: format!("m{index}"), bytes: format!("m{index}").into_bytes() };
            send(&|index| (index < 5).then_some(Duration::ZERO), &make, &options, &progress).unwrap();
            done.store(true, Ordering::Relaxed);
        });
        let report = progress.report();
        assert_eq!((report.acknowledged, report.refused), (5, 0));
        assert!(report.sent >= 10, "each of them twice at least: {report:?}");
    }

    #[test]
    fn nobody_there_is_an_error_after_a_while() {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let options = Options { patience: Duration::from_millis(100), ..Options::new(port.to_string()) };
        let make = |_| Outgoing { id: "m".into(), bytes: b"m".to_vec() };
        let outcome = send(&|index| (index < 1).then_some(Duration::ZERO), &make, &options, &Progress::default());
        assert!(matches!(outcome, Err(Error::Silence { .. })));
    }
}
