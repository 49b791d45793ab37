//! The one thread that writes to an inbox.
//!
//! While it commits, what arrives waits; the next transaction takes all of that.
//! So the number of fsyncs falls as the load rises. Senders that have just been
//! answered send again at once; a transaction begun without them would make each
//! of them wait for two. So the writer waits for as many as it has just answered,
//! at most for a quarter of the time that took.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::Message;
use super::store::{Change, Core, Failure};

/// A transaction is full with the append that reaches one of these.
const MAX_BYTES: usize = 8 << 20;
const MAX_MESSAGES: usize = 4096;
/// What is forgotten along with one transaction, so that appends never wait long.
const FORGOTTEN_AT_ONCE: u64 = 1024;

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

/// The thread; dropping this ends it when everything queued is done.
pub(super) struct Writer {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub fn spawn(core: Arc<Core>) -> io::Result<Writer> {
        let (jobs, queue) = mpsc::channel();
        let thread = thread::Builder::new().name("inbox".to_owned()).spawn(move || run(&core, &queue))?;
        Ok(Writer { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Queues a job. Its answer is dropped, which whoever waits notices, where the thread has ended.
    pub fn send(&self, job: Job) {
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// No transaction is held back longer than that.
const HELD_BACK: Duration = Duration::from_millis(5);

fn run(core: &Core, queue: &Receiver<Job>) {
    let mut forgets: Vec<(u64, Answer)> = Vec::new();
    // How many were answered last, and how long the next ones may be waited for.
    let (mut answered, mut until) = (0, Instant::now());
    loop {
        let mut next = if forgets.is_empty() {
            match queue.recv() {
                Ok(job) => Some(job),
                Err(_) => return,
            }
        } else {
            queue.try_recv().ok()
        };
        let mut appends = Vec::new();
        let (mut messages, mut bytes) = (0, 0);
        while let Some(job) = next {
            match job {
                Job::Append(append) => {
                    messages += append.messages.len();
                    bytes += append.messages.iter().map(|message| message.payload.len()).sum::<usize>();
                    appends.push(append);
                }
                Job::Forget { up_to, answer } => forgets.push((up_to, answer)),
            }
            next = if messages >= MAX_MESSAGES || bytes >= MAX_BYTES {
                None
            } else if appends.is_empty() || appends.len() >= answered {
                queue.try_recv().ok()
            } else {
                queue.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
            };
        }
        let begun = Instant::now();
        answered = appends.len();
        commit(core, appends, &mut forgets);
        until = Instant::now() + (begun.elapsed() / 4).min(HELD_BACK);
    }
}

fn commit(core: &Core, appends: Vec<Append>, forgets: &mut Vec<(u64, Answer)>) {
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
    answer(appends.into_iter().map(|append| append.answer), &told);
    if forgotten {
        answer(forgets.drain(..).map(|(_, answer)| answer), &told);
        if let Err(Failure(error)) = core.compact() {
            tracing::warn!(inbox = %core.path().display(), error, "inbox not made smaller");
        }
    }
}

/// Tells all that wait. To wake a task from another thread costs a call of the system, so that one
/// task of theirs is woken that wakes the others.
fn answer(answers: impl Iterator<Item = Answer>, outcome: &Result<(), Failure>) {
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
    match runtime {
        Some(runtime) => drop(runtime.spawn(async move { tell() })),
        None => tell(),
    }
}
