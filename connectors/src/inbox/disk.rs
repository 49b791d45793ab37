//! The bytes of the store on disk.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

use super::lock;

/// Space is taken in pieces of that, ahead of what is written: to sync what lies in space of its own, the file
/// system has less to write down.
const PIECE: u64 = 16 << 20;
/// Zeros are written so far ahead of what is written: to sync what lies where something was written before, the
/// file system has nothing to write down.
const AHEAD: u64 = if cfg!(test) { 32 << 10 } else { 1 << 20 };

/// A file as the store wants it. The lock that keeps other runs away is on the
/// mark, which outlives a file taking the place of another.
#[derive(Debug)]
pub(super) struct Disk {
    file: File,
    ahead: Mutex<Ahead>,
    health: Arc<Health>,
}

/// How far the file is made ready for what will be written.
#[derive(Debug)]
struct Ahead {
    /// Up to there it has space on the disk.
    taken: u64,
    /// Beyond that nothing was ever written; [`u64::MAX`] where no zeros are to be.
    written: u64,
}

/// How the disk did so far.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Set once an fsync failed: the kernel may have dropped what it could not
    /// write, so that the file must not be trusted to be on disk.
    pub doubtful: AtomicBool,
    #[cfg(test)]
    pub trial: trial::Trial,
}

impl Disk {
    pub fn new(file: File, health: Arc<Health>) -> Self {
        let written = file.metadata().map_or(u64::MAX, |file| file.len());
        Disk { file, ahead: Mutex::new(Ahead { taken: 0, written }), health }
    }

    /// Makes the file ready for what is written there. Where that fails the write itself will say why.
    fn prepare(&self, offset: u64, end: u64) {
        let mut ahead = lock(&self.ahead);
        if end <= ahead.taken && end <= ahead.written {
            return;
        }
        if end > ahead.taken {
            // Never beyond the length, which is the store's to set.
            let length = self.file.metadata().map_or(end, |file| file.len());
            let to = end.next_multiple_of(PIECE).min(length).max(end);
            if !reserve(&self.file, ahead.taken, to) {
                ahead.written = u64::MAX;
            }
            ahead.taken = to;
        }
        if end > ahead.written {
            let to = (end + AHEAD).min(ahead.taken);
            let outcome = self.put_zeros(ahead.written, offset).and_then(|()| self.put_zeros(end, to));
            ahead.written = outcome.map_or(u64::MAX, |()| to);
        }
    }

    fn put_zeros(&self, from: u64, to: u64) -> io::Result<()> {
        const ZEROS: &[u8] = &[0; 64 << 10];
        (from..to).step_by(ZEROS.len()).try_for_each(|at| self.put(at, &ZEROS[..ZEROS.len().min((to - at) as usize)]))
    }

    fn put(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        self.health.trial.step(|| trial::Step::Write(offset, data.to_vec()))?;
        self.file.write_all_at(data, offset)
    }
}

/// Whether there was space, as far as one knows.
#[cfg(target_os = "linux")]
fn reserve(file: &File, from: u64, to: u64) -> bool {
    use nix::fcntl::{FallocateFlags, fallocate};
    let (Ok(from), Ok(length)) = (from.try_into(), (to - from).try_into()) else { return false };
    fallocate(file, FallocateFlags::FALLOC_FL_KEEP_SIZE, from, length).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn reserve(_file: &File, _from: u64, _to: u64) -> bool {
    false
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(out, offset)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        #[cfg(test)]
        self.health.trial.step(|| trial::Step::Length(len))?;
        self.file.set_len(len)?;
        let mut ahead = lock(&self.ahead);
        (ahead.taken, ahead.written) = (ahead.taken.min(len), ahead.written.min(len));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        #[cfg(test)]
        if let Err(error) = self.health.trial.step(|| trial::Step::Sync) {
            self.health.doubtful.store(true, Ordering::Release);
            return Err(error);
        }
        let outcome = self.file.sync_data();
        if outcome.is_err() {
            self.health.doubtful.store(true, Ordering::Release);
        }
        outcome
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.prepare(offset, offset + data.len() as u64);
        self.put(offset, data)
    }
}

/// A disk that notes what is done to it, and fails when it is told to.
#[cfg(test)]
pub(super) mod trial {
    use std::io;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

    #[derive(Debug, Clone)]
    pub enum Step {
        Write(u64, Vec<u8>),
        Length(u64),
        Sync,
    }

    #[derive(Debug)]
    pub struct Trial {
        pub noting: AtomicBool,
        pub notes: Mutex<Vec<Step>>,
        /// Steps that succeed before every one fails; below zero, all succeed.
        pub left: AtomicI64,
    }

    impl Default for Trial {
        fn default() -> Self {
            Trial { noting: AtomicBool::new(false), notes: Mutex::default(), left: AtomicI64::new(-1) }
        }
    }

    impl Trial {
        pub fn step(&self, step: impl FnOnce() -> Step) -> io::Result<()> {
            let left = self.left.load(Ordering::Acquire);
            if left == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            if left > 0 {
                self.left.store(left - 1, Ordering::Release);
            }
            if self.noting.load(Ordering::Acquire) {
                self.notes.lock().unwrap().push(step());
            }
            Ok(())
        }
    }
}
