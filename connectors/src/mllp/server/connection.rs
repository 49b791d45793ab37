//! One connection: frames in, answers out in the same order.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering;
use std::task::{Poll, ready};
use std::time::Duration;

use chrono::Utc;
use memchr::{memchr_iter, memmem};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, timeout, timeout_at};

use super::super::framer::{Frame, Framer};
use super::{ON_THEIR_WAY, Server};
use crate::formats::hl7v2::{self, Asks, Defect, Outcome};
use crate::inbox::{Kind, Message};

const BUFFER: usize = 64 << 10;
/// What is looked at of a message to answer it; MSH and EVN come first.
const HEADER: usize = 4096;
/// What is kept of it, to answer it otherwise.
const SEGMENTS: usize = 3;
/// After that an `0x1C` that nothing follows is the end of a message.
const SETTLED: Duration = Duration::from_millis(250);
/// For a peer to take the last answer in before the connection is cut.
const LINGER: Duration = Duration::from_secs(2);

thread_local! {
    /// What is read goes through it; nothing stays.
    static SCRATCH: RefCell<Box<[u8]>> = RefCell::new(vec![0; BUFFER].into());
}

pub(super) struct Connection<'s, S> {
    server: &'s Server,
    stream: S,
    number: u64,
    /// Messages come so far.
    messages: u64,
    framer: Framer,
    /// What of the server's count of bytes on their way is ours.
    held: usize,
}

/// What a message is answered.
struct Answer {
    /// Nothing where it could not be read.
    asks: Option<Asks>,
    outcome: Outcome,
    /// To answer it otherwise.
    header: Vec<u8>,
    /// Nothing where the sender asked for none.
    bytes: Option<Vec<u8>>,
}

impl Answer {
    fn new(server: &Server, asks: Option<Asks>, outcome: Outcome, message: &[u8]) -> Answer {
        let asked = asks.is_none_or(|asks| asks.answers(outcome));
        let bytes = asked.then(|| {
            let number = server.answers.fetch_add(1, Ordering::Relaxed);
            hl7v2::acknowledgement(&message[..message.len().min(HEADER)], outcome, &Utc::now(), &format!("{}-{number}", server.run))
        });
        Answer { asks, outcome, header: beginning(message).to_vec(), bytes }
    }
}

/// Why a connection ends.
enum End {
    /// The peer has closed it, or is gone.
    Closed,
    /// We close it; the peer shall see what was answered.
    Ours,
}

impl<'s, S: AsyncRead + AsyncWrite + Unpin> Connection<'s, S> {
    pub fn new(server: &'s Server, stream: S, number: u64) -> Self {
        Connection { server, stream, number, messages: 0, framer: Framer::new(server.limits.message_bytes), held: 0 }
    }

    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut stopped = pin!(stopped(&mut stop));
        let end = loop {
            let frames = tokio::select! {
                biased;
                // Between messages, or in one that nobody has been told of.
                () = &mut stopped => break End::Ours,
                frames = self.receive() => frames,
            };
            let outcome = match frames {
                Ok(frames) => self.answer(frames).await,
                Err(end) => Err(end),
            };
            if let Err(end) = outcome {
                break end;
            }
        };
        if let End::Ours = end {
            self.linger().await;
        }
    }

    /// The next frames, at least one.
    async fn receive(&mut self) -> Result<Vec<Frame>, End> {
        let limits = &self.server.limits;
        let mut frames = Vec::new();
        let mut begun: Option<Instant> = None;
        while frames.is_empty() {
            // Not reading is what makes the sender wait.
            let asked = Instant::now();
            self.server.inbox.room(limits.waiting_messages, limits.waiting_bytes).await;
            let now = Instant::now();
            begun = begun.map(|begun| begun + (now - asked));
            if self.framer.is_inside() {
                begun.get_or_insert(now);
            }
            let deadline = match (begun, limits.idle) {
                (Some(_), _) if self.framer.is_ending() => Some(now + SETTLED),
                (Some(begun), _) => Some(begun + limits.frame),
                (None, idle) => idle.map(|idle| now + idle),
            };
            let outcome = match deadline {
                Some(deadline) => timeout_at(deadline, self.read(&mut frames)).await,
                None => Ok(self.read(&mut frames).await),
            };
            match outcome {
                Ok(Ok(0)) => {
                    self.framer.settle(&mut frames);
                    if frames.is_empty() {
                        if self.framer.is_inside() {
                            self.server.meter.refused("unfinished");
                        }
                        return Err(End::Closed);
                    }
                }
                Ok(Ok(_)) => {}
                Ok(Err(_)) => return Err(End::Closed),
                Err(_) if self.framer.is_ending() => self.framer.settle(&mut frames),
                Err(_) => {
                    let reason = if begun.is_some() { "frame_timeout" } else { "idle_timeout" };
                    self.server.meter.refused(reason);
                    tracing::info!(source = self.server.source, connection = self.number, reason, "connection closed");
                    return Err(End::Ours);
                }
            }
            self.account(&frames)?;
        }
        Ok(frames)
    }

    /// Reads once; the number of bytes, none at the end.
    async fn read(&mut self, frames: &mut Vec<Frame>) -> io::Result<usize> {
        let Connection { stream, framer, .. } = self;
        poll_fn(|context| {
            SCRATCH.with_borrow_mut(|scratch| {
                let mut buffer = ReadBuf::new(scratch);
                ready!(Pin::new(&mut *stream).poll_read(context, &mut buffer))?;
                framer.push(buffer.filled(), frames);
                Poll::Ready(Ok(buffer.filled().len()))
            })
        })
        .await
    }

    /// Tells the server of what is on its way here; ends the connection where that is too much for it.
    fn account(&mut self, frames: &[Frame]) -> Result<(), End> {
        let held = self.framer.held();
        let sum = &self.server.on_their_way;
        let before = if held >= self.held {
            sum.fetch_add(held - self.held, Ordering::Relaxed) + held - self.held
        } else {
            sum.fetch_sub(self.held - held, Ordering::Relaxed) - (self.held - held)
        };
        self.held = held;
        let skipped = std::mem::take(&mut self.framer.skipped);
        if skipped > 0 {
            self.server.meter.skipped(skipped);
        }
        for _ in 0..std::mem::take(&mut self.framer.abandoned) {
            self.server.meter.refused("unfinished");
        }
        if before > ON_THEIR_WAY.max(2 * self.server.limits.message_bytes) && self.framer.is_inside() && frames.is_empty() {
            self.server.meter.refused("memory");
            tracing::warn!(source = self.server.source, connection = self.number, "too much at a time on all connections; one closed");
            return Err(End::Ours);
        }
        Ok(())
    }

    /// Stores messages and answers each. The answers are made while the disk has not said yes:
    /// nothing but sending them is left then.
    async fn answer(&mut self, frames: Vec<Frame>) -> Result<(), End> {
        let server = self.server;
        let come = Instant::now();
        let mut answers = Vec::with_capacity(frames.len());
        let mut messages = Vec::with_capacity(frames.len());
        let mut broken = false;
        for frame in frames {
            self.messages += 1;
            server.meter.received.increment(1);
            let place = format!("connection {}-{} message {}", server.run, self.number, self.messages);
            let (kind, payload) = match frame {
                Frame::Whole(payload) => (Kind::Hl7v2, payload),
                Frame::TooLarge(beginning) => (Kind::TooLarge, beginning),
            };
            broken |= kind == Kind::TooLarge;
            let seen = hl7v2::inspect(&payload);
            let outcome = match &seen {
                _ if kind == Kind::TooLarge => Outcome::Refused(Defect::TooLarge),
                Ok(_) => Outcome::Accepted,
                Err(defect) => Outcome::Refused(*defect),
            };
            answers.push(Answer::new(server, seen.ok().map(|envelope| envelope.asks), outcome, &payload));
            messages.push(Message { kind, place, received_at: Utc::now().timestamp_micros(), payload });
        }
        if let Err(error) = server.inbox.append(messages).await {
            tracing::error!(source = server.source, %error, "messages not stored");
            // Also what is refused is sent again then, so that it becomes a dead letter.
            for answer in &mut answers {
                *answer = Answer::new(server, answer.asks, Outcome::Refused(Defect::NotStored), &answer.header);
            }
        }
        let mut bytes = Vec::new();
        for answer in &answers {
            server.meter.seconds.record(come.elapsed().as_secs_f64());
            if let Outcome::Refused(defect) = answer.outcome {
                server.meter.refused(if defect == Defect::NotStored { "not_stored" } else { "message" });
            }
            if let Some(answer) = &answer.bytes {
                server.meter.acknowledged(answer);
                bytes.push(0x0b);
                bytes.extend(answer);
                bytes.extend([0x1c, b'\r']);
            }
        }
        if !bytes.is_empty() {
            let sent = timeout(server.limits.frame, async {
                self.stream.write_all(&bytes).await?;
                self.stream.flush().await
            });
            if !matches!(sent.await, Ok(Ok(()))) {
                return Err(End::Closed);
            }
        }
        if broken { Err(End::Ours) } else { Ok(()) }
    }

    /// Says that nothing more comes and waits a little for the peer to do so too:
    /// closing while bytes are unread would cut off the last answer.
    async fn linger(&mut self) {
        let _ = timeout(LINGER, async {
            if self.stream.shutdown().await.is_ok() {
                let mut ignored = Vec::new();
                self.framer = Framer::new(0);
                while matches!(self.read(&mut ignored).await, Ok(1..)) {
                    ignored.clear();
                }
            }
        })
        .await;
    }
}

impl<S> Drop for Connection<'_, S> {
    fn drop(&mut self) {
        self.server.on_their_way.fetch_sub(self.held, Ordering::Relaxed);
    }
}

/// The first segments of a message, no more than a header.
fn beginning(message: &[u8]) -> &[u8] {
    let message = &message[..message.len().min(HEADER)];
    let begin = memmem::find(message, b"MSH").unwrap_or_default();
    memchr_iter(b'\r', &message[begin..]).nth(SEGMENTS - 1).map_or(message, |end| &message[..begin + end])
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // Also where whoever could say so is gone.
    let _ = stop.wait_for(|stop| *stop).await;
}
