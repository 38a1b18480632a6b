//! `up --processes`: each node in a process of its own, started again when it dies.
//!
//! A process that ends by itself with success was told to, and stays ended; one that says that its arguments or files are refused
//! ends all. Whatever else ends is started again, at once the first time and after a growing wait when it dies again and again.
//! What a node must know to go on lies in a folder that is gone with this process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, Signal, kill_process};

use crate::ui::{interrupted, refused};

/// Environment of a supervised process: who started it.
const PARENT: &str = "SHELFWRIGHT_PARENT";
/// Waits before a process is started again.
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
/// One that has run for so long has recovered.
const HEALTHY: Duration = Duration::from_secs(30);
const WATCH: Duration = Duration::from_millis(50);
/// How long processes may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// One process: what it is called, and its command line after the program's name.
pub struct Task {
    /// For people.
    pub name: String,
    /// Arguments.
    pub args: Vec<OsString>,
}

enum State {
    Runs { child: Child, since: Instant },
    Waits { until: Instant },
    Ended,
}

struct Running {
    task: Task,
    state: State,
    wait: Duration,
    restarts: u32,
}

/// Runs tasks until Ctrl-C, or until one is refused.
///
/// # Errors
/// A process that cannot be started, or that refuses its arguments or files.
pub fn run(tasks: Vec<Task>) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("cannot tell where this program is")?;
    let mut all = Vec::new();
    for task in tasks {
        let state = start(&program, &task)?;
        all.push(Running { task, state, wait: FIRST_WAIT, restarts: 0 });
    }
    let mut outcome = Ok(());
    while outcome.is_ok() && !interrupted() && all.iter().any(|r| !matches!(r.state, State::Ended)) {
        for running in &mut all {
            if let Err(error) = running.watch(&program) {
                outcome = Err(error);
            }
        }
        std::thread::sleep(WATCH);
    }
    end(all);
    outcome
}

fn start(program: &Path, task: &Task) -> anyhow::Result<State> {
    let child = Command::new(program)
        .args(&task.args)
        .env(PARENT, std::process::id().to_string())
        .spawn()
        .with_context(|| format!("{} does not start", task.name))?;
    Ok(State::Runs { child, since: Instant::now() })
}

impl Running {
    fn watch(&mut self, program: &Path) -> anyhow::Result<()> {
        match &mut self.state {
            State::Runs { child, since } => {
                let Some(status) = child.try_wait()? else { return Ok(()) };
                if since.elapsed() > HEALTHY {
                    self.wait = FIRST_WAIT;
                }
                self.ended(status)
            }
            State::Waits { until } if Instant::now() >= *until => {
                self.restarts += 1;
                tracing::warn!(node = self.task.name, restarts = self.restarts, "started again");
                self.state = start(program, &self.task)?;
                Ok(())
            }
            State::Waits { .. } | State::Ended => Ok(()),
        }
    }

    fn ended(&mut self, status: ExitStatus) -> anyhow::Result<()> {
        match status.code() {
            Some(0 | 130) => {
                tracing::info!(node = self.task.name, "ended");
                self.state = State::Ended;
            }
            Some(code @ (2 | 3)) => {
                return Err(refused(format!("{} refuses its arguments (exit code {code})", self.task.name)));
            }
            _ => {
                tracing::error!(node = self.task.name, %status, wait_s = self.wait.as_secs_f64(), "died");
                self.state = State::Waits { until: Instant::now() + self.wait };
                self.wait = (2 * self.wait).min(LONGEST_WAIT);
            }
        }
        Ok(())
    }
}

/// Interrupts all, and kills what does not end.
fn end(mut all: Vec<Running>) {
    for running in &all {
        if let State::Runs { child, .. } = &running.state {
            // One that has just ended by itself is no failure.
            let _ = kill_process(Pid::from_child(child), Signal::INT);
        }
    }
    let deadline = Instant::now() + PATIENCE;
    for running in &mut all {
        let State::Runs { child, .. } = &mut running.state else { continue };
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        if matches!(child.try_wait(), Ok(None)) {
            tracing::error!(node = running.task.name, "does not end: killed");
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Whether the process that started this one is gone.
pub fn orphaned() -> bool {
    std::env::var(PARENT).is_ok_and(|p| p != std::os::unix::process::parent_id().to_string())
}

/// A folder for the nodes' memories, gone when this is dropped.
pub struct MemoryFolder(PathBuf);

impl MemoryFolder {
    /// Makes it among the machine's temporary files.
    ///
    /// # Errors
    /// What the disk says.
    pub fn new() -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("shelfwright-up-{}", std::process::id()));
        std::fs::create_dir_all(&path).with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for MemoryFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "the nodes' memories stay");
        }
    }
}
