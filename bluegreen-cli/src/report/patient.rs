//! Writing for a reader who may have stopped reading.

use std::{
    io::{self, Write},
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{SendError, channel},
    },
    thread,
    time::Duration,
};

use super::Out;

/// How long a reader is waited for, until it reads again: what comes after stays in its order.
const A_MOMENT: Duration = Duration::from_millis(200);
/// And for the last words.
const AT_THE_END: Duration = Duration::from_secs(2);
/// So much is kept for it, in bytes; the rest is lost.
const LIMIT: usize = 1 << 20;

/// A writer that hands all to a thread: a full pipe that nobody reads, or a terminal that is held, stops no deploy.
pub(crate) struct Patient {
    shared: Arc<Shared>,
    /// Where to write without a thread, which the system did not give.
    alone: Option<Out>,
}

#[derive(Debug, Default)]
struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    bytes: Vec<u8>,
    /// The thread is writing.
    busy: bool,
    /// It was waited for in vain.
    stuck: bool,
    over: bool,
}

impl Patient {
    /// Writes to `to`.
    pub(crate) fn new(to: impl Write + Send + 'static) -> Self {
        let shared = Arc::new(Shared::default());
        let (theirs, (give, given)) = (shared.clone(), channel::<Out>());
        let pump = move || given.recv().into_iter().for_each(|mut to| theirs.pump(&mut to));
        let spawned = thread::Builder::new().name("output".to_owned()).spawn(pump);
        let to: Out = Box::new(to);
        let alone = match spawned {
            Ok(_) => give.send(to).err().map(|SendError(to)| to),
            Err(_) => Some(to),
        };
        Self { shared, alone }
    }
}

impl Write for Patient {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if let Some(to) = &mut self.alone {
            return to.write(bytes);
        }
        let mut queue = self.shared.lock();
        if queue.bytes.len() + bytes.len() <= LIMIT {
            queue.bytes.extend_from_slice(bytes);
        }
        self.shared.changed.notify_all();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if let Some(to) = &mut self.alone {
            return to.flush();
        }
        if !self.shared.lock().stuck {
            self.shared.wait(A_MOMENT);
        }
        Ok(())
    }
}

impl Drop for Patient {
    fn drop(&mut self) {
        self.shared.wait(AT_THE_END);
        self.shared.lock().over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until all is written, or that long.
    fn wait(&self, within: Duration) {
        let waited = self.changed.wait_timeout_while(self.lock(), within, |it| it.busy || !it.bytes.is_empty());
        let (mut queue, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.stuck = waited.timed_out();
    }

    fn pump(&self, to: &mut dyn Write) {
        loop {
            let wanted = self.changed.wait_while(self.lock(), |it| it.bytes.is_empty() && !it.over);
            let mut queue = wanted.unwrap_or_else(PoisonError::into_inner);
            if queue.bytes.is_empty() {
                return;
            }
            let bytes = mem::take(&mut queue.bytes);
            queue.busy = true;
            drop(queue);
            // a reader who went away stops nothing
            let _ = to.write_all(&bytes).and_then(|()| to.flush());
            let mut queue = self.lock();
            queue.busy = false;
            queue.stuck = false;
            self.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read as _;

    use super::*;

    #[test]
    fn nobody_waits_for_a_reader_who_sleeps_and_nothing_is_lost() {
        let (mut reader, writer) = io::pipe().unwrap();
        let mut patient = Patient::new(writer);
        let lines: Vec<String> = (0..2000).map(|n| format!("{n:099}\n")).collect();
        // more than a pipe takes
        for line in &lines {
            patient.write_all(line.as_bytes()).unwrap();
            patient.flush().unwrap();
        }
        let read = thread::spawn(move || {
            let mut text = String::new();
            reader.read_to_string(&mut text).unwrap();
            text
        });
        drop(patient);
        assert_eq!(read.join().unwrap(), lines.concat());
    }
}
