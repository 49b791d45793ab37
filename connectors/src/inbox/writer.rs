//! Who writes to an inbox: one at a time.
//!
//! While it commits, what arrives waits; the next transaction takes all of that.
//! So the number of fsyncs falls as the load rises. Senders that have just been
//! answered send again at once; a transaction begun without them would make each
//! of them wait for two. So the writer waits for as many as it has just answered,
//! at most for a quarter of the time that took.
//!
//! A task that appends while nobody writes leads: it writes a small group itself,
//! on its own thread, because to wake another one and to be woken by it takes as
//! long as the work. All else is for the inbox's thread, beside which the
//! transport goes on reading.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::yield_now;

use super::store::{Change, Core, Failure};
use super::{Message, lock};

/// A transaction is full with the append that reaches one of these.
const MAX_BYTES: usize = 8 << 20;
const MAX_MESSAGES: usize = 4096;
/// More than that is not written by a task.
const LED_APPENDS: usize = 8;
const LED_BYTES: usize = 256 << 10;
/// What is forgotten along with one transaction, so that appends never wait long.
const FORGOTTEN_AT_ONCE: u64 = 1024;
/// No transaction is held back longer than that.
const HELD_BACK: Duration = Duration::from_millis(5);

/// Who waits for what became of a job.
pub(super) enum Answer {
    /// A task, on that runtime where it has one.
    Task(oneshot::Sender<Result<(), Failure>>, Option<Handle>),
    Thread(SyncSender<Result<(), Failure>>),
}

pub(super) enum Job {
    Append(Append),
    Forget { up_to: u64, answer: Answer },
}

pub(super) struct Append {
    pub messages: Vec<Message>,
    pub state: Option<Vec<u8>>,
    pub answer: Answer,
}

impl Append {
    fn bytes(&self) -> usize {
        self.messages.iter().map(|message| message.payload.len()).sum()
    }
}

/// The thread; dropping this ends it when everything queued is done.
pub(super) struct Writer {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    core: Arc<Core>,
    queue: Mutex<Queue>,
    /// Tells the thread that there is something for it.
    work: Condvar,
}

struct Queue {
    appends: VecDeque<Append>,
    forgets: Vec<(u64, Answer)>,
    /// Somebody writes, or is about to.
    led: bool,
    /// The thread does, and holds a transaction back.
    held: bool,
    /// Nothing comes any more.
    closed: bool,
    /// How many were answered last, and until when as many are waited for.
    answered: usize,
    until: Instant,
    /// How many were answered before those.
    before: usize,
}

impl Queue {
    /// Whether so few send that one of them may write for all.
    fn is_small(&self) -> bool {
        let bytes = || self.appends.iter().map(Append::bytes).sum::<usize>();
        self.appends.len().max(self.answered).max(self.before) <= LED_APPENDS && self.forgets.is_empty() && bytes() <= LED_BYTES
    }

    /// Whether those who were just answered have sent again, or had their time.
    fn is_complete(&self) -> bool {
        self.appends.len() >= self.answered || Instant::now() >= self.until
    }

    /// What the next transaction appends.
    fn take(&mut self) -> Vec<Append> {
        let (mut count, mut messages, mut bytes) = (0, 0, 0);
        for append in &self.appends {
            if messages >= MAX_MESSAGES || bytes >= MAX_BYTES {
                break;
            }
            count += 1;
            messages += append.messages.len();
            bytes += append.bytes();
        }
        self.appends.drain(..count).collect()
    }
}

impl Writer {
    pub fn spawn(core: Arc<Core>) -> io::Result<Writer> {
        let queue = Queue {
            appends: VecDeque::new(),
            forgets: Vec::new(),
            led: false,
            held: false,
            closed: false,
            answered: 0,
            until: Instant::now(),
            before: 0,
        };
        let shared = Arc::new(Shared { core, queue: Mutex::new(queue), work: Condvar::new() });
        let writing = shared.clone();
        let thread = thread::Builder::new().name("inbox".to_owned()).spawn(move || {
            let _ended = Ended(&writing);
            writing.run();
        })?;
        Ok(Writer { shared, thread: Some(thread) })
    }

    /// Queues a job for the thread. Its answer is dropped, which whoever waits notices, where the thread has ended.
    pub fn send(&self, job: Job) {
        let mut queue = lock(&self.shared.queue);
        if queue.closed {
            return;
        }
        match job {
            Job::Append(append) => queue.appends.push_back(append),
            Job::Forget { up_to, answer } => queue.forgets.push((up_to, answer)),
        }
        self.shared.work.notify_one();
    }

    /// Queues what a task appends, and writes it where nobody else does.
    pub async fn append(&self, append: Append) {
        let shared = &*self.shared;
        {
            let mut queue = lock(&shared.queue);
            if queue.closed {
                return;
            }
            queue.appends.push_back(append);
            if queue.led || !queue.is_small() {
                if !queue.led || queue.held && queue.is_complete() {
                    shared.work.notify_one();
                }
                return;
            }
            queue.led = true;
        }
        // Hands over to the thread where this task ends before it has written.
        let lead = Lead(shared);
        loop {
            // The others of this runtime that have something to append do so now.
            yield_now().await;
            let mut queue = lock(&shared.queue);
            if !queue.is_small() || !shared.core.is_usable() {
                return;
            }
            if queue.is_complete() {
                let appends = queue.take();
                drop(queue);
                shared.write(appends, &mut Vec::new(), true);
                return std::mem::forget(lead);
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.queue).closed = true;
        self.shared.work.notify_one();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A task that leads and has not written; the thread does where this is dropped.
struct Lead<'s>(&'s Shared);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        lock(&self.0.queue).led = false;
        self.0.work.notify_one();
    }
}

/// The end of the thread, however it came: nobody is left waiting.
struct Ended<'s>(&'s Shared);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        let mut queue = lock(&self.0.queue);
        queue.closed = true;
        queue.appends.clear();
        queue.forgets.clear();
    }
}

impl Shared {
    fn run(&self) {
        let mut forgets: Vec<(u64, Answer)> = Vec::new();
        loop {
            let mut queue = lock(&self.queue);
            while queue.led || queue.appends.is_empty() && queue.forgets.is_empty() && forgets.is_empty() {
                if queue.closed {
                    return;
                }
                queue = self.wait(queue, None);
            }
            (queue.led, queue.held) = (true, true);
            while !queue.appends.is_empty() && !queue.closed && !queue.is_complete() {
                let left = queue.until.saturating_duration_since(Instant::now());
                queue = self.wait(queue, Some(left));
            }
            queue.held = false;
            forgets.append(&mut queue.forgets);
            let appends = queue.take();
            drop(queue);
            self.write(appends, &mut forgets, false);
        }
    }

    fn wait<'q>(&self, queue: MutexGuard<'q, Queue>, at_most: Option<Duration>) -> MutexGuard<'q, Queue> {
        match at_most {
            Some(time) => self.work.wait_timeout(queue, time).unwrap_or_else(PoisonError::into_inner).0,
            None => self.work.wait(queue).unwrap_or_else(PoisonError::into_inner),
        }
    }

    /// One transaction, by who leads; `here` on the thread of those who wait.
    fn write(&self, appends: Vec<Append>, forgets: &mut Vec<(u64, Answer)>, here: bool) {
        let begun = Instant::now();
        let answered = appends.len();
        commit(&self.core, appends, forgets, here);
        let mut queue = lock(&self.queue);
        queue.before = std::mem::replace(&mut queue.answered, answered);
        queue.until = Instant::now() + (begun.elapsed() / 4).min(HELD_BACK);
        queue.led = false;
        if here && !(queue.appends.is_empty() && queue.forgets.is_empty()) {
            self.work.notify_one();
        }
    }
}

fn commit(core: &Core, appends: Vec<Append>, forgets: &mut Vec<(u64, Answer)>, here: bool) {
    let change = Change {
        messages: appends.iter().flat_map(|append| &append.messages).collect(),
        // One poller writes states, one after the other: the last one is the newest.
        state: appends.iter().rev().find_map(|append| append.state.as_deref()),
        forget: forgets.iter().map(|(up_to, _)| *up_to).max(),
        at_once: FORGOTTEN_AT_ONCE,
    };
    let outcome = core.commit(&change);
    let forgotten = !forgets.is_empty() && !matches!(outcome, Ok(true));
    let told = outcome.map(|_| ());
    answer(appends.into_iter().map(|append| append.answer), &told, here);
    if forgotten {
        answer(forgets.drain(..).map(|(_, answer)| answer), &told, here);
        if let Err(Failure(error)) = core.compact() {
            tracing::warn!(inbox = %core.path().display(), error, "inbox not made smaller");
        }
    }
}

/// Tells all that wait. To wake a task from another thread costs a call of the system, so that one
/// task of theirs is woken that wakes the others, unless this is their thread.
fn answer(answers: impl Iterator<Item = Answer>, outcome: &Result<(), Failure>, here: bool) {
    let (mut tasks, mut runtime) = (Vec::new(), None);
    for answer in answers {
        // Nobody waits where the connection has gone.
        match answer {
            Answer::Task(task, handle) => {
                tasks.push(task);
                runtime = runtime.or(handle);
            }
            Answer::Thread(thread) => drop(thread.send(outcome.clone())),
        }
    }
    let outcome = outcome.clone();
    let tell = move || tasks.into_iter().for_each(|task| drop(task.send(outcome.clone())));
    match runtime.filter(|_| !here) {
        Some(runtime) => drop(runtime.spawn(async move { tell() })),
        None => tell(),
    }
}
