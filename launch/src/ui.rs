//! What people and programs see of the command: results on standard output, progress and logs on standard
//! error, exit codes, and a clean end on Ctrl-C.

use std::fmt::Display;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;
use tracing_subscriber::EnvFilter;

static STOP: AtomicBool = AtomicBool::new(false);

/// The work was interrupted; what was recorded is kept.
#[derive(Debug, thiserror::Error)]
#[error("interrupted")]
pub struct Interrupted;

/// An input file was refused. The text names file, place, what was found and what is allowed.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Refused(String);

/// Marks an error of a loader as a refused input.
pub fn refused(error: impl Display) -> anyhow::Error {
    Refused(error.to_string()).into()
}

/// True once Ctrl-C or SIGTERM has come.
pub fn interrupted() -> bool {
    STOP.load(Ordering::Relaxed)
}

/// The first Ctrl-C or SIGTERM asks for a clean end, the second one ends at once.
pub fn catch_interrupts() {
    let caught = ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    if let Err(error) = caught {
        tracing::warn!(%error, "Ctrl-C will end the program without closing its files");
    }
}

/// Logs go to standard error; those of ROS 2 nodes by ROS, to `/rosout` too.
pub fn init_logs(verbose: u8, ros: bool) {
    let default = match verbose {
        0 if ros => "warn,nodes=info,shelfwright=info",
        // What draws warns of slow drivers and of much that is no concern of the person at the terminal.
        0 => "warn,bevy=error,wgpu=error,naga=error,winit=error",
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    #[cfg(feature = "ros2")]
    if ros {
        use tracing_subscriber::layer::SubscriberExt;
        use tracing_subscriber::util::SubscriberInitExt;
        tracing_subscriber::registry().with(filter).with(nodes::host::ros2::RosLayer).init();
        return;
    }
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
}

/// How this call talks.
pub struct Ui {
    json: bool,
    quiet: bool,
}

impl Ui {
    /// `json`: results as JSON only; `quiet`: no progress.
    pub fn new(json: bool, quiet: bool) -> Self {
        Self { json, quiet }
    }

    /// Prints a result: as JSON where asked, or else as text.
    pub fn result<T: Serialize>(&self, value: &T, text: impl FnOnce(&T) -> String) -> anyhow::Result<()> {
        let mut shown = if self.json { serde_json::to_string_pretty(value)? } else { text(value) };
        if !shown.ends_with('\n') {
            shown.push('\n');
        }
        match std::io::stdout().lock().write_all(shown.as_bytes()) {
            // `shelfwright … | head` closes the pipe early; that is no failure.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            other => Ok(other?),
        }
    }

    /// One line about what is going on.
    pub fn note(&self, line: impl Display) {
        if !self.quiet {
            let _ = writeln!(std::io::stderr().lock(), "{line}");
        }
    }

    /// Prints an error with its causes and gives its exit code.
    pub fn fail(&self, error: &anyhow::Error) -> ExitCode {
        let _ = writeln!(std::io::stderr().lock(), "shelfwright: {error:#}");
        if error.is::<Interrupted>() {
            ExitCode::from(130)
        } else if error.is::<Refused>() {
            ExitCode::from(3)
        } else {
            ExitCode::FAILURE
        }
    }

    /// Progress over `total` units: a bar with the time left on a terminal, a line every few seconds elsewhere.
    pub fn progress(&self, what: &'static str, total: u64) -> Progress {
        let terminal = std::io::stderr().is_terminal();
        let bar = if self.quiet || !terminal { ProgressBar::hidden() } else { ProgressBar::new(total) };
        if let Ok(style) =
            ProgressStyle::with_template("{prefix:>10} [{bar:32}] {percent:>3}% {msg} · {eta} left")
        {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.set_prefix(what);
        let plain = !self.quiet && !terminal;
        Progress { what, total, bar, plain, started: Instant::now(), next_line: Duration::from_secs(5) }
    }
}

/// One piece of long work.
pub struct Progress {
    what: &'static str,
    total: u64,
    bar: ProgressBar,
    plain: bool,
    started: Instant,
    next_line: Duration,
}

impl Progress {
    /// `done` of the total, and a few words on where it is.
    pub fn at(&mut self, done: u64, words: impl FnOnce() -> String) {
        let elapsed = self.started.elapsed();
        if !self.plain {
            self.bar.set_position(done.min(self.total));
            self.bar.set_message(words());
        } else if elapsed >= self.next_line {
            self.next_line = elapsed + Duration::from_secs(15);
            let percent = 100 * done.min(self.total) / self.total.max(1);
            let left = elapsed.as_secs_f64() * (self.total.saturating_sub(done)) as f64 / done.max(1) as f64;
            let _ = writeln!(
                std::io::stderr().lock(),
                "{}: {percent}% {} ({left:.0} s left)",
                self.what,
                words()
            );
        }
    }

    /// Takes the bar away.
    pub fn finish(self) {
        self.bar.finish_and_clear();
    }
}
