//! Ctrl-C and SIGTERM: what is under way is brought to an end that leaves everything whole.

use tokio::sync::watch;

use crate::exit::{Exit, Failure, Result};

/// Tells of the first signal. A second one ends the program at once; even then nothing is lost that was reported as
/// stored.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// Listens from now on. Call it inside the runtime.
    pub(crate) fn listen() -> Result<Self> {
        let failed = |error: std::io::Error| {
            Failure::new(Exit::Unexpected, format!("signals cannot be listened for: {error}"), "")
        };
        let (tell, hear) = watch::channel(false);
        let mut signals = Signals::new().map_err(failed)?;
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
