//! Runs nodes in one process: their threads, and how they end.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use super::parameters::Parameters;
use super::spinner::Spinner;
use super::worker::Make;

/// One node to run.
pub struct NodeSpec {
    /// Name, unless it is remapped.
    pub name: String,
    /// Namespace, unless it is remapped: the robot's name.
    pub namespace: String,
    /// Its parameters with the values that it starts with, unless the command line gives others.
    pub parameters: Parameters,
    /// Makes it when it is configured.
    pub make: Make,
    /// Folder in which it keeps what a process that takes its place must know; none for a node that begins anew each time.
    pub memory: Option<PathBuf>,
}

/// Why the host ended.
#[derive(Debug, thiserror::Error)]
pub enum RosError {
    /// ROS, or the node when it was made.
    #[error("{node}: {error}")]
    Ros {
        /// Which node.
        node: String,
        /// What went wrong.
        error: String,
    },
    /// A value from the command line or a parameter file.
    #[error("{node}: parameter {reason}")]
    Parameter {
        /// Which node.
        node: String,
        /// Name, value, and what is allowed.
        reason: String,
    },
    /// A thread ended by a panic.
    #[error("{0} has crashed")]
    Crashed(String),
}

/// How long the host looks away from the stop flag.
const WATCH: Duration = Duration::from_millis(20);

/// Runs nodes in this process until `stop` is set. `--ros-args` are taken from the command line.
///
/// # Errors
/// A node that cannot start, or that crashes; all are ended then.
pub fn run(nodes: Vec<NodeSpec>, stop: &Arc<AtomicBool>) -> Result<(), RosError> {
    let context = r2r::Context::create()
        .map_err(|error| RosError::Ros { node: "context".into(), error: error.to_string() })?;
    let mut threads = Vec::new();
    for spec in nodes {
        let (context, stop, name) = (context.clone(), stop.clone(), spec.name.clone());
        threads.push((name, std::thread::spawn(move || one(context, spec, &stop))));
    }
    let mut result = Ok(());
    while !threads.is_empty() {
        if let Some(ended) = threads.iter().position(|(_, t)| t.is_finished()) {
            let (name, thread) = threads.swap_remove(ended);
            // The first error is the cause; the others end because of it.
            let this = thread.join().unwrap_or(Err(RosError::Crashed(name)));
            result = result.and(this);
            stop.store(true, Ordering::Relaxed);
        } else {
            std::thread::sleep(WATCH);
        }
    }
    result
}

/// One node on this thread, its work on another.
fn one(context: r2r::Context, spec: NodeSpec, stop: &Arc<AtomicBool>) -> Result<(), RosError> {
    let mut spinner = Spinner::start(context, spec)?;
    let (name, shared) = (spinner.full_name().to_owned(), spinner.shared());
    let logger = spinner.logger();
    let worker = {
        let (shared, stop) = (shared.clone(), stop.clone());
        std::thread::spawn(move || {
            logger.take_thread();
            // Also when the node panics: the spin thread must not go on alone.
            let _ended = StopOnDrop(stop.clone());
            shared.run(&stop);
        })
    };
    spinner.run(stop);
    shared.queue.close();
    worker.join().map_err(|_| RosError::Crashed(name))
}

struct StopOnDrop(Arc<AtomicBool>);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
