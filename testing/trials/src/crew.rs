//! Many small trials, some at a time.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind, set_hook},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use bluegreen_rig::say;

/// Does `work` with each of `items`, `jobs` at a time; each worker has a ground of its own, and a new one after a failure.
/// What is wrong is told by a panic, and `failed` hears of it. Gives back the results.
pub(crate) fn each<I: Sync, G, T: Send>(
    items: &[I],
    jobs: usize,
    ground: impl Fn() -> Option<G> + Sync,
    work: impl Fn(&mut G, &I) -> T + Sync,
    failed: impl Fn(&I, Option<&G>, &str) + Sync,
) -> Vec<T> {
    // what is wrong is told with its replay, by `failed`
    set_hook(Box::new(|_| ()));
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || {
        let mut here = None;
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = catch_unwind(AssertUnwindSafe(|| {
                if here.is_none() {
                    here = ground();
                }
                here.as_mut().map(|here| work(here, item))
            }));
            match done {
                Ok(result) => results.lock().expect("no panic under this lock").extend(result),
                Err(panic) => {
                    failed(item, here.as_ref(), text(panic.as_ref()));
                    here = None;
                }
            }
        }
    };
    thread::scope(|scope| (0..jobs.max(1)).for_each(|_| drop(scope.spawn(worker))));
    let _ = std::panic::take_hook();
    results.into_inner().expect("no panic under this lock")
}

fn text(panic: &(dyn Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without words")
}

/// Shows a failure with the line that repeats it.
pub(crate) fn show(what: &str, why: &str, replay: &str) {
    say(&format!("FAILED {what}\n{}\n  again:  testing/trials/run {replay}\n", indented(why)));
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  | {line}")).collect::<Vec<_>>().join("\n")
}
