//! Ctrl-C and SIGTERM: what is under way is brought to an end that leaves everything whole.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use tokio::sync::watch;

use crate::exit::{Exit, Failure, Result};
use crate::output;

/// Whether a [`Stop`] hears signals.
static STOPPING: AtomicBool = AtomicBool::new(false);
/// How many [`Watch`]es there are.
static WATCHING: AtomicUsize = AtomicUsize::new(0);
/// Whether a signal came while there was one.
static SIGNALLED: AtomicBool = AtomicBool::new(false);

/// Tells of the first signal. A second one ends the program at once; even then nothing is lost that was reported as
/// stored.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from now on. Call it inside the runtime.
    pub(crate) fn listen() -> Result<Self> {
        let (tell, hear) = watch::channel(false);
        let mut signals = Signals::new().map_err(failed)?;
        STOPPING.store(true, Ordering::SeqCst);
        tokio::spawn(async move {
            signals.next().await;
            let _ = tell.send(true);
            signals.next().await;
            std::process::exit(i32::from(Exit::Interrupted.code()));
        });
        Ok(Self(hear))
    }

    /// Whether the program is to stop.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }

    /// Completes when the program is to stop.
    pub(crate) async fn requested(&self) {
        let mut hear = self.0.clone();
        if hear.wait_for(|stop| *stop).await.is_err() {
            // Nobody listens any more: there is no signal to wait for.
            std::future::pending::<()>().await;
        }
    }

    /// Runs `work` unless a signal comes first.
    pub(crate) async fn or<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        tokio::select! {
            biased;
            () = self.requested() => Err(Failure::interrupted()),
            done = work => done,
        }
    }
}

fn failed(error: std::io::Error) -> Failure {
    Failure::new(Exit::Unexpected, format!("signals cannot be listened for: {error}"), "")
}

/// Sees a signal while this thread waits for something that is not a future. A [`Stop`] does not: its turn comes only when the
/// thread is back in the runtime.
#[derive(Debug)]
pub(crate) struct Watch(());

impl Watch {
    /// Watches until it is dropped.
    pub(crate) fn begin() -> Result<Self> {
        static THREAD: OnceLock<std::result::Result<(), String>> = OnceLock::new();
        WATCHING.fetch_add(1, Ordering::SeqCst);
        let watch = Self(());
        let begun = THREAD.get_or_init(|| {
            let (tell, hear) = mpsc::channel();
            std::thread::spawn(move || hear_signals(&tell));
            hear.recv().unwrap_or_else(|_| Err("their thread ended".into()))
        });
        match begun {
            Ok(()) => Ok(watch),
            Err(error) => Err(failed(std::io::Error::other(error.clone()))),
        }
    }

    /// Whether a signal has come.
    pub(crate) fn is_signalled(&self) -> bool {
        SIGNALLED.load(Ordering::SeqCst)
    }

    /// Ends the program, as the second signal of a [`Stop`] does.
    pub(crate) fn interrupt(&self) -> ! {
        output::report(&Failure::interrupted(), std::env::args_os().any(|arg| arg == "--json"));
        std::process::exit(i32::from(Exit::Interrupted.code()))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        WATCHING.fetch_sub(1, Ordering::SeqCst);
        // One that came at the last moment is for whoever else listens; there may be nobody.
        if self.is_signalled() && !STOPPING.load(Ordering::SeqCst) {
            self.interrupt();
        }
    }
}

/// Hears signals as long as the program runs: they have lost the effect that they have on a program that does not listen, so this gives
/// it back wherever nobody else does anything about them.
fn hear_signals(tell: &mpsc::Sender<std::result::Result<(), String>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(tell.send(Err(error.to_string()))),
    };
    runtime.block_on(async {
        let mut signals = match Signals::new() {
            Ok(signals) => signals,
            Err(error) => return drop(tell.send(Err(error.to_string()))),
        };
        let _ = tell.send(Ok(()));
        loop {
            signals.next().await;
            if WATCHING.load(Ordering::SeqCst) > 0 {
                SIGNALLED.store(true, Ordering::SeqCst);
            } else if !STOPPING.load(Ordering::SeqCst) {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        }
    });
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
}
