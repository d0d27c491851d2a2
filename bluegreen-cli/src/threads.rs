//! The threads of a command: those that it cannot do without are there before anything is done, or nothing is.

use std::{io, panic, time::Duration};

use tokio::runtime::{Builder, Runtime};

use crate::{exit::Exit, halt::Halt};

/// Longer than any command.
const KEPT: Duration = Duration::from_secs(365 * 24 * 3600);

/// So long is waited for what does not hear that it is to end, as a read from a disk that does not answer.
pub(crate) const DEAF: Duration = Duration::from_secs(2);

/// Does `work`. A thread that still waits then, as for a disk that does not answer, is not waited for.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, Halt>>) -> Result<T, Halt> {
    let runtime = begin()?;
    let done = runtime.block_on(work);
    runtime.shutdown_timeout(DEAF);
    done
}

/// One thread for tasks, and one for what waits for files and processes. As long as it has that one, tokio makes do when the
/// system gives no more; where it does not get it, it knows no other way than to panic.
fn begin() -> Result<Runtime, Halt> {
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let begun = panic::catch_unwind(|| -> io::Result<Runtime> {
        let runtime = Builder::new_multi_thread().worker_threads(1).thread_keep_alive(KEPT).enable_all().build()?;
        drop(runtime.spawn_blocking(|| ()));
        Ok(runtime)
    });
    panic::set_hook(hook);
    match begun {
        Ok(begun) => begun.map_err(|error| Halt::error(Exit::Internal, &error).next("ulimit -a")),
        Err(why) => {
            let mut halt = Halt::new(Exit::Internal, "the system gives no thread").next("ulimit -u");
            halt.trouble.causes.extend(why.downcast_ref::<String>().cloned());
            Err(halt)
        }
    }
}
