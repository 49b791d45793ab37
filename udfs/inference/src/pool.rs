//! A model's sessions on threads of their own, fed from one queue.
//!
//! Whoever needs a model tokenises on its own thread and hands windows in. A worker
//! takes the longest window that waits and fills a batch with those nearest in
//! length, whichever document or request they belong to: little is padded. It begins
//! when several batches wait, or when nobody is about to bring more. The queue is
//! bounded; who brings more than it holds waits.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use crate::error::Result;
use crate::session::{Network, Output, Place};

/// Batches' worth of tokens that a worker likes to choose from.
const CHOICE: usize = 16;
/// Windows that may wait.
const WAITING: usize = 8192;

/// A window of a text, special tokens included.
pub(crate) struct Job {
    pub ids: Vec<u32>,
    /// Those of them that count.
    pub owned: std::ops::Range<usize>,
    /// Where the answer goes.
    pub request: Arc<Request>,
    pub slot: usize,
}

/// What is made of a row of a batch.
pub(crate) trait Head: Send + Sync {
    type Answer: Send;

    /// Name of the output that is read.
    fn output(&self) -> &str;

    /// The answer to row `row` of `[rows, length, …]`.
    ///
    /// Errors: the shape is wrong, or what should be numbers is none.
    fn read(&self, output: &Output, row: usize, length: usize, job: &Job) -> Result<Self::Answer, String>;
}

type Slot = Option<std::result::Result<Answer, String>>;

/// What a head answers.
pub(crate) enum Answer {
    Labels(Vec<crate::label::Verdict>),
    Vector(Vec<f32>),
}

/// Answers that somebody waits for.
#[derive(Default)]
pub(crate) struct Request {
    state: Mutex<(Vec<Slot>, usize)>,
    done: Condvar,
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Request {
    /// A new place for an answer.
    fn slot(&self) -> usize {
        let mut state = locked(&self.state);
        state.0.push(None);
        state.1 += 1;
        state.0.len() - 1
    }

    fn answer(&self, slot: usize, answer: std::result::Result<Answer, String>) {
        let mut state = locked(&self.state);
        if state.0[slot].replace(answer).is_none() {
            state.1 -= 1;
        }
        if state.1 == 0 {
            self.done.notify_all();
        }
    }

    /// All answers, in the order of their places.
    pub fn wait(&self) -> Vec<std::result::Result<Answer, String>> {
        let mut state = locked(&self.state);
        while state.1 > 0 {
            state = self.done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.0.drain(..).map(|slot| slot.unwrap_or_else(|| Err("no answer came".to_owned()))).collect()
    }
}

#[derive(Default)]
struct Waiting {
    /// Ascending by length.
    jobs: std::collections::BTreeMap<usize, Vec<Job>>,
    count: usize,
    tokens: usize,
    /// Requests that will bring more.
    feeding: usize,
    closed: bool,
}

struct Queue {
    waiting: Mutex<Waiting>,
    /// Something can be taken.
    work: Condvar,
    /// Something can be brought.
    room: Condvar,
    batch_tokens: usize,
    /// Lengths are padded to a multiple of it.
    multiple: usize,
}

/// Somebody who brings windows; workers wait for more while it lives.
pub(crate) struct Feeder<'p> {
    queue: &'p Queue,
    pub request: Arc<Request>,
}

impl Feeder<'_> {
    /// Hands a window in.
    pub fn bring(&self, ids: Vec<u32>, owned: std::ops::Range<usize>) {
        let job = Job { ids, owned, request: self.request.clone(), slot: self.request.slot() };
        let mut waiting = locked(&self.queue.waiting);
        while waiting.count >= WAITING {
            self.queue.work.notify_all();
            waiting = self.queue.room.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.count += 1;
        waiting.tokens += job.ids.len();
        waiting.jobs.entry(job.ids.len()).or_default().push(job);
        if self.queue.ready(&waiting) {
            self.queue.work.notify_one();
        }
    }
}

impl Drop for Feeder<'_> {
    fn drop(&mut self) {
        locked(&self.queue.waiting).feeding -= 1;
        self.queue.work.notify_all();
    }
}

impl Queue {
    fn ready(&self, waiting: &Waiting) -> bool {
        waiting.count > 0 && (waiting.feeding == 0 || waiting.count >= WAITING || waiting.tokens >= self.batch_tokens * CHOICE)
    }

    fn padded(&self, length: usize) -> usize {
        length.next_multiple_of(self.multiple)
    }

    /// The next batch; `None` when the pool is closed.
    fn take(&self) -> Option<Vec<Job>> {
        let mut waiting = locked(&self.waiting);
        while !self.ready(&waiting) {
            if waiting.closed {
                return None;
            }
            waiting = self.work.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let longest = *waiting.jobs.last_key_value()?.0;
        let rows = (self.batch_tokens / self.padded(longest)).max(1);
        let mut batch = Vec::with_capacity(rows);
        while batch.len() < rows {
            let Some(mut entry) = waiting.jobs.last_entry() else { break };
            match entry.get_mut().pop() {
                Some(job) => batch.push(job),
                None => {
                    entry.remove();
                    continue;
                }
            }
            if entry.get().is_empty() {
                entry.remove();
            }
        }
        waiting.count -= batch.len();
        waiting.tokens -= batch.iter().map(|j| j.ids.len()).sum::<usize>();
        self.room.notify_all();
        if self.ready(&waiting) {
            self.work.notify_one();
        }
        Some(batch)
    }
}

/// The workers of a model.
pub(crate) struct Pool {
    queue: Arc<Queue>,
    workers: Vec<JoinHandle<()>>,
}

impl Pool {
    /// Starts a worker for each network.
    pub fn start<H: Head<Answer = Answer> + 'static>(
        networks: Vec<Network>,
        head: Arc<H>,
        padding: u32,
        batch_tokens: usize,
    ) -> std::io::Result<Pool> {
        let on_gpu = networks.iter().any(|n| !matches!(n.place, Place::Cpu { .. }));
        let queue = Arc::new(Queue {
            waiting: Mutex::default(),
            work: Condvar::new(),
            room: Condvar::new(),
            batch_tokens: match batch_tokens {
                0 if on_gpu => 16384,
                0 => 2048,
                tokens => tokens,
            },
            // A GPU likes few shapes; a core likes no padding.
            multiple: if on_gpu { 16 } else { 1 },
        });
        let mut pool = Pool { queue: queue.clone(), workers: Vec::new() };
        for (number, network) in networks.into_iter().enumerate() {
            let (queue, head) = (queue.clone(), head.clone());
            let worker = std::thread::Builder::new().name(format!("model-{number}"));
            pool.workers.push(worker.spawn(move || work(&queue, network, &*head, padding))?);
        }
        Ok(pool)
    }

    /// Somebody begins to bring windows.
    pub fn feed(&self) -> Feeder<'_> {
        locked(&self.queue.waiting).feeding += 1;
        Feeder { queue: &self.queue, request: Arc::default() }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        locked(&self.queue.waiting).closed = true;
        self.queue.work.notify_all();
        for worker in self.workers.drain(..) {
            // A worker answers for its panics itself.
            let _ = worker.join();
        }
    }
}

fn work<H: Head<Answer = Answer>>(queue: &Queue, mut network: Network, head: &H, padding: u32) {
    while let Some(batch) = queue.take() {
        let length = queue.padded(batch.iter().map(|j| j.ids.len()).max().unwrap_or(1));
        match attempt(&mut network, head, &batch, length, padding) {
            Ok(answers) => {
                for (job, answer) in batch.iter().zip(answers) {
                    job.request.answer(job.slot, answer);
                }
            }
            // One window may fail a whole batch: each alone, then only that one is lost.
            Err(reason) if batch.len() == 1 => batch[0].request.answer(batch[0].slot, Err(reason)),
            Err(_) => {
                for job in &batch {
                    let alone = attempt(&mut network, head, std::slice::from_ref(job), queue.padded(job.ids.len()), padding);
                    job.request
                        .answer(job.slot, alone.and_then(|mut answers| answers.pop().unwrap_or_else(|| Err("no answer came".to_owned()))));
                }
            }
        }
    }
}

type Answers = Vec<std::result::Result<Answer, String>>;

/// Runs one batch; a panic is an error like others.
fn attempt<H: Head<Answer = Answer>>(
    network: &mut Network,
    head: &H,
    batch: &[Job],
    length: usize,
    padding: u32,
) -> std::result::Result<Answers, String> {
    let run = AssertUnwindSafe(|| {
        let value = |input: &str, at: usize| {
            let (row, column) = (at / length, at % length);
            let id = batch[row].ids.get(column);
            match input {
                "input_ids" => i64::from(id.copied().unwrap_or(padding)),
                "attention_mask" => i64::from(id.is_some()),
                "position_ids" => column as i64,
                // token_type_ids: one text, one type.
                _ => 0,
            }
        };
        let output = network.run(batch.len(), length, value, head.output())?;
        Ok(batch.iter().enumerate().map(|(row, job)| head.read(&output, row, length, job)).collect())
    });
    catch_unwind(run).unwrap_or_else(|_| Err("a function panicked".to_owned()))
}
